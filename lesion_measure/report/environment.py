"""The templates of the report with the words and drawings that they use."""

from __future__ import annotations

from functools import cache
from typing import Any

import jinja2
from jinja2.runtime import Context
from markupsafe import Markup

from lesion_measure.config import Config
from lesion_measure.records import Metric, in_words
from lesion_measure.report import words
from lesion_measure.report.cells import statement
from lesion_measure.report.courses import WIDTH
from lesion_measure.report.lesion_views import chosen_in
from lesion_measure.report.pages import page_environment
from lesion_measure.report.sights import MOST_PICTURES
from lesion_measure.report.strips import STRIP_WIDTH, strip
from lesion_measure.report.verdicts import MARKS, tone


@cache
def environment() -> jinja2.Environment:
    """The templates, compiled once a process whatever the configuration: `of_config` goes with each page."""
    found = page_environment("lesion_measure.report")
    found.globals |= {
        "METRICS": words.METRICS,
        "COURSE_WIDTH": WIDTH,
        "PLANES": words.PLANES,
        "UNITS": words.UNITS,
        "STRIP_WIDTH": STRIP_WIDTH,
        "MOST_PICTURES": MOST_PICTURES,
        "statement": statement,
        "chosen_in": chosen_in,
        "measured_by": words.measured_by,
        "plane_measured_by": words.plane_measured_by,
        "outline_against_caliper": words.outline_against_caliper,
        "verdict": words.verdict,
        "plural": words.plural,
        "who_counts": words.who_counts,
    }
    found.filters |= {
        "amount": words.amount,
        "amount_interval": words.amount_interval,
        "percent": _percent,
        "percent_interval": _percent_interval,
        "limit": words.signed_limit,
        "fixed": words.fixed,
        "decimals": words.decimals,
        "in_words": in_words,
        "some": words.some,
        "css_string": css_string,
    }
    return found


def of_config(config: Config) -> dict[str, Any]:
    """What a page needs to know of the configuration, by its names in the templates."""
    comparison = config.comparison
    rule = comparison.applied_rule
    return {
        "config": config,
        "rule": rule,
        "rule_text": words.rule_sentence(comparison.rule, rule),
        "targets_text": words.targets_sentence(rule.targets),
        "primary": comparison.primary_metric,
        "metric_text": f"Primary size: {words.METRICS[comparison.primary_metric].lower()}",
        "followup": words.followup(config.protocol.timetable()),
        "tone": lambda category: tone(category, rule),
        "mark": lambda category: MARKS[tone(category, rule)],
        "strip": lambda change: strip(change, config),
    }


def limits_of(config: Config, metric: Metric | None) -> list[float | None]:
    """The limits that any rule of the run sets a size: a change is never rounded onto one that it misses."""
    comparison = config.comparison
    rules = (comparison.applied_rule, *comparison.other_rules.values())
    return [limit for one in rules if one.metric is metric for limit in one.limits_percent]


@jinja2.pass_context
def _percent(context: Context, value: float | None, metric: Metric | None = None) -> str:
    return words.percent(value, limits_of(context["config"], metric))


@jinja2.pass_context
def _percent_interval(context: Context, interval: tuple[float, float] | None, metric: Metric | None = None) -> str:
    return words.percent_interval(interval, limits_of(context["config"], metric))


def css_string(text: str) -> Markup:
    """Text as a CSS string: all but ASCII letters and digits becomes a hexadecimal escape and its closing space."""
    inner = "".join(c if c.isascii() and c.isalnum() else f"\\{ord(c):x} " for c in text)
    return Markup(f'"{inner}"')  # noqa: S704  only letters, digits and escapes are left
