"""Debian's Chromium, driven by Playwright's Python package, on a page of the reading room."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from lesion_measure.review.room import Room
from lesion_measure.review.serve import address

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser")
SIZE = {"width": 1280, "height": 800}
MOST_MS = 60_000
"""How long a busy machine may take for one step."""


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser without a window; its pages share nothing but the process."""
    if PROGRAM is None:
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        # the sandbox asks for rights that containers do not give
        expect.set_options(timeout=MOST_MS)
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


class Opened:
    """A page of the reading room in a browser of somebody's own, and what went wrong on it."""

    def __init__(self, browser: Browser, room: Room, **context: Any) -> None:
        self._context = browser.new_context(viewport=SIZE, **context)
        self.page: Page = self._context.new_page()
        self.wrong: list[str] = []
        self.page.set_default_timeout(MOST_MS)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("console", self._keep)
        self.page.goto(address(room))
        self.page.wait_for_selector("table.worklist, .login")

    def __enter__(self) -> Opened:
        return self

    def __exit__(self, *_: object) -> None:
        self._context.close()

    def _keep(self, message: ConsoleMessage) -> None:
        # an answer of 401 or 409 is an error of the console, too, and often what a test asks for
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.wrong.append(message.text)
