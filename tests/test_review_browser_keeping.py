"""Edits that the server has not kept stay on the page: it is killed, started anew, and the reader wants to leave."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from review_panes import overlay, ready

from chromium import SIZE
from lesion_measure.review.room import Room
from lesion_measure.review.serve import address
from lesion_measure.review.store import Store, beside
from reading_room import served, trial


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trial(tmp_path_factory.mktemp("scans"), children=2)


class Server:
    """The command as a process of its own, at one port however often it is started."""

    def __init__(self, scans: Path, out: Path) -> None:
        self._scans, self.out = scans, out
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._process: subprocess.Popen[str] | None = None

    def start(self, *options: str) -> str:
        """Start it; the address that it prints."""
        where = ["review", str(self._scans), "-o", str(self.out), "--port", str(self.port), "--no-browser"]
        command = [sys.executable, "-m", "lesion_measure", *where, *options]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self._process.stdout is not None
        found = re.search(r"http://\S+/#token=\S+", self._process.stdout.readline())
        assert found, "the server did not start"
        return found[0]

    def kill(self) -> None:
        """End it as a power cut does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def kept(self) -> dict[str, tuple[int, Any]]:
        """Version and long axis of each reading in the database, by reader."""
        with Store(beside(self.out)) as store:
            return {each.reader: (each.version, each.draft.long) for each in store.readings()}


@pytest.fixture
def server(scans: Path, tmp_path: Path) -> Iterator[Server]:
    one = Server(scans, tmp_path / "out")
    try:
        yield one
    finally:
        one.kill()


@contextmanager
def page_at(browser: Browser, url: str) -> Iterator[Page]:
    context = browser.new_context(viewport=SIZE)
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(url)
    yield page
    assert wrong == []
    context.close()


def open_case(page: Page) -> None:
    page.wait_for_selector("table.worklist tbody a")
    page.keyboard.press("n")
    ready(page)


def draw(page: Page, half: int, state: str) -> None:
    """Draw a caliper of ``2 * half`` pixels of the screen, and wait until the page says ``state`` of it."""
    box = overlay(page)
    row, column = box["y"] + box["height"] / 2 + half, box["x"] + box["width"] / 2
    page.keyboard.press("c")
    page.mouse.move(column - half, row)
    page.mouse.down()
    page.mouse.move(column, row, steps=2)
    page.mouse.move(column + half, row, steps=2)
    page.mouse.up()
    expect(page.locator(f".reading[data-state={state}]")).to_have_count(1)


def log_in_again(page: Page, pasted: str) -> None:
    page.get_by_label("Address or token").fill(pasted)
    page.get_by_role("dialog").last.get_by_role("button", name="Log in", exact=True).click()


@pytest.mark.parametrize("way", ["w", "n", "back", "address"])
def test_a_case_with_edits_that_are_not_saved_is_left_by_choice_alone(
    chromium: Browser, server: Server, way: str
) -> None:
    def leave() -> None:
        if way == "back":
            page.evaluate("history.back()")
        elif way == "address":
            page.evaluate("location.hash = '#/'")
        else:
            page.keyboard.press(way)

    with page_at(chromium, server.start("--reader", "reader-1")) as page:
        open_case(page)
        case = page.url
        server.kill()
        draw(page, 40, "failed")
        leave()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("1 edit is not saved")
        dialog.get_by_role("button", name="Stay").click()
        assert page.url == case
        expect(page.locator(".reading[data-state=failed]")).to_have_count(1)
        leave()
        dialog.get_by_role("button", name="Leave and lose them").click()
        expect(page.locator("canvas.overlay")).to_have_count(0)
        assert page.url != case


def test_what_a_killed_server_did_not_keep_is_sent_to_the_next_after_logging_in(
    chromium: Browser, server: Server
) -> None:
    with page_at(chromium, server.start("--reader", "reader-1")) as page:
        open_case(page)
        draw(page, 40, "saved")
        (first,) = server.kept().values()
        server.kill()
        draw(page, 70, "failed")
        printed = server.start("--reader", "reader-1")
        expect(page.get_by_role("dialog")).to_contain_text("It is sent when reader-1", timeout=10_000)
        expect(page.locator("canvas.overlay").first).to_be_visible()
        page.keyboard.press("Escape")
        page.keyboard.press("Escape")
        log_in_again(page, printed.rpartition("#")[0] + "#token=guess")
        expect(page.get_by_role("dialog")).to_contain_text("not that of the running server")
        log_in_again(page, printed)
        expect(page.locator(".reading[data-state=saved]")).to_have_count(1)
        expect(page.get_by_role("dialog")).to_have_count(0)
        ((version, long),) = server.kept().values()
        assert version == 2
        assert long != first[1]


def test_edits_of_one_reader_are_never_kept_as_another_readers(chromium: Browser, server: Server) -> None:
    with page_at(chromium, server.start("--reader", "reader-1")) as page:
        open_case(page)
        server.kill()
        draw(page, 40, "failed")
        printed = server.start("--reader", "reader-2")
        page.get_by_label("Address or token").wait_for()
        page.evaluate("address => { location.href = address; }", printed)  # pasted into the address instead
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("cannot be saved as those of reader-2")
        assert "token" not in page.url
        page.wait_for_timeout(4000)  # longer than edits wait until they are sent again
        assert server.kept() == {}
        dialog.get_by_role("button", name="Lose them").click()
        expect(page.locator(".bar .reader")).to_contain_text("reader-2")
        expect(page.locator(".pane-stage canvas.overlay").first).to_be_visible()
        assert server.kept() == {}


def test_the_printed_address_opens_a_tab_that_has_logged_out(chromium: Browser, scans: Path, tmp_path: Path) -> None:
    with served(scans, tmp_path / "out", reader="reader-1") as room, page_at(chromium, address(room)) as page:
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_label("Address or token")).to_be_visible()
        expect(page.get_by_label("Password")).to_have_count(0)
        page.evaluate("address => { location.href = address; }", address(room))
        page.wait_for_selector("table.worklist tbody a")
        assert "token" not in page.url


def test_another_tab_of_the_same_reader_takes_no_edit_from_the_first(
    chromium: Browser, scans: Path, tmp_path: Path
) -> None:
    with served(scans, tmp_path / "out", reader="reader-1") as room, page_at(chromium, address(room)) as page:
        open_case(page)
        _another_tab(page, room)
        draw(page, 40, "saved")
        assert len(room.store.readings()) == 1


def _another_tab(page: Page, room: Room) -> None:
    """Its session takes the place of the first tab's in the browser's cookie."""
    with page.context.expect_page() as opened:
        page.evaluate("window.open('about:blank')")
    opened.value.goto(address(room))
    opened.value.wait_for_selector("table.worklist tbody a")
    opened.value.close()
