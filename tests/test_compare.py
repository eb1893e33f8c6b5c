"""Change from baseline: the arithmetic, the intervals, the sums, and what is refused."""

from __future__ import annotations

import math

import pytest

import make
from lesion_measure.measure.propagation import sum_quantity
from lesion_measure.records import (
    BASELINE,
    ONE_MONTH,
    SCREENING,
    LesionMeasurement,
    Metric,
    Plane,
    Quantity,
    Source,
    VolumeMethod,
)
from lesion_measure.verdict.change import change_of, compare_subject


def _subject(metric: Metric, *lesions: object) -> object:
    changes, _ = compare_subject("S1", lesions)  # type: ignore[arg-type]
    return next((c for c in changes if c.lesion is None and c.metric is metric), None)


def test_change_of_one_lesion_in_all_metrics() -> None:
    changes, refusals = compare_subject("S1", [make.lesion(40), make.lesion(30, ONE_MONTH)])
    assert not refusals
    found = {(c.lesion, c.metric): c.percent for c in changes}
    assert found["L1", Metric.LONGEST_DIAMETER] == pytest.approx(-25)
    assert found[None, Metric.SUM_OF_DIAMETERS] == pytest.approx(-25)
    assert found["L1", Metric.VOLUME] == pytest.approx(100 * (0.75**3 - 1))
    assert found[None, Metric.VOLUME] == pytest.approx(100 * (0.75**3 - 1))


def test_a_visit_is_known_by_its_name_whoever_read_it() -> None:
    """Names from a settings file are equal to those of the records, and not the same objects."""
    read = tuple("".join(list(name)) for name in (BASELINE, ONE_MONTH))
    changes, refusals = compare_subject("S1", [make.lesion(40, read[0]), make.lesion(30, read[1])])
    assert not refusals
    found = [c.percent for c in changes if c.metric is Metric.LONGEST_DIAMETER]
    assert found == pytest.approx([-25, -25])


def test_interval_is_that_of_independent_log_normal_errors() -> None:
    # ln ratio has SD sqrt(cv1^2 + cv2^2) to first order: 40 -> 30 mm with 5 % each.
    change = change_of(make.quantity(40), make.quantity(30), subject="S1", lesion="L1", metric=Metric.LONGEST_DIAMETER)
    sd = math.sqrt(2) * 0.05
    expected = [100 * (0.75 * math.exp(s * 1.959964 * sd) - 1) for s in (-1, 1)]
    assert change.percent_ci95 == pytest.approx(expected, abs=0.2)
    assert change.exceeds_error


def test_a_change_inside_measurement_error_is_called_so() -> None:
    change = change_of(
        make.quantity(40, 0.089), make.quantity(34, 0.089), subject="S1", lesion=None, metric=Metric.SUM_OF_DIAMETERS
    )
    assert change.percent == pytest.approx(-15)
    assert not change.exceeds_error


def test_sums_run_over_all_lesions_and_errors_add_in_quadrature() -> None:
    change = _subject(
        Metric.SUM_OF_DIAMETERS,
        make.lesion(30, name="L1"),
        make.lesion(20, name="L2"),
        make.lesion(24, ONE_MONTH, "L1"),
        make.lesion(21, ONE_MONTH, "L2"),
    )
    assert (change.baseline.value, change.followup.value) == (50, 45)
    assert change.percent == pytest.approx(-10)
    assert change.baseline.sd == pytest.approx(math.hypot(1.5, 1.0))
    assert sum_quantity([Quantity(value=1, sd=3), Quantity(value=2, sd=4)]) == Quantity(value=3, sd=5, parts={})


def test_the_childs_longest_diameter_follows_the_lesion_that_was_largest_at_baseline() -> None:
    change = _subject(
        Metric.LONGEST_DIAMETER,
        make.lesion(30, name="L1"),
        make.lesion(28, name="L2"),
        make.lesion(15, ONE_MONTH, "L1"),
        make.lesion(28, ONE_MONTH, "L2"),
    )
    assert change.percent == pytest.approx(-50)


def test_a_lesion_stated_absent_is_minus_100_percent_without_interval() -> None:
    lesions = [make.lesion(30), make.lesion(0, ONE_MONTH)]
    changes, refusals = compare_subject("S1", lesions)
    assert not refusals
    assert {c.percent for c in changes} == {-100}
    assert all(c.percent_ci95 is None and c.exceeds_error for c in changes)


def test_a_lesion_not_measured_again_is_no_disappearance_and_leaves_the_sum_open() -> None:
    lesions = [make.lesion(30, name="L1"), make.lesion(20, name="L2"), make.lesion(24, ONE_MONTH, "L1")]
    changes, refusals = compare_subject("S1", lesions)
    assert [r.code for r in refusals] == ["not_found_at_followup", "incomplete_sum"]
    assert all(c.lesion == "L1" for c in changes)


def test_a_lesion_of_one_month_alone_is_reported() -> None:
    lesions = [make.lesion(30), make.lesion(30, ONE_MONTH), make.lesion(9, ONE_MONTH, "L2")]
    _, refusals = compare_subject("S1", lesions)
    assert [(r.code, r.lesion) for r in refusals] == [("not_found_at_baseline", "L2")]


def test_volumes_of_different_methods_are_not_compared() -> None:
    after = make.lesion(20, ONE_MONTH, volume_method=VolumeMethod.ROTATION)
    changes, refusals = compare_subject("S1", [make.lesion(30), after])
    assert [r.code for r in refusals] == ["volume_method_differs"]
    assert Metric.VOLUME not in {c.metric for c in changes}
    assert Metric.SUM_OF_DIAMETERS in {c.metric for c in changes}


def test_a_change_of_source_between_the_visits_is_said() -> None:
    changes, _ = compare_subject("S1", [make.lesion(30), make.lesion(24, ONE_MONTH, reader="R2")])
    assert "systematic difference" in changes[0].warnings[0]


def _in_planes(visit: str, **long_mm: float) -> LesionMeasurement:
    planes = tuple(make.plane(size, plane=Plane(name)) for name, size in long_mm.items())
    return make.lesion(max(long_mm.values()), visit, planes=planes, volume_planes=tuple(p.plane for p in planes))


def test_only_planes_of_both_visits_are_compared() -> None:
    """Unchanged in the transverse plane; the larger sagittal one was not measured again."""
    lesions = [_in_planes(BASELINE, transverse=30, sagittal=40), _in_planes(ONE_MONTH, transverse=30)]
    changes, refusals = compare_subject("S1", lesions)
    assert {c.percent for c in changes} == {0}
    assert any("only the transverse plane" in w for w in changes[0].warnings)
    assert [r.code for r in refusals] == ["volume_planes_differ"]


def test_other_planes_are_not_compared() -> None:
    lesions = [_in_planes(BASELINE, transverse=30), _in_planes(ONE_MONTH, sagittal=20)]
    changes, refusals = compare_subject("S1", lesions)
    assert not changes
    assert [r.code for r in refusals] == ["planes_differ"]


def test_unknown_planes_are_compared_with_a_warning() -> None:
    lesions = [_in_planes(BASELINE, unknown=30), _in_planes(ONE_MONTH, unknown=20)]
    changes, _ = compare_subject("S1", lesions)
    assert any("not known" in w for w in changes[0].warnings)


def test_a_lesion_absent_at_baseline_and_there_at_one_month_is_new() -> None:
    _, refusals = compare_subject("S1", [make.lesion(0), make.lesion(30, ONE_MONTH)])
    assert [r.code for r in refusals] == ["not_found_at_baseline"]
    assert compare_subject("S1", [make.lesion(0), make.lesion(30, ONE_MONTH)], new={"L1"}) == ((), ())


def test_a_volume_that_rests_on_prompted_outlines_is_marked_and_no_other_size_is() -> None:
    sources = (Source.CALIPER, Source.PROMPTED)
    lesions = [make.lesion(30, volume_sources=sources), make.lesion(24, ONE_MONTH, volume_sources=sources)]
    changes, refusals = compare_subject("S1", lesions)
    assert not refusals
    for change in changes:
        marked = any("network's outline, prompted" in w for w in change.warnings)
        assert marked == (change.metric is Metric.VOLUME)


def test_a_volume_is_not_compared_where_one_of_its_diameters_has_another_origin() -> None:
    before = make.lesion(30, volume_sources=(Source.CALIPER, Source.CALIPER))
    after = make.lesion(24, ONE_MONTH, volume_sources=(Source.CALIPER, Source.PROMPTED))
    changes, refusals = compare_subject("S1", [before, after])
    assert [r.code for r in refusals] == ["volume_source_differs"]
    assert "caliper, model prompted by caliper at one month" in refusals[0].reason
    assert Metric.VOLUME not in {c.metric for c in changes}


def test_a_network_at_one_visit_and_a_prompted_outline_at_the_other_is_said_of_every_size() -> None:
    before = make.lesion(30, source=Source.MODEL, reader="net", volume_sources=(Source.MODEL, Source.MODEL))
    after = make.lesion(24, ONE_MONTH, volume_sources=(Source.CALIPER, Source.PROMPTED))
    changes, _ = compare_subject("S1", [before, after])
    assert all(any("systematic difference" in w for w in c.warnings) for c in changes)
    volume = next(c for c in changes if c.metric is Metric.VOLUME)
    assert any("the volume at one month rests on the network's outline" in w for w in volume.warnings)


def test_a_childs_sum_of_volumes_names_every_lesion_whose_volume_is_marked() -> None:
    sources = {"L1": (Source.CALIPER, Source.PROMPTED), "L2": (Source.CALIPER, Source.CALIPER)}
    lesions = [
        make.lesion(30 if visit == BASELINE else 24, visit, name, volume_sources=sources[name])
        for visit in (BASELINE, ONE_MONTH)
        for name in sources
    ]
    change = _subject(Metric.VOLUME, *lesions)
    assert [w.split(":")[0] for w in change.warnings if "outline" in w] == ["L1"]


def test_two_other_visits_are_named_in_every_word() -> None:
    lesions = [make.lesion(40, SCREENING), make.lesion(36, reader="R2"), make.lesion(20, SCREENING, "L2")]
    changes, refusals = compare_subject("S1", lesions, ("L1",), visits=(SCREENING, BASELINE))
    whole = next(c for c in changes if c.lesion is None and c.metric is Metric.SUM_OF_DIAMETERS)
    assert (whole.visit, whole.percent) == (BASELINE, pytest.approx(-10))
    assert "at screening and by caliper (R2) at baseline" in whole.warnings[0]
    assert "L2 was measured at screening and not at baseline" in refusals[0].reason


def test_products_of_two_axes_and_their_error() -> None:
    before, after = make.plane(40, 30), make.plane(20, 15)
    lesions = [make.lesion(40, planes=(before,)), make.lesion(20, ONE_MONTH, planes=(after,))]
    change = _subject(Metric.SUM_OF_PRODUCTS, *lesions)
    assert (change.unit, change.baseline.value, change.percent) == ("mm2", 1200, pytest.approx(-75))
    assert change.baseline.sd == pytest.approx(1200 * 0.05 * math.sqrt(2))


def test_a_product_of_short_axes_of_another_origin_is_not_compared() -> None:
    before, after = make.plane(40, 30), make.prompted(30, 20)
    lesions = [make.lesion(40, planes=(before,)), make.lesion(30, ONE_MONTH, planes=(after,))]
    assert _subject(Metric.SUM_OF_PRODUCTS, *lesions) is None
