"""One value out of a pydicom data set: None, or empty, for whatever is missing or malformed; nothing is guessed."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Sequence

from pydicom import DataElement, Dataset
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.errors import BytesLengthException, InvalidDicomError

# Everything that pydicom's parser and value converters raise on damaged input; found by corrupting real files.
PARSER_ERRORS = (
    AttributeError, BytesLengthException, EOFError, InvalidDicomError, LookupError, NotImplementedError, OSError,
    OverflowError, RecursionError, TypeError, ValueError, struct.error,
)  # fmt: skip

_TEXT_VRS = frozenset(("DS", "IS", "LO", "SH", "CS", "LT", "ST", "UT", "UC", "UN"))
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_UID = re.compile(r"[0-9]+(\.[0-9]+)+")
_MAX_TEXT = 256
# What a hostile element may cost to convert; real ones stay far below.
_MAX_NUMBERS_BYTES = 1_000_000
_MAX_SEQUENCE_ITEMS = 50_000


def element(dataset: Dataset, keyword: str) -> DataElement | None:
    """The element, or None where it is missing or its value cannot be converted."""
    try:
        if keyword in dataset:
            return dataset[keyword]
    except PARSER_ERRORS:
        return None
    return None


def text(dataset: Dataset, keyword: str) -> str:
    """First value as printable text without surrounding blanks, at most 256 characters; empty where there is none."""
    found = element(dataset, keyword)
    if found is None or found.value is None or isinstance(found.value, bytes):
        return ""
    value = found.value
    if isinstance(value, Sequence) and not isinstance(value, str):
        value = value[0] if value else ""
    if isinstance(value, Dataset):  # a sequence where a text should be
        return ""
    characters = (character if character.isprintable() else " " for character in str(value)[:_MAX_TEXT])
    return "".join(characters).strip()


def whole_text(dataset: Dataset, keyword: str) -> str:
    """Every value as one printable text, at most 4096 characters; a blank stands for what is not printable."""
    found = element(dataset, keyword)
    if found is None or found.value is None or isinstance(found.value, bytes):
        return ""
    values = [found.value] if isinstance(found.value, str) else found.value
    joined = " ".join(str(value) for value in values) if isinstance(values, Sequence) else str(values)
    return "".join(character if character.isprintable() else " " for character in joined[: 16 * _MAX_TEXT]).strip()


def uid(dataset: Dataset, keyword: str) -> str:
    """A UID's text; empty where it is missing or holds anything but numbers and dots (PS3.5 9.1)."""
    value = text(dataset, keyword)
    return value if len(value) <= 64 and _UID.fullmatch(value) else ""


def numbers(dataset: Dataset, keyword: str) -> list[float | None]:
    """Every value of a numeric element: finite floats, None for one that is malformed; empty where there is none.

    Decimal and integer strings are parsed from their bytes: pydicom would pass ``1_0`` or fail the whole element.
    """
    if keyword not in dataset:
        return []
    raw = _stored(dataset, keyword)
    if isinstance(raw, RawDataElement) and isinstance(raw.value, bytes):
        if len(raw.value) > _MAX_NUMBERS_BYTES:
            return [None]
        try:
            vr = dictionary_VR(raw.tag) if raw.VR in (None, "UN") else str(raw.VR)
        except KeyError:
            return []
        if vr in _TEXT_VRS:
            return [_decimal(part) for part in raw_text(dataset, keyword).split("\\")] if raw.value.strip() else []
    found = element(dataset, keyword)
    if found is None:
        return [None]
    value = found.value
    values = list(value) if isinstance(value, Sequence) and not isinstance(value, (str, bytes)) else [value]
    return [_finite(item) for item in values if item is not None]


def number(dataset: Dataset, keyword: str) -> float | None:
    """The one value of a numeric element; None where it is missing, malformed or several."""
    values = numbers(dataset, keyword)
    return values[0] if len(values) == 1 else None


def integer(dataset: Dataset, keyword: str) -> int | None:
    """As `number`, for whole numbers."""
    value = number(dataset, keyword)
    return int(value) if value is not None and value.is_integer() else None


def raw_text(dataset: Dataset, keyword: str) -> str:
    """The element's value as it stands in the file, for showing."""
    raw = _stored(dataset, keyword) if keyword in dataset else None
    if raw is None or raw.value is None:  # pydicom's value of an empty decimal string is None
        return ""
    value = raw.value.decode("latin-1") if isinstance(raw.value, bytes) else str(raw.value)
    return "".join(character for character in value if character.isprintable()).strip()[: 16 * _MAX_TEXT]


def items(dataset: Dataset, keyword: str) -> list[Dataset] | None:
    """The items of a sequence; empty where it is missing, None where it is there but cannot be read."""
    if keyword not in dataset:
        return []
    raw = _stored(dataset, keyword)
    stored = raw.value if isinstance(raw, RawDataElement) else None
    if stored and _too_many_items(stored):
        return None
    found = element(dataset, keyword)
    if found is None or found.VR != "SQ" or (stored and not found.value):
        return None
    return list(found.value or [])


def _stored(dataset: Dataset, keyword: str) -> DataElement | RawDataElement | None:
    """The element as it was read; None where pydicom converts it nevertheless (it has no value) and cannot."""
    try:
        return dataset.get_item(keyword)
    except PARSER_ERRORS:
        return None


def _too_many_items(value: bytes) -> bool:
    return max(value.count(b"\xfe\xff\x00\xe0"), value.count(b"\xff\xfe\xe0\x00")) > _MAX_SEQUENCE_ITEMS


def _decimal(part: str) -> float | None:
    part = part.strip()
    return _finite(float(part)) if _DECIMAL.fullmatch(part) else None


def _finite(value: object) -> float | None:
    if isinstance(value, (int, float)) and math.isfinite(value):
        return float(value)
    return None
