"""What the confidence in an outline is computed from (`confidence`)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lesion_measure.network import confidence
from lesion_measure.network.parts import LesionPart, caliper_length
from lesion_measure.network.preprocess import sample_window
from lesion_measure.network.seen import Answer
from lesion_measure.network.window import CaliperLine, Window


def common_features(answer: Answer, part: LesionPart, scaled: NDArray[np.float32]) -> dict[str, float]:
    """Those of any outline."""
    seen = _on_grid(part, answer.window, scaled.shape)
    return {
        "mean_probability": float(part.probability[part.mask].mean()),
        "blur": confidence.blur(part.probability, part.mask, answer.window.scale),
        "flip_agreement": confidence.flip_agreement(answer.logits, seen),
        "contrast": confidence.contrast(*surroundings(part, scaled)),
    }


def _on_grid(part: LesionPart, window: Window, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Where on the network's grid a lesion and its rim lie."""
    margin = math.ceil(3 * window.scale) + 4  # what a pixel of the grid sees of its surroundings, and more
    (top, bottom), (left, right) = (
        (max(side.start - margin, 0), min(side.stop + margin, length))
        for side, length in zip(part.box, shape, strict=True)
    )
    zone = np.zeros((1, bottom - top, right - left), dtype=np.float32)
    rows, cols = part.box
    zone[0, rows.start - top : rows.stop - top, cols.start - left : cols.stop - left] = part.probability > 0
    moved = replace(window, centre=(window.centre[0] - top, window.centre[1] - left))
    return np.asarray(sample_window(zone, moved)[0] > 0.5)


def off_middle(part: LesionPart, window: Window) -> float:
    """How far a lesion's centroid lies beside the middle line of the picture, in halves of the window's side."""
    middle = part.box[1].start + float(np.nonzero(part.mask)[1].mean())
    return float(abs(middle - window.centre[1]) / (window.scale * window.size / 2))


def surroundings(part: LesionPart, scaled: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The picture and the mask around a lesion, with a quarter of its extent on every side."""
    margin = max(3, round(0.25 * max(part.mask.shape)))
    rows, cols = (
        slice(max(side.start - margin, 0), min(side.stop + margin, length))
        for side, length in zip(part.box, scaled.shape, strict=True)
    )
    mask = np.zeros((rows.stop - rows.start, cols.stop - cols.start), dtype=bool)
    top, left = part.box[0].start - rows.start, part.box[1].start - cols.start
    mask[top : top + part.mask.shape[0], left : left + part.mask.shape[1]] = part.mask
    return scaled[rows, cols], mask


def caliper_features(part: LesionPart, prompt: Sequence[CaliperLine]) -> dict[str, float]:
    """Those of an outline against the calipers that it was drawn from."""
    axis = part.long_axis
    length = 0.0 if axis is None else caliper_length(axis)
    longest = max(caliper_length(line) for line in prompt)
    return {
        "log_length_error": abs(float(np.log(max(length, 1.0) / longest))),
        "caliper_inside": part.share_inside(prompt),
    }


def click_features(
    answer: Answer, part: LesionPart, scaled: NDArray[np.float32], seen: NDArray[np.float32], click: tuple[int, int]
) -> dict[str, float]:
    """Those of an outline that is asked for by a click, but for how far others agree.

    Parameters
    ----------
    answer, part
        The network's answer to the prompt, and the lesion in it.
    scaled
        (rows, columns) in 0..1, the picture.
    seen
        (rows, columns) in 0..1, the automatic network's probability of lesion.
    click
        (row, column), a pixel of the picture.
    """
    image, mask = surroundings(part, scaled)
    near, _ = surroundings(part, seen)
    around = confidence.ring(mask) & (image > 0)
    return {
        "mean_probability": float(part.probability[part.mask].mean()),
        "blur": confidence.blur(part.probability, part.mask, answer.window.scale),
        "contrast": confidence.contrast(image, mask),
        "seen_inside": float(near[mask].mean()),
        "seen_around": float(near[around].mean()) if around.any() else 0.0,
        "seen_at_click": float(seen[click]),
    }
