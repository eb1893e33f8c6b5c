"""The visit that a study's description names: baseline, or a time after it.

ClinicalTrialTimePointDescription and StudyDescription alone are read. A series called baseline is often the picture
before contrast, and a protocol's name is a preset of the scanner. What is kept are known words and numbers, never the
text: it may hold a patient's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from lesion_measure.config import Descriptions
from lesion_measure.dicom.elements import Elements, text
from lesion_measure.records import NamedVisit

_PARTS = re.compile(r"[^\W\d_]+|\d+")
_DAYS_PER_MONTH = 365.25 / 12
_STAGELESS_M = r"(?<! [^\W\d_] \d )m(?! 0 )"
_NUMBERS = {"one": "1", "two": "2", "three": "3", "six": "6", "twelve": "12"}


@dataclass(frozen=True, slots=True)
class _Patterns:
    """The words of the settings as expressions; of each way to count time with the days of its unit."""

    other: re.Pattern[str]
    follow: re.Pattern[str]
    times: tuple[tuple[re.Pattern[str], float], ...]


def described_visit(dataset: Elements, settings: Descriptions) -> NamedVisit | None:
    """The visit that a header's description of the time point names, else that of the study."""
    texts = (text(dataset, each) for each in ("ClinicalTrialTimePointDescription", "StudyDescription"))
    return next(filter(None, (named_visit(each, settings) for each in texts)), None)


def named_visit(description: str, settings: Descriptions) -> NamedVisit | None:
    """What a description names; None where it names nothing, or several times, or speaks of another scan or an age."""
    if not description:
        return None
    patterns = _patterns(settings)
    parts = [_NUMBERS.get(part, part) for part in _PARTS.findall(description.casefold())]
    words = f" {' '.join(parts)} "
    if patterns.other.search(words):
        return None
    named = {visit.days: visit for visit in _times(words, patterns)}
    baseline = (word for word in settings.baseline_words if f" {word.casefold()} " in words)
    if 0 not in named and (word := next(baseline, "")):
        named[0] = NamedVisit(word, 0)
    if 0 in named and patterns.follow.search(words):
        return None
    return next(iter(named.values())) if len(named) == 1 else None


@cache
def _patterns(settings: Descriptions) -> _Patterns:
    """Made once for all images: a header is read in a quarter of a millisecond."""
    units = (settings.day_words, 1.0), (settings.week_words, 7.0), (settings.month_words, _DAYS_PER_MONTH)
    times: list[tuple[re.Pattern[str], float]] = []
    for words, days in units:
        unit = _any_of(words)
        before = rf"{unit}|{_STAGELESS_M}" if words is settings.month_words else unit
        times.append((re.compile(rf"(?<!\d) (\d{{1,3}}) (?:{unit})(?= )(?! \d)"), days))
        times.append((re.compile(rf" (?:{before}) (\d{{1,3}})(?= )(?! \d)"), days))
    other, follow = (re.compile(f" (?:{_any_of(words)}) ") for words in (settings.other_words, settings.follow_words))
    return _Patterns(other, follow, tuple(times))


def _any_of(words: Iterable[str]) -> str:
    return "|".join(re.escape(word.casefold()) for word in words) or r"(?!)"


def _times(words: str, patterns: _Patterns) -> Iterator[NamedVisit]:
    """Numbers with their unit before or after it. Of '1.5 months' and '3-6 months' no single number is known.

    M0 and the M of T2N0M1 are a tumour's stage.
    """
    for pattern, days in patterns.times:
        for found in pattern.finditer(words):
            yield NamedVisit(found[0].strip(), round(int(found[1]) * days))
