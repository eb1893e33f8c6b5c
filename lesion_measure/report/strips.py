"""The small interval chart of a table row: a change and its 95 % interval on a scale of -100 to +100 %."""

from __future__ import annotations

from dataclasses import dataclass

from lesion_measure.config import Config
from lesion_measure.records import Change
from lesion_measure.report.words import finite

STRIP_WIDTH, STRIP_LIMIT = 132, 100.0
_EDGE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """A change and its interval on a scale of -100 to +100 %, in pixels.

    ``cut_low`` and ``cut_high``: the interval goes on beyond the scale; ``beyond`` (-1, 0, 1): the value lies there.
    """

    low: float | None
    high: float | None
    value: float
    zero: float
    limits: tuple[float, ...]
    cut_low: bool
    cut_high: bool
    beyond: int


def strip(change: Change, config: Config) -> Strip | None:
    """The small interval chart of a table row, with the rule's limits where the rule looks at this size."""
    if finite(change.percent) is None:
        return None
    rule = config.comparison.applied_rule
    limits = [rule.response_percent, rule.progression_percent] if rule.metric is change.metric else []
    low, high = change.percent_ci95 or (None, None)
    return Strip(
        low=None if low is None else across(low),
        high=None if high is None else across(high),
        value=across(change.percent),
        zero=across(0),
        limits=tuple(across(limit) for limit in limits if limit is not None and abs(limit) <= STRIP_LIMIT),
        cut_low=low is not None and low < -STRIP_LIMIT,
        cut_high=high is not None and high > STRIP_LIMIT,
        beyond=(change.percent > STRIP_LIMIT) - (change.percent < -STRIP_LIMIT),
    )


def across(value: float) -> float:
    """Where a percent change stands on the scale, in pixels; what is beyond stands at its end."""
    inside = min(max(value, -STRIP_LIMIT), STRIP_LIMIT)
    return round(_EDGE + (STRIP_WIDTH - 2 * _EDGE) * (inside + STRIP_LIMIT) / (2 * STRIP_LIMIT), 2)
