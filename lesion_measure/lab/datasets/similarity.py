"""How much two pictures show the same frame, whatever was cropped, brightened, scaled or drawn on it since.

A picture becomes a *pattern*: its content (without black margins) on a grid of 64 x 64, less its local mean and
divided by its local standard deviation, so that gain, gamma and slow shading vanish, and zero outside the scan, so that
fans of one scanner do not resemble each other by their borders. Three steps, each for fewer pairs than the last:

1. *candidates*: windows of one picture (whole, and cut on all sides) against the whole of the other, at 12 x 12;
2. *alignment*: Gauss-Newton on shift and scale along both axes, at 32 x 32;
3. *similarity*: correlation of the fine patterns, aligned, where both have content.

Windows are (top, left, height, width) in units of the other picture's content box.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from lesion_measure.lab.datasets.spool import let_go, looked_at, spooled_zeros

_GRID, _MIDDLE, _COARSE = 64, 32, 12
_BLACK, _DARK = 6, 8  # of a pixel outside the scan; of a smoothed neighbourhood there
_LEAST_STRUCTURE = 0.05
_MARGIN_SHARE = 0.05
_BATCH = 128
_TILE, _BLOCK = 8, 1024  # pictures by windows and as wholes that are compared at a time: their scores fit a cache
_CANDIDATES = 4
_LEAST_COARSE = 0.45
_LEAST_OVERLAP, _LEAST_COVERED = 0.1, 0.6  # of the grid, of the content of the one with less
_MIDDLE_ROUNDS = ((4, 0.25), (6, 0.45))  # steps, and the least correlation that goes on
_FINE_STEPS = 5

_CROSS = ndimage.generate_binary_structure(2, 1)[None]

Floats = NDArray[np.float32]
Pairs = tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]
Candidates = tuple[NDArray[np.intp], NDArray[np.intp], Floats]


@dataclass(frozen=True, slots=True, eq=False)
class Patterns:
    """What is kept of n pictures: 9 KB of each.

    ``small`` (n, 64, 64) are the contents, from which fine patterns are made again where a pair needs them; ``broad``
    (n, 32, 32) the broad patterns, and ``quarters`` (n, 32, 32) how many fourths of a cell are content.
    """

    small: NDArray[np.uint8]
    broad: Floats
    quarters: NDArray[np.uint8]

    def broadly(self, which: NDArray[np.intp]) -> tuple[Floats, Floats]:
        """The broad patterns of some pictures, and the share of each cell that is content."""
        return self.broad[which], self.quarters[which] * np.float32(0.25)

    def finely(self, which: NDArray[np.intp]) -> tuple[Floats, Floats]:
        """The fine patterns of some pictures, and 1 on their content."""
        once, back = np.unique(which, return_inverse=True)
        small = self.small[once].astype(np.float32)
        inside = _inside(small)
        return _normalised(small, inside, spread=3.0, smooth=0.7)[back], inside[back]


def patterns(images: Sequence[NDArray[np.uint8]]) -> Patterns:
    """The patterns of grey pictures (rows, columns)."""
    count = len(images)
    small, quarters = (spooled_zeros((count, side, side), np.uint8) for side in (_GRID, _MIDDLE))
    broad = spooled_zeros((count, _MIDDLE, _MIDDLE), np.float32)
    contents_of = map(_content, looked_at(images))
    for part in _batches(count):
        small[part] = np.stack([*islice(contents_of, _BATCH)])
        contents = small[part].astype(np.float32)
        mask = _inside(contents)
        broad[part] = _halved(_normalised(contents, mask, spread=5.0, smooth=1.0))
        quarters[part] = np.rint(4 * _halved(mask))
    return Patterns(small, broad, quarters)


def similar_pairs(found: Patterns, groups: Sequence[str], least: float) -> list[tuple[int, int, float]]:
    """Pairs (first < second, similarity) of pictures of different groups, at least ``least`` (0..1) similar."""
    if len(groups) < 2:
        return []
    numbers = np.unique(np.asarray(groups), return_inverse=True)[1]
    best: dict[tuple[int, int], float] = {}
    first, second, windows = _candidates(found, numbers)
    for part in _batches(len(first)):
        for one, other, score in _verified(found, (first[part], second[part], windows[part])):
            pair = (min(one, other), max(one, other))
            if score >= least:
                best[pair] = max(score, best.get(pair, 0.0))
    return [(one, other, score) for (one, other), score in sorted(best.items())]


def _batches(count: int) -> Iterator[slice]:
    """So many pictures or pairs at a time; after each the system may have the memory of the patterns looked at."""
    for start in range(0, count, _BATCH):
        yield slice(start, start + _BATCH)
        let_go()


def _content(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture without its black margins, on the grid."""
    sample = image[:: 1 + image.shape[0] // 512, :: 1 + image.shape[1] // 512] > _BLACK
    spans = []
    for axis in (0, 1):
        on = np.flatnonzero(np.count_nonzero(sample, axis=1 - axis) / sample.shape[1 - axis] > _MARGIN_SHARE)
        length = sample.shape[axis]
        whole = on.size < length / 5
        low, high = (0.0, 1.0) if whole else (on[0] / length, (on[-1] + 1) / length)
        spans.append((low * image.shape[axis], high * image.shape[axis]))
    (top, bottom), (left, right) = spans
    small = Image.fromarray(image).resize((_GRID, _GRID), Image.Resampling.BOX, box=(left, top, right, bottom))
    return np.asarray(small)


def _inside(small: Floats) -> Floats:
    """1 well inside the scan, 0 on black, on its border and on thin things such as text; pictures (n, size, size)."""
    bright = _blurred(small, 1.5) > _DARK
    padded = np.pad(bright, ((0, 0), (3, 3), (3, 3)), mode="edge")
    opened = ndimage.binary_opening(padded, _CROSS, iterations=2)[:, 3:-3, 3:-3]
    return ndimage.binary_erosion(opened, _CROSS, iterations=4, border_value=1).astype(np.float32)


def _normalised(small: Floats, mask: Floats, *, spread: float, smooth: float) -> Floats:
    """Local contrast in local standard deviations; local is a Gaussian of ``spread`` grid cells, content only.

    A picture without any structure has no pattern: all such would be alike. Of pictures (n, size, size).
    """
    weight = _blurred(mask, spread) + np.float32(1e-3)
    contrast = (small - _blurred(small * mask, spread) / weight) * mask
    deviation = np.sqrt(_blurred(contrast * contrast, spread) / weight)
    limited = np.clip(contrast / (deviation + 2), -2.5, 2.5)
    structured = np.sqrt(np.mean(limited * limited, axis=(1, 2), keepdims=True)) >= _LEAST_STRUCTURE
    return np.where(structured, _blurred(limited, smooth), np.float32(0))


def _blurred(values: Floats, spread: float) -> Floats:
    """Pictures (n, size, size) under a Gaussian, black beyond their rims.

    As ``scipy.ndimage.gaussian_filter`` of each, which takes ten times as long for so small ones.
    """
    blur = _blur(values.shape[-1], spread)
    return np.asarray(blur @ values @ blur.T)


@cache
def _blur(size: int, spread: float) -> Floats:
    """A Gaussian along one axis as a matrix."""
    return np.asarray(ndimage.gaussian_filter1d(np.eye(size), spread, axis=0, mode="constant"), dtype=np.float32)


def _halved(values: Floats) -> Floats:
    count, rows, columns = values.shape
    blocks = values.reshape(count, rows // 2, 2, columns // 2, 2)
    return np.asarray(blocks.mean(axis=(2, 4)), dtype=np.float32)


def _windows() -> NDArray[np.float64]:
    """The whole, and cuts of it: every place of each size, in steps that the coarse grid still recognises."""
    found = [(0.0, 0.0, 1.0, 1.0)]
    for height, width in ((0.87, 0.87), (0.75, 0.75), (0.63, 0.63), (0.85, 1.0), (0.7, 1.0), (1.0, 0.85), (1.0, 0.7)):
        tops, lefts = (
            np.linspace(0, 1 - size, 1 + int(np.ceil((1 - size) / 0.125 - 1e-9))) for size in (height, width)
        )
        found += [(float(top), float(left), height, width) for top in tops for left in lefts]
    return np.array(found)


@cache
def _samplers() -> list[tuple[Floats, Floats]]:
    """For each window what samples its rows and its columns."""
    return [
        (_sampler(w[None, 0], w[None, 2], _MIDDLE, _COARSE)[0], _sampler(w[None, 1], w[None, 3], _MIDDLE, _COARSE)[0])
        for w in _windows()
    ]


def _candidates(found: Patterns, numbers: NDArray[np.intp]) -> Pairs:
    """For each picture the few others of which a window resembles it most; pairs of one group are left out.

    Every window of every picture is compared with the whole of every other.
    """
    count = len(numbers)
    blocks = [slice(start, start + _BLOCK) for start in range(0, count, _BLOCK)]
    whole = np.concatenate([_seen_through(found.broad[part], _samplers()[:1])[:, 0] for part in _batches(count)])
    kept: Candidates = (np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros(0, np.float32))
    for batch in _batches(count):
        views = _seen_through(found.broad[batch], _samplers())
        hits = [kept]
        for row in range(0, len(views), _TILE):
            tile = views[row : row + _TILE]
            own = numbers[batch.start + row :][: len(tile), None]
            for part in blocks:
                score = (tile.reshape(-1, tile.shape[2]) @ whole[part].T).reshape(*tile.shape[:2], -1).max(axis=1)
                first, second = np.nonzero((score >= _LEAST_COARSE) & (own != numbers[None, part]))
                hits.append((first + batch.start + row, second + part.start, score[first, second]))
        kept = _foremost(hits)
    return _with_windows(found, whole, kept[0], kept[1])


def _seen_through(broad: Floats, samplers: Sequence[tuple[Floats, Floats]]) -> Floats:
    """What windows show of broad patterns (n, size, size), coarsely: unit vectors (n, windows, cells)."""
    smooth = np.asarray(ndimage.gaussian_filter(broad, (0, 1, 1)), dtype=np.float32)
    return np.stack([_unit(_seen(rows, smooth, columns.T)) for rows, columns in samplers], axis=1)


def _foremost(hits: Sequence[Candidates]) -> Candidates:
    """Of candidates (first, second, score) the best few of each ``second``, of equal ones those that come first."""
    first, second, score = (np.concatenate(each) for each in zip(*hits, strict=True))
    order = np.lexsort((first, -score, second))
    begins = np.searchsorted(second[order], second[order])
    kept = order[np.arange(len(order)) - begins < _CANDIDATES]
    return first[kept], second[kept], score[kept]


def _with_windows(found: Patterns, whole: Floats, first: NDArray[np.intp], second: NDArray[np.intp]) -> Pairs:
    """Candidates with the window of ``first`` that resembles ``second`` most."""
    chosen = [np.zeros((0, 4))]
    for part in _batches(len(first)):
        views = _seen_through(found.broad[first[part]], _samplers())
        chosen.append(_windows()[(views @ whole[second[part], :, None])[..., 0].argmax(axis=1)])
    return first, second, np.concatenate(chosen)


def _verified(found: Patterns, pairs: Pairs) -> list[tuple[int, int, float]]:
    """Align a batch of pairs in rounds that the less alike do not survive; the similarity of those that do."""
    rounds = [(found.broadly, steps, least) for steps, least in _MIDDLE_ROUNDS]
    rounds.append((found.finely, _FINE_STEPS, 0.0))
    score = np.zeros(len(pairs[0]), dtype=np.float32)
    for seen, steps, least in rounds:
        windows, score = _align(seen(pairs[0]), seen(pairs[1]), pairs[2], steps)
        good = score >= least
        pairs, score = (pairs[0][good], pairs[1][good], windows[good]), score[good]
        if not len(score):
            break
    return list(zip(pairs[0].tolist(), pairs[1].tolist(), score.tolist(), strict=True))


def _align(
    first: tuple[Floats, Floats], second: tuple[Floats, Floats], windows: NDArray[np.float64], steps: int
) -> tuple[NDArray[np.float64], Floats]:
    """Gauss-Newton on windows of ``first`` that show ``second``; also the correlation reached, 0 where they part.

    Of each the patterns (n, size, size) and where they have content.
    """
    windows = windows.copy()
    source, source_inside = first
    target, target_inside = second[0], second[1] > 0.5
    size = source.shape[1]
    slope_row, slope_column = (np.asarray(np.gradient(source, axis=axis) * size, dtype=np.float32) for axis in (1, 2))
    middle = np.asarray((np.arange(size) + 0.5) / size, dtype=np.float32)
    for step in range(steps + 1):
        rows = _sampler(windows[:, 0], windows[:, 2], size, size)
        columns = _sampler(windows[:, 1], windows[:, 3], size, size).transpose(0, 2, 1)
        weight = np.asarray((_seen(rows, source_inside, columns) > 0.5) & target_inside, dtype=np.float32)
        moved, norm = _centred(_seen(rows, source, columns), weight)
        fixed, _ = _centred(target, weight)
        if step < steps:
            by_row, by_column = (_seen(rows, slope, columns) * weight / norm for slope in (slope_row, slope_column))
            slopes = np.stack([by_row, by_column, by_row * middle[:, None], by_column * middle], axis=1)
            windows += _newton_step(slopes.reshape(len(windows), 4, -1), (fixed - moved).reshape(len(windows), -1, 1))
            windows[:, 2:] = np.clip(windows[:, 2:], 0.4, 1.6)
    score = np.asarray((moved * fixed).sum(axis=(1, 2)), dtype=np.float32)
    content = np.minimum(source_inside.mean(axis=(1, 2)), target_inside.mean(axis=(1, 2)))
    least = np.maximum(_LEAST_OVERLAP, _LEAST_COVERED * content)
    return windows, np.where(weight.mean(axis=(1, 2)) >= least, score, np.float32(0))


def _newton_step(slopes: Floats, error: Floats) -> NDArray[np.float64]:
    """Damped, limited change of (top, left, height, width) from slopes (n, 4, cells) and errors (n, cells, 1)."""
    normal = slopes @ slopes.transpose(0, 2, 1)
    damping = 1e-3 * np.trace(normal, axis1=1, axis2=2) + 1e-6
    change = np.linalg.solve(normal + damping[:, None, None] * np.eye(4), slopes @ error)
    return np.asarray(np.clip(change[:, :, 0], -0.04, 0.04), dtype=np.float64)


def _seen(rows: Floats, values: Floats, columns: Floats) -> Floats:
    """Values (n, size, size) as sampled by rows (n, a, size) and columns (n, size, b)."""
    return np.asarray(rows @ values @ columns, dtype=np.float32)


def _sampler(start: NDArray[np.float64], extent: NDArray[np.float64], size: int, wanted: int) -> Floats:
    """Linear interpolation as matrices (n, wanted, size): cells of the window [start, start + extent] of 0..1."""
    places = (start[:, None] + extent[:, None] * (np.arange(wanted) + 0.5) / wanted) * size - 0.5
    distance = np.abs(places[:, :, None] - np.arange(size)).astype(np.float32)
    return np.maximum(np.float32(0), 1 - distance)


def _centred(values: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Values less their weighted mean, zero where unweighted, divided by their norm; and that norm."""
    total = weight.sum(axis=(1, 2), keepdims=True) + np.float32(1e-6)
    mean = (values * weight).sum(axis=(1, 2), keepdims=True) / total
    centred = (values - mean) * weight
    norm = np.sqrt((centred * centred).sum(axis=(1, 2), keepdims=True)) + np.float32(1e-6)
    return centred / norm, norm


def _unit(values: Floats) -> Floats:
    flat = values.reshape(len(values), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    return np.asarray(flat / (np.linalg.norm(flat, axis=1, keepdims=True) + 1e-6), dtype=np.float32)
