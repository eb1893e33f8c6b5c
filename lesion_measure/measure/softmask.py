"""The sub-pixel outline of a soft mask: its 0.5 contour, corrected where the values are pixel coverage.

The 0.5 contour drawn by linear interpolation is the definition. Where a map is as sharp as its pixels allow, so that
each value is the share of its pixel that the lesion covers, linear interpolation is off by up to 0.09 pixels along a
side and cuts 0.3 pixels from a right-angled corner. There the outline is adjusted until the coverage computed from it,
exactly, is the coverage that was given. How well that succeeds is the test of whether the map was one: where it does
not succeed (blurred, or a network's wide and noisy edge) the plain contour stands, untouched, so no noise is amplified.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lesion_measure.measure import geometry
from lesion_measure.measure.corners import Corner, find_corners, with_corners

Floats = NDArray[np.float64]

STEP_PX = 0.6
STIFFNESS = 0.3
ROUNDS = 3
GRADIENT_STEPS = 12
MAX_SHIFT_PX = 0.3
# sum of p (1 - p) per pixel of outline: pixel coverage gives 0.15-0.19 at any angle, a blurred edge more
TRUSTED_DOUBT = 0.21
REJECTED_DOUBT = 0.25
# root mean square difference of given and computed coverage, in the pixels that the outline crosses
TRUSTED_MISFIT = 0.03
REJECTED_MISFIT = 0.05

CORNER_GAP_PX = 1.5
CORNER_ARM_PX = 4.0
CORNER_BOW_PX = 0.06
CORNER_REACH_PX = 2
CORNER_GAIN = 0.7


def refined_outline(values: Floats, contour: Floats) -> Floats:
    """The 0.5 contour, moved to agree with the values as pixel coverage as far as they are one.

    Parameters
    ----------
    values
        (rows, columns) in 0..1, one filled part, with at least one free pixel on every side.
    contour
        (n, 2) its plain 0.5 contour, positive area.
    """
    trust = _fade(edge_doubt(values, contour), TRUSTED_DOUBT, REJECTED_DOUBT)
    if trust == 0.0:
        return contour
    start = geometry.resampled(contour, STEP_PX)
    fitted = _fit(values, start, [])
    trust *= _fade(_misfit(values, fitted), TRUSTED_MISFIT, REJECTED_MISFIT)
    if trust == 0.0:
        return contour
    if trust < 1.0:
        return start + trust * (fitted - start)
    return _with_confirmed_corners(values, fitted)


def edge_doubt(values: Floats, contour: Floats) -> float:
    """Width of the edge: the sum of p (1 - p) per pixel of outline. 0 for a hard mask."""
    return float(np.sum(values * (1 - values))) / geometry.perimeter(contour)


def _fade(value: float, trusted: float, rejected: float) -> float:
    return float(np.clip((rejected - value) / (rejected - trusted), 0.0, 1.0))


@dataclass(frozen=True, slots=True)
class _Rendered:
    """A polygon's exact pixel coverage and how it answers to displacements of the vertices.

    ``residual`` is given minus computed coverage of every pixel, flat; ``crossed`` the pixels that the outline crosses
    and ``slot`` the place of each piece's pixel among them.
    """

    residual: Floats
    pieces: geometry.Pieces
    crossed: NDArray[np.intp]
    slot: NDArray[np.intp]

    def pixels(self, shift: Floats) -> Floats:
        """Change of the crossed pixels' coverage by displacements of the vertices along their normals."""
        edge, middle = self.pieces.edge, self.pieces.middle
        there = shift[edge] * (1 - middle) + np.roll(shift, -1)[edge] * middle
        return geometry.summed(self.slot, self.pieces.length * there, len(self.crossed))

    def vertices(self, pixels: Floats, count: int) -> Floats:
        """The transpose of `pixels`: what the crossed pixels ask of each vertex."""
        pull = self.pieces.length * pixels[self.slot]
        first = geometry.summed(self.pieces.edge, pull * (1 - self.pieces.middle), count)
        return first + np.roll(geometry.summed(self.pieces.edge, pull * self.pieces.middle, count), 1)


def _render(values: Floats, outline: Floats) -> _Rendered:
    shape = (values.shape[0], values.shape[1])
    pieces = geometry.pixel_pieces(outline, shape)
    crossed, slot = np.unique(pieces.pixel, return_inverse=True)
    return _Rendered(values.ravel() - geometry.coverage(pieces, shape), pieces, crossed, slot)


def _fit(values: Floats, outline: Floats, corners: list[int]) -> Floats:
    """Gauss-Newton: move the vertices along their normals until the coverage fits; the count of vertices stays."""
    for _ in range(ROUNDS):
        rendered = _render(values, outline)
        shift = np.clip(_step(rendered, len(outline), corners), -MAX_SHIFT_PX, MAX_SHIFT_PX)
        outline = outline + geometry.outward_normals(outline) * shift[:, None]
    return outline


def _step(rendered: _Rendered, count: int, corners: list[int]) -> Floats:
    """Conjugate gradients on the normal equations; few steps, which also keeps noise out."""
    free = np.ones(count)
    free[corners] = 0.0

    def normal(shift: Floats) -> Floats:
        bend = free * (np.roll(shift, 1) - 2 * shift + np.roll(shift, -1))
        stiff = np.roll(bend, 1) - 2 * bend + np.roll(bend, -1)
        return rendered.vertices(rendered.pixels(shift), count) + STIFFNESS * stiff

    shift = np.zeros(count)
    rest = rendered.vertices(rendered.residual[rendered.crossed], count)
    direction, power = rest, float(rest @ rest)
    enough = 1e-6 * power
    for _ in range(GRADIENT_STEPS):
        if power <= enough:
            break
        answer = normal(direction)
        length = power / float(direction @ answer)
        shift = shift + length * direction
        rest = rest - length * answer
        before, power = power, float(rest @ rest)
        direction = rest + (power / before) * direction
    return shift


def _misfit(values: Floats, outline: Floats) -> float:
    rendered = _render(values, outline)
    return float(np.sqrt(np.mean(rendered.residual[rendered.crossed] ** 2)))


def _with_confirmed_corners(values: Floats, fitted: Floats) -> Floats:
    """Put a vertex at each corner that makes the computed coverage fit clearly better around it."""
    corners = find_corners(fitted, gap_px=CORNER_GAP_PX, arm_px=CORNER_ARM_PX, bow_px=CORNER_BOW_PX)
    plain = _render(values, fitted).residual.reshape(values.shape)
    while corners:
        outline, indices = with_corners(fitted, corners, gap_px=CORNER_GAP_PX, step_px=STEP_PX)
        outline = _fit(values, outline, indices)
        kinked = _render(values, outline).residual.reshape(values.shape)
        kept = [c for c in corners if _around(kinked, c) < CORNER_GAIN * _around(plain, c)]
        if len(kept) == len(corners):
            return outline
        corners = kept
    return fitted


def _around(residual: Floats, corner: Corner) -> float:
    row, col = (round(float(x)) for x in corner.point)
    reach = CORNER_REACH_PX
    rows = slice(max(row - reach, 0), row + reach + 1)
    cols = slice(max(col - reach, 0), col + reach + 1)
    return float(np.sum(residual[rows, cols] ** 2))
