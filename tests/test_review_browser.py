"""The reading room's page in a real browser: from a folder never run to a signed case, alone, two at once, blinded."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from review_panes import overlay, ready

from chromium import Opened
from lesion_measure.review.messages import Role
from lesion_measure.review.room import Room
from reading_room import SECRETS, caliper, found, images, served, trial
from reading_room import Browser as Client

STATEMENT = "I have looked at every image of this case. The readings above are mine."


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trial(tmp_path_factory.mktemp("scans"))


@pytest.fixture
def room(scans: Path, tmp_path: Path) -> Iterator[Room]:
    with served(scans, tmp_path / "out", reader="reader-1") as opened:
        yield opened


@pytest.fixture(scope="module")
def untouched(scans: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """A room in which nobody keeps anything."""
    with served(scans, tmp_path_factory.mktemp("untouched"), reader="reader-1") as opened:
        yield opened


@pytest.fixture
def opened(chromium: Browser, room: Room) -> Iterator[Opened]:
    with Opened(chromium, room) as one:
        yield one
        assert one.wrong == []


def draw(page: Page, pane: int, lower: int = 0) -> None:
    """Draw a caliper of 80 pixels of the screen in a pane's middle, or lower, and wait until it is kept."""
    box = overlay(page, pane)
    row, column = box["y"] + box["height"] / 2 + lower, box["x"] + box["width"] / 2
    page.keyboard.press("c")
    page.mouse.move(column - 40, row)
    page.mouse.down()
    page.mouse.move(column, row, steps=2)
    page.mouse.move(column + 40, row, steps=2)
    with page.expect_response(re.compile(r"/readings(/[0-9a-f]+)?$")) as kept:
        page.mouse.up()
    assert kept.value.ok, kept.value.text()
    expect(page.locator(".keeping")).to_have_attribute("data-state", "saved")


def open_case(page: Page, key: str = "n") -> None:
    page.keyboard.press(key)
    ready(page)


def panel(page: Page, name: str) -> Any:
    """A panel, opened by its button."""
    page.click(f"[data-panel={name}]")
    within = page.locator(".drawer > .within")
    within.wait_for()
    return within


def sign(page: Page) -> None:
    within = panel(page, "sign")
    for box in within.locator("input[type=checkbox]").all():
        box.check()
    with page.expect_response(re.compile(r"/sign$")):
        within.get_by_role("button", name="Sign as").click()


def test_a_folder_never_run_is_read_signed_and_there_again_after_a_reload(opened: Opened, room: Room) -> None:
    page = opened.page
    assert "token" not in page.url
    open_case(page)
    assert re.search(r"#/case/[0-9a-f]{16,32}$", page.url)
    draw(page, 0)
    draw(page, 1)
    sign(page)
    kept = room.store.readings("KHE-7719")
    sizes = [f"{measured:.1f} mm" for measured in _sizes(room)]
    assert len(kept) == len(sizes) == 2
    for _ in range(2):
        expect(page.locator(".bar .state")).to_have_text(re.compile("Signed"))
        assert all(each.signed for each in room.store.readings("KHE-7719"))
        within = page.locator(".drawer > .within")
        expect(within).to_contain_text("Your readings of this case are locked.")
        for size in sizes:
            expect(within).to_contain_text(size)
        page.reload()
        page.wait_for_selector("[data-panel=sign]")
        panel(page, "sign")
    assert room.store.signatures("KHE-7719")[0].statement == STATEMENT
    page.keyboard.press("w")
    expect(page.locator("table.worklist tbody tr").first).to_contain_text("Signed by reader-1")


def _sizes(room: Room) -> list[float]:
    with Client(room) as client:
        (case, *_) = client.cases()
    return [reading["measured"]["long_axis_mm"]["value"] for reading in case["readings"]]


def test_the_history_shows_each_step_with_what_was_before_and_after(opened: Opened, room: Room) -> None:
    with Client(room) as client:
        case = client.cases()[0]
        kept = client.add(case).json()
        moved = caliper(images(case)[0], long=[[200, 150], [200, 260]])
        client.put(f"readings/{kept['id']}", {"version": 1, "draft": moved, "why": "edge of the lesion"})
        client.post(f"cases/{case['id']}/comments", {"why": "shadow on the right"})
        assert client.post(f"cases/{case['id']}/sign", {"versions": {kept["id"]: 2}, "statement": "mine"}).is_success
    page = opened.page
    open_case(page, "Enter")
    within = panel(page, "sign")
    within.get_by_role("button", name="Open again").click()
    page.get_by_label("Why is the case opened again?").fill("a second lesion")
    page.get_by_role("dialog").get_by_role("button", name="Open again").click()
    within.locator(".sign-form").wait_for()
    steps = panel(page, "audit").locator("li")
    expect(steps).to_have_count(5)
    reopened, signed, comment, change, add = (step.inner_text() for step in steps.all())
    assert re.search(r"Opened again.*reader-1.*Why: a second lesion", reopened, re.DOTALL)
    assert re.search(r"Signed.*Statement\s+mine", signed, re.DOTALL)
    assert "shadow on the right" in comment
    assert "Why: edge of the lesion" in change
    assert re.search(r"\(200\.0, 160\.0\) – \(200\.0, 260\.0\)\s+\(200\.0, 150\.0\) – \(200\.0, 260\.0\)", change)
    assert re.search(r"Long axis\s+30\.0 mm\s+33\.0 mm", change)
    assert re.search(r"Added\s+L1", add)
    assert "Frame" not in change, "what did not change is not told"


def test_what_an_earlier_run_refused_is_listed_in_the_case(opened: Opened) -> None:
    def with_refusals(route: Route) -> None:
        case = {**route.fetch().json(), "refusals": ["No scale on the sagittal image."]}
        route.fulfill(content_type="application/json", body=json.dumps(case))

    opened.page.route(re.compile(r"/api/cases/[0-9a-f]+$"), with_refusals)
    opened.page.reload()
    opened.page.wait_for_selector("table.worklist tbody a")
    open_case(opened.page)
    opened.page.get_by_text("The last run left 1 thing to look at").click()
    expect(opened.page.get_by_text("No scale on the sagittal image.")).to_be_visible()


def test_who_signs_what_another_tab_has_changed_is_told_and_loses_nothing(opened: Opened, room: Room) -> None:
    page = opened.page
    with Client(room) as other:
        case = other.cases()[0]
        kept = other.add(case).json()
        page.reload()
        page.wait_for_selector("table.worklist tbody a")
        open_case(page, "Enter")
        within = panel(page, "sign")
        longer = caliper(images(case)[0], long=[[200, 150], [200, 260]])
        assert other.put(f"readings/{kept['id']}", {"version": 1, "draft": longer}).status_code == 200
    for box in within.locator("input[type=checkbox]").all():
        box.check()
    within.get_by_role("button", name="Sign as").click()
    expect(page.locator(".note-over.bad")).to_be_visible()
    expect(within).to_contain_text("33.0 mm")  # 110 columns of 0.3 mm: the other tab's, now shown
    assert not room.store.signatures("KHE-7719")
    assert [each.version for each in room.store.readings("KHE-7719")] == [2]


def test_two_browsers_that_draw_at_once_both_keep_what_they_drew(chromium: Browser, opened: Opened, room: Room) -> None:
    open_case(opened.page)
    with Opened(chromium, room) as other:
        open_case(other.page)
        draw(opened.page, 0)
        draw(other.page, 1)
        draw(opened.page, 0, lower=50)
        kept = {each.visit: each.version for each in room.store.readings("KHE-7719")}
        assert sorted(kept.values()) == [1, 2]
        assert len(kept) == 2
        assert other.wrong == []


def test_what_could_not_be_saved_is_said_and_not_left_by_mistake(opened: Opened, room: Room) -> None:
    page = opened.page
    open_case(page)
    page.route(re.compile(r"/readings$"), lambda route: route.abort())
    box = overlay(page)
    page.keyboard.press("c")
    page.mouse.move(box["x"] + 150, box["y"] + 300)
    page.mouse.down()
    page.mouse.move(box["x"] + 250, box["y"] + 300, steps=3)
    page.mouse.up()
    expect(page.locator(".keeping")).to_have_text("Not saved")
    page.keyboard.press("w")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("1 edit is not saved")
    dialog.get_by_role("button", name="Stay").click()
    expect(page).to_have_url(re.compile("#/case/"))
    page.unroute_all()
    expect(page.locator(".keeping")).to_have_text("Saved")  # it is sent again by itself
    page.keyboard.press("w")
    page.wait_for_selector("table.worklist")
    assert len(room.store.readings("KHE-7719")) == 1


def test_an_adjudicator_sees_how_far_two_readers_are_apart_and_takes_one(
    chromium: Browser, scans: Path, tmp_path: Path
) -> None:
    for reader, end in (("reader-1", 260), ("reader-2", 270)):
        with served(scans, tmp_path / "out", reader=reader) as room, Client(room) as client:
            case = client.cases()[0]
            kept = client.add(case, long=[[200, 160], [200, end]]).json()
            signed = {"versions": {kept["id"]: 1}, "statement": "mine"}
            assert client.post(f"cases/{case['id']}/sign", signed).is_success
    with (
        served(scans, tmp_path / "out", reader="chief", role=Role.ADJUDICATOR) as room,
        Opened(chromium, room) as opened,
    ):
        open_case(opened.page, "Enter")
        within = panel(opened.page, "adjudicate")
        expect(within.locator(".overlays image")).to_have_count(1)  # one frame, both over it
        expect(within.locator(".overlays polyline.line")).to_have_count(2)
        # 100 and 110 columns of 0.3 mm, and 200 * 3 / (30 + 33)
        expect(within.get_by_role("row", name="Long axis")).to_have_text("Long axis30.0 mm33.0 mm+3.0 mm+9.5 %")
        expect(opened.page.locator(".offer:not([hidden])")).to_have_count(0)  # no reader is offered before the other
        within.get_by_role("button", name="Take reader-2").dblclick()
        expect(within).to_contain_text("Decided: 33.0 mm")
        expect(opened.page.locator(".note-over")).to_have_count(0)  # the second press was of what is decided
        own = room.store.readings("KHE-7719", "chief")
        assert [each.draft.began_as for each in own] == [kept["id"]]
        assert opened.wrong == []


class Heard:
    """Everything that a page asks, is answered and shows, in text."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.texts: list[str] = []
        page.on("request", lambda request: self.texts.append(f"{request.url}\n{request.post_data or ''}"))
        page.route(re.compile(r"/api/.*(?<!\.png)$"), self._keep)

    def _keep(self, route: Route) -> None:
        answer = route.fetch()
        headers = "\n".join(f"{name}: {value}" for name, value in answer.headers.items() if name != "date")
        self.texts += [headers, answer.text()]
        route.fulfill(response=answer)

    def look(self) -> None:
        """Take what is shown, and what the address and the title say."""
        self.texts += [self.page.content(), self.page.title(), self.page.url]


def test_blinded_reading_tells_no_name_date_or_order_anywhere(chromium: Browser, scans: Path, tmp_path: Path) -> None:
    with (
        served(scans, tmp_path / "out", reader="reader-1", blinded=True, seed=3) as room,
        Opened(chromium, room) as opened,
    ):
        page = opened.page
        heard = Heard(page)
        page.reload()
        page.wait_for_selector("table.worklist tbody a")
        heard.look()
        labels = page.locator("table.worklist tbody th").all_inner_texts()
        for place in range(len(labels)):
            page.locator("table.worklist tbody a").nth(place).click()
            ready(page)
            if place == 0:
                draw(page, 0)
            for name in ("comments", "audit", "exports", "sign"):
                panel(page, name)
                heard.look()
            page.keyboard.press("Escape")
            page.keyboard.press("w")
            page.wait_for_selector("table.worklist tbody a")
        page.unroute_all(behavior="ignoreErrors")
        assert sorted(labels) == [f"Case {number}" for number in range(1, 4)]
        assert len(heard.texts) > 60
        assert not found("\n".join(heard.texts), tuple(word for word in SECRETS if word not in (".dcm",)))
        assert opened.wrong == []


def _made_up(number: int) -> dict[str, Any]:
    state = ("to_measure", "needs_review", "refused", "measured", "disagreement", "signed")[number % 6]
    visits = [
        {"id": f"v{visit}", "label": f"visit {visit}", "date": None, "day": None, "images": 4, "state": state}
        for visit in range(3)
    ]
    return {
        "id": f"{number:016x}", "label": f"C-{number:03d}", "state": state, "visits": visits, "why": [], "differs": [],
        "lesions": [{"name": f"L{n}", "state": state} for n in range(3)], "signed_by": [], "changed": None,
    }  # fmt: skip


_OPEN_WORKLIST = """async () => {
  const { openWorklist } = await import("./worklist.js");
  const bar = document.querySelector("header.bar"), main = document.querySelector("main");
  await openWorklist({ bar, main, session: { reader: "", role: "reader", version: "", blinded: false } });
  await new Promise((shown) => requestAnimationFrame(() => setTimeout(shown)));
}"""


def _busy_s(page: Page, script: str) -> float:
    """Seconds that the page's main thread itself works while a script runs, whatever else the machine does."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def now() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return float(next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration"))

    before = now()
    page.evaluate(script)
    return now() - before


def test_the_worklist_of_300_children_is_there_at_once_and_goes_by_keys(chromium: Browser, untouched: Room) -> None:
    with Opened(chromium, untouched) as opened:
        _go_through_300(opened.page)


def _go_through_300(page: Page) -> None:
    cases = [_made_up(number) for number in range(300)]

    def answer(route: Route) -> None:
        route.fulfill(content_type="application/json", body=json.dumps({"cases": cases, "progress": {}}))

    page.route("**/api/worklist", answer)
    page.reload()
    rows = page.locator("table.worklist tbody tr")
    expect(rows).to_have_count(300)
    assert 0.01 < _busy_s(page, _OPEN_WORKLIST) < 1
    page.get_by_role("button", name="Disagreement 50").click()
    expect(rows).to_have_count(50)
    page.keyboard.press("/")
    page.keyboard.type("C-28")
    expect(rows).to_have_count(2)
    page.keyboard.press("ArrowDown")
    expect(page.locator(":focus")).to_have_text("C-280")
    page.keyboard.press("j")
    expect(page.locator(":focus")).to_have_text("C-286")
    page.get_by_role("searchbox").fill("")
    page.get_by_role("button", name="All").click()
    page.get_by_role("button", name="State").click()
    expect(rows.first).to_contain_text("Refused")
    page.get_by_role("button", name="State").click()
    expect(rows.first).to_contain_text("Signed")


_NAMES = r"(KHE-77\d\d|Baseline|1 month|L\d|A|reader-1|remark|(Sag|Trv)-Leber(\.dcm)?|English|简体中文|\w+\.csv)"
_KEY = r"((Shift|Ctrl)\+)*(Shift|Ctrl|Enter|[A-Z?/])"
_NUMBER = r"[0-9a-f]{12,64}|\d{4}-\d\d-\d\d|\w{3} \d+, \d{4}, \d+:\d\d [AP]M|[\d.]+ (mm|cm|mL|%)"
DATA = re.compile(rf"({_NAMES}|{_KEY}|{_NUMBER})( ?[,·] *({_NAMES}|{_NUMBER}))*|lesion-measure run .*")
"""What files, people and keyboards call themselves, and numbers."""


def test_no_word_of_the_page_is_written_anywhere_but_in_its_texts(opened: Opened, room: Room) -> None:
    """The page in a language of brackets: whatever has letters and no bracket was never in the table of texts."""
    page = opened.page
    with Client(room) as client:
        case = client.cases()[0]
        client.add(case)
        client.post(f"cases/{case['id']}/comments", {"why": "remark"})
        told = client.get(f"cases/{case['id']}/result").json()["needs"]

    def bracketed(route: Route) -> None:
        text = route.fetch().text()
        body = re.sub(r'^(  (?:"[^"]+"|\w+): )"(.*)",$', r'\1"⟦\2⟧",', text, flags=re.MULTILINE)
        route.fulfill(content_type="text/javascript", body=body)

    page.route("**/texts/en.js", bracketed)
    page.reload()
    page.wait_for_selector("table.worklist tbody a")
    shown = _words(page)
    open_case(page, "Enter")
    for name in ("comments", "audit", "exports", "sign"):
        panel(page, name)
        shown |= _words(page)
    page.keyboard.press("?")
    shown |= _words(page)
    assert len(shown) > 60
    assert not {text for text in shown - set(told) if not text.count("⟦") and not DATA.fullmatch(text)}


def _words(page: Page) -> set[str]:
    """Texts that a person sees or hears, those of keys left out."""
    found: list[str] = page.evaluate("""() => {
      const texts = [], names = ["title", "aria-label", "placeholder", "alt"];
      const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      while (walker.nextNode()) {
        if (!walker.currentNode.parentElement.closest("kbd")) texts.push(walker.currentNode.data);
      }
      for (const element of document.querySelectorAll("*")) {
        names.forEach((name) => texts.push(element.getAttribute(name) ?? ""));
      }
      return texts;
    }""")
    return {text.strip(" ·\n") for text in found if re.search(r"[A-Za-z]{2}", text)}


@pytest.mark.parametrize(("scheme", "other"), [("light", "dark"), ("dark", "light")])
def test_the_theme_is_the_systems_until_it_is_switched_and_then_remembered(
    chromium: Browser, untouched: Room, scheme: str, other: str
) -> None:
    with Opened(chromium, untouched, color_scheme=scheme) as opened:
        page = opened.page
        grounds = {"light": "rgb(238, 241, 244)", "dark": "rgb(13, 17, 21)"}
        expect(page.locator("body")).to_have_css("background-color", grounds[scheme])
        page.get_by_role("button", name="Light or dark").click()
        page.reload()
        expect(page.locator("body")).to_have_css("background-color", grounds[other])


def test_a_chinese_browser_reads_chinese(chromium: Browser, untouched: Room) -> None:
    with Opened(chromium, untouched, locale="zh-CN") as opened:
        expect(opened.page.get_by_role("heading", level=1)).to_have_text("工作列表")
        expect(opened.page.locator("html")).to_have_attribute("lang", "zh")
        item = {"label": "Case 7", "visits": [], "signed_by": ["Reader 3F2A", "Dr. Reader"]}
        item["differs"] = [{"lesion": "L1", "visit": "Scan B", "sizes_mm": [18, 24]}]
        told, readers = opened.page.evaluate(
            """async (item) => {
              const { named, readerName } = await import("./names.js");
              return [named(item), item.signed_by.map(readerName)];
            }""",
            item,
        )
        assert (told["label"], told["signed_by"]) == ("病例 7", item["signed_by"])
        assert readers == ["阅片者 3F2A", "Dr. Reader"]
        assert told["differs"][0]["visit"] == "检查 B"
        refused = """async () => {
          const { caseOf } = await import("./api.js");
          return caseOf("0123456789abcdef").catch(({ status, reason, remedy }) => [status, reason, remedy]);
        }"""
        assert opened.page.evaluate(refused) == [404, "没有此病例。", "请重新加载页面。"]
        opened.page.locator(".bar select").select_option("en")
        expect(opened.page.get_by_role("heading", level=1)).to_have_text("Worklist")


def test_what_is_wrong_with_an_image_is_said_before_anything_is_drawn(chromium: Browser, untouched: Room) -> None:
    def without(route: Route) -> None:
        case = route.fetch().json()
        for image in case["visits"][0]["images"]:
            image.update(spacing_mm=None, regions=[], refusal="It has no regions.")
        for image in case["visits"][1]["images"]:
            image["warnings"] = ["Its plane is guessed."]
        route.fulfill(json=case)

    with Opened(chromium, untouched) as opened:
        opened.page.route(re.compile(r"/api/cases/[0-9a-f]+$"), without)
        opened.page.reload()
        opened.page.wait_for_selector("table.worklist tbody a")
        open_case(opened.page)
        heads = opened.page.locator(".pane-image")
        expect(heads.filter(has_text="no scale")).to_have_count(1)
        expect(opened.page.locator(".pane-told")).to_have_text(["It has no regions.", "Its plane is guessed."])
        assert opened.wrong == []


def test_an_answer_that_is_cut_off_is_told_like_one_that_never_came(chromium: Browser, untouched: Room) -> None:
    with Opened(chromium, untouched) as opened:
        told = opened.page.evaluate("""async () => {
          const api = await import("./api.js");
          const whole = window.fetch;
          window.fetch = async () => ({ ok: true, status: 200, blob: () => Promise.reject(new TypeError("cut off")) });
          try {
            await api.frame("0123456789abcdef", 1);
          } catch (error) {
            return [error instanceof api.Problem, error.code];
          } finally {
            window.fetch = whole;
          }
        }""")
    assert told == [True, "unreachable"]


QUESTIONS = """async ([planes, readings]) => {
  const { questions } = await import("./panels/adjudicate.js");
  const images = planes.map((plane, place) => ({ id: `i${place}`, label: `image ${place}`, plane }));
  const data = {
    lesions: ["L1"], visits: [{ id: "v", label: "Baseline", images }],
    readings: readings.map(([reader, image, frame]) => ({
      reader, visit: "v", draft: { image: `i${image}`, frame, lesion: "L1", plane: "unknown", kind: "caliper" },
      measured: { long_axis_mm: { value: 20 + image } },
    })),
  };
  const asked = questions(data, { reader: "chief" });
  return asked.map(({ given }) => given.map(({ reader, draft }) => [reader, Number(draft.image[1]), draft.frame]));
}"""


@pytest.mark.parametrize(
    ("planes", "readings", "groups"),
    [
        # images of which nobody knows the plane are not compared with one another
        (["unknown", "unknown"], [("A", 0, 1), ("B", 0, 1), ("A", 1, 1), ("B", 1, 1)], [[0, 1], [2, 3]]),
        # of one plane, readers may have chosen different images
        (["sagittal", "sagittal"], [("A", 0, 1), ("B", 1, 1)], [[0, 1]]),
        (["sagittal", "sagittal"], [("A", 0, 1), ("A", 1, 1), ("B", 1, 1)], [[0], [1, 2]]),
        (["sagittal"], [("A", 0, 1), ("A", 0, 5), ("B", 0, 5)], [[0], [1, 2]]),
        (["sagittal", "transverse"], [("A", 0, 1), ("B", 1, 1)], [[0], [1]]),
    ],
)
def test_an_adjudicator_compares_readings_of_one_plane_or_image_and_no_reader_with_himself(
    chromium: Browser, untouched: Room, planes: list[str], readings: list[Any], groups: list[list[int]]
) -> None:
    with Opened(chromium, untouched) as opened:
        found = opened.page.evaluate(QUESTIONS, [planes, readings])
    assert sorted(found) == sorted([list(readings[place]) for place in group] for group in groups)
