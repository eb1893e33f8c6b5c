"""One click in a lesion as a prompt: what the automatic network sees there says how large a lesion is asked for."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lesion_measure.errors import MeasurementError
from lesion_measure.network.inference import Segmenter
from lesion_measure.network.parts import caliper_length, long_axis
from lesion_measure.network.seen import SeenPicture
from lesion_measure.network.segmentation import Segmentation, SegmentedLesion, nothing
from lesion_measure.network.window import MIN_CALIPER_PX, CaliperLine
from lesion_measure.records import Point

LEVELS = (0.5, 0.2, 0.05)
"""Probabilities at which the automatic network's lesions are looked at, the first that holds the click."""
RADII = (0.03, 0.06, 0.12)
"""Radii, in longer sides of the picture, that are tried where it sees nothing at the click."""


def segment_click(
    segmenter: Segmenter,
    image: NDArray[np.generic] | SeenPicture,
    click: Point,
    *,
    level: float = 0.5,
    flips: bool = True,
) -> Segmentation:
    """Outline the lesion at one click (row, column) in it.

    The network for calipers is asked with the long axis of what the automatic network sees there, at less and less
    certainty; where that sees nothing, with crosses of several sizes, and the outline it is surest of that holds the
    click is taken. There may be none.

    Parameters
    ----------
    segmenter
        The network.
    image
        (rows, columns), or what `Segmenter.look` made of it: then the automatic network looks but once.
    click
        (row, column) in pixels of the image.
    level, flips
        Of the outline, as for `Segmenter.segment`.

    Raises
    ------
    MeasurementError
        The click lies outside the image, or the image cannot be segmented.
    """
    if not all(0 <= place <= side - 1 for place, side in zip(click, image.shape, strict=True)):
        raise MeasurementError(
            f"The click, row {click[0]:g} and column {click[1]:g}, lies outside the image.",
            remedy="Click inside the lesion.",
            code="click_outside",
        )
    picture = image if isinstance(image, SeenPicture) else segmenter.look(image)
    area = picture.area.mask
    if not area[round(click[0]), round(click[1])]:
        return nothing(picture.shape)
    seen = next(_seen(segmenter, picture, click), None)
    prompts = [[seen]] if seen is not None else [_cross(click, share * max(image.shape)) for share in RADII]
    prompts = [lines for lines in (_inside(each, click, area) for each in prompts) if lines]
    answers = [segmenter.segment(picture, lines, level=level, flips=flips) for lines in prompts]
    hits = [answer for answer in answers if any(_holds(lesion, click) for lesion in answer.lesions)]
    if not hits:
        return nothing(picture.shape)
    return max(hits, key=lambda answer: answer.lesions[0].confidence)


def _seen(segmenter: Segmenter, picture: SeenPicture, click: Point) -> Iterator[CaliperLine]:
    """Long axes of what the automatic network draws at the click, the surest first."""
    for level in LEVELS:
        near = [part for part in segmenter.parts(picture, level=level) if _near(segmenter.reach(picture, part), click)]
        lesions = [lesion for lesion in segmenter.drawn(picture, near, level=level) if lesion is not None]
        for lesion in sorted(lesions, key=lambda lesion: -lesion.confidence):
            axis = long_axis(lesion.mask) if _holds(lesion, click) else None
            if axis is not None:
                (r0, c0), (r1, c1) = axis
                row, col = lesion.origin
                yield (r0 + row, c0 + col), (r1 + row, c1 + col)


def _near(box: tuple[slice, slice], click: Point) -> bool:
    return all(side.start <= round(place) < side.stop for side, place in zip(box, click, strict=True))


def _holds(lesion: SegmentedLesion, click: Point) -> bool:
    row, col = (round(place) - start for place, start in zip(click, lesion.origin, strict=True))
    rows, cols = lesion.mask.shape
    return 0 <= row < rows and 0 <= col < cols and bool(lesion.mask[row, col])


def _cross(click: Point, radius: float) -> list[CaliperLine]:
    row, col = click
    return [((row, col - radius), (row, col + radius)), ((row - radius, col), (row + radius, col))]


def _inside(lines: list[CaliperLine], click: Point, area: NDArray[np.bool_]) -> list[CaliperLine]:
    """Calipers whose ends are drawn back towards the click until they lie where something was insonated."""
    drawn = []
    for line in lines:
        ends = []
        for end in line:
            shares = np.linspace(1, 0, 41)[:, None]
            places = np.asarray(click) + shares * (np.asarray(end) - np.asarray(click))
            pixels = np.rint(places).astype(int)
            held = ((pixels >= 0) & (pixels < area.shape)).all(axis=1)
            held[held] = area[pixels[held, 0], pixels[held, 1]]
            row, col = places[int(held.argmax())].tolist()
            ends.append((row, col))
        drawn.append((ends[0], ends[1]))
    return [line for line in drawn if caliper_length(line) >= MIN_CALIPER_PX]
