"""A sheet of a set's pictures with their outlines drawn, worst-looking first, so that a person sees a misreading."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from lesion_measure.files.writing import make_folder, write_bytes
from lesion_measure.lab.datasets.pictures import Picture

SHOWN, COLUMNS = 30, 6
_TILE, _GAP, _TEXT = (300, 232), 8, 34
_INK, _PAPER, _OUTLINE = (30, 30, 30), (255, 255, 255), (255, 214, 10)
_RIM_PX, _LOOKED_AT_PX = 3, 200
_MOST_LESION_FREE = 6
_DARK, _FAINT, _UNUSUAL, _RAGGED = 12.0, 0.15, 0.5, 0.75


@dataclass(frozen=True, slots=True)
class Looks:
    """How odd a picture's outlines look (0: not at all) and, where they do, what is odd most."""

    score: float
    why: str


def write_sheets(pictures: Sequence[Picture], folder: Path) -> list[Path]:
    """Write one sheet a set, ``SET.png``, into ``folder``; returns the files.

    Raises
    ------
    WriteError
        The folder cannot be written.
    """
    make_folder(folder, "folder of sheets")
    written = []
    for name in sorted({item.source for item in pictures}):
        path = folder / f"{name}.png"
        buffer = io.BytesIO()
        sheet([item for item in pictures if item.source == name]).save(buffer, "PNG")
        write_bytes(path, buffer.getbuffer(), "sheet of pictures")
        written.append(path)
    return written


def sheet(pictures: Sequence[Picture]) -> Image.Image:
    """The picture of at most `SHOWN` pictures of one set, worst-looking first, some without a lesion last."""
    shown = _chosen(pictures)
    rows = math.ceil(len(shown) / COLUMNS)
    width, height = _TILE[0] + _GAP, _TILE[1] + _TEXT + _GAP
    canvas = Image.new("RGB", (COLUMNS * width + _GAP, rows * height + _GAP), _PAPER)
    for place, (item, looks) in enumerate(shown):
        left, top = _GAP + place % COLUMNS * width, _GAP + place // COLUMNS * height
        _draw_tile(canvas, item, looks, (left, top))
    return canvas


def looks_of(item: Picture, usual_share: float) -> Looks:
    """How odd a picture's outlines look; ``usual_share`` is the median of what lesions cover of the set's pictures.

    Odd are outlines on black, without a difference across them, of unusual size, cut off by the picture's edge, ragged,
    many, or with specks beside them.
    """
    if not item.axes:
        return Looks(0.0, "no lesion")
    step = max(1, min(item.labels.shape) // _LOOKED_AT_PX)
    image, mask = item.image[::step, ::step], item.labels[::step, ::step] > 0
    inside, outside = _across(image, mask)
    contrast = abs(inside - outside) / max(inside, outside, 1.0)
    share = float((item.labels > 0).mean())
    rim = float(np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]]).mean())
    solid = _solidity(mask)
    parts = (
        (max(0.0, 1 - max(inside, outside) / _DARK) * 3, "on black"),
        (max(0.0, 1 - contrast / _FAINT), "no edge to see"),
        (max(0.0, abs(math.log(share / usual_share)) / math.log(10) - _UNUSUAL), f"{100 * share:.2f} % of the picture"),
        (rim * 20, "at the picture's edge"),
        (max(0.0, 1 - solid / _RAGGED) * 2, "ragged"),
        (max(0, len(item.axes) - 2) / 3, f"{len(item.axes)} lesions"),
        (len(item.specks) / 3, f"{len(item.specks)} specks left out"),
    )
    worst, why = max(parts)
    return Looks(sum(score for score, _ in parts), why if worst > 0 else "")


def _chosen(pictures: Sequence[Picture]) -> list[tuple[Picture, Looks]]:
    shares = [float((item.labels > 0).mean()) for item in pictures if item.axes]
    usual = float(np.median(shares)) if shares else 1.0
    ranked = sorted(((item, looks_of(item, usual)) for item in pictures), key=lambda pair: -pair[1].score)
    outlined = [pair for pair in ranked if pair[0].axes]
    free = [pair for pair in ranked if not pair[0].axes]
    room = max(SHOWN - len(outlined), min(_MOST_LESION_FREE, len(free)))
    return [*outlined[: SHOWN - min(room, len(free))], *free[:room]]


def _across(image: NDArray[np.uint8], mask: NDArray[np.bool_]) -> tuple[float, float]:
    """Mean grey in the rim inside and outside of the outlines."""
    inner = mask & ~ndimage.binary_erosion(mask, iterations=_RIM_PX)
    outer = ~mask & ndimage.binary_dilation(mask, iterations=_RIM_PX)
    within, beyond = (float(image[rim].mean()) if rim.any() else 0.0 for rim in (inner, outer))
    return within, beyond


def _solidity(mask: NDArray[np.bool_]) -> float:
    """The share of the area that is left without its spikes: near 1 for smooth outlines, less for ragged ones."""
    opened = ndimage.binary_opening(mask, np.ones((3, 3), dtype=bool), iterations=2)
    return float(opened.sum() / max(int(mask.sum()), 1))


def _draw_tile(canvas: Image.Image, item: Picture, looks: Looks, corner: tuple[int, int]) -> None:
    """One picture with outlines, its name, and what is odd, in a tile."""
    rows, columns = item.image.shape
    scale = min(_TILE[0] / columns, _TILE[1] / rows)
    size = max(round(columns * scale), 1), max(round(rows * scale), 1)
    grey = Image.fromarray(item.image).resize(size, Image.Resampling.BILINEAR).convert("RGB")
    labels = np.asarray(Image.fromarray(item.labels).resize(size, Image.Resampling.NEAREST))
    edge = (ndimage.maximum_filter(labels, 3) != labels) | (ndimage.minimum_filter(labels, 3) != labels)
    pixels = np.asarray(grey).copy()
    pixels[edge & (labels > 0)] = _OUTLINE
    canvas.paste(Image.fromarray(pixels), corner)
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(13)
    for line, text in enumerate((item.name, looks.why)):
        short = text if len(text) <= 42 else f"{text[:20]}...{text[-19:]}"
        draw.text((corner[0], corner[1] + _TILE[1] + 1 + 15 * line), short, _INK, font)
