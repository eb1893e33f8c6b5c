"""What is read of one frame's pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lesion_measure.records import Point, PrintedScale


@dataclass(frozen=True, slots=True, kw_only=True)
class BurntInCaliper:
    """One caliper that is drawn in the pixels.

    ``points`` are (row, column), pixel centres at integers, sub-pixel. ``length_mm`` is their distance by the image's
    scale, None without one. ``printed_mm`` is the value printed for it, None where none was read; ``agrees`` whether
    both are equal within the rounding of the printed one and a pixel, None where one is missing. ``label`` is the word
    beside the value where it is a usual one; other words may be a name. ``printed_at`` is the line of text that holds
    both and nothing else: first and last row, first and last column. ``grouped_by`` says
    what tells that both marks are one caliper's ends.
    """

    frame: int
    points: tuple[Point, Point]
    length_mm: float | None
    grouped_by: str
    printed_mm: float | None = None
    agrees: bool | None = None
    label: str = ""
    printed_at: tuple[int, int, int, int] | None = None

    def as_json(self) -> dict[str, Any]:
        """It for programs."""
        return {
            "frame": self.frame,
            "points": [[round(value, 2) for value in point] for point in self.points],
            "length_mm": None if self.length_mm is None else round(self.length_mm, 3),
            "printed_mm": None if self.printed_mm is None else round(self.printed_mm, 3),
            "agrees": self.agrees,
            "label": self.label or None,
        }

    def words(self) -> str:
        """It in one line, for people."""
        ends = " to ".join(f"({col:.1f}, {row:.1f})" for row, col in self.points)
        length = "no scale" if self.length_mm is None else f"{self.length_mm:.1f} mm"
        printed = "" if self.printed_mm is None else f", printed {self.label} {self.printed_mm:g} mm".replace("  ", " ")
        judged = {None: "", True: ", agrees", False: ", DIFFERS"}[self.agrees]
        return f"frame {self.frame}: column, row {ends}: {length}{printed}{judged}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BurntInFrame:
    """The calipers of one frame.

    ``scale_factor`` is how many times longer the calipers are by the image's scale than printed, None where they agree
    or none was read: by so much the picture was enlarged after it was measured. It is named, never applied.
    ``proposed`` is the scale that the printed values speak for where the image has none, or another one.
    ``possible`` are the scales that each caliper would speak for with each value: the true one is among them, if the
    frame has that caliper and its value. ``warnings`` are in plain words.
    """

    frame: int
    calipers: tuple[BurntInCaliper, ...] = ()
    scale_factor: float | None = None
    proposed: PrintedScale | None = None
    possible: tuple[PrintedScale, ...] = ()
    warnings: tuple[str, ...] = ()
