"""Runs that are killed and go on: ``python benchmarks/killed_runs.py [--kills 50] [--children 40] [--dask]``.

A run of simulated children is killed (SIGKILL) at random moments, each time a little further, and its command is given
again. With ``--dask`` one of two workers of a cluster is killed in its place, and the run must not notice. At the end
results.json and all tables must be those of a run that nobody killed, to the byte.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from as_a_user import PROJECT, surroundings
from growth import TABLES, cluster, small_trial

_RUN_S = 300
"""Time that a run may take after its last worker was killed."""


def begun(trial: Path, out: Path, *more: str) -> subprocess.Popen[bytes]:
    """A run on its way."""
    words = [sys.executable, "-m", "lesion_measure", "run", str(trial), "-o", str(out), "--quiet", "--overwrite"]
    words += ["--calipers", str(trial / "calipers.csv"), *more]
    environment = surroundings(one_thread=False)
    return subprocess.Popen(words, cwd=PROJECT, env=environment, stderr=subprocess.DEVNULL)


def killed_run(trial: Path, out: Path, kills: int, longest_s: float, chance: random.Random) -> int:
    """Kill a run so many times; how many of the kills came before its end."""
    early = 0
    for _ in range(kills):
        process = begun(trial, out, "--jobs", "2")
        time.sleep(chance.uniform(0.05, longest_s))
        early += process.poll() is None
        process.kill()
        process.wait()
    return early


def killed_workers(trial: Path, out: Path, kills: int, longest_s: float, chance: random.Random) -> int:
    """Kill a worker of a cluster, now and then, for as long as a run measures on it."""
    early = 0
    while early < kills:
        with cluster() as address:  # a new one each time: Dask gives up a worker that dies at its start
            process = begun(trial, out, "--scheduler", address, "--fresh")
            while process.poll() is None and early < kills:
                time.sleep(chance.uniform(0.05, longest_s / 4))
                early += kill_one(address, chance)
            if process.wait(_RUN_S) not in (0, 3):
                raise SystemExit("A run on the cluster failed.")
            print(f"{early} workers killed; a run ended", file=sys.stderr)
    return early


def kill_one(address: str, chance: random.Random) -> int:
    """Kill one worker, where both are there; how many were."""
    from distributed import Client

    with Client(address, set_as_default=False) as client:
        workers: dict[str, Any] = client.run(os.getpid)
    if len(workers) < 2:
        return 0
    os.kill(chance.choice(sorted(workers.values())), signal.SIGKILL)
    return 1


def main() -> None:
    """Print what was killed, and whether the results are the same."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--kills", type=int, default=50)
    options.add_argument("--children", type=int, default=40)
    options.add_argument("--dask", action="store_true")
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    chance = random.Random(given.seed)
    with tempfile.TemporaryDirectory(prefix="killed-") as name:
        trial = small_trial(Path(name), given.children)
        whole, out = Path(name) / "whole", Path(name) / "out"
        start = time.perf_counter()
        begun(trial, whole, "--jobs", "2").wait()
        longest = time.perf_counter() - start
        killing = killed_workers if given.dask else killed_run
        early = killing(trial, out, given.kills, longest, chance)
        begun(trial, out, "--jobs", "2").wait()
        for table in TABLES:
            if (out / table).read_bytes() != (whole / table).read_bytes():
                raise SystemExit(f"{table} differs after {early} kills")
        what = "workers of a cluster" if given.dask else "runs"
        print(
            f"{early} of {given.kills} {what} killed before their end; tables and results.json are the same to the byte"
        )


if __name__ == "__main__":
    main()
