"""One child in a few values: what a table of all children says, and what the run's counts and plots are made of.

A row is made from the child's result alone. So it is made right after the child, anywhere, and all rows of a large
trial fit into memory, which all results would not.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from lesion_measure.config import Config
from lesion_measure.records import (
    BASELINE,
    Change,
    Criterion,
    Form,
    Metric,
    Refusal,
    Response,
    SecondaryVerdict,
    Source,
    SubjectResult,
)
from lesion_measure.records.record import Count, Name, Record
from lesion_measure.report.visits import labels_of
from lesion_measure.report.ways import way_rows, ways_in_short
from lesion_measure.results import EACH_DAY

_PLAIN = re.compile(r"[A-Z0-9][A-Z0-9-]{0,39}")
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9-]+")
_DEVICES = re.compile(r"CON|PRN|AUX|NUL|(COM|LPT)[0-9]")
_LONGEST = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildRow(Record):
    """One child as the tables, counts and plots of all children need it."""

    subject: Name
    """Subject code."""
    page: Name
    """Name of its page and of the folder of its pictures, without what stands behind the point."""
    status: str
    """What there is of it, in a few words."""
    lesions: Count
    """Number of its lesions."""
    liver: bool
    """Whether the liver itself was measured."""
    days: int | None
    """Days from baseline to the visit whose change is the answer."""
    measured_by: str
    """Ways and names behind its numbers."""
    alone: bool
    """Whether it has sizes of one visit, and the protocol asks for no other."""
    changes: tuple[Change, ...]
    """Its own changes to that visit: of the primary size, and of the size that the rule looks at."""
    response: Response | None
    """The verdict."""
    excluded: tuple[str, ...]
    """Why it is not analysed; empty where it is."""
    review: tuple[Refusal, ...]
    """What a person has to look at."""
    secondary: tuple[SecondaryVerdict, ...]
    """What other rules would have said."""
    entry: tuple[Criterion, ...]
    """The protocol's entry criteria."""
    form: Form | None
    """Form of the disease; null: not known."""
    ways: dict[str, Count]
    """How many of its lesions, each at each visit, were measured which way or refused."""
    warnings: tuple[str, ...]
    """Warnings in plain words."""
    readers: tuple[str, ...]
    """Who drew or stated what its numbers rest on or are compared with."""

    def change(self, metric: Metric) -> Change | None:
        """Its change of a size, where it has one."""
        return next((change for change in self.changes if change.metric is metric), None)


def child_row(subject: SubjectResult, config: Config) -> ChildRow:
    """The row of a child."""
    comparison = config.comparison
    schedule = config.protocol.timetable() or EACH_DAY
    metrics = dict.fromkeys((comparison.primary_metric, comparison.applied_rule.metric))
    when = subject.visits.get(subject.primary_visit or "")
    words = Counter(cell.word for row in way_rows(subject, schedule.names) for cell in row.cells)
    return ChildRow(
        subject=subject.subject,
        page=page_name(subject.subject),
        status=_status(subject, config),
        lesions=len({m.lesion for m in subject.lesions}),
        liver=bool(subject.disease and subject.disease.liver),
        warnings=subject.warnings,
        days=when.day if when else None,
        measured_by=ways_in_short(subject),
        alone=subject.primary_visit is None and bool(subject.lesions) and not subject.changes,
        changes=tuple(change for metric in metrics if (change := subject.change(metric)) is not None),
        response=subject.response,
        excluded=subject.excluded,
        review=tuple(replace(r, sight=None, subject=r.subject or subject.subject) for r in subject.review),
        secondary=subject.secondary,
        entry=subject.entry,
        form=subject.disease.form if subject.disease else None,
        ways=dict(words),
        readers=tuple(_readers(subject)),
    )


def child_rows(subjects: Iterable[SubjectResult], config: Config) -> tuple[ChildRow, ...]:
    """The rows of children, in their order."""
    return tuple(child_row(subject, config) for subject in subjects)


def page_name(subject: str) -> str:
    """What the files of a child's page are called: safe on every system, and never those of another child.

    A code of capitals, digits and hyphens is taken as it is. Any other gets a part of its SHA-256: two that differ in
    letters which file names leave out, or in capitals alone, stay apart. The name depends on nothing but the code.

    >>> page_name("SIM-01"), page_name("../etc/Müller"), page_name("CON")
    ('SIM-01', 'etc-M-ller.82cb6e4e2ea5', 'CON.d4aa3b1f83f2')
    """
    if _PLAIN.fullmatch(subject) and not _DEVICES.fullmatch(subject):
        return subject
    mark = hashlib.sha256(subject.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{_NOT_PLAIN.sub('-', subject).strip('-')[:_LONGEST] or 'x'}.{mark}"


def _status(subject: SubjectResult, config: Config) -> str:
    """In a few words; where the primary size has no change, what else there is."""
    if subject.change(config.comparison.primary_metric) is not None:
        return "measured, needs review" if subject.review else "measured"
    expected = [visit for visit in (BASELINE, subject.primary_visit) if visit is not None]
    labels = labels_of(subject, expected, config.protocol.timetable() or EACH_DAY)
    missing = [f"no {labels[visit].lower()} study" for visit in expected if visit not in subject.visits]
    why = ["needs review"] if subject.review else []
    return "; ".join(["no comparison" if subject.lesions else "not measured", *missing, *why])


def _readers(subject: SubjectResult) -> list[str]:
    by_reader = (Source.CALIPER, Source.READER_STATEMENT)
    shown = [m for m in subject.lesions if m.source in by_reader]
    beside = [other for m in subject.lesions for other in m.alternatives if other.source in by_reader]
    return sorted({m.reader for m in shown} | {other.reader for other in beside})
