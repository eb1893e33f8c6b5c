"""What a report says of the subject at a visit: changes from baseline, the verdict, and what needs review."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lesion_measure.dicom.objects.writing import codes
from lesion_measure.dicom.objects.writing.values import coded, holding, number, words
from lesion_measure.records import Change, Refusal, Response, SubjectResult

if TYPE_CHECKING:
    from highdicom.sr import ContentItem


def changes(subject: SubjectResult, visit: str) -> Iterator[ContentItem]:
    """The subject's own changes from baseline to a visit, in percent; none without a number."""
    for change in subject.changes:
        if change.lesion is None and change.visit == visit and math.isfinite(change.percent):
            yield _change(change)


def _change(change: Change) -> ContentItem:
    unit = codes.UNITS[change.unit]
    item = number(codes.CHANGES[change.metric], change.percent, codes.PERCENT)
    properties: list[ContentItem] = [
        number(codes.SIZE_AT_BASELINE, change.baseline.value, unit, "HAS PROPERTIES"),
        number(codes.SIZE_NOW, change.followup.value, unit, "HAS PROPERTIES"),
    ]
    if change.percent_ci95 is not None and all(map(math.isfinite, change.percent_ci95)):
        low, high = change.percent_ci95
        properties += [
            number(codes.INTERVAL_LOW, low, codes.PERCENT, "HAS PROPERTIES"),
            number(codes.INTERVAL_HIGH, high, codes.PERCENT, "HAS PROPERTIES"),
        ]
    properties += [words(codes.WARNING, warning, "HAS PROPERTIES") for warning in change.warnings]
    return holding(item, properties)


def verdict(response: Response) -> ContentItem:
    """The verdict of the rule on the subject, in the rule's words, and whether it is certain."""
    item = words(codes.RESPONSE, response.category)
    below = [
        words(codes.RESPONSE_METHOD, f"rule '{response.rule}'", "HAS PROPERTIES"),
        coded(codes.CERTAINTY, codes.CERTAIN if response.certain else codes.NOT_CERTAIN, "HAS PROPERTIES"),
        words(codes.EXPLANATION, response.explanation, "HAS PROPERTIES"),
        *(words(codes.REVIEW_ITEM, reason, "HAS PROPERTIES") for reason in response.held),
    ]
    return holding(item, below)


def open_items(review: Sequence[Refusal]) -> Iterator[ContentItem]:
    """What a person has to look at, and what was refused: a reason and no number."""
    if review:
        yield coded(codes.REVIEW_STATE, codes.NEEDS_REVIEW)
    for refusal in review:
        about = f"{refusal.lesion}: " if refusal.lesion else ""
        yield words(codes.REVIEW_ITEM, f"{about}{refusal.reason} {refusal.remedy}".strip())
