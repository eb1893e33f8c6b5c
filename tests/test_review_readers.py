"""Earlier readings that a reader is offered, readers who differ, and what an adjudicator sees."""

from __future__ import annotations

import csv
import io
import shlex
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lesion_measure.cli import app
from lesion_measure.errors import WriteError
from lesion_measure.job.request import RunRequest
from lesion_measure.pipeline import run
from lesion_measure.results import read_results
from lesion_measure.review.routes import readings
from reading_room import Browser, caliper, images, people_file, served, trial
from reports_beside import calipers, dcmjs, header, save

PASSWORD = "correct horse"
READERS = ("reader-1", "reader-2")
CHIEF = "chief"
IMAGE = "baseline/L1_transverse.dcm"


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trial(tmp_path_factory.mktemp("scans"), children=2)


@pytest.fixture(scope="module")
def users(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return people_file(tmp_path_factory.mktemp("users"), READERS, CHIEF, PASSWORD)


@pytest.fixture
def people(scans: Path, users: Path, tmp_path: Path) -> Iterator[tuple[Browser, Browser, Browser]]:
    """Two readers and an adjudicator in an open room."""
    with served(scans, tmp_path / "out", users=users) as room, ExitStack() as closing:
        one, two, chief = (
            closing.enter_context(Browser(room, name=name, password=PASSWORD)) for name in (*READERS, CHIEF)
        )
        yield one, two, chief


@pytest.fixture(scope="module")
def child(project_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One child of the samples, and a structured report of somebody's two axes beside its images."""
    folder = tmp_path_factory.mktemp("child")
    shutil.copytree(project_dir / "sample_dicoms" / "SIM-01", folder / "SIM-01")
    lines = calipers(project_dir / "sample_dicoms", "SIM-01")
    image = header(folder / "SIM-01" / IMAGE)
    long, short = lines[IMAGE, "long"], lines[IMAGE, "short"]
    save(dcmjs(image, long, short, (33.4, 30.4), name="L1", reader="Roe^Rita"), folder / "SIM-01" / "sr.dcm")
    return folder


def test_calipers_of_tables_and_reports_are_offered_with_their_source(
    child: Path, project_dir: Path, tmp_path: Path
) -> None:
    rows = (project_dir / "sample_dicoms" / "calipers.csv").read_text().splitlines(keepends=True)
    table = tmp_path / "calipers.csv"
    table.write_text("".join(row for row in rows if IMAGE not in row))
    with served(child, tmp_path / "out", run={"calipers": table}) as room, Browser(room) as browser:
        (case,) = browser.cases()
        offered = {(each["source"], each["draft"]["image"]): each for each in case["earlier"]}
        (image,) = [
            image["id"]
            for visit in case["visits"]
            for image in visit["images"]
            if (visit["label"], image["label"]) == ("Baseline", "L1_transverse.dcm")
        ]
        by_report = offered["Roe Rita, SR SIM-01/sr.dcm", image]
        assert by_report["measured"]["long_axis_mm"]["value"] == pytest.approx(33.4, abs=0.1)
        assert by_report["draft"]["lesion"] == "L1"
        # the fourth image's are the report's, and offered once
        assert [source for source, _ in offered].count("reader-1, calipers.csv") == 3
        draft = {**by_report["draft"], "began_as": by_report["id"]}
        kept = browser.post(f"cases/{case['id']}/readings", draft).json()
        assert kept["measured"] == by_report["measured"]


def test_a_finished_run_is_offered_and_its_refusals_are_shown(project_dir: Path, tmp_path: Path) -> None:
    samples, out = project_dir / "sample_dicoms", tmp_path / "out"
    run(RunRequest(input=samples / "SIM-05", out=out, calipers=samples / "calipers.csv"))
    with served(samples / "SIM-05", out) as room, Browser(room) as browser:
        listed = browser.get("worklist").json()["cases"][0]
        case = browser.cases()[0]
        assert "--overwrite" in browser.session["command"]
    assert listed["state"] == case["state"] == "needs_review"
    assert listed["why"][0].startswith("There are no ultrasound regions")
    assert set(listed["why"]) <= set(case["refusals"])
    assert {each["source"] for each in case["earlier"]} == {"reader-1, earlier run"}
    assert [lesion["name"] for lesion in listed["lesions"]] == case["lesions"] == ["L1"]
    (refused,) = [image for image in images(case) if image["refusal"]]
    assert (refused["label"], refused["spacing_mm"]) == ("L1_sagittal_uncalibrated.dcm", None)


def _read(browser: Browser, number: int, length: int, **changes: object) -> None:
    """Read both visits of a case, the second ``length`` pixels long, and sign."""
    case = browser.cases()[number]
    versions = {}
    for visit, columns in zip(case["visits"], (100, length), strict=True):
        line = [[200, 150], [200, 150 + columns]]
        drawn = changes if changes and visit is case["visits"][1] else {"long": line}
        kept = browser.post(f"cases/{case['id']}/readings", {**caliper(visit["images"][0]), **drawn}).json()
        versions[kept["id"]] = kept["version"]
    assert browser.post(f"cases/{case['id']}/sign", {"versions": versions}).status_code == 200


def test_readers_who_differ_are_told_to_the_adjudicator(people: tuple[Browser, Browser, Browser]) -> None:
    one, two, chief = people
    _read(one, 0, 60)
    _read(two, 0, 74)  # 21 % apart: two readings of one lesion may be
    _read(one, 1, 60)
    assert [case["state"] for case in chief.get("worklist").json()["cases"]] == ["signed", "to_measure"]
    _read(two, 1, 80)  # 29 % apart
    alike, apart = chief.get("worklist").json()["cases"]
    assert (alike["state"], alike["differs"]) == ("signed", [])  # nothing is to be decided
    assert not chief.cases()[0]["locked"]
    assert one.get("worklist").json()["cases"][0]["state"] == "signed"
    assert apart["state"] == "disagreement"
    (differs,) = apart["differs"]
    assert differs == {"lesion": "L1", "visit": "1 month", "sizes_mm": [pytest.approx(18), pytest.approx(24)]}
    assert apart["signed_by"] == list(READERS)
    case = chief.cases()[1]
    assert {reading["reader"] for reading in case["readings"]} == set(READERS)
    _read(chief, 1, 70)
    assert chief.get("worklist").json()["cases"][1]["state"] == "signed"


def test_what_readers_signed_is_measured_before_the_first_worklist_asks(
    people: tuple[Browser, Browser, Browser], scans: Path, users: Path, tmp_path: Path
) -> None:
    one, two, _ = people
    _read(one, 0, 60)
    _read(two, 0, 80)
    with served(scans, tmp_path / "out", users=users) as room:
        marks = [mark for mark in room.store.marks() if mark.signed]
        until = time.monotonic() + 30
        while any(room.sizes._find(mark) is None for mark in marks):  # nobody asks for them
            assert time.monotonic() < until
            time.sleep(0.02)
    assert len(marks) == 4


def test_readings_of_others_are_seen_when_they_are_signed(people: tuple[Browser, Browser, Browser]) -> None:
    one, two, chief = people
    case = one.cases()[0]
    kept = one.add(case).json()
    assert [each.cases()[0]["readings"] for each in (two, chief)] == [[], []]
    one.post(f"cases/{case['id']}/sign", {"versions": {kept["id"]: 1}})
    assert [len(each.cases()[0]["readings"]) for each in (two, chief)] == [1, 1]


def test_one_who_saw_it_and_one_who_did_not_differ(people: tuple[Browser, Browser, Browser]) -> None:
    one, two, chief = people
    _read(one, 0, 60)
    _read(two, 0, 0, kind="resolved", long=None)
    (differ, _) = chief.get("worklist").json()["cases"]
    assert differ["state"] == "disagreement"
    assert differ["differs"] == [{"lesion": "L1", "visit": "1 month", "sizes_mm": []}]
    assert differ["lesions"] == [{"name": "L1", "state": "disagreement"}]
    case = two.cases()[0]
    (gone,) = [reading for reading in case["readings"] if reading["draft"]["kind"] == "resolved"]
    two.post(f"cases/{case['id']}/reopen", {"why": "it is there, at the edge"})
    assert chief.get("worklist").json()["cases"][0]["state"] == "to_measure"
    seen = {**gone["draft"], "kind": "caliper", "long": [[200, 150], [200, 210]]}
    two.put(f"readings/{gone['id']}", {"version": 1, "draft": seen})
    own = [reading for reading in two.cases()[0]["readings"] if reading["reader"] == READERS[1]]
    two.post(f"cases/{case['id']}/sign", {"versions": {reading["id"]: reading["version"] for reading in own}})
    assert chief.get("worklist").json()["cases"][0]["state"] == "signed"


def test_an_outline_and_a_caliper_are_compared_by_their_longest_diameter(
    people: tuple[Browser, Browser, Browser],
) -> None:
    one, two, chief = people
    _read(one, 0, 60)
    square = [[180, 150], [180, 192], [222, 192], [222, 150]]  # whose diagonal is 59 pixels
    _read(two, 0, 0, kind="outline", long=None, contour=square)
    assert chief.get("worklist").json()["cases"][0]["state"] == "signed"


def test_signed_readings_are_the_calipers_of_the_next_run(scans: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    table = out / "review" / "calipers.csv"
    with served(scans, out, reader="reader-1") as room, Browser(room) as browser:
        _read(browser, 0, 60)
        case = browser.cases()[0]
        exported = browser.get("export/calipers.csv")
        assert exported.headers["content-type"] == "text/csv; charset=utf-8"
        assert exported.headers["content-disposition"] == 'attachment; filename="calipers.csv"'
        assert exported.content == table.read_bytes()
        assert browser.session["tables"] == ["calipers", "audit", "agreement"]
        audit = browser.get("export/audit.csv").text
        assert [line.split(",")[3] for line in audit.splitlines()[1:]] == ["add", "add", "sign"]
        browser.post(f"cases/{case['id']}/reopen", {"why": "again"})
        assert not table.exists()
        versions = {reading["id"]: reading["version"] for reading in case["readings"]}
        browser.post(f"cases/{case['id']}/sign", {"versions": versions})
        told = browser.get(f"cases/{case['id']}/result").json()
        words = shlex.split(browser.session["command"])
    done = CliRunner().invoke(app, [*words[1:], "--json"])
    document = read_results(out)
    subject = next(each for each in document.subjects if each.subject == "KHE-7719")
    assert done.exit_code in (0, 3), done.output
    assert subject.response is not None
    assert subject.response.percent == pytest.approx(told["percent"]) == pytest.approx(-40)
    assert {plane.reader for lesion in subject.lesions for plane in lesion.planes} == {"reader-1"}


def test_agreement_is_that_of_the_readers_who_signed(people: tuple[Browser, Browser, Browser]) -> None:
    one, two, chief = people
    _read(one, 0, 60)
    _read(two, 0, 80)
    _read(chief, 0, 70)
    rows = list(csv.DictReader(io.StringIO(chief.get("export/agreement.csv").text)))
    lesions = [row for row in rows if row["level"] == "lesion"]
    assert [(row["first_reader"], row["second_reader"]) for row in lesions] == [READERS] * 2
    sizes = {row["visit"]: (float(row["first"]), float(row["second"])) for row in lesions}
    assert sizes == {"baseline": (30, 30), "one_month": (18, 24)}


def test_the_audit_of_several_readers_leaves_the_room_by_whoever_keeps_the_data(
    people: tuple[Browser, Browser, Browser],
) -> None:
    """The first reader has not signed. The history hides what was drawn, and so does every table that can be taken."""
    one, *others = people
    one.add(one.cases()[0])
    for browser in (*others, one):
        assert browser.session["tables"] == ["calipers", "agreement"]
        answer = browser.get("export/audit.csv")
        assert (answer.status_code, answer.json()["code"]) == (403, "audit_kept")
        for name in browser.session["tables"]:
            table = browser.get(f"export/{name}.csv")
            assert table.status_code == 200
            assert len(table.text.splitlines()) == 1


def test_a_full_disk_says_that_it_is_signed_and_what_was_not_written(
    scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise WriteError("The table cannot be written: the disk is full.", remedy="Free some space.")

    with served(scans, tmp_path / "out") as room, Browser(room) as browser:
        case = browser.cases()[0]
        kept = browser.add(case).json()
        with monkeypatch.context() as patched:
            patched.setattr(readings, "write_calipers", full)
            answer = browser.post(f"cases/{case['id']}/sign", {"versions": {kept["id"]: 1}})
        assert answer.status_code == 500
        assert answer.json()["reason"].startswith("It is signed, but for the next run: The table cannot be written")
        assert browser.cases()[0]["locked"]
        browser.get("export/calipers.csv")
        assert (tmp_path / "out" / "review" / "calipers.csv").exists()
