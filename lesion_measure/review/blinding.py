"""How cases, visits and images are called and ordered: openly, or so that nothing tells whose they are or when."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Protocol

from lesion_measure.job.given import Given
from lesion_measure.records import Instance, SubjectVisits, in_words

_LETTERS = 26
_LEAST_LETTERS = 3
"""Shorter words are found in any sentence, and identify nobody."""
_KEPT_NOTES = 4096


class Naming(Protocol):
    """What a reader is told of whose an image is; numbers count from 1."""

    space: str
    """Ids of one space say nothing about those of another."""

    def cases(self, children: Sequence[SubjectVisits]) -> list[SubjectVisits]:
        """The children in reading order."""

    def visits(self, child: SubjectVisits) -> list[str]:
        """Names of a child's visits in reading order."""

    def case(self, child: SubjectVisits, number: int) -> str:
        """What a case is called."""

    def visit(self, child: SubjectVisits, visit: str, number: int) -> str:
        """What a visit is called."""

    def when(self, child: SubjectVisits, visit: str) -> tuple[datetime.date | None, int | None]:
        """Date and day from baseline; None where they are not known or not told."""

    def image(self, instance: Instance, number: int) -> str:
        """What an image is called."""

    def notes(self, notes: Iterable[str]) -> tuple[str, ...]:
        """What is said beside an image or a case, as far as it may be said."""


class Open:
    """Everything is told that is known."""

    space = "open"

    def cases(self, children: Sequence[SubjectVisits]) -> list[SubjectVisits]:
        """The children as the run has them."""
        return list(children)

    def visits(self, child: SubjectVisits) -> list[str]:
        """The visits in order of time."""
        return list(child.visits)

    def case(self, child: SubjectVisits, number: int) -> str:
        """The subject code."""
        return child.subject

    def visit(self, child: SubjectVisits, visit: str, number: int) -> str:
        """The schedule's words for the visit."""
        return child.schedule.label(visit)

    def when(self, child: SubjectVisits, visit: str) -> tuple[datetime.date | None, int | None]:
        """Date and day as the scans tell them."""
        return child.date(visit), child.day(visit)

    def image(self, instance: Instance, number: int) -> str:
        """The name of its file."""
        return PurePosixPath(instance.path).name

    def notes(self, notes: Iterable[str]) -> tuple[str, ...]:
        """All of them."""
        return tuple(notes)


class Blinded:
    """Nothing tells whose a case is or when a visit was: cases and visits come in an order that the seed gives.

    The same seed gives the same order on every machine.

    Parameters
    ----------
    seed
        Of the order.
    words
        What identifies somebody or a visit (`identities`): no note that holds one of them is told.
    """

    def __init__(self, seed: int, words: Iterable[str]) -> None:
        self._seed = seed
        self._words = tuple({word.casefold() for word in words if len(word) >= _LEAST_LETTERS})
        self._may_be_told = lru_cache(_KEPT_NOTES)(self._is_clean)
        self.space = f"blinded {seed}"

    def cases(self, children: Sequence[SubjectVisits]) -> list[SubjectVisits]:
        """The children shuffled."""
        return sorted(children, key=lambda child: self._place(child.subject))

    def visits(self, child: SubjectVisits) -> list[str]:
        """The visits shuffled, for each child anew."""
        return sorted(child.visits, key=lambda visit: self._place(child.subject, visit))

    def case(self, child: SubjectVisits, number: int) -> str:
        """``Case 7``."""
        return f"Case {number}"

    def visit(self, child: SubjectVisits, visit: str, number: int) -> str:
        """``Scan A``; behind Z a number."""
        return f"Scan {chr(ord('A') + number - 1)}" if number <= _LETTERS else f"Scan {number}"

    def when(self, child: SubjectVisits, visit: str) -> tuple[datetime.date | None, int | None]:
        """Nothing."""
        return None, None

    def image(self, instance: Instance, number: int) -> str:
        """``Image 2``."""
        return f"Image {number}"

    def notes(self, notes: Iterable[str]) -> tuple[str, ...]:
        """Those that identify nobody and no visit."""
        return tuple(note for note in notes if self._may_be_told(note))

    def _is_clean(self, note: str) -> bool:
        folded = note.casefold()
        return not any(word in folded for word in self._words)

    def _place(self, *identity: str) -> bytes:
        return hashlib.sha256("\0".join((str(self._seed), *identity)).encode()).digest()


def identities(given: Given) -> Iterator[str]:
    """Every word by which a child, a file, a visit or a reader of the input is known."""
    for child in given.children:
        yield child.subject
        for name, studies in child.visits.items():
            yield from (name, in_words(name), child.schedule.label(name))
            for study in studies:
                for instance in study.instances:
                    yield from _identities_of(instance)
    yield from (row.reader for rows in given.calipers.values() for row in rows)
    yield from (label.lesion for label in given.labels.values())
    yield from given.words


def _identities_of(instance: Instance) -> Iterator[str]:
    yield from (instance.patient, instance.subject, instance.time_point or "")
    yield from (instance.sop_instance_uid, instance.study_instance_uid, instance.series_instance_uid)
    yield from PurePosixPath(instance.path).parts
    if instance.study_date is not None:
        yield from (instance.study_date.isoformat(), instance.study_date.strftime("%Y%m%d"))
