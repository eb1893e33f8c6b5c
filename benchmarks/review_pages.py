"""The reading room's page in Debian's Chromium, for the benchmarks that use it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from playwright.sync_api import Browser, Page, sync_playwright


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser without a window."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    assert program, "Chromium is not installed (Debian: apt-get install chromium)"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


def signed_in(browser: Browser, client: httpx.Client, **context: Any) -> Page:
    """The worklist in a new browser that has the session of a client."""
    own = browser.new_context(**context)
    url = str(client.base_url)
    own.add_cookies([{"name": each.name, "value": each.value or "", "url": url} for each in client.cookies.jar])
    page = own.new_page()
    page.set_default_timeout(120_000)
    page.goto(url)
    page.wait_for_selector("table.worklist tbody a")
    return page
