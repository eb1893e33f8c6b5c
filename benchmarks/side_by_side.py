"""What a neighbour costs a run with the network: ``python benchmarks/side_by_side.py [--rounds 3] [--children 2]``.

In each round, one after the other: a run alone; the same with one thread alone; two runs side by side; a run beside a
process that keeps one processor busy. Printed are medians of the ratios within a round, so that whatever else the
machine does bears on both sides of a ratio. Aims: side by side at most 2.2 times one alone, beside a busy process at
most 1.5 times one thread alone. The load that others make is printed, since no ratio is worth much on a busy machine.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
SAMPLES = PROJECT / "sample_dicoms"
BUSY = "while True: pass"


def started(inputs: Path, out: Path, *more: str) -> subprocess.Popen[bytes]:
    """A run with the network that is on its way; its exit code does not matter here."""
    words = [sys.executable, "-m", "lesion_measure", "run", str(inputs), "-o", str(out), "--quiet", *more]
    words += ["--model", str(PROJECT / "models" / "liver_us_unet")]
    silent = subprocess.DEVNULL
    return subprocess.Popen(words, cwd=PROJECT, stdout=silent, stderr=silent)


def seconds(inputs: Path, folder: Path, *, runs: int = 1, busy: bool = False, more: tuple[str, ...] = ()) -> float:
    """Wall time until all of so many runs are over, each into a new folder."""
    neighbour = subprocess.Popen([sys.executable, "-c", BUSY]) if busy else None
    try:
        with tempfile.TemporaryDirectory(dir=folder) as outs:
            begun = time.perf_counter()
            for process in [started(inputs, Path(outs) / f"out{number}", *more) for number in range(runs)]:
                process.wait()
            return time.perf_counter() - begun
    finally:
        if neighbour is not None:
            neighbour.kill()
            neighbour.wait()


def main() -> None:
    """Print one line a round, then the medians."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--children", type=int, default=2, help="of the samples, 1 to 6")
    given = options.parse_args()
    pairs, beside = [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        inputs = folder / "in"
        inputs.mkdir()
        for child in sorted(SAMPLES.glob("SIM-*"))[: given.children]:
            shutil.copytree(child, inputs / child.name)
        print(f"{os.cpu_count()} processors; load of the last minute before the first run {os.getloadavg()[0]:.1f}")
        for number in range(1, given.rounds + 1):
            alone = seconds(inputs, folder)
            single = seconds(inputs, folder, more=("--threads", "1"))
            two = seconds(inputs, folder, runs=2)
            busy = seconds(inputs, folder, busy=True)
            pairs.append(two / alone)
            beside.append(busy / single)
            print(
                f"round {number}: alone {alone:.1f} s, one thread {single:.1f} s, two side by side {two:.1f} s, "
                f"beside a busy process {busy:.1f} s; load {os.getloadavg()[0]:.1f}",
                flush=True,
            )
    print(f"two side by side / one alone: {statistics.median(pairs):.2f} (aim: at most 2.2)")
    print(f"one beside a busy process / one thread alone: {statistics.median(beside):.2f} (aim: at most 1.5)")


if __name__ == "__main__":
    main()
