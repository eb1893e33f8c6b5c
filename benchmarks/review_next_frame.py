"""How long the page takes to show the next frame of a cine: from the key to the picture on the screen.

    python benchmarks/review_next_frame.py [--steps 40]

Cines of 768 x 1024 pixels, as `review_scans.py` makes them, in Debian's Chromium. ``read``: a key every 0.2 s, as a
reader presses it. ``held``: the next key as soon as the frame is there. Each step is a frame that was not shown before;
after the last one of a cine the next image is opened, which is not counted.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from review_pages import launched, signed_in
from review_panes import ready
from review_scans import write_children
from review_server import running
from review_speed import tell

PAUSES_MS = {"read": 200, "held": 0}
STEP = """async ([steps, pause]) => {
  const shown = () => document.querySelector(".pane.active .pane-frame").textContent;
  const painted = () => new Promise((told) => requestAnimationFrame(() => setTimeout(told)));
  const took = [];
  for (let step = 0; step < steps; step += 1) {
    await new Promise((rested) => setTimeout(rested, pause));
    const [number, of] = shown().split(" / ").map(Number);
    const key = number === of ? "PageDown" : ".";
    const before = performance.now();
    document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    if (key === "PageDown") { await new Promise((told) => setTimeout(told, 1500)); continue; }
    while (shown() === `${number} / ${of}`) await new Promise((told) => setTimeout(told, 1));
    await painted();
    took.push(performance.now() - before);
  }
  return took;
}"""
"""Keys in the active pane; the times in ms from each to the end of the frame that shows what it asked for."""


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=40)
    steps = parser.parse_args().steps
    with tempfile.TemporaryDirectory() as temporary:
        scans, out = Path(temporary) / "scans", Path(temporary) / "out"
        scans.mkdir()
        write_children(scans, 2, 2)
        with running(scans, out, "--no-network") as (_, client), launched() as browser:
            for pace, pause in PAUSES_MS.items():
                page = signed_in(browser, client, viewport={"width": 1440, "height": 900})
                page.keyboard.press("n")
                ready(page)
                page.locator("canvas.overlay").first.focus()
                tell(f"next frame on the screen, {pace}", page.evaluate(STEP, [steps, pause]))
                page.context.close()


if __name__ == "__main__":
    main()
