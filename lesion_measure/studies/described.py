"""The visit that a study's description names: baseline, or a time after it.

StudyDescription alone is read. A series called baseline is often the picture before contrast, and a protocol's name is
a preset of the scanner. What is kept are known words and numbers, never the text: it may hold a patient's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from lesion_measure.config import Descriptions
from lesion_measure.records import NamedVisit

_PARTS = re.compile(r"[^\W\d_]+|\d+")
_DAYS_PER_MONTH = 365.25 / 12
_STAGELESS_M = r"(?<! [^\W\d_] \d )m(?! 0 )"
_NUMBERS = {"one": "1", "two": "2", "three": "3", "six": "6", "twelve": "12"}


def named_visit(description: str, settings: Descriptions) -> NamedVisit | None:
    """What a description names; None where it names nothing, or several times, or speaks of another scan or an age."""
    parts = [_NUMBERS.get(part, part) for part in _PARTS.findall(description.casefold())]
    text = f" {' '.join(parts)} "
    if _found(text, settings.other_words):
        return None
    named = {visit.days: visit for visit in _times(text, settings)}
    if 0 not in named and (word := _found(text, settings.baseline_words)):
        named[0] = NamedVisit(word, 0)
    if 0 in named and _found(text, settings.follow_words):
        return None
    return next(iter(named.values())) if len(named) == 1 else None


def _found(text: str, words: Iterable[str]) -> str:
    return next((word for word in words if f" {word.casefold()} " in text), "")


def _times(text: str, settings: Descriptions) -> Iterator[NamedVisit]:
    """Numbers with their unit before or after it. Of '1.5 months' and '3-6 months' no single number is known.

    M0 and the M of T2N0M1 are a tumour's stage.
    """
    for words, days in ((settings.day_words, 1.0), (settings.week_words, 7.0), (settings.month_words, _DAYS_PER_MONTH)):
        unit = "|".join(re.escape(word.casefold()) for word in words) or r"(?!)"
        before = rf"{unit}|{_STAGELESS_M}" if words is settings.month_words else unit
        for pattern in (rf"(?<!\d) (\d{{1,3}}) (?:{unit})(?= )(?! \d)", rf" (?:{before}) (\d{{1,3}})(?= )(?! \d)"):
            for found in re.finditer(pattern, text):
                yield NamedVisit(found[0].strip(), round(int(found[1]) * days))
