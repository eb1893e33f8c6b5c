"""Plots of an evaluation, and the numbers behind each.

Colours are Okabe and Ito's; every series has its own marker or line too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from lesion_measure.lab.evaluation.cases import NETWORK_PROMPTED, RIGHT_DICE, Case, Method
from lesion_measure.lab.evaluation.drawn import INK, drawn
from lesion_measure.lab.evaluation.reliability import Reliability
from lesion_measure.lab.evaluation.summary import LesionGroup, SetSummary, Summary
from lesion_measure.lab.evaluation.words import SIZES
from lesion_measure.report.tables import Row
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


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is drawn, on how many inches (width, height), and the ``rows`` of numbers behind it, by ``columns``."""

    draw: Callable[[Figure], None]
    size: tuple[float, float]
    columns: tuple[str, ...]
    rows: Sequence[Row]

    def inline(self) -> Markup:
        """As an SVG element."""
        return drawn(self.draw, self.size)


def overview(summaries: Mapping[str, Summary]) -> Drawing:
    """Mean Dice of every set and way, with intervals; ``summaries`` by the models' names."""
    sets = next(iter(summaries.values())).keys()
    several = len(summaries) > 1
    rows: list[tuple[float, str, str, str, Estimate]] = []
    numbers: list[Row] = []
    for number, source in enumerate(sets):
        for model, summary in summaries.items():
            for words, marker, colour, of in _OVERVIEW:
                estimate = of(summary[source])
                if estimate.value is None:
                    continue
                called = f"{source}: {f'{model}, ' if several else ''}{words}"
                rows.append((len(rows) + _SET_GAP * number, called, marker, colour, estimate))
                numbers.append({"set": source, "model": model, "way": words, **_numbers(estimate)})

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        for place, _, marker, colour, estimate in rows:
            _estimate(axes, place, marker, colour, estimate)
        axes.set_yticks([row[0] for row in rows], [row[1] for row in rows])
        axes.set_ylim((rows[-1][0] if rows else 0) + 0.6, -0.6)
        axes.set_xlim(0, 1)
        axes.set_xlabel("Mean Dice and its 95 % interval")
        _tidy(axes, "x")

    height = 0.8 + 0.31 * (len(rows) + _SET_GAP * len(sets))
    return Drawing(draw, (10, height), ("set", "model", "way", *_ESTIMATE), numbers)


_ESTIMATE = ("value", "low", "high", "n")


def _numbers(estimate: Estimate) -> Row:
    return {"value": estimate.value, "low": estimate.low, "high": estimate.high, "n": estimate.count}


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


def confidence_curves(own: SetSummary) -> Drawing | None:
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

    rows = [row for name, _, _, _, found in series for row in _curve_numbers(name, found)]
    return Drawing(draw, (10, 4.1), ("panel", "outlines", "x", "y", "count"), rows)


def _curve_numbers(name: str, found: Reliability) -> list[Row]:
    """The points of both panels."""
    curve = zip(found.coverage, found.risk, strict=True)
    risk: list[Row] = [{"panel": "risk over coverage", "outlines": name, "x": x, "y": y} for x, y in curve]
    return risk + [
        {"panel": "right over confidence", "outlines": name, "x": one.confidence, "y": one.right, "count": one.count}
        for one in found.bins
    ]


def by_class(own: SetSummary) -> Drawing | None:
    """Dice by class of size, and by the set's own classes, from calipers and without; None without lesions."""
    groups = {SIZES[size].partition(":")[0]: group for size, group in own.by_size.items() if group.lesions}
    groups |= {f"class {kind}": group for kind, group in own.by_class.items() if group.lesions}
    ways: tuple[tuple[str, str, str, Callable[[LesionGroup], Estimate]], ...] = (
        ("automatic, missed = 0", "o", AUTOMATIC, lambda group: group.detection["lesion_dice"]),
        ("network from the long axis", "s", PROMPTED, lambda group: group.outlines[Method.LONG_AXIS]["dice"]),
        ("network from both axes", "D", ELLIPSE, lambda group: group.outlines[Method.BOTH_AXES]["dice"]),
    )
    points = [
        (place, name, words, marker, colour, of(group))
        for place, (name, group) in enumerate(groups.items())
        for words, marker, colour, of in ways
    ]
    points = [point for point in points if point[5].value is not None]
    if not points:
        return None

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        for at, (words, marker, colour, _) in enumerate(ways):
            _row_of_points(
                axes, [(p[0] + 0.2 * (at - 1), p[5]) for p in points if p[2] == words], marker, colour, words
            )
        axes.set_yticks(range(len(groups)), [f"{name} (n = {group.lesions})" for name, group in groups.items()])
        axes.set_ylim(len(groups) - 0.4, -0.6)
        axes.set_xlim(0, 1)
        axes.set_xlabel("Mean Dice of a lesion and its 95 % interval")
        axes.legend(frameon=False, fontsize=9, loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.2)
        _tidy(axes, "x")

    rows: list[Row] = [{"class": p[1], "way": p[2], **_numbers(p[5])} for p in points]
    return Drawing(draw, (10, 1.4 + 0.6 * len(groups)), ("class", "way", *_ESTIMATE), rows)


def _row_of_points(axes: Axes, points: Sequence[tuple[float, Estimate]], marker: str, colour: str, label: str) -> None:
    for place, estimate in points:
        if estimate.low is not None and estimate.high is not None:
            axes.hlines(place, estimate.low, estimate.high, color=INK, linewidth=1.1, zorder=2)
    axes.plot(
        [estimate.value or 0.0 for _, estimate in points], [place for place, _ in points], marker=marker, color=colour,
        linestyle="none", markersize=7, markeredgecolor="white", label=label, zorder=3,
    )  # fmt: skip


def sizes(cases: Sequence[Case]) -> Drawing | None:
    """Error of each size over the true one (Bland and Altman), from calipers; None where nothing has a size.

    Of a lesion whose calipers were placed several times all placings are drawn.
    """
    rows = [row for case in cases for row in _size_rows(case)]
    if not rows:
        return None
    names = ("long axis", "short axis", "area")

    def draw(figure: Figure) -> None:
        for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
            for method, marker, colour in ((Method.LONG_AXIS, "o", PROMPTED), (Method.BOTH_AXES, "s", AUTOMATIC)):
                own = [row for row in rows if row["size"] == name and row["method"] == method.value]
                axes.scatter(
                    [row["true_px"] for row in own], [row["error_percent"] for row in own], s=14, marker=marker,
                    color=colour, alpha=0.7, linewidths=0, label=method.value.replace("_", " "),
                )  # fmt: skip
            axes.axhline(0, color=INK, linewidth=0.8)
            axes.set(xlabel=f"True {name} ({'px²' if name == 'area' else 'px'})", ylabel="Error (%)", title=name)
            _tidy(axes, "both")
        figure.axes[0].legend(frameon=False, fontsize=8)

    columns = ("picture", "lesion", "method", "placing", "size", "true_px", "drawn_px", "error_percent")
    return Drawing(draw, (10, 3.6), columns, rows)


def _size_rows(case: Case) -> Iterator[dict[str, Any]]:
    for lesion in case.lesions:
        for number, placing in enumerate(lesion.placings):
            for method in (one for one in NETWORK_PROMPTED if one in placing.drawn):
                own = placing.drawn[method].sizes
                if lesion.sizes is None or own is None:
                    continue
                told = {"picture": case.picture, "lesion": lesion.label, "method": method.value, "placing": number}
                for name, true, found in (
                    ("long axis", lesion.sizes.long_axis_px, own.long_axis_px),
                    ("short axis", lesion.sizes.short_axis_px, own.short_axis_px),
                    ("area", lesion.sizes.area_px, own.area_px),
                ):
                    error = 100 * (found - true) / true
                    yield {**told, "size": name, "true_px": true, "drawn_px": found, "error_percent": error}


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
