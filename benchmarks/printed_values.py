"""How many values printed on simulated screens are read, how many of those are wrong, and depth scales by numbers.

``python benchmarks/printed_values.py [--first SEED] [--screens N] [--list]``. The seeds of the figures are the default
ones; others are for work on the rules. A depth that these screens print in the margin is made up and is not counted.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

from lesion_measure.burnt_in.depth_scale import depth_scale
from lesion_measure.burnt_in.printed import printed_values
from lesion_measure.lab.screens import simulate_screen

FIRST, SCREENS = 950_000, 400
NEAR = 0.02
"""Relative error up to which a depth scale is right."""


def judge(seed: int) -> tuple[str, Counter[str], list[str], float]:
    """The look of a screen, counts of what became of its values and depth scale, what was wrong, and seconds of CPU."""
    screen = simulate_screen(seed)
    start = time.process_time()
    found = [(value.number, value.unit) for value in printed_values(screen.pixels)]
    seconds = time.process_time() - start
    printed = [*(caliper.printed for caliper in screen.calipers), *([screen.volume] if screen.volume else [])]
    left = Counter(tuple(text.split()) for text in printed)
    counts = Counter(printed=len(printed))
    wrong = []
    for value in found:
        if left[value] > 0:
            left[value] -= 1
            counts["right"] += 1
        else:
            wrong.append(f"{seed} {screen.look}: {' '.join(value)}, printed {', '.join(printed)}")
    scale = depth_scale(screen.pixels)
    if scale is not None and scale.said == "numbers":
        near = abs(scale.enlarged((screen.spacing_mm, screen.spacing_mm)) - 1) < NEAR
        counts["scale right" if near else "scale wrong"] += 1
    return screen.look, counts, wrong, seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--first", type=int, default=FIRST)
    parser.add_argument("--screens", type=int, default=SCREENS)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--list", action="store_true", help="print every wrong value")
    given = parser.parse_args()
    looks: dict[str, Counter[str]] = {}
    wrong: list[str] = []
    spent = 0.0
    with ProcessPoolExecutor(given.workers) as pool:
        for look, counts, found, seconds in pool.map(judge, range(given.first, given.first + given.screens)):
            looks.setdefault(look, Counter()).update(counts)
            wrong += found
            spent += seconds
    total = sum(looks.values(), Counter())
    for look, counts in [*sorted(looks.items()), ("all", total)]:
        print(
            f"{look:10} printed {counts['printed']:4}  read {100 * counts['right'] / max(counts['printed'], 1):6.1f} %"
        )
    print(f"wrong {len(wrong)} of {total['right'] + len(wrong)} read; {spent / given.screens:.2f} s CPU a screen")
    print(f"depth scales by numbers: {total['scale right']} right, {total['scale wrong']} wrong")
    if given.list:
        print("\n".join(wrong))


if __name__ == "__main__":
    main()
