"""The last look at a written file: whether an identifier of the old one stands anywhere in its bytes.

The header is made by a list of what stays, so nothing should be found. A fault in that list, or in a library that
writes, would be: each text is sought as it may be encoded, in any case, whatever element holds it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from pydicom import Dataset

from lesion_measure.deidentify.header import METHODS
from lesion_measure.deidentify.texts import Identifiers
from lesion_measure.errors import InputError

_ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "latin-1", "iso8859-2", "iso8859-5", "gb18030", "euc-kr", "shift-jis")
_CHUNK = 1 << 20
_LEAST_IN_PIXELS, _LEAST_KINDS = 8, 4
"""Bytes, and different ones, of what is sought among pixels too: of shorter runs some are there by chance."""
_OURS = tuple(words.lower().encode() for _, words in METHODS)
"""What every new header says, whoever the patient is."""


def check_nothing_left(path: Path, header_bytes: int, sought: Identifiers, new: Dataset) -> None:
    """Look for identifiers in a written file.

    Parameters
    ----------
    path
        The file.
    header_bytes
        Where its pixels begin; its length where it has none.
    sought
        The names, numbers and UIDs of the old file. What the new one states as the subject's code, or as a moved date,
        is none of them.
    new
        The header that was written.

    Raises
    ------
    InputError
        One is there; code ``identifier_left``.
    """
    said = {str(new.PatientID).casefold(), *_dates(new)}
    numbers = [each for each in sought.numbers if not any(each in text for text in said)]
    words = [each for each in sought.words if not any(each in text for text in said)]
    with path.open("rb") as stream:
        header = stream.read(header_bytes).lower()
        for words_of_ours in _OURS:
            header = header.replace(words_of_ours, b"\0")
        for kind, texts in (("name", words), ("number", numbers), ("UID", sought.uids)):
            if any(_stands_in(header, text) for text in texts):
                raise _left(kind)
        for kind, texts in (("name", words), ("number", numbers)):
            if _in_pixels(stream, texts):
                raise _left(kind)


def _dates(dataset: Dataset) -> Iterator[str]:
    for element in dataset.iterall():
        if element.VR in ("DA", "DT"):
            yield str(element.value)


def _stands_in(header: bytes, text: str) -> bool:
    """Whether a text stands in lowered bytes: whole, where letters or digits around it would make it another."""
    for encoded in _encoded(text):
        plain = re.escape(encoded)
        if text[0].isascii() and text[0].isalpha():
            plain = rb"(?<![a-z])" + plain
        elif text[0].isdigit():
            plain = rb"(?<![0-9])(?<![0-9]\.)" + plain
        if text[-1].isascii() and text[-1].isalpha():
            plain += rb"(?![a-z])"
        elif text[-1].isdigit():
            plain += rb"(?!\.?[0-9])"
        if re.search(plain, header):
            return True
    return False


def _encoded(text: str) -> set[bytes]:
    """A text as bytes in each encoding that has its letters, with its ASCII in small letters."""
    found = set()
    for form in {text.lower(), text.upper(), text.title()}:
        for encoding in _ENCODINGS:
            try:
                found.add(form.encode(encoding).lower())
            except UnicodeEncodeError:
                continue
    return found


def _in_pixels(stream: BinaryIO, texts: Iterable[str]) -> bool:
    needles = {each for text in texts for each in _encoded(text)}
    needles = {each for each in needles if len(each) >= _LEAST_IN_PIXELS and len(set(each)) >= _LEAST_KINDS}
    stream.seek(0)
    before = b""
    while needles and (chunk := stream.read(_CHUNK)):
        chunk = before + chunk.lower()
        if any(needle in chunk for needle in needles):
            return True
        before = chunk[-max(map(len, needles)) :]
    return False


def _left(kind: str) -> InputError:
    return InputError(
        f"A {kind} of the original was found in the file that was written, which was therefore removed.",
        remedy="De-identify it by other means, and tell the makers of this program which element holds it.",
        code="identifier_left",
    )
