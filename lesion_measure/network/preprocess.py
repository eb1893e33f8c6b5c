"""The one way an image enters the network and its answer comes back, shared by training and inference.

`window` says what is shown; here it becomes the network's input, and the network's answer the image's own pixels again.
All are arrays, whatever computes the network. Pixel centres are integer coordinates on both grids, so edges lie at -0.5
and size - 0.5.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, TypeVar

import numpy as np
import scipy
from numpy.typing import NDArray

from lesion_measure.network.ellipse import suggested_ellipse
from lesion_measure.network.window import CaliperLine, Preprocessing, Window

if TYPE_CHECKING:
    from torch import Tensor

Floats = NDArray[np.float32]
Array = TypeVar("Array", Floats, "Tensor")

NETWORK_CHANNELS = 2
MIN_WIDTH = 0.2
"""Least short over long axis of the ellipse that calipers suggest."""
TRUNCATE = 3.0
"""Where Gaussians end, in SDs."""
_BAND = 16
"""Rows of weights that are applied at once: more of them weigh more lines by nothing, fewer take more calls."""
_BEYOND = 2
"""Pixels beyond its edge that cubic convolution weighs of an image."""
_CUBIC = -0.75
"""The parameter of cubic convolution (Keys 1981, IEEE Trans Acoust 29:1153), as PyTorch and OpenCV choose it."""


def _smooth(channels: Floats, sigma: float) -> Floats:
    """Channels (C, H, W) after a Gaussian of ``sigma`` pixels, edges repeated; a narrow one changes nothing."""
    if sigma < 0.1:
        return channels
    smoothed = np.empty_like(channels)
    for one, out in zip(channels, smoothed, strict=True):
        scipy.ndimage.gaussian_filter(one, sigma, mode="nearest", truncate=TRUNCATE, output=out)
    return smoothed


def _aperture_sigma(ratio: float) -> float:
    """SD, in fine pixels, of the blur that a pixel ``ratio`` times wider than the fine one applies to them."""
    return math.sqrt(max(ratio * ratio - 1, 0.0) / 12)


def sample_window(channels: Floats, window: Window) -> Floats:
    """Channels (C, rows, columns) as the network's grid sees them, (C, size, size) float32; zero outside the image.

    A coarser grid sees each pixel's mean, not a point of it, so that masks become coverage and speckle does not alias.
    """
    sigma = _aperture_sigma(window.scale)
    rows, cols = window.bounds(channels.shape[-2:], margin=3 * sigma + 2)
    if rows.start >= rows.stop or cols.start >= cols.stop:
        return np.zeros((channels.shape[0], window.size, window.size), dtype=np.float32)
    part = channels[:, rows, cols]
    matrix, offset = window.affine()
    if not (matrix[0, 1] or matrix[1, 0]):
        # Rows, then columns: only the samples are smoothed, and not the whole picture.
        down, across = (
            _linear_matrix(offset[axis] - side.start + matrix[axis, axis] * np.arange(window.size), length, sigma)
            for axis, side, length in zip((0, 1), (rows, cols), part.shape[1:], strict=True)
        )
        return np.stack([_banded(across, _banded(down, one).T).T for one in part])
    part = _smooth(part, sigma)
    return _resampled(part, matrix, offset - (rows.start, cols.start), (window.size, window.size), "grid-constant")


def _resampled(
    channels: Floats,
    matrix: NDArray[np.float64],
    offset: NDArray[np.float64],
    shape: tuple[int, int],
    beyond: Literal["nearest", "grid-constant"],
) -> Floats:
    """Channels (C, H, W) at ``matrix @ place + offset`` of each place of a grid, bilinearly; (C, rows, columns).

    Parameters
    ----------
    channels
        What is sampled.
    matrix, offset
        From places (row, column) of the grid to places of the channels.
    shape
        Rows and columns of the grid.
    beyond
        How the channels go on beyond their edge: ``nearest`` or ``grid-constant`` (zero).
    """
    sampled = np.empty((len(channels), *shape), dtype=np.float32)
    for one, out in zip(channels, sampled, strict=True):
        scipy.ndimage.affine_transform(one, matrix, offset, output=out, order=1, mode=beyond, prefilter=False)
    return sampled


def _banded(weights: Floats, lines: Floats) -> Floats:
    """``weights @ lines``, (n, length) and (length, k), where each few rows weigh few lines that lie together."""
    made = np.zeros((len(weights), lines.shape[1]), dtype=np.float32)
    for first in range(0, len(weights), _BAND):
        some = weights[first : first + _BAND]
        used = np.flatnonzero(some.any(axis=0))
        if len(used):
            near = slice(used[0], used[-1] + 1)
            np.matmul(some[:, near], lines[near], out=made[first : first + _BAND])
    return made


def _linear_matrix(places: NDArray[np.float64], length: int, sigma: float) -> Floats:
    """Weights (n, length) that smooth a line as `_smooth` does and sample it at places, linearly, zero beyond it."""
    reach = int(TRUNCATE * sigma + 0.5) if sigma >= 0.1 else 0
    steps = np.arange(-reach, reach + 1)
    bell = np.exp(-0.5 * (steps / max(sigma, 0.1)) ** 2)
    bell /= bell.sum()
    first = np.floor(places).astype(np.intp)
    matrix = np.zeros(len(places) * length)
    for pixel, share in ((first, 1 - (places - first)), (first + 1, places - first)):
        weights = np.where((pixel >= 0) & (pixel < length), share, 0)[:, None] * bell
        columns = np.clip(pixel[:, None] + steps, 0, length - 1)
        # flat, since numpy adds to two axes at once several times as slowly
        np.add.at(matrix, (np.arange(len(places))[:, None] * length + columns).ravel(), weights.ravel())
    return matrix.reshape(len(places), length).astype(np.float32)


def normalise(sampled: Floats, preprocessing: Preprocessing) -> Floats:
    """A sampled image (size, size) in 0..1 as the network is given it; by default without mean and SD of its echoes."""
    if preprocessing.intensity != "normalised":
        return np.asarray(sampled * np.float32(255 if preprocessing.intensity == "grey" else 1), dtype=np.float32)
    bright = sampled[sampled > preprocessing.black_level].astype(np.float64)
    if bright.size < 16:
        return np.zeros_like(sampled)
    spread = max(float(bright.std(ddof=1)), 0.05)
    return np.asarray(np.clip((sampled - np.float32(bright.mean())) / np.float32(spread), -5, 5), dtype=np.float32)


def render_prompt(calipers: Sequence[CaliperLine], window: Window, preprocessing: Preprocessing) -> Floats:
    """The prompt map (size, size) in 0..1: a soft disc at each end of each caliper, a fainter line between them."""
    drawn = np.zeros((window.size, window.size), dtype=np.float32)
    grid = np.arange(window.size, dtype=np.float32)
    row, col = grid[:, None], grid[None, :]
    for line in calipers:
        ends = window.to_network(np.asarray(line, dtype=np.float64)).astype(np.float32)
        (r0, c0), (r1, c1) = ends
        length2 = max(float((r1 - r0) ** 2 + (c1 - c0) ** 2), 1e-6)
        along = np.clip(((row - r0) * (r1 - r0) + (col - c0) * (c1 - c0)) / np.float32(length2), 0, 1)
        distance2 = (row - r0 - along * (r1 - r0)) ** 2 + (col - c0 - along * (c1 - c0)) ** 2
        np.maximum(drawn, np.float32(0.5) * _bump(distance2, preprocessing.prompt_line_px), out=drawn)
        for end_row, end_col in ends:
            # a Gaussian around a point is that of its row times that of its column
            disc = _bump((row - end_row) ** 2, preprocessing.prompt_end_px) * _bump(
                (col - end_col) ** 2, preprocessing.prompt_end_px
            )
            np.maximum(drawn, disc, out=drawn)
    return drawn


def _bump(distance2: Floats, sd: float) -> Floats:
    return np.asarray(np.exp(distance2 * np.float32(-0.5 / sd**2)), dtype=np.float32)


def ellipse_logit(calipers: Sequence[CaliperLine], window: Window, preprocessing: Preprocessing) -> Floats:
    """The logit (size, size) of the ellipse that calipers suggest: ``ellipse_prior`` at its centre, 0 on its edge."""
    lines = [window.to_network(np.asarray(line, dtype=np.float64)) for line in calipers]
    lines.sort(key=lambda line: -float(np.hypot(*(line[1] - line[0]))))
    oval = suggested_ellipse(lines)
    oval = replace(oval, short_px=max(oval.short_px, MIN_WIDTH * oval.long_px))
    grid = np.arange(window.size, dtype=np.float64)
    logit = preprocessing.ellipse_prior * (1 - oval.radius(grid[:, None], grid[None]))
    return np.clip(logit, -preprocessing.logit_limit, preprocessing.logit_limit).astype(np.float32)


def assemble_input(
    sampled: Floats, calipers: Sequence[CaliperLine], window: Window, preprocessing: Preprocessing
) -> Floats:
    """What `logits_of` takes (2 or 3, size, size), from the image as the window shows it (size, size) in 0..1.

    The normalised image and the prompt map (zero without calipers); with an ``ellipse_prior``, its logit.
    """
    channels = [normalise(sampled, preprocessing), render_prompt(calipers, window, preprocessing)]
    if preprocessing.ellipse_prior:
        channels.append(ellipse_logit(calipers, window, preprocessing) if calipers else np.zeros_like(sampled))
    return np.stack(channels)


def render_click(size: int, preprocessing: Preprocessing) -> Floats:
    """The prompt map (size, size) of a click in the middle of the grid: 1 there, falling with the distance."""
    grid = (np.arange(size) - (size - 1) / 2) / size
    return np.exp(-preprocessing.click_fall * np.hypot(grid[:, None], grid[None])).astype(np.float32)


def clicked_input(sampled: Floats, preprocessing: Preprocessing) -> Floats:
    """What `logits_of` takes (2, size, size) for a click in the middle of the window, ``sampled`` as there."""
    return np.stack([normalise(sampled, preprocessing), render_click(sampled.shape[-1], preprocessing)])


def logits_of(network: Callable[[Array], Array], inputs: Array) -> Array:
    """The logits (n, 1 or 2, size, size) for a batch of inputs (n, 2 or 3, size, size): the network's, and the prior's.

    The first are those of lesion, the second of liver. Arrays or tensors, as the network takes them.
    """
    logits = network(inputs[:, :NETWORK_CHANNELS])
    return logits + inputs[:, NETWORK_CHANNELS:] if inputs.shape[1] > NETWORK_CHANNELS else logits


def network_input(
    scaled: Floats, window: Window, calipers: Sequence[CaliperLine], preprocessing: Preprocessing
) -> Floats:
    """What `logits_of` takes, from a whole image (rows, columns) in 0..1."""
    return assemble_input(sample_window(scaled[None], window)[0], calipers, window, preprocessing)


def to_native(
    logits: Floats,
    window: Window,
    shape: tuple[int, int],
    preprocessing: Preprocessing,
    box: tuple[slice, slice] | None = None,
) -> Floats:
    """The network's logits (size, size) as probabilities (rows, columns) on the image's own grid; 0 outside the window.

    Onto a finer grid the logits are interpolated bicubically; onto a coarser one each pixel receives the mean
    probability over its area. Both leave the 0.5 contour where it is.

    Parameters
    ----------
    logits, window
        The network's answer, and where it stands.
    shape
        Rows and columns of the image.
    preprocessing
        Of the network.
    box
        Rows and columns that are asked for; None: all of them.
    """
    if box is None:
        box = slice(0, shape[0]), slice(0, shape[1])
    native = np.zeros([side.stop - side.start for side in box], dtype=np.float32)
    rows, cols = (
        slice(max(whole.start, asked.start), min(whole.stop, asked.stop))
        for whole, asked in zip(window.bounds(shape), box, strict=True)
    )
    if rows.start >= rows.stop or cols.start >= cols.stop:
        return native
    inside_box = tuple(slice(s.start - b.start, s.stop - b.start) for s, b in zip((rows, cols), box, strict=True))
    limit = np.float32(preprocessing.logit_limit)
    limited = np.clip(logits, -limit, limit)
    if window.scale >= 1 and window.angle == 0 and not window.mirror:
        native[inside_box] = _upright(limited, window, rows, cols)
        return native
    places = window.to_network_grid(rows, cols)
    inside = ((places > -0.5) & (places < window.size - 0.5)).all(axis=0)
    if window.scale >= 1 and inside.all():  # as most lesions lie; to take out the places costs as much as to sample
        found = sigmoid(_cubic(limited, places.reshape(2, -1))).reshape(inside.shape)
    elif window.scale >= 1:
        found = np.zeros(inside.shape, dtype=np.float32)
        found[inside] = sigmoid(_cubic(limited, places[:, inside]))
    else:
        coverage = _smooth(sigmoid(limited)[None], _aperture_sigma(1 / window.scale))
        matrix, offset = window.affine()
        back = np.asarray(np.linalg.inv(matrix), dtype=np.float64)
        start: NDArray[np.float64] = back @ (np.array([rows.start, cols.start]) - offset)
        found = np.where(inside, _resampled(coverage, back, start, inside.shape, "nearest")[0], np.float32(0))
    native[inside_box] = found
    return native


def sigmoid(logits: Floats) -> Floats:
    """Probabilities of bounded logits."""
    return np.asarray(1 / (1 + np.exp(-logits)), dtype=np.float32)


def _upright(limited: Floats, window: Window, rows: slice, cols: slice) -> Floats:
    """The bicubic interpolation of `to_native` where nothing is turned: rows, then columns, which is much faster."""
    first_row, first_col = window.to_network(np.array([[rows.start, cols.start]], dtype=np.float64))[0]
    down = first_row + np.arange(rows.stop - rows.start) / window.scale
    across = first_col + np.arange(cols.stop - cols.start) / window.scale
    found = sigmoid(np.asarray(_cubic_matrix(down, window.size) @ limited @ _cubic_matrix(across, window.size).T))
    for axis, places in enumerate((down, across)):
        beyond = (places <= -0.5) | (places >= window.size - 0.5)
        found[beyond if axis == 0 else (slice(None), beyond)] = 0
    return found


def _cubic(image: Floats, places: NDArray[np.float64]) -> Floats:
    """An image (size, size) at places (2, n) within it, by cubic convolution, the edge repeated; float32 (n,)."""
    first = np.floor(places)
    down, across = (_cubic_weights(one) for one in (places - first).astype(np.float32))
    width = image.shape[1] + 2 * _BEYOND
    flat = np.pad(image, _BEYOND, mode="edge").ravel()
    begin = ((first[0] + (_BEYOND - 1)) * width + (first[1] + (_BEYOND - 1))).astype(np.intp)
    found = np.zeros(places.shape[1], dtype=np.float32)
    for i in range(4):
        line = across[0] * flat[i * width :].take(begin)
        for j in range(1, 4):
            line += across[j] * flat[i * width + j :].take(begin)
        found += down[i] * line
    return found


def _cubic_weights(beyond: Floats) -> Floats:
    """Weights (4, n) of the pixels before, at, after and two after places that lie ``beyond`` (n,) a pixel, 0 to 1."""
    away = np.abs(beyond + np.arange(1, -3, -1, dtype=np.float32)[:, None])
    weights = np.empty(away.shape, dtype=np.float32)
    near, far = away[1:3], away[::3]  # at most one pixel away, and at least one
    weights[1:3] = ((_CUBIC + 2) * near - (_CUBIC + 3)) * near * near + 1
    weights[::3] = _CUBIC * (((far - 5) * far + 8) * far - 4)
    return weights


def _cubic_matrix(places: NDArray[np.float64], size: int) -> Floats:
    """Weights (n, size) of the pixels around each place, the edge repeated."""
    first = np.floor(places).astype(np.intp)
    matrix = np.zeros((len(places), size), dtype=np.float32)
    for step, weight in zip((-1, 0, 1, 2), _cubic_weights((places - first).astype(np.float32)), strict=True):
        np.add.at(matrix, (np.arange(len(places)), np.clip(first + step, 0, size - 1)), weight)
    return matrix
