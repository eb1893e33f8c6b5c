"""Whether two files hold the same object: after a store, what the PACS gives back against what was sent.

A PACS may answer 'stored' and keep an older object of that UID, or coerce what it knows better about a patient.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from pydicom import Dataset, dcmread
from pydicom.datadict import keyword_for_tag

from lesion_measure.dicom.elements import PARSER_ERRORS
from lesion_measure.dicom.spans import TRAILING_PADDING, Span, spans
from lesion_measure.dicom.whole import DEFLATED, Whole
from lesion_measure.files.reading import open_regular

_CHUNK = 1 << 20
_DECODED_BYTES = 1 << 24
# Where an object lies, and how it is padded, is no content.
_PLACE = frozenset((0x00080054, 0x00080056, 0x00081190, TRAILING_PADDING))
# What a PACS may coerce when it files an object under its own patient and order (PS3.4 B.4.1.4).
_COERCED = frozenset((0x00080005, 0x00080050, 0x00080051, 0x00080080, 0x00080090, 0x00081030, 0x00200010, 0x04000561))
_PATIENT = 0x0010


def content_sha256(path: Path, whole: Whole) -> str:
    """SHA-256 of the data set's bytes, file meta information left out."""
    digest = hashlib.sha256()
    with open_regular(path) as stream:
        stream.seek(whole.start)
        for chunk in iter(lambda: stream.read(_CHUNK), b""):
            digest.update(chunk)
    return digest.hexdigest()


def differences(sent: Path, given: Path, of_sent: Whole, of_given: Whole) -> tuple[list[str], list[str]]:
    """Keywords of elements that differ: those that make another object, and those that a PACS may coerce."""
    if of_sent.size - of_sent.start == of_given.size - of_given.start and (
        content_sha256(sent, of_sent) == content_sha256(given, of_given)
    ):
        return [], []
    if DEFLATED in (of_sent.transfer_syntax_uid, of_given.transfer_syntax_uid):
        differing = list(_deflated(sent, given))
    else:
        differing = list(_by_element(sent, given, of_sent, of_given))
    differing = [tag for tag in differing if tag not in _PLACE and tag & 0xFFFF]
    coerced = [tag for tag in differing if tag in _COERCED or tag >> 16 == _PATIENT]
    return _keywords([tag for tag in differing if tag not in coerced]), _keywords(coerced)


def _keywords(tags: list[int]) -> list[str]:
    return [keyword_for_tag(tag) or f"({tag >> 16:04X},{tag & 0xFFFF:04X})" for tag in tags]


def _by_element(sent: Path, given: Path, of_sent: Whole, of_given: Whole) -> Iterator[int]:
    """Tags whose values differ: in their bytes, and for small ones in what they mean, too."""
    with open_regular(sent) as first, open_regular(given) as second:
        one = {span.tag: span for span in spans(first, of_sent.start, of_sent.transfer_syntax_uid)}
        other = {span.tag: span for span in spans(second, of_given.start, of_given.transfer_syntax_uid)}
        for tag in sorted(one.keys() | other.keys()):
            if tag not in one or tag not in other:
                yield tag
                continue
            small = max(_size(one[tag]), _size(other[tag])) <= _DECODED_BYTES
            if not _same_bytes(first, second, one[tag], other[tag]) and not (small and _same_values(sent, given, tag)):
                yield tag


def _size(span: Span) -> int:
    return span.end - span.start


def _same_bytes(first: BinaryIO, second: BinaryIO, one: Span, other: Span) -> bool:
    left = _size(one)
    if left != _size(other):
        return False
    first.seek(one.start)
    second.seek(other.start)
    while left > 0:
        if first.read(min(_CHUNK, left)) != second.read(min(_CHUNK, left)):
            return False
        left -= _CHUNK
    return True


def _same_values(sent: Path, given: Path, tag: int) -> bool:
    """The same in another encoding: lengths of sequences, padding, implicit or explicit representations."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            one, other = (dcmread(path, specific_tags=[tag]) for path in (sent, given))
            return bool(one.get(tag) == other.get(tag))
        except PARSER_ERRORS:
            return False


def _deflated(sent: Path, given: Path) -> Iterator[int]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        one, other = dcmread(sent), dcmread(given)
        yield from (tag for tag in sorted(one.keys() | other.keys()) if not _equal(one, other, tag))


def _equal(one: Dataset, other: Dataset, tag: int) -> bool:
    try:
        return bool(one.get(tag) == other.get(tag))
    except PARSER_ERRORS:
        return False
