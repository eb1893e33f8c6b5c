"""What is in an input: studies, the objects that draw on them, and why other files are neither."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import overload

from lesion_measure.records.drawings import DrawnObject
from lesion_measure.records.images import Instance, Study
from lesion_measure.records.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Unread:
    """An ultrasound image without pixels that can be read: why, and whose and of which day its header says it is."""

    refusal: Refusal
    subject: str
    study_date: date | None


@dataclass(frozen=True, slots=True)
class StudyList(Sequence[Study]):
    """What `load_studies` found: a sequence of studies, objects that draw on them, and why other files are neither.

    ``unread`` are those of the refused files that are known to be a subject's images.
    """

    studies: tuple[Study, ...]
    refusals: tuple[Refusal, ...] = ()
    objects: tuple[DrawnObject, ...] = ()
    unread: tuple[Unread, ...] = ()

    @overload
    def __getitem__(self, index: int) -> Study: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Study]: ...
    def __getitem__(self, index: int | slice) -> Study | Sequence[Study]:
        return self.studies[index]

    def __len__(self) -> int:
        return len(self.studies)

    @property
    def instances(self) -> Iterator[Instance]:
        """Every instance of every study."""
        return (instance for study in self.studies for instance in study.instances)

    @property
    def copies(self) -> Iterator[tuple[str, Instance]]:
        """Path of every second copy of a file, with the instance that stands for it."""
        by_uid: dict[str, list[Instance]] = {}
        for instance in self.instances:
            by_uid.setdefault(instance.sop_instance_uid, []).append(instance)
        for refusal in self.refusals:
            same = by_uid.get(refusal.sop_instance_uid or "", [])
            if refusal.code == "duplicate" and refusal.path and len(same) == 1:
                yield refusal.path, same[0]
