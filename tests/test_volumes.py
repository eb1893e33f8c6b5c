"""Volumes by every method against analytic ellipsoids, and which of them two visits are compared by."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

import make
from lesion_measure.config import Config, Uncertainty, Volumes
from lesion_measure.errors import MeasurementError
from lesion_measure.lesions.assembly import assemble
from lesion_measure.lesions.naming import VisitReadings
from lesion_measure.lesions.volumes import third_axis, volumes
from lesion_measure.measure import area_length_volume_ml, biplane_volume_ml, geometry, measure_outline
from lesion_measure.records import (
    BASELINE,
    ONE_MONTH,
    Change,
    LesionMeasurement,
    Metric,
    Plane,
    PlaneMeasurement,
    Refusal,
    Source,
    VolumeEstimate,
    VolumeMethod,
)
from lesion_measure.verdict.change import compare_subject

Floats = NDArray[np.float64]
SPACING = (0.2, 0.3)

# Axes: x across, y depth, z along. A transverse picture shows (depth, across), a sagittal one (depth, along).
CUTS = {Plane.TRANSVERSE: (1, 0), Plane.SAGITTAL: (1, 2), Plane.CORONAL: (1, 2)}


def cut(axes_mm: tuple[float, float, float], turn: Rotation, plane: Plane) -> PlaneMeasurement:
    """The outline of an ellipsoid of these diameters, turned, where a plane through its middle cuts it: measured."""
    half = np.diag([4 / axis**2 for axis in axes_mm])
    body = turn.as_matrix() @ half @ turn.as_matrix().T
    section = body[np.ix_(CUTS[plane], CUTS[plane])]
    values, vectors = np.linalg.eigh(section)
    angle = np.linspace(0, 2 * np.pi, 721)
    circle = np.stack([np.cos(angle), np.sin(angle)])
    outline = (vectors @ (circle / np.sqrt(values)[:, None])).T / SPACING + (300, 400)
    sizes = measure_outline(outline, spacing_mm=SPACING)
    return replace(
        make.plane(source=Source.MODEL, plane=plane, sop=plane.value),
        lesion="L1",
        spacing_mm=SPACING,
        long_axis_mm=make.quantity(sizes.long_axis_mm),
        long_axis_px=sizes.long_axis_px,
        short_axis_mm=make.quantity(sizes.short_axis_mm),
        short_axis_px=sizes.short_axis_px,
        area_mm2=make.quantity(sizes.area_mm2),
        perimeter_mm=make.quantity(sizes.perimeter_mm),
        outline_px=sizes.outline_px,
    )


def by_method(planes: list[PlaneMeasurement], settings: Volumes | None = None) -> dict[VolumeMethod, float]:
    third = third_axis(*planes)[0] if len(planes) == 2 else None
    found = volumes(planes, third, Uncertainty(), settings or Volumes())
    return {estimate.method: estimate.volume_ml.value for estimate in reversed(found)}


def truth(axes_mm: tuple[float, float, float]) -> float:
    return math.pi / 6 * math.prod(axes_mm) / 1000


@pytest.mark.parametrize("second", [Plane.SAGITTAL, Plane.CORONAL])
@pytest.mark.parametrize("axes_mm", list(itertools.permutations((30.0, 22.0, 16.0))))
def test_an_ellipsoid_along_the_planes_is_exact(axes_mm: tuple[float, float, float], second: Plane) -> None:
    found = by_method([cut(axes_mm, Rotation.identity(), p) for p in (Plane.TRANSVERSE, second)])
    assert found[VolumeMethod.ELLIPSOID] == pytest.approx(truth(axes_mm), rel=2e-4)
    assert found[VolumeMethod.BIPLANE] == pytest.approx(truth(axes_mm), rel=2e-4)


@pytest.mark.parametrize("angle", [10, 30, 45, 60, 80])
def test_biplane_is_exact_where_one_axis_is_normal_to_a_plane(angle: float) -> None:
    """Turned about the normal of the sagittal plane (x) or of the transverse one (z), by any angle."""
    axes_mm = (30.0, 22.0, 16.0)
    for axis in ("x", "z"):
        turn = Rotation.from_euler(axis, angle, degrees=True)
        found = by_method([cut(axes_mm, turn, p) for p in (Plane.TRANSVERSE, Plane.SAGITTAL)])
        assert found[VolumeMethod.BIPLANE] == pytest.approx(truth(axes_mm), rel=5e-4)


def test_the_error_of_biplane_at_any_orientation_is_that_of_the_theory() -> None:
    """Ratio sqrt(1 - S12^2 / (S11 S22)), S the Schur complement of the ellipsoid's matrix on the shared direction."""
    rng = np.random.default_rng(7)
    for _ in range(40):
        axes_mm = tuple(rng.uniform(10, 40, 3))
        turn = Rotation.random(random_state=int(rng.integers(1 << 31)))
        m = turn.as_matrix() @ np.diag([4 / a**2 for a in axes_mm]) @ turn.as_matrix().T
        rest = m[np.ix_([0, 2], [0, 2])] - np.outer(m[[0, 2], 1], m[1, [0, 2]]) / m[1, 1]
        ratio = math.sqrt(1 - rest[0, 1] ** 2 / (rest[0, 0] * rest[1, 1]))
        planes = [cut(axes_mm, turn, p) for p in (Plane.TRANSVERSE, Plane.SAGITTAL)]
        assert by_method(planes)[VolumeMethod.BIPLANE] == pytest.approx(ratio * truth(axes_mm), rel=1e-3)


def test_one_plane_is_exact_for_a_body_of_rotation_about_its_long_axis() -> None:
    axes_mm = (16.0, 30.0, 16.0)
    found = by_method([cut(axes_mm, Rotation.from_euler("z", 30, degrees=True), Plane.TRANSVERSE)])
    assert found[VolumeMethod.ROTATION] == pytest.approx(truth(axes_mm), rel=5e-4)
    assert found[VolumeMethod.AREA_LENGTH] == pytest.approx(truth(axes_mm), rel=5e-4)
    assert VolumeMethod.BIPLANE not in found


def test_formulas_against_the_ellipsoid() -> None:
    a, b, c = 30.0, 20.0, 14.0
    assert biplane_volume_ml(math.pi / 4 * a * b, math.pi / 4 * a * c, a) == pytest.approx(truth((a, b, c)))
    assert area_length_volume_ml(math.pi / 4 * a * b, a) == pytest.approx(truth((a, b, b)))
    for bad in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(MeasurementError):
            biplane_volume_ml(10.0, bad, 5.0)
        with pytest.raises(MeasurementError):
            area_length_volume_ml(10.0, bad)


def test_planes_that_do_not_share_the_diameter_give_no_biplane_volume() -> None:
    """The sagittal plane passes far from the middle: its outline is two thirds as deep as the transverse one."""
    planes = [cut((30.0, 24.0, 20.0), Rotation.identity(), Plane.TRANSVERSE)]
    planes += [cut((20.0, 16.0, 13.0), Rotation.identity(), Plane.SAGITTAL)]
    assert VolumeMethod.BIPLANE not in by_method(planes)
    assert VolumeMethod.BIPLANE in by_method(planes, Volumes(shared_diameter_tolerance=0.6))


def test_unknown_planes_give_no_volume_of_two_planes() -> None:
    whole = cut((30.0, 24.0, 20.0), Rotation.identity(), Plane.TRANSVERSE)
    found = volumes([whole, replace(whole, plane=Plane.UNKNOWN)], None, Uncertainty(), Volumes())
    assert {e.method for e in found} == {VolumeMethod.ROTATION, VolumeMethod.AREA_LENGTH}


def test_the_preferred_method_is_a_setting() -> None:
    planes = [cut((30.0, 24.0, 20.0), Rotation.identity(), p) for p in (Plane.TRANSVERSE, Plane.SAGITTAL)]
    readings = {BASELINE: VisitReadings(model=planes)}
    (usual,), _ = assemble("S1", readings, Config())
    assert usual.volume_method is VolumeMethod.ELLIPSOID
    assert [e.method for e in usual.volumes[1:]] == [
        VolumeMethod.BIPLANE, VolumeMethod.ROTATION, VolumeMethod.ROTATION, VolumeMethod.AREA_LENGTH,
        VolumeMethod.AREA_LENGTH,
    ]  # fmt: skip
    (chosen,), _ = assemble("S1", readings, Config(volumes=Volumes(preference=("biplane", "ellipsoid"))))
    assert chosen.volume_method is VolumeMethod.BIPLANE
    assert [e.method for e in chosen.volumes[1:]] == [VolumeMethod.ELLIPSOID]
    assert (len(chosen.volume_diameters_mm), len(chosen.volume_areas_mm2)) == (1, 2)
    for bad in ((), ("voxels", "voxels"), ("cube",)):
        with pytest.raises(ValueError, match=r"method|Input should be"):
            Volumes(preference=bad)  # type: ignore[arg-type]


def test_chords_and_centroids_of_polygons() -> None:
    box = np.array([(0.0, 0.0), (0.0, 6.0), (4.0, 6.0), (4.0, 0.0)])
    assert geometry.centroid(box + 1000) == pytest.approx((1002, 1003))
    assert geometry.chord_through(box, np.array([2.0, 3.0]), np.array([1.0, 0.0])) == pytest.approx(4)
    assert geometry.chord_through(box, np.array([2.0, 3.0]), np.array([1.0, 1.0])) == pytest.approx(4 * math.sqrt(2))
    assert geometry.chord_through(box, np.array([2.0, 9.0]), np.array([1.0, 0.0])) == 0
    notched = np.array([(0, 0), (0, 6), (4, 6), (4, 4), (1, 4), (1, 2), (4, 2), (4, 0)], dtype=float)
    assert geometry.chord_through(notched, np.array([2.0, 3.0]), np.array([0.0, 1.0])) == pytest.approx(4)


def lesion(visit: str, *estimates: VolumeEstimate, source: Source = Source.CALIPER) -> LesionMeasurement:
    known = make.lesion(30, visit, source=source, reader="R1" if source is Source.CALIPER else "net")
    first, *others = estimates
    return replace(
        known, volume_ml=first.volume_ml, volume_method=first.method, volume_planes=first.planes,
        volume_sources=first.sources, other_volumes=tuple(others),
    )  # fmt: skip


def estimate(
    method: VolumeMethod, volume_ml: float, planes: tuple[Plane, ...] = (Plane.TRANSVERSE,), source: str = "caliper"
) -> VolumeEstimate:
    return VolumeEstimate(volume_ml=make.quantity(volume_ml), method=method, planes=planes, sources=(Source(source),))


def compared(before: LesionMeasurement, after: LesionMeasurement) -> tuple[Change | None, list[Refusal]]:
    changes, refusals = compare_subject("S1", [before, after])
    return next((c for c in changes if c.lesion and c.metric is Metric.VOLUME), None), list(refusals)


@pytest.mark.parametrize(("one", "two"), list(itertools.product(VolumeMethod, repeat=2)))
def test_volumes_are_compared_only_with_those_of_their_own_method(one: VolumeMethod, two: VolumeMethod) -> None:
    change, refusals = compared(lesion(BASELINE, estimate(one, 10)), lesion(ONE_MONTH, estimate(two, 5)))
    if one is two:
        assert change is not None
        assert (change.volume_method, change.percent) == (one, pytest.approx(-50))
        assert not any("volume compared by" in w for w in change.warnings)
    else:
        assert change is None
        assert [r.code for r in refusals] == ["volume_method_differs"]
        assert one.value in refusals[0].reason
        assert two.value in refusals[0].reason


def test_visits_are_compared_by_the_best_volume_they_share() -> None:
    both = (Plane.TRANSVERSE, Plane.SAGITTAL)
    before = lesion(
        BASELINE,
        estimate(VolumeMethod.ELLIPSOID, 10, both),
        estimate(VolumeMethod.ROTATION, 14, (Plane.SAGITTAL,)),
        estimate(VolumeMethod.ROTATION, 12),
    )
    change, refusals = compared(before, lesion(ONE_MONTH, estimate(VolumeMethod.ROTATION, 6)))
    assert not refusals
    assert change is not None
    assert change.percent == pytest.approx(-50)
    assert change.volume_method is VolumeMethod.ROTATION
    (mark,) = [w for w in change.warnings if "compared by" in w]
    assert mark == (
        "L1: volume compared by ellipsoid, one plane, rotation symmetry assumed (transverse), since one month has no "
        "better one; reported is ellipsoid, three diameters of two orthogonal planes at baseline"
    )


def test_a_shared_volume_takes_its_parts_from_the_same_sources() -> None:
    before = lesion(BASELINE, estimate(VolumeMethod.ROTATION, 10))
    after = lesion(ONE_MONTH, estimate(VolumeMethod.ROTATION, 6, source="model prompted by caliper"))
    assert [r.code for r in compared(before, after)[1]] == ["volume_source_differs"]
    shared = replace(after, other_volumes=(estimate(VolumeMethod.ROTATION, 5),))
    change, _ = compared(before, shared)
    assert change is not None
    assert change.percent == pytest.approx(-50)
    by_model = lesion(ONE_MONTH, estimate(VolumeMethod.ROTATION, 6, source="model"), source=Source.MODEL)
    change, _ = compared(before, by_model)
    assert change is not None
    assert any("systematic difference" in w for w in change.warnings)


def test_summed_voxels_are_compared_whatever_plane_their_body_was_looked_at_in() -> None:
    before = lesion(BASELINE, estimate(VolumeMethod.VOXELS, 10, (Plane.TRANSVERSE,)))
    change, _ = compared(before, lesion(ONE_MONTH, estimate(VolumeMethod.VOXELS, 5, (Plane.SAGITTAL,))))
    assert change is not None
    assert change.percent == pytest.approx(-50)


def test_two_planes_at_baseline_and_one_at_one_month_from_calipers_to_change() -> None:
    """20 x 16 x 18 mm, then one plane of 10 x 8: compared by one plane at both, 20 16 16 -> 10 8 8, by -87.5 %."""
    baseline = [make.plane(20, 16), make.plane(18, 14, plane=Plane.SAGITTAL, sop="s")]
    visits = {
        BASELINE: VisitReadings(caliper=baseline),
        ONE_MONTH: VisitReadings(caliper=[make.plane(10, 8)]),
    }
    lesions, _ = assemble("S1", visits, Config())
    assert [m.volume_method for m in lesions] == [VolumeMethod.ELLIPSOID, VolumeMethod.ROTATION]
    change, _ = compared(*lesions)
    assert change is not None
    assert change.percent == pytest.approx(-87.5)
