"""Numbers and names as people read them: the same wording in every table, figure and terminal line."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from lesion_measure.config import AppliedRule, Targets, limit_text, percent_text, visible_digits
from lesion_measure.records import Metric, NamedBy, Plane, PlaneMeasurement, Quantity, Schedule, Source, Way

MINUS = "\N{MINUS SIGN}"
NOTHING = "\N{EN DASH}"
NOT_MEASURED = "not measured"

METRICS = {
    Metric.LONGEST_DIAMETER: "Longest diameter",
    Metric.SUM_OF_DIAMETERS: "Sum of longest diameters",
    Metric.SUM_OF_PRODUCTS: "Sum of products of two axes",
    Metric.VOLUME: "Volume",
}
PLANES = {
    Plane.TRANSVERSE: "Transverse plane",
    Plane.SAGITTAL: "Sagittal plane",
    Plane.CORONAL: "Coronal plane",
    Plane.OBLIQUE: "Oblique plane",
    Plane.UNKNOWN: "Plane not known",
}
NAMED_BY = {
    NamedBy.READER: "named by the reader",
    NamedBy.MANIFEST: "named by the manifest",
    NamedBy.ONLY: "the only lesion",
    NamedBy.PAIRED: "paired automatically",
    NamedBy.BASELINE: "named as at baseline",
}
ORIGINS = {
    Source.MODEL: "network",
    Source.CALIPER: "caliper",
    Source.PROMPTED: "network's outline",
    Source.READER_STATEMENT: "statement",
}
UNITS = {"mm": "mm", "mm2": "mm²", "mL": "mL", "ml": "mL"}


def finite(value: float | None) -> float | None:
    """The number, or None where there is none: NaN and infinity (e.g. percent change from zero) are never written."""
    return value if value is not None and math.isfinite(value) else None


def fixed(value: float | None, digits: int, *, signed: bool = False) -> str:
    """A number with a fixed count of decimals and a typographic minus; a dash where there is none.

    It has more decimals where it would stand as 0 and is not.

    >>> fixed(-0.04, 1), fixed(-2.55, 1), fixed(3.0, 1, signed=True), fixed(0.0, 1), fixed(None, 1)
    ('−0.04', '−2.5', '+3.0', '0.0', '–')
    """
    number = finite(value)
    if number is None:
        return NOTHING
    digits = visible_digits(number, digits)
    text = f"{number:+.{digits}f}" if signed else f"{number:.{digits}f}"
    if float(text) == 0:
        text = text.lstrip("+-")
    return text.replace("-", MINUS)


def p_value(p: float | None) -> str:
    """A p value, e.g. '0.034' or '3.4e-7'.

    >>> p_value(0.0341), p_value(0.00034), p_value(3.42e-17), p_value(1.0), p_value(None)
    ('0.034', '3.4e-4', '3.4e-17', '1.000', '–')
    """
    if p is None:
        return NOTHING
    if p >= 0.001:
        return fixed(p, 3)
    digits, exponent = f"{p:.1e}".split("e")
    return f"{digits}e{int(exponent)}"


def decimals(value: float, unit: str) -> int:
    """Decimals that a size deserves: tenths of a mm, whole mm2, and two or three digits of a volume.

    >>> [decimals(value, "mL") for value in (12.3, 1.23, 0.12, 0.012, 0.0)]
    [1, 2, 2, 3, 2]
    """
    if unit == "mm2":
        return 0
    if unit == "mm":
        return 1
    if abs(value) >= 10:
        return 1
    return 2 if abs(value) >= 0.1 or value == 0 else 1 - math.floor(math.log10(abs(value)))


def change_percent(value: float, limits: Iterable[float | None] = ()) -> str:
    """A signed percent change without its unit; with more decimals where one would hide its side of a rule's limit.

    >>> change_percent(-29.97, [-30]), change_percent(-29.97), change_percent(-30, [-30])
    ('−29.97', '−30.0', '−30.0')
    """
    return NOTHING if finite(value) is None else percent_text(value, limits).replace("-", MINUS)


def percent(value: float | None, limits: Iterable[float | None] = ()) -> str:
    """A signed percent change, e.g. '−30.2 %'; ``limits`` as for `change_percent`."""
    number = finite(value)
    return "not defined" if number is None else f"{change_percent(number, limits)} %"


def percent_interval(interval: tuple[float, float] | None, limits: Iterable[float | None] = ()) -> str:
    """A 95 % interval of a percent change, or a plain statement that there is none; ``limits`` as for `percent`."""
    if interval is None or finite(interval[0]) is None or finite(interval[1]) is None:
        return "no interval"
    return f"{change_percent(interval[0], limits)} to {change_percent(interval[1], limits)} %"


def amount(quantity: Quantity | None, unit: str) -> str:
    """A quantity with one standard deviation, e.g. '31.4 ± 2.8 mm'; without one where it is a statement (SD 0)."""
    if quantity is None or finite(quantity.value) is None:
        return NOTHING
    if not quantity.has_interval:
        return f"{quantity.value:g} {UNITS[unit]}"
    digits = decimals(quantity.value, unit)
    return f"{fixed(quantity.value, digits)} ± {fixed(quantity.sd, digits)} {UNITS[unit]}"


def amount_interval(quantity: Quantity | None, unit: str) -> str:
    """The 95 % interval of a quantity, e.g. '25.9 to 36.9'; a statement says so, and nothing is empty."""
    if quantity is None or finite(quantity.value) is None:
        return ""
    if not quantity.has_interval:
        return "stated absent" if quantity.value == 0 else "no interval"
    digits = decimals(quantity.value, unit)
    low, high = quantity.ci95
    return f"{fixed(low, digits)} to {fixed(high, digits)}"


def rule_sentence(name: str, rule: AppliedRule) -> str:
    """What a rule asks for, in one line."""
    limit = signed_limit(rule.response_percent)
    at_limit = f"exactly {limit} {'counts' if rule.response_at_limit else 'does not count'}"
    parts = [f"{rule.response_name} at {limit} or less ({at_limit})"]
    if rule.progression_percent is not None:
        growth = f" and at least {rule.progression_min_mm:g} mm" if rule.progression_min_mm else ""
        since = "from the smallest size so far" if rule.progression_from == "nadir" else "from baseline"
        whose = " of any target lesion" if rule.progression_of == "any_lesion" else ""
        parts.append(
            f"{rule.progression_name} at {signed_limit(rule.progression_percent)} or more{growth}{whose}, {since}"
        )
    return f"Rule ‘{name}’ ({METRICS[rule.metric].lower()}): {'; '.join(parts)}; otherwise {rule.stable_name}"


def targets_sentence(targets: Targets) -> str:
    """Which lesions the sums run over, in one line."""
    asked = []
    if targets.most is not None:
        asked.append(f"at most {targets.most}")
    if targets.most_per_organ is not None:
        asked.append(f"at most {targets.most_per_organ} in one organ (the liver is one)")
    if targets.min_diameter_mm:
        asked.append(f"from {targets.min_diameter_mm:g} mm up")
    if not asked:
        return "Target lesions: every lesion that was measured at baseline, unless a reader chose"
    return f"Target lesions: the largest that can be measured reproducibly, {', '.join(asked)}, unless a reader chose"


def followup(schedule: Schedule | None) -> str:
    """The visit whose comparison with baseline is the answer, in words; empty where there is none."""
    if schedule is None:
        return "the last visit"
    return "" if schedule.primary is None else schedule.label(schedule.primary).lower()


def signed_limit(value: float) -> str:
    """A rule's limit in percent, as short as it is exact."""
    return f"{limit_text(value)} %".replace("-", MINUS)


def verdict(exceeds_error: bool, interval: tuple[float, float] | None) -> str:
    """Whether a change is more than measurement error, in words."""
    if interval is None:
        return "a statement"
    return "exceeds error" if exceeds_error else "within error"


def measured_by(source: Source, reader: str, confidence: float | None = None, *, outlined: bool = False) -> str:
    """Who or what measured, e.g. 'model us-liver (confidence 0.93)', 'calipers of R1' or 'outline of R1'."""
    if source is Source.MODEL:
        sure = "" if finite(confidence) is None else f" (confidence {fixed(confidence, 2)})"
        return f"model {reader}{sure}"
    if source is Source.CALIPER:
        return f"{'outline' if outlined else 'calipers'} of {reader}"
    return f"statement of {reader}"


def plane_measured_by(plane: PlaneMeasurement) -> str:
    """Which way a plane was measured and by whom, e.g. 'Calipers alone: calipers of R1'."""
    way = f"{plane.way[:1].upper()}{plane.way[1:]}"
    sure = plane.confidence if plane.prompted is None else None
    by = measured_by(plane.source, plane.reader, sure, outlined=plane.way is Way.OUTLINE)
    if plane.prompted is None:
        return f"{way}: {by}"
    return f"{way}: {by}; outline by {measured_by(Source.MODEL, plane.prompted.model, plane.confidence)}"


def outline_against_caliper(plane: PlaneMeasurement) -> str:
    """How a prompted outline fits the calipers; empty where there is no such outline."""
    outline, caliper = plane.prompted, plane.long_axis_mm.value
    if outline is None:
        return ""
    words = (
        f"The outline's own long axis is {fixed(outline.long_axis_mm, 1)} mm, "
        f"{percent(100 * (outline.long_axis_mm / caliper - 1))} against the caliper"
    )
    if plane.short_axis_mm is None or plane.short_axis_prompted:
        return words
    apart = percent(100 * (outline.width_mm.value / plane.short_axis_mm.value - 1))
    return f"{words}; its width across the caliper is {amount(outline.width_mm, 'mm')}, {apart} against the short axis"


def who_counts(subjects: int, measured: int, excluded: int, alone: int = 0) -> str:
    """How many subjects count, the same words wherever they are counted; ``alone``: with one scan, and none asked for.

    >>> who_counts(13, 9, 2)
    '13 subjects: 9 measured, 2 excluded, 2 not measured'
    >>> who_counts(1, 0, 0, alone=1)
    '1 subject: 0 compared, 0 excluded, 1 measured at one visit alone'
    """
    left = subjects - measured - excluded - alone
    words = f"{plural(subjects, 'subject')}: {measured} {'compared' if alone else 'measured'}, {excluded} excluded"
    words += f", {alone} measured at one visit alone" if alone else ""
    return f"{words}, {left} not measured" if left else words


def plural(count: int, one: str, many: str | None = None) -> str:
    """'1 file', '3 files'."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def some(names: Sequence[str], most: int = 40) -> str:
    """Names one after the other; of very many the first, and how many more there are.

    >>> some(["a", "b", "c", "d"], 2)
    'a, b and 2 more'
    """
    left = len(names) - most
    return ", ".join(names[:most]) + (f" and {left} more" if left > 0 else "")
