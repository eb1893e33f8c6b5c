"""Run a network on pictures with known lesions, by itself and from jittered calipers, and compare what it draws."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from lesion_measure.config import Segment
from lesion_measure.errors import MeasurementError
from lesion_measure.lab.datasets import LesionAxes, Picture, choose_calipers, picture_digest
from lesion_measure.lab.datasets.axes import moment_axes, rectangle_axes
from lesion_measure.lab.evaluation.cases import (
    ELLIPSE_OF,
    NETWORK_PROMPTED,
    Case,
    Drawn,
    LesionCase,
    Method,
    Placing,
    Sizes,
)
from lesion_measure.lab.evaluation.kept import kept
from lesion_measure.lab.evaluation.moves import SPREAD
from lesion_measure.lab.evaluation.outlines import (
    border_distances,
    drawn_as,
    measured_px,
    most_overlapped,
    outline_px,
    overlap_dice,
    sizes_of,
)
from lesion_measure.lab.evaluation.overlap import (
    Placed,
    contrast,
    ellipse_mask,
    fits,
    judged,
    placed,
    undecided,
    union,
)
from lesion_measure.network import CaliperLine, SegmentedLesion, Segmenter
from lesion_measure.network.confidence import dice
from lesion_measure.network.ellipse import suggested_ellipse
from lesion_measure.network.parts import caliper_length


class Placement(StrEnum):
    """Which line a reader would take for a lesion's long axis."""

    LONGEST = "longest"
    RECTANGLE = "rectangle"
    MOMENTS = "moments"


_PLACED: Mapping[Placement, Callable[[NDArray[np.bool_]], LesionAxes | None]] = {
    Placement.RECTANGLE: rectangle_axes,
    Placement.MOMENTS: moment_axes,
}


@dataclass(frozen=True, slots=True)
class CaliperMoves:
    """How calipers come to lie: the ``placement``, and how far their ends are moved from there (`run_cases`)."""

    spread: float = SPREAD
    other_spreads: tuple[float, ...] = ()
    placement: Placement = Placement.LONGEST
    seed: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class PictureTask:
    """What is to be done on one picture.

    ``times`` is how often each lesion's calipers are placed, ``trained_on`` as in `Case`; ``automatic`` says whether
    it is run without a prompt, too.
    """

    item: Picture
    digest: str
    times: int
    trained_on: bool | None
    automatic: bool = True


Progress = Callable[[int, int], None]
"""``progress(done, total)`` is told after each picture."""


def _silent(done: int, total: int) -> None:
    """Progress that nobody asked for."""


def run_cases(
    segmenter: Segmenter,
    pictures: Sequence[Picture],
    *,
    spread: float = SPREAD,
    other_spreads: Sequence[float] = (),
    placement: Placement = Placement.LONGEST,
    placings: Mapping[str, int] | None = None,
    automatic: bool = True,
    seed: int = 1,
    trained_on: Collection[str] | None = None,
    progress: Progress = _silent,
) -> list[Case]:
    """Run every picture without a prompt, and every lesion from its long axis and from both axes.

    Parameters
    ----------
    segmenter
        The network.
    pictures
        Of one or several sets.
    spread
        How far the calipers' ends are moved (`datasets.jitter`), for everything that is reported.
    other_spreads
        Further spreads at which only the Dice is taken, to show what moving them costs.
    placement
        What the calipers span before they are moved: the longest diameter and the longest chord perpendicular to it,
        the middle lines of the smallest rectangle around the lesion, or the axes of the ellipse of its moments.
    placings
        How often each lesion's calipers are placed, by set (`placings_by_set`); once in a set that it does not name,
        and wherever calipers are not moved, a ``spread`` of 0.
    automatic
        Whether pictures are also run without a prompt; a case has no automatic outlines otherwise.
    seed
        Of the moves. They depend on it, the picture's pixels, the lesion and the placing's number alone: the same for
        every network and selection, and the first placing the same however many follow.
    trained_on
        Digests of the pictures that the network was trained on (`read_training_pictures`); None where not known.
    progress
        Told after each picture.
    """
    moves = CaliperMoves(spread, tuple(other_spreads), placement, seed)
    cases = []
    for number, task in enumerate(picture_tasks(pictures, moves, placings, trained_on, automatic=automatic), start=1):
        cases.append(picture_case(segmenter, task, moves))
        progress(number, len(pictures))
    return cases


def picture_tasks(
    pictures: Sequence[Picture],
    moves: CaliperMoves,
    placings: Mapping[str, int] | None,
    trained_on: Collection[str] | None,
    *,
    automatic: bool = True,
) -> list[PictureTask]:
    """What is to be done on each picture, in their order.

    Parameters
    ----------
    pictures, placings, trained_on, automatic
        As those of `run_cases`.
    moves
        How calipers come to lie.
    """
    digests = [picture_digest(item) for item in pictures]
    seen = _trained_groups(pictures, digests, trained_on)
    return [
        PictureTask(
            item=item,
            digest=digest,
            times=(placings or {}).get(item.source, 1) if moves.spread > 0 else 1,
            trained_on=None if trained_on is None else item.group in seen,
            automatic=automatic,
        )
        for item, digest in zip(pictures, digests, strict=True)
    ]


def picture_case(segmenter: Segmenter, task: PictureTask, moves: CaliperMoves) -> Case:
    """One picture before the network."""
    return _PictureRun(segmenter, task, moves).case()


def _trained_groups(
    pictures: Sequence[Picture], digests: Sequence[str], trained_on: Collection[str] | None
) -> set[str]:
    """Groups with a picture that was trained on: the others show the same lesion or patient."""
    known = frozenset(trained_on or ())
    return {item.group for item, digest in zip(pictures, digests, strict=True) if digest in known}


@dataclass(frozen=True, slots=True)
class _PictureRun:
    """One picture before the network."""

    segmenter: Segmenter
    task: PictureTask
    moves: CaliperMoves

    @property
    def item(self) -> Picture:
        return self.task.item

    def case(self) -> Case:
        truths = placed(self.item.labels)
        case = Case(
            picture=self.item.name,
            source=self.item.source,
            group=self.item.group,
            digest=self.task.digest,
            trained_on=self.task.trained_on,
            lesions=tuple(
                self._lesion(label, axes, truths[label]) for label, axes in enumerate(self.item.axes, start=1)
            ),
            automatic=(),
            automatic_dice=None,
            kind=self.item.kind,
        )
        return self._automatic(case, truths) if self.task.automatic else case

    def _automatic(self, case: Case, truths: Mapping[int, Placed]) -> Case:
        """The case with what the network draws without a prompt."""
        found = self.segmenter.segment(self.item.image)
        lesions = kept(found.lesions, self.item)
        masks = tuple(self._judged(lesion) for lesion in lesions)
        labels = [most_overlapped(self.item.labels, mask) for mask in masks]
        return replace(
            case,
            automatic=tuple(
                self._drawn(lesion, truths, label, None) for lesion, label in zip(lesions, labels, strict=True)
            ),
            automatic_dice=dice(union(masks, self.item.labels.shape), self.item.labels > 0) if truths else None,
            automatic_masks=masks,
            undecided=undecided(found.probability),
        )

    def _judged(self, lesion: SegmentedLesion) -> Placed:
        return judged(Placed(lesion.mask, lesion.origin), self.item)

    def _lesion(self, label: int, longest: LesionAxes, truth: Placed) -> LesionCase:
        measured = measured_px(truth.mask, truth.origin, None)
        place = _PLACED.get(self.moves.placement)
        other = place and place(self.item.labels == label)
        shape = self.item.image.shape
        # Even the longest diameter's chord ends outside, by rounding, where the picture cuts the lesion off.
        axes = (other and other.within(shape)) or longest.within(shape) or longest
        # Where the ends are not moved every placing is the same.
        still = self._dice_at(label, 0, axes, truth, 0.0) if 0.0 in self.moves.other_spreads else {}
        return LesionCase(
            label=label,
            sizes=sizes_of(measured),
            relative_size=caliper_length(longest.long) / max(self.item.image.shape),
            contrast=contrast(self.item, label),
            outline_px=outline_px(measured),
            placings=tuple(self._placing(label, number, axes, truth, still) for number in range(self.task.times)),
        )

    def _placing(
        self, label: int, number: int, axes: LesionAxes, truth: Placed, still: Mapping[Method, float]
    ) -> Placing:
        """``still``: the Dice of unmoved calipers, where that is asked for."""
        drawn: dict[Method, Drawn] = {}
        for method in _methods(axes):
            lines = self._calipers(label, number, axes, method, self.moves.spread)
            drawn[method] = self._prompted(label, truth, lines)
            drawn[ELLIPSE_OF[method]] = self._ellipse(label, truth, lines)
        main = {method: one.dice for method, one in drawn.items()}
        at: dict[float, Mapping[Method, float]] = {self.moves.spread: main}
        for other in self.moves.other_spreads:
            at[other] = still if other == 0 else self._dice_at(label, number, axes, truth, other)
        return Placing(
            calipers=tuple(self._calipers(label, number, axes, Method.BOTH_AXES, self.moves.spread)),
            drawn=drawn,
            dice_at={method: {spread: dices[method] for spread, dices in at.items()} for method in drawn},
        )

    def _dice_at(self, label: int, number: int, axes: LesionAxes, truth: Placed, spread: float) -> dict[Method, float]:
        """Dice by method from calipers that are moved so far."""
        found = {}
        for method in _methods(axes):
            lines = self._calipers(label, number, axes, method, spread)
            found[method] = self._prompted_dice(truth, lines)
            oval = judged(ellipse_mask(suggested_ellipse(lines), self.item.labels.shape), self.item)
            found[ELLIPSE_OF[method]] = overlap_dice(truth, oval)
        return found

    def _calipers(self, label: int, number: int, axes: LesionAxes, method: Method, spread: float) -> list[CaliperLine]:
        """The same directions of the moves for every spread, and the same long axis with the short one and without."""
        # The first placing has no number in its seed: it is what a single placing has always been.
        seed = (self.moves.seed, 13, int(self.task.digest[:16], 16), label, *([number] if number else []))
        both = method is Method.BOTH_AXES
        return choose_calipers(axes, both, spread, np.random.default_rng(seed), self.item.image.shape)

    def _prompted(self, label: int, truth: Placed, lines: Sequence[CaliperLine]) -> Drawn:
        lesions = self._asked(lines)
        # A run's short axis is perpendicular to the reader's long axis, so it is here.
        return self._drawn(lesions[0], {label: truth}, label, lines[0]) if lesions else Drawn(label, 0.0)

    def _asked(self, lines: Sequence[CaliperLine]) -> Sequence[SegmentedLesion]:
        """What the network draws by calipers: nothing, as a run, where it takes their place for one without picture."""
        try:
            return self.segmenter.segment(self.item.image, lines).lesions
        except MeasurementError as error:
            if error.code != "not_insonated":
                raise
            return ()

    def _prompted_dice(self, truth: Placed, lines: Sequence[CaliperLine]) -> float:
        lesions = self._asked(lines)
        return overlap_dice(truth, self._judged(lesions[0])) if lesions else 0.0

    def _drawn(
        self, lesion: SegmentedLesion, truths: Mapping[int, Placed], label: int | None, across: CaliperLine | None
    ) -> Drawn:
        measured = measured_px(lesion.probability, lesion.origin, across)
        fitting = (
            measured is not None
            and across is not None
            and fits(measured, across, self.item.image.shape, Segment().caliper_tolerance)
        )
        return replace(
            drawn_as(self._judged(lesion), measured, truths, label),
            confidence=lesion.confidence,
            accepted=lesion.accepted,
            fits=fitting,
            features=lesion.features,
        )

    def _ellipse(self, label: int, truth: Placed, lines: Sequence[CaliperLine]) -> Drawn:
        oval = suggested_ellipse(lines)
        mask = judged(ellipse_mask(oval, self.item.labels.shape), self.item)
        mean, p95 = border_distances(truth, mask)
        # As with an outline: the long axis is the longer one, whichever caliper gave it.
        long, short = max(oval.long_px, oval.short_px), min(oval.long_px, oval.short_px)
        return Drawn(
            lesion=label,
            dice=overlap_dice(truth, mask),
            surface_mean_px=mean,
            surface_p95_px=p95,
            sizes=Sizes(long, short, oval.area_px),
            outline_px=oval.outline(),
        )


def _methods(axes: LesionAxes) -> list[Method]:
    """How the network is asked for a lesion: without a short axis not from both."""
    return [method for method in NETWORK_PROMPTED if method is not Method.BOTH_AXES or axes.short is not None]
