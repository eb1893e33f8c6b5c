"""Where the time of a click goes on a frame that the network has not seen: processor time of each step.

    python benchmarks/review_click.py [--clicks 25]

Cines of 768 x 1024 pixels, as `review_scans.py` makes them; each click is on a frame of its own that was decoded just
before, as the page asks for a frame before anybody clicks on it. Processor time counts all threads, so it says the same
on a machine that others keep busy; the time on the clock does not. Steps that lie within another are indented.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from review_scans import FRAMES, KINDS, write_children

from lesion_measure.config import Config
from lesion_measure.files.shipped import find_model
from lesion_measure.network import Segmenter, inference, seen, segment
from lesion_measure.network import click as clicks
from lesion_measure.review import outlining
from lesion_measure.review.images import OpenImages
from lesion_measure.review.measuring import Measurer
from lesion_measure.review.messages import Prompt
from lesion_measure.review.outlining import Outliner
from lesion_measure.studies import load_studies

STEPS: tuple[tuple[str, Any, str], ...] = (
    ("grey levels of the decoded frame", Outliner, "_luminance"),
    ("looking at the picture", Segmenter, "look"),
    ("insonated area", seen, "insonated_area"),
    ("networks, and what goes in and comes out", Segmenter, "_run"),
    ("    input: sampling, prompt, ellipse", inference, "network_input"),
    ("    networks alone", inference, "logits_of"),
    ("    output on the picture's grid", seen, "to_native"),
    ("black beside the sector", inference, "insonated"),
    ("parts of a map", seen, "lesion_parts"),
    ("all that is tried, with its networks", clicks, "tries"),
    ("    features of what is tried", clicks, "click_features"),
    ("    how far it agrees", clicks, "_agreement"),
    ("map of the answer", inference, "assembled"),
    ("outline of the answer", segment, "outline_of"),
    ("fewer points", outlining, "simplified"),
    ("measuring", Measurer, "measure"),
)


class Times:
    """Processor and clock time of functions while they are watched, in ms."""

    def __init__(self) -> None:
        self.spent: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])

    def watch(self, name: str, owner: Any, attribute: str) -> None:
        """Time every call of a function of a module or class from now on."""
        whole = getattr(owner, attribute)
        setattr(owner, attribute, lambda *args, **options: self._timed(name, whole, *args, **options))

    def _timed(self, name: str, whole: Callable[..., Any], *args: Any, **options: Any) -> Any:
        cpu, clock = time.process_time(), time.perf_counter()
        try:
            return whole(*args, **options)
        finally:
            spent = self.spent[name]
            spent[0] += 1
            spent[1] += 1000 * (time.process_time() - cpu)
            spent[2] += 1000 * (time.perf_counter() - clock)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clicks", type=int, default=25)
    asked, config = parser.parse_args(), Config()
    times, whole = Times(), []
    with tempfile.TemporaryDirectory() as temporary:
        write_children(Path(temporary), 1, 1)
        instances = list(load_studies(Path(temporary)).instances)
        images = OpenImages(config)
        measurer = Measurer(config, images)
        outliner = Outliner(lambda: Segmenter.from_bundle(find_model(None)), config, images, measurer)
        prompt = Prompt(image="0" * 16, frame=1, click=(400.0, 520.0))
        for instance in instances:  # which loads what is loaded once
            measurer.prepare(instance)
            outliner.outline(instance, prompt)
        for step in STEPS:
            times.watch(*step)
        for number in range(asked.clicks):
            instance, frame = instances[number % len(KINDS)], 2 + number // len(KINDS) % (FRAMES - 1)
            with images.use(instance) as opened:
                opened.image.frame(frame)
            cpu, clock = time.process_time(), time.perf_counter()
            found = outliner.outline(instance, prompt.model_copy(update={"frame": frame})).model_dump_json()
            whole.append((1000 * (time.process_time() - cpu), 1000 * (time.perf_counter() - clock), len(found)))
        outliner.close()
        images.close()
    report(times, np.array(whole))


def report(times: Times, whole: NDArray[np.float64]) -> None:
    """Print what each step took of a click, and what is left."""
    print(f"{'':45} calls  processor    clock (ms a click)")
    for name, _, _ in STEPS:
        calls, cpu, clock = np.array(times.spent[name]) / len(whole)
        print(f"{name:45} {calls:5.1f} {cpu:10.1f} {clock:8.1f}")
    cpu, clock, size = np.median(whole, axis=0)
    print(f"{'all of it, median':45} {1:5.1f} {cpu:10.1f} {clock:8.1f}   ({size:.0f} bytes)")
    late = np.percentile(whole[:, :2], 95, axis=0)
    print(f"{'all of it, 95th percentile':51} {late[0]:10.1f} {late[1]:8.1f}")


if __name__ == "__main__":
    main()
