"""Evaluation: overlap against MONAI, estimates against SciPy, cases of a network whose answers are known."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
import torch
from monai.metrics import compute_average_surface_distance, compute_hausdorff_distance
from numpy.typing import NDArray
from scipy import ndimage, stats
from skimage.measure import regionprops

from lesion_measure.errors import MeasurementError
from lesion_measure.lab.datasets import Picture, choose_calipers, load_folder, picture, picture_digest
from lesion_measure.lab.evaluation import (
    Case,
    Estimate,
    Method,
    Placement,
    SetSummary,
    Size,
    automatic_candidates,
    card_rows,
    compare,
    other_spreads,
    placings_by_set,
    plain,
    prompted_candidates,
    rescored,
    run_cases,
    summarise,
)
from lesion_measure.lab.evaluation.cases import Candidate
from lesion_measure.lab.evaluation.overlap import around, contrast, ellipse_mask, fits, placed, surface_distances
from lesion_measure.lab.evaluation.reliability import reliability
from lesion_measure.measure import measure_mask
from lesion_measure.measure.insonation import insonated_area
from lesion_measure.network import CaliperLine, Segmentation, SegmentedLesion
from lesion_measure.network.confidence import dice
from lesion_measure.network.ellipse import suggested_ellipse
from lesion_measure.network.window import check_prompt
from lesion_measure.stats.bootstrap import mean, median, rate

Mask = NDArray[np.bool_]
Answer = Callable[[Picture, Sequence[CaliperLine] | None], list[tuple[Mask, float]]]


def oval(shape: tuple[int, int], centre: tuple[float, float], long: float, short: float, turn: float = 0.0) -> Mask:
    row, col = np.mgrid[: shape[0], : shape[1]]
    down, right = row - centre[0], col - centre[1]
    along = down * math.sin(turn) + right * math.cos(turn)
    across = down * math.cos(turn) - right * math.sin(turn)
    return np.asarray((2 * along / long) ** 2 + (2 * across / short) ** 2 <= 1)


def one_picture(name: str, mask: Mask, group: str | None = None, source: str = "ovals") -> Picture:
    grey = np.clip(np.random.default_rng(len(name)).normal(60, 9, mask.shape) + 60 * mask, 1, 255).astype(np.uint8)
    grey[0, : len(name)] = [ord(letter) for letter in name]
    return picture(name, source, group or name, grey, mask)


class Oracle:
    """A stand-in for a network: ``answer(picture, prompt)`` gives the masks and confidences it draws."""

    def __init__(self, pictures: Sequence[Picture], answer: Answer, threshold: float = 0.8) -> None:
        self.by_digest = {item.image.tobytes(): item for item in pictures}
        self.answer = answer
        self.threshold = threshold
        self.calls = 0

    def segment(
        self, image: NDArray[np.uint8], prompt: Sequence[CaliperLine] | None = None, **_: object
    ) -> Segmentation:
        self.calls += 1
        found = self.answer(self.by_digest[image.tobytes()], prompt)
        lesions = tuple(
            SegmentedLesion(mask.astype(np.float32), mask, (0, 0), sure, sure >= self.threshold, {"sure": sure})
            for mask, sure in found
            if mask.any()
        )
        return Segmentation(lambda: np.zeros(image.shape, np.float32), lesions)


def truth(item: Picture, prompt: Sequence[CaliperLine] | None) -> list[tuple[Mask, float]]:
    """Draws every lesion exactly; from a caliper the one under its middle."""
    if prompt is None:
        return [(item.labels == label, 0.9) for label in range(1, len(item.axes) + 1)]
    row, col = np.rint(np.mean(prompt[0], axis=0)).astype(int)
    return [(item.labels == item.labels[row, col], 0.9)]


def silence(item: Picture, prompt: Sequence[CaliperLine] | None) -> list[tuple[Mask, float]]:
    return []


def shrunk(pixels: int) -> Answer:
    def answer(item: Picture, prompt: Sequence[CaliperLine] | None) -> list[tuple[Mask, float]]:
        return [(ndimage.binary_erosion(mask, iterations=pixels), sure) for mask, sure in truth(item, prompt)]

    return answer


def cases_of(pictures: Sequence[Picture], answer: Answer, **settings: object) -> list[Case]:
    return run_cases(Oracle(pictures, answer), pictures, **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("code", ["not_insonated", "caliper_outside"])
def test_calipers_that_a_run_refuses_draw_nothing_and_what_cannot_be_is_an_error(code: str) -> None:
    """One picture whose insonated area was not found ended the evaluation of a whole set."""
    items = [one_picture(name, oval((120, 160), (60, 80), 60, 40)) for name in ("seen", "unseen")]

    def answer(item: Picture, prompt: Sequence[CaliperLine] | None) -> list[tuple[Mask, float]]:
        if prompt and item.name == "unseen":
            raise MeasurementError("No picture there.", code=code)
        return truth(item, prompt)

    if code != "not_insonated":
        with pytest.raises(MeasurementError):
            cases_of(items, answer)
        return
    dices = [case.lesions[0].placings[0].drawn[Method.LONG_AXIS].dice for case in cases_of(items, answer)]
    assert dices == [1.0, 0.0]


def test_an_outline_that_a_run_drops_is_no_answer() -> None:
    """In the black beside a sector, or a speck by the size that the pixels state: neither found nor invented."""
    lesion = oval((300, 400), (150, 200), 40, 30)
    row, col = np.mgrid[:300, :400]
    sector = np.abs(col - 200) < 0.6 * row + 20
    grey = np.random.default_rng(3).integers(30, 120, sector.shape) * sector
    item = picture("sector", "sectors", "g", grey.astype(np.uint8), lesion)
    dark, speck = oval(lesion.shape, (40, 350), 30, 20), oval(lesion.shape, (220, 200), 9, 9)
    assert not (dark & sector).any()
    assert insonated_area(item.image).known

    def answer(item: Picture, prompt: Sequence[CaliperLine] | None) -> list[tuple[Mask, float]]:
        return truth(item, prompt) if prompt else [(lesion, 0.9), (dark, 0.9), (speck, 0.9)]

    def drawn(item: Picture) -> list[int | None]:
        (case,) = cases_of([item], answer)
        assert (case.automatic_dice == 1) is (len(case.automatic) == 1)
        return [one.lesion for one in case.automatic]

    assert drawn(item) == [1, None]  # without a size of the pixels nobody knows what is a speck
    assert drawn(dataclasses.replace(item, spacing_mm=(0.4, 0.4))) == [1, None]  # 3.6 mm
    assert drawn(dataclasses.replace(item, spacing_mm=(0.3, 0.3))) == [1]  # 2.7 mm


@pytest.fixture(scope="module")
def pictures() -> list[Picture]:
    """Six lesions of growing size in groups of two, one picture with two lesions, two without any."""
    shape = (160, 200)
    made = [
        one_picture(f"p{n}", oval(shape, (80, 100), 18 + 22 * n, 14 + 14 * n, 0.5 * n), group=f"g{n // 2}")
        for n in range(6)
    ]
    two = oval(shape, (40, 50), 40, 30) | oval(shape, (110, 140), 60, 40, 1.0)
    return [*made, one_picture("two", two), *(one_picture(f"free{n}", np.zeros(shape, bool)) for n in range(2))]


class TestOverlap:
    @pytest.mark.parametrize("seed", range(4))
    def test_surface_distances_are_those_of_monai(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        one, two = (
            ndimage.gaussian_filter(rng.normal(size=(70, 90)), 6) > level for level in rng.uniform(-0.02, 0.05, 2)
        )
        first, second = (torch.from_numpy(mask[None, None]) for mask in (one, two))
        expected = (
            float(compute_average_surface_distance(first, second, symmetric=True, include_background=True)),
            float(compute_hausdorff_distance(first, second, percentile=95, include_background=True)),
        )
        assert surface_distances(one, two) == pytest.approx(expected, rel=1e-5)

    def test_discs_of_one_centre_are_their_radii_apart(self) -> None:
        small, large = oval((101, 101), (50, 50), 40, 40), oval((101, 101), (50, 50), 60, 60)
        assert surface_distances(small, large) == pytest.approx((10, 10), abs=0.6)
        assert surface_distances(small, small) == (0, 0)

    def test_dice_of_cut_outs_is_that_of_simpleitk(self) -> None:
        one, two = oval((80, 90), (30, 40), 40, 20), oval((80, 90), (34, 46), 44, 26, 0.7)
        filter_ = SimpleITK.LabelOverlapMeasuresImageFilter()
        filter_.Execute(*(SimpleITK.GetImageFromArray(mask.astype(np.uint8)) for mask in (one, two)))
        cut = [placed(mask.astype(np.uint8))[1] for mask in (one, two)]
        box = around(cut)
        assert cut[0].mask.size < one.size / 4
        assert dice(cut[0].on(box), cut[1].on(box)) == pytest.approx(filter_.GetDiceCoefficient())

    def test_an_ellipse_fills_its_calipers(self) -> None:
        long, short = ((20.0, 30.0), (60.0, 60.0)), ((50.0, 30.0), (38.0, 46.0))
        found = suggested_ellipse([long, short])
        assert (found.long_px, found.short_px) == (pytest.approx(50), pytest.approx(20))
        mask = ellipse_mask(found, (100, 100))
        assert mask.mask.sum() == pytest.approx(found.area_px, rel=0.02)
        on = mask.on((slice(0, 100), slice(0, 100)))
        # the short caliper's middle lies 4 pixels beside the long one's line: so does the centre
        centre = np.argwhere(on).mean(axis=0)
        beside = np.array([44.0, 38.0]) - np.array([40.0, 45.0])
        across = np.array([-0.6, 0.8])
        assert (centre - np.array([40.0, 45.0])) @ across == pytest.approx(beside @ across, abs=0.1)
        assert np.allclose(found.outline().mean(axis=0), found.centre, atol=0.5)

    def test_an_ellipse_from_the_long_axis_is_three_quarters_wide(self) -> None:
        found = suggested_ellipse([((10.0, 10.0), (10.0, 50.0))])
        assert found.short_px == pytest.approx(30)
        assert not ellipse_mask(suggested_ellipse([((-80.0, 0.0), (-60.0, 0.0))]), (40, 40)).mask.any()

    def test_an_outline_fits_a_caliper_of_its_length_and_place(self) -> None:
        mask = oval((90, 120), (45, 60), 60, 40)
        measured = measure_mask(mask, spacing_mm=(1, 1))
        line = ((45.0, 30.0), (45.0, 90.0))
        assert fits(measured, line, mask.shape, 0.1)
        assert not fits(measured, ((45.0, 30.0), (45.0, 80.0)), mask.shape, 0.1)
        assert not fits(measured, ((15.0, 60.0), (75.0, 60.0)), mask.shape, 0.1)
        assert not fits(measured, line, (90, 90), 0.1)

    def test_contrast_is_in_standard_deviations(self) -> None:
        mask = np.zeros((80, 80), dtype=bool)
        mask[30:50, 30:50] = True
        image = np.clip(np.random.default_rng(0).normal(100, 10, mask.shape) + 15 * mask, 1, 255).astype(np.uint8)
        assert contrast(picture("one", "set", "one", image, mask), 1) == pytest.approx(1.5, abs=0.15)

    def test_the_ellipse_on_real_liver_lesions(self, shared_dir: Path) -> None:
        """A pilot found 0.916 from both axes on these 18 images, with calipers placed otherwise."""
        scores = []
        for item in load_folder(shared_dir / "data" / "AUL36"):
            for label, axes in enumerate(item.axes, start=1):
                lines = choose_calipers(axes, True, 0.0, np.random.default_rng(0), item.image.shape)
                mask = ellipse_mask(suggested_ellipse(lines), item.labels.shape)
                whole = (slice(0, item.labels.shape[0]), slice(0, item.labels.shape[1]))
                scores.append(dice(mask.on(whole), item.labels == label))
        assert len(scores) == 18
        assert np.mean(scores) == pytest.approx(0.916, abs=0.01)


class TestBootstrap:
    def test_single_pictures_give_the_interval_of_scipy(self) -> None:
        values = np.random.default_rng(3).normal(0.8, 0.1, 60)
        found = mean(values.tolist(), [str(n) for n in range(60)], seed=1)
        expected = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=4000, rng=5)
        assert found.value == pytest.approx(values.mean())
        assert found.low == pytest.approx(expected.confidence_interval.low, abs=0.003)
        assert found.high == pytest.approx(expected.confidence_interval.high, abs=0.003)

    def test_groups_are_redrawn_whole(self) -> None:
        """Copies of a picture add no knowledge: ten times the values, the same interval."""
        values = np.random.default_rng(3).normal(0.8, 0.1, 20)
        alone = mean(values.tolist(), [str(n) for n in range(20)], seed=1)
        copied = mean(np.repeat(values, 10).tolist(), [str(n) for n in range(20) for _ in range(10)], seed=1)
        assert copied.count == 200
        assert (copied.low, copied.high) == (pytest.approx(alone.low), pytest.approx(alone.high))

    @pytest.mark.parametrize("count", [7, 8])
    def test_median(self, count: int) -> None:
        values = np.random.default_rng(count).exponential(size=count)
        found = median(values.tolist(), [str(n) for n in range(count)], seed=1)
        assert found.value == pytest.approx(np.median(values))
        assert found.low is not None
        assert found.high is not None
        assert values.min() <= found.low <= np.median(values) <= found.high <= values.max()

    @pytest.mark.parametrize("value", [False, True])
    def test_a_rate_without_exception_is_not_certain(self, value: bool) -> None:
        found = rate([value] * 40, [str(n // 2) for n in range(40)], seed=1)
        exact = stats.binomtest(20 * value, 20).proportion_ci(method="exact")
        assert (found.low, found.high) == (pytest.approx(exact.low), pytest.approx(exact.high))

    def test_nothing_and_one_group_have_no_interval(self) -> None:
        assert mean([], [], seed=1) == Estimate(None, None, None, 0)
        assert mean([0.5, 0.7], ["a", "a"], seed=1) == Estimate(pytest.approx(0.6), None, None, 2)
        assert str(mean([], [], seed=1)) == "-"


def candidates(pairs: Sequence[tuple[float, float]], threshold: float = 0.5) -> list[Candidate]:
    """From (confidence, Dice)."""
    return [Candidate("s", f"g{n}", "p", {}, d, sure, sure >= threshold) for n, (sure, d) in enumerate(pairs)]


class TestReliability:
    def test_by_hand(self) -> None:
        found = reliability(candidates([(0.95, 0.9), (0.85, 0.6), (0.15, 0.8), (0.12, 0.1)]), seed=1)
        assert [(one.count, one.right) for one in found.bins] == [(2, 0.5), (1, 0.0), (1, 1.0)]
        assert found.brier.value == pytest.approx((0.05**2 + 0.85**2 + 0.85**2 + 0.12**2) / 4)
        assert found.calibration_error.value == pytest.approx((2 * abs(0.135 - 0.5) + 0.85 + 0.05) / 4)
        assert found.coverage == pytest.approx((0.25, 0.5, 0.75, 1))
        assert found.risk == pytest.approx((0.1, 0.25, 0.7 / 3, 0.4))
        assert found.aurc.value == pytest.approx(np.mean([0.1, 0.25, 0.7 / 3, 0.4]))
        assert found.aurc_ideal == pytest.approx(np.mean([0.1, 0.15, 0.7 / 3, 0.4]))
        assert (found.accepted_coverage, found.accepted_risk) == (0.5, pytest.approx(0.25))

    def test_a_confidence_that_says_nothing_has_the_risk_of_keeping_all(self) -> None:
        found = reliability(candidates([(0.5, d) for d in (0.9, 0.2, 0.6, 0.7)], threshold=1.01), seed=1)
        assert found.aurc.value == pytest.approx(0.4)
        assert found.aurc.value == pytest.approx(found.aurc_unranked)
        assert found.accepted_risk is None

    def test_nothing_drawn(self) -> None:
        assert reliability([], seed=1).brier.value is None


class TestCases:
    def test_exact_outlines_have_no_error(self, pictures: list[Picture]) -> None:
        cases = cases_of(pictures, truth)
        own = summarise(cases)["ovals"]
        assert (own.pictures, own.groups, own.lesions, own.lesion_free) == (9, 6, 8, 2)
        assert own.detection["picture_dice"].value == 1
        assert own.detection["found"].value == 1
        assert own.detection["lesion_free_drawn"].value == 0
        for method in (Method.AUTOMATIC, Method.LONG_AXIS, Method.BOTH_AXES):
            found = own.outlines[method]
            assert found["dice"].value == 1
            assert found["surface_p95_px"].value == 0
            assert found["long_axis_error_percent"].value == pytest.approx(0, abs=1e-9)
            assert found["area_error_percent"].value == pytest.approx(0, abs=1e-9)
        # perpendicular to the reader's caliper, which was moved
        assert own.outlines[Method.LONG_AXIS]["short_axis_error_percent"].value == pytest.approx(1, abs=1.5)

    def test_sizes_are_those_of_the_shape(self, pictures: list[Picture]) -> None:
        lesion = cases_of(pictures, truth, spread=0.0)[4].lesions[0]
        assert lesion.sizes is not None
        assert lesion.sizes.long_axis_px == pytest.approx(106, rel=0.01)
        assert lesion.sizes.short_axis_px == pytest.approx(70, rel=0.01)
        assert lesion.sizes.area_px == pytest.approx(math.pi / 4 * 106 * 70, rel=0.01)
        oval_drawn = lesion.placings[0].drawn[Method.BOTH_AXES_ELLIPSE]
        assert oval_drawn.dice > 0.97
        assert oval_drawn.sizes is not None
        assert oval_drawn.sizes.long_axis_px == pytest.approx(106, abs=1)

    def test_too_small_outlines_have_a_negative_bias(self, pictures: list[Picture]) -> None:
        own = summarise(cases_of(pictures[2:6], shrunk(3)))["ovals"]
        found = own.outlines[Method.LONG_AXIS]
        bias, size = found["long_axis_bias_percent"], found["long_axis_error_percent"]
        assert bias.high is not None
        assert bias.high < 0
        assert size.value is not None
        assert size.value > 0
        assert found["surface_mean_px"].value == pytest.approx(3, abs=0.8)
        assert own.over_ellipse[Method.LONG_AXIS].count == 4
        masks = [(ndimage.binary_erosion(item.labels, iterations=3), item.labels > 0) for item in pictures[2:6]]
        feret = [[regionprops(mask.astype(int))[0].feret_diameter_max for mask in pair] for pair in masks]
        expected = 100 * np.sqrt(np.mean([math.log(one / two) ** 2 for one, two in feret]))
        assert own.acceptance["accepted_long_axis_rms_percent"].value == pytest.approx(expected, rel=0.05)

    def test_missed_and_invented(self, pictures: list[Picture]) -> None:
        blob = oval((160, 200), (14, 180), 20, 16)

        def answer(item: Picture, prompt: Sequence[CaliperLine] | None) -> list[tuple[Mask, float]]:
            return [(blob, 0.9)] if prompt is None else []

        own = summarise(cases_of(pictures, answer))["ovals"]
        assert own.detection["found"].value == 0
        assert own.detection["picture_dice"].value == 0
        assert own.detection["invented_per_picture"].value == 1
        assert own.detection["lesion_free_drawn"].value == 1
        assert own.detection["drawn_right"].value == 0
        assert own.acceptance["lesion_free_accepted"].value == 1
        assert own.acceptance["accepted_wrong"].value == 1
        assert own.acceptance["accepted_long_axis_rms_percent"].value is None
        assert own.outlines[Method.LONG_AXIS]["dice"].value == 0
        assert own.outlines[Method.LONG_AXIS]["area_error_percent"].count == 0
        assert own.acceptance["long_axis_used"].value == 0

    def test_one_of_two_lesions_found(self, pictures: list[Picture]) -> None:
        cases = cases_of([pictures[6]], lambda item, prompt: truth(item, prompt)[:1])
        (case,) = cases
        assert [case.found(label) is not None for label in (1, 2)] == [True, False]
        assert case.automatic_dice is not None
        assert 0 < case.automatic_dice < 1

    def test_sizes_are_classed_by_their_share_of_the_picture(self, pictures: list[Picture]) -> None:
        cases = cases_of(pictures[:6], truth)
        shares = [case.lesions[0].relative_size for case in cases]
        assert shares == pytest.approx([(18 + 22 * n) / 200 for n in range(6)], abs=0.012)
        assert [case.lesions[0].size for case in cases] == [Size.SMALL] + 2 * [Size.MEDIUM] + 3 * [Size.LARGE]
        assert [group.lesions for group in summarise(cases)["ovals"].by_size.values()] == [1, 2, 3]

    def test_calipers_depend_on_seed_and_picture_alone(self, pictures: list[Picture]) -> None:
        alone = cases_of(pictures[3:4], silence)[0].lesions[0].placings[0].calipers
        among = cases_of(pictures[::-1], truth)[-4].lesions[0].placings[0].calipers
        other = cases_of(pictures[3:4], silence, seed=2)[0].lesions[0].placings[0].calipers
        assert alone == among
        assert alone != other

    def test_jitter_costs_dice_and_moves_the_same_way(self, pictures: list[Picture]) -> None:
        cases = cases_of(pictures, truth, spread=0.05, other_spreads=(0.0, 0.1))
        own = summarise(cases)["ovals"]
        at = own.jitter[Method.BOTH_AXES_ELLIPSE]
        values = [at[spread].value for spread in (0.0, 0.05, 0.1)]
        assert values == sorted(values, key=lambda value: -(value or 0))
        assert own.jitter_cost[Method.BOTH_AXES_ELLIPSE][0.1].low is not None
        assert own.jitter_cost[Method.BOTH_AXES_ELLIPSE][0.1].low > 0
        assert own.jitter[Method.LONG_AXIS][0.05] == own.outlines[Method.LONG_AXIS]["dice"]
        axes = pictures[3].axes[0]
        near, far = (
            choose_calipers(axes, False, spread, np.random.default_rng(1), (160, 200))[0] for spread in (0.02, 0.04)
        )
        np.testing.assert_allclose(np.subtract(far, axes.long), 2 * np.subtract(near, axes.long), atol=1e-9)

    def test_calipers_that_would_vanish_stay(self) -> None:
        tiny = one_picture("tiny", oval((40, 40), (20, 20), 6, 5))
        for seed in range(60):
            rng = np.random.default_rng(seed)
            for start, end in choose_calipers(tiny.axes[0], True, 0.5, rng, (40, 40)):
                assert math.dist(start, end) >= 2

    @pytest.mark.parametrize("placement", Placement)
    def test_calipers_of_a_lesion_at_the_edge_stay_in_the_picture(self, placement: Placement) -> None:
        """Moved by so much that many would shrink, and are not moved: they too must be what the network accepts."""
        shape, row, col = (60, 80), *np.mgrid[:60, :80]
        masks = {
            "flat": (row < 2) & (col >= 20) & (col < 60),
            "corner": np.abs(row - col - 3) <= 4,
            "half": oval(shape, (0, 40), 30, 20, 0.5),
        }

        def answer(item: Picture, prompt: Sequence[CaliperLine] | None) -> list[tuple[Mask, float]]:
            if prompt is not None:
                check_prompt(prompt, (item.image.shape[0], item.image.shape[1]))
            return []

        items = [one_picture(name, mask) for name, mask in masks.items()]
        for spread in (0.0, 0.5):
            cases = cases_of(items, answer, placement=placement, spread=spread, placings={"ovals": 40})
            assert all(case.lesions[0].placings for case in cases)

    def test_confidences_can_be_replaced(self, pictures: list[Picture]) -> None:
        cases = cases_of(pictures, truth)
        automatic, prompted = automatic_candidates(cases), prompted_candidates(cases)
        assert (len(automatic), len(prompted)) == (8, 16)
        assert automatic[0].features == {"sure": 0.9}
        scores = np.linspace(0, 1, 8)
        new = rescored(cases, automatic=(scores.tolist(), 0.5), prompted=([0.3] * 16, 1.01))
        assert [c.confidence for c in automatic_candidates(new)] == pytest.approx(scores)
        assert [c.accepted for c in automatic_candidates(new)] == [False] * 4 + [True] * 4
        assert not any(c.accepted for c in prompted_candidates(new))
        one, two = (each[0].lesions[0].placings[0].drawn[Method.LONG_AXIS_ELLIPSE] for each in (new, cases))
        assert one is two
        assert summarise(new)["ovals"].acceptance["pictures_accepted"].value == pytest.approx(3 / 7)
        with pytest.raises(ValueError, match="argument"):
            rescored(cases, automatic=([0.5], 0.5))

    def test_a_group_with_a_trained_picture_counts_as_trained_on(self, pictures: list[Picture]) -> None:
        known = {picture_digest(pictures[0])}
        cases = cases_of(pictures, silence, trained_on=known)
        assert [case.trained_on for case in cases[:3]] == [True, True, False]
        assert summarise(cases)["ovals"].trained_on == 2
        assert cases_of(pictures[:1], silence)[0].trained_on is None

    def test_the_figures_are_json_and_fit_a_card(self, pictures: list[Picture]) -> None:
        own = summarise(cases_of(pictures, shrunk(2), other_spreads=(0.0,)))["ovals"]
        data = json.loads(json.dumps(plain(own), allow_nan=False))
        assert data["outlines"]["long_axis"]["dice"]["count"] == 8
        assert set(data) == {field.name for field in dataclasses.fields(SetSummary)}
        rows = card_rows(own, 0.05)
        assert rows["Network from the long axis: Dice"] == own.outlines[Method.LONG_AXIS]["dice"]
        assert rows["Ellipse from both axes: Dice, calipers not moved"].value == pytest.approx(0.98, abs=0.02)
        assert rows["Network from both axes: Dice above the ellipse, paired"] == own.over_ellipse[Method.BOTH_AXES]
        lost = "Network from both axes: Dice lost, ends moved by 5 % (row and column each; RMS distance 7.1 %)"
        assert rows[lost] == own.jitter_cost[Method.BOTH_AXES][0.05]
        assert all(isinstance(row, Estimate) for row in rows.values())


def swaying(item: Picture, prompt: Sequence[CaliperLine] | None) -> list[tuple[Mask, float]]:
    """Draws too little, by one to four pixels all around, as the caliper's first end happens to lie."""
    if prompt is None:
        return []
    pixels = 1 + round(97 * prompt[0][0][1]) % 4
    return [(ndimage.binary_erosion(mask, iterations=pixels), 0.7 + 0.05 * pixels) for mask, _ in truth(item, prompt)]


def dice_by_hand(item: Picture, label: int, prompt: Sequence[CaliperLine]) -> float:
    """Of what `swaying` draws, by SimpleITK."""
    filter_ = SimpleITK.LabelOverlapMeasuresImageFilter()
    masks = (swaying(item, prompt)[0][0], item.labels == label)
    filter_.Execute(*(SimpleITK.GetImageFromArray(mask.astype(np.uint8)) for mask in masks))
    return float(filter_.GetDiceCoefficient())


class TestPlacings:
    def test_small_sets_are_placed_often(self) -> None:
        mask = oval((40, 40), (20, 20), 20, 14)
        sets = {"liver": 18, "breast": 98, "simulated": 342, "one": 1}
        items = [one_picture(f"{name}{n}", mask, source=name) for name, count in sets.items() for n in range(count)]
        items.append(one_picture("free", np.zeros((40, 40), bool), source="empty"))
        expected = {"liver": 12, "breast": 3, "simulated": 1, "one": 12, "empty": 1}
        assert placings_by_set(items, 0.05) == expected
        assert set(placings_by_set(items, 0.0).values()) == {1}

    def test_the_first_is_the_single_one_of_old(self, pictures: list[Picture]) -> None:
        """Drawn here as it has always been: from the seed, the picture's digest and the lesion's number."""
        (single,), (many,) = (cases_of(pictures[6:7], silence, placings={"ovals": n}) for n in (1, 12))
        for label, axes in enumerate(pictures[6].axes, start=1):
            rng = np.random.default_rng((1, 13, int(picture_digest(pictures[6])[:16], 16), label))
            old = tuple(choose_calipers(axes, True, 0.05, rng, (160, 200)))
            lesions = [case.lesions[label - 1] for case in (single, many)]
            assert [lesion.placings[0].calipers for lesion in lesions] == [old, old]
            assert len({placing.calipers for placing in lesions[1].placings}) == 12
            assert len(lesions[0].placings) == 1

    def test_one_placing_gives_the_published_figures(self, shared_dir: Path) -> None:
        """Of the ellipse on the liver, which no network has a part in: model card of bundle 0.3.0."""
        items = load_folder(shared_dir / "data" / "AUL36")
        own = summarise(cases_of(items, silence))["AUL36"]
        assert own.outlines[Method.LONG_AXIS_ELLIPSE]["dice"].value == pytest.approx(0.799, abs=5e-4)
        assert own.outlines[Method.BOTH_AXES_ELLIPSE]["dice"].value == pytest.approx(0.871, abs=5e-4)

    def test_ends_lie_as_far_off_as_is_said(self) -> None:
        item = one_picture("wide", oval((300, 300), (150, 150), 100, 70, 0.4))
        line = np.asarray(item.axes[0].long)
        length = math.dist(*item.axes[0].long)
        unmoved, near, twice = other_spreads(0.05)
        assert (unmoved, twice) == (0, 0.1)
        for spread, distance in ((near, 0.05), (0.05, 0.0707), (twice, 0.1414)):
            ((lesion,),) = (case.lesions for case in cases_of([item], silence, spread=spread, placings={"ovals": 600}))
            away = [np.linalg.norm(np.subtract(one.calipers[0], line), axis=1) / length for one in lesion.placings]
            assert np.sqrt(np.mean(np.square(away))) == pytest.approx(distance, rel=0.05)

    def test_figures_are_of_all_placings_and_n_counts_lesions(self, pictures: list[Picture]) -> None:
        items = pictures[2:6]
        cases = cases_of(items, swaying, placings={"ovals": 12}, other_spreads=other_spreads(0.05))
        own = summarise(cases)["ovals"]
        by_hand = np.array(
            [
                [dice_by_hand(item, 1, placing.calipers[:1]) for placing in case.lesions[0].placings]
                for item, case in zip(items, cases, strict=True)
            ]
        )
        found = own.outlines[Method.LONG_AXIS]["dice"]
        assert by_hand.std(axis=1).min() > 0.005
        assert found.value == pytest.approx(by_hand.mean())
        assert (own.placings, own.lesions, found.count) == (12, 4, 4)
        areas = [
            100 * abs(placing.drawn[Method.LONG_AXIS].sizes.area_px / case.lesions[0].sizes.area_px - 1)  # type: ignore[union-attr]
            for case in cases
            for placing in case.lesions[0].placings
        ]
        assert own.outlines[Method.LONG_AXIS]["area_error_percent"].value == pytest.approx(np.median(areas))
        assert own.jitter[Method.LONG_AXIS][0.05] == found
        ellipse = own.outlines[Method.LONG_AXIS_ELLIPSE]["dice"].value
        assert ellipse is not None
        assert own.over_ellipse[Method.LONG_AXIS].value == pytest.approx(by_hand.mean() - ellipse)
        accepted = [
            0.7 + 0.05 * (1 + round(97 * p.calipers[0][0][1]) % 4) >= 0.8 for c in cases for p in c.lesions[0].placings
        ]
        assert own.acceptance["long_axis_accepted"].value == pytest.approx(np.mean(accepted))
        counted = [
            *own.outlines[Method.BOTH_AXES].values(),
            own.over_ellipse[Method.LONG_AXIS],
            *own.jitter[Method.LONG_AXIS].values(),
            *own.jitter_cost[Method.BOTH_AXES].values(),
            own.acceptance["long_axis_accepted"],
            own.prompted.brier,
            own.prompted.aurc,
        ]
        assert {one.count for one in counted} == {4}
        assert sum(one.count for one in own.prompted.bins) == 4 * 12 * 2

    def test_placings_add_no_lesions_to_an_interval(self, pictures: list[Picture]) -> None:
        """Every lesion is a group of its own here: the interval is SciPy's of the lesions' means."""
        row, col = np.random.default_rng(2).uniform(40, 80, (2, 20))
        items = [one_picture(f"{n:02d}x", oval((120, 120), (row[n], col[n]), 40 + n, 30, 0.3 * n)) for n in range(20)]
        cases = cases_of(items, swaying, placings={"ovals": 6}, automatic=False)
        means = [np.mean([p.drawn[Method.LONG_AXIS].dice for p in case.lesions[0].placings]) for case in cases]
        found = summarise(cases)["ovals"].outlines[Method.LONG_AXIS]["dice"]
        expected = stats.bootstrap((means,), np.mean, method="percentile", n_resamples=4000, rng=5)
        width = expected.confidence_interval.high - expected.confidence_interval.low
        assert found.low == pytest.approx(expected.confidence_interval.low, abs=0.1 * width)
        assert found.high == pytest.approx(expected.confidence_interval.high, abs=0.1 * width)

    def test_unmoved_calipers_are_run_once(self, pictures: list[Picture]) -> None:
        oracle = Oracle(pictures, truth)
        settings = {"placings": {"ovals": 5}, "other_spreads": other_spreads(0.05), "automatic": False}
        ((lesion,),) = (case.lesions for case in run_cases(oracle, pictures[:1], **settings))  # type: ignore[arg-type]
        assert oracle.calls == 2 * (5 * 3 + 1)
        exact = cases_of(pictures[:1], truth, spread=0.0)[0].lesions[0].placings[0]
        for method, drawn in exact.drawn.items():
            assert {placing.dice_at[method][0.0] for placing in lesion.placings} == {drawn.dice}
        (still,) = run_cases(oracle, pictures[:1], spread=0.0, placings={"ovals": 12})  # type: ignore[arg-type]
        assert len(still.lesions[0].placings) == 1

    def test_confidences_of_every_placing_can_be_replaced(self, pictures: list[Picture]) -> None:
        cases = cases_of(pictures, truth, placings={"ovals": 3})
        prompted = prompted_candidates(cases)
        assert len(prompted) == 8 * 3 * 2
        assert sum(one.weight for one in prompted) == pytest.approx(8 * 2)
        scores = np.linspace(0, 1, len(prompted))
        new = prompted_candidates(rescored(cases, prompted=(scores.tolist(), 0.5)))
        assert [one.confidence for one in new] == pytest.approx(scores)
        assert sum(one.weight for one in new) == pytest.approx(8 * 2)

    def test_networks_are_compared_placing_by_placing_and_tested_by_lesion(self, pictures: list[Picture]) -> None:
        new, old = (cases_of(pictures, answer, placings={"ovals": 4}) for answer in (swaying, shrunk(2)))
        found = {one.key: one for one in compare(new, old)["ovals"].contrasts}["long_axis_dice"]

        def differences(one: Case, two: Case) -> list[list[float]]:
            return [
                [
                    p.drawn[Method.LONG_AXIS].dice - q.drawn[Method.LONG_AXIS].dice
                    for p, q in zip(a.placings, b.placings, strict=True)
                ]
                for a, b in zip(one.lesions, two.lesions, strict=True)
            ]

        table = np.array([row for one, two in zip(new, old, strict=True) for row in differences(one, two)])
        assert table.shape == (8, 4)
        assert found.difference.value == pytest.approx(table.mean())
        assert found.difference.count == 8
        assert found.p_value == pytest.approx(stats.wilcoxon(table.mean(axis=1)).pvalue)
        with pytest.raises(ValueError, match="same calipers"):
            compare(new, cases_of(pictures, truth, placings={"ovals": 3}))


class TestComparison:
    def test_a_network_is_as_good_as_itself(self, pictures: list[Picture]) -> None:
        cases = cases_of(pictures, shrunk(2))
        found = compare(cases, cases)["ovals"]
        assert found.verdict.startswith("no difference shown (by itself Dice 0.000")
        assert {one.p_value for one in found.contrasts} == {1.0}

    def test_better_and_worse(self, pictures: list[Picture]) -> None:
        good, bad = cases_of(pictures, shrunk(1)), cases_of(pictures, shrunk(4))
        found = {one.key: one for one in compare(good, bad)["ovals"].contrasts}
        back = {one.key: one for one in compare(bad, good)["ovals"].contrasts}
        for key in ("automatic_dice", "long_axis_dice", "both_axes_area_error_percent"):
            assert (found[key].verdict, back[key].verdict) == ("better", "worse")
        pairs = [(g.automatic_dice, b.automatic_dice) for g, b in zip(good, bad, strict=True) if g.lesions]
        differences = [one - two for one, two in pairs if one is not None and two is not None]
        assert found["automatic_dice"].difference.value == pytest.approx(np.mean(differences))
        assert found["automatic_dice"].p_value == pytest.approx(stats.wilcoxon(differences).pvalue)
        assert compare(good, bad)["ovals"].verdict.startswith("better (")

    def test_other_pictures_or_calipers_are_no_comparison(self, pictures: list[Picture]) -> None:
        one = cases_of(pictures[:3], truth)
        with pytest.raises(ValueError, match="same pictures"):
            compare(one, cases_of(pictures[1:4], truth))
        with pytest.raises(ValueError, match="same calipers"):
            compare(one, cases_of(pictures[:3], truth, seed=2))
