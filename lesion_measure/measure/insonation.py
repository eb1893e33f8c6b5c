"""Which pixels of a picture the ultrasound beam has reached: the sector, trapezoid or rectangle with the echoes in it.

A scanner's screen is one even background around that area. So: what differs from the background and is dense is echo,
what is thin or lies apart is text, a ruler, a bar. The smallest symmetric sector around the echoes, from its own top
arc to its own bottom, is the insonated area; shadows and cysts in it belong to it, and so does the dark side of a
sector whose other side is lit. Where nothing can be told, `InsonatedArea.known` is False.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lesion_measure.measure.hull import hull_corners
from lesion_measure.measure.patches import Bools, Cells, Patches, eroded, opened, smoothed, smoothed_rim

CELLS = 256
"""About so many square cells along the longer side: what is decided is decided on cells."""
LEAST_SIDE_PX = 32
TOLERANCES = (0, 1, 2, 4)
"""Grey levels by which a background may vary, the least that works first: many machines write a floor of 1 inside."""
DEAD = 0.02
"""Share of pixels unlike the background up to which a cell is background."""
LEAST_RIM = 0.1
"""Share of the picture's rim that must be background; with less, the picture was cropped into the echoes."""
FAINT = 4
FAINT_SHARE = 0.2
"""Pixels within `FAINT` of the background are JPEG noise where they are no more than this share of all echo."""
LEAST_SIGNAL = 0.01
"""Share of a cut-out's pixels that differ from the commonest level, from which it holds echoes, not crosses alone."""
LEAST_SHARE = 0.05
"""Share of the picture that has to be echo for its shape to be known."""
MOST_LEFT_OUT = 0.1
"""Echo outside of the sector that was found, as a share of all: with more of it, the shape is not known."""
BAR = 2.5
"""Length over width from which a separate dense patch is a bar and no picture."""
LARGEST_BAR = 0.25
"""Size of a bar as a share of the echo; a larger one may be the picture above a cyst that parts it."""
PART = 0.15
"""Size, against the largest patch of echo, from which another one is a part of the picture."""
LEAST_TANGENT = 0.08
"""Sides that lean less than this are those of a rectangle."""
ARC_SHARE = 0.3
"""Share of directions in which the echoes have to reach the bottom arc; with less, the area goes down to the edge."""
SHARP = 0.85
"""Density of the echoes just within the far arc, against that further up, from which they end there and do not fade."""
_ROUNDING = 1e-5
"""More than what float32 loses of a distance squared."""
TANGENTS = np.tan(np.radians(np.arange(0, 70.1, 0.5)))


@dataclass(frozen=True, slots=True, eq=False)
class InsonatedArea:
    """``mask`` (rows, columns) is True in the insonated area, and everywhere where the area is not ``known``."""

    mask: Bools
    known: bool


@dataclass(frozen=True, slots=True)
class _Sector:
    """A symmetric sector in pixels: its sides at row ``top``, the tangent of their lean, top and bottom.

    ``apex`` is the row in which the sides meet, ``near`` and ``far`` the radii about it; where the sides are upright
    there is none of them.
    """

    top: float
    left: float
    right: float
    tangent: float
    bottom: float | None
    apex: float | None = None
    near: float = 0.0
    far: float | None = None

    def mask(self, shape: tuple[int, int]) -> Bools:
        rows = np.arange(shape[0], dtype=np.float32)[:, None]
        cols = np.arange(shape[1], dtype=np.float32)[None]
        lean = self.tangent * (rows - self.top)
        inside = (cols >= self.left - lean) & (cols <= self.right + lean)
        if self.bottom is not None:
            inside &= rows <= self.bottom
        if self.apex is None:
            return inside & (rows >= self.top)
        inside &= rows > self.apex
        down2, across2 = (rows - self.apex) ** 2, (cols - (self.left + self.right) / 2) ** 2
        above = _span(down2[:, 0] < self.near**2)  # the arcs cross no other rows
        inside[above] &= down2[above] + across2 >= self.near**2
        if self.far is not None:
            widest = np.minimum((lean + (self.right - self.left) / 2 + 1) ** 2, across2.max())
            below = _span((down2 + widest)[:, 0] > (1 - _ROUNDING) * self.far**2)
            inside[below] &= down2[below] + across2 <= self.far**2
        return inside


def insonated_area(pixels: NDArray[np.generic]) -> InsonatedArea:
    """The insonated area of one picture: an ultrasound region, or a whole image that states none.

    Parameters
    ----------
    pixels
        Brightness (rows, columns) of one frame, or (frames, rows, columns) of some of one cine, cut to the region.
        uint8, or any numbers of which the largest is white.

    Returns
    -------
    InsonatedArea
        Known and everywhere where echoes reach the picture's rim all around. Not known, and thus everywhere, where too
        little echo is seen or much of it does not fit one sector (dual images without regions).
    """
    frames = _grey(pixels)
    shape = (frames.shape[1], frames.shape[2])
    everywhere = np.ones(shape, dtype=np.bool_)
    if min(shape) < LEAST_SIDE_PX:
        return InsonatedArea(everywhere, known=False)
    side = max(1, round(max(shape) / CELLS))
    unlike = _unlike_background(frames)
    density = _density(unlike, side)
    if density is None:
        return InsonatedArea(everywhere, known=True)
    core = _core(density)
    dense = smoothed(density, 3) >= 0.35
    echo = _joined(dense, core)
    if echo.mean() < LEAST_SHARE:
        return InsonatedArea(everywhere, known=False)
    area = _sector(echo, density, side).mask(shape)
    sparse = eroded(smoothed(density, 5) >= 0.2, 5)
    _add_cells(area, _joined(dense | sparse, core), side)
    outside = ~area[side // 2 :: side, side // 2 :: side][: dense.shape[0], : dense.shape[1]]
    left_out = Patches.of(opened(dense, 5) & outside)
    doubtful = ~_bars(left_out) | (left_out.sizes > LARGEST_BAR * echo.sum())
    if left_out.sizes[doubtful].sum() > MOST_LEFT_OUT * echo.sum():
        return InsonatedArea(everywhere, known=False)
    return InsonatedArea(area, known=True)


def has_signal(pixels: NDArray[np.generic]) -> bool:
    """Whether a cut-out (rows, columns) holds echoes: enough pixels that differ from its commonest level.

    Numbers of another type than uint8 run from 0 (black) to 1 (white).
    """
    if pixels.dtype != np.uint8:
        pixels = np.clip(np.asarray(pixels, dtype=np.float32) * 255, 0, 255).round().astype(np.uint8)
    levels = np.bincount(pixels.ravel(), minlength=256)
    commonest = int(levels.argmax())
    like = levels[max(commonest - 1, 0) : commonest + 2].sum()
    return bool(like < (1 - LEAST_SIGNAL) * pixels.size)


def _grey(pixels: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Frames (n, rows, columns) as uint8."""
    frames = pixels[None] if pixels.ndim == 2 else pixels
    if frames.dtype == np.uint8:
        return frames.astype(np.uint8, copy=False)
    values = frames.astype(np.float32)
    return np.asarray(np.clip(values * (255 / max(float(values.max()), 1e-9)), 0, 255).round(), dtype=np.uint8)


def _unlike_background(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Each pixel's (rows, columns) greatest difference on any frame from the background, the rim's commonest level."""
    band = max(1, round(0.01 * min(frames.shape[1:])))
    rim = [frames[:, :band], frames[:, -band:], frames[:, :, :band], frames[:, :, -band:]]
    background = np.uint8(np.bincount(np.concatenate([part.ravel() for part in rim])).argmax())
    brightest, darkest = (frames[0], frames[0]) if len(frames) == 1 else (frames.max(axis=0), frames.min(axis=0))
    if not background:
        return np.asarray(brightest)
    above = np.maximum(brightest, background) - background
    return np.asarray(np.maximum(above, background - np.minimum(darkest, background)))


def _density(unlike: NDArray[np.uint8], side: int) -> Cells | None:
    """Share of echo in each cell; None where too little of the picture's rim is background."""
    for tolerance in TOLERANCES:
        density = _cells(unlike > tolerance, side)
        if np.mean(smoothed_rim(density, 5) < DEAD) >= LEAST_RIM:
            break
    else:
        return None
    some = np.ascontiguousarray(unlike[::2, ::2])
    echo = np.count_nonzero(some > tolerance)
    faint = echo - np.count_nonzero(some > FAINT)
    return _cells(unlike > FAINT, side) if faint < FAINT_SHARE * echo else density


def _cells(live: Bools, side: int) -> Cells:
    """Mean over whole square cells; up to a cell is left out at the right and at the bottom."""
    rows, cols = live.shape[0] // side, live.shape[1] // side
    counted = np.min_scalar_type(side * side)
    parts = live[: rows * side, : cols * side].view(np.uint8)
    down: NDArray[Any] = parts[::side].astype(counted)
    for row in range(1, side):
        down += parts[row::side]
    counts = down[:, ::side].copy()
    for col in range(1, side):
        counts += down[:, col::side]
    return np.asarray(counts.astype(np.float32) / (side * side), dtype=np.float32)


def _add_cells(area: Bools, cells: Bools, side: int) -> None:
    """Add cells to an area of pixels."""
    rows, cols = cells.shape
    wide = cells.repeat(side, axis=1)
    for row in range(side):
        area[row : rows * side : side, : cols * side] |= wide


def _core(density: Cells) -> Bools:
    """The dense patches that are picture: the largest, and others of its order that are no bars."""
    patches = Patches.of(_opened(density >= 0.5))
    most = patches.sizes.max(initial=0)
    kept = (patches.sizes >= PART * most) & ~_bars(patches)
    if most:
        kept[patches.sizes.argmax()] = True
    return patches.some(kept)


def _bars(patches: Patches) -> Bools:
    """Which of the patches are long and narrow."""
    height, width = patches.extents()
    return np.maximum(height, width) > BAR * np.minimum(height, width)


def _joined(cells: Bools, core: Bools) -> Bools:
    """The core, and what of the cells hangs together with it by more than thin lines."""
    patches = Patches.of(_opened(cells) | core)
    return patches.some(patches.touching(core))


def _opened(cells: Bools) -> Bools:
    """Without what is thinner than seven cells: text, rulers, frames; the picture goes on beyond its rim."""
    return opened(cells, 7)


def _sector(echo: Bools, density: Cells, side: int) -> _Sector:
    """The smallest symmetric sector that holds the echoes.

    Its sides lean as the hull of the echoes does half-way down, on the side where it leans more: the other may lie in
    the dark.
    """
    hull = _hull(echo)
    corners = np.concatenate([hull * side + np.array([row, col]) * (side - 1) for row in (0, 1) for col in (0, 1)])
    rows, cols = corners.T.astype(np.float64)
    top, bottom = rows.min() - 0.5, rows.max() + 0.5
    lean = TANGENTS[:, None] * (rows - top)
    lefts, rights = (cols + lean).min(axis=1) - 0.5, (cols - lean).max(axis=1) + 0.5
    half = TANGENTS * (bottom - top) / 2
    steepest = max(int((lefts - half).argmax()), int((rights + half).argmin()))
    tangent = float(TANGENTS[steepest])
    left, right = sorted([float(lefts[steepest]), float(rights[steepest])])
    lowest = cols[rows >= bottom - 1.5 * side]
    flat = float(bottom) if np.ptp(lowest) > 0.4 * np.ptp(cols) else None
    if tangent < LEAST_TANGENT:
        return _Sector(top, left, right, tangent, bottom=None)
    middle, apex = (left + right) / 2, float(top) - (right - left) / 2 / tangent
    far = float(np.hypot(rows - apex, cols - middle).max()) + 0.5
    near, ends = _arcs(echo, density, side, (apex, middle), float(np.arctan(tangent)), far)
    return _Sector(top, left, right, tangent, flat, apex=apex, near=near, far=far if ends else None)


def _hull(echo: Bools) -> NDArray[np.intp]:
    """Corners (n, 2) of the convex hull, in cells; they are among the first and the last cell of each row."""
    rows = np.flatnonzero(echo.any(axis=1))
    first, last = echo[rows].argmax(axis=1), echo.shape[1] - 1 - echo[rows, ::-1].argmax(axis=1)
    ends = np.stack([rows.repeat(2), np.stack([first, last], axis=1).ravel()], axis=1)
    return np.asarray(ends[hull_corners(ends)])


def _span(wanted: Bools) -> slice:
    """From the first to the last that is wanted (n,)."""
    places = np.flatnonzero(wanted)
    return slice(int(places[0]), int(places[-1]) + 1) if len(places) else slice(0)


def _tenth(values: NDArray[np.float64]) -> float:
    """The tenth percentile, bit for bit as numpy's, which takes a hundred times as long over few numbers."""
    ordered: list[float] = sorted(values.tolist())
    place = 0.1 * (len(values) - 1)
    number = math.floor(place)
    low, high, share = ordered[number], ordered[min(number + 1, len(values) - 1)], place - number
    return low + (high - low) * share if share < 0.5 else high - (high - low) * (1 - share)


def _arcs(
    echo: Bools, density: Cells, side: int, apex: tuple[float, float], half: float, far: float
) -> tuple[float, bool]:
    """Radius of the probe's face, and whether the echoes end at the far arc at once, rather than fade before it."""
    angles = np.linspace(-half, half, 49)[2:-2, None]
    radii = np.arange(0, far + 2 * side, 0.7 * side)[None]
    middle = (side - 1) / 2
    rows = np.round((apex[0] + radii * np.cos(angles) - middle) / side).astype(np.intp)
    cols = np.round((apex[1] + radii * np.sin(angles) - middle) / side).astype(np.intp)
    on = (rows >= 0) & (rows < echo.shape[0]) & (cols >= 0) & (cols < echo.shape[1])
    places = np.where(on, rows * echo.shape[1] + cols, 0)
    lit, dense = echo.ravel()[places] & on, np.where(on, density.ravel()[places], np.float32(0))
    some = lit.any(axis=1)
    if not some.any():
        return 0.0, False
    lit, dense = lit[some], dense[some]
    first, last = radii[0, lit.argmax(axis=1)], radii[0, lit.shape[1] - 1 - lit[:, ::-1].argmax(axis=1)]
    near = max(0.0, _tenth(first) - 1.5 * side)
    whole = dense[last >= 0.95 * far]
    if len(whole) < ARC_SHARE * len(lit):
        return near, False
    edge, within = (
        whole[:, (radii[0] >= low * far) & (radii[0] < high * far)].mean() for low, high in ((0.88, 0.94), (0.74, 0.86))
    )
    return near, bool(edge >= SHARP * within)
