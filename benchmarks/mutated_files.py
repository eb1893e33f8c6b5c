"""What becomes of damaged files: ``python benchmarks/mutated_files.py [--files N] [--seed S]``.

Small images of every encoding, each with a lesion of known size, are damaged (tests/damage.py) and measured in one
process. Printed by kind of damage: how many were refused, measured with a warning, measured rightly, or measured
wrongly without a word; then the longest time and the most memory that one file took, and each wrong one.
"""

from __future__ import annotations

import argparse
import logging
import random
import resource
import sys
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from damage import mutated
from measuring_damage import Outcome, outcome
from small_images import small_images


def main() -> None:
    """Damage, measure, count."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--files", type=int, default=5000)
    options.add_argument("--seed", type=int, default=0)
    chosen = options.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    originals = small_images()
    counts: Counter[tuple[str, Outcome]] = Counter()
    longest, most = (0.0, ""), (0, "")
    with tempfile.TemporaryDirectory() as temporary:
        file = Path(temporary) / "file"
        for number in range(chosen.files):
            rng = random.Random(f"{chosen.seed} {number}")
            name = rng.choice(list(originals))
            way, data = mutated(originals[name], rng)
            file.write_bytes(data)
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            begin = time.process_time()
            became, said = outcome(file)
            longest = max(longest, (time.process_time() - begin, f"{number} {name} {way}"))
            grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
            most = max(most, (grown, f"{number} {name} {way}"))
            counts[way, became] += 1
            if became is Outcome.WRONG:
                print(f"wrong: {number} {name} {way}: {said}")
    ways = dict.fromkeys(way for way, _ in sorted(counts))
    print(f"{'':16}", *(f"{each:>32}" for each in Outcome))
    for way in ways:
        print(f"{way:16}", *(f"{counts[way, each]:32}" for each in Outcome))
    print(f"{'all':16}", *(f"{sum(counts[way, each] for way in ways):32}" for each in Outcome))
    print(f"longest {longest[0]:.2f} s ({longest[1]}); memory grew at most by {most[0] / 1024:.0f} MB ({most[1]})")


if __name__ == "__main__":
    main()
