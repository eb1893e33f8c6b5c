"""What a run amounts to: counts, verdicts, and every refusal once, with its kind."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from enum import StrEnum

from lesion_measure.records import Change, Metric, Refusal, RunResult, SubjectResult, Visit
from lesion_measure.report.ways import way_counts
from lesion_measure.report.words import METRICS, plural

FILES_LEFT_OUT = frozenset({"not_dicom", "not_ultrasound", "duplicate"})
"""Codes of files that are listed, but are no ultrasound image that someone would expect a number from."""


class Kind(StrEnum):
    """What a refusal means for the person who reads it."""

    REVIEW = "needs review"
    REFUSED = "refused"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Listed:
    """A refusal and its kind, as listed in the report and in refusals.csv."""

    kind: Kind
    refusal: Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Counts of a run. A subject can be measured and still need review of something else."""

    subjects: int
    measured: int
    review_subjects: int
    review_and_measured: int
    review_items: int
    refused: int
    skipped: int


def list_refusals(result: RunResult) -> tuple[Listed, ...]:
    """Every refusal of a run exactly once: for review by subject, then refused, then skipped.

    *Skipped* are files that nobody expects a number from; everything else that gave none is *refused*.
    """
    review: dict[Refusal, Kind] = {}
    for subject in result.subjects:
        for refusal in subject.review:
            review[replace(refusal, subject=refusal.subject or subject.subject)] = Kind.REVIEW
    others: dict[Refusal, Kind] = {}
    for refusal in result.refusals:
        if refusal not in review:
            others[refusal] = Kind.SKIPPED if refusal.code in FILES_LEFT_OUT else Kind.REFUSED
    ordered = sorted(others.items(), key=lambda item: (item[1], item[0].path or ""))
    return tuple(Listed(kind, refusal) for refusal, kind in (*review.items(), *ordered))


def subject_change(subject: SubjectResult, metric: Metric) -> Change | None:
    """The subject's own change of one size from baseline to 1 month, where it exists."""
    found = (c for c in subject.changes if c.lesion is None and c.metric is metric and c.visit is Visit.ONE_MONTH)
    return next(found, None)


def is_measured(subject: SubjectResult) -> bool:
    """True where at least one change of the whole subject from baseline to 1 month has a number."""
    return any(subject_change(subject, metric) is not None for metric in Metric)


def count(result: RunResult) -> Counts:
    """The counts of a run."""
    kinds = Counter(listed.kind for listed in list_refusals(result))
    return Counts(
        subjects=len(result.subjects),
        measured=sum(map(is_measured, result.subjects)),
        review_subjects=sum(bool(s.review) for s in result.subjects),
        review_and_measured=sum(bool(s.review) and is_measured(s) for s in result.subjects),
        review_items=kinds[Kind.REVIEW],
        refused=kinds[Kind.REFUSED],
        skipped=kinds[Kind.SKIPPED],
    )


def response_counts(result: RunResult) -> list[tuple[str, int, int]]:
    """Verdicts as (category, subjects, of these certain), most frequent first."""
    verdicts = [s.response for s in result.subjects if s.response is not None]
    every = Counter(v.category for v in verdicts)
    certain = Counter(v.category for v in verdicts if v.certain)
    return [(name, number, certain[name]) for name, number in sorted(every.items(), key=lambda i: (-i[1], i[0]))]


def summary_lines(result: RunResult) -> list[str]:
    """The run in a few plain lines for the terminal: measured, needs review, refused, response counts, ways."""
    counts = count(result)
    lines = [
        f"Measured      {counts.measured} of {plural(counts.subjects, 'subject')} (change from baseline to 1 month)",
        f"Needs review  {plural(counts.review_items, 'item')} in {plural(counts.review_subjects, 'subject')}",
        f"Refused       {counts.refused}, and {plural(counts.skipped, 'file')} skipped (no ultrasound, or a copy)",
    ]
    reasons = Counter(listed.refusal.code for listed in list_refusals(result))
    if reasons:
        lines.append("Reasons       " + ", ".join(f"{code} {number}" for code, number in sorted(reasons.items())))
    lines.append(f"Response      {_verdicts(result)}")
    ways = ", ".join(f"{number} {way}" for way, number in way_counts(result).items())
    return [*lines, f"Lesions       {ways} (each at each visit)"] if ways else lines


def _verdicts(result: RunResult) -> str:
    first = next((s.response for s in result.subjects if s.response is not None), None)
    if first is None:
        return "none could be stated"
    verdicts = ", ".join(f"{number} {name} ({sure} certain)" for name, number, sure in response_counts(result))
    return f"{verdicts}; rule '{first.rule}' on {METRICS[first.metric].lower()}"
