"""Blinded reading: nothing that leaves the server tells whose an image is, when it was made, or what others read."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

import screens
from lesion_measure.job.request import RunRequest
from lesion_measure.pipeline import run
from lesion_measure.review.blinding import Blinded
from reading_room import DATES, ROOT, SECRETS, Browser, caliper, found, images, people_file, served, trial, write_image

PASSWORD = "correct horse"
READERS = ("dr-schlehe", "dr-hagebutte")
CHIEF = "prof-wacholder"
CALIPERS = "image,frame,lesion,plane,axis,start_col,start_row,end_col,end_row,reader\n"


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trial(tmp_path_factory.mktemp("scans"), children=2)


@pytest.fixture(scope="module")
def users(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return people_file(tmp_path_factory.mktemp("users"), READERS, CHIEF, PASSWORD)


@pytest.fixture(scope="module")
def finished(scans: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run by calipers of somebody, whose results and refusals would tell much."""
    folder = tmp_path_factory.mktemp("finished")
    table = folder / "calipers.csv"
    lines = [f"{next(scans.rglob('Sag*')).relative_to(scans)},1,Herd 7,sagittal,long,160,200,260,200,dr-earlier\n"]
    table.write_text(CALIPERS + "".join(lines))
    run(RunRequest(input=scans, out=folder / "out", calipers=table))
    return folder


class Heard(Browser):
    """A browser that keeps every answer, whole."""

    def __init__(self, room: Any, **who: str) -> None:
        self.answers: list[str] = []
        super().__init__(room, **who)

    def _keep(self, answer: httpx.Response) -> None:
        answer.read()
        headers = "\n".join(f"{name}: {value}" for name, value in answer.headers.items() if name != "date")
        self.answers.append(f"{answer.request.url}\n{headers}\n{answer.content.decode('latin-1')}")

    def get(self, path: str, **more: Any) -> httpx.Response:
        answer = super().get(path, **more)
        self._keep(answer)
        return answer

    def post(self, path: str, body: Any, **more: Any) -> httpx.Response:
        answer = super().post(path, body, **more)
        self._keep(answer)
        return answer

    def put(self, path: str, body: Any) -> httpx.Response:
        answer = super().put(path, body)
        self._keep(answer)
        return answer

    def delete(self, path: str, body: Any) -> httpx.Response:
        answer = super().delete(path, body)
        self._keep(answer)
        return answer


def _look(browser: Heard) -> None:
    """Ask for all that can be looked at."""
    browser.get("session")
    browser.get("worklist")
    for case in browser.cases():
        browser.get(f"cases/{case['id']}/result")
        browser.get("audit", params={"case": case["id"]})
    for name in ("calipers", "audit", "agreement"):
        browser.get(f"export/{name}.csv")


def _everything(browser: Heard) -> None:
    """Do all that a reader does, rightly and wrongly, and look."""
    for case in browser.cases():
        where = f"cases/{case['id']}"
        kept = [browser.post(f"{where}/readings", caliper(image)).json() for image in images(case)]
        for image in images(case):
            browser.get(f"images/{image['id']}/area")
            browser.get(f"images/{image['id']}/frames/1.png")
            browser.get(f"images/{image['id']}/frames/2.png")
            browser.post("measure", {"image": image["id"], "frame": 1, "long": [[1, 1], [9, 9]]})
            browser.post("measure", {"image": image["id"], "frame": 7, "long": [[200, 160], [200, 260]]})
        browser.add(case)
        changed = {"version": 1, "draft": caliper(images(case)[0], comment="x")}
        browser.put(f"readings/{kept[0]['id']}", changed)
        browser.put(f"readings/{kept[0]['id']}", changed)
        browser.delete(f"readings/{kept[1]['id']}", {"version": 1})
        browser.post(f"{where}/comments", {"why": "seen"})
        browser.post(f"{where}/sign", {"versions": {}})
        browser.post(f"{where}/sign", {"versions": {kept[n]["id"]: 2 if n == 0 else 1 for n in (0, 2, 3)}})
        browser.post(f"{where}/reopen", {"why": "again"})
        browser.post(f"{where}/sign", {"versions": {kept[n]["id"]: 2 if n == 0 else 1 for n in (0, 2, 3)}})
    _look(browser)


def test_no_answer_tells_whose_it_is_or_when_or_what_others_read(scans: Path, users: Path, finished: Path) -> None:
    options = {"users": users, "blinded": True, "run": {"calipers": finished / "calipers.csv"}}
    with served(scans, finished / "out", **options) as room:
        with Heard(room, name=READERS[0], password=PASSWORD) as first:
            _everything(first)
        with Heard(room, name=READERS[1], password=PASSWORD) as second:
            _everything(second)
        with Heard(room, name=CHIEF, password=PASSWORD) as chief:
            _look(chief)
    earlier = ("Herd 7", "dr-earlier")
    for browser, others in (
        (first, (READERS[1], CHIEF)), (second, (READERS[0], CHIEF)), (chief, READERS),
    ):  # fmt: skip
        assert len(browser.answers) > 12
        leaks = [(words, told[:200]) for told in browser.answers if (words := found(told, SECRETS + earlier + others))]
        assert leaks == []


def test_what_is_searched_for_is_there_in_open_reading(scans: Path, users: Path, finished: Path) -> None:
    """The search above would find a leak: in open reading, where all may be told, it finds these."""
    with (
        served(scans, finished / "out", users=users, run={"calipers": finished / "calipers.csv"}) as room,
        Heard(room, name=READERS[0], password=PASSWORD) as browser,
    ):
        browser.cases()
    told = "".join(browser.answers)
    assert {"KHE-7719", "2023-03-06", "Sag-Leber", ".dcm", "Baseline", "1 month"} <= set(found(told))
    assert {"Herd 7", "dr-earlier"} <= set(found(told, ("Herd 7", "dr-earlier")))


def test_the_screen_around_the_scan_is_blank_and_the_scan_is_whole(scans: Path, users: Path, tmp_path: Path) -> None:
    pictures = []
    for blinded in (False, True):
        with (
            served(scans, tmp_path / "out", users=users, blinded=blinded) as room,
            Browser(room, name=READERS[0], password=PASSWORD) as browser,
        ):
            (image,) = [
                image for case in browser.cases() for image in images(case)
                if room.cases.picture(image["id"]).instance.path.startswith("KHE-7719/besuch-20230306/Sag")  # type: ignore[union-attr]
            ]  # fmt: skip
            picture = Image.open(io.BytesIO(browser.get(f"images/{image['id']}/frames/1.png").content))
            assert picture.info == {}
            pictures.append(np.asarray(picture))
    openly, hidden = pictures
    assert openly[:30].max() > 200  # the name
    assert hidden[:30].max() == 0
    inside = screens.fan() & (hidden > 0)
    assert inside.sum() > 0.9 * screens.fan().sum()
    assert np.array_equal(openly[inside], hidden[inside])


def test_a_frame_is_not_shown_where_nothing_tells_the_screen_from_the_scan(users: Path, tmp_path: Path) -> None:
    words = np.where(screens.fan(), 0, screens.screen()).astype(np.uint8)  # a name, no echo, and no region
    for visit, date in enumerate(DATES.values()):
        study = f"{ROOT}.9.{visit}"
        image = screens.dataset(
            words, StudyDate=date, StudyInstanceUID=study, SeriesInstanceUID=f"{study}.1", SOPInstanceUID=f"{study}.2"
        )
        del image.SequenceOfUltrasoundRegions
        write_image(tmp_path / "scans" / f"{visit}.dcm", image)
    for blinded, status in ((False, 200), (True, 400)):
        with (
            served(tmp_path / "scans", tmp_path / "out", users=users, blinded=blinded) as room,
            Browser(room, name=READERS[0], password=PASSWORD) as browser,
        ):
            (case,) = browser.cases()
            answer = browser.get(f"images/{images(case)[0]['id']}/frames/1.png")
            assert answer.status_code == status
    assert answer.json()["code"] == "scan_not_known"


def test_labels_say_nothing_and_the_order_is_the_seeds(scans: Path, users: Path, tmp_path: Path) -> None:
    orders = []
    for seed in range(5):
        with (
            served(scans, tmp_path / "out", users=users, blinded=True, seed=seed) as room,
            Browser(room, name=READERS[0], password=PASSWORD) as browser,
        ):
            cases = browser.cases()
            assert [case["label"] for case in cases] == ["Case 1", "Case 2"]
            for case in cases:
                assert [visit["label"] for visit in case["visits"]] == ["Scan A", "Scan B"]
                assert [(visit["date"], visit["day"]) for visit in case["visits"]] == [(None, None)] * 2
                assert all(re.fullmatch(r"Image \d", image["label"]) for image in images(case))
                assert (case["earlier"], case["refusals"]) == ([], [])
                for image in [] if case["readings"] else reversed(images(case)):
                    browser.post(f"cases/{case['id']}/readings", caliper(image))
                # in the shuffled order, and neither in that of UIDs nor in that of reading
                read = [reading["draft"]["image"] for reading in browser.get(f"cases/{case['id']}").json()["readings"]]
                assert read == [image["id"] for image in images(case)]
                result = browser.get(f"cases/{case['id']}/result").json()
                assert [each["visit"] for each in result["lesions"]] == [visit["id"] for visit in case["visits"]]
                assert {each["percent"] for each in result["lesions"]} == {None}
                assert (result["verdict"], result["percent"], result["needs"]) == (None, None, [])
            real = [room.cases.case(case["id"]) for case in cases]
            orders.append([(case.subject, *(visit.name for visit in case.visits)) for case in real if case])
    assert len({str(order) for order in orders}) >= 3
    firsts = {visits[0] for order in orders for _, *visits in order}
    assert firsts == {"baseline", "one_month"}


def test_the_same_seed_gives_the_same_order_and_another_database_other_ids(
    scans: Path, users: Path, tmp_path: Path
) -> None:
    seen = []
    for out in ("one", "one", "two"):
        with (
            served(scans, tmp_path / out, users=users, blinded=True, seed=3) as room,
            Browser(room, name=READERS[0], password=PASSWORD) as browser,
        ):
            ids = [case["id"] for case in browser.get("worklist").json()["cases"]]
            seen.append((ids, [room.cases.case(id_).subject for id_ in ids]))  # type: ignore[union-attr]
    assert seen[0] == seen[1]
    assert seen[0][1] == seen[2][1]
    assert not set(seen[0][0]) & set(seen[2][0])


def test_a_blinded_reader_sees_own_steps_alone_and_the_adjudicator_all(
    scans: Path, users: Path, tmp_path: Path
) -> None:
    with (
        served(scans, tmp_path / "out", users=users, blinded=True) as room,
        Browser(room, name=READERS[0], password=PASSWORD) as one,
        Browser(room, name=READERS[1], password=PASSWORD) as two,
        Browser(room, name=CHIEF, password=PASSWORD) as chief,
    ):
        case = one.cases()[0]
        kept = [each.add(case).json() for each in (one, two)]
        assert chief.get("audit", params={"case": case["id"]}).json() == []  # nobody has signed yet
        for each, reading in zip((one, two), kept, strict=True):
            each.post(f"cases/{case['id']}/sign", {"versions": {reading["id"]: 1}})
            each.post(f"cases/{case['id']}/comments", {"why": "hard to see"})
        audit = {"params": {"case": case["id"]}}
        for each, name in ((one, READERS[0]), (two, READERS[1])):
            seen = each.cases()[0]
            assert [reading["reader"] for reading in seen["readings"]] == [name]
            assert [signature["reader"] for signature in seen["signatures"]] == [name]
            assert len(seen["comments"]) == 1
            steps = each.get("audit", **audit).json()
            assert {step["reader"] for step in steps} == {name}
            # neither how many steps lie between, nor a hash that holds the subject code
            assert [(step["number"], step["chain"]) for step in steps] == [(1, ""), (2, ""), (3, "")]
        seen = chief.cases()[0]
        names = {reading["reader"] for reading in seen["readings"]}
        assert len(names) == 2
        assert all(re.fullmatch(r"Reader [0-9A-F]{4}", name) for name in names)
        assert len(chief.get("audit", **audit).json()) == 6
        change = {"version": 1, "draft": caliper(images(case)[0], comment="x")}
        assert two.put(f"readings/{kept[0]['id']}", change).status_code in (403, 404)


def test_readings_of_blinded_and_of_open_reading_are_the_same(scans: Path, users: Path, tmp_path: Path) -> None:
    who = {"name": READERS[0], "password": PASSWORD}
    with served(scans, tmp_path / "out", users=users, blinded=True) as room, Browser(room, **who) as browser:
        kept = browser.add(browser.cases()[0]).json()
        subject = room.cases.case(kept["case"]).subject  # type: ignore[union-attr]
    with served(scans, tmp_path / "out", users=users) as room, Browser(room, **who) as browser:
        (case,) = [case for case in browser.cases() if case["readings"]]
        assert case["label"] == subject
        (reading,) = case["readings"]
        assert reading["draft"]["image"] in [image["id"] for image in images(case)]
        draft = {**reading["draft"], "comment": "now openly"}
        assert browser.put(f"readings/{reading['id']}", {"version": 1, "draft": draft}).json()["version"] == 2


@pytest.fixture
def blinded() -> Blinded:
    return Blinded(1, ["KHE-7719", "IMG", "ab", "Baseline", "2023-03-06"])


def test_notes_that_name_somebody_are_not_told(blinded: Blinded) -> None:
    notes = [
        "The same file is here twice, also as khe-7719/a.dcm.",
        "At BASELINE there is another.",
        "Made on 2023-03-06.",
        "The pixels may have been rescaled.",
        "about an edge",  # two letters are no name
    ]
    assert blinded.notes(notes) == ("The pixels may have been rescaled.", "about an edge")
