"""The result tables as CSV: comma separated, UTF-8, a header line, decimal points, empty where there is no value.

Text that comes from files may begin with a character that a spreadsheet takes for a formula; such a cell gets a leading
apostrophe (OWASP, CSV injection). Columns are described in ``docs/results.md``.
"""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lesion_measure.config import Config, significant
from lesion_measure.files.writing import replacing
from lesion_measure.records import (
    BASELINE,
    Body,
    Change,
    LesionMeasurement,
    LesionStatus,
    Naming,
    PlaneMeasurement,
    Point,
    Quantity,
    SubjectResult,
)
from lesion_measure.report.traced import CALIPER_COLUMNS, caliper_rows
from lesion_measure.report.words import finite
from lesion_measure.results import ListedRefusal
from lesion_measure.tables.rows import guarded

Cell = str | int | float | bool | None
Row = Mapping[str, Cell]


@dataclass(frozen=True, slots=True)
class Table:
    """Columns in their order, and rows that hold what is known. The rows can be read once."""

    columns: tuple[str, ...]
    rows: Iterable[Row]


def _quantity_columns(name: str, unit: str) -> tuple[str, ...]:
    return (f"{name}_{unit}", f"{name}_sd_{unit}", f"{name}_ci95_low_{unit}", f"{name}_ci95_high_{unit}")


def _axis_columns(name: str) -> tuple[str, ...]:
    return tuple(f"{name}_{end}_{direction}_px" for end in ("start", "end") for direction in ("row", "column"))


MEASUREMENT_COLUMNS: tuple[str, ...] = (
    "subject", "visit", "visit_date", "lesion", "level", "plane", "plane_source", "present", "source", "way", "reader",
    "named_by", "pairing_confidence", "confidence",
    *_quantity_columns("long_axis", "mm"),
    *_quantity_columns("short_axis", "mm"),
    *_quantity_columns("third_diameter", "mm"),
    *_quantity_columns("area", "mm2"),
    *_quantity_columns("perimeter", "mm"),
    *_quantity_columns("volume", "ml"),
    *_quantity_columns("longest_3d_diameter", "mm"),
    *_quantity_columns("second_3d_axis", "mm"),
    *_quantity_columns("third_3d_axis", "mm"),
    "volume_method", "volume_sources", "short_axis_source", "outline_source", "outline_model", "outline_long_axis_mm",
    "outline_width_mm", "outline_width_sd_mm", "difference_mm", "difference_percent", "path", "frame",
    "sop_instance_uid", "study_instance_uid", "spacing_row_mm", "spacing_column_mm", "calibration_source",
    *_axis_columns("long_axis"),
    *_axis_columns("short_axis"),
    "warnings",
)  # fmt: skip

CHANGE_COLUMNS: tuple[str, ...] = (
    "subject", "lesion", "level", "metric", "primary", "visit", "baseline_date", "visit_date", "days", "unit",
    "baseline", "baseline_sd", "baseline_ci95_low", "baseline_ci95_high",
    "followup", "followup_sd", "followup_ci95_low", "followup_ci95_high",
    "absolute", "percent", "percent_ci95_low", "percent_ci95_high", "exceeds_error", "pairing_confidence",
    "volume_method", "nadir", "percent_from_nadir",
    "response_rule", "response", "response_certain", "excluded", "warnings",
)  # fmt: skip

LESION_COLUMNS: tuple[str, ...] = (
    "subject", "lesion", "visit", "fate", "others", "named_by", "pairing_confidence", "needs_check", "explanation",
)  # fmt: skip

REFUSAL_COLUMNS: tuple[str, ...] = (
    "kind", "code", "reason", "remedy", "path", "sop_instance_uid", "subject", "visit", "lesion",
)  # fmt: skip


CHILD_TABLES = {
    "measurements": MEASUREMENT_COLUMNS,
    "lesions": LESION_COLUMNS,
    "changes": CHANGE_COLUMNS,
    "calipers": CALIPER_COLUMNS,
}
"""The tables that are made child by child, and their columns."""


def tables(subjects: Iterable[SubjectResult], refusals: Iterable[ListedRefusal], config: Config) -> dict[str, Table]:
    """The tables of a run by name, which is that of the file without ``.csv``."""
    children = list(subjects)
    return child_tables(children, config) | {"refusals": Table(REFUSAL_COLUMNS, refusal_rows(refusals))}


def child_tables(subjects: Sequence[SubjectResult], config: Config) -> dict[str, Table]:
    """What the tables of a run say of these children."""
    return {
        "measurements": Table(MEASUREMENT_COLUMNS, measurement_rows(subjects)),
        "lesions": Table(LESION_COLUMNS, lesion_rows(subjects)),
        "changes": Table(CHANGE_COLUMNS, change_rows(subjects, config)),
        "calipers": Table(CALIPER_COLUMNS, caliper_rows(subjects)),
    }


def records(table: Table) -> list[dict[str, Cell]]:
    """The rows with every column, None where the file is empty. Numbers are the file's, texts are not made safe."""
    return [{name: rounded(row.get(name)) for name in table.columns} for row in table.rows]


def write_csv(path: Path, columns: tuple[str, ...], rows: Iterable[Row]) -> None:
    """Write rows under the named columns; a row holds only what it knows, the rest stays empty."""
    with replacing(path) as stream:
        stream.writelines(csv_lines(Table(columns, rows)))


def csv_text(table: Table) -> str:
    """A table as `write_csv` writes it."""
    return "".join(csv_lines(table))


def without_header(table: Table) -> str:
    """The rows of a table as `write_csv` writes them."""
    return "".join(itertools.islice(csv_lines(table), 1, None))


def is_table_text(columns: Sequence[str], text: object) -> bool:
    """Whether a text is rows of these columns as `write_csv` writes them: of text alone that no spreadsheet runs."""
    if not isinstance(text, str):
        return False
    again = io.StringIO()
    writer = csv.writer(again, lineterminator="\n")
    for row in csv.reader(io.StringIO(text)):
        odd = [cell for cell in row if cell and not cell[0].isalnum()]  # an empty one is no formula, nor are others
        if len(row) != len(columns) or any(cell != guarded(cell) and not is_number(cell) for cell in odd):
            return False
        writer.writerow(row)
    return again.getvalue() == text


def is_number(cell: str) -> bool:
    """Whether a cell is a number, which may begin with a minus."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def csv_lines(table: Table) -> Iterator[str]:
    """The same line by line, as the rows come: all of them may be more than fit into memory."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, table.columns, restval="", extrasaction="raise", lineterminator="\n")
    writer.writeheader()
    yield stream.getvalue()
    for row in table.rows:
        stream.seek(0)
        stream.truncate()
        writer.writerow({name: safe_cell(value) for name, value in row.items()})
        yield stream.getvalue()


def safe_cell(value: Cell) -> str:
    """One cell as text: no NaN or infinity, true/false in lower case, and no text that starts a formula."""
    if value is None:
        return ""
    if isinstance(value, float):
        number = rounded(value)
        return "" if number is None else repr(number)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return guarded(value if value.isprintable() else "".join(c if c.isprintable() else " " for c in value))


def rounded(value: Cell) -> Cell:
    """A cell with the digits that `significant` keeps of a number; None for NaN and infinity."""
    if not isinstance(value, float):
        return value
    number = finite(float(value))
    return None if number is None else significant(number)


def measurement_rows(subjects: Iterable[SubjectResult]) -> Iterator[Row]:
    """One row per lesion and visit, then one per plane of it, then one per measurement that was not chosen."""
    for subject in subjects:
        for measured in subject.lesions:
            common = {
                "subject": subject.subject,
                "visit": measured.visit,
                "visit_date": _date(subject, measured.visit),
                "lesion": measured.lesion,
            }
            yield common | _lesion_cells(measured)
            for plane in measured.planes:
                yield common | _plane_cells(plane)
            for other in measured.alternatives:
                yield common | {
                    "level": "alternative",
                    "plane": other.plane.value,
                    "source": other.source.value,
                    "reader": other.reader,
                    "difference_mm": other.difference_mm,
                    "difference_percent": other.difference_percent,
                    **_quantity_cells("long_axis", "mm", other.long_axis_mm),
                }


def _lesion_cells(measured: LesionMeasurement) -> dict[str, Cell]:
    return {
        "level": "lesion",
        "present": measured.present,
        "source": measured.source.value,
        "way": measured.way.value,
        "reader": measured.reader,
        **_naming_cells(measured.naming),
        "volume_method": measured.volume_method.value if measured.volume_method else None,
        "volume_sources": "; ".join(measured.volume_sources),
        "short_axis_source": measured.short_axis_source,
        "warnings": "; ".join(measured.warnings),
        **_quantity_cells("long_axis", "mm", measured.longest_diameter_mm),
        **_quantity_cells("short_axis", "mm", measured.short_axis_mm),
        **_quantity_cells("third_diameter", "mm", measured.third_diameter_mm),
        **_quantity_cells("volume", "ml", measured.volume_ml),
        **_body_cells(measured.body),
    }


def _naming_cells(naming: Naming) -> dict[str, Cell]:
    return {"named_by": naming.by.value, "pairing_confidence": naming.confidence}


def _body_cells(body: Body | None) -> dict[str, Cell]:
    names = ("longest_3d_diameter", "second_3d_axis", "third_3d_axis")
    axes = body.axes_mm if body else (None, None, None)
    cells: dict[str, Cell] = {}
    for name, axis in zip(names, axes, strict=True):
        cells |= _quantity_cells(name, "mm", axis)
    return cells


def _plane_cells(plane: PlaneMeasurement) -> dict[str, Cell]:
    return {
        "level": "plane",
        "plane": plane.plane.value,
        "plane_source": plane.plane_source,
        "present": True,
        "source": plane.source.value,
        "way": plane.way.value,
        "reader": plane.reader,
        **_naming_cells(plane.naming),
        "short_axis_source": plane.short_axis_source,
        "outline_source": plane.outline_source,
        "confidence": None if plane.confidence is None else float(plane.confidence),
        "path": plane.path,
        "frame": plane.frame,
        "sop_instance_uid": plane.sop_instance_uid,
        "study_instance_uid": plane.study_instance_uid,
        "spacing_row_mm": float(plane.spacing_mm[0]),
        "spacing_column_mm": float(plane.spacing_mm[1]),
        "calibration_source": plane.calibration_source,
        "warnings": "; ".join(plane.warnings),
        **_quantity_cells("long_axis", "mm", plane.long_axis_mm),
        **_quantity_cells("short_axis", "mm", plane.short_axis_mm),
        **_quantity_cells("area", "mm2", plane.area_mm2),
        **_quantity_cells("perimeter", "mm", plane.perimeter_mm),
        **_quantity_cells("volume", "ml", plane.volume_ml),
        **_body_cells(plane.body),
        **_axis_cells("long_axis", plane.long_axis_px),
        **_axis_cells("short_axis", plane.short_axis_px),
        **_prompted_cells(plane),
    }


def _prompted_cells(plane: PlaneMeasurement) -> dict[str, Cell]:
    outline = plane.prompted
    if outline is None:
        return {}
    return {
        "outline_model": outline.model,
        "outline_long_axis_mm": float(outline.long_axis_mm),
        "outline_width_mm": float(outline.width_mm.value),
        "outline_width_sd_mm": float(outline.width_mm.sd),
    }


def _quantity_cells(name: str, unit: str, quantity: Quantity | None) -> dict[str, Cell]:
    values: tuple[Cell, ...] = (None, None, None, None)
    if quantity is not None:
        values = _spread(quantity)
    return dict(zip(_quantity_columns(name, unit), values, strict=True))


def _spread(quantity: Quantity) -> tuple[Cell, ...]:
    if not quantity.has_interval:
        return (float(quantity.value), None, None, None)
    return (float(quantity.value), float(quantity.sd), *map(float, quantity.ci95))


def _axis_cells(name: str, ends: tuple[Point, Point] | None) -> dict[str, Cell]:
    if ends is None:
        return {}
    return dict(zip(_axis_columns(name), (float(number) for end in ends for number in end), strict=True))


def lesion_rows(subjects: Iterable[SubjectResult]) -> Iterator[Row]:
    """One row per lesion: what became of it from baseline to a later visit, and who or what says so."""
    for subject in subjects:
        yield from (_lesion_row(subject.subject, status) for status in subject.statuses)


def _lesion_row(subject: str, status: LesionStatus) -> Row:
    return {
        "subject": subject,
        "lesion": status.lesion,
        "visit": status.visit,
        "fate": status.fate.value,
        "others": "; ".join(status.others),
        **_naming_cells(status.naming),
        "needs_check": status.needs_check,
        "explanation": status.explanation,
    }


def change_rows(subjects: Iterable[SubjectResult], config: Config) -> Iterator[Row]:
    """One row per change: of each lesion, and of the subject (empty ``lesion``), which also carries the verdict."""
    for subject in subjects:
        for change in subject.changes:
            yield _change_cells(subject, change, config) | _response_cells(subject, change)


def _change_cells(subject: SubjectResult, change: Change, config: Config) -> dict[str, Cell]:
    first, later = subject.date(BASELINE), subject.date(change.visit)
    low, high = change.percent_ci95 or (None, None)
    names = ("", "_sd", "_ci95_low", "_ci95_high")
    return {
        "subject": subject.subject,
        "lesion": change.lesion,
        "level": "subject" if change.lesion is None else "lesion",
        "metric": change.metric.value,
        "primary": change.metric is config.comparison.primary_metric,
        "visit": change.visit,
        "baseline_date": _date(subject, BASELINE),
        "visit_date": _date(subject, change.visit),
        "days": (later - first).days if first and later else None,
        "unit": change.unit,
        **{f"baseline{name}": value for name, value in zip(names, _spread(change.baseline), strict=True)},
        **{f"followup{name}": value for name, value in zip(names, _spread(change.followup), strict=True)},
        "absolute": float(change.absolute),
        "percent": float(change.percent),
        "percent_ci95_low": low,
        "percent_ci95_high": high,
        "exceeds_error": change.exceeds_error,
        "pairing_confidence": change.pairing_confidence,
        "volume_method": change.volume_method.value if change.volume_method else None,
        "nadir": change.nadir.value if change.nadir else None,
        "percent_from_nadir": change.percent_from_nadir,
        "excluded": "; ".join(subject.excluded),
        "warnings": "; ".join(change.warnings),
    }


def _response_cells(subject: SubjectResult, change: Change) -> dict[str, Cell]:
    response = subject.response
    rests = change.lesion is None and change.visit == subject.primary_visit
    if response is None or not rests or change.metric is not response.metric:
        return {}
    return {
        "response_rule": response.rule,
        "response": response.category,
        "response_certain": response.certain,
    }


def refusal_rows(refusals: Iterable[ListedRefusal]) -> Iterator[Row]:
    """One row per refusal of the run."""
    for refusal in refusals:
        yield {name: getattr(refusal, name) for name in REFUSAL_COLUMNS[1:]} | {"kind": refusal.kind.value}


def _date(subject: SubjectResult, visit: str) -> str | None:
    day = subject.date(visit)
    return day.isoformat() if day else None
