"""What a reader wrote and could not be used holds the verdict, and such a lesion is not evaluable, never new."""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import generate_uid
from typer.testing import CliRunner

import make
from csv_files import csv_rows
from lesion_measure.cli import app
from lesion_measure.cohort.responders import responders
from lesion_measure.config import Config
from lesion_measure.job.outcome import outcome
from lesion_measure.job.request import RunRequest
from lesion_measure.job.who_counts import misnamed, no_adjudicator
from lesion_measure.pipeline import run
from lesion_measure.records import (
    BASELINE,
    ONE_MONTH,
    SCREENING,
    Doubt,
    Fate,
    Plane,
    Refusal,
    RunResult,
    Status,
    Study,
    SubjectResult,
    SubjectVisits,
)
from lesion_measure.results import read_results
from lesion_measure.verdict.doubts import unmeasured, why_not_certain
from lesion_measure.verdict.plausible import implausible

Rows = list[dict[str, str]]


def written(path: Path, rows: Rows) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture
def children(project_dir: Path, tmp_path: Path) -> Path:
    """Two of the sample children, one of them with two lesions, and their calipers."""
    for code in ("SIM-01", "SIM-04"):
        shutil.copytree(project_dir / "sample_dicoms" / code, tmp_path / "scans" / code)
    rows = [
        r for r in csv_rows(project_dir / "sample_dicoms" / "calipers.csv") if r["image"][:6] in ("SIM-01", "SIM-04")
    ]
    written(tmp_path / "calipers.csv", rows)
    return tmp_path


def measured(folder: Path, change: Callable[[Rows], None] = lambda rows: None, **config: object) -> RunResult:
    """The run with a change of its caliper rows."""
    rows = csv_rows(folder / "calipers.csv")
    change(rows)
    request = RunRequest(
        input=folder / "scans", out=folder / "out", calipers=written(folder / "changed.csv", rows), overwrite=True,
        config=Config.model_validate(config),
    )  # fmt: skip
    return run(request)


def child(result: RunResult, code: str = "SIM-04") -> SubjectResult:
    return next(s for s in result.subjects if s.subject == code)


def of(rows: Rows, start: str) -> Rows:
    return [row for row in rows if row["image"].startswith(start)]


def rename(start: str, old: str, new: str) -> Callable[[Rows], None]:
    def change(rows: Rows) -> None:
        for row in of(rows, start):
            row["image"] = row["image"].replace(old, new)

    return change


@pytest.mark.parametrize(
    "change",
    [
        rename("SIM-04", "L1_", "Ll_"),
        rename("SIM-04", "L1_", "l1_"),
        rename("SIM-04/baseline", "L1_transverse", "L1_transvers"),
        rename("SIM-04/one_month/L1_sagittal", "SIM-04", "sim-04"),
        rename("SIM-04/one_month", "one_month", "one month"),
    ],
)
def test_rows_that_name_no_image_hold_the_verdict_of_the_child_in_their_path(
    children: Path, change: Callable[[Rows], None]
) -> None:
    right = measured(children)
    assert child(right).response.category == "effective"
    assert child(right).response.certain
    wrong = measured(children, change)
    assert outcome(wrong) == "NEEDS_REVIEW"
    held = child(wrong)
    assert not (held.response and held.response.certain)
    assert not (held.response and held.response.category == "complete response")
    assert held.review
    assert all(r.subject == "SIM-04" for r in held.review)
    assert child(wrong, "SIM-01").response == child(right, "SIM-01").response
    assert not child(wrong, "SIM-01").review


def test_a_lesion_whose_rows_were_lost_is_in_every_output(children: Path) -> None:
    result = measured(children, rename("SIM-04", "L1_", "Ll_"))
    out = children / "out"
    statuses = {s.lesion: s for s in child(result).statuses}
    assert statuses["L1"].fate is Fate.NOT_EVALUABLE
    assert "Caliper rows" in statuses["L1"].explanation
    assert {r["fate"] for r in csv_rows(out / "lesions.csv") if (r["subject"], r["lesion"]) == ("SIM-04", "L1")} == {
        "not evaluable"
    }
    listed = [r for r in csv_rows(out / "refusals.csv") if r["subject"] == "SIM-04" and r["lesion"] == "L1"]
    assert {(r["kind"], r["visit"]) for r in listed} == {("needs review", "baseline"), ("needs review", "one_month")}
    assert "Ll_transverse.dcm" in (out / "report.html").read_text(encoding="utf-8")
    assert "absent" not in " ".join(r.remedy for r in child(result).review)


def test_one_lost_plane_of_a_measured_lesion_marks_the_verdict_in_the_cohort_too(children: Path) -> None:
    measured(children, rename("SIM-04/one_month/L1_sagittal", "sagittal", "sagital"))
    results = read_results(children / "out")
    (held,) = (s for s in results.subjects if s.subject == "SIM-04")
    assert held.response is not None
    assert held.response.held
    found = responders(results, [held], 1, 0.1)
    assert (found.certainty.certain_responders, found.certainty.uncertain_responders) == (0, 1)
    assert next(r for r in csv_rows(children / "out" / "changes.csv") if r["subject"] == "SIM-04" and r["response"])[
        "response_certain"
    ] == ("false")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (rename("SIM-04/baseline/L1_", "baseline/", ""), "SIM-04"),
        (rename("SIM-04", "L1_", "../L1_"), "SIM-04"),
        (rename("SIM-01", "L1_", "L2_"), "SIM-01"),  # as near to an image of SIM-04, but the code stands in the path
    ],
)
def test_a_lesion_whose_rows_tell_no_visit_or_fit_two_children_is_neither_new_nor_left_out(
    children: Path, change: Callable[[Rows], None], code: str
) -> None:
    held = child(measured(children, change), code)
    assert held.response is None
    (status,) = (s for s in held.statuses if s.lesion == "L1")
    assert status.fate is Fate.NOT_EVALUABLE
    assert "Caliper rows" in status.explanation
    words = " ".join(f"{r.reason} {r.remedy}" for r in held.review)
    assert "new" not in words
    assert "absent" not in words


def test_a_slash_too_many_is_the_same_path(children: Path) -> None:
    right = child(measured(children))
    same = child(measured(children, rename("SIM-04/baseline", "baseline/", "baseline//./")))
    assert (same.response, same.changes, same.review) == (right.response, right.changes, right.review)


@pytest.mark.parametrize("name", ["l1", "Ll", "L01"])
def test_a_name_that_looks_like_that_of_baseline_is_not_new(children: Path, name: str) -> None:
    def change(rows: Rows) -> None:
        for row in of(rows, "SIM-04/one_month/L1_"):
            row["lesion"] = name

    held = child(measured(children, change))
    assert held.response is None
    assert Fate.NEW not in {s.fate for s in held.statuses}
    assert not held.assessments[0].doubtful_lesions


def test_a_lesion_that_was_named_like_the_organ_leaves_no_certain_verdict(children: Path) -> None:
    def change(rows: Rows) -> None:
        for row in of(rows, "SIM-04"):
            row["lesion"] = row["lesion"].replace("L1", "Liver")

    held = child(measured(children, change))
    assert not (held.response and held.response.certain)
    assert "no_liver" in {r.code for r in held.review}


def test_end_points_that_were_copied_to_another_picture() -> None:
    ends = ((100.25, 100.5), (120.75, 140.0))
    before = make.lesion(30, planes=(replace(make.plane(30, None), long_axis_px=ends),))
    after = make.lesion(30, ONE_MONTH, planes=(replace(make.plane(30, None, sop="1.2.9"), long_axis_px=ends),))
    found = [d.refusal for d in implausible([before, after])]
    assert [(r.code, r.visit) for r in found] == [("same_points", BASELINE), ("same_points", ONE_MONTH)]
    assert implausible([before]) == []


def test_what_no_path_tells_is_held_against_every_child(children: Path) -> None:
    def change(rows: Rows) -> None:
        for row in of(rows, "SIM-04/one_month/L1_sagittal"):
            row["image"] = "export/IMG_0007.dcm"

    result = measured(children, change)
    for code in ("SIM-01", "SIM-04"):
        held = child(result, code)
        assert not held.response.certain
        assert "caliper_rows_perhaps" in {r.code for r in held.review}
    assert "caliper_image_not_found" in {r.code for r in result.refusals}


def test_rows_of_another_childs_file_outside_of_the_input_mark_nobody(project_dir: Path, tmp_path: Path) -> None:
    samples = project_dir / "sample_dicoms"
    result = run(RunRequest(input=samples / "SIM-01", out=tmp_path / "out", calipers=samples / "calipers.csv"))
    (only,) = result.subjects
    assert only.response.held == ()
    assert not only.review
    assert {r.code for r in result.refusals} >= {"caliper_image_not_found"}


def test_rows_on_an_image_that_came_into_no_visit_hold_the_verdict(children: Path) -> None:
    """Two different files of one SOP Instance UID are refused; so are the calipers on them."""
    folder = children / "scans" / "SIM-04" / "baseline"
    twin = dcmread(folder / "L1_transverse.dcm")
    twin.Rows -= 2
    twin.PixelData = twin.PixelData[: twin.Rows * twin.Columns * twin.SamplesPerPixel]
    twin.save_as(folder / "L9_transverse.dcm")
    held = child(measured(children))
    assert "caliper_image_in_no_visit" in {r.code for r in held.review}
    assert not held.response.certain


def test_rows_on_a_refused_file_say_why(children: Path) -> None:
    path = children / "scans" / "SIM-04" / "one_month" / "L1_sagittal.dcm"
    path.write_bytes(path.read_bytes()[:400])
    held = child(measured(children))
    (refusal,) = (r for r in held.review if r.code == "caliper_image_refused")
    assert (refusal.visit, refusal.lesion) == ("one_month", "L1")
    assert not held.response.certain


def second_reader(rows: Rows) -> None:
    rows += [{**row, "reader": "reader-2"} for row in of(rows, "SIM-04/baseline") if row["lesion"] == "L1"]


def off_the_image(rows: Rows) -> None:
    for row in of(rows, "SIM-04/baseline/L1_"):
        row["end_col"] = "99999"


def beyond_the_last_frame(rows: Rows) -> None:
    for row in of(rows, "SIM-04/baseline/L1_"):
        row["frame"] = "7"


def without_long_axis(rows: Rows) -> None:
    rows[:] = [r for r in rows if not (r["image"].startswith("SIM-04/baseline/L1_") and r["axis"] == "long")]


def unassessed(start: str) -> Callable[[Rows], None]:
    def change(rows: Rows) -> None:
        for row in rows:
            row["reason"] = ""
        for row in of(rows, start):
            row |= dict.fromkeys(("start_col", "start_row", "end_col", "end_row"), "")
            row |= {"axis": "not_assessable", "reason": "Not found: hidden by gas."}

    return change


def test_a_lesion_that_a_reader_could_not_assess_is_neither_gone_nor_measured(children: Path) -> None:
    held = child(measured(children, unassessed("SIM-04/one_month/L1_")))
    assert held.response is None
    assert not [m for m in held.lesions if m.visit == ONE_MONTH and m.lesion == "L1"]
    (status,) = (s for s in held.statuses if s.lesion == "L1")
    assert status.fate is Fate.NOT_EVALUABLE
    assert status.explanation == (
        "no size at one month: L1 has no size on this image, says reader-1: Not found: hidden by gas."
    )
    asked = [r for r in held.review if r.code == "not_assessable"]
    assert {(r.visit, r.lesion) for r in asked} == {(ONE_MONTH, "L1")}
    assert outcome(measured(children, unassessed("SIM-04/one_month/L1_"))) == "NEEDS_REVIEW"


def test_a_lesion_that_one_plane_does_not_tell_keeps_the_size_of_the_other(children: Path) -> None:
    held = child(measured(children, unassessed("SIM-04/one_month/L1_sagittal")))
    (kept,) = (m for m in held.lesions if m.visit == ONE_MONTH and m.lesion == "L1")
    assert [plane.plane for plane in kept.planes] == [Plane.TRANSVERSE]
    assert held.response is not None
    assert "hidden by gas" in " ".join(held.response.held)
    assert not held.response.certain


def test_the_network_gives_no_size_to_a_lesion_that_a_reader_could_not_assess(
    children: Path, project_dir: Path
) -> None:
    """On another image of that visit, which no reader has read, it outlines what is paired with L1."""
    shutil.rmtree(children / "scans" / "SIM-04")
    folder = children / "scans" / "SIM-01" / "one_month"
    for path in list(folder.glob("*.dcm")):
        copy = dcmread(path)
        copy.SOPInstanceUID = copy.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        copy.PixelData = bytes([copy.PixelData[0] ^ 1]) + copy.PixelData[1:]
        copy.save_as(folder / f"second_{path.name}")
    sizes = []
    for said_by in ("", "reader-1", "reader-2"):
        rows = [row for row in csv_rows(children / "calipers.csv") if row["image"].startswith("SIM-01")]
        unassessed("SIM-01/one_month")(rows)
        stated = [{**row, "reader": said_by} for row in of(rows, "SIM-01/one_month")] if said_by else []
        request = RunRequest(
            input=children / "scans", out=children / "out", overwrite=True,
            model=project_dir / "models" / "liver_us_unet",
            calipers=written(children / "changed.csv", [*of(rows, "SIM-01/baseline"), *stated]),
            config=Config.model_validate({"segment": {"min_confidence": 0}, "calipers": {"reader": "reader-1"}}),
        )  # fmt: skip
        held = child(run(request), "SIM-01")
        sizes.append({m.lesion for m in held.lesions if m.visit == ONE_MONTH})
        if said_by == "reader-1":
            assert held.response is None
            assert "hidden by gas" in next(s for s in held.statuses if s.lesion == "L1").explanation
    assert ["L1" in each for each in sizes] == [True, False, True]  # reader-2 does not count


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (unassessed("SIM-04/baseline/L1_"), "hidden by gas"),
        (second_reader, "reader-1 and reader-2"),
        (off_the_image, "column 99999"),
        (beyond_the_last_frame, "frame 7"),
        (without_long_axis, "short axis without a long axis"),
    ],
)
def test_a_lesion_that_was_drawn_at_baseline_and_has_no_size_is_not_new(
    children: Path, change: Callable[[Rows], None], why: str
) -> None:
    result = measured(children, change)
    assert_not_new(children / "out", child(result), "L1", why)


def test_an_image_that_is_there_twice_under_two_uids_makes_nothing_new(children: Path) -> None:
    folder = children / "scans" / "SIM-04" / "baseline"
    for name in ("L1_transverse", "L1_sagittal"):
        copy = dcmread(folder / f"{name}.dcm")
        copy.SOPInstanceUID = copy.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        copy.save_as(folder / f"{name}_copy.dcm")

    def both(rows: Rows) -> None:
        rows += [
            {**row, "image": row["image"].replace(".dcm", "_copy.dcm")}
            for row in of(rows, "SIM-04/baseline") if row["lesion"] == "L1"
        ]  # fmt: skip

    assert_not_new(children / "out", child(measured(children, both)), "L1", "measured 2 times")


def test_a_baseline_image_without_a_scale(shared_dir: Path, tmp_path: Path) -> None:
    case = shared_dir / "cases" / "baseline_without_scale"
    result = run(RunRequest(input=case / "scans", out=tmp_path / "out", calipers=case / "cal.csv"))
    (only,) = result.subjects
    assert_not_new(tmp_path / "out", only, "L1", "no ultrasound regions")


def assert_not_new(out: Path, held: SubjectResult, lesion: str, why: str) -> None:
    """In no record, page, table or dataset is the lesion new, gone or to be called absent; the reason is true."""
    assert held.response is None
    (assessment,) = held.assessments
    assert assessment.overall is Status.NE
    assert not assessment.new_lesions
    assert not assessment.doubtful_lesions
    assert why in assessment.why
    (status,) = (s for s in held.statuses if s.lesion == lesion)
    assert status.fate is Fate.NOT_EVALUABLE
    assert why in status.explanation
    assert held.best_response is None
    words = " ".join(f"{r.reason} {r.remedy}" for r in held.review)
    assert "new" not in words
    assert "absent" not in words
    page = re.sub(r"<style.*?</style>|data:[^\"]*|<[^>]*>", " ", (out / "report.html").read_text("utf-8"), flags=re.S)
    assert not re.search(rf"perhaps new|{lesion} (is )?new\b|not measured at baseline", page)
    done = CliRunner().invoke(app, ["export", str(out), "--study", "S"])
    assert done.exit_code == 0, done.output
    identified = [
        r for r in csv_rows(out / "cdisc" / "tu.csv") if r["TULNKID"] == lesion and held.subject in r["USUBJID"]
    ]
    assert {r["TUSTRESC"] for r in identified} == {"NON-MEASURABLE"}
    assert not [
        r for r in csv_rows(out / "cdisc" / "rs.csv") if r["RSTESTCD"] == "NEWLPROG" and held.subject in r["USUBJID"]
    ]
    states = csv_rows(out / "cdisc" / "tr.csv")
    assert not [r for r in states if r["TRSTRESC"] in ("EQUIVOCAL", "ABSENT") and r["TRLNKID"] == lesion]


def test_the_reader_who_counts_did_not_draw_what_another_drew(children: Path) -> None:
    """A slip in the configured reader's name, or in the file's, leaves a lesion out: not silently."""

    def slip(rows: Rows) -> None:
        for row in of(rows, "SIM-04"):
            if row["lesion"] == "L1":
                row["reader"] = "reader-l"

    held = child(measured(children, slip, calipers={"reader": "reader-1"}))
    assert held.response is None
    assert {r.code for r in held.review} >= {"other_readers_only"}


@pytest.mark.parametrize("reader", ["reader-1", None])
def test_an_adjudicator_counts_for_the_children_whom_this_one_read_and_a_reader_for_the_others(
    children: Path, reader: str | None
) -> None:
    """SIM-01 as two readers left it who agreed; SIM-04 by the one who decided alone, as the reading room writes it."""

    def read(rows: Rows) -> None:
        second = [{**row, "reader": "reader-2"} for row in of(rows, "SIM-01")]
        for row in of(rows, "SIM-04"):
            row["reader"] = "chief"
        none = {"image": of(rows, "SIM-04")[0]["image"], "axis": "no_lesion", "reader": "reader-1"}
        rows += [*second, {**dict.fromkeys(rows[0], ""), **none}]

    plain = measured(children)
    alone = [child(plain, code) for code in ("SIM-01", "SIM-04")]
    result = measured(children, read, calipers={"reader": reader, "adjudicator": "chief"})
    agreed, decided = (child(result, code) for code in ("SIM-01", "SIM-04"))
    assert decided.response == alone[1].response
    assert {r.code for r in decided.review} == {r.code for r in alone[1].review}
    if reader is None:
        assert {r.code for r in agreed.review} >= {"several_readers"}
    else:
        assert agreed.response == alone[0].response


@pytest.mark.parametrize(
    ("adjudicator", "codes"),
    [
        ("Chief", set()),
        ("chief", {"reader_misnamed", "adjudicator_not_there"}),
    ],
)
def test_an_overruled_reader_does_not_count_by_a_slip_in_the_adjudicators_name(
    children: Path, adjudicator: str, codes: set[str]
) -> None:
    """The child whom nobody adjudicated is not in doubt for it."""

    def decide(rows: Rows) -> None:
        rows += [{**row, "reader": "Chief"} for row in of(rows, "SIM-04")]

    result = measured(children, decide, calipers={"reader": "reader-1", "adjudicator": adjudicator})
    held = child(result)
    assert {r.code for r in (*held.review, *result.refusals)} & {"reader_misnamed", "adjudicator_not_there"} == codes
    assert bool(held.response and held.response.certain) is ("reader_misnamed" not in codes)
    assert not child(result, "SIM-01").review


@pytest.mark.parametrize(
    ("rows", "settings", "doubted"),
    [
        (["hanna", "anna"], {"adjudicator": "hanna"}, []),
        (["anna"], {"adjudicator": "hanna"}, ["anna"]),
        (["anna"], {"adjudicator": "hanna", "reader": "anna"}, []),
        (["chief", "Chief"], {"adjudicator": "chief"}, ["Chief"]),
        (["reader-2"], {"reader": "reader-1"}, []),
        (["reader-l"], {"reader": "reader-1"}, ["reader-l"]),
        (["reader-1"], {}, []),
    ],
)
def test_names_that_are_nearly_those_of_who_counts(
    rows: list[str], settings: dict[str, str], doubted: list[str]
) -> None:
    image = make.instance()
    study = Study(study_instance_uid="1.2.3", subject="S1", study_date=None, time_point=None, instances=(image,))
    only = SubjectVisits(subject="S1", visits={BASELINE: (study,)}, sources={})
    drawn = {image.sop_instance_uid: [make.caliper(reader=name) for name in rows]}
    found = misnamed([only], drawn, Config.model_validate({"calipers": settings}))
    assert [d.refusal.reason.split()[0] for d in found] == doubted
    alone = Config.model_validate({"calipers": settings, "segment": {"policy": "model_only"}})
    assert not list(misnamed([only], drawn, alone))


@pytest.mark.parametrize(("readers", "listed"), [([], False), (["hanna"], False), (["anna"], True)])
def test_an_adjudicator_who_read_nothing_is_listed_where_others_did(readers: list[str], listed: bool) -> None:
    assert bool(no_adjudicator(readers, Config.model_validate({"calipers": {"adjudicator": "hanna"}}))) is listed


def doubt(lesion: str | None = "L1", visit: str | None = BASELINE, *, seen: bool = True) -> Doubt:
    return Doubt(Refusal(code="x", reason="it is so.", subject="S1", visit=visit, lesion=lesion), seen=seen)


def test_only_what_was_seen_and_has_no_size_is_unmeasured() -> None:
    lesions = [make.lesion(30)]
    assert unmeasured([doubt()], lesions)[BASELINE] == {}
    assert unmeasured([doubt("L2")], lesions)[BASELINE] == {"L2": "it is so."}
    assert unmeasured([doubt("L2", seen=False)], lesions)[BASELINE] == {}


def test_a_doubt_about_screening_alone_leaves_the_response_certain() -> None:
    assert why_not_certain([doubt(visit=SCREENING)]) == ""
    assert "it is so" in why_not_certain([doubt(visit=None)])
    assert "it is so" in why_not_certain([doubt(visit=SCREENING)], (SCREENING, BASELINE))


@pytest.mark.parametrize(
    ("planes", "codes"),
    [
        ({}, []),
        ({"short_axis_px": ((100.0, 100.0), (100.0, 140.0))}, ["axes_not_perpendicular"]),
        ({"short_axis_px": ((100.0, 100.0), (140.0, 100.0))}, ["axes_apart"]),
        ({"long_axis_mm": make.quantity(60, 0.09)}, ["axes_disagree"]),
        ({"plane": Plane.SAGITTAL}, []),
    ],
)
def test_axes_that_can_hardly_be_meant(planes: Mapping[str, object], codes: list[str]) -> None:
    before = make.lesion(30, planes=(make.plane(30, 22.5),))
    known = make.plane(20, 15)
    after = make.lesion(20, ONE_MONTH, planes=(replace(known, **planes),))  # type: ignore[arg-type]
    assert [d.refusal.code for d in implausible([before, after])] == codes


def test_axes_that_a_reader_drew_are_looked_at_beside_an_outline_of_the_network_too() -> None:
    crooked = replace(make.prompted(30, 20, drawn_mm=20), short_axis_px=((100.0, 100.0), (100.0, 140.0)))
    assert [d.refusal.code for d in implausible([make.lesion(30, planes=(crooked,))])] == ["axes_not_perpendicular"]


def test_a_plane_that_was_drawn_at_one_visit_alone() -> None:
    before = make.lesion(30, planes=(make.plane(30, None), make.plane(31, None, plane=Plane.SAGITTAL, sop="1.2.9")))
    (found,) = implausible([before, make.lesion(20, ONE_MONTH, planes=(make.plane(20, None),))])
    assert found.refusal.code == "plane_at_one_visit"
    assert "sagittal" in found.refusal.reason
