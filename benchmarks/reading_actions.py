"""Actions and seconds to read the samples in the reading room, from nothing to the signed report, beside typing a CSV.

    python benchmarks/reading_actions.py [sample_dicoms] [--way axes|network|unseen|box]

A script reads with the page's own keys and the mouse, in Debian's Chromium: it draws what `calipers.csv` of the samples
says, at the places on the screen where those pixels are. An action is one key press, one click or one drag. The script
waits until each reading is said to be saved.

``network``: one click in the middle of the lesion, and Enter for the outline that is offered. Where none is, or its
long axis is more than a fifth off, as a reader sees, the caliper is drawn. ``unseen``: whatever is
offered is accepted. ``box``: the same after a box around the lesion, a tenth larger on each side.

Seconds of hands are those of the keystroke-level model (Card, Moran and Newell 1980: a key 0.28 s, pointing 1.1 s, a
press or release of the button 0.1 s), without looking and thinking, which no script knows. In the end a run takes the
signed readings; its changes are compared with those of a run that is given the CSV.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect
from review_pages import launched, signed_in
from review_panes import ready
from review_server import running

KEY, POINT, BUTTON = 0.28, 1.1, 0.1
EYE = 0.2
"""What a reader sees of an outline that is too long or too short."""
ROOM = 0.1
"""What a reader's box is larger than the lesion on each side, as a share of its size."""
COORDINATES = ("start_row", "start_col", "end_row", "end_col")
ON_SCREEN = """async ([image, pane, point]) => {
  const { fitted, toPane } = await import("/canvas/coordinates.js");
  const box = document.querySelectorAll("canvas.overlay")[pane].getBoundingClientRect();
  const all = (name) => image.regions.map((region) => region[name]);
  const part = {
    row_min: Math.min(...all("row_min")), row_max: Math.max(...all("row_max")),
    col_min: Math.min(...all("col_min")), col_max: Math.max(...all("col_max")),
  };
  const [x, y] = toPane(fitted(part, box, image.spacing_mm[0] / image.spacing_mm[1]), point);
  return [box.x + x, box.y + y];
}"""
"""Where a pixel is on the screen while a pane shows the scan as large as it fits."""


@dataclass(frozen=True)
class Task:
    """What the table says of one lesion on one image; no axes: the lesion is gone."""

    subject: str
    file: str
    frame: int
    lesion: str
    axes: tuple[tuple[float, ...], ...]


def tasks(table: Path) -> list[Task]:
    """The rows of a caliper table, those of one lesion on one image together."""
    rows = list(csv.DictReader(table.open(encoding="utf-8")))
    grouped = groupby(rows, key=lambda row: (row["image"], row["lesion"]))
    return [_task(image, lesion, list(own)) for (image, lesion), own in grouped]


def _task(image: str, lesion: str, rows: list[dict[str, str]]) -> Task:
    axes = tuple(tuple(float(row[name]) for name in COORDINATES) for row in rows if row["axis"] in ("long", "short"))
    return Task(image.split("/")[0], image, int(rows[0]["frame"]), lesion, axes)


@dataclass
class Hands:
    """Keys and mouse of a reader; every action is counted."""

    page: Page
    actions: int = 0
    seconds: float = 0.0
    kinds: dict[str, int] = field(default_factory=dict)

    def _did(self, kind: str, seconds: float) -> None:
        self.actions += 1
        self.seconds += seconds
        self.kinds[kind] = self.kinds.get(kind, 0) + 1

    def key(self, key: str) -> None:
        self._did("keys", KEY)
        self.page.keyboard.press(key)

    def click(self, where: Any) -> None:
        self._did("clicks", POINT + 2 * BUTTON)
        if isinstance(where, str):
            self.page.click(where)
        else:
            self.page.mouse.click(*where)

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        self._did("drags", 2 * POINT + 2 * BUTTON)
        self.page.mouse.move(*start)
        self.page.mouse.down()
        self.page.mouse.move(*end, steps=4)
        self.page.mouse.up()


class Reading:
    """One child being read."""

    def __init__(self, hands: Hands, case: dict[str, Any], way: str) -> None:
        self.hands, self.page, self.case, self.way = hands, hands.page, case, way
        self.tool = ""
        self.lesion = ""
        self.lesions: list[str] = []
        self.refused = 0

    def read(self, task: Task) -> None:
        pane, image = self._place(task)
        self._show(pane, image, task.frame)
        self._take(task.lesion)
        if not task.axes:
            self._gone(pane)
        elif self.way == "axes" or not self._outlined(pane, image, task):
            self._axes(pane, image, task)

    def _place(self, task: Task) -> tuple[int, dict[str, Any]]:
        visit, name = task.file.split("/")[1:]
        label = {"baseline": "Baseline", "one_month": "1 month", "screening": "Screening"}[visit]
        place = next(at for at, own in enumerate(self.case["visits"]) if own["label"] == label)
        image = next(image for image in self.case["visits"][place]["images"] if image["label"].startswith(name))
        return self._pane(label), image

    def _pane(self, label: str) -> int:
        """Which pane shows a visit; the layout is changed until one does."""
        while label not in (shown := self.page.locator(".pane h2").all_inner_texts()):
            self.hands.key("m")
            ready(self.page)
        ready(self.page)
        return shown.index(label)

    def _show(self, pane: int, image: dict[str, Any], frame: int) -> None:
        thumb = f'[data-image="{image["id"]}"]'
        within = self.page.locator(".pane").nth(pane)
        shown = within.locator(".thumb[aria-pressed=true]")
        if shown.count() and shown.get_attribute("data-image") != image["id"]:
            self.hands.click(thumb)
        if not within.evaluate("pane => pane.contains(document.activeElement)"):
            self.hands.key("s")  # the next pane
        for _ in range(frame - 1):
            self.hands.key(".")
        ready(self.page)

    def _take(self, lesion: str) -> None:
        if lesion == self.lesion or (not self.lesion and not self.lesions):
            self.lesions = self.lesions or [lesion]
            self.lesion = lesion
            return
        if lesion in self.lesions:
            self.hands.key(str(self.lesions.index(lesion) + 1))
        else:
            self.hands.key("l")
            self.lesions.append(lesion)
        self.lesion = lesion

    def _tool(self, key: str) -> None:
        if key != self.tool:
            self.hands.key(key)
            self.tool = key

    def _at(self, pane: int, image: dict[str, Any], row: float, column: float) -> tuple[float, float]:
        ready(self.page)
        x, y = self.page.evaluate(ON_SCREEN, [image, pane, [row, column]])
        return x, y

    def _axes(self, pane: int, image: dict[str, Any], task: Task) -> None:
        self._tool("x")
        for row, column, end_row, end_column in task.axes:
            with self._saved():
                self.hands.drag(self._at(pane, image, row, column), self._at(pane, image, end_row, end_column))

    def _outlined(self, pane: int, image: dict[str, Any], task: Task) -> bool:
        self._tool("a")
        row, column, end_row, end_column = task.axes[0]
        with self.page.expect_response(re.compile(r"/api/outline$")) as answer:
            if self.way == "box":
                self.hands.drag(*(self._at(pane, image, *corner) for corner in _box(task.axes)))
            else:
                self.hands.click(self._at(pane, image, (row + end_row) / 2, (column + end_column) / 2))
        told = answer.value.json()
        looks = self.way == "network"
        if told["contour"] is None or (looks and not _fits(told["measured"], task.axes[0], image["spacing_mm"])):
            self.refused += 1
            if told["contour"] is not None:
                self.page.wait_for_selector(".offer:not([hidden]) button.main")
                self.hands.key("Escape")
            return False
        self.page.wait_for_selector(".offer:not([hidden]) button.main")
        with self._saved():
            self.hands.key("Enter")
        return True

    def _gone(self, pane: int) -> None:
        self.hands.key("Shift+r")
        self.page.wait_for_selector("dialog")
        with self._saved():
            self.hands.click("dialog button.main")

    def _saved(self) -> Any:
        return self.page.expect_response(re.compile(r"/readings(/[0-9a-f]+)?$"))

    def sign(self) -> None:
        self.hands.key("Shift+s")
        self.page.wait_for_selector(".sign-form")
        if self.page.locator(".sign-form input[type=checkbox]").count():
            self.hands.click(".sign-form input[type=checkbox]")
        with self.page.expect_response(re.compile(r"/sign$")) as answer:
            self.hands.click(".sign-form button.main")
        assert answer.value.ok, answer.value.text()


def _box(axes: tuple[tuple[float, ...], ...]) -> tuple[tuple[float, float], tuple[float, float]]:
    """Two corners of a box around a lesion's axes, a tenth of its size larger on each side."""
    rows = [row for axis in axes for row in axis[0::2]]
    columns = [column for axis in axes for column in axis[1::2]]
    (top, bottom), (left, right) = ((min(each), max(each)) for each in (rows, columns))
    down, across = ROOM * (bottom - top), ROOM * (right - left)
    return (top - down, left - across), (bottom + down, right + across)


def _fits(measured: dict[str, Any], axis: tuple[float, ...], spacing: list[float]) -> bool:
    """Whether a reader who looks at an outline would take it: its long axis is within a fifth of the caliper's."""
    row, column, end_row, end_column = axis
    long = math.hypot((end_row - row) * spacing[0], (end_column - column) * spacing[1])
    drawn = (measured or {}).get("long_axis_mm")
    return drawn is not None and drawn["value"] is not None and abs(drawn["value"] / long - 1) <= EYE


def read_all(page: Page, cases: list[dict[str, Any]], todo: list[Task], way: str) -> tuple[Hands, int]:
    """Read and sign every child, in the order of the worklist; returns what it took, and outlines not offered."""
    hands, refused = Hands(page), 0
    for number, case in enumerate(cases):
        hands.key("n")
        expect(page.locator(".who h1")).to_have_text(case["label"])
        ready(page)
        reading = Reading(hands, case, way)
        for task in (task for task in todo if task.subject == case["label"]):
            reading.read(task)
        reading.sign()
        refused += reading.refused
        print(
            f"  {case['label']}: {hands.actions} actions so far, {number + 1} of {len(cases)} signed", file=sys.stderr
        )
    return hands, refused


def changes(out: Path, scans: Path, *options: str) -> dict[str, float]:
    """Percent change of each child, by a run."""
    words = ["run", str(scans), "-o", str(out), *options]
    subprocess.run([sys.executable, "-m", "lesion_measure", *words], check=False, stdout=subprocess.DEVNULL)
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    return {each["subject"]: each["response"]["percent"] for each in results["subjects"] if each["response"]}


def main() -> None:
    expect.set_options(timeout=120_000)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scans", nargs="?", type=Path, default=Path("sample_dicoms"))
    parser.add_argument("--way", choices=["axes", "network", "unseen", "box"], default="axes")
    asked = parser.parse_args()
    table = asked.scans / "calipers.csv"
    todo = tasks(table)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        with running(asked.scans, out) as (_, client):
            cases = [
                client.get(f"/api/cases/{case['id']}").json() for case in client.get("/api/worklist").json()["cases"]
            ]
            with launched() as browser:
                page = signed_in(browser, client, viewport={"width": 1920, "height": 1080})
                start = time.perf_counter()
                hands, refused = read_all(page, cases, todo, asked.way)
                spent = time.perf_counter() - start
        start = time.perf_counter()
        ours = changes(out, asked.scans)
        ran = time.perf_counter() - start
        theirs = changes(Path(folder) / "by_csv", asked.scans, "--calipers", str(table))
    tell(hands, refused, spent, ran, len(todo))
    typed = len(table.read_text(encoding="utf-8"))
    print(f"typing the CSV {typed} keys, {typed / len(todo):.0f} each, {KEY * typed / len(todo):.0f} s of hands each,")
    print("               when the coordinates are known")
    worst = max(abs(ours[subject] - theirs[subject]) for subject in theirs)
    print(f"changes        {len(ours)} of {len(theirs)} children, at most {worst:.1f} percentage points from the CSV's")


def tell(hands: Hands, refused: int, spent: float, ran: float, count: int) -> None:
    """What the reading took; ``count`` is that of the lesions on images."""
    kinds = ", ".join(f"{number} {kind}" for kind, number in hands.kinds.items())
    print(f"{count} lesions on images, read and signed; {refused} by the caliper after the network failed")
    print(f"actions        {hands.actions} ({kinds}), {hands.actions / count:.1f} each")
    print(f"hands          {hands.seconds:.0f} s, {hands.seconds / count:.1f} s each")
    print(f"script         {spent:.0f} s, {spent / count:.1f} s each; the run after it {ran:.0f} s")


if __name__ == "__main__":
    main()
