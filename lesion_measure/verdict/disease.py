"""Form and burden of a child's disease, and the liver itself where a reader measured it.

The name ``liver`` is kept for the organ, whose calipers a reader draws. It is measured like a lesion (diameters, volume
of the ellipsoid) and is none: it has no part in sums, in the lesion count or in pairing, and no network measures it.
Diffuse disease has no countable lesion; there the liver's size and the share of it that lesions take up are all that
can be measured, and without a liver that is a refusal.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from lesion_measure.measure.propagation import sum_quantity
from lesion_measure.records import (
    BASELINE,
    LIVER,
    ONE_MONTH,
    Burden,
    Change,
    Disease,
    Enrolled,
    Form,
    LesionMeasurement,
    Quantity,
    Refusal,
    TargetChoice,
    in_words,
)


def describe(
    subject: str,
    lesions: Sequence[LesionMeasurement],
    choice: TargetChoice,
    enrolled: Enrolled | None,
    *,
    liver: Sequence[LesionMeasurement] = (),
    liver_changes: Sequence[Change] = (),
    visits: Iterable[str] = (),
    primary: str | None = ONE_MONTH,
) -> tuple[Disease, tuple[Refusal, ...], tuple[str, ...]]:
    """Form and burden of the disease at ``visits``; what cannot be measured, and warnings.

    Parameters
    ----------
    subject
        Code of the subject.
    lesions
        All lesions at all visits.
    choice
        Its target lesions.
    enrolled
        Its row of the subjects table.
    liver
        The organ itself, measured like a lesion.
    liver_changes
        Change of the organ.
    visits
        Visits to tell the burden of.
    primary
        The visit that is compared with baseline for the answer.
    """
    form, source, warnings = _form(lesions, enrolled, primary)
    refusals: list[Refusal] = []
    burdens = []
    for visit in visits:
        organ = next((m for m in liver if m.visit == visit), None)
        burdens.append(
            _burden(subject, visit, [m for m in lesions if m.visit == visit], choice.targets, organ, refusals)
        )
    if form is Form.DIFFUSE and not choice.targets:
        refusals.insert(0, _diffuse(subject, liver, primary))
    elif not choice.targets and any(m.visit == BASELINE and m.present for m in lesions):
        refusals.insert(0, _no_target(subject, choice))
    disease = Disease(
        form=form,
        form_source=source,
        targets=choice.targets,
        targets_source=choice.source,
        non_targets=choice.non_targets,
        burdens=tuple(burdens),
        liver=tuple(liver),
        liver_changes=tuple(liver_changes),
    )
    return disease, tuple(refusals), warnings


def _form(
    lesions: Sequence[LesionMeasurement], enrolled: Enrolled | None, primary: str | None
) -> tuple[Form | None, str, tuple[str, ...]]:
    """Form, whence it is known, and a warning where the table and the lesions do not fit."""
    count = sum(m.visit == BASELINE and m.present for m in lesions)
    found = None if count == 0 else Form.FOCAL if count == 1 else Form.MULTIFOCAL
    words = f"{count} lesion{'' if count == 1 else 's'} at baseline"
    if enrolled is None or enrolled.form is None:
        return found, f"from the count: {words}" if found else "no lesion was measured at baseline", ()
    later = sum(m.visit == primary and m.present for m in lesions)
    warning = form_contradiction(enrolled.form, count, later, primary or "")
    return enrolled.form, "subjects table", (warning,) if warning else ()


def _burden(
    subject: str,
    visit: str,
    lesions: Sequence[LesionMeasurement],
    targets: Sequence[str],
    liver: LesionMeasurement | None,
    refusals: list[Refusal],
) -> Burden:
    by_name = {m.lesion: m for m in lesions}
    chosen = [by_name.get(name) for name in targets]
    there = [m for m in lesions if m.present]
    share = _replaced_share([m.volume_ml for m in there], liver)
    if share is not None and share.value > 1:
        refusals.append(
            Refusal(
                code="share_impossible",
                reason=f"The lesions' volumes add up to {100 * share.value:.0f} % of the liver's.",
                remedy="Look at the calipers of the liver and of the lesions.",
                subject=subject,
                visit=visit,
            )
        )
        share = None
    return Burden(
        visit=visit,
        lesions=len(there),
        sum_of_diameters_mm=_sum([m.longest_diameter_mm if m else None for m in chosen]),
        sum_of_volumes_ml=_sum([m.volume_ml if m else None for m in chosen]),
        replaced_share=share,
    )


def _sum(sizes: Sequence[Quantity | None]) -> Quantity | None:
    """The total, or None where one of the sizes is missing: an incomplete sum is no sum."""
    known = [size for size in sizes if size is not None]
    return sum_quantity(known) if known and len(known) == len(sizes) else None


def _replaced_share(volumes: Sequence[Quantity | None], liver: LesionMeasurement | None) -> Quantity | None:
    """Volume of all lesions over that of the liver; errors taken as independent."""
    lesions = _sum(volumes)
    if lesions is None or lesions.value <= 0 or liver is None or liver.volume_ml is None or liver.volume_ml.value <= 0:
        return None
    value = lesions.value / liver.volume_ml.value
    return Quantity(
        value=value,
        sd=value * math.hypot(lesions.sd / lesions.value, liver.volume_ml.sd / liver.volume_ml.value),
    )


def _diffuse(subject: str, liver: Sequence[LesionMeasurement], primary: str | None) -> Refusal:
    measured = {m.visit for m in liver}
    if {BASELINE, primary} <= measured:
        reason = (
            "The disease is diffuse and has no target lesion: the liver's own size is reported, and the rule, which is "
            "about lesions, gives no verdict."
        )
        remedy = "Judge by the liver's size, or name lesions that can be followed in the subjects table (targets)."
    else:
        reason = (
            "Not measurable: the disease is diffuse, so that no lesion can be counted, and the liver was not measured "
            "at both visits."
        )
        remedy = (
            f"Place calipers named '{LIVER}' across the liver, both axes in two planes, at both visits, or give its "
            "outline as masks (lesion-measure help calipers)."
        )
    return Refusal(code="diffuse_disease", reason=reason, remedy=remedy, subject=subject)


def _no_target(subject: str, choice: TargetChoice) -> Refusal:
    why = "; ".join(f"{other.lesion}: {other.reason}" for other in choice.non_targets)
    return Refusal(
        code="no_target_lesion",
        reason=f"No lesion of baseline is a target lesion ({why}), so there is no sum to follow.",
        remedy="Name the target lesions in the subjects table (targets), or change the rule's targets.",
        subject=subject,
        visit=BASELINE,
    )


def form_contradiction(given: Form | None, at_baseline: int, later: int, visit: str = ONE_MONTH) -> str:
    """What does not fit between the form that the table gives and the lesions measured; empty where it fits.

    The lesions of the later ``visit`` count where none was measured at baseline. Nothing contradicts diffuse disease,
    which has no countable lesion.
    """
    count = at_baseline or later
    if given not in (Form.FOCAL, Form.MULTIFOCAL) or count == 0 or (given is Form.MULTIFOCAL) == (count > 1):
        return ""
    number = "only one lesion was" if count == 1 else f"{count} lesions were"
    when = "at baseline" if at_baseline else f"at {in_words(visit)}, and none at baseline"
    return f"the subjects table calls the disease {given}, but {number} measured {when}"
