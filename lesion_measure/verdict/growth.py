"""Change and growth of target lesions in percent, and where growth reaches a rule's limit of progression."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from lesion_measure.config import TINY, AppliedRule
from lesion_measure.measure.propagation import ratio_ci95
from lesion_measure.records import Metric, Quantity
from lesion_measure.verdict.nadir import nadir_of
from lesion_measure.verdict.time_point import ObservedVisit, Sizes


def since_nadir(before: Sequence[Sizes], now: Sizes) -> Sizes:
    """A size against the smallest one so far of those measured like it, in the place of that at baseline.

    The reader's bias cancels where the reader of baseline measured both. Of two later sizes by others nobody says
    whether these were the same one.

    Parameters
    ----------
    before
        The size at each earlier visit, in order of time.
    now
        The size that may have grown.
    """
    least = nadir_of(now.baseline, ((sizes.baseline, sizes.later) for sizes in before))
    own = least is now.baseline or any(sizes.later is least and sizes.same_reader for sizes in before)
    return replace(now, baseline=least, same_reader=now.same_reader and own)


def growths_of(
    point: ObservedVisit,
    whole: Sizes | None,
    since: Sizes | None,
    lesions_since: Mapping[str, Sizes],
    rule: AppliedRule,
) -> dict[str, Sizes]:
    """What may have grown to a progression, from the size that growth counts from: every lesion, or '', the whole.

    Parameters
    ----------
    point
        The time point.
    whole
        The size of the target lesions together, at baseline and then; None where nothing is known of it.
    since, lesions_since
        The same and each lesion against the smallest size so far (`since_nadir`).
    rule
        Which of them may progress, and from where.
    """
    from_nadir = rule.progression_from == "nadir"
    if rule.progression_of == "any_lesion":
        return dict(lesions_since if from_nadir else point.lesions)
    together = since if from_nadir else whole
    return {} if together is None else {"": together}


def progresses(percent: float, reference: float, rule: AppliedRule) -> bool:
    """Whether growth reaches the limit in percent and, for a diameter, in mm. After 0 any size is a reappearance."""
    if rule.progression_percent is None or percent < rule.progression_percent - TINY:
        return False
    if not in_mm(rule) or math.isinf(percent):
        return True
    return percent / 100 * reference >= rule.progression_min_mm - TINY


def in_mm(rule: AppliedRule) -> bool:
    """Whether the rule looks at a diameter, so that a limit in mm applies to it."""
    return rule.metric in (Metric.LONGEST_DIAMETER, Metric.SUM_OF_DIAMETERS)


def percent_change(before: Quantity, after: Quantity) -> float:
    """Change in percent; infinite where something grew from 0."""
    if before.value == 0:
        return math.inf if after.value > 0 else 0.0
    return 100 * (after.value - before.value) / before.value


def percent_at(sizes: Sizes, end: int) -> float:
    """Percent change: as measured (0), or at the lower (-1) or upper (1) end of its 95 % interval."""
    before, after = sizes.baseline, sizes.later
    if end == 0 or before.value == 0 or after.value == 0 or before is after:
        return percent_change(before, after)
    return ratio_ci95(before, after, same_reader=sizes.same_reader)[0 if end < 0 else 1]
