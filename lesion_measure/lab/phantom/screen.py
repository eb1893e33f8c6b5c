"""The scanner's screen around the fan: text, gray bar, depth scale, caliper crosses. Vendor and values are made up.

Marks are drawn on a layer of their own (uint8, 0 where there is none) that is laid over the fan, in gray or tinted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from lesion_measure.lab.phantom.acoustics import ScanView
from lesion_measure.lab.phantom.beams import Probe, Screen
from lesion_measure.lab.phantom.shapes import Vector

ScreenPixels = NDArray[np.uint8]
Box = tuple[int, int, int, int]
VENDOR = "PHANTOM"


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a scanner model puts things; boxes are (top, left, bottom, right) in pixels, places (row, column)."""

    name: str
    size: tuple[int, int]
    fan: Box
    bar: Box
    tick_col: int
    status: tuple[int, int]
    title: tuple[int, int]
    results: tuple[int, int]
    font: int
    squeeze: float = 1.0

    def screen(self, probe: Probe, depth_mm: float) -> Screen:
        """The fan as large as the layout allows."""
        return Screen.fitted(probe, depth_mm, self.size, self.fan, self.squeeze)


LAYOUTS = (
    Layout("A", (480, 640), (34, 80, 462, 596), (150, 14, 290, 24), 604, (30, 6), (6, 10), (440, 480), 11),
    Layout("B", (600, 800), (48, 24, 584, 690), (50, 772, 230, 784), 700, (400, 730), (8, 24), (552, 640), 12),
    Layout("C", (768, 1024), (70, 130, 742, 960), (70, 24, 300, 40), 970, (330, 12), (14, 60), (700, 14), 15),
    Layout("D", (576, 768), (40, 10, 560, 660), (50, 740, 210, 750), 670, (330, 704), (8, 12), (528, 12), 12, 1.08),
)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _blank(size: tuple[int, int]) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("L", (size[1], size[0]))
    return image, ImageDraw.Draw(image)


def _gray_bar(draw: ImageDraw.ImageDraw, box: Box) -> None:
    top, left, bottom, right = box
    for row in range(top, bottom + 1):
        draw.line([(left, row), (right, row)], fill=round(255 * (bottom - row) / max(bottom - top, 1)))
    draw.rectangle([left - 1, top - 1, right + 1, bottom + 1], outline=110)


def _depth_ticks(draw: ImageDraw.ImageDraw, view: ScanView, col: int, font_size: int) -> None:
    """A tick each centimetre of depth below the probe's face, longer and numbered each five."""
    screen = view.screen
    for centimetre in range(int(view.machine.depth_mm // 10) + 1):
        row = screen.face_row + 10 * centimetre / screen.spacing_mm[0]
        draw.line([(col, row), (col + (7 if centimetre % 5 == 0 else 3), row)], fill=190)
        if centimetre % 5 == 0 and centimetre:
            draw.text((col + 10, row - font_size / 2), str(centimetre), fill=190, font=_font(font_size))


def _text(draw: ImageDraw.ImageDraw, place: tuple[float, float], lines: Sequence[str], size: int, fill: int) -> None:
    """Lines of text below each other from (row, column)."""
    for index, line in enumerate(lines):
        draw.text((place[1], place[0] + index * (size + 4)), line, fill=fill, font=_font(size))


def _caliper(draw: ImageDraw.ImageDraw, ends: Vector, cross: bool, arm: int = 5) -> None:
    """Marks at two (row, column) points, upright or oblique crosses, and a dotted line between them."""
    (row0, col0), (row1, col1) = ends.tolist()
    length = float(np.hypot(row1 - row0, col1 - col0))
    for share in np.arange(arm + 3, length - arm - 2, 6.0) / max(length, 1e-6):
        draw.point((col0 + share * (col1 - col0), row0 + share * (row1 - row0)), fill=210)
    upright = (((-arm, 0), (arm, 0)), ((0, -arm), (0, arm)))
    oblique = (((-arm, -arm), (arm, arm)), ((-arm, arm), (arm, -arm)))
    for row, col in ends.tolist():
        for (x0, y0), (x1, y1) in oblique if cross else upright:
            draw.line([(col + x0, row + y0), (col + x1, row + y1)], fill=255)


def status_lines(view: ScanView, small: bool) -> list[str]:
    """The parameters that a scanner prints beside the image."""
    machine, probe = view.machine, view.probe
    return [
        "C8-5" if small else "C5-1",
        f"{probe.frequency_mhz:.1f} MHz",
        f"{machine.depth_mm / 10:.1f} cm",
        f"DR {machine.dynamic_range_db:.0f}",
        f"G {round(100 * machine.liver_gray)}%",
        f"FR {round(1.54e6 / (2 * machine.depth_mm) / 220)} Hz",
    ]


def screen_marks(
    layout: Layout, view: ScanView, title: str, calipers: Sequence[tuple[Vector, float]] = ()
) -> ScreenPixels:
    """The marks of a whole screen.

    ``calipers`` are (end points (2, 2) in pixels, length in mm); the first is drawn with upright crosses, the others
    with oblique ones, and each length is printed in cm.
    """
    image, draw = _blank(layout.size)
    _gray_bar(draw, layout.bar)
    _depth_ticks(draw, view, layout.tick_col, layout.font)
    _text(draw, layout.title, [f"{VENDOR}   {title}    MI 1.1  TIS 0.6"], layout.font, 200)
    _text(draw, layout.status, status_lines(view, view.probe.radius_mm < 30), layout.font, 160)
    for index, (ends, _) in enumerate(calipers):
        _caliper(draw, ends, cross=index > 0)
    results = [f"{'x' if index else '+'} D{index + 1} {mm / 10:.2f} cm" for index, (_, mm) in enumerate(calipers)]
    _text(draw, layout.results, results, layout.font, 230)
    return np.asarray(image, np.uint8)


def random_marks(rng: np.random.Generator, view: ScanView) -> ScreenPixels:
    """Random marks around (and a few inside) the fan, so that a network learns that they are no lesions."""
    rows, cols = view.screen.rows, view.screen.columns
    image, draw = _blank((rows, cols))
    size = int(rng.integers(8, 14))
    if rng.random() < 0.7:
        _depth_ticks(draw, view, int(rng.choice([3, cols - 24])), size)
    if rng.random() < 0.6:
        top, left = int(rows * rng.uniform(0.05, 0.3)), int(rng.choice([4, cols - 16]))
        _gray_bar(draw, (top, left, top + rows // 4, left + 7))
    if rng.random() < 0.7:
        corner = (float(rng.choice([4, rows * 0.75])), float(rng.choice([4, cols * 0.72])))
        _text(draw, corner, status_lines(view, view.probe.radius_mm < 30), size, int(rng.integers(120, 255)))
    if rng.random() < 0.3:
        _text(draw, (2.0, cols * rng.uniform(0.2, 0.6)), [f"{VENDOR}  TIS {rng.uniform(0.1, 1):.1f}"], size, 200)
    if rng.random() < 0.2:
        middle = np.array([rows, cols]) * rng.uniform(0.25, 0.75, 2)
        angle = rng.uniform(0, np.pi)
        reach = rng.uniform(0.03, 0.15) * rows * np.array([np.cos(angle), np.sin(angle)])
        _caliper(draw, np.stack([middle - reach, middle + reach]), bool(rng.random() < 0.5), 4)
    return np.asarray(image, np.uint8)


def tinted(
    fan: ScreenPixels, marks: ScreenPixels, tint: tuple[float, float, float] = (1.0, 0.92, 0.45)
) -> ScreenPixels:
    """RGB picture (rows, columns, 3): the fan in gray, the marks in a colour."""
    colour = np.rint(marks[..., None] * np.array(tint)).astype(np.uint8)
    return np.asarray(np.maximum(fan[..., None], colour), np.uint8)
