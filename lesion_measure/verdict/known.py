"""What is known of a child before any rule is applied, put together from its measurements and what people state."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from lesion_measure.config import Config
from lesion_measure.records import (
    BASELINE,
    Doubt,
    Enrolled,
    LesionGroup,
    LesionMeasurement,
    SubjectVisits,
    is_undated,
)
from lesion_measure.verdict.doubts import Unmeasured, lost_statements, of_lesions, unmeasured
from lesion_measure.verdict.plausible import implausible
from lesion_measure.verdict.swapped import swap_doubts
from lesion_measure.verdict.targets import choose_targets, contradictions, no_other_lesion, stated_new


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a child before any rule is applied.

    ``manifest`` are the targets that the manifest names. ``visits`` are those after baseline of which there are scans,
    in order of time, where there is a baseline; ``primary`` is the one whose verdict is the answer. By visit:
    ``days`` from baseline, ``new`` lesions that a reader states to be new by then, ``not_gone`` why an empty result
    says nothing. ``doubts`` are what a person wrote and could not be used or believed, ``unmeasured`` the lesions that
    a reader drew and that have no size.
    """

    subject: str
    lesions: tuple[LesionMeasurement, ...]
    groups: Sequence[LesionGroup]
    enrolled: Enrolled | None
    manifest: tuple[str, ...]
    visits: tuple[str, ...]
    primary: str | None
    new: Mapping[str, Collection[str]]
    not_gone: Mapping[str, Mapping[str, str]]
    days: Mapping[str, int | None]
    doubts: Sequence[Doubt] = ()
    unmeasured: Unmeasured = field(default_factory=dict)

    def groups_until(self, visit: str) -> list[LesionGroup]:
        """Lesions that merged or split at a visit after baseline or before it: what they became is followed on."""
        until = self.visits[: self.visits.index(visit) + 1]
        return [group for group in self.groups if group.visit in until]

    @property
    def both(self) -> bool:
        """Whether there are scans of baseline and of the primary visit."""
        return self.primary in self.visits


def what_is_known(
    child: SubjectVisits,
    lesions: tuple[LesionMeasurement, ...],
    groups: Sequence[LesionGroup],
    doubts: Sequence[Doubt],
    *,
    enrolled: Enrolled | None,
    manifest: tuple[str, ...],
    not_gone: Mapping[str, Mapping[str, str]],
) -> Known:
    """What the rules are applied to.

    Parameters
    ----------
    child
        Its studies by visit.
    lesions, groups
        Every lesion at every visit; those that merged or split.
    doubts
        What a person wrote and could not be used or believed, of lesions and of the liver.
    enrolled, manifest
        The child's row of the subjects table; the lesions that the manifest calls targets.
    not_gone
        Why an empty result of the network does not say that a lesion is gone, by visit and name.
    """
    later = dated_later(child)
    doubts = of_lesions(doubts)
    sizeless = unmeasured(doubts, lesions, dated(child))
    at_first = sizeless.get(BASELINE, {})
    return Known(
        subject=child.subject,
        lesions=lesions,
        groups=tuple(group for group in groups if group.visit != BASELINE),
        enrolled=enrolled,
        manifest=manifest,
        visits=later if BASELINE in child.visits else (),
        primary=child.schedule.primary,
        new={v: stated_new(lesions, enrolled, at_first, later[: n + 1], later[n + 1 :]) for n, v in enumerate(later)},
        not_gone={v: {**lost_statements(doubts, lesions, v), **not_gone.get(v, {})} for v in later},
        days={v: child.day(v) for v in later},
        doubts=doubts,
        unmeasured=sizeless,
    )


def contradicted(
    child: SubjectVisits,
    lesions: tuple[LesionMeasurement, ...],
    liver: tuple[LesionMeasurement, ...],
    config: Config,
    *,
    enrolled: Enrolled | None,
    manifest: tuple[str, ...],
) -> tuple[Doubt, ...]:
    """What people state of a child and its files or measurements contradict.

    Parameters
    ----------
    child
        Its studies by visit.
    lesions, liver
        Every lesion at every visit; the liver itself.
    config
        The rule that chooses targets where nobody does, and how alike one lesion is at two visits.
    enrolled, manifest
        The child's row of the subjects table; the lesions that the manifest calls targets.
    """
    later = dated_later(child)
    found = [
        *child.doubts,
        *implausible(lesions, liver, later),
        *swap_doubts(lesions, later, config.pairing.visits),
        *contradictions(child.subject, lesions, enrolled, child.schedule.later),
    ]
    if enrolled is not None and enrolled.non_target_progression:
        rule = config.comparison.applied_rule
        choice, _ = choose_targets(child.subject, lesions, rule.targets, enrolled=enrolled, manifest=manifest)
        found += () if choice.non_targets else (no_other_lesion(child.subject),)
    return tuple(found)


def dated(child: SubjectVisits) -> tuple[str, ...]:
    """The visits of the schedule that have a place in time, in order."""
    return tuple(v for v in child.schedule.names if not is_undated(v))


def dated_later(child: SubjectVisits) -> tuple[str, ...]:
    """The visits after baseline that have a place in time and scans, in order."""
    return tuple(v for v in child.schedule.later if v in child.visits and not is_undated(v))
