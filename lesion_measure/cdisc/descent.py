"""Lesions that split or merged, named as SDTMIG 3.4 shows it (TU, assumption 2 and example 2).

The parts of T04 are T04.1 and T04.2, of test TUSPLIT; what T04 and T05 became together is T04/T05, of test TUMERGE. The
parents are identified at baseline and followed no longer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lesion_measure.records import Fate, LesionStatus, SubjectResult


@dataclass(frozen=True, slots=True)
class Descent:
    """Whence a lesion comes: ``link`` is its identifier in TU and TR, ``parents`` are lesions of baseline.

    ``confidence`` (0..1) is that of the automatic pairing that says so.
    """

    test: str
    link: str
    parents: tuple[str, ...]
    visit: str
    confidence: float | None

    @property
    def group(self) -> str:
        """TUGRPID: the parents."""
        return "/".join(self.parents)


def descents(record: SubjectResult) -> dict[str, Descent]:
    """The lesions that others split or merged into, by their names in the results."""
    taken = {lesion.lesion for lesion in record.lesions} | {status.lesion for status in record.statuses}
    found: dict[str, Descent] = {}
    for status in record.statuses:
        if status.fate not in (Fate.SPLIT, Fate.MERGED):
            continue
        parents, parts = _family(status, record.statuses)
        for name in parts:
            if name not in found:
                split = status.fate is Fate.SPLIT
                link = _free(_names(parents, split=split), taken)
                taken.add(link)
                found[name] = Descent(
                    test="TUSPLIT" if split else "TUMERGE", link=link, parents=parents, visit=status.visit,
                    confidence=status.naming.confidence,
                )  # fmt: skip
    return found


def _family(status: LesionStatus, statuses: Iterable[LesionStatus]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The lesions before (each has a fate of its own) and after."""
    fates = {other.lesion for other in statuses if other.fate is status.fate and other.visit == status.visit}
    before = sorted({status.lesion, *(name for name in status.others if name in fates)})
    return tuple(before), tuple(name for name in status.others if name not in fates)


def _names(parents: tuple[str, ...], *, split: bool) -> Iterable[str]:
    """Identifiers in the order in which they are tried; a reader may have given one of them to another lesion."""
    whole = "/".join(parents)
    if not split:
        yield whole
    number = 0
    while True:
        number += 1
        yield f"{whole}.{number}"


def _free(names: Iterable[str], taken: set[str]) -> str:
    return next(name for name in names if name not in taken)
