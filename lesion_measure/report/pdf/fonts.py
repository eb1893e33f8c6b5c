"""The fonts of report.pdf: DejaVu, which comes with matplotlib, and for other letters a font of this computer.

Every font is embedded, as the glyphs that are used. A letter that no font has is written as its number in Unicode, such
as [U+75C5], never as an empty box: a subject code stays readable, and two codes stay two.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from matplotlib import font_manager, get_data_path
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont

BODY, MONO, OTHER = "Body", "Mono", "Other"
_FACES = {
    BODY: "DejaVuSans.ttf",
    f"{BODY}-Bold": "DejaVuSans-Bold.ttf",
    f"{BODY}-Italic": "DejaVuSans-Oblique.ttf",
    f"{BODY}-BoldItalic": "DejaVuSans-BoldOblique.ttf",
    MONO: "DejaVuSansMono.ttf",
}
_WIDE = ("cjk", "hei", "song", "ming", "gothic", "droid", "unicode", "nanum", "unifont", "sim")
"""Parts of the names of fonts with many letters."""


@functools.cache
def register() -> None:
    """Make the fonts known to reportlab, once in a process."""
    folder = Path(get_data_path()) / "fonts" / "ttf"
    for name, file in _FACES.items():
        pdfmetrics.registerFont(TTFont(name, folder / file))
    pdfmetrics.registerFontFamily(
        BODY, normal=BODY, bold=f"{BODY}-Bold", italic=f"{BODY}-Italic", boldItalic=f"{BODY}-BoldItalic"
    )
    pdfmetrics.registerFontFamily(MONO, normal=MONO, bold=MONO, italic=MONO, boldItalic=MONO)


def runs(text: str) -> Iterator[tuple[str | None, str]]:
    """A text in parts: (None, words) in the font at hand, (font, words) in another one."""
    for font, letters in groupby(text, _font_of):
        words = "".join(letters)
        yield (None, "".join(f"[U+{ord(c):04X}]" for c in words)) if font == "" else (font, words)


@functools.cache
def _font_of(letter: str) -> str | None:
    """None where DejaVu has the letter, the name of another font that has it, or '' where none does."""
    if letter.isspace() or ord(letter) in _letters(BODY):
        return None
    return next((name for name in _others() if ord(letter) in _letters(name)), "")


@functools.cache
def _letters(name: str) -> frozenset[int]:
    register()
    return frozenset(pdfmetrics.getFont(name).face.charToGlyph)


@functools.cache
def _others() -> tuple[str, ...]:
    """Fonts of this computer with many letters, that reportlab can embed: those with TrueType outlines."""
    found: list[str] = []
    for path in sorted(font_manager.findSystemFonts()):
        if not any(word in Path(path).name.lower() for word in _WIDE):
            continue
        name = f"{OTHER}{len(found)}"
        try:
            pdfmetrics.registerFont(TTFont(name, path))
        except TTFError:
            continue  # PostScript outlines
        found.append(name)
    return tuple(found)


def width(words: str, font: str, size: float) -> float:
    """Width of a text in points, with its parts in other fonts."""
    register()
    return sum(float(pdfmetrics.stringWidth(part, other or font, size)) for other, part in runs(words))
