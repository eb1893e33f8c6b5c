"""What an evaluation finds out about each picture: its true lesions, what was drawn, and how the two compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from lesion_measure.lab.evaluation.overlap import Placed
from lesion_measure.network import CaliperLine

FOUND_DICE = 0.5
"""Least Dice at which an automatic outline counts as having found a lesion."""

RIGHT_DICE = 0.75
"""Least Dice at which an outline is right: what a bundle's confidence is the probability of."""

CLEAR_CONTRAST = 0.7
"""Contrast from which a lesion is clearly visible; see `overlap.contrast`."""

SMALL_SHARE, LARGE_SHARE = 0.15, 0.40
"""Long axis as a share of the picture's longer side: below the first a lesion is small, from the second on large."""


class Method(StrEnum):
    """How an outline came about: by the network alone, by it from calipers, or as the calipers' plain ellipse."""

    AUTOMATIC = "automatic"
    LONG_AXIS = "long_axis"
    BOTH_AXES = "both_axes"
    LONG_AXIS_ELLIPSE = "long_axis_ellipse"
    BOTH_AXES_ELLIPSE = "both_axes_ellipse"


NETWORK_PROMPTED = (Method.LONG_AXIS, Method.BOTH_AXES)
ELLIPSE_OF = {
    Method.LONG_AXIS: Method.LONG_AXIS_ELLIPSE,
    Method.BOTH_AXES: Method.BOTH_AXES_ELLIPSE,
}


class Size(StrEnum):
    """How large a lesion is in its picture, since the sets have no pixel size."""

    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


@dataclass(frozen=True, slots=True)
class Sizes:
    """Long axis, short axis (pixels) and area (square pixels), by `lesion_measure.measure`."""

    long_axis_px: float
    short_axis_px: float
    area_px: float


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """One outline compared with the true lesion that it overlaps most, or that it was asked for.

    Attributes
    ----------
    lesion
        That lesion's label; None where it overlaps none (an invented lesion).
    dice
        Dice with it; 0 where there is none, or where nothing was drawn.
    surface_mean_px, surface_p95_px
        Mean and 95 % Hausdorff distance of the two borders; None where they do not overlap.
    sizes
        None where nothing was drawn or nothing in it can be measured.
    confidence, accepted
        The bundle's; None and False for an ellipse and where nothing was drawn.
    fits
        Whether it fits the caliper that it was drawn from (`overlap.fits`); False without one.
    features
        What the confidence was computed from.
    outline_px
        (n, 2) float32 closed outline (row, column) on the picture; None where nothing was drawn.
    """

    lesion: int | None
    dice: float
    surface_mean_px: float | None = None
    surface_p95_px: float | None = None
    sizes: Sizes | None = None
    confidence: float | None = None
    accepted: bool = False
    fits: bool = False
    features: Mapping[str, float] = field(default_factory=dict)
    outline_px: NDArray[np.float32] | None = None

    @property
    def used(self) -> bool:
        """Whether a run would use this outline beside the reader's calipers."""
        return self.accepted and self.fits


@dataclass(frozen=True, slots=True, eq=False)
class Placing:
    """One placing of calipers on a lesion, as another reader would do it, and what was drawn from it.

    Attributes
    ----------
    calipers
        The calipers given: the long axis, and the short one where there is one, ends moved.
    drawn
        By method, from these calipers; no BOTH_AXES where the lesion has no short axis.
    dice_at
        Dice by method and by how far the calipers' ends were moved (SD in lengths), the main spread included.
    """

    calipers: tuple[CaliperLine, ...]
    drawn: Mapping[Method, Drawn]
    dice_at: Mapping[Method, Mapping[float, float]]

    def calipers_of(self, method: Method) -> tuple[CaliperLine, ...]:
        """Those that a method was given: the long axis alone, or all."""
        return self.calipers if method is Method.BOTH_AXES else self.calipers[:1]


@dataclass(frozen=True, slots=True, eq=False)
class LesionCase:
    """One true lesion and what was drawn for it from calipers.

    Attributes
    ----------
    label
        Its value in the picture's labels, from 1.
    sizes
        None where the true mask is too ragged to be measured.
    relative_size
        Long axis as a share of the picture's longer side.
    contrast
        How visible it is (`overlap.contrast`).
    outline_px
        The true outline, as for `Drawn`.
    placings
        Of its calipers, one or more; the first is the same however many there are.
    """

    label: int
    sizes: Sizes | None
    relative_size: float
    contrast: float
    outline_px: NDArray[np.float32] | None
    placings: tuple[Placing, ...]

    @property
    def size(self) -> Size:
        """Its class of size."""
        if self.relative_size < SMALL_SHARE:
            return Size.SMALL
        return Size.MEDIUM if self.relative_size < LARGE_SHARE else Size.LARGE


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One picture.

    Attributes
    ----------
    picture, source, group
        Its name, the set it belongs to, and the group (patient, near-duplicates) that is redrawn as a whole.
    digest
        `datasets.picture_digest` of it.
    trained_on
        Whether the bundle says that it, or another picture of its group, was trained on; None where it does not say.
    automatic
        Every lesion that the network drew by itself, most confident first.
    automatic_dice
        Dice of all that it drew with all true lesions, 0 where it drew nothing; None on a lesion-free picture.
    chosen_by
        Whether the bundle, not trained on its group, was chosen on it (`trained.HeldBack`); None where it does not say.
    kind
        The class that the set gives the picture (such as benign); empty where it gives none.
    automatic_masks
        What was drawn by itself, in the order of ``automatic``, cut out.
    undecided
        How far the probability map leaves open what is lesion (`overlap.undecided`); None without such a map.
    """

    picture: str
    source: str
    group: str
    digest: str
    trained_on: bool | None
    lesions: tuple[LesionCase, ...]
    automatic: tuple[Drawn, ...]
    automatic_dice: float | None
    chosen_by: bool | None = None
    kind: str = ""
    automatic_masks: tuple[Placed, ...] = ()
    undecided: float | None = None

    def best(self, label: int) -> Drawn | None:
        """The automatic outline that overlaps a lesion best, None where none does."""
        own = [drawn for drawn in self.automatic if drawn.lesion == label]
        return max(own, key=lambda drawn: drawn.dice, default=None)

    def found(self, label: int) -> Drawn | None:
        """The automatic outline that counts as having found a lesion, None where it was missed."""
        best = self.best(label)
        return best if best is not None and best.dice >= FOUND_DICE else None

    def outlines_of(self, lesion: LesionCase, method: Method) -> list[Drawn]:
        """What a method drew for a lesion, one for each placing of calipers; for AUTOMATIC what found it."""
        if method is Method.AUTOMATIC:
            found = self.found(lesion.label)
            return [] if found is None else [found]
        return [placing.drawn[method] for placing in lesion.placings if method in placing.drawn]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One outline as a confidence model sees it: its features, its Dice, and where it comes from.

    ``lesion`` is the one whose calipers it was drawn from, None for an automatic outline.
    """

    source: str
    group: str
    picture: str
    features: Mapping[str, float]
    dice: float
    confidence: float
    accepted: bool
    lesion: LesionCase | None = None

    @property
    def weight(self) -> float:
        """What it counts: what a method draws from all placings of a lesion's calipers counts together as one."""
        return 1.0 if self.lesion is None else 1 / len(self.lesion.placings)


def automatic_candidates(cases: Sequence[Case]) -> list[Candidate]:
    """Every lesion that the network drew by itself, in order; a lesion drawn where there is none has Dice 0.

    Masks of another tool have no confidence, and are none.
    """
    return [_candidate(case, drawn, None) for case in cases for drawn in _judged(case)]


def prompted_candidates(cases: Sequence[Case]) -> list[Candidate]:
    """Every outline that the network drew from calipers, of every placing, in order."""
    return [_candidate(case, drawn, lesion) for case in cases for lesion, drawn in _prompted(case)]


def rescored(
    cases: Sequence[Case],
    *,
    automatic: tuple[Sequence[float], float] | None = None,
    prompted: tuple[Sequence[float], float] | None = None,
) -> list[Case]:
    """The cases with other confidences, such as cross-fitted ones.

    Parameters
    ----------
    cases
        From `run_cases`.
    automatic, prompted
        A confidence for each of `automatic_candidates` (`prompted_candidates`), in their order, and the least one that
        is accepted; None leaves them as they are.
    """
    new = {
        **_renewed([drawn for case in cases for drawn in _judged(case)], automatic),
        **_renewed([drawn for case in cases for _, drawn in _prompted(case)], prompted),
    }

    def placed(placing: Placing) -> Placing:
        return replace(placing, drawn={method: new.get(id(drawn), drawn) for method, drawn in placing.drawn.items()})

    return [
        replace(
            case,
            automatic=tuple(new.get(id(drawn), drawn) for drawn in case.automatic),
            lesions=tuple(replace(lesion, placings=tuple(map(placed, lesion.placings))) for lesion in case.lesions),
        )
        for case in cases
    ]


def _judged(case: Case) -> list[Drawn]:
    return [drawn for drawn in case.automatic if drawn.confidence is not None]


def _prompted(case: Case) -> list[tuple[LesionCase, Drawn]]:
    """What the network drew from calipers, and for which lesion; where it drew nothing there is no confidence."""
    return [
        (lesion, drawn)
        for lesion in case.lesions
        for placing in lesion.placings
        for method in NETWORK_PROMPTED
        if (drawn := placing.drawn.get(method)) is not None and drawn.confidence is not None
    ]


def _candidate(case: Case, drawn: Drawn, lesion: LesionCase | None) -> Candidate:
    sure = 0.0 if drawn.confidence is None else drawn.confidence
    return Candidate(case.source, case.group, case.picture, drawn.features, drawn.dice, sure, drawn.accepted, lesion)


def _renewed(outlines: Sequence[Drawn], scores: tuple[Sequence[float], float] | None) -> dict[int, Drawn]:
    if scores is None:
        return {}
    confidences, threshold = scores
    pairs = zip(outlines, confidences, strict=True)
    return {
        id(drawn): replace(drawn, confidence=float(sure), accepted=bool(sure >= threshold)) for drawn, sure in pairs
    }
