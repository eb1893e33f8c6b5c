"""Presses on a pane that is not ready, and presses that are taken back: nothing is drawn unseen, or lost unsaid."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, Page, Route, expect
from review_panes import overlay, ready

from chromium import Opened
from lesion_measure.review.room import Room
from reading_room import served, trial

FRAMES = re.compile(r"/images/[0-9a-f]+/frames/")


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trial(tmp_path_factory.mktemp("scans"), children=1)


@pytest.fixture
def room(scans: Path, tmp_path: Path) -> Iterator[Room]:
    with served(scans, tmp_path / "out", reader="reader-1") as opened:
        yield opened


@pytest.fixture
def page(chromium: Browser, room: Room) -> Iterator[Page]:
    with Opened(chromium, room, has_touch=True) as opened:
        yield opened.page
        assert opened.wrong == []


class Held:
    """Frames that are not answered until they are let go."""

    def __init__(self, page: Page) -> None:
        self._waiting: list[Route] | None = []
        page.route(FRAMES, self._hold)

    def _hold(self, route: Route) -> None:
        if self._waiting is None:
            route.continue_()
        else:
            self._waiting.append(route)

    def let_go(self) -> None:
        waiting, self._waiting = self._waiting or [], None
        for route in waiting:
            route.continue_()


def across(page: Page) -> None:
    """Drag over the first pane from left to right, wherever it is and whatever it shows."""
    box = page.locator("canvas.overlay").first.bounding_box()
    assert box is not None
    row, column = box["y"] + box["height"] / 2, box["x"] + box["width"] / 2
    page.mouse.move(column - 40, row)
    page.mouse.down()
    page.mouse.move(column + 40, row, steps=3)
    page.mouse.up()


def asked_of(page: Page) -> list[str]:
    """Requests that write or measure, from now on."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.method != "GET" else None)
    return asked


def test_a_press_before_the_picture_is_there_draws_nothing_and_says_so(page: Page, room: Room) -> None:
    held = Held(page)
    page.keyboard.press("n")
    expect(page.locator(".pane-stage[aria-busy=true]")).to_have_count(2)
    asked = asked_of(page)
    page.keyboard.press("c")
    coming = page.get_by_text("The picture is still on its way. Nothing was drawn.")
    for _ in range(2):
        across(page)
    expect(coming).to_have_count(1)
    page.keyboard.press("Shift+r")
    expect(page.get_by_role("dialog")).to_have_count(0)
    held.let_go()
    ready(page)
    expect(page.locator(".pane-zoom").first).not_to_have_text("100 %")  # it fits the pane, and was not moved
    assert not asked
    with page.expect_response(re.compile(r"/readings$")):
        across(page)
    assert len(room.store.readings()) == 1


def test_a_press_while_another_image_is_on_its_way_is_not_drawn_on_the_one_before(page: Page, room: Room) -> None:
    page.keyboard.press("n")
    ready(page)
    held = Held(page)
    page.evaluate("""async () => {
      const { Frames } = await import("./frames.js");
      Frames.prototype.here = () => null;
      const load = Frames.prototype._fetch;
      Frames.prototype.get = function get(image, frame) { return load.call(this, `${image}/${frame}`, image, frame); };
    }""")
    page.keyboard.press("c")
    page.keyboard.press("PageDown")
    across(page)
    expect(page.get_by_text("The picture is still on its way. Nothing was drawn.")).to_be_visible()
    held.let_go()
    ready(page)
    with page.expect_response(re.compile(r"/readings$")) as kept:
        across(page)
    second = page.locator(".pane").first.locator(".thumb").nth(1)
    assert kept.value.json()["draft"]["image"] == second.get_attribute("data-image")
    assert len(room.store.readings()) == 1


class Fingers:
    """Fingers on the first pane, in CSS pixels from its middle."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._wire: CDPSession = page.context.new_cdp_session(page)
        box = overlay(page)
        self._middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def at(self, kind: str, *places: tuple[float, float]) -> None:
        points: list[dict[str, Any]] = [
            {"x": self._middle[0] + right, "y": self._middle[1] + down, "id": number}
            for number, (right, down) in enumerate(places)
        ]
        self._wire.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})

    def tap(self, place: tuple[float, float]) -> None:
        self.at("Start", place)
        self.at("End")

    def pinch(self) -> None:
        """Two fingers, the first a little before the second, that part."""
        self.at("Start", (-20, 0))
        self.at("Start", (-20, 0), (20, 0))
        self.at("Move", (-40, 0), (40, 0))
        self.at("Move", (-60, 0), (60, 0))
        self.at("End", (-60, 0))
        self.at("End")


def test_a_pinch_zooms_and_an_outline_begun_point_by_point_goes_on(page: Page) -> None:
    page.keyboard.press("n")
    fingers = Fingers(page)
    page.keyboard.press("o")
    for place in ((-60, -50), (60, -50), (60, 50)):
        fingers.tap(place)
    zoom = page.locator(".pane-zoom").first
    before = zoom.inner_text()
    fingers.pinch()
    expect(zoom).not_to_have_text(before)
    expect(page.locator(".note-over")).to_have_count(0)
    with page.expect_response(re.compile(r"/readings$")) as kept:
        page.keyboard.press("Enter")
    assert len(kept.value.json()["draft"]["contour"]) == 3


@pytest.mark.parametrize("end", ["second finger", "cancelled"])
def test_a_drag_that_is_taken_back_is_told_and_not_kept(page: Page, end: str) -> None:
    page.keyboard.press("n")
    fingers = Fingers(page)
    asked = asked_of(page)
    page.keyboard.press("b")
    fingers.at("Start", (-60, 0))
    for right in (-40, -20, 0):
        fingers.at("Move", (right, 0))
    if end == "cancelled":
        fingers.at("Cancel")
    else:
        fingers.at("Start", (0, 0), (80, 0))
        fingers.at("End")
    expect(page.get_by_text("The unfinished drawing was let go.")).to_be_visible()
    page.wait_for_function("() => new Promise((shown) => requestAnimationFrame(() => requestAnimationFrame(shown)))")
    assert not [url for url in asked if not url.endswith("/measure")]


def test_signing_names_the_images_that_were_never_shown_and_a_statement_what_it_replaces(page: Page) -> None:
    page.keyboard.press("n")
    ready(page)
    page.keyboard.press("c")
    with page.expect_response(re.compile(r"/readings$")) as kept:
        across(page)
    size = kept.value.json()["measured"]["long_axis_mm"]["value"]
    page.keyboard.press("Shift+x")
    expect(page.get_by_role("dialog")).to_contain_text(f"It takes the place of {size:.1f} mm, drawn here.")
    page.keyboard.press("Escape")
    page.keyboard.press("Shift+S")
    unseen = page.locator(".sign-form .notice", has_text="Not shown since the page was opened")
    expect(unseen).to_contain_text("Baseline, Trv-Leber.dcm; 1 month, Trv-Leber.dcm.")
    page.keyboard.press("Escape")
    for pane in range(2):
        page.locator(".pane").nth(pane).locator(".thumb").nth(1).click()
        ready(page)
    page.keyboard.press("Shift+S")
    page.locator(".sign-form").wait_for()
    expect(unseen).to_have_count(0)
