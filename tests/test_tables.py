"""Tables as text: what spreadsheets write is read, what cannot be meant is refused with its line."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from lesion_measure.errors import TableError
from lesion_measure.tables.cells import check_points, why_no_number
from lesion_measure.tables.rows import Row, read_table


def read(tmp_path: Path, data: bytes) -> list[Row]:
    path = tmp_path / "table.csv"
    path.write_bytes(data)
    return read_table(path, required=("image", "reader"), optional=("plane",))


@pytest.mark.parametrize(
    "data",
    [
        b"image,reader,plane\na.dcm,R1,transverse\n",
        b"\xef\xbb\xbfImage;Reader;Plane\r\na.dcm;R1;transverse\r\n",
        b"sep=;\nplane;image;reader\n transverse ;a.dcm; R1",
        b"image\treader\tplane\na.dcm\tR1\ttransverse\n",
        "image\treader\tplane\r\na.dcm\tR1\ttransverse\r\n".encode("utf-16"),
        b"\xfe\xff" + "IMAGE;Reader ;plane\na.dcm;R1;transverse".encode("utf-16-be"),
        b"Image, Reader,PLANE\na.dcm,R1,transverse\n,,\n\n",
        b'\n\n"image","plane","reader"\r"a.dcm","transverse","R1"\r\r',
    ],
)
def test_dialects_of_spreadsheets(tmp_path: Path, data: bytes) -> None:
    (row,) = read(tmp_path, data)
    assert row.values == {"image": "a.dcm", "reader": "R1", "plane": "transverse"}


def test_lines_are_those_of_the_file(tmp_path: Path) -> None:
    rows = read(tmp_path, b'image,reader\n\na,R1\n,,\n"b\nc",R2\nd,R3\n'.replace(b",,", b","))
    assert [(row.line, row["image"]) for row in rows] == [(3, "a"), (5, "b\nc"), (7, "d")]
    assert rows[0]["plane"] == ""


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"image,readr\n", r"Line 1: column 'readr' is not known; did you mean 'reader'\? The columns"),
        (b"image,reader,weight\n", r"Line 1: column 'weight' is not known\. The columns"),
        (b"image\n", "Line 1: column 'reader' is missing"),
        (b"image,image,reader\n", "Line 1: column 'image' is there twice"),
        (b"image,reader\na,b\nc\n", "Line 3 has 1 cells"),
        (b"image,reader\na,b,c\n", "Line 2 has 3 cells"),
        (b"image,reader\na,\xff\n", "Line 2 is not UTF-8"),
        (b"image,reader\na,\x00\n", "Line 2 holds a NUL"),
        (b'image,reader\na,"b\n', "not valid CSV"),
        (b"\xff\xfei\x00m\x00\x00", "Line 1 is not UTF-16"),
        (b"image,reader\n" + b"a" * 200_000 + b",b\n", "not valid CSV"),
    ],
)
def test_refused_with_the_line(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(TableError, match=message) as caught:
        read(tmp_path, data)
    assert caught.value.path == str(tmp_path / "table.csv")


def test_a_cell_is_bounded_though_a_library_lifted_the_readers_limit(tmp_path: Path) -> None:
    """scipy.io's reader of ARFF files does, for the whole process."""
    before = csv.field_size_limit(10**9)
    try:
        with pytest.raises(TableError, match="Line 2 is not valid CSV"):
            read(tmp_path, b"image,reader\n" + b"a" * 200_000 + b",b\n")
    finally:
        csv.field_size_limit(before)


def test_a_missing_column_with_nearly_the_name_of_another_one(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(b"image,readr\na,b\n")
    with pytest.raises(TableError) as caught:
        read_table(path, required=("image", "reader"), others=True)
    assert caught.value.reason == "Line 1: column 'reader' is missing; is it 'readr'?"


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="no such file"):
        read_table(tmp_path / "missing.csv", required=("image",))
    with pytest.raises(TableError, match="it is a folder"):
        read_table(tmp_path, required=("image",))


def test_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lesion_measure.tables.rows.MAX_TABLE_BYTES", 10)
    with pytest.raises(TableError, match="larger than"):
        read(tmp_path, b"image,reader\na,b\n")


def test_empty_columns_that_a_spreadsheet_adds_are_left_out(tmp_path: Path) -> None:
    (row,) = read(tmp_path, b"image;reader;;\na;b;;\n;;;\n")
    assert row.values == {"image": "a", "reader": "b", "plane": ""}
    with pytest.raises(TableError, match="Line 2 has 3 cells"):
        read(tmp_path, b"image,reader,\na,b,c\n")


def test_a_cell_too_many_is_said_even_where_the_last_cell_is_empty(tmp_path: Path) -> None:
    """A decimal comma shifts the cells; the row must not pass for one whose last column is left out."""
    with pytest.raises(TableError, match="Line 2 has 4 cells, the header line has 3"):
        read(tmp_path, b"image,reader,plane\n1,5,R1,\n")
    with pytest.raises(TableError, match="Line 3 has 5 cells, the header line has 4"):
        read(tmp_path, b"image,reader,plane,\na,R1,,\n1,5,R1,,\n")


@pytest.mark.parametrize("text", ["1,5", "301,25", ",5", "-0,25", "1,234", "12,345", "1,5e2"])
def test_a_comma_in_a_number_is_never_guessed_at(text: str) -> None:
    why = why_no_number(text)
    assert why is not None
    assert "decimal comma" in why[0]
    assert ".xlsx" in why[1]


@pytest.mark.parametrize("text", ["1,234.5", "1.234,5", "1 234", "1'234", "1\u00a0234,5", "1.234.567", "1,234,567"])
def test_separators_of_thousands_are_refused(text: str) -> None:
    why = why_no_number(text)
    assert why is not None
    assert "thousands" in why[0]


@pytest.mark.parametrize("text", ["1", "1.5", "-0.25", "+3", "1e3", ".5", "5.", "1.234"])
def test_numbers(text: str) -> None:
    assert why_no_number(text) is None


@pytest.mark.parametrize("text", ["", "nan", "inf", "1_0", "12 mm", "\u0661", "1,2,3", "--1"])
def test_no_numbers(text: str) -> None:
    assert why_no_number(text) is not None


def test_decimal_commas_that_shift_the_cells_are_named(tmp_path: Path) -> None:
    path = tmp_path / "cal.csv"
    path.write_text("image,start_col,end_col\na.dcm,301,2,412,9\n")
    with pytest.raises(TableError, match="Line 2 has 5 cells, the header line has 3") as caught:
        read_table(path, required=("image", "start_col", "end_col"))
    assert "decimal commas" in caught.value.remedy


@pytest.mark.parametrize(
    "made", ["2-Jan", "02-jan", "Jan-02", "2 Feb", "May-24", "01-févr", "2-janv.", "02.Şub", "02-ene"]
)
def test_what_a_spreadsheet_made_a_date_is_refused(tmp_path: Path, made: str) -> None:
    path = tmp_path / "subjects.csv"
    path.write_text(f"subject,path\n{made},1-2\n")
    with pytest.raises(TableError, match=f"Line 2: subject holds the date '{made}', as spreadsheets make of a text"):
        read_table(path, required=("subject", "path"))
    path.write_text(f"subject,path\n1-2,{made}\n")  # a folder may be called so
    assert read_table(path, required=("subject", "path"))[0]["path"] == made


@pytest.mark.parametrize(
    ("made", "is_date"),
    [
        ("2/1/2024", True),
        ("02.01.2024", True),
        ("31/12/1999", True),
        ("12/31/1999", True),
        ("2024-01-02", False),
        ("GEN-01", False),
        ("01.02.0003", False),
        ("45.67.1234", False),
        ("99.99.9999", False),
        ("10/12/0045", False),
        ("31.31.2024", False),
        ("00.12.2024", False),
    ],
)
def test_a_whole_date_is_no_name(tmp_path: Path, made: str, *, is_date: bool) -> None:
    path = tmp_path / "subjects.csv"
    path.write_text(f"subject,path\n{made},a\n")
    if is_date:
        with pytest.raises(TableError, match=f"Line 2: subject holds the date '{made}'"):
            read_table(path, required=("subject", "path"))
    else:
        assert read_table(path, required=("subject", "path"))[0]["subject"] == made


@pytest.mark.parametrize(
    ("numbers", "unread", "two_ways"),
    [
        (("1.234", "702"), (), True),  # as 1234 and 702 are written in German
        (("<1.234", "0", "12.000"), (), True),
        (("1.234", "2.345"), (), True),
        (("1.234", "1500"), (), True),  # typed by two hands, perhaps
        (("1.234",), ("4,1",), True),
        (("1.234", "12.5"), ("4,1",), True),
        (("1.234", "12.345.678"), (), True),
        (("1.234", "702"), ("negative", "12.5"), True),  # of another test, perhaps another machine's
        (("1.234", "70.5"), (), False),
        (("1.234", "70.5"), ("negative", "1,234"), False),
        (("1.234", "2.3450"), (), False),
        (("0.234", "702"), (), False),
        (("0.234", "1.234"), (), False),
        (("70.234", "1.234"), (), False),  # 70234 is more than may be meant
        (("70.234", "702"), (), False),
        (("702", "1500"), (), False),
    ],
)
def test_three_digits_behind_a_point_may_be_thousands(
    numbers: tuple[str, ...], unread: tuple[str, ...], *, two_ways: bool
) -> None:
    typed = [("value", text, line) for line, text in enumerate(numbers, start=2)]
    if two_ways:
        with pytest.raises(TableError, match=r"Line 2: value 1\.234 has decimals, or a separator of thousands"):
            check_points(typed, 65_535, "t.csv", unread)
    else:
        check_points(typed, 65_535, "t.csv", unread)


@pytest.mark.parametrize("data", [b"image,reader\nM\xfcller.dcm,R1\n", b"image,reader\n\xb2\xa1.dcm,R1\n"])
def test_an_old_encoding_says_how_to_save(tmp_path: Path, data: bytes) -> None:
    """Windows-1252 and GBK cannot be told apart by their bytes."""
    with pytest.raises(TableError, match="Line 2 is not UTF-8 text") as caught:
        read(tmp_path, data)
    assert "CSV UTF-8" in caught.value.remedy


def test_an_old_workbook_says_how_to_save(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"old Excel workbook \(\.xls\)"):
        read(tmp_path, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500))
