"""The protocol's entry criteria of one child, with the numbers behind each. Nobody is excluded here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from lesion_measure.config import TINY, Entry, percent_text, telling_digits
from lesion_measure.records import DAYS_PER_MONTH, EXCLUSIONS, Change, Criterion, Enrolled, Met, Refusal

NO_TABLE = "not in a subjects table"


def entry_criteria(
    settings: Entry,
    enrolled: Enrolled | None,
    shrinkage: Change | None,
    why_none: str,
    min_confidence: float = 0.0,
    held: str = "",
    first: str = "screening",
) -> tuple[Criterion, ...]:
    """The criteria that the protocol names, in its order.

    Parameters
    ----------
    settings
        What the protocol asks for.
    enrolled
        The child's row of the subjects table.
    shrinkage
        Change of the primary size from an earlier visit (``first``) to baseline; None: there is none.
    why_none
        Why there is none, in words.
    min_confidence
        Least confidence of an automatic pairing of lesions on which a verdict may rest and be certain.
    held
        What of a person's statements about these visits is not settled, so that the shrinkage is not certain.
    first
        The visit from which the shrinkage counts, in words.
    """
    shrunk = _shrinkage(settings, shrinkage, why_none, min_confidence, held, first)
    found = [_age(settings, enrolled), shrunk, *_exclusions(settings, enrolled)]
    return tuple(criterion for criterion in found if criterion is not None)


def _age(settings: Entry, enrolled: Enrolled | None) -> Criterion | None:
    if settings.age_months is None:
        return None
    low, high = settings.age_months
    age = None if enrolled is None else enrolled.age_months
    inside = age is not None and low <= age <= high
    return Criterion(
        name="age at baseline",
        asked=f"{low:g} to {high:g} months",
        found=(NO_TABLE if enrolled is None else "age not given")
        if age is None
        else f"{age:.{telling_digits(age, (low, high))}f} months",
        met=Met.NOT_KNOWN if age is None else Met.MET if inside else Met.NOT_MET,
        certain=None if age is None else True,
    )


def _shrinkage(
    settings: Entry, change: Change | None, why_none: str, min_confidence: float, held: str, first: str
) -> Criterion | None:
    limit = settings.prior_shrinkage_percent
    if limit is None:
        return None
    exactly = "may" if settings.exactly_that_may_enter else "may not"
    name, asked = "shrinkage before entry", f"less than {limit:g} %; exactly {limit:g} % {exactly} enter"
    if change is None:
        return Criterion(name=name, asked=asked, found=why_none, met=Met.NOT_KNOWN)

    def enters(percent: float) -> bool:
        if abs(percent + limit) <= TINY:
            return settings.exactly_that_may_enter
        return percent > -limit

    def shown(percent: float) -> str:
        return percent_text(percent, (-limit,))

    low, high = change.percent_ci95 or (change.percent, change.percent)
    interval = "" if change.percent_ci95 is None else f", 95 % interval {shown(low)} to {shown(high)} %"
    paired = change.pairing_confidence
    doubt = "" if paired is None else f"; lesions paired automatically, confidence {paired:.2f}"
    unsure = paired is not None and paired < min_confidence
    return Criterion(
        name=name,
        asked=asked,
        found=f"{change.metric.replace('_', ' ')} from {first} to baseline {shown(change.percent)} %{interval}{doubt}"
        + (", which asks for review" if unsure else "")
        + (f"; {held}" if held else ""),
        met=Met.MET if enters(change.percent) else Met.NOT_MET,
        certain=enters(low) == enters(high) and not unsure and not held,
        pairing_confidence=paired,
    )


def _exclusions(settings: Entry, enrolled: Enrolled | None) -> Iterable[Criterion]:
    for column in settings.exclusions:
        flag = None if enrolled is None else enrolled.flags.get(column)
        unknown = NO_TABLE if enrolled is None else "not stated"
        yield Criterion(
            name=f"no {EXCLUSIONS[column]}",
            asked="by the subjects table",
            found=unknown if flag is None else "stated: yes" if flag else "stated: no",
            met=Met.NOT_KNOWN if flag is None else Met.NOT_MET if flag else Met.MET,
            certain=None if flag is None else True,
        )


def other_unit(enrolled: Enrolled | None, ages_months: tuple[float, float] | None) -> tuple[Refusal, ...]:
    """An age outside of what the trial takes that lies within it when days are read as months, or months as days."""
    if enrolled is None or enrolled.age_days is None or ages_months is None or not enrolled.outside(ages_months):
        return ()
    for factor, words in ((1 / DAYS_PER_MONTH, "days, written as months"), (DAYS_PER_MONTH, "months, written as days")):
        if not replace(enrolled, age_days=enrolled.age_days * factor).outside(ages_months):
            return (
                Refusal(
                    code="age_unit",
                    reason=f"The subjects table gives an age of {enrolled.age_months:.1f} months; are these {words}?",
                    remedy="Correct age_months or age_days, where it is a slip.",
                    subject=enrolled.subject,
                ),
            )
    return ()
