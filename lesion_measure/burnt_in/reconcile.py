"""Marks against printed values: which value is whose, whether both agree, and what scale the values speak for.

Two witnesses of one distance: the marks by the image's scale, and the number beside them. Where they agree, the image
confirms its scale itself. Where all differ by one factor, the picture was rescaled after it was measured.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from lesion_measure.records import PrintedScale

LEAST_FACTOR = 0.02
"""Difference from 1 up to which a factor is no rescaling but rounding."""
MARK_SD_PX = 0.5
"""SD of a distance between two marks, from the pixel grid."""
ACROSS_DEG = 45.0
"""Angle between two calipers from which their values tell that pixels are squares."""
NOT_SQUARE_CV = 0.05
"""SD of the scale along any direction, as a share, where that is not told. Scanners' pixels are squares but for a few,
whose sides differ by a quarter at most."""
_MOST_CHI2 = 9.0
"""Of one degree of freedom: three standard deviations."""
_NEVER = 1e6
_FORMULAS = (math.pi / 6, 0.52, 0.5, 0.479)
"""Factors by which machines make a volume of three axes: the ellipsoid's, its roundings, and others in use."""


@dataclass(frozen=True, slots=True)
class Distance:
    """A caliper: its length in pixels, its length in mm by the image's scale, and the longer side of a pixel.

    The latter two are None without a scale. ``doubted_mm`` is the length by a scale that is stated and not believed, as
    of a picture that was made smaller under its regions: it tells the factor, and is no length. ``direction_deg`` is
    the caliper's in pixels, from 0 to 180. ``slack_px`` is by how many pixels its length may be wrong.
    """

    length_px: float
    length_mm: float | None = None
    pixel_mm: float | None = None
    doubted_mm: float | None = None
    direction_deg: float = 0.0
    slack_px: float = 1.0

    @property
    def slack_mm(self) -> float:
        """The same in mm by the image's scale, 0 without one."""
        return self.slack_px * (self.pixel_mm or 0.0)

    @property
    def stated_mm(self) -> float | None:
        """By the scale that the file states, believed or not."""
        return self.length_mm if self.length_mm is not None else self.doubted_mm


@dataclass(frozen=True, slots=True)
class Stated:
    """A printed length in mm, and half of what its last digit counts."""

    length_mm: float
    half_width_mm: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the values say of the calipers.

    ``of_caliper`` gives for each caliper the index of its value, None where none is known to be its own; ``agrees``
    whether both are equal, None where the image has no scale. ``factor`` is how many times larger the picture is than
    its scale says, None where values agree or do not have one factor in common. ``proposed`` is the scale that two
    values or more, or one where the picture has a scale that it contradicts, speak for.
    """

    of_caliper: tuple[int | None, ...]
    agrees: tuple[bool | None, ...]
    factor: float | None = None
    proposed: PrintedScale | None = None


def reconcile(calipers: Sequence[Distance], values: Sequence[Stated]) -> Verdict:
    """Each caliper with its printed value.

    By the image's scale a value is the caliper's with which it agrees, within its rounding and the slack. Where none
    does, or without a scale, one scale is looked for by which they do.
    """
    nothing = Verdict((None,) * len(calipers), (None,) * len(calipers))
    if not calipers or not values:
        return nothing
    if any(caliper.length_mm is not None for caliper in calipers):
        matched = _by_scale(calipers, values)
        if any(index is not None for index in matched):
            return _agreeing(calipers, values, matched)
    return _by_common_scale(calipers, values) or nothing


def agree(caliper: Distance, value: Stated) -> bool:
    """Whether a caliper is as long by the image's scale as a value says, within its rounding and the slack."""
    if caliper.length_mm is None:
        return False
    return abs(caliper.length_mm - value.length_mm) <= value.half_width_mm + caliper.slack_mm


def told_apart(calipers: Sequence[Distance], values: Sequence[Stated], verdict: Verdict) -> tuple[int | None, ...]:
    """``of_caliper`` without values that may as well be another's: two calipers of nearly one length agree with both.

    A second value that agrees counts where no caliper agrees with it, or its own agrees with the first, too.
    """
    owner = {index: at for at, index in enumerate(verdict.of_caliper) if index is not None and verdict.agrees[at]}

    def exchangeable(at: int, own: int, other: int) -> bool:
        if values[other].length_mm == values[own].length_mm or not agree(calipers[at], values[other]):
            return False
        return other not in owner or agree(calipers[owner[other]], values[own])

    return tuple(
        None
        if index is not None and verdict.agrees[at] and any(exchangeable(at, index, o) for o in range(len(values)))
        else index
        for at, index in enumerate(verdict.of_caliper)
    )


def _by_scale(calipers: Sequence[Distance], values: Sequence[Stated]) -> tuple[int | None, ...]:
    """For each caliper the value that agrees with it best, each value once."""
    return _matched([c.length_mm for c in calipers], [c.slack_mm for c in calipers], values)


def _matched(
    lengths_mm: Sequence[float | None], slack_mm: Sequence[float], values: Sequence[Stated]
) -> tuple[int | None, ...]:
    cost = np.full((len(lengths_mm), len(values)), _NEVER)
    for (row, length), (col, value) in itertools.product(enumerate(lengths_mm), enumerate(values)):
        if length is not None and abs(length - value.length_mm) <= value.half_width_mm + slack_mm[row]:
            cost[row, col] = abs(length - value.length_mm) / (value.half_width_mm + slack_mm[row])
    rows, cols = linear_sum_assignment(cost)
    own: list[int | None] = [None] * len(lengths_mm)
    for at, to in zip(rows.tolist(), cols.tolist(), strict=True):
        if cost[at, to] < _NEVER:
            own[at] = to
    return tuple(own)


def _agreeing(calipers: Sequence[Distance], values: Sequence[Stated], own: tuple[int | None, ...]) -> Verdict:
    """Some agree; a single caliper and a single value that are left over belong together, and differ."""
    agrees: list[bool | None] = [None if index is None else True for index in own]
    matched = list(own)
    left = [row for row, index in enumerate(own) if index is None and calipers[row].length_mm is not None]
    over = [col for col in range(len(values)) if col not in own]
    if len(left) == len(over) == 1:
        matched[left[0]], agrees[left[0]] = over[0], False
    return Verdict(tuple(matched), tuple(agrees))


def _by_common_scale(calipers: Sequence[Distance], values: Sequence[Stated]) -> Verdict | None:
    """The scale by which most values are a caliper's; None where no or several ones do."""
    best: list[tuple[int | None, ...]] = []
    most = 0
    for caliper, value in itertools.product(calipers, values):
        spacing = value.length_mm / caliper.length_px
        relative = value.half_width_mm / value.length_mm + caliper.slack_px / caliper.length_px
        slack = [c.length_px * spacing * relative + c.slack_px * spacing for c in calipers]
        own = _matched([c.length_px * spacing for c in calipers], slack, values)
        count = sum(index is not None for index in own)
        if count > most:
            best, most = [], count
        if count == most and own not in best:
            best.append(own)
    alone = len(calipers) == len(values) == 1
    if len(best) != 1 or (most < 2 and not alone) or 2 * most <= min(len(calipers), len(values)):
        return None
    proposed = _scale([(c, values[index]) for c, index in zip(calipers, best[0], strict=True) if index is not None])
    if proposed is None:
        return None
    return _with_factor(calipers, best[0], proposed)


def _with_factor(calipers: Sequence[Distance], own: tuple[int | None, ...], proposed: PrintedScale) -> Verdict:
    matched = [caliper for caliper, index in zip(calipers, own, strict=True) if index is not None]
    stated = [(c.stated_mm, c.length_px * proposed.spacing_mm) for c in matched]
    factors = [by_scale / printed for by_scale, printed in stated if by_scale is not None]
    factor = float(np.median(factors)) if factors else None
    named = factor if factor is not None and abs(factor - 1) > LEAST_FACTOR else None
    agrees = tuple(
        None if index is None or caliper.length_mm is None else False
        for caliper, index in zip(calipers, own, strict=True)
    )
    enough = proposed.values > 1 or named is not None
    return Verdict(own, agrees, named, proposed if enough else None)


def possible_scales(calipers: Sequence[Distance], values: Sequence[Stated]) -> tuple[PrintedScale, ...]:
    """What each caliper would say of the scale with each value, were it its own."""
    alone = (_scale([pair]) for pair in itertools.product(calipers, values))
    return tuple(scale for scale in alone if scale is not None)


def _scale(matched: Sequence[tuple[Distance, Stated]]) -> PrintedScale | None:
    """The mean scale of matched values by their precision; None where they differ more than it allows.

    Where they differ more than their precision has them, its error is that much larger.
    """
    scales, variances = [], []
    for caliper, value in matched:
        scales.append(value.length_mm / caliper.length_px)
        rounding = value.half_width_mm / math.sqrt(3) / value.length_mm
        variances.append(scales[-1] ** 2 * (rounding**2 + (MARK_SD_PX / caliper.length_px) ** 2))
    weights = 1 / np.array(variances)
    mean = float(np.sum(weights * np.array(scales)) / weights.sum())
    chi2 = float(np.sum(weights * (np.array(scales) - mean) ** 2)) / max(1, len(scales) - 1)
    if chi2 > _MOST_CHI2:
        return None
    lone = all(caliper.stated_mm is None for caliper, _ in matched) and not _across([c for c, _ in matched])
    return PrintedScale(
        spacing_mm=mean,
        own_sd_mm=math.sqrt(max(1.0, chi2) / weights.sum()),
        square_cv=NOT_SQUARE_CV if lone else 0.0,
        values=len(scales),
    )


def _across(calipers: Sequence[Distance]) -> bool:
    """Whether two of them lie far enough from one direction to tell a pixel's height from its width."""
    pairs = itertools.combinations([caliper.direction_deg for caliper in calipers], 2)
    return any(ACROSS_DEG <= abs(one - other) <= 180 - ACROSS_DEG for one, other in pairs)


def volume_agrees(volume_ml: float, half_width_ml: float, axes: Sequence[Stated]) -> bool | None:
    """Whether a printed volume is that of three printed axes by a formula in use; None for other numbers of axes."""
    if len(axes) != 3:
        return None
    product = math.prod(axis.length_mm for axis in axes) / 1000
    relative = sum(axis.half_width_mm / axis.length_mm for axis in axes)
    return any(abs(volume_ml - factor * product) <= half_width_ml + factor * product * relative for factor in _FORMULAS)
