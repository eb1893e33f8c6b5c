"""A folder of calipers: no table in it is left out because it cannot be read or has a column misspelt."""

from __future__ import annotations

import csv
import json
import shutil
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from csv_files import csv_rows
from lesion_measure.job.own_files import check_tables
from reports_beside import calipers, header, ohif, save
from sample_runs import CALIPERS, SAMPLES
from test_cli import lesion_measure
from workbooks import workbook


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of all children but the first, whose rows the tests write."""
    (tmp_path / "calipers").mkdir()
    (tmp_path / "calipers" / "others.csv").write_text("".join(line for line in _lines() if "SIM-01" not in line))
    return tmp_path / "calipers"


def _lines() -> list[str]:
    return CALIPERS.read_text(encoding="utf-8").splitlines(keepends=True)


def _first_child(reader: str) -> str:
    return "".join(_lines()[:1] + [line for line in _lines() if "SIM-01" in line]).replace("reader-1", reader)


def _says(folder: Path) -> str:
    code, _, said = lesion_measure("run", SAMPLES, "-o", folder.parent / "out", "--calipers", folder)
    assert code == 2
    return said


@pytest.mark.parametrize(
    ("name", "data", "complaint"),
    [
        ("a.csv", _first_child("M\u00fcller").encode("cp1252"), "a.csv: Line 2 is not UTF-8 text"),
        ("a.csv", _first_child("R1").encode("utf-16-le"), "a.csv: Line 1 holds a NUL character"),
        (
            "a.csv",
            _first_child("R1").replace("axis", "axes").encode(),
            "column 'axes' is not known; did you mean 'axis'?",
        ),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "a.xls: This is an old Excel workbook"),
        ("a.xlsx", b"PK\x03\x04" + bytes(500), "a.xlsx: The workbook is damaged or protected"),
    ],
)
def test_a_table_that_cannot_be_read_stops_the_run(folder: Path, name: str, data: bytes, complaint: str) -> None:
    (folder / name).write_bytes(data)
    assert complaint in _says(folder)


def test_what_is_no_table_of_calipers_stops_nothing(folder: Path) -> None:
    (folder / "notes.csv").write_bytes("patient;note\n1;M\u00fcller\n".encode("cp1252"))
    (folder / "~$calipers.xlsx").write_bytes(bytes(165))
    (folder / "._calipers.csv").write_bytes(b"\x00\x05\x16\x07" + bytes(100))
    shutil.copy(SAMPLES / "README.md", folder / "readme.txt")
    assert _measured(folder) == _drawn(line for line in _lines() if "SIM-01" not in line)


def test_what_lies_among_the_scans_stops_nothing(tmp_path: Path) -> None:
    scans = tmp_path / "scans"
    shutil.copytree(SAMPLES, scans)
    (scans / "patients.xls").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500))
    (scans / "notes.txt").write_bytes(b"PK\x03\x04 and so on")
    (scans / "gone.csv").symlink_to(scans / "nothing.csv")
    out = tmp_path / "out"
    assert lesion_measure("run", scans, "-o", out, "--calipers", scans)[0] == 3
    with (out / "calipers.csv").open(encoding="utf-8") as stream:
        assert len(list(csv.DictReader(stream))) == _drawn(_lines())


def test_of_a_large_text_the_columns_alone_are_looked_at(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lesion_measure.tables.rows.MAX_TABLE_BYTES", 1000)
    (folder / "export.txt").write_text("patient\tnote\n" + "1\tseen\n" * 1000)
    check_tables(folder, SAMPLES)


def test_a_folder_that_holds_tables_alone(folder: Path) -> None:
    (folder / "first.csv").write_text(_first_child("R1"))
    assert _measured(folder) == _drawn(_lines())


def _drawn(lines: Iterable[str]) -> int:
    return sum(",long," in line or ",short," in line for line in lines)


def _measured(folder: Path) -> int:
    """Rows of the caliper tables that a run has measured."""
    out = folder.parent / "out"
    assert lesion_measure("run", SAMPLES, "-o", out, "--calipers", folder)[0] in (0, 3)
    with (out / "calipers.csv").open(encoding="utf-8") as stream:
        return len(list(csv.DictReader(stream)))


XLS = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500)


def _table(name: str, folder: Path) -> bytes:
    """The samples' calipers, as a file of this name holds them."""
    if name.endswith(".xls"):
        return XLS
    if name.endswith(".xlsx"):
        rows: list[list[float | str | None]] = [[*line.strip().split(",")] for line in _lines()]
        return workbook(folder / name, {"A": rows}).read_bytes()
    if name.endswith(".json"):
        return json.dumps({"calipers": [{"image": "a.dcm"}]}).encode()
    return CALIPERS.read_bytes()


@pytest.mark.parametrize("name", ["a.csv", "b/a.TXT", "a.json", "a.xlsx", "a.xls"])
@pytest.mark.parametrize("within", [False, True])
def test_a_table_of_calipers_in_a_zip_stops_the_run(tmp_path: Path, name: str, within: bool) -> None:
    """Whether the zip itself is given or the folder that holds it."""
    (tmp_path / "given" / "b").mkdir(parents=True)
    data = _table(name, tmp_path)
    with zipfile.ZipFile(tmp_path / "given" / "calipers.zip", "w") as archive:
        archive.writestr(name, data)
    says = _says(tmp_path / "given" if within else tmp_path / "given" / "calipers.zip")
    assert f"The zip holds the table '{name.rpartition('/')[2]}'" in says


def test_any_other_table_in_a_zip_of_objects_is_listed(tmp_path: Path) -> None:
    line = calipers(SAMPLES, "SIM-01")["baseline/L1_transverse.dcm", "long"]
    report = save(ohif(header(SAMPLES / line.image), [line], [4.0]), tmp_path / "report.dcm")
    objects = tmp_path / "objects.zip"
    with zipfile.ZipFile(objects, "w") as archive:
        archive.write(report, "report.dcm")
        archive.writestr("README.csv", "file;what\nreport.dcm;of SIM-01\n")
        archive.writestr("readme.txt", "a, b\n")
    assert _refused(SAMPLES, tmp_path, "--calipers", objects)["README.csv"]["code"] == "no_caliper_table"


def test_a_table_in_a_folder_that_is_not_recognised_is_told(folder: Path) -> None:
    """One whose columns have other names: its reader's rows would be lost without a word."""
    (folder / "foreign.csv").write_text(
        _first_child("R1")
        .replace("image,frame,lesion", "Bild,Frame,Befund", 1)
        .replace("start_col,start_row,end_col,end_row", "x1,y1,x2,y2", 1)
    )
    (folder / "readme.txt").write_text("read, and understood\n")
    row = _refused(SAMPLES, folder.parent, "--calipers", folder)["calipers/foreign.csv"]
    assert (row["kind"], row["code"]) == ("refused", "no_caliper_table")


def test_calipers_among_the_scans_that_nobody_gives_are_told(tmp_path: Path) -> None:
    """In a zip or not: the run was asked for no calipers, and reads none of them."""
    scans = tmp_path / "scans"
    shutil.copytree(SAMPLES / "SIM-01", scans / "SIM-01")
    (scans / "drawn.csv").write_bytes(CALIPERS.read_bytes())
    (scans / "patients.xls").write_bytes(XLS)
    (scans / "notes.csv").write_text("patient;note\n")
    with zipfile.ZipFile(scans / "sent.zip", "w") as archive:
        archive.writestr("lines.xlsx", _table("lines.xlsx", tmp_path))
        archive.writestr("lines.json", _table("lines.json", tmp_path))
    rows = _refused(scans, tmp_path)
    assert {path: (row["kind"], row["code"]) for path, row in rows.items() if "SIM-01" not in path} == {
        "drawn.csv": ("refused", "unread_calipers"),
        "sent.zip/lines.xlsx": ("refused", "unread_calipers"),
        "sent.zip/lines.json": ("refused", "unread_calipers"),
        "patients.xls": ("skipped", "unread_table"),
        "notes.csv": ("skipped", "not_dicom"),
    }
    assert "drawn.csv" not in _refused(scans, tmp_path, "--calipers", scans / "drawn.csv", "--overwrite")


def _refused(scans: Path, folder: Path, *words: str | Path) -> dict[str, dict[str, str]]:
    """What a run lists in refusals.csv, by path."""
    out = folder / "out"
    assert lesion_measure("run", scans, "-o", out, *words)[0] in (1, 3)
    return {row["path"]: row for row in csv_rows(out / "refusals.csv")}
