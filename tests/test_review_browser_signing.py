"""The sign-off panel in a real browser: what must be ticked, what a signature says, and that ticks and words stay."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import APIResponse, Browser, Locator, Page, Route, expect
from review_panes import ready

from chromium import MOST_MS, Opened
from lesion_measure.review.room import Room
from reading_room import Browser as Client
from reading_room import caliper, images, served, trial

NONE = "I have looked at every image of this case. There is no lesion."
UNREAD = "I have looked at every image of this case. I read none of its lesions."


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trial(tmp_path_factory.mktemp("scans"), children=1)


@contextmanager
def signing(chromium: Browser, room: Room, **context: Any) -> Iterator[tuple[Page, Locator]]:
    """The only case with its sign-off panel open."""
    with Opened(chromium, room, **context) as opened:
        opened.page.keyboard.press("n")
        ready(opened.page)
        opened.page.click("[data-panel=sign]")
        within = opened.page.locator(".drawer > .within")
        within.locator(".sign-form").wait_for()
        yield opened.page, within
        assert opened.wrong == []


def drawn_anew(page: Page) -> None:
    """Have the panel drawn anew, as after a write that was kept, and wait until its form is another one."""
    page.evaluate("""() => {
      document.querySelector(".sign-form").dataset.before = "";
      document.querySelector(".drawer h2").focus();
      document.querySelector(".viewer").dispatchEvent(new Event("case-changed"));
    }""")
    expect(page.locator(".sign-form:not([data-before])")).to_have_count(1)


def held_back(page: Page, path: str) -> tuple[Route, APIResponse]:
    """The first answer of a route that the page asks for as after a write, to be given later; others go on."""
    late: list[tuple[Route, APIResponse]] = []

    def hold(route: Route) -> None:
        if late:
            route.continue_()
        else:
            late.append((route, route.fetch()))

    page.route(re.compile(path), hold)
    page.evaluate("() => document.querySelector('.viewer').dispatchEvent(new Event('case-changed'))")
    for _ in range(MOST_MS // 20):
        if late:
            return late[0]
        page.wait_for_timeout(20)
    pytest.fail("The page asked for nothing.")


def signed_by_another(scans: Path, out: Path) -> None:
    """A reader has measured one lesion at one of two visits, and signed."""
    with served(scans, out, reader="reader-1") as room, Client(room) as client:
        case = client.cases()[0]
        kept = client.add(case).json()
        assert client.post(f"cases/{case['id']}/sign", {"versions": {kept["id"]: 1}}).is_success


def test_a_tick_and_a_statement_stay_where_the_panel_is_drawn_anew(
    chromium: Browser, scans: Path, tmp_path: Path
) -> None:
    with served(scans, tmp_path / "out", reader="reader-1") as room, Client(room) as client:
        client.add(client.cases()[0])
        with signing(chromium, room) as (page, within):
            tick, statement = within.get_by_role("checkbox"), within.get_by_label("Statement")
            drawn_anew(page)
            expect(tick).not_to_be_checked()
            tick.check()
            statement.fill("Seen on a small screen.")
            drawn_anew(page)
            expect(tick).to_be_checked()
            expect(statement).to_have_value("Seen on a small screen.")
            within.get_by_role("button", name="Sign as").click()
            expect(within).to_contain_text("Your readings of this case are locked.")
        (signed,) = room.store.signatures()
    assert signed.statement == "Seen on a small screen. Not read: L1, 1 month."


def test_an_answer_that_comes_late_puts_back_no_older_case(chromium: Browser, scans: Path, tmp_path: Path) -> None:
    with served(scans, tmp_path / "out", reader="reader-1") as room, Client(room) as client:
        kept = client.add(client.cases()[0]).json()
        with signing(chromium, room) as (page, within):
            route, old = held_back(page, r"/api/cases/[0-9a-f]+$")
            moved = {**kept["draft"], "long": [[200, 160], [200, 280]]}
            assert client.put(f"readings/{kept['id']}", {"version": 1, "draft": moved}).is_success
            drawn_anew(page)
            with page.expect_response(route.request.url):
                route.fulfill(response=old)
            within.get_by_role("checkbox").check()
            within.get_by_role("button", name="Sign as").click()
            expect(within).to_contain_text("Your readings of this case are locked.")


def test_a_result_that_comes_late_stands_beside_no_newer_readings(
    chromium: Browser, scans: Path, tmp_path: Path
) -> None:
    """30 mm by the result asked for first, which answers last; 110 columns of 0.3 mm are 33 mm."""
    with served(scans, tmp_path / "out", reader="reader-1") as room, Client(room) as client:
        kept = client.add(client.cases()[0]).json()
        with signing(chromium, room) as (page, within):
            route, old = held_back(page, r"/result$")
            longer = {**kept["draft"], "long": [[200, 150], [200, 260]]}
            assert client.put(f"readings/{kept['id']}", {"version": 1, "draft": longer}).is_success
            drawn_anew(page)
            sizes = within.locator("td.n").first
            expect(sizes).to_contain_text("33.0 mm")
            within.get_by_role("checkbox").check()
            with page.expect_event("requestfinished", lambda request: request.url.endswith("/result")):
                route.fulfill(response=old)
            page.wait_for_timeout(100)  # the page has nothing to show for it
            expect(sizes).to_contain_text("33.0 mm")
            drawn_anew(page)
            expect(within.get_by_role("checkbox")).to_be_checked()


def test_in_chinese_a_reader_whose_name_looks_made_up_sees_the_own_readings(
    chromium: Browser, scans: Path, tmp_path: Path
) -> None:
    """The server makes names such as Reader 3F2A, which the page words in its language."""
    with served(scans, tmp_path / "out", reader="Reader 1001") as room, Client(room) as client:
        client.add(client.cases()[0])
        with signing(chromium, room, locale="zh-CN") as (_, within):
            expect(within.locator(".own-reading")).to_have_count(1)


def test_a_tick_for_other_readings_is_not_taken_over(chromium: Browser, scans: Path, tmp_path: Path) -> None:
    with served(scans, tmp_path / "out", reader="reader-1") as room, Client(room) as client:
        case = client.cases()[0]
        kept = client.add(case).json()
        with signing(chromium, room) as (page, within):
            within.get_by_role("checkbox").check()
            longer: dict[str, Any] = caliper(images(case)[0], long=[[200, 150], [200, 260]])
            assert client.put(f"readings/{kept['id']}", {"version": 1, "draft": longer}).is_success
            drawn_anew(page)
            expect(within).to_contain_text("33.0 mm")  # 110 columns of 0.3 mm
            expect(within.get_by_role("checkbox")).not_to_be_checked()


@pytest.mark.parametrize(
    ("choice", "statement", "images_without"),
    [("looked at all images; there is no lesion", NONE, 4), ("no reading", UNREAD, 0)],
    ids=["no lesion", "not read"],
)
def test_of_lesions_that_others_named_a_reader_signs_that_there_are_none_or_that_none_was_read(
    chromium: Browser, scans: Path, tmp_path: Path, choice: str, statement: str, images_without: int
) -> None:
    signed_by_another(scans, tmp_path / "out")
    with served(scans, tmp_path / "out", reader="reader-2") as room:
        with signing(chromium, room) as (page, within):
            within.get_by_text(choice).click()
            drawn_anew(page)
            expect(within.get_by_label(choice)).to_be_checked()
            expect(within.get_by_label("Statement")).to_have_value(statement)
            within.get_by_role("button", name="Sign as").click()
            expect(within).to_contain_text("Your readings of this case are locked.")
        (signed,) = [each for each in room.store.signatures() if each.reader == "reader-2"]
    assert len(signed.no_lesion) == images_without
    assert signed.statement.startswith(statement)


def test_a_case_without_a_reading_is_not_signed_by_one_click(chromium: Browser, scans: Path, tmp_path: Path) -> None:
    with served(scans, tmp_path / "out", reader="reader-1") as room:
        with signing(chromium, room) as (_, within):
            expect(within.get_by_label("Statement")).to_have_value(re.compile("There is no lesion"))
            within.get_by_role("button", name="Sign as").click()
            assert room.store.signatures() == []
            within.get_by_label("I have looked at all images; there is no lesion.").check()
            within.get_by_role("button", name="Sign as").click()
            expect(within).to_contain_text("Your readings of this case are locked.")
        (signed,) = room.store.signatures()
    assert signed.statement == NONE
    assert sorted(signed.no_lesion.values()) == ["baseline", "baseline", "one_month", "one_month"]
