"""What is known at one time point, in the terms of the response rules, from a child's changes and lesions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from lesion_measure.config import AppliedRule
from lesion_measure.measure.propagation import sum_quantity
from lesion_measure.records import (
    BASELINE,
    ONE_MONTH,
    Change,
    LesionMeasurement,
    Metric,
    NonTarget,
    Quantity,
    Source,
    Status,
)
from lesion_measure.verdict.doubts import Unmeasured
from lesion_measure.verdict.pair import own_size

_LESION_METRIC = {Metric.SUM_OF_DIAMETERS: Metric.LONGEST_DIAMETER}
"""The size of one lesion that stands for the size of the child."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """A size at baseline and at a time point, measured alike. A later size of exactly 0 is a statement: gone.

    ``same_reader`` is False where another reader measured later: then the bias of neither cancels.
    """

    baseline: Quantity
    later: Quantity
    same_reader: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedVisit:
    """What is known at one time point after baseline.

    ``days`` from baseline. ``sizes`` of the target lesions together, None where they were not all evaluated;
    ``at_least`` is then the later size of those that were, against the baseline of all. ``lesions`` of each.
    ``has_targets`` and ``non_target`` (None: there are no non-targets) say what there was at baseline. ``new`` are new
    lesions beyond doubt, ``doubtful`` those that may be. ``remaining``: a target lesion is still there although the
    size is 0, which the size of one lesion of several can be. ``unread``: what is there of baseline was found by a
    network alone.
    """

    visit: str
    days: int | None = None
    sizes: Sizes | None = None
    at_least: Sizes | None = None
    lesions: Mapping[str, Sizes] = field(default_factory=dict)
    has_targets: bool = True
    non_target: Status | None = None
    new: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()
    remaining: bool = False
    unread: bool = False

    @property
    def gone(self) -> bool:
        """Whether every target lesion is stated to be gone."""
        return self.sizes is not None and self.sizes.later.value == 0 and not self.remaining

    @property
    def remains(self) -> bool:
        """Whether a lesion of baseline is there."""
        return self.remaining or self.non_target is Status.NON_CR_NON_PD


def time_point(
    changes: Sequence[Change],
    lesions: Sequence[LesionMeasurement],
    rule: AppliedRule,
    *,
    targets: Sequence[str],
    non_targets: Sequence[NonTarget] = (),
    new: Iterable[str] = (),
    non_target_progression: bool = False,
    days: int | None = None,
    visit: str = ONE_MONTH,
    unmeasured: Unmeasured = MappingProxyType({}),
) -> ObservedVisit:
    """What the changes to one visit and the lesions of baseline and that visit say, in the terms of `response.assess`.

    ``unmeasured`` lesions, which a reader drew and that have no size, were there as well.

    Parameters
    ----------
    changes
        All changes of the subject.
    lesions
        All lesions at all visits.
    rule
        The response rule that is applied.
    targets, non_targets
        The lesions of baseline in the sums, and the others.
    new
        Lesions that are new beyond doubt, by a reader's statement.
    non_target_progression
        Whether a reader states that non-targets have progressed.
    days
        From baseline to the visit; None where a date is missing.
    visit
        The visit.
    unmeasured
        Lesions that a reader drew and that have no size, by visit. They were there as well.
    """
    here = [c for c in changes if c.visit == visit]
    whole = next((c for c in here if c.lesion is None and c.metric is rule.metric), None)
    own = _LESION_METRIC.get(rule.metric, rule.metric)
    later = {m.lesion: m for m in lesions if m.visit == visit}
    at_baseline = {m.lesion for m in lesions if m.visit == BASELINE and m.present}
    at_baseline |= unmeasured.get(BASELINE, {}).keys()
    stated = tuple(sorted(name for name in new if name not in at_baseline))
    of_targets = {c.lesion: c for c in here if c.lesion is not None and c.lesion in targets and c.metric is own}
    there = {name: m for name, m in later.items() if m.present}
    return ObservedVisit(
        visit=visit,
        days=days,
        sizes=None if whole is None else Sizes(whole.baseline, whole.followup, whole.same_reader),
        at_least=None if whole is not None else _at_least(of_targets, lesions, rule.metric, targets),
        lesions={name: Sizes(c.baseline, c.followup, c.same_reader) for name, c in of_targets.items()},
        has_targets=bool(targets),
        non_target=_non_target([later.get(other.lesion) for other in non_targets], progression=non_target_progression),
        new=stated,
        remaining=any(name in there for name in targets),
        unread={m.source for name, m in there.items() if name in at_baseline} == {Source.MODEL},
        doubtful=tuple(sorted(there.keys() - {*at_baseline, *stated})),
    )


def _at_least(
    measured: Mapping[str, Change], lesions: Sequence[LesionMeasurement], metric: Metric, targets: Sequence[str]
) -> Sizes | None:
    """The targets that were measured again, against the baseline of all targets: the whole cannot be smaller.

    None where a target has no size at baseline, and where nothing was measured that the whole is made of.
    """
    own = _LESION_METRIC.get(metric, metric)
    before = {m.lesion: own_size(m, own) for m in lesions if m.visit == BASELINE and m.present and m.lesion in targets}
    before |= {name: change.baseline for name, change in measured.items()}
    known = {name: size for name, size in before.items() if size is not None}
    if known.keys() != set(targets) or not measured:
        return None
    if metric is Metric.LONGEST_DIAMETER:  # the child's is that of the lesion which was largest at baseline
        dominant = max(known, key=lambda name: known[name].value)
        known = {dominant: known[dominant]}
    found = [measured[name] for name in known if name in measured]
    if not found:
        return None
    later = sum_quantity([change.followup for change in found])
    return Sizes(sum_quantity(list(known.values())), later, all(change.same_reader for change in found))


def _non_target(later: Sequence[LesionMeasurement | None], *, progression: bool) -> Status | None:
    """Non-target lesions as their measurements say; only a reader can say that they progressed."""
    if progression:
        return Status.PD
    if not later:
        return None
    if any(m is not None and m.present for m in later):
        return Status.NON_CR_NON_PD
    return Status.NE if any(m is None for m in later) else Status.CR
