"""One value out of a data set: None, or empty, for whatever is missing or malformed; nothing is guessed.

A data set is pydicom's, or the stored elements of a scanned header. Plain values are read from their bytes; pydicom
converts all others, ten times slower.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Sequence
from typing import TypeVar, cast

from pydicom import DataElement, Dataset
from pydicom.dataelem import RawDataElement
from pydicom.errors import BytesLengthException, InvalidDicomError

from lesion_measure.dicom.stored import StoredElements, vr_of

# Everything that pydicom's parser and value converters raise on damaged input; found by corrupting real files.
PARSER_ERRORS = (
    AttributeError, BytesLengthException, EOFError, InvalidDicomError, LookupError, NotImplementedError, OSError,
    OverflowError, RecursionError, TypeError, ValueError, struct.error,
)  # fmt: skip

Elements = Dataset | StoredElements
_Elements = TypeVar("_Elements", bound=Elements)

_TEXT_VRS = frozenset(("DS", "IS", "LO", "SH", "CS", "LT", "ST", "UT", "UC", "UN"))
# Texts whose first value is told from the bytes as pydicom tells it, as long as these are ASCII: those that a
# backslash divides, and those that it does not.
_DIVIDED, _WHOLE = frozenset(("AE", "AS", "CS", "LO", "SH", "UC", "UI")), frozenset(("LT", "ST", "UT"))
_NUMBERS = {"US": "H", "SS": "h", "UL": "L", "SL": "l", "FL": "f", "FD": "d"}
_BYTES = {vr: struct.calcsize(f"<{code}") for vr, code in _NUMBERS.items()}
_ESCAPE = b"\x1b"
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_UID = re.compile(r"[0-9]+(\.[0-9]+)+")
_MAX_TEXT = 256
# What a hostile element may cost to convert; real ones stay far below.
_MAX_NUMBERS_BYTES = 1_000_000
_MAX_SEQUENCE_ITEMS = 50_000


def element(dataset: Elements, keyword: str) -> DataElement | None:
    """The element as pydicom converts it, or None where it is missing or its value cannot be converted."""
    if isinstance(dataset, StoredElements):
        if keyword not in dataset:
            return None
        dataset = dataset.as_dataset()
    try:
        if keyword in dataset:
            return dataset[keyword]
    except PARSER_ERRORS:
        return None
    return None


def text(dataset: Elements, keyword: str) -> str:
    """First value as printable text without surrounding blanks, at most 256 characters; empty where there is none."""
    vr, stored = _plain(dataset, keyword)
    if stored is not None:
        return _printable((stored.partition("\\")[0] if vr in _DIVIDED else stored)[:_MAX_TEXT])
    found = element(dataset, keyword)
    if found is None or found.value is None or isinstance(found.value, bytes):
        return ""
    value = found.value
    if isinstance(value, Sequence) and not isinstance(value, str):
        value = value[0] if value else ""
    if isinstance(value, Dataset):  # a sequence where a text should be
        return ""
    return _printable(str(value)[:_MAX_TEXT])


def texts(dataset: Elements, keyword: str) -> list[str]:
    """Every value as printable text without surrounding blanks; empty where there is none."""
    vr, stored = _plain(dataset, keyword)
    if stored is not None:
        return [_printable(value) for value in (stored.split("\\") if vr in _DIVIDED else [stored])]
    found = element(dataset, keyword)
    if found is None or found.value is None or isinstance(found.value, bytes) or found.VR == "SQ":
        return []
    several = isinstance(found.value, Sequence) and not isinstance(found.value, str)
    return [_printable(str(value)) for value in (found.value if several else [found.value])]


def whole_text(dataset: Elements, keyword: str) -> str:
    """Every value as one printable text, at most 4096 characters; a blank stands for what is not printable."""
    return " ".join(texts(dataset, keyword))[: 16 * _MAX_TEXT].strip()


def uid(dataset: Elements, keyword: str) -> str:
    """A UID's text; empty where it is missing or holds anything but numbers and dots (PS3.5 9.1)."""
    value = text(dataset, keyword)
    return value if len(value) <= 64 and _UID.fullmatch(value) else ""


def numbers(dataset: Elements, keyword: str) -> list[float | None]:
    """Every value of a numeric element: finite floats, None for one that is malformed; empty where there is none.

    Decimal and integer strings are parsed from their bytes: pydicom would pass ``1_0`` or fail the whole element.
    """
    stored = _stored(dataset, keyword)
    if stored is not None:
        vr, value = stored
        if len(value) > _MAX_NUMBERS_BYTES:
            return [None]
        if vr in _TEXT_VRS:
            return [_decimal(part) for part in raw_text(dataset, keyword).split("\\")] if value.strip() else []
        if value and vr in _NUMBERS and not len(value) % _BYTES[vr]:
            return [_finite(each) for each in struct.unpack(f"<{len(value) // _BYTES[vr]}{_NUMBERS[vr]}", value)]
    if keyword not in dataset:
        return []
    found = element(dataset, keyword)
    if found is None:
        return [None]
    value = found.value
    values = list(value) if isinstance(value, Sequence) and not isinstance(value, (str, bytes)) else [value]
    return [_finite(item) for item in values if item is not None]


def number(dataset: Elements, keyword: str) -> float | None:
    """The one value of a numeric element; None where it is missing, malformed or several."""
    values = numbers(dataset, keyword)
    return values[0] if len(values) == 1 else None


def integer(dataset: Elements, keyword: str) -> int | None:
    """As `number`, for whole numbers."""
    value = number(dataset, keyword)
    return int(value) if value is not None and value.is_integer() else None


def raw_text(dataset: Elements, keyword: str) -> str:
    """The element's value as it stands in the file, for showing."""
    stored = _stored(dataset, keyword)
    if stored is not None:
        value = stored[1].decode("latin-1")
    else:
        found = element(dataset, keyword)
        if found is None or found.value is None:  # pydicom's value of an empty decimal string is None
            return ""
        value = found.value.decode("latin-1") if isinstance(found.value, bytes) else str(found.value)
    if not value.isprintable():
        value = "".join(character for character in value if character.isprintable())
    return value.strip()[: 16 * _MAX_TEXT]


def items(dataset: _Elements, keyword: str) -> list[_Elements] | None:
    """The items of a sequence; empty where it is missing, None where it is there but cannot be read."""
    if keyword not in dataset:
        return []
    if isinstance(dataset, StoredElements) and (read := dataset.items(keyword)) is not None:
        return cast("list[_Elements]", read)
    stored = _stored(dataset, keyword)
    if stored and _too_many_items(stored[1]):
        return None
    found = element(dataset, keyword)
    if found is None or found.VR != "SQ" or (stored and stored[1] and not found.value):
        return None
    return list(found.value or [])


def _stored(dataset: Elements, keyword: str) -> tuple[str, bytes] | None:
    """Representation (empty where pydicom has to tell it) and bytes of an element; None: missing, or no bytes."""
    if isinstance(dataset, StoredElements):
        stored = dataset.stored(keyword)
        return stored if stored is None or stored[0] != "UN" else (vr_of(keyword), stored[1])
    try:
        raw = dataset.get_item(keyword) if keyword in dataset else None
    except PARSER_ERRORS:  # it has no value, and pydicom converts it nevertheless and cannot
        return None
    if not isinstance(raw, RawDataElement) or not isinstance(raw.value, bytes):
        return None
    vr = vr_of(keyword) if raw.VR in (None, "UN") else str(raw.VR)
    return vr if raw.is_little_endian or vr not in _NUMBERS else "", raw.value


def _plain(dataset: Elements, keyword: str) -> tuple[str, str | None]:
    """Representation and characters of a text that is the same in every character set; else None in their place."""
    stored = _stored(dataset, keyword)
    if stored is not None:
        vr, value = stored
        if value.isascii() and _ESCAPE not in value and (vr in _DIVIDED or vr in _WHOLE):
            return vr, value.decode("ascii")
    return "", None


def _printable(value: str) -> str:
    value = value.strip("\0 ")
    if not value.isprintable():
        value = "".join(character if character.isprintable() else " " for character in value)
    return value.strip()


def _too_many_items(value: bytes) -> bool:
    return max(value.count(b"\xfe\xff\x00\xe0"), value.count(b"\xff\xfe\xe0\x00")) > _MAX_SEQUENCE_ITEMS


def _decimal(part: str) -> float | None:
    part = part.strip()
    return _finite(float(part)) if _DECIMAL.fullmatch(part) else None


def _finite(value: object) -> float | None:
    if isinstance(value, (int, float)) and math.isfinite(value):
        return float(value)
    return None
