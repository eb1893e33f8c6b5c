"""Studies to visits: dates, time points, manifest; what is unclear is refused with its candidates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

import make
from lesion_measure import spelling
from lesion_measure.errors import TableError
from lesion_measure.records import (
    BASELINE,
    ONE_MONTH,
    TRIAL,
    ImageLabel,
    Instance,
    Plane,
    Refusal,
    Schedule,
    Study,
    StudyList,
    SubjectVisits,
    TimePoint,
    in_words,
)
from lesion_measure.studies import assign_visits
from lesion_measure.tables.manifest import Manifest, ManifestRow, read_manifest
from lesion_measure.verdict.doubts import why_not_certain

DAY = date(2024, 1, 1)


def study(days: int | None, *, name: str = "", images: int = 1, subject: str = "S1", point: str | None = None) -> Study:
    """A study ``days`` after DAY with files ``<subject>/<name>/<n>.dcm``."""
    name = name or f"d{days}"
    day = None if days is None else DAY + timedelta(days=days)
    uid = f"1.2.{sum(map(ord, subject))}.{int.from_bytes(name.encode(), 'big')}"
    members = tuple(
        make.instance(
            f"{subject}/{name}/{number}.dcm",
            sop_instance_uid=f"{uid}.{number}", study_instance_uid=uid, subject=subject, study_date=day,
            time_point=point,
        )
        for number in range(images)
    )  # fmt: skip
    return Study(study_instance_uid=uid, subject=subject, study_date=day, time_point=point, instances=members)


def assign(
    *studies: Study,
    manifest: Manifest | None = None,
    schedule: Schedule | None = TRIAL,
    refusals: Iterable[Refusal] = (),
) -> tuple[dict[str, SubjectVisits], tuple[Refusal, ...]]:
    children, refused = assign_visits(StudyList(studies, tuple(refusals)), schedule=schedule, manifest=manifest)
    return {child.subject: child for child in children}, refused


def with_window(first: int, last: int) -> Schedule:
    """The trial's schedule with another window of the 1-month visit."""
    *before, month = TRIAL.points
    return Schedule((*before, replace(month, window=(first, last))), TRIAL.primary)


def days_of(child: SubjectVisits) -> dict[str, list[int | None]]:
    return {
        str(visit): [(s.study_date - DAY).days if s.study_date else None for s in studies]
        for visit, studies in child.visits.items()
    }


def codes(refusals: Iterable[Refusal]) -> list[str]:
    return [refusal.code for refusal in refusals]


def manifest(tmp_path: Path, *rows: str) -> Manifest:
    path = tmp_path / "visits.csv"
    path.write_text("path,subject,visit,plane,lesion\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return read_manifest(path)


def test_a_study_in_the_window_of_a_visit_that_has_a_nearer_one_says_so() -> None:
    child = assign(study(0), study(27), study(30))[0]["S1"]
    assert days_of(child) == {"baseline": [0], "day_27": [27], "one_month": [30]}
    (warning,) = child.warnings
    assert "is 27 days after the baseline of 2024-01-01 and is not the nearest to 1 month" in warning


def test_a_study_nearer_to_a_visit_than_the_one_that_the_manifest_calls_so(tmp_path: Path) -> None:
    named = manifest(tmp_path, "S1/d0,,baseline,,", "S1/d40,,one_month,,")
    child = assign(study(0), study(30), study(40), manifest=named)[0]["S1"]
    assert days_of(child) == {"baseline": [0], "day_30": [30], "one_month": [40]}
    (warning,) = child.warnings
    assert "is 30 days after the baseline of 2024-01-01 and is not the one that the manifest calls 1 month" in warning


@pytest.mark.parametrize(("day", "doubted"), [(13, True), (14, False), (45, False), (90, True)])
def test_a_time_point_off_its_window_may_be_of_another_scheme_of_visits(
    day: int, doubted: bool, tmp_path: Path
) -> None:
    """Where screening is V1, baseline is V2 on day 90, which is 1 month by the schedule's words."""
    by_words = study(0, point="V1"), study(day, point="V2")
    child = assign(*by_words)[0]["S1"]
    assert days_of(child) == {"baseline": [0], "one_month": [day]}
    assert [d.refusal.code for d in child.doubts] == ["time_point_against_dates"] * doubted
    named = manifest(tmp_path, "S1/d0,,baseline,,", f"S1/d{day},,one_month,,")
    assert assign(*by_words, manifest=named)[0]["S1"].doubts == ()
    baseline_alone = manifest(tmp_path, "S1/d0,,baseline,,")
    child = assign(*by_words, manifest=baseline_alone)[0]["S1"]
    assert [d.refusal.code for d in child.doubts] == ["time_point_against_dates"] * doubted


THREE_MONTHS = TimePoint(name="three_months", label="3 months", day=90, window=(80, 100), words=("v3",))


@pytest.mark.parametrize(
    ("days", "doubted"),
    [
        ((0, 30, 100), []),
        ((0, 30, 101), ["three_months"]),
        ((0, 46, 100), [None]),  # the first: V1 may be a screening
        ((0, 46, 101), [None, "three_months"]),
        ((0, None, 101), [None]),
    ],
)
def test_a_later_time_point_off_its_window_leaves_the_visits_before_it(
    days: tuple[int | None, ...], doubted: list[str | None]
) -> None:
    schedule = Schedule((*TRIAL.points, THREE_MONTHS), ONE_MONTH)
    studies = [study(day, point=f"V{n}") for n, day in enumerate(days, start=1) if day is not None]
    child = assign(*studies, schedule=schedule)[0]["S1"]
    assert [d.refusal.visit for d in child.doubts] == doubted
    assert bool(why_not_certain(child.doubts)) == (None in doubted)
    assert bool(why_not_certain(child.doubts, (BASELINE, "three_months"))) == bool(doubted)


def test_dates_that_a_manifest_puts_into_one_visit_leave_the_others(tmp_path: Path) -> None:
    rows = (f"S1/d{d},,{v},," for d, v in ((0, "baseline"), (30, "one_month"), (85, "day_85"), (90, "day_85")))
    child = assign(*map(study, (0, 30, 85, 90)), manifest=manifest(tmp_path, *rows))[0]["S1"]
    assert [(d.refusal.code, d.refusal.visit) for d in child.doubts] == [("manifest_against_dates", "day_85")]
    assert not why_not_certain(child.doubts)


class TestDates:
    @pytest.mark.parametrize(
        ("days", "expected", "refused"),
        [
            ([0, 30], {"baseline": [0], "one_month": [30]}, []),
            ([0, 14], {"baseline": [0], "one_month": [14]}, []),
            ([0, 45], {"baseline": [0], "one_month": [45]}, []),
            ([0, 13], {"baseline": [0], "day_13": [13]}, ["missing_visit"]),
            ([0, 46], {"baseline": [0], "day_46": [46]}, ["missing_visit"]),
            ([0, 20, 33], {"baseline": [0], "day_20": [20], "one_month": [33]}, []),
            ([0], {"baseline": [0]}, ["missing_visit"]),
            ([0, 200], {"baseline": [0], "day_200": [200]}, ["missing_visit"]),
            ([0, 90, 120], {"screening": [0], "baseline": [90], "one_month": [120]}, []),
            ([0, 30, 90], {"baseline": [0], "one_month": [30], "day_90": [90]}, []),
            # equally near
            ([0, 25, 35], {"baseline": [0]}, ["ambiguous_visit"]),
        ],
    )
    def test_rules(self, days: list[int], expected: dict[str, list[int]], refused: list[str]) -> None:
        children, refusals = assign(*(study(day) for day in reversed(days)))
        assert days_of(children["S1"]) == expected
        assert codes(refusals) == refused
        assert all(source == "StudyDate" for source in children["S1"].sources.values())

    @pytest.mark.parametrize("days", [[0, 30, 90, 120], [0, 90], [0, 75, 90, 120], [0, 50, 90, 120]])
    def test_first_study_screening_or_baseline(self, days: list[int]) -> None:
        children, refusals = assign(*(study(day) for day in days))
        assert not children
        (refusal,) = refusals
        assert refusal.code == "ambiguous_visit"
        assert refusal.subject == "S1"
        for candidate in (DAY, DAY + timedelta(days=90)):
            assert candidate.isoformat() in refusal.reason
        assert "manifest" in refusal.remedy

    def test_equally_near_names_both(self) -> None:
        _, (refusal,) = assign(study(0), study(25), study(35))
        assert "2024-01-26" in refusal.reason
        assert "2024-02-05" in refusal.reason

    def test_no_visit_names_date_and_window(self) -> None:
        children, _ = assign(study(0), study(60 - 10))
        (warning,) = children["S1"].warnings
        assert "2024-02-20" in warning
        assert "14 to 45 days" in warning
        assert children["S1"].schedule.scheduled("day_50") is False

    def test_same_date_is_one_visit(self) -> None:
        children, refusals = assign(study(0, name="a"), study(0, name="b"), study(30))
        assert days_of(children["S1"]) == {"baseline": [0, 0], "one_month": [30]}
        assert not refusals

    def test_no_date(self) -> None:
        children, refusals = assign(study(None, name="x"), study(0))
        assert days_of(children["S1"]) == {"baseline": [0], "undated": [None]}
        assert codes(refusals) == ["no_date", "missing_visit"]
        assert refusals[0].path == "S1/x/0.dcm"

    def test_several_without_a_date_are_several_visits(self) -> None:
        """Nothing says that they are of one day, so no two of them are measured as one."""
        children, refusals = assign(study(None, name="x"), study(None, name="y"))
        assert days_of(children["S1"]) == {"undated": [None], "undated_2": [None]}
        assert codes(refusals) == ["no_date", "no_date"]

    @pytest.mark.parametrize(
        ("days", "expected", "primary"),
        [
            ([5], {"baseline": [5]}, None),
            ([0, 61], {"baseline": [0], "day_61": [61]}, "day_61"),
            ([100, 0, 14], {"baseline": [0], "day_14": [14], "day_100": [100]}, "day_100"),
        ],
    )
    def test_without_a_schedule_each_study_day_is_a_visit(
        self, days: list[int], expected: dict[str, list[int]], primary: str | None
    ) -> None:
        children, refusals = assign(*map(study, days), schedule=None)
        assert days_of(children["S1"]) == expected
        assert list(children["S1"].visits) == list(expected)
        assert children["S1"].schedule.primary == primary
        assert not refusals
        assert not children["S1"].warnings

    def test_window_is_a_setting(self) -> None:
        children, _ = assign(study(0), study(50), schedule=with_window(20, 55))
        assert days_of(children["S1"])["one_month"] == [50]

    def test_subjects_apart(self) -> None:
        children, refusals = assign(study(0), study(30), study(5, subject="S0"), study(36, subject="S0"))
        assert list(children) == ["S0", "S1"]
        assert days_of(children["S0"]) == {"baseline": [5], "one_month": [36]}
        assert not refusals


class TestTimePoints:
    def test_win_over_dates(self) -> None:
        children, refusals = assign(
            study(0, point=" Screening"), study(20, point="BASELINE"), study(90, point="Month  1")
        )
        child = children["S1"]
        assert days_of(child) == {"screening": [0], "baseline": [20], "one_month": [90]}
        assert not refusals
        assert set(child.sources.values()) == {"ClinicalTrialTimePointID"}
        assert "70 days after baseline" in child.warnings[0]

    def test_without_dates(self) -> None:
        children, refusals = assign(study(None, name="a", point="v1"), study(None, name="b", point="v2"))
        assert days_of(children["S1"]) == {"baseline": [None], "one_month": [None]}
        assert not refusals

    def test_two_dates_of_one_name(self) -> None:
        children, refusals = assign(study(0, point="v1"), study(7, point="v1"), study(35, point="v2"))
        assert days_of(children["S1"]) == {"one_month": [35]}
        assert codes(refusals) == ["ambiguous_visit"]
        assert "2024-01-01, 2024-01-08" in refusals[0].reason

    @pytest.mark.parametrize("point", ["V 2", "1-Month", "ONE_MONTH", "month1", "Week 4", "one-month", "D30"])
    def test_spellings(self, point: str) -> None:
        children, _ = assign(study(0, point="Base-line"), study(30, point=point))
        assert days_of(children["S1"]) == {"baseline": [0], "one_month": [30]}

    @pytest.mark.parametrize("point", ["month -1", "m-1", "month-1"])
    def test_a_minus_is_no_hyphen(self, point: str) -> None:
        _, refusals = assign(study(0, point="baseline"), study(30, point=point))
        assert "unknown_time_point" in codes(refusals)

    def test_one_date_for_all_visits(self) -> None:
        """As de-identification leaves them: the time points still tell the visits apart."""
        children, refusals = assign(study(0, name="a", point="v1"), study(0, name="b", point="v2"))
        assert days_of(children["S1"]) == {"baseline": [0], "one_month": [0]}
        assert not refusals
        assert children["S1"].warnings == ("baseline and one month are both dated 2024-01-01",)

    def test_contradicting_dates(self) -> None:
        children, refusals = assign(study(30, name="a", point="v1"), study(0, name="b", point="v2"))
        assert not children
        assert codes(refusals) == ["ambiguous_visit"]
        assert "contradict" in refusals[0].reason

    def test_unknown_falls_back_on_dates_only_without_any_known(self) -> None:
        children, refusals = assign(study(0, point="T0"), study(30, point="T4W"))
        assert days_of(children["S1"]) == {"baseline": [0], "one_month": [30]}
        assert "T0, T4W" in children["S1"].warnings[0]
        assert not refusals
        children, refusals = assign(study(0, point="v1"), study(30, point="T4W"), study(31))
        assert days_of(children["S1"]) == {"baseline": [0], "day_30": [30], "day_31": [31]}
        assert codes(refusals) == ["unknown_time_point", "unknown_time_point", "missing_visit"]
        assert "'T4W'" in refusals[0].reason
        assert "baseline" in refusals[0].remedy

    def test_unlabelled_of_the_same_date_joins(self) -> None:
        children, refusals = assign(study(0, point="v1"), study(0, name="more"), study(30, point="v2"))
        assert days_of(children["S1"]) == {"baseline": [0, 0], "one_month": [30]}
        assert not refusals


class TestUnclearStudies:
    def test_no_subject(self) -> None:
        children, (refusal,) = assign(study(0, subject=""))
        assert not children
        assert refusal.code == "no_subject"

    def test_mixed_subjects(self, tmp_path: Path) -> None:
        one, other = study(0, name="x"), study(0, name="x", subject="S2")
        moved = tuple(replace(i, study_instance_uid=one.study_instance_uid) for i in other.instances)
        mixed = replace(other, study_instance_uid=one.study_instance_uid, instances=moved)
        children, refusals = assign(one, mixed)
        assert not children
        assert codes(refusals) == ["mixed_subjects", "mixed_subjects"]
        assert all("'S1', 'S2'" in refusal.reason for refusal in refusals)
        children, refusals = assign(one, mixed, manifest=manifest(tmp_path, ".,S9,baseline,,"))
        assert list(children) == ["S9"]

    def test_images_of_one_study_disagree(self) -> None:
        both = study(0, images=2)
        for change in ({"study_date": DAY + timedelta(days=1)}, {"time_point": "v1"}):
            first, second = both.instances
            first = replace(first, time_point="v2" if "time_point" in change else None)
            changed: Instance = replace(second, **change)
            children, refusals = assign(replace(both, instances=(first, changed)))
            assert not children
            assert codes(refusals) == ["ambiguous_visit"]

    def test_shared_sop_instance_uid(self) -> None:
        both = study(0, images=3)
        first, second, third = both.instances
        same = replace(second, sop_instance_uid=first.sop_instance_uid)
        children, refusals = assign(replace(both, instances=(first, same, third)))
        assert codes(refusals) == ["ambiguous_uid", "ambiguous_uid", "missing_visit"]
        assert second.path in refusals[0].reason
        assert [i.path for s in children["S1"].visits[BASELINE] for i in s.instances] == [third.path]


class TestManifestCopies:
    """A file that lies in the input twice is one image under two paths."""

    def test_a_row_may_name_a_second_copy(self) -> None:
        taken = study(None, name="a")
        copy = Refusal(
            code="duplicate", reason="", path="z/0.dcm", sop_instance_uid=taken.instances[0].sop_instance_uid
        )
        rows = Manifest("m.csv", (ManifestRow("z", 2, ONE_MONTH),))
        children, _ = assign(taken, manifest=rows, refusals=[copy])
        assert list(children["S1"].visits) == [ONE_MONTH]


class TestManifest:
    def test_target_lesions(self, tmp_path: Path) -> None:
        path = tmp_path / "visits.csv"
        path.write_text("path,subject,visit,plane,lesion,target\nS1/d0,,baseline,,L1,yes\nS1/d30,,one_month,,L2,\n")
        studies = StudyList((study(0), study(30)))
        labels = read_manifest(path).labels(studies).values()
        assert {label.lesion: label.target for label in labels} == {"L1": True, "L2": False}
        path.write_text("path,subject,visit,plane,lesion\nS1/d0,,baseline,,Liver\n")
        with pytest.raises(TableError, match="Line 2: the lesion name 'liver' is kept for the organ"):
            read_manifest(path)
        for cell in ("L1,perhaps", ",yes"):
            path.write_text(f"path,subject,visit,plane,lesion,target\nS1/d0,,baseline,,{cell}\n")
            with pytest.raises(TableError, match="Line 2: target"):
                read_manifest(path)

    def test_wins(self, tmp_path: Path) -> None:
        studies = [study(0, point="v2"), study(30, point="v1")]
        said = manifest(tmp_path, "S1/d0,,Baseline,,", f"{studies[1].study_instance_uid},S1,one month,,")
        children, refusals = assign(*studies, manifest=said)
        assert days_of(children["S1"]) == {"baseline": [0], "one_month": [30]}
        assert set(children["S1"].sources.values()) == {"manifest"}
        assert not refusals

    def test_rest_is_counted_from_its_baseline(self, tmp_path: Path) -> None:
        studies = [study(0), study(40), study(90), study(119), study(300)]
        children, refusals = assign(*studies, manifest=manifest(tmp_path, "S1/d90,,baseline,,"))
        assert days_of(children["S1"]) == {
            "screening": [0], "day_minus_50": [40], "baseline": [90], "one_month": [119], "day_210": [300]
        }  # fmt: skip
        assert list(children["S1"].visits) == ["screening", "day_minus_50", "baseline", "one_month", "day_210"]
        assert children["S1"].sources[BASELINE] == "manifest"
        assert {v: s for v, s in children["S1"].sources.items() if v != BASELINE} == dict.fromkeys(
            ("screening", "day_minus_50", "one_month", "day_210"), "StudyDate"
        )
        assert not refusals
        studies[1] = study(30)
        children, refusals = assign(*studies, manifest=manifest(tmp_path, "S1/d90,,baseline,,"))
        assert days_of(children["S1"]) == {"baseline": [90], "one_month": [119], "day_210": [300]}
        assert codes(refusals) == ["ambiguous_visit"]
        assert "2024-01-01 or 2024-01-31" in refusals[0].reason

    def test_rest_without_its_baseline_is_refused(self, tmp_path: Path) -> None:
        children, refusals = assign(study(0), study(30), manifest=manifest(tmp_path, "S1/d30,,one_month,,"))
        assert days_of(children["S1"]) == {"one_month": [30]}
        assert codes(refusals) == ["ambiguous_visit", "missing_visit"]

    def test_header_label_gives_way(self, tmp_path: Path) -> None:
        studies = [study(0), study(10, point="v1"), study(30, point="v2")]
        children, refusals = assign(*studies, manifest=manifest(tmp_path, "S1/d0,,baseline,,"))
        assert days_of(children["S1"]) == {"baseline": [0], "one_month": [30]}
        assert codes(refusals) == ["ambiguous_visit"]

    def test_files_of_one_study_in_two_visits(self, tmp_path: Path) -> None:
        said = manifest(tmp_path, "S1/d0/0.dcm,,baseline,,", "S1/d0/1.dcm,,one_month,,")
        children, refusals = assign(study(0, images=2), manifest=said)
        assert {v: [i.path for s in ss for i in s.instances] for v, ss in children["S1"].visits.items()} == {
            BASELINE: ["S1/d0/0.dcm"],
            ONE_MONTH: ["S1/d0/1.dcm"],
        }
        assert not refusals
        assert children["S1"].warnings
        _, refusals = assign(study(0, images=3), manifest=said)
        assert codes(refusals) == ["ambiguous_visit"]

    def test_labels_and_subject(self, tmp_path: Path) -> None:
        one = study(0, images=3, subject="")
        said = manifest(
            tmp_path,
            ".\\,S7,baseline,,",
            f"{one.instances[0].sop_instance_uid},,baseline,Transverse,L1",
            f"./{one.instances[1].path},,baseline,,L1",
        )
        children, _ = assign(one, manifest=said)
        assert list(children) == ["S7"]
        labels = said.labels(StudyList((one,)))
        assert labels == {
            one.instances[0].sop_instance_uid: ImageLabel(Plane.TRANSVERSE, "L1"),
            one.instances[1].sop_instance_uid: ImageLabel(None, "L1"),
        }

    @pytest.mark.parametrize(
        ("rows", "message"),
        [
            (["S1/d0,,week 9,,"], r"Line 2: visit 'week 9' is not known\. It is one of"),
            (["S1/d0,,basline,,"], r"Line 2: visit 'basline' is not known; did you mean 'baseline'\?"),
            (["S1/d0,,baseline,upside,"], "Line 2: plane 'upside'"),
            (["S1/d0,,,,"], "Line 2: visit ''"),
            ([",,baseline,,"], "Line 2: path is empty"),
            (["S1/d0,,baseline,,", "S1/nothing,,baseline,,"], "Line 3: 'S1/nothing'"),
            (["S1/d,,baseline,,"], "Line 2: 'S1/d'"),
            (["S1/d0,,baseline,,", "S1/d0/0.dcm,,one_month,,"], "Lines 2 and 3 .*baseline.*one_month"),
            (["S1,,baseline,sagittal,", "S1/d0,,baseline,coronal,"], "Lines 2 and 3"),
            ([], "no rows"),
        ],
    )
    def test_wrong_rows(self, tmp_path: Path, rows: list[str], message: str) -> None:
        with pytest.raises(TableError, match=message):
            assign(study(0), manifest=manifest(tmp_path, *rows))

    def test_row_of_a_refused_file_is_no_mistake(self, tmp_path: Path) -> None:
        said = manifest(tmp_path, "S1/d0,,baseline,,", "S1/broken/x.dcm,,one_month,,", "S1/broken,,one_month,,")
        broken = Refusal(code="unreadable", reason="-", path="S1/broken/x.dcm")
        children, _ = assign(study(0), manifest=said, refusals=[broken])
        assert days_of(children["S1"]) == {"baseline": [0]}


def test_a_visit_is_called_the_same_in_every_message() -> None:
    assert [in_words(visit) for visit in ("one_month", "day_61", "day_minus_7", "undated_2")] == [
        "one month", "day 61", "day -7", "undated 2",
    ]  # fmt: skip


def test_no_subject_is_compared_with_every_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """3,600 subjects would be compared 13 million times."""
    read: list[str] = []
    readings = spelling._readings
    monkeypatch.setattr(spelling, "_readings", lambda name: read.append(name) or readings(name))  # type: ignore[func-returns-value]
    codes_of = [f"S{number:03}" for number in range(1, 200)]
    children, _ = assign(*(study(0, subject=code, name=code) for code in [*codes_of, "S7"]))
    assert len(children) == 200
    assert [doubt.refusal.code for doubt in children["S7"].doubts].count("subjects_look_alike") == 1
    assert [doubt.refusal.code for doubt in children["S007"].doubts].count("subjects_look_alike") == 1
    assert len(read) < 20 * len(children)
