"""All that a scanner draws and that is no caliper: depth ticks, focus marks, ECG, body marks, bars, names, boxes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lesion_measure.lab.screens.lettering import text_coverage
from lesion_measure.lab.screens.looks import Look
from lesion_measure.lab.screens.strokes import Layer, Place


@dataclass(frozen=True, slots=True)
class Room:
    """The screen's size, the echoes' box (top, left, bottom, right), its scale, and the letters used on it."""

    size: tuple[int, int]
    box: tuple[int, int, int, int]
    spacing_mm: float
    font: str
    font_px: int

    def write(self, layer: Layer, text: str, at: Place, size: int | None = None) -> None:
        """A text from its upper left corner (row, column), in the screen's letters or others of a size in pixels."""
        layer.stamp(text_coverage(text, self.font, size or self.font_px), round(at[0]), round(at[1]))


def draw_furniture(rng: np.random.Generator, layer: Layer, room: Room, look: Look) -> None:
    """What the look has of it, each with the chance that a screen shows it."""
    for name in look.furniture:
        if name in ("ticks", "side_dots", "title") or rng.random() < 0.75:
            _DRAWN[name](rng, layer, room)


def _ticks(rng: np.random.Generator, layer: Layer, room: Room) -> None:
    """A tick each centimetre of depth, longer each five, numbered each five (or each); numbers in cm."""
    top, left, bottom, right = room.box
    col = right + int(rng.integers(8, 26)) if rng.random() < 0.75 else left - int(rng.integers(20, 40))
    each = 1 if rng.random() < 0.4 else 5
    step = 10 / room.spacing_mm
    size = max(9, room.font_px - 3)
    for centimetre in range(int((bottom - top) / step) + 1):
        row = top + centimetre * step
        layer.bar((round(row), col), (round(row), col + (8 if centimetre % 5 == 0 else 4)), 1)
        if centimetre and centimetre % each == 0 and step * each > 1.3 * size:
            room.write(layer, str(centimetre), (row - size / 2 + 1, col + 12), size)


def _side_dots(rng: np.random.Generator, layer: Layer, room: Room) -> None:
    """Dots each centimetre along the side of the sector, or small crosses."""
    top, _, bottom, right = room.box
    start, lean = (top, right - 120.0), rng.uniform(0.3, 0.7)
    step, cross = 10 / room.spacing_mm, rng.random() < 0.3
    for along in np.arange(0, (bottom - top) * 0.9, step):
        row, col = start[0] + along * np.cos(lean), start[1] + along * np.sin(lean)
        if cross:
            layer.bar((round(row) - 2, round(col)), (round(row) + 2, round(col)), 1)
            layer.bar((round(row), round(col) - 2), (round(row), round(col) + 2), 1)
        else:
            layer.disc((row, col), 1.2)


def _bar(rng: np.random.Generator, layer: Layer, room: Room) -> None:
    top, left, height = room.box[0], 6, room.size[0] // 4
    grades = np.linspace(1, 0, height, dtype=np.float32)
    layer.stamp(np.repeat(grades[:, None], int(rng.integers(8, 18)), axis=1), top, left)


def _status(rng: np.random.Generator, layer: Layer, room: Room) -> None:
    words = [
        f"C5-{rng.integers(1, 9)}", f"{rng.integers(12, 70)}Hz", f"{rng.uniform(4, 24):.1f}cm", "2D",
        f"Gn {rng.integers(20, 90)}", f"DR {rng.integers(40, 80)}", "HGen",
        "/".join(map(str, rng.integers(1, 5, 3))), "x2 +",
        f"{rng.uniform(2, 12):.1f} MHz", "XRES",
    ]  # fmt: skip
    row = room.size[0] * rng.uniform(0.42, 0.5)
    for word in rng.permutation(words)[: int(rng.integers(3, 9))]:
        room.write(layer, str(word), (row, 4.0), max(9, room.font_px - 2))
        row += room.font_px * 1.3


def _title(rng: np.random.Generator, layer: Layer, room: Room) -> None:
    room.write(layer, f"PHANTOM {rng.choice(['Abdomen', 'Adult Echo', 'Liver', 'Gen OB'])}", (6.0, 10.0))
    room.write(layer, f"MI {rng.uniform(0.3, 1.6):.1f}  TIS{rng.uniform(0.1, 2):.1f}", (6.0, room.size[1] * 0.7))


def _focus(rng: np.random.Generator, layer: Layer, room: Room) -> None:
    """Triangles, an hourglass or a cross beside the depth scale."""
    top, _, bottom, right = room.box
    kind = rng.integers(3)
    for share in rng.uniform(0.2, 0.9, int(rng.integers(1, 4))):
        row, col = top + share * (bottom - top), right + 4
        if kind == 0:
            layer.polygon([(row, col), (row - 4, col + 7), (row + 4, col + 7)])
        elif kind == 1:
            layer.polygon([(row, col), (row - 5, col - 4), (row - 5, col + 4)])
            layer.polygon([(row, col), (row + 5, col - 4), (row + 5, col + 4)])
        else:
            layer.line((row - 4, col - 4), (row + 4, col + 4), 1.5)
            layer.line((row - 4, col + 4), (row + 4, col - 4), 1.5)


def _ecg(rng: np.random.Generator, layer: Layer, room: Room) -> None:
    rows, cols = room.size
    base, period = rows - 28.0, rng.uniform(80, 170)
    x = np.arange(cols * 0.1, cols * 0.75, 2.0)
    phase = (x % period) / period
    y = base - 26 * np.exp(-(((phase - 0.3) / 0.015) ** 2)) - 6 * np.exp(-(((phase - 0.55) / 0.05) ** 2))
    for r0, r1, c0, c1 in zip(y[:-1], y[1:], x[:-1], x[1:], strict=True):
        layer.line((float(r0), float(c0)), (float(r1), float(c1)), 1)


def _body(rng: np.random.Generator, layer: Layer, room: Room) -> None:
    """A sketch of the trunk with the probe's mark, in a lower corner; part of it may lie on the echoes."""
    rows, cols = room.size
    row, col = rows - 95.0, float(rng.choice([cols * 0.06, cols * 0.8]))
    for start, end in (
        ((0, 0), (60, 6)),
        ((0, 50), (60, 44)),
        ((60, 6), (70, 25)),
        ((70, 25), (60, 44)),
        ((0, 0), (-8, 14)),
        ((0, 50), (-8, 36)),
    ):
        layer.line((row + start[0], col + start[1]), (row + end[0], col + end[1]), 1)
    turn, centre = rng.uniform(0, np.pi), (row + rng.uniform(10, 50), col + rng.uniform(12, 38))
    reach = 9 * np.array([np.sin(turn), np.cos(turn)])
    layer.line((centre[0] - reach[0], centre[1] - reach[1]), (centre[0] + reach[0], centre[1] + reach[1]), 3)
    if rng.random() < 0.3:
        layer.line(
            (centre[0] - reach[1] / 2, centre[1] + reach[0] / 2),
            (centre[0] + reach[1] / 2, centre[1] - reach[0] / 2),
            1,
        )


def _circle(rng: np.random.Generator, layer: Layer, room: Room) -> None:
    """The maker's sign beside the sector."""
    row, col = room.box[0] + 8.0, float(room.box[1] + rng.integers(0, 60))
    for turn in np.linspace(0, 2 * np.pi, 24, endpoint=False):
        layer.line(
            (row + 9 * np.sin(turn), col + 9 * np.cos(turn)),
            (row + 9 * np.sin(turn + 0.27), col + 9 * np.cos(turn + 0.27)),
            1.5,
        )
    room.write(layer, "P", (row - 5, col - 3), 11)


def _annotation(rng: np.random.Generator, layer: Layer, room: Room) -> None:
    """Words on the echoes, as a sonographer types them."""
    top, left, bottom, right = room.box
    word = str(rng.choice(["LEFT LOBE", "RT LIVER", "SAG", "TRANS X", "GB +", "LT AXILLA", "IVC", "RK"]))
    at = float(rng.uniform(top + 20, bottom - 30)), float(rng.uniform(left + 40, right - 140))
    room.write(layer, word, at, room.font_px + 2)


def _colour_box(rng: np.random.Generator, layer: Layer, room: Room) -> None:
    """The frame of a colour Doppler box."""
    top, left, bottom, right = room.box
    r0, c0 = top + rng.uniform(0.2, 0.4) * (bottom - top), left + rng.uniform(0.3, 0.4) * (right - left)
    r1, c1 = r0 + rng.uniform(0.2, 0.4) * (bottom - top), c0 + rng.uniform(0.15, 0.3) * (right - left)
    for one, two in (((r0, c0), (r0, c1)), ((r0, c1), (r1, c1)), ((r1, c1), (r1, c0)), ((r1, c0), (r0, c0))):
        layer.line(one, two, 1)


def _corners(rng: np.random.Generator, layer: Layer, room: Room) -> None:
    """Small rings at the corners of the picture, and a time bar below it."""
    top, left, bottom, right = room.box
    for row in np.linspace(top, bottom, int(rng.integers(3, 6))):
        layer.disc((float(row), left - 2.0), 1.5)
        layer.disc((float(row), right + 2.0), 1.5)
    row = room.size[0] - 22.0
    layer.line((row, room.size[1] * 0.12), (row, room.size[1] * 0.4), 1)
    layer.line((row - 8, room.size[1] * 0.12), (row, room.size[1] * 0.12), 1)


_DRAWN: dict[str, Callable[[np.random.Generator, Layer, Room], None]] = {
    "ticks": _ticks, "side_dots": _side_dots, "bar": _bar, "status": _status, "title": _title, "focus": _focus,
    "ecg": _ecg, "body": _body, "circle": _circle, "annotation": _annotation, "colour_box": _colour_box,
    "corners": _corners,
}  # fmt: skip
