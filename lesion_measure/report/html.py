"""report.html: one file that needs nothing else, for the screen and for A4 paper.

Everything that comes from files goes through jinja2's autoescape; the page forbids itself scripts and every request
(its Content-Security-Policy), so it works offline and stays quiet. It is written piece by piece: the pictures of one
lesion are in memory at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import jinja2
from markupsafe import Markup

from lesion_measure.config import Config
from lesion_measure.files.writing import replacing
from lesion_measure.records import Change, Criterion, Met, Metric, Refusal, RunResult, in_words
from lesion_measure.report import words
from lesion_measure.report.checks import Check, checks
from lesion_measure.report.courses import WIDTH
from lesion_measure.report.figures import BLUE, GRAY, GREEN, VERMILLION, Waterfall, colour_of, waterfall
from lesion_measure.report.overview import count, included, list_refusals, response_counts, unscanned
from lesion_measure.report.pages import page_environment
from lesion_measure.report.results import without_folders
from lesion_measure.report.sights import MOST_PICTURES, Sights, sights
from lesion_measure.report.views import (
    LesionView,
    Pictures,
    SubjectView,
    chosen_in,
    lesion_views,
    statement,
    subject_view,
)
from lesion_measure.report.ways import readers_named, way_counts
from lesion_measure.results import RefusalKind

STRIP_WIDTH, STRIP_LIMIT = 132, 100.0
MARKS = {GREEN: "▼", VERMILLION: "▲", BLUE: "■", GRAY: "–"}
TONES = {GREEN: "good", VERMILLION: "bad", BLUE: "same", GRAY: "none"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """A change and its interval on a scale of -100 to +100 %, in pixels.

    ``cut_low`` and ``cut_high``: the interval goes on beyond the scale; ``beyond`` (-1, 0, 1): the value lies there.
    """

    low: float | None
    high: float | None
    value: float
    zero: float
    limits: tuple[float, ...]
    cut_low: bool
    cut_high: bool
    beyond: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonGroup:
    """Refusals that share their reason, and what each concerns."""

    kind: RefusalKind
    refusal: Refusal
    items: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialAnswer:
    """What the statistics over the subjects come to, and the page that holds them, relative to the results folder."""

    sentences: tuple[str, ...]
    page: str


def write_html(
    result: RunResult, out: Path, config: Config, pictures: Pictures, answer: TrialAnswer | None = None
) -> None:
    """Write report.html into ``out``; ``answer`` stands on its first page.

    Parameters
    ----------
    result
        The run.
    out
        The results folder.
    config
        Settings of the run.
    pictures
        Gives the pixels of a frame (rows, columns, 3) by SOPInstanceUID and number.
    answer
        The trial's answer for the first page; None where there is none.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    template = _environment(config).get_template("report.html.j2")
    refused = [i for i in list_refusals(result) if i.kind is RefusalKind.REFUSED]
    views = [
        subject_view(number, s, tuple(r for r in refused if r.subject == s.subject), config)
        for number, s in enumerate(result.subjects, 1)
    ]
    images = {image.sop_instance_uid: image for image in result.instances}

    def lesions(view: SubjectView) -> Iterator[LesionView]:
        return lesion_views(view, images, pictures, config)

    def questions(view: SubjectView) -> Iterator[Check]:
        return checks(view, images, pictures, config)

    def seen(view: SubjectView) -> Sights:
        return sights(view, images, pictures, config)

    with replacing(out / "report.html") as stream:
        for piece in template.generate(
            _of_run(result, config), answer=answer, subjects=views, lesions=lesions, questions=questions, sights=seen
        ):
            stream.write(piece)


def _of_run(result: RunResult, config: Config) -> dict[str, object]:
    """What the template shows of the run as a whole, by its names there."""
    comparison = config.comparison
    rule = comparison.applied_rule
    return {
        "config": config,
        "rule": rule,
        "rule_text": words.rule_sentence(comparison.rule, rule),
        "targets_text": words.targets_sentence(rule.targets),
        "secondary_rules": comparison.other_rules if any(s.secondary for s in result.subjects) else {},
        "entry_known": _entry_columns(result),
        "primary": comparison.primary_metric,
        "metric_text": f"Primary size: {words.METRICS[comparison.primary_metric].lower()}",
        "made": result.provenance,
        "command": without_folders(result.provenance.command),
        "followup": words.followup(config.protocol.timetable()),
        "counts": count(result, comparison.primary_metric),
        "unscanned": unscanned(result),
        "ways": way_counts(included(result)),
        "readers": readers_named(result),
        "responses": response_counts(result),
        "figures": _figures(result, config),
        "groups": reason_groups(result),
    }


def _entry_columns(result: RunResult) -> tuple[Criterion, ...]:
    """The entry criteria as columns of a table; none where nothing is known of any of them."""
    known = any(c.met is not Met.NOT_KNOWN for s in result.subjects for c in s.entry)
    return next((s.entry for s in result.subjects if s.entry), ()) if known else ()


def _figures(result: RunResult, config: Config) -> list[tuple[Metric, Waterfall]]:
    """The waterfall of the primary size, and of the rule's size where that is another one."""
    comparison = config.comparison
    rule = comparison.applied_rule
    metrics = dict.fromkeys((comparison.primary_metric, rule.metric))
    drawn = ((metric, waterfall(result, metric, rule)) for metric in metrics)
    return [(metric, figure) for metric, figure in drawn if figure is not None]


def reason_groups(result: RunResult) -> list[ReasonGroup]:
    """Refused and skipped items, those with the same reason together (what waits for review stands by subject)."""

    def key(pair: tuple[RefusalKind, Refusal]) -> tuple[str, str, str, str]:
        kind, refusal = pair
        return kind.value, refusal.code, refusal.reason, refusal.remedy

    pairs = sorted(((i.kind, i) for i in list_refusals(result) if i.kind is not RefusalKind.REVIEW), key=key)
    groups = [list(members) for _, members in groupby(pairs, key)]
    return [ReasonGroup(kind=g[0][0], refusal=g[0][1], items=tuple(refusal for _, refusal in g)) for g in groups]


def strip(change: Change, config: Config) -> Strip | None:
    """The small interval chart of a table row, with the rule's limits where the rule looks at this size."""
    if words.finite(change.percent) is None:
        return None
    rule = config.comparison.applied_rule
    limits = [rule.response_percent, rule.progression_percent] if rule.metric is change.metric else []
    low, high = change.percent_ci95 or (None, None)
    return Strip(
        low=None if low is None else _across(low),
        high=None if high is None else _across(high),
        value=_across(change.percent),
        zero=_across(0),
        limits=tuple(_across(limit) for limit in limits if limit is not None and abs(limit) <= STRIP_LIMIT),
        cut_low=low is not None and low < -STRIP_LIMIT,
        cut_high=high is not None and high > STRIP_LIMIT,
        beyond=(change.percent > STRIP_LIMIT) - (change.percent < -STRIP_LIMIT),
    )


def _across(value: float) -> float:
    inside = min(max(value, -STRIP_LIMIT), STRIP_LIMIT)
    return round(8 + (STRIP_WIDTH - 16) * (inside + STRIP_LIMIT) / (2 * STRIP_LIMIT), 2)


def css_string(text: str) -> Markup:
    """Text as a CSS string: all but ASCII letters and digits becomes a hexadecimal escape and its closing space."""
    inner = "".join(c if c.isascii() and c.isalnum() else f"\\{ord(c):x} " for c in text)
    return Markup(f'"{inner}"')  # noqa: S704  only letters, digits and escapes are left


def _environment(config: Config) -> jinja2.Environment:
    environment = page_environment("lesion_measure.report")
    rule = config.comparison.applied_rule

    def limits(metric: Metric | None) -> list[float | None]:
        rules = (rule, *config.comparison.other_rules.values())
        return [limit for one in rules if one.metric is metric for limit in one.limits_percent]

    environment.globals |= {
        "METRICS": words.METRICS,
        "COURSE_WIDTH": WIDTH,
        "PLANES": words.PLANES,
        "UNITS": words.UNITS,
        "STRIP_WIDTH": STRIP_WIDTH,
        "MOST_PICTURES": MOST_PICTURES,
        "tone": lambda category: TONES[colour_of(category, rule)],
        "mark": lambda category: MARKS[colour_of(category, rule)],
        "strip": lambda change: strip(change, config),
        "statement": statement,
        "chosen_in": chosen_in,
        "measured_by": words.measured_by,
        "plane_measured_by": words.plane_measured_by,
        "outline_against_caliper": words.outline_against_caliper,
        "verdict": words.verdict,
        "plural": words.plural,
        "who_counts": words.who_counts,
    }
    environment.filters |= {
        "amount": words.amount,
        "amount_interval": words.amount_interval,
        "percent": lambda value, metric=None: words.percent(value, limits(metric)),
        "percent_interval": lambda interval, metric=None: words.percent_interval(interval, limits(metric)),
        "limit": words.signed_limit,
        "fixed": words.fixed,
        "decimals": words.decimals,
        "in_words": in_words,
        "css_string": css_string,
    }
    return environment
