"""Memory of a run over all frames of a long cine: ``python benchmarks/cine_memory.py [--frames 120 2000]``.

JPEG cines of 768 x 1024 pixels, on one thread in one process, with OpenVINO and with PyTorch. Printed are the largest
memory of the run, which the decoder's process is not part of, and its processor seconds with those of the decoder.
"""

from __future__ import annotations

import argparse
import re
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from as_a_user import PROJECT, surroundings
from end_to_end import ALL_FRAMES, cine, ours
from growth import RUN

BACKENDS = ("openvino", "torch")


def cost(inputs: Path, out: Path, settings: Path, backend: str) -> tuple[float, float]:
    """Largest memory in MB and processor seconds of a run."""
    words = [*ours(inputs, out, "--backend", backend, "--jobs", 1, "--config", settings)][2:]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", RUN, *map(str, words)],
        env=surroundings(), cwd=PROJECT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    peak = re.search(r"peak_kb (\d+)", done.stderr)
    if peak is None:
        raise SystemExit(done.stderr)
    return int(peak[1]) * 1024 / 1e6, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--frames", type=int, nargs="+", default=[120, 2000])
    options.add_argument("--backends", nargs="+", choices=BACKENDS, default=BACKENDS)
    given = options.parse_args()
    print("| frames | backend | MB at most | processor seconds |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = folder / "all.yaml"
        settings.write_text(ALL_FRAMES)
        for frames in given.frames:
            cine(folder / f"in-{frames}", frames)
            for backend in given.backends:
                peak, seconds = cost(folder / f"in-{frames}", folder / f"out-{frames}-{backend}", settings, backend)
                print(f"| {frames} | {backend} | {peak:.0f} | {seconds:.1f} |", flush=True)


if __name__ == "__main__":
    main()
