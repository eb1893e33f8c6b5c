"""SDTM TU: which lesions there are. One record a lesion; what is measured of it stands in TR under the same TRLNKID."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from lesion_measure.cdisc import terms
from lesion_measure.cdisc.course import Course
from lesion_measure.cdisc.dataset import Dataset, Kind, Origin, Value, Variable, numbered, study_day
from lesion_measure.records import Visit
from lesion_measure.results import LesionResult, PlaneResult

DAY = "Day 1 is the date of the baseline scan, the day before is -1. Derive it anew where DM.RFSTDTC is another date"
NO_EXPOSURE = "Empty: the date of first exposure is not among the results"

VARIABLES = (
    Variable("STUDYID", "Study Identifier", origin=Origin.PROTOCOL, comment="As given with --study"),
    Variable("DOMAIN", "Domain Abbreviation"),
    Variable("USUBJID", "Unique Subject Identifier", comment="STUDYID, a hyphen and the subject code of the images"),
    Variable("TUSEQ", "Sequence Number", Kind.INTEGER, Origin.DERIVED),
    Variable("TUREFID", "Reference ID", origin=Origin.COLLECTED, comment="SOP Instance UID of the image"),
    Variable("TULNKID", "Link ID", origin=Origin.COLLECTED, comment="Name of the lesion, the same in TR"),
    Variable("TUTESTCD", "Tumor/Lesion ID Short Name", codelist=terms.LESION_TESTS),
    Variable("TUTEST", "Tumor/Lesion ID Test Name", codelist=terms.LESION_TEST_NAMES),
    Variable("TUORRES", "Tumor/Lesion ID Result", origin=Origin.ASSIGNED, codelist=terms.LESION_RESULTS,
             comment="From the visits at which the lesion was measured, refused or stated to be absent"),
    Variable("TUSTRESC", "Tumor/Lesion ID Result Std. Format", codelist=terms.LESION_RESULTS),
    Variable("TULOC", "Location of the Tumor/Lesion", codelist=terms.LOCATIONS),
    Variable("TUMETHOD", "Method of Identification", codelist=terms.METHODS),
    Variable("TULOBXFL", "Last Observation Before Exposure Flag", origin=Origin.NOT_AVAILABLE, comment=NO_EXPOSURE,
             codelist=terms.YES_NO),
    Variable("TUBLFL", "Baseline Flag", origin=Origin.DERIVED, comment="Y at the baseline visit",
             codelist=terms.YES_NO),
    Variable("TUEVAL", "Evaluator", codelist=terms.EVALUATORS, comment="Whose measurement found the lesion"),
    Variable("TUEVALID", "Evaluator Identifier", origin=Origin.COLLECTED, codelist=terms.EVALUATOR_IDS,
             comment="Name of the reader in the caliper file, or of the network"),
    Variable("VISITNUM", "Visit Number", Kind.INTEGER, comment="Number of VISIT"),
    Variable("VISIT", "Visit Name", codelist=terms.VISIT_NAMES),
    Variable("TUDTC", "Date/Time of Tumor/Lesion Identification", Kind.ISO_DATE, Origin.COLLECTED,
             "Date of the scan, as in the image"),
    Variable("TUDY", "Study Day of Tumor/Lesion Identification", Kind.INTEGER, Origin.DERIVED, DAY),
)  # fmt: skip


def visit_values(course: Course, visit: Visit, day: date | None, domain: str) -> dict[str, Value]:
    """The timing variables that TU, TR and RS share."""
    number, name = terms.VISITS[visit]
    return {
        "VISITNUM": number,
        "VISIT": name,
        f"{domain}DTC": day.isoformat() if day else None,
        f"{domain}DY": study_day(day, course.reference),
    }


def longest_plane(measured: LesionResult) -> PlaneResult | None:
    """The plane whose long axis is the lesion's longest diameter."""
    longest = measured.longest_diameter_mm.value
    return next((plane for plane in measured.planes if plane.long_axis_mm.value == longest), None)


def scan_date(course: Course, visit: Visit, image: str | None, dates: Mapping[str, date]) -> date | None:
    """Date of the scan: of the image where one is named and dated, else of the visit."""
    return dates.get(image or "") or course.date(visit)


def lesions_dataset(
    courses: list[Course], *, study: str, people: terms.Evaluator, dates: Mapping[str, date]
) -> Dataset:
    """TU of every subject. ``dates`` are scan dates by SOPInstanceUID."""
    rows: list[dict[str, Value]] = []
    for course in courses:
        for lesion, result in course.lesions.items():
            found = course.identified(lesion)
            visit = found.visit if found else course.first(lesion)
            plane = longest_plane(found) if found else None
            image = plane.sop_instance_uid if plane else None
            rows.append(
                {
                    "STUDYID": study,
                    "DOMAIN": "TU",
                    "USUBJID": course.usubjid,
                    "TUREFID": image,
                    "TULNKID": lesion,
                    "TUTESTCD": "LESIDENT",
                    "TUTEST": "Lesion Identification",
                    "TUORRES": result,
                    "TUSTRESC": result,
                    "TULOC": "LIVER",
                    "TUMETHOD": "ULTRASOUND",
                    "TUBLFL": "Y" if visit is Visit.BASELINE else None,
                    "TUEVAL": terms.evaluator_of(frozenset({found.source}), people) if found else None,
                    "TUEVALID": found.reader if found else None,
                    **visit_values(course, visit, scan_date(course, visit, image, dates), "TU"),
                }
            )
    numbered(rows, "TUSEQ")
    return Dataset(
        name="TU",
        label="Tumor/Lesion Identification",
        standard=terms.SDTM,
        structure="One record per lesion per subject",
        keys=("STUDYID", "USUBJID", "TULNKID"),
        variables=VARIABLES,
        rows=tuple(rows),
    )
