"""How many burnt-in calipers are found on simulated screens, and how many that are none.

``python benchmarks/burnt_in_marks.py [--first SEED] [--screens N] [--empty N] [--workers N] [--list]``. The
figures are of the seeds that docs/burnt_in.md names, with their commands.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np

from lesion_measure.burnt_in.grouping import MarkPair, find_pairs
from lesion_measure.lab.screens import TrueCaliper, simulate_screen

FIRST, SCREENS, EMPTY = 900_000, 1_000, 500
NEAR_PX = 3.0
"""A caliper counts as found with both ends this near; how near they are is told apart."""


@dataclass(frozen=True)
class Screen:
    """What became of one screen."""

    seed: int
    look: str
    drawn: int
    errors_px: tuple[float, ...]
    false: tuple[str, ...]
    seconds: float


def error_px(pair: MarkPair, true: TrueCaliper) -> float:
    """The greater distance of both ends from the true ones, in the better order."""
    ends = np.array([mark.point for mark in pair.ends])
    return float(min(np.hypot(*(ends - np.array(order)).T).max() for order in (true.points, true.points[::-1])))


def judge(task: tuple[int, int | None]) -> Screen:
    """Simulate a screen with so many calipers (one to three where None), and look at it."""
    screen = simulate_screen(task[0], calipers=task[1])
    start = time.process_time()
    pairs = list(find_pairs(screen.pixels))
    seconds = time.process_time() - start
    errors = []
    for true in screen.calipers:
        best = min(pairs, key=lambda pair: error_px(pair, true), default=None)
        if best is not None and error_px(best, true) <= NEAR_PX:
            errors.append(error_px(best, true))
            pairs.remove(best)
    false = tuple(f"{pair.grouped_by} {[mark.point for mark in pair.ends]}" for pair in pairs)
    return Screen(task[0], screen.look, len(screen.calipers), tuple(errors), false, seconds)


def report(screens: list[Screen]) -> None:
    """Print the counts by look, and of all."""
    looks = defaultdict(list)
    for screen in screens:
        looks[screen.look].append(screen)
    for name, some in [*sorted(looks.items()), ("all", screens)]:
        drawn, found = sum(s.drawn for s in some), sum(len(s.errors_px) for s in some)
        false = sum(len(s.false) for s in some)
        print(
            f"{name:10} {len(some):5} screens  {drawn:5} calipers  found {found:5} ({found / max(drawn, 1):.1%})  "
            f"false {false:3}  precision {found / max(found + false, 1):.1%}  screens with a false one "
            f"{sum(bool(s.false) for s in some) / len(some):.1%}"
        )
    errors = np.array([error for screen in screens for error in screen.errors_px])
    if len(errors):
        print(f"worse end: median {np.median(errors):.2f} px, within 1 px {np.mean(errors <= 1):.1%}")
    milliseconds = 1000 * np.array([screen.seconds for screen in screens])
    print(f"CPU ms a screen: median {np.median(milliseconds):.0f}, 90 % {np.quantile(milliseconds, 0.9):.0f}")


def main() -> None:
    """Screens with calipers, then those without."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=FIRST)
    parser.add_argument("--screens", type=int, default=SCREENS)
    parser.add_argument("--empty", type=int, default=EMPTY)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--list", action="store_true", help="the seeds that went wrong")
    args = parser.parse_args()
    tasks = [(args.first + k, None) for k in range(args.screens)]
    tasks += [(args.first + 500_000 + k, 0) for k in range(args.empty)]
    with ProcessPoolExecutor(args.workers) as pool:
        screens = list(pool.map(judge, tasks, chunksize=8))
    for title, some in (("with calipers", screens[: args.screens]), ("without", screens[args.screens :])):
        if some:
            print(title)
            report(some)
    for screen in screens if args.list else ():
        if screen.false or len(screen.errors_px) < screen.drawn:
            print(screen.seed, screen.look, f"{len(screen.errors_px)} of {screen.drawn}", *screen.false)


if __name__ == "__main__":
    main()
