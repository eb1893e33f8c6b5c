"""A network that outlines a perfect ellipse for each prompt: for tests of what is done with an outline."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lesion_measure import pipeline
from lesion_measure.job import places
from lesion_measure.records import Point
from shapes import Shape

Line = tuple[Point, Point]


@dataclass(frozen=True)
class Ellipse:
    """An ellipse in pixels: full axes, angle from the columns towards the rows (radians), middle (row, column)."""

    length: float
    width: float
    angle: float
    centre: Point


def along(line: Line, *, aspect: float = 0.75, length: float = 1.0, turn_deg: float = 0.0) -> Ellipse:
    """The ellipse whose long axis is a caliper, times ``length``, turned by ``turn_deg``."""
    (r0, c0), (r1, c1) = line
    axis = length * math.hypot(r1 - r0, c1 - c0)
    angle = math.atan2(r1 - r0, c1 - c0) + math.radians(turn_deg)
    return Ellipse(axis, aspect * axis, angle, ((r0 + r1) / 2, (c0 + c1) / 2))


@dataclass(frozen=True)
class Drawn:
    """A lesion as `network.SegmentedLesion` has it."""

    probability: NDArray[np.float32]
    origin: tuple[int, int]
    confidence: float
    accepted: bool


@dataclass
class DrawnNetwork:
    """Finds nothing by itself; with a prompt, the ellipse that ``shape`` gives for its first caliper, or nothing."""

    shape: Callable[[Line], Ellipse | None] = along
    confidence: float = 0.9
    threshold: float = 0.6
    asked: list[tuple[Line, ...]] = field(default_factory=list)
    shown: list[int] = field(default_factory=list)
    name: str = "net"
    sha256: str = "0" * 64
    backend: str = "drawn"

    @property
    def settings(self) -> Any:
        """What is read of a bundle's settings."""
        prompted = SimpleNamespace(threshold=self.threshold, why_never=" (for a reason)")
        known = {"threshold": self.threshold}
        return SimpleNamespace(confidence=SimpleNamespace(prompted=prompted), model_dump=lambda mode: known)

    def segment(
        self, image: NDArray[Any], prompt: Sequence[Line] | None = None, *, level: float = 0.5, flips: bool = True
    ) -> Any:
        """As `network.Segmenter.segment`."""
        if not prompt:
            return SimpleNamespace(lesions=())
        self.asked.append(tuple(prompt))
        self.shown.append(int(image.max()))
        shape = self.shape(prompt[0])
        return SimpleNamespace(lesions=() if shape is None else (self._lesion(shape, image.shape),))

    def _lesion(self, ellipse: Ellipse, image: tuple[int, ...]) -> Drawn:
        size = math.ceil(max(ellipse.length, ellipse.width)) + 9
        corner = [math.floor(c) - size // 2 for c in ellipse.centre]
        middle = (ellipse.centre[0] - corner[0], ellipse.centre[1] - corner[1])
        shape = Shape("ellipse", ellipse.length, ellipse.width, ellipse.angle, middle, (1.0, 1.0), size)
        first = [max(0, -low) for low in corner]
        last = [min(size, most - low) for low, most in zip(corner, image, strict=True)]
        seen = shape.soft(12)[first[0] : last[0], first[1] : last[1]]
        return Drawn(
            probability=seen.astype(np.float32),
            origin=(corner[0] + first[0], corner[1] + first[1]),
            confidence=self.confidence,
            accepted=self.confidence >= self.threshold,
        )


def replace_network(patch: pytest.MonkeyPatch, network: object, *, asked_for: bool = False) -> None:
    """Runs measure by this network, in this process; ``asked_for``: those alone that have a bundle."""
    patch.setattr(pipeline, "load_model", lambda bundle, request: network if bundle or not asked_for else None)
    patch.setattr(places, "usable_processors", lambda: 1)  # a process of its own would load the bundle
