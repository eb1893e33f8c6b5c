"""Plots of an evaluation as inline SVG. Colours are Okabe and Ito's; every series has its own marker or line too."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from markupsafe import Markup

from lesion_measure.lab.evaluation.cases import RIGHT_DICE, Method
from lesion_measure.lab.evaluation.drawn import INK, drawn
from lesion_measure.lab.evaluation.reliability import Reliability
from lesion_measure.lab.evaluation.summary import SetSummary, Summary
from lesion_measure.stats.estimates import Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

AUTOMATIC, PROMPTED, ELLIPSE = "#0072B2", "#D55E00", "#767676"
_GRID = "#e6e8eb"
_SET_GAP = 0.7
_OVERVIEW: tuple[tuple[str, str, str, Callable[[SetSummary], Estimate]], ...] = (
    ("automatic, missed = 0", "o", AUTOMATIC, lambda own: own.detection["picture_dice"]),
    ("ellipse from the long axis", "D", ELLIPSE, lambda own: own.outlines[Method.LONG_AXIS_ELLIPSE]["dice"]),
    ("network from the long axis", "s", PROMPTED, lambda own: own.outlines[Method.LONG_AXIS]["dice"]),
    ("ellipse from both axes", "D", ELLIPSE, lambda own: own.outlines[Method.BOTH_AXES_ELLIPSE]["dice"]),
    ("network from both axes", "s", PROMPTED, lambda own: own.outlines[Method.BOTH_AXES]["dice"]),
)


def overview(summary: Summary) -> Markup:
    """Mean Dice of every set and way, with intervals."""
    rows: list[tuple[float, str, str, str, Estimate]] = []
    for number, (name, own) in enumerate(summary.items()):
        known = [(words, marker, colour, of(own)) for words, marker, colour, of in _OVERVIEW]
        for words, marker, colour, estimate in known:
            if estimate.value is not None:
                rows.append((len(rows) + _SET_GAP * number, f"{name}: {words}", marker, colour, estimate))

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        for place, _, marker, colour, estimate in rows:
            _estimate(axes, place, marker, colour, estimate)
        axes.set_yticks([row[0] for row in rows], [row[1] for row in rows])
        axes.set_ylim((rows[-1][0] if rows else 0) + 0.6, -0.6)
        axes.set_xlim(0, 1)
        axes.set_xlabel("Mean Dice and its 95 % interval")
        _tidy(axes, "x")

    return drawn(draw, (10, 0.8 + 0.31 * (len(rows) + _SET_GAP * len(summary))))


def _estimate(axes: Axes, place: float, marker: str, colour: str, estimate: Estimate) -> None:
    if estimate.low is not None and estimate.high is not None:
        axes.hlines(place, estimate.low, estimate.high, color=INK, linewidth=1.3, zorder=2)
    axes.plot(
        [estimate.value or 0.0], [place], marker=marker, color=colour, markersize=8, linestyle="none",
        markeredgecolor="white", zorder=3,
    )  # fmt: skip
    axes.annotate(
        f"{estimate.value:.3f}", (1.005, place), xycoords=("axes fraction", "data"), va="center", fontsize=9,
        annotation_clip=False,
    )  # fmt: skip


def confidence_curves(own: SetSummary) -> Markup | None:
    """Risk-coverage curves and reliability diagrams of a set; None where nothing was drawn."""
    series = [
        ("automatic", "o", "-", AUTOMATIC, own.automatic),
        ("from calipers", "s", "--", PROMPTED, own.prompted),
    ]
    series = [one for one in series if one[4].coverage]
    if not series:
        return None

    def draw(figure: Figure) -> None:
        left, right = figure.subplots(1, 2)
        for name, marker, line, colour, found in series:
            _risk(left, name, marker, line, colour, found)
            _calibration(right, name, marker, colour, found)
        left.set(xlabel="Coverage: share of the outlines that is kept", ylabel="Risk: 1 − mean Dice of these")
        left.set_xlim(0, 1.02)
        left.set_ylim(0, None)
        right.plot([0, 1], [0, 1], color=ELLIPSE, linewidth=1, linestyle=":", label="ideal")
        right.set(
            xlabel="Stated confidence", ylabel=f"Share with Dice ≥ {RIGHT_DICE}", xlim=(0, 1.03), ylim=(-0.03, 1.03)
        )
        for axes in (left, right):
            _tidy(axes, "both")
            axes.legend(frameon=False, fontsize=9, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2)

    return drawn(draw, (10, 4.1))


def _risk(axes: Axes, name: str, marker: str, line: str, colour: str, found: Reliability) -> None:
    axes.plot(found.coverage, found.risk, color=colour, linestyle=line, linewidth=1.8, label=name)
    if found.accepted_coverage and found.accepted_risk is not None:
        axes.plot(
            [found.accepted_coverage], [found.accepted_risk], marker=marker, color=colour, markersize=9,
            markeredgecolor=INK, linestyle="none", label="the bundle's threshold",
        )  # fmt: skip


def _calibration(axes: Axes, name: str, marker: str, colour: str, found: Reliability) -> None:
    """The mean confidence of each bin against the share that is right; the marker's area grows with the bin's count."""
    total = sum(one.count for one in found.bins)
    axes.scatter(
        [one.confidence for one in found.bins], [one.right for one in found.bins],
        s=[20 + 230 * one.count / total for one in found.bins], marker=marker, color=colour, edgecolor="white",
        label=f"{name} (n = {found.brier.count})", zorder=3,
    )  # fmt: skip


def _tidy(axes: Axes, grid: str) -> None:
    axes.grid(axis="x" if grid == "x" else "both", color=_GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
