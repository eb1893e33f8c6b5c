"""The best, median and worst cases of a set as pictures with true and drawn outline and calipers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import skimage
from numpy.typing import NDArray
from PIL import Image

from lesion_measure.lab.datasets import Picture
from lesion_measure.lab.evaluation.cases import Case, Drawn, LesionCase, Method
from lesion_measure.network import CaliperLine
from lesion_measure.report.pictures import data_uri, encode, outline_path
from lesion_measure.report.words import fixed

EACH = 3
CONTEXT = 0.45
LEAST_SIDE_PX = 64
ASPECT = 4 / 3
WIDEST_PX = 440
TICK_SHARE = 0.025
SIMPLER_PX = 0.15

WAYS = {
    Method.LONG_AXIS: "Network from the long axis",
    Method.BOTH_AXES: "Network from both axes",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GalleryView:
    """One case as a picture.

    ``box`` is what it shows (left, top, width, height), in pixels of the picture whose upper left corner is
    (-0.5, -0.5); the paths are SVG path data in the same pixels, x = column and y = row.
    """

    title: str
    words: tuple[str, ...]
    data_uri: str
    box: tuple[float, float, float, float]
    true_paths: tuple[str, ...]
    drawn_paths: tuple[str, ...]
    caliper_path: str


@dataclass(frozen=True, slots=True)
class Strip:
    """Views that belong together."""

    name: str
    views: tuple[GalleryView, ...]


@dataclass(frozen=True, slots=True)
class _Scored:
    """What a case is ranked by, and how its view is made (only those that are chosen are)."""

    score: float
    view: Callable[[], GalleryView]


def galleries(cases: Sequence[Case], pictures: Sequence[Picture]) -> Iterator[tuple[str, list[Strip]]]:
    """For each way a set was outlined: its name, and the best, median and worst cases by Dice.

    Of a lesion whose calipers were placed several times the first placing is shown.
    ``pictures`` are those of the ``cases``, in the same order.
    """
    pairs = list(zip(cases, pictures, strict=True))
    for method, words in WAYS.items():
        yield (
            words,
            ranked(
                _Scored(drawn.dice, partial(_prompted, item, lesion, method, len(case.lesions)))
                for case, item in pairs
                for lesion in case.lesions
                if (drawn := lesion.placings[0].drawn.get(method))
            ),
        )
    strips = ranked(
        _Scored(case.automatic_dice, partial(_automatic, item, case))
        for case, item in pairs
        if case.automatic_dice is not None
    )
    yield "Automatic", [*strips, *_inventions(pairs)]


def ranked(items: Iterable[_Scored]) -> list[Strip]:
    """The best, the median and the worst, none of them twice; a small set has fewer of each."""
    order = sorted(items, key=lambda item: -item.score)
    if len(order) < 3:
        parts = {"All": order}
    else:
        each = min(EACH, len(order) // 3)
        middle = (len(order) - each) // 2
        parts = {"Best": order[:each], "Median": order[middle : middle + each], "Worst": order[-each:]}
    return [Strip(name, tuple(item.view() for item in part)) for name, part in parts.items() if part]


def _inventions(pairs: Sequence[tuple[Case, Picture]]) -> list[Strip]:
    """The most confident lesions drawn on lesion-free pictures."""
    found = [(max(d.confidence or 0.0 for d in c.automatic), c, p) for c, p in pairs if not c.lesions and c.automatic]
    chosen = sorted(found, key=lambda one: -one[0])[:EACH]
    views = tuple(_automatic(item, case) for _, case, item in chosen)
    return [Strip("Lesion-free pictures on which a lesion was drawn, most confident first", views)] if views else []


def _prompted(item: Picture, lesion: LesionCase, method: Method, lesions: int) -> GalleryView:
    placing = lesion.placings[0]
    drawn = placing.drawn[method]
    calipers = placing.calipers_of(method)
    box = box_around([lesion.outline_px, drawn.outline_px, *calipers], item.image.shape)
    which = f", lesion {lesion.label}" if lesions > 1 else ""
    return GalleryView(
        title=item.name + which,
        words=(_dice(drawn.dice), *_errors(lesion, drawn), *_sure(drawn)),
        data_uri=_cut(item.image, box),
        box=box,
        true_paths=_paths([lesion.outline_px]),
        drawn_paths=_paths([drawn.outline_px]),
        caliper_path="".join(_caliper(line, TICK_SHARE * box[2]) for line in calipers),
    )


def _automatic(item: Picture, case: Case) -> GalleryView:
    rows, cols = item.image.shape
    box = (-0.5, -0.5, float(cols), float(rows))
    words = ["no lesion here"] if case.automatic_dice is None else [_dice(case.automatic_dice)]
    if case.lesions:
        found = sum(case.found(lesion.label) is not None for lesion in case.lesions)
        words.append(f"found {found} of {len(case.lesions)}")
    words.append(f"{len(case.automatic)} drawn" if case.automatic else "nothing drawn")
    best = max(case.automatic, key=lambda drawn: drawn.confidence or 0.0, default=None)
    return GalleryView(
        title=item.name,
        words=(*words, *(_sure(best) if best else ())),
        data_uri=_cut(item.image, box),
        box=box,
        true_paths=_paths([lesion.outline_px for lesion in case.lesions]),
        drawn_paths=_paths([drawn.outline_px for drawn in case.automatic]),
        caliper_path="",
    )


def _dice(value: float) -> str:
    return f"Dice {fixed(value, 3)}"


def _sure(drawn: Drawn) -> tuple[str, ...]:
    if drawn.confidence is None:
        return ()
    return (f"confidence {fixed(drawn.confidence, 2)}{', accepted' if drawn.accepted else ''}",)


def _errors(lesion: LesionCase, drawn: Drawn) -> tuple[str, ...]:
    if lesion.sizes is None or drawn.sizes is None:
        return ()
    pairs = (
        ("long axis", drawn.sizes.long_axis_px, lesion.sizes.long_axis_px),
        ("short axis", drawn.sizes.short_axis_px, lesion.sizes.short_axis_px),
        ("area", drawn.sizes.area_px, lesion.sizes.area_px),
    )
    return tuple(f"{name} {fixed(100 * (own - true) / true, 0, signed=True)} %" for name, own, true in pairs)


def box_around(
    lines: Sequence[NDArray[np.float32] | CaliperLine | None], shape: tuple[int, ...]
) -> tuple[float, float, float, float]:
    """A rectangle of whole pixels (`View.box`) around lines with their surroundings, as wide as the page likes it."""
    points = np.concatenate([np.asarray(line, dtype=np.float32) for line in lines if line is not None])
    low, high = points.min(axis=0), points.max(axis=0)
    centre, extent = (low + high) / 2, high - low
    height = max(float(extent[0]) * (1 + CONTEXT), float(extent[1]) * (1 + CONTEXT) / ASPECT, LEAST_SIDE_PX)
    half = np.array([height, height * ASPECT]) / 2
    first = np.clip(np.floor(centre - half), 0, np.array(shape) - 1).astype(int)
    last = np.clip(np.ceil(centre + half), first, np.array(shape) - 1).astype(int)
    rows, cols = last - first + 1
    return float(first[1]) - 0.5, float(first[0]) - 0.5, float(cols), float(rows)


def _cut(image: NDArray[np.uint8], box: tuple[float, float, float, float]) -> str:
    left, top, width, height = (round(part + 0.5) if n < 2 else round(part) for n, part in enumerate(box))
    part = Image.fromarray(np.ascontiguousarray(image[top : top + height, left : left + width])).convert("RGB")
    shrink = min(1.0, WIDEST_PX / width)
    size = max(1, round(width * shrink)), max(1, round(height * shrink))
    return data_uri(encode(part.resize(size, Image.Resampling.LANCZOS) if shrink < 1 else part))


def _paths(outlines: Sequence[NDArray[np.float32] | None]) -> tuple[str, ...]:
    """Closed outlines, without the vertices that nobody would see."""
    # Loaded here by its first use, with scipy's signals and statistics: no other part of an evaluation needs them.
    drawn = (
        skimage.measure.approximate_polygon(line.astype(np.float64), SIMPLER_PX)
        for line in outlines
        if line is not None
    )
    return tuple(outline_path(line) for line in drawn)


def _caliper(line: CaliperLine, tick: float) -> str:
    """A caliper with a tick across each end."""
    start, end = np.asarray(line[0]), np.asarray(line[1])
    along = (end - start) / float(np.hypot(*(end - start)))
    aside = tick * np.array([-along[1], along[0]])
    strokes = ((start, end), (start - aside, start + aside), (end - aside, end + aside))
    return "".join(f"M{a[1]:.1f} {a[0]:.1f}L{b[1]:.1f} {b[0]:.1f}" for a, b in strokes)
