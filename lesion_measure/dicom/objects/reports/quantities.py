"""The numbers of a report: what kind of quantity, its value as stated and in millimetres (PS3.3 C.18.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from pydicom import Dataset

from lesion_measure.dicom.elements import items, number, raw_text
from lesion_measure.dicom.objects.reports import words
from lesion_measure.dicom.objects.reports.tree import Code, Item, code
from lesion_measure.dicom.objects.vocabulary import words_in, words_of


class Measure(StrEnum):
    """The kind of quantity that a number is."""

    LONG = "long axis"
    SHORT = "short axis"
    LENGTH = "length"
    AREA = "area"
    OTHER = "other"


LENGTHS = (Measure.LONG, Measure.SHORT, Measure.LENGTH)
_MM = {
    "mm": 1.0, "millimeter": 1.0, "millimeters": 1.0, "millimetre": 1.0, "millimetres": 1.0,
    "cm": 10.0, "centimeter": 10.0, "centimeters": 10.0, "centimetre": 10.0, "centimetres": 10.0,
    "dm": 100.0, "m": 1000.0, "meter": 1000.0, "meters": 1000.0, "metre": 1000.0, "metres": 1000.0,
    "um": 0.001, "µm": 0.001, "μm": 0.001, "micrometer": 0.001, "micrometre": 0.001,
    "[in_i]": 25.4, "[in_us]": 25.4, "in": 25.4, "inch": 25.4, "inches": 25.4,
}  # fmt: skip
_PIXELS = ("px", "{px}", "pixel", "pixels", "{pixels}", "{pixel}")
_AREAS = ("mm2", "cm2", "m2", "mm²", "cm²", "px2", "px²", "{pixels}2")
# dcmjs writes a unit that it does not know as an arbitrary one, its name in the annotation: [arb'U]{cm}.
_ARBITRARY = re.compile(r"\[arb'U\]\{(\S+).*\}")
# Angles, shares, rates, times, volumes and grey levels.
_NO_LENGTH_UNIT = re.compile(r"[/%23²³'\"]|^(deg|rad|s|ms|min|h|d|wk|mo|a|m?l|m?L|k?g|k?Hz|k?Pa)$")
_KNOWN = words.LENGTH | words.LONG_AXIS | words.SHORT_AXIS
_LONG_WORDS = ("long axis", "major axis", "longest", "largest diameter", "greatest diameter", "maximum diameter")
_SHORT_WORDS = ("short axis", "minor axis", "perpendicular", "shortest", "smallest diameter", "minimum diameter")
_NO_LENGTH_WORDS = (
    "perimeter", "circumference", "radius", "distance from", "distance to", "skin", "thickness", "change", "sum of",
    "difference", "uncertainty", "error", "calibration",
)  # fmt: skip
# Words of a ruler, and those that may stand beside them.
_RULED = words_in("length diameter distance dist width height depth size dimension caliper ruler line axis d l w h x")
_BESIDE = words_in(
    "major minor long short longest shortest max maximum min minimum largest greatest smallest perpendicular"
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """One number of a report. ``stated`` is value and unit as they stand there, ``mm`` its length where it is one.

    ``strange_unit``: the unit is none that is known, of a length or of pixels.
    """

    measure: Measure
    concept: Code
    stated: str = ""
    mm: float | None = None
    strange_unit: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether it is a length of nothing in particular, as any ruler gives."""
        return self.measure in LENGTHS and _is_plain(self.concept)


def quantity(item: Item) -> Quantity:
    """What a NUM item states. Its value may be missing (PS3.3 C.18.1: an empty sequence, with a qualifier)."""
    first = next(iter(items(item.dataset, "MeasuredValueSequence") or ()), None)
    if first is None:
        return Quantity(_measure(item.concept, Code()), item.concept)
    unit = code(first, "MeasurementUnitsCodeSequence")
    value, shown = _value(first)
    factor = _millimetres(unit)
    mm = value * factor if value is not None and factor is not None and value > 0 else None
    stated = f"{shown} {_unit_shown(unit)}".strip() if shown else ""
    known = factor is not None or unit.value in ("", "1") or unit.value.casefold() in _PIXELS
    return Quantity(_measure(item.concept, unit), item.concept, stated, mm, strange_unit=not known)


def _value(measured: Dataset) -> tuple[float | None, str]:
    value, shown = number(measured, "NumericValue"), raw_text(measured, "NumericValue")
    if value is None:
        value = number(measured, "FloatingPointValue")
        shown = shown if value is None else f"{value:g}"
    return value, shown[:16]


def _millimetres(unit: Code) -> float | None:
    """Millimetres in one of the unit. UCUM is case sensitive; other schemes are read by value, then by meaning."""
    arbitrary = _ARBITRARY.fullmatch(unit.value)
    if arbitrary:
        return _MM.get(arbitrary[1].rstrip("}"))
    if unit.scheme.upper() == "UCUM" and unit.value not in ("", "1"):
        return _MM.get(unit.value)
    if unit.value == "1":
        return None
    return _MM.get(unit.value.casefold()) or _MM.get(unit.meaning.casefold())


def _unit_shown(unit: Code) -> str:
    return unit.meaning if unit.value in ("", "1") or unit.value.startswith("[arb") else unit.value


def _measure(concept: Code, unit: Code) -> Measure:
    """The kind of quantity. The unit overrules the concept: Cornerstone 4 writes areas under the code of length.

    A unit that is not known leaves a length one: it was drawn, and what is stated of it is not compared.
    """
    units, meaning = (unit.value.casefold(), unit.meaning.casefold()), concept.meaning.casefold()
    if units[0] in _AREAS or units[1] in _AREAS or units[1].startswith("square") or "area" in meaning.split():
        return Measure.AREA
    is_named = _is_plain(concept)
    is_length = _millimetres(unit) is not None or any(each in _PIXELS for each in units)
    is_other = words.is_one(concept, words.NO_LENGTH) or any(word in meaning for word in _NO_LENGTH_WORDS)
    if is_other or not (is_length or (is_named and not _NO_LENGTH_UNIT.search(unit.value))):
        return Measure.OTHER
    if words.is_one(concept, words.LONG_AXIS) or any(word in meaning for word in _LONG_WORDS):
        return Measure.LONG
    if words.is_one(concept, words.SHORT_AXIS) or any(word in meaning for word in _SHORT_WORDS):
        return Measure.SHORT
    return Measure.LENGTH


def _is_plain(concept: Code) -> bool:
    """Whether a concept is a length of nothing in particular."""
    said = set(words_of(concept.meaning))
    return words.is_one(concept, _KNOWN) or (bool(said & _RULED) and said <= _RULED | _BESIDE)
