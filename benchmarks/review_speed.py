"""How fast a reading room of 200 children and 20,000 frames answers, and how much memory its server takes.

    python benchmarks/review_speed.py [--children 200] [--browsed 10] [--worklist-only]

The children are those of `review_scans.py`, in a temporary folder. Two readers have outlined and signed all of them
before: 1,600 outlines of 300 points, whose sizes the first worklist compares. A first server measures them and is
killed. Of a second one the worklist is asked for as soon as it prints its address. ``--browsed`` of the children have
cines of 768 x 1024 pixels: JPEG and RLE in colour, RLE and uncompressed in grey. All of their frames are asked for one
after the other, without a pause, as by a cine that plays as fast as it can. Nothing else may run on the machine.
"""

from __future__ import annotations

import argparse
import io
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image
from review_scans import FRAMES, KINDS, LARGE, Pixels, pictures, sign_outlines, write_children
from review_server import running

from lesion_measure.job.readings import FOLDER
from lesion_measure.review import png
from lesion_measure.review.sizes_file import FILE

DWELL_S = 4.0
"""How long a frame is looked at before a click: a reader's pace, and time for the network to look ahead."""


class Timed:
    """Asks the server, and keeps how long each answer took."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def get(self, path: str) -> tuple[httpx.Response, float]:
        """The answer and its milliseconds."""
        return self._asked(lambda: self._client.get(path))

    def post(self, path: str, body: dict[str, Any]) -> tuple[dict[str, Any], float]:
        """The answer's content and its milliseconds."""
        answer, took = self._asked(lambda: self._client.post(path, json=body))
        told: dict[str, Any] = answer.json()
        return told, took

    def _asked(self, ask: Callable[[], httpx.Response]) -> tuple[httpx.Response, float]:
        begun = time.perf_counter()
        answer = ask()
        took = 1000 * (time.perf_counter() - begun)
        answer.raise_for_status()
        return answer, took


def pack() -> None:
    """Our PNGs beside those of Pillow."""

    def by_pillow(frame: Pixels, level: int) -> bytes:
        buffer = io.BytesIO()
        Image.fromarray(frame).save(buffer, "png", compress_level=level)
        return buffer.getvalue()

    colour = pictures(LARGE)[0]
    for name, frame in (("colour", colour), ("grey", colour[..., 1].copy())):
        for who, make in (
            ("ours", png.encode),
            ("Pillow, level 1", partial(by_pillow, level=1)),
            ("Pillow, level 6", partial(by_pillow, level=6)),
        ):
            begun = time.process_time()
            sizes = [len(make(frame)) for _ in range(5)]
            print(f"PNG, {name}, {who}: {200 * (time.process_time() - begun):.0f} ms, {sizes[0] // 1000} kB")


def memory_mb(pid: int) -> float:
    """Resident memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1000


def tell(what: str, took: list[float]) -> None:
    """Median, 95th percentile and greatest of some times."""
    middle, late, most = np.percentile(took, [50, 95, 100])
    print(f"{what}: median {middle:.0f} ms, p95 {late:.0f} ms, most {most:.0f} ms (n = {len(took)})", flush=True)


def browsed_images(ask: Timed, cases: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The images of cases, each case asked for as the page does."""
    for case in cases:
        for visit in ask.get(f"/api/cases/{case['id']}")[0].json()["visits"]:
            yield from visit["images"]


def browse(ask: Timed, images: list[dict[str, Any]], pid: int) -> None:
    """Every frame of every image, one after the other."""
    took: list[list[float]] = []
    after_100 = 0.0
    for place, image in enumerate(images):
        took.append([ask.get(f"/api/images/{image['id']}/frames/{n + 1}.png")[1] for n in range(image["frames"])])
        if place == len(KINDS) - 1:
            after_100 = memory_mb(pid)
    after = memory_mb(pid)
    tell("frame, first of a cine", [times[0] for times in took])
    tell("frame, next one", [one for times in took for one in times[1:]])
    for place, name in enumerate(("JPEG colour", "RLE colour", "RLE grey", "uncompressed grey")):
        tell(f"    {name}", [one for times in took[place :: len(KINDS)] for one in times[1:]])
    print(
        f"memory after {len(KINDS) * FRAMES} frames {after_100:.0f} MB, after {sum(map(len, took))} frames "
        f"{after:.0f} MB ({100 * (after / after_100 - 1):+.1f} %)"
    )


def measure(ask: Timed, images: list[dict[str, Any]]) -> None:
    """Calipers and contours on images that were seen."""
    angles = np.linspace(0, 2 * np.pi, 300, endpoint=False)

    def caliper(k: int) -> dict[str, Any]:
        return {"long": [[380.0, 480.0], [420.0 + k, 560.0]], "short": [[370.0, 540.0], [430.0, 500.0]]}

    def contour(k: int) -> dict[str, Any]:
        return {"contour": [[400 + (40 + k) * np.sin(a), 512 + 50 * np.cos(a)] for a in angles]}

    for name, drawing in (("caliper", caliper), ("contour of 300 points", contour)):
        first, later = [], []
        for image in images[:8]:
            for k in range(8):
                told, took = ask.post("/api/measure", {"image": image["id"], "frame": 1, **drawing(k)})
                assert told["refusal"] is None, told
                (later if k else first).append(took)
        tell(f"measure, first {name} of an image", first)
        tell(f"measure, {name}", later)


def outline(ask: Timed, images: list[dict[str, Any]]) -> None:
    """The network, on frames that were just shown and on frames that were looked at for a while."""
    prompts = {
        "calipers": {"long": [[360.0, 470.0], [440.0, 570.0]]},
        "box": {"box": [350.0, 460.0, 450.0, 580.0]},
        "click": {"click": [400.0, 520.0]},
    }
    for name, prompt in prompts.items():
        for dwell in (DWELL_S, 0.0) if name == "click" else (DWELL_S,):
            took, found = [], 0
            for image in images[:8]:
                ask.get(f"/api/images/{image['id']}/frames/{7 if dwell else 17}.png")
                time.sleep(dwell)
                asked = {"image": image["id"], "frame": 7 if dwell else 17, **prompt}
                told, one = ask.post("/api/outline", asked)
                found += told["contour"] is not None
                took.append(one)
            tell(f"outline by {name}, {dwell:.0f} s after the frame was shown ({found} found)", took)


def edit(ask: Timed, case: dict[str, Any]) -> None:
    """Keep a reading, and ask for the child's result, as each edit does."""
    images = list(browsed_images(ask, [case]))
    kept, results = [], []
    for number in range(12):
        draft = {
            "image": images[number % len(images)]["id"],
            "frame": 1 + number,
            "lesion": f"L{1 + number // len(images)}",
            "kind": "caliper",
            "long": [[380.0, 480.0], [420.0 + number, 560.0]],
        }
        kept.append(ask.post(f"/api/cases/{case['id']}/readings", draft)[1])
        results.append(ask.get(f"/api/cases/{case['id']}/result")[1])
    tell("keep a reading", kept)
    tell("the child's result after it", results[1:])


def worklists(ask: Timed) -> list[dict[str, Any]]:
    """The first worklist and some later ones; returns the cases."""
    lists = [ask.get("/api/worklist") for _ in range(6)]
    cases: list[dict[str, Any]] = lists[0][0].json()["cases"]
    print(f"{len(cases)} children, {sum(len(case['signed_by']) for case in cases)} signatures")
    tell("first worklist", [lists[0][1]])
    tell("later worklists", [took for _, took in lists[1:]])
    return cases


def look(ask: Timed, cases: list[dict[str, Any]], pid: int, begun: float) -> None:
    """What a reader does, case by case."""
    images = list(browsed_images(ask, cases))
    ask.post("/api/outline", {"image": images[0]["id"], "frame": 1, "click": [400.0, 520.0]})
    print(f"network answers after {time.perf_counter() - begun:.1f} s; memory {memory_mb(pid):.0f} MB")
    browse(ask, images, pid)
    measure(ask, images)
    outline(ask, images)
    edit(ask, cases[0])
    print(f"memory at the end {memory_mb(pid):.0f} MB")


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--children", type=int, default=200)
    parser.add_argument("--browsed", type=int, default=10)
    parser.add_argument("--worklist-only", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        scans, out = Path(temporary) / "scans", Path(temporary) / "out"
        scans.mkdir()
        write_children(scans, options.children, options.browsed)
        print(f"{sign_outlines(out, options.children)} outlines are signed")
        begun = time.perf_counter()
        with running(scans, out):
            while not (out / FOLDER / FILE).is_file():
                time.sleep(0.1)
            print(f"their sizes are known {time.perf_counter() - begun:.1f} s after the start of a first server")
        begun = time.perf_counter()
        with running(scans, out) as (process, client):
            ask = Timed(client)
            print(f"server ready after {time.perf_counter() - begun:.1f} s")
            cases = worklists(ask)
            if not options.worklist_only:
                look(ask, cases[: options.browsed], process.pid, begun)
    if not options.worklist_only:
        pack()


if __name__ == "__main__":
    main()
