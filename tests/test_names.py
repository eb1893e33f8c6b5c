"""Names: hints that correct spelling and never meaning, names that look alike, one form of one name."""

from __future__ import annotations

import json
import unicodedata
from datetime import timedelta
from pathlib import Path

import pytest

import make
from lesion_measure.errors import TableError
from lesion_measure.records import (
    BASELINE,
    ONE_MONTH,
    TRIAL,
    Axis,
    Enrolled,
    Form,
    Instance,
    Metric,
    Plane,
    Refusal,
    Study,
    StudyList,
    SubjectVisits,
)
from lesion_measure.spelling import alike, look_alike, nearest
from lesion_measure.studies import assign_visits
from lesion_measure.tables.calipers import read_calipers
from lesion_measure.tables.manifest import Manifest, ManifestRow
from lesion_measure.tables.matching import match_calipers
from lesion_measure.tables.statements import bind, of_no_visit
from lesion_measure.tables.subjects import not_in_table, read_subjects
from lesion_measure.verdict.change import compare_subject
from lesion_measure.verdict.entry import other_unit
from lesion_measure.verdict.targets import contradictions

CAFE = "Café"
APART = unicodedata.normalize("NFD", CAFE)


@pytest.mark.parametrize(
    ("word", "known"),
    [
        *((w, TRIAL.names) for w in ("three_months", "two_month", "six_month", "month_3", "follow_up", "pre_baseline")),
        *((w, Plane) for w in ("axial", "longitudinal", "parasagittal")),
        *((w, Axis) for w in ("present", "gone", "width", "longest")),
        *((w, Form) for w in ("unifocal", "afocal", "bifocal", "nonfocal", "oligofocal", "local")),
        *((w, ("age_days", "age_months")) for w in ("age_years", "age_weeks", "age_hours")),
        ("min_planes", ("max_planes",)),
        ("non_targets", ("targets",)),
        ("uncertain", ("certain",)),
        ("end_row", ("start_row",)),
        ("L3_transverse.dcm", ("L2_transverse.dcm",)),
        ("SIM-05/baseline/a.dcm", ("SIM-04/baseline/a.dcm",)),
    ],
)
def test_what_means_something_else_is_no_misspelling(word: str, known: tuple[str, ...]) -> None:
    assert nearest(word, [str(each) for each in known]) is None


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("basline", TRIAL.names, "baseline"),
        ("oen_month", TRIAL.names, "one_month"),
        ("onemonth", TRIAL.names, "one_month"),
        ("one_months", TRIAL.names, "one_month"),
        ("tranverse", Plane, "transverse"),
        ("abscent", Axis, "absent"),
        ("multfocal", Form, "multifocal"),
        ("new_lesion", ("new_lesions", "targets"), "new_lesions"),
        ("Ll_transverse.dcm", ("L2_transverse.dcm", "L1_transverse.dcm"), "L1_transverse.dcm"),
    ],
)
def test_a_misspelling_is_answered(word: str, known: tuple[str, ...], meant: str) -> None:
    assert nearest(word, [str(each) for each in known]) == meant


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("L1", "l1"), ("L1", "Ll"), ("L1", "LI"), ("AB-01", "ab-01"), ("00123", "123"), ("AB-01", "AB01"),
        ("S-10", "S-1O"), ("А1", "A1"), ("Ｌ１", "L1"), ("L 1", "L_1"),
        ("123", "123^^^HOSP_A"), ("123^^^HOSP_A", "00123^^^hosp-a"), ("123^^^HOSP_A^MR", "123^^^HOSP_A"), ("1", "1^^^"),
    ],
)  # fmt: skip
def test_names_that_look_alike(one: str, other: str) -> None:
    assert look_alike(one, other)
    assert alike([one, "Z9", other, one]) == [(one, other)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("L1", "L1"), ("L1", "L2"), ("L1", "L11"), ("S1-11", "S11-1"), ("A", "B"),
        ("123^^^HOSP_A", "123^^^HOSP_B"), ("DOE^JOHN", "DOE^JANE"), ("DOE", "DOE^JOHN"), ("1^^^A", "1^2^M11^A"),
    ],
)  # fmt: skip
def test_names_that_do_not(one: str, other: str) -> None:
    assert not look_alike(one, other)
    assert not alike([one, other])


def entry(**changes: object) -> dict[str, object]:
    points = {"start_col": 1, "start_row": 1, "end_col": 9, "end_row": 9.5}
    return {"image": "a.dcm", "lesion": "L1", "plane": "sagittal", "axis": "long", "reader": "R1", **points, **changes}


def write_json(folder: Path, *entries: dict[str, object]) -> Path:
    path = folder / "calipers.json"
    path.write_text(json.dumps({"calipers": entries}), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"lesion": {"name": "L1"}}, "'lesion' is neither text nor a number"),
        ({"lesion": ["L1"]}, "'lesion' is neither text nor a number"),
        ({"lesion": True}, "'lesion' is neither text nor a number"),
        ({"lesion": 1.5}, "'lesion' is not text"),
        ({"reader": {}}, "'reader' is neither text nor a number"),
        ({"start_col": [1]}, "'start_col' is neither text nor a number"),
        ({"frame": False}, "'frame' is neither text nor a number"),
        ({"fram": 5}, "key 'fram' is not known; did you mean 'frame'?"),
        ({"axis": "absent"}, "an 'absent' row has no end points"),
    ],
)
def test_json_entries_of_a_wrong_type_or_key_are_refused(
    tmp_path: Path, wrong: dict[str, object], complaint: str
) -> None:
    with pytest.raises(TableError) as caught:
        read_calipers(write_json(tmp_path, entry(), entry(**wrong)))
    assert complaint in caught.value.reason
    assert caught.value.reason.startswith("Entry 2")


def test_a_number_is_a_name(tmp_path: Path) -> None:
    assert [c.lesion for c in read_calipers(write_json(tmp_path, entry(lesion=1)))] == ["1"]


def test_an_accent_typed_apart_is_the_same_name(tmp_path: Path) -> None:
    rows = read_calipers(write_json(tmp_path, entry(lesion=CAFE), entry(lesion=APART, axis="short")))
    assert {row.lesion for row in rows} == {CAFE}
    table = tmp_path / "calipers.csv"
    columns = "image,frame,lesion,plane,axis,start_col,start_row,end_col,end_row,reader"
    table.write_text(f"{columns}\n{CAFE}/a.dcm,1,{APART},sagittal,long,1,1,9,9,R1\n", encoding="utf-8")
    (row,) = read_calipers(table)
    assert row.lesion == CAFE
    found, lost = match_calipers([row], studies(make.instance(f"{APART}/a.dcm")))
    assert found
    assert not lost
    subjects = tmp_path / "subjects.csv"
    subjects.write_text(f"subject,targets\n{APART},{APART}\n", encoding="utf-8")
    assert read_subjects(subjects)[CAFE].targets == (CAFE,)


def test_lesion_names_that_look_alike_are_a_doubt() -> None:
    lesions = [make.lesion(30), make.lesion(20, ONE_MONTH, "l1")]
    (doubt,) = contradictions("S1", lesions, None)
    assert "L1 and l1 look alike" in doubt.refusal.reason
    assert [d.refusal.code for d in contradictions("S1", lesions[:1], Enrolled(subject="S1", targets=("l1",)))] == [
        "names_look_alike"
    ]


def studies(*images: Instance) -> StudyList:
    groups: dict[tuple[str, str], list[Instance]] = {}
    for image in images:
        groups.setdefault((image.study_instance_uid, image.subject), []).append(image)
    return StudyList(
        tuple(
            Study(
                study_instance_uid=uid,
                subject=subject,
                study_date=some[0].study_date,
                time_point=None,
                instances=tuple(some),
            )
            for (uid, subject), some in groups.items()
        )
    )


def image(path: str, days: int = 0, **changes: object) -> Instance:
    known = make.instance(path)
    assert known.study_date
    uid = f"1.2.{path.split('/')[0].encode().hex()}.{days}".replace("a", "1").replace("b", "2")
    day = known.study_date + timedelta(days=days)
    return make.instance(
        path, study_date=day, study_instance_uid="".join(c for c in uid if c in "0123456789."), **changes
    )


class TestSeveralPatientsOfOneSubject:
    def test_they_are_refused_and_named(self) -> None:
        images = [image(f"p{n}/a.dcm", patient=f"MRN{n}", subject="T1") for n in range(3)]
        children, refusals = assign_visits(studies(*images))
        assert not children
        (refusal,) = (r for r in refusals if r.code == "several_patients")
        assert refusal.subject == "T1"
        assert all(f"MRN{n}" in refusal.reason for n in range(3))

    def test_a_manifest_that_names_the_subject_of_each_counts(self) -> None:
        images = [image(f"p{n}/a.dcm", patient=f"MRN{n}", subject="T1") for n in range(2)]
        rows = tuple(ManifestRow(key=f"p{n}", line=n + 2, visit=BASELINE, subject=f"S{n}") for n in range(2))
        children, _ = assign_visits(studies(*images), manifest=Manifest("m.csv", rows))
        assert [child.subject for child in children] == ["S0", "S1"]

    @pytest.mark.parametrize(
        ("patients", "one"),
        [
            (("mrn-1", "MRN-01", ""), True),
            (("123", "123^^^HOSP_A", "0123^^^hosp-a"), True),
            (("123^^^HOSP_A", "123^^^HOSP_B"), False),
            (("123", "123^^^HOSP_A", "123^^^HOSP_B"), False),  # the bare number is of either, and they are two
            (("DOE^JOHN", "DOE^JANE"), False),
        ],
    )
    def test_one_patient_written_in_two_ways_is_one(self, patients: tuple[str, ...], one: bool) -> None:
        images = [image(f"p/{n}.dcm", patient=name, subject="T1") for n, name in enumerate(patients)]
        children, refusals = assign_visits(studies(*images))
        assert [child.subject for child in children] == ["T1"] * one
        assert ("several_patients" in [refusal.code for refusal in refusals]) is not one


@pytest.mark.parametrize(
    ("patients", "codes", "doubted"),
    [
        (["P1", "P1"], ["T1", "P1"], {"T1", "P1"}),  # the trial's code is in part of the studies
        (["P1", "P1", "P2"], ["T1", "T2", "T3"], {"T1", "T2"}),
        (["ANON", "ANON", "ANON"], ["T1", "T2", "T3"], set()),  # one number in place of all
        (["P1", "P1", "P1"], ["T1", "T2", "P1"], {"T1", "T2", "P1"}),
        (["", "", "P3"], ["T1", "T2", "T3"], set()),
        (["P1", "P1^^^HOSP"], ["T1", "P1^^^HOSP"], {"T1", "P1^^^HOSP"}),
        (["P1", "p1", "p1"], ["T1", "p1", "p1"], {"T1", "p1"}),
        (["P1^^^A", "P1^^^B"], ["T1", "T2"], set()),  # two hospitals' P1
        (["P1^^^A", "P1^^^B", "P1"], ["T1", "T2", "T3"], {"T1", "T2", "T3"}),  # the third is of either
        (["ANON", "anon", "Anon"], ["T1", "T2", "T3"], set()),
    ],
)
def test_a_patient_under_two_subjects_is_a_doubt_of_both(
    patients: list[str], codes: list[str], doubted: set[str]
) -> None:
    images = [
        image(f"{n}/a.dcm", days=n, patient=patient, subject=code)
        for n, (patient, code) in enumerate(zip(patients, codes, strict=True))
    ]
    children, _ = assign_visits(studies(*images))
    assert {child.subject for child in children} == {*codes}
    assert {c.subject for c in children if {d.refusal.code for d in c.doubts} == {"patient_shared"}} == doubted
    rows = tuple(ManifestRow(key=f"{n}", line=n + 2, visit=BASELINE, subject=code) for n, code in enumerate(codes))
    named, _ = assign_visits(studies(*images), manifest=Manifest("m.csv", rows))
    assert not [d for child in named for d in child.doubts if d.refusal.code == "patient_shared"]


def test_subjects_that_look_alike_are_a_doubt_of_both() -> None:
    images = [image("a/a.dcm", subject="ab-01"), image("b/a.dcm", subject="AB-01"), image("c/a.dcm", subject="C-7")]
    children, _ = assign_visits(studies(*images))
    doubts = {child.subject: [d.refusal.code for d in child.doubts] for child in children}
    assert doubts == {"ab-01": ["subjects_look_alike"], "AB-01": ["subjects_look_alike"], "C-7": []}


class TestManifestAgainstTheFiles:
    def doubts(self, *rows: ManifestRow, **changes: str) -> dict[str, set[str]]:
        images = [
            image(f"{s}/d{d}/{n}.dcm", d, subject=s) for s in ("S1", "S2") for d in (0, 30) for n in range(2)
        ]  # fmt: skip
        children, _ = assign_visits(studies(*images), manifest=Manifest("m.csv", rows))
        return {child.subject: {d.refusal.code for d in child.doubts} for child in children}

    def test_what_the_dates_bear_out_is_no_doubt(self) -> None:
        rows = [ManifestRow(key=f"S1/d{d}", line=d, visit=v) for d, v in ((0, BASELINE), (30, ONE_MONTH))]
        assert self.doubts(*rows) == {"S1": set(), "S2": set()}

    def test_one_image_in_another_visit(self) -> None:
        rows = [
            ManifestRow(key="S1/d0/0.dcm", line=2, visit=ONE_MONTH),
            ManifestRow(key="S1/d0/1.dcm", line=3, visit=BASELINE),
            ManifestRow(key="S1/d30", line=4, visit=ONE_MONTH),
        ]  # fmt: skip
        assert self.doubts(*rows)["S1"] >= {"manifest_splits_study", "manifest_against_dates"}

    def test_visits_in_the_opposite_order(self) -> None:
        rows = [ManifestRow(key=f"S1/d{d}", line=d, visit=v) for d, v in ((30, BASELINE), (0, ONE_MONTH))]
        assert self.doubts(*rows)["S1"] == {"manifest_against_dates"}

    def test_one_image_of_another_subject(self) -> None:
        rows = [
            ManifestRow(key=f"S1/d0/{n}.dcm", line=n, visit=BASELINE, subject=s) for n, s in enumerate(("S1", "S2"))
        ]  # fmt: skip
        found = self.doubts(*rows)
        assert "manifest_against_subjects" in found["S1"] & found["S2"]

    def test_subjects_that_are_renamed_one_by_one_are_no_doubt(self) -> None:
        rows = [
            ManifestRow(key=f"{s}/d{d}", line=d, visit=v, subject=f"T{s}")
            for s in ("S1", "S2") for d, v in ((0, BASELINE), (30, ONE_MONTH))
        ]  # fmt: skip
        assert self.doubts(*rows) == {"TS1": set(), "TS2": set()}


def rows_of(*names: str) -> dict[str, Enrolled]:
    return {name: Enrolled(subject=name) for name in names}


@pytest.mark.parametrize(
    ("table", "marked"),
    [
        (("S1", "S2", "S3", "S4"), set()),
        (("S1", "S2", "S3"), {"S4"}),  # most are there: its row was dropped
        (("S1",), set()),  # a list of some
        (("S1", "s2"), {"S2"}),  # another spelling
        (("S1", "Z-99999"), {"S2", "S3", "S4"}),  # whoever that is
        ((), set()),
    ],
)
def test_children_whose_row_seems_lost(table: tuple[str, ...], marked: set[str]) -> None:
    assert {d.refusal.subject for d in not_in_table(rows_of(*table), ["S1", "S2", "S3", "S4"])} == marked


def test_an_age_in_another_unit_is_asked_about() -> None:
    ages = (0.0, 24.0)
    assert [r.code for r in other_unit(Enrolled(subject="S1", age_days=152 * 30.4375), ages)] == ["age_unit"]
    assert other_unit(Enrolled(subject="S1", age_days=152), ages) == ()
    assert other_unit(Enrolled(subject="S1"), ages) == ()
    assert [r.code for r in other_unit(Enrolled(subject="S1", age_days=5), (1.0, 24.0))] == ["age_unit"]


def test_the_table_calls_a_lesion_new_that_nobody_measured() -> None:
    table = Enrolled(subject="S1", new_lesions=("L7",))
    assert [d.refusal.code for d in contradictions("S1", [make.lesion(30)], table)] == ["new_lesion_not_measured"]


def test_the_longest_diameter_takes_the_reader_of_its_own_lesion() -> None:
    lesions = [
        make.lesion(40), make.lesion(30, ONE_MONTH),
        make.lesion(20, name="L2"), make.lesion(15, ONE_MONTH, "L2", reader="R2"),
    ]  # fmt: skip
    changes, _ = compare_subject("S1", lesions)
    own = {c.metric: c.same_reader for c in changes if c.lesion is None}
    assert own[Metric.LONGEST_DIAMETER]
    assert not own[Metric.SUM_OF_DIAMETERS]
    one = next(c for c in changes if c.lesion == "L1" and c.metric is Metric.LONGEST_DIAMETER)
    whole = next(c for c in changes if c.lesion is None and c.metric is Metric.LONGEST_DIAMETER)
    assert whole.percent_ci95 == one.percent_ci95


class TestWhoseRowsTheseAre:
    images = tuple(
        image(f"{s}/{v}/{n}_transverse.dcm", d, subject=s)
        for s in ("SIM-01", "SIM-02", "SIM-03") for v, d in (("baseline", 0), ("one_month", 30)) for n in ("L1", "L2")
    )  # fmt: skip

    def bound(self, name: str, *drawn: str, **changes: object) -> dict[str, tuple[str | None, str | None]]:
        """Child -> visit and lesion of the doubt; rows lie on the images ``drawn``."""
        all_studies = studies(*self.images)
        children, _ = assign_visits(all_studies)
        rows = [make.caliper(image=path) for path in drawn] + [make.caliper(image=name, row_number=7, **changes)]
        found, lost = match_calipers(rows, all_studies)
        doubts = bind(lost, children, found).doubts
        return {code: (some[0].refusal.visit, some[0].refusal.lesion) for code, some in doubts.items()}

    def test_the_code_in_the_path(self) -> None:
        assert self.bound("sim-02/baseline/Ll_transverse.dcm") == {"SIM-02": ("baseline", "L1")}
        assert self.bound("export/SIM-02_x.dcm", "SIM-01/baseline/L1_transverse.dcm").keys() == {"SIM-02"}

    def test_a_visit_that_the_path_does_not_tell(self) -> None:
        assert self.bound("SIM-02/L1_transverse.dcm") == {"SIM-02": (None, "L1")}

    def test_a_slip_in_the_code_is_held_against_all_that_it_may_be(self) -> None:
        assert self.bound("SIM-0/baseline/L1_transverse.dcm").keys() == {"SIM-01", "SIM-02", "SIM-03"}

    def test_who_has_these_rows_already_lacks_nothing(self) -> None:
        drawn = [f"SIM-0{n}/baseline/L1_transverse.dcm" for n in (1, 3)]
        assert self.bound("SIM-0/baseline/L1_transverse.dcm", *drawn).keys() == {"SIM-02"}

    def test_a_uid_with_a_wrong_digit(self) -> None:
        uid = "1.2.840.99.1"
        images = (image("q/a.dcm", subject="Q", sop_instance_uid=uid), *self.images)
        children, _ = assign_visits(studies(*images))
        found, lost = match_calipers([make.caliper(image="1.2.840.98.1")], studies(*images))
        assert bind(lost, children, found).doubts.keys() == {"Q"}

    def test_where_nothing_tells_it_is_all(self) -> None:
        assert self.bound("IMG_0007.jpg").keys() == {"SIM-01", "SIM-02", "SIM-03"}

    def test_rows_of_a_study_between_the_visits_change_nothing(self) -> None:
        late = image("SIM-01/later/L1_transverse.dcm", 200, subject="SIM-01")
        all_studies = studies(*self.images, late)
        children, refusals = assign_visits(all_studies)
        rows = {late.sop_instance_uid: (make.caliper(image=late.path),)}
        assert [r.code for r in refusals] == []
        assert list(children[0].visits)[-1] == "day_200"
        assert not list(of_no_visit(rows, all_studies, children, refusals))

    def test_rows_of_a_study_whose_visit_is_unclear(self) -> None:
        child = SubjectVisits(subject="SIM-01", visits={BASELINE: tuple(studies(self.images[0]))}, sources={})
        other = image("SIM-01/other/L1_transverse.dcm", 60, subject="SIM-01")
        refusal = Refusal(code="ambiguous_visit", reason="Which?", path=other.path, subject="SIM-01")
        rows = {other.sop_instance_uid: (make.caliper(image=other.path, lesion="L4"),)}
        (lost,) = of_no_visit(rows, studies(self.images[0], other), [child], [refusal])
        assert "Which?" in lost.refusal.reason
        assert bind([lost], [child], {}).doubts.keys() == {"SIM-01"}


@pytest.mark.parametrize(
    ("scanned", "table"), [("00123", "123"), ("1E5", "100000"), ("100000", "1E+05"), ("12", "13"), ("AB1", "AB01")]
)
def test_a_code_that_a_spreadsheet_took_for_a_number(scanned: str, table: str) -> None:
    """1E5 is 100000; 12 is not 13, and letters make no number."""
    (doubt,) = not_in_table(rows_of(table), [scanned])
    said = f"Is '{table}' perhaps '{scanned}', which a spreadsheet took for a number?" in doubt.refusal.remedy
    assert said is (scanned not in ("12", "AB1"))


def test_the_child_whose_code_became_a_number_is_the_one_that_waits() -> None:
    """Of three children without a row, the row 123 can be that of 00123 alone."""
    found = not_in_table(rows_of("S1", "123"), ["S1", "00123", "K7", "Q9"])
    assert [doubt.refusal.subject for doubt in found] == ["00123"]
