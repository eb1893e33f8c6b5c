"""Figures of the cohort, drawn by matplotlib as inline SVG. matplotlib is imported when a figure is drawn, not before.

Colours are those of Okabe and Ito, which people with any colour vision tell apart; a verdict that measurement error
could change is hatched, so that nothing rests on colour alone.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from lesion_measure.config import AppliedRule
from lesion_measure.records import Change, Metric, Response, RunResult
from lesion_measure.report.overview import exclusions, included
from lesion_measure.report.words import METRICS, change_percent, finite, fixed, percent, percent_interval, signed_limit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GREEN, BLUE, VERMILLION, GRAY, INK = "#009E73", "#56B4E9", "#D55E00", "#9aa0a6", "#1b1f24"
MOST_LEVEL, MOST_LABELLED = 16, 48
STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "lesion_measure",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10,
    "hatch.linewidth": 0.8,
    "text.parse_math": False,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One subject of a waterfall plot."""

    subject: str
    change: Change
    response: Response | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waterfall:
    """A drawn waterfall plot, what it shows in words, and who has no bar: without a change, or excluded."""

    svg: Markup
    description: str
    missing: tuple[str, ...]
    excluded: tuple[str, ...]


def waterfall_bars(result: RunResult, metric: Metric) -> tuple[Bar, ...]:
    """Subjects that are not excluded, with a change of ``metric``, from the largest growth to the largest fall."""
    bars = [
        Bar(subject=s.subject, change=change, response=s.response)
        for s in included(result)
        if (change := s.change(metric)) is not None and finite(change.percent) is not None
    ]
    return tuple(sorted(bars, key=lambda bar: (-bar.change.percent, bar.subject)))


def waterfall(result: RunResult, metric: Metric, rule: AppliedRule) -> Waterfall | None:
    """Percent change of every subject with its 95 % interval; None where no subject has one.

    The rule's lines are drawn only where the rule looks at this size: a limit for volume says nothing about a diameter.
    """
    bars = waterfall_bars(result, metric)
    if not bars:
        return None
    shown = {bar.subject for bar in bars}
    everybody = exclusions(result)
    limits = rule.limits_percent if rule.metric is metric else ()
    words = "; ".join(
        f"{bar.subject} {percent(bar.change.percent, limits)} ({percent_interval(bar.change.percent_ci95, limits)})"
        for bar in bars
    )
    return Waterfall(
        svg=_draw(bars, metric, rule),
        description=f"Change of {METRICS[metric].lower()} from baseline by subject: {words}.",
        missing=tuple(code for code, why in everybody.items() if not why and code not in shown),
        excluded=tuple(code for code, why in everybody.items() if why),
    )


def colour_of(category: str | None, rule: AppliedRule) -> str:
    """Green for a response, vermillion for progression, blue for neither, gray where there is no verdict."""
    if rule.is_response(category):
        return GREEN
    if category == rule.progression_name:
        return VERMILLION
    return GRAY if category is None else BLUE


def _draw(bars: Sequence[Bar], metric: Metric, rule: AppliedRule) -> Markup:
    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        _bars(axes, bars, rule)
        _labels(axes, bars, rule.limits_percent if rule.metric is metric else ())
        if rule.metric is metric:
            _rule_lines(axes, rule)
        _frame(axes, bars, metric)
        _legend(axes, bars, rule)

    return drawn(draw, (10, 4.6))


def _bars(axes: Axes, bars: Sequence[Bar], rule: AppliedRule) -> None:
    for place, bar in enumerate(bars):
        category = bar.response.category if bar.response else None
        certain = bar.response is None or bar.response.certain
        axes.bar(
            place,
            bar.change.percent,
            width=0.72,
            color=colour_of(category, rule),
            edgecolor="white",
            linewidth=0,
            hatch=None if certain else "////",
            zorder=2,
        )
        if bar.change.percent_ci95 is not None:
            axes.vlines(place, *bar.change.percent_ci95, color=INK, linewidth=1.2, zorder=3)
            axes.hlines(bar.change.percent_ci95, place - 0.11, place + 0.11, color=INK, linewidth=1.2, zorder=3)
    axes.axhline(0, color=INK, linewidth=1, zorder=4)


def _labels(axes: Axes, bars: Sequence[Bar], limits: Sequence[float | None]) -> None:
    """The value beyond the end of each interval, on the side that the bar points to."""
    if len(bars) > MOST_LABELLED:
        return
    crowded = len(bars) > MOST_LEVEL
    for place, bar in enumerate(bars):
        value = bar.change.percent
        low, high = bar.change.percent_ci95 or (value, value)
        up = value >= 0
        axes.annotate(
            change_percent(value, limits),
            (place, max(high, 0) if up else min(low, 0)),
            xytext=(0, 4 if up else -4),
            textcoords="offset points",
            ha="center",
            va="bottom" if up else "top",
            rotation=90 if crowded else 0,
            fontsize=8 if crowded else 10,
            fontweight="normal" if crowded else "bold",
            color=INK,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.6},
            zorder=5,
        )


def _rule_lines(axes: Axes, rule: AppliedRule) -> None:
    limits = [(rule.response_percent, f"{rule.response_name}\n{signed_limit(rule.response_percent)} or less")]
    if rule.progression_percent is not None:
        limits.append(
            (rule.progression_percent, f"{rule.progression_name}\n{signed_limit(rule.progression_percent)} or more")
        )
    for limit, words in limits:
        axes.axhline(limit, color=INK, linewidth=1.1, linestyle=(0, (5, 3)), zorder=1)
        axes.annotate(
            words,
            (1, limit),
            xycoords=("axes fraction", "data"),
            xytext=(6, 0),
            textcoords="offset points",
            ha="left",
            va="center",
            fontsize=9,
            color=INK,
            annotation_clip=False,
        )


def _frame(axes: Axes, bars: Sequence[Bar], metric: Metric) -> None:
    names = [bar.subject if len(bar.subject) <= 14 else bar.subject[:13] + "…" for bar in bars]
    crowded = len(bars) > 12 or max(map(len, names)) > 8
    axes.set_xticks(range(len(bars)), names, rotation=90 if crowded else 0, fontsize=9 if len(bars) > 30 else 10)
    axes.tick_params(axis="x", length=0)
    axes.set_xlim(-0.7, max(len(bars), 6) - 0.3)
    axes.margins(y=0.12 if len(bars) <= MOST_LEVEL else 0.2)
    axes.set_ylabel(f"Change of {METRICS[metric].lower()} (%)")
    axes.yaxis.set_major_formatter(lambda value, _: fixed(value, 0, signed=True))
    axes.grid(axis="y", color="#e6e8eb", linewidth=0.8, zorder=0)
    axes.set_axisbelow(True)
    for side in ("top", "right", "bottom"):
        axes.spines[side].set_visible(False)
    axes.spines["left"].set_color("#c9ced4")


def _legend(axes: Axes, bars: Sequence[Bar], rule: AppliedRule) -> None:
    from matplotlib.patches import Patch

    verdicts = dict.fromkeys(bar.response.category if bar.response else None for bar in bars)
    names: dict[str, list[str]] = {}
    for verdict in verdicts:
        names.setdefault(colour_of(verdict, rule), []).append(verdict or "no verdict")
    handles = [Patch(facecolor=colour, label=", ".join(same)) for colour, same in names.items()]
    if any(bar.response and not bar.response.certain for bar in bars):
        handles.append(
            Patch(facecolor="#c9ced4", edgecolor="white", linewidth=0, hatch="////", label="not certain (hatched)")
        )
    axes.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=len(handles), frameon=False, borderaxespad=0.2
    )


def drawn(draw: Callable[[Figure], None], size: tuple[float, float]) -> Markup:
    """What ``draw`` draws on an empty figure of ``size`` inches (width, height), in the house style."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with rc_context(STYLE):
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasSVG(figure)
        draw(figure)
        return inline_svg(figure)


def inline_svg(figure: Figure) -> Markup:
    """A figure as an SVG element for an HTML page: no prolog, no metadata, no namespace, so nothing external."""
    stream = io.StringIO()
    figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = stream.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", text)
    text = re.sub(r'<svg ([^>]*?)width="[^"]*"', r"<svg \1", text, count=1)
    text = re.sub(r'<svg ([^>]*?)height="[^"]*"', r"<svg \1", text, count=1)
    text = text.replace("'DejaVu Sans'", "sans-serif").replace("<svg ", '<svg aria-hidden="true" ', 1)
    # matplotlib escapes every text it is given (subject codes, rule names), so this is safe to embed
    return Markup(text)  # noqa: S704
