"""Why a time point is called what it is called, in words: its size, the limit that decided, and what else counted."""

from __future__ import annotations

import math
from collections.abc import Mapping

from lesion_measure.config import AppliedRule, limit_text, percent_text
from lesion_measure.records import Status
from lesion_measure.verdict.growth import growths_of, in_mm, percent_at, percent_change, progresses
from lesion_measure.verdict.time_point import ObservedVisit, Sizes


def why(
    point: ObservedVisit,
    target: Status | None,
    status: Status,
    since: Sizes | None,
    lesions_since: Mapping[str, Sizes],
    rule: AppliedRule,
) -> str:
    """The size, the limit that decided (of a progression the one that growth crossed), and what else counted.

    Parameters
    ----------
    point
        The time point.
    target, status
        What its target lesions and the whole are called.
    since, lesions_since
        The target lesions together, and each of them, against the smallest size so far.
    rule
        The rule that is applied.
    """
    parts = []
    growths = growths_of(point, point.sizes or point.at_least, since, lesions_since, rule)
    if point.sizes is not None:
        sizes = point.sizes
        low, middle, high = (percent_text(percent_at(sizes, end), rule.limits_percent) for end in (-1, 0, 1))
        interval = "" if sizes.later.value == 0 else f" (95 % interval {low} to {high} %)"
        parts.append(f"{rule.metric.replace('_', ' ')} changed by {middle} %{interval}")
        if status is not Status.PD:
            limit = f"{limit_text(rule.response_percent)} %"
            parts.append(f"the rule asks for {f'{limit} or less' if rule.response_at_limit else f'less than {limit}'}")
        if since is not None and since.baseline.value < sizes.baseline.value:
            parts.append(f"{_grown(since, rule)} from the smallest size so far")
        if target is Status.PD:
            parts += _crossed(growths, rule)
    elif point.has_targets:
        parts.append("not every target lesion was evaluated")
        if target is Status.PD:
            parts += _of_some(growths, rule)
    if point.new:
        parts.append(f"new beyond doubt by a reader: {', '.join(point.new)}")
    if point.doubtful:
        parts.append(f"perhaps new: {', '.join(point.doubtful)}")
    if point.non_target is Status.PD:
        parts.append("a reader states that non-target lesions progressed")
    elif target is Status.CR and status is Status.PR:
        parts.append("every target lesion is gone, but not every other one")
    return "; ".join(parts) or "no target lesion"


def _of_some(growths: Mapping[str, Sizes], rule: AppliedRule) -> list[str]:
    """Progression by the lesions that were evaluated, whatever the others are."""
    together = growths.get("")
    size = rule.metric.replace("_", " ")
    least = [] if together is None else [f"{size} is at least {_grown(together, rule)} by those that were"]
    return [*least, *_crossed(growths, rule)]


def _crossed(growths: Mapping[str, Sizes], rule: AppliedRule) -> list[str]:
    """The lesions that grew to a progression, where each counts by itself, and the limit that was reached."""
    reached = {
        n: s for n, s in growths.items() if progresses(percent_change(s.baseline, s.later), s.baseline.value, rule)
    }
    whose = [f"{name} changed by {_grown(sizes, rule)}" for name, sizes in reached.items() if name]
    least = f" and at least {rule.progression_min_mm:g} mm" if rule.progression_min_mm and in_mm(rule) else ""
    limit = limit_text(rule.progression_percent or 0)
    of = " of any target lesion" if rule.progression_of == "any_lesion" else ""
    since = "the smallest size so far" if rule.progression_from == "nadir" else "baseline"
    return [*whose, f"the limit of {rule.progression_name} is {limit} %{least}{of} from {since}"]


def _grown(sizes: Sizes, rule: AppliedRule) -> str:
    """Growth in percent, with as many decimals as it takes to see its side of the rule's limits, and in mm."""
    percent = percent_change(sizes.baseline, sizes.later)
    text = "new growth after 0" if math.isinf(percent) else f"{percent_text(percent, rule.limits_percent)} %"
    grown = sizes.later.value - sizes.baseline.value
    return f"{text} ({grown:+.1f} mm)" if rule.progression_min_mm and in_mm(rule) else text
