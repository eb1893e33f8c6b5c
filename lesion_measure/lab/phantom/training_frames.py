"""Random pictures with their outlines, for training a network: everything that can vary, varies."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lesion_measure.lab.phantom.acoustics import ScanView, render
from lesion_measure.lab.phantom.anatomy import random_lesion, random_scene
from lesion_measure.lab.phantom.beams import Probe, Screen
from lesion_measure.lab.phantom.machines import random_machine, random_probe
from lesion_measure.lab.phantom.scene import Scene
from lesion_measure.lab.phantom.screen import random_marks
from lesion_measure.lab.phantom.shapes import ScanPlane, Vector

TrainingFrame = tuple[NDArray[np.uint8], NDArray[np.uint8], tuple[float, float]]


def _random_screen(rng: np.random.Generator, probe: Probe, depth_mm: float, size: tuple[int, int]) -> Screen:
    """The fan somewhere on the picture, at times a little cut off; pixels are at times not square."""
    margin = np.array([size[0], size[1], -size[0], -size[1]]) * rng.uniform(-0.03, 0.13)
    shift = np.tile(rng.uniform(-0.5, 0.5, 2) * np.abs(margin[:2]), 2)
    top, left, bottom, right = (np.array([0.0, 0.0, size[0], size[1]]) + margin + shift).tolist()
    return Screen.fitted(probe, depth_mm, size, (top, left, bottom, right), float(np.exp(rng.normal(0, 0.06))))


def _random_plane(rng: np.random.Generator, body: float) -> ScanPlane:
    turn, rock = rng.uniform(0, 2 * np.pi), np.radians(rng.normal(0, 14))
    lateral = np.array([np.cos(turn), np.sin(turn), 0.0])
    out = np.array([-np.sin(turn), np.cos(turn), 0.0])
    depth = np.cos(rock) * np.array([0.0, 0.0, 1.0]) + np.sin(rock) * out
    origin = np.array([*(rng.normal(0, 16, 2) * body), 0.0])
    return ScanPlane(origin, lateral, depth).tilted(float(rng.normal(0, 16)))


def _add_lesions(rng: np.random.Generator, scene: Scene, view: ScanView, body: float) -> Scene:
    """One to four lesions whose centres lie near the plane, inside the liver and the fan."""
    count = int(rng.choice([1, 2, 3, 4], p=[0.68, 0.18, 0.09, 0.05]))
    probe, depth = view.probe, view.machine.depth_mm
    for index in range(count):
        radius = float(np.exp(rng.uniform(np.log(3.2), np.log(46 if count == 1 else 18)))) * max(body, 0.6)
        for _ in range(60):
            radius *= 0.985
            angle = rng.uniform(-0.85, 0.85) * probe.half_angle
            way = probe.radius_mm + rng.uniform(scene.wall_mm + 0.6 * radius, 0.92 * depth)
            centre = (
                view.plane.to_patient(way * np.sin(angle), way * np.cos(angle) - probe.radius_mm).astype(np.float64)
                + rng.uniform(-0.6, 0.6) * radius * view.plane.normal
            )
            if _is_free(scene, centre, radius):
                scene = replace(scene, lesions=(*scene.lesions, random_lesion(rng, f"L{index + 1}", centre, radius)))
                break
    return scene


def _is_free(scene: Scene, centre: Vector, radius: float) -> bool:
    if scene.liver.distance(centre[None])[0][0] > -0.6 * radius:
        return False
    others = [(o.shape.centre, o.shape.reach_mm) for o in scene.organs]
    others += [(lesion.shape.centre, lesion.shape.reach_mm) for lesion in scene.lesions]
    return all(np.linalg.norm(centre - place) > reach + radius for place, reach in others)


def random_training_frame(
    rng: np.random.Generator, size: tuple[int, int] = (384, 384), lesion_free: float = 0.18
) -> TrainingFrame:
    """One random liver picture with the outline of its lesions.

    Parameters
    ----------
    rng
        Source of everything random: the same generator state gives the same picture.
    size
        (rows, columns) of the picture.
    lesion_free
        Share of pictures without a lesion.

    Returns
    -------
    image
        uint8 (rows, columns); half of them carry a screen's text and marks around the fan.
    mask
        uint8 (rows, columns), 1 where a lesion covers at least half of the pixel inside the fan.
    spacing_mm
        (row, column).
    """
    body = float(rng.uniform(0.42, 1.2))
    probe, machine = random_probe(rng, body), random_machine(rng, body)
    screen = _random_screen(rng, probe, machine.depth_mm, size)
    scene = random_scene(rng, body)
    view = ScanView(_random_plane(rng, body), probe, machine, screen)
    if rng.random() >= lesion_free:
        scene = _add_lesions(rng, scene, view, body)
    image = render(scene, view, rng)
    covered = np.zeros(size, np.float32)
    for lesion in scene.lesions:
        covered = np.maximum(covered, screen.coverage(lesion.shape, view.plane))
    mask = ((covered >= 0.5) & screen.fan(probe, machine.depth_mm)).astype(np.uint8)
    if rng.random() < 0.5:
        image = np.maximum(image, random_marks(rng, view))
    return image, mask, screen.spacing_mm
