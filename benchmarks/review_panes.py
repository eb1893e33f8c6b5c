"""The panes of a case as they are ready to be pressed on, and where things on the page have come to rest.

The page draws with the pictures of the screen, and loads frames meanwhile. Whoever presses where a pane was before it
was laid out anew, or before its picture came, presses on nothing: the page refuses it, as it should.
"""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import FloatRect, Locator, Page

_READY = """() => new Promise((told) => {
  const panes = () => [...document.querySelectorAll(".panes > .pane")].map((pane) => {
    const [stage, overlay] = [pane.querySelector(".pane-stage"), pane.querySelector("canvas.overlay")];
    const { x, y, width, height } = overlay.getBoundingClientRect();
    const drawn = overlay.width === Math.round(width * devicePixelRatio) && overlay.width > 1;
    return [stage.getAttribute("aria-busy") === "false" && drawn, x, y, width, height];
  });
  let last = "", same = 0;
  const look = () => {
    const now = panes();
    const words = JSON.stringify(now);
    same = words === last && now.length > 0 && now.every(([ready]) => ready) ? same + 1 : 0;
    last = words;
    if (same >= 3) told(true);
    else requestAnimationFrame(look);
  };
  look();
})"""
"""Ready: every pane shows what was asked for, at the size that it has, over four pictures of the screen."""

_STILL = """(element) => new Promise((told) => {
  let last = "";
  const look = () => {
    if (!element.isConnected) return told(null);
    const { x, y, width, height } = element.getBoundingClientRect();
    const now = JSON.stringify([x, y, width, height]);
    if (now === last && width > 0) return told({ x, y, width, height });
    last = now;
    requestAnimationFrame(look);
  };
  look();
})"""


def ready(page: Page) -> None:
    """Wait until every pane shows its picture and can be pressed on."""
    page.wait_for_selector(".panes > .pane canvas.overlay")
    page.evaluate(_READY)


def overlay(page: Page, pane: int = 0) -> FloatRect:
    """Where a pane that can be pressed on is, in CSS pixels of the page."""
    ready(page)
    return still(page.locator("canvas.overlay").nth(pane))


def still(locator: Locator) -> FloatRect:
    """Where an element is that does not move; lists are drawn anew, and then it is looked for again."""
    while True:
        found: FloatRect | None = locator.evaluate(_STILL)
        if found is not None:
            return found


def redrawn(page: Page, pane: int, change: Callable[[], None]) -> None:
    """Zoom or move a picture by ``change``, and wait until the pane tells another zoom and is drawn with it."""
    zoom = page.locator(".pane-zoom").nth(pane)
    before = zoom.inner_text()
    change()
    page.wait_for_function(
        "([pane, before]) => document.querySelectorAll('.pane-zoom')[pane].textContent !== before", arg=[pane, before]
    )
    ready(page)
