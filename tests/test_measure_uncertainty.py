"""Error bars against simulation: what they claim to cover, they cover."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import norm

from lesion_measure.config import Repeatability, Uncertainty
from lesion_measure.errors import MeasurementError
from lesion_measure.measure import measure_mask
from lesion_measure.measure.propagation import (
    area_length_volume_quantity,
    biplane_volume_quantity,
    ellipsoid_volume_quantity,
    product_quantity,
    ratio_ci95,
    rotation_volume_quantity,
    sum_quantity,
)
from lesion_measure.measure.uncertainty import (
    automatic_quantities,
    caliper_quantity,
    caliper_sd_mm,
    diameter_of_outline,
    of_parts,
    outline_sd_mm,
    prompted_quantities,
    quantities_of_outline,
)
from lesion_measure.records import Quantity

SETTINGS = Uncertainty()
DRAWS = 20_000


def disc_map(radius: float, sd: float, size: int = 80) -> NDArray[np.float64]:
    """Chance that a pixel lies in a disc whose radius is normal with this mean and standard deviation."""
    rows, cols = np.mgrid[:size, :size]
    return np.asarray(norm.cdf((radius - np.hypot(rows - 39.7, cols - 40.2)) / sd))


def test_outline_spread_is_that_of_the_lesions_behind_the_map() -> None:
    rng = np.random.default_rng(1)
    radius, sd = 20.0, 1.5
    sizes = measure_mask(disc_map(radius, sd), spacing_mm=(0.5, 0.5))
    spread = outline_sd_mm(disc_map(radius, sd), spacing_mm=(0.5, 0.5), settings=SETTINGS, sizes=sizes)
    radii = 0.5 * rng.normal(radius, sd, DRAWS)
    assert spread.long_axis_mm == pytest.approx(np.std(2 * radii), rel=0.05)
    assert spread.short_axis_mm == pytest.approx(np.std(2 * radii), rel=0.05)
    assert spread.area_mm2 == pytest.approx(np.std(math.pi * radii**2), rel=0.05)
    assert spread.perimeter_mm == pytest.approx(np.std(2 * math.pi * radii), rel=0.05)
    covered = np.abs(2 * radii - sizes.long_axis_mm) < 1.96 * spread.long_axis_mm
    assert 0.93 < covered.mean() < 0.97


def test_hard_masks_get_the_least_spread() -> None:
    spread = outline_sd_mm(disc_map(20, 1.5) > 0.5, spacing_mm=(0.5, 0.5))
    assert spread.long_axis_mm == pytest.approx(2 * 0.3 * 0.5)
    assert spread.short_axis_mm == pytest.approx(2 * 0.3 * 0.5)
    assert spread.area_mm2 == pytest.approx(0.3 * 0.5 * 2 * math.pi * 10, rel=0.02)
    assert spread.perimeter_mm == pytest.approx(2 * math.pi * 0.3 * 0.5)


def test_a_map_as_sharp_as_a_pixel_is_not_trusted_beyond_half_a_pixel() -> None:
    spread = outline_sd_mm(disc_map(20.0, 0.1), spacing_mm=(1.0, 1.0))
    assert 2 * 0.3 <= spread.long_axis_mm <= 2 * 0.5


def test_an_unsure_map_gets_a_wide_spread() -> None:
    values = 0.7 * disc_map(20.0, 2.0)
    assert outline_sd_mm(values, spacing_mm=(1.0, 1.0)).long_axis_mm > 2.0


def test_outline_quantities_name_their_parts() -> None:
    values = disc_map(20.0, 1.5)
    sizes = measure_mask(values, spacing_mm=(0.5, 0.5))
    found = quantities_of_outline(sizes, outline_sd_mm(values, spacing_mm=(0.5, 0.5)), SETTINGS)
    assert found.long_axis_mm.value == sizes.long_axis_mm
    assert found.long_axis_mm.parts["repeatability"] == pytest.approx(0.089 * sizes.long_axis_mm)
    assert found.area_mm2.parts["repeatability"] == pytest.approx(math.sqrt(2) * 0.089 * sizes.area_mm2)
    for quantity in (found.long_axis_mm, found.short_axis_mm, found.area_mm2, found.perimeter_mm):
        assert set(quantity.parts) == {"outline", "repeatability"}
        assert quantity.sd == pytest.approx(math.hypot(*quantity.parts.values()))


def test_a_prompted_outline_bears_its_distance_from_the_caliper_all_round() -> None:
    """A disc of 20 mm across whose caliper says 21: every size may be off as that of a disc of 21 mm is from it."""
    values = disc_map(20.0, 1.5)
    sizes = measure_mask(values, spacing_mm=(0.5, 0.5))
    found = prompted_quantities(values, sizes, caliper_mm=sizes.long_axis_mm + 1, settings=SETTINGS)
    assert found.short_axis_mm.parts["disagreement"] == pytest.approx(1)
    assert found.area_mm2.parts["disagreement"] == pytest.approx(math.pi / 4 * (20.5**2 - 19.5**2), rel=0.01)
    assert found.perimeter_mm.parts["disagreement"] == pytest.approx(math.pi)
    assert "disagreement" not in found.long_axis_mm.parts
    spread = outline_sd_mm(values, spacing_mm=(0.5, 0.5), sizes=sizes)
    for got, outline in [(found.short_axis_mm, spread.short_axis_mm), (found.area_mm2, spread.area_mm2)]:
        assert got.parts["outline"] == outline
        assert got.sd == pytest.approx(math.hypot(*got.parts.values()))
    shorter = prompted_quantities(values, sizes, caliper_mm=sizes.long_axis_mm - 1, settings=SETTINGS)
    assert shorter.short_axis_mm.sd == pytest.approx(found.short_axis_mm.sd)


def test_no_reader_reads_a_prompted_outline_but_its_own_error_stands() -> None:
    values = disc_map(20.0, 1.5)
    sizes = measure_mask(values, spacing_mm=(0.5, 0.5))
    found = prompted_quantities(values, sizes, caliper_mm=sizes.long_axis_mm, settings=Uncertainty(prompted_cv=0.2))
    assert "repeatability" not in found.short_axis_mm.parts
    assert found.short_axis_mm.parts["prompted"] == pytest.approx(0.2 * sizes.short_axis_mm)
    assert found.area_mm2.parts["prompted"] == pytest.approx(0.2 * sizes.area_mm2)
    assert found.area_mm2.parts["prompted_length"] == pytest.approx(0.2 * sizes.area_mm2)


def test_area_and_caliper_give_a_prompted_outlines_volume_the_error_of_its_width() -> None:
    """The caliper counts in the area and in the length that divides it: A A / L errs as L S S, not as two unrelated."""
    values = disc_map(20.0, 0.01)
    sizes = measure_mask(values, spacing_mm=(0.5, 0.5))
    found = prompted_quantities(values, sizes, caliper_mm=sizes.long_axis_mm, settings=SETTINGS)
    long = caliper_quantity((0, 0), (0, sizes.long_axis_mm / 0.5), (0.5, 0.5), SETTINGS)
    by_area = area_length_volume_quantity(found.area_mm2, long, SETTINGS)
    by_width = rotation_volume_quantity(long, found.short_axis_mm, SETTINGS)
    for part in ("prompted", "repeatability"):
        assert by_area.parts[part] / by_area.value == pytest.approx(by_width.parts[part] / by_width.value)
    assert "prompted_length" not in by_area.parts


def test_an_automatic_outline_bears_what_such_outlines_err_by() -> None:
    """Each size errs by its own setting; the axes share with the area what the correlation says, and no more."""
    values = disc_map(20.0, 1.5)
    sizes = measure_mask(values, spacing_mm=(0.5, 0.5))
    settings = Uncertainty(
        automatic_cv=0.2, automatic_short_axis_cv=0.1, automatic_area_cv=0.25, automatic_area_correlation=0.8
    )
    found = automatic_quantities(values, sizes, spacing_mm=(0.5, 0.5), settings=settings)
    for axis, cv in ((found.long_axis_mm, 0.2), (found.short_axis_mm, 0.1)):
        assert axis.parts["automatic"] == pytest.approx(0.8 * cv * axis.value)
        assert math.hypot(axis.parts["automatic"], axis.parts["automatic_axis"]) == pytest.approx(cv * axis.value)
    assert found.area_mm2.parts["automatic"] == pytest.approx(0.25 * sizes.area_mm2)
    assert "automatic_axis" not in found.area_mm2.parts
    for quantity in (found.long_axis_mm, found.short_axis_mm, found.area_mm2, found.perimeter_mm):
        assert set(quantity.parts) - {"automatic_axis"} == {"outline", "automatic"}
        assert quantity.sd == pytest.approx(math.hypot(*quantity.parts.values()))


def test_what_sizes_of_one_automatic_outline_err_by_together_is_propagated_so() -> None:
    """Against draws of a common error and of one of each axis: products, volumes of one plane and of two."""
    rng, count = np.random.default_rng(11), 200_000
    settings = Uncertainty(
        min_outline_px=1e-6, automatic_cv=0.06, automatic_short_axis_cv=0.04, automatic_area_cv=0.07,
        automatic_area_correlation=0.8,
    )  # fmt: skip
    drawn = []
    for _ in range(2):
        common, *own = rng.normal(size=(4, count))
        axes = [cv * (0.8 * common + 0.6 * one) for cv, one in zip((0.06, 0.04, 0.04), own, strict=True)]
        drawn.append((*axes, 0.07 * common))
    (long, short, middle, area), (_, third, middle_too, area_too) = drawn
    values = disc_map(20.0, 1e-6)
    sizes = measure_mask(values, spacing_mm=(0.5, 0.5))
    found = automatic_quantities(values, sizes, spacing_mm=(0.5, 0.5), settings=settings)
    ours = found.long_axis_mm, found.short_axis_mm, found.area_mm2
    shared = diameter_of_outline(20.0, found.area_mm2, sizes.perimeter_mm, settings)
    for quantity, error in (
        (product_quantity(*ours[:2]), long + short),
        (rotation_volume_quantity(*ours[:2], settings), long + 2 * short),
        (area_length_volume_quantity(ours[2], ours[0], settings), 2 * area - long),
        (ellipsoid_volume_quantity(*ours[:2], ours[1], settings), long + short + third),
        (
            biplane_volume_quantity((ours[2], shared), (ours[2], shared), settings),
            area + area_too - (middle + middle_too) / 2,
        ),
    ):
        assert quantity.sd / quantity.value == pytest.approx(np.std(error), rel=0.02)
        assert "repeatability" not in quantity.parts


def test_a_reader_repeats_only_what_a_reader_read() -> None:
    """One plane by the network, the third diameter by a caliper: one reading of three."""
    network = of_parts(20.0, automatic=2.0, automatic_axis=1.0)
    read = of_parts(16.0, repeatability=1.4)
    mixed = ellipsoid_volume_quantity(network, network, read, SETTINGS)
    assert mixed.parts["repeatability"] / mixed.value == pytest.approx(math.sqrt(1 / 3) * 0.15)


def test_the_spread_of_a_width_is_that_across_its_line() -> None:
    """An edge that is blurred along the columns alone: the width along them is uncertain, that along the rows not."""
    rows, cols = np.mgrid[:80, :80]
    inside = norm.cdf((20 - np.abs(cols - 40.2)) / 3) * norm.cdf((20 - np.abs(rows - 39.7)) / 0.3)
    spreads = []
    for line in [((0.0, 0.0), (9.0, 0.0)), ((0.0, 0.0), (0.0, 9.0))]:
        sizes = measure_mask(inside, spacing_mm=(1.0, 1.0), across_px=line)
        spreads.append(outline_sd_mm(inside, spacing_mm=(1.0, 1.0), sizes=sizes).short_axis_mm)
    assert spreads[0] == pytest.approx(6, rel=0.1)  # both sides together, 3 pixels each
    assert spreads[1] < 1


def test_a_volume_takes_the_errors_of_prompted_widths_beside_a_readers_repeatability() -> None:
    long = Quantity(value=20.0, sd=1.0, parts={"pixel": 1.0})
    width = Quantity(value=16.0, sd=1.0, parts={"disagreement": 0.6, "prompted": 0.8})
    turning = rotation_volume_quantity(long, width, SETTINGS)
    assert turning.parts["disagreement"] / turning.value == pytest.approx(2 * 0.6 / 16)
    assert turning.parts["prompted"] / turning.value == pytest.approx(2 * 0.8 / 16)
    assert turning.parts["repeatability"] / turning.value == pytest.approx(math.sqrt(5 / 3) * 0.15)
    three = ellipsoid_volume_quantity(long, width, width, SETTINGS)  # of two outlines, each with its own error
    assert three.parts["prompted"] / three.value == pytest.approx(math.sqrt(2) * 0.8 / 16)


@pytest.mark.parametrize("spacing", [(0.3, 0.3), (0.5, 0.2)])
@pytest.mark.parametrize("end", [(10.0, 90.0), (80.0, 10.0), (60.0, 70.0)])
def test_caliper_ends_err_independently(spacing: tuple[float, float], end: tuple[float, float]) -> None:
    rng = np.random.default_rng(2)
    start = (10.0, 10.0)
    step = np.subtract(end, start)
    unit = step / np.linalg.norm(step)
    shift = rng.normal(0, 0.5, (DRAWS, 2))
    moved = step + (shift[:, 1] - shift[:, 0])[:, None] * unit
    lengths = np.hypot(*(moved * spacing).T)
    sd = caliper_sd_mm(start, end, spacing, end_sd_px=0.5)
    assert sd == pytest.approx(np.std(lengths), rel=0.02)
    quantity = caliper_quantity(start, end, spacing, SETTINGS)
    assert 0.93 < np.mean(np.abs(lengths - quantity.value) < 1.96 * sd) < 0.97
    assert quantity.sd == pytest.approx(math.hypot(sd, 0.089 * quantity.value))


def diameters(*values: float, part: str, sd: float) -> list[Quantity]:
    return [
        Quantity(value=v, sd=math.hypot(sd, 0.089 * v), parts={part: sd, "repeatability": 0.089 * v}) for v in values
    ]


# The ends of every caliper err by themselves; an outline errs all round, and with it both axes of its plane.
ERRS_TOGETHER = {"pixel": (0, 1, 2), "outline": (0, 0, 1)}


@pytest.mark.parametrize("part", ERRS_TOGETHER)
def test_ellipsoid_volume_spread(part: str) -> None:
    errors = np.random.default_rng(3).normal(0, 0.6, (DRAWS, 3))[:, ERRS_TOGETHER[part]]
    a, b, c = diameters(30.0, 25.0, 20.0, part=part, sd=0.6)
    quantity = ellipsoid_volume_quantity(a, b, c, SETTINGS)
    volumes = math.pi / 6 * (np.array([30.0, 25.0, 20.0]) + errors).prod(axis=1) / 1000
    assert quantity.parts[part] == pytest.approx(np.std(volumes), rel=0.03)
    assert 0.93 < np.mean(np.abs(volumes - quantity.value) < 1.96 * quantity.parts[part]) < 0.97
    # the reader's repeatability enters once, as the volume's own
    assert quantity.parts["repeatability"] == pytest.approx(0.15 * quantity.value)
    assert quantity.sd == pytest.approx(math.hypot(*quantity.parts.values()))


@pytest.mark.parametrize("part", ERRS_TOGETHER)
def test_rotation_volume_counts_the_short_axis_twice(part: str) -> None:
    errors = np.random.default_rng(4).normal(0, 0.6, (DRAWS, 3))[:, ERRS_TOGETHER[part]]
    long, short = diameters(30.0, 20.0, part=part, sd=0.6)
    quantity = rotation_volume_quantity(long, short, SETTINGS)
    volumes = math.pi / 6 * (30 + errors[:, 0]) * (20 + errors[:, 1]) ** 2 / 1000
    assert quantity.parts[part] == pytest.approx(np.std(volumes), rel=0.03)


def test_rotation_volume_repeats_worse_than_one_of_three_diameters() -> None:
    """Readings of a diameter that alone explain the volume's repeatability, in both kinds of volume."""
    readings = np.random.default_rng(6).normal(1, 0.03, (DRAWS * 10, 3))
    settings = Uncertainty(repeatability=Repeatability(volume_cv=float(np.std(readings.prod(axis=1)))))
    long, short = diameters(30.0, 20.0, part="pixel", sd=0.6)
    found = rotation_volume_quantity(long, short, settings)
    spread = np.std(readings[:, 0] * readings[:, 1] ** 2)
    assert found.parts["repeatability"] == pytest.approx(spread * found.value, rel=0.01)
    assert found.parts["repeatability"] == pytest.approx(
        settings.repeatability.volume_cv * math.sqrt(5 / 3) * found.value
    )


@pytest.mark.parametrize(("cv_baseline", "cv_followup"), [(0.03, 0.03), (0.089, 0.1), (0.15, 0.15)])
@pytest.mark.parametrize("ratio", [0.4, 1.0, 1.8])
def test_interval_of_a_change_covers_the_true_change(cv_baseline: float, cv_followup: float, ratio: float) -> None:
    rng = np.random.default_rng(5)
    before = 30.0 * (1 + cv_baseline * rng.normal(size=4000))
    after = 30.0 * ratio * (1 + cv_followup * rng.normal(size=4000))
    hits = 0
    for x, y in zip(before, after, strict=True):
        low, high = ratio_ci95(Quantity(value=x, sd=cv_baseline * x), Quantity(value=y, sd=cv_followup * y))
        hits += low <= 100 * (ratio - 1) <= high
    assert 0.93 <= hits / 4000 <= 0.97


def test_change_interval_edges() -> None:
    low, high = ratio_ci95(Quantity(value=20.0, sd=0.0), Quantity(value=14.0, sd=0.0))
    assert low == pytest.approx(-30)
    assert high == pytest.approx(-30)
    for value, sd in ((0.0, 1.0), (-1.0, 1.0), (math.nan, 1.0), (1.0, -1.0), (1.0, math.inf)):
        with pytest.raises(MeasurementError):
            ratio_ci95(Quantity(value=value, sd=sd), Quantity(value=10.0, sd=1.0))


def test_intervals_of_sizes_are_those_of_factors() -> None:
    low, high = Quantity(value=20.0, sd=2.0).ci95
    assert (low, high) == pytest.approx((20 / math.exp(0.196), 20 * math.exp(0.196)), rel=1e-4)
    assert Quantity(value=20.0, sd=0.0).ci95 == (20.0, 20.0)
    assert Quantity(value=0.0, sd=0.0).ci95 == (0.0, 0.0)
    low, high = Quantity(value=1e-9, sd=1e9).ci95
    assert 0 < low < high < math.inf


def test_outline_errors_cancel_in_part_between_area_and_diameter() -> None:
    """An ellipse whose edge is out by d all round: A and L grow together, in one plane and in each of two."""
    errors = np.random.default_rng(8).normal(0, 0.4, (DRAWS, 2))
    a, b, c = 30.0, 22.0, 16.0

    def part(value: float, sd: float) -> Quantity:
        return Quantity(value=value, sd=sd, parts={"outline": sd})

    planes = []
    for short in (b, c):
        around = math.pi / 2 * (3 * (a + short) - math.sqrt((3 * a + short) * (a + 3 * short)))
        area = part(math.pi / 4 * a * short, 0.4 * around)
        planes.append((area, diameter_of_outline(a, area, around, SETTINGS)))
        assert planes[-1][1].parts["outline"] == pytest.approx(0.8)
    first, second = (2 * errors).T
    areas = [math.pi / 4 * (a + e) * (short + e) for short, e in ((b, first), (c, second))]
    volumes = 8 * areas[0] * areas[1] / (3 * math.pi * np.sqrt((a + first) * (a + second))) / 1000
    quantity = biplane_volume_quantity(planes[0], planes[1], SETTINGS)
    assert quantity.value == pytest.approx(math.pi / 6 * a * b * c / 1000)
    assert quantity.parts["outline"] == pytest.approx(np.std(volumes), rel=0.03)
    assert quantity.parts["repeatability"] == pytest.approx(math.sqrt(2.5 / 3) * 0.15 * quantity.value)
    turned = area_length_volume_quantity(planes[0][0], planes[0][1], SETTINGS)
    volumes = 8 * areas[0] ** 2 / (3 * math.pi * (a + first)) / 1000
    assert turned.parts["outline"] == pytest.approx(np.std(volumes), rel=0.03)


BIASED = Uncertainty(caliper_end_px=1e-6, repeatability=Repeatability(diameter_cv=0, volume_cv=0, reader_bias_cv=0.05))


def test_a_readers_bias_is_one_error_of_everything_that_the_reader_measures() -> None:
    long, short, third = (caliper_quantity((0, 0), (0, px), (0.2, 0.2), BIASED) for px in (150, 120, 100))
    assert long.sd == pytest.approx(0.05 * 30, rel=1e-3)
    for volume in (
        ellipsoid_volume_quantity(long, short, third, BIASED),
        rotation_volume_quantity(long, short, BIASED),
    ):
        assert volume.sd / volume.value == pytest.approx(3 * 0.05, rel=1e-3)
    values = disc_map(20.0, 0.01)
    sizes = measure_mask(values, spacing_mm=(0.5, 0.5))
    found = quantities_of_outline(sizes, outline_sd_mm(values, spacing_mm=(0.5, 0.5)), BIASED)
    assert found.area_mm2.parts["reader_bias"] == pytest.approx(2 * 0.05 * sizes.area_mm2)
    shared = diameter_of_outline(20.0, found.area_mm2, found.perimeter_mm.value, BIASED)
    assert shared.parts["reader_bias"] == pytest.approx(0.05 * 20)
    body = biplane_volume_quantity((found.area_mm2, shared), (found.area_mm2, shared), BIASED)
    assert body.parts["reader_bias"] == pytest.approx(3 * 0.05 * body.value)


def test_a_shared_bias_adds_up_in_a_sum_and_cancels_in_a_change() -> None:
    before = Quantity(value=20.0, sd=math.hypot(1.0, 2.0), parts={"pixel": 1.0, "reader_bias": 2.0})
    other = Quantity(value=10.0, sd=math.hypot(1.0, 1.0), parts={"pixel": 1.0, "reader_bias": 1.0})
    both = sum_quantity([before, other])
    assert both.value == 30
    assert both.parts == pytest.approx({"pixel": math.sqrt(2), "reader_bias": 3.0})
    assert both.sd == pytest.approx(math.hypot(math.sqrt(2), 3.0))
    assert sum_quantity([Quantity(value=1, sd=3), Quantity(value=2, sd=4)]).sd == pytest.approx(5)
    after = Quantity(value=10.0, sd=math.hypot(0.5, 1.0), parts={"pixel": 0.5, "reader_bias": 1.0})
    alike = ratio_ci95(before, after)
    assert alike == pytest.approx(ratio_ci95(Quantity(value=20.0, sd=1.0), Quantity(value=10.0, sd=0.5)), rel=1e-9)
    apart = ratio_ci95(before, after, same_reader=False)
    assert apart[0] < alike[0]
    assert apart[1] > alike[1]


def test_the_product_of_two_axes_of_one_outline() -> None:
    """Both axes share the outline's error, which is added; readings of the axes are two, in quadrature."""
    long, short = diameters(30.0, 20.0, part="outline", sd=0.6)
    product = product_quantity(long, short)
    edge = np.random.default_rng(9).normal(0, 0.6, DRAWS)
    assert product.value == 600
    assert product.parts["outline"] == pytest.approx(np.std((30 + edge) * (20 + edge)), rel=0.03)
    assert product.parts["repeatability"] == pytest.approx(math.sqrt(2) * 0.089 * 600)
    assert product.sd == pytest.approx(math.hypot(*product.parts.values()))
