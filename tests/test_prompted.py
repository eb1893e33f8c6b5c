"""What the network adds to a reader's calipers, against analytic ellipses; and when it adds nothing."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import make
from dicom_writing import write
from drawn_network import DrawnNetwork, Ellipse, Line, along
from lesion_measure.config import Calipers, Config, Limits, Segment
from lesion_measure.errors import MeasurementError
from lesion_measure.image.outlines import Outlines
from lesion_measure.image.read import read_image
from lesion_measure.image.shown import ShownFrames
from lesion_measure.image.task import ImageReading, Task
from lesion_measure.job import folder
from lesion_measure.records import (
    BASELINE,
    Axis,
    Caliper,
    ImageLabel,
    Instance,
    Plane,
    PlaneMeasurement,
    Source,
    Way,
)

Read = Callable[..., ImageReading]


def noise(least: int) -> NDArray[np.uint8]:
    """Echoes all over a frame."""
    return np.random.default_rng(least).integers(0, 20 * least + 1, (600, 800), dtype=np.uint8)


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Read a 600 x 800 image (0.2 mm pixels) of as many frames as asked for; frame n is noise up to 20 n."""
    out = tmp_path / "out"
    folder.prepare(out)
    outlines, shown = Outlines(out), ShownFrames(Limits())

    def image(frames: int, **header: object) -> Instance:
        pixels = b"".join(noise(number + 1).tobytes() for number in range(frames))
        extra = {"NumberOfFrames": frames} if frames > 1 else {}
        written = write(tmp_path, pixels, (600, 800), **extra)
        return replace(written, **({"regions": (make.region(),)} | header))  # type: ignore[arg-type]

    def run(
        network: DrawnNetwork | None,
        *calipers: Caliper,
        config: Config | None = None,
        frames: int = 1,
        **header: object,
    ) -> ImageReading:
        task = Task(
            instance=image(frames, **header), subject="S1", visit=BASELINE, label=ImageLabel(), calipers=calipers
        )
        return read_image(task, network, config or Config(), outlines, shown)  # type: ignore[arg-type]

    return run


def slanted(length_px: float = 120.0, degrees: float = 30.0, at: tuple[float, float] = (300.3, 400.6)) -> Line:
    half = length_px / 2
    d_row, d_col = half * math.sin(math.radians(degrees)), half * math.cos(math.radians(degrees))
    return (at[0] - d_row, at[1] - d_col), (at[0] + d_row, at[1] + d_col)


def long_axis(line: Line, **more: object) -> Caliper:
    return make.caliper(start=line[0], end=line[1], **more)


def alone(plane: PlaneMeasurement) -> str:
    """Asserts that a plane holds nothing but its calipers, and gives the reason."""
    assert (plane.way, plane.prompted, plane.outline_px, plane.area_mm2) == (Way.CALIPERS, None, None, None)
    assert plane.confidence is None
    (warning,) = [w for w in plane.warnings if "calipers alone" in w]
    return warning


def test_one_long_caliper_gets_area_and_short_axis_of_the_outline(read: Read) -> None:
    """24 mm long, 0.75 as wide: 18 mm, pi/4 x 24 x 18 mm2. The length is the reader's to the last digit."""
    caliper = long_axis(slanted())
    (bare,) = read(None, caliper).caliper
    (plane,) = read(DrawnNetwork(), caliper).caliper
    assert plane.long_axis_mm == bare.long_axis_mm
    assert plane.long_axis_px == bare.long_axis_px
    assert (plane.source, plane.reader, plane.way) == (Source.CALIPER, "R1", Way.PROMPTED)
    assert plane.short_axis_mm.value == pytest.approx(18, rel=0.003)
    assert plane.area_mm2.value == pytest.approx(math.pi / 4 * 24 * 18, rel=0.003)
    assert (plane.short_axis_source, plane.outline_source) == (Source.PROMPTED, Source.PROMPTED)
    assert plane.prompted.model == "net"
    assert plane.prompted.long_axis_mm == pytest.approx(24, rel=0.003)
    assert plane.confidence == 0.9
    radius = np.hypot(*(_turned(plane.outline_px - (300.3, 400.6), 30) / (45, 60)).T)
    np.testing.assert_allclose(radius, 1, atol=0.01)
    assert not [w for w in plane.warnings if "outline" in w]


def _turned(points: np.ndarray, degrees: float) -> np.ndarray:
    """(row, column) offsets as (across, along) a line at ``degrees``."""
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    rows, cols = points.T
    return np.stack([rows * cosine - cols * sine, rows * sine + cols * cosine], axis=1)


def test_an_error_bar_of_its_own(read: Read) -> None:
    """An outline 5 % longer than the caliper: that 1.2 mm is an error all round, in the width and in the area."""
    (plane,) = read(DrawnNetwork(lambda line: along(line, length=1.05)), long_axis(slanted())).caliper
    width, area = plane.short_axis_mm, plane.area_mm2
    assert set(width.parts) == {"outline", "prompted", "disagreement"}
    assert set(area.parts) == {*width.parts, "prompted_length"}
    assert width.parts["disagreement"] == pytest.approx(1.2, rel=0.03)
    assert width.parts["prompted"] == pytest.approx(0.15 * width.value)
    assert width.sd == pytest.approx(math.hypot(*width.parts.values()))
    true_change = math.pi / 4 * ((24 * 1.05 + 0.6) * (18 * 1.05 + 0.6) - (24 * 1.05 - 0.6) * (18 * 1.05 - 0.6))
    assert area.parts["disagreement"] == pytest.approx(true_change, rel=0.05)
    assert set(plane.long_axis_mm.parts) == {"pixel", "repeatability"}


def test_the_width_lies_across_the_readers_caliper_not_across_the_outlines_own_axis(read: Read) -> None:
    """An ellipse of 1 : 0.9 that lies at 40 degrees to the caliper. Across the caliper it measures more than its
    short axis: the chord through the middle at angle t from the short axis is b / sqrt(cos2 t + (b / a sin t)2)."""
    tilted = DrawnNetwork(lambda line: along(line, aspect=0.9, turn_deg=40))
    (plane,) = read(tilted, long_axis(slanted(150))).caliper
    a, b, turn = 30.0, 27.0, math.radians(40)
    # the longest chord perpendicular to a direction is the diameter in the perpendicular direction
    expected = b / math.sqrt(math.cos(turn) ** 2 + (b / a * math.sin(turn)) ** 2)
    assert plane.short_axis_mm.value == pytest.approx(expected, rel=0.003)
    assert expected > b * 1.03
    (r0, c0), (r1, c1) = plane.short_axis_px
    assert (r1 - r0) * math.sin(math.radians(30)) + (c1 - c0) * math.cos(math.radians(30)) == pytest.approx(0, abs=1e-6)


def test_a_drawn_short_axis_stays_and_prompts_too(read: Read) -> None:
    line = slanted()
    across = slanted(80, 120)
    network = DrawnNetwork()
    pair = (long_axis(line), make.caliper(Axis.SHORT, start=across[0], end=across[1]))
    (bare,) = read(None, *pair).caliper
    (plane,) = read(network, *pair).caliper
    assert (plane.short_axis_mm, plane.short_axis_px) == (bare.short_axis_mm, bare.short_axis_px)
    assert plane.short_axis_source is Source.CALIPER
    assert plane.prompted.width_mm.value == pytest.approx(18, rel=0.003)
    assert plane.area_mm2.value == pytest.approx(math.pi / 4 * 24 * 18, rel=0.003)
    (asked,) = network.asked
    moved = [((a[0] - 40, a[1] - 50), (b[0] - 40, b[1] - 50)) for a, b in (line, across)]  # into the region
    np.testing.assert_allclose(asked, moved)


def test_anisotropic_pixels_are_measured_in_millimetres(read: Read) -> None:
    """Pixels of 0.2 x 0.3 mm; a caliper along the columns: 36 mm, and 0.75 x 120 pixels down: 18 mm."""
    region = make.region(delta_col=0.03)
    (plane,) = read(DrawnNetwork(), long_axis(slanted(120, 0)), regions=(region,)).caliper
    assert plane.long_axis_mm.value == pytest.approx(36)
    assert plane.short_axis_mm.value == pytest.approx(18, rel=0.003)
    assert plane.area_mm2.value == pytest.approx(math.pi / 4 * 36 * 18, rel=0.003)


def test_an_outline_that_is_not_sure_is_not_used(read: Read) -> None:
    caliper = long_axis(slanted())
    (bare,) = read(None, caliper).caliper
    (plane,) = read(DrawnNetwork(confidence=0.55), caliper).caliper
    assert "its confidence is 0.550, it takes 0.600" in alone(plane)
    assert (plane.long_axis_mm, plane.short_axis_mm) == (bare.long_axis_mm, None)
    lower = Config(segment=Segment(min_prompted_confidence=0.5))
    assert read(DrawnNetwork(confidence=0.55), caliper, config=lower).caliper[0].way is Way.PROMPTED
    automatic = Config(segment=Segment(min_confidence=0.5))  # that of lesions without a caliper
    assert read(DrawnNetwork(confidence=0.55), caliper, config=automatic).caliper[0].way is Way.CALIPERS


def test_a_bundle_that_accepts_none_says_so(read: Read) -> None:
    (plane,) = read(DrawnNetwork(threshold=1.01), long_axis(slanted())).caliper
    assert "net accepts no outline that is drawn from calipers (for a reason)" in alone(plane)


def test_a_network_that_finds_nothing_leaves_the_caliper(read: Read) -> None:
    (plane,) = read(DrawnNetwork(lambda line: None), long_axis(slanted())).caliper
    assert "it finds no lesion there" in alone(plane)


@pytest.mark.parametrize(("length", "used"), [(0.91, True), (1.09, True), (0.88, False), (1.12, False)])
def test_an_outline_of_another_length_than_the_caliper_is_not_used(read: Read, length: float, used: bool) -> None:
    (plane,) = read(DrawnNetwork(lambda line: along(line, length=length)), long_axis(slanted())).caliper
    if used:
        assert plane.way is Way.PROMPTED
    else:
        word = "longer" if length > 1 else "shorter"
        assert f"12 % {word} than the caliper's 24.0 mm; it may differ by 10 %" in alone(plane)
    wider = Config(segment=Segment(caliper_tolerance=0.15))
    network = DrawnNetwork(lambda line: along(line, length=length))
    assert read(network, long_axis(slanted()), config=wider).caliper[0].way is Way.PROMPTED


@pytest.mark.parametrize("shape", [
    lambda line: along(line, turn_deg=90, aspect=0.6),
    lambda line: replace(along(line), centre=(along(line).centre[0] + 20, along(line).centre[1])),
], ids=["turned", "displaced"])  # fmt: skip
def test_an_outline_that_the_calipers_ends_do_not_lie_on_is_not_used(
    read: Read, shape: Callable[[Line], Ellipse]
) -> None:
    (plane,) = read(DrawnNetwork(shape), long_axis(slanted())).caliper
    assert "an end of the caliper" in alone(plane)


def test_two_lesions_of_a_frame_have_an_outline_each(read: Read) -> None:
    lines = {"L1": slanted(100, 10, (200, 300)), "L2": slanted(60, 80, (400, 550))}
    reading = read(DrawnNetwork(), *(long_axis(line, lesion=name) for name, line in lines.items()))
    for plane in reading.caliper:
        np.testing.assert_allclose(plane.outline_px[:-1].mean(axis=0), np.mean(lines[plane.lesion], axis=0), atol=0.5)
    assert [p.area_mm2.value for p in reading.caliper] == pytest.approx(
        [math.pi / 4 * 0.75 * 20**2, math.pi / 4 * 0.75 * 12**2], rel=0.005
    )


def test_the_liver_is_measured_by_its_caliper_and_never_outlined(read: Read) -> None:
    """The network knows lesions alone; nor does the liver, which holds the lesion, spoil the lesion's outline."""
    reading = read(DrawnNetwork(), long_axis(slanted(300, 0), lesion="Liver"), long_axis(slanted(60, 0)))
    ways = {plane.lesion: plane.way for plane in reading.caliper}
    assert ways == {"Liver": Way.CALIPERS, "L1": Way.PROMPTED}
    assert next(p for p in reading.caliper if p.lesion == "Liver").warnings == ()


def test_an_outline_that_takes_in_another_lesion_is_not_used(read: Read) -> None:
    """The second caliper lies within the outline of the first; its own outline is right."""
    reading = read(DrawnNetwork(), long_axis(slanted(200, 0)), long_axis(slanted(30, 0, (330, 400)), lesion="L2"))
    assert "it takes in L2, whose caliper lies in it" in alone(reading.caliper[0])
    assert reading.caliper[1].way is Way.PROMPTED


def test_a_cine_is_outlined_on_the_calipers_own_frame(read: Read) -> None:
    network = DrawnNetwork()
    reading = read(network, long_axis(slanted(), frame=3), long_axis(slanted(90), frame=5, lesion="L2"), frames=6)
    assert [(p.frame, p.way) for p in reading.caliper] == [(3, Way.PROMPTED), (5, Way.PROMPTED)]
    assert network.shown == [60, 100]


def test_an_outline_is_kept_for_its_image_and_calipers(read: Read) -> None:
    network = DrawnNetwork()
    first = read(network, long_axis(slanted())).caliper[0]
    again = read(network, long_axis(slanted())).caliper[0]
    assert len(network.asked) == 1
    assert again.area_mm2 == first.area_mm2
    np.testing.assert_array_equal(again.outline_px, first.outline_px)
    moved = read(network, long_axis(slanted(121))).caliper[0]
    assert len(network.asked) == 2
    assert moved.area_mm2.value > first.area_mm2.value


def test_an_outline_that_the_picture_cuts_off_is_not_used(read: Read) -> None:
    """A caliper along the lower edge (row 559): the outline reaches 45 pixels to either side of it."""
    (cut,) = read(DrawnNetwork(), long_axis(slanted(120, 0, (539.0, 400.0)))).caliper
    assert "may be cut off" in alone(cut)
    (whole,) = read(DrawnNetwork(), long_axis(slanted(120, 0, (513.0, 400.0)))).caliper
    assert whole.way is Way.PROMPTED
    assert whole.short_axis_mm.value == pytest.approx(18, rel=0.003)


def test_a_caliper_across_two_pictures_is_refused_and_prompts_nothing(read: Read) -> None:
    halves = (make.region(col_max=399), make.region(index=1, col_min=401, delta_row=0.03, delta_col=0.03))
    network = DrawnNetwork()
    reading = read(network, long_axis(slanted(120, 0)), regions=halves)
    assert (reading.caliper, network.asked) == ([], [])
    assert [(d.refusal.code, d.refusal.lesion) for d in reading.doubts] == [("several_regions", "L1")]


def test_each_half_of_a_dual_image_is_outlined_at_its_own_scale(read: Read) -> None:
    halves = (make.region(col_max=399), make.region(index=1, col_min=401, delta_row=0.03, delta_col=0.03))
    right = long_axis(slanted(100, 0, (300, 600)), lesion="L2")
    reading = read(DrawnNetwork(), long_axis(slanted(100, 0, (300, 200))), right, regions=halves)
    assert [p.short_axis_mm.value for p in reading.caliper] == pytest.approx([15, 22.5], rel=0.005)


def test_an_outline_that_reaches_another_scale_is_not_used(read: Read) -> None:
    """An inset of another zoom begins 30 pixels below the caliper; the outline reaches 45 pixels down."""
    inset = make.region(index=1, row_min=330, row_max=400, col_min=300, col_max=500, delta_row=0.01, delta_col=0.01)
    (plane,) = read(DrawnNetwork(), long_axis(slanted(120, 0, (300, 400))), regions=(make.region(), inset)).caliper
    assert "lies over" in alone(plane)


def test_a_caliper_too_short_for_the_network_stands_alone(read: Read) -> None:
    def refuse(line: Line) -> Ellipse:
        raise MeasurementError("A caliper is shorter than two pixels.", code="caliper_length")

    (plane,) = read(DrawnNetwork(refuse), long_axis(slanted(1.5))).caliper
    assert "shorter than two pixels" in alone(plane)
    assert plane.long_axis_mm.value == pytest.approx(0.3)


def test_a_lesion_of_a_few_pixels_is_outlined_with_a_warning(read: Read) -> None:
    """Smaller than the least size of an automatic lesion (3 mm), but a reader says that it is one."""
    (plane,) = read(DrawnNetwork(lambda line: along(line, aspect=0.6)), long_axis(slanted(4.5))).caliper
    assert plane.way is Way.PROMPTED
    assert plane.short_axis_mm.value == pytest.approx(0.6 * 0.9, rel=0.1)
    assert any("less than 3 pixels wide" in w for w in plane.warnings)
    assert plane.short_axis_mm.parts["outline"] >= 2 * 0.3 * 0.2 * 0.99  # the least an outline errs, on both sides


def test_an_outline_wider_than_the_caliper_is_long_is_said(read: Read) -> None:
    (plane,) = read(DrawnNetwork(lambda line: along(line, aspect=1.04)), long_axis(slanted())).caliper
    assert plane.way is Way.PROMPTED
    assert plane.long_axis_mm.value == pytest.approx(24)
    assert any("may not lie along the longest diameter" in w for w in plane.warnings)


def test_a_reader_who_does_not_count_prompts_nothing(read: Read) -> None:
    network = DrawnNetwork()
    config = Config(calipers=Calipers(reader="R2"))
    reading = read(network, long_axis(slanted()), long_axis(slanted(110), reader="R2"), config=config)
    assert [(p.reader, p.way) for p in reading.caliper] == [("R1", Way.CALIPERS), ("R2", Way.PROMPTED)]
    assert len(network.asked) == 1
    assert not reading.caliper[0].warnings
    every = DrawnNetwork()
    read(every, long_axis(slanted(100)), long_axis(slanted(105), reader="R2"))
    assert len(every.asked) == 2  # two readers, none named: refused later, whatever was outlined


def test_the_networks_policy_decides_whether_calipers_prompt(read: Read) -> None:
    for policy, prompts in [("model_first", 1), ("calipers_first", 1), ("model_only", 0)]:
        network = DrawnNetwork(sha256=policy)
        reading = read(network, long_axis(slanted()), config=Config(segment=Segment(policy=policy)))  # type: ignore[arg-type]
        assert len(network.asked) == prompts, policy
        assert len(reading.caliper) == 1


def test_an_absent_lesion_prompts_nothing(read: Read) -> None:
    network = DrawnNetwork()
    reading = read(network, make.caliper(Axis.ABSENT), long_axis(slanted(), lesion="L2"))
    assert [a.lesion for a in reading.absent] == ["L1"]
    assert len(network.asked) == 1
    assert [p.lesion for p in reading.caliper] == ["L2"]


def test_a_frame_that_cannot_be_decoded_leaves_the_calipers_length(read: Read) -> None:
    reading = read(DrawnNetwork(), long_axis(slanted()), rows=700)  # the header promises more rows than there are
    (plane,) = reading.caliper
    assert plane.long_axis_mm.value == pytest.approx(24)
    alone(plane)
    assert any("cannot be shown" in w for w in plane.warnings)


def test_an_unknown_plane_is_outlined_like_any_other(read: Read) -> None:
    (plane,) = read(DrawnNetwork(), long_axis(slanted(), plane=Plane.UNKNOWN)).caliper
    assert (plane.plane, plane.way) == (Plane.UNKNOWN, Way.PROMPTED)
