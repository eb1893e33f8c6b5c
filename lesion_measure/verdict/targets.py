"""Which lesions of a child are its targets, which are not and why, and which are new beyond doubt.

A reader's own choice comes first; else the rules of the configuration (`config.Targets`) rank the lesions of the first
visit: those measured reproducibly before the others, then by longest diameter.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from lesion_measure.config import TINY, Targets, telling_digits
from lesion_measure.records import (
    BASELINE,
    ONE_MONTH,
    Doubt,
    Enrolled,
    Form,
    LesionMeasurement,
    NonTarget,
    Refusal,
    Source,
    TargetChoice,
    in_words,
)
from lesion_measure.spelling import alike

BY_READER = "chosen by the reader, in the subjects table"
BY_MANIFEST = "chosen in the manifest"
BY_RULE = "chosen by the rule"
EVERY_LESION = "every lesion of baseline"


def choose_targets(
    subject: str,
    lesions: Sequence[LesionMeasurement],
    settings: Targets,
    *,
    enrolled: Enrolled | None = None,
    manifest: tuple[str, ...] = (),
    visit: str = BASELINE,
    unmeasured: Collection[str] = (),
) -> tuple[TargetChoice, tuple[Refusal, ...]]:
    """The targets among the lesions that are there at ``visit``; and which of the reader's choice are not.

    The subjects table comes before the manifest, and either before the rules.

    A name that the reader chose and that was not measured stays a target: the sum is then incomplete, not smaller. So
    does a lesion that a reader drew at ``visit`` and that has no size (``unmeasured``): no rule can rank it.

    Parameters
    ----------
    subject
        Code of the subject.
    lesions
        All lesions at all visits.
    settings
        How targets are chosen.
    enrolled
        Its row of the subjects table.
    manifest
        Names that the manifest calls targets.
    visit
        The visit that they are chosen at.
    unmeasured
        Lesions that a reader drew at the visit and that have no size.
    """
    there = [m for m in lesions if m.visit == visit and m.present]
    if enrolled is not None and enrolled.targets:
        return _by_reader(subject, there, enrolled.targets, BY_READER, visit, unmeasured)
    if manifest:
        return _by_reader(subject, there, manifest, BY_MANIFEST, visit, unmeasured)
    if enrolled is not None and enrolled.form is Form.DIFFUSE:
        names = [*(m.lesion for m in there), *unmeasured]
        diffuse = tuple(NonTarget(lesion=name, reason="the disease is diffuse") for name in names)
        return TargetChoice((), BY_RULE, diffuse), ()
    ranked = sorted(there, key=lambda m: (not _reproducible(m, settings), -m.longest_diameter_mm.value, m.lesion))
    most = min((n for n in (settings.most, settings.most_per_organ) if n is not None), default=len(ranked))
    targets: list[str] = []
    others: list[NonTarget] = []
    for measured in ranked:
        if measured.longest_diameter_mm.value < settings.min_diameter_mm - TINY:
            reason = _too_small(measured.longest_diameter_mm.value, settings.min_diameter_mm)
        elif len(targets) >= most:
            limit = f"{most} in one organ" if most == settings.most_per_organ else f"{most} in all"
            reason = f"ranks after the {limit}" + ("" if _reproducible(measured, settings) else ", large error")
        else:
            targets.append(measured.lesion)
            continue
        others.append(NonTarget(lesion=measured.lesion, reason=reason))
    targets += unmeasured
    return TargetChoice(tuple(targets), BY_RULE if others else EVERY_LESION, tuple(others)), ()


def _reproducible(measured: LesionMeasurement, settings: Targets) -> bool:
    size = measured.longest_diameter_mm
    return size.sd <= settings.max_diameter_cv * size.value


def _too_small(size_mm: float, least_mm: float) -> str:
    return f"{size_mm:.{telling_digits(size_mm, (least_mm,))}f} mm, less than {least_mm:g} mm"


def _by_reader(
    subject: str,
    there: Iterable[LesionMeasurement],
    wanted: tuple[str, ...],
    source: str,
    visit: str,
    unmeasured: Collection[str],
) -> tuple[TargetChoice, tuple[Refusal, ...]]:
    names = [*(m.lesion for m in there), *unmeasured]
    when = in_words(visit)
    refusals = [
        Refusal(
            code="target_not_measured",
            reason=f"{name} was chosen as a target, and no such lesion was measured at {when}.",
            remedy="Place calipers on it, or correct its name where it was chosen.",
            subject=subject,
            visit=visit,
            lesion=name,
        )
        for name in wanted
        if name not in names
    ]
    others = [NonTarget(lesion=name, reason="not among the chosen targets") for name in names if name not in wanted]
    return TargetChoice(wanted, source, tuple(others)), tuple(refusals)


def contradictions(
    subject: str, lesions: Sequence[LesionMeasurement], enrolled: Enrolled | None, later: Sequence[str] = (ONE_MONTH,)
) -> tuple[Doubt, ...]:
    """What the subjects table says of new lesions and the measurements do not bear out; names that look alike."""
    named = enrolled.new_lesions if enrolled is not None else ()
    chosen = enrolled.targets if enrolled is not None else ()
    at_baseline = {m.lesion for m in lesions if m.visit == BASELINE and m.present}
    afterwards = {m.lesion for m in lesions if m.visit in later and m.present}
    when = " or ".join(map(in_words, later)) or "a later visit"
    found = []
    for name in named:
        if name in at_baseline:
            reason = f"The subjects table calls {name} new, but it was measured at baseline, so it counts as known."
            found.append(_contradiction("new_lesion_known", reason, subject, name))
        elif name not in afterwards:
            reason = f"The subjects table calls {name} new, and no such lesion was measured at {when}."
            found.append(_contradiction("new_lesion_not_measured", reason, subject, name))
    for one, other in alike([*(m.lesion for m in lesions), *named, *chosen]):
        reason = f"The lesion names {one} and {other} look alike: are they one lesion?"
        doubt = _contradiction("names_look_alike", reason, subject, other)
        found.append(replace(doubt, seen=True, perhaps=True))  # under the other name it may have been there
    return tuple(found)


def no_other_lesion(subject: str) -> Doubt:
    """The subjects table states a progression of lesions that are no targets, and there are none."""
    reason = "The subjects table states that non-target lesions progressed, and the child has none at baseline."
    return _contradiction("no_non_target_lesion", reason, subject, None)


def _contradiction(code: str, reason: str, subject: str, lesion: str | None) -> Doubt:
    remedy = "Write one name for one lesion, the same in every table, or take out what is wrong."
    return Doubt(Refusal(code=code, reason=reason, remedy=remedy, subject=subject, lesion=lesion))


def stated_new(
    lesions: Sequence[LesionMeasurement],
    enrolled: Enrolled | None,
    unmeasured: Collection[str] = (),
    visits: Sequence[str] = (ONE_MONTH,),
    to_come: Sequence[str] = (),
) -> frozenset[str]:
    """Lesions that a reader states to be new, which nothing automatic can do.

    Either the subjects table names them, or a reader stated them absent at baseline and measured them later. What a
    reader drew at baseline and has no size there is as known as what was measured.

    The table names no visit, so its word counts from where the lesion was first measured; where it never was, always.

    Parameters
    ----------
    lesions, enrolled
        All measurements; the child's row of the subjects table.
    unmeasured
        Lesions that a reader drew at baseline and that have no size there.
    visits, to_come
        The visits after baseline until now, and the later ones: what they show says nothing of now.
    """
    absent = {m.lesion for m in lesions if m.visit == BASELINE and not m.present}
    here = [m for m in lesions if m.visit in visits and m.present]
    measured = {m.lesion for m in here if m.source is not Source.MODEL}
    named = set(enrolled.new_lesions) if enrolled is not None else set()
    known = {m.lesion for m in lesions if m.visit == BASELINE and m.present}
    named -= {m.lesion for m in lesions if m.visit in to_come and m.present} - {m.lesion for m in here}
    return frozenset((named | (absent & measured)) - known - {*unmeasured})
