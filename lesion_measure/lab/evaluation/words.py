"""The names of the figures and how they are written: the same in the page, the terminal and the model card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lesion_measure.lab.evaluation.cases import (
    CLEAR_CONTRAST,
    FOUND_DICE,
    LARGE_SHARE,
    NETWORK_PROMPTED,
    RIGHT_DICE,
    SMALL_SHARE,
    Method,
    Size,
)
from lesion_measure.lab.evaluation.moves import other_spreads, rms_distance
from lesion_measure.lab.evaluation.record import Evaluation, Model
from lesion_measure.lab.evaluation.run import Placement
from lesion_measure.lab.evaluation.summary import MEASURES, SetSummary, Summary
from lesion_measure.report.words import NOTHING, fixed, plural
from lesion_measure.stats.estimates import Estimate

METHODS: Mapping[Method, str] = {
    Method.AUTOMATIC: "Automatic (found lesions)",
    Method.LONG_AXIS: "Network from the long axis",
    Method.BOTH_AXES: "Network from both axes",
    Method.LONG_AXIS_ELLIPSE: "Ellipse from the long axis",
    Method.BOTH_AXES_ELLIPSE: "Ellipse from both axes",
}
SIZES: Mapping[Size, str] = {
    Size.SMALL: f"Small: long axis < {100 * SMALL_SHARE:.0f} % of the picture's longer side",
    Size.MEDIUM: f"Medium: {100 * SMALL_SHARE:.0f} to {100 * LARGE_SHARE:.0f} %",
    Size.LARGE: f"Large: {100 * LARGE_SHARE:.0f} % or more",
}
DETECTION: Mapping[str, tuple[str, str]] = {
    "picture_dice": ("Dice of a picture, missed = 0", ""),
    "picture_dice_clear": (f"Dice of a picture, every lesion of contrast ≥ {CLEAR_CONTRAST}", ""),
    "found": (f"Lesions found (Dice ≥ {FOUND_DICE})", "rate"),
    "found_clear": (f"Lesions found, of contrast ≥ {CLEAR_CONTRAST}", "rate"),
    "lesion_dice": ("Dice of a lesion, missed = 0", ""),
    "drawn_right": (f"Drawn lesions that are a lesion (Dice ≥ {FOUND_DICE})", "rate"),
    "invented_per_picture": ("Invented lesions (touching none) per picture", "count"),
    "lesion_free_drawn": ("Lesion-free pictures with a lesion drawn", "rate"),
}
ACCEPTANCE: Mapping[str, tuple[str, str]] = {
    "pictures_accepted": ("Pictures with a lesion, one accepted", "rate"),
    "accepted_dice": ("Accepted automatic lesions: Dice", ""),
    "accepted_wrong": (f"Accepted automatic lesions that are wrong (Dice < {RIGHT_DICE})", "rate"),
    "accepted_long_axis_rms_percent": ("Accepted automatic lesions: long axis, root mean square error", "%"),
    "lesion_free_accepted": ("Lesion-free pictures with a lesion accepted", "rate"),
    "long_axis_accepted": ("Outlines from the long axis that are accepted", "rate"),
    "long_axis_used": ("Outlines from the long axis that a run would use", "rate"),
    "long_axis_used_dice": ("Used outlines from the long axis: Dice", ""),
    "long_axis_used_short_axis_error_percent": ("Used outlines from the long axis: short axis, median error", "%"),
    "long_axis_used_area_error_percent": ("Used outlines from the long axis: area, median error", "%"),
}
PLACEMENTS: Mapping[Placement, str] = {
    Placement.LONGEST: "the true outline's longest diameter and its longest perpendicular chord",
    Placement.RECTANGLE: "the middle lines of the smallest rectangle around the true outline",
    Placement.MOMENTS: "the axes of the ellipse that has the true outline's second moments",
}
SIDE_BY_SIDE: Mapping[str, tuple[str, str]] = {
    "detection.picture_dice": DETECTION["picture_dice"],
    "detection.found": DETECTION["found"],
    "detection.lesion_dice": DETECTION["lesion_dice"],
    "detection.invented_per_picture": DETECTION["invented_per_picture"],
    "detection.lesion_free_drawn": DETECTION["lesion_free_drawn"],
    "automatic.surface_mean_px": ("Found lesions: mean surface distance, px", "px"),
    "automatic.area_error_percent": ("Found lesions: area, median error", "%"),
    "long_axis.dice": ("Network from the long axis: Dice", ""),
    "both_axes.dice": ("Network from both axes: Dice", ""),
}
"""What is shown of several models in one table: method (or ``detection``) and figure, words and unit."""
_UNIT = {measure.key: measure.unit for measure in MEASURES}


def model_names(models: Sequence[Model]) -> list[str]:
    """What the models are called: by their names, with folder and weights where two have the same name."""
    names = [model.name for model in models]
    if len(set(names)) == len(names):
        return names
    return [
        f"{model.name} (masks, {model.weights})"
        if model.masks
        else f"{model.name} (folder {model.folder}, weights {model.weights})"
        for model in models
    ]


def moved(spread: float) -> str:
    """How far calipers' ends were moved, in both ways in which that can be read."""
    if spread == 0:
        return "calipers not moved"
    return f"ends moved by {_percent(spread)} % (row and column each; RMS distance {_percent(rms_distance(spread))} %)"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}".removesuffix(".0")


def placings_told(summary: Summary) -> str:
    """How often each lesion's calipers were placed; nothing where there is no lesion."""
    times = {name: own.placings for name, own in summary.items() if own.placings}
    if not times:
        return ""
    (first, count), *others = times.items()
    rest = "".join(f", of {name} under {number}" for name, number in others)
    return f"Each lesion of {first} under {plural(count, 'placing')} of its calipers{rest}."


def card_rows(summary: SetSummary, spread: float) -> dict[str, Estimate]:
    """The figures of a set that a model card prints, by their words; ``spread`` is the main one."""
    rows = {words: summary.detection[key] for key, (words, _) in DETECTION.items() if key != "lesion_dice"}
    for method, name in METHODS.items():
        if method is not Method.AUTOMATIC:
            rows[f"{name}: Dice"] = summary.outlines[method]["dice"]
            nearer = [at for at in other_spreads(spread) if at < spread and at in summary.jitter[method]]
            rows |= {f"{name}: Dice, {moved(at)}": summary.jitter[method][at] for at in nearer}
    for method in NETWORK_PROMPTED:
        rows[f"{METHODS[method]}: Dice above the ellipse, paired"] = summary.over_ellipse[method]
    for method in NETWORK_PROMPTED:
        for key, words in (("short_axis_error_percent", "short axis"), ("area_error_percent", "area")):
            rows[f"{METHODS[method]}: {words}, median error in %"] = summary.outlines[method][key]
        rows[f"{METHODS[method]}: short axis, root mean square error in %"] = summary.outlines[method][
            "short_axis_rms_percent"
        ]
        for at, cost in summary.jitter_cost.get(method, {}).items():
            rows[f"{METHODS[method]}: Dice lost, {moved(at)}"] = cost
    return rows | {words: summary.acceptance[key] for key, (words, _) in ACCEPTANCE.items()}


def shown(value: float | None, unit: str, *, signed: bool = False) -> str:
    """A value in its unit: shares as %, Dice with three decimals, pixels and per cent with one."""
    if unit == "rate":
        return NOTHING if value is None else f"{fixed(100 * value, 0)} %"
    return fixed(value, {"": 3, "count": 2}.get(unit, 1), signed=signed)


def interval(estimate: Estimate, unit: str, *, signed: bool = False) -> str:
    """A 95 % interval in words; nothing where there is no value."""
    if estimate.value is None:
        return ""
    if estimate.low is None or estimate.high is None:
        return "no interval"
    low, high = (shown(value, unit, signed=signed) for value in (estimate.low, estimate.high))
    return f"{low.removesuffix(' %')} to {high}"


def is_signed(key: str) -> bool:
    """Whether a figure has a direction, so that its sign is always written."""
    return "bias" in key


def unit_of(key: str) -> str:
    """The unit of one of the `MEASURES`."""
    return _UNIT[key]


def report_lines(evaluation: Evaluation) -> list[str]:
    """The most important figures of every set, and the verdicts of a comparison, for a terminal."""
    names = model_names(evaluation.models)
    lines = _summary_lines(evaluation.first.summary)
    if len(names) > 1:
        lines += _side_by_side(evaluation, names)
    for name, one in zip(names, evaluation.evaluated, strict=True):
        if one.comparison is not None and evaluation.reference is not None:
            lines += ["", f"{name} against {names[evaluation.reference]}:"]
            lines += [f"  {source}: {compared.verdict}" for source, compared in one.comparison.items()]
    return lines + _next_lines(evaluation)


def _next_lines(evaluation: Evaluation) -> list[str]:
    if not evaluation.next:
        return []
    lines = ["", "To outline next: rank, set, picture, score (disagreement, undecided), drawn"]
    for rank, one in enumerate(evaluation.next, start=1):
        parts = f"{fixed(one.disagreement, 3)}, {fixed(one.undecided, 3)}"
        lines.append(f"  {rank:>4}  {one.source}  {one.picture}  {fixed(one.score, 3)} ({parts})  {one.drawn}")
    return lines


def side_by_side(evaluation: Evaluation, source: str) -> list[tuple[str, list[tuple[Estimate, str]]]]:
    """The main figures of one set: of each model its name, and figures with units (`SIDE_BY_SIDE`)."""
    names = model_names(evaluation.models)
    return [
        (name, [(_read(one.summary[source], key), unit) for key, (_, unit) in SIDE_BY_SIDE.items()])
        for name, one in zip(names, evaluation.evaluated, strict=True)
    ]


def _read(summary: SetSummary, key: str) -> Estimate:
    method, _, figure = key.partition(".")
    return summary.detection[figure] if method == "detection" else summary.outlines[Method(method)][figure]


def _side_by_side(evaluation: Evaluation, names: Sequence[str]) -> list[str]:
    lines = []
    for source in evaluation.first.summary:
        lines += ["", f"{source}, {len(names)} side by side:"]
        for at, (words, _) in enumerate(SIDE_BY_SIDE.values()):
            lines.append(f"  {words}")
            for name, figures in side_by_side(evaluation, source):
                estimate, unit = figures[at]
                value = shown(estimate.value, unit) + (" %" if unit == "%" and estimate.value is not None else "")
                lines.append(f"    {name:<40} {value:>7}  {interval(estimate, unit)}".rstrip())
    return lines


def _summary_lines(summary: Summary) -> list[str]:
    lines = []
    for name, own in summary.items():
        known = "" if own.trained_on is None else f", {own.trained_on} of them trained on"
        known += f", {own.chosen_by} of them chosen by" if own.chosen_by else ""
        lines += [
            "",
            f"{name}: {own.pictures} pictures in {own.groups} groups{known}; {own.lesions} lesions, "
            f"{own.lesion_free} lesion-free pictures",
            *([f"  {told}"] if (told := placings_told({name: own})) else []),
        ]
        table = [("Automatic", DETECTION[key][0], own.detection[key], DETECTION[key][1]) for key in _TERMINAL]
        for method in list(Method)[1:]:
            for key in ("dice", "short_axis_error_percent", "area_error_percent"):
                label = next(m.label for m in MEASURES if m.key == key)
                table.append((METHODS[method], label, own.outlines[method][key], unit_of(key)))
        table += [("Accepted", words, own.acceptance[key], unit) for key, (words, unit) in ACCEPTANCE.items()]
        before = ""
        for part, words, estimate, unit in table:
            heading = part if part != before else ""
            before = part
            value = shown(estimate.value, unit) + (" %" if unit == "%" and estimate.value is not None else "")
            lines.append(f"  {heading:<28} {words:<56} {value:>7}  {interval(estimate, unit)}".rstrip())
    return lines[1:]


_TERMINAL = ("picture_dice", "found", "drawn_right", "lesion_free_drawn")
