"""Text as coverage: fonts that are on every machine, and a bitmap font of 5 x 7 dots as older scanners have."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

BITMAP, PILLOW = "bitmap", "pillow"
_FILES = {
    "sans": "DejaVuSans.ttf",
    "bold": "DejaVuSans-Bold.ttf",
    "mono": "DejaVuSansMono.ttf",
    "serif": "DejaVuSerif.ttf",
    "narrow": "cmss10.ttf",
}
FONTS = (BITMAP, PILLOW, *_FILES)

# Each glyph is five columns from the left, bit 0 on top.
_DOTS = {
    " ": "0000000000", "%": "2313086462", "(": "001C224100", ")": "0041221C00", "+": "08083E0808", "-": "0808080808",
    ".": "0000606000", "/": "2010080402", "0": "3E5149453E", "1": "00427F4000", "2": "7249494946", "3": "2141494D33",
    "4": "1814127F10", "5": "2745454539", "6": "3C4A494931", "7": "4121110907", "8": "3649494936", "9": "464949291E",
    ":": "0000140000", "=": "1414141414", "A": "7C1211127C", "B": "7F49494936", "C": "3E41414122", "D": "7F4141413E",
    "E": "7F49494941", "F": "7F09090901", "G": "3E41415173", "H": "7F0808087F", "I": "00417F4100", "J": "2040413F01",
    "K": "7F08142241", "L": "7F40404040", "M": "7F021C027F", "N": "7F0408107F", "O": "3E4141413E", "P": "7F09090906",
    "Q": "3E4151215E", "R": "7F09192946", "S": "2649494932", "T": "03017F0103", "U": "3F4040403F", "V": "1F2040201F",
    "W": "3F4038403F", "X": "6314081463", "Y": "0304780403", "Z": "6159494D43", "a": "2054547840", "b": "7F28444438",
    "c": "3844444428", "d": "384444287F", "e": "3854545418", "g": "18A4A49C78", "h": "7F08040478", "i": "00447D4000",
    "l": "00417F4000", "m": "7C04780478", "n": "7C08040478", "o": "3844444438", "p": "FC18242418", "r": "7C08040408",
    "s": "4854545424", "t": "04043F4424", "u": "3C40407C40", "v": "1C2040201C", "w": "3C4030403C", "x": "4428102844",
    "z": "4464544C44",
}  # fmt: skip


def text_coverage(text: str, font: str, size_px: int) -> NDArray[np.float32]:
    """A line of text as coverage (rows, columns), 0 to 1, cut to what is drawn in it.

    Parameters
    ----------
    text
        What is written; the bitmap font writes letters that it lacks as capitals.
    font
        One of `FONTS`.
    size_px
        Size of the font; the bitmap font takes the nearest whole multiple of its dots.
    """
    drawn: NDArray[np.float32] = (
        _bitmap(text, max(1, round(size_px / 9))) if font == BITMAP else _outline(text, font, size_px)
    )
    rows, cols = np.nonzero(drawn.any(axis=1))[0], np.nonzero(drawn.any(axis=0))[0]
    if not len(rows):
        return np.zeros((1, 1), np.float32)
    return drawn[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]


def _bitmap(text: str, scale: int) -> NDArray[np.float32]:
    glyphs = [_glyph(c if c in _DOTS else c.upper() if c.upper() in _DOTS else "-") for c in text]
    dots = np.concatenate(glyphs, axis=1).astype(np.float64)
    return np.asarray(np.kron(dots, np.ones((scale, scale))), np.float32)


@cache
def _glyph(character: str) -> NDArray[np.float32]:
    columns = np.frombuffer(bytes.fromhex(_DOTS[character]), np.uint8)
    dots = np.unpackbits(columns[:, None], axis=1, bitorder="little").T.astype(np.float32)
    return np.pad(dots, ((0, 0), (0, 1)))


def _outline(text: str, font: str, size_px: int) -> NDArray[np.float32]:
    face = _face(font, size_px)
    left, top, right, bottom = face.getbbox(text)
    image = Image.new("L", (int(right - left) + 4, int(bottom - top) + 4))
    ImageDraw.Draw(image).text((2 - left, 2 - top), text, fill=255, font=face)
    return (np.asarray(image) / 255).astype(np.float32)


@cache
def _face(font: str, size_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    if font == PILLOW:
        return ImageFont.load_default(size_px)
    found = find_spec("matplotlib")
    folder = Path(str(found.origin)).parent if found else Path()
    return ImageFont.truetype(str(folder / "mpl-data" / "fonts" / "ttf" / _FILES[font]), size_px)
