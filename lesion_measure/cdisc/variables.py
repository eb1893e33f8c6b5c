"""Variables that several domains have, with their values: who, which visit and epoch, which day."""

from __future__ import annotations

from datetime import date

from lesion_measure.cdisc import terms
from lesion_measure.cdisc.course import Course
from lesion_measure.cdisc.dataset import Origin, Value, Variable, VariableType, study_day

DAY = "Day 1 is DM.RFSTDTC, the column reference_start of the subjects table, the day before is -1; else empty"
NO_EXPOSURE = "Empty: the date of first exposure (DM.RFXSTDTC) is not among the results"
EPOCH = Variable(
    "EPOCH",
    "Epoch",
    origin=Origin.PROTOCOL,
    comment="Of the visit: the run's protocol.schedule",
    codelist=terms.EPOCHS,
)

STUDYID = Variable("STUDYID", "Study Identifier", origin=Origin.PROTOCOL, comment="As given with --study")
USUBJID = Variable(
    "USUBJID", "Unique Subject Identifier", comment="STUDYID, a hyphen and the subject code of the images"
)


def identifiers(domain: str) -> tuple[Variable, ...]:
    """Study, domain, subject and sequence number: the first variables of every domain."""
    number = Variable(f"{domain}SEQ", "Sequence Number", VariableType.INTEGER, Origin.DERIVED)
    return STUDYID, Variable("DOMAIN", "Domain Abbreviation"), USUBJID, number


def exposure_flag(domain: str) -> Variable:
    """--LOBXFL, which only the sponsor can fill.

    There is no --BLFL: of several lesions each has a baseline, and a subject may have one flagged record a test (CDISC
    CORE-000914). VISIT says which records are of the baseline visit, and ADTR.ABLFL.
    """
    return Variable(
        f"{domain}LOBXFL", "Last Observation Before Exposure Flag", origin=Origin.NOT_AVAILABLE, comment=NO_EXPOSURE,
        codelist=terms.YES_NO,
    )  # fmt: skip


def timing(domain: str, what: str, comment: str) -> tuple[Variable, ...]:
    """Visit, epoch, date and study day of ``what``; ``comment`` says which date it is."""
    return (
        Variable(
            "VISITNUM", "Visit Number", VariableType.FLOAT, comment="Number of VISIT; with a decimal: not planned"
        ),
        Variable("VISIT", "Visit Name", codelist=terms.VISIT_NAMES),
        EPOCH,
        Variable(f"{domain}DTC", f"Date/Time of {what}", VariableType.ISO_DATE, Origin.COLLECTED, comment),
        Variable(f"{domain}DY", f"Study Day of {what}", VariableType.INTEGER, Origin.DERIVED, DAY),
    )


def visit_values(visit: str, day: date | None, domain: str, course: Course) -> dict[str, Value]:
    """The values of `timing`; without the subject's reference start there is no study day."""
    when = course.times[visit]
    return {
        "VISITNUM": when.number,
        "VISIT": when.name,
        "EPOCH": when.epoch,
        f"{domain}DTC": day.isoformat() if day else None,
        f"{domain}DY": study_day(day, course.reference),
    }
