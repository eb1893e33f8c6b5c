"""Why a lesion, or the child's sum, has no change."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from lesion_measure.records import Fate, LesionGroup, LesionMeasurement, Refusal, in_words


def incomplete(subject: str, missing: Sequence[str], visit: str, drawn: Collection[str]) -> Refusal:
    """``drawn``: the lesions that a reader drew and that have no size, which must not be called absent for that."""
    return Refusal(
        code="incomplete_sum",
        reason=f"No change of the child's sums: {', '.join(missing)} could not be compared.",
        remedy="Settle first why its calipers gave no size."
        if set(missing) <= {*drawn}
        else "Measure the missing lesion with calipers, or state that it is absent.",
        subject=subject,
        visit=visit,
    )


def not_found_again(before: LesionMeasurement, visit: str, not_gone: str) -> Refusal:
    return Refusal(
        code="not_found_at_followup",
        reason=f"{before.lesion} was measured at {in_words(before.visit)} and not at {in_words(visit)}; that does not "
        f"mean it disappeared{'; ' if not_gone else ''}{not_gone}.",
        remedy="Place calipers on it, or add an 'absent' row to the caliper file where a reader finds it gone.",
        subject=before.subject,
        visit=visit,
        lesion=before.lesion,
    )


def grouped(subject: str, group: LesionGroup, first: str) -> Refusal:
    before, after = " and ".join(group.before), " and ".join(group.after)
    what = "merged into" if group.fate is Fate.MERGED else "split into"
    return Refusal(
        code=group.fate.value,
        reason=f"{before} of {in_words(first)} seems to have {what} {after} (confidence {group.confidence:.2f}). "
        "Neither is compared with a single one.",
        remedy="Compare the pictures; where it is not so, name each lesion by a caliper.",
        subject=subject,
        visit=group.visit,
        lesion=group.after[0],
    )


def new_lesion(after: LesionMeasurement, first: str) -> Refusal:
    return Refusal(
        code="not_found_at_baseline",
        reason=f"{after.lesion} was measured at {in_words(after.visit)} and not at {in_words(first)}: new, or missed "
        "before. Until that is settled there is no verdict on the response.",
        remedy=f"Look at the {in_words(first)} images: place calipers on it there, state that it is absent there (then "
        "it is new), or take it out where it is no lesion.",
        subject=after.subject,
        visit=after.visit,
        lesion=after.lesion,
    )
