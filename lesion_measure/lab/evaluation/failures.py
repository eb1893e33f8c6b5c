"""The worst cases of a set as one picture, for a model card; `gallery` shows them on an evaluation's page."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lesion_measure.files.writing import write_bytes
from lesion_measure.lab.datasets import Picture, picture_digest
from lesion_measure.lab.evaluation.cases import FOUND_DICE, NETWORK_PROMPTED, Case, Method
from lesion_measure.lab.evaluation.gallery import box_around
from lesion_measure.network import CaliperLine
from lesion_measure.report.words import fixed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

EACH = 4
TRUE, DRAWN, CALIPER, HALO = "#F0E442", "#56B4E9", "#FFFFFF", "#000000"
"""As on the evaluation's page (evaluation.css), where the true outline is dashed too."""

_ROWS = {
    Method.LONG_AXIS: "from the long axis",
    Method.BOTH_AXES: "from both axes",
    Method.AUTOMATIC: "by itself, most confident",
}


@dataclass(frozen=True, slots=True, eq=False)
class _Failure:
    """One outline that failed: what is shown, what is said of it, and the part of the picture around it.

    ``box`` is as in `gallery.GalleryView`.
    """

    item: Picture
    words: str
    true: Sequence[NDArray[np.float32] | None]
    drawn: NDArray[np.float32] | None
    calipers: Sequence[CaliperLine]
    box: tuple[float, float, float, float]


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
        buffer = io.BytesIO()
        _figure(rows).savefig(buffer, format="png", dpi=80)
        write_bytes(path, buffer.getbuffer(), "picture")
    return bool(rows)


def _prompted(cases: Sequence[Case], shown: Mapping[str, Picture], method: Method) -> list[_Failure]:
    """Of each lesion the first placing of its calipers, so that none is there twice."""
    first = [(case, lesion, lesion.placings[0]) for case in cases for lesion in case.lesions]
    known = [(case, lesion, placing) for case, lesion, placing in first if method in placing.drawn]
    made = []
    for case, lesion, placing in sorted(known, key=lambda one: one[2].drawn[method].dice)[:EACH]:
        drawn = placing.drawn[method]
        item, calipers = shown[case.digest], placing.calipers_of(method)
        box = box_around([lesion.outline_px, drawn.outline_px, *calipers], item.image.shape)
        words = f"{case.picture}\nDice {fixed(drawn.dice, 2)}"
        made.append(_Failure(item, words, [lesion.outline_px], drawn.outline_px, calipers, box))
    return made


def _automatic(cases: Sequence[Case], shown: Mapping[str, Picture]) -> list[_Failure]:
    wrong = [(case, drawn) for case in cases for drawn in case.automatic if drawn.dice < FOUND_DICE]
    made = []
    for case, drawn in sorted(wrong, key=lambda one: -(one[1].confidence or 0.0))[:EACH]:
        item, true = shown[case.digest], [lesion.outline_px for lesion in case.lesions]
        what = "no lesion there" if drawn.lesion is None else f"Dice {fixed(drawn.dice, 2)}"
        words = f"{case.picture}\n{what}, confidence {fixed(drawn.confidence, 2)}"
        rows, cols = item.image.shape
        made.append(_Failure(item, words, true, drawn.outline_px, (), (-0.5, -0.5, cols, rows)))
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
    for caliper in failure.calipers:
        _line(axes, caliper, CALIPER, marker="+", markersize=6)
    if failure.drawn is not None:
        _line(axes, failure.drawn, DRAWN)
    for outline in failure.true:
        if outline is not None:
            _line(axes, outline, TRUE, linestyle=(0, (4, 3)))
    left, top, width, height = failure.box
    axes.set_xlim(left, left + width)
    axes.set_ylim(top + height, top)
    axes.set_title(failure.words, fontsize=7)
    axes.set_axis_off()


def _line(axes: Axes, points: NDArray[np.float32] | CaliperLine, colour: str, **style: Any) -> None:
    """(row, column) points joined, on a darker line that sets them off from a bright picture."""
    rows, cols = np.asarray(points).T
    axes.plot(cols, rows, color=HALO, linewidth=2.4, alpha=0.6)
    axes.plot(cols, rows, color=colour, linewidth=1.2, **style)
