"""The numbers of a report: what kind of measurement, its value as stated and in millimetres (PS3.3 C.18.1)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pydicom import Dataset

from lesion_measure.dicom.elements import items, number, raw_text
from lesion_measure.dicom.objects.reports import words
from lesion_measure.dicom.objects.reports.tree import Code, Item, code


class Measure(StrEnum):
    """The kind of quantity that a number is."""

    LONG = "long axis"
    SHORT = "short axis"
    LENGTH = "length"
    AREA = "area"
    OTHER = "other"


_MM = {
    "mm": 1.0, "millimeter": 1.0, "millimeters": 1.0, "millimetre": 1.0, "millimetres": 1.0,
    "cm": 10.0, "centimeter": 10.0, "centimeters": 10.0, "centimetre": 10.0, "centimetres": 10.0,
    "dm": 100.0, "m": 1000.0, "meter": 1000.0, "meters": 1000.0, "metre": 1000.0, "metres": 1000.0,
    "um": 0.001, "µm": 0.001, "μm": 0.001, "micrometer": 0.001, "micrometre": 0.001,
    "[in_i]": 25.4, "[in_us]": 25.4, "in": 25.4, "inch": 25.4, "inches": 25.4,
}  # fmt: skip
_AREA = ("mm2", "cm2", "m2", "mm²", "cm²", "square", "{pixels}2", "px2", "px²")
_LONG_WORDS = ("long axis", "major axis", "longest", "largest diameter", "greatest diameter", "maximum diameter")
_SHORT_WORDS = ("short axis", "minor axis", "perpendicular", "shortest", "smallest diameter", "minimum diameter")
_LENGTH_WORDS = ("length", "diameter", "distance", "width", "height", "axis", "size", "dimension", "caliper", "ruler")
_NO_DIAMETER = ("perimeter", "circumference", "radius", "distance from", "distance to", "skin", "thickness")


@dataclass(frozen=True, slots=True)
class Quantity:
    """One number of a report. ``stated`` is value and unit as they stand there, ``mm`` its length where it is one."""

    measure: Measure
    concept: Code
    stated: str = ""
    mm: float | None = None


def quantity(item: Item) -> Quantity:
    """What a NUM item states. Its value may be missing (PS3.3 C.18.1: an empty sequence, with a qualifier)."""
    first = next(iter(items(item.dataset, "MeasuredValueSequence") or ()), None)
    if first is None:
        return Quantity(_measure(item.concept, Code()), item.concept)
    unit = code(first, "MeasurementUnitsCodeSequence")
    value, shown = _value(first)
    factor = _millimetres(unit)
    mm = value * factor if value is not None and factor is not None and value > 0 else None
    return Quantity(_measure(item.concept, unit), item.concept, f"{shown} {_unit_shown(unit)}".strip(), mm)


def _value(measured: Dataset) -> tuple[float | None, str]:
    value, shown = number(measured, "NumericValue"), raw_text(measured, "NumericValue")
    if value is None:
        value = number(measured, "FloatingPointValue")
        shown = shown if value is None else f"{value:g}"
    return value, shown[:16]


def _millimetres(unit: Code) -> float | None:
    """Millimetres in one of the unit; dcmjs writes what it does not know as the unit 1 with a meaning of its own."""
    by_code = _MM.get(unit.value if unit.scheme.upper() == "UCUM" else unit.value.casefold())
    if by_code is not None or (unit.scheme.upper() == "UCUM" and unit.value not in ("", "1")):
        return by_code
    return _MM.get(unit.words.strip()) if unit.value != "1" else None


def _unit_shown(unit: Code) -> str:
    return unit.meaning if unit.value in ("", "1") else unit.value


def _measure(concept: Code, unit: Code) -> Measure:
    """The kind of quantity. The unit overrules the concept: Cornerstone 4 writes areas under the code of length."""
    units = (unit.value.casefold(), unit.words)
    if any(word in text for word in _AREA for text in units) or "area" in concept.words:
        return Measure.AREA
    if any(word in concept.words for word in _NO_DIAMETER):
        return Measure.OTHER
    no_length = unit.value not in ("", "1") and _millimetres(unit) is None and "pixel" not in units[0] + units[1]
    if no_length and units[0] not in ("px", "{px}"):
        return Measure.OTHER
    if words.is_one(concept, words.LONG_AXIS) or any(word in concept.words for word in _LONG_WORDS):
        return Measure.LONG
    if words.is_one(concept, words.SHORT_AXIS) or any(word in concept.words for word in _SHORT_WORDS):
        return Measure.SHORT
    if words.is_one(concept, words.LENGTH) or any(word in concept.words for word in _LENGTH_WORDS):
        return Measure.LENGTH
    return Measure.OTHER
