"""Who is excluded, and who was never scanned, is the same in every count, list, page and file of a run."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path

import pypdf
import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from lesion_measure.cli import app
from lesion_measure.records import Enrolled, Form
from lesion_measure.results import read_results, results_schema

SAMPLES = Path(__file__).parent.parent / "sample_dicoms"
TABLE = """subject,age_months,form,hepatoblastoma,excluded,targets,new_lesions
SIM-01,5.3,focal,no,,,
SIM-02,9,focal,yes,lost to follow-up,,
SIM-03,11,multifocal,no,,L1;L2,
SIM-04,14,focal,,,,
SIM-05,8,focal,,,,
SIM-06,20,focal,,,,
SIM-98,3,focal,,withdrew,,
SIM-99,3,focal,,,,
"""
COUNTS = "8 subjects: 5 measured, 2 excluded, 1 not measured"
"""Of the table: six children with scans, of whom one is excluded, and two that were never scanned, one excluded."""


def lesion_measure(*words: object) -> str:
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.output
    return done.stdout


def page(path: Path) -> str:
    """The words of a page, without tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", path.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The samples with the table above, and what the run said."""
    folder = tmp_path_factory.mktemp("exclusions")
    (folder / "subjects.csv").write_text(TABLE)
    words = ["run", SAMPLES, "-o", folder / "out", "--calipers", SAMPLES / "calipers.csv"]
    return folder / "out", lesion_measure(*words, "--subjects", folder / "subjects.csv")


@pytest.fixture
def out(run: tuple[Path, str], tmp_path: Path) -> Path:
    """A copy of that run's folder."""
    return Path(shutil.copytree(run[0], tmp_path / "out"))


def test_the_results_remember_the_table(run: tuple[Path, str]) -> None:
    document = json.loads((run[0] / "results.json").read_text())
    Draft202012Validator(results_schema()).validate(document)
    table = read_results(run[0]).table()
    assert table is not None
    assert list(table) == [line.split(",")[0] for line in TABLE.splitlines()[1:]]
    assert table["SIM-02"] == Enrolled(
        subject="SIM-02", age_days=9 * 30.4375, form=Form.FOCAL, excluded=("hepatoblastoma", "lost to follow-up"),
        flags={"hepatoblastoma": True, "resection": None, "kasabach_merritt": None, "missing_data": None},
    )  # fmt: skip
    assert table["SIM-03"].targets == ("L1", "L2")
    assert {s["subject"]: s["excluded"] for s in document["subjects"] if s["excluded"]} == {
        "SIM-02": ["hepatoblastoma", "lost to follow-up"]
    }


def test_a_run_without_a_table_remembers_that_there_was_none(tmp_path: Path) -> None:
    lesion_measure("run", SAMPLES / "SIM-01", "-o", tmp_path / "out", "--calipers", SAMPLES / "calipers.csv")
    assert json.loads((tmp_path / "out" / "results.json").read_text())["enrolled"] is None
    assert read_results(tmp_path / "out").table() is None


def test_every_count_is_the_same(run: tuple[Path, str], out: Path) -> None:
    """Console, report, cohort page and PDF; and the later commands that are not given the table again."""
    console = run[1]
    assert COUNTS in console
    assert "SIM-02: hepatoblastoma; lost to follow-up" in console
    report, cohort = page(out / "report.html"), page(out / "cohort" / "cohort.html")
    for text in (report, cohort):
        assert COUNTS in text
        assert re.search(r"\b8 subjects 2 excluded\b", text)
        assert re.search(r"\b5 measured 1 not measured\b", text)
    before = json.loads((out / "cohort" / "cohort.json").read_text())
    assert COUNTS in lesion_measure("cohort", out)
    assert json.loads((out / "cohort" / "cohort.json").read_text()) == before
    assert before["subjects"]["excluded"] == [
        {"subject": "SIM-02", "reasons": ["hepatoblastoma", "lost to follow-up"]},
        {"subject": "SIM-98", "reasons": ["withdrew"]},
    ]
    assert before["subjects"]["missing"] == [
        {
            "subject": "SIM-99",
            "reasons": ["No study: this subject is in the subjects table, and the input holds no image of it."],
        }
    ]
    counts = json.loads((out / "run.json").read_text())["counts"]
    assert (counts["subjects"], counts["measured"], counts["excluded"]) == (8, 5, 2)
    lesion_measure("report", out, "--pdf")
    words = " ".join(sheet.extract_text() for sheet in pypdf.PdfReader(out / "report.pdf").pages)
    assert " ".join(words.split()).upper().count(COUNTS.upper()) == 2  # of the report, and of the cohort


def test_what_is_refused_or_waits_is_counted_apart(run: tuple[Path, str], out: Path, tmp_path: Path) -> None:
    """SIM-98 and SIM-99 have no scans; the first is excluded. Then all who wait for review are excluded too."""

    def counts(folder: Path) -> dict[str, int]:
        return dict(json.loads((folder / "run.json").read_text())["counts"])

    with (out / "refusals.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    refused = [row["subject"] for row in rows if row["kind"] == "refused"]
    review = [row["subject"] for row in rows if row["kind"] == "needs review"]
    assert {"SIM-98", "SIM-99"} <= set(refused)
    assert review
    assert not {"SIM-02", "SIM-98"} & set(review)
    found = counts(out)
    assert (found["refused"], found["excluded_refused"]) == (len(refused) - 1, 1)
    assert f"Refused       {len(refused) - 1}, 1 more of excluded subjects, and " in run[1]
    assert f"{len(refused) - 1} refused 1 more of excluded subjects; and " in page(out / "report.html")
    table = tmp_path / "subjects.csv"
    table.write_text("subject,excluded\n" + "".join(f"{code},withdrew\n" for code in sorted(set(review))))
    words = ("run", SAMPLES, "-o", tmp_path / "again", "--calipers", SAMPLES / "calipers.csv", "--subjects", table)
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 3  # the exit code asks for a look at everything, excluded or not
    apart = f"{len(review)} more in {len(set(review))} excluded subject"
    assert f"Needs review  0 items in 0 subjects, {apart}" in done.stdout
    assert re.search(rf"\b0 need review 0 items; {apart}", page(tmp_path / "again" / "report.html"))
    found = counts(tmp_path / "again")
    assert (found["review_subjects"], found["excluded_review_items"]) == (0, len(review))
    lesion_measure("report", tmp_path / "again", "--pdf")
    sheets = " ".join(sheet.extract_text() for sheet in pypdf.PdfReader(tmp_path / "again" / "report.pdf").pages)
    assert apart in " ".join(sheets.split())


def test_responders_and_plots_leave_them_out(run: tuple[Path, str]) -> None:
    verdicts = {s.subject: s.response.category for s in read_results(run[0]).subjects if s.response}
    counted = [category for subject, category in verdicts.items() if subject != "SIM-02"]
    effective = counted.count("effective")
    found = json.loads((run[0] / "cohort" / "cohort.json").read_text())["responders"]["evaluable"]
    responses = json.loads((run[0] / "run.json").read_text())["responses"]
    assert sum(responses.values()) == len(counted) == found["count"] == len(verdicts) - 1
    assert responses["effective"] == effective
    assert f"{effective} effective" in run[1]
    html = (run[0] / "report.html").read_text(encoding="utf-8")
    label = re.findall(r'aria-label="(Change of sum of longest[^"]*)"', html)[0]
    assert "SIM-02" not in label
    assert "SIM-03" in label
    assert "No bar for SIM-99: no such change was measured. Excluded: SIM-02, SIM-98." in page(run[0] / "report.html")


def test_the_report_marks_them_and_lists_who_was_never_scanned(run: tuple[Path, str]) -> None:
    html = (run[0] / "report.html").read_text(encoding="utf-8")
    table = html.split('id="subjects"')[1].split("</table>")[0]
    rows = {
        code: re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row))
        for row in table.split("<tr>")
        if (code := "".join(re.findall(r"SIM-\d\d", row)[:1]))
    }
    assert set(rows) == {f"SIM-{n:02d}" for n in (1, 2, 3, 4, 5, 6, 98, 99)}
    assert "excluded hepatoblastoma; lost to follow-up" in rows["SIM-02"]
    assert "effective" not in rows["SIM-02"]
    assert "not measured: no study" in rows["SIM-98"]
    assert "excluded withdrew" in rows["SIM-98"]
    assert "not measured: no study" in rows["SIM-99"]
    assert "excluded" not in rows["SIM-99"]
    assert "Excluded by the subjects table: hepatoblastoma; lost to follow-up." in page(run[0] / "report.html")


def test_changes_name_who_is_excluded(run: tuple[Path, str]) -> None:
    with (run[0] / "changes.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["subject"] for row in rows if row["excluded"]} == {"SIM-02"}
    assert {row["excluded"] for row in rows} == {"", "hepatoblastoma; lost to follow-up"}


def test_a_table_that_is_given_later_wins_and_that_is_said(out: Path, tmp_path: Path) -> None:
    later = tmp_path / "later.csv"
    later.write_text("subject,excluded,targets\nSIM-01,resection after all,\nSIM-03,,L1\nSIM-99,,\n")
    console = lesion_measure("cohort", out, "--subjects", later)
    assert "7 subjects: 5 measured, 1 excluded, 1 not measured" in console
    document = json.loads((out / "cohort" / "cohort.json").read_text())
    assert document["subjects"]["excluded"] == [{"subject": "SIM-01", "reasons": ["resection after all"]}]
    notes = " ".join(document["notes"])
    assert "later.csv counts here in place of the run's" in notes
    assert "Excluded by the run's table alone: SIM-02, SIM-98; excluded by this table alone: SIM-01" in notes
    assert "no longer listed: SIM-02, SIM-04, SIM-05, SIM-06, SIM-98" in notes
    assert "targets, new lesions or progression of SIM-03 differs" in notes
    assert "is not applied" in notes
    assert "later.csv counts here" in page(out / "cohort" / "cohort.html")
    said = CliRunner().invoke(app, ["report", str(out), "--pdf"])
    assert "lists or excludes other subjects than the report" in said.stderr
    words = " ".join(sheet.extract_text() for sheet in pypdf.PdfReader(out / "report.pdf").pages)
    assert "Did the lesions shrink?" not in words


def test_a_pdf_does_not_mix_two_counts_of_subjects(out: Path, tmp_path: Path) -> None:
    more = tmp_path / "more.csv"
    more.write_text(TABLE + "SIM-97,3,focal,,,,\n")  # excluded are the same, and one child more is listed
    assert "9 subjects: 5 measured, 2 excluded, 2 not measured" in lesion_measure("cohort", out, "--subjects", more)
    assert "lists or excludes other" in CliRunner().invoke(app, ["report", str(out), "--pdf"]).stderr
    lesion_measure("cohort", out)
    assert CliRunner().invoke(app, ["report", str(out), "--pdf"]).stderr == ""


def test_a_table_after_a_run_without_one_is_said_and_the_same_table_is_not(out: Path, tmp_path: Path) -> None:
    same = tmp_path / "subjects.csv"
    same.write_text(TABLE)
    before = json.loads((out / "cohort" / "cohort.json").read_text())
    lesion_measure("cohort", out, "--subjects", same)
    assert json.loads((out / "cohort" / "cohort.json").read_text()) == before
    document = json.loads((out / "results.json").read_text())
    (out / "results.json").write_text(json.dumps(document | {"enrolled": None}))
    assert "after the run, which had none" in lesion_measure("cohort", out, "--subjects", same)
    assert "nobody is excluded here" in lesion_measure("cohort", out)


def test_a_subject_twice_in_the_remembered_table_is_refused(out: Path) -> None:
    document = json.loads((out / "results.json").read_text())
    document["enrolled"].append(document["enrolled"][0])
    (out / "results.json").write_text(json.dumps(document))
    done = CliRunner().invoke(app, ["cohort", str(out)])
    assert done.exit_code == 1
    assert "twice" in done.stderr
