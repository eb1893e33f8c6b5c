"""The one way an image enters the network and its answer comes back, shared by training and inference.

`window` says what is shown; here it becomes tensors, and the network's answer the image's own pixels again. Pixel
centres are integer coordinates on both grids, so edges lie at -0.5 and size - 0.5.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import scipy
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from lesion_measure.network.ellipse import suggested_ellipse
from lesion_measure.network.window import CaliperLine, Preprocessing, Window

NETWORK_CHANNELS = 2
MIN_WIDTH = 0.2
"""Least short over long axis of the ellipse that calipers suggest."""


def _smooth(channels: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Channels (C, H, W) after a Gaussian of ``sigma`` pixels, edges repeated; a narrow one changes nothing."""
    if sigma < 0.1:
        return channels
    return np.stack([scipy.ndimage.gaussian_filter(one, sigma, mode="nearest", truncate=3.0) for one in channels])


def _aperture_sigma(ratio: float) -> float:
    """SD, in fine pixels, of the blur that a pixel ``ratio`` times wider than the fine one applies to them."""
    return math.sqrt(max(ratio * ratio - 1, 0.0) / 12)


def _grid(points: NDArray[np.float64], shape: tuple[int, int], rows: int) -> Tensor:
    """Points (n, 2) as the (1, rows, n / rows, 2) grid of `grid_sample`, whose edges lie at plus and minus 1."""
    normal = (2 * points + 1) / np.asarray(shape) - 1
    return torch.from_numpy(normal[:, ::-1].astype(np.float32).reshape(1, rows, -1, 2))


def _lattice(rows: slice, cols: slice) -> NDArray[np.float64]:
    """Every pixel of a rectangle as points (n, 2), rows outermost."""
    row, col = np.mgrid[rows, cols]
    return np.stack([row.ravel(), col.ravel()], axis=1).astype(np.float64)


def sample_window(channels: NDArray[np.float32], window: Window) -> Tensor:
    """Channels (C, rows, columns) as the network's grid sees them, (C, size, size) float32; zero outside the image.

    A coarser grid sees each pixel's mean, not a point of it, so that masks become coverage and speckle does not alias.
    """
    sigma = _aperture_sigma(window.scale)
    rows, cols = window.bounds(channels.shape[-2:], margin=3 * sigma + 2)
    if rows.start >= rows.stop or cols.start >= cols.stop:
        return torch.zeros((channels.shape[0], window.size, window.size))
    part = torch.from_numpy(np.ascontiguousarray(_smooth(channels[:, rows, cols], sigma)))
    points = window.to_native(_lattice(slice(0, window.size), slice(0, window.size)))
    points -= np.array([rows.start, cols.start])
    grid = _grid(points, (part.shape[-2], part.shape[-1]), window.size)
    return functional.grid_sample(part[None], grid, mode="bilinear", padding_mode="zeros", align_corners=False)[0]


def normalise(sampled: Tensor, preprocessing: Preprocessing) -> Tensor:
    """A sampled image (size, size) in 0..1 with the mean and SD of its non-black pixels taken out."""
    bright = sampled[sampled > preprocessing.black_level]
    if bright.numel() < 16:
        return torch.zeros_like(sampled)
    return ((sampled - bright.mean()) / bright.std().clamp_min(0.05)).clamp(-5.0, 5.0)


def render_prompt(calipers: Sequence[CaliperLine], window: Window, preprocessing: Preprocessing) -> Tensor:
    """The prompt map (size, size) in 0..1: a soft disc at each end of each caliper, a fainter line between them."""
    grid = torch.arange(window.size, dtype=torch.float32)
    row, col = grid[:, None], grid[None, :]
    drawn = torch.zeros((window.size, window.size))
    for line in calipers:
        ends = window.to_network(np.asarray(line, dtype=np.float64))
        (r0, c0), (r1, c1) = ends
        length2 = max(float((r1 - r0) ** 2 + (c1 - c0) ** 2), 1e-6)
        along = (((row - r0) * (r1 - r0) + (col - c0) * (c1 - c0)) / length2).clamp(0, 1)
        distance2 = (row - r0 - along * (r1 - r0)) ** 2 + (col - c0 - along * (c1 - c0)) ** 2
        drawn = torch.maximum(drawn, 0.5 * torch.exp(-distance2 / (2 * preprocessing.prompt_line_px**2)))
        for end_row, end_col in ends:
            distance2 = (row - end_row) ** 2 + (col - end_col) ** 2
            drawn = torch.maximum(drawn, torch.exp(-distance2 / (2 * preprocessing.prompt_end_px**2)))
    return drawn


def ellipse_logit(calipers: Sequence[CaliperLine], window: Window, preprocessing: Preprocessing) -> Tensor:
    """The logit (size, size) of the ellipse that calipers suggest: ``ellipse_prior`` at its centre, 0 on its edge."""
    lines = [window.to_network(np.asarray(line, dtype=np.float64)) for line in calipers]
    lines.sort(key=lambda line: -float(np.hypot(*(line[1] - line[0]))))
    oval = suggested_ellipse(lines)
    oval = replace(oval, short_px=max(oval.short_px, MIN_WIDTH * oval.long_px))
    grid = np.arange(window.size, dtype=np.float64)
    logit = preprocessing.ellipse_prior * (1 - oval.radius(grid[:, None], grid[None]))
    return torch.from_numpy(np.clip(logit, -preprocessing.logit_limit, preprocessing.logit_limit).astype(np.float32))


def assemble_input(
    sampled: Tensor, calipers: Sequence[CaliperLine], window: Window, preprocessing: Preprocessing
) -> Tensor:
    """What `logits_of` takes (2 or 3, size, size), from the image as the window shows it (size, size) in 0..1.

    The normalised image and the prompt map (zero without calipers); with an ``ellipse_prior``, its logit.
    """
    channels = [normalise(sampled, preprocessing), render_prompt(calipers, window, preprocessing)]
    if preprocessing.ellipse_prior:
        channels.append(ellipse_logit(calipers, window, preprocessing) if calipers else torch.zeros_like(sampled))
    return torch.stack(channels)


def logits_of(network: nn.Module, inputs: Tensor) -> Tensor:
    """The logits (n, 1 or 2, size, size) for a batch of inputs (n, 2 or 3, size, size): the network's, and the prior's.

    The first are those of lesion, the second of liver.
    """
    logits: Tensor = network(inputs[:, :NETWORK_CHANNELS])
    return logits + inputs[:, NETWORK_CHANNELS:] if inputs.shape[1] > NETWORK_CHANNELS else logits


def network_input(
    scaled: NDArray[np.float32], window: Window, calipers: Sequence[CaliperLine], preprocessing: Preprocessing
) -> Tensor:
    """What `logits_of` takes, from a whole image (rows, columns) in 0..1."""
    return assemble_input(sample_window(scaled[None], window)[0], calipers, window, preprocessing)


def to_native(
    logits: Tensor, window: Window, shape: tuple[int, int], preprocessing: Preprocessing
) -> NDArray[np.float32]:
    """The network's logits (size, size) as probabilities (rows, columns) on the image's own grid; 0 outside the window.

    Onto a finer grid the logits are interpolated bicubically; onto a coarser one each pixel receives the mean
    probability over its area. Both leave the 0.5 contour where it is.
    """
    native = np.zeros(shape, dtype=np.float32)
    rows, cols = window.bounds(shape)
    if rows.start >= rows.stop or cols.start >= cols.stop:
        return native
    limit = preprocessing.logit_limit
    limited = logits.detach().float().cpu().clamp(-limit, limit)
    if window.scale >= 1 and window.angle == 0 and not window.mirror:
        native[rows, cols] = _upright(limited, window, rows, cols)
        return native
    points = window.to_network(_lattice(rows, cols))
    inside = ((points > -0.5) & (points < window.size - 0.5)).all(axis=1)
    grid = _grid(points, (window.size, window.size), rows.stop - rows.start)
    if window.scale >= 1:
        sampled = functional.grid_sample(
            limited[None, None], grid, mode="bicubic", padding_mode="border", align_corners=False
        ).sigmoid()
    else:
        coverage = torch.from_numpy(_smooth(limited[None].sigmoid().numpy(), _aperture_sigma(1 / window.scale)))
        sampled = functional.grid_sample(
            coverage[None], grid, mode="bilinear", padding_mode="border", align_corners=False
        )
    native[rows, cols] = np.where(inside.reshape(sampled.shape[-2:]), sampled[0, 0].numpy(), 0.0)
    return native


def _upright(limited: Tensor, window: Window, rows: slice, cols: slice) -> NDArray[np.float32]:
    """The bicubic interpolation of `to_native` where nothing is turned: rows, then columns, which is much faster."""
    first_row, first_col = window.to_network(np.array([[rows.start, cols.start]], dtype=np.float64))[0]
    down = first_row + np.arange(rows.stop - rows.start) / window.scale
    across = first_col + np.arange(cols.stop - cols.start) / window.scale
    logits = _cubic_weights(down, window.size) @ limited @ _cubic_weights(across, window.size).T
    inside = [(p > -0.5) & (p < window.size - 0.5) for p in (down, across)]
    return np.where(np.outer(*inside), logits.sigmoid().numpy(), np.float32(0))


def _cubic_weights(places: NDArray[np.float64], size: int) -> Tensor:
    """Weights (n, size) of the pixels around each place: cubic convolution with a = -0.75, the edge repeated."""
    a = -0.75
    weights = np.zeros((len(places), size))
    first = np.floor(places).astype(int)
    for step in (-1, 0, 1, 2):
        x = np.abs(places - first - step)
        near = (a + 2) * x**3 - (a + 3) * x**2 + 1
        far = a * (x**3 - 5 * x**2 + 8 * x - 4)
        columns = np.clip(first + step, 0, size - 1)
        np.add.at(weights, (np.arange(len(places)), columns), np.where(x <= 1, near, far))
    return torch.from_numpy(weights.astype(np.float32))
