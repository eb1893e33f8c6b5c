"""The whole of ``lesion-measure cohort`` and ``lesion-measure readers``, in order: read, compute, write, say."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from lesion_measure.cohort.analysis import SEED, analyse, join
from lesion_measure.cohort.files import (
    AGREEMENT_FILES,
    AGREEMENT_JSON,
    COHORT_FILES,
    FOLDER,
    JSON,
    PAIR_COLUMNS,
    PAIRS,
    SETTINGS,
    agreement_document,
    cohort_document,
    pair_rows,
    write_settings,
    write_tables,
)
from lesion_measure.cohort.markers import MarkerResult
from lesion_measure.cohort.page import write_cohort_page, write_readers_page
from lesion_measure.cohort.readers import (
    Matching,
    agreements,
    by_raters,
    match_folders,
    no_settings,
    readings_within,
    settings_lines,
)
from lesion_measure.cohort.record import Cohort
from lesion_measure.cohort.words import RATES, as_percent, bounds, estimate, mean_percent, rate
from lesion_measure.errors import InputError, TableError
from lesion_measure.files.locks import holding
from lesion_measure.files.writing import together, write_json
from lesion_measure.report.enrolment import apply_table
from lesion_measure.report.in_short import in_short
from lesion_measure.report.tables import write_csv
from lesion_measure.report.words import METRICS, fixed, p_value, plural, who_counts
from lesion_measure.results import read_finished
from lesion_measure.stats.agreement import Agreement, percent_of, repeatability_percent
from lesion_measure.stats.estimates import BCA_HOLDS_FROM
from lesion_measure.tables.labs import Labs, read_labs
from lesion_measure.tables.subjects import taken_for_a_number


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortRequest:
    """What the user asked for; the run gives ``historical_rate``, ages and ``subjects`` that are None."""

    results: Path
    subjects: Path | None = None
    labs: Path | None = None
    historical_rate: float | None = None
    seed: int = SEED
    age_splits_months: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Agreement of raters, and how two folders were matched; None where there was one folder."""

    agreements: tuple[Agreement, ...]
    matching: Matching | None

    @property
    def document(self) -> dict[str, Any]:
        """As agreement.json has it."""
        return agreement_document(self.agreements, self.matching, self.settings, self.no_settings)

    @property
    def settings(self) -> list[str]:
        """Lines for a configuration file; empty where several pairs of raters would each give their own."""
        groups = list(by_raters(self.agreements).values())
        return settings_lines(groups[0]) if len(groups) == 1 else []

    @property
    def no_settings(self) -> str:
        """Why there are none; empty where there are."""
        groups = list(by_raters(self.agreements).values())
        return no_settings(groups[0]) if len(groups) == 1 else "No settings: several pairs of raters, each its own."


def run_cohort(request: CohortRequest) -> tuple[Cohort, dict[str, Any]]:
    """Analyse a results folder and write its ``cohort`` folder; returns the cohort and what cohort.json says.

    Raises
    ------
    InputError
        The results folder cannot be used, or its run did not finish.
    TableError
        The subjects or the laboratory table cannot be used.
    OutputError
        The files cannot be written.
    """
    results, notes = apply_table(read_finished(request.results, in_short), request.subjects)
    labs = None if request.labs is None else read_labs(request.labs, results.visit_names)
    if labs is not None:
        check_lab_subjects(labs, [member.code for member in join(results)], str(request.labs))
    cohort = analyse(
        results, labs=labs, historical_rate=request.historical_rate, seed=request.seed,
        age_splits_months=request.age_splits_months, notes=notes,
    )  # fmt: skip
    with holding(request.results):
        return cohort, write_cohort(cohort, request.results / FOLDER)


def write_cohort(cohort: Cohort, folder: Path) -> dict[str, Any]:
    """Write the page and the tables of a cohort into a folder; returns what cohort.json says.

    Raises
    ------
    OutputError
        The files cannot be written.
    """
    document = cohort_document(cohort)
    with together(folder, COHORT_FILES) as stage:
        write_tables(cohort, stage)
        write_cohort_page(cohort, stage)
        write_json(stage / JSON, document)
    return document


def check_lab_subjects(labs: Labs, known: Collection[str], path: str) -> None:
    """Laboratory values of somebody whom nobody knows are a mistake in a code, which would lose them.

    Raises
    ------
    TableError
        A subject of the table is not among the ``known`` ones.
    """
    if unknown := sorted(labs.subjects - set(known)):
        raise TableError(
            f"Subject {unknown[0]} is neither in the results nor in the subjects table"
            + (f", and so are {len(unknown) - 1} more." if len(unknown) > 1 else "."),
            remedy=f"{taken_for_a_number(unknown[0], known)}Write the codes as in results.json, or list "
            "these subjects in --subjects.",
            path=path,
        )


def summary_lines(cohort: Cohort) -> list[str]:
    """The answer in a few plain lines for the terminal."""
    results, size, found = cohort.results, cohort.primary, cohort.responders
    change = size.change
    test, ranks = change.paired_t, change.wilcoxon
    lines = [
        f"Subjects      {who_counts(*cohort.counts)} (change of {METRICS[results.primary_metric].lower()})",
        f"Mean          {mean_percent(change)}{', BCa' if change.count >= BCA_HOLDS_FROM else ''}",
        f"Median        {estimate(change.median_percent, unit='%', signed=True)}"
        f"{'' if change.median_percent.low is None else ', BCa'}",
        f"Geom. mean    {estimate(as_percent(change.geometric_mean), unit='%', signed=True)}; "
        f"paired t on the log ratio, p = {p_value(test.p_value if test else None)}",
        f"Hodges-L.     {estimate(as_percent(change.hodges_lehmann), unit='%', signed=True)}; Wilcoxon signed rank, "
        f"p = {p_value(ranks.p_value if ranks else None)}",
    ]
    for name, words in RATES.items():
        own = getattr(found, name)
        against = ""
        if cohort.historical_rate is not None:
            against = f"; against {fixed(100 * cohort.historical_rate, 1)} % p = {p_value(own.p_two_sided)}"
        lines.append(f"Responders    {rate(own)}{against}: {words[:1].lower()}{words[1:]}")
    if size.error.share is not None:
        lines.append(
            f"Error         {fixed(100 * size.error.share, 0)} % of the spread of the changes is measurement error"
        )
    for marker in cohort.markers:
        lines.append(f"{marker.marker.value:<14}{_marker_words(marker)}")
    return [*lines, *(f"Note          {note}" for note in cohort.notes)]


def _marker_words(marker: MarkerResult) -> str:
    words = f"{plural(marker.change.count, 'change')}, median {bounds(marker.change.median, percent=True)}"
    beyond = marker.beyond_age
    if beyond is None or not beyond.count:
        return words
    return f"{words}; observed over expected for age {bounds(beyond.median, 2)} (median of {beyond.count})"


def compare_readers(first: Path, second: Path | None, *, seed: int, out: Path | None) -> Compared:
    """Agreement of the raters of one results folder, or of two folders of the same images; written where asked.

    Raises
    ------
    InputError
        A folder cannot be used, or no two raters have three measurements in common.
    OutputError
        The files cannot be written.
    """
    results = read_finished(first)
    if second is None:
        compared = Compared(agreements=agreements(readings_within(results), seed), matching=None)
    else:
        names = (first.resolve().name, second.resolve().name)
        matching = match_folders(results, read_finished(second), names, seed)
        compared = Compared(agreements=matching.agreements, matching=matching)
    if not compared.agreements:
        raise InputError(
            "No two raters measured the same thing three times or more.",
            remedy="One folder: run with the calipers of both, so that the other's are kept as alternatives. "
            "Two folders: run both on the same images, with the same subject codes and lesion names.",
            code="no_pairs",
            path=first.name,
        )
    if out is not None:
        with holding(out), together(out, AGREEMENT_FILES) as stage:
            write_csv(stage / PAIRS, PAIR_COLUMNS, pair_rows(compared.agreements))
            write_readers_page(compared.agreements, compared.matching, stage)
            write_settings(stage / SETTINGS, compared.settings)
            write_json(stage / AGREEMENT_JSON, compared.document)
    return compared


def reader_lines(compared: Compared) -> list[str]:
    """Agreement in plain lines for the terminal, and the settings that follow from it."""
    lines = _matching_lines(compared.matching)
    for (first, second), found in by_raters(compared.agreements).items():
        lines += ["", f"{second} minus {first}"]
        for one in found:
            lines += _agreement_lines(one)
        if settings := settings_lines(found):
            lines += ["", "For the configuration file:", "", *settings]
        else:
            lines += ["", no_settings(found)]
    return lines[1:] if lines and not lines[0] else lines


def _matching_lines(matching: Matching | None) -> list[str]:
    if matching is None:
        return []
    alone = " and ".join(f"{number} of {name}" for number, name in zip(matching.alone, matching.raters, strict=True))
    return [
        f"{plural(matching.lesions, 'lesion')} in both (each at each visit); in one alone: {alone}; "
        f"{matching.presence} measured by one and stated absent by the other; "
        f"{matching.planes_differ} in different planes"
    ]


def _agreement_lines(found: Agreement) -> list[str]:
    pairs, absolute, log = found.pairs, found.absolute, found.log
    down, up = repeatability_percent(log)
    count = f"{plural(len(pairs.first), 'pair')} of {plural(len(set(pairs.subjects)), 'subject')}"
    how = "bootstrap of subjects" if pairs.clustered else "exact intervals"
    return [
        f"  {pairs.measure}: {count}; {how}",
        f"    bias              {estimate(absolute.bias, 2, pairs.unit, signed=True)}; "
        f"{estimate(percent_of(log.bias), 1, '%', signed=True)}",
        f"    95 % limits       {estimate(absolute.lower, 2, signed=True)} to "
        f"{estimate(absolute.upper, 2, pairs.unit, signed=True)}",
        f"                      {estimate(percent_of(log.lower), 1, signed=True)} to "
        f"{estimate(percent_of(log.upper), 1, '%', signed=True)}",
        f"    ICC(2,1)          {estimate(absolute.icc, 3)}",
        f"    repeatability     {estimate(absolute.repeatability, 2, pairs.unit)}; {fixed(down, 1, signed=True)} to "
        f"{fixed(up, 1, signed=True)} %",
        f"    coeff. variation  {estimate(log.within_sd.map(lambda x: 100 * x), 1, '%')}; without bias "
        f"{fixed(100 * log.random_sd, 1)} %",
    ]


def age_splits(text: str) -> tuple[float, ...] | None:
    """Ages in months from '6,14', ascending; None where the text is none."""
    try:
        ages = tuple(float(part) for part in text.split(","))
    except ValueError:
        return None
    ascending = all(low < high for low, high in pairwise(ages))
    return ages if ascending and all(math.isfinite(age) and age > 0 for age in ages) else None
