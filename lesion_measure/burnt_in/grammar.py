"""What a line of results says: label, number and unit, or nothing where that is in doubt.

Readers of text drop blanks, so that ``D1 2.90 cm`` becomes ``D12.90cm``. Where a blank may have been is told by the
probabilities of the reader's network, not by its text. Within numbers they stay below 0.001; between a label's number
and the value they were 0.1 and more in one of two readings at least (docs/burnt_in.md). What lies between is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from lesion_measure.burnt_in.ocr import ReadLine

Unit = Literal["mm", "cm", "ml"]

TIGHT, APART = 0.003, 0.1
"""Probabilities of a blank up to which two signs stand together, and from which they stand apart."""
_IN_DOUBT = (TIGHT + APART) / 2
_SURELY_APART = 0.5
LONGEST = 80
"""Signs of a line beyond which nothing is looked for in it."""
_NUMBER = re.compile(r"(?<![\d.,])(\d{1,5})[.,](\d{1,2})((?i:mm|cm|ml|cc)|m1)", re.ASCII)
_UNITS: dict[str, Unit] = {"mm": "mm", "cm": "cm", "ml": "ml", "m1": "ml", "cc": "ml"}
_NOT_BEHIND = set("23²³^/*")
"""Signs behind a unit that make it another one: cm², cm/s."""
_UNFINISHED = re.compile(r"\d[.,]\d{1,2}[cm]?$", re.ASCII)
_PROMISING = re.compile(r"\d[.,:;·-]{1,2}\d{1,2}\D{0,4}$|\d{2,4}\W?[cmn][mn]|\d[.,]\d{1,2}[cm]", re.ASCII)
_LABEL = re.compile(r"\W?\d?:?(?:dist|length|len|diam|lesion|vol|[dlwha])[\dl]?:?", re.IGNORECASE | re.ASCII)
_OTHER_NUMBER = re.compile(r"\d[.,:/]\d")
_MOST_LABEL = 32
_NO_LENGTHS = re.compile(
    r"depth|dep\b|area|circ|perim|vel|vmax|vmin|\bpg\b|focus|\bfoc\b|range|sweep|\bsv\b|gate|scale|index|\bti[sbc]?\b|\bmi\b",
    re.IGNORECASE,
)
"""Words before numbers in cm or mm that no caliper measured."""
_MOST_DIGITS = {"mm": 3, "cm": 2, "ml": 4}


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a line.

    ``number`` is as printed, with a point; ``label`` what stands before it, without marks, empty where nothing does.
    ``marked`` says whether a label or a mark stands there. ``first`` and ``last`` are its signs in the line.
    """

    label: str
    number: str
    unit: Unit
    marked: bool
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A number with its unit: the digits before the point, those behind it, and the chance of a blank before each.

    ``blanks[i]`` lies before the digit ``i`` of both; the first is 1 where the line begins with the number. ``sign``
    is the one before it, empty there.
    """

    whole: str
    decimals: str
    unit: Unit
    blanks: tuple[float, ...]
    sign: str
    before: int
    first: int
    last: int

    @property
    def said(self) -> tuple[str, str, str]:
        return self.whole, self.decimals, self.unit

    @property
    def _apart(self) -> int:
        """The first digit behind its last blank, 0 where none is in it."""
        return max((at for at in range(1, len(self.whole)) if self.blanks[at] >= APART), default=0)

    @property
    def begins(self) -> bool:
        """Whether a blank, or a sign that is no letter or digit, shows where it begins: a line may be cut off."""
        return self._apart > 0 or (self.sign != "" and (self.blanks[0] >= APART or not self.sign.isalnum()))

    @property
    def shortest(self) -> _Candidate:
        """Without the digits before its own last blank: those are a label's."""
        at = self._apart
        return replace(
            self,
            whole=self.whole[at:],
            blanks=self.blanks[at:],
            sign=self.whole[at - 1] if at else self.sign,
            first=self.first + at,
        )


def values(readings: Sequence[ReadLine], least: int = 1) -> tuple[Value, ...]:
    """The values on a line. Readings of it that give any must give the same.

    Parameters
    ----------
    readings
        The same line read in several ways; labels are those of the first one that gives values.
    least
        How many readings have to give them.
    """
    found = [(tuple(_candidates(reading)), reading) for reading in readings]
    giving = [(candidates, reading) for candidates, reading in found if candidates]
    if not giving or len(giving) < least or len({len(candidates) for candidates, _ in giving}) > 1:
        return ()
    alike = [_one(same) for same in zip(*(candidates for candidates, _ in giving), strict=True)]
    if None in alike:
        return ()
    settled = (_settled(same, giving[0][1]) for same in alike if same)
    return tuple(value for value in settled if value)


def _one(same: Sequence[_Candidate]) -> _Candidate | None:
    """What all readings of a number say, with the chance of each blank in any of them; None where they differ.

    Where they differ on a label's number alone, such as ``D2`` and ``02``, they say the number behind that.
    """
    if len({each.said for each in same}) == 1:
        return _with_every_blank(same)
    short = [each.shortest for each in same]
    if len({each.said for each in short}) > 1 or not all(each.begins for each in same):
        return None
    signs = {each.sign for each in short}
    lost = short[0].whole[0] in signs and any(not sign.isdigit() for sign in signs)
    return None if lost else _with_every_blank(short)  # a sign for a digit: then the blank is one between equal digits


def _with_every_blank(same: Sequence[_Candidate]) -> _Candidate:
    """The first of the same candidates, with the chance of each blank in all of them."""
    digits = same[0].whole + same[0].decimals
    repeated = [False, *(one == other for one, other in pairwise(digits))]
    chances = zip(*(each.blanks for each in same), strict=True)
    return replace(same[0], blanks=tuple(_chance(*each) for each in zip(chances, repeated, strict=True)))


def _chance(chances: Sequence[float], repeated: bool) -> float:
    """The highest chance of a blank; between two equal digits in doubt where readings differ on it.

    The network must say something between equal signs, else they are one; at times it says a blank.
    """
    most = max(chances)
    return _IN_DOUBT if repeated and min(chances) < APART <= most else most


def is_promising(line: ReadLine) -> bool:
    """Whether another reading may find a value in it: digits with something like a point, or with half a unit."""
    return len(line.signs) <= LONGEST and _PROMISING.search(line.signs) is not None


def is_open(readings: Sequence[ReadLine]) -> bool:
    """Whether one reading more may decide what two leave undecided: one gives a value, and none gives another."""
    said = [[candidate.shortest.said for candidate in _candidates(reading)] for reading in readings]
    giving = [each for each in said if each]
    return bool(giving) and all(each == giving[0] for each in giving)


def is_label(line: ReadLine) -> bool:
    """Whether it is a usual label without its value."""
    return _LABEL.fullmatch(line.signs) is not None


def usual_label(label: str) -> str:
    """A label as scanners print it, such as ``D1`` or ``Dist 2``; empty for other words, which may be a name."""
    plain = label.replace(" ", "")
    return label if _LABEL.fullmatch(plain) or re.fullmatch(r"[A-Za-z]?\d?", plain) else ""


def is_plain(signs: str, number: str, unit: str) -> bool:
    """Whether a line's signs are a value, and a usual label or a mark before it, and nothing else."""
    before, found, behind = signs.partition(number)
    label = re.sub(r"^[xX](?=[A-Z0-9])|[^A-Za-z0-9]", "", before)
    rest = re.sub(r"[^A-Za-z0-9]", "", behind)
    return bool(found) and rest.lower() == unit and (not label or bool(usual_label(label)))


def is_unfinished(line: ReadLine) -> bool:
    """Whether it ends with a number, or a number and half a unit: it may have been cut off there."""
    return len(line.signs) <= LONGEST and _UNFINISHED.search(line.signs) is not None


def _candidates(line: ReadLine) -> Iterator[_Candidate]:
    """Numbers with a point and a unit, each with what stands before it."""
    if len(line.signs) > LONGEST:
        return
    before = 0
    for match in _NUMBER.finditer(line.signs):
        first, point, last = match.start(), match.end(1), match.end() - 1
        places = [*range(first, point), *range(point + 1, match.end(2))]
        yield _Candidate(
            whole=match[1],
            decimals=match[2],
            unit=_UNITS[match[3].lower()],
            blanks=tuple(line.blanks[at - 1] if at > before else 1.0 for at in places),
            sign=line.signs[first - 1] if first > before else "",
            before=before,
            first=first,
            last=last,
        )
        before = match.end()


def _settled(found: _Candidate, line: ReadLine) -> Value | None:
    """Where the number begins, from the blanks; None where that, the unit or the label is in doubt."""
    begin = _begin(found)
    behind = line.signs[found.last + 1 : found.last + 2]
    if begin is None or (behind and (behind in _NOT_BEHIND or line.blanks[found.last] < APART)):
        return None
    whole, first = found.whole[begin:], found.first + begin
    if len(whole) > _MOST_DIGITS[found.unit] or (len(whole) > 1 and whole[0] == "0"):
        return None
    raw = _spaced(line, found.before, first)
    label = _label(raw)
    if len(label) > _MOST_LABEL or _OTHER_NUMBER.search(raw) or _NO_LENGTHS.search(raw):
        return None
    return Value(label, f"{whole}.{found.decimals}", found.unit, bool(raw.strip()), first, found.last)


def _begin(found: _Candidate) -> int | None:
    """The number's first digit: behind the last blank in the run of digits, else the run's own.

    A doubt before a blank that is sure is one of the label's.
    """
    inner, decimals = found.blanks[1 : len(found.whole)], found.blanks[len(found.whole) :]
    apart = [at for at, chance in enumerate(inner, 1) if chance >= APART]
    own = apart[-1] if apart and inner[apart[-1] - 1] >= _SURELY_APART else 0
    if any(TIGHT <= chance < APART for chance in inner[own:]) or any(chance >= APART for chance in decimals):
        return None
    if apart:
        return apart[-1]
    fused = len(found.whole) > 1 and found.sign.isalnum() and found.blanks[0] < APART
    return None if fused else 0


def _label(raw: str) -> str:
    """What stands before a number, without marks: an x before a word is one, and no label begins with 0."""
    label = " ".join(re.sub(r"[^\w ]|_", " ", raw).split())
    label = re.sub(r"^[xX](?= |[A-Z0-9])\s*", "", label)
    return re.sub(r"^0(?=\d\b)", "D", label)


def _spaced(line: ReadLine, first: int, end: int) -> str:
    """Signs from ``first`` to before ``end``, with the blanks that are likely."""
    text = ""
    for at in range(first, end):
        text += line.signs[at] + (" " if line.blanks[at] > 0.5 else "")
    return text
