"""The reading room's server: cases as a run sorts them, readings that are kept, conflicts, states, sign-off."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from lesion_measure.config import Config
from lesion_measure.config.ingest import Calibration
from lesion_measure.job.request import RunRequest
from lesion_measure.pipeline import run
from lesion_measure.review.room import Room
from reading_room import Browser, caliper, images, served, trial


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trial(tmp_path_factory.mktemp("scans"))


@pytest.fixture
def room(scans: Path, tmp_path: Path) -> Iterator[Room]:
    with served(scans, tmp_path / "out", reader="reader-1") as opened:
        yield opened


@pytest.fixture
def browser(room: Room) -> Iterator[Browser]:
    with Browser(room) as one:
        yield one


def test_a_folder_that_was_never_run_opens_as_a_run_sorts_it(browser: Browser) -> None:
    listed = browser.get("worklist").json()
    assert [case["label"] for case in listed["cases"]] == ["KHE-7719", "KHE-7728", "KHE-7731"]
    assert listed["progress"] == {"to_measure": 3}
    baseline, month = browser.cases()[0]["visits"]
    assert (baseline["label"], baseline["date"], baseline["day"]) == ("Baseline", "2023-03-06", 0)
    assert (month["label"], month["date"], month["day"]) == ("1 month", "2023-04-05", 30)
    first = baseline["images"][0]
    assert (first["rows"], first["columns"], first["spacing_mm"]) == (320, 400, [0.3, 0.3])
    assert {image["plane"] for image in baseline["images"]} == {"transverse", "sagittal"}


def test_ids_stay_the_same_from_server_to_server(scans: Path, tmp_path: Path) -> None:
    seen = []
    for _ in range(2):
        with served(scans, tmp_path / "out") as room, Browser(room) as browser:
            seen.append([case["id"] for case in browser.cases()])
    assert seen[0] == seen[1]
    assert all(len(each) == 32 for each in seen[0])


def test_a_reading_is_kept_measured_changed_and_removed(browser: Browser) -> None:
    case = browser.cases()[0]
    kept = browser.add(case).json()
    # 100 columns of 0.3 mm
    assert kept["measured"]["long_axis_mm"]["value"] == pytest.approx(30.0)
    assert (kept["version"], kept["reader"], kept["case"]) == (1, "reader-1", case["id"])
    assert kept["visit"] == case["visits"][0]["id"]
    longer = caliper(images(case)[0], long=[[200, 150], [200, 260]])
    changed = browser.put(f"readings/{kept['id']}", {"version": 1, "draft": longer, "why": "edge"}).json()
    assert changed["measured"]["long_axis_mm"]["value"] == pytest.approx(33.0)
    assert browser.cases()[0]["readings"] == [changed]
    assert browser.delete(f"readings/{kept['id']}", {"version": 2}).json() == {}
    assert browser.cases()[0]["readings"] == []
    steps = browser.get("audit", params={"case": case["id"]}).json()
    assert [step["action"] for step in steps] == ["add", "change", "remove"]
    assert steps[1]["why"] == "edge"
    assert steps[1]["before"]["image"] == steps[1]["after"]["image"] == images(case)[0]["id"]
    assert [steps[1][then]["long_axis_mm"] for then in ("before", "after")] == pytest.approx([30.0, 33.0])
    assert "short_axis_mm" not in steps[1]["after"]


def test_two_tabs_never_overwrite_each_other(room: Room, browser: Browser) -> None:
    case = browser.cases()[0]
    kept = browser.add(case).json()
    with Browser(room) as other:
        theirs = {"version": 1, "draft": caliper(images(case)[0], long=[[200, 150], [200, 260]])}
        faster = other.put(f"readings/{kept['id']}", theirs).json()
        slower = browser.put(f"readings/{kept['id']}", {"version": 1, "draft": caliper(images(case)[0], comment="x")})
        assert slower.status_code == 409
        assert slower.json()["current"] == faster
        assert browser.delete(f"readings/{kept['id']}", {"version": 1}).status_code == 409
        again = other.add(case)
        assert (again.status_code, again.json()["current"]) == (409, faster)
        assert browser.cases()[0]["readings"] == [faster]


def test_signing_locks_until_it_is_reopened_with_a_reason(browser: Browser) -> None:
    case = browser.cases()[0]
    kept = browser.add(case).json()
    where = f"cases/{case['id']}"
    assert browser.post(f"{where}/sign", {"versions": {kept["id"]: 2}}).status_code == 409
    signed = browser.post(f"{where}/sign", {"versions": {kept["id"]: 1}, "statement": "read"}).json()
    assert (signed["reader"], signed["role"]) == ("reader-1", "reader")
    change = {"version": 1, "draft": caliper(images(case)[0], comment="x")}
    assert browser.put(f"readings/{kept['id']}", change).status_code == 423
    assert browser.delete(f"readings/{kept['id']}", {"version": 1}).status_code == 423
    assert browser.add(case, lesion="L2").status_code == 423
    locked = browser.cases()[0]
    assert (locked["locked"], locked["state"], locked["readings"][0]["signed"]) == (True, "signed", True)
    assert browser.post(f"{where}/reopen", {"why": " "}).status_code == 400
    assert browser.post(f"{where}/reopen", {"why": "wrong edge"}).status_code == 200
    assert browser.put(f"readings/{kept['id']}", change).status_code == 200


def test_states_follow_what_was_read(browser: Browser) -> None:
    case = browser.cases()[0]
    assert browser.get("worklist").json()["cases"][0]["state"] == "to_measure"
    for image in (case["visits"][0]["images"][0], case["visits"][1]["images"][0]):
        listed = browser.get("worklist").json()["cases"][0]
        assert listed["state"] == "to_measure"
        browser.post(f"cases/{case['id']}/readings", caliper(image))
    listed = browser.get("worklist").json()
    assert listed["cases"][0]["state"] == "measured"
    assert listed["cases"][0]["lesions"] == [{"name": "L1", "state": "measured"}]
    assert [visit["state"] for visit in listed["cases"][0]["visits"]] == ["measured", "measured"]
    assert listed["progress"] == {"measured": 1, "to_measure": 2}


def test_the_result_is_that_of_a_run_by_the_same_calipers(browser: Browser, scans: Path, tmp_path: Path) -> None:
    case = browser.cases()[0]
    where = f"cases/{case['id']}"
    assert browser.get(f"{where}/result").json()["lesions"] == []
    rows = []
    for visit, length in zip(case["visits"], (100, 60), strict=True):
        browser.post(f"{where}/readings", caliper(visit["images"][0], long=[[200, 150], [200, 150 + length]]))
        path = browser.room.cases.picture(visit["images"][0]["id"]).instance.path  # type: ignore[union-attr]
        rows.append(f"{path},1,L1,unknown,long,150,200,{150 + length},200,reader-1\n")
    table = tmp_path / "calipers.csv"
    table.write_text("image,frame,lesion,plane,axis,start_col,start_row,end_col,end_row,reader\n" + "".join(rows))
    (subject, *_) = run(RunRequest(input=scans, out=tmp_path / "run", calipers=table)).subjects
    told = browser.get(f"{where}/result").json()
    assert subject.response is not None
    assert (told["verdict"], told["certain"]) == (subject.response.category, subject.response.certain)
    assert told["percent"] == pytest.approx(-40)
    sizes = {(each["lesion"], each["visit"]): each["longest_diameter_mm"]["value"] for each in told["lesions"]}
    assert sizes == {
        ("L1", case["visits"][0]["id"]): pytest.approx(30.0), ("L1", case["visits"][1]["id"]): pytest.approx(18.0)
    }  # fmt: skip


def test_frames_come_without_loss(browser: Browser, scans: Path) -> None:
    import io

    import numpy as np
    import pydicom
    from PIL import Image

    case = browser.cases()[0]
    (first,) = (scans / "KHE-7719").glob("besuch-20230306/Sag*")
    answer = browser.get(f"images/{images(case)[0]['id']}/frames/1.png")
    assert answer.headers["cache-control"] == "no-store"
    shown = np.asarray(Image.open(io.BytesIO(answer.content)))
    assert np.array_equal(shown, pydicom.dcmread(first).pixel_array)
    assert browser.get(f"images/{images(case)[0]['id']}/frames/2.png").status_code == 400


def test_what_cannot_be_kept_is_refused(browser: Browser) -> None:
    first, second = browser.cases()[:2]
    image = images(first)[0]
    where = f"cases/{first['id']}/readings"
    assert browser.post(where, caliper(images(second)[0])).status_code == 400  # of another case
    assert browser.post(where, caliper(image, frame=2)).status_code == 400
    assert browser.post(where, caliper(image, kind="outline")).status_code == 400  # without a contour
    assert browser.post(where, caliper({"id": "0" * 32})).status_code == 404
    assert browser.post(where, caliper(image, reader="somebody")).status_code == 422
    assert browser.post(where, caliper(image, long=[[0, 0], ["NaN", 1]])).status_code == 422
    assert browser.post(where, caliper(image, long=[[0, 0], [1e308, 1]])).status_code == 422
    assert browser.post(f"cases/{'0' * 32}/readings", caliper(image)).status_code == 404
    assert browser.put(f"readings/{'0' * 32}", {"version": 1, "draft": caliper(image)}).status_code == 404
    assert browser.cases()[0]["readings"] == []


def test_a_drawing_is_measured_without_being_kept(browser: Browser) -> None:
    image = images(browser.cases()[0])[0]
    asked = {"image": image["id"], "frame": 1, "long": [[200, 160], [200, 260]], "short": [[170, 200], [230, 200]]}
    told = browser.post("measure", asked).json()
    assert told["long_axis_mm"]["value"] == pytest.approx(30.0)
    assert told["short_axis_mm"]["value"] == pytest.approx(18.0)
    outside = browser.post("measure", {**asked, "long": [[2, 2], [2, 90]], "short": None}).json()
    assert outside["long_axis_mm"] is None
    assert outside["refusal"]


def test_what_lies_on_images_that_are_not_here_is_not_signed_unseen(scans: Path, tmp_path: Path) -> None:
    moved = tmp_path / "scans"
    shutil.copytree(scans, moved)
    with served(moved, tmp_path / "out") as room, Browser(room) as browser:
        case = browser.cases()[0]
        for visit in case["visits"]:
            browser.post(f"cases/{case['id']}/readings", caliper(visit["images"][0]))
    shutil.rmtree(moved / "KHE-7719" / "besuch-20230405")
    with served(moved, tmp_path / "out") as room, Browser(room) as browser:
        case = browser.cases()[0]
        (reading,) = case["readings"]
        answer = browser.post(f"cases/{case['id']}/sign", {"versions": {reading["id"]: 1}})
        assert (answer.status_code, answer.json()["code"]) == (409, "images_missing")


def test_readings_are_kept_in_the_database_that_is_given(scans: Path, tmp_path: Path, database_url: str) -> None:
    for number in range(2):
        with served(scans, tmp_path / f"out-{number}", database=database_url) as room, Browser(room) as browser:
            case = browser.cases()[0]
            kept = [browser.add(case).json()] if number == 0 else case["readings"]
            assert [reading["measured"]["long_axis_mm"]["value"] for reading in kept] == [pytest.approx(30.0)]
            change = {"version": number + 1, "draft": caliper(images(case)[0], comment=str(number))}
            assert browser.put(f"readings/{kept[0]['id']}", change).status_code == 200
            assert browser.put(f"readings/{kept[0]['id']}", change).status_code == 409
            assert room.store.marks() == [each.mark for each in room.store.readings()]
            assert (len(room.store.marks("reader")), room.store.marks("another")) == (1, [])
    assert not (tmp_path / "out-0" / "review").exists()


def test_of_many_who_change_one_version_at_once_one_does(room: Room, browser: Browser) -> None:
    case = browser.cases()[0]
    kept = browser.add(case).json()
    with ExitStack() as closing, ThreadPoolExecutor(8) as pool:
        others = [closing.enter_context(Browser(room)) for _ in range(8)]
        drafts = [caliper(images(case)[0], comment=f"tab {number}") for number in range(8)]
        answers = list(
            pool.map(
                lambda one, draft: one.put(f"readings/{kept['id']}", {"version": 1, "draft": draft}), others, drafts
            )
        )
    won = [answer.json() for answer in answers if answer.status_code == 200]
    assert len(won) == 1
    assert [answer.json()["current"] for answer in answers if answer.status_code == 409] == won * 7
    assert browser.cases()[0]["readings"] == won


def test_manifest_and_settings_count_as_in_a_run(scans: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "visits.csv"
    files = sorted(file.relative_to(scans).as_posix() for file in (scans / "KHE-7719").rglob("*.dcm"))
    rows = [f"{file},CODE-1,{'baseline' if '20230306' in file else 'one_month'},,Herd 1\n" for file in files]
    manifest.write_text("path,subject,visit,plane,lesion\n" + "".join(rows))
    config = Config(calibration=Calibration(max_depth_mm=10))
    with served(scans, tmp_path / "out", run={"manifest": manifest, "config": config}) as room, Browser(room) as one:
        listed = one.get("worklist").json()["cases"]
        case = one.cases()[0]
    assert listed[0]["label"] == "CODE-1"
    assert [visit["label"] for visit in case["visits"]] == ["Baseline", "1 month"]
    assert listed[0]["lesions"] == [{"name": "Herd 1", "state": "refused"}]
    assert {(image["spacing_mm"], listed[0]["state"]) for image in images(case)} == {(None, "refused")}
    assert all("10 mm" in image["refusal"] for image in images(case))
