"""Drawing on the page, in a real browser: what is drawn at known pixels measures what ``ruler`` says, and is kept."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, Response, expect
from review_panes import overlay, ready, redrawn, still
from typer.testing import CliRunner

import screens
from chromium import Opened
from header_files import written
from lesion_measure.cli import app
from lesion_measure.review.room import Room
from reading_room import Browser as Client
from reading_room import served

MARKS = ((150, 190), (226, 231))
"""Row and column of the middles of two white squares: nothing else in the frame is as bright."""
CINE = 24
"""Frames of the cine, each shown for 0.2 s, so that it is not at its end when it is drawn on."""
TRUE_MM = {"baseline": 35.101, "one_month": 22.465}
"""Longest diameter of SIM-01's lesion in the sagittal plane, as it was simulated."""

WHITE = """(canvas, near) => {
  const {data, width} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const ratio = canvas.width / canvas.clientWidth;
  const white = [];
  for (let at = 0; at < data.length; at += 4) {
    const [x, y] = [(at / 4 % width + 0.5) / ratio, (Math.floor(at / 4 / width) + 0.5) / ratio];
    if (data[at] >= 240 && (near === null || Math.hypot(x - near[0], y - near[1]) < near[2])) white.push([x, y]);
  }
  const mean = (axis) => white.reduce((sum, place) => sum + place[axis], 0) / white.length;
  return near === null ? white : [mean(0), mean(1)];
}"""
"""White places of a picture in CSS pixels, or the middle of those within a distance of a place."""


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory, project_dir: Path) -> Path:
    """A child with marks at known pixels, one with a cine and a still, and the first of the samples."""
    folder = tmp_path_factory.mktemp("scans")
    shutil.copytree(project_dir / "sample_dicoms" / "SIM-01", folder / "SIM-01")
    for visit, date in enumerate(("20230306", "20230405"), start=1):
        uid = f"1.2.826.0.1.3680043.8.498.77.{visit}"
        image = screens.dataset(
            marked(visit), ClinicalTrialSubjectID="KID-1", StudyDate=date, StudyInstanceUID=uid,
            SeriesInstanceUID=f"{uid}.1", SOPInstanceUID=f"{uid}.1.1",
        )  # fmt: skip
        (folder / f"marked-{visit}.dcm").write_bytes(written(image))
    for name, pixels in (("cine", np.stack([screens.screen(each) for each in range(CINE)])), ("still", marked(9))):
        uid = f"1.2.826.0.1.3680043.8.498.78.{len(name)}"
        frames = {"NumberOfFrames": CINE, "FrameTime": 200} if pixels.ndim == 3 else {}
        image = screens.dataset(
            pixels, ClinicalTrialSubjectID="KID-2", StudyDate="20230306", StudyInstanceUID=uid[:-2],
            SeriesInstanceUID=f"{uid}.1", SOPInstanceUID=f"{uid}.1.1", **frames,
        )  # fmt: skip
        (folder / f"{name}.dcm").write_bytes(written(image))
    return folder


def marked(seed: int) -> Any:
    pixels = np.minimum(screens.screen(seed), 180).astype(np.uint8)
    for row, column in MARKS:
        pixels[row - 4 : row + 5, column - 4 : column + 5] = 0
        pixels[row - 1 : row + 2, column - 1 : column + 2] = 255
    return pixels


@pytest.fixture
def network() -> bool:
    """Whether the room has a network; tests that ask it say so."""
    return False


@pytest.fixture
def room(scans: Path, tmp_path: Path, network: bool) -> Iterator[Room]:
    """A room in which nobody has read anything yet."""
    with served(scans, tmp_path / "out", network=network, reader="reader-1") as opened:
        yield opened


@pytest.fixture
def page(chromium: Browser, room: Room) -> Iterator[Page]:
    with Opened(chromium, room) as opened:
        yield opened.page
        assert opened.wrong == []


def open_case(page: Page, name: str) -> None:
    page.get_by_role("link", name=name).click()
    ready(page)


def mark(page: Page, which: int) -> tuple[float, float]:
    """Where the middle of a mark is on the screen, by the pixels that the first pane shows; it is enlarged at first."""
    picture = page.locator("canvas.picture").first
    box = overlay(page, 0)
    page.keyboard.press("0")
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    ready(page)
    white = np.array(picture.evaluate(WHITE, None))
    upper = white[:, 1] < white[:, 1].mean()
    x, y = white[upper if which == 0 else ~upper].mean(0).tolist()
    for _ in range(3):
        page.mouse.move(box["x"] + x, box["y"] + y)
        redrawn(page, 0, lambda: page.mouse.wheel(0, -800))
        x, y = picture.evaluate(WHITE, [x, y, 150])
    return box["x"] + x, box["y"] + y


def kept(response: Response) -> Any:
    assert response.ok, response.text()
    return json.loads(response.body())


def test_a_caliper_at_known_pixels_measures_what_ruler_measures(page: Page, scans: Path, room: Room) -> None:
    open_case(page, "KID-1")
    page.keyboard.press("c")
    page.mouse.click(*mark(page, 0))
    last = mark(page, 1)
    with page.expect_response(re.compile(r"/readings$")) as answered:
        page.mouse.click(*last)
    reading = kept(answered.value)
    assert np.abs(np.array(reading["draft"]["long"]) - MARKS).max() < 0.03
    (row, column), (to_row, to_column) = MARKS
    ends = ("--from", f"{column},{row}", "--to", f"{to_column},{to_row}")
    said = CliRunner().invoke(app, ["ruler", str(scans / "marked-1.dcm"), *ends, "--json"])
    length_mm = json.loads(said.stdout)["length_mm"]
    assert reading["measured"]["long_axis_mm"]["value"] == pytest.approx(length_mm, abs=0.02)
    shown = page.locator(".size-mm").first
    expect(shown).to_have_text(f"{length_mm:.1f} mm")
    page.reload()
    ready(page)
    expect(shown).to_have_text(f"{length_mm:.1f} mm")
    with Client(room) as client:
        assert [each["id"] for each in client.cases()[0]["readings"]] == [reading["id"]]


def test_keys_alone_draw_move_by_a_quarter_of_a_pixel_undo_and_redo(page: Page) -> None:
    open_case(page, "KID-1")
    page.locator("canvas.overlay").nth(1).focus()
    for key in ("x", "ArrowLeft", "ArrowLeft", "Enter", *["ArrowRight"] * 6):
        page.keyboard.press(key)
    with page.expect_response(re.compile(r"/readings$")) as answered:
        page.keyboard.press("Enter")
    first = kept(answered.value)
    with page.expect_response(re.compile(r"/readings/")) as answered:
        for key in ("q", "q", "ArrowRight", "ArrowRight", "Shift+ArrowDown"):
            page.keyboard.press(key)
    moved = kept(answered.value)
    assert moved["draft"]["long"][0] == first["draft"]["long"][0]
    assert np.subtract(moved["draft"]["long"][1], first["draft"]["long"][1]) == pytest.approx([1, 0.5])
    with page.expect_response(re.compile(r"/readings/")) as answered:
        page.keyboard.press("Control+z")
    assert kept(answered.value)["draft"] == first["draft"]
    with page.expect_response(re.compile(r"/readings/")) as answered:
        page.keyboard.press("Control+z")
    assert answered.value.request.method == "DELETE"
    with page.expect_response(re.compile(r"/readings$")) as answered:
        page.keyboard.press("Control+Shift+z")
    assert kept(answered.value)["draft"] == first["draft"]


def test_a_reading_changed_elsewhere_is_shown_beside_and_the_reader_chooses(page: Page, room: Room) -> None:
    with Client(room) as client:
        mine = client.add(client.cases()[0]).json()
        open_case(page, "KID-1")
        theirs = {**mine["draft"], "long": [[100, 150], [100, 250]]}
        client.put(f"readings/{mine['id']}", {"version": mine["version"], "draft": theirs}).raise_for_status()
        page.locator("canvas.overlay").first.focus()
        for key in ("q", "Shift+ArrowDown"):
            page.keyboard.press(key)
        versions = page.locator(".version")
        expect(versions.nth(1)).to_contain_text("30.0 mm")
        with page.expect_response(re.compile(r"/readings/")) as answered:
            versions.nth(0).get_by_role("button").click()
        assert kept(answered.value)["draft"]["long"][0] == [
            mine["draft"]["long"][0][0] + 1,
            mine["draft"]["long"][0][1],
        ]
        undo = page.locator(".tool[data-tool=undo]")
        with page.expect_response(re.compile(r"/readings/")) as answered:
            page.keyboard.press("Control+z")
        back = kept(answered.value)
        assert back["draft"]["long"] == theirs["long"], "the step before mine is the other version"
        newer = {**theirs, "long": [[110, 150], [110, 240]]}
        client.put(f"readings/{mine['id']}", {"version": back["version"], "draft": newer}).raise_for_status()
        page.locator("canvas.overlay").first.focus()
        for key in ("q", "Shift+ArrowDown"):
            page.keyboard.press(key)
        versions.nth(1).wait_for()
        page.keyboard.press("Escape")
        expect(versions).to_have_count(0)
        expect(page.locator(".reading[data-state=failed]")).to_have_count(1)
        page.get_by_role("button", name="Try again").click()
        versions.nth(1).get_by_role("button").click()
        expect(page.locator(".reading[data-state=saved]").first).to_contain_text("27.0 mm")
        expect(undo).to_be_disabled()
        page.keyboard.press("Control+z")
        page.wait_for_timeout(200)
        now = next(each for each in client.cases()[0]["readings"] if each["id"] == mine["id"])
        assert now["draft"] == newer


def test_a_tool_says_what_to_do_next_until_it_is_done(page: Page) -> None:
    open_case(page, "KID-1")
    hint = page.locator(".pane-hint:visible")
    expect(hint).to_contain_text("longest diameter")
    for line, words in (([(-40, 0), (40, 0)], ["short axis"]), ([(0, -20), (0, 20)], [])):
        with page.expect_response(re.compile(r"/readings")):
            gesture(page, line, let_go=True)
        expect(hint).to_contain_text(words)
    page.keyboard.press("l")
    page.keyboard.press("o")
    expect(hint).to_contain_text("point after point")
    gesture(page, [(60, 60)], let_go=True)
    expect(hint).to_contain_text("Click the first point")
    page.keyboard.press("Escape")
    expect(hint).to_contain_text("point after point")


def test_a_comment_goes_with_a_reading_and_is_there_to_be_changed(page: Page) -> None:
    open_case(page, "KID-1")
    button = page.get_by_role("button", name="Comment", exact=True)
    expect(button).to_be_disabled()
    page.keyboard.press("c")
    with page.expect_response(re.compile(r"/readings$")):
        gesture(page, [(-40, 0), (0, 0), (40, 0)], let_go=True)
    expect(button).to_be_enabled()
    for words in ("first", "second"):
        button.click()
        text = page.get_by_role("dialog").get_by_role("textbox")
        expect(text).to_have_value("" if words == "first" else "first")
        expect(text).to_be_focused()
        page.keyboard.press("Control+a")
        page.keyboard.type(words)
        with page.expect_response(re.compile(r"/readings/")) as answered:
            page.get_by_role("button", name="Keep").click()
        assert kept(answered.value)["draft"]["comment"] == words
    page.keyboard.press("l")
    expect(button).to_be_disabled()
    page.keyboard.press("Shift+M")
    expect(page.get_by_text("Measure the lesion here first")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_an_outline_that_crosses_itself_is_doubted_and_what_is_not_finished_is_not_signed(
    page: Page, room: Room
) -> None:
    open_case(page, "KID-2")
    page.keyboard.press("l")
    page.keyboard.press("o")
    gesture(page, [(-60, 80), (60, 130), (60, 80), (-60, 130)], let_go=True)
    within, unfinished = page.locator(".drawer > .within"), page.locator(".sign-form .notice li")
    page.keyboard.press("Shift+S")
    expect(unfinished).to_have_text([re.compile("half drawn$")])
    page.keyboard.press("Delete")  # a key of the viewer's
    for box in within.locator("input[type=checkbox]").all():
        box.check()
    within.get_by_role("button", name="Sign as").click()
    expect(unfinished).to_have_count(1)
    page.keyboard.press("Escape")
    expect(within).to_have_count(0)
    with page.expect_response(re.compile(r"/readings$")) as answered:
        page.locator("canvas.overlay").first.focus()
        page.keyboard.press("Enter")
    reading = kept(answered.value)
    assert len(reading["draft"]["contour"]) == 4
    assert any("crosses itself" in warning for warning in reading["measured"]["warnings"])
    expect(page.locator(".reading .doubt", has_text="crosses itself")).to_have_count(1)
    expect(page.get_by_text("The outline crosses itself.")).to_be_visible()
    page.keyboard.press("Shift+S")
    within.get_by_role("button", name="Sign as").wait_for()
    expect(unfinished).to_have_count(0)
    assert not room.store.signatures("KID-2")


def in_lesion(page: Page, pane: int) -> tuple[float, float]:
    """A place on the screen in the lesion of SIM-01; the pane shows the scan as large as it fits."""
    box = overlay(page, pane)
    return box["x"] + 0.5 * box["width"], box["y"] + 0.53 * box["height"]


CLICK_ERROR = 0.2
"""What the outline of a click may be off by and still count as right (decision 22)."""


@pytest.mark.parametrize("network", [True], ids=["network"])
def test_a_click_outlines_the_lesion_it_is_corrected_and_paired_by_dragging(page: Page) -> None:
    open_case(page, "SIM-01")
    offer, sizes = page.locator(".offer:not([hidden]) .main"), page.locator(".size-mm")
    x, y = in_lesion(page, 0)
    page.keyboard.press("a")
    page.mouse.click(x, y)
    offer.wait_for()
    expect(page.locator(".offer:not([hidden])")).to_contain_text("from one click: check its size")
    with page.expect_response(re.compile(r"/readings$")) as answered:
        page.keyboard.press("Enter")
    drawn = kept(answered.value)
    assert drawn["draft"]["began_as"] == "network"
    assert drawn["measured"]["long_axis_mm"]["value"] == pytest.approx(TRUE_MM["baseline"], rel=CLICK_ERROR)
    pulled = pull_edge(page, x, y)
    assert pulled["measured"]["area_mm2"]["value"] > drawn["measured"]["area_mm2"]["value"] + 5
    assert pulled["measured"]["refusal"] is None
    erased = brush(page, "e", x - 90, y, x + 90, y - 90)
    assert erased["measured"]["area_mm2"]["value"] < pulled["measured"]["area_mm2"]["value"] - 20
    with page.expect_response(re.compile(r"/readings/")):
        page.keyboard.press("Control+z")
    carry(page, in_lesion(page, 1))
    offer.wait_for()
    with page.expect_response(re.compile(r"/readings$")) as answered:
        page.keyboard.press("Enter")
    month = kept(answered.value)
    assert month["draft"]["lesion"] == drawn["draft"]["lesion"]
    assert month["measured"]["long_axis_mm"]["value"] == pytest.approx(TRUE_MM["one_month"], rel=CLICK_ERROR)
    expect(sizes.nth(1)).to_have_text(f"{month['measured']['long_axis_mm']['value']:.1f} mm")
    told = sizes.all_inner_texts()
    expect(page.locator(".size-change").nth(1)).to_have_text(re.compile("^\u2212\\d\\d[.]\\d %$"))
    page.reload()
    ready(page)
    expect(sizes.nth(1)).to_have_text(told[1])
    assert sizes.all_inner_texts() == told


def pull_edge(page: Page, x: float, y: float) -> Any:
    """Take hold of the outline to the right of a place in it, and pull it outwards."""
    canvas = page.locator("canvas.overlay").first
    for right in range(0, 200, 4):
        page.mouse.move(x + right, y)
        if canvas.evaluate("canvas => canvas.style.cursor") == "grab":
            break
    page.mouse.down()
    page.mouse.move(x + right + 20, y, steps=4)
    with page.expect_response(re.compile(r"/readings/")) as answered:
        page.mouse.up()
    return kept(answered.value)


def brush(page: Page, key: str, x: float, y: float, to_x: float, to_y: float) -> Any:
    page.keyboard.press(key)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(to_x, to_y, steps=6)
    with page.expect_response(re.compile(r"/readings/")) as answered:
        page.mouse.up()
    return kept(answered.value)


def carry(page: Page, to: tuple[float, float]) -> None:
    """Drag the lesion from the list onto a picture."""
    row = still(page.locator(".lesion-name").first)
    page.mouse.move(row["x"] + 20, row["y"] + 10)
    page.mouse.down()
    page.mouse.move(to[0] - 20, to[1], steps=3)
    page.mouse.move(*to)
    page.mouse.up()


Point = tuple[float, float]
"""CSS pixels to the right of the middle of the first picture, and down from it."""
LET_GO: dict[str, tuple[list[Point], bool, str, list[Point], str]] = {
    "caliper": ([(-60, 80)], False, "PageDown", [(60, 80)], ""),
    "axes": ([(-60, 80), (-20, 70)], True, ".", [(60, 80)], ""),
    "outline": ([(-60, 80), (0, 70)], False, ".", [(60, 80), (0, 120)], "Enter"),
    "outline in one go": ([(-60, 80), (0, 70), (60, 80)], True, ",", [(0, 120), (-60, 81)], ""),
    "brush": ([(-60, 80), (0, 80)], True, "k", [(60, 80)], ""),
    "ask": ([(-60, 80), (0, 100)], True, ".", [(60, 120)], ""),
    "select": ([(-60, 0), (-60, -40)], True, "l", [(-60, -60)], ""),
}
"""Tool, where it begins, whether in one go, the key that shows something else, and how the drawing would end."""


@pytest.mark.parametrize("network", [True], ids=["network"])
def test_a_drawing_stays_on_the_frame_where_it_was_begun_or_is_let_go(page: Page, room: Room) -> None:
    open_case(page, "KID-2")
    show_frame(page, 3)
    kept_at, drawn = draw_during_cine(page)
    assert drawn["draft"]["frame"] == kept_at
    before = drafts(room)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.method in ("POST", "PUT") else None)
    note = page.get_by_text("The unfinished drawing was let go.")
    for name, (begin, is_held, leave, end, finish) in LET_GO.items():
        show_frame(page, kept_at)
        page.locator(f".tool[data-tool={name.split()[0]}]").click()
        gesture(page, begin, let_go=not is_held)
        page.keyboard.press(leave)
        expect(note).to_be_visible()
        gesture(page, end, is_held=is_held, let_go=True)
        if finish:
            page.keyboard.press(finish)
        for _ in range(2):
            page.keyboard.press("Escape")
        note.locator("xpath=ancestor::*[contains(@class, 'note-over')]").get_by_role("button").click()
        page.locator(f".lesion-name[data-lesion={drawn['draft']['lesion']}]").click()
    assert [url for url in asked if not url.endswith("/measure")] == []
    assert drafts(room) == before


def drafts(room: Room) -> list[Any]:
    """What is kept of the child with the cine."""
    with Client(room) as client:
        case = next(each for each in client.cases() if each["label"] == "KID-2")
    return [each["draft"] for each in case["readings"]]


def show_frame(page: Page, frame: int) -> None:
    """Show a frame of the cine, which stands still."""
    page.locator(".thumb").filter(has_text=f"{CINE} frames").click()
    if page.get_by_role("button", name="Play or stop the cine").get_attribute("aria-pressed") == "true":
        page.keyboard.press("k")
    page.get_by_role("slider", name="Frame").fill(str(frame))
    page.get_by_text(f"{frame} / {CINE}").wait_for()
    ready(page)


def draw_during_cine(page: Page) -> tuple[int, Any]:
    """Draw a caliper while the cine plays; the frame that is shown when it is kept, and the reading."""
    play = page.get_by_role("button", name="Play or stop the cine")
    page.keyboard.press("c")
    play.click()
    expect(page.locator(".pane-frame")).not_to_have_text(page.locator(".pane-frame").inner_text())
    gesture(page, [(-60, 0), (0, 0)])
    expect(play).to_have_attribute("aria-pressed", "false")
    page.wait_for_timeout(250)
    with page.expect_response(re.compile(r"/readings(/[0-9a-f]+)?$")) as answered:
        gesture(page, [(60, 0)], is_held=True, let_go=True)
    return int(page.locator(".pane-frame").inner_text().split("/")[0]), kept(answered.value)


def gesture(page: Page, points: list[Point], *, is_held: bool = False, let_go: bool = False) -> None:
    """Go from point to point with the button held; or click at each, where it is ``let_go`` and not ``is_held`` yet."""
    box = overlay(page, 0)
    for index, (right, down) in enumerate(points):
        page.mouse.move(box["x"] + box["width"] / 2 + right, box["y"] + box["height"] / 2 + down, steps=2)
        if not is_held and (index == 0 or let_go):
            page.mouse.down()
        if let_go and (not is_held or index == len(points) - 1):
            page.mouse.up()
