"""Form and burden of the disease, the liver itself, and what is not measurable."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

import make
from lesion_measure.lesions.naming import VisitReadings, set_liver_apart
from lesion_measure.records import (
    BASELINE,
    ONE_MONTH,
    Axis,
    Disease,
    Enrolled,
    Form,
    LesionMeasurement,
    NonTarget,
    Refusal,
    Source,
    TargetChoice,
    is_liver,
)
from lesion_measure.verdict.disease import describe, form_contradiction

BOTH = (BASELINE, ONE_MONTH)


def found(
    *lesions: LesionMeasurement,
    targets: tuple[str, ...] = ("L1",),
    enrolled: Enrolled | None = None,
    liver: tuple[LesionMeasurement, ...] = (),
) -> tuple[Disease, tuple[Refusal, ...], tuple[str, ...]]:
    choice = TargetChoice(targets, "chosen by the rule")
    return describe("S1", lesions, choice, enrolled, liver=liver, visits=BOTH)


@pytest.mark.parametrize(
    ("sizes", "form", "source"),
    [
        ((30,), Form.FOCAL, "from the count: 1 lesion at baseline"),
        ((30, 20), Form.MULTIFOCAL, "from the count: 2 lesions at baseline"),
        ((30, 0), Form.FOCAL, "from the count: 1 lesion at baseline"),  # stated absent
        ((), None, "no lesion was measured at baseline"),
    ],
)
def test_the_form_follows_from_the_count_and_says_so(sizes: tuple[float, ...], form: Form | None, source: str) -> None:
    disease, _, warnings = found(*(make.lesion(size, name=f"L{n}") for n, size in enumerate(sizes, 1)))
    assert (disease.form, disease.form_source, warnings) == (form, source, ())


def test_the_table_wins_over_the_count_and_a_contradiction_is_said() -> None:
    disease, _, warnings = found(
        make.lesion(30), make.lesion(20, name="L2"), enrolled=Enrolled(subject="S1", form=Form.FOCAL)
    )
    assert (disease.form, disease.form_source) == (Form.FOCAL, "subjects table")
    assert warnings == ("the subjects table calls the disease focal, but 2 lesions were measured at baseline",)
    _, _, warnings = found(make.lesion(30), enrolled=Enrolled(subject="S1", form=Form.MULTIFOCAL))
    assert warnings == (
        "the subjects table calls the disease multifocal, but only one lesion was measured at baseline",
    )


@pytest.mark.parametrize(
    ("form", "at_baseline", "later", "fits"),
    [
        (Form.FOCAL, 1, 3, True),  # what comes later may be new
        (Form.MULTIFOCAL, 2, 1, True),
        (Form.MULTIFOCAL, 0, 1, False),
        (Form.FOCAL, 0, 2, False),
        (Form.FOCAL, 0, 0, True),
        (Form.DIFFUSE, 4, 4, True),
        (None, 4, 4, True),
    ],
)
def test_only_what_was_measured_contradicts_a_form(form: Form | None, at_baseline: int, later: int, fits: bool) -> None:
    found = form_contradiction(form, at_baseline, later, "week_4")
    assert (found == "") is fits
    assert found.endswith("measured at week 4, and none at baseline") is (not fits)


def test_sums_over_targets_and_the_count_of_all() -> None:
    lesions = [make.lesion(30), make.lesion(20, name="L2"), make.lesion(5, name="L3")]
    later = [make.lesion(15, ONE_MONTH), make.lesion(0, ONE_MONTH, "L2")]
    disease, refusals, _ = found(*lesions, *later, targets=("L1", "L2"))
    first, last = disease.burdens
    assert not refusals
    assert (first.lesions, first.sum_of_diameters_mm.value) == (3, 50)
    assert first.sum_of_volumes_ml.value == pytest.approx(math.pi / 6 * (27 + 8))
    assert first.sum_of_diameters_mm.sd == pytest.approx(math.hypot(1.5, 1.0))
    assert (last.lesions, last.sum_of_diameters_mm.value) == (1, 15)


def test_a_target_that_was_not_measured_leaves_no_sum() -> None:
    lesions = [make.lesion(30), make.lesion(20, name="L2"), make.lesion(15, ONE_MONTH)]
    disease, _, _ = found(*lesions, targets=("L1", "L2"))
    assert disease.burdens[1].sum_of_diameters_mm is None
    no_volume = replace(make.lesion(30), volume_ml=None)
    disease, _, _ = found(no_volume)
    assert (disease.burdens[0].sum_of_diameters_mm.value, disease.burdens[0].sum_of_volumes_ml) == (30, None)


def _liver(visit: str, volume_ml: float, cv: float = 0.05) -> LesionMeasurement:
    return make.lesion(100, visit, "liver", volume_ml=volume_ml, cv=cv)


def test_the_share_of_the_liver_that_lesions_take_up() -> None:
    lesions = [make.lesion(30, volume_ml=50), make.lesion(20, name="L2", volume_ml=30)]
    disease, _, _ = found(*lesions, targets=("L1",), liver=(_liver(BASELINE, 400),))
    share = disease.burdens[0].replaced_share
    assert share.value == pytest.approx(0.2)  # of all lesions, targets or not
    lesion_sd = math.hypot(0.15 * 50, 0.15 * 30) / 80
    assert share.sd == pytest.approx(0.2 * math.hypot(lesion_sd, 0.15))
    assert disease.burdens[1].replaced_share is None


def test_a_share_above_one_is_refused() -> None:
    _, refusals, _ = found(make.lesion(30, volume_ml=500), liver=(_liver(BASELINE, 400),))
    assert [r.code for r in refusals] == ["share_impossible"]


def test_diffuse_disease_without_a_liver_is_not_measurable() -> None:
    diffuse = Enrolled(subject="S1", form=Form.DIFFUSE)
    disease, (refusal,), _ = found(targets=(), enrolled=diffuse)
    assert disease.form is Form.DIFFUSE
    assert refusal.code == "diffuse_disease"
    assert refusal.reason.startswith("Not measurable")
    assert "'liver'" in refusal.remedy


def test_diffuse_disease_with_a_liver_has_a_size_and_no_verdict() -> None:
    diffuse = Enrolled(subject="S1", form=Form.DIFFUSE)
    liver = (_liver(BASELINE, 400), _liver(ONE_MONTH, 350))
    disease, (refusal,), _ = found(targets=(), enrolled=diffuse, liver=liver)
    assert disease.liver == liver
    assert "the liver's own size is reported" in refusal.reason


def test_no_lesion_large_enough_is_said_with_the_reasons() -> None:
    choice = TargetChoice((), "chosen by the rule", (NonTarget(lesion="L1", reason="8.0 mm, less than 10 mm"),))
    _, (refusal,), _ = describe("S1", [make.lesion(8)], choice, None, visits=BOTH)
    assert refusal.code == "no_target_lesion"
    assert "L1: 8.0 mm, less than 10 mm" in refusal.reason


def test_the_livers_readings_are_set_apart_whatever_their_case() -> None:
    organ = make.plane(120, 80, lesion="Liver")
    lesion, model = make.plane(30, lesion="L1"), make.plane(30, source=Source.MODEL)
    gone = make.caliper(Axis.ABSENT, lesion="L2")
    readings = {
        BASELINE: VisitReadings(model=[model], caliper=[organ, lesion], absent=[gone]),
        ONE_MONTH: VisitReadings(caliper=[lesion]),
    }
    lesions, liver = set_liver_apart(readings)
    assert lesions[BASELINE].caliper == [lesion]
    assert lesions[BASELINE].model == [model]
    assert lesions[BASELINE].absent == [gone]
    assert list(liver) == [BASELINE]
    assert liver[BASELINE].caliper == [organ]
    assert [is_liver(name) for name in ("liver", " LIVER ", "liver lesion", "L1")] == [True, True, False, False]
