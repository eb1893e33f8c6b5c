"""Time and memory of a data card: reading a folder of pictures as `data` does, beside reading its files alone.

The pictures are smoothed noise with one or two ellipses, each another, as PNG with PNG masks. Each part runs in a
process of its own, on one thread. Processor time is that of the process, memory its greatest resident size.

    python benchmarks/data_card.py --pictures 2000 10000 --side 128
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def write(root: Path, count: int, side: int) -> None:
    """A plain data folder of ``count`` pictures of ``side`` x ``side`` pixels."""
    for part in ("images", "masks"):
        (root / part).mkdir(parents=True)
    row, col = np.mgrid[:side, :side] / side
    names = []
    for number in range(count):
        rng = np.random.default_rng(number)
        noise = ndimage.zoom(rng.standard_normal((side // 4, side // 4)), 4, order=1)
        mask = np.zeros((side, side), dtype=bool)
        for _ in range(1 + number % 2):
            r, c, a, b = rng.uniform((0.25, 0.25, 0.06, 0.06), (0.75, 0.75, 0.15, 0.15))
            mask |= ((row - r) / a) ** 2 + ((col - c) / b) ** 2 <= 1
        image = np.clip(110 + 40 * noise - 45 * mask, 0, 255).astype(np.uint8)
        name = f"p{number:06d}"
        Image.fromarray(image).save(root / "images" / f"{name}.png")
        Image.fromarray((mask * 255).astype(np.uint8)).save(root / "masks" / f"{name}.png")
        names.append(name)
    (root / "index.csv").write_text("id,group\n" + "".join(f"{name},{name}\n" for name in names))


def read(root: Path) -> None:
    """Every file of the folder, decoded and let go."""
    for part in ("images", "masks"):
        for path in sorted((root / part).iterdir()):
            with Image.open(path) as image:
                np.asarray(image)


def card(root: Path) -> None:
    """What `data` prints of the folder."""
    from lesion_measure.lab.datasets import data_summary

    summary = data_summary([root])
    sys.stderr.write(summary.text())


def measured(part: str, root: Path) -> dict[str, float]:
    """Seconds of processor time and the memory of one part, in a process of its own."""
    environment = {**os.environ, **dict.fromkeys(THREADS, "1")}
    words = [sys.executable, __file__, "--part", part, "--folder", str(root)]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def run_part(part: str, root: Path) -> None:
    """One part in this process; what it took, as JSON."""
    if part == "card":
        import lesion_measure.lab.datasets  # noqa: F401  (loading the program is no part of it)
    before, start = time.process_time(), peak_mb()
    {"read": read, "card": card}[part](root)
    print(json.dumps({"seconds": time.process_time() - before, "mb": peak_mb(), "start_mb": start}))


def peak_mb() -> float:
    """This process's largest memory so far. getrusage also counts what the process had that started it."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, nargs="+", default=[2000, 10000])
    parser.add_argument("--side", type=int, default=128)
    parser.add_argument("--part", choices=("read", "card"))
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    if asked.part:
        run_part(asked.part, asked.folder)
        return
    for count in asked.pictures:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder) / "set"
            write(root, count, asked.side)
            alone, whole = (measured(part, root) for part in ("read", "card"))
            print(
                f"{count} pictures of {asked.side} px: reading {alone['seconds']:.1f} s, card {whole['seconds']:.1f} s "
                f"({whole['seconds'] / alone['seconds']:.1f} times), memory {whole['start_mb']:.0f} to "
                f"{whole['mb']:.0f} MB"
            )


if __name__ == "__main__":
    main()
