"""How many burnt-in calipers are found on simulated screens, and how many that are none.

``python benchmarks/burnt_in_marks.py [--first SEED] [--screens N] [--empty N] [--workers N] [--list] [--read]``. The
figures are of the seeds that docs/burnt_in.md names, with their commands. With ``--read`` printed values settle what
marks leave open, as in the command ``calipers`` and in a run; letters are read only on screens where something is open.
Every fifty screens the counts so far are printed.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np

from lesion_measure.burnt_in.grouping import MarkPair, find_possible
from lesion_measure.burnt_in.printed import printed_values
from lesion_measure.burnt_in.reconcile import Distance, Stated
from lesion_measure.burnt_in.settle import settled
from lesion_measure.lab.screens import SimulatedScreen, TrueCaliper, simulate_screen
from lesion_measure.stats.proportions import clopper_pearson

FIRST, SCREENS, EMPTY = 900_000, 1_000, 500
NEAR_PX = 3.0
"""A caliper counts as found with both ends this near; how near they are is told apart."""


@dataclass(frozen=True)
class Found:
    """What of a screen's calipers was found, by the greater distance of both ends, and what was that is none."""

    errors_px: tuple[float, ...]
    false: tuple[str, ...]


@dataclass(frozen=True)
class Screen:
    """What became of one screen: by marks alone, and with printed values."""

    seed: int
    look: str
    drawn: int
    by_marks: Found
    with_values: Found
    read: bool
    seconds: float


def error_px(pair: MarkPair, true: TrueCaliper) -> float:
    """The greater distance of both ends from the true ones, in the better order."""
    ends = np.array([mark.point for mark in pair.ends])
    return float(min(np.hypot(*(ends - np.array(order)).T).max() for order in (true.points, true.points[::-1])))


def compared(pairs: Iterable[MarkPair], screen: SimulatedScreen) -> Found:
    """Pairs of marks against what was drawn."""
    left, errors = list(pairs), []
    for true in screen.calipers:
        best = min(left, key=lambda pair: error_px(pair, true), default=None)
        if best is not None and error_px(best, true) <= NEAR_PX:
            errors.append(error_px(best, true))
            left.remove(best)
    return Found(tuple(errors), tuple(f"{pair.grouped_by} {[mark.point for mark in pair.ends]}" for pair in left))


def with_values(pairs: tuple[MarkPair, ...], screen: SimulatedScreen) -> tuple[MarkPair, ...]:
    """The calipers by marks and printed values, where the screen's scale is known."""

    def measure(pair: MarkPair) -> Distance:
        return Distance(pair.length_px, pair.length_px * screen.spacing_mm, screen.spacing_mm, slack_px=pair.slack_px)

    printed = [value for value in printed_values(screen.pixels) if value.length_mm]
    return settled(pairs, [Stated(value.length_mm or 0.0, value.half_width) for value in printed], measure)[0]


def judge(task: tuple[int, int | None, bool]) -> Screen:
    """Simulate a screen with so many calipers (one to three where None), and look at it; read it where asked to."""
    seed, calipers, read = task
    screen = simulate_screen(seed, calipers=calipers)
    start = time.process_time()
    pairs = find_possible(screen.pixels)
    seconds = time.process_time() - start
    by_marks = compared([pair for pair in pairs if not pair.open], screen)
    read = read and not all(pair.told_by_marks for pair in pairs)
    settled_ = compared(with_values(pairs, screen), screen) if read else by_marks
    return Screen(seed, screen.look, len(screen.calipers), by_marks, settled_, read, seconds)


def report(screens: list[Screen], read: bool) -> None:
    """Print the counts by look, and of all."""
    looks = defaultdict(list)
    for screen in screens:
        looks[screen.look].append(screen)
    for title in ("by_marks", "with_values") if read else ("by_marks",):
        print(title.replace("_", " "))
        for name, some in [*sorted(looks.items()), ("all", screens)]:
            print(f"{name:10} {_counts(some, [getattr(screen, title) for screen in some])}")
    milliseconds = 1000 * np.array([screen.seconds for screen in screens])
    print(f"CPU ms a screen: median {np.median(milliseconds):.0f}, 90 % {np.quantile(milliseconds, 0.9):.0f}; ", end="")
    print(f"read: {100 * np.mean([screen.read for screen in screens]):.1f} %", flush=True)


def _counts(screens: list[Screen], found: list[Found]) -> str:
    drawn, true = sum(s.drawn for s in screens), sum(len(f.errors_px) for f in found)
    false, empty = sum(len(f.false) for f in found), sum(bool(f.false) for f in found)
    errors = np.array([error for each in found for error in each.errors_px])
    recall, wrong = clopper_pearson(true, max(drawn, 1)), clopper_pearson(empty, len(found))
    near = f"  within 1 px {100 * np.mean(errors <= 1):.1f} %" if len(errors) else ""
    return (
        f"{len(found):5} screens  {drawn:5} calipers  found {true:5} "
        f"({100 * true / max(drawn, 1):.1f} %, {recall.low:.3f} to {recall.high:.3f})  false {false:3}  "
        f"precision {100 * true / max(true + false, 1):.1f} %  screens with a false one "
        f"{100 * empty / len(found):.1f} % (up to {wrong.high:.3f}){near}"
    )


def main() -> None:
    """Screens with calipers and without, mixed, so that a run that is stopped says something of both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=FIRST)
    parser.add_argument("--screens", type=int, default=SCREENS)
    parser.add_argument("--empty", type=int, default=EMPTY)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--list", action="store_true", help="the seeds that went wrong")
    parser.add_argument("--read", action="store_true", help="let printed values settle what is open")
    args = parser.parse_args()
    tasks = [((k + 0.5) / args.screens, args.first + k, None) for k in range(args.screens)]
    tasks += [((k + 0.5) / args.empty, args.first + 500_000 + k, 0) for k in range(args.empty)]
    screens: list[Screen] = []
    with ProcessPoolExecutor(args.workers) as pool:
        for screen in pool.map(
            judge, [(seed, count, args.read) for _, seed, count in sorted(tasks, key=lambda t: t[0])]
        ):
            screens.append(screen)
            if len(screens) % 50 == 0 or len(screens) == len(tasks):
                print(f"after {len(screens)} of {len(tasks)} screens")
                for title, some in (("with", [s for s in screens if s.drawn]), ("without", _empty(screens))):
                    if some:
                        print(f"{title} calipers")
                        report(some, args.read)
    for screen in screens if args.list else ():
        found = screen.with_values
        if found.false or len(found.errors_px) < screen.drawn:
            print(screen.seed, screen.look, f"{len(found.errors_px)} of {screen.drawn}", *found.false)


def _empty(screens: list[Screen]) -> list[Screen]:
    return [screen for screen in screens if not screen.drawn]


if __name__ == "__main__":
    main()
