"""Simulated multifocal livers as a list of what two visits would show of each lesion: numbers alone, no pixels.

A child has lesions in a liver of three dimensions. At each visit the probe is put down anew: moved, tilted in its own
plane and out of it, pressed. A sweep shows every lesion on the frame that cuts it at its largest, so that places are
projections whose error depends on where the lesion lies, which no picture tells. Lesions shrink with the child and
each by itself, vanish, appear, are missed; vessels and gallbladder are taken for lesions. What is in reach of the
fan is seen, the rest is not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

LIVER_MM = (118.0, 98.0, 80.0)
"""Half axes of the phantom's liver for a body of 1: across, along, in depth (`anatomy`)."""
DEPTH, WALL_MM = 0.7, 8.0
"""Middle of the liver in depth: so much of its half axis below the abdominal wall, which is so thick."""
SPREAD = 0.75
"""Share of the liver's half axes within which lesions lie, as in `children`."""

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SeenLesion:
    """One outline of one visit's sweep. ``truth`` is the lesion's number, or -1 for what is none."""

    truth: int
    lateral_mm: float
    depth_mm: float
    long_axis_mm: float
    short_axis_mm: float
    relative_echo: float
    texture: float


@dataclass(frozen=True, slots=True)
class Disturbance:
    """How badly things go; the defaults are the benchmark's.

    Attributes
    ----------
    lesions
        Fewest and most lesions at baseline.
    vanish, appear
        Probability that a lesion is gone; mean number of new ones.
    missed, missed_small
        Probability that a lesion is not outlined at a visit; what is added to it below 8 mm.
    false_finding
        Mean number of outlines of what is no lesion, each visit.
    move_mm, press_mm, tilt_deg
        SD, each visit, of the probe's place across and in depth, and of its tilt about each of three directions.
    slice_mm
        SD of a lesion's place on its picture (breathing, the frame that was chosen).
    own_change, size_error
        SD of the log of a lesion's change beside the child's, and of one measurement.
    merge
        So many lesions (2 or 3; 0: none) lie side by side at baseline and are one at follow-up.
    """

    lesions: tuple[int, int] = (3, 8)
    vanish: float = 0.12
    appear: float = 0.3
    missed: float = 0.06
    missed_small: float = 0.08
    false_finding: float = 0.15
    move_mm: float = 12.0
    press_mm: float = 3.0
    tilt_deg: float = 6.0
    slice_mm: float = 2.0
    own_change: float = 0.12
    size_error: float = 0.06
    merge: int = 0


@dataclass(frozen=True, slots=True)
class MultifocalChild:
    """What two visits show. ``merged``: the numbers of the lesions that are one at follow-up, which has the first's."""

    baseline: tuple[SeenLesion, ...]
    followup: tuple[SeenLesion, ...]
    merged: tuple[int, ...] | None = None


@dataclass(slots=True)
class _Body:
    centre: Vector
    radii: Vector
    axes: Vector
    relative_echo: float
    texture: float
    factor: float = 1.0
    visits: tuple[bool, bool] = field(default=(True, True))


def multifocal_child(rng: np.random.Generator, how: Disturbance | None = None) -> MultifocalChild:
    """One child with 3 to 8 lesions at baseline."""
    how = how or Disturbance()
    age = rng.uniform(1, 36)
    body = 0.45 + 0.3 * age / 36 + rng.normal(0, 0.02)
    liver = np.array(LIVER_MM) * body * rng.uniform(0.85, 1.15, 3)
    looks = rng.normal(-0.12, 0.08), rng.uniform(0.06, 0.14)
    count = int(rng.integers(how.lesions[0], how.lesions[1] + 1))
    new = int(rng.poisson(how.appear))
    bodies: list[_Body] = []
    while len(bodies) < count + new:
        lesion = _random_body(rng, liver, looks)
        reach = lesion.radii.max()
        if all(np.linalg.norm(lesion.centre - b.centre) > reach + b.radii.max() + 1 for b in bodies):
            bodies.append(lesion)
    change = _child_factor(rng)
    for number, lesion in enumerate(bodies):
        lesion.factor = change * math.exp(rng.normal(0, how.own_change))
        gone = rng.random() < how.vanish
        lesion.visits = (True, not gone) if number < count else (False, True)
        if number >= count:
            lesion.factor = 1.0
    growth = 1 + rng.normal(0.01, 0.01)
    if how.merge:
        _merge(rng, bodies[: how.merge])
    baseline = _sweep(rng, bodies, 0, liver, 1.0, how)
    if how.merge:
        bodies[0] = _grown_together(bodies[: how.merge])
        for lesion in bodies[1 : how.merge]:
            lesion.visits = (True, False)
    followup = _sweep(rng, bodies, 1, liver, growth, how)
    return MultifocalChild(baseline, followup, tuple(range(how.merge)) if how.merge else None)


def _merge(rng: np.random.Generator, bodies: list[_Body]) -> None:
    """Put each lesion beside the one before it and beside no other, all there at both visits."""
    for number, (first, second) in enumerate(pairwise(bodies)):
        reach = first.radii.mean() + second.radii.mean() + 1
        while True:
            across = rng.normal(size=3) * np.array([1.0, 0.3, 1.0])
            second.centre = first.centre + across / np.linalg.norm(across) * reach
            apart = [np.linalg.norm(second.centre - b.centre) - b.radii.mean() for b in bodies[:number]]
            if all(gap >= second.radii.mean() for gap in apart):
                break
        first.visits = second.visits = (True, True)


def _grown_together(bodies: list[_Body]) -> _Body:
    """One ellipsoid that reaches between the ends that lie farthest apart, with the volume of all."""
    volumes = np.array([b.radii.prod() for b in bodies])

    def reach(ends: tuple[_Body, _Body]) -> float:
        one, two = ends
        return float(np.linalg.norm(two.centre - one.centre) + one.radii.mean() + two.radii.mean())

    one, two = max(combinations(bodies, 2), key=reach)
    half = reach((one, two)) / 2
    side = math.sqrt(volumes.sum() / half)
    axes = np.linalg.qr(np.stack([two.centre - one.centre, *np.eye(3)[:2]], axis=1))[0]
    return _Body(
        centre=np.average([b.centre for b in bodies], axis=0, weights=volumes),
        radii=np.array([half, side, side]),
        axes=axes,
        relative_echo=float(np.average([b.relative_echo for b in bodies], weights=volumes)),
        texture=float(np.mean([b.texture for b in bodies])),
        factor=bodies[0].factor,
    )


def _child_factor(rng: np.random.Generator) -> float:
    """As in a simulated trial (`trial`): more than half respond, few grow."""
    fate = rng.random()
    if fate < 0.55:
        return float(rng.uniform(0.42, 0.70))
    return float(rng.uniform(0.72, 1.04) if fate < 0.90 else rng.uniform(1.06, 1.28))


def _random_body(rng: np.random.Generator, liver: Vector, looks: tuple[float, float]) -> _Body:
    while True:
        place = rng.uniform(-1, 1, 3)
        if np.linalg.norm(place) < 1:
            break
    radius = float(np.exp(rng.uniform(np.log(3), np.log(12))))
    stretch = np.exp(rng.normal(0, 0.15, 3))
    return _Body(
        centre=SPREAD * place * liver + np.array([0.0, 0.0, DEPTH * liver[2] + WALL_MM]),
        radii=radius * stretch / np.cbrt(stretch.prod()),
        axes=np.linalg.qr(rng.normal(size=(3, 3)))[0],
        relative_echo=looks[0] + rng.normal(0, 0.04),
        texture=max(0.02, looks[1] + rng.normal(0, 0.02)),
    )


def _sweep(
    rng: np.random.Generator,
    bodies: list[_Body],
    visit: int,
    liver: Vector,
    growth: float,
    how: Disturbance,
) -> tuple[SeenLesion, ...]:
    turn = _rotation(np.radians(rng.normal(0, how.tilt_deg, 3)))
    stretch = np.array([1.0, 1.0, 1 + rng.normal(0, 0.04)]) * growth
    move = np.array([rng.normal(0, how.move_mm), 0.0, rng.normal(0, how.press_mm)])
    gain, grain = rng.normal(0, 0.03), rng.normal(0, 0.015)
    pivot = np.array([0.0, 0.0, liver[2]])
    reach = 1.15 * liver[0]
    seen = []
    for number, lesion in enumerate(bodies):
        if not lesion.visits[visit]:
            continue
        across, _, depth = turn @ (lesion.centre * stretch - pivot) + pivot + move
        depth_mm = float(depth + rng.normal(0, how.slice_mm))
        lateral_mm = float(across + rng.normal(0, how.slice_mm))
        factor = lesion.factor if visit else 1.0
        long_mm, short_mm = _section(turn @ lesion.axes, lesion.radii * factor)
        small = long_mm < 8
        missed = rng.random() < how.missed + small * how.missed_small
        if missed or abs(lateral_mm) > reach or depth_mm < 3:
            continue
        long_mm *= math.exp(rng.normal(0, how.size_error))
        short_mm = min(short_mm * math.exp(rng.normal(0, how.size_error)), long_mm)
        relative_echo = lesion.relative_echo + gain + rng.normal(0, 0.03)
        texture = lesion.texture + grain + rng.normal(0, 0.015)
        seen.append(SeenLesion(number, lateral_mm, depth_mm, long_mm, short_mm, float(relative_echo), float(texture)))
    for _ in range(int(rng.poisson(how.false_finding))):
        place = SPREAD * rng.uniform(-1, 1, 3) * liver
        size = float(np.exp(rng.uniform(np.log(5), np.log(15))))
        seen.append(
            SeenLesion(
                -1,
                float(place[0]),
                float(place[2] + DEPTH * liver[2] + WALL_MM),
                size,
                size * float(rng.uniform(0.5, 1)),
                float(rng.normal(-0.2, 0.08)),
                float(rng.uniform(0.04, 0.12)),
            )
        )
    order = rng.permutation(len(seen))
    return tuple(seen[k] for k in order)


def _section(axes: Vector, radii: Vector) -> tuple[float, float]:
    """Long and short axis of an ellipsoid's cut through its centre by the picture's plane (across, depth), in mm."""
    shape = axes @ np.diag(radii**-2.0) @ axes.T
    flat = shape[np.ix_([0, 2], [0, 2])]
    low, high = np.linalg.eigvalsh(flat)
    return 2 / math.sqrt(low), 2 / math.sqrt(high)


def _rotation(angles: Vector) -> Vector:
    """Turns about the directions across, along and in depth, one after another (radians)."""
    turned = np.eye(3)
    for axis, angle in enumerate(angles):
        i, j = [k for k in range(3) if k != axis]
        single = np.eye(3)
        single[i, i] = single[j, j] = math.cos(angle)
        single[i, j], single[j, i] = -math.sin(angle), math.sin(angle)
        turned = single @ turned
    return turned
