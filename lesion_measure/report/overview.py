"""What a run amounts to: counts, verdicts, and every refusal once, with its kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from lesion_measure.records import NO_SCANS, Metric, Refusal, RunResult, SubjectResult
from lesion_measure.report.enrolment import everyone
from lesion_measure.report.ways import way_counts
from lesion_measure.report.words import METRICS, plural, who_counts
from lesion_measure.results import ListedRefusal, RefusalKind

OF_OBJECTS = frozenset({"no_calipers", "beside_calipers", "drawn_twice", "superseded"})
FILES_LEFT_OUT = OF_OBJECTS | {"not_dicom", "not_ultrasound", "duplicate"}
"""Codes of files and drawings that are listed, but that nobody would expect a number from: each is none, or is there in
another file."""


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


def list_refusals(result: RunResult) -> tuple[ListedRefusal, ...]:
    """Every refusal of a run exactly once: for review by subject, then refused, then skipped.

    *Skipped* are files that nobody expects a number from; everything else that gave none is *refused*.
    """
    review: dict[Refusal, RefusalKind] = {}
    for subject in result.subjects:
        for refusal in subject.review:
            review[replace(refusal, subject=refusal.subject or subject.subject)] = RefusalKind.REVIEW
    others: dict[Refusal, RefusalKind] = {}
    for refusal in result.refusals:
        if refusal not in review:
            others[refusal] = RefusalKind.SKIPPED if refusal.code in FILES_LEFT_OUT else RefusalKind.REFUSED
    ordered = sorted(others.items(), key=lambda item: (item[1], item[0].path or ""))
    return tuple(ListedRefusal.of(refusal, kind) for refusal, kind in (*review.items(), *ordered))


def is_measured(subject: SubjectResult, primary: Metric) -> bool:
    """True where the whole subject's change of the primary size from baseline to the primary visit has a number."""
    return subject.change(primary) is not None


def is_alone(subject: SubjectResult) -> bool:
    """True where the subject has sizes and nothing to compare them with, and the protocol asks for no more."""
    return subject.primary_visit is None and bool(subject.lesions) and not subject.changes


def unscanned(result: RunResult) -> tuple[Unscanned, ...]:
    """Subjects without a measured visit: in the subjects table alone, or with nothing but refusals."""
    scanned = {subject.subject for subject in result.subjects}
    table = {row.subject: row for row in result.enrolled or ()}
    refused = {r.subject: r.code for r in reversed(result.refusals)}
    return tuple(
        Unscanned(
            subject=code,
            excluded=table[code].excluded if code in table else (),
            why="no study" if refused.get(code, NO_SCANS) == NO_SCANS else "see what was refused",
        )
        for code in everyone((), refused, table)
        if code not in scanned
    )


def exclusions(result: RunResult) -> dict[str, tuple[str, ...]]:
    """Every subject of a run, and why it is excluded; no reason: it is not."""
    scanned = {subject.subject: subject.excluded for subject in result.subjects}
    return scanned | {one.subject: one.excluded for one in unscanned(result)}


def included(result: RunResult) -> tuple[SubjectResult, ...]:
    """The subjects with scans that are not excluded."""
    return tuple(subject for subject in result.subjects if not subject.excluded)


def count(result: RunResult, primary: Metric) -> Counts:
    """The counts of a run, whose primary size is ``primary``."""
    everybody = exclusions(result)
    kinds = Counter((listed.kind, _is_excluded(listed, everybody)) for listed in list_refusals(result))
    return Counts(
        subjects=len(everybody),
        measured=sum(is_measured(s, primary) for s in included(result)),
        excluded=sum(map(bool, everybody.values())),
        alone=sum(is_alone(s) for s in included(result)),
        review_subjects=sum(bool(s.review) for s in included(result)),
        review_and_measured=sum(bool(s.review) and is_measured(s, primary) for s in included(result)),
        review_items=kinds[RefusalKind.REVIEW, False],
        refused=kinds[RefusalKind.REFUSED, False],
        skipped=kinds[RefusalKind.SKIPPED, False] + kinds[RefusalKind.SKIPPED, True],
        excluded_review_subjects=sum(bool(s.review) and bool(s.excluded) for s in result.subjects),
        excluded_review_items=kinds[RefusalKind.REVIEW, True],
        excluded_refused=kinds[RefusalKind.REFUSED, True],
    )


def _is_excluded(listed: ListedRefusal, everybody: Mapping[str, tuple[str, ...]]) -> bool:
    return bool(everybody.get(listed.subject or ""))


def response_counts(result: RunResult) -> list[tuple[str, int, int]]:
    """Verdicts on those not excluded as (category, subjects, of these certain), most frequent first."""
    verdicts = [s.response for s in included(result) if s.response is not None]
    every = Counter(v.category for v in verdicts)
    certain = Counter(v.category for v in verdicts if v.certain)
    return [(name, number, certain[name]) for name, number in sorted(every.items(), key=lambda i: (-i[1], i[0]))]


def summary_lines(result: RunResult, primary: Metric) -> list[str]:
    """The run in a few plain lines for the terminal: who counts, needs review, refused, response counts, ways."""
    counts = count(result, primary)
    reasons = Counter(listed.code for listed in list_refusals(result))
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
    lines.append(f"Response      {_verdicts(result)}")
    lines += [f"Excluded      {who}: {'; '.join(why)}" for who, why in sorted(exclusions(result).items()) if why]
    ways = ", ".join(f"{number} {way}" for way, number in way_counts(included(result)).items())
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


def _verdicts(result: RunResult) -> str:
    first = next((s.response for s in included(result) if s.response is not None), None)
    if first is None:
        return "none could be stated"
    verdicts = ", ".join(f"{number} {name} ({sure} certain)" for name, number, sure in response_counts(result))
    return f"{verdicts}; rule '{first.rule}' on {METRICS[first.metric].lower()}"
