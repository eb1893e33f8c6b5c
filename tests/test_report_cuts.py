"""Three orthogonal cuts through a 3D lesion: where they lie, what is drawn on them, and how they stand on the page."""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from jsonschema import Draft202012Validator
from numpy.typing import NDArray
from PIL import Image
from pydicom import dcmread
from scipy.spatial.transform import Rotation
from skimage.measure import points_in_poly

import make
import test_true_3d
from drawn_network import replace_network
from lesion_measure.config import Config
from lesion_measure.dicom.frames import FrameReader
from lesion_measure.dicom.open_image import OpenImage
from lesion_measure.errors import PixelError
from lesion_measure.image import automatic
from lesion_measure.image.stack import measure_body
from lesion_measure.job.request import RunRequest
from lesion_measure.measure import geometry
from lesion_measure.pipeline import run
from lesion_measure.records import BASELINE, Body, Instance, LesionMask, LesionMeasurement, Metric, RunResult
from lesion_measure.report.cuts import CutRow, across_slices, cut_rows, middle_of
from lesion_measure.results import results_schema
from test_true_3d import AXES, COLUMNS, FRAMES, MIDDLE, ROWS, SLICE, SPACING, TURN, Coverage, coverage, mask, write

GRID = np.array([SLICE, *SPACING])


def true_cut_mm2(turn: Rotation, axis: int, offset_mm: float) -> float:
    """Area of the cut of the ellipsoid by a plane perpendicular to an axis of the grid, ``offset_mm`` from its middle.

    The ellipse x'Ax = 1 with x[axis] fixed: pi (1 - h) / sqrt(det B), B being A without that axis and h the part of it
    that the offset takes up.
    """
    a = turn.as_matrix() @ np.diag([4 / length**2 for length in AXES]) @ turn.as_matrix().T
    rest = [i for i in range(3) if i != axis]
    b = a[np.ix_(rest, rest)]
    taken = offset_mm**2 * (a[axis, axis] - a[axis, rest] @ np.linalg.solve(b, a[rest, axis]))
    return float(math.pi * (1 - taken) / math.sqrt(np.linalg.det(b)))


@pytest.fixture
def volume(tmp_path: Path) -> tuple[Instance, Body, LesionMeasurement, Callable[[str, int], NDArray[np.uint8]]]:
    """A simulated Enhanced US Volume, its body, and what shows its frames."""
    pixels = coverage(TURN, MIDDLE)
    instance = write(tmp_path / "in", pixels)
    masks = {n: mask(p.astype(np.float32) / 255) for n, p in enumerate(pixels, 1) if p.max() > 127}
    settings = Config().uncertainty
    plane = make.plane(20, 15, spacing_mm=SPACING, at=(40.0, 36.0), outline_px=None, sop=instance.sop_instance_uid)
    body = measure_body(masks, plane, slice_spacing_mm=SLICE, settings=settings)
    lesion = make.lesion(24, planes=(replace(plane, body=body, frame=20),))

    def frame(uid: str, number: int) -> NDArray[np.uint8]:
        with FrameReader(instance, Config().limits) as reader:
            return reader.display(number)

    return instance, body, lesion, frame


def test_the_outlines_across_the_slices_are_those_of_the_ellipsoid(volume) -> None:  # type: ignore[no-untyped-def]
    _, body, _, _ = volume
    frame, row, column = middle_of(body)
    middle = np.array(MIDDLE) / GRID
    assert np.array([frame - 1, row, column]) == pytest.approx(middle, abs=1.01)
    for at, length, along_rows, axis in ((row, COLUMNS, True, 1), (column, ROWS, False, 2)):
        (outline,) = across_slices(body, at, length, FRAMES, along_rows=along_rows)
        spacing = (SLICE, SPACING[1]) if along_rows else (SPACING[0], SLICE)
        area = abs(geometry.signed_area(outline[:-1] * spacing))
        true = true_cut_mm2(TURN, axis, (at - middle[axis]) * GRID[axis])
        assert area == pytest.approx(true, rel=0.03)
        centre = geometry.centroid(outline[:-1])
        expected = (middle[0], middle[2]) if along_rows else (middle[1], middle[0])
        assert centre == pytest.approx(expected, abs=1.5)


def shown(row: CutRow, number: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The pixels of a cut's picture (0..1), and which of them lie inside of the drawn outline."""
    picture = row.cells[number].picture
    assert picture is not None
    pixels = np.asarray(Image.open(io.BytesIO(picture.jpeg)).convert("L")) / 255.0
    numbers = picture.outline.strip("MZ").split("L")
    points = np.array([[float(n) for n in pair.split()] for pair in numbers])  # column, row
    a, _, _, d, e, f = picture.matrix
    drawn = points * (a, d) + (e, f)
    rows, columns = np.mgrid[: picture.height, : picture.width] + 0.5
    inside = points_in_poly(np.column_stack([columns.ravel(), rows.ravel()]), drawn).reshape(pixels.shape)
    return pixels, inside


@pytest.mark.parametrize("number", [0, 1, 2])
def test_what_is_drawn_lies_on_what_is_shown(volume, number: int) -> None:  # type: ignore[no-untyped-def]
    """The volume is white inside of the ellipsoid and black outside of it, and so is every cut inside its outline."""
    instance, _, lesion, frame = volume
    (row,) = cut_rows({BASELINE: lesion}, {instance.sop_instance_uid: instance}, frame, 400)
    assert (row.visit, row.path, len(row.cells)) == (BASELINE, "volume.dcm", 3)
    pixels, inside = shown(row, number)
    assert inside.mean() > 0.05
    assert np.abs((pixels > 0.5) ^ inside).sum() < 0.12 * inside.sum()


def test_every_cut_is_to_the_same_scale(volume) -> None:  # type: ignore[no-untyped-def]
    instance, _, lesion, frame = volume
    (row,) = cut_rows({BASELINE: lesion}, {instance.sop_instance_uid: instance}, frame, 400)
    spacings = (SPACING, (SLICE, SPACING[1]), (SPACING[0], SLICE))
    scales = []
    for cell, (down_mm, across_mm) in zip(row.cells, spacings, strict=True):
        assert cell.picture is not None
        across, _, _, down, *_ = cell.picture.matrix
        scales += [across / across_mm, down / down_mm]  # pixels of the picture for each mm
        bar = cell.picture.bar
        assert (bar.right - bar.left) / bar.millimetres == pytest.approx(scales[-1], rel=0.01)
    assert scales == pytest.approx([scales[0]] * 6, rel=0.01)


def test_without_a_body_there_are_no_cuts_and_frames_that_cannot_be_read_say_so(volume) -> None:  # type: ignore[no-untyped-def]
    instance, _, lesion, _ = volume
    images = {instance.sop_instance_uid: instance}

    def broken(uid: str, number: int) -> NDArray[np.uint8]:
        raise PixelError("Frame 7 is cut off.")

    (row,) = cut_rows({BASELINE: lesion}, images, broken, 400)
    assert [(c.picture, c.detail) for c in row.cells] == [(None, "Frame 7 is cut off.")]
    flat = replace(lesion, planes=tuple(replace(p, body=None) for p in lesion.planes))
    assert list(cut_rows({BASELINE: flat}, images, broken, 400)) == []


def test_two_visits_from_the_files_to_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lesion shrinks to 70 %: both visits' cuts stand on the page, in one scale, and no outline in results.json."""
    shares: dict[str, NDArray[np.float32]] = {}
    (tmp_path / "in").mkdir()
    for visit, day, scale in (("baseline", "20240101", 1.0), ("one_month", "20240131", 0.7)):
        monkeypatch.setattr(test_true_3d, "AXES", tuple(scale * axis for axis in AXES))
        pixels = coverage(TURN, MIDDLE)
        instance = write(tmp_path / "in" / visit, pixels)
        dataset = dcmread(tmp_path / "in" / visit / "volume.dcm")
        dataset.StudyDate = day
        dataset.save_as(tmp_path / "in" / visit / "volume.dcm")
        shares[instance.sop_instance_uid] = pixels.astype(np.float32) / 255

    def outline(image: OpenImage, frames: list[int], *_: object) -> Iterator[tuple[int, list[LesionMask]]]:
        share = shares[image.instance.sop_instance_uid]
        yield from ((f, [mask(share[f - 1])] if share[f - 1].max() > 0.5 else []) for f in frames)

    monkeypatch.setattr(automatic, "outline", outline)
    replace_network(monkeypatch, Coverage())
    result = run(RunRequest(input=tmp_path / "in", out=tmp_path / "out"))
    volume = next(c for c in result.subjects[0].changes if c.metric is Metric.VOLUME and c.lesion is not None)
    assert volume.percent == pytest.approx(100 * (0.7**3 - 1), abs=0.5)
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert page.count("Three cuts through the body") == 2
    assert page.count("Across slices, by row") == page.count("Across slices, by column") == 2
    scales = set(re.findall(r'class="drawn" transform="matrix\(([\d.]+) 0 0 ([\d.]+)', page))
    assert len(scales) == 4  # that of the slices' pictures, and of three kinds of cuts at either visit
    written = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))
    Draft202012Validator(results_schema()).validate(written)
    check_volumes(tmp_path / "out" / "volumes", result)


def check_volumes(folder: Path, result: RunResult) -> None:
    """Each lesion's file by SimpleITK: the voxels of the ellipsoid, at their place, and the volume by counting them."""
    names = {f"S1_{lesion.visit.replace('_', '-')}_L1.lesion.nrrd": lesion for lesion in result.subjects[0].lesions}
    assert {file.name for file in folder.iterdir()} == set(names)
    for name, lesion in names.items():
        image = sitk.ReadImage(str(folder / name))
        voxels = sitk.GetArrayFromImage(image)
        assert voxels.shape == (FRAMES, ROWS, COLUMNS)
        assert image.GetSpacing() == pytest.approx((SPACING[1], SPACING[0], SLICE))
        assert (image.GetMetaData("subject"), image.GetMetaData("lesion")) == ("S1", "L1")
        scale = 1.0 if lesion.visit == BASELINE else 0.7
        true_ml = math.pi / 6 * math.prod(AXES) * scale**3 / 1000
        counted_ml = np.count_nonzero(voxels) * math.prod(image.GetSpacing()) / 1000
        assert lesion.volume_ml is not None
        assert counted_ml == pytest.approx(lesion.volume_ml.value, rel=0.01)
        assert counted_ml == pytest.approx(true_ml, rel=0.02)
        frame, row, column = np.argwhere(voxels).mean(axis=0)
        assert image.TransformContinuousIndexToPhysicalPoint((column, row, frame)) == pytest.approx(
            MIDDLE[::-1], abs=0.2
        )
