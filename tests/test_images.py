"""One image: calipers and network side by side, the measured frame of a cine, true 3D, and what becomes a refusal."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import make
from lesion_measure.config import Config, Limits
from lesion_measure.dicom.open_image import OpenImage
from lesion_measure.errors import PixelError
from lesion_measure.image import automatic, by_network
from lesion_measure.image.outlines import Outlines
from lesion_measure.image.read import read_image
from lesion_measure.image.shown import ShownFrames
from lesion_measure.image.task import ImageReading, Task
from lesion_measure.job import folder
from lesion_measure.network.bundle import BundleSettings, Confidence
from lesion_measure.network.confidence import AUTOMATIC_FEATURES, unfitted
from lesion_measure.records import (
    BASELINE,
    Axis,
    Caliper,
    ImageLabel,
    LesionMask,
    Location,
    Plane,
    Source,
    StatedPlane,
)

Frames = dict[int, list[LesionMask]]


class FakeSegmenter:
    """Stands for the network, whose outlines the tests give by hand."""

    name, sha256, backend, threshold, settings = "net", "0" * 64, "none", 0.6, Config().segment


def mask(radius_px: float, confidence: float, *, accepted: bool = True, at: tuple[int, int] = (300, 400)) -> LesionMask:
    """A disc with a soft edge."""
    size = int(radius_px) + 6
    grid = np.hypot(*np.mgrid[-size : size + 1, -size : size + 1])
    probability = np.clip(radius_px - grid + 0.5, 0, 1).astype(np.float32)
    angle = np.linspace(0, 2 * np.pi, 60)
    outline = np.column_stack([at[0] + radius_px * np.sin(angle), at[1] + radius_px * np.cos(angle)])
    return LesionMask(
        probability=probability,
        origin=(at[0] - size, at[1] - size),
        outline_px=outline,
        confidence=confidence,
        accepted=accepted,
    )


@pytest.fixture
def look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., ImageReading]:
    """Read an image whose outlines are given by frame; without any there is no network."""
    file = tmp_path / "a.dcm"
    file.write_bytes(b"an image")
    out = tmp_path / "out"
    folder.prepare(out)
    outlines, shown = Outlines(out), ShownFrames(Limits())

    def read(
        given: Frames | None = None,
        calipers: tuple[Caliper, ...] = (),
        label: ImageLabel = ImageLabel(Plane.TRANSVERSE),  # noqa: B008
        **header: object,
    ) -> ImageReading:
        instance = make.instance("a.dcm", location=Location(file), **header)
        task = Task(instance=instance, subject="S1", visit=BASELINE, label=label, calipers=calipers)

        def outline(_: OpenImage, wanted: list[int], *__: object) -> Iterable[tuple[int, list[LesionMask]]]:
            assert given is not None
            return [(frame, given.get(frame, [])) for frame in wanted]

        monkeypatch.setattr(automatic, "outline", outline)
        return read_image(task, None if given is None else FakeSegmenter(), Config(), outlines, shown)  # type: ignore[arg-type]

    return read


def test_network_and_calipers_measure_the_same_image(look: Callable[..., ImageReading]) -> None:
    """A disc of 50 pixels radius at 0.2 mm, and a caliper of 100 pixels across it: both 20 mm."""
    reading = look({1: [mask(50, 0.9)]}, (make.caliper(Axis.LONG), make.caliper(Axis.ABSENT, lesion="L2")))
    (model,), (caliper,) = reading.model, reading.caliper
    assert model.long_axis_mm.value == pytest.approx(20, abs=0.05)
    assert caliper.long_axis_mm.value == pytest.approx(20)
    assert (model.source, model.plane, model.reader) == (Source.MODEL, Plane.TRANSVERSE, "net")
    assert model.area_mm2.value == pytest.approx(np.pi * 100, rel=0.002)
    np.testing.assert_allclose(np.mean(model.outline_px[:-1], axis=0), (300, 400), atol=0.1)
    assert [a.lesion for a in reading.absent] == ["L2"]
    assert not reading.refusals


def test_the_measured_frame_of_a_cine_is_large_and_sure(look: Callable[..., ImageReading]) -> None:
    frames = {1: [mask(40, 0.7)], 11: [mask(44, 0.9)], 21: [mask(80, 0.3, accepted=False)], 31: [mask(45, 0.65)]}
    reading = look(frames, frames=111)
    assert [p.frame for p in reading.model] == [11]


def test_a_readers_frame_is_the_measured_one(look: Callable[..., ImageReading]) -> None:
    frames = {1: [mask(60, 0.9)], 7: [mask(50, 0.8)]}
    reading = look(frames, (make.caliper(frame=7),), frames=111)
    assert [p.frame for p in (*reading.model, *reading.caliper)] == [7, 7]


def test_each_lesion_of_a_cine_has_its_frame(look: Callable[..., ImageReading]) -> None:
    far = (450, 600)
    frames = {1: [mask(40, 0.7)], 11: [mask(44, 0.9), mask(30, 0.8, at=far)], 21: [mask(38, 0.9, at=far)]}
    reading = look(frames, frames=111)
    assert sorted(p.frame for p in reading.model) == [11, 21]


def test_what_the_network_is_not_sure_of_is_no_measurement(look: Callable[..., ImageReading]) -> None:
    unsure = look({1: [mask(50, 0.4, accepted=False), mask(20, 0.1, accepted=False, at=(500, 500))]})
    assert (unsure.model, unsure.empty) == ([], None)
    (refusal,) = unsure.refusals
    assert refusal.code == "unsure"
    assert "proposes a lesion with a confidence of up to 0.40; it takes 0.60" in refusal.reason


def test_what_needs_review_says_which_frame_to_look_at_and_what_was_drawn(look: Callable[..., ImageReading]) -> None:
    kept = mask(50, 0.5, accepted=False)
    (refusal,) = look({1: [mask(40, 0.2, accepted=False)], 11: [kept]}, frames=111).refusals
    assert refusal.sight is not None
    assert (refusal.code, refusal.sight.frame, refusal.sight.spacing_mm) == ("unsure", 11, (0.2, 0.2))
    (outline,) = refusal.sight.outlines
    np.testing.assert_allclose(outline, kept.outline_px)


def test_what_shows_nothing_says_which_frame_to_look_at(look: Callable[..., ImageReading]) -> None:
    empty = look({}, frames=111).empty
    assert empty is not None
    assert empty.sight is not None
    assert (empty.code, empty.sight.outlines, empty.sight.lines) == ("nothing_found", (), ())
    assert 1 < empty.sight.frame < 111
    assert empty.sight.frames == 12


def test_a_readers_lines_on_a_refused_image_are_kept_for_its_picture(look: Callable[..., ImageReading]) -> None:
    row = make.caliper(Axis.LONG, frame=7)
    reading = look(None, (row,), frames=111, regions=())
    (doubt,) = reading.doubts
    assert doubt.refusal.sight is not None
    assert (doubt.refusal.sight.frame, doubt.refusal.sight.spacing_mm) == (7, None)
    assert doubt.refusal.sight.lines == ((row.start, row.end),)


def test_a_network_that_accepts_nothing_by_itself_says_why(
    look: Callable[..., ImageReading], monkeypatch: pytest.MonkeyPatch
) -> None:
    never = unfitted(AUTOMATIC_FEATURES, "9 outlines are too few")
    monkeypatch.setattr(FakeSegmenter, "threshold", never.threshold)
    monkeypatch.setattr(FakeSegmenter, "settings", BundleSettings(confidence=Confidence(automatic=never)))
    (refusal,) = look({1: [mask(50, 0.97, accepted=False)]}).refusals
    assert "it accepts no automatic outline (9 outlines are too few)." in refusal.reason


def test_a_confidence_just_below_the_limit_is_told_from_it(look: Callable[..., ImageReading]) -> None:
    (refusal,) = look({1: [mask(50, 0.5996, accepted=False)]}).refusals
    assert "with a confidence of up to 0.5996; it takes 0.6000 to be accepted" in refusal.reason


def test_a_second_lesion_that_is_not_sure_is_not_passed_over(look: Callable[..., ImageReading]) -> None:
    reading = look({1: [mask(50, 0.9), mask(30, 0.3, accepted=False, at=(450, 600))]})
    assert len(reading.model) == 1
    assert [r.code for r in reading.refusals] == ["unsure"]
    reader_looked = look({1: []}, (make.caliper(),))
    assert not reader_looked.refusals


def test_a_lesion_where_two_scales_overlap_has_no_size(look: Callable[..., ImageReading]) -> None:
    """An inset of another zoom, drawn over the picture: the outline lies in both."""
    inset = make.region(index=1, row_min=200, row_max=400, col_min=300, col_max=500, delta_row=0.01, delta_col=0.01)
    reading = look({1: [mask(50, 0.9)]}, regions=(make.region(), inset))
    assert reading.model == []
    assert {r.code for r in reading.refusals} == {"ambiguous_regions"}


def test_both_halves_of_a_dual_image_are_looked_at(look: Callable[..., ImageReading]) -> None:
    halves = (
        make.region(col_min=50, col_max=399),
        make.region(index=1, col_min=401, col_max=749, delta_row=0.03, delta_col=0.03),
    )
    found = {1: [mask(40, 0.9, at=(300, 200))]}
    reading = look(found, regions=halves)
    assert [p.spacing_mm for p in reading.model] == [(0.2, 0.2)] * 2  # the fake network gives the same mask for both


def test_nothing_found_is_no_statement_that_there_is_none(look: Callable[..., ImageReading]) -> None:
    reading = look({1: []})
    assert reading.empty is not None
    assert reading.empty.code == "nothing_found"
    assert not reading.absent


def test_an_outline_cut_off_by_the_region_says_so(look: Callable[..., ImageReading]) -> None:
    whole = mask(50, 0.9, at=(60, 400))
    above = 40 - whole.origin[0]  # rows over the region, which begins at row 40
    cut = replace(
        whole,
        probability=whole.probability[above:],
        origin=(40, whole.origin[1]),
        outline_px=np.maximum(whole.outline_px, (39.5, 0)),
    )
    (plane,) = look({1: [cut]}).model
    assert any("cut off" in warning for warning in plane.warnings)


def test_slices_of_true_3d_data_give_a_volume(look: Callable[..., ImageReading]) -> None:
    """A ball of 50 pixels radius: slices 1 mm apart, pixels 0.2 mm -> radius 10 mm, 4.19 mL."""
    frames = {f: [mask(5 * np.sqrt(100 - (f - 11) ** 2), 0.9)] for f in range(2, 21)}
    (plane,) = look(frames, frames=21, slice_spacing_mm=1.0).model
    assert plane.frame == 11
    assert plane.volume_ml is not None
    assert plane.volume_ml.value == pytest.approx(4 / 3 * np.pi, rel=0.02)
    (flat,) = look({1: [mask(50, 0.9)]}, frames=21).model
    assert flat.volume_ml is None


def test_an_image_without_a_scale_is_refused_whatever_was_drawn_on_it(look: Callable[..., ImageReading]) -> None:
    reading = look({1: [mask(50, 0.9)]}, (make.caliper(),), regions=())
    assert (reading.model, reading.caliper) == ([], [])
    (refusal,) = (doubt.refusal for doubt in reading.doubts)
    assert (refusal.code, refusal.path, refusal.subject, refusal.visit) == ("no_calibration", "a.dcm", "S1", "baseline")
    assert refusal.remedy


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"end": (300.0, 790.0)}, "outside_region"),
        ({"end": (300.0, 900.0)}, "outside_image"),
        ({"frame": 2}, "no_such_frame"),
    ],
)
def test_a_caliper_that_cannot_be_measured_is_refused_by_name(
    look: Callable[..., ImageReading], changes: dict[str, object], code: str
) -> None:
    reading = look(None, (make.caliper(**changes), make.caliper(lesion="L2")))
    assert [(d.refusal.code, d.refusal.lesion, d.seen) for d in reading.doubts] == [(code, "L1", True)]
    assert [p.lesion for p in reading.caliper] == ["L2"]


def test_the_plane_of_calipers_and_outlines_comes_with_its_source(look: Callable[..., ImageReading]) -> None:
    stated = (StatedPlane("view code", Plane.SAGITTAL),)
    unknown = make.caliper(plane=Plane.UNKNOWN)
    reading = look({1: [mask(50, 0.9)]}, (unknown,), ImageLabel(), stated_planes=stated)
    assert [(p.plane, p.plane_source) for p in (*reading.model, *reading.caliper)] == [
        (Plane.SAGITTAL, "view code")
    ] * 2
    reading = look(None, (unknown,), ImageLabel(Plane.CORONAL), stated_planes=stated)
    assert [(p.plane, p.plane_source) for p in reading.caliper] == [(Plane.CORONAL, "manifest")]
    assert "coronal by the manifest, but sagittal by the view code" in reading.caliper[0].warnings
    reading = look(None, (make.caliper(), make.caliper(lesion="L2", plane=Plane.CORONAL)), ImageLabel(Plane.CORONAL))
    assert [(d.refusal.code, d.refusal.lesion) for d in reading.doubts] == [("planes_contradict", "L1")]
    assert [(p.lesion, p.plane_source) for p in reading.caliper] == [("L2", "caliper file")]


def test_crooked_and_swapped_calipers_are_said(look: Callable[..., ImageReading]) -> None:
    short = make.caliper(Axis.SHORT, start=(200.0, 350.0), end=(400.0, 500.0))
    (plane,) = look(None, (make.caliper(), short)).caliper
    assert plane.long_axis_mm.value == pytest.approx(50)  # 250 pixels; it was called short
    assert plane.short_axis_mm.value == pytest.approx(20)
    assert any("called short is the longer one" in w for w in plane.warnings)
    assert any("53 degrees" in w for w in plane.warnings)  # atan(200 / 150)


def test_an_expected_error_becomes_a_refusal_and_keeps_the_calipers(
    look: Callable[..., ImageReading], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> Frames:
        raise PixelError("The pixels are cut off.", code="pixels_truncated")

    reading = look(None, (make.caliper(),))
    monkeypatch.setattr(by_network, "_read_model", broken)
    reading = look({1: []}, (make.caliper(),))
    assert [r.code for r in reading.refusals] == ["pixels_truncated"]
    assert len(reading.caliper) == 1
