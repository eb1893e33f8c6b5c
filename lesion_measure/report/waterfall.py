"""The waterfall plot: percent change of every child with its 95 % interval, from most growth to most fall.

Colours are those of Okabe and Ito, which people with any colour vision tell apart; a verdict that measurement error
could change is hatched, so that nothing rests on colour alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from markupsafe import Markup

from lesion_measure.config import AppliedRule
from lesion_measure.records import Change, Metric, Response
from lesion_measure.report.overview import Overview, exclusions
from lesion_measure.report.plot import Plot, Scale, linear, short
from lesion_measure.report.verdicts import tone_of
from lesion_measure.report.words import METRICS, change_percent, finite, fixed, percent, percent_interval, signed_limit

MOST_LEVEL, MOST_LABELLED, MOST_NAMED, MOST_DRAWN = 16, 48, 60, 600
"""Bars up to whom numbers stand level, there are numbers, there are codes, and every child has a bar."""
WIDTH, LEFT, RIGHT, TOP, BOTTOM = 1000.0, 64.0, 880.0, 34.0, 400.0
_CODE = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One subject of a waterfall plot."""

    subject: str
    change: Change
    response: Response | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waterfall:
    """A drawn waterfall plot, what it shows in words, and who has no bar: without a change, or excluded.

    ``every``: one in so many subjects has a bar, where all would not fit.
    """

    svg: Markup
    description: str
    missing: tuple[str, ...]
    excluded: tuple[str, ...]
    every: int


def in_order(bars: Iterable[Bar]) -> tuple[Bar, ...]:
    """Those with a number, from the largest growth to the largest fall."""
    known = (bar for bar in bars if finite(bar.change.percent) is not None)
    return tuple(sorted(known, key=lambda bar: (-bar.change.percent, bar.subject)))


def waterfall_bars(run: Overview, metric: Metric) -> tuple[Bar, ...]:
    """Subjects that are not excluded, with a change of ``metric``, from the largest growth to the largest fall."""
    changes = ((row, row.change(metric)) for row in run.included)
    return in_order(
        Bar(subject=row.subject, change=change, response=row.response) for row, change in changes if change is not None
    )


def waterfall(run: Overview, metric: Metric, rule: AppliedRule) -> Waterfall | None:
    """Percent change of every subject with its 95 % interval; None where no subject has one."""
    bars = waterfall_bars(run, metric)
    shown = {bar.subject for bar in bars}
    everybody = exclusions(run)
    return some_bars(
        bars,
        metric,
        rule,
        missing=tuple(code for code, why in everybody.items() if not why and code not in shown),
        excluded=tuple(code for code, why in everybody.items() if why),
    )


def some_bars(
    found: Iterable[Bar],
    metric: Metric,
    rule: AppliedRule,
    missing: tuple[str, ...] = (),
    excluded: tuple[str, ...] = (),
) -> Waterfall | None:
    """The plot of these subjects; None where none has a number.

    The rule's lines are drawn only where the rule looks at this size: a limit for volume says nothing about a diameter.

    Parameters
    ----------
    found
        The subjects, in any order.
    metric
        The size.
    rule
        The trial's rule.
    missing, excluded
        Who has no bar.
    """
    bars = in_order(found)
    if not bars:
        return None
    limits = rule.limits_percent if rule.metric is metric else ()
    every = -(-len(bars) // MOST_DRAWN)
    return Waterfall(
        svg=_draw(bars[every // 2 :: every], metric, rule),
        description=f"Change of {METRICS[metric].lower()} from baseline by subject: {_in_words(bars, limits)}.",
        missing=missing,
        excluded=excluded,
        every=every,
    )


def _in_words(bars: Sequence[Bar], limits: Sequence[float | None]) -> str:
    if len(bars) <= MOST_NAMED:
        return "; ".join(
            f"{bar.subject} {percent(bar.change.percent, limits)} ({percent_interval(bar.change.percent_ci95, limits)})"
            for bar in bars
        )
    values = [bar.change.percent for bar in bars]
    verdicts = Counter(bar.response.category if bar.response else "no verdict" for bar in bars)
    return (
        f"{len(bars)} subjects from {percent(values[0])} to {percent(values[-1])}, median {percent(median(values))}; "
        + ", ".join(f"{number} {verdict}" for verdict, number in verdicts.most_common())
    )


def _draw(bars: Sequence[Bar], metric: Metric, rule: AppliedRule) -> Markup:
    own = rule.metric is metric
    limits = rule.limits_percent if own else ()
    scale = _scale(bars, limits)
    named = len(bars) <= MOST_NAMED
    plot = Plot(WIDTH, BOTTOM + (_room(bars) if named else 40))
    plot.rows(scale, LEFT, RIGHT, [fixed(tick, 0, signed=True) for tick in scale.ticks])
    plot.text(16, (TOP + BOTTOM) / 2, f"Change of {METRICS[metric].lower()} (%)", anchor="middle", turned=True)
    if own:
        _rule_lines(plot, scale, rule)
    places = _places(len(bars))
    hatch = f"unsure-{metric.value}"
    _columns(plot, scale, bars, places, rule, hatch)
    plot.line([(LEFT, scale.at(0)), (RIGHT, scale.at(0))], "zero")
    _numbers(plot, scale, bars, places, limits)
    if named:
        _codes(plot, bars, places)
    else:
        plot.text((LEFT + RIGHT) / 2, BOTTOM + 26, "subjects, by change", anchor="middle")
    plot.key(LEFT, 18, _key(bars, rule, hatch))
    return plot.svg()


def _scale(bars: Sequence[Bar], limits: Sequence[float | None]) -> Scale:
    values = [0.0, *(limit for limit in limits if limit is not None)]
    for bar in bars:
        values += [bar.change.percent, *(bar.change.percent_ci95 or ())]
    low, high = min(values), max(values)
    room = 0.0 if len(bars) > MOST_LABELLED else (0.08 if len(bars) <= MOST_LEVEL else 0.13) * (high - low)
    return linear(low - room, high + room, BOTTOM, TOP)


def _places(count: int) -> list[float]:
    """Middles of the bars; few of them stay slender."""
    step = (RIGHT - LEFT) / max(count, 6)
    return [LEFT + step * (number + 0.5) for number in range(count)]


def _columns(
    plot: Plot, scale: Scale, bars: Sequence[Bar], places: Sequence[float], rule: AppliedRule, name: str
) -> None:
    """The bars, those of one colour as one path, and all intervals as one path.

    Parameters
    ----------
    plot
        What is drawn on.
    scale
        Of the changes.
    bars
        In their order.
    places
        Their middles.
    rule
        What verdicts are called.
    name
        Of the pattern for verdicts that are not certain.
    """
    share = 0.74 if len(bars) <= MOST_NAMED else 1.0
    width = share * (places[1] - places[0] if len(places) > 1 else (RIGHT - LEFT) / 6)
    fills: dict[str, list[str]] = {}
    lines: list[str] = []
    zero = scale.at(0)
    for bar, x in zip(bars, places, strict=True):
        end = scale.at(bar.change.percent)
        box = f"M{short(x - width / 2)} {short(zero)}h{short(width)}V{short(end)}h-{short(width)}z"
        fills.setdefault(tone_of(bar.response, rule), []).append(box)
        if bar.response is not None and not bar.response.certain:
            fills.setdefault("unsure", []).append(box)
        if bar.change.percent_ci95 is not None:
            low, high = (short(scale.at(end)) for end in bar.change.percent_ci95)
            ends = f"M{short(x - 3)} {low}h6M{short(x - 3)} {high}h6" if width > 8 else ""
            lines.append(f"M{short(x)} {low}V{high}{ends}")
    unsure = fills.pop("unsure", None)
    for tone, boxes in fills.items():
        plot.path("".join(boxes), f"bar {tone}")
    if unsure:
        _hatched(plot, "".join(unsure), name)
    if lines:
        plot.path("".join(lines), "interval" if len(bars) <= MOST_LABELLED else "interval thin")


def _hatched(plot: Plot, data: str, name: str) -> None:
    """White stripes over what is not certain. ``name`` is that of the pattern, which the whole page can see."""
    pattern = Markup(
        '<defs><pattern id="{}" width="6" height="6" patternUnits="userSpaceOnUse">'
        '<path class="stripe" d="M-1 7L7 -1M-2 2L2 -2M4 8L8 4"/></pattern></defs>'
    )
    plot.raw(pattern.format(name))
    plot.path(data, "unsure", style=f"fill: url(#{name})")


def _numbers(
    plot: Plot, scale: Scale, bars: Sequence[Bar], places: Sequence[float], limits: Sequence[float | None]
) -> None:
    """The value beyond the end of each interval, on the side that the bar points to."""
    if len(bars) > MOST_LABELLED:
        return
    turned = len(bars) > MOST_LEVEL
    size = 11 if turned else 13
    for bar, x in zip(bars, places, strict=True):
        value = bar.change.percent
        low, high = bar.change.percent_ci95 or (value, value)
        words = change_percent(value, limits)
        if value >= 0:
            y, anchor = scale.at(max(high, 0)) - 6, "start" if turned else "middle"
        else:
            y = scale.at(min(low, 0)) + (6 if turned else 6 + 0.75 * size)
            anchor = "end" if turned else "middle"
        plot.text(x + (0.35 * size if turned else 0), y, words, "number", anchor=anchor, size=size, turned=turned)


def _room(bars: Sequence[Bar]) -> float:
    """Height that the codes below the plot need."""
    longest = max(len(_short_code(bar)) for bar in bars)
    return 20 + 7.5 * longest if _upright(bars) else 30


def _upright(bars: Sequence[Bar]) -> bool:
    return len(bars) > 12 or max(len(bar.subject) for bar in bars) > 8


def _short_code(bar: Bar) -> str:
    return bar.subject if len(bar.subject) <= _CODE else bar.subject[: _CODE - 1] + "…"


def _codes(plot: Plot, bars: Sequence[Bar], places: Sequence[float]) -> None:
    turned = _upright(bars)
    for bar, x in zip(bars, places, strict=True):
        place = (x + 4, BOTTOM + 10) if turned else (x, BOTTOM + 20)
        plot.text(*place, _short_code(bar), anchor="end" if turned else "middle", size=12, turned=turned)


def _rule_lines(plot: Plot, scale: Scale, rule: AppliedRule) -> None:
    limits = [(rule.response_percent, f"{rule.response_name}\n{signed_limit(rule.response_percent)} or less")]
    if rule.progression_percent is not None:
        words = f"{rule.progression_name}\n{signed_limit(rule.progression_percent)} or more"
        limits.append((rule.progression_percent, words))
    for limit, words in limits:
        y = scale.at(limit)
        plot.line([(LEFT, y), (RIGHT, y)], "limit")
        plot.text(RIGHT + 8, y - 4, words, size=12)


def _key(bars: Sequence[Bar], rule: AppliedRule, hatch: str) -> Iterator[tuple[str, str, str]]:
    names: dict[str, list[str]] = {}
    for verdict in dict.fromkeys(bar.response.category if bar.response else None for bar in bars):
        tone = next(tone_of(bar.response, rule) for bar in bars if (bar.response and bar.response.category) == verdict)
        names.setdefault(tone, []).append(verdict or "no verdict")
    for tone, same in names.items():
        yield "bar", f"bar {tone}", ", ".join(same)
    if any(bar.response and not bar.response.certain for bar in bars):
        yield hatch, "bar none", "not certain (hatched)"
