"""Caliper files: what is read, what is refused, which image and which pair a row belongs to."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

import make
from lesion_measure.errors import ReviewError, TableError
from lesion_measure.image.caliper_pairs import pair_axes
from lesion_measure.records import BASELINE, Axis, Instance, Location, MeasuredCaliper, Plane, Refusal, Study, StudyList
from lesion_measure.report.tables import Table, csv_text
from lesion_measure.report.traced import CALIPER_COLUMNS, caliper_rows
from lesion_measure.review.store.drafts import name as draft_name
from lesion_measure.tables import matching
from lesion_measure.tables.calipers import read_calipers
from lesion_measure.tables.matching import match_calipers
from report_cohort import subject
from test_cli import lesion_measure

HEADER = "image,frame,lesion,plane,axis,start_col,start_row,end_col,end_row,reader"
ROW = "s/a.dcm,2,L1,transverse,long,10.5,20,30.5,20,R1"


def _write(folder: Path, *rows: str, header: str = HEADER) -> Path:
    path = folder / "calipers.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def _studies(*instances: Instance, copies: Sequence[Refusal] = ()) -> StudyList:
    study = Study(study_instance_uid="1", subject="S1", study_date=None, time_point=None, instances=instances)
    return StudyList((study,), tuple(copies))


def test_columns_and_rows_are_turned_into_row_column_points(tmp_path: Path) -> None:
    (caliper,) = read_calipers(_write(tmp_path, ROW))
    assert (caliper.start, caliper.end) == ((20.0, 10.5), (20.0, 30.5))
    assert (caliper.frame, caliper.plane, caliper.axis, caliper.row_number) == (2, Plane.TRANSVERSE, Axis.LONG, 2)


def test_json_says_the_same_as_csv(tmp_path: Path) -> None:
    keys = HEADER.split(",")
    as_json = tmp_path / "calipers.json"
    values = dict(zip(keys, ["s/a.dcm", 2, "L1", "transverse", "long", 10.5, 20, 30.5, 20, "R1"], strict=True))
    as_json.write_text(json.dumps({"calipers": [values]}))
    (from_json,) = read_calipers(as_json)
    (from_csv,) = read_calipers(_write(tmp_path, ROW))
    assert (from_json.start, from_json.end, from_json.frame) == (from_csv.start, from_csv.end, from_csv.frame)


def test_an_absent_row_needs_no_points_and_an_empty_frame_is_the_first(tmp_path: Path) -> None:
    (caliper,) = read_calipers(_write(tmp_path, "a.dcm,,L1,sagittal,absent,,,,,R1"))
    assert (caliper.axis, caliper.start, caliper.frame) == (Axis.ABSENT, None, 1)


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("a.dcm,1,L1,transverse,long,1,2,1,2,R1", "no length"),
        ("a.dcm,1,L1,transverse,long,x,2,3,4,R1", "'start_col' is not a number"),
        ("a.dcm,1,L1,transverse,long,nan,2,3,4,R1", "'start_col' is not a number"),
        ("a.dcm,1,L1,transverse,long,1_0,2,3,4,R1", "'start_col' is not a number"),
        ("a.dcm,1,L1,transverse,long,1e999,2,3,4,R1", "'start_col' is not finite"),
        (f"a.dcm,{'9' * 5000},L1,transverse,long,1,2,3,4,R1", "'frame' is '999"),
        (f"a.dcm,1,{'L' * 65},transverse,long,1,2,3,4,R1", "'lesion' is not printable text"),
        ("a.dcm,1,L1,transverse,long,,2,3,4,R1", "'start_col' is empty"),
        ("a.dcm,0,L1,transverse,long,1,2,3,4,R1", "'frame' is '0'"),
        ("a.dcm,1.5,L1,transverse,long,1,2,3,4,R1", "'frame' is '1.5'"),
        (
            "a.dcm,1,L1,tranverse,long,1,2,3,4,R1",
            r"'plane' is 'tranverse', not one of .*\(did you mean 'transverse'\?\)",
        ),
        ("a.dcm,1,L1,transverse,width,1,2,3,4,R1", "'axis' is 'width'"),
        ("a.dcm,1,,transverse,long,1,2,3,4,R1", "'lesion' is empty"),
        ("a.dcm,1,L1,transverse,long,1,2,3,4,", "'reader' is empty"),
    ],
)
def test_a_row_that_is_no_caliper_stops_the_run_and_names_its_line(tmp_path: Path, row: str, complaint: str) -> None:
    with pytest.raises(TableError, match=complaint) as caught:
        read_calipers(_write(tmp_path, ROW, row))
    assert "Line 3" in caught.value.reason


@pytest.mark.parametrize("text", ["[]", "{", '{"calipers": [1]}', '{"calipers": {}}'])
def test_json_of_another_shape_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "c.json"
    path.write_text(text)
    with pytest.raises(TableError):
        read_calipers(path)


@pytest.mark.parametrize(
    ("name", "why"),
    [("L\u00a01", "the character U+00A0 (no-break space)"), ("L1\u200b", "the character U+200B (zero width space)")],
)
def test_the_character_that_cannot_be_printed_is_named(tmp_path: Path, name: str, why: str) -> None:
    path = tmp_path / "c.csv"
    path.write_text(f"{HEADER}\na.dcm,1,{name},sagittal,long,1,2,3,4,R1\n", encoding="utf-8")
    with pytest.raises(
        TableError, match=re.escape(f"Line 2: 'lesion' is not printable text of at most 64 characters: it holds {why}")
    ):
        read_calipers(path)


def test_pixels_that_may_be_thousands_are_refused(tmp_path: Path) -> None:
    """1234 by 702 as German spreadsheets write them, not a caliper that begins in the second column of pixels."""
    path = tmp_path / "c.csv"
    path.write_text(f"{HEADER}\na.dcm,1,L1,sagittal,long,1.234,702,1.312,699,R1\n".replace(",", ";"))
    with pytest.raises(TableError, match=r"Line 2: start_col 1\.234 has decimals, or a separator of thousands"):
        read_calipers(path)


def _json(folder: Path, *ends: object) -> Path:
    keys = ("start_col", "start_row", "end_col", "end_row")
    row = {"image": "a.dcm", "lesion": "L1", "axis": "long", "reader": "R1", **dict(zip(keys, ends, strict=True))}
    path = folder / "c.json"
    path.write_text(json.dumps({"calipers": [row]}))
    return path


def test_texts_in_json_that_may_be_thousands_are_refused(tmp_path: Path) -> None:
    """As in tables: JSON that was made of one holds its texts. Its own numbers can be read in one way."""
    with pytest.raises(TableError, match=r"Entry 1: start_col 1\.234 has decimals, or a separator of thousands"):
        read_calipers(_json(tmp_path, " 1.234", "20", 1.2, "40"))
    assert read_calipers(_json(tmp_path, "1.234", "20.5", "30", "40"))[0].start == (20.5, 1.234)
    assert read_calipers(_json(tmp_path, 1.234, 20, "30", 40))[0].start == (20, 1.234)


def test_calipers_with_three_decimals_are_read(tmp_path: Path) -> None:
    """One end is farther than any picture's edge would be if its point parted thousands."""
    path = tmp_path / "c.csv"
    path.write_text(f"{HEADER}\na.dcm,1,L1,sagittal,long,1.234,702.118,1.312,699.000,R1\n")
    (row,) = read_calipers(path)
    assert (row.start, row.end) == ((702.118, 1.234), (699.0, 1.312))


@pytest.mark.parametrize("name", ["L\ud800", "L\n1", "L\x00"])
def test_a_name_that_cannot_be_printed_is_refused(tmp_path: Path, name: str) -> None:
    values = dict(zip(HEADER.split(","), ["a.dcm", 1, name, "sagittal", "long", 1, 2, 3, 4, "R1"], strict=True))
    path = tmp_path / "calipers.json"
    path.write_text(json.dumps({"calipers": [values]}))
    with pytest.raises(TableError, match=r"Entry 1: 'lesion' is not printable|half a character"):
        read_calipers(path)


@pytest.mark.parametrize("twice", ['"frame": 1, "frame": 2', '"lesion": "L1", "lesion": "L2"'])
def test_a_key_that_is_there_twice_is_refused(tmp_path: Path, twice: str) -> None:
    path = tmp_path / "calipers.json"
    path.write_text('{"calipers": [{%s}]}' % twice)  # noqa: UP031
    with pytest.raises(TableError, match="is there twice"):
        read_calipers(path)


def test_images_are_found_by_uid_and_by_path_from_the_input_or_from_the_table(tmp_path: Path) -> None:
    one, two = (
        make.instance(f"{child}/a.dcm", location=Location(tmp_path / "dicom" / child / "a.dcm"))
        for child in ("s1", "s2")
    )
    names = (one.sop_instance_uid, "s1/a.dcm", "./s1/a.dcm", "s1\\a.dcm", "dicom/s1/a.dcm")
    rows = [make.caliper(image=name) for name in names]
    found, refusals = match_calipers(rows, _studies(one, two), file=tmp_path / "calipers.csv")
    assert {uid: len(items) for uid, items in found.items()} == {one.sop_instance_uid: 5}
    assert not refusals


def test_no_row_looks_at_every_image(monkeypatch: pytest.MonkeyPatch) -> None:
    """3,600 children's 20,000 images and as many rows would be compared 400 million times."""
    images = [make.instance(f"s{number}/a.dcm") for number in range(300)]
    looked: list[str] = []
    monkeypatch.setattr(matching, "nfc", lambda text: looked.append(text) or text)  # type: ignore[func-returns-value]
    found, refusals = match_calipers([make.caliper(image=image.path) for image in images], _studies(*images))
    assert (len(found), len(refusals)) == (300, 0)
    assert len(looked) < 10 * len(images)


def test_the_path_of_a_second_copy_names_the_image() -> None:
    one = make.instance("study/a.dcm")
    copy = Refusal(code="duplicate", reason="", path="study.zip/study/a.dcm", sop_instance_uid=one.sop_instance_uid)
    rows = [make.caliper(image=name) for name in ("study.zip/study/a.dcm", "study/a.dcm")]
    found, refusals = match_calipers(rows, _studies(one, copies=[copy]))
    assert len(found[one.sop_instance_uid]) == 2
    assert not refusals


@pytest.mark.parametrize("name", ["a.dcm", "baseline/a.dcm", "SIM-01/baseline/a.dcm", "b.dcm"])
def test_a_path_that_fits_in_part_is_another_childs(name: str) -> None:
    """A run on the folder of one child with the caliper file of the whole trial."""
    known = _studies(make.instance("SIM-06/baseline/a.dcm"), make.instance("baseline/c.dcm"))
    found, refusals = match_calipers([make.caliper(image=name)], known)
    assert not found
    assert [r.refusal.code for r in refusals] == ["caliper_image_not_found"]


@pytest.mark.parametrize(
    ("names", "hint"),
    [
        (["SIM-01/baseline/a.dcm", "SIM-02/baseline/a.dcm"], "The input's paths begin with 'dicom/' and these do not"),
        (["x/dicom/SIM-01/baseline/a.dcm", "x/dicom/SIM-02/baseline/a.dcm"], "These begin with 'x/'"),
        (["dicom/SIM-1/baseline/a.dcm", "dicom/SIM-2/baseline/a.dcm"], "perhaps 'dicom/SIM-01/baseline/a.dcm'?"),
        (["q", "r"], "Give paths relative to the input folder"),
        # of whichever child: nobody can tell
        (["baseline/a.dcm", "baseline/a.dcm"], "Give paths relative to the input folder"),
    ],
)
def test_a_file_of_which_nothing_fits_is_one_refusal_with_a_hint(names: list[str], hint: str) -> None:
    images = [make.instance(f"dicom/SIM-0{n}/baseline/a.dcm") for n in (1, 2)]
    rows = [make.caliper(image=name, row_number=n) for n in range(100) for name in names]
    found, (lost,) = match_calipers(rows, _studies(*images), file=Path("trial/calipers.csv"))
    refusal = lost.refusal
    assert not found
    assert refusal.path == "calipers.csv"
    assert refusal.code == "caliper_image_not_found"
    assert "None of the 200 caliper rows" in refusal.reason
    assert names[0] in refusal.reason
    assert "'dicom/SIM-01/baseline/a.dcm', 'dicom/SIM-02/baseline/a.dcm'" in refusal.reason
    assert hint in refusal.remedy


def test_one_row_that_fits_leaves_the_others_their_own_refusals() -> None:
    image = make.instance("a.dcm")
    rows = [make.caliper(image=name, row_number=n) for n, name in enumerate(("a.dcm", "b.dcm", "c.dcm"), 2)]
    found, refusals = match_calipers(rows, _studies(image))
    assert len(found[image.sop_instance_uid]) == 1
    assert [r.refusal.path for r in refusals] == ["b.dcm", "c.dcm"]


def test_two_readings_of_a_path_are_refused(tmp_path: Path) -> None:
    """``a.dcm`` is one file relative to the input and another relative to the table."""
    inner = make.instance("a.dcm", location=Location(tmp_path / "in" / "a.dcm"))
    outer = make.instance("x/a.dcm", location=Location(tmp_path / "a.dcm"))
    found, refusals = match_calipers(
        [make.caliper(image="a.dcm")], _studies(inner, outer), file=tmp_path / "calipers.csv"
    )
    assert not found
    assert [r.refusal.code for r in refusals] == ["caliper_image_ambiguous"]
    assert "a.dcm and x/a.dcm" in refusals[0].refusal.reason


def test_axes_of_one_reader_on_one_frame_belong_together() -> None:
    rows = [
        make.caliper(Axis.LONG),
        make.caliper(Axis.SHORT),
        make.caliper(Axis.LONG, reader="R2"),
        make.caliper(Axis.SHORT, frame=2),
        make.caliper(Axis.ABSENT, lesion="L2"),
    ]
    pairs, refusals = pair_axes("1.2", rows, subject="S1", visit="baseline")
    assert [(p.reader, p.frame, p.short is not None) for p in pairs] == [("R1", 1, True), ("R2", 1, False)]
    assert [r.code for r in refusals] == ["short_axis_alone"]


@pytest.mark.parametrize("linked", [False, True], ids=["relative", "linked"])
def test_caliper_paths_start_from_their_file_however_the_input_is_written(
    tmp_path: Path, project_dir: Path, monkeypatch: pytest.MonkeyPatch, linked: bool
) -> None:
    samples = project_dir / "sample_dicoms"
    monkeypatch.chdir(samples)
    scans = Path("SIM-01")
    if linked:
        scans = tmp_path / "link"
        scans.symlink_to(samples / "SIM-01")
    found = json.loads(
        lesion_measure("run", scans, "-o", tmp_path / "out", "--calipers", samples / "calipers.csv", "--json")[1]
    )
    assert found["counts"]["measured"] == 1


def test_a_name_like_a_date_is_refused_in_a_draft_with_its_reason() -> None:
    with pytest.raises(ReviewError, match="The name of the lesion, 'MAR-12', is one that spreadsheets make"):
        draft_name("MAR-12", "lesion")


@pytest.mark.parametrize("name", ["MAR-12", "01.02.2003", "#N/A", "'1-Feb", "''MAR-12", "L1", "'L1"])
def test_a_runs_own_table_can_be_given_back_whatever_its_lesions_are_called(tmp_path: Path, name: str) -> None:
    """A workbook or an object may name a lesion so; with an apostrophe no spreadsheet makes a date of it either."""
    drawn = MeasuredCaliper(
        image_uid="1.2", path="a.dcm", frame=1, visit=BASELINE, lesion=name, plane=Plane.TRANSVERSE, axis=Axis.LONG,
        reader=name, ends_px=((1.0, 2.0), (3.5, 4.0)), length_mm=1.0, table="", row=2, origin=None,
    )  # fmt: skip
    rows = caliper_rows([subject("S1", [], {BASELINE: None}, calipers=(drawn,))])
    (tmp_path / "calipers.csv").write_text(csv_text(Table(CALIPER_COLUMNS, rows)))
    (back,) = read_calipers(tmp_path / "calipers.csv")
    assert (back.lesion, back.reader) == (name, name)


def test_broken_json_says_what_helps(tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text('{"calipers": [')
    with pytest.raises(TableError, match="not valid JSON") as caught:
        read_calipers(tmp_path / "c.json")
    assert "take it out of the folder" in caught.value.remedy
