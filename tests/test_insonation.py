"""The insonated area: made sectors and rectangles of known truth, and real pictures whose lesions it must hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

from dicom_headers import instance_of
from lesion_measure.dicom.frames import FrameReader
from lesion_measure.lab.datasets.polygons import filled, read_polygons
from lesion_measure.lab.phantom.training_frames import random_training_frame
from lesion_measure.measure import insonation
from lesion_measure.measure.insonation import has_signal, insonated_area

SHAPE = (480, 640)
Bools = NDArray[np.bool_]
Picture = NDArray[np.uint8]


def sector(shape: tuple[int, int] = SHAPE, apex: float = -60, middle: float = 300) -> Bools:
    row, col = np.mgrid[: shape[0], : shape[1]]
    down, across = row - apex, col - middle
    radius = np.hypot(down, across)
    return (radius > 100) & (radius < 480) & (np.abs(across) < 0.7 * down)


def echoes(area: Bools, floor: int = 0, gain: float = 40.0, seed: int = 0) -> Picture:
    """Rayleigh speckle in the area, black outside."""
    speckle = np.random.default_rng(seed).rayleigh(gain, area.shape)
    return np.where(area, np.clip(speckle, floor, 255), 0).astype(np.uint8)


def screen(picture: Picture) -> Picture:
    """Text, a gray bar, depth ticks, a ring of a logo beside the echoes."""
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    for line in range(6):
        draw.text((4, 8 + 14 * line), "C5-1 44 Hz", fill=255)
    for row in range(200):
        draw.line([(618, 60 + row), (630, 60 + row)], fill=200 - row)
    for row in range(20, 470, 25):
        draw.line([(604, row), (612, row)], fill=200)
    draw.ellipse([10, 420, 46, 456], outline=255, width=3)
    return np.asarray(image)


def overlap(one: Bools, two: Bools) -> float:
    return float((one & two).sum() / (one | two).sum())


def darkened(picture: Picture, where: Bools) -> Picture:
    return np.where(where, 0, picture).astype(np.uint8)


class TestMadeSectors:
    truth = sector()
    row, col = np.mgrid[: SHAPE[0], : SHAPE[1]]

    @pytest.mark.parametrize("gain", [2.0, 10.0, 60.0])
    def test_with_text_bars_and_logo_around(self, gain: float) -> None:
        found = insonated_area(screen(echoes(self.truth, gain=gain)))
        assert found.known
        assert overlap(found.mask, self.truth) > 0.96
        assert found.mask[self.truth].mean() > 0.995

    @pytest.mark.parametrize(
        "dark",
        [
            pytest.param((row - 250) ** 2 + (col - 300) ** 2 < 120**2, id="a cyst"),
            pytest.param((col > 420) & (row > 90), id="no contact on the right"),
            pytest.param((col - 300 > 0.35 * (row + 60)) & (row > 80), id="a shadow to the right"),
        ],
    )
    def test_what_is_dark_within_belongs_to_it(self, dark: Bools) -> None:
        found = insonated_area(screen(darkened(echoes(self.truth), dark)))
        assert found.known
        assert found.mask[self.truth].mean() > 0.97
        assert found.mask[:200, :60].mean() < 0.02
        assert not found.mask[:100, 500:].any()

    def test_echoes_that_fade_do_not_say_where_it_ends(self) -> None:
        depth = np.hypot(self.row + 60, self.col - 300) - 100
        faded = np.clip(echoes(self.truth).astype(float) + 60 - depth, 0, 255)
        found = insonated_area(screen(np.where(self.truth, faded, 0).astype(np.uint8)))
        assert found.known
        assert found.mask[self.truth].mean() > 0.98
        assert found.mask[:200, :60].mean() < 0.02

    def test_a_floor_of_one_grey_level_shows_where_there_is_no_echo(self) -> None:
        picture = np.where(self.truth & (self.row < 120), echoes(self.truth), self.truth).astype(np.uint8)
        assert overlap(insonated_area(screen(picture)).mask, self.truth) > 0.96

    def test_a_background_that_is_not_black(self) -> None:
        picture = np.where(self.truth, np.clip(echoes(self.truth).astype(int) + 20, 0, 255), 60).astype(np.uint8)
        assert overlap(insonated_area(picture).mask, self.truth) > 0.9

    def test_noise_of_a_frame_grabber_is_background(self) -> None:
        noise = np.random.default_rng(1).integers(0, 3, SHAPE)
        picture = np.clip(echoes(self.truth).astype(int) + noise, 0, 255).astype(np.uint8)
        assert overlap(insonated_area(picture).mask, self.truth) > 0.94

    def test_all_frames_of_a_cine_say_where_echoes_come_from(self) -> None:
        left = darkened(echoes(self.truth), self.col > 330)
        right = darkened(echoes(self.truth, seed=2), self.col < 270)
        assert overlap(insonated_area(np.stack([left, right])).mask, self.truth) > 0.96

    def test_numbers_of_another_scale(self) -> None:
        picture = echoes(self.truth)
        assert np.array_equal(insonated_area(picture / picture.max()).mask, insonated_area(picture).mask)

    def test_a_colour_box_is_part_of_it(self) -> None:
        image = Image.fromarray(echoes(self.truth))
        ImageDraw.Draw(image).rectangle([230, 150, 380, 280], outline=230)
        assert overlap(insonated_area(np.asarray(image)).mask, self.truth) > 0.96

    def test_cut_off_by_the_pictures_edge(self) -> None:
        assert overlap(insonated_area(echoes(self.truth)[:, 180:]).mask, self.truth[:, 180:]) > 0.96


class TestOtherShapes:
    def test_a_linear_array(self) -> None:
        truth = np.zeros(SHAPE, dtype=np.bool_)
        truth[60:400, 150:520] = True
        found = insonated_area(screen(echoes(truth)))
        assert found.known
        assert found.mask[truth].mean() > 0.995
        assert not found.mask[:, :140].any()
        assert not found.mask[:, 530:].any()

    def test_a_trapezoid(self) -> None:
        row, col = np.mgrid[: SHAPE[0], : SHAPE[1]]
        truth = (row > 40) & (row < 420) & (np.abs(col - 300) < 120 + 0.25 * (row - 40))
        found = insonated_area(screen(echoes(truth)))
        assert overlap(found.mask, truth) > 0.94

    def test_noise_all_over_is_insonated_all_over(self) -> None:
        noise = np.random.default_rng(0).integers(0, 255, SHAPE).astype(np.uint8)
        found = insonated_area(noise)
        assert found.known
        assert found.mask.all()

    def test_a_picture_cropped_into_the_echoes(self) -> None:
        found = insonated_area(echoes(sector())[100:330, 240:360])
        assert found.known
        assert found.mask.all()

    @pytest.mark.parametrize("level", [0, 90, 255])
    def test_a_flat_picture_tells_nothing(self, level: int) -> None:
        found = insonated_area(np.full(SHAPE, level, dtype=np.uint8))
        assert not found.known
        assert found.mask.all()

    def test_text_alone_tells_nothing(self) -> None:
        assert not insonated_area(screen(np.zeros(SHAPE, dtype=np.uint8))).known

    def test_a_dual_image_without_regions_loses_neither_half(self) -> None:
        left, right = sector(middle=150), sector(middle=490)
        found = insonated_area(echoes(left | right))
        assert found.mask[left | right].mean() > 0.99

    def test_a_cyst_from_side_to_side_leaves_no_bar_above_it(self) -> None:
        rows = np.mgrid[:480, :640][0]
        found = insonated_area(echoes((rows < 130) | (rows > 300)))
        assert found.mask.all()

    @pytest.mark.parametrize("shape", [(8, 8), (20, 600), (33, 33), (40, 2000)])
    def test_small_and_narrow_pictures(self, shape: tuple[int, int]) -> None:
        picture = np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8)
        assert insonated_area(picture).mask.all()


def test_simulated_frames_lie_in_it() -> None:
    for seed in range(8):
        picture, mask = random_training_frame(np.random.default_rng(seed))[:2]
        seen = ndimage.uniform_filter(picture.astype(float), 9) > 8  # one lies where the probe has no contact
        assert insonated_area(picture).mask[(mask > 0) & seen].all(), seed


@pytest.mark.parametrize("name", ["JPGLosslessP14SV1_1s_1f_8b.dcm", "OBXXXX1A.dcm", "dcm4che_YBR_422.dcm"])
def test_real_regions(shared_dir: Path, name: str) -> None:
    """Printed calipers lie inside, in the CX50's dark as well; the EPIQ's corners, ruler and ECG do not."""
    image = instance_of(shared_dir / "dicom_us" / "us" / name)
    box = image.regions[0]
    assert box.row_min is not None
    assert box.row_max is not None
    assert box.col_min is not None
    assert box.col_max is not None
    with FrameReader(image) as reader:
        found = insonated_area(reader.luminance(1)[box.row_min : box.row_max + 1, box.col_min : box.col_max + 1])
    assert found.known
    inside = {"J": [(319, 629), (435, 689)], "O": [(289, 458), (300, 497)], "d": [(80, 190), (550, 790)]}[name[0]]
    assert all(found.mask[row - box.row_min, col - box.col_min] for row, col in inside)
    outside = {"J": [(689, 435), (60, 100), (725, 500), (300, 820)], "O": [(80, 200), (500, 150)], "d": []}[name[0]]
    assert not any(found.mask[row - box.row_min, col - box.col_min] for row, col in outside)


def test_real_liver_pictures(shared_dir: Path) -> None:
    """Every third liver picture of AUL: no lesion reaches out of it; against the outlines of the sector by hand."""
    overlaps = []
    for path in sorted((shared_dir / "data" / "AUL").glob("*/image/*"))[::3]:
        picture = np.asarray(Image.open(path).convert("L"))
        found = insonated_area(picture)
        assert found.known
        drawn = {}
        for kind in ("outline", "mass"):
            file = path.parents[1] / "segmentation" / kind / f"{path.stem}.json"
            polygons = read_polygons(file) if file.exists() else []
            drawn[kind] = np.zeros(picture.shape, dtype=np.bool_)
            for points in polygons:
                drawn[kind] |= filled(points, (picture.shape[0], picture.shape[1]), file)
        overlaps.append(overlap(found.mask, drawn["outline"]))
        assert found.mask[drawn["mass"]].all(), path.name
    assert np.median(overlaps) > 0.9
    assert np.percentile(overlaps, 5) > 0.78


def test_real_breast_pictures(shared_dir: Path) -> None:
    for path in sorted((shared_dir / "data" / "BUSI" / "images").glob("*.png"))[::6]:
        lesion = np.asarray(Image.open(path.parents[1] / "masks" / path.name).convert("L")) > 0
        assert insonated_area(np.asarray(Image.open(path).convert("L"))).mask[lesion].all(), path.name


class TestSignal:
    @pytest.mark.parametrize("level", [0, 1, 128, 255])
    def test_a_flat_cut_out_has_none(self, level: int) -> None:
        assert not has_signal(np.full((60, 80), level, dtype=np.uint8))

    def test_burnt_in_crosses_are_none(self) -> None:
        cut = np.ones((60, 80), dtype=np.uint8)
        cut[30, 20:31] = cut[25:36, 25] = 255
        assert not has_signal(cut)

    def test_a_cyst_among_echoes_is_some(self) -> None:
        cut = echoes(np.ones((90, 90), dtype=np.bool_))
        cut[10:80, 10:80] = 0
        assert has_signal(cut)
        assert has_signal(cut / 255)


@given(st.lists(st.integers(0, 900).map(lambda steps: 0.7 * steps), min_size=1, max_size=60))
def test_the_tenth_percentile_is_numpys(radii: list[float]) -> None:
    assert insonation._tenth(np.array(radii)) == np.percentile(radii, 10)
