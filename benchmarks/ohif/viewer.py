"""One OHIF in headless Chromium: open a study, draw, store, look."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from ohif.site import PORT

_SOFTWARE_GL = ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist")
_CANVAS = "canvas.cornerstone-canvas"
_SETTLE_MS = 2500
_LINES = """() => [...document.querySelectorAll('svg.svg-layer line')].map(
  line => ['x1', 'y1', 'x2', 'y2'].map(name => Number(line.getAttribute(name))))"""
Point = tuple[float, float]


class Viewer:
    """A study in the viewer; points are (row, column) with pixel centres at integers, as everywhere."""

    def __init__(self, page: Page, study_uid: str) -> None:
        self.page = page
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)[:300]))
        page.goto(f"http://127.0.0.1:{PORT}/viewer?StudyInstanceUIDs={study_uid}")
        page.locator(_CANVAS).first.wait_for(timeout=180_000)
        page.wait_for_timeout(2 * _SETTLE_MS)
        if page.get_by_text("Skip all").count():
            page.get_by_text("Skip all").click()

    def draw_length(self, start: Point, end: Point, image: tuple[int, int], label: str) -> str:
        """Draw a line with the mouse on the shown image of (rows, columns), name it; gives the text beside it."""
        self.page.locator('[data-cy="Length-btn"]').click()
        self.page.mouse.move(*self.on_screen(start, image))
        self.page.mouse.down()
        self.page.mouse.move(*self.on_screen(end, image), steps=8)
        self.page.mouse.up()
        self.page.wait_for_timeout(_SETTLE_MS)
        if self.page.get_by_role("button", name="Yes").count():
            self.page.get_by_role("button", name="Yes").click()
            self.open_measurements()
        self._rename(label)
        return self.text()

    def open_measurements(self) -> None:
        """Open the list of measurements, from where they are named and stored."""
        self.page.locator('[data-cy="trackedMeasurements-btn"]').click()
        self.page.wait_for_timeout(_SETTLE_MS)

    def store_report(self, name: str) -> None:
        """Store the measurements as a structured report in the PACS; what was taken over keeps the name that it had."""
        self.page.get_by_text("Create SR").click()
        self.page.wait_for_timeout(_SETTLE_MS)
        named = self.page.locator('[data-cy="dialog-input"]')
        if named.is_enabled():
            named.fill(name)
        self.page.get_by_role("button", name="Save").click()
        self.page.wait_for_timeout(2 * _SETTLE_MS)

    def show(self, series: str) -> None:
        """Open the series whose description holds ``series`` by a double click on its thumbnail."""
        self.page.locator('[data-cy^="study-browser-thumbnail"]').filter(has_text=series).first.dblclick()
        self.page.wait_for_timeout(3 * _SETTLE_MS)

    def answer_yes(self) -> None:
        """Answer yes where the viewer asks whether to open a segmentation, or to take over a report's measurements."""
        if self.page.get_by_role("button", name="Yes").count():
            self.page.get_by_role("button", name="Yes").click()
            self.page.wait_for_timeout(2 * _SETTLE_MS)

    def series(self) -> list[str]:
        """What the list of series says of each."""
        thumbnails = self.page.locator('[data-cy^="study-browser-thumbnail"]')
        return [" ".join(one.inner_text().split()) for one in thumbnails.all()]

    def text(self) -> str:
        """All that the page says in words."""
        return " ".join(self.page.inner_text("body").split())

    def comes_to_say(self, words: tuple[str, ...], patience_s: int = 60) -> bool:
        """Whether the page says all of them before long; software drawing takes its time."""
        until = time.monotonic() + patience_s
        while not all(one in self.text() for one in words):
            if time.monotonic() > until:
                return False
            self.page.wait_for_timeout(500)
        return True

    def picture(self, path: Path) -> None:
        """A screenshot of the page."""
        self.page.screenshot(path=str(path))

    def _rename(self, label: str) -> None:
        self.page.get_by_text("(empty)").first.hover()
        row = self.page.get_by_text("(empty)").first.bounding_box()
        assert row is not None
        self.page.mouse.click(1268, row["y"] + row["height"] / 2)
        self.page.get_by_role("menuitem").filter(has_text="Rename").click()
        self.page.locator('[data-cy="dialog-input"]').fill(label)
        self.page.keyboard.press("Enter")
        self.page.wait_for_timeout(_SETTLE_MS / 2)

    def canvas(self) -> dict[str, float]:
        """Where the canvas lies on the page."""
        box = self.page.locator(_CANVAS).first.bounding_box()
        assert box is not None
        return dict(box)

    def canvas_picture(self) -> bytes:
        """The canvas as PNG, without what is drawn over it."""
        return self.page.locator(_CANVAS).first.screenshot()

    def drawn_lines(self) -> list[tuple[Point, Point]]:
        """The straight lines drawn over the image, as (x, y) on the page."""
        box = self.canvas()
        lines = self.page.evaluate(_LINES)
        return [((box["x"] + a, box["y"] + b), (box["x"] + c, box["y"] + d)) for a, b, c, d in lines]

    def on_screen(self, point: Point, image: tuple[int, int]) -> Point:
        """(x, y) on the page of a point of the image, which is fitted into the canvas and centred."""
        box, scale = self.canvas(), self._scale(image)
        x = box["x"] + box["width"] / 2 + (point[1] + 0.5 - image[1] / 2) * scale
        y = box["y"] + box["height"] / 2 + (point[0] + 0.5 - image[0] / 2) * scale
        return x, y

    def on_image(self, place: Point, image: tuple[int, int]) -> Point:
        """(row, column) on the image of a place on the page."""
        box, scale = self.canvas(), self._scale(image)
        column = (place[0] - box["x"] - box["width"] / 2) / scale + image[1] / 2 - 0.5
        row = (place[1] - box["y"] - box["height"] / 2) / scale + image[0] / 2 - 0.5
        return row, column

    def _scale(self, image: tuple[int, int]) -> float:
        box = self.canvas()
        return min(box["width"] / image[1], box["height"] / image[0])


@contextmanager
def browser(chromium: str) -> Iterator[Page]:
    """A page of headless Chromium; sockets are those of the calling thread's network namespace."""
    with sync_playwright() as play:
        window = play.chromium.launch(executable_path=chromium, args=["--no-sandbox", *_SOFTWARE_GL])
        try:
            yield window.new_page(viewport={"width": 1280, "height": 800})
        finally:
            window.close()
