"""Whole runs of drawings beside the images: the same millimetres as the same drawing in a caliper file."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from highdicom import AlgorithmIdentificationSequence
from highdicom.seg import SegmentAlgorithmTypeValues, SegmentDescription
from numpy.typing import NDArray
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.sr.codedict import codes
from skimage.draw import ellipse

from lesion_measure.config import Config
from lesion_measure.job.request import RunRequest
from lesion_measure.pipeline import run
from lesion_measure.records import RunResult
from presentation_states import annotation, graphic, reference, said, state
from segmentations import ABNORMAL, compressed, encapsulated, run_lengths, save, segmentation

CHILD = "SIM-01"
IMAGES = tuple(f"{visit}/L1_{plane}.dcm" for visit in ("baseline", "one_month") for plane in ("transverse", "sagittal"))
RLE = "1.2.840.10008.1.2.5"


@pytest.fixture
def child(project_dir: Path, tmp_path: Path) -> Path:
    root = tmp_path / "sent"
    shutil.copytree(project_dir / "sample_dicoms" / CHILD, root)
    return root


def measure(child: Path, out: Path, calipers: Path | None = None, **settings: Any) -> RunResult:
    config = Config.model_validate({"segment": {"policy": "calipers_only"}, "calipers": settings})
    return run(RunRequest(input=child, out=out, calipers=calipers, config=config))


def rows_of(project_dir: Path) -> list[dict[str, str]]:
    with (project_dir / "sample_dicoms" / "calipers.csv").open(newline="", encoding="utf-8") as stream:
        return [row for row in csv.DictReader(stream) if row["image"].startswith(f"{CHILD}/")]


def table(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return path


def drawn_on(source: Dataset, number: int) -> NDArray[np.bool_]:
    """An ellipse within the picture's scan, another one on each image."""
    mask = np.zeros((source.Rows, source.Columns), dtype=bool)
    row, column = source.Rows * 0.55, source.Columns * 0.5
    mask[ellipse(row, column, 40 + 3 * number, 55 + 2 * number, mask.shape, rotation=0.3)] = True
    return mask


def sizes(result: RunResult) -> dict[str, Any]:
    """All numbers of the one child's lesions, plane by plane, and its verdict."""
    (subject,) = result.subjects
    found: dict[str, Any] = {"verdict": None if subject.response is None else subject.response.category}
    for lesion in subject.lesions:
        for plane in lesion.planes:
            key = f"{lesion.lesion} {lesion.visit} {plane.plane}"
            found[key] = [
                None if one is None else (one.value, one.sd)
                for one in (plane.long_axis_mm, plane.short_axis_mm, plane.area_mm2, plane.perimeter_mm)
            ]
        found[f"{lesion.lesion} {lesion.visit}"] = (
            lesion.longest_diameter_mm.value,
            lesion.volume_ml and lesion.volume_ml.value,
        )
    return found


def segments(child: Path, kind: str, *, run_length: bool = False, automatic: bool = False) -> list[NDArray[np.bool_]]:
    """A segmentation beside each image; the masks in the order of `IMAGES`."""
    by = AlgorithmIdentificationSequence("net", codes.DCM.ArtificialIntelligence, "1")
    described = SegmentDescription(
        1,
        "L1",
        ABNORMAL,
        codes.SCT.Lesion,
        SegmentAlgorithmTypeValues.AUTOMATIC if automatic else SegmentAlgorithmTypeValues.MANUAL,
        algorithm_identification=by if automatic else None,
    )
    masks = []
    for number, name in enumerate(IMAGES):
        source = dcmread(child / name)
        for keyword in ("PatientBirthDate", "PatientSex", "StudyTime", "AccessionNumber", "StudyID"):
            source.setdefault(keyword, "")
        whole = child / "whole.dcm"
        source.save_as(whole)
        masks.append(mask := drawn_on(source, number))
        values = mask[None].astype(np.uint8 if kind == "LABELMAP" else bool)
        seg = segmentation(whole, values, kind, described, content_creator_name="R1^")
        path = save(seg, child / f"seg{number}.dcm")
        whole.unlink()
        if run_length and kind == "BINARY":
            encapsulated(path, RLE, [run_lengths(np.packbits(mask, bitorder="little").tobytes())])
        elif run_length:
            compressed(path, RLE)
    return masks


@pytest.mark.parametrize("run_length", [False, True])
@pytest.mark.parametrize("kind", ["BINARY", "FRACTIONAL", "LABELMAP"])
def test_a_segmentation_measures_as_the_same_mask_in_a_table(
    child: Path, tmp_path: Path, kind: str, run_length: bool
) -> None:
    """Lengths, areas, volumes, error bars and the verdict, to the last digit."""
    masks = segments(child, kind, run_length=run_length)
    by_object = measure(child, tmp_path / "by_object")
    for path in child.glob("seg*.dcm"):
        path.unlink()
    rows = []
    for name, mask in zip(IMAGES, masks, strict=True):
        picture = tmp_path / f"{len(rows)}.png"
        Image.fromarray(np.where(mask, 255, 0).astype(np.uint8)).save(picture)
        empty = dict.fromkeys(("start_col", "start_row", "end_col", "end_row"), "")
        known = {"image": name, "frame": "1", "lesion": "L1", "plane": "unknown", "axis": "outline"}
        rows.append({**known, **empty, "reader": "R1", "mask": picture.name})
    by_table = measure(child, tmp_path / "by_table", table(tmp_path / "calipers.csv", rows))
    assert sizes(by_object) == sizes(by_table)
    assert sizes(by_object)["verdict"] is not None
    (subject,) = by_object.subjects
    assert {plane.reader for lesion in subject.lesions for plane in lesion.planes} == {"R1"}


def test_a_line_of_a_presentation_state_measures_as_its_row(child: Path, tmp_path: Path, project_dir: Path) -> None:
    """GraphicData is of single precision: the millimetres agree to a millionth."""
    rows = rows_of(project_dir)
    by_table = measure(child, tmp_path / "by_table", table(child / "calipers.csv", _without_folder(rows)))
    (child / "calipers.csv").unlink()
    for number, name in enumerate(IMAGES):
        lines = []
        texts = []
        for row in rows:
            if row["image"] == f"{CHILD}/{name}":
                ends = [float(row[key]) + 0.5 for key in ("start_col", "start_row", "end_col", "end_row")]
                lines.append(graphic("POLYLINE", *ends))
                texts.append(said(f"L1 {row['axis']}", *ends[2:]))
        image = dcmread(child / name)
        made = state(
            annotation(*lines, texts=texts), images=[reference(image.SOPInstanceUID)], PatientID=image.PatientID,
            StudyInstanceUID=image.StudyInstanceUID, ContentCreatorName="reader-1",
        )  # fmt: skip
        made.save_as(child / f"pr{number}", enforce_file_format=True)
    by_object = measure(child, tmp_path / "by_object")
    wanted, found = sizes(by_table), sizes(by_object)
    assert wanted.keys() == found.keys()
    for key, numbers in wanted.items():
        if key == "verdict":
            assert found[key] == numbers
        else:
            assert _flat(found[key]) == pytest.approx(_flat(numbers), rel=1e-6)


def _flat(numbers: Any) -> list[float]:
    return [float(value) for one in numbers for value in np.ravel(one if one is not None else 0.0)]


def _without_folder(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{**row, "image": row["image"].removeprefix(f"{CHILD}/")} for row in rows]


def test_what_an_algorithm_drew_alone_waits_for_a_setting(child: Path, tmp_path: Path) -> None:
    segments(child, "BINARY", automatic=True)
    refused = measure(child, tmp_path / "refused")
    assert not [lesion for subject in refused.subjects for lesion in subject.lesions]
    assert "segment_automatic" in _codes(refused)
    taken = measure(child, tmp_path / "taken", automatic_segments=True)
    assert sizes(taken)["verdict"] is not None


def test_a_mask_of_another_size_is_refused(child: Path, tmp_path: Path) -> None:
    segments(child, "BINARY")
    path = child / "seg0.dcm"
    dataset = dcmread(path)
    dataset.Columns -= 8
    dataset.PixelData = dataset.PixelData[: dataset.Rows * dataset.Columns // 8]
    dataset.save_as(path)
    assert "mask_grid" in _codes(measure(child, tmp_path / "out"))


def _codes(result: RunResult) -> set[str]:
    return {refusal.code for refusal in (*result.refusals, *(r for s in result.subjects for r in s.review))}
