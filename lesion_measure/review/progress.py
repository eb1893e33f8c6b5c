"""How far a case is: what a person's readings, signatures and disagreements say together."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from lesion_measure.records import NORMAL_975, Refusal
from lesion_measure.review.cases import ReadingCase, Visit
from lesion_measure.review.messages import Kind, Role, State
from lesion_measure.review.sizes import Sizes
from lesion_measure.review.sizes_file import Said
from lesion_measure.review.store import Mark, Signed

DRAWN = frozenset((Kind.CALIPER, Kind.OUTLINE))


@dataclass(frozen=True, slots=True)
class Standing:
    """What a case's state rests on.

    ``own`` are this person's readings. ``closed``: nothing is left to do, since this person signed, or decides between
    readers who signed and agree. ``asks`` is what an earlier run left.
    """

    case: ReadingCase
    own: Sequence[Mark] = ()
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
        if any(mark.visit == visit.name for mark in self.own):
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
        read = {mark.visit for mark in self.own if mark.lesion == name}
        wanted = {visit.name for visit in self.case.visits if self.of_visit(visit) is not State.REFUSED}
        if not wanted | read:
            return State.REFUSED
        return State.MEASURED if wanted <= read else State.TO_MEASURE


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Readers who signed differ on a lesion at a visit; ``sizes_mm`` are theirs, as far as it has one."""

    lesion: str
    visit: str
    sizes_mm: tuple[float, ...]


def readers_of(signed: Iterable[Signed]) -> set[str]:
    """Who signed as a reader."""
    return {each.reader for each in signed if each.role is Role.READER}


def disagreements(marks: Iterable[Mark], signed: Iterable[Signed], sizes: Sizes, cv: float) -> list[Disagreement]:
    """Where readers who signed a child differ by more than two readings of an unchanged lesion do.

    Parameters
    ----------
    marks
        The child's readings, of all readers.
    signed
        The child's signatures; an adjudicator's is left out, since it decides and disagrees with nobody.
    sizes
        What readings say.
    cv
        Coefficient of variation of one diameter.
    """
    readers = readers_of(signed)
    if len(readers) < 2:
        return []
    by_lesion: dict[tuple[str, str], dict[str, list[Said]]] = defaultdict(lambda: defaultdict(list))
    for mark in marks:
        if mark.reader in readers and (said := sizes.of(mark)) is not None:
            by_lesion[mark.lesion, mark.visit][mark.reader].append(said)
    most = math.sqrt(2) * NORMAL_975 * cv
    found = []
    for (lesion, visit), by_reader in by_lesion.items():
        verdicts = [_together(by_reader[reader]) for reader in readers]
        found_mm = tuple(sorted(size for _, size in verdicts if size is not None))
        apart = len(found_mm) > 1 and found_mm[-1] - found_mm[0] > most * sum(found_mm) / len(found_mm)
        if apart or len({word for word, _ in verdicts}) > 1:
            found.append(Disagreement(lesion, visit, found_mm if apart else ()))
    return found


def _together(said: Sequence[Said]) -> tuple[str, float | None]:
    """What one reader's readings of a lesion at a visit say: whether it is there, and its longest diameter, mm."""
    kinds = {kind for kind, _ in said}
    if kinds & DRAWN:
        return "there", max((size for _, size in said if size is not None), default=None)
    return ("gone" if Kind.RESOLVED in kinds else "not seen" if kinds else "nothing"), None
