"""cohort.html and readers.html: one file each that needs nothing else, in the house style of the report."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import jinja2

from lesion_measure import __version__
from lesion_measure.cohort import figures, words
from lesion_measure.cohort.by_visit import followup, visit_label
from lesion_measure.cohort.files import (
    AGREEMENT_JSON,
    AGREEMENT_PAGE,
    JSON,
    LABS,
    PAGE,
    PAIRS,
    SETTINGS,
    STATISTICS,
    SUBJECTS,
)
from lesion_measure.cohort.readers import Matching, by_raters, no_settings, settings_lines
from lesion_measure.cohort.record import Cohort
from lesion_measure.files.writing import write_text
from lesion_measure.records import BASELINE
from lesion_measure.report.pages import page_environment
from lesion_measure.report.words import (
    METRICS,
    UNITS,
    fixed,
    p_value,
    percent,
    percent_interval,
    plural,
    signed_limit,
    who_counts,
)
from lesion_measure.stats.agreement import Agreement, percent_of, repeatability_percent
from lesion_measure.stats.bootstrap import RESAMPLES as REDRAWN_SUBJECTS
from lesion_measure.stats.estimates import BCA_HOLDS_FROM, RESAMPLES
from lesion_measure.tables.labs import Marker

INFANTS_UP_TO_MONTHS = 36
"""Oldest age at entry of a trial in whose subjects a congenital lesion may still be shrinking by itself."""


def write_cohort_page(cohort: Cohort, folder: Path) -> None:
    """Write cohort.html into ``folder``.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    protocol = cohort.results.protocol
    ages = protocol.entry.age_months
    text = _environment().get_template("cohort.html.j2").render(
        historical_source=protocol.historical_source if protocol.historical_rate == cohort.historical_rate else "",
        infants=ages is not None and ages[1] <= INFANTS_UP_TO_MONTHS,
        cohort=cohort,
        followup=followup(cohort.results),
        visit_label=partial(visit_label, cohort.results),
        results=cohort.results,
        rule=cohort.results.rule,
        answer=words.answer(cohort),
        readers=by_raters(cohort.readers),
        settings_lines=settings_lines,
        no_settings=no_settings,
    )  # fmt: skip
    write_text(folder / PAGE, text, "page")


def write_readers_page(found: Sequence[Agreement], matching: Matching | None, folder: Path) -> None:
    """Write readers.html into ``folder``. Raises as `write_cohort_page`."""
    text = _environment().get_template("readers.html.j2").render(
        readers=by_raters(found), matching=matching, settings_lines=settings_lines, no_settings=no_settings
    )  # fmt: skip
    write_text(folder / AGREEMENT_PAGE, text, "page")


def _environment() -> jinja2.Environment:
    environment = page_environment("lesion_measure.cohort", ("lesion_measure.cohort", "cohort.css"))
    environment.globals |= {
        "version": __version__,
        "FILES": (JSON, STATISTICS, SUBJECTS, LABS),
        "READER_FILES": (AGREEMENT_JSON, PAIRS, SETTINGS),
        "METRICS": METRICS,
        "BASELINE": BASELINE,
        "UNITS": UNITS,
        "AFP": Marker.AFP,
        "RATES": words.RATES,
        "RESAMPLES": RESAMPLES,
        "BCA_HOLDS_FROM": BCA_HOLDS_FROM,
        "REDRAWN_SUBJECTS": REDRAWN_SUBJECTS,
        "figures": figures,
        "plural": plural,
        "who_counts": who_counts,
        "rate": words.rate,
        "bounds": words.bounds,
        "p_at_most": words.p_at_most,
        "repeatability_percent": repeatability_percent,
    }
    environment.filters |= {
        "estimate": words.estimate,
        "interval": words.interval,
        "as_percent": words.as_percent,
        "percent_of": percent_of,
        "p": p_value,
        "fixed": fixed,
        "percent": percent,
        "percent_interval": percent_interval,
        "limit": signed_limit,
    }
    return environment
