"""Names of the network's lesions, the choice between network and reader, three diameters and volume."""

from __future__ import annotations

import math

import pytest

import make
from lesion_measure.config import Calipers, Config, Segment
from lesion_measure.lesions.assembly import assemble
from lesion_measure.lesions.naming import VisitReadings, name_lesions
from lesion_measure.records import (
    BASELINE,
    ONE_MONTH,
    SCREENING,
    Axis,
    Fate,
    ImageLabel,
    LesionMeasurement,
    Metric,
    NamedBy,
    Naming,
    Plane,
    PlaneMeasurement,
    Refusal,
    Source,
    VolumeMethod,
    Way,
)
from lesion_measure.report.ways import by_whom
from lesion_measure.report.words import plane_measured_by
from lesion_measure.verdict.change import compare_subject
from lesion_measure.verdict.fates import held_back, mark_pairings, statuses
from lesion_measure.verdict.response import assess, respond
from lesion_measure.verdict.time_point import time_point

MODEL = Source.MODEL


def _name(readings: VisitReadings, **labels: ImageLabel) -> tuple[list[str], list[str]]:
    outcome = name_lesions("S1", {BASELINE: readings}, labels, Config().pairing)
    named, refusals = outcome.visits, outcome.refusals
    return [p.lesion for p in named[BASELINE].model], [r.code for r in refusals]


def _both(source: Source, long_mm: float, **changes: object) -> list[PlaneMeasurement]:
    """A lesion in two orthogonal planes; its model planes are named already."""
    lesion = {"lesion": "L1"} | changes
    return [
        make.plane(long_mm, 0.8 * long_mm, source=source, sop="t", **lesion),
        make.plane(0.9 * long_mm, 0.7 * long_mm, source=source, sop="s", plane=Plane.SAGITTAL, **lesion),
    ]


def test_a_lesion_takes_the_name_and_plane_of_the_caliper_inside_it() -> None:
    readings = VisitReadings(
        model=[make.plane(source=MODEL, plane=Plane.UNKNOWN), make.plane(source=MODEL, at=(100, 100))],
        caliper=[make.plane(lesion="L7", plane=Plane.SAGITTAL)],
    )
    outcome = name_lesions("S1", {BASELINE: readings}, {}, Config().pairing)
    named, refusals = outcome.visits, outcome.refusals
    first, second = named[BASELINE].model
    assert (first.lesion, first.plane, first.naming) == ("L7", Plane.SAGITTAL, Naming(by=NamedBy.READER))
    assert (second.lesion, second.naming.by) == ("L1", NamedBy.PAIRED)  # beside it, a lesion of its own
    assert second.plane is Plane.SAGITTAL  # the reader says which plane the picture is
    assert not refusals


def test_an_outline_on_another_frame_than_the_caliper_is_paired_with_it() -> None:
    readings = VisitReadings(model=[make.plane(source=MODEL)], caliper=[make.plane(frame=2)])
    (outline,) = name_lesions("S1", {BASELINE: readings}, {}, Config().pairing).visits[BASELINE].model
    assert (outline.lesion, outline.naming.by) == ("L1", NamedBy.PAIRED)
    far = VisitReadings(model=[make.plane(40, source=MODEL, at=(80, 80))], caliper=[make.plane(frame=2)])
    assert _name(far) == (["L2"], [])


def test_the_manifest_names_the_only_lesion_of_an_image() -> None:
    assert _name(VisitReadings(model=[make.plane(source=MODEL, sop="i")]), i=ImageLabel(lesion="L3")) == (["L3"], [])
    two = VisitReadings(model=[make.plane(source=MODEL, sop="i"), make.plane(source=MODEL, sop="i", at=(100, 100))])
    assert _name(two, i=ImageLabel(lesion="L3")) == ([], ["lesion_not_named"] * 2)


def test_one_lesion_in_every_image_needs_no_name() -> None:
    planes = [make.plane(source=MODEL, sop="t"), make.plane(17, source=MODEL, sop="s", plane=Plane.SAGITTAL)]
    assert _name(VisitReadings(model=planes)) == (["L1", "L1"], [])


def test_a_lone_unnamed_lesion_of_a_child_with_named_ones_is_paired_and_asks_for_review() -> None:
    """Baseline has L1 and L2 at one place of two pictures; at one month the network sees one lesion. Which one?"""
    visits = {
        BASELINE: VisitReadings(caliper=[make.plane(30, sop="a"), make.plane(20, lesion="L2", sop="b")]),
        ONE_MONTH: VisitReadings(model=[make.plane(19, source=MODEL)]),
    }
    outcome = name_lesions("S1", visits, {}, Config().pairing)
    (outline,) = outcome.visits[ONE_MONTH].model
    assert outline.lesion in ("L1", "L2")
    assert outline.naming.confidence < Config().pairing.min_confidence
    assert [(r.code, r.visit, r.lesion) for r in outcome.refusals] == [("pairing_unsure", ONE_MONTH, outline.lesion)]


def _spots(*spots: tuple[float, float, float], sop: str = "b", **changes: object) -> VisitReadings:
    """Network's outlines of one picture: long axis in mm, row, column."""
    return VisitReadings(
        model=[make.plane(mm, 0.8 * mm, source=MODEL, sop=sop, at=(r, c), **changes) for mm, r, c in spots]
    )


BEFORE = ((12.0, 150.0, 200.0), (25.0, 300.0, 500.0), (16.0, 420.0, 300.0))


def _moved(spots: tuple[tuple[float, float, float], ...], shrink: float) -> tuple[tuple[float, float, float], ...]:
    return tuple((shrink * mm, row + 15, column - 40) for mm, row, column in spots)


def test_several_outlines_are_named_by_size_at_baseline_and_keep_their_names() -> None:
    after = _spots(*_moved(BEFORE, 0.7)[::-1], sop="m")
    named = name_lesions("S1", {BASELINE: _spots(*BEFORE), ONE_MONTH: after}, {}, Config().pairing)
    assert not named.refusals
    assert [p.lesion for p in named.visits[BASELINE].model] == ["L3", "L1", "L2"]
    assert [p.lesion for p in named.visits[ONE_MONTH].model] == ["L2", "L1", "L3"]
    ways = [p.naming for visit in named.visits.values() for p in visit.model]
    assert all(way.by is NamedBy.PAIRED and 0.95 <= way.confidence <= 1 for way in ways)


def test_a_vanished_and_a_new_lesion_are_no_pair() -> None:
    after = _spots(*_moved(BEFORE, 0.7)[:2], (30.0, 480.0, 650.0), sop="m")
    named = name_lesions("S1", {BASELINE: _spots(*BEFORE), ONE_MONTH: after}, {}, Config().pairing)
    assert [p.lesion for p in named.visits[ONE_MONTH].model] == ["L3", "L1", "L4"]


def test_a_readers_name_at_one_visit_is_the_lesions_name_at_the_other() -> None:
    after = _spots(*_moved(BEFORE, 0.7), sop="m")
    after.caliper.append(make.plane(11, 9, sop="m", at=(435.0, 260.0), lesion="target"))
    named = name_lesions("S1", {BASELINE: _spots(*BEFORE), ONE_MONTH: after}, {}, Config().pairing)
    assert [p.lesion for p in named.visits[BASELINE].model] == ["L2", "L1", "target"]
    by = [p.naming.by for p in named.visits[ONE_MONTH].model if p.lesion == "target"]
    assert by == [NamedBy.READER]


def test_merged_lesions_are_named_so_and_nothing_of_them_is_compared() -> None:
    two = ((12.0, 300.0, 400.0), (12.0, 300.0, 465.0))
    after = VisitReadings(
        model=[
            make.plane(24, 11, source=MODEL, sop="m", at=(300.0, 432.0)),
            *_spots(BEFORE[0], (20.0, 480.0, 650.0), sop="m").model,
        ]
    )
    visits = {BASELINE: _spots(BEFORE[0], (20.0, 480.0, 650.0), *two), ONE_MONTH: after}
    named = name_lesions("S1", visits, {}, Config().pairing)
    (group,) = named.groups
    assert (group.fate, group.before, group.after) == (Fate.MERGED, ("L3", "L4"), ("L3+L4",))
    lesions, _ = assemble("S1", named.visits, Config())
    changes, refusals = compare_subject("S1", lesions, groups=named.groups)
    assert {c.lesion for c in changes} == {"L1", "L2"}  # and no sum of the child, which would be incomplete
    assert [r.code for r in refusals] == ["merged", "incomplete_sum"]
    fates = {s.lesion: s for s in statuses(lesions, visits, named.groups, (), Config().pairing)}
    assert [fates[n].fate for n in ("L1", "L2", "L3", "L4")] == [Fate.SAME, Fate.SAME, Fate.MERGED, Fate.MERGED]
    assert fates["L3"].others == ("L4", "L3+L4")
    assert fates["L3"].needs_check


def test_one_lesion_that_split_into_three_is_named_so() -> None:
    """A row of three, 12 mm each, that was one lesion of 36 mm."""
    rest = (BEFORE[0], (20.0, 480.0, 650.0))
    whole = make.plane(36, 12, source=MODEL, sop="b", at=(300.0, 430.0))
    before = VisitReadings(model=[whole, *_spots(*rest, sop="b").model])
    after = _spots(*rest, *((12.0, 300.0, 370.0 + 60 * n) for n in range(3)), sop="m")
    named = name_lesions("S1", {BASELINE: before, ONE_MONTH: after}, {}, Config().pairing)
    (group,) = named.groups
    name = named.visits[BASELINE].model[0].lesion
    assert (group.fate, group.visit) == (Fate.SPLIT, ONE_MONTH)
    assert (group.before, sorted(group.after)) == ((name,), [f"{name}a", f"{name}b", f"{name}c"])
    lesions, _ = assemble("S1", named.visits, Config())
    fates = {s.lesion: s for s in statuses(lesions, named.visits, named.groups, (), Config().pairing)}
    assert fates[name].fate is Fate.SPLIT
    assert len(fates[name].others) == 3
    assert fates[name].explanation.count(" and ") == 2


def test_lesions_that_merged_between_screening_and_baseline_are_compared_with_nothing_there() -> None:
    two = ((12.0, 300.0, 400.0), (12.0, 300.0, 465.0))
    rest = (BEFORE[0], (20.0, 480.0, 650.0))
    whole = make.plane(24, 11, source=MODEL, sop="b", at=(300.0, 432.0))
    visits = {
        SCREENING: _spots(*rest, *two, sop="s"),
        BASELINE: VisitReadings(model=[whole, *_spots(*rest, sop="b").model]),
    }
    named = name_lesions("S1", visits, {}, Config().pairing)
    (group,) = named.groups
    name = named.visits[BASELINE].model[0].lesion
    assert (group.fate, group.visit, group.after) == (Fate.MERGED, BASELINE, (name,))
    assert sorted(group.before) == [f"{name}a", f"{name}b"]
    lesions, _ = assemble("S1", named.visits, Config())
    both = SCREENING, BASELINE
    changes, refusals = compare_subject("S1", lesions, groups=named.groups, visits=both)
    assert {c.lesion for c in changes} == {"L1", "L2", "L3"} - {name}
    assert "of screening seems to have merged into" in refusals[0].reason


def test_what_became_of_each_lesion() -> None:
    lesions = [
        *(make.lesion(20, name=name) for name in ("a", "b", "c")),
        make.lesion(10, ONE_MONTH, name="a"),
        make.lesion(0, ONE_MONTH, name="b"),
        make.lesion(9, ONE_MONTH, name="d"),
    ]
    both = (BASELINE, ONE_MONTH)
    fates = statuses(lesions, both, (), (), Config().pairing)
    assert [(s.lesion, s.fate) for s in fates] == [
        ("a", Fate.SAME), ("b", Fate.DISAPPEARED), ("c", Fate.NOT_FOUND), ("d", Fate.NEW),
    ]  # fmt: skip
    assert not any(s.needs_check for s in fates)
    assert not statuses(lesions, (BASELINE,), (), (), Config().pairing)


def test_no_verdict_is_certain_that_rests_on_an_unsure_pairing() -> None:
    def measured(mm: float, visit: str, confidence: float) -> LesionMeasurement:
        way = Naming(by=NamedBy.PAIRED, confidence=confidence)
        return make.lesion(mm, visit, planes=(make.plane(mm, naming=way),), cv=0.01)

    rule = Config().comparison.applied_rule
    for confidence, certain in ((0.99, True), (0.9, False)):
        lesions = [measured(20, BASELINE, 1.0), measured(8, ONE_MONTH, confidence)]
        changes = mark_pairings(compare_subject("S1", lesions)[0], lesions, ["L1"])
        assert {c.pairing_confidence for c in changes} == {confidence}
        assessed = assess([time_point(changes, lesions, rule, targets=["L1"])], rule)
        verdict, held = held_back(respond(assessed[0], "trial", rule), assessed, [confidence], Config().pairing)
        assert verdict.certain is held[0].certain is certain
        assert ("asks for review" in verdict.explanation) is not certain


def test_the_only_lesion_says_that_it_was_taken_for_it() -> None:
    named = name_lesions("S1", {BASELINE: VisitReadings(model=[make.plane(source=MODEL)])}, {}, Config().pairing).visits
    assert any("only lesion" in w for w in named[BASELINE].model[0].warnings)


def test_the_only_lesion_is_the_same_as_surely_as_it_looks_the_same() -> None:
    before = VisitReadings(model=[make.plane(30, 24, source=MODEL, sop="b")])
    for after, sure in (
        (make.plane(22, 18, source=MODEL, sop="m", at=(310.0, 440.0)), True),
        (make.plane(7, 4, source=MODEL, sop="m", at=(80.0, 150.0)), False),
    ):
        visits = {BASELINE: before, ONE_MONTH: VisitReadings(model=[after])}
        named = name_lesions("S1", visits, {}, Config().pairing)
        (plane,) = named.visits[ONE_MONTH].model
        assert (plane.lesion, plane.naming.by) == ("L1", NamedBy.ONLY)
        assert (plane.naming.confidence >= Config().pairing.min_confidence) is sure
        assert [r.code for r in named.refusals] == ([] if sure else ["pairing_unsure"])


def test_pictures_of_unknown_planes_are_no_repeats_and_the_largest_counts() -> None:
    planes = [make.plane(40, sop="a", plane=Plane.UNKNOWN), make.plane(50, sop="b", plane=Plane.UNKNOWN)]
    (by_reader,), refusals = assemble("S1", {BASELINE: VisitReadings(caliper=planes)}, Config())
    assert not refusals
    assert by_reader.longest_diameter_mm.value == 50
    assert any("largest of 2" in w for w in by_reader.warnings)
    sure = [
        make.plane(40, source=MODEL, sop="a", lesion="L1", confidence=0.99),
        make.plane(50, source=MODEL, lesion="L1"),
    ]
    (by_model,), _ = assemble("S1", {BASELINE: VisitReadings(model=sure)}, Config())
    assert by_model.longest_diameter_mm.value == 50


def test_two_lines_on_one_picture_of_an_unknown_plane_are_repeats() -> None:
    twice = [
        make.plane(mm, plane=Plane.UNKNOWN, warnings=(word,)) for mm, word in ((40, "rescaled"), (50, "on its edge"))
    ]
    other = make.plane(30, plane=Plane.UNKNOWN, sop="b")
    lesions, (refusal,) = assemble("S1", {BASELINE: VisitReadings(caliper=[*twice, other])}, Config())
    assert (lesions, refusal.code) == ((), "repeated_caliper")
    mean = Config(calipers=Calipers(repeats="mean"))
    (lesion,), _ = assemble("S1", {BASELINE: VisitReadings(caliper=[other, *twice])}, mean)
    assert lesion.longest_diameter_mm.value == pytest.approx(45)
    assert lesion.planes[0].pictures == 2
    assert {"rescaled", "on its edge"} <= {*lesion.warnings}


def test_three_diameters_and_volume_from_orthogonal_planes() -> None:
    """Transverse 20 x 16 mm; sagittal long axis 18 mm lies horizontally, so it is the third: pi/6 * 20 * 16 * 18."""
    (lesion,), refusals = assemble("S1", {BASELINE: VisitReadings(caliper=_both(Source.CALIPER, 20))}, Config())
    assert not refusals
    assert lesion.volume_method is VolumeMethod.ELLIPSOID
    assert lesion.volume_ml.value == pytest.approx(math.pi / 6 * 20 * 16 * 18 / 1000)
    assert lesion.longest_diameter_mm.value == 20


def _third(baseline_deg: float, month_deg: float) -> tuple[float, float]:
    """Third diameters of a sagittal 18 x 14 mm cut whose long axis makes these angles with the horizontal."""

    def visit(angle: float) -> VisitReadings:
        sagittal = make.plane(18, 14, sop="s", plane=Plane.SAGITTAL, angle_deg=angle)
        return VisitReadings(caliper=[make.plane(20, 16, sop="t"), sagittal])

    visits = {ONE_MONTH: visit(month_deg), BASELINE: visit(baseline_deg)}
    baseline, month = assemble("S1", visits, Config())[0]
    assert (baseline.visit, month.visit) == (BASELINE, ONE_MONTH)
    assert baseline.volume_diameters_mm == (20, 16, baseline.third_diameter_mm.value)
    return baseline.third_diameter_mm.value, month.third_diameter_mm.value


def test_the_third_diameter_lies_across_the_depth_that_both_planes_share() -> None:
    assert _third(0, 10) == (18, 18)
    assert _third(80, 90) == (14, 14)
    assert _third(5, 85) == (18, 14)  # the lesion's shape changed: still the horizontal extent


def test_an_oblique_lesion_keeps_the_axis_of_baseline() -> None:
    assert _third(40, 50) == (18, 18)
    assert _third(50, 40) == (14, 14)
    assert _third(50, 20) == (14, 14)


def test_unknown_planes_are_never_taken_for_orthogonal() -> None:
    planes = [make.plane(20, 16, sop="a", plane=Plane.UNKNOWN), make.plane(18, 14, sop="b", plane=Plane.TRANSVERSE)]
    (lesion,), _ = assemble("S1", {BASELINE: VisitReadings(caliper=planes)}, Config())
    assert lesion.volume_method is VolumeMethod.ROTATION
    assert lesion.volume_ml.value == pytest.approx(math.pi / 6 * 20 * 16**2 / 1000)
    assert any("rotation symmetry" in w for w in lesion.warnings)


def test_a_long_axis_alone_gives_no_volume() -> None:
    (lesion,), _ = assemble("S1", {BASELINE: VisitReadings(caliper=[make.plane(20, None)])}, Config())
    assert lesion.volume_ml is None
    assert lesion.longest_diameter_mm.value == 20


def test_model_first_reports_the_calipers_beside_it_with_their_difference() -> None:
    readings = VisitReadings(model=_both(MODEL, 22), caliper=_both(Source.CALIPER, 20))
    (lesion,), _ = assemble("S1", {BASELINE: readings}, Config())
    assert (lesion.source, lesion.longest_diameter_mm.value) == (MODEL, 22)
    transverse = next(a for a in lesion.alternatives if a.plane is Plane.TRANSVERSE)
    assert transverse.difference_mm == pytest.approx(-2)
    assert transverse.difference_percent == pytest.approx(-100 * 2 / 22)


def test_policy_chooses_the_source() -> None:
    readings = VisitReadings(model=_both(MODEL, 22), caliper=_both(Source.CALIPER, 20))
    for policy, source in [
        ("calipers_first", Source.CALIPER),
        ("model_only", MODEL),
        ("calipers_only", Source.CALIPER),
    ]:
        config = Config(segment=Segment(policy=policy))  # type: ignore[arg-type]
        (lesion,), _ = assemble("S1", {BASELINE: readings}, config)
        assert lesion.source is source


def test_both_visits_rest_on_the_source_that_measured_both() -> None:
    visits = {
        BASELINE: VisitReadings(model=_both(MODEL, 22), caliper=_both(Source.CALIPER, 20)),
        ONE_MONTH: VisitReadings(model=_both(MODEL, 15)[:1], caliper=_both(Source.CALIPER, 14)),
    }
    lesions, _ = assemble("S1", visits, Config())
    assert {m.source for m in lesions} == {Source.CALIPER}


def test_absence_is_a_readers_statement_and_the_models_contradiction_is_shown() -> None:
    gone = VisitReadings(model=_both(MODEL, 9), absent=[make.caliper(Axis.ABSENT)])
    baseline = VisitReadings(caliper=_both(Source.CALIPER, 20))
    lesions, _ = assemble("S1", {BASELINE: baseline, ONE_MONTH: gone}, Config())
    assert [m.present for m in lesions] == [True, False]
    assert "9.0 mm" in lesions[1].warnings[0]


def test_what_readers_leave_ambiguous_is_refused() -> None:
    def codes(readings: VisitReadings, config: Config | None = None) -> list[str]:
        return [r.code for r in assemble("S1", {BASELINE: readings}, config or Config())[1]]

    two_readers = VisitReadings(caliper=[make.plane(20), make.plane(24, reader="R2")])
    assert codes(two_readers) == ["several_readers"]
    assert codes(two_readers, Config(calipers=Calipers(reader="R2"))) == []
    assert codes(VisitReadings(caliper=[make.plane(20), make.plane(24)])) == ["repeated_caliper"]
    assert codes(VisitReadings(caliper=[make.plane()], absent=[make.caliper(Axis.ABSENT)])) == ["absent_and_measured"]


def test_repeated_calipers_can_be_averaged() -> None:
    readings = VisitReadings(caliper=[make.plane(20, 10), make.plane(24, 12)])
    (lesion,), _ = assemble("S1", {BASELINE: readings}, Config(calipers=Calipers(repeats="mean")))
    assert lesion.longest_diameter_mm.value == 22
    assert lesion.short_axis_mm.value == 11
    # Repeatability (5 % here) was found between readings: drawing twice does not halve it.
    assert lesion.longest_diameter_mm.sd == pytest.approx((1.0 + 1.2) / 2)


CALIPER, PROMPTED = Source.CALIPER, Source.PROMPTED


def _follow(
    baseline: list[PlaneMeasurement], month: list[PlaneMeasurement]
) -> tuple[tuple[LesionMeasurement, ...], dict[Metric, float], list[Refusal]]:
    """Two visits by calipers: the lesion, its changes in percent, and what was refused."""
    visits = {BASELINE: VisitReadings(caliper=baseline), ONE_MONTH: VisitReadings(caliper=month)}
    lesions, unclear = assemble("S1", visits, Config())
    assert not unclear
    changes, refusals = compare_subject("S1", lesions)
    return lesions, {c.metric: c.percent for c in changes if c.lesion}, list(refusals)


def test_a_lone_caliper_at_both_visits_gets_a_volume_from_its_outlines() -> None:
    """20 x 16 mm, then 10 x 8 mm: pi/6 L W W, a fall by 87.5 %."""
    lesions, changes, refusals = _follow([make.prompted(20, 16)], [make.prompted(10, 8)])
    assert not refusals
    assert [m.way for m in lesions] == [Way.PROMPTED] * 2
    assert [(m.source, m.reader) for m in lesions] == [(CALIPER, "R1")] * 2
    assert lesions[0].volume_ml.value == pytest.approx(math.pi / 6 * 20 * 16**2 / 1000)
    assert lesions[0].volume_sources == (CALIPER, PROMPTED)
    assert lesions[0].short_axis_source is PROMPTED
    assert changes[Metric.VOLUME] == pytest.approx(-87.5)


def test_two_lone_calipers_in_orthogonal_planes_give_three_diameters() -> None:
    """The sagittal caliper lies along the depth that both planes share: its outline's width is the third diameter."""
    planes = [make.prompted(20, 16), make.prompted(18, 14, plane=Plane.SAGITTAL, sop="s", angle_deg=85)]
    (lesion,), _ = assemble("S1", {BASELINE: VisitReadings(caliper=planes)}, Config())
    assert lesion.volume_diameters_mm == (20, 16, 14)
    assert lesion.volume_sources == (CALIPER, PROMPTED, PROMPTED)
    assert lesion.third_diameter_mm.value == 14
    level = [planes[0], make.prompted(18, 14, plane=Plane.SAGITTAL, sop="s", angle_deg=5)]
    (lesion,), _ = assemble("S1", {BASELINE: VisitReadings(caliper=level)}, Config())
    assert (lesion.volume_diameters_mm, lesion.volume_sources) == ((20, 16, 18), (CALIPER, PROMPTED, CALIPER))


def test_drawn_short_axes_stay_and_make_the_volume() -> None:
    lesions, changes, _ = _follow([make.prompted(20, 16, drawn_mm=15)], [make.prompted(10, 8, drawn_mm=7.5)])
    assert [m.short_axis_mm.value for m in lesions] == [15, 7.5]
    assert {m.volume_sources for m in lesions} == {(CALIPER, CALIPER)}
    assert {m.short_axis_source for m in lesions} == {CALIPER}
    assert changes[Metric.VOLUME] == pytest.approx(-87.5)


def test_volumes_rest_on_outlines_at_both_visits_where_the_reader_drew_the_short_axis_at_one() -> None:
    """The outlines say 16 -> 8 mm; the reader's 12 mm at baseline, against 8 mm, would give half the fall in volume."""
    lesions, changes, refusals = _follow([make.prompted(20, 16, drawn_mm=12)], [make.prompted(10, 8)])
    assert not refusals
    assert changes[Metric.VOLUME] == pytest.approx(-87.5)
    assert lesions[0].short_axis_mm.value == 12  # reported as it was drawn
    assert lesions[0].short_axis_source is CALIPER
    assert lesions[0].volume_diameters_mm == (20, 16)
    assert any("rests on the width of the network's outline" in w for w in lesions[0].warnings)
    assert not any("rests on the width" in w for w in lesions[1].warnings)


def test_a_readers_short_axis_is_not_compared_with_an_outlines() -> None:
    """No outline at baseline, no drawn short axis at one month: two volumes, and no change of volume."""
    lesions, changes, refusals = _follow([make.plane(20, 12)], [make.prompted(10, 8)])
    assert [m.volume_sources for m in lesions] == [(CALIPER, CALIPER), (CALIPER, PROMPTED)]
    assert [(r.code, r.lesion) for r in refusals] == [("volume_source_differs", "L1")]
    assert Metric.VOLUME not in changes
    assert changes[Metric.LONGEST_DIAMETER] == pytest.approx(-50)  # the reader's at both visits


def test_an_outline_of_one_visit_does_not_disturb_a_volume_that_calipers_give() -> None:
    """Sagittal planes with one caliper each, outlined at baseline alone: the volumes are those of the calipers."""

    def visit(factor: float, sagittal: PlaneMeasurement) -> list[PlaneMeasurement]:
        return [make.plane(20 * factor, 16 * factor), sagittal]

    where = {"plane": Plane.SAGITTAL, "sop": "s"}
    plain = [make.plane(18, None, **where), make.plane(9, None, **where)]
    as_before = _follow(visit(1, plain[0]), visit(0.5, plain[1]))[1][Metric.VOLUME]
    outlined = make.prompted(18, 14, angle_deg=85, **where)
    lesions, changes, refusals = _follow(visit(1, outlined), visit(0.5, plain[1]))
    assert not refusals
    assert changes[Metric.VOLUME] == as_before
    assert lesions[0].planes[1].prompted is not None  # the outline itself is still shown


def test_an_outline_of_one_visit_alone_gives_that_visit_a_volume() -> None:
    lesions, changes, refusals = _follow([make.prompted(20, 16)], [make.plane(10, None)])
    assert [m.way for m in lesions] == [Way.PROMPTED, Way.CALIPERS]
    assert lesions[0].volume_ml is not None
    assert [r.code for r in refusals] == ["no_volume"]
    assert set(changes) == {Metric.LONGEST_DIAMETER}


def test_screening_is_compared_with_nothing_and_decides_nothing() -> None:
    """No outline at screening: the volumes of the compared visits rest on outlines all the same."""
    visits = {
        SCREENING: VisitReadings(caliper=[make.plane(22, 17)]),
        BASELINE: VisitReadings(caliper=[make.prompted(20, 16, drawn_mm=12)]),
        ONE_MONTH: VisitReadings(caliper=[make.prompted(10, 8)]),
    }
    screening, baseline, month = assemble("S1", visits, Config())[0]
    assert screening.volume_sources == (CALIPER, CALIPER)
    assert baseline.volume_sources == month.volume_sources == (CALIPER, PROMPTED)


def test_the_network_alone_comes_first_and_calipers_first_prompts() -> None:
    readings = VisitReadings(model=[make.plane(22, 18, source=MODEL, lesion="L1")], caliper=[make.prompted(20, 16)])
    for policy, way in [
        ("model_first", Way.AUTOMATIC),
        ("calipers_first", Way.PROMPTED),
        ("model_only", Way.AUTOMATIC),
    ]:
        config = Config(segment=Segment(policy=policy))  # type: ignore[arg-type]
        (lesion,), _ = assemble("S1", {BASELINE: readings}, config)
        assert lesion.way is way, policy


def test_a_stated_absence_has_its_own_way() -> None:
    visits = {
        BASELINE: VisitReadings(caliper=[make.prompted(20, 16)]),
        ONE_MONTH: VisitReadings(absent=[make.caliper(Axis.ABSENT)]),
    }
    lesions, _ = assemble("S1", visits, Config())
    assert [m.way for m in lesions] == [Way.PROMPTED, Way.STATEMENT]
    changes, refusals = compare_subject("S1", lesions)
    assert not refusals
    assert {c.percent for c in changes} == {-100}


def test_repeated_calipers_average_their_outlines_or_have_none() -> None:
    config = Config(calipers=Calipers(repeats="mean"))

    def mean(*planes: PlaneMeasurement) -> PlaneMeasurement:
        (lesion,), _ = assemble("S1", {BASELINE: VisitReadings(caliper=list(planes))}, config)
        return lesion.planes[0]

    both = mean(make.prompted(20, 10), make.prompted(24, 12))
    assert (both.long_axis_mm.value, both.short_axis_mm.value, both.prompted.width_mm.value) == (22, 11, 11)
    assert both.area_mm2.value == pytest.approx(math.pi / 4 * (200 + 288) / 2)
    assert both.short_axis_source is PROMPTED
    one = mean(make.prompted(20, 10), make.plane(24, None))
    assert (one.prompted, one.area_mm2, one.short_axis_mm, one.way) == (None, None, None, Way.CALIPERS)
    mixed = mean(make.prompted(20, 10, drawn_mm=9), make.prompted(24, 12))
    assert (mixed.short_axis_mm.value, mixed.short_axis_source) == (11, PROMPTED)
    drawn = mean(make.prompted(20, 10, drawn_mm=9), make.prompted(24, 12, drawn_mm=11))
    assert (drawn.short_axis_mm.value, drawn.short_axis_source) == (10, CALIPER)


def test_what_a_reader_outlined_is_told_apart_from_calipers() -> None:
    drawn = make.plane()
    outlined = make.plane(outline_px=make.box(300, 400, 60, 80))
    assert (drawn.way, outlined.way) == ("calipers alone", "outlined by reader")
    assert make.lesion(20, planes=(drawn, outlined)).way == "outlined by reader"
    assert plane_measured_by(outlined) == "Outlined by reader: outline of R1"
    assert by_whom(make.lesion(20, planes=(outlined,))) == "outline of R1"
    assert by_whom(make.lesion(20, planes=(drawn,))) == "calipers of R1"
