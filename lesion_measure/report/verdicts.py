"""How a verdict looks, wherever it stands: its tone, which is a class of style.css, and its mark beside it."""

from __future__ import annotations

from lesion_measure.config import AppliedRule
from lesion_measure.records import Response

MARKS = {"good": "▼", "bad": "▲", "same": "■", "none": "–"}


def tone(category: str | None, rule: AppliedRule) -> str:
    """good: a response (green); bad: progression (vermillion); same: neither (blue); none: no verdict (gray)."""
    if rule.is_response(category):
        return "good"
    if category == rule.progression_name:
        return "bad"
    return "none" if category is None else "same"


def tone_of(response: Response | None, rule: AppliedRule) -> str:
    """The tone of a child's verdict, if it has one."""
    return tone(response.category if response else None, rule)
