"""What any viewer outlined and stored as DICOM object becomes a training set, with reader and date."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.uid import generate_uid
from typer.testing import CliRunner

from csv_files import csv_rows
from lesion_measure.cli import app
from lesion_measure.job import folder as results_folder
from lesion_measure.lab.datasets import load
from lesion_measure.review.messages import Role
from lesion_measure.review.store import Store, beside
from reports_beside import LENGTH, Line, group, header, number, report, scoord
from reports_beside import save as save_report
from segmentations import COLUMNS, ROWS, image, mask, save, segmentation
from test_review_training import draft

AREA = ("42798000", "SCT", "Area")
SQUARE_CM = ("cm2", "UCUM", "square centimeter")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    results_folder.adopt(tmp_path / "out")
    return tmp_path / "out"


def segmented(folder: Path, drawn: NDArray[np.bool_], reader: str = "Reader^One", **written: str) -> Path:
    """An image and highdicom's segmentation of it, by a reader at a time."""
    source = image(folder)
    seg = segmentation(source, drawn[None], "BINARY")
    seg.ContentCreatorName = reader
    seg.ContentDate, seg.ContentTime = written.get("date", "20240501"), written.get("time", "101500")
    save(seg, folder / "seg.dcm")
    return source


def caliper(source: Path, ends: tuple[float, float, float, float]) -> Dataset:
    known = header(source)
    line = number(LENGTH, "9", [scoord(Line("", "long", ends), known)])
    return report(known, [group("t", generate_uid(), line)], reader="Reader^One")


def polygon(source: Path, *points: tuple[float, float]) -> Dataset:
    """A closed outline by its corners (column, row), pixel centres at integers."""
    known = header(source)
    drawn = scoord(Line("", "long", (0, 0, 1, 1)), known)
    drawn.GraphicData = [value + 0.5 for point in (*points, points[0]) for value in point]
    return report(known, [group("t", generate_uid(), number(AREA, "1.2", [drawn], SQUARE_CM))], reader="Reader^Two")


def export(out: Path, scans: Path) -> str:
    done = CliRunner().invoke(app, ["export", str(out), "--training", "--input", str(scans)])
    assert done.exit_code == 0, done.output
    return " ".join(done.output.split())


def mask_of(out: Path, name: str) -> NDArray[np.bool_]:
    return np.asarray(Image.open(out / "corrections" / "masks" / f"{name}.png")) > 0


def uid_of(source: Path) -> str:
    return str(dcmread(source).SOPInstanceUID)


def test_a_segmentation_is_taken_with_reader_and_date(out: Path, tmp_path: Path) -> None:
    source = segmented(tmp_path / "scans" / "a", mask())
    text = export(out, tmp_path / "scans")
    assert "Training set: 1 frames" in text
    (row,) = csv_rows(out / "corrections" / "index.csv")
    assert (row["id"], row["group"], row["drawn_in"]) == (f"{uid_of(source)}-1", "P1", "SEG")
    assert row["saved"] == "2024-05-01T10:15:00"
    assert row["reader"] == "Reader One"
    np.testing.assert_array_equal(mask_of(out, row["id"]), mask())
    (item,) = load(out)
    assert item.labels.shape == (ROWS, COLUMNS)
    np.testing.assert_array_equal(item.labels > 0, mask())


def test_an_outline_of_a_report_is_taken(out: Path, tmp_path: Path) -> None:
    source = image(tmp_path / "scans" / "a")
    corners = ((30, 20), (52, 18), (74, 20), (74, 49), (52, 51), (30, 49))
    save_report(polygon(source, *corners), tmp_path / "scans" / "a" / "sr.dcm")
    export(out, tmp_path / "scans")
    (row,) = csv_rows(out / "corrections" / "index.csv")
    assert row["drawn_in"] == "SR"
    found = mask_of(out, row["id"])
    assert found[21:49, 31:74].all()
    area = 44 * 29 + 2 * 44 * 2 / 2  # a rectangle with a roof on either side
    assert found.sum() == pytest.approx(area, abs=44 + 31)


def test_a_caliper_beside_the_outlines_leaves_a_frame_out(out: Path, tmp_path: Path) -> None:
    """One on the outlined lesion teaches nothing else; one elsewhere is a lesion that would be taught to be none."""
    covered, open_ = (segmented(tmp_path / "scans" / name, mask()) for name in ("covered", "open"))
    save_report(caliper(covered, (32, 35, 72, 35)), covered.parent / "sr.dcm")
    save_report(caliper(open_, (80, 70, 110, 80)), open_.parent / "sr.dcm")
    text = export(out, tmp_path / "scans")
    assert [row["sop_instance_uid"] for row in csv_rows(out / "corrections" / "index.csv")] == [uid_of(covered)]
    assert f"left out: frame 1 of {uid_of(open_)}: t was read there and not outlined." in text


def test_what_was_signed_here_comes_first(out: Path, tmp_path: Path) -> None:
    signed, other = (segmented(tmp_path / "scans" / name, mask()) for name in ("signed", "other"))
    square = ((60.0, 60.0), (60.0, 100.0), (85.0, 100.0), (85.0, 60.0))
    with Store(beside(out)) as store:
        store.add("P1", "baseline", uid_of(signed), draft(contour=square), "R1")
        store.sign("P1", "R1", Role.READER, {kept.id: kept.version for kept in store.readings("P1", "R1")})
    export(out, tmp_path / "scans")
    rows = {row["sop_instance_uid"]: row for row in csv_rows(out / "corrections" / "index.csv")}
    assert (rows[uid_of(signed)]["drawn_in"], rows[uid_of(signed)]["reader"]) == ("reading room", "R1")
    assert rows[uid_of(other)]["drawn_in"] == "SEG"
    assert not (mask_of(out, rows[uid_of(signed)]["id"]) & mask()).any()


def test_without_readings_and_objects_the_reason_is_told(out: Path, tmp_path: Path) -> None:
    image(tmp_path / "scans" / "a")
    done = CliRunner().invoke(app, ["export", str(out), "--training", "--input", str(tmp_path / "scans")])
    assert done.exit_code == 1
    assert "holds no readings" in done.output
