"""Signed readings as DICOM: segmentations that say who drew them by hand, and reports whose observer is the reader."""

from __future__ import annotations

import math
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, expect
from pydicom import Dataset, dcmread
from review_panes import ready

from chromium import Opened
from lesion_measure.job import folder as results_folder
from lesion_measure.job.readings import with_readings
from lesion_measure.job.request import RunRequest
from lesion_measure.pipeline import run
from lesion_measure.records import Axis, Way
from lesion_measure.review.exports import write_calipers
from lesion_measure.review.messages import Draft, Kind, Role
from lesion_measure.review.store import Store, beside
from lesion_measure.studies import load_studies
from reading_room import served

LONG, SHORT = 60.5, 44.25
"""Of an ellipse in pixels, on each image of the child."""


def drawn() -> Draft:
    angle = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    points = np.stack([300 + SHORT / 2 * np.sin(angle), 380 + LONG / 2 * np.cos(angle)], axis=1)
    contour = tuple((float(row), float(col)) for row, col in points)
    return Draft(image="ab" * 8, frame=1, lesion="L1", kind=Kind.OUTLINE, contour=contour)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The scans of a child, and a run on its signed outlines with DICOM objects."""
    folder = tmp_path_factory.mktemp("objects")
    samples = Path(__file__).resolve().parent.parent / "sample_dicoms"
    shutil.copytree(samples / "SIM-01", folder / "scans" / "SIM-01")
    out = folder / "out"
    results_folder.adopt(out)
    with Store(beside(out)) as store:
        for image in load_studies(folder / "scans").instances:
            store.add("SIM-01", image.path.split("/")[1], image.sop_instance_uid, drawn(), "Dr. Reader")
        store.sign("SIM-01", "Dr. Reader", Role.READER, {kept.id: kept.version for kept in store.readings()})
        write_calipers(store, out)
    run(with_readings(RunRequest(input=folder / "scans", out=out, dicom=True)))
    return folder / "scans", out


def test_what_a_report_says_is_offered_in_the_page_and_a_key_accepts_it(
    written: tuple[Path, Path], tmp_path: Path, chromium: Browser
) -> None:
    scans = tmp_path / "scans"
    shutil.copytree(written[0], scans)
    for report in (written[1] / "dicom").glob("*.sr.dcm"):
        shutil.copy(report, scans / report.name)
    with served(scans, tmp_path / "out", reader="reader-2") as room, Opened(chromium, room) as opened:
        page = opened.page
        page.keyboard.press("n")
        ready(page)
        offer = page.locator(".offer:not([hidden])").first
        expect(offer).to_contain_text("Dr. Reader")
        with page.expect_response(re.compile(r"/readings$")) as answered:
            page.keyboard.press("y")
        assert opened.wrong == []
        assert answered.value.ok
        (kept,) = room.store.readings()
    assert kept.reader == "reader-2"
    assert kept.draft.long is not None
    assert math.dist(*kept.draft.long) == pytest.approx(LONG, abs=0.5)


def objects(out: Path, kind: str) -> list[Dataset]:
    return [dcmread(path) for path in sorted((out / "dicom").glob(f"*.{kind}.dcm"))]


def texts(item: Dataset) -> list[str]:
    own = [str(item.PersonName)] if "PersonName" in item else []
    return own + [text for child in item.get("ContentSequence", ()) for text in texts(child)]


def test_each_outline_is_a_segmentation_by_hand_of_its_true_area(written: tuple[Path, Path]) -> None:
    scans, out = written
    found = objects(out, "seg")
    assert len(found) == len(list(scans.rglob("*.dcm")))
    for segmentation in found:
        (segment,) = segmentation.SegmentSequence
        assert segment.SegmentAlgorithmType == "MANUAL"
        assert segment.SegmentLabel == "L1"
        pixels = np.count_nonzero(segmentation.pixel_array)
        assert pixels == pytest.approx(math.pi / 4 * LONG * SHORT, rel=0.01)


def test_the_reader_is_the_observer_of_each_report(written: tuple[Path, Path]) -> None:
    reports = objects(written[1], "sr")
    assert len(reports) == 2
    assert [set(texts(report)) for report in reports] == [{"Dr. Reader"}] * 2


def test_the_segmentations_are_the_readers_outlines_when_they_come_back(
    written: tuple[Path, Path], tmp_path: Path
) -> None:
    scans, out = written
    back = run(RunRequest(input=scans, out=tmp_path / "back", calipers=out / "dicom"))
    (first,), (second,) = back.subjects, run(with_readings(RunRequest(input=scans, out=out, overwrite=True))).subjects
    assert {each.axis for each in second.calipers} == {Axis.OUTLINE}
    assert {each.way for each in second.lesions} == {Way.OUTLINE}  # although the network is there
    for there, here in zip(first.lesions, second.lesions, strict=True):
        assert there.reader == here.reader == "Dr. Reader"
        assert there.longest_diameter_mm.value == pytest.approx(here.longest_diameter_mm.value, rel=0.01)
