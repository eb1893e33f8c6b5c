"""Variables that several domains have, with their values: who, which visit, which day, baseline or not."""

from __future__ import annotations

from datetime import date

from lesion_measure.cdisc import terms
from lesion_measure.cdisc.course import Course
from lesion_measure.cdisc.dataset import Kind, Origin, Value, Variable, study_day
from lesion_measure.records import Visit

DAY = "Day 1 is the date of the baseline scan, the day before is -1. Derive it anew where DM.RFSTDTC is another date"
NO_EXPOSURE = "Empty: the date of first exposure is not among the results"

STUDYID = Variable("STUDYID", "Study Identifier", origin=Origin.PROTOCOL, comment="As given with --study")
USUBJID = Variable(
    "USUBJID", "Unique Subject Identifier", comment="STUDYID, a hyphen and the subject code of the images"
)


def identifiers(domain: str) -> tuple[Variable, ...]:
    """Study, domain, subject and sequence number: the first variables of every domain."""
    number = Variable(f"{domain}SEQ", "Sequence Number", Kind.INTEGER, Origin.DERIVED)
    return STUDYID, Variable("DOMAIN", "Domain Abbreviation"), USUBJID, number


def baseline_flags(domain: str) -> tuple[Variable, ...]:
    """--LOBXFL, which only the sponsor can fill, and --BLFL."""
    before = Variable(
        f"{domain}LOBXFL", "Last Observation Before Exposure Flag", origin=Origin.NOT_AVAILABLE, comment=NO_EXPOSURE,
        codelist=terms.YES_NO,
    )  # fmt: skip
    baseline = Variable(
        f"{domain}BLFL", "Baseline Flag", origin=Origin.DERIVED, comment="Y for results of the baseline visit",
        codelist=terms.YES_NO,
    )  # fmt: skip
    return before, baseline


def timing(domain: str, what: str, comment: str) -> tuple[Variable, ...]:
    """Visit, date and study day of ``what``; ``comment`` says which date it is."""
    return (
        Variable("VISITNUM", "Visit Number", Kind.INTEGER, comment="Number of VISIT"),
        Variable("VISIT", "Visit Name", codelist=terms.VISIT_NAMES),
        Variable(f"{domain}DTC", f"Date/Time of {what}", Kind.ISO_DATE, Origin.COLLECTED, comment),
        Variable(f"{domain}DY", f"Study Day of {what}", Kind.INTEGER, Origin.DERIVED, DAY),
    )


def visit_values(visit: Visit, day: date | None, domain: str, course: Course | None) -> dict[str, Value]:
    """The values of `timing`; without a course or a date of its baseline scan there is no study day."""
    number, name = terms.VISITS[visit]
    return {
        "VISITNUM": number,
        "VISIT": name,
        f"{domain}DTC": day.isoformat() if day else None,
        f"{domain}DY": study_day(day, course.reference if course else None),
    }


def baseline_flag(visit: Visit) -> str | None:
    """Y at the baseline visit."""
    return "Y" if visit is Visit.BASELINE else None
