"""cohort.json and the tables behind cohort.html; agreement.json and pairs.csv of two raters. See docs/cohort.md."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from lesion_measure import __version__
from lesion_measure.cohort.markers import MarkerResult, Range, RatioSummary
from lesion_measure.cohort.paired import Change
from lesion_measure.cohort.readers import Matching
from lesion_measure.cohort.record import Cohort, Member, SizeResult
from lesion_measure.cohort.responders import SizeLimit
from lesion_measure.cohort.words import RATES, as_percent
from lesion_measure.files.writing import write_text
from lesion_measure.records import BASELINE, Metric
from lesion_measure.report.tables import Cell, Row, write_csv
from lesion_measure.report.words import finite
from lesion_measure.stats.agreement import Agreement, AgreementScale, Pairs, percent_of, repeatability_percent
from lesion_measure.stats.bootstrap import RESAMPLES as REDRAWN_SUBJECTS
from lesion_measure.stats.estimates import RESAMPLES, Estimate
from lesion_measure.stats.proportions import Rate

FOLDER = "cohort"
JSON, PAGE = "cohort.json", "cohort.html"
STATISTICS, SUBJECTS, LABS = "cohort.csv", "cohort_subjects.csv", "cohort_labs.csv"
AGREEMENT_JSON, AGREEMENT_PAGE, PAIRS = "agreement.json", "readers.html", "pairs.csv"
SETTINGS = "repeatability.yaml"
COHORT_FILES = (JSON, PAGE, STATISTICS, SUBJECTS, LABS)
AGREEMENT_FILES = (AGREEMENT_JSON, AGREEMENT_PAGE, PAIRS, SETTINGS)
SCHEMA_VERSION = "1.1"

STATISTIC_COLUMNS = ("section", "group", "statistic", "count", "value", "ci95_low", "ci95_high", "p_value", "unit")
SUBJECT_COLUMNS = (
    "subject", "status", "reason", "age_months", "form", "baseline_date", "followup_date", "days",
    *(f"{m}_{c}" for m in Metric for c in ("baseline", "followup", "percent", "percent_ci95_low", "percent_ci95_high")),
    "response", "response_certain",
)  # fmt: skip
LAB_COLUMNS = (
    "subject", "marker", "unit", "baseline", "followup", "percent_low", "percent_high", "age_days_baseline",
    "age_days_followup", "expected_percent", "observed_over_expected_low", "observed_over_expected_high", "note",
)  # fmt: skip
PAIR_COLUMNS = (
    "measure",
    "unit",
    "subject",
    "first_rater",
    "second_rater",
    "first",
    "second",
    "difference",
    "difference_percent",
)


def cohort_document(cohort: Cohort) -> dict[str, Any]:
    """The cohort as plain JSON values; numbers that do not exist are null."""
    results = cohort.results
    return {
        "schema": "lesion_measure cohort",
        "schema_version": SCHEMA_VERSION,
        "package_version": __version__,
        "results": {
            "sha256": results.sha256, "package_version": results.package_version,
            "config_sha256": results.config_sha256, "model": results.model,
        },
        "settings": {
            "primary_metric": results.primary_metric.value, "rule": plain(results.rule.model_dump(mode="json")),
            "historical_rate": cohort.historical_rate, "seed": cohort.seed, "bootstrap_resamples": RESAMPLES,
        },
        "subjects": {
            "listed": len(cohort.members), "analysed": len(cohort.analysed),
            "measured": sum(not member.missing for member in cohort.analysed),
            "excluded": [{"subject": m.code, "reasons": list(m.excluded)} for m in cohort.members if m.excluded],
            "missing": [{"subject": m.code, "reasons": list(m.missing)} for m in cohort.analysed if m.missing],
        },
        **{
            name: plain(getattr(cohort, name))
            for name in (
                "visits", "sizes", "by_visit", "unplanned",
                "missing_unchanged", "responders", "by_rules", "size_limits", "subgroups", "markers",
                "readers", "notes",
            )
        },
    }  # fmt: skip


def agreement_document(
    found: Sequence[Agreement], matching: Matching | None, settings: Sequence[str], no_settings: str
) -> dict[str, Any]:
    """Agreement of raters as plain JSON values; ``settings`` are the lines for a configuration file, or why none."""
    document: dict[str, Any] = {
        "schema": "lesion_measure agreement",
        "schema_version": SCHEMA_VERSION,
        "package_version": __version__,
        "bootstrap_resamples": REDRAWN_SUBJECTS,
        "agreements": plain(found),
        "settings": list(settings),
        "no_settings": no_settings,
    }
    if matching is not None:
        names = ("raters", "lesions", "alone", "presence", "planes_differ")
        document["matching"] = {name: plain(getattr(matching, name)) for name in names}
    return document


def plain(value: Any) -> Any:
    """Records, mappings and sequences as JSON has them; NaN and infinity become null."""
    if isinstance(value, Pairs):
        return {
            "measure": value.measure, "unit": value.unit, "first_rater": value.first_rater,
            "second_rater": value.second_rater, "count": len(value.first), "subjects": len(set(value.subjects)),
            "intervals": "bootstrap of subjects" if value.clustered else "exact",
        }  # fmt: skip
    if isinstance(value, Estimate):
        return {"value": plain(value.value), "low": plain(value.low), "high": plain(value.high)}
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(one) for key, one in value.items()}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, float):
        return finite(value)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(one) for one in value]
    return value


def write_settings(path: Path, lines: Sequence[str]) -> None:
    """Write the lines of a configuration file; no file without lines."""
    if lines:
        write_text(path, "\n".join([*lines, ""]))


def write_tables(cohort: Cohort, folder: Path) -> None:
    """Write the tables of a cohort, that of laboratory values where there are any."""
    write_csv(folder / STATISTICS, STATISTIC_COLUMNS, statistic_rows(cohort))
    write_csv(folder / SUBJECTS, SUBJECT_COLUMNS, (_subject_row(cohort, member) for member in cohort.members))
    if cohort.markers:
        write_csv(folder / LABS, LAB_COLUMNS, (row for marker in cohort.markers for row in _lab_rows(marker)))


def statistic_rows(cohort: Cohort) -> Iterator[Row]:
    """Every statistic of the cohort, one a row."""
    for visit in cohort.visits:
        for name in ("scanned", "measured", "lesions"):
            yield {"section": "visit", "group": visit.visit, "statistic": name, "count": getattr(visit, name)}
    for size in cohort.sizes:
        yield from _change_rows("size", size.metric, size.change)
        yield from _error_rows(size)
    for visited in cohort.by_visit:
        if not visited.primary:
            yield from _change_rows("visit", f"{cohort.results.primary_metric}, {visited.visit}", visited.change)
    if cohort.missing_unchanged is not None:
        yield from _change_rows(
            "size", f"{cohort.results.primary_metric}, missing = no change", cohort.missing_unchanged
        )
    found = cohort.responders
    for name in RATES:
        yield _rate_row("responders", name, getattr(found, name))
    for row in cohort.by_rules:
        if not row.primary:
            yield _rate_row("other rules (secondary)", row.rule, row.rate)
    for one in cohort.size_limits:
        yield from _limit_rows(one)
    for group in cohort.subgroups:
        label = f"{group.by}: {group.name}"
        yield from _change_rows("subgroup", label, group.change)
        yield _rate_row("subgroup", label, group.rate)
    for marker in cohort.markers:
        yield from _range_rows(marker.marker, marker.change)
        if marker.beyond_age is not None:
            yield from _range_rows(f"{marker.marker}, observed over expected", marker.beyond_age)
        if marker.change.exact is not None:
            yield from _change_rows("marker", marker.marker, marker.change.exact)
        if marker.beyond_age is not None and marker.beyond_age.exact is not None:
            yield from _change_rows("marker", f"{marker.marker}, observed over expected", marker.beyond_age.exact)
    for agreed in cohort.readers:
        yield from agreement_rows(agreed)


def _change_rows(section: str, group: str, change: Change) -> Iterator[Row]:
    base: dict[str, Cell] = {"section": section, "group": str(group)}
    for name, value in (("mean", change.mean_percent), ("median", change.median_percent)):
        yield base | {"statistic": name, "count": change.count, "unit": "%", **_ends(value)}
    yield base | {"statistic": "SD", "count": change.count, "unit": "%", "value": change.sd_percent}
    for name, quartile in zip(
        ("lower quartile", "upper quartile"), change.quartiles_percent or (None, None), strict=True
    ):
        yield base | {"statistic": name, "count": change.count, "unit": "%", "value": quartile}
    counted: dict[str, Cell] = {"count": change.count - change.gone, "unit": "ratio"}
    p = change.paired_t.p_value if change.paired_t else None
    yield base | {"statistic": "geometric mean ratio, t", **counted, **_ends(change.geometric_mean), "p_value": p}
    yield base | {"statistic": "geometric mean ratio, BCa", **counted, **_ends(change.geometric_mean_bca)}
    p = change.wilcoxon.p_value if change.wilcoxon else None
    counted = {"count": change.count, "unit": "ratio"}
    yield base | {"statistic": "Hodges-Lehmann ratio", **counted, **_ends(change.hodges_lehmann), "p_value": p}


def _error_rows(size: SizeResult) -> Iterator[Row]:
    error = size.error
    base: dict[str, Cell] = {"section": "size", "group": size.metric.value}
    yield base | {"statistic": "changes that exceed measurement error", "count": error.count, "value": error.exceed}
    for words, value in (
        ("SD of the log ratios", error.observed_sd),
        ("SD of the log ratios from measurement error", error.error_sd),
        ("share of their variance that is measurement error", error.share),
    ):
        yield base | {"statistic": words, "count": error.count, "value": value}


def _limit_rows(one: SizeLimit) -> Iterator[Row]:
    group = f"{one.metric} <= {one.limit_percent:.4g} %"
    yield _rate_row("sensitivity", group, one.rate)
    base: dict[str, Cell] = {"section": "sensitivity", "group": group, "count": one.rate.count}
    for name in ("certain_responders", "uncertain_responders", "uncertain_others", "certain_others"):
        yield base | {"statistic": name.replace("_", " "), "value": getattr(one.certainty, name)}
    expected = one.expected
    yield base | {
        "statistic": "responders expected from error bars", "value": expected.mean, "ci95_low": expected.low,
        "ci95_high": expected.high,
    }  # fmt: skip


def _range_rows(group: str, summary: RatioSummary) -> Iterator[Row]:
    """What limits of an assay leave open: the ends of a range stand in ``ci95_low`` and ``ci95_high``."""
    base: dict[str, Cell] = {"section": "marker", "group": str(group), "count": summary.count, "unit": "ratio"}
    for words, known in (
        ("median ratio, range", summary.median),
        ("Hodges-Lehmann ratio, range", summary.hodges_lehmann),
    ):
        yield base | {"statistic": words, "ci95_low": known.low, "ci95_high": known.high}
    yield base | {"statistic": "Wilcoxon, largest p", "p_value": summary.p_value_at_most}


def _rate_row(section: str, group: str, rate: Rate) -> Row:
    return {
        "section": section, "group": group, "statistic": f"responders ({rate.responders})", "count": rate.count,
        "unit": "%", **_ends(rate.percent), "p_value": rate.p_two_sided,
    }  # fmt: skip


def agreement_rows(found: Agreement) -> Iterator[Row]:
    """The statistics of two raters' agreement on one measure."""
    pairs = found.pairs
    base: dict[str, Cell] = {
        "section": "readers",
        "group": f"{pairs.measure}: {pairs.second_rater} minus {pairs.first_rater}",
        "count": len(pairs.first),
    }

    def rows(scale: AgreementScale, unit: str, shown: Callable[[Estimate], Estimate]) -> Iterator[Row]:
        for name in ("bias", "lower", "upper"):
            words = name if name == "bias" else f"{name} limit of agreement"
            yield base | {"statistic": words, "unit": unit, **_ends(shown(getattr(scale, name)))}

    yield from rows(found.absolute, pairs.unit, lambda estimate: estimate)
    yield from rows(found.log, "%", percent_of)
    yield base | {"statistic": "ICC(2,1)", **_ends(found.absolute.icc)}
    repeat = found.absolute.repeatability
    yield base | {"statistic": "repeatability coefficient", "unit": pairs.unit, **_ends(repeat)}
    low, high = repeatability_percent(found.log)
    yield base | {"statistic": "repeatability, change in percent", "unit": "%", "ci95_low": low, "ci95_high": high}
    yield base | {"statistic": "coefficient of variation", "unit": "", **_ends(found.log.within_sd)}


def _ends(estimate: Estimate) -> dict[str, Cell]:
    return {"value": estimate.value, "ci95_low": estimate.low, "ci95_high": estimate.high}


def _subject_row(cohort: Cohort, member: Member) -> Row:
    scans, row = member.scans, member.enrolled
    compared = () if scans is None else (BASELINE, scans.primary_visit or "")
    dates = [scans.date(visit) for visit in compared] if scans else [None, None]
    status = "excluded" if member.excluded else "missing" if member.missing else "measured"
    cells: dict[str, Cell] = {
        "subject": member.code,
        "status": status,
        "reason": "; ".join(member.excluded or member.missing),
        "age_months": row.age_months if row else None,
        "form": member.form.value if member.form else None,
        "baseline_date": dates[0].isoformat() if dates[0] else None,
        "followup_date": dates[1].isoformat() if dates[1] else None,
        "days": (dates[1] - dates[0]).days if dates[0] and dates[1] else None,
    }
    for metric in Metric:
        change = None if scans is None else scans.change(metric)
        if change is not None:
            low, high = change.percent_ci95 or (None, None)
            values = (change.baseline.value, change.followup.value, change.percent, low, high)
            names = ("baseline", "followup", "percent", "percent_ci95_low", "percent_ci95_high")
            cells |= {f"{metric}_{name}": value for name, value in zip(names, values, strict=True)}
    if scans is not None and scans.response is not None:
        cells |= {"response": scans.response.category, "response_certain": scans.response.certain}
    return cells


def _lab_rows(result: MarkerResult) -> Iterator[Row]:
    for pair in result.pairs:
        ages = pair.ages_days or (None, None)
        ratio, beyond = pair.ratio, pair.beyond_age
        yield {
            "subject": pair.subject, "marker": result.marker.value, "unit": result.unit,
            "baseline": str(pair.first), "followup": str(pair.later),
            "percent_low": _percent(ratio, "low"), "percent_high": _percent(ratio, "high"),
            "age_days_baseline": ages[0], "age_days_followup": ages[1],
            "expected_percent": as_percent(Estimate(pair.expected_ratio)).value,
            "observed_over_expected_low": beyond.low, "observed_over_expected_high": beyond.high,
            "note": pair.why_not,
        }  # fmt: skip
    for code in result.missing:
        yield {"subject": code, "marker": result.marker.value, "note": "not measured at both visits"}


def _percent(ratio: Range, end: str) -> float | None:
    value = getattr(ratio, end)
    return None if value is None or math.isinf(value) else 100 * (value - 1)


def pair_rows(found: Sequence[Agreement]) -> Iterator[Row]:
    """Every pair of measurements."""
    for agreed in found:
        pairs = agreed.pairs
        for subject, first, second in zip(pairs.subjects, pairs.first, pairs.second, strict=True):
            yield {
                "measure": pairs.measure, "unit": pairs.unit, "subject": subject, "first_rater": pairs.first_rater,
                "second_rater": pairs.second_rater, "first": float(first), "second": float(second),
                "difference": float(second - first), "difference_percent": float(100 * (second / first - 1)),
            }  # fmt: skip
