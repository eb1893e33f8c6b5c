"""Objects that cannot be used: each is told with its reason, none stops a run or shows a traceback."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom import Dataset
from pydicom.uid import generate_uid

from lesion_measure.config import Config, Limits
from lesion_measure.job.drawn_lines import DrawnLines, drawn_lines
from lesion_measure.job.request import RunRequest
from lesion_measure.pipeline import run
from lesion_measure.studies import load_studies
from presentation_states import item
from reports_beside import Line, calipers, content, dcmjs, group, header, number, ohif, report, save, scoord

CHILD, IMAGE = "SIM-01", "baseline/L1_transverse.dcm"
Break = Callable[[Dataset, Line, Line], Dataset]


@pytest.fixture(scope="module")
def lines(project_dir: Path) -> tuple[Line, Line]:
    found = calipers(project_dir / "sample_dicoms", CHILD)
    return found[IMAGE, "long"], found[IMAGE, "short"]


@pytest.fixture
def child(project_dir: Path, tmp_path: Path) -> Path:
    root = tmp_path / "sent"
    shutil.copytree(project_dir / "sample_dicoms" / CHILD, root / CHILD)
    return root


def _whole(image: Dataset, long: Line, short: Line) -> Dataset:
    return dcmjs(image, long, short, (33.39, 30.38), "L1", reader="Roe^Rita")


def _in_space(image: Dataset, long: Line, _: Line) -> Dataset:
    points = content("INFERRED FROM", "SCOORD3D", GraphicType="POLYLINE", GraphicData=[0, 0, 0, 1, 1, 1])
    points.ReferencedFrameOfReferenceUID = generate_uid()
    length = number(("G-D7FE", "SRT", "Length"), "30", [points])
    return report(image, [group("L1", generate_uid(), length)])


def _without_image(image: Dataset, long: Line, _: Line) -> Dataset:
    points = scoord(long, image)
    del points.ContentSequence
    return report(image, [group("L1", generate_uid(), number(("G-D7FE", "SRT", "Length"), "30", [points]))])


def _of_itself(image: Dataset, long: Line, short: Line) -> Dataset:
    """Content that refers to the container that holds it (PS3.3 C.17.3.2.5)."""
    made = report(image, [])
    loop = item(RelationshipType="CONTAINS", ReferencedContentItemIdentifier=[1])
    made.ContentSequence = [*made.ContentSequence, loop, loop]
    return made


def _elsewhere(image: Dataset, long: Line, short: Line) -> Dataset:
    made = _whole(image, long, short)
    for measured in made.ContentSequence[1].ContentSequence[0].ContentSequence:
        for points in measured.get("ContentSequence", []):
            points.ContentSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID = "1.2.3.99"
    return made


def _another_child(image: Dataset, long: Line, short: Line) -> Dataset:
    made = _elsewhere(image, long, short)
    made.PatientID, made.StudyInstanceUID = "P77", generate_uid()
    return made


def _frame(number_: int) -> Break:
    def made(image: Dataset, long: Line, short: Line) -> Dataset:
        length = number(("G-D7FE", "SRT", "Length"), "30", [scoord(long, image, number_)])
        return report(image, [group("L1", generate_uid(), length)])

    return made


def _off(image: Dataset, long: Line, short: Line) -> Dataset:
    return ohif(image, [replace(long, ends=(10.0, 10.0, 5000.0, 10.0))], [3.0], name="L1")


def _unit(image: Dataset, long: Line, _: Line) -> Dataset:
    inches = ("[in_i]", "UCUM", "inch")
    length = number(("G-D7FE", "SRT", "Length"), "1.3", [scoord(long, image)], unit=inches)
    return report(image, [group("L1", generate_uid(), length)])


def _deep(image: Dataset, long: Line, short: Line) -> Dataset:
    inner = content("CONTAINS", "CONTAINER")
    for _ in range(60):
        inner = content("CONTAINS", "CONTAINER", ContentSequence=[inner])
    return report(image, [inner])


def _empty(image: Dataset, long: Line, short: Line) -> Dataset:
    return report(image, [])


UNUSABLE: dict[str, tuple[Break, str]] = {
    "in space": (_in_space, "patient's space"),
    "without image": (_without_image, "which image"),
    "image not in the input": (_elsewhere, "not in the input"),
    "image of another child": (_another_child, "not in the input"),
    "frame of a still": (_frame(2), "frame 2"),
    "frame 0": (_frame(0), "frame"),
    "deep": (_deep, "more content"),
    "of itself": (_of_itself, "no measurement"),
    "empty": (_empty, "no measurement"),
}


def looked(folder: Path, limits: Limits | None = None) -> tuple[DrawnLines, dict[str, str]]:
    """What is drawn, and what is said of each file that is no image."""
    studies = load_studies(folder, limits=limits)
    drawn = drawn_lines(studies, Config())
    return drawn, {r.path or "": r.reason for r in (*studies.refusals, *drawn.refusals)}


@pytest.mark.parametrize("name", UNUSABLE)
def test_each_has_a_reason(child: Path, lines: tuple[Line, Line], name: str) -> None:
    broken, words = UNUSABLE[name]
    save(broken(header(child / CHILD / IMAGE), *lines), child / "sr.dcm")
    drawn, said = looked(child)
    assert words in said["sr.dcm"]
    assert "ultrasound" not in said["sr.dcm"].lower()
    assert not drawn.lines


def test_how_deep_a_report_may_go_is_a_setting(child: Path, lines: tuple[Line, Line]) -> None:
    save(_deep(header(child / CHILD / IMAGE), *lines), child / "sr.dcm")
    _, said = looked(child, Limits(nesting=70))
    assert "no measurement" in said["sr.dcm"]


def test_ends_off_the_image_are_refused_where_they_are_measured(child: Path, lines: tuple[Line, Line]) -> None:
    save(_off(header(child / CHILD / IMAGE), *lines), child / "sr.dcm")
    (line,) = looked(child)[0].lines
    assert line.length_mm is None
    assert line.refusal is not None
    assert line.refusal.code == "outside_image"


def test_of_an_unknown_unit_the_points_count(child: Path, lines: tuple[Line, Line]) -> None:
    save(_unit(header(child / CHILD / IMAGE), *lines), child / "sr.dcm")
    (line,) = looked(child)[0].lines
    assert line.length_mm == pytest.approx(33.3885, abs=0.001)


@pytest.mark.parametrize("undefined", [False, True])
def test_a_file_that_is_cut_anywhere_is_told_and_none_of_it_is_used(
    child: Path, lines: tuple[Line, Line], undefined: bool
) -> None:
    whole = _whole(header(child / CHILD / IMAGE), *lines)
    if undefined:  # sequences and items that end with a delimiter
        _undefined(whole)
    path = save(whole, child / "sr.dcm")
    data = path.read_bytes()
    assert len(looked(child)[0].lines) == 2
    for length in (*range(0, len(data), 97), len(data) - 1):
        path.write_bytes(data[:length])
        drawn, said = looked(child)
        assert said.get("sr.dcm"), length
        assert not drawn.lines, length


def _undefined(dataset: Dataset) -> None:
    for element in dataset:
        if element.VR == "SQ":
            element.is_undefined_length = True
            for each in element.value:
                each.is_undefined_length_sequence_item = True
                _undefined(each)


def test_other_storage_classes_are_no_calipers(child: Path, lines: tuple[Line, Line]) -> None:
    made = _whole(header(child / CHILD / IMAGE), *lines)
    made.SOPClassUID = made.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.88.59"
    save(made, child / "ko.dcm")
    made.SOPClassUID = made.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.104.1"
    save(made, child / "pdf.dcm")
    made.SOPClassUID = made.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.66.4"
    made.Modality = "SEG"
    save(made, child / "seg.dcm")
    drawn, said = looked(child)
    assert not drawn.lines
    assert "Key Object" in said["ko.dcm"]
    assert "Encapsulated PDF" in said["pdf.dcm"]
    assert said["seg.dcm"]


def test_one_that_is_too_large(child: Path, lines: tuple[Line, Line]) -> None:
    save(_whole(header(child / CHILD / IMAGE), *lines), child / "sr.dcm")
    assert "larger than 500 bytes" in looked(child, Limits(object_bytes=500))[1]["sr.dcm"]


def test_all_at_once_each_is_told_and_the_child_is_marked(
    child: Path, lines: tuple[Line, Line], tmp_path: Path
) -> None:
    for name, (broken, _) in UNUSABLE.items():
        save(broken(header(child / CHILD / IMAGE), *lines), child / f"{name}.dcm")
    whole = child / "whole.dcm"
    save(_whole(header(child / CHILD / IMAGE), *lines), whole)
    (child / "cut.dcm").write_bytes(whole.read_bytes()[:1500])
    config = Config.model_validate({"segment": {"policy": "calipers_only"}})
    result = run(RunRequest(input=child, out=tmp_path / "out", config=config))
    (subject,) = result.subjects
    with (tmp_path / "out" / "refusals.csv").open(newline="", encoding="utf-8") as stream:
        told = {row["path"]: row for row in csv.DictReader(stream)}
    assert {f"{name}.dcm" for name in UNUSABLE} | {"cut.dcm"} <= set(told)
    marked = {path for path, row in told.items() if row["kind"] == "needs review" and row["subject"] == CHILD}
    assert {"in space.dcm", "without image.dcm", "image not in the input.dcm", "frame of a still.dcm"} <= marked
    assert told["image of another child.dcm"]["kind"] == "refused"
    assert {told[f"{name}.dcm"]["kind"] for name in ("empty", "of itself")} == {"skipped"}
    assert [lesion.lesion for lesion in subject.lesions] == ["L1"]
