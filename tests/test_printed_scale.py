"""The scale of an image whose file states none: by its printed values, where the settings ask, and said everywhere."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom import Dataset

from header_files import accepted, image, written
from lesion_measure.burnt_in import ocr, read, scale
from lesion_measure.burnt_in.found import BurntInFrame
from lesion_measure.burnt_in.grouping import MarkPair
from lesion_measure.burnt_in.ocr import TextBox
from lesion_measure.burnt_in.printed import PrintedValue
from lesion_measure.burnt_in.reconcile import NOT_SQUARE_CV, Distance, Stated, possible_scales, reconcile
from lesion_measure.calibration import calibrate
from lesion_measure.config import Config, Uncertainty
from lesion_measure.dicom.open_image import OpenImage
from lesion_measure.errors import ConfigError
from lesion_measure.job.inventory import take_inventory
from lesion_measure.job.measured_input import measured_input
from lesion_measure.job.request import RunRequest
from lesion_measure.lab.screens import LOOKS, SimulatedScreen, simulate_screen
from lesion_measure.measure.propagation import area_length_volume_quantity, ellipsoid_volume_quantity, sum_quantity
from lesion_measure.measure.uncertainty import of_parts, with_scale
from lesion_measure.pipeline import run
from lesion_measure.records import PRINTED_SCALE, Instance, PrintedScale, Quantity
from test_cli import lesion_measure

needs_reader = pytest.mark.skipif(not ocr.available(), reason="the extra 'read' is not installed")
BITMAP, SEED = LOOKS[-1], 1
CM = 0.05
"""Half of what the last digit counts, in mm, of centimetres with two decimals."""
ASKED = {"calibration": {"burnt_in_scale": True}, "segment": {"policy": "calipers_only"}}


def dataset(screen: SimulatedScreen) -> Dataset:
    """A screen as the image of a child whose file states no scale."""
    rows, columns, _ = screen.pixels.shape
    return image(
        Rows=rows, Columns=columns, SequenceOfUltrasoundRegions=None, PixelData=screen.pixels.tobytes(),
        PhotometricInterpretation="RGB", SamplesPerPixel=3, PlanarConfiguration=0, PatientID="A-1",
    )  # fmt: skip


@pytest.fixture(scope="module")
def screen() -> SimulatedScreen:
    return simulate_screen(SEED, calipers=2, look=BITMAP)


@pytest.fixture
def scans(tmp_path: Path, screen: SimulatedScreen) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.dcm").write_bytes(written(dataset(screen)))
    return folder


def known(tmp_path: Path, found: PrintedScale | None) -> Instance:
    """A header without any scale, with that of printed values."""
    return replace(accepted(tmp_path, image(SequenceOfUltrasoundRegions=None)), printed_scale=found)


class TestScale:
    def test_it_is_that_of_a_header_that_states_none(self, tmp_path: Path) -> None:
        found = calibrate(known(tmp_path, PrintedScale(spacing_mm=0.2, own_sd_mm=0.002, values=2, frame=3)))
        assert (found.spacing_mm, found.source) == ((0.2, 0.2), "2 values printed on frame 3")
        assert found.region is not None
        assert found.region.spacing_cv == pytest.approx(0.01)
        (warning,) = found.warnings
        assert warning.startswith(PRINTED_SCALE)
        assert "a pixel is 0.2 mm, SD 1 %" in warning

    def test_a_stated_one_always_stands(self, tmp_path: Path) -> None:
        stated = accepted(tmp_path, image())
        beside = replace(stated, printed_scale=PrintedScale(spacing_mm=0.2, own_sd_mm=0.002, values=2))
        assert calibrate(beside) == calibrate(stated)

    @pytest.mark.parametrize("spacing_mm", [80.0, 0.001])
    def test_one_that_no_patient_has_is_refused(self, tmp_path: Path, spacing_mm: float) -> None:
        found = calibrate(known(tmp_path, PrintedScale(spacing_mm=spacing_mm, own_sd_mm=0.0, values=2)))
        assert found.refusal is not None
        assert found.refusal.code == "implausible_size"

    @pytest.mark.parametrize(
        ("ratio", "code"),
        [(None, None), (1.0, None), (4 / 3, "aspect_ratio_disagrees"), (0.75, "aspect_ratio_disagrees")],
    )
    def test_pixels_that_are_no_squares_by_their_aspect_ratio(
        self, tmp_path: Path, ratio: float | None, code: str | None
    ) -> None:
        instance = known(tmp_path, PrintedScale(spacing_mm=0.25, own_sd_mm=0.0, values=2))
        found = calibrate(replace(instance, aspect_ratio=ratio))
        assert (found.refusal and found.refusal.code) == code

    def test_calipers_along_one_direction_leave_open_whether_pixels_are_squares(self) -> None:
        values = [Stated(20.0, CM), Stated(12.0, CM)]
        across, along = (
            reconcile([Distance(100), Distance(60, direction_deg=turn)], values).proposed for turn in (90.0, 10.0)
        )
        assert across is not None
        assert along is not None
        assert across.cv < 0.01
        assert along.cv == pytest.approx(math.hypot(across.cv, NOT_SQUARE_CV))

    def test_values_that_agree_less_well_than_they_are_printed_have_a_larger_error(self) -> None:
        """The scales of both are 2 % apart."""
        sds = []
        for second in (12.0, 12.24):
            values = [Stated(20.0, CM), Stated(second, CM)]
            found = reconcile([Distance(100), Distance(60, direction_deg=90.0)], values).proposed
            assert found is not None
            sds.append(found.sd_mm)
        assert sds[1] > 1.2 * sds[0]


@needs_reader
def test_frames_are_looked_at_once_for_scale_and_calipers(scans: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[NDArray[np.uint8]] = []

    def nothing(rgb: NDArray[np.uint8]) -> tuple[MarkPair, ...]:
        looked.append(rgb)
        return ()

    monkeypatch.setattr(read, "find_possible", nothing)
    take_inventory(scans, Config.model_validate({**ASKED, "calipers": {"burnt_in": True}}))
    assert len(looked) == 1


class TestErrors:
    """A share of every diameter, one for all sizes of an image: powers of 1, 2 and 3 in length, area and volume."""

    def test_of_sizes(self) -> None:
        length = with_scale(of_parts(20.0, pixel=0.3), 0.02)
        assert (length.parts["scale"], length.sd) == pytest.approx((0.4, 0.5))
        assert with_scale(of_parts(50.0, outline=1.0), 0.02, diameters=2).parts["scale"] == pytest.approx(2.0)
        plain = of_parts(20.0, pixel=0.3)
        assert with_scale(plain, 0.0) is plain

    def test_of_volumes_and_sums(self) -> None:
        a, b, c = (with_scale(of_parts(mm, pixel=0.1), 0.02) for mm in (30.0, 20.0, 10.0))
        volume = ellipsoid_volume_quantity(a, b, c, Uncertainty())
        assert volume.parts["scale"] / volume.value == pytest.approx(0.06)
        area = with_scale(of_parts(400.0, outline=1.0), 0.02, diameters=2)
        by_area = area_length_volume_quantity(area, a, Uncertainty())
        assert by_area.parts["scale"] / by_area.value == pytest.approx(0.06)
        total = sum_quantity([a, b])
        assert total.parts["scale"] == pytest.approx(1.0)
        assert total.sd == pytest.approx(math.hypot(1.0, 0.1, 0.1))


class TestFrames:
    """Calipers of two frames, lengths in pixels with their printed mm. All lie along one direction. 0 was not found."""

    FIRST: ClassVar = [(200.0, 40.0), (100.0, 20.0)]

    @pytest.fixture
    def spoken_for(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., PrintedScale | None]:
        def of(*frames: list[tuple[float, float]]) -> PrintedScale | None:
            def shown(_: object, number: int, __: object, seen: object) -> BurntInFrame:
                calipers = [Distance(px) for px, _ in frames[number - 1] if px]
                values = [Stated(mm, CM) for _, mm in frames[number - 1] if mm]
                proposed = reconcile(calipers, values).proposed
                return BurntInFrame(frame=number, proposed=proposed, possible=possible_scales(calipers, values))

            monkeypatch.setattr(scale, "read_frame", shown)
            header = image(SequenceOfUltrasoundRegions=None, NumberOfFrames=len(frames))
            header.PixelData = header.PixelData * len(frames)
            with OpenImage(accepted(tmp_path, header), Config().limits) as opened:
                return scale.printed_scale(opened, Config())

        return of

    @pytest.mark.parametrize("zoom", [0.8, 0.95, 1.05, 1.2])
    @pytest.mark.parametrize("values", [1, 2])
    def test_a_zoom_between_them_leaves_no_scale(
        self, spoken_for: Callable[..., PrintedScale | None], zoom: float, values: int
    ) -> None:
        zoomed = [(px * zoom, mm) for px, mm in self.FIRST[:values]]
        assert spoken_for(self.FIRST, zoomed) is None
        assert spoken_for(zoomed, self.FIRST) is None

    @pytest.mark.parametrize("values", [1, 2])
    def test_one_scale_is_that_of_both(self, spoken_for: Callable[..., PrintedScale | None], values: int) -> None:
        found = spoken_for(self.FIRST, [(px + 0.5, mm) for px, mm in self.FIRST[:values]])
        assert found is not None
        assert found.spacing_mm == pytest.approx(0.2, rel=0.01)
        assert found.cv > NOT_SQUARE_CV

    @pytest.mark.parametrize("missed", [[(240.0, 40.0), (0.0, 20.0)], [(240.0, 40.0), (120.0, 0.0)]])
    def test_a_zoom_is_noticed_where_a_caliper_or_a_value_was_not_found(
        self, spoken_for: Callable[..., PrintedScale | None], missed: list[tuple[float, float]]
    ) -> None:
        assert spoken_for(self.FIRST, missed) is None
        unzoomed = [(px / 1.2, mm) for px, mm in missed]
        assert spoken_for(self.FIRST, unzoomed) is not None

    def test_a_value_of_zero_is_none(
        self, tmp_path: Path, screen: SimulatedScreen, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        box = TextBox(0, 1, 0, 1)
        zero = PrintedValue(
            label="", number="0.00", unit="cm", length_mm=0.0, volume_ml=None, half_width=CM, box=box,
            colour=(255, 255, 255), text="0.00cm",
        )  # fmt: skip
        monkeypatch.setattr(read, "available", lambda: True)
        monkeypatch.setattr(read, "printed_values", lambda _: (zero,))
        with OpenImage(accepted(tmp_path, dataset(screen)), Config().limits) as opened:
            found = read.read_frame(opened, 1, Config())
        assert found.calipers
        assert (found.proposed, found.possible) == (None, ())

    def test_one_value_alone_gives_none(self, spoken_for: Callable[..., PrintedScale | None]) -> None:
        assert spoken_for(self.FIRST[:1], self.FIRST[:1]) is None


def measured(scans: Path, out: Path, **settings: object) -> None:
    run(RunRequest(input=scans, out=out, config=Config.model_validate(ASKED | settings), dicom=True))


@needs_reader
class TestRun:
    def test_unasked_it_measures_nothing(self, scans: Path, tmp_path: Path) -> None:
        config = Config.model_validate({"calipers": {"burnt_in": True}, "segment": {"policy": "calipers_only"}})
        result = run(RunRequest(input=scans, out=tmp_path / "out", config=config))
        assert (tmp_path / "out/calipers.csv").read_text(encoding="utf-8").count("burnt-in") == 0
        codes = {r.code for r in result.refusals} | {r.code for s in result.subjects for r in s.review}
        assert "no_calibration" in codes

    def test_asked_for_it_is_told_with_every_size(self, scans: Path, tmp_path: Path, screen: SimulatedScreen) -> None:
        out = tmp_path / "out"
        measured(scans, out, calipers={"burnt_in": True})
        (subject,) = json.loads((out / "results.json").read_text(encoding="utf-8"))["subjects"]
        (plane,) = [plane for lesion in subject["lesions"] for plane in lesion["planes"]]
        assert plane["calibration_source"] == "2 values printed on frame 1"
        assert any(warning.startswith(PRINTED_SCALE) for warning in plane["warnings"])
        truth = sorted((each.printed_mm for each in screen.calipers), reverse=True)
        for axis, printed_mm in zip(("long_axis_mm", "short_axis_mm"), truth, strict=True):
            assert plane[axis]["value"] == pytest.approx(printed_mm, abs=0.3)
            assert plane[axis]["parts"]["scale"] > 0
        error = plane["long_axis_mm"]["parts"]["scale"] / plane["long_axis_mm"]["value"]
        assert plane["spacing_mm"][0] == pytest.approx(screen.spacing_mm, rel=3 * error)
        with (out / "measurements.csv").open(encoding="utf-8", newline="") as stream:
            rows = [row for row in csv.DictReader(stream) if row["calibration_source"]]
        assert rows
        assert {row["calibration_source"] for row in rows} == {"2 values printed on frame 1"}
        assert all(PRINTED_SCALE in row["warnings"] for row in rows)
        assert PRINTED_SCALE in (out / "report.html").read_text(encoding="utf-8")
        reports = [pydicom.dcmread(path) for path in out.rglob("*.dcm")]
        assert [PRINTED_SCALE in report.to_json() for report in reports] == [True]

    def test_inspect_and_calipers_tell_it(self, scans: Path, tmp_path: Path) -> None:
        (entry,) = take_inventory(scans, Config.model_validate(ASKED)).as_json()["instances"]
        assert entry["source"] == "2 values printed on frame 1"
        assert any(warning.startswith(PRINTED_SCALE) for warning in entry["warnings"])
        settings = tmp_path / "settings.yaml"
        settings.write_text("calibration: {burnt_in_scale: true}\n", encoding="utf-8")
        code, out, err = lesion_measure("calipers", scans / "a.dcm", "--json", "--config", settings)
        assert (code, PRINTED_SCALE in err) == (0, True)
        assert all(each["agrees"] for each in json.loads(out)["calipers"])
        _, out, err = lesion_measure("calipers", scans / "a.dcm", "--json")
        assert "which is not used" in err
        assert all(each["length_mm"] is None for each in json.loads(out)["calipers"])

    def test_what_is_made_of_the_results_later_has_it_too(self, scans: Path, tmp_path: Path) -> None:
        measured(scans, tmp_path / "out")
        (found,) = measured_input(tmp_path / "out", scans).studies.instances
        assert calibrate(found).source == "2 values printed on frame 1"

    def test_frames_that_speak_for_different_scales_give_none(self, tmp_path: Path, screen: SimulatedScreen) -> None:
        """The same values printed on a picture that is larger in the second frame."""
        high, wide, _ = screen.pixels.shape
        large = Image.fromarray(screen.pixels).resize((wide * 4 // 3, high * 4 // 3), Image.Resampling.BICUBIC)
        frames = np.zeros((2, large.height, large.width, 3), np.uint8)
        frames[0, :high, :wide], frames[1] = screen.pixels, np.asarray(large)
        marked = dataset(screen)
        marked.Rows, marked.Columns, marked.NumberOfFrames = large.height, large.width, 2
        marked.PixelData = frames.tobytes()
        (tmp_path / "a.dcm").write_bytes(written(marked))
        (entry,) = take_inventory(tmp_path, Config.model_validate(ASKED)).as_json()["instances"]
        assert (entry["spacing_mm"], entry["refusal"]["code"]) == (None, "no_calibration")


def test_a_run_that_asks_for_it_needs_the_reader_of_text(
    scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ocr, "PACKAGES", ("no_such_package",))
    with pytest.raises(ConfigError, match="no_such_package"):
        measured(scans, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_quantities_without_it_have_no_such_part() -> None:
    assert "scale" not in sum_quantity([Quantity(value=10.0, sd=0.1, parts={"pixel": 0.1})]).parts
