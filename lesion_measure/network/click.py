"""One click in a lesion as a prompt: the network is asked for lesions of several sizes there, and one is chosen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lesion_measure.errors import MeasurementError
from lesion_measure.network.confidence import ConfidenceModel
from lesion_measure.network.features import click_features
from lesion_measure.network.inference import Segmenter
from lesion_measure.network.parts import LesionPart, caliper_length, holds
from lesion_measure.network.seen import SeenPicture
from lesion_measure.network.segmentation import Segmentation, nothing
from lesion_measure.network.window import MIN_CALIPER_PX, CaliperLine
from lesion_measure.records import Point

LEVELS = (0.5, 0.2, 0.05)
"""Probabilities at which the automatic network's lesions are looked at."""
RADII = (0.02, 0.03, 0.045, 0.068, 0.1, 0.15)
"""Radii, in longer sides of the picture, of the crosses that are tried beside what it sees."""
AGREEING = 4
"""How many of the other outlines must agree with one."""


@dataclass(frozen=True, slots=True, eq=False)
class Try:
    """An outline that holds the click: what was asked, what was drawn, and the features of its confidence.

    ``seen``: asked with the long axis of what the automatic network sees there.
    """

    prompt: list[CaliperLine]
    part: LesionPart
    features: dict[str, float]
    seen: bool


def segment_click(
    segmenter: Segmenter,
    image: NDArray[np.generic] | SeenPicture,
    click: Point,
    *,
    level: float = 0.5,
    flips: bool = True,
) -> Segmentation:
    """Outline the lesion at one click (row, column) in it.

    The network for calipers draws what it is asked for, of whatever size. So it is asked with the long axes of what the
    automatic network sees there, at less and less certainty, and with crosses of several sizes. Drawn is the outline
    that is most likely right by the bundle's confidence model of clicks; that is its confidence. Where the bundle has
    none, it is the first that is seen, or else the one of the highest probability. There may be none.

    An outline from a click is never accepted unseen.

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
    model = segmenter.settings.confidence.click
    for tried in best_first(tries(segmenter, picture, click, level=level, flips=flips), model):
        answer = segmenter.segment(picture, tried.prompt, level=level, flips=flips)
        if any(holds(lesion.mask, lesion.origin, click) for lesion in answer.lesions):
            return _told(answer, tried, model)
    return nothing(picture.shape)


def best_first(tried: Sequence[Try], model: ConfidenceModel | None) -> list[Try]:
    """The outlines in the order in which they are to be drawn."""
    if model is not None:
        return sorted(tried, key=lambda one: -model.confidence(one.features))
    return sorted(tried, key=lambda one: (not one.seen, 0.0 if one.seen else -one.features["mean_probability"]))


def tries(
    segmenter: Segmenter, picture: SeenPicture, click: Point, *, level: float = 0.5, flips: bool = True
) -> list[Try]:
    """The outlines that hold a click inside the picture, those by what the automatic network sees first.

    Parameters
    ----------
    segmenter
        The network.
    picture
        What `Segmenter.look` made of the picture.
    click
        (row, column) in pixels of the picture.
    level
        Probability at which an outline ends.
    flips
        Whether the automatic network is averaged over mirrored copies; the one for calipers is not.
    """
    area = picture.area.mask
    row, col = round(click[0]), round(click[1])
    if not area[row, col]:
        return []
    clicked = _clicked(segmenter, picture, click, flips)
    axes = [[axis] for axis in _seen(segmenter, picture, click, flips)]
    if clicked is not None and clicked.long_axis is not None:
        axes.insert(0, [clicked.long_axis])
    crosses = [_cross(click, share * max(picture.shape)) for share in RADII]
    asked = [(_inside(lines, click, area), number < len(axes)) for number, lines in enumerate([*axes, *crosses])]
    asked = [(lines, seen) for lines, seen in asked if lines]
    drawn = segmenter.tried(picture, [lines for lines, _ in asked], level=level)
    parts = [part for _, part in drawn if part is not None]
    found = []
    for (lines, seen), (answer, part) in zip(asked, drawn, strict=True):
        if part is None or not part.holds(click):
            continue
        about = click_features(answer, part, picture.scaled, segmenter.seen(picture, flips=flips), (row, col))
        about["agreement"] = _agreement(part, [other for other in parts if other is not part])
        about["click_agreement"] = 0.0 if clicked is None else part.dice(clicked)
        found.append(Try(lines, part, about, seen))
    return found


def _clicked(segmenter: Segmenter, picture: SeenPicture, click: Point, flips: bool) -> LesionPart | None:
    """The lesion that the network for clicks draws at one, at the first level that holds it; None where it has none."""
    answer = segmenter.clicked(picture, click, flips=flips)
    held = (part for level in LEVELS if answer for part in answer.parts(level) if part.holds(click))
    return next(held, None)


def _told(answer: Segmentation, tried: Try, model: ConfidenceModel | None) -> Segmentation:
    """The outline of a click: not accepted, with the confidence in a click."""
    (lesion,) = answer.lesions
    sure = lesion.confidence if model is None else model.confidence(tried.features)
    return replace(answer, lesions=(replace(lesion, confidence=sure, accepted=False, features=tried.features),))


def _agreement(part: LesionPart, others: Sequence[LesionPart]) -> float:
    """Mean Dice with the other outlines that agree best; 0 where there are none."""
    return float(np.mean(sorted(map(part.dice, others))[-AGREEING:])) if others else 0.0


def _seen(segmenter: Segmenter, picture: SeenPicture, click: Point, flips: bool) -> Iterator[CaliperLine]:
    """Long axes of what the automatic network sees at the click, the surest first."""
    for level in LEVELS:
        for part in segmenter.parts(picture, level=level, flips=flips):
            if part.holds(click) and part.long_axis is not None:
                yield part.long_axis


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
