"""Stage 7: what the change of a child is called, by the response rule of the configuration."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lesion_measure.config import AppliedRule, Comparison
from lesion_measure.records import Change, LesionMeasurement, Response, Visit


def respond(changes: Sequence[Change], lesions: Sequence[LesionMeasurement], settings: Comparison) -> Response | None:
    """The verdict of the configured rule on a child.

    None where the change that it needs is missing, and where a lesion is new at one month: a growing burden of disease
    must not be called a response.
    """
    rule = settings.applied_rule
    change = next((c for c in changes if c.lesion is None and c.metric is rule.metric), None)
    before, after = (
        {m.lesion for m in lesions if m.visit is v and m.present} for v in (Visit.BASELINE, Visit.ONE_MONTH)
    )
    if change is None or not after <= before:
        return None
    low, high = change.percent_ci95 or (change.percent, change.percent)
    category, *others = (_category(value, change, rule, all_gone=not after) for value in (change.percent, low, high))
    certain = all(other == category for other in others)
    interval = "" if change.percent_ci95 is None else f" (95 % interval {low:+.0f} to {high:+.0f} %)"
    return Response(
        rule=settings.rule,
        category=category,
        metric=rule.metric,
        percent=change.percent,
        certain=certain,
        explanation=f"{rule.metric.replace('_', ' ')} changed by {change.percent:+.1f} %{interval}; "
        f"the rule asks for {rule.response_percent:+g} % or less"
        + ("" if certain else "; measurement error alone could change this verdict"),
    )


def _category(percent: float, change: Change, rule: AppliedRule, *, all_gone: bool) -> str:
    if all_gone:
        return rule.complete_name
    if percent <= rule.response_percent:
        return rule.response_name
    growth_mm = percent / 100 * change.baseline.value if change.unit == "mm" else math.inf
    if (
        rule.progression_percent is not None
        and percent >= rule.progression_percent
        and growth_mm >= rule.progression_min_mm
    ):
        return rule.progression_name
    return rule.stable_name
