"""Simulated children: where their lesions lie, how each visit's pictures are taken, and what is true of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from lesion_measure.lab.phantom.acoustics import Machine, ScanView, Scatterers, render
from lesion_measure.lab.phantom.anatomy import random_echo, random_lesion, random_scene
from lesion_measure.lab.phantom.beams import Probe
from lesion_measure.lab.phantom.files import Encoding
from lesion_measure.lab.phantom.machines import random_machine, random_probe
from lesion_measure.lab.phantom.scene import Echo, PhantomLesion, Scene
from lesion_measure.lab.phantom.screen import Layout, ScreenPixels
from lesion_measure.lab.phantom.shapes import OutlineAxes, ScanPlane, StarShape, Vector, measure_outline
from lesion_measure.lab.phantom.visits import visit_seed
from lesion_measure.records import Plane

_DEPTH = np.array([0.0, 0.0, 1.0])
LATERAL = {Plane.TRANSVERSE: np.array([1.0, 0.0, 0.0]), Plane.SAGITTAL: np.array([0.0, 1.0, 0.0])}
"""Direction to the right of the screen. Both planes share the depth direction."""
_MARGIN_MM = 2.5


@dataclass(frozen=True, slots=True)
class LesionPlan:
    """Mean radius, what every diameter is multiplied by at each visit, contrast and look.

    A factor is 1 at baseline, and 0 where the lesion is gone or not there yet. Where ``echo`` is None all lesions of
    the child share a random one.
    """

    mean_radius_mm: float
    factors: Mapping[str, float]
    contrast_db: float | None = None
    echo: Echo | None = None


@dataclass(frozen=True, slots=True)
class ChildPlan:
    """Everything that is decided about one child before its anatomy is drawn from ``seed``.

    ``cine_frames`` makes a multi-frame image of that length of the first lesion's transverse plane.
    """

    code: str
    seed: int
    body: float
    age_months: int
    sex: str
    lesions: tuple[LesionPlan, ...]
    dates: Mapping[str, date]
    encoding: Encoding
    layout: Layout
    name_visits: bool = True
    burnt_calipers: bool = False
    bar_region: bool = False
    cine_frames: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Exposure:
    """One picture: of which lesion, in which plane, at which visit, and the lesion's true axes there in mm.

    ``axes`` are in image coordinates (x, z) and None where the lesion is gone.
    """

    visit: str
    lesion: str
    plane: Plane
    scan: ScanPlane
    axes: OutlineAxes | None


@dataclass(frozen=True, slots=True, eq=False)
class Child:
    """A child whose anatomy is drawn: lesions at baseline size, and the exposures of all visits."""

    plan: ChildPlan
    scene: Scene
    probe: Probe
    machine: Machine
    lesions: tuple[PhantomLesion, ...]
    exposures: tuple[Exposure, ...]

    def shape(self, lesion: int, visit: str) -> StarShape | None:
        """The lesion's surface at a visit, or None where it is gone."""
        factor = self.plan.lesions[lesion].factors[visit]
        return self.lesions[lesion].shape.scaled(factor) if factor else None

    def at(self, visit: str) -> Scene:
        """The scene as it is at a visit."""
        there = [
            replace(lesion, shape=shape)
            for index, lesion in enumerate(self.lesions)
            if (shape := self.shape(index, visit)) is not None
        ]
        return replace(self.scene, lesions=tuple(there))

    def view(self, exposure: Exposure) -> ScanView:
        """How the picture of an exposure is taken; the gain differs a little from visit to visit."""
        rng = np.random.default_rng([self.plan.seed, 7, *visit_seed(exposure.visit)])
        machine = replace(self.machine, liver_gray=self.machine.liver_gray + float(rng.normal(0, 0.02)))
        screen = self.plan.layout.screen(self.probe, machine.depth_mm)
        return ScanView(exposure.scan, self.probe, machine, screen)

    def frames(self, exposure: Exposure, number: int) -> Iterator[ScreenPixels]:
        """The fan's picture or, for a cine, its frames: the probe drifts slowly through the plane of ``exposure``.

        Frame `measured_frame` lies in the plane itself.
        """
        seed = [self.plan.seed, 11, *visit_seed(exposure.visit), number]
        view, scene = self.view(exposure), self.at(exposure.visit)
        if not self.is_cine(exposure):
            yield render(scene, view, np.random.default_rng(seed))
            return
        grid = view.grid()
        scatterers = Scatterers(np.random.default_rng([*seed, 1]), view.machine.looks, grid.shape, scene.fleck_share)
        for frame in range(self.plan.cine_frames):
            away = frame + 1 - measured_frame(self.plan.cine_frames)
            moved = replace(view, plane=view.plane.moved(x_mm=0.08 * away, out_mm=0.25 * away))
            # The same seed each time: the contact of the probe and the abdominal wall do not flicker.
            yield render(scene, moved, np.random.default_rng(seed), scatterers)
            scatterers.drift(0.9)

    def is_cine(self, exposure: Exposure) -> bool:
        """True where the picture has several frames."""
        first = exposure.lesion == self.lesions[0].name and exposure.plane is Plane.TRANSVERSE
        return self.plan.cine_frames > 0 and first


def measured_frame(frames: int) -> int:
    """The frame (1-based) of a cine that shows the lesion's centre."""
    return frames // 2


def build_child(plan: ChildPlan) -> Child:
    """Draw anatomy, lesions and exposures until every lesion is whole in the liver and in the fan at every visit."""
    rng = np.random.default_rng([plan.seed, 3])
    body, shrink = plan.body, 1.0
    while True:
        scene, probe = random_scene(rng, body), random_probe(rng, body)
        lesions = _place_lesions(rng, plan, scene, shrink)
        if lesions is not None:
            machine = _machine(rng, plan, scene, lesions)
            exposures = _expose(rng, plan, lesions)
            if all(_is_seen_whole(exposure, probe, machine, scene, lesions, plan) for exposure in exposures):
                largest = [lesion.shape.scaled(max(p.factors.values())) for lesion, p in _pairs(lesions, plan)]
                seen = tuple(_measured(exposure, lesions, plan) for exposure in exposures)
                return Child(plan, scene.cleared(largest), probe, machine, lesions, seen)
        # A lesion too large for this liver becomes a little smaller, rather than never finding room.
        shrink *= 0.995


def _pairs(lesions: tuple[PhantomLesion, ...], plan: ChildPlan) -> Iterator[tuple[PhantomLesion, LesionPlan]]:
    return zip(lesions, plan.lesions, strict=True)


def _place_lesions(
    rng: np.random.Generator, plan: ChildPlan, scene: Scene, shrink: float
) -> tuple[PhantomLesion, ...] | None:
    placed: list[PhantomLesion] = []
    echo = random_echo(rng)
    spheres: list[tuple[Vector, float]] = []
    for index, wanted in enumerate(plan.lesions):
        for _ in range(20):
            centre = scene.liver.centre + rng.uniform(-0.75, 0.75, 3) * scene.liver.radii_mm
            radius = wanted.mean_radius_mm * shrink
            lesion = random_lesion(rng, f"L{index + 1}", centre, radius, wanted.contrast_db, wanted.echo or echo)
            largest = lesion.shape.scaled(max(wanted.factors.values()))
            apart = all(np.linalg.norm(centre - c) > r + largest.reach_mm + 2 for c, r in spheres)
            if apart and _is_inside(largest, scene):
                placed.append(lesion)
                spheres.append((centre, largest.reach_mm))
                break
        else:
            return None
    return tuple(placed)


def _is_inside(shape: StarShape, scene: Scene) -> bool:
    """True where the whole surface lies in the liver, below the abdominal wall."""
    turns = np.arange(200) * np.pi * (3 - np.sqrt(5))
    heights = (np.arange(200) + 0.5) / 100 - 1
    flat = np.sqrt(1 - heights**2)
    directions = np.stack([flat * np.cos(turns), flat * np.sin(turns), heights], axis=1)
    surface = shape.centre + directions * shape.radius(directions)[:, None]
    inside = scene.liver.distance(surface)[0].max() < -_MARGIN_MM
    return bool(inside and surface[:, 2].min() > 1.2 * scene.wall_mm + _MARGIN_MM)


def _machine(rng: np.random.Generator, plan: ChildPlan, scene: Scene, lesions: tuple[PhantomLesion, ...]) -> Machine:
    """Settings with which every lesion can be seen: deep enough, contact not too poor."""
    machine = random_machine(rng, plan.body)
    deepest = max(
        lesion.shape.centre[2] + lesion.shape.reach_mm * max(p.factors.values()) for lesion, p in _pairs(lesions, plan)
    )
    liver_end = scene.liver.centre[2] + scene.liver.radii_mm[2]
    left, right = (min(loss, 7.0) for loss in machine.edge_loss_db)
    return replace(
        machine,
        depth_mm=float(np.ceil(max(1.1 * deepest + 6, liver_end * rng.uniform(0.9, 1.1)) / 5) * 5),
        noise_db=min(machine.noise_db, -16.0),
        edge_loss_db=(left, right),
        liver_gray=min(machine.liver_gray, 0.47),
        looks=max(machine.looks, 2),
        pedestal=0,
    )


def _expose(rng: np.random.Generator, plan: ChildPlan, lesions: tuple[PhantomLesion, ...]) -> tuple[Exposure, ...]:
    """Both planes of each lesion at each visit from its first on; the probe is never put down twice alike."""
    exposures = []
    known: set[str] = set()
    for visit in plan.dates:
        known |= {lesion.name for lesion, planned in _pairs(lesions, plan) if planned.factors[visit]}
        for lesion in (each for each in lesions if each.name in known):
            for plane, lateral in LATERAL.items():
                over = lesion.shape.centre * np.array([1.0, 1.0, 0.0])
                scan = ScanPlane(over, lateral, _DEPTH).moved(x_mm=float(rng.uniform(-9, 9) * plan.body))
                exposures.append(Exposure(visit, lesion.name, plane, scan.tilted(float(rng.uniform(-9, 9))), None))
    return tuple(exposures)


def _measured(exposure: Exposure, lesions: tuple[PhantomLesion, ...], plan: ChildPlan) -> Exposure:
    """The exposure with the true axes of its lesion."""
    index = [lesion.name for lesion in lesions].index(exposure.lesion)
    factor = plan.lesions[index].factors[exposure.visit]
    outline = lesions[index].shape.scaled(factor).outline(exposure.scan) if factor else None
    return exposure if outline is None else replace(exposure, axes=measure_outline(outline))


def _is_seen_whole(
    exposure: Exposure,
    probe: Probe,
    machine: Machine,
    scene: Scene,
    lesions: tuple[PhantomLesion, ...],
    plan: ChildPlan,
) -> bool:
    """True where the lesion, at its largest, lies within the fan and below the abdominal wall of this picture."""
    index = [lesion.name for lesion in lesions].index(exposure.lesion)
    largest = lesions[index].shape.scaled(max(plan.lesions[index].factors.values()))
    outline = largest.outline(exposure.scan, 180)
    if outline is None:
        return False
    below = outline[:, 1] + probe.radius_mm
    ranges = np.hypot(outline[:, 0], below) - probe.radius_mm
    sideways = (probe.half_angle - np.abs(np.arctan2(outline[:, 0], below))) * (ranges + probe.radius_mm)
    return bool(
        ranges.min() > 1.15 * scene.wall_mm + _MARGIN_MM
        and ranges.max() < machine.depth_mm - _MARGIN_MM
        and sideways.min() > _MARGIN_MM
    )
