"""The calipers of a reader who would measure a known lesion: its axes, placed as exactly as a reader does."""

from __future__ import annotations

import numpy as np

from lesion_measure.lab.datasets.axes import LesionAxes
from lesion_measure.network.parts import caliper_length
from lesion_measure.network.window import MIN_CALIPER_PX, CaliperLine, lie_apart

LEAST_SHARE = 0.5


def jitter(line: CaliperLine, spread: float, rng: np.random.Generator, shape: tuple[int, ...]) -> CaliperLine:
    """A caliper as another reader would place it: each end moved by ``spread`` of the length, kept in the image.

    ``spread`` is the SD of each end's row and of its column, in lengths of the caliper. A caliper that would shrink to
    less than half, or to less than the network accepts, stays where it was. The same generator state gives the same
    directions whatever the spread.
    """
    ends = np.asarray(line)
    length = caliper_length(line)
    moved = ends + spread * length * rng.standard_normal((2, 2))
    (r0, c0), (r1, c1) = np.clip(moved, 0, np.array(shape) - 1.0)
    placed = (float(r0), float(c0)), (float(r1), float(c1))
    return placed if caliper_length(placed) >= max(LEAST_SHARE * length, MIN_CALIPER_PX) else line


def choose_calipers(
    axes: LesionAxes, both: bool, spread: float, rng: np.random.Generator, shape: tuple[int, ...]
) -> list[CaliperLine]:
    """The long axis, and the short one too where asked for and there is one.

    Two that a large spread would move apart, so that no network takes them for one lesion's, both stay where they were.

    Parameters
    ----------
    axes
        The lesion's true axes.
    both
        Whether the short axis is asked for.
    spread
        SD of each end's row and of its column, in lengths of the caliper.
    rng
        Where the moves come from.
    shape
        (rows, columns) of the image, which the ends stay in.
    """
    lines = [jitter(axes.long, spread, rng, shape)]
    if both and axes.short is not None:
        lines.append(jitter(axes.short, spread, rng, shape))
        return [axes.long, axes.short] if lie_apart(lines) else lines
    return lines
