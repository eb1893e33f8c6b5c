"""Where the time of a run with the network goes, part by part, and what each part costs at the least.

``python benchmarks/where_time_goes.py [--rounds 3] [--json FILE] [--plot FILE]`` measures all frames of a JPEG cine of
120 frames (768 x 1024), on one thread, with OpenVINO and with PyTorch. Printed are processor seconds, medians. Floors,
in the same round, are what the library that does the work takes alone: its import and loading, decoding by simplejpeg,
the bare networks on as many pictures. ``--from FILE`` draws the plot of figures that were kept.
"""

from __future__ import annotations

import argparse
import functools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from as_a_user import PROJECT, surroundings
from end_to_end import MODEL, cine

FRAMES = 120
PARTS = {
    "start": "start: imports, settings, loading the networks",
    "decode": "decoding: this process's share",
    "network": "networks",
    "prepare": "before the networks",
    "lesions": "lesions of their answers",
    "outlines": "confidence and outlines",
    "keep": "keeping outlines",
    "report": "report",
    "else": "all else",
}
BACKENDS = {"openvino": "OpenVINO", "torch": "PyTorch"}
BARE_START = {
    "openvino": "import numpy, PIL.Image, jinja2, pydantic, scipy.ndimage, typer\n"
    "from lesion_measure.network.lean_openvino import openvino\n"
    "core = openvino.Core()\n"
    "for graph in sys.argv[1:]: core.compile_model(graph, 'CPU')\n",
    "torch": "import numpy, PIL.Image, jinja2, pydantic, scipy.ndimage, torch, typer\n",
}


class Clock:
    """Processor seconds of parts, each without those that it calls."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._inside = ["start"]
        self._since = 0.0  # process time counts from the start of the process

    def turn(self) -> None:
        """Book what has passed on the part that is under way."""
        now = time.process_time()
        self.seconds[self._inside[-1]] += now - self._since
        self._since = now

    def begin(self, part: str, holder: Any, name: str) -> None:
        """From the first call of a function on, what belongs to no other part belongs to this one."""
        work: Callable[..., Any] = getattr(holder, name)

        @functools.wraps(work)
        def first(*args: Any, **more: Any) -> Any:
            self.turn()
            self._inside[0] = part
            return work(*args, **more)

        setattr(holder, name, first)

    def time(self, part: str, holder: Any, name: str) -> None:
        """Book a function of a module or class on a part."""
        work: Callable[..., Any] = getattr(holder, name)

        @functools.wraps(work)
        def timed(*args: Any, **more: Any) -> Any:
            self.turn()
            self._inside.append(part)
            try:
                return work(*args, **more)
            finally:
                self.turn()
                self._inside.pop()

        setattr(holder, name, timed)


def run_timed(inputs: Path, out: Path, backend: str) -> None:
    """One run in this process; its parts as JSON."""
    clock = Clock()
    import lesion_measure.image.read  # noqa: F401
    from lesion_measure import pipeline
    from lesion_measure.config import Config
    from lesion_measure.dicom.open_image import OpenImage
    from lesion_measure.image.outline_file import OutlineWriter
    from lesion_measure.job import measuring
    from lesion_measure.job.request import RunRequest
    from lesion_measure.network import inference, segment
    from lesion_measure.network.seen import Answer

    clock.time("decode", OpenImage, "frame")
    for name in ("scale_intensity", "insonated", "automatic_window", "network_input"):
        clock.time("prepare", inference, name)
    clock.time("network", inference, "logits_of")
    clock.time("lesions", Answer, "parts")
    clock.time("outlines", segment, "segment_frame")
    clock.time("keep", OutlineWriter, "add")
    clock.time("report", measuring, "write_child")
    clock.time("report", pipeline, "write_index")
    clock.time("report", pipeline, "write_data")
    clock.begin("else", measuring, "read_image")
    config = Config.model_validate({"segment": {"cine_frames": "all"}})
    pipeline.run(RunRequest(input=inputs, out=out, config=config, model=MODEL, backend=backend, threads=1, jobs=1))
    clock.turn()
    print(json.dumps(clock.seconds))


def decode_bare(path: Path) -> None:
    """Processor milliseconds of all frames by simplejpeg, twice; the second time counts."""
    import simplejpeg
    from pydicom import dcmread
    from pydicom.encaps import generate_frames

    frames = list(generate_frames(dcmread(path).PixelData, number_of_frames=FRAMES))
    for _ in range(2):
        begun = time.process_time()
        for frame in frames:
            simplejpeg.decode_jpeg(frame, "rgb")
    print(json.dumps(time.process_time() - begun))


def network_bare(backend: str) -> None:
    """Processor seconds of the bare networks: two mirrored copies of each frame, and four of one lesion on it."""
    import numpy as np

    from lesion_measure.network.backend import load
    from lesion_measure.network.bundle import read_bundle

    loaded, bundle = load(read_bundle(MODEL), backend=backend, threads=1), read_bundle(MODEL)
    rng, both = np.random.default_rng(0), (loaded.automatic, loaded.prompted)
    pictures = [
        rng.normal(0, 1, (copies, 2, stored.size, stored.size)).astype(np.float32)
        for copies, stored in zip((2, 4), (bundle.automatic, bundle.prompted), strict=True)
    ]
    for count in (5, FRAMES):
        begun = time.process_time()
        for _ in range(count):
            for network, picture in zip(both, pictures, strict=True):
                assert network is not None
                network(picture)
    print(json.dumps(time.process_time() - begun))


def asked(*words: object) -> Any:
    """What another process answers."""
    done = subprocess.run(
        [sys.executable, *map(str, words)], env=surroundings(), cwd=PROJECT, capture_output=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def measured(rounds: int, backends: Sequence[str]) -> dict[str, Any]:
    """Medians of each part and of its floor, by backend."""
    graphs = [MODEL / "models" / name for name in ("model.onnx", "prompted.onnx")]
    found: dict[str, dict[str, dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cine(folder / "in", FRAMES)
        taken: dict[tuple[str, str, str], list[float]] = {}
        for number in range(rounds):
            for backend in backends:
                ours = asked(__file__, "--run", folder / "in", folder / f"out-{backend}-{number}", backend)
                bare = f"import json, sys, time\n{BARE_START[backend]}print(json.dumps(time.process_time()))"
                floors = {
                    "start": asked("-c", bare, *graphs),
                    "decode": asked(__file__, "--decode", folder / "in" / "cine.dcm"),
                    "network": asked(__file__, "--network", backend),
                }
                for kind, parts in (("ours", ours), ("floor", floors)):
                    for part, seconds in parts.items():
                        taken.setdefault((backend, kind, part), []).append(seconds)
        for (backend, kind, part), seconds in taken.items():
            found.setdefault(backend, {}).setdefault(kind, {})[part] = round(statistics.median(seconds), 3)
    return found


def table(figures: dict[str, Any]) -> str:
    """The figures as the page shows them."""
    lines = ["| part | " + " | ".join(f"{BACKENDS[name]} | its floor" for name in figures) + " |"]
    lines.append("|---|" + "---|---|" * len(figures))
    for part, words in [*PARTS.items(), ("sum", "sum")]:
        cells = []
        for backend in figures:
            ours, floor = figures[backend]["ours"], figures[backend]["floor"]
            whole = (sum(ours.values()), sum(floor.values())) if part == "sum" else (ours[part], floor.get(part))
            cells += ["" if value is None else f"{value:.2f}" for value in whole]
        lines.append(f"| {words} | {' | '.join(cells)} |")
    return "\n".join(lines)


def draw(figures: dict[str, Any], path: Path) -> None:
    """A bar of each part beside its floor."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(2.4 + 3.4 * len(figures), 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(figures), sharey=True, squeeze=False)[0]
    for axes, backend in zip(panels, figures, strict=True):
        ours, floor = figures[backend]["ours"], figures[backend]["floor"]
        places = range(len(PARTS))
        axes.barh(places, [ours[part] for part in PARTS], 0.72, color="#0072B2", label="this program")
        axes.barh(places, [floor.get(part, 0.0) for part in PARTS], 0.34, color="#E69F00", label="the library alone")
        axes.set_title(f"{BACKENDS[backend]}: {sum(ours.values()):.1f} s", loc="left", fontsize=11)
        axes.set_xlabel("Processor seconds")
        axes.grid(axis="x", color="#e6e8eb")
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_yticks(list(range(len(PARTS))), [words.partition(":")[0] for words in PARTS.values()])
    panels[0].invert_yaxis()
    panels[-1].legend(frameon=False, loc="lower right")
    figure.savefig(path, dpi=110, metadata={"Software": None})


def main() -> None:
    """Measure, print the table, keep and draw the figures."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--backends", nargs="+", choices=BACKENDS, default=[*BACKENDS])
    options.add_argument("--json", type=Path, help="keep the figures here")
    options.add_argument("--from", type=Path, dest="kept", help="figures that were kept; nothing is measured")
    options.add_argument("--plot", type=Path, help="draw the figures here")
    options.add_argument("--run", nargs=3, help=argparse.SUPPRESS)
    options.add_argument("--decode", type=Path, help=argparse.SUPPRESS)
    options.add_argument("--network", help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.run:
        run_timed(Path(given.run[0]), Path(given.run[1]), given.run[2])
    elif given.decode:
        decode_bare(given.decode)
    elif given.network:
        network_bare(given.network)
    else:
        figures = json.loads(given.kept.read_text()) if given.kept else measured(given.rounds, given.backends)
        print(table(figures))
        if given.json:
            given.json.write_text(json.dumps(figures, indent=1) + "\n")
        if given.plot:
            draw(figures, given.plot)


if __name__ == "__main__":
    main()
