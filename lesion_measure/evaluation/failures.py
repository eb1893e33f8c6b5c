"""The worst cases of a set as one picture, for a model card; `gallery` shows them on an evaluation's page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lesion_measure.datasets import Picture, picture_digest
from lesion_measure.evaluation.cases import FOUND_DICE, NETWORK_PROMPTED, Case, Method
from lesion_measure.network import CaliperLine
from lesion_measure.report.words import fixed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

EACH = 4
TRUE, DRAWN, CALIPER = "#F0E442", "#D55E00", "#56B4E9"
_CONTEXT = 0.8
_ROWS = {
    Method.LONG_AXIS: "from the long axis",
    Method.BOTH_AXES: "from both axes",
    Method.AUTOMATIC: "by itself, most confident",
}


@dataclass(frozen=True, slots=True, eq=False)
class _Failure:
    """One outline that failed: what is shown, what is said of it, and the part of the picture around it."""

    item: Picture
    words: str
    true: Sequence[NDArray[np.float32]]
    drawn: NDArray[np.float32] | None
    calipers: Sequence[CaliperLine]
    around: Sequence[NDArray[np.float32]]


def draw_failures(cases: Sequence[Case], pictures: Sequence[Picture], path: Path) -> bool:
    """Draw the worst outlines from calipers, and the most confident wrong ones of the network alone, as a PNG.

    ``pictures`` hold those of the ``cases``, in any order. False, and no file, where there is none to show.
    """
    shown = {picture_digest(item): item for item in pictures}
    rows = {
        **{method: _prompted(cases, shown, method) for method in NETWORK_PROMPTED},
        Method.AUTOMATIC: _automatic(cases, shown),
    }
    rows = {method: failures for method, failures in rows.items() if failures}
    if rows:
        _figure(rows).savefig(path, dpi=80)
    return bool(rows)


def _prompted(cases: Sequence[Case], shown: Mapping[str, Picture], method: Method) -> list[_Failure]:
    """Of each lesion the first placing of its calipers, so that none is there twice."""
    first = [(case, lesion, lesion.placings[0]) for case in cases for lesion in case.lesions]
    known = [(case, lesion, placing) for case, lesion, placing in first if method in placing.drawn]
    made = []
    for case, lesion, placing in sorted(known, key=lambda one: one[2].drawn[method].dice)[:EACH]:
        drawn = placing.drawn[method]
        true = [line for line in (lesion.outline_px,) if line is not None]
        calipers = placing.calipers if method is Method.BOTH_AXES else placing.calipers[:1]
        around = [*true, *(np.asarray(line, dtype=np.float32) for line in calipers)]
        words = f"{case.picture}\nDice {fixed(drawn.dice, 2)}"
        made.append(_Failure(shown[case.digest], words, true, drawn.outline_px, calipers, around))
    return made


def _automatic(cases: Sequence[Case], shown: Mapping[str, Picture]) -> list[_Failure]:
    wrong = [(case, drawn) for case in cases for drawn in case.automatic if drawn.dice < FOUND_DICE]
    made = []
    for case, drawn in sorted(wrong, key=lambda one: -(one[1].confidence or 0.0))[:EACH]:
        true = [lesion.outline_px for lesion in case.lesions if lesion.outline_px is not None]
        what = "no lesion there" if drawn.lesion is None else f"Dice {fixed(drawn.dice, 2)}"
        words = f"{case.picture}\n{what}, confidence {fixed(drawn.confidence, 2)}"
        whole = np.array([[0, 0], np.subtract(shown[case.digest].image.shape, 1)], dtype=np.float32)
        made.append(_Failure(shown[case.digest], words, true, drawn.outline_px, (), [whole]))
    return made


def _figure(rows: Mapping[Method, Sequence[_Failure]]) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(2.6 * EACH, 2.9 * len(rows)), layout="constrained")
    FigureCanvasAgg(figure)
    for part, (method, failures) in zip(
        figure.subfigures(len(rows), 1, squeeze=False)[:, 0], rows.items(), strict=True
    ):
        part.suptitle(_ROWS[method], fontsize=10, fontweight="bold")
        for axes, failure in zip(part.subplots(1, EACH, squeeze=False)[0], failures, strict=False):
            _draw(axes, failure)
        for axes in part.axes[len(failures) :]:
            axes.set_axis_off()
    return figure


def _draw(axes: Axes, failure: _Failure) -> None:
    axes.imshow(failure.item.image, cmap="gray", vmin=0, vmax=255)
    for outline in failure.true:
        axes.plot(outline[:, 1], outline[:, 0], color=TRUE, linewidth=1.2)
    if failure.drawn is not None:
        axes.plot(failure.drawn[:, 1], failure.drawn[:, 0], color=DRAWN, linewidth=1.2, linestyle="--")
    for (row0, col0), (row1, col1) in failure.calipers:
        axes.plot([col0, col1], [row0, row1], color=CALIPER, linewidth=1, marker="+", markersize=6)
    points = np.concatenate(list(failure.around))
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    half = max(float(np.ptp(points, axis=0).max()) * (1 + _CONTEXT) / 2, 20.0)
    rows, cols = failure.item.image.shape
    axes.set_xlim(max(middle[1] - half, -0.5), min(middle[1] + half, cols - 0.5))
    axes.set_ylim(min(middle[0] + half, rows - 0.5), max(middle[0] - half, -0.5))
    axes.set_title(failure.words, fontsize=7)
    axes.set_axis_off()
