"""How far a case is: what a person's readings, signatures and disagreements say together."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from lesion_measure.calibration import calibrate_at
from lesion_measure.config import Config
from lesion_measure.errors import MeasurementError
from lesion_measure.measure import caliper_length_mm, measure_outline
from lesion_measure.records import NORMAL_975, Instance, Refusal
from lesion_measure.review.cases import Picture, ReadingCase, Visit
from lesion_measure.review.messages import Draft, Kind, Role, State
from lesion_measure.review.store import Kept, Signed

GONE = frozenset((Kind.RESOLVED,))
NOT_SEEN = frozenset((Kind.NOT_FOUND, Kind.NOT_ASSESSABLE))


@dataclass(frozen=True, slots=True)
class Standing:
    """What a case's state rests on.

    ``own`` are this person's readings. ``closed``: nothing is left to do, since this person signed, or decides between
    readers who signed and agree. ``asks`` is what an earlier run left.
    """

    case: ReadingCase
    own: Sequence[Kept] = ()
    closed: bool = False
    disagreements: Sequence[Disagreement] = ()
    asks: Sequence[Refusal] = ()
    lesions: Sequence[str] = field(default=())

    def state(self) -> State:
        """How far the case is."""
        if self.closed:
            return State.SIGNED
        if self.disagreements:
            return State.DISAGREEMENT
        states = [self.of_visit(visit) for visit in self.case.visits]
        for state in (State.NEEDS_REVIEW, State.TO_MEASURE):
            if state in states:
                return State.NEEDS_REVIEW if self.asks and not self.own else state
        return State.MEASURED if State.MEASURED in states else State.REFUSED

    def of_visit(self, visit: Visit) -> State:
        """How far one visit is."""
        if self.closed:
            return State.SIGNED
        if any(kept.visit == visit.name for kept in self.own):
            return State.MEASURED
        if all(picture.calibration.refusal is not None for picture in visit.pictures):
            return State.REFUSED
        asks = any(refusal.visit == visit.name for refusal in self.asks)
        return State.NEEDS_REVIEW if asks else State.TO_MEASURE

    def of_lesion(self, name: str) -> State:
        """How far one lesion is: measured where each visit that can be measured has a reading of it."""
        if self.closed:
            return State.SIGNED
        if any(each.lesion == name for each in self.disagreements):
            return State.DISAGREEMENT
        read = {kept.visit for kept in self.own if kept.draft.lesion == name}
        wanted = {visit.name for visit in self.case.visits if self.of_visit(visit) is not State.REFUSED}
        return State.MEASURED if wanted <= read else State.TO_MEASURE


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Readers who signed differ on a lesion at a visit; ``sizes_mm`` are theirs, as far as it has one."""

    lesion: str
    visit: str
    sizes_mm: tuple[float, ...]

    def words(self, visit: str) -> str:
        """In one sentence; ``visit`` is what the visit is called."""
        sizes = " and ".join(f"{size:.1f} mm" for size in self.sizes_mm)
        return f"{self.lesion}, {visit}: readers differ" + (f" ({sizes})." if sizes else " on whether it is there.")


def readers_of(signed: Iterable[Signed]) -> set[str]:
    """Who signed as a reader."""
    return {each.reader for each in signed if each.role is Role.READER}


def disagreements(
    kept: Iterable[Kept], signed: Iterable[Signed], pictures: dict[str, Picture], config: Config
) -> list[Disagreement]:
    """Where readers who signed a child differ by more than two readings of an unchanged lesion do.

    Parameters
    ----------
    kept
        The child's readings, of all readers.
    signed
        The child's signatures; an adjudicator's is left out, since it decides and disagrees with nobody.
    pictures
        The child's images by SOP Instance UID.
    config
        Settings: ``uncertainty.repeatability.diameter_cv``, ``calibration``.
    """
    readers = readers_of(signed)
    if len(readers) < 2:
        return []
    by_lesion: dict[tuple[str, str], dict[str, list[Kept]]] = defaultdict(lambda: defaultdict(list))
    for each in kept:
        if each.reader in readers:
            by_lesion[each.draft.lesion, each.visit][each.reader].append(each)
    most = math.sqrt(2) * NORMAL_975 * config.uncertainty.repeatability.diameter_cv
    found = []
    for (lesion, visit), readings in by_lesion.items():
        said = [_said([(pictures[k.image_uid].instance, k.draft) for k in readings[r]], config) for r in readers]
        sizes = tuple(sorted(size for _, size in said if size is not None))
        apart = len(sizes) > 1 and sizes[-1] - sizes[0] > most * sum(sizes) / len(sizes)
        if apart or len({kind for kind, _ in said}) > 1:
            found.append(Disagreement(lesion, visit, sizes if apart else ()))
    return found


def _said(drawn: Sequence[tuple[Instance, Draft]], config: Config) -> tuple[str, float | None]:
    """What one reader says of a lesion at a visit: whether it is there, and its longest diameter, mm."""
    sizes = [size for instance, draft in drawn if (size := _size_mm(instance, draft, config)) is not None]
    if any(draft.kind not in GONE | NOT_SEEN for _, draft in drawn):
        return "there", max(sizes, default=None)
    kinds = {draft.kind for _, draft in drawn}
    return ("gone" if kinds & GONE else "not seen" if kinds else "nothing"), None


def _size_mm(instance: Instance, draft: Draft, config: Config) -> float | None:
    points = draft.contour or draft.long
    if points is None:
        return None
    spacing = calibrate_at(instance, points, config.calibration).spacing_mm
    if spacing is None:
        return None
    try:
        if draft.contour is not None:
            return measure_outline(draft.contour, spacing_mm=spacing).long_axis_mm
        return caliper_length_mm(points[0], points[1], spacing)
    except MeasurementError:  # which whoever opens the case is told
        return None
