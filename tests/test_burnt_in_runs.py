"""Calipers in the pixels as a reader's: only where their printed values agree, and only where the settings ask."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom import Dataset

from header_files import image, written
from lesion_measure.burnt_in import ocr
from lesion_measure.burnt_in.grammar import is_plain, usual_label
from lesion_measure.config import Config
from lesion_measure.errors import ConfigError
from lesion_measure.job.request import RunRequest
from lesion_measure.lab.screens import LOOKS, SimulatedScreen, simulate_screen
from lesion_measure.pipeline import run
from lesion_measure.records import RunResult

needs_reader = pytest.mark.skipif(not ocr.available(), reason="the extra 'read' is not installed")
BITMAP, SEED = LOOKS[-1], 1


def burnt_in(wanted: bool = True) -> Config:
    return Config.model_validate({"calipers": {"burnt_in": wanted}, "segment": {"policy": "calipers_only"}})


def dataset(screen: SimulatedScreen, spacing_mm: float) -> Dataset:
    """A screen as an image of one child whose region states a scale, which may be the true one."""
    region = Dataset()
    region.RegionSpatialFormat, region.RegionDataType, region.RegionFlags = 1, 1, 0
    region.RegionLocationMinY0, region.RegionLocationMinX0, *_ = screen.box
    *_, region.RegionLocationMaxY1, region.RegionLocationMaxX1 = screen.box
    region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = 3
    region.PhysicalDeltaX = region.PhysicalDeltaY = spacing_mm / 10
    rows, columns, _ = screen.pixels.shape
    return image(
        Rows=rows, Columns=columns, SequenceOfUltrasoundRegions=[region], PixelData=screen.pixels.tobytes(),
        PhotometricInterpretation="RGB", SamplesPerPixel=3, PlanarConfiguration=0, PatientID="A-1",
    )  # fmt: skip


def measured(
    folder: Path, config: Config, scale: float = 1.0
) -> tuple[SimulatedScreen, RunResult, list[dict[str, str]]]:
    """A screen with a long and a short axis, the run's result, and the table of calipers."""
    screen = simulate_screen(SEED, calipers=2, look=BITMAP)
    source, out = folder / "in", folder / "out"
    source.mkdir()
    (source / "a.dcm").write_bytes(written(dataset(screen, screen.spacing_mm * scale)))
    result = run(RunRequest(input=source, out=out, config=config))
    with (out / "calipers.csv").open(encoding="utf-8", newline="") as stream:
        return screen, result, list(csv.DictReader(stream))


@needs_reader
def test_calipers_that_agree_with_their_values_are_measured(tmp_path: Path) -> None:
    screen, _, rows = measured(tmp_path, burnt_in())
    lengths = sorted(float(row["length_mm"]) for row in rows)
    assert lengths == pytest.approx(sorted(each.printed_mm for each in screen.calipers), abs=0.3)
    assert {row["axis"] for row in rows} == {"long", "short"}
    assert {(row["reader"], row["source"]) for row in rows} == {("burnt-in", "burnt-in")}
    [page] = (tmp_path / "out/children").glob("*.html")
    _, _, shown = page.read_text(encoding="utf-8").partition("Calipers that the scanner burnt into the pixels")
    assert all(f"printed {each.printed}" in shown for each in screen.calipers)
    pictures = [
        np.asarray(Image.open(page.parent / name))
        for name in re.findall(r'src="([^"]+[.]jpg)"', shown)[: 1 + len(rows)]
    ]
    assert all(picture.max() > 150 for picture in pictures)  # marks, and letters that stand outside of the scan
    assert all(picture.shape[1] > 2 * picture.shape[0] for picture in pictures[1:])


@needs_reader
def test_a_caliper_that_agrees_with_two_values_is_measured_and_states_neither(tmp_path: Path) -> None:
    """The frame prints 30.4 and 30.3 mm; each of two calipers agrees with both, and stated the other's."""
    screen = simulate_screen(5_100_018)
    assert {"30.4 mm", "30.3 mm"} < {each.printed for each in screen.calipers}
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    (source / "a.dcm").write_bytes(written(dataset(screen, screen.spacing_mm)))
    run(RunRequest(input=source, out=out, config=burnt_in()))
    with (out / "calipers.csv").open(encoding="utf-8", newline="") as stream:
        alike = [row for row in csv.DictReader(stream) if 29 < float(row["length_mm"]) < 32]
    assert alike
    assert {(row["source"], row["stated"], row["stated_mm"]) for row in alike} == {("burnt-in", "", "")}


@pytest.mark.parametrize(
    ("signs", "plain"),
    [
        ("D12.90cm", True), ("+Dist12.90cm", True), ("xD12.90cm", True), ("2.90cm", True), ("1L2.90cm", True),
        ("DOED12.90cm", False), ("JANE2.90cm", False), ("D12.90cmDOE", False), ("D13.90cm", False),
    ],
)  # fmt: skip
def test_no_word_but_a_usual_label_is_shown_with_a_value(signs: str, plain: bool) -> None:
    """A name may stand in the same line of text."""
    assert is_plain(signs, "2.90", "cm") is plain


def test_words_that_may_be_a_name_are_no_label() -> None:
    words = ["D1", "Dist 2", "LENGTH", "A", "Doe", "Jane D1", "Doe 1"]
    assert [usual_label(word) for word in words] == ["D1", "Dist 2", "LENGTH", "A", "", "", ""]


@needs_reader
def test_a_scale_that_the_values_contradict_measures_nothing(tmp_path: Path) -> None:
    """The picture was enlarged by a quarter, and its region was left as it was."""
    _, result, rows = measured(tmp_path, burnt_in(), scale=1.25)
    assert not rows
    codes = {r.code for r in result.refusals} | {r.code for s in result.subjects for r in s.review}
    assert "burnt_in_differs" in codes


def test_they_are_not_looked_for_unless_the_settings_ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "PACKAGES", ("no_such_package",))
    _, _, rows = measured(tmp_path, burnt_in(False))
    assert not rows


def test_a_run_that_asks_for_them_needs_the_reader_of_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "PACKAGES", ("no_such_package",))
    with pytest.raises(ConfigError, match="no_such_package") as caught:
        measured(tmp_path, burnt_in())
    assert caught.value.code == "read_not_installed"
    assert "lesion-measure[read]" in caught.value.remedy
