"""Random patients: a liver with its vessels and neighbours, and random focal lesions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lesion_measure.lab.phantom.scene import Echo, Organ, PhantomLesion, Scene, Vessels
from lesion_measure.lab.phantom.shapes import StarShape, Vector, Waves

Piece = tuple[Vector, Vector, float, float]


def _unit(vector: Vector) -> Vector:
    return np.asarray(vector / np.linalg.norm(vector), np.float64)


def _grow(
    rng: np.random.Generator, liver: StarShape, start: Vector, heading: Vector, radius: float, generations: int
) -> list[Piece]:
    """One branch and its children: a wandering centre line in short straight pieces, tapering, inside the liver."""
    pieces: list[Piece] = []
    step, place, direction = 2.2 * radius + 2.5, start, _unit(heading)
    for _ in range(int(rng.integers(3, 8))):
        direction = _unit(direction + rng.normal(0, 0.11, 3))
        onward = place + step * direction
        if liver.distance(onward[None])[0][0] > -3:
            return pieces
        pieces.append((place, onward, radius, radius * 0.95))
        place, radius = onward, radius * 0.95
    if generations > 1 and radius > 0.35:
        # Branches spread across the beam rather than along it, as a flat organ makes them.
        side = _unit(np.cross(direction, rng.normal(size=3) + np.array([0.0, 0.0, 0.8])))
        for sign, narrowing in ((1.0, rng.uniform(0.75, 0.95)), (-1.0, rng.uniform(0.55, 0.8))):
            turn = np.tan(np.radians(rng.uniform(15, 45)))
            pieces += _grow(rng, liver, place, direction + sign * turn * side, radius * narrowing, generations - 1)
    return pieces


def _twigs(rng: np.random.Generator, liver: StarShape, body: float) -> list[Piece]:
    """Fine vessels too many to be grown: short pieces scattered through the liver."""
    count = int(rng.integers(350, 900))
    places = liver.centre + rng.uniform(-1, 1, (count, 3)) * liver.radii_mm * 0.95
    along = rng.normal(size=(count, 3))
    along *= (rng.uniform(4, 13, count) * body / np.linalg.norm(along, axis=1))[:, None]
    radii = rng.uniform(0.1, 1.15, count) * body
    return [(place, place + way, float(r), float(0.8 * r)) for place, way, r in zip(places, along, radii, strict=True)]


def random_vessels(rng: np.random.Generator, liver: StarShape, body: float) -> Vessels:
    """Portal tree (bright walls) from the hilum, hepatic veins (no wall) towards the vena cava, and fine vessels."""
    reach = liver.radii_mm
    hilum = liver.centre + np.array([rng.uniform(-0.2, 0.2), 0.55, rng.uniform(0.1, 0.4)]) * reach
    portal: list[Piece] = []
    for side in (-1.0, 1.0):
        heading = np.array([side, rng.uniform(-0.6, 0.0), rng.uniform(-0.5, 0.3)])
        portal += _grow(rng, liver, hilum, heading, rng.uniform(3.0, 5.0) * body, 6)
    caval = liver.centre + np.array([rng.uniform(-0.2, 0.2), -0.5, 0.45]) * reach
    veins: list[Piece] = []
    for side in (-1.1, -0.4, 0.3, 1.0):
        heading = np.array([side, rng.uniform(0.3, 0.9), rng.uniform(-0.9, -0.2)])
        veins += _grow(rng, liver, caval, heading, rng.uniform(2.6, 4.8) * body, 5)
    twigs = _twigs(rng, liver, body)
    pieces = portal + veins + twigs
    bright = [True] * len(portal) + [False] * len(veins) + [bool(rng.random() < 0.45) for _ in twigs]
    return Vessels(
        np.array([p[0] for p in pieces]),
        np.array([p[1] for p in pieces]),
        np.array([p[2] for p in pieces]),
        np.array([p[3] for p in pieces]),
        np.array(bright),
    )


def _on_surface(rng: np.random.Generator, liver: StarShape, direction: Vector, share: float) -> Vector:
    ray = _unit(direction + rng.normal(0, 0.2, 3))
    return np.asarray(liver.centre + ray * float(liver.radius(ray[None])[0]) * share, np.float64)


def _kidney(rng: np.random.Generator, liver: StarShape, body: float) -> Organ:
    centre = _on_surface(rng, liver, np.array([rng.uniform(-0.6, 0.6), 0.9, 0.7]), rng.uniform(1.0, 1.2))
    radii = np.array([23.0, 45.0, 21.0]) * body * rng.uniform(0.8, 1.1)
    return Organ(
        StarShape.random(rng, centre, radii, 0.03, np.eye(3)),
        level_db=rng.uniform(-7, -2),
        texture=Waves.random(rng, (6 * body, 25 * body)),
        texture_db=1.8,
        wall_db=rng.uniform(4, 9),
        wall_mm=1.4,
        core_db=rng.uniform(6, 11),
        core_share=rng.uniform(0.4, 0.55),
    )


def _gall_bladder(rng: np.random.Generator, liver: StarShape, body: float) -> Organ:
    centre = _on_surface(rng, liver, np.array([rng.uniform(-0.5, 0.5), 0.8, rng.uniform(-0.4, 0.5)]), 0.85)
    return Organ(
        StarShape.random(rng, centre, np.array([11.0, 26.0, 11.0]) * body * rng.uniform(0.6, 1.2), 0.04),
        level_db=-24,
        texture=Waves.random(rng, (10, 40)),
        wall_db=rng.uniform(5, 9),
        wall_mm=1.2,
        loss_db_per_mm=-0.25,
    )


def _gas(rng: np.random.Generator, liver: StarShape, body: float) -> Organ:
    direction = np.array([rng.uniform(-0.9, 0.9), 1.0, rng.uniform(-0.6, 0.8)])
    centre = _on_surface(rng, liver, direction, rng.uniform(1.12, 1.4))
    return Organ(
        StarShape.random(rng, centre, np.array([9.0, 7.0, 3.0]) * body * rng.uniform(0.6, 1.6), 0.15),
        level_db=rng.uniform(6, 13),
        texture=Waves.random(rng, (4, 12)),
        texture_db=3,
        loss_db_per_mm=rng.uniform(0.8, 3.0),
    )


def random_scene(rng: np.random.Generator, body: float) -> Scene:
    """A patient without lesions; ``body`` is 1 for an adult, about 0.5 for an infant.

    The probe's usual place is the origin, looking along Z.
    """
    wall = float(rng.uniform(9, 26) * body**0.8)
    radii = np.array([118.0, 98.0, 80.0]) * body * rng.uniform(0.85, 1.15, 3)
    centre = np.array([0.0, 0.0, wall + rng.uniform(0.62, 0.8) * radii[2]])
    liver = StarShape.random(rng, centre, radii, 0.075, np.eye(3))
    organs = [_gas(rng, liver, body) for _ in range(int(rng.integers(2, 7)))]
    if rng.random() < 0.6:
        organs.append(_kidney(rng, liver, body))
    if rng.random() < 0.5:
        organs.append(_gall_bladder(rng, liver, body))
    caudal = _unit(np.array([rng.normal(0, 0.35), 1.0, rng.uniform(-0.1, 0.5)]))
    return Scene(
        liver=liver,
        liver_texture=Waves.random(rng, (2.0, 40.0), 24),
        liver_texture_db=float(rng.uniform(0.8, 2.0)),
        caudal=caudal,
        bowel_texture=Waves.random(rng, (5 * body, 60 * body), 26),
        surface_texture=Waves.random(rng, (18 * body, 90 * body)),
        diaphragm_db=float(rng.uniform(13, 21)),
        wall_mm=wall,
        vessels=random_vessels(rng, liver, body),
        fleck_share=float(rng.uniform(0.0, 0.008)),
        organs=tuple(organs),
    )


def random_echo(rng: np.random.Generator) -> Echo:
    """How a lesion looks; hypoechoic is the commonest."""
    return Echo(str(rng.choice([e.value for e in Echo], p=[0.38, 0.28, 0.24, 0.10])))


def random_lesion(
    rng: np.random.Generator,
    name: str,
    centre: Vector,
    mean_radius_mm: float,
    contrast_db: float | None = None,
    echo: Echo | None = None,
) -> PhantomLesion:
    """A focal lesion of random shape; ``contrast_db`` and ``echo`` set how it stands out, else that is random too.

    Parameters
    ----------
    rng
        Where shape and looks come from.
    name
        Name of the lesion.
    centre
        (X, Y, Z) in mm, patient axes.
    mean_radius_mm
        Radius of the ball of the same volume, before the shape is roughened.
    contrast_db
        Echo level against the liver; None: random.
    echo
        How the lesion looks; None: random.
    """
    stretch = np.exp(rng.normal(0, 0.16, 3))
    radii = mean_radius_mm * stretch / np.cbrt(stretch.prod())
    shape = StarShape.random(rng, centre, radii, float(rng.uniform(0.02, 0.10)))
    if echo is None:
        echo = random_echo(rng)
    strength = float(2.0 + 7.0 * rng.beta(1.3, 1.8) if contrast_db is None else abs(contrast_db))
    level = {Echo.HYPO: -strength, Echo.HYPER: strength, Echo.MIXED: float(rng.normal(0, 2.5))}.get(echo, strength / 2)
    if echo is Echo.MIXED and contrast_db is not None:
        level = contrast_db
    base = PhantomLesion(
        name,
        shape,
        echo,
        contrast_db=level,
        texture=Waves.random(rng, (0.15 * mean_radius_mm + 1.0, 1.8 * mean_radius_mm + 3), 40),
        texture_db=float(rng.uniform(2.5, 5.0) if echo is Echo.MIXED else rng.uniform(0.8, 3.4)),
        border_mm=float(0.4 + (0.1 * mean_radius_mm + 2.0) * rng.beta(1.0, 2.0)),
        loss_db_per_mm=float(rng.uniform(-0.10, 0.10)),
    )
    return _with_details(rng, base, mean_radius_mm)


def _with_details(rng: np.random.Generator, lesion: PhantomLesion, mean_radius_mm: float) -> PhantomLesion:
    """Halo, capsule, core and calcification, each in a share of the lesions; none in one that hardly stands out."""
    if abs(lesion.contrast_db) < 2 and lesion.echo in (Echo.HYPO, Echo.HYPER):
        return replace(lesion, texture_db=min(lesion.texture_db, 0.8))
    if lesion.echo is Echo.TARGET or (lesion.echo is Echo.MIXED and rng.random() < 0.4) or rng.random() < 0.15:
        halo = -lesion.contrast_db - rng.uniform(3, 8) if lesion.contrast_db > -2 else rng.uniform(3, 8)
        lesion = replace(lesion, rim_db=float(halo), rim_mm=float(rng.uniform(0.08, 0.2) * mean_radius_mm + 0.4))
    if rng.random() < 0.3 and mean_radius_mm > 6:
        lesion = replace(lesion, core_db=float(rng.uniform(-9, 7)), core_share=float(rng.uniform(0.25, 0.55)))
    if rng.random() < 0.12:
        stones = tuple(
            ((float(a), float(b), float(c)), float(rng.uniform(0.5, 1.6)))
            for a, b, c in rng.uniform(-0.5, 0.5, (int(rng.integers(1, 4)), 3))
        )
        lesion = replace(lesion, stones=stones)
    return lesion
