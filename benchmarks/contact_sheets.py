"""Real pictures with the burnt-in calipers that were found on them, on contact sheets to be looked at and counted.

``python benchmarks/contact_sheets.py FOLDER --out FOLDER [--pictures 200] [--shown 40] [--seed 1]``: so many pictures
(JPEG or PNG, masks left out) below the first folder are drawn by chance and looked at. Sheets show those on which
something was found, each caliper with a line beside it and a number, and as many others: what was missed counts, too.
Gray marks that only look alike count where a printed value agrees, and so are none here.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from lesion_measure.burnt_in.grouping import MarkPair, find_pairs

COLUMNS, ROWS, CELL = 3, 3, (640, 480)
ENDINGS = (".jpg", ".jpeg", ".png")
_BESIDE_PX = 5


def pictures_of(folder: Path) -> list[Path]:
    """All pictures below a folder, but for masks."""
    found = (path for path in sorted(folder.rglob("*")) if path.suffix.lower() in ENDINGS)
    return [path for path in found if not any("mask" in part.lower() for part in path.relative_to(folder).parts)]


def drawn(rgb: NDArray[np.uint8], pairs: tuple[MarkPair, ...], name: str) -> Image.Image:
    """A picture as one cell: red lines run beside the calipers, so that their marks can be seen."""
    picture = Image.fromarray(rgb)
    scale = min(CELL[0] / picture.width, CELL[1] / picture.height)
    picture = picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.Resampling.LANCZOS)
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(14)
    for number, pair in enumerate(pairs, start=1):
        ends = np.array([mark.point for mark in pair.ends]) * scale
        along = (ends[1] - ends[0]) / max(float(np.hypot(*(ends[1] - ends[0]))), 1e-9)
        aside = ends + _BESIDE_PX * np.array([along[1], -along[0]])
        draw.line([(float(col), float(row)) for row, col in aside], fill=(255, 40, 40))
        for mark, (row, col) in zip(pair.ends, ends, strict=True):
            reach = mark.half_px * scale + 3
            draw.ellipse((col - reach, row - reach, col + reach, row + reach), outline=(255, 160, 0))
        draw.text((float(aside[0, 1]) + 6, float(aside[0, 0])), str(number), fill=(255, 255, 0), font=font)
    draw.text((4, 2), name, fill=(90, 220, 255), font=font)
    return picture


def write_sheets(cells: list[Image.Image], out: Path, name: str) -> None:
    """Cells in order, so many a sheet."""
    each = COLUMNS * ROWS
    for first in range(0, len(cells), each):
        sheet = Image.new("RGB", (COLUMNS * CELL[0], ROWS * CELL[1]), (40, 40, 40))
        for place, cell in enumerate(cells[first : first + each]):
            sheet.paste(cell, ((place % COLUMNS) * CELL[0], (place // COLUMNS) * CELL[1]))
        sheet.save(out / f"{name}-{first // each + 1:02d}.png")


def main() -> None:
    """Look, draw and count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--shown", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    every = pictures_of(options.folder)
    order = np.random.default_rng(options.seed).permutation(len(every))[: options.pictures]
    found: list[Image.Image] = []
    others: list[Image.Image] = []
    calipers, marked, start = 0, 0, time.process_time()
    for at in order:
        path = every[int(at)]
        rgb = np.asarray(Image.open(path).convert("RGB"))
        pairs = tuple(pair for pair in find_pairs(rgb) if pair.told_by_marks)
        calipers, marked = calipers + len(pairs), marked + bool(pairs)
        cells = found if pairs else others
        if len(cells) < options.shown:
            cells.append(drawn(rgb, pairs, "/".join(path.relative_to(options.folder).parts[-3:])))
    write_sheets(found, options.out, "found")
    write_sheets(others, options.out, "nothing")
    seconds = (time.process_time() - start) / max(len(order), 1)
    print(f"{len(order)} pictures of {options.folder.name}: {calipers} calipers on {marked}; {seconds:.2f} s each")
    print(f"sheets with {len(found)} of these and {len(others)} without any are in {options.out}")


if __name__ == "__main__":
    main()
