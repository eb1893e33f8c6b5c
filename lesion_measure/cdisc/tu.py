"""SDTM TU: which lesions there are, and the liver where it was measured. One record each; sizes stand in TR.

The same TULNKID and TRLNKID link them. Lesions that split or merged are new records (`descent`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from lesion_measure.cdisc import terms
from lesion_measure.cdisc.course import Course
from lesion_measure.cdisc.dataset import Origin, Value, Variable, text
from lesion_measure.cdisc.domain import Domain, Record
from lesion_measure.cdisc.supplemental import Extra
from lesion_measure.cdisc.variables import exposure_flag, identifiers, timing, visit_values
from lesion_measure.records import LesionMeasurement, PlaneMeasurement

KEYS = ("STUDYID", "USUBJID", "TULNKID")
LIVER_LINK = "LIVER"
"""TULNKID of the liver itself; no lesion has this name, in whatever case (`records.is_liver`)."""
VARIABLES = (
    *identifiers("TU"),
    Variable("TUGRPID", "Group ID", origin=Origin.ASSIGNED,
             comment="Of lesions that split or merged: TULNKID of what they come from"),
    Variable("TUREFID", "Reference ID", origin=Origin.COLLECTED, comment="SOP Instance UID of the image"),
    Variable("TUSPID", "Sponsor-Defined Identifier", origin=Origin.COLLECTED,
             comment="Name of the lesion in results.json"),
    Variable("TULNKID", "Link ID", comment="Name of the lesion, the same in TR; L1.1 a part of L1, L1/L2 of both"),
    Variable("TUTESTCD", "Tumor/Lesion ID Short Name", codelist=terms.LESION_TESTS),
    Variable("TUTEST", "Tumor/Lesion ID Test Name", codelist=terms.LESION_TEST_NAMES),
    Variable("TUORRES", "Tumor/Lesion ID Result", origin=Origin.ASSIGNED, codelist=terms.LESION_RESULTS,
             comment="From the visits at which the lesion was measured, refused or stated to be absent"),
    Variable("TUSTRESC", "Tumor/Lesion ID Result Std. Format", codelist=terms.LESION_RESULTS),
    Variable("TULOC", "Location of the Tumor/Lesion", codelist=terms.LOCATIONS),
    Variable("TUMETHOD", "Method of Identification", codelist=terms.METHODS),
    exposure_flag("TU"),
    Variable("TUEVAL", "Evaluator", codelist=terms.EVALUATORS, comment="Whose measurement found the lesion"),
    Variable("TUEVALID", "Evaluator Identifier", origin=Origin.COLLECTED, codelist=terms.EVALUATOR_IDS,
             comment="Name of the reader in the caliper file, or of the network"),
    *timing("TU", "Tumor/Lesion Identification", "Date of the scan, as in the image"),
)  # fmt: skip


def longest_plane(measured: LesionMeasurement) -> PlaneMeasurement | None:
    """The plane whose long axis is the lesion's longest diameter."""
    longest = measured.longest_diameter_mm.value
    return next((plane for plane in measured.planes if plane.long_axis_mm.value == longest), None)


def scan_date(course: Course, visit: str, image: str | None, dates: Mapping[str, date]) -> date | None:
    """Date of the scan: of the image where one is named and dated, else of the visit."""
    return dates.get(image or "") or course.date(visit)


EXTRAS = {"TUPAIRCF": "Confidence of the Automatic Pairing"}


def lesions_domain() -> Domain:
    """TU and SUPPTU, without records."""
    return Domain(
        "TU", "Tumor/Lesion Identification", structure="One record per lesion or location of interest per subject",
        keys=KEYS, variables=VARIABLES, labels=EXTRAS,
    )  # fmt: skip


def lesion_records(
    course: Course, *, study: str, people: terms.Evaluator, dates: Mapping[str, date]
) -> Iterator[Record]:
    """The lesions of one subject, and its liver. ``dates`` are scan dates by SOPInstanceUID."""
    for lesion, result in course.lesions.items():
        found = course.identified(lesion)
        visit = found.visit if found else course.first(lesion)
        descent = course.descents.get(lesion)
        row = _common(course, found, visit, study, people, dates) | {
            "TUGRPID": descent.group if descent else None,
            "TUSPID": lesion,
            "TULNKID": course.link(lesion),
            **_test(descent.test if descent else "LESIDENT"),
            "TUORRES": result,
            "TUSTRESC": result,
        }
        sure = descent.confidence if descent else None
        yield row, [] if sure is None else [Extra("TUPAIRCF", text(sure))]
    if course.liver:
        organ = min(course.liver, key=lambda m: course.order(m.visit))
        row = _common(course, organ, organ.visit, study, people, dates) | {
            "TUSPID": organ.lesion,
            "TULNKID": LIVER_LINK,
            **_test("LESIDENT"),
            "TUORRES": terms.LOCATION,
            "TUSTRESC": terms.LOCATION,
        }
        yield row, []


def _common(
    course: Course,
    found: LesionMeasurement | None,
    visit: str,
    study: str,
    people: terms.Evaluator,
    dates: Mapping[str, date],
) -> dict[str, Value]:
    """What a record says of where and by whom something was found; ``found`` None: it was never measured."""
    plane = longest_plane(found) if found else None
    image = plane.sop_instance_uid if plane else None
    return {
        "STUDYID": study,
        "DOMAIN": "TU",
        "USUBJID": course.usubjid,
        "TUREFID": image,
        "TULOC": "LIVER",
        "TUMETHOD": "ULTRASOUND",
        "TUEVAL": terms.evaluator_of(frozenset({found.source}), people) if found else None,
        "TUEVALID": found.reader if found else None,
        **visit_values(visit, scan_date(course, visit, image, dates), "TU", course),
    }


def _test(test: str) -> dict[str, Value]:
    return {"TUTESTCD": test, "TUTEST": terms.IDENTIFICATIONS[test]}
