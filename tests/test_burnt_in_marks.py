"""Calipers that are burnt into pixels: marks found where they were drawn, and nowhere else."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.data import get_testdata_file

from header_files import image, written
from lesion_measure.burnt_in.grouping import MarkPair, find_pairs
from lesion_measure.burnt_in.marks import find_marks
from lesion_measure.burnt_in.overlay import overlay
from lesion_measure.lab.screens import LOOKS, SimulatedScreen, simulate_screen
from lesion_measure.lab.screens.strokes import Layer
from screens import dataset
from test_cli import lesion_measure


def error_px(pair: MarkPair, points: tuple[tuple[float, float], tuple[float, float]]) -> float:
    """The greater distance of both ends from the true points, in whichever order."""
    ends = np.array([mark.point for mark in pair.ends])
    return float(min(np.hypot(*(ends - np.array(order)).T).max() for order in (points, points[::-1])))


def hits(screen: SimulatedScreen) -> tuple[int, int]:
    """How many of a screen's calipers are found within 1.5 pixels, and how many others are."""
    pairs = find_pairs(screen.pixels)
    true = sum(any(error_px(pair, each.points) <= 1.5 for pair in pairs) for each in screen.calipers)
    return true, len(pairs) - true


def cross(
    at: tuple[float, float], half: int, width: int, colour: tuple[int, int, int] = (255, 255, 255), dots: int = 0
) -> NDArray[np.uint8]:
    """A made-up frame of noise with an upright cross, another one 60 columns further, and dots between them."""
    rng = np.random.default_rng(3)
    picture = np.repeat(rng.uniform(60, 110, (160, 200, 1)), 3, axis=2).astype(np.float32)
    layer = Layer((160, 200), smooth=False)
    for col in (at[1], at[1] + 60):
        layer.bar((at[0] - half, col), (at[0] + half, col), width)
        layer.bar((at[0], col - half), (at[0], col + half), width)
    for share in range(1, dots + 1):
        layer.disc((at[0], at[1] + 60 * share / (dots + 1)), 0.7)
    layer.over(picture, colour)
    return picture.astype(np.uint8)


@pytest.mark.parametrize("aside", [3, 4])
def test_a_line_may_begin_beside_an_arm(aside: int) -> None:
    """Its first dot is as bright as the arm, and as far beside it as the ground that the arm is held against."""
    picture = cross((60.0, 60.0), 3, 1)
    picture[63, 60 + aside] = 255
    assert any(np.hypot(mark.row - 60, mark.col - 60) <= 0.5 for mark in find_marks(picture, overlay(picture).bright))


@pytest.mark.parametrize("even", [True, False])
def test_even_strokes_stand_out_amid_lines_as_bright(even: bool) -> None:
    """More than a tenth of what is around is drawn, too; strokes as uneven as echoes are none there."""
    picture = np.full((200, 200, 3), 70, np.float32)
    layer = Layer((200, 200), smooth=False)
    layer.bar((95, 100), (105, 100), 1)
    layer.bar((100, 95), (100, 105), 1)
    for row in (86, 88, 112, 114):
        layer.bar((row, 80), (row, 120), 1)
    layer.over(picture, (255, 255, 255))
    if not even:
        picture[95:106, 95:106] *= np.random.default_rng(3).uniform(0.5, 1, (11, 11, 1)).astype(np.float32)
    rgb = picture.astype(np.uint8)
    found = [mark for mark in find_marks(rgb, overlay(rgb).bright) if np.hypot(mark.row - 100, mark.col - 100) <= 1]
    assert len(found) == even


@pytest.mark.parametrize("width", [1, 2, 3])
@pytest.mark.parametrize("half", [4, 7])
def test_the_middle_of_a_cross_is_found_to_a_tenth_of_a_pixel(half: int, width: int) -> None:
    """Strokes of two pixels have their middle between two pixels."""
    middle = 80.5 if width == 2 else 80.0
    [pair] = find_pairs(cross((middle, middle), half, width))
    assert error_px(pair, ((middle, middle), (middle, middle + 60))) <= 0.1
    assert pair.length_px == pytest.approx(60, abs=0.1)


def test_calipers_of_every_look_are_found_and_nothing_else() -> None:
    """What `benchmarks/burnt_in_marks.py` measures on many more screens."""
    drawn = right = wrong = 0
    for seed, look in enumerate(LOOKS):
        screen = simulate_screen(50_000 + seed, look=look)
        true, false = hits(screen)
        drawn, right, wrong = drawn + len(screen.calipers), right + true, wrong + false
    assert (right, wrong) == (drawn, 0)


@pytest.mark.parametrize(
    "seed",
    [
        pytest.param(100_290, id="green strokes of a pixel on bright echoes"),
        pytest.param(100_680, id="the same with dots between"),
        pytest.param(100_085, id="arrows with thick shafts"),
        pytest.param(100_624, id="small dots"),
    ],
)
def test_what_compression_halves_in_resolution_is_found(seed: int) -> None:
    """JPEG of 4:2:0: strokes lose their colour, dots and arrows their edges."""
    screen = simulate_screen(seed)
    assert hits(screen) == (len(screen.calipers), 0)


def test_an_arrow_that_fits_badly_ends_no_caliper() -> None:
    """Its tip would be ten pixels off."""
    assert hits(simulate_screen(100_725))[1] == 0


def test_a_short_line_of_dots_at_even_distances_is_one() -> None:
    """Bold crosses 45 pixels apart on bright echoes, beside two other pairs that look alike."""
    screen = simulate_screen(100_733)
    assert hits(screen) == (len(screen.calipers), 0)


@pytest.mark.parametrize(
    "seed",
    [
        pytest.param(100_143, id="crosses that lines of results on bright echoes show, too"),
        pytest.param(100_087, id="dashes and other marks beside a cross are no letters"),
        pytest.param(100_294, id="one end has a little less colour than is surely one"),
        pytest.param(100_198, id="a coloured cross that is nearly clear, with a clear one"),
        pytest.param(100_204, id="arrows by their thin shafts"),
    ],
)
def test_what_is_beside_a_mark_does_not_hide_it(seed: int) -> None:
    screen = simulate_screen(seed)
    assert hits(screen) == (len(screen.calipers), 0)


def test_screens_without_calipers_have_none() -> None:
    """Ticks, focus marks, electrocardiograms, body marks and text are there in all."""
    assert not [seed for seed in range(8) if find_pairs(simulate_screen(60_000 + seed, calipers=0).pixels)]


@pytest.mark.parametrize("colour", [(255, 255, 255), (255, 230, 40)])
@pytest.mark.parametrize("dark", [None, slice(101, 180), slice(80, 180)])
def test_two_of_three_alike_crosses_are_no_caliper(colour: tuple[int, int, int], dark: slice | None) -> None:
    """Each may be the end of another one; the third stands on echoes, at the rim of a cyst, or within it."""
    picture = cross((80, 40), 5, 1, colour)
    third = picture[60:101, 20:61].copy()
    if dark is not None:
        drawn = picture[45:116, dark].max(axis=2, keepdims=True) > 115
        picture[45:116, dark] *= drawn
    picture[110:151, 60:101] = third
    assert not find_pairs(picture)


def test_a_row_of_crosses_is_a_scale() -> None:
    picture = np.zeros((200, 120, 3), np.float32)
    layer = Layer((200, 120), smooth=False)
    for row in range(30, 180, 28):
        layer.bar((row - 4, 60), (row + 4, 60), 1)
        layer.bar((row, 56), (row, 64), 1)
    layer.over(picture, (255, 255, 255))
    assert not find_pairs(picture.astype(np.uint8))


class TestCommand:
    """``lesion-measure calipers``."""

    def test_a_real_image_with_a_printed_distance(self) -> None:
        """CX50, 'Cist Mag 1.06 cm': strokes of two pixels cross between columns 459 and 460, rows 290 and 291.

        The file was cropped, so that its regions, and with them its scale, are not believed.
        """
        file = get_testdata_file("examples_palette.dcm")
        code, out, _ = lesion_measure("calipers", file, "--json")
        assert code == 0
        [caliper] = json.loads(out)["calipers"]
        assert np.abs(np.subtract(caliper["points"], [[290.5, 459.5], [301.5, 498.5]])).max() <= 0.5
        assert caliper["length_mm"] is None
        assert set(caliper) == {"frame", "points", "length_mm", "printed_mm", "agrees", "label"}

    def test_a_real_image_whose_crosses_are_open_in_the_middle(self, shared_dir: Path) -> None:
        """EPIQ, 'Asc Ao Diam 3.3 cm': white crosses on black outlines, a dot each 27 pixels between them."""
        file = shared_dir / "dicom_us/us/JPGLosslessP14SV1_1s_1f_8b.dcm"
        _, out, _ = lesion_measure("calipers", file, "--json")
        [caliper] = json.loads(out)["calipers"]
        ends = sorted(caliper["points"])
        assert np.abs(np.subtract(ends, [[319.5, 629.5], [435.5, 689.5]])).max() <= 1
        assert caliper["length_mm"] == pytest.approx(33.3, abs=0.3)

    @pytest.mark.parametrize("name", ["US1_UNCI", "dcm4che_YBR_422", "dcm4che_jpeg-ls-Palette"])
    def test_a_real_image_with_ticks_boxes_and_signs_has_none(self, shared_dir: Path, name: str) -> None:
        _, out, _ = lesion_measure("calipers", shared_dir / f"dicom_us/us/{name}.dcm", "--json")
        assert json.loads(out) == {"calipers": [], "scale_factor": None}

    @pytest.mark.parametrize(("colour", "count"), [((255, 255, 255), 0), ((255, 230, 40), 1)])
    def test_gray_crosses_without_line_and_value_may_be_ends_of_two_calipers(
        self, tmp_path: Path, colour: tuple[int, int, int], count: int
    ) -> None:
        pixels = cross((80, 80), 6, 1, colour)
        path = tmp_path / "image.dcm"
        shape = {"Rows": pixels.shape[0], "Columns": pixels.shape[1], "SamplesPerPixel": 3, "PlanarConfiguration": 0}
        path.write_bytes(written(image(**shape, PhotometricInterpretation="RGB", PixelData=pixels.tobytes())))
        assert len(find_pairs(pixels)) == 1
        _, out, _ = lesion_measure("calipers", path, "--json")
        assert len(json.loads(out)["calipers"]) == count

    def test_a_frame_that_is_not_there(self, tmp_path: Path) -> None:
        path = tmp_path / "image.dcm"
        path.write_bytes(written(dataset(np.zeros((320, 400), np.uint8))))
        code, _, err = lesion_measure("calipers", path, "--frame", "2")
        assert code == 1
        assert "There is no frame 2" in err
