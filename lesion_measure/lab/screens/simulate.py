"""A whole screen: echoes, furniture, calipers and their lines of results, compressed as files are, with its truth."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lesion_measure.lab.screens.background import Echoes, draw_echoes
from lesion_measure.lab.screens.calipers import Style, draw_caliper, draw_mark, settle
from lesion_measure.lab.screens.furniture import Room, draw_furniture
from lesion_measure.lab.screens.looks import LOOKS, WHITE, Look
from lesion_measure.lab.screens.strokes import Colour, Layer, Place

QUALITIES = (75, 85, 92, None)
"""JPEG qualities; None is lossless."""
_MOST_TRIES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueCaliper:
    """What was drawn: the points (row, column), what is printed, its length in mm as printed, and its label."""

    points: tuple[Place, Place]
    printed: str
    printed_mm: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SimulatedScreen:
    """``pixels`` uint8 (rows, columns, 3) RGB; ``box`` top, left, bottom, right of the echoes, as of a region.

    ``volume`` is the volume that is printed, as text, empty where there is none.
    """

    pixels: NDArray[np.uint8]
    look: str
    spacing_mm: float
    box: tuple[int, int, int, int]
    calipers: tuple[TrueCaliper, ...]
    volume: str = ""


def simulate_screen(seed: int, calipers: int | None = None, look: Look | None = None) -> SimulatedScreen:
    """A screen by its seed.

    Parameters
    ----------
    seed
        Decides everything that is not given.
    calipers
        How many, 0 to 3; by the seed where left out: one to three.
    look
        The kind of scanner; by the seed where left out.
    """
    rng = np.random.default_rng([17, seed])
    look = look or LOOKS[int(rng.integers(len(LOOKS)))]
    wanted = int(rng.integers(1, 4)) if calipers is None else calipers
    size = look.sizes[int(rng.integers(len(look.sizes)))]
    echoes = draw_echoes(rng, size, look.fan)
    spacing_mm = float(rng.uniform(60, 200)) / (echoes.box[2] - echoes.box[0])
    style = settle(rng, look, wanted)
    picture = echoes.gray[..., None] * np.asarray(look.tint, np.float32)
    ends = _places(rng, echoes, wanted, style)
    room = Room(size, echoes.box, spacing_mm, style.font, style.font_px)
    truth = [_truth(rng, look, each, spacing_mm, index) for index, each in enumerate(ends)]
    volume = _volume(truth) if len(truth) == 3 and rng.random() < 0.6 else ""
    results = _results(rng, room, look, style, truth, volume)
    around = Layer(size, look.smooth)
    draw_furniture(rng, around, room, look)
    for layer, _ in results:  # a scanner writes results where nothing else stands
        around.clear_around(layer, room.font_px)
    around.over(picture, WHITE if rng.random() < 0.7 else look.text)
    for layer, colour in results:
        layer.over(picture, colour)
    for index, each in enumerate(ends):
        layer = Layer(size, look.smooth)
        draw_caliper(layer, each, look, style, index)
        layer.over(picture, look.colour(index), look.outline, look.shadow)
    pixels = _compressed(np.clip(np.rint(picture), 0, 255).astype(np.uint8), rng)
    return SimulatedScreen(
        pixels=pixels, look=look.name, spacing_mm=spacing_mm, box=echoes.box, calipers=tuple(truth), volume=volume
    )


def _places(rng: np.random.Generator, echoes: Echoes, wanted: int, style: Style) -> list[tuple[Place, Place]]:
    """End points: the long axis of a lesion, its short axis, then one elsewhere; marks never overlap."""
    found: list[tuple[Place, Place]] = []
    apart, reach = 3.2 * style.half + 8, 2 * style.half + 4
    smaller = min(echoes.mask.shape)
    tries = 0
    while len(found) < wanted and tries < _MOST_TRIES:
        tries += 1
        if len(found) == 1:
            middle, half, turn = _across(rng, found[0])
        else:
            rows, cols = echoes.mask.shape
            middle = rng.uniform(0.1, 0.9, 2) * (rows, cols)
            half, turn = rng.uniform(0.03, 0.16) * smaller, rng.uniform(0, np.pi)
        side = max(half, 0.75 * apart) * np.array([np.sin(turn), np.cos(turn)])
        pair = _whole(middle - side), _whole(middle + side)
        others = [point for one in found for point in one]
        near = any(np.hypot(p[0] - q[0], p[1] - q[1]) < apart for p in pair for q in others)
        if near or not all(_on(echoes, point, reach) for point in pair):
            continue
        found.append(pair if rng.random() < 0.5 else pair[::-1])
    return found


def _across(rng: np.random.Generator, first: tuple[Place, Place]) -> tuple[NDArray[np.float64], float, float]:
    """Middle, half length and direction of a short axis to a long one."""
    one, two = np.asarray(first[0]), np.asarray(first[1])
    along = two - one
    length = float(np.hypot(*along))
    middle = (one + two) / 2 + along * rng.uniform(-0.12, 0.12)
    turn = float(np.arctan2(along[0], along[1])) + np.pi / 2 + rng.uniform(-0.12, 0.12)
    return middle, length / 2 * rng.uniform(0.5, 0.95), turn


def _whole(point: NDArray[np.float64]) -> Place:
    return float(round(float(point[0]))), float(round(float(point[1])))


def _on(echoes: Echoes, point: Place, reach: int) -> bool:
    row, col = round(point[0]), round(point[1])
    rows, cols = echoes.mask.shape
    inside = reach <= row < rows - reach and reach <= col < cols - reach
    return inside and bool(
        echoes.mask[row - reach // 2 : row + reach // 2 + 1, col - reach // 2 : col + reach // 2 + 1].all()
    )


def _truth(
    rng: np.random.Generator, look: Look, ends: tuple[Place, Place], spacing_mm: float, index: int
) -> TrueCaliper:
    (r0, c0), (r1, c1) = ends
    value = float(np.hypot(r1 - r0, c1 - c0)) * spacing_mm / (10 if look.unit == "cm" else 1)
    number = f"{value:.{look.decimals}f}"
    label = (
        look.labels[int(rng.integers(len(look.labels)))]
        if index == 0 or "{n}" not in look.labels[0]
        else look.labels[0]
    )
    return TrueCaliper(
        points=ends,
        printed=f"{number} {look.unit}",
        printed_mm=float(number) * (10 if look.unit == "cm" else 1),
        label=label.format(n=index + 1),
    )


def _volume(truth: list[TrueCaliper]) -> str:
    """Of the ellipsoid with the printed axes."""
    return f"{np.pi / 6 * np.prod([each.printed_mm for each in truth]) / 1000:.2f} ml"


def _results(
    rng: np.random.Generator, room: Room, look: Look, style: Style, truth: list[TrueCaliper], volume: str
) -> list[tuple[Layer, Colour]]:
    """The lines of results where the scanner writes them, in their calipers' colours where these differ."""
    drawn: list[tuple[Layer, Colour]] = []
    rows, cols = room.size
    high = round(room.font_px * 1.45)
    lines = [(f"{each.label}{_blank(rng)}{each.printed}", index) for index, each in enumerate(truth)]
    lines += [(f"Vol{_blank(rng)}{volume}", -1)] if volume else []
    top, left = {
        "top": (room.font_px * 2 + 16, cols * 0.09),
        "bottom": (rows - high * len(lines) - 8, cols * rng.choice([0.3, 0.62])),
        "inside": (room.box[2] - high * len(lines) - 20, room.box[1] + 0.36 * (room.box[3] - room.box[1])),
        "right": (rows * 0.3, cols - room.font_px * 11.5),
    }[look.place]
    for number, (text, index) in enumerate(lines):
        layer, row, col = Layer(room.size, look.smooth), top + number * high, left
        if look.legend and index >= 0:
            small = Style(
                max(3, min(style.half, room.font_px // 2 - 2)),
                min(style.width, 2),
                style.line,
                style.gap,
                style.font,
                style.font_px,
                style.inward,
            )
            draw_mark(layer, look.mark(index), (round(row + room.font_px * 0.4), round(col + 6)), (row, 0.0), small)
            col += 18
        room.write(layer, text, (float(row), float(col)))
        own = len(set(look.colours)) > 1 and index >= 0
        drawn.append((layer, look.colour(index) if own else look.text))
    return drawn


def _blank(rng: np.random.Generator) -> str:
    return " " * int(rng.integers(1, 4))


def _compressed(pixels: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    quality = QUALITIES[int(rng.integers(len(QUALITIES)))]
    if quality is None:
        return pixels
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality, subsampling=int(rng.choice([0, 2])))
    return np.asarray(Image.open(stream).convert("RGB"))
