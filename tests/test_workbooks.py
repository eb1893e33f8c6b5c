"""Excel workbooks: what they hold is read as it was meant, and what cannot be meant is refused with its cell."""

from __future__ import annotations

import datetime
import zipfile
from pathlib import Path

import pytest

from lesion_measure.errors import TableError
from lesion_measure.records import BASELINE, Plane
from lesion_measure.tables import workbook as spreadsheet
from lesion_measure.tables.calipers import read_calipers
from lesion_measure.tables.labs import Marker, read_labs
from lesion_measure.tables.manifest import read_manifest
from lesion_measure.tables.rows import read_table
from lesion_measure.tables.subjects import read_subjects
from workbooks import DATE, HOURS, LETTER, TWO_DECIMALS, ZEROS, Cell, styled, workbook

CALIPERS: list[list[Cell]] = [
    ["Image", "Frame", "Lesion", "Axis", "Start Col", "start_row", "end_col", "end_row", "Reader", None],
    ["a/b.dcm", 1, "L1", "long", 301.2, 244.8, 412.90000000000003, 251, "R1"],
    [],
    ["a/b.dcm", None, "L1", "absent", None, None, None, None, "R1"],
]


def test_calipers_with_the_plane_left_out(tmp_path: Path) -> None:
    one, two = read_calipers(workbook(tmp_path / "cal.xlsx", {"Sheet1": CALIPERS}))
    assert (one.image, one.frame, one.lesion, one.plane, one.reader) == ("a/b.dcm", 1, "L1", Plane.UNKNOWN, "R1")
    assert (one.start, one.end) == ((244.8, 301.2), (251.0, 412.90000000000003))
    assert (two.row_number, two.start, two.frame) == (4, None, 1)


def test_the_same_table_from_every_form(tmp_path: Path) -> None:
    book = read_calipers(workbook(tmp_path / "cal.xlsx", {"Sheet1": CALIPERS}))
    rows = [["" if cell is None else str(cell) for cell in row] for row in CALIPERS]
    for name, delimiter, encoding in (
        ("a.csv", ",", "utf-8"), ("b.csv", ";", "utf-8-sig"), ("c.txt", "\t", "utf-16"), ("d.csv", ",", "utf-16-le"),
    ):  # fmt: skip
        text = "\n".join(delimiter.join(row + [""] * (10 - len(row))) for row in rows)
        mark = b"\xff\xfe" if encoding == "utf-16-le" else b""
        (tmp_path / name).write_bytes(mark + text.encode(encoding))
        assert read_calipers(tmp_path / name) == book, name


def test_subjects_labs_and_manifest(tmp_path: Path) -> None:
    rows: list[list[Cell]] = [
        ["subject", "age_months", "form", "resection", "rfstdtc"],
        [styled(123, ZEROS), 3.5, "focal", ("t=\"b\"", "<v>0</v>"), styled(45382, DATE)],
        ["00124", 4, "focal", ("t=\"b\"", "<v>1</v>"), "2024-04-02"],
    ]  # fmt: skip
    found = read_subjects(workbook(tmp_path / "subjects.xlsx", {"Sheet1": rows}))
    assert list(found) == ["00123", "00124"]  # as the sheet shows it
    assert (found["00123"].excluded, found["00124"].excluded) == ((), ("resection",))
    assert found["00123"].reference_start == datetime.date(2024, 3, 31)
    assert found["00124"].reference_start == datetime.date(2024, 4, 2)
    labs: list[list[Cell]] = [
        ["subject", "visit", "test", "value", "unit", "date"],
        ["S1", "baseline", "AFP", 1234.5, "ng/mL", styled(45382.75, DATE)],
        ["S1", "one_month", "AFP", "<0.6", "ng/mL", None],
    ]
    values = read_labs(workbook(tmp_path / "labs.xlsx", {"Sheet1": labs})).values
    first = values["S1", Marker.AFP, BASELINE]
    assert (first.low, first.date) == (1234.5, datetime.date(2024, 3, 31))
    manifest: list[list[Cell]] = [
        ["path", "subject", "visit", "plane", "lesion"],
        ["S1/b", None, "baseline", None, "L1"],
    ]
    (row,) = read_manifest(workbook(tmp_path / "visits.xlsx", {"Sheet1": manifest})).rows
    assert (row.key, row.subject, row.visit, row.lesion) == ("S1/b", "", BASELINE, "L1")


@pytest.mark.parametrize(
    ("number", "since_1904", "day"),
    [(45382, False, "2024-03-31"), (43920, True, "2024-03-31"), (59, False, "1900-02-28"), (61, False, "1900-03-01")],
)
def test_days_of_both_calendars(tmp_path: Path, number: int, since_1904: bool, day: str) -> None:
    path = workbook(tmp_path / "t.xlsx", {"A": [["date"], [styled(number, DATE)]]}, since_1904=since_1904)
    assert read_table(path, required=("date",), dates=("date",))[0]["date"] == day


def one(path: Path, cell: Cell, **more: object) -> Path:
    return workbook(path / "t.xlsx", {"A": [["subject", "value"], ["S1", cell]]}, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cell", "complaint"),
    [
        (("", "<f>A1+1</f>"), "Cell B2 holds a formula without a stored value"),
        (("", "<f>A1+1</f><v></v>"), "Cell B2 holds a formula without a stored value"),
        (('t="e"', "<f>1/0</f><v>#DIV/0!</v>"), "Cell B2 holds the error #DIV/0!"),
        (styled(45293, 3), "Line 2: value holds the date '2024-01-02', as spreadsheets make of a text such as 1-2"),
        (styled(0.5, DATE), "Cell B2 holds a time or a day that is no date"),
        (styled(2.083, HOURS), "Cell B2 holds a time or a day that is no date"),
        (('t="e"', "<v>#N/A</v>"), "Cell B2 holds the error #N/A"),
        (styled(60, DATE), "Cell B2 holds a time or a day that is no date"),
        (styled(1e12, DATE), "Cell B2 holds a time or a day that is no date"),
        (('t="s"', "<v>99</v>"), "Cell B2 names a text that the workbook does not hold"),
        (("", "<v>1,5</v>"), "Cell B2 holds no number"),
    ],
)
def test_refused_with_the_cell(tmp_path: Path, cell: Cell, complaint: str) -> None:
    with pytest.raises(TableError, match=complaint) as caught:
        read_table(one(tmp_path, cell), required=("subject", "value"))
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        (("", "<f>A1+1</f><v>2.5</v>"), "2.5"),
        (('t="str"', '<f>A1&amp;"x"</f><v>S1x</v>'), "S1x"),
        (('t="inlineStr"', "<is><r><t>L</t></r><r><t>1</t></r></is>"), "L1"),
        (7.0, "7"),
        (0.1, "0.1"),
        (12345678901, "12345678901"),
        (styled(7, 2), "00007"),
        (("", "<v></v>"), ""),
        (None, ""),
        (" L1 ", "L1"),
        ("L1_x000D_", "L1"),
        ("L_x005F_x000D_", "L_x000D_"),
        ("L_xD800_", "L_xD800_"),
        ("L_x1024_.dcm", "L_x1024_.dcm"),
        ("L_x005F_x1024_", "L_x1024_"),
        (styled(1.5, TWO_DECIMALS), "1.5"),
    ],
)
def test_values(tmp_path: Path, cell: Cell, value: str) -> None:
    assert read_table(one(tmp_path, cell), required=("subject", "value"))[0]["value"] == value


def test_a_time_is_no_date_of_the_year_1904(tmp_path: Path) -> None:
    path = workbook(tmp_path / "t.xlsx", {"A": [["date"], [styled(0.146, DATE)]]}, since_1904=True)
    with pytest.raises(TableError, match="Cell A2 holds a time"):
        read_table(path, required=("date",), dates=("date",))


@pytest.mark.parametrize(
    "cell",
    [1.1, 110101199003077000, styled(1, LETTER), styled(1.5, TWO_DECIMALS)],
    ids=["1.10", "18 digits", "L1", "1.50"],
)
@pytest.mark.parametrize("column", ["subject", "lesion", "reader", "patient", "path", "image"])
def test_a_number_that_is_shown_otherwise_is_no_name(tmp_path: Path, cell: Cell, column: str) -> None:
    """1.10 is stored as 1.1, L1 as 1, and of 18 digits 15 are kept: two lesions, or children, would be one."""
    path = workbook(tmp_path / "t.xlsx", {"A": [[column, "value"], [cell, cell]]})
    with pytest.raises(TableError, match=f"Line 2: {column} holds the number 1"):
        read_table(path, required=(column, "value"))


def test_the_number_is_shown_as_it_is_stored(tmp_path: Path) -> None:
    path = workbook(tmp_path / "t.xlsx", {"A": [["subject"], [110101199003077000]]})
    with pytest.raises(TableError, match="subject holds the number 110101199003077000, which"):
        read_table(path, required=("subject",))


def test_a_whole_number_with_zeros_behind_the_point_is_a_name(tmp_path: Path) -> None:
    path = workbook(tmp_path / "t.xlsx", {"A": [["lesion"], [styled(1, TWO_DECIMALS)]]})
    assert read_table(path, required=("lesion",))[0]["lesion"] == "1"


@pytest.mark.parametrize("code", ["MAR-12", "01.02.2003"])
def test_a_code_like_a_date_is_read_where_a_workbook_holds_it_as_text(tmp_path: Path, code: str) -> None:
    rows: list[list[Cell]] = [list(row) for row in CALIPERS]
    rows[1][2] = code
    assert read_calipers(workbook(tmp_path / "cal.xlsx", {"Sheet1": rows}))[0].lesion == code
    (tmp_path / "t.csv").write_text(f"subject\n{code}\n")
    with pytest.raises(TableError, match="holds the date") as caught:
        read_table(tmp_path / "t.csv", required=("subject",))
    assert "give the .xlsx workbook" in caught.value.remedy


def test_a_number_in_a_column_that_nobody_reads_is_no_error(tmp_path: Path) -> None:
    rows: list[list[Cell]] = [
        [*row[:9], number] for row, number in zip(CALIPERS, ["subject", 1.1, "", 2.2], strict=True)
    ]
    rows[2] = []
    assert len(read_calipers(workbook(tmp_path / "cal.xlsx", {"Sheet1": rows}))) == 2


def test_what_another_sheet_holds_is_nobodys_business(tmp_path: Path) -> None:
    table: list[list[Cell]] = [["subject", "value"], ["S1", 1]]
    notes: list[list[Cell]] = [["mean", styled(0.5, DATE)], [('t="e"', "<v>#DIV/0!</v>"), ("", "<f>NOW()</f>")]]
    path = workbook(tmp_path / "t.xlsx", {"Notes": notes, "Data": table})
    assert [row["value"] for row in read_table(path, required=("subject", "value"))] == ["1"]


def test_a_hidden_table_is_not_taken_for_the_one_that_is_seen(tmp_path: Path) -> None:
    table: list[list[Cell]] = [["subject", "value"], ["S1", 1]]
    seen: list[list[Cell]] = [["subjects", "value"], ["S1", 2]]
    path = workbook(tmp_path / "t.xlsx", {"Old": table, "New": seen}, hidden=["Old"])
    with pytest.raises(TableError, match="Only the sheet 'Old' has the columns of this table, and it is hidden"):
        read_table(path, required=("subject", "value"))


def test_merged_cells_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="Cells A2:A3 are merged"):
        read_table(one(tmp_path, 1, merged="A2:A3"), required=("subject", "value"))


def test_the_sheet_that_has_the_columns(tmp_path: Path) -> None:
    table: list[list[Cell]] = [[], ["subject", "value"], ["S1", 1]]
    notes: list[list[Cell]] = [["Notes"], ["by hand"]]
    path = workbook(tmp_path / "t.xlsx", {"Notes": notes, "Empty": [], "Data": table})
    assert [(row.line, row["value"]) for row in read_table(path, required=("subject", "value"))] == [(3, "1")]
    for sheets, complaint in (
        ({"A": table, "B": table}, "Several sheets have the columns of this table: 'A', 'B'"),
        ({"A": notes, "B": notes}, "No sheet has the columns of this table: 'A', 'B'"),
    ):
        with pytest.raises(TableError, match=complaint):
            read_table(workbook(tmp_path / "t.xlsx", sheets), required=("subject", "value"))
    with pytest.raises(TableError, match="The table is empty"):
        read_table(workbook(tmp_path / "t.xlsx", {"A": []}), required=("subject", "value"))


def test_a_row_that_is_too_long_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path / "t.xlsx", {"A": [["subject", "value"], ["S1", 1, "more"]]})
    with pytest.raises(TableError, match="Line 2 has 3 cells"):
        read_table(path, required=("subject", "value"))


class TestHostile:
    def test_a_zip_bomb_is_not_unpacked(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(spreadsheet, "MAX_PART_BYTES", 100_000)
        path = one(tmp_path, 1, parts={"xl/sharedStrings.xml": "<sst>" + " " * 10_000_000 + "</sst>"})
        assert path.stat().st_size < 100_000
        with pytest.raises(TableError, match="more than 0 MB"):
            read_table(path, required=("subject", "value"))

    def test_far_cells_do_not_fill_the_memory(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(spreadsheet, "MAX_CELLS", 50_000)
        rows = "".join(f'<row r="{n}"><c r="XFD{n}"><v>1</v></c></row>' for n in range(1, 9))
        path = one(tmp_path, 1, parts={"xl/worksheets/s1.xml": f"<worksheet><sheetData>{rows}</sheetData></worksheet>"})
        with pytest.raises(TableError, match="million cells"):
            read_table(path, required=("subject", "value"))

    def test_cells_out_of_order(self, tmp_path: Path) -> None:
        rows = '<row r="1"><c r="B1"><v>1</v></c><c r="A1"><v>2</v></c></row>'
        path = one(tmp_path, 1, parts={"xl/worksheets/s1.xml": f"<worksheet><sheetData>{rows}</sheetData></worksheet>"})
        with pytest.raises(TableError, match="cells are out of order"):
            read_table(path, required=("subject", "value"))

    @pytest.mark.parametrize(
        "part",
        [
            '<!DOCTYPE x [<!ENTITY a "b">]><sst><si><t>&a;</t></si></sst>',
            "<sst><si>",
            "<sst><a:si/></sst>",
        ],
    )
    def test_what_is_no_xml_of_a_workbook(self, tmp_path: Path, part: str) -> None:
        with pytest.raises(TableError, match=r"damaged|entities"):
            read_table(one(tmp_path, 1, parts={"xl/sharedStrings.xml": part}), required=("subject", "value"))

    def test_another_zip_file(self, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "t.xlsx", "w") as archive:
            archive.writestr("content.xml", "<x/>")
        with pytest.raises(TableError, match=r"no \.xlsx workbook"):
            read_table(tmp_path / "t.xlsx", required=("subject",))

    def test_no_damage_ends_in_anything_else(self, tmp_path: Path) -> None:
        whole = one(tmp_path, 1.5).read_bytes()
        path = tmp_path / "damaged.xlsx"
        for place in range(4, len(whole), 7):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
            try:
                read_table(path, required=("subject", "value"))
            except TableError:
                continue


def test_another_writer(tmp_path: Path) -> None:
    """openpyxl, as a second opinion where it is installed."""
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["subject", "age_months", "reference_start", "excluded"])
    sheet.append(["00123", 3.25, datetime.date(2024, 3, 31), None])
    sheet.append(["124", 4, datetime.datetime(2024, 4, 1, 10, 30), "no consent, <b>&amp; more"])
    book.save(tmp_path / "t.xlsx")
    found = read_subjects(tmp_path / "t.xlsx")
    assert found["00123"].reference_start == datetime.date(2024, 3, 31)
    assert found["00123"].age_months == pytest.approx(3.25)
    assert (found["124"].reference_start, found["124"].excluded) == (
        datetime.date(2024, 4, 1), ("no consent, <b>&amp; more",),
    )  # fmt: skip
    sheet["B2"] = "=1+2"
    book.save(tmp_path / "t.xlsx")
    with pytest.raises(TableError, match="Cell B2 holds a formula without a stored value"):
        read_subjects(tmp_path / "t.xlsx")


def test_of_several_sheets_the_hidden_ones_are_told(tmp_path: Path) -> None:
    table: list[list[Cell]] = [["subject", "value"], ["S1", 1]]
    path = workbook(tmp_path / "t.xlsx", {"Old": table, "New": table}, hidden=["Old"])
    with pytest.raises(TableError, match=r"Several sheets have the columns of this table: 'Old' \(hidden\), 'New'"):
        read_table(path, required=("subject", "value"))
