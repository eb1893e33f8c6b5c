"""What a run amounts to: counts, verdicts, and every refusal once, with its kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from lesion_measure.config import Config
from lesion_measure.records import NO_SCANS, Enrolled, Metric, Refusal, RunResult, Way
from lesion_measure.report.enrolment import everyone
from lesion_measure.report.rows import ChildRow, child_rows
from lesion_measure.report.ways import REFUSED
from lesion_measure.report.words import METRICS, plural, who_counts
from lesion_measure.results import ListedRefusal, RefusalKind

OF_OBJECTS = frozenset({"no_calipers", "beside_calipers", "drawn_twice", "superseded"})
FILES_LEFT_OUT = OF_OBJECTS | {"not_dicom", "not_ultrasound", "duplicate", "unread_table"}
"""Codes of files and drawings that are listed, but that nobody would expect a number from: each is none, or is there in
another file."""
MOST_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """A whole run in small: the row of each child with scans, what was refused, and who is in the subjects table."""

    rows: tuple[ChildRow, ...]
    refusals: tuple[Refusal, ...]
    enrolled: tuple[Enrolled, ...] | None = None

    @property
    def included(self) -> tuple[ChildRow, ...]:
        """The children with scans that are not excluded."""
        return tuple(row for row in self.rows if not row.excluded)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Counts of a run. A subject can be measured and still need review of something else.

    ``subjects`` are all: with scans, with refusals alone, or in the subjects table alone. ``measured`` are those of
    them that are not ``excluded`` and have a change of the primary size, ``alone`` those that have sizes of one visit
    where the protocol asks for no other. What needs review or was refused of excluded
    subjects is counted apart, in the numbers that begin with ``excluded_``.
    """

    subjects: int
    measured: int
    excluded: int
    alone: int
    review_subjects: int
    review_and_measured: int
    review_items: int
    refused: int
    skipped: int
    excluded_review_subjects: int
    excluded_review_items: int
    excluded_refused: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unscanned:
    """A subject that counts among all and has no measured visit; ``why`` in a few words."""

    subject: str
    excluded: tuple[str, ...]
    why: str


class Reviewed(Protocol):
    """A child, as a row or as a result, with what a person has to look at."""

    @property
    def subject(self) -> str:
        """Its code."""

    @property
    def review(self) -> tuple[Refusal, ...]:
        """What needs review."""


def overview_of(result: RunResult, config: Config) -> Overview:
    """A run in small."""
    return Overview(rows=child_rows(result.subjects, config), refusals=result.refusals, enrolled=result.enrolled)


def list_refusals(children: Iterable[Reviewed], refusals: Iterable[Refusal]) -> tuple[ListedRefusal, ...]:
    """Every refusal of a run exactly once: for review by subject, then refused, then skipped.

    *Skipped* are files that nobody expects a number from; everything else that gave none is *refused*.
    """
    review: dict[Refusal, RefusalKind] = {}
    for child in children:
        for refusal in child.review:
            review[replace(refusal, subject=refusal.subject or child.subject)] = RefusalKind.REVIEW
    others: dict[Refusal, RefusalKind] = {}
    for refusal in refusals:
        if refusal not in review:
            others[refusal] = RefusalKind.SKIPPED if refusal.code in FILES_LEFT_OUT else RefusalKind.REFUSED
    ordered = sorted(others.items(), key=lambda item: (item[1], item[0].path or ""))
    return tuple(ListedRefusal.of(refusal, kind) for refusal, kind in (*review.items(), *ordered))


def refused_of(child: Reviewed, refusals: Iterable[Refusal]) -> tuple[Refusal, ...]:
    """What was refused of one child, in the order of `list_refusals`."""
    listed = list_refusals((child,), (r for r in refusals if r.subject == child.subject))
    return tuple(one for one in listed if one.kind is RefusalKind.REFUSED)


def unscanned(run: Overview) -> tuple[Unscanned, ...]:
    """Subjects without a measured visit: in the subjects table alone, or with nothing but refusals."""
    scanned = {row.subject for row in run.rows}
    table = {row.subject: row for row in run.enrolled or ()}
    refused = {r.subject: r.code for r in reversed(run.refusals)}
    return tuple(
        Unscanned(
            subject=code,
            excluded=table[code].excluded if code in table else (),
            why="no study" if refused.get(code, NO_SCANS) == NO_SCANS else "see what was refused",
        )
        for code in everyone((), refused, table)
        if code not in scanned
    )


def exclusions(run: Overview) -> dict[str, tuple[str, ...]]:
    """Every subject of a run, and why it is excluded; no reason: it is not."""
    scanned = {row.subject: row.excluded for row in run.rows}
    return scanned | {one.subject: one.excluded for one in unscanned(run)}


def count(run: Overview, primary: Metric) -> Counts:
    """The counts of a run, whose primary size is ``primary``."""
    everybody = exclusions(run)
    kinds = Counter((listed.kind, _is_excluded(listed, everybody)) for listed in list_refusals(run.rows, run.refusals))
    waiting = [row for row in run.included if row.review]
    apart = sum(bool(row.review) for row in run.rows) - len(waiting)
    return Counts(
        subjects=len(everybody),
        measured=sum(row.change(primary) is not None for row in run.included),
        excluded=sum(map(bool, everybody.values())),
        alone=sum(row.alone for row in run.included),
        review_subjects=len(waiting),
        review_and_measured=sum(row.change(primary) is not None for row in waiting),
        review_items=kinds[RefusalKind.REVIEW, False],
        refused=kinds[RefusalKind.REFUSED, False],
        skipped=kinds[RefusalKind.SKIPPED, False] + kinds[RefusalKind.SKIPPED, True],
        excluded_review_subjects=apart,
        excluded_review_items=kinds[RefusalKind.REVIEW, True],
        excluded_refused=kinds[RefusalKind.REFUSED, True],
    )


def _is_excluded(listed: ListedRefusal, everybody: Mapping[str, tuple[str, ...]]) -> bool:
    return bool(everybody.get(listed.subject or ""))


def response_counts(run: Overview) -> list[tuple[str, int, int]]:
    """Verdicts on those not excluded as (category, subjects, of these certain), most frequent first."""
    verdicts = [row.response for row in run.included if row.response is not None]
    every = Counter(v.category for v in verdicts)
    certain = Counter(v.category for v in verdicts if v.certain)
    return [(name, number, certain[name]) for name, number in sorted(every.items(), key=lambda i: (-i[1], i[0]))]


def way_counts(run: Overview) -> dict[str, int]:
    """How many lesions of those not excluded, each counted at each visit, were measured which way or refused."""
    words: Counter[str] = Counter()
    for row in run.included:
        words.update(row.ways)
    return {word: words[word] for word in (*(way.value for way in Way), REFUSED) if words[word]}


def readers_named(run: Overview) -> str:
    """The readers whose calipers or statements the results rest on or show, in words; empty where there are none."""
    names = sorted({name for row in run.rows for name in row.readers})
    return f"{len(names)} readers" if len(names) > MOST_NAMED else " and ".join(names)


def summary_lines(run: Overview, primary: Metric) -> list[str]:
    """The run in a few plain lines for the terminal: who counts, needs review, refused, response counts, ways."""
    counts = count(run, primary)
    reasons = Counter(listed.code for listed in list_refusals(run.rows, run.refusals))
    lines = [
        f"Subjects      {who_counts(counts.subjects, counts.measured, counts.excluded, counts.alone)} "
        f"(change of {METRICS[primary].lower()})",
        f"Needs review  {plural(counts.review_items, 'item')} in {plural(counts.review_subjects, 'subject')}"
        + _apart(counts.excluded_review_items, f" in {plural(counts.excluded_review_subjects, 'excluded subject')}"),
        f"Refused       {counts.refused}{_apart(counts.excluded_refused, ' of excluded subjects')}, and "
        f"{_skipped(counts.skipped, reasons)}",
    ]
    if reasons:
        lines.append("Reasons       " + ", ".join(f"{code} {number}" for code, number in sorted(reasons.items())))
    lines.append(f"Response      {_verdicts(run)}")
    lines += [f"Excluded      {who}: {'; '.join(why)}" for who, why in sorted(exclusions(run).items()) if why]
    ways = ", ".join(f"{number} {way}" for way, number in way_counts(run).items())
    return [*lines, f"Lesions       {ways} (each at each visit)"] if ways else lines


def _skipped(number: int, reasons: Mapping[str, int]) -> str:
    """How much was left out that nobody expects a number from."""
    if not set(reasons) & OF_OBJECTS:
        return f"{plural(number, 'file')} skipped (no ultrasound, or a copy)"
    return (
        f"{plural(number, 'file or drawing', 'files or drawings')} skipped (no ultrasound, no caliper, or there twice)"
    )


def _apart(number: int, whose: str) -> str:
    return f", {number} more{whose}" if number else ""


def _verdicts(run: Overview) -> str:
    first = next((row.response for row in run.included if row.response is not None), None)
    if first is None:
        return "none could be stated"
    verdicts = ", ".join(f"{number} {name} ({sure} certain)" for name, number, sure in response_counts(run))
    return f"{verdicts}; rule '{first.rule}' on {METRICS[first.metric].lower()}"
