"""Limits, directions and means that no other test would miss if they moved by a little."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.distance import pdist

import make
from lesion_measure.config import Calipers, Config, Uncertainty, Volumes
from lesion_measure.config import Pairing as PairingSettings
from lesion_measure.lesions.assembly import assemble
from lesion_measure.lesions.naming import VisitReadings
from lesion_measure.lesions.volumes import third_axis, volumes
from lesion_measure.measure import geometry
from lesion_measure.network.confidence import AUTOMATIC_FEATURES, unfitted
from lesion_measure.network.parts import LesionPart
from lesion_measure.network.segmentation import judged
from lesion_measure.records import (
    BASELINE,
    ONE_MONTH,
    Metric,
    Plane,
    PlaneMeasurement,
    Quantity,
    Response,
    Source,
    VolumeMethod,
)
from lesion_measure.verdict.change import compare_subject
from lesion_measure.verdict.fates import held_back


def ellipse(plane: Plane, rows_mm: float, cols_mm: float) -> PlaneMeasurement:
    """The outline of an ellipse whose axes lie along rows and columns, of 0.2 mm pixels."""
    turn = np.linspace(0, 2 * np.pi, 721)
    outline = np.column_stack([300 + rows_mm / 0.4 * np.sin(turn), 400 + cols_mm / 0.4 * np.cos(turn)])
    around = geometry.perimeter(outline[:-1] * 0.2)
    return make.plane(
        max(rows_mm, cols_mm), min(rows_mm, cols_mm), source=Source.MODEL, plane=plane, sop=plane.value,
        angle_deg=90.0 if rows_mm > cols_mm else 0.0, outline_px=outline,
        area_mm2=make.quantity(math.pi / 4 * rows_mm * cols_mm), perimeter_mm=make.quantity(around),
    )  # fmt: skip


def test_sagittal_and_coronal_planes_share_the_bodys_length_which_lies_along_their_rows() -> None:
    """Depth differs: from the front in a sagittal picture, from the side in a coronal one. 30 mm by 20 and 24."""
    planes = [ellipse(Plane.SAGITTAL, 20, 30), ellipse(Plane.CORONAL, 24, 30)]
    found = volumes(planes, third_axis(*planes)[0], Uncertainty(), Volumes())
    (biplane,) = [each for each in found if each.method is VolumeMethod.BIPLANE]
    assert biplane.volume_ml.value == pytest.approx(math.pi / 6 * 20 * 24 * 30 / 1000, rel=1e-3)
    assert biplane.diameters_mm[0] == pytest.approx(30, rel=1e-3)


@pytest.mark.parametrize(
    ("degrees", "clear"),
    [(0, True), (25, True), (29, True), (31, False), (45, False), (59, False), (61, True), (90, True)],
)
def test_an_axis_is_oblique_within_15_degrees_of_the_diagonal(degrees: float, clear: bool) -> None:
    planes = make.plane(plane=Plane.TRANSVERSE), make.plane(plane=Plane.SAGITTAL, angle_deg=degrees)
    assert third_axis(*planes)[1] is clear


@pytest.mark.parametrize(
    ("changes", "same"),
    [({}, True), ({"reader": "R2"}, False), ({"source": Source.MODEL}, False)],
)
def test_the_bias_of_a_reader_cancels_in_his_own_change_alone(changes: dict[str, object], same: bool) -> None:
    def biased(size: float) -> Quantity:
        return Quantity(value=size, sd=0.2 * size, parts={"reader_bias": 0.2 * size})

    before = make.lesion(30, longest_diameter_mm=biased(30), planes=(make.plane(30, long_axis_mm=biased(30)),))
    after = make.lesion(
        15,
        ONE_MONTH,
        longest_diameter_mm=biased(15),
        planes=(make.plane(15, long_axis_mm=biased(15)),),
        **changes,
    )
    found, _ = compare_subject("S1", [before, after])
    own = [c for c in found if c.metric is Metric.LONGEST_DIAMETER]
    assert own
    for change in own:
        assert change.percent_ci95 is not None
        width = change.percent_ci95[1] - change.percent_ci95[0]
        assert width == pytest.approx(0, abs=1e-9) if same else width > 40


class TestTheFarthestPair:
    """Found from the outermost points inwards, and no further than need be."""

    @pytest.fixture
    def rows(self, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        """One point a time, each noted."""
        looked: list[int] = []
        search = np.argmax

        def counted(values: NDArray[np.float64]) -> np.intp:
            looked.append(1)
            return search(values)

        monkeypatch.setattr(geometry, "_PAIR_ROWS", 1)
        monkeypatch.setattr(geometry.np, "argmax", counted)
        return looked

    @pytest.mark.parametrize("seed", range(30))
    def test_it_is_the_farthest_of_all(self, rows: list[int], seed: int) -> None:
        rng = np.random.default_rng(seed)
        points = rng.normal(size=(40, 2 + seed % 2)) * rng.uniform(0.8, 1.2, 2 + seed % 2)
        points[:5] += 1.5  # so that the middle of the points is not that of the pair
        assert geometry.farthest_pair(points).length == pytest.approx(pdist(points).max())

    def test_it_stops_when_no_pair_that_is_left_can_be_longer(self, rows: list[int]) -> None:
        turn = np.linspace(0, 2 * np.pi, 400, endpoint=False)
        found = geometry.farthest_pair(np.column_stack([10 * np.cos(turn), 3 * np.sin(turn)]))
        assert found.length == pytest.approx(20)
        assert len(rows) < 20


def test_the_mean_of_repeated_outlines_is_of_every_size() -> None:
    config = Config(calipers=Calipers(repeats="mean"))
    sizes = ((20, 10, 50), (26, 14, 62))
    group = [replace(make.prompted(long, wide), perimeter_mm=make.quantity(round_)) for long, wide, round_ in sizes]
    (lesion,), _ = assemble("S1", {BASELINE: VisitReadings(caliper=group)}, config)
    (plane,) = lesion.planes
    assert plane.prompted is not None
    assert plane.perimeter_mm is not None
    assert plane.area_mm2 is not None
    assert plane.prompted.long_axis_mm == pytest.approx(23)
    assert plane.prompted.width_mm.value == pytest.approx(12)
    assert plane.perimeter_mm.value == pytest.approx(56)
    assert plane.area_mm2.value == pytest.approx(math.pi / 4 * (20 * 10 + 26 * 14) / 2)


class TestAtTheLimit:
    """A confidence that equals the limit reaches it."""

    def test_of_the_bundle(self) -> None:
        half = unfitted(AUTOMATIC_FEATURES).model_copy(update={"threshold": 0.5})
        part = LesionPart(np.ones((2, 2), np.float32), np.ones((2, 2), bool), (slice(0, 2), slice(0, 2)))
        known = dict.fromkeys(AUTOMATIC_FEATURES, 0.0)
        assert judged(part, known, half).accepted
        assert not judged(part, known, half.model_copy(update={"threshold": 0.5000001})).accepted

    def test_of_a_pairing_that_a_verdict_rests_on(self) -> None:
        settings = PairingSettings()
        response = Response(
            rule="recist_style", category="partial response", metric=Metric.SUM_OF_DIAMETERS, percent=-50.0,
            certain=True, explanation="it shrank",
        )  # fmt: skip
        for confidence, sure in ((settings.min_confidence, True), (settings.min_confidence - 1e-9, False)):
            found, _ = held_back(response, (), [confidence, 1.0], settings)
            assert (found is response) is sure
