"""Rows of marks at equal distances: ticks of a depth scale beside the picture, or its dots along the sector's side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

LEAST_TICKS = 5
LEAST_PRESENT = 0.8
"""Share of a row's ticks that are found, from its first to its last."""
_LEAST_CONTRAST = 50
_LEAST_STEP_PX = 7.0
_NEAR_PX = 1.3
"""How far a tick may lie from where its row has it."""
_MOST_BARS, _MOST_DOTS = 600, 220
"""Marks of one kind that are looked at, the clearest first: a bound on the work of noisy frames."""
_NEIGHBOURS = 14
_REFITS = 4
_PARTS = (5, 4, 3, 2)
_LEAST_BETWEEN = 0.6
"""Share of places between ticks that are lit, from which there are ticks, too."""
_LONGER = 1.3
_THICK_PX = 6
"""Rows of the thickest tick, on a frame of 600 x 800."""
_LEAST_SHARE = 0.2
"""Of the frame's rows that a row of ticks spans."""

Gray = NDArray[np.uint8]
Places = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class TickRow:
    """``places`` (ticks, 2) as (row, column), and ``counts``: which tick of the row each is.

    ``step`` is one tick further, ``error_px`` the standard error of its length. ``bars``: it is an upright row of bars,
    not of dots. ``longer_each``: after so many ticks one is longer; None where none is, or at no one distance.
    """

    places: Places
    counts: NDArray[np.intp]
    step: tuple[float, float]
    error_px: float
    bars: bool
    longer_each: int | None = None

    @property
    def step_px(self) -> float:
        """Pixels from tick to tick."""
        return float(np.hypot(*self.step))

    def off(self, other: TickRow) -> float:
        """How far another row's middle lies beside the line of this one, in pixels."""
        down, right = other.places.mean(axis=0) - self.places[0]
        return float(abs(down * self.step[1] - right * self.step[0]) / self.step_px)

    @property
    def steps(self) -> int:
        """From the first to the last."""
        return int(self.counts[-1] - self.counts[0])


def tick_rows(rgb: Gray) -> tuple[TickRow, ...]:
    """Rows of at least five equal steps on a frame (rows, columns, 3), uint8 RGB, those with most ticks first.

    Bars stand in an upright row; dots in one that is not level.
    """
    bright = rgb.max(axis=-1)
    scale = max(1.0, bright.shape[0] / 600, bright.shape[1] / 800)
    thick = round(_THICK_PX * scale)
    ground = ndimage.maximum_filter1d(ndimage.minimum_filter1d(bright, 2 * thick + 1, axis=0), 2 * thick + 1, axis=0)
    clear = bright - ground
    rows = [_best(marks, len(bright), _NEAR_PX * scale) for marks in _marks(bright, clear, thick)]
    found = sorted((row for row in rows if row is not None), key=lambda row: (-row.bars, -len(row.counts)))
    apart: list[TickRow] = []
    for row in found:
        if all(other.off(row) > 6 * thick for other in apart):  # each side of the same bars gives a row
            apart.append(_finer(row, clear))
    return tuple(apart)


@dataclass(frozen=True, slots=True, eq=False)
class _Marks:
    """Marks of one kind: ``places`` (marks, 2), and how wide each is."""

    places: Places
    widths: NDArray[np.intp]
    bars: bool


def _marks(bright: Gray, clear: Gray, thick: int) -> Iterator[_Marks]:
    """Small isolated marks up to ``thick`` pixels high: bars by their left ends, by their right ends, then dots.

    ``clear`` is how far each pixel stands out of what is above and below it.
    """
    labels, total = ndimage.label(clear > _LEAST_CONTRAST, np.ones((3, 3), np.int8))
    if not total:
        return
    boxes = ndimage.find_objects(labels)
    heights = np.array([box[0].stop - box[0].start for box in boxes])
    lefts, rights = (np.array([getattr(box[1], end) for box in boxes]) for end in ("start", "stop"))
    widths = rights - lefts
    sizes = np.bincount(labels.ravel(), minlength=total + 1)[1:]
    full = sizes / (heights * widths)
    around = ndimage.uniform_filter(bright.astype(np.float32), 2 * thick + 1)
    contrast = ndimage.maximum(bright - around, labels, np.arange(1, total + 1))
    bar = (heights <= thick) & (widths >= 2) & (widths <= 7 * thick) & (widths >= 1.2 * heights) & (full > 0.75)
    dot = (heights <= thick) & (widths <= thick) & (full > 0.5) & (sizes >= 2)
    for chosen, bars in ((bar, True), (dot, False)):
        kept = np.nonzero(chosen)[0]
        kept = kept[np.argsort(-contrast[kept], kind="stable")][: _MOST_BARS if bars else _MOST_DOTS]
        if len(kept) < LEAST_TICKS:
            continue
        middles = np.array(ndimage.center_of_mass(clear, labels, kept + 1))
        for ends in (lefts, rights - 1) if bars else ():
            yield _Marks(np.column_stack([middles[:, 0], ends[kept]]), widths[kept], True)
        if not bars:
            yield _Marks(middles, widths[kept], False)


def _best(marks: _Marks, rows: int, near: float) -> TickRow | None:
    """The row with most ticks among marks; None where no row is long and full enough."""
    tree = cKDTree(marks.places)
    best: _Row | None = None
    for start, step in _steps(marks, tree, near):
        row: _Row | None = None
        for _ in range(_REFITS):  # a step between two neighbours is a pixel off, too much for ten of them
            wider = _hits(marks, tree, start, step, rows, near)
            if wider is None or (row is not None and len(wider.counts) <= len(row.counts)):
                break
            row = wider
            start, step = row.line()
        if row is not None and row.full and (best is None or len(row.counts) > len(best.counts)):
            best = row
    return None if best is None else _fitted(best, marks.bars, rows)


@dataclass(frozen=True, slots=True, eq=False)
class _Row:
    """Marks (ticks, 2) that lie on a row, which of its ticks they are, and how wide each is."""

    places: Places
    counts: NDArray[np.intp]
    widths: NDArray[np.intp]

    @property
    def full(self) -> bool:
        """Whether it has enough ticks, and most of those between its first and last."""
        return len(self.counts) >= max(LEAST_TICKS, LEAST_PRESENT * int(self.counts[-1] - self.counts[0] + 1))

    def line(self) -> tuple[Places, Places]:
        """Its tick of count 0 and its step, by least squares."""
        design = np.column_stack([np.ones(len(self.counts)), self.counts])
        fit, *_ = np.linalg.lstsq(design, self.places, rcond=None)
        return fit[0], fit[1]

    def longer_each(self) -> int | None:
        """After how many ticks one is longer than the short ones, where that is always as many."""
        longer = self.counts[self.widths > _LONGER * np.percentile(self.widths, 25)]
        if len(longer) < 2:
            return None
        each = int(np.diff(longer).min())
        due = self.counts[(self.counts - longer[0]) % each == 0]
        return each if np.array_equal(due, longer) else None


def _hits(marks: _Marks, tree: cKDTree, start: Places, step: Places, rows: int, near: float) -> _Row | None:
    """The marks on a row around ``start``, as far as no two ticks are missing side by side.

    Parameters
    ----------
    marks, tree
        Marks, and their places to look them up.
    start, step
        The row's tick of count 0, and one step.
    rows
        Of the frame.
    near
        How far a mark may lie from its tick, in pixels.
    """
    reach = int(rows / np.hypot(*step)) + 1
    counts = np.arange(-reach, reach + 1)
    far, which = map(np.asarray, tree.query(start + counts[:, None] * step, distance_upper_bound=near))
    hit = np.isfinite(far)
    first = last = reach
    while first > 0 and hit[max(first - 2, 0) : first].any():
        first -= 1
    while last < len(hit) - 1 and hit[last + 1 : last + 3].any():
        last += 1
    run = slice(first, last + 1)
    taken = hit[run]
    chosen = which[run][taken]
    return _Row(marks.places[chosen], counts[run][taken], marks.widths[chosen]) if len(chosen) >= 2 else None


def _steps(marks: _Marks, tree: cKDTree, near: float) -> Iterator[tuple[Places, Places]]:
    """Pairs of neighbours that a row may go through: upright ones of bars, and any of dots that are not level."""
    places = marks.places
    if marks.bars:
        yield from _upright_steps(places, near)
        return
    nearest = np.asarray(tree.query(places, k=min(_NEIGHBOURS, len(places)))[1])
    for at, others in enumerate(nearest):
        for other in others[1:]:
            step = places[other] - places[at]
            if step[0] >= 0.3 * abs(step[1]) and np.hypot(*step) >= _LEAST_STEP_PX:
                yield places[at], step


def _upright_steps(places: Places, near: float) -> Iterator[tuple[Places, Places]]:
    """The next bars below each, at the same column."""
    order = np.argsort(places[:, 0], kind="stable")
    sorted_ = places[order]
    for at in range(len(sorted_)):
        same = np.nonzero(np.abs(sorted_[at + 1 :, 1] - sorted_[at, 1]) <= near)[0][:3]
        for other in same:
            step = np.array([sorted_[at + 1 + other, 0] - sorted_[at, 0], 0.0])
            if step[0] >= _LEAST_STEP_PX:
                yield sorted_[at], step


def _finer(row: TickRow, clear: Gray) -> TickRow:
    """The same row with more ticks, where marks that were not told by their shape stand evenly between its own."""
    lit = ndimage.maximum_filter(clear, 3) > _LEAST_CONTRAST
    start, step = row.places[0] - row.counts[0] * np.asarray(row.step), np.asarray(row.step)
    for parts in _PARTS:
        between = [
            count + part / parts for count in range(int(row.counts[0]), int(row.counts[-1])) for part in range(1, parts)
        ]
        places = np.rint(start + np.array(between)[:, None] * step).astype(int)
        rows, cols = places[:, 0].clip(0, lit.shape[0] - 1), places[:, 1].clip(0, lit.shape[1] - 1)
        if row.step_px / parts >= _LEAST_STEP_PX and lit[rows, cols].mean() >= _LEAST_BETWEEN:
            finer = (row.step[0] / parts, row.step[1] / parts)
            longer = row.longer_each * parts if row.longer_each else None
            return TickRow(row.places, row.counts * parts, finer, row.error_px / parts, row.bars, longer)
    return row


def _fitted(row: _Row, bars: bool, rows: int) -> TickRow | None:
    """The row with its step's error; None where it is short."""
    start, step = row.line()
    left = row.places - start - row.counts[:, None] * step
    spread = float(np.sqrt((left**2).sum() / max(len(row.counts) - 2, 1)))
    if step[0] * (row.counts[-1] - row.counts[0]) < _LEAST_SHARE * rows:
        return None
    error = max(spread, 0.3) / float(np.sqrt(((row.counts - row.counts.mean()) ** 2).sum()))
    across = row.longer_each() if bars else None
    return TickRow(row.places, row.counts, (float(step[0]), float(step[1])), error, bars, across)
