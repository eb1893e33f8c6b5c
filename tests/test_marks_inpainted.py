"""Burnt-in calipers are taken out of what the network is shown, and of nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from header_files import written
from lesion_measure.burnt_in import grouping
from lesion_measure.burnt_in.grouping import find_pairs
from lesion_measure.burnt_in.painted import drawn_pixels, filled
from lesion_measure.config import Limits, Segment
from lesion_measure.dicom.open_image import OpenImage
from lesion_measure.image.network_frame import network_frame
from lesion_measure.lab.screens import LOOKS
from lesion_measure.lab.screens.calipers import Style, draw_caliper
from lesion_measure.lab.screens.strokes import Layer
from lesion_measure.studies import load_studies
from screens import dataset

ENDS = ((90.0, 100.0), (190.0, 230.0))
LOOK = LOOKS[0]


def tissue(seed: int = 3) -> NDArray[np.uint8]:
    """Speckle (280, 340), gray, smooth over two pixels as echoes are."""
    grain = ndimage.gaussian_filter(np.random.default_rng(seed).normal(0, 1, (280, 340)), 1.2)
    return np.asarray((90 + 60 * grain).clip(5, 190), np.uint8)


def marked(gray: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """The same in colour with a caliper that has a dotted line and numbers, and the pixels that it is drawn with."""
    layer = Layer(gray.shape, False)
    style = Style(half=6, width=1, line="dots", gap=4, font=LOOK.fonts[0], font_px=14, inward=False)
    draw_caliper(layer, ENDS, LOOK, style, 0)
    picture = np.repeat(gray[..., None], 3, axis=2).astype(np.float32)
    layer.over(picture, (255, 255, 255), False, False)
    return np.rint(picture).astype(np.uint8), layer.coverage > 0


def test_what_is_drawn_is_taken_out_and_hardly_anything_else() -> None:
    rgb, drawn = marked(tissue())
    pairs = find_pairs(rgb)
    assert len(pairs) == 1
    found = drawn_pixels(rgb, pairs)
    assert (found & drawn).sum() >= 0.95 * drawn.sum()
    assert not (found & ~ndimage.binary_dilation(drawn, np.ones((5, 5)))).any()
    gray = rgb[..., 0]
    clean = filled(gray, found)
    assert (clean[~found] == gray[~found]).all()
    off_before, off = (np.abs(part[drawn].astype(float) - tissue()[drawn]).mean() for part in (gray, clean))
    assert off < 0.25 * off_before
    assert find_pairs(np.repeat(clean[..., None], 3, axis=2)) == ()


def test_nothing_found_changes_nothing() -> None:
    gray = tissue()
    rgb = np.repeat(gray[..., None], 3, axis=2)
    assert find_pairs(rgb) == ()
    assert filled(gray, drawn_pixels(rgb, ())) is gray


def test_a_gap_in_an_even_picture_is_even() -> None:
    even, lost = np.full((80, 80), 70, np.uint8), np.zeros((80, 80), np.bool_)
    lost[30:50, 10:70] = True
    holed = np.where(lost, 255, even).astype(np.uint8)
    assert (filled(holed, lost) == 70).all()


def test_the_network_is_shown_it_only_where_the_settings_ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rgb, drawn = marked(tissue())
    (tmp_path / "a.dcm").write_bytes(written(dataset(rgb[..., 0])))
    (instance,) = load_studies(tmp_path).instances
    with OpenImage(instance, Limits()) as image:
        asked = network_frame(image, 1, Segment(inpaint_marks=True))
        assert (image.frame(1).luminance() == rgb[..., 0]).all()  # what people are shown
        monkeypatch.setattr(grouping, "find_pairs", None)  # unasked, nothing is looked for
        assert (network_frame(image, 1, Segment(inpaint_marks=False)) == rgb[..., 0]).all()
    assert asked[drawn].mean() < 0.6 * rgb[..., 0][drawn].mean()
