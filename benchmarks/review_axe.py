"""Accessibility of the reading room's page by axe-core, in every state of it, light and dark, on a desk and a tablet.

    python benchmarks/review_axe.py [sample_dicoms] [--axe axe.min.js]

axe-core (MPL-2.0) is not part of the project: without ``--axe`` npm fetches it into a temporary folder. Prints what it
finds in each state; the exit code is 1 where one finding is serious or critical.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, Page, expect
from review_pages import launched, signed_in
from review_panes import ready
from review_server import running

VERSION = "4.14.1"
SIZES = {"desk": (1280, 800), "tablet": (820, 1180)}
SERIOUS = ("serious", "critical")
COME_TO_REST = """() => Promise.all(document.getAnimations()
  .filter((each) => each.effect.getComputedTiming().endTime !== Infinity)
  .map((each) => each.finished.catch(() => {})))"""


def fetched(folder: Path) -> Path:
    """axe-core from npm."""
    words = ["npm", "install", "--silent", "--no-save", "--prefix", str(folder), f"axe-core@{VERSION}"]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return folder / "node_modules" / "axe-core" / "axe.min.js"


class Checks:
    """What axe-core says of each state of a page."""

    def __init__(self, axe: str) -> None:
        self._axe = axe
        self.states = 0
        self.found: list[str] = []

    def look(self, page: Page, state: str) -> None:
        """Check what is shown now."""
        expect(page.locator(".loading")).to_have_count(0)
        page.evaluate(COME_TO_REST)  # what still fades in has less contrast
        page.evaluate(self._axe)
        answer: dict[str, Any] = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
        self.states += 1
        for each in answer["violations"]:
            places = "; ".join(str(node["target"][0]) for node in each["nodes"][:3])
            self.found.append(each["impact"])
            print(f"{each['impact']:<10}{state}: {each['id']}: {each['help']} ({places})", flush=True)


def worklist(page: Page, look: Callable[[str], None]) -> None:
    """The list by children, visits and lesions, filtered to nothing, and the card of keys."""
    for level in ("cases", "visits", "lesions"):
        page.click(f"[data-level={level}]")
        look(f"worklist by {level}")
    page.fill("input[type=search]", "nothing is called so")
    look("worklist, nothing found")
    page.fill("input[type=search]", "")
    page.click("[data-level=cases]")
    page.keyboard.press("Escape")
    page.locator("h1").click()
    page.keyboard.press("?")
    look("keys")
    page.keyboard.press("Escape")


def case(page: Page, look: Callable[[str], None]) -> None:
    """A case with a reading, its panels, and the dialogs that ask for a reason."""
    page.locator("table.worklist tbody a").first.click()
    ready(page)
    look("case")
    for name in page.eval_on_selector_all("[data-panel]", "all => all.map((each) => each.dataset.panel)"):
        page.click(f"[data-panel={name}]")
        page.wait_for_selector(".drawer > .within")
        look(f"panel {name}")
    page.keyboard.press("Escape")
    page.locator("canvas.overlay").first.focus()
    page.keyboard.press("Shift+x")
    page.wait_for_selector("dialog")
    look("dialog of a reason")
    page.keyboard.press("Escape")
    page.keyboard.press("w")
    page.wait_for_selector("table.worklist tbody a")


def prepare(client: httpx.Client) -> None:
    """A reading, a comment and a signature of the first two cases, so that every panel has something to show."""
    for number, item in enumerate(client.get("/api/worklist").json()["cases"][:2]):
        own = client.get(f"/api/cases/{item['id']}").json()
        image = own["visits"][0]["images"][0]
        draft = {"image": image["id"], "frame": 1, "lesion": "L1", "kind": "caliper"}
        drawn = {**draft, "long": [[300, 300], [330, 400 + 20 * number]], "short": [[280, 350], [350, 340]]}
        kept = client.post(f"/api/cases/{own['id']}/readings", json=drawn).json()
        client.post(f"/api/cases/{own['id']}/comments", json={"why": "Shadow on the right."})
        if number:
            signed = {"versions": {kept["id"]: kept["version"]}, "statement": "Mine."}
            client.post(f"/api/cases/{own['id']}/sign", json=signed)


def walk(browser: Browser, client: httpx.Client, checks: Checks, role: str) -> None:
    """Every state, light and dark, at every size."""
    for size, (width, height) in SIZES.items():
        for theme in ("light", "dark"):
            context = {"viewport": {"width": width, "height": height}, "color_scheme": theme}
            page = signed_in(browser, client, **context)

            def look(state: str, page: Page = page, how: str = f"{role}, {size}, {theme}") -> None:
                checks.look(page, f"{state} ({how})")

            worklist(page, look)
            case(page, look)
            page.context.close()
            stranger = browser.new_context(**context).new_page()
            stranger.goto(str(client.base_url))
            stranger.wait_for_selector(".login")
            checks.look(stranger, f"login ({size}, {theme})")
            stranger.context.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scans", nargs="?", type=Path, default=Path("sample_dicoms"))
    parser.add_argument("--axe", type=Path, help="axe.min.js of axe-core")
    asked = parser.parse_args()
    expect.set_options(timeout=120_000)
    with tempfile.TemporaryDirectory() as folder, launched() as browser:
        checks = Checks((asked.axe or fetched(Path(folder))).read_text(encoding="utf-8"))
        out = Path(folder) / "out"
        with running(asked.scans, out, "--reader", "reader-1") as (_, client):
            prepare(client)
            walk(browser, client, checks, "reader")
        with running(asked.scans, out, "--reader", "chief", "--role", "adjudicator") as (_, client):
            walk(browser, client, checks, "adjudicator")
    serious = [impact for impact in checks.found if impact in SERIOUS]
    print(f"{checks.states} states: {len(checks.found)} findings, {len(serious)} of them serious or critical")
    sys.exit(1 if serious else 0)


if __name__ == "__main__":
    main()
