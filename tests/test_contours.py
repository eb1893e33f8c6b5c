"""Contours in caliper tables: what a cell holds, and how well an outline of sub-pixel points is measured."""

from __future__ import annotations

import csv
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from skimage.draw import polygon2mask

from lesion_measure.errors import TableError
from lesion_measure.job.request import RunRequest
from lesion_measure.measure import measure_mask, measure_outline
from lesion_measure.measure.geometry import crosses_itself
from lesion_measure.pipeline import run
from lesion_measure.records import BASELINE, Axis, Source
from lesion_measure.report.tables import write_csv
from lesion_measure.studies import load_studies
from lesion_measure.tables.calipers import OPTIONAL, REQUIRED, read_calipers
from lesion_measure.tables.contours import contour_points, contour_text, thinned

Floats = NDArray[np.float64]
COLUMNS = (*REQUIRED, *OPTIONAL)


def ellipse(middle: tuple[float, float], long: float, short: float, turn: float, points: int = 120) -> Floats:
    """(points, 2) on an ellipse of two diameters in pixels."""
    angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
    axes = np.stack([long / 2 * np.cos(angle), short / 2 * np.sin(angle)], axis=1)
    return axes @ np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]]) + np.array(middle)


coordinate = st.floats(-50, 9000).map(lambda value: round(value, 3))
contours = (
    st.lists(st.tuples(coordinate, coordinate), min_size=3, max_size=40)
    .filter(lambda points: points[0] != points[-1])
    .map(tuple)
)


@settings(deadline=None)
@given(contours)
def test_points_come_back_to_a_thousandth_of_a_pixel(points: tuple[tuple[float, float], ...]) -> None:
    assert contour_points(contour_text(points)) == points


@settings(deadline=None)
@given(contours, st.sampled_from(["L1", "-1", "=1+1", "@a", "+L", "－1"]), st.sampled_from([" =x", "gas", "+ two"]))
def test_rows_come_back_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, points: tuple[tuple[float, float], ...], lesion: str, why: str
) -> None:
    """Also texts that a spreadsheet takes for a formula, and points left of the image, which begin with a minus."""
    path = tmp_path_factory.mktemp("table") / "calipers.csv"
    common = {"image": "1.2.3", "frame": 4, "lesion": lesion, "plane": "sagittal", "reader": "R1"}
    rows = [
        {**common, "axis": "outline", "contour": contour_text(points)},
        {**common, "axis": "not_assessable", "reason": why},
        {**common, "axis": "long", "start_row": points[0][0], "start_col": 9e3 + 1, "end_row": 0.25, "end_col": 2.0},
    ]
    write_csv(path, COLUMNS, rows)
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in csv.reader(path.open()) for cell in row[1:2])
    outline, stated, line = read_calipers(path)
    assert (outline.contour, outline.mask, outline.axis) == (points, None, Axis.OUTLINE)
    assert (stated.axis, stated.reason, stated.contour) == (Axis.NOT_ASSESSABLE, why.strip(), ())
    assert (line.start, line.end) == (pytest.approx((points[0][0], 9001.0)), (0.25, 2.0))
    assert {(each.lesion, each.frame, each.plane.value) for each in (outline, stated, line)} == {
        (lesion, 4, "sagittal")
    }


@pytest.mark.parametrize(
    ("cell", "complaint"),
    [
        ("1 2;3 4", "has 2 points"),
        ("1 2;3 4;1 2", "has 2 points"),
        ("1 2;3 4;5", "point 3"),
        ("1 2;3 4;5 6 7", "point 3"),
        ("1 2;3 nan;5 6", "point 2"),
        ("1 2;3 4;5 1e9", "lies in no image"),
        ("1,2;3,4;5,6", "point 1"),
        (";".join(["1 2", "3 4"] * 2001), "has 4002 points"),
    ],
)
def test_a_cell_that_is_no_contour_is_refused_with_its_line(tmp_path: Path, cell: str, complaint: str) -> None:
    with pytest.raises(TableError, match=complaint):
        contour_points(cell)
    path = tmp_path / "calipers.csv"
    write_csv(path, COLUMNS, [{"image": "a", "lesion": "L1", "axis": "outline", "reader": "R1", "contour": cell}])
    with pytest.raises(TableError, match=f"Line 2: 'contour' .*{complaint}"):
        read_calipers(path)


@pytest.mark.parametrize(
    ("cells", "complaint"),
    [
        ({"axis": "outline", "contour": "1 2;3 4;5 6", "mask": "a.png"}, "has both"),
        ({"axis": "outline"}, "'mask' is empty"),
        ({"axis": "absent", "contour": "1 2;3 4;5 6"}, "has a contour"),
        ({"axis": "absent", "reason": "gone"}, "has a reason"),
        ({"axis": "not_assessable"}, "'reason' is empty"),
        ({"axis": "not_assessable", "reason": "x" * 2101}, "'reason' is not printable"),
        ({"axis": "not_assessable", "reason": "gas", "start_row": 1}, "has no end points"),
        ({"axis": "not assessable", "reason": "gas"}, "did you mean 'not_assessable'"),
    ],
)
def test_rows_that_contradict_themselves_stop_the_run(
    tmp_path: Path, cells: dict[str, str | int], complaint: str
) -> None:
    path = tmp_path / "calipers.csv"
    write_csv(path, COLUMNS, [{"image": "a", "lesion": "L1", "reader": "R1", **cells}])
    with pytest.raises(TableError, match=complaint):
        read_calipers(path)


@pytest.mark.parametrize("long", [8.0, 20.0, 150.0])
def test_contours_of_ellipses_are_measured_within_three_thousandths(long: float) -> None:
    """The pixels of a 20 px ellipse give area and long axis 2 % wrong at worst: they are not what is measured."""
    rng = np.random.default_rng(3)
    worst, by_pixels = np.zeros(3), 0.0
    for _ in range(40):
        short, turn, middle = long * rng.uniform(0.5, 1), rng.uniform(0, np.pi), tuple(100 + rng.uniform(-0.5, 0.5, 2))
        points = contour_points(contour_text(ellipse(middle, long, short, turn)))
        found, true = measure_outline(points, spacing_mm=(1, 1)), math.pi / 4 * long * short
        sizes = np.array([found.long_axis_mm / long, found.short_axis_mm / short, found.area_mm2 / true])
        worst = np.maximum(worst, np.abs(sizes - 1))
        pixels = measure_mask(polygon2mask((200, 200), np.array(points)), spacing_mm=(1, 1))
        by_pixels = max(by_pixels, abs(pixels.area_mm2 / true - 1))
    assert (worst < 0.003).all(), worst
    assert long > 20 or by_pixels > 0.01


def test_a_contour_that_crosses_itself_is_told_from_one_that_does_not() -> None:
    square = [(0, 0), (0, 2), (0, 5), (5, 5), (5, 0)]
    for name, points, crosses in (
        ("along one line", square, False),
        ("twice the same point", [*square, square[-1], square[0]], False),
        ("bow tie", [(0, 0), (5, 5), (0, 5), (5, 0)], True),
        ("touches a side", [(0, 0), (0, 5), (5, 5), (0, 2.5), (5, 0)], True),
        ("runs back over a side", [(0, 0), (0, 5), (5, 5), (5, 6), (0, 4), (0, 1), (5, 0)], True),
    ):
        assert crosses_itself(np.array(points, dtype=np.float64)) is crosses, name
    assert not crosses_itself(ellipse((50, 50), 60, 30, 0.3, points=3_999))


@pytest.fixture
def child(project_dir: Path, tmp_path: Path) -> Path:
    shutil.copytree(project_dir / "sample_dicoms" / "SIM-01", tmp_path / "scans" / "SIM-01")
    return tmp_path


def rows_of(project_dir: Path) -> list[dict[str, str]]:
    with (project_dir / "sample_dicoms" / "calipers.csv").open(encoding="utf-8", newline="") as file:
        return [dict(row) for row in csv.DictReader(file) if row["image"].startswith("SIM-01")]


def test_a_run_measures_a_contour_as_it_is_drawn(project_dir: Path, child: Path) -> None:
    """Baseline L1 as an ellipse of 40.25 x 31.5 px by its points: sizes by mm per pixel, and a reader's error bar."""
    lines = rows_of(project_dir)
    image = next(row["image"] for row in lines if "baseline" in row["image"])
    kept = [row for row in lines if row["image"] != image]
    first = next(row for row in lines if row["image"] == image)
    middle = tuple((float(first[f"start_{way}"]) + float(first[f"end_{way}"])) / 2 for way in ("row", "col"))
    points = ellipse(middle, 40.25, 31.5, 0.4, points=200)
    drawn = {name: first[name] for name in ("image", "frame", "lesion", "plane", "reader")}
    rows = [*kept, {**drawn, "axis": "outline", "contour": contour_text(points)}]
    write_csv(child / "calipers.csv", COLUMNS, rows)
    result = run(RunRequest(input=child / "scans", out=child / "out", calipers=child / "calipers.csv"))
    (plane,) = (p for m in result.subjects[0].lesions if m.visit == BASELINE for p in m.planes if p.path in image)
    row_mm, col_mm = plane.spacing_mm
    assert row_mm == pytest.approx(col_mm)
    assert plane.long_axis_mm.value == pytest.approx(40.25 * row_mm, rel=1e-3)
    assert plane.short_axis_mm is not None
    assert plane.short_axis_mm.value == pytest.approx(31.5 * row_mm, rel=1e-3)
    assert plane.area_mm2 is not None
    assert plane.area_mm2.value == pytest.approx(math.pi / 4 * 40.25 * 31.5 * row_mm**2, rel=1e-3)
    assert plane.source is Source.CALIPER
    assert plane.area_mm2.sd > 0
    assert any(f"that of caliper row {len(rows) + 1}" in warning for warning in plane.warnings)


def test_a_contour_without_an_area_in_the_image_is_refused_and_one_across_itself_is_said(
    project_dir: Path, child: Path
) -> None:
    line = rows_of(project_dir)[0]
    common = {name: line[name] for name in ("image", "lesion", "plane", "reader")} | {"axis": "outline"}
    middle = tuple((float(line[f"start_{way}"]) + float(line[f"end_{way}"])) / 2 for way in ("row", "col"))
    loop = ellipse(middle, 60, 50, 0)
    loop[[10, 14]] = loop[[14, 10]]
    for points, code, said in (
        ([(5000, 5000), (5100, 5000), (5000, 5100)], "outside_region", None),
        ([middle, middle, (middle[0] + 1, middle[1])], "outline", None),
        (loop, "", "the contour crosses itself"),
    ):
        write_csv(child / "calipers.csv", COLUMNS, [{**common, "contour": contour_text(points)}])
        request = RunRequest(input=child / "scans", out=child / "out", calipers=child / "calipers.csv", overwrite=True)
        found = run(request).subjects[0]
        planes = [p for m in found.lesions if m.lesion == line["lesion"] for p in m.planes]
        if said is None:
            assert not planes
            assert any(r.lesion == line["lesion"] and r.code == code for r in found.review)
        else:
            assert any(said in warning for warning in planes[0].warnings)
            assert planes[0].long_axis_mm.value == pytest.approx(60 * planes[0].spacing_mm[0], rel=0.02)


def test_outlines_of_the_results_have_the_same_sizes_when_they_are_given_back(project_dir: Path, child: Path) -> None:
    """Each lesion's calipers as a mask of pixels; the table of the results then holds the outlines as contours."""
    rows: list[dict[str, str]] = []
    for number, line in enumerate(row for row in rows_of(project_dir) if row["axis"] == "long"):
        ends = np.array([[float(line[f"{end}_{way}"]) for way in ("row", "col")] for end in ("start", "end")])
        long = float(np.linalg.norm(ends[1] - ends[0]))
        image = next(i for i in load_studies(child / "scans").instances if i.path == line["image"])
        mask = polygon2mask((image.rows, image.columns), ellipse(tuple(ends.mean(axis=0)), long, 0.7 * long, 0.3))
        Image.fromarray(mask.astype(np.uint8) * 255).save(child / f"{number}.png")
        drawn = {name: line[name] for name in ("image", "frame", "lesion", "plane", "reader")}
        rows.append({**drawn, "axis": "outline", "mask": f"{number}.png"})
    write_csv(child / "calipers.csv", COLUMNS, rows)
    first = run(RunRequest(input=child / "scans", out=child / "out", calipers=child / "calipers.csv"))
    second = run(RunRequest(input=child / "scans", out=child / "again", calipers=child / "out" / "calipers.csv"))
    sizes = [[m.longest_diameter_mm.value for m in result.subjects[0].lesions] for result in (first, second)]
    assert len(sizes[0]) == 2
    assert sizes[1] == pytest.approx(sizes[0], rel=1e-5)
    areas = [
        [p.area_mm2.value for m in result.subjects[0].lesions for p in m.planes if p.area_mm2]
        for result in (first, second)
    ]
    assert len(areas[0]) == len(rows)
    assert areas[1] == pytest.approx(areas[0], rel=1e-5)


def test_a_contour_of_too_many_points_is_thinned() -> None:
    points = [(float(number), 0.0) for number in range(8_001)]
    assert len(thinned(points)) == 2_667
    assert thinned(points[:4_000]) == points[:4_000]
