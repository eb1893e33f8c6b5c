"""What tells lesions apart on ultrasound pictures, and all lesions of a visit as arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lesion_measure.records import Plane

Numbers = NDArray[np.float64]

CHANNELS = (Plane.TRANSVERSE, Plane.SAGITTAL, Plane.CORONAL, Plane.UNKNOWN)
"""Kinds of pictures whose coordinates can be compared: oblique cuts are as little sorted as unknown ones."""


def channel(plane: Plane) -> int:
    """Index of a plane's kind in `CHANNELS`."""
    return CHANNELS.index(Plane.UNKNOWN if plane is Plane.OBLIQUE else plane)


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionSight:
    """One lesion as the pictures of one plane show it.

    ``lateral_mm`` (to the right of the picture's middle) and ``depth_mm`` (below the top of the ultrasound region) are
    those of its middle; ``lateral_sd_mm`` and ``depth_sd_mm`` say how loosely they are tied to the visit's other
    lesions. ``relative_echo`` is the mean grey level inside minus that of the surroundings, ``texture`` the SD inside,
    both as a share of the full scale; None where the pixels were not read.
    """

    plane: Plane
    lateral_mm: float
    depth_mm: float
    long_axis_mm: float
    short_axis_mm: float | None = None
    relative_echo: float | None = None
    texture: float | None = None
    lateral_sd_mm: float = 0.0
    depth_sd_mm: float = 0.0

    @property
    def radius_mm(self) -> float:
        """Radius of the circle of the same area; of the long axis where there is no short one."""
        return math.sqrt(self.long_axis_mm * (self.short_axis_mm or self.long_axis_mm)) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedLesion:
    """One lesion of one visit: at most one sight of each plane, and its name where a person gave it one."""

    sights: tuple[LesionSight, ...]
    name: str = ""


@dataclass(frozen=True, slots=True)
class Features:
    """All lesions of a visit as arrays of shape (lesions, `CHANNELS`), NaN where a plane was not taken.

    ``length`` is the log of the long axis in mm, ``shape`` the log of long / short axis.
    """

    names: tuple[str, ...]
    lateral: Numbers
    depth: Numbers
    lateral_sd: Numbers
    depth_sd: Numbers
    length: Numbers
    shape: Numbers
    relative_echo: Numbers
    texture: Numbers

    def __len__(self) -> int:
        return len(self.names)


def features(lesions: Sequence[PairedLesion]) -> Features:
    """The lesions as arrays; rows keep their order."""
    table = np.full((8, len(lesions), len(CHANNELS)), np.nan)
    for row, lesion in enumerate(lesions):
        for sight in lesion.sights:
            table[:, row, channel(sight.plane)] = _numbers(sight)
    return Features(tuple(lesion.name for lesion in lesions), *table)


def _numbers(sight: LesionSight) -> tuple[float, ...]:
    short = sight.short_axis_mm
    return (
        sight.lateral_mm,
        sight.depth_mm,
        sight.lateral_sd_mm,
        sight.depth_sd_mm,
        math.log(sight.long_axis_mm),
        math.nan if short is None else math.log(sight.long_axis_mm / short),
        math.nan if sight.relative_echo is None else sight.relative_echo,
        math.nan if sight.texture is None else sight.texture,
    )
