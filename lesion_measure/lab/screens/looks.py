"""What differs from one kind of scanner to the next: marks, lines, colours, letters, and where results stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lesion_measure.lab.screens.strokes import Colour

Mark = Literal["plus", "oblique", "gap", "dot", "diamond", "arrow", "triangle"]
Line = Literal["none", "dots", "sparse", "dashes", "solid"]

WHITE, GREY, YELLOW = (255, 255, 255), (214, 214, 214), (255, 230, 40)
GREEN, CYAN, ORANGE, MAGENTA = (60, 235, 80), (70, 220, 255), (255, 160, 40), (255, 90, 220)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One kind of scanner.

    ``marks`` and ``colours`` are those of the first caliper, the second, and so on, the last for all others;
    ``half_px`` is how far a mark reaches from its point, least and most; ``width_px`` the widths of its strokes.
    ``numbers``: which ends of a caliper have its number beside them. ``labels`` are formats of a line of results with
    ``{n}`` for the number. ``legend``: the line of results begins with the caliper's mark.
    """

    name: str
    sizes: tuple[tuple[int, int], ...]
    fonts: tuple[str, ...]
    font_px: tuple[int, int]
    marks: tuple[Mark, ...]
    colours: tuple[Colour, ...]
    half_px: tuple[int, int]
    width_px: tuple[int, ...]
    line: tuple[Line, ...]
    labels: tuple[str, ...]
    numbers: Literal["none", "one", "both"] = "none"
    smooth: bool = False
    outline: bool = False
    shadow: bool = False
    legend: bool = False
    unit: Literal["cm", "mm"] = "cm"
    decimals: int = 2
    text: Colour = WHITE
    place: Literal["top", "bottom", "inside", "right"] = "bottom"
    furniture: tuple[str, ...] = ("ticks", "bar", "status", "title")
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    fan: bool = True

    def mark(self, index: int) -> Mark:
        """The mark of the caliper with this index."""
        return self.marks[min(index, len(self.marks) - 1)]

    def colour(self, index: int) -> Colour:
        """The colour of the caliper with this index."""
        return self.colours[min(index, len(self.colours) - 1)]


_DISTANCES = ("Dist {n}", "D{n}", "Dist{n}", "{n} Dist")
LOOKS = (
    Look(
        name="outlined", sizes=((768, 1024),), fonts=("sans", "bold"), font_px=(16, 20),
        marks=("gap", "gap", "oblique"), colours=(WHITE,), half_px=(7, 8), width_px=(3,),
        line=("sparse",), outline=True, legend=True, decimals=1,
        labels=("Asc Ao Diam", "Dist", "Liver L", "Lesion"), place="top",
        furniture=("side_dots", "bar", "status", "title", "ecg", "body"),
    ),
    Look(
        name="shadowed", sizes=((600, 800),), fonts=("sans", "narrow"), font_px=(13, 17), marks=("plus", "oblique"),
        colours=(WHITE, WHITE), half_px=(4, 5), width_px=(2,), line=("dashes",), shadow=True, legend=True, text=GREY,
        labels=("Dist", "Cist Mag", "D{n}", "Length"), place="top",
        furniture=("ticks", "bar", "status", "title", "focus", "circle"),
    ),
    Look(
        name="numbered", sizes=((614, 819), (720, 960)), fonts=("bold", "pillow", "sans"), font_px=(12, 17),
        marks=("plus",), colours=(WHITE, WHITE), half_px=(5, 8), width_px=(2, 3), line=("dots", "dots", "none"),
        numbers="one", smooth=True, labels=("{n} L", "{n} D", "{n} Dist"), place="bottom",
        furniture=("ticks", "bar", "status", "title", "focus", "annotation", "body"), fan=False,
    ),
    Look(
        name="coloured", sizes=((768, 1024), (576, 768)), fonts=("mono", "sans"), font_px=(11, 15),
        marks=("oblique", "plus", "oblique"), colours=(YELLOW, GREEN, CYAN), half_px=(4, 6), width_px=(1, 2),
        line=("none", "dots"), labels=_DISTANCES, unit="mm", decimals=1, text=YELLOW, place="inside",
        furniture=("ticks", "bar", "status", "title", "colour_box", "annotation"), tint=(1.0, 0.95, 0.82),
    ),
    Look(
        name="figured", sizes=((576, 768), (720, 1280)), fonts=("serif", "sans", "pillow"), font_px=(10, 16),
        marks=("plus", "oblique", "diamond"), colours=(GREEN, YELLOW), half_px=(5, 7), width_px=(1, 2),
        line=("dots", "dashes"), legend=True, labels=("D{n}", "L{n}"), text=GREEN, place="right", smooth=True,
        furniture=("ticks", "bar", "status", "title", "body", "ecg"),
    ),
    Look(
        name="arrows", sizes=((768, 1024), (600, 800)), fonts=("sans", "pillow"), font_px=(12, 18), marks=("arrow",),
        colours=(YELLOW, CYAN), half_px=(8, 11), width_px=(1, 2), line=("dots", "dashes", "solid"), labels=_DISTANCES,
        unit="mm", decimals=1, place="bottom", smooth=True, furniture=("ticks", "bar", "status", "title", "focus"),
    ),
    Look(
        name="dotted", sizes=((720, 960), (480, 640)), fonts=("pillow", "mono"), font_px=(11, 16), marks=("dot",),
        colours=(ORANGE, GREEN, MAGENTA), half_px=(2, 4), width_px=(1,), line=("dots", "dashes"), numbers="one",
        labels=("{n}: D", "D{n}"), place="right", smooth=True,
        furniture=("ticks", "bar", "status", "title", "annotation"),
    ),
    Look(
        name="bitmap", sizes=((480, 640),), fonts=("bitmap",), font_px=(9, 18), marks=("plus", "oblique"),
        colours=(GREY,), half_px=(3, 5), width_px=(1,), line=("none", "dots"), labels=("DIST", "D{n}", "LENGTH"),
        legend=True, unit="mm", decimals=1, text=GREY, place="bottom",
        furniture=("ticks", "bar", "status", "title", "corners", "focus"), fan=False,
    ),
)  # fmt: skip
