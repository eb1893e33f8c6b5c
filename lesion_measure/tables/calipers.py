"""A reader's calipers, from CSV, an .xlsx workbook or JSON.

A row is one line drawn on one frame of one image, or a statement: that a lesion is absent there, that its size is not
told, or that the image shows none. CSV columns (JSON: an
object ``{"calipers": [...]}`` with the same keys)::

    image      file, relative to the input or to the caliper file, or a SOPInstanceUID
    frame      1-based frame number; empty means 1
    lesion     the reader's name for the lesion, the same in every plane and at every visit; empty for no_lesion
    plane      transverse | sagittal | coronal | oblique | unknown; empty or left out means unknown
    axis       long | short | absent | outline | not_assessable | no_lesion
    start_col, start_row, end_col, end_row
               end points in pixels, pixel centres at integers, upper left pixel (0, 0);
               empty but for long and short
    reader     who placed it
    mask       for outline: a PNG or volume file (`MASK_SUFFIXES`) on the image's own grid, 0 outside;
               beside the caliper file or below it
    contour    for outline, instead of a mask: its points in pixels, ``col row;col row;...`` (`tables.contours`)
    reason     for not_assessable: why the image does not tell the lesion's size
    length_mm  for long and short: the length that a viewer stated, a cross-check alone

Whether the points lie in the image and in one calibrated region is checked where they are measured (`image.read`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lesion_measure.errors import TableError
from lesion_measure.files.reading import parse_json, read_regular
from lesion_measure.records import Axis, Caliper, Plane, Point
from lesion_measure.spelling import nearest, nfc, or_meant, unprintable
from lesion_measure.tables.cells import check_points, why_no_number, why_not_typed
from lesion_measure.tables.contours import contour_points
from lesion_measure.tables.rows import column_names, columns_of, read_table, without_apostrophe

REQUIRED = ("image", "lesion", "axis", "start_col", "start_row", "end_col", "end_row", "reader")
OPTIONAL = ("frame", "plane", "mask", "contour", "reason")
LENGTH = "length_mm"
TRACED = (
    "subject", "visit", "path", LENGTH, "source", "source_path", "source_item", "object_uid", "tracking_uid",
    "tracking_identifier", "stated", "stated_mm",
)  # fmt: skip
"""Columns that a run writes beside these, so that its table can be corrected and given back.

Nobody reads them, but for the length where no ``source`` says that a run wrote it: where ends were corrected, a run's
own length is that of the ends before.
"""
MASK_SUFFIXES = (".png", ".nrrd", ".nii", ".nii.gz", ".mha")
POINTS = ("start_col", "start_row", "end_col", "end_row")
MAX_JSON_BYTES = 50_000_000
_MOST_COLUMNS = 6
"""So many of `REQUIRED` no other table has by chance."""
_MAX_PATH = 4096
_MOST_PIXELS = 65_535
_MAX_REASON = 2100
_MOST_START = 4096
TABLES = (".csv", ".tsv", ".txt", ".xlsx")
"""Names that tables end with, where they are looked for."""
MAYBE_TABLES = (*TABLES, ".xls")
_NO_TABLES = ("~$", "._")
"""How names begin of what a spreadsheet keeps while a table is open, and macOS on other systems' disks."""
_FRAME = re.compile(r"[0-9]{1,9}")


def read_calipers(path: Path) -> tuple[Caliper, ...]:
    """Read a caliper file; ``.json`` is JSON, anything else a table (`tables.rows`).

    Raises
    ------
    TableError
        The file cannot be read, or a row is not a caliper; names the line (CSV) or the number of the entry (JSON).
    """
    if path.suffix.lower() == ".json":
        entries = list(enumerate(_json_rows(path), start=1))
        ends = [
            (key, each.get(key), number) for number, each in entries if _is_line(each.get("axis")) for key in POINTS
        ]
        _check_points([(key, text.strip(), at) for key, text, at in ends if isinstance(text, str)], path, "Entry")
        return tuple(_caliper(_Entry(each, number, path)) for number, each in entries)
    # a subject code such as MAR-12 looks like a day, and stands in a column that nobody reads
    rows = read_table(path, required=REQUIRED, optional=(*OPTIONAL, *TRACED), dates=TRACED)
    _check_points([(key, row[key], row.line) for row in rows if _is_line(row["axis"]) for key in POINTS], path, "Line")
    return tuple(_caliper(_Entry(row.values, row.line, path)) for row in rows)


def _is_line(axis: object) -> bool:
    """Whether the axis of an entry says that it is a line, which has ends."""
    return str(axis).strip().lower() in (Axis.LONG, Axis.SHORT)


def _check_points(texts: Iterable[tuple[str, str, int]], path: Path, place: str) -> None:
    """Refuse ends that may be thousands. ``texts``: column, text and place of each; numbers of JSON are in no doubt."""
    ends = [(key, without_apostrophe(text), at) for key, text, at in texts]
    check_points(ends, _MOST_PIXELS, str(path), place=place)


def are_columns(names: Collection[str]) -> bool:
    """Whether these are the columns of calipers, or shall be: most have the right name."""
    return len(set(REQUIRED) & set(names)) >= _MOST_COLUMNS


def holds_calipers(path: Path) -> bool:
    """Whether a file is or shall be a caliper table, by most of its columns, or JSON of calipers by its beginning."""
    if not path.name.lower().endswith((*TABLES, ".json")):
        return False
    if not path.name.lower().endswith(".json"):
        try:
            return any(are_columns(names) for names in column_names(path))
        except TableError:
            return False
    try:
        return _is_json_of_calipers(read_regular(path, MAX_JSON_BYTES))
    except OSError:
        return False


def may_be_table(name: str, endings: Collection[str] = (*MAYBE_TABLES, ".json")) -> bool:
    """Whether a file is called as tables are; what spreadsheets and macOS keep beside them is none."""
    return name.lower().endswith(tuple(endings)) and not name.startswith(_NO_TABLES)


def are_calipers(data: bytes, name: str) -> bool:
    """As `holds_calipers`, of what a file of this name holds: all of a workbook, of a text or JSON the beginning.

    Raises
    ------
    TableError
        It is an old, a damaged or a protected workbook, so nobody knows.
    """
    if name.lower().endswith(".json"):
        return _is_json_of_calipers(data)
    return any(are_columns(names) for names in columns_of(data, name))


def _is_json_of_calipers(data: bytes) -> bool:
    start = data[:_MOST_START]
    return start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and b'"calipers"' in start


def _json_rows(path: Path) -> list[Mapping[str, Any]]:
    try:
        data = parse_json(read_regular(path, MAX_JSON_BYTES))
    except OSError as error:
        raise TableError(f"The caliper file cannot be read ({error.strerror}).", path=path.name) from error
    except ValueError as error:
        remedy = "Mend it, or take it out of the folder if it holds no calipers."
        raise TableError(f"The caliper file is not valid JSON: {error}.", remedy=remedy, path=path.name) from error
    rows = data.get("calipers") if isinstance(data, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise TableError('The caliper file must hold {"calipers": [{...}, ...]}.', path=path.name)
    for number, row in enumerate(rows, start=1):
        keys = (*REQUIRED, *OPTIONAL, LENGTH)
        if unknown := [key for key in row if key not in keys]:
            left = [key for key in keys if key not in row]
            raise TableError(
                f"Entry {number}: key '{unknown[0][:80]}' is not known{or_meant(unknown[0][:80], left)}",
                remedy="'lesion-measure help calipers' describes the keys.",
                path=path.name,
            )
    return rows


@dataclass(frozen=True, slots=True)
class _Entry:
    """One line of a CSV or entry of a JSON file, read cell by cell; every complaint names it."""

    cells: Mapping[str, Any]
    number: int
    path: Path

    def fail(self, reason: str, remedy: str = "'lesion-measure help calipers' describes the columns.") -> TableError:
        kind = "Entry" if self._is_json() else "Line"
        return TableError(f"{kind} {self.number}: {reason}.", remedy=remedy, path=self.path.name)

    def text(self, key: str, default: str = "") -> str:
        value = self.cells.get(key)
        if isinstance(value, bool) or not isinstance(value, str | int | float | None):
            raise self.fail(f"'{key}' is neither text nor a number")
        text = without_apostrophe(nfc(str(value if value is not None else "").strip())).strip() or default
        if not text:
            raise self.fail(f"'{key}' is empty")
        return text

    def _is_json(self) -> bool:
        return self.path.suffix.lower() == ".json"

    def filled(self, key: str) -> bool:
        value = self.cells.get(key)
        return value is not None and str(value).strip() != ""

    def name(self, key: str, longest: int = 64) -> str:
        if isinstance(self.cells.get(key), float):
            raise self.fail(f"'{key}' is not text: {str(self.cells[key])[:64]}")
        value = self.text(key)
        if len(value) > longest or not value.isprintable():
            raise self.fail(f"'{key}' is not printable text of at most {longest} characters{unprintable(value)}")
        as_given = str(self.cells.get(key)).strip()
        if self._is_json() and key != "image" and (why := why_not_typed(as_given)) is not None:
            raise self.fail(f"'{key}' {why[0]}", why[1])
        return value

    def reason(self) -> str:
        value = self.text("reason")
        if len(value) > _MAX_REASON or not value.isprintable():
            raise self.fail(f"'reason' is not printable text of at most {_MAX_REASON} characters{unprintable(value)}")
        return value

    def contour(self) -> tuple[Point, ...]:
        try:
            return contour_points(self.text("contour"))
        except TableError as error:
            raise self.fail(f"'contour' {error.reason}") from error

    def mask(self) -> Path:
        """The mask file of a row, at or below the folder of the caliper file."""
        name = self.name("mask", _MAX_PATH).replace("\\", "/")
        folder = self.path.parent.resolve()
        try:
            found = (folder / name).resolve()
        except (OSError, RuntimeError, ValueError) as error:
            raise self.fail("'mask' is no path") from error
        if not found.is_relative_to(folder):
            raise self.fail("'mask' lies outside of the caliper file's folder")
        if not found.name.lower().endswith(MASK_SUFFIXES):
            raise self.fail(
                f"'mask' is {found.name[:64]!r}, none of {', '.join(MASK_SUFFIXES)}",
                "Save the mask as PNG, or as one NRRD, NIfTI or MetaImage file.",
            )
        return found

    def decimal(self, key: str) -> float:
        value = self.text(key)
        if (why := why_no_number(value)) is not None:  # float() alone would also take 1_0, or digits of other scripts
            raise self.fail(f"'{key}' {why[0]}: {value[:64]!r}", why[1])
        if not math.isfinite(float(value)):
            raise self.fail(f"'{key}' is not finite")
        return float(value)

    def frame(self) -> int:
        value = self.text("frame", default="1")
        if not _FRAME.fullmatch(value) or int(value) < 1:
            raise self.fail(f"'frame' is {value[:64]!r}, not a frame number from 1 up")
        return int(value)

    def word(self, key: str, kind: type[Plane] | type[Axis], default: str = "") -> str:
        value = self.text(key, default=default).lower()
        if value not in set(kind):
            near = nearest(value[:64], kind)
            meant = f" (did you mean '{near}'?)" if near else ""
            raise self.fail(f"'{key}' is {value[:64]!r}, not one of {', '.join(kind)}{meant}")
        return value


def _caliper(entry: _Entry) -> Caliper:
    axis = Axis(entry.word("axis", Axis))
    start: Point | None = None
    end: Point | None = None
    if axis in (Axis.LONG, Axis.SHORT):
        start = (entry.decimal("start_row"), entry.decimal("start_col"))
        end = (entry.decimal("end_row"), entry.decimal("end_col"))
        if start == end:
            raise entry.fail("the caliper has no length: both ends are the same point")
    elif filled := [key for key in POINTS if entry.filled(key)]:
        raise entry.fail(f"an '{axis}' row has no end points, and '{filled[0]}' is filled")
    for column, owner in (("mask", Axis.OUTLINE), ("contour", Axis.OUTLINE), ("reason", Axis.NOT_ASSESSABLE)):
        if axis is not owner and entry.filled(column):
            raise entry.fail(f"only an '{owner}' row has a {column}, and this '{axis}' row names one")
    if axis is Axis.NO_LESION and (entry.filled("lesion") or entry.frame() != 1):
        raise entry.fail("a 'no_lesion' row is about the whole image: it names no lesion and no frame")
    has_contour = entry.filled("contour")
    if has_contour and entry.filled("mask"):
        raise entry.fail("an outline is given by a mask or by a contour, and this row has both")
    return Caliper(
        image=entry.name("image", _MAX_PATH),
        frame=entry.frame(),
        lesion="" if axis is Axis.NO_LESION else entry.name("lesion"),
        plane=Plane(entry.word("plane", Plane, default=Plane.UNKNOWN)),
        axis=axis,
        start=start,
        end=end,
        reader=entry.name("reader"),
        row_number=entry.number,
        mask=entry.mask() if axis is Axis.OUTLINE and not has_contour else None,
        contour=entry.contour() if has_contour else (),
        reason=entry.reason() if axis is Axis.NOT_ASSESSABLE else "",
        stated_mm=_stated_mm(entry, axis),
    )


def _stated_mm(entry: _Entry, axis: Axis) -> str:
    """The length that a row states itself, as it stands there; empty where there is none to hold against its ends."""
    if not entry.filled(LENGTH) or entry.filled("source") or axis is Axis.OUTLINE:
        return ""
    stated = entry.decimal(LENGTH)
    if axis in (Axis.LONG, Axis.SHORT):
        return entry.text(LENGTH)
    if stated != 0:
        raise entry.fail(f"an '{axis}' row has no length, and '{LENGTH}' is {stated:g}")
    return ""
