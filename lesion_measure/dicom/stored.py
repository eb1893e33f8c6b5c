"""The elements of a data set as they are stored, found by their lengths alone; a value is converted when asked for.

Only what is common and well-formed is walked here: little endian, known representations, lengths that fit. Of anything
else `Unusual` is raised, and pydicom reads it instead, which knows more and takes longer.
"""

from __future__ import annotations

import struct
import warnings
from collections.abc import Mapping
from functools import cache, lru_cache

from pydicom import Dataset
from pydicom.charset import convert_encodings, default_encoding
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement, convert_raw_data_element
from pydicom.tag import BaseTag
from pydicom.valuerep import VR

Stored = tuple[str, bytes]
"""Representation (empty where only pydicom can tell it) and value of an element."""

_LONG = frozenset(("OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"))
VRS = {str(vr).encode(): str(vr) for vr in VR if len(str(vr)) == 2}
_SHORT_VRS = {code: vr for code, vr in VRS.items() if vr not in _LONG}
_LONG_VRS = {code: vr for code, vr in VRS.items() if vr in _LONG}
_EXPLICIT, _IMPLICIT, _LENGTH = struct.Struct("<4s2sH"), struct.Struct("<4sL"), struct.Struct("<L")
_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = b"\xfe\xff\x00\xe0", b"\xfe\xff\x0d\xe0", b"\xfe\xff\xdd\xe0"
_NO_ELEMENTS = frozenset((b"\x00\x00", b"\xfe\xff"))
"""Groups of what is no element of a data set: commands (PS3.7 9.3), items and delimiters."""
_MOST_DEPTH = 16
_MOST_ITEMS = 50_000
CHARACTER_SET = b"\x08\x00\x05\x00"
MOST_CHARACTER_SET_BYTES = 1024
"""pydicom looks up each name in it."""

KEEP, STOP = 1, 2
"""What `walk` does at an element that is named to it."""


class Unusual(Exception):  # noqa: N818 - no error: nothing is wrong but the way
    """These bytes are left to pydicom."""


@cache
def tag_of(keyword: str) -> bytes:
    """The tag of a keyword as little endian files write it; zeros for a word that is none."""
    tag = tag_for_keyword(keyword) or 0
    return struct.pack("<HH", tag >> 16, tag & 0xFFFF)


def walk(
    data: bytes, at: int, end: int, explicit: bool, named: Mapping[bytes, int] | None = None
) -> tuple[dict[bytes, Stored], int]:
    """The elements between two positions, and where the walk ended: at ``end``, or at the first element to stop at.

    Parameters
    ----------
    data, at, end
        Bytes, and the positions of the first element and of the first byte after the last one.
    explicit
        Whether representations are stated (PS3.5 7.1.2).
    named
        What to do at which tag (`KEEP`, `STOP`); others are passed over. Where None, all are kept.

    Raises
    ------
    Unusual
        The bytes are not well-formed elements of known representation; struct.error: they end inside one.
    """
    return (_walk_explicit if explicit else _walk_implicit)(data, at, end, named)


def _walk_explicit(
    data: bytes, at: int, end: int, named: Mapping[bytes, int] | None
) -> tuple[dict[bytes, Stored], int]:
    found: dict[bytes, Stored] = {}
    # This loop is what reading ten thousand headers costs; it calls nothing that it can do without.
    unpack, short_vrs = _EXPLICIT.unpack_from, _SHORT_VRS
    while at < end:
        tag, code, length = unpack(data, at)
        action = KEEP if named is None else named.get(tag)
        if action == STOP:
            break
        vr = short_vrs.get(code)
        start = at + 8
        if vr is None:
            vr = _LONG_VRS.get(code)
            start = at + 12
            (length,) = _LENGTH.unpack_from(data, at + 8)
        if vr is None or tag[:2] in _NO_ELEMENTS:
            raise Unusual
        if length != _UNDEFINED:
            after = value_end = start + length
        elif vr == "SQ":
            after = _sequence_end(data, start, True, _MOST_DEPTH)
            value_end = after - 8
        else:
            raise Unusual
        if after > end:
            raise Unusual
        if action:
            found[tag] = vr, data[start:value_end]
        at = after
    return found, at


def _walk_implicit(
    data: bytes, at: int, end: int, named: Mapping[bytes, int] | None
) -> tuple[dict[bytes, Stored], int]:
    found: dict[bytes, Stored] = {}
    while at < end:
        tag, length = _IMPLICIT.unpack_from(data, at)
        action = KEEP if named is None else named.get(tag)
        if action == STOP:
            break
        if tag[:2] in _NO_ELEMENTS:
            raise Unusual
        start = at + 8
        if length != _UNDEFINED:
            after = value_end = start + length
        else:
            after = _sequence_end(data, start, False, _MOST_DEPTH)
            value_end = after - 8
        if after > end:
            raise Unusual
        if action:
            found[tag] = _dictionary_vr(tag), data[start:value_end]
        at = after
    return found, at


@cache
def _dictionary_vr(tag: bytes) -> str:
    """The representation that the dictionary knows; empty for none, or one of several ("US or SS")."""
    group, element = struct.unpack("<HH", tag)
    try:
        vr = str(dictionary_VR(group << 16 | element))
    except KeyError:
        return ""
    return vr if len(vr) == 2 else ""


def vr_of(keyword: str) -> str:
    """The representation that the dictionary gives a keyword; empty where it gives none or several."""
    return _dictionary_vr(tag_of(keyword))


def _sequence_end(data: bytes, at: int, explicit: bool, depth: int) -> int:
    """Position after the delimiter of a sequence of undefined length (PS3.5 7.5.1)."""
    if not depth:
        raise Unusual
    while True:
        tag, length = _IMPLICIT.unpack_from(data, at)
        at += 8
        if tag == _SEQUENCE_END:
            return at
        if tag != _ITEM:
            raise Unusual
        at = at + length if length != _UNDEFINED else _item_end(data, at, explicit, depth)


def _item_end(data: bytes, at: int, explicit: bool, depth: int) -> int:
    """Position after the delimiter of an item of undefined length."""
    while True:
        tag, length = _IMPLICIT.unpack_from(data, at)
        if tag == _ITEM_END:
            return at + 8
        start, vr = at + 8, ""
        if explicit:
            _, code, length = _EXPLICIT.unpack_from(data, at)
            if code not in _SHORT_VRS:
                start, vr = at + 12, _LONG_VRS.get(code, "")
                (length,) = _LENGTH.unpack_from(data, at + 8)
            if length == _UNDEFINED and vr != "SQ":
                raise Unusual
        at = start + length if length != _UNDEFINED else _sequence_end(data, start, explicit, depth - 1)


class StoredElements:
    """Elements of a data set, or of an item in it, by their tags; `dicom.elements` gives their values."""

    __slots__ = ("_dataset", "_explicit", "_items", "_parents", "_stored")

    def __init__(self, stored: dict[bytes, Stored], explicit: bool, parents: str | list[str] = default_encoding):
        self._stored = stored
        self._explicit = explicit
        self._parents = parents
        self._dataset: Dataset | None = None
        self._items: dict[bytes, list[StoredElements] | None] = {}

    def __contains__(self, keyword: str) -> bool:
        return tag_of(keyword) in self._stored

    def stored(self, keyword: str) -> Stored | None:
        """Representation and bytes of an element; None where it is missing."""
        return self._stored.get(tag_of(keyword))

    def items(self, keyword: str) -> list[StoredElements] | None:
        """The items of a sequence; None where it cannot be read, or only by pydicom."""
        return self._items_of(tag_of(keyword))

    def is_readable(self) -> bool:
        """Whether every sequence can be read, at any depth."""
        sequences = (self._items_of(tag) for tag, (vr, _) in self._stored.items() if vr == "SQ")
        return all(read is not None and all(item.is_readable() for item in read) for read in sequences)

    def _items_of(self, tag: bytes) -> list[StoredElements] | None:
        if tag not in self._items:
            vr, value = self._stored[tag]
            self._items[tag] = self._read_items(value) if vr == "SQ" else None
        return self._items[tag]

    def _read_items(self, data: bytes) -> list[StoredElements] | None:
        found: list[StoredElements] = []
        at, parents = 0, self._encodings()
        try:
            while at < len(data):
                tag, length = _IMPLICIT.unpack_from(data, at)
                start = at + 8
                if tag != _ITEM or len(found) == _MOST_ITEMS:
                    return None
                at = start + length if length != _UNDEFINED else _item_end(data, start, self._explicit, _MOST_DEPTH)
                elements, _ = walk(data, start, at - 8 * (length == _UNDEFINED), self._explicit)
                found.append(StoredElements(elements, self._explicit, parents))
        except (Unusual, struct.error):
            return None
        return found if at == len(data) else None

    def _encodings(self) -> str | list[str]:
        own = self._stored.get(CHARACTER_SET)
        return self._parents if own is None else encodings_of(own[1])[0]

    def as_dataset(self) -> Dataset:
        """pydicom's data set of the same bytes, for values that only it can convert."""
        if self._dataset is None:
            raw = (self._raw(tag, *stored) for tag, stored in self._stored.items())
            self._dataset = Dataset({element.tag: element for element in raw})
            self._dataset.set_original_encoding(not self._explicit, True, self._encodings())
        return self._dataset

    def _raw(self, tag: bytes, vr: str, value: bytes) -> RawDataElement:
        group, element = struct.unpack("<HH", tag)
        stated = vr if self._explicit else None
        return RawDataElement(BaseTag(group << 16 | element), stated, len(value), value, 0, not self._explicit, True)


@lru_cache(maxsize=64)
def encodings_of(stated: bytes) -> tuple[str | list[str], bool]:
    """Python's names of a SpecificCharacterSet (0008,0005), and whether pydicom knows it."""
    if len(stated) > MOST_CHARACTER_SET_BYTES:
        return default_encoding, False
    element = RawDataElement(BaseTag(0x00080005), "CS", len(stated), stated, 0, False, True)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            encodings = convert_encodings(convert_raw_data_element(element).value)
        except (LookupError, ValueError) as error:
            raise Unusual from error
    return encodings, not caught
