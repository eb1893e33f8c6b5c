"""Two networks on the same pictures, lesion by lesion."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy

from lesion_measure.lab.evaluation.cases import Case, Drawn, LesionCase, Method
from lesion_measure.lab.evaluation.summary import MEASURES
from lesion_measure.report.words import fixed
from lesion_measure.stats.bootstrap import mean
from lesion_measure.stats.estimates import Estimate

Verdict = Literal["better", "worse", "no difference shown"]

_MEASURE = {measure.key: measure for measure in MEASURES}


@dataclass(frozen=True, slots=True)
class Contrast:
    """One figure of two networks, paired placing by placing.

    ``difference`` is the mean of new minus old; ``p_value`` Wilcoxon's signed-rank test on the mean difference of each
    lesion (or picture), which takes these for independent, None without any pair; ``verdict`` follows the interval
    alone.
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


@dataclass(frozen=True, slots=True)
class _Pair:
    """A value of either network; ``of`` is the lesion that they are of, one for all placings, or the picture."""

    group: str
    of: Hashable
    new: float
    old: float


_Read = Callable[[LesionCase, Drawn], float | None]
_DECIDING = 3
_WORDS = {
    "automatic_dice": "by itself",
    "long_axis_dice": "from the long axis",
    "both_axes_dice": "from both axes",
}


def compare(cases: Sequence[Case], others: Sequence[Case], *, seed: int = 1) -> dict[str, SetComparison]:
    """``cases`` against ``others``, two networks' cases of the same pictures and calipers, by set.

    Masks of another tool have no calipers: they are compared by what is drawn without.

    Raises
    ------
    ValueError
        The two are not of the same pictures in the same order, or not with the same calipers.
    """
    pairs = list(zip(cases, others, strict=True))
    if any(new.digest != old.digest or _other_calipers(new, old) for new, old in pairs):
        raise ValueError("the two networks must be run on the same pictures with the same calipers")
    sources = sorted({case.source for case in cases})
    return {source: _compare_set([pair for pair in pairs if pair[0].source == source], seed) for source in sources}


def _other_calipers(new: Case, old: Case) -> bool:
    one, two = ([[placing.calipers for placing in lesion.placings] for lesion in case.lesions] for case in (new, old))
    return any(one) and any(two) and one != two


def _compare_set(pairs: Sequence[tuple[Case, Case]], seed: int) -> SetComparison:
    automatic = [
        _Pair(new.group, new, new.automatic_dice, old.automatic_dice)
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
        found = list(_placing_pairs(pairs, method, measure.value))
        contrasts.append(_contrast(f"{method}_{key}", label, measure.unit, found, seed))
    free = [
        _Pair(new.group, new, float(bool(new.automatic)), float(bool(old.automatic)))
        for new, old in pairs
        if not new.lesions
    ]
    contrasts.append(_contrast("lesion_free_error", "Lesion-free pictures with a lesion drawn, share", "", free, seed))
    by_lesion = [_by_itself(new, old, one) for new, old in pairs for one in new.lesions]
    contrasts.append(_contrast("lesion_dice", "Automatic: Dice of a lesion, missed = 0", "", by_lesion, seed))
    return SetComparison(tuple(contrasts), _verdict(contrasts[:_DECIDING]))


def _by_itself(new: Case, old: Case, lesion: LesionCase) -> _Pair:
    best = [case.best(lesion.label) for case in (new, old)]
    return _Pair(new.group, lesion, *(0.0 if one is None else one.dice for one in best))


def _placing_pairs(pairs: Sequence[tuple[Case, Case]], method: Method, read: _Read) -> Iterable[_Pair]:
    for new, old in pairs:
        for one, two in zip(new.lesions, old.lesions, strict=True):
            if not (one.placings and two.placings):
                continue
            outlines = zip(new.outlines_of(one, method), old.outlines_of(two, method), strict=True)
            for values in ((read(one, drawn), read(two, other)) for drawn, other in outlines):
                if values[0] is not None and values[1] is not None:
                    yield _Pair(new.group, one, values[0], values[1])


def _contrast(key: str, label: str, unit: str, pairs: Sequence[_Pair], seed: int) -> Contrast:
    difference = mean([x.new - x.old for x in pairs], [x.group for x in pairs], seed, [x.of for x in pairs])
    verdict: Verdict = "no difference shown"
    if difference.off_zero and difference.value is not None:
        more = difference.value > 0
        verdict = "better" if more != key.endswith(("_percent", "_error")) else "worse"
    return Contrast(
        key=key,
        label=label,
        unit=unit,
        new=float(np.mean([pair.new for pair in pairs])) if pairs else None,
        old=float(np.mean([pair.old for pair in pairs])) if pairs else None,
        difference=difference,
        p_value=_wilcoxon(_by_lesion(pairs)),
        verdict=verdict,
    )


def _by_lesion(pairs: Sequence[_Pair]) -> list[float]:
    """The mean difference of each lesion: its placings are no independent pairs."""
    differences: dict[Hashable, list[float]] = {}
    for pair in pairs:
        differences.setdefault(pair.of, []).append(pair.new - pair.old)
    return [float(np.mean(own)) for own in differences.values()]


def _wilcoxon(differences: Sequence[float]) -> float | None:
    if not differences:
        return None
    # Loaded here by its first use: it takes as long as all else that an evaluation loads of scipy.
    return float(scipy.stats.wilcoxon(differences, zero_method="zsplit").pvalue) if any(differences) else 1.0


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
