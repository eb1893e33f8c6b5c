"""SDTM TU: which lesions there are. One record a lesion; what is measured of it stands in TR under the same TRLNKID."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from lesion_measure.cdisc import terms
from lesion_measure.cdisc.course import Course
from lesion_measure.cdisc.dataset import Dataset, Origin, Value, Variable, numbered
from lesion_measure.cdisc.variables import baseline_flag, baseline_flags, identifiers, timing, visit_values
from lesion_measure.records import Visit
from lesion_measure.results import LesionResult, PlaneResult

KEYS = ("STUDYID", "USUBJID", "TULNKID")
VARIABLES = (
    *identifiers("TU"),
    Variable("TUREFID", "Reference ID", origin=Origin.COLLECTED, comment="SOP Instance UID of the image"),
    Variable("TULNKID", "Link ID", origin=Origin.COLLECTED, comment="Name of the lesion, the same in TR"),
    Variable("TUTESTCD", "Tumor/Lesion ID Short Name", codelist=terms.LESION_TESTS),
    Variable("TUTEST", "Tumor/Lesion ID Test Name", codelist=terms.LESION_TEST_NAMES),
    Variable("TUORRES", "Tumor/Lesion ID Result", origin=Origin.ASSIGNED, codelist=terms.LESION_RESULTS,
             comment="From the visits at which the lesion was measured, refused or stated to be absent"),
    Variable("TUSTRESC", "Tumor/Lesion ID Result Std. Format", codelist=terms.LESION_RESULTS),
    Variable("TULOC", "Location of the Tumor/Lesion", codelist=terms.LOCATIONS),
    Variable("TUMETHOD", "Method of Identification", codelist=terms.METHODS),
    *baseline_flags("TU"),
    Variable("TUEVAL", "Evaluator", codelist=terms.EVALUATORS, comment="Whose measurement found the lesion"),
    Variable("TUEVALID", "Evaluator Identifier", origin=Origin.COLLECTED, codelist=terms.EVALUATOR_IDS,
             comment="Name of the reader in the caliper file, or of the network"),
    *timing("TU", "Tumor/Lesion Identification", "Date of the scan, as in the image"),
)  # fmt: skip


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
                    "TUBLFL": baseline_flag(visit),
                    "TUEVAL": terms.evaluator_of(frozenset({found.source}), people) if found else None,
                    "TUEVALID": found.reader if found else None,
                    **visit_values(visit, scan_date(course, visit, image, dates), "TU", course),
                }
            )
    numbered(rows, KEYS, "TUSEQ")
    return Dataset(
        name="TU",
        label="Tumor/Lesion Identification",
        standard=terms.SDTM,
        structure="One record per lesion per subject",
        keys=KEYS,
        variables=VARIABLES,
        rows=tuple(rows),
    )
