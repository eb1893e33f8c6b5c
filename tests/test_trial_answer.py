"""The trial's answer at the end of a run: written, linked from the report, and never older than the results."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lesion_measure.cli import app
from lesion_measure.cohort.command import CohortRequest, run_cohort
from lesion_measure.errors import TableError
from lesion_measure.job.folder import FINISHED
from lesion_measure.job.request import RunRequest
from lesion_measure.pipeline import run

SAMPLES = Path(__file__).parent.parent / "sample_dicoms"
CALIPERS = SAMPLES / "calipers.csv"


def labs_of(path: Path, *subjects: str) -> Path:
    rows = [
        f"{subject},{visit},AFP,{value},ng/mL"
        for subject in subjects
        for visit, value in (("baseline", 90), ("one_month", 50))
    ]
    path.write_text("\n".join(["subject,visit,test,value,unit", *rows, ""]))
    return path


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The samples, measured on the command line with laboratory values of two of them."""
    folder = tmp_path_factory.mktemp("answer")
    labs = labs_of(folder / "labs.csv", "SIM-01", "SIM-02")
    words = ["run", SAMPLES, "-o", folder / "out", "--calipers", CALIPERS, "--labs", labs]
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert "cohort.html" in done.stdout
    return folder / "out"


def test_a_run_ends_with_the_answer_that_the_command_gives(out: Path, tmp_path: Path) -> None:
    written = json.loads((out / "cohort" / "cohort.json").read_text())
    assert written["subjects"]["measured"] == 6
    assert [marker["change"]["count"] for marker in written["markers"]] == [2]
    again = tmp_path / "again"
    again.mkdir()
    for name in ("results.json", FINISHED):
        shutil.copy(out / name, again)
    _, document = run_cohort(CohortRequest(results=again, labs=labs_of(tmp_path / "labs.csv", "SIM-01", "SIM-02")))
    assert document == written


def test_the_report_says_the_answer_and_leads_to_its_page(out: Path) -> None:
    report = (out / "report.html").read_text(encoding="utf-8")
    page = (out / "cohort" / "cohort.html").read_text(encoding="utf-8")
    rate = json.loads((out / "cohort" / "cohort.json").read_text())["responders"]["evaluable"]
    words = f"{rate['responders']} of {rate['count']}, "
    assert words in report
    assert words in page
    assert 'href="cohort/cohort.html"' in report


def test_a_single_child_is_no_trial_and_a_new_run_leaves_no_old_answer(out: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    shutil.copytree(out, folder)
    run(RunRequest(input=SAMPLES / "SIM-01", out=folder, calipers=CALIPERS, overwrite=True))
    assert not (folder / "cohort").exists()
    assert "The trial's answer" not in (folder / "report.html").read_text(encoding="utf-8")


def test_a_run_that_goes_on_leaves_no_old_answer_either(out: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    shutil.copytree(out, folder)
    (folder / FINISHED).unlink()  # as if it had been killed
    run(RunRequest(input=SAMPLES / "SIM-01", out=folder, calipers=CALIPERS))
    assert not (folder / "cohort").exists()


def test_laboratory_values_of_nobody_stop_the_run_before_it_measures(tmp_path: Path) -> None:
    labs = labs_of(tmp_path / "labs.csv", "SIM-01", "SIM-99")
    with pytest.raises(TableError, match="SIM-99 is neither in the results nor in the subjects table"):
        run(RunRequest(input=SAMPLES, out=tmp_path / "out", calipers=CALIPERS, labs=labs))
    assert not (tmp_path / "out").exists()


def test_progression_within_error_makes_nobody_a_possible_responder(tmp_path: Path, project_dir: Path) -> None:
    """SIM-02 grew by 22 %, from -5 to +56 %: stable or progressing, and never a response at -30 %."""
    config = project_dir / "configs" / "recist_adult.yaml"
    words = ["run", SAMPLES, "-o", tmp_path / "out", "--calipers", CALIPERS, "--config", config]
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert "cohort.html" in done.stdout
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    grown = next(s for s in results["subjects"] if s["subject"] == "SIM-02")
    assert not grown["response"]["certain"]
    answer = json.loads((tmp_path / "out" / "cohort" / "cohort.json").read_text())
    lows = [
        change["percent_ci95"][0]
        for subject in results["subjects"]
        for change in subject["changes"]
        if change["lesion"] is None and change["metric"] == "sum_of_diameters" and change["visit"] == "week_4"
    ]
    assert answer["responders"]["most"]["responders"] == sum(low <= -30 for low in lows) == 5
    assert any("without a confirmation" in note for note in answer["notes"])
    assert any("No subjects table" in note for note in answer["notes"])
    command = json.loads((tmp_path / "out" / "run.json").read_text())["command"]
    assert "--config recist_adult.yaml" in command
    page = (tmp_path / "out" / "cohort" / "cohort.html").read_text()
    assert "imaginary: this file is an example" in page  # where the rate to compare with comes from
    assert "Congenital" not in page  # no trial of infants


def test_a_trial_of_infants_says_that_lesions_shrink_by_themselves(out: Path) -> None:
    page = (out / "cohort" / "cohort.html").read_text()
    assert "Congenital focal lesions shrink by themselves" in page
    assert "15 of 26 children" in page
