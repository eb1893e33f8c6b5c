"""DICOM headers from untrusted bytes: tolerant in what is read, bounded in what it costs, never guessing a value.

`read_header` turns a stream into a `Header` without touching the pixels. Files without preamble, without or with a
wrong transfer syntax, with stray delimiters or deflated (PS3.5 A.5) are read; a file without the DICM prefix (PS3.10
7.1) is taken for DICOM only when it begins with a known element of group 0002 or 0008 and names a storage class or
modality.
"""

from __future__ import annotations

import hashlib
import re
import struct
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO, Generic, TypeVar, cast

from pydicom import Dataset
from pydicom.datadict import dictionary_has_tag, tag_for_keyword
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag

from lesion_measure.config import Limits
from lesion_measure.dicom.elements import PARSER_ERRORS, Elements, text
from lesion_measure.dicom.inflated import DEFLATED, inflated, unreadable
from lesion_measure.dicom.stored import MOST_CHARACTER_SET_BYTES, VRS
from lesion_measure.errors import InputError

IMPLICIT_LITTLE = "1.2.840.10008.1.2"
EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
EXPLICIT_BIG = "1.2.840.10008.1.2.2"
_SYNTAX_OF = {(True, True): IMPLICIT_LITTLE, (False, True): EXPLICIT_LITTLE, (False, False): EXPLICIT_BIG}
CHARACTER_SET_NOTE = "SpecificCharacterSet is not one that is known; text may be read wrongly"
PIXEL_TAGS = {0x7FE00008: "FloatPixelData", 0x7FE00009: "DoubleFloatPixelData", 0x7FE00010: "PixelData"}
_MAX_RESUMED = 100
# Two or three reads an element; the largest headers, with a group of elements for each of some hundred frames, stay
# below 100,000. A hostile one of many million costs gigabytes in pydicom.
_MAX_READS = 400_000
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class PixelElement:
    """The pixel data element: ``length`` in bytes, None where encapsulated; ``stream`` stands at the value's start.

    ``stream`` is the stream that was given, or the unpacked data set of a deflated file. ``keyword`` tells integer
    (PixelData) from float pixels.
    """

    keyword: str
    vr: str
    length: int | None
    big_endian: bool
    stream: BinaryIO


_Elements = TypeVar("_Elements", bound=Elements, covariant=True)


@dataclass(frozen=True, slots=True)
class Header(Generic[_Elements]):
    """What stands before the pixels, and where these are; ``pixels`` is None where there are none.

    ``sha256`` is that of the bytes before the pixels' value (unpacked ones, of a deflated file); empty without pixels.
    """

    dataset: _Elements
    meta: _Elements
    transfer_syntax_uid: str
    pixels: PixelElement | None
    warnings: tuple[str, ...]
    sha256: str = ""


class _Bounded:
    """The part of a file that pydicom's parser uses, with a budget for what it may ask for."""

    def __init__(self, stream: BinaryIO, budget: int) -> None:
        self.stream = stream
        self.left = budget
        self._budget = budget
        self._reads_left = _MAX_READS
        self.tell = stream.tell
        self.seek = stream.seek

    def read(self, size: int = -1, /) -> bytes:
        data = self.stream.read(self.left + 1 if size < 0 else min(size, self.left + 1))
        self.left -= len(data)
        self._reads_left -= 1
        self.overdrawn()
        return data

    def overdrawn(self) -> None:
        """Raise once the budget is spent; asked again after parsing, since the parser may have caught it."""
        if self.left < 0:
            raise too_large(self._budget)
        if self._reads_left < 0:
            raise InputError(
                "The header has more elements than any image.", remedy="Export the image anew.", code="header_too_large"
            )


def too_large(most: int, setting: str = "header_bytes") -> InputError:
    """The error for a header of more than so many bytes, which one of the ``limits`` says."""
    return InputError(
        f"The header is larger than {most} bytes.",
        remedy=f"Raise limits.{setting} if the file can be trusted.",
        code="header_too_large",
    )


def read_header(
    stream: BinaryIO,
    tags: Sequence[str],
    header_bytes: int,
    *,
    inflated_bytes: int | None = None,
    before_pixels_bytes: int = Limits().before_pixels_bytes,
) -> Header[Dataset]:
    """Read the elements named by ``tags`` (keywords) up to the pixel data.

    Parameters
    ----------
    stream
        A seekable stream, at its start.
    tags
        Keywords of the elements that are wanted; others are skipped.
    header_bytes
        Most bytes that may be read.
    inflated_bytes
        Most bytes that a deflated data set may unpack to, pixels included; ``header_bytes`` where None.
    before_pixels_bytes
        Most bytes before the pixels, those that are skipped included: all of them are hashed.

    Raises
    ------
    InputError
        Code ``not_dicom``: nothing says that this is DICOM; ``unreadable``: it is, but damaged beyond reading;
        ``header_too_large``: more than ``header_bytes`` had to be read, or more stands before the pixels.
    """
    bounded = _Bounded(stream, header_bytes)
    has_prefix = _find_start(bounded)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            wanted: list[BaseTag | int] = [BaseTag(tag_for_keyword(tag) or 0) for tag in tags]
            header = _parse(bounded, wanted, inflated_bytes or header_bytes)
        except PARSER_ERRORS as error:
            bounded.overdrawn()
            raise unreadable(type(error).__name__) from error
    bounded.overdrawn()
    if not names_itself(header):
        if has_prefix:
            raise InputError(
                "This DICOM file states neither storage class nor modality: nothing says that it is an image.",
                remedy="Export the image anew, with its whole header.",
                code="unreadable",
            )
        raise not_dicom()
    notes = dict.fromkeys(_remark(str(warning.message)) for warning in caught)
    return replace(header, warnings=(*header.warnings, *notes), sha256=_digest(header.pixels, before_pixels_bytes))


def _digest(pixels: PixelElement | None, most: int) -> str:
    """SHA-256 of all bytes before the pixels, elements that nobody asked for included, in bounded memory.

    Some seconds for the raw data of scanners; a file with holes may claim a thousand times more.
    """
    if pixels is None:
        return ""
    left = pixels.stream.tell()
    if left > most:
        raise too_large(most, "before_pixels_bytes")
    pixels.stream.seek(0)
    digest = hashlib.sha256()
    while left and (data := pixels.stream.read(min(left, _CHUNK))):
        digest.update(data)
        left -= len(data)
    return digest.hexdigest()


def _remark(parsers: str) -> str:
    """What a remark of pydicom's parser is about. Its own words quote values, and so perhaps a patient's name."""
    if "encod" in parsers or "Character Set" in parsers:
        return CHARACTER_SET_NOTE
    return "the header is damaged or does not follow the standard; what cannot be read is left out"


def not_dicom() -> InputError:
    """The error for a file that nothing says is DICOM."""
    return InputError("This is not a DICOM file.", code="not_dicom")


def _find_start(stream: _Bounded) -> bool:
    """Go to the first element; True when the DICM prefix stands before it. Raises InputError (``not_dicom``)."""
    start = stream.read(132)
    if start[128:132] == b"DICM":
        return True
    if start[:4] == b"DICM":  # the 128 bytes before the prefix are missing
        stream.seek(4)
        return True
    stream.seek(0)
    if len(start) < 16:
        raise not_dicom()
    little = _is_little(start)
    group, element, length = struct.unpack_from("<HHL" if little else ">HHL", start)
    known = element == 0 or dictionary_has_tag(group << 16 | element)
    # The first elements of groups 0002 and 0008 are short; a picture or text that begins like one of their tags has
    # neither a VR nor a small length there.
    if group not in (2, 8) or not known or not (start[4:6] in VRS or length < 1024):
        raise not_dicom()
    return False


def _parse(stream: _Bounded, tags: list[BaseTag | int], inflated_bytes: int) -> Header[Dataset]:
    """File meta information (PS3.10 7.1), then the data set up to the pixels."""
    notes: list[str] = []
    meta = _read_meta(stream)
    declared = text(meta, "TransferSyntaxUID")
    source = stream
    if declared in DEFLATED:
        source = _Bounded(inflated(stream.stream, inflated_bytes), stream.left)
    implicit, little = _encoding(source, declared)
    actual = _SYNTAX_OF.get((implicit, little), IMPLICIT_LITTLE)
    if not declared:
        notes.append("no transfer syntax is stated; it was recognised from the data")
    elif declared in _SYNTAX_OF.values() and declared != actual:
        notes.append("the transfer syntax stated is not the one the data are in; the latter is used")
        declared = actual
    dataset, pixels = _read_elements(source, implicit, little, tags)
    source.overdrawn()
    return Header(dataset, meta, declared or actual, pixels, tuple(notes))


def _read_meta(stream: _Bounded) -> Dataset:
    position = stream.tell()
    start = stream.read(8)
    stream.seek(position)
    if len(start) < 8 or 2 not in struct.unpack_from("<H", start) + struct.unpack_from(">H", start):
        return Dataset()
    little = start[:2] == b"\x02\x00"
    return read_dataset(cast("BinaryIO", stream), False, little, stop_when=lambda tag, vr, length: tag >> 16 != 2)


def _encoding(stream: _Bounded, declared: str) -> tuple[bool, bool]:
    """(implicit VR, little endian) of the data set, from its first element; what the file states only breaks a tie."""
    position = stream.tell()
    start = stream.read(8)
    stream.seek(position)
    if len(start) < 8:
        return declared in ("", IMPLICIT_LITTLE), declared != EXPLICIT_BIG
    little = _is_little(start)
    if start[4:6] in VRS:
        return False, little
    length = int(struct.unpack_from("<L" if little else ">L", start, 4)[0])
    stated_explicit = declared not in ("", IMPLICIT_LITTLE)
    return not (stated_explicit and length > 0x100000 and length != 0xFFFFFFFF), little


def _is_little(start: bytes) -> bool:
    """Byte order from the group number of a first element, which is small (0002, 0008, 0010)."""
    return bool(struct.unpack_from("<H", start)[0] <= struct.unpack_from(">H", start)[0])


def _read_elements(
    stream: _Bounded, implicit: bool, little: bool, tags: list[BaseTag | int]
) -> tuple[Dataset, PixelElement | None]:
    """The data set up to the pixels; reading goes on after an item delimiter that closes nothing."""
    pixels: PixelElement | None = None
    value_start = 0

    def at_pixels(tag: BaseTag, vr: str | None, length: int) -> bool:
        nonlocal pixels, value_start
        if tag == 0x00080005 and length > MOST_CHARACTER_SET_BYTES:
            raise unreadable("specific character set")
        if tag not in PIXEL_TAGS:
            return tag >> 16 == 0  # zeros in place of what was not transferred; no data set has a group 0000
        value_start = stream.tell()
        stated = None if length == 0xFFFFFFFF else length
        pixels = PixelElement(PIXEL_TAGS[tag], vr or "OW", stated, not little, stream.stream)
        return True

    dataset = Dataset()
    for _ in range(_MAX_RESUMED):
        part = read_dataset(cast("BinaryIO", stream), implicit, little, stop_when=at_pixels, specific_tags=tags)
        if dataset:
            dataset.update(part)
        else:
            dataset = part
        if pixels is not None:
            stream.seek(value_start)
            break
        position = stream.tell()
        if len(stream.read(8)) < 8:
            break
        stream.seek(position)
    return dataset, pixels


def names_itself(header: Header[Elements]) -> bool:
    """Whether a header states its storage class or modality, so that it is one."""
    storage_class = text(header.dataset, "SOPClassUID") or text(header.meta, "MediaStorageSOPClassUID")
    if storage_class:
        return re.fullmatch(r"[0-9]+(\.[0-9]+)+", storage_class) is not None
    modality = text(header.dataset, "Modality")
    return re.fullmatch(r"[A-Z]{2,16}", modality) is not None
