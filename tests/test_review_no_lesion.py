"""A child signed as one without a lesion: from the signature through the caliper table into the next run."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from lesion_measure.config import Config
from lesion_measure.errors import ReviewError, TableError
from lesion_measure.job.readings import readings_file, with_readings
from lesion_measure.job.request import RunRequest
from lesion_measure.pipeline import run
from lesion_measure.records import BASELINE, ONE_MONTH, Axis, Fate, SubjectResult
from lesion_measure.review import exports
from lesion_measure.review.messages import Draft, Kind, Measured, Role, Size
from lesion_measure.review.store import Store, beside
from lesion_measure.tables.calipers import read_calipers
from reading_room import ROOT, Browser, served, trial

SURE = Config.model_validate({"segment": {"min_confidence": 0}})
"""Settings with which the network's own outlines count."""
SAID = {"versions": {}, "statement": "I have looked at every image. There is no lesion.", "no_lesion": True}
HEAD = "image,frame,lesion,plane,axis,start_col,start_row,end_col,end_row,reader\n"


@pytest.fixture
def scans(project_dir: Path, tmp_path: Path) -> Path:
    shutil.copytree(project_dir / "sample_dicoms" / "SIM-01", tmp_path / "scans" / "SIM-01")
    return tmp_path / "scans"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_it_goes_through_the_table_into_the_next_run_and_no_outline_counts_against_it(
    scans: Path, tmp_path: Path
) -> None:
    request = RunRequest(input=scans, out=tmp_path / "out", config=SURE, overwrite=True)
    (before,) = run(with_readings(request)).subjects
    assert {lesion.visit for lesion in before.lesions} == {BASELINE, ONE_MONTH}
    with served(scans, request.out, reader="reader-1") as room, Browser(room) as browser:
        case = browser.cases()[0]
        signed = browser.post(f"cases/{case['id']}/sign", SAID).json()
        assert signed["no_lesion"]
        assert browser.cases()[0]["signatures"] == [signed]
        (step,) = browser.get("audit", params={"case": case["id"]}).json()
        assert step["after"]["no_lesion"] == 4  # images
        exports.write_exports(room.store, request.out, lambda _: Measured())
    (step,) = rows(request.out / "review" / "audit.csv")
    table = rows(readings_file(request.out))
    assert json.loads(step["after"])["no_lesion"] == {row["image"]: row["visit"] for row in table}
    assert sorted((row["axis"], row["lesion"], row["reader"], row["visit"]) for row in table) == [
        ("no_lesion", "", "reader-1", visit) for visit in (BASELINE, BASELINE, ONE_MONTH, ONE_MONTH)
    ]
    after = run(with_readings(request))
    assert after.provenance.model is not None
    assert after.provenance.outlines == {"made": 0, "reused": 0}
    (child,) = after.subjects
    assert (child.lesions, child.changes, child.response) == ((), (), None)
    assert [(asked.code, asked.visit) for asked in child.review] == [("no_lesion", BASELINE), ("no_lesion", ONE_MONTH)]
    assert child.review[0].reason == "reader-1 looked at all 2 images of baseline and saw no lesion."


def test_a_signature_that_is_taken_back_leaves_no_row(scans: Path, tmp_path: Path) -> None:
    with served(scans, tmp_path / "out", reader="reader-1") as room, Browser(room) as browser:
        case = browser.cases()[0]
        assert browser.post(f"cases/{case['id']}/sign", SAID).is_success
        assert readings_file(tmp_path / "out").is_file()
        assert browser.post(f"cases/{case['id']}/reopen", {"why": "there is one"}).is_success
        assert not readings_file(tmp_path / "out").exists()
        browser.add(case)
        refused = browser.post(f"cases/{case['id']}/sign", {**SAID, "versions": {}})
        assert refused.json()["code"] == "lesion_drawn"


def test_blinded_readers_are_told_how_many_images_and_not_which(tmp_path: Path) -> None:
    scans = trial(tmp_path / "scans", children=1)
    with (
        served(scans, tmp_path / "out", reader="reader-1", blinded=True, seed=3) as room,
        Browser(room) as browser,
    ):
        case = browser.cases()[0]
        assert browser.post(f"cases/{case['id']}/sign", SAID).is_success
        told = browser.get("audit", params={"case": case["id"]})
    assert told.json()[0]["after"]["no_lesion"] == 4
    assert ROOT not in told.text


def by_table(scans: Path, tmp_path: Path, body: str, **config: Any) -> SubjectResult:
    """The child by a caliper table whose images lie in its folder."""
    table = tmp_path / "calipers.csv"
    table.write_text(HEAD + body, encoding="utf-8")
    chosen = Config.model_validate(config)
    (child,) = run(RunRequest(input=scans, out=tmp_path / "by_table", calipers=table, config=chosen)).subjects
    return child


def none_on(*files: str, reader: str = "R1") -> str:
    return "".join(f"SIM-01/{file},,,,no_lesion,,,,,{reader}\n" for file in files)


DRAWN = "SIM-01/baseline/L1_{plane}.dcm,1,L1,{plane},long,301.2,244.8,412.9,251.3,R1\n"
MONTH = ("one_month/L1_sagittal.dcm", "one_month/L1_transverse.dcm")


def test_a_later_visit_without_a_lesion_is_no_disappearance_by_itself(scans: Path, tmp_path: Path) -> None:
    drawn = "".join(DRAWN.format(plane=plane) for plane in ("transverse", "sagittal"))
    child = by_table(scans, tmp_path, drawn + none_on(*MONTH))
    assert {lesion.visit for lesion in child.lesions} == {BASELINE}
    assert child.response is None
    assert [status.fate for status in child.statuses] == [Fate.NOT_FOUND]
    assert "no_lesion" in {asked.code for asked in child.review}


def test_an_image_that_shows_none_takes_nothing_from_another_of_its_visit(scans: Path, tmp_path: Path) -> None:
    drawn = DRAWN.format(plane="transverse")
    child = by_table(scans, tmp_path, drawn + none_on("baseline/L1_sagittal.dcm"))
    assert [(lesion.lesion, lesion.visit) for lesion in child.lesions] == [("L1", BASELINE)]
    assert not {"no_lesion", "lesion_and_none"} & {asked.code for asked in child.review}


@pytest.mark.parametrize(("counts", "asks"), [(None, True), ("R1", False), ("R2", False)])
def test_readers_of_whom_one_drew_and_one_saw_none_wait_for_review(
    scans: Path, tmp_path: Path, counts: str | None, asks: bool
) -> None:
    drawn = DRAWN.format(plane="transverse")
    none = none_on("baseline/L1_transverse.dcm", "baseline/L1_sagittal.dcm", reader="R2")
    child = by_table(scans, tmp_path, drawn + none, calipers={"reader": counts})
    codes = {asked.code for asked in child.review}
    assert ("lesion_and_none" in codes) == asks
    assert ("no_lesion" in codes) == (counts == "R2")
    assert bool(child.lesions) == (counts != "R2")


@pytest.mark.parametrize("row", ["a.dcm,,L1,,no_lesion,,,,,R1", "a.dcm,2,,,no_lesion,,,,,R1", "a.dcm,,,,absent,,,,,R1"])
def test_a_row_names_a_lesion_and_a_frame_or_none(tmp_path: Path, row: str) -> None:
    table = tmp_path / "calipers.csv"
    table.write_text(f"{HEAD}{row}\n", encoding="utf-8")
    with pytest.raises(TableError, match="Line 2"):
        read_calipers(table)
    table.write_text(f"{HEAD}a.dcm,,,,no_lesion,,,,,R1\n", encoding="utf-8")
    assert [(each.axis, each.lesion, each.frame) for each in read_calipers(table)] == [(Axis.NO_LESION, "", 1)]


def long(end: float) -> Draft:
    known = {"image": "ab" * 8, "frame": 1, "lesion": "L1", "kind": Kind.CALIPER}
    return Draft.model_validate({**known, "long": ((10, 20), (10, end))})


def test_the_adjudicators_word_counts_and_agreement_tells_who_saw_none(tmp_path: Path) -> None:
    out, images = tmp_path / "out", {"1.2.3": BASELINE}
    with Store(beside(out)) as store:
        for subject in ("S1", "S2"):
            kept = store.add(subject, BASELINE, f"1.2.{subject[1]}", long(50), "R1")
            store.sign(subject, "R1", Role.READER, {kept.id: 1})
        store.sign("S1", "R2", Role.READER, {}, "none", images)
        with pytest.raises(ReviewError):
            store.sign("S2", "R2", Role.READER, {})
        store.sign("S2", "A", Role.ADJUDICATOR, {}, "none", images)
        exports.write_exports(store, out, lambda _: Measured(long_axis_mm=Size(value=9.0)))
        assert [(each.subject, each.reader) for each in exports.final_statements(store)] == [("S1", "R2"), ("S2", "A")]
    written = [(row["subject"], row["reader"], row["axis"]) for row in rows(readings_file(out))]
    assert written == [("S1", "R1", "long"), ("S1", "R2", "no_lesion"), ("S2", "A", "no_lesion")]
    (told,) = rows(out / "review" / "agreement.csv")
    assert (told["subject"], told["first_says"], told["second_says"]) == ("S1", "measured", "no_lesion")


def test_a_database_from_before_is_migrated_with_its_signatures(database_url: str) -> None:
    with Store(database_url) as store:
        store.sign("S1", "R1", Role.READER, {}, "There is no lesion.")
    engine = create_engine(database_url.replace("postgresql://", "postgresql+pg8000://"))
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE signatures DROP COLUMN no_lesion"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    engine.dispose()
    with Store(database_url) as store:
        (signed,) = store.signatures()
        assert (signed.statement, dict(signed.no_lesion)) == ("There is no lesion.", {})
        store.reopen("S1", "R1", "again")
        store.sign("S1", "R1", Role.READER, {}, "There is no lesion.", {"1.2.3": BASELINE})
        assert store.signatures()[0].no_lesion == {"1.2.3": BASELINE}
        assert store.first_broken() is None
