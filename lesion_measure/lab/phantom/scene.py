"""What lies in the patient: echo level, loss and bright interfaces as functions of the place in millimetres.

Levels are decibels relative to average liver. ``loss_db_per_mm`` is what a beam loses (two-way) beyond the liver's own
attenuation, which the machine's gain compensates: fluid is negative and gives enhancement, stone and gas give shadows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from lesion_measure.lab.phantom.beams import BeamGrid, Block
from lesion_measure.lab.phantom.shapes import Array, Floats, StarShape, Vector, Waves


class Echo(StrEnum):
    """How a lesion looks beside the liver around it."""

    HYPO = "hypoechoic"
    HYPER = "hyperechoic"
    MIXED = "mixed"
    TARGET = "target"


@dataclass(frozen=True, slots=True, eq=False)
class PhantomLesion:
    """A focal lesion. Everything given in mm or as a share of the radius lies inside the shape: it ends at its outline.

    ``contrast_db`` mean level; ``texture`` with ``texture_db`` its inner unevenness; ``border_mm`` width over which
    the level changes, centred on the outline; ``rim_db`` level of the outermost ``rim_mm`` (halo or capsule);
    ``core_db`` level within ``core_share`` of the radius; ``stones`` calcified spheres as (offset in radii, mm).
    """

    name: str
    shape: StarShape
    echo: Echo
    contrast_db: float
    texture: Waves
    texture_db: float = 1.0
    border_mm: float = 0.8
    rim_db: float = 0.0
    rim_mm: float = 0.0
    core_db: float = 0.0
    core_share: float = 0.0
    loss_db_per_mm: float = 0.0
    stones: tuple[tuple[tuple[float, float, float], float], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Organ:
    """A neighbour of the liver or a fluid space in it: kidney, gall bladder, bowel gas."""

    shape: StarShape
    level_db: float
    texture: Waves
    texture_db: float = 1.0
    wall_db: float = 0.0
    wall_mm: float = 1.0
    core_db: float = 0.0
    core_share: float = 0.0
    loss_db_per_mm: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Vessels:
    """Straight pieces of branching tubes: ends (n, 3), radii at the ends (n,), and which have a bright wall (n,)."""

    starts: Vector
    ends: Vector
    start_radii: Vector
    end_radii: Vector
    bright: Vector

    def near(self, grid: BeamGrid, margin_mm: float) -> NDArray[np.intp]:
        """Indices of the pieces that come near the image plane."""
        plane = grid.plane
        first, last = (self.starts - plane.origin) @ plane.normal, (self.ends - plane.origin) @ plane.normal
        nearest = np.where(first * last < 0, 0.0, np.minimum(np.abs(first), np.abs(last)))
        return np.flatnonzero(nearest < np.maximum(self.start_radii, self.end_radii) + margin_mm)

    def distance(self, grid: BeamGrid, bright: bool, margin_mm: float = 1.5) -> Array:
        """Distance outside the nearest lumen of one kind in mm, capped at ``margin_mm`` (negative inside)."""
        out = np.full(grid.shape, margin_mm, np.float32)
        for index in self.near(grid, margin_mm):
            if self.bright[index] != bright:
                continue
            start, along = self.starts[index], self.ends[index] - self.starts[index]
            length = float(np.linalg.norm(along))
            widest = float(max(self.start_radii[index], self.end_radii[index]))
            block = grid.block(start + along / 2, length / 2 + widest + margin_mm)
            if block is None:
                continue
            offset = grid.points[block] - start.astype(np.float32)
            share = np.clip(offset @ (along / length**2).astype(np.float32), 0, 1)
            gap = np.linalg.norm(offset - share[..., None] * along.astype(np.float32), axis=-1)
            radius = self.start_radii[index] + share * (self.end_radii[index] - self.start_radii[index])
            out[block] = np.minimum(out[block], gap - radius.astype(np.float32))
        return out


@dataclass(slots=True, eq=False)
class Tissue:
    """The scene sampled on a beam grid: echo level, extra loss, and amplitude of smooth mirrors (linear)."""

    echo_db: Array
    loss_db_per_mm: Array
    mirror: Array

    def paint(self, block: Block, weight: Floats, level_db: Floats | float, loss_db_per_mm: float = 0.0) -> None:
        """Blend a structure in; ``weight`` is 1 where it is alone."""
        self.echo_db[block] += weight * (level_db - self.echo_db[block])
        self.loss_db_per_mm[block] += weight * (loss_db_per_mm - self.loss_db_per_mm[block])
        self.mirror[block] *= 1 - weight


def ramp(value: Floats, width: float) -> Floats:
    """0 below -width/2, 1 above width/2, smooth between."""
    t = np.clip(value / np.float32(max(width, 1e-3)) + np.float32(0.5), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def bump(value: Floats, width: float) -> Floats:
    """1 at zero, falling off as a Gaussian of this standard deviation."""
    return np.asarray(np.exp(-0.5 * (value / np.float32(width)) ** 2))


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """One patient's upper abdomen.

    Attributes
    ----------
    liver
        The liver's surface; the part towards the probe is cut off by the abdominal wall.
    caudal
        Direction in which the liver's neighbour is bowel instead of the diaphragm and lung.
    surface_texture
        Unevenness of the liver's surface and of the diaphragm's brightness.
    diaphragm_db
        Brightness of the diaphragm.
    wall_mm
        Depth at which the abdominal wall ends, along each beam.
    fleck_share
        Share of the beam samples with a strong reflector.
    """

    liver: StarShape
    liver_texture: Waves
    liver_texture_db: float
    caudal: Vector
    bowel_texture: Waves
    surface_texture: Waves
    diaphragm_db: float
    wall_mm: float
    vessels: Vessels
    fleck_share: float = 0.0
    organs: tuple[Organ, ...] = ()
    lesions: tuple[PhantomLesion, ...] = ()

    def cleared(self, shapes: Sequence[StarShape]) -> Scene:
        """Without the neighbouring organs that could touch one of the shapes."""
        apart = [
            all(np.linalg.norm(o.shape.centre - s.centre) > o.shape.reach_mm + s.reach_mm + 2 for s in shapes)
            for o in self.organs
        ]
        return replace(self, organs=tuple(o for o, free in zip(self.organs, apart, strict=True) if free))

    def sample(self, grid: BeamGrid) -> Tissue:
        """Everything behind the abdominal wall, on the samples of one image."""
        tissue = self._background(grid)
        self._paint_vessels(grid, tissue)
        for organ in self.organs:
            _paint_organ(grid, tissue, organ)
        for lesion in self.lesions:
            _paint_lesion(grid, tissue, lesion)
        return tissue

    def _background(self, grid: BeamGrid) -> Tissue:
        patches = self.bowel_texture.at(grid.points)
        surface = self.surface_texture.at(grid.points)
        beyond = self.liver.distance(grid.points)[0] + np.float32(0.8) * surface
        offset = grid.points - self.liver.centre.astype(np.float32)
        outward = offset / (np.linalg.norm(offset, axis=-1, keepdims=True) + np.float32(1e-6))
        bowel = ramp(outward @ self.caudal.astype(np.float32), 0.35)
        # Behind the diaphragm only mirror images and reverberation return; they fade with the way.
        lung = -3 - np.float32(0.16) * np.maximum(beyond, 0) + 1.2 * patches
        outside = lung + bowel * (3.6 * patches + 1.5 * surface + 1.5 - lung)
        liver = np.float32(self.liver_texture_db) * self.liver_texture.at(grid.points)
        echo = liver + ramp(beyond, 1.2) * (outside - liver)
        facing = np.abs(np.einsum("rbk,bk->rb", outward, grid.directions)) ** 3
        uneven = np.exp(np.float32(0.5) * surface + np.float32(0.12) * patches)
        line = bump(beyond - 0.8, 0.9) * (1 - 0.85 * bowel) * (0.25 + 0.75 * facing) * uneven
        mirror = np.float32(10 ** (self.diaphragm_db / 20)) * line
        echo = echo + np.float32(0.7 * self.diaphragm_db) * bump(beyond - 1.0, 1.3) * (1 - 0.75 * bowel) * uneven * (
            0.3 + 0.7 * facing
        )
        return Tissue(echo.astype(np.float32), np.zeros(grid.shape, np.float32), mirror.astype(np.float32))

    def _paint_vessels(self, grid: BeamGrid, tissue: Tissue) -> None:
        everywhere = (slice(None), slice(None))
        for bright in (True, False):
            gap = self.vessels.distance(grid, bright)
            if bright:
                tissue.echo_db += np.float32(9) * bump(gap - 0.45, 0.4) * (gap < 1.5)
            tissue.paint(everywhere, ramp(-gap, 0.5), -17.0, -0.02)


def _paint_organ(grid: BeamGrid, tissue: Tissue, organ: Organ) -> None:
    block = grid.block(organ.shape.centre, organ.shape.reach_mm + 4 * organ.wall_mm)
    if block is None:
        return
    points = grid.points[block]
    beyond, radius = organ.shape.distance(points)
    level = organ.level_db + np.float32(organ.texture_db) * organ.texture.at(points)
    if organ.core_share:
        level = level + np.float32(organ.core_db) * ramp(organ.core_share * radius - radius - beyond, 3.0)
    tissue.paint(block, ramp(-beyond, 0.8), level, organ.loss_db_per_mm)
    tissue.echo_db[block] += np.float32(organ.wall_db) * bump(beyond - 0.5 * organ.wall_mm, organ.wall_mm / 2)


def _paint_lesion(grid: BeamGrid, tissue: Tissue, lesion: PhantomLesion) -> None:
    block = grid.block(lesion.shape.centre, lesion.shape.reach_mm + lesion.border_mm + 1)
    if block is None:
        return
    points = grid.points[block]
    beyond, radius = lesion.shape.distance(points)
    level = lesion.contrast_db + np.float32(lesion.texture_db) * lesion.texture.at(points)
    if lesion.core_share:
        level = level + np.float32(lesion.core_db) * ramp((lesion.core_share - 1) * radius - beyond, 2.0)
    if lesion.rim_mm:
        level = level + np.float32(lesion.rim_db) * ramp(beyond + lesion.rim_mm, 0.5 + 0.5 * lesion.rim_mm)
    tissue.paint(block, ramp(-beyond, lesion.border_mm), level, lesion.loss_db_per_mm)
    half_axes = lesion.shape.radii_mm * lesion.shape.scale
    for offset, size in lesion.stones:
        centre = lesion.shape.centre + (np.array(offset) * half_axes) @ lesion.shape.axes
        spot = grid.block(centre, size + 1)
        if spot is not None:
            gap = np.linalg.norm(grid.points[spot] - centre.astype(np.float32), axis=-1) - np.float32(size)
            tissue.paint(spot, ramp(-gap, 0.6), lesion.contrast_db + 14.0, 6.0)
