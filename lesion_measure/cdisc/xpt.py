"""SAS transport files, version 5, as agencies take them; after SAS technical note TS-140.

Records of 80 bytes: library header, member header, one NAMESTR of 140 bytes a variable, then the observations one after
the other. Numbers are IBM doubles, which hold every IEEE double of ordinary size exactly; a missing number is a dot.
What the format cannot hold is an error, never cut off. It has no place to say in which encoding its texts are: ASCII is
read alike everywhere, UTF-8 by whoever is told.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterator
from datetime import date, datetime
from enum import StrEnum

from lesion_measure.cdisc.dataset import Dataset, Row, Value, Variable, VariableType, text
from lesion_measure.errors import OutputError

RECORD = 80
MAX_NAME, MAX_LABEL, MAX_TEXT = 8, 40, 200
SAS_EPOCH = date(1960, 1, 1)
MISSING = b"." + bytes(7)

_NAME = re.compile(rf"[A-Z_][A-Z0-9_]{{0,{MAX_NAME - 1}}}")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_NAMESTR = struct.Struct(">hhhh8s40s8shhh2s8shhl52s")
_SYSTEM = b"SAS     ", b"6.06    ", b"        "
"""Maker, version of the format's first writer, operating system: readers look at the first alone."""


class Encoding(StrEnum):
    """How texts become bytes. Names and labels of variables are ASCII in any case."""

    ASCII = "ascii"
    UTF8 = "utf-8"


def transport_file(dataset: Dataset, *, created: datetime, encoding: Encoding = Encoding.ASCII) -> bytes:
    """A dataset as the bytes of a transport file.

    Raises
    ------
    OutputError
        A name, label, text or number does not fit; the message names dataset, variable and subject.
    """
    _check_name(dataset, dataset.name, dataset.label)
    for variable in dataset.variables:
        _check_name(dataset, variable.name, variable.label)
    _check_last(dataset)
    lengths = [dataset.length(variable) for variable in dataset.variables]
    body = b"".join(_observations(dataset, lengths, encoding))
    names = b"".join(_namestrs(dataset, lengths))
    return b"".join(
        (
            _library(dataset, created),
            _card(b"NAMESTR", b"000000%04d" % len(dataset.variables)),
            _padded(names),
            _card(b"OBS"),
            _padded(body),
        )
    )


def ibm_double(number: float) -> bytes:
    """A number as an IBM double: sign, exponent of 16 biased by 64, 56 bits of fraction (TS-140).

    Raises
    ------
    ValueError
        The number is not finite, or its size is outside of about 1e-78 to 1e75.
    """
    if not math.isfinite(number):
        raise ValueError("not finite")
    if number == 0:
        return bytes(8)
    fraction, exponent = math.frexp(abs(number))
    sixteens = -(-exponent // 4)
    if not -64 <= sixteens <= 63:
        raise ValueError("out of range")
    mantissa = int(fraction * 2**56) >> (4 * sixteens - exponent)
    sign = 0x80 if number < 0 else 0
    return struct.pack(">Q", ((sign | (sixteens + 64)) << 56) | mantissa)


def sas_day(day: date) -> int:
    """Days since 1 January 1960."""
    return (day - SAS_EPOCH).days


def _library(dataset: Dataset, created: datetime) -> bytes:
    stamp = f"{created:%d}{_MONTHS[created.month - 1]}{created:%y:%H:%M:%S}".encode("ascii")
    maker, version, system = _SYSTEM
    blanks = b" " * 24
    return b"".join(
        (
            _card(b"LIBRARY"),
            maker + maker + b"SASLIB  " + version + system + blanks + stamp,
            stamp.ljust(RECORD),
            _card(b"MEMBER", b"0" * 17 + b"1600000000140"),
            _card(b"DSCRPTR"),
            maker + dataset.name.encode("ascii").ljust(8) + b"SASDATA " + version + system + blanks + stamp,
            stamp + b" " * 16 + dataset.label.encode("ascii").ljust(40) + b" " * 8,
        )
    )


def _card(kind: bytes, numbers: bytes = b"") -> bytes:
    return b"HEADER RECORD*******" + kind.ljust(8) + b"HEADER RECORD!!!!!!!" + numbers.ljust(30, b"0") + b"  "


def _namestrs(dataset: Dataset, lengths: list[int]) -> Iterator[bytes]:
    position = 0
    for number, (variable, length) in enumerate(zip(dataset.variables, lengths, strict=True), 1):
        form, width = (b"DATE", 9) if variable.kind is VariableType.DATE else (b"", 0)
        yield _NAMESTR.pack(
            2 if variable.kind.is_text else 1, 0, length, number,
            variable.name.encode("ascii").ljust(8), variable.label.encode("ascii").ljust(40),
            form.ljust(8), width, 0, 0, b"\0\0", b" " * 8, 0, 0, position, bytes(52),
        )  # fmt: skip
        position += length


def _observations(dataset: Dataset, lengths: list[int], encoding: Encoding) -> Iterator[bytes]:
    columns = [*zip(dataset.variables, lengths, strict=True)]
    for row in dataset.rows:
        yield b"".join(_cell(dataset, row, variable, length, encoding) for variable, length in columns)


def _cell(dataset: Dataset, row: Row, variable: Variable, length: int, encoding: Encoding) -> bytes:
    value = row.get(variable.name)
    try:
        return _text(value, length, encoding) if variable.kind.is_text else _number(value)
    except ValueError as error:
        raise _unfit(dataset, variable, str(error), row.get("USUBJID")) from error


def _text(value: Value, length: int, encoding: Encoding) -> bytes:
    words = text(value)
    try:
        data = words.encode(encoding)
    except UnicodeEncodeError as error:
        character = error.object[error.start]
        raise ValueError(f"the character {character!a} (U+{ord(character):04X}), which is not ASCII") from error
    if len(data) > MAX_TEXT:
        what = "characters" if words.isascii() else "bytes"
        raise ValueError(f"a text of {len(data)} {what}, {MAX_TEXT} are the most")
    return data.ljust(min(length, MAX_TEXT))


def _number(value: Value) -> bytes:
    if value is None:
        return MISSING
    if isinstance(value, date):
        return ibm_double(sas_day(value))
    if isinstance(value, str):
        raise ValueError("a text in a numeric variable")
    return ibm_double(value)


def _padded(data: bytes) -> bytes:
    return data + b" " * (-len(data) % RECORD)


def _check_name(dataset: Dataset, name: str, label: str) -> None:
    if not _NAME.fullmatch(name):
        raise OutputError(
            f"{dataset.name}: '{name}' is no name of at most {MAX_NAME} letters, digits and underscores.",
            code="transport_limit",
        )
    if len(label) > MAX_LABEL or not label.isascii():
        raise OutputError(
            f"{dataset.name}.{name}: its label has more than {MAX_LABEL} characters, or others than ASCII.",
            code="transport_limit",
        )


def _check_last(dataset: Dataset) -> None:
    """Refuse a last record of blanks alone, which no reader can tell from the end of the file."""
    if not dataset.rows or not all(variable.kind.is_text for variable in dataset.variables):
        return
    if not any(text(value).strip(" ") for value in dataset.rows[-1].values()):
        raise OutputError(
            f"{dataset.name}: the last record holds nothing but blanks, which a SAS transport file (version 5) cannot "
            "tell from its end.",
            remedy="Leave the record out, or write other formats alone: --format json,csv.",
            code="transport_limit",
        )


def _unfit(dataset: Dataset, variable: Variable, what: str, subject: Value) -> OutputError:
    where = f", subject {text(subject)!a}" if subject else ""
    return OutputError(
        f"{dataset.name}.{variable.name}{where}: a SAS transport file (version 5) cannot hold {what}.",
        remedy="Rename it in the calipers, manifest or table, or write other formats alone: --format json,csv. "
        "Letters beyond ASCII fit with --xpt-encoding utf-8, if whoever reads the files knows of it.",
        code="transport_limit",
    )
