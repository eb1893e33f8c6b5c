"""SDTM LB: AFP and PIVKA-II from the trial's table, which `labs` reads and checks.

A value beyond the limits of its assay keeps its sign in LBORRES and LBSTRESC and has no number.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from lesion_measure.cdisc import terms
from lesion_measure.cdisc.course import Course, Courses
from lesion_measure.cdisc.dataset import Dataset, Origin, Rows, Value, Variable, VariableType, numbered, text
from lesion_measure.cdisc.variables import exposure_flag, identifiers, timing, visit_values
from lesion_measure.errors import TableError
from lesion_measure.report.words import plural
from lesion_measure.results import Results
from lesion_measure.tables.labs import LabValue, Marker, read_labs

_NO_RANGE = "Empty: the table gives no reference range"

KEYS = ("STUDYID", "USUBJID", "LBTESTCD", "VISITNUM")
VARIABLES = (
    *identifiers("LB"),
    Variable("LBTESTCD", "Lab Test or Examination Short Name", codelist=terms.LAB_TESTS),
    Variable("LBTEST", "Lab Test or Examination Name", codelist=terms.LAB_TEST_NAMES),
    Variable("LBCAT", "Category for Lab Test", comment="TUMOR MARKER: sponsor-defined"),
    Variable("LBORRES", "Result or Finding in Original Units", origin=Origin.COLLECTED, comment="Column value"),
    Variable("LBORRESU", "Original Units", origin=Origin.COLLECTED, codelist=terms.UNITS,
             comment="ng/mL is written as CDISC's ug/L, the same number (SDTMIG 3.4, LB assumption 7)"),
    Variable("LBORNRLO", "Reference Range Lower Limit in Orig Unit", origin=Origin.NOT_AVAILABLE, comment=_NO_RANGE),
    Variable("LBORNRHI", "Reference Range Upper Limit in Orig Unit", origin=Origin.NOT_AVAILABLE, comment=_NO_RANGE),
    Variable("LBSTRESC", "Character Result/Finding in Std Format", comment="LBORRES"),
    Variable("LBSTRESN", "Numeric Result/Finding in Standard Units", VariableType.FLOAT,
             comment="LBORRES as a number; empty beyond the limits of the assay"),
    Variable("LBSTRESU", "Standard Units", codelist=terms.UNITS),
    Variable("LBSTNRLO", "Reference Range Lower Limit-Std Units", VariableType.FLOAT, Origin.NOT_AVAILABLE, _NO_RANGE),
    Variable("LBSTNRHI", "Reference Range Upper Limit-Std Units", VariableType.FLOAT, Origin.NOT_AVAILABLE, _NO_RANGE),
    Variable("LBNRIND", "Reference Range Indicator", origin=Origin.NOT_AVAILABLE, comment=_NO_RANGE),
    exposure_flag("LB"),
    *timing("LB", "Specimen Collection", "Column date; never taken from the scan"),
)  # fmt: skip

TESTS = {
    Marker.AFP: ("AFP", "Alpha Fetoprotein", "ug/L"),
    Marker.PIVKA: ("PIVKAII", "Protein Induced by Vitamin K Absence-II", "mAU/mL"),
}
"""LBTESTCD, LBTEST and CDISC's word for the marker's unit, ng/mL or mAU/mL."""


@dataclass(frozen=True, slots=True)
class Laboratory:
    """LB, and what a person should know of the table."""

    dataset: Dataset
    notes: tuple[str, ...]


def laboratory(path: Path, courses: Courses, results: Results, *, study: str) -> Laboratory:
    """LB from the table of laboratory values.

    Raises
    ------
    TableError
        The table cannot be read, or a cell cannot be meant; names the line.
    """
    labs = read_labs(path, results.visit_names)
    ordered = sorted(labs.values.values(), key=lambda value: value.subject)
    rows: list[dict[str, Value]] = []
    for subject, own in groupby(ordered, key=lambda value: value.subject):
        course = courses.of(subject)
        rows += [_row(value, course, study, path) for value in own]
    numbered(rows, KEYS, "LBSEQ")
    dataset = Dataset(
        name="LB",
        label="Laboratory Test Results",
        standard=terms.SDTM,
        structure="One record per laboratory test per visit per subject",
        keys=KEYS,
        variables=VARIABLES,
        rows=Rows((variable.name for variable in VARIABLES), rows),
    )
    notes = [
        f"{path.name}: {test} is left out ({plural(number, 'row')})"
        for test, number in sorted(labs.other_tests.items())
    ]
    scanned = {child.subject for child in results.subjects if child.visits}
    if strange := sorted({value.subject for value in ordered} - scanned):
        notes.append(f"{path.name}: no images of {', '.join(strange)}; their values are exported all the same")
    return Laboratory(dataset, tuple(notes))


def _row(value: LabValue, course: Course, study: str, path: Path) -> dict[str, Value]:
    if value.visit not in course.times:
        raise TableError(
            f"{value.subject} has a value at {value.visit}, and no scan of that day, so the visit has no number.",
            remedy="Write the planned visit that it belongs to, or the day of a scan.",
            path=str(path),
        )
    code, name, unit = TESTS[value.marker]
    result = _result(value)
    return {
        "STUDYID": study,
        "DOMAIN": "LB",
        "USUBJID": course.usubjid,
        "LBTESTCD": code,
        "LBTEST": name,
        "LBCAT": "TUMOR MARKER",
        "LBORRES": result,
        "LBORRESU": unit,
        "LBSTRESC": result,
        "LBSTRESN": value.low if value.measured else None,
        "LBSTRESU": unit,
        **visit_values(value.visit, value.date, "LB", course),
    }


def _result(value: LabValue) -> str:
    """The value with all its digits; with its sign where it is a limit of the assay."""
    if value.measured:
        return text(value.low)
    return f"<{text(value.high)}" if value.low == 0 else f">{text(value.low)}"
