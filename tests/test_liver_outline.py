"""Outlines of the liver and of lesions from mask files beside the calipers: what is read, refused and measured."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from numpy.typing import NDArray
from PIL import Image
from skimage.draw import ellipse

from lesion_measure.calibration import calibrate
from lesion_measure.config import Config
from lesion_measure.errors import TableError
from lesion_measure.job.request import RunRequest
from lesion_measure.lab.phantom import simulate_trial
from lesion_measure.pipeline import run
from lesion_measure.records import BASELINE, ONE_MONTH, CalibratedRegion, Instance, SubjectResult
from lesion_measure.studies import load_studies
from lesion_measure.tables.calipers import read_calipers

Rows = list[dict[str, str]]
SCALE = 1.25


def write(path: Path, rows: Rows) -> Path:
    """A caliper file with the column of masks."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0], "mask"] if "mask" not in rows[0] else list(rows[0]), restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


def outline_row(image: str, mask: str, **changes: str) -> dict[str, str]:
    known = dict.fromkeys(("image", "frame", "start_col", "start_row", "end_col", "end_row"), "")
    return known | {
        "image": image, "lesion": "liver", "plane": "transverse", "axis": "outline", "reader": "R1", "mask": mask
    } | changes  # fmt: skip


class TestTheTable:
    @pytest.mark.parametrize(
        ("mask", "changes", "complaint"),
        [
            ("", {}, "'mask' is empty"),
            ("../liver.png", {}, "outside of the caliper file's folder"),
            ("/etc/liver.png", {}, "outside of the caliper file's folder"),
            ("liver.tif", {}, "none of .png, .nrrd"),
            ("liver.nhdr", {}, "none of .png, .nrrd"),
        ],
    )
    def test_what_cannot_be_meant_stops_the_run(
        self, tmp_path: Path, mask: str, changes: dict[str, str], complaint: str
    ) -> None:
        path = write(tmp_path / "c.csv", [outline_row("a.dcm", mask, **changes)])
        with pytest.raises(TableError, match=complaint):
            read_calipers(path)

    def test_a_link_that_leads_out_is_no_way_out(self, tmp_path: Path) -> None:
        (tmp_path / "in").mkdir()
        (tmp_path / "in" / "liver.png").symlink_to(tmp_path / "secret.png")
        path = write(tmp_path / "in" / "c.csv", [outline_row("a.dcm", "liver.png")])
        with pytest.raises(TableError, match="outside of the caliper file's folder"):
            read_calipers(path)


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One child with one lesion."""
    folder = tmp_path_factory.mktemp("trial")
    simulate_trial(folder, subjects=1, seed=20, overwrite=True)
    return folder


Measure = Callable[..., SubjectResult]


@pytest.fixture
def measure(trial: Path, tmp_path: Path) -> Measure:
    """Runs the child with a mask of its liver on each image: the ellipse of the calipers, larger by `SCALE`."""

    def run_with(
        change: Callable[[NDArray[np.uint8]], NDArray[np.uint8]] = lambda mask: mask, suffix: str = ".png"
    ) -> SubjectResult:
        with (trial / "calipers.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        sizes = {i.path: (i.rows, i.columns) for i in load_studies(trial).instances}
        outlines = []
        for long, short in zip(rows[::2], rows[1::2], strict=True):
            assert (long["axis"], short["axis"], short["image"]) == ("long", "short", long["image"])
            mask = np.zeros(sizes[long["image"]], dtype=np.uint8)
            half = [SCALE * math.hypot(_step(row, "row"), _step(row, "col")) / 2 for row in (long, short)]
            middle = [(float(long[f"start_{way}"]) + float(long[f"end_{way}"])) / 2 for way in ("row", "col")]
            turn = math.atan2(_step(long, "col"), _step(long, "row"))
            mask[ellipse(*middle, *half, shape=mask.shape, rotation=turn)] = 255
            name = f"{len(outlines)}{suffix}"
            if suffix == ".png":
                Image.fromarray(change(mask)).save(tmp_path / name)
            else:
                sitk.WriteImage(sitk.GetImageFromArray(change(mask)[None]), str(tmp_path / name), useCompression=True)
            outlines.append(outline_row(long["image"], name, plane=long["plane"], reader=long["reader"]))
        table = write(tmp_path / "calipers.csv", [{**row, "mask": ""} for row in rows] + outlines)
        subjects = tmp_path / "subjects.csv"
        subjects.write_text("subject,form\nSIM-001,diffuse\n")
        out = tmp_path / "out"
        return run(RunRequest(input=trial, out=out, calipers=table, subjects=subjects, overwrite=True)).subjects[0]

    return run_with


def _in_the_corner(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A small square near the picture's corner, where no ultrasound is."""
    drawn = np.zeros_like(mask)
    drawn[2:12, 2:12] = 255
    return drawn


def image_region(image: Instance) -> CalibratedRegion:
    (region,) = calibrate(image, Config().calibration).regions
    return region


def _step(row: dict[str, str], way: str) -> float:
    return float(row[f"end_{way}"]) - float(row[f"start_{way}"])


def test_the_outline_gives_the_liver_and_the_share_of_it_that_lesions_replace(measure: Measure) -> None:
    """Outlines larger by `SCALE` in both planes than a lesion's calipers: its share is that much cubed."""
    child = measure()
    assert child.disease is not None
    lesions = {m.visit: m for m in child.lesions}
    assert child.disease.liver
    for liver in child.disease.liver:
        lesion = lesions[liver.visit]
        assert liver.longest_diameter_mm.value == pytest.approx(SCALE * lesion.longest_diameter_mm.value, rel=0.005)
        for plane in liver.planes:
            drawn = next(p for p in lesion.planes if p.plane is plane.plane)
            assert drawn.short_axis_mm is not None
            assert plane.area_mm2 is not None
            true = math.pi / 4 * SCALE**2 * drawn.long_axis_mm.value * drawn.short_axis_mm.value
            assert plane.area_mm2.value == pytest.approx(true, rel=0.005)
            assert any("outline is that of" in warning for warning in plane.warnings)
    shares = [b.replaced_share.value for b in child.disease.burdens if b.replaced_share]
    assert len(shares) == 2
    assert shares == pytest.approx([1 / SCALE**3] * 2, rel=0.015)
    assert [c.percent for c in child.disease.liver_changes]
    assert not [r for r in child.review if r.lesion == "liver"]


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (lambda mask: mask[:-2], "mask_grid", "neither cropped nor scaled"),
        (lambda mask: mask[::2, ::2], "mask_grid", "neither cropped nor scaled"),
        (lambda mask: np.zeros_like(mask), "mask_empty", ""),
        (
            lambda mask: 255 - mask,
            "outside_region",
            "mask 0.png covers the picture's edge and looks inverted",
        ),
        (lambda mask: _in_the_corner(mask), "outside_region", "The liver's mask 0.png: Point (row"),
        (lambda mask: np.where(np.arange(mask.shape[1]) % 2, mask, mask // 2), "mask", "0.png"),
    ],
)
def test_a_mask_that_does_not_fit_is_refused_with_its_reason(
    measure: Measure, change: Callable[[Any], Any], code: str, words: str
) -> None:
    child = measure(change)
    refused = [r for r in child.review if r.lesion == "liver"]
    assert refused
    assert {r.code for r in refused} == {code}
    assert all(r.remedy for r in refused)
    assert any(words in f"{r.reason} {r.remedy}" for r in refused)
    assert child.disease is not None
    assert child.disease.liver == ()
    assert child.lesions  # the lesions keep their sizes


def test_masks_that_are_empty_at_one_visit_leave_the_liver_of_the_other_in_the_report(
    measure: Measure, tmp_path: Path
) -> None:
    """The first two masks are those of baseline."""
    masks = iter(range(100))
    child = measure(lambda mask: mask if next(masks) >= 2 else np.zeros_like(mask))
    assert {(r.code, r.visit) for r in child.review if r.lesion == "liver"} >= {("mask_empty", BASELINE)}
    assert child.disease is not None
    assert [m.visit for m in child.disease.liver] == [ONE_MONTH]
    assert (tmp_path / "out" / "run.json").is_file()
    assert "Liver, longest diameter" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("suffix", [".seg.nrrd", ".nii.gz", ".mha"])
def test_a_volume_file_gives_the_same_liver_as_a_png(measure: Measure, suffix: str) -> None:
    png, volume = (measure(suffix=each).disease for each in (".png", suffix))
    assert png is not None
    assert volume is not None
    assert [m.visit for m in png.liver] == [m.visit for m in volume.liver] == [BASELINE, ONE_MONTH]
    for one, other in zip(png.liver, volume.liver, strict=True):
        assert one.longest_diameter_mm == other.longest_diameter_mm
        assert one.volume_ml == other.volume_ml


def test_a_lesion_that_a_reader_outlined_has_sizes_area_and_a_volume_of_its_own(trial: Path, tmp_path: Path) -> None:
    """Ellipses drawn by hand, 3D Slicer's format: what an ellipse of these axes has, at the scale of the images."""
    with (trial / "calipers.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    images = {i.path: i for i in load_studies(trial).instances}
    outlines, true = [], {}
    for number, long in enumerate(rows[::2]):
        image = images[long["image"]]
        region = image_region(image)
        middle = [(float(long[f"start_{way}"]) + float(long[f"end_{way}"])) / 2 for way in ("row", "col")]
        half = (20 / region.spacing_mm[0] / 2, 30 / region.spacing_mm[1] / 2)  # 20 mm high, 30 mm wide
        mask = np.zeros((image.rows, image.columns), dtype=np.uint8)
        mask[ellipse(*middle, *half, shape=mask.shape)] = 1
        true[image.path] = math.pi / 4 * 20 * 30
        sitk.WriteImage(sitk.GetImageFromArray(mask[None]), str(tmp_path / f"{number}.seg.nrrd"), useCompression=True)
        outlines.append(outline_row(image.path, f"{number}.seg.nrrd", lesion="L1", plane=long["plane"]))
    table = write(tmp_path / "calipers.csv", outlines)
    child = run(RunRequest(input=trial, out=tmp_path / "out", calipers=table)).subjects[0]
    assert {m.visit for m in child.lesions} == {BASELINE, ONE_MONTH}
    for lesion in child.lesions:
        assert lesion.lesion == "L1"
        assert lesion.longest_diameter_mm.value == pytest.approx(30, rel=0.01)
        assert lesion.volume_ml is not None
        assert lesion.volume_ml.value == pytest.approx(math.pi / 6 * 20 * 30 * 30 / 1000, rel=0.02)
        for plane in lesion.planes:
            assert plane.reader == "R1"
            assert plane.area_mm2 is not None
            assert plane.area_mm2.value == pytest.approx(true[plane.path], rel=0.01)
            assert plane.short_axis_mm is not None
            assert plane.short_axis_mm.value == pytest.approx(20, rel=0.01)
            assert any("L1's outline is that of" in warning for warning in plane.warnings)


def test_a_lesions_mask_that_cannot_be_used_keeps_the_verdict_from_being_certain(trial: Path, tmp_path: Path) -> None:
    (image, *_) = load_studies(trial).instances
    (tmp_path / "cut.nrrd").write_bytes(b"NRRD0004\ntype: uint8\n")
    table = write(tmp_path / "calipers.csv", [outline_row(image.path, "cut.nrrd", lesion="L1")])
    child = run(RunRequest(input=trial, out=tmp_path / "out", calipers=table)).subjects[0]
    (refusal,) = [r for r in child.review if r.code == "mask"]
    assert refusal.lesion == "L1"
    assert refusal.reason == "L1's mask cut.nrrd: The header has no end."
    assert refusal.remedy
