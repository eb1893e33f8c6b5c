"""Two networks on the same pictures, lesion by lesion."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import wilcoxon

from lesion_measure.evaluation.bootstrap import Estimate, mean
from lesion_measure.evaluation.cases import Case, LesionCase, Method
from lesion_measure.evaluation.summary import MEASURES
from lesion_measure.report.words import fixed

Verdict = Literal["better", "worse", "no difference shown"]

_MEASURE = {measure.key: measure for measure in MEASURES}


@dataclass(frozen=True, slots=True)
class Contrast:
    """One figure of two networks, paired.

    ``difference`` is the mean of new minus old; ``p_value`` Wilcoxon's signed-rank test on the pairs, which takes them
    for independent, None without any pair; ``verdict`` follows the interval alone.
    """

    key: str
    label: str
    unit: str
    new: float | None
    old: float | None
    difference: Estimate
    p_value: float | None
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class SetComparison:
    """The figures of one set, those that decide first; ``verdict`` says what they say together."""

    contrasts: tuple[Contrast, ...]
    verdict: str


_Pair = tuple[str, float, float]
_Read = Callable[[Case, LesionCase], float | None]
_DECIDING = 3
_WORDS = {
    "automatic_dice": "by itself",
    "long_axis_dice": "from the long axis",
    "both_axes_dice": "from both axes",
}


def compare(cases: Sequence[Case], others: Sequence[Case], *, seed: int = 1) -> dict[str, SetComparison]:
    """``cases`` against ``others``, two networks' cases of the same pictures and calipers, by set.

    Raises
    ------
    ValueError
        The two are not of the same pictures in the same order, or not with the same calipers.
    """
    pairs = list(zip(cases, others, strict=True))
    if any(new.digest != old.digest or _calipers(new) != _calipers(old) for new, old in pairs):
        raise ValueError("the two networks must be run on the same pictures with the same calipers")
    sources = sorted({case.source for case in cases})
    return {source: _compare_set([pair for pair in pairs if pair[0].source == source], seed) for source in sources}


def _calipers(case: Case) -> list[object]:
    return [lesion.calipers for lesion in case.lesions]


def _compare_set(pairs: Sequence[tuple[Case, Case]], seed: int) -> SetComparison:
    automatic = [
        (new.group, new.automatic_dice, old.automatic_dice)
        for new, old in pairs
        if new.automatic_dice is not None and old.automatic_dice is not None
    ]
    contrasts = [_contrast("automatic_dice", "Automatic: Dice of a picture, missed = 0", "", automatic, seed)]
    for key, method, name in (
        ("dice", Method.LONG_AXIS, "From the long axis"),
        ("dice", Method.BOTH_AXES, "From both axes"),
        ("short_axis_error_percent", Method.LONG_AXIS, "From the long axis"),
        ("area_error_percent", Method.LONG_AXIS, "From the long axis"),
        ("area_error_percent", Method.BOTH_AXES, "From both axes"),
    ):
        measure = _MEASURE[key]
        words = measure.label if key == "dice" else measure.label.lower().replace("median", "absolute")
        label = f"{name}: {words}"
        found = list(_lesion_pairs(pairs, _reader(key, method)))
        contrasts.append(_contrast(f"{method}_{key}", label, measure.unit, found, seed))
    free = [
        (new.group, float(bool(new.automatic)), float(bool(old.automatic))) for new, old in pairs if not new.lesions
    ]
    contrasts.append(_contrast("lesion_free_error", "Lesion-free pictures with a lesion drawn, share", "", free, seed))
    return SetComparison(tuple(contrasts), _verdict(contrasts[:_DECIDING]))


def _reader(key: str, method: Method) -> _Read:
    def read(case: Case, lesion: LesionCase) -> float | None:
        drawn = case.outline_of(lesion, method)
        return None if drawn is None else _MEASURE[key].value(lesion, drawn)

    return read


def _lesion_pairs(pairs: Sequence[tuple[Case, Case]], read: _Read) -> Iterable[_Pair]:
    for new, old in pairs:
        for one, two in zip(new.lesions, old.lesions, strict=True):
            values = read(new, one), read(old, two)
            if values[0] is not None and values[1] is not None:
                yield new.group, values[0], values[1]


def _contrast(key: str, label: str, unit: str, pairs: Sequence[_Pair], seed: int) -> Contrast:
    differences = [new - old for _, new, old in pairs]
    difference = mean(differences, [group for group, _, _ in pairs], seed)
    verdict: Verdict = "no difference shown"
    if difference.off_zero and difference.value is not None:
        more = difference.value > 0
        verdict = "better" if more != key.endswith(("_percent", "_error")) else "worse"
    return Contrast(
        key=key,
        label=label,
        unit=unit,
        new=float(np.mean([new for _, new, _ in pairs])) if pairs else None,
        old=float(np.mean([old for _, _, old in pairs])) if pairs else None,
        difference=difference,
        p_value=_wilcoxon(differences),
        verdict=verdict,
    )


def _wilcoxon(differences: Sequence[float]) -> float | None:
    if not differences:
        return None
    return float(wilcoxon(differences, zero_method="zsplit").pvalue) if any(differences) else 1.0


def _verdict(contrasts: Sequence[Contrast]) -> str:
    """The verdict on the Dice contrasts in one word, and what it rests on."""
    known = [contrast for contrast in contrasts if contrast.difference.value is not None]
    verdicts = {contrast.verdict for contrast in known}
    if {"better", "worse"} <= verdicts:
        start = "mixed"
    elif "better" in verdicts:
        start = "better"
    else:
        start = "worse" if "worse" in verdicts else "no difference shown"
    details = "; ".join(f"{_WORDS[c.key]} {_interval(c.difference)}: {c.verdict}" for c in known)
    return f"{start} ({details})" if details else f"{start} (no lesions to compare)"


def _interval(difference: Estimate) -> str:
    words = f"Dice {fixed(difference.value, 3, signed=True)}"
    if difference.low is None or difference.high is None:
        return f"{words}, one group and so no interval"
    return f"{words}, 95 % interval {fixed(difference.low, 3, signed=True)} to {fixed(difference.high, 3, signed=True)}"
