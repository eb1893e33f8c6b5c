"""Depth scales: ticks where they were drawn, their mm by numbers or printed depth, and rescaled pictures told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from header_files import written
from lesion_measure.burnt_in import ocr
from lesion_measure.burnt_in.depth_scale import DepthScale, depth_scale
from lesion_measure.burnt_in.ticks import tick_rows
from lesion_measure.config import Config
from lesion_measure.errors import ConfigError
from lesion_measure.job.inventory import take_inventory
from lesion_measure.job.request import RunRequest
from lesion_measure.pipeline import run
from lesion_measure.records import RESCALED
from rescaled_images import rescaled
from screens import dataset

needs_reader = pytest.mark.skipif(not ocr.available(), reason="the extra 'read' is not installed")
TOP, COLUMN, STEP = 40, 520, 36.5


def screen(depth: str = "", numbers: str = "", slant: float = 0.0, ticks: int = 13, each: int = 0) -> NDArray[np.uint8]:
    """Speckle (560, 640, 3), with ticks each 36.5 px beside it: bars, or dots along a slanted side.

    Parameters
    ----------
    depth
        Written in the margin.
    numbers
        Format of the numbers beside ticks, with ``{n}`` for which tick it is.
    slant
        Columns that the row goes left for each row down; 0 for bars.
    ticks
        How many.
    each
        After how many bars one is longer.
    """
    gray = np.zeros((560, 640), np.uint8)
    gray[TOP:520, 120:480] = np.random.default_rng(5).rayleigh(40, (480, 360)).clip(0, 220)
    picture = Image.fromarray(np.repeat(gray[..., None], 3, axis=2))
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(15)
    for n in range(ticks):
        row = round(TOP + n * STEP)
        if slant:
            col = round(COLUMN + 100 - slant * n * STEP)
            draw.rectangle((col, row, col + 2, row + 2), fill=(230, 230, 230))
        else:
            draw.rectangle((COLUMN, row, COLUMN + (9 if each and n % each == 0 else 5), row + 1), fill=(230, 230, 230))
        if numbers and n % 5 == 0:
            draw.text((COLUMN + 18, row - 9), numbers.format(n=n, tens=10 * n, halves=n / 2), fill="white", font=font)
    draw.text((8, 120), depth, fill="white", font=font)
    return np.asarray(picture)


@pytest.mark.parametrize("slant", [0.0, 0.3])
def test_ticks_are_found_to_a_thousandth(slant: float) -> None:
    row, *_ = tick_rows(screen(slant=slant))
    assert (len(row.counts), row.bars) == (13, not slant)
    assert row.step_px == pytest.approx(STEP * float(np.hypot(1, slant)), rel=0.001)
    assert row.error_px < 0.003 * STEP
    assert row.places[0, 0] == pytest.approx(TOP + (1.0 if slant else 0.5), abs=0.6)


def test_longer_ticks_are_told() -> None:
    assert [tick_rows(screen(each=each))[0].longer_each for each in (0, 2, 5)] == [None, 2, 5]


def test_speckle_and_a_dotted_line_of_four_have_no_ticks() -> None:
    assert tick_rows(screen(ticks=0)) == ()
    assert tick_rows(screen(ticks=4, slant=0.3)) == ()


@needs_reader
@pytest.mark.parametrize(
    ("drawn", "tick_mm", "said"),
    [
        (screen(numbers="{n}", each=5), 10, "numbers"),
        (screen(numbers="{tens}", each=5), 10, "numbers"),  # in mm: up to 100
        (screen(numbers="{halves:.1f}", each=5), 5, "numbers"),
        (screen(depth="12cm"), 10, "depth"),
        (screen(depth="12.0 cm", slant=0.3), 10, "depth"),
        (screen(depth="6.0cm", each=2), 5, "depth"),
        (screen(depth="24mm", each=5), 2, "depth"),
    ],
)
def test_mm_are_told_by_numbers_else_by_the_printed_depth(drawn: NDArray[np.uint8], tick_mm: float, said: str) -> None:
    scale = depth_scale(drawn)
    assert scale is not None
    assert (scale.tick_mm, scale.said) == (tick_mm, said)
    assert scale.mm_per_px == pytest.approx(tick_mm / scale.row.step_px)


@needs_reader
@pytest.mark.parametrize(
    "drawn",
    [
        screen(),  # nothing says it
        screen(depth="24cm"),  # no scanner draws ticks each 2 cm without numbers
        screen(depth="9.0cm"),  # neither 6 nor 12 cm
        screen(depth="12cm")[:400],  # cut off below
        screen(depth="30cm", each=5),  # 25 mm from long tick to long tick
    ],
)
def test_what_is_in_doubt_is_no_scale(drawn: NDArray[np.uint8]) -> None:
    assert depth_scale(drawn) is None


@pytest.mark.parametrize(("spacing_mm", "factor"), [((0.274, 0.274), 1.0), ((0.137, 0.137), 0.5), ((0.548, 0.1), 2.0)])
def test_the_factor_is_that_of_the_stated_scale(spacing_mm: tuple[float, float], factor: float) -> None:
    scale = DepthScale(row=tick_rows(screen())[0], tick_mm=10, said="depth")
    assert scale.enlarged(spacing_mm) == pytest.approx(factor, rel=0.003)


def inspected(folder: Path, config: Config) -> list[str]:
    (entry,) = take_inventory(folder, config).as_json()["instances"]
    return list(entry["warnings"])


ASKED = Config.model_validate({"calibration": {"depth_scale": True}})


@needs_reader
def test_inspect_warns_where_regions_and_ticks_differ_if_asked_to(tmp_path: Path) -> None:
    drawn = screen(numbers="{n}", each=5)
    for name, delta_cm in (("right", 1 / STEP), ("wrong", 1.3 / STEP)):
        file = dataset(drawn[..., 0])
        file.SequenceOfUltrasoundRegions[0].PhysicalDeltaX = delta_cm
        file.SequenceOfUltrasoundRegions[0].PhysicalDeltaY = delta_cm
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.dcm").write_bytes(written(file))
    assert inspected(tmp_path / "right", ASKED) == []
    assert inspected(tmp_path / "wrong", Config()) == []
    (warning,) = inspected(tmp_path / "wrong", ASKED)
    assert warning.startswith(RESCALED)
    assert "The picture is 1.3 times as large as the stated scale has it." in warning


@needs_reader
@pytest.mark.parametrize("factor", [0.8, 1.0, 1.35, 2.3])  # docs/burnt_in.md: 1.37 is not read on the first of them
@pytest.mark.parametrize("name", ["JPGLosslessP14SV1_1s_1f_8b.dcm", "OBXXXX1A.dcm", "dcm4che_YBR_422.dcm"])
def test_a_real_picture_that_was_enlarged_says_its_factor(
    shared_dir: Path, tmp_path: Path, name: str, factor: float
) -> None:
    rescaled(shared_dir / "dicom_us" / "us" / name, tmp_path, factor)
    (entry,) = take_inventory(tmp_path, ASKED).as_json()["instances"]
    told = [w for w in entry["warnings"] if w.startswith(RESCALED) and "depth scale" in w]
    if factor == 1:
        assert told == []
    elif factor < 1:  # the regions reach over the picture, which is refused with or without a witness
        assert (entry["spacing_mm"], entry["refusal"]["code"]) == (None, "region_outside_image")
    else:
        assert float(told[0].rpartition(" is ")[2].split()[0]) == pytest.approx(factor, rel=0.02)


def test_asked_for_without_the_extra_is_refused_before_anything_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ocr, "PACKAGES", ("no_such_package",))
    (tmp_path / "a.dcm").write_bytes(written(dataset(screen()[..., 0])))
    with pytest.raises(ConfigError, match="no_such_package"):
        run(RunRequest(input=tmp_path, out=tmp_path / "out", config=ASKED))
    assert not (tmp_path / "out").exists()
