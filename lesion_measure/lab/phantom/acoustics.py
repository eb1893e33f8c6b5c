"""From tissue to picture: scatterers, point-spread function, attenuation, noise, compression, scan conversion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from lesion_measure.lab.phantom.beams import BeamGrid, Probe, Screen
from lesion_measure.lab.phantom.scene import Scene, Tissue, bump, ramp
from lesion_measure.lab.phantom.shapes import Array, Floats, ScanPlane

_FWHM = 2.3548
_GRAY = 255


@dataclass(frozen=True, slots=True)
class Machine:
    """Settings of the scanner.

    ``depth_mm`` of the fan; ``dynamic_range_db`` mapped onto 0..255; ``liver_gray`` (0..1) the gray of average liver
    in mid-field; ``gamma`` of the gray map; ``gain_slope_db`` from the face to full depth, the error of the time gain
    compensation; ``noise_db`` electronic noise at full depth relative to liver; ``looks`` independent pictures that
    are averaged (spatial compounding); ``edge_loss_db`` lost at the outermost beams by poor contact; ``smooth_px`` the
    machine's speckle filter, in samples; ``pedestal`` gray level of no echo within the fan.
    """

    depth_mm: float
    dynamic_range_db: float = 60.0
    liver_gray: float = 0.36
    gamma: float = 1.0
    gain_slope_db: float = 0.0
    noise_db: float = -24.0
    looks: int = 2
    edge_loss_db: tuple[float, float] = (3.0, 3.0)
    smooth_px: float = 0.6
    pedestal: int = 0


class Scatterers:
    """The random scatterers of one image: complex white noise, one layer for each look.

    ``strong_share`` of the samples hold a strong reflector besides, the same in every look: the flecks of real tissue.
    Without them the speckle is fully developed.
    """

    def __init__(self, rng: np.random.Generator, looks: int, shape: tuple[int, int], strong_share: float = 0.0) -> None:
        self._rng = rng
        self.layers = self.draw((looks, *shape))
        count = rng.binomial(shape[0] * shape[1], strong_share)
        self.strong = np.zeros(shape, np.complex64)
        places = rng.integers(0, self.strong.size, count)
        strength = 3 + 9 * rng.random(count, np.float32) ** 2
        self.strong.flat[places] = strength * np.exp(2j * np.pi * rng.random(count))

    def draw(self, shape: tuple[int, ...]) -> NDArray[np.complex64]:
        """Complex white noise of unit power."""
        parts = self._rng.standard_normal((*shape, 2), np.float32) * np.float32(np.sqrt(0.5))
        return parts.view(np.complex64)[..., 0]

    def drift(self, kept: float) -> None:
        """The next frame of a cine: a share ``kept`` of the scatterers stays (correlation of successive frames)."""
        self.layers = np.float32(kept) * self.layers + np.float32(np.sqrt(1 - kept**2)) * self.draw(self.layers.shape)


def blur(field: NDArray[np.complex64], grid: BeamGrid) -> NDArray[np.complex64]:
    """Convolve with the point-spread function: Gaussian along the beam, and across it with the width of each depth.

    White noise of unit power keeps unit power. Applied in the frequency domain, with beams mirrored at the edges of
    the fan so that the two sides do not mix.
    """
    probe = grid.probe
    axial = probe.axial_fwhm_mm / _FWHM / grid.step_mm
    kernel = np.exp(-0.5 * (np.arange(-int(4 * axial) - 1, int(4 * axial) + 2) / axial) ** 2)
    kernel = (kernel / np.sqrt((kernel**2).sum())).astype(np.float32)
    out = np.empty_like(field)
    for part in (np.real, np.imag):
        target = part(out)
        target[...] = ndimage.convolve1d(part(field), kernel, axis=0, mode="reflect")
    pad = min(32, grid.shape[1] - 1)
    padded = np.pad(out, ((0, 0), (pad, pad)), mode="reflect")
    width = fft.next_fast_len(padded.shape[1])
    spacing = float(grid.angles[1] - grid.angles[0]) * (probe.radius_mm + grid.ranges.astype(np.float64))
    sigma = np.maximum(probe.lateral_fwhm_mm(grid.ranges.astype(np.float64)) / _FWHM / spacing, 0.35)
    frequency = fft.fftfreq(width)
    response = np.exp(-2 * (np.pi * sigma[:, None] * frequency) ** 2)
    response /= np.sqrt((response**2).mean(axis=1, keepdims=True))
    spectrum = fft.fft(padded, width, axis=1)
    spectrum *= response.astype(np.float32)
    return np.asarray(fft.ifft(spectrum, axis=1, overwrite_x=True)[:, pad : pad + grid.shape[1]], np.complex64)


def _streaks(rng: np.random.Generator, grid: BeamGrid, rows: int, along_mm: float, across_mm: float) -> Array:
    """Unit-variance noise drawn out along the probe's face, for the first ``rows`` ranges."""
    noise = rng.standard_normal((rows, grid.shape[1]), np.float32)
    per_beam = float(grid.angles[1] - grid.angles[0]) * grid.probe.radius_mm
    noise = ndimage.gaussian_filter(noise, (along_mm / grid.step_mm, across_mm / per_beam), mode="nearest")
    return np.asarray(noise / (noise.std() + np.float32(1e-6)), np.float32)


def add_abdominal_wall(tissue: Tissue, grid: BeamGrid, wall_mm: float, rng: np.random.Generator) -> None:
    """Skin, fat, muscle with fascia and the liver's capsule; they follow the face that presses on them."""
    rows = slice(0, min(int((wall_mm * 1.6 + 4) / grid.step_mm) + 1, grid.shape[0]))
    depth = grid.ranges[rows, None]
    side = grid.angles / np.float32(grid.probe.half_angle)
    sway = ndimage.gaussian_filter1d(rng.standard_normal(grid.shape[1]), grid.shape[1] / 9)
    sway = (0.05 * sway / (sway.std() + 1e-6)).astype(np.float32) + np.float32(rng.uniform(-0.15, 0.15)) * side
    place = depth / np.float32(wall_mm) * (1 + sway)
    streaks = _streaks(rng, grid, rows.stop, 0.35, 7.0)
    fat_end = rng.uniform(0.3, 0.6)
    fat, muscle = rng.uniform(-3, 4), rng.uniform(-7, 0)
    level = fat + (muscle - fat) * ramp(place - fat_end, 0.1) + rng.uniform(2.5, 5.0) * streaks
    lines = [(fat_end, rng.uniform(4, 9))] + [(rng.uniform(0.15, 0.95), rng.uniform(2, 8)) for _ in range(3)]
    for where, strength in lines:
        level = level + np.float32(strength) * bump((place - where) * wall_mm, 0.45) * (1 + 0.5 * streaks)
    block = (rows, slice(None))
    tissue.paint(block, ramp(1 - place, 0.08), level)
    capsule = np.float32(rng.uniform(3, 9)) * bump((place - 1) * wall_mm, 0.5) * np.clip(1 + 0.6 * streaks, 0, None)
    tissue.echo_db[block] += capsule
    skin = np.float32(rng.uniform(6, 14)) * (bump(depth - 0.6, 0.35) + 0.6 * bump(depth - rng.uniform(1.6, 2.4), 0.3))
    tissue.echo_db[block] += skin - np.float32(rng.uniform(0, 8)) * ramp(2.5 - depth, 2.0)


def _contact_db(machine: Machine, grid: BeamGrid, rng: np.random.Generator) -> Array:
    """Level of each beam: uneven contact, ribs at the sides."""
    side = grid.angles / np.float32(grid.probe.half_angle)
    uneven = ndimage.gaussian_filter1d(rng.standard_normal(grid.shape[1]), grid.shape[1] / 14)
    left, right = machine.edge_loss_db
    loss = left * ramp(-side - 0.72, 0.5) + right * ramp(side - 0.72, 0.5)
    return np.asarray(1.2 * uneven / (uneven.std() + 1e-6) - loss, np.float32)


def _travel_db(tissue: Tissue, grid: BeamGrid, machine: Machine, rng: np.random.Generator) -> Array:
    """Level that each sample has left after the way to it, relative to perfectly compensated liver."""
    loss = np.cumsum(tissue.loss_db_per_mm, axis=0, dtype=np.float32) * np.float32(grid.step_mm)
    loss = ndimage.uniform_filter1d(loss, 5, axis=1, mode="nearest")
    share = grid.ranges / np.float32(machine.depth_mm)
    knobs = np.interp(share, np.linspace(0, 1, 7), ndimage.gaussian_filter1d(rng.normal(0, 2.0, 7), 0.8))
    slope = machine.gain_slope_db * (share - 0.4)
    gain = (knobs + slope).astype(np.float32)[:, None]
    return np.asarray(gain + _contact_db(machine, grid, rng) - np.clip(loss, -9, 60), np.float32)


def envelope(
    tissue: Tissue, grid: BeamGrid, machine: Machine, scatterers: Scatterers, rng: np.random.Generator
) -> Array:
    """Received amplitude (ranges, beams); fully developed speckle of average liver has mean power 1.

    Parameters
    ----------
    tissue
        Echo level and loss on the grid.
    grid
        The beams and their ranges.
    machine
        Settings of the scanner.
    scatterers
        The random scatterers of this image.
    rng
        Where the noise comes from.
    """
    travel = _travel_db(tissue, grid, machine, rng)
    amplitude = np.exp((tissue.echo_db + travel) * np.float32(np.log(10) / 20))
    mirror = tissue.mirror * np.exp(travel * np.float32(np.log(10) / 20))
    share = grid.ranges[:, None] / np.float32(machine.depth_mm)
    noise = np.float32(10 ** (machine.noise_db / 20)) * np.exp((share - 1) * np.float32(2.3))
    power = np.zeros(grid.shape, np.float32)
    for layer in scatterers.layers:
        # A smooth interface returns in step; part of it still scatters.
        echo = blur((layer + scatterers.strong) * amplitude + mirror * np.float32(0.35), grid)
        echo += noise * scatterers.draw(grid.shape)
        power += echo.real**2 + echo.imag**2
    return np.asarray(np.sqrt(power / np.float32(len(scatterers.layers))), np.float32)


def compress(received: Floats, machine: Machine) -> Array:
    """Logarithmic compression to gray levels 0..255 (float32)."""
    level = 20 * np.log10(received + np.float32(1e-6)) / np.float32(machine.dynamic_range_db)
    unit = np.clip(level + np.float32(machine.liver_gray), 0, 1) ** np.float32(machine.gamma)
    return np.asarray(machine.pedestal + unit * np.float32(_GRAY - machine.pedestal), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class ScanView:
    """How one picture is taken: plane, probe, machine, and the fan's place on the screen."""

    plane: ScanPlane
    probe: Probe
    machine: Machine
    screen: Screen

    def grid(self) -> BeamGrid:
        """The beams of this view."""
        return BeamGrid(self.probe, self.plane, self.machine.depth_mm, min(self.screen.spacing_mm))


def render(
    scene: Scene, view: ScanView, rng: np.random.Generator, scatterers: Scatterers | None = None
) -> NDArray[np.uint8]:
    """The B-mode picture (rows, columns) of a scene, black outside the fan.

    ``scatterers`` are passed where successive frames share them; ``rng`` draws everything else that is random.
    """
    grid = view.grid()
    tissue = scene.sample(grid)
    add_abdominal_wall(tissue, grid, scene.wall_mm, rng)
    if scatterers is None:
        scatterers = Scatterers(rng, view.machine.looks, grid.shape, scene.fleck_share)
    gray = compress(envelope(tissue, grid, view.machine, scatterers, rng), view.machine)
    if view.machine.smooth_px:
        gray = ndimage.gaussian_filter(gray, view.machine.smooth_px)
    return np.asarray(np.rint(view.screen.convert(grid, gray)), np.uint8)
