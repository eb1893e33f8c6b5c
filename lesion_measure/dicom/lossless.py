"""JPEG lossless of more than 8 bits per sample (ITU-T T.81 annex H), one component.

Rare in ultrasound, and done here because the native decoder that is free to use (GDCM) ends the process on a damaged
header and fills a frame that is cut off with made-up pixels; see docs/decisions/0002-dependencies.md.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lesion_measure.dicom.codestream import Codestream, damaged, segments, unsupported
from lesion_measure.dicom.native import MOST_PADDING

_MAX_PIXELS = 1 << 23  # about ten seconds
_RESTART = re.compile(rb"\xff+[\xd0-\xd7]")
_MARKER = re.compile(rb"\xff+[\x01-\xcf\xd8-\xfe]")


def decode(data: bytes, header: Codestream) -> NDArray[np.uint16]:
    """Samples (rows, columns) of one frame.

    Raises
    ------
    PixelError
        The stream is damaged, cut off, very large, or has several components.
    """
    if header.components != 1:
        raise unsupported("colour JPEG of more than 8 bits")
    if header.rows * header.columns > _MAX_PIXELS:
        raise unsupported("very large JPEG of more than 8 bits")
    found = segments(data)
    tables, restart, scan = _tables(data, found)
    predictor, shift = scan[3], scan[5] & 15
    if scan[0] != 1 or not 1 <= predictor <= 7 or shift >= header.precision or scan[2] >> 4 not in tables:
        raise damaged("the JPEG scan header is impossible")
    band_rows, broken = divmod(restart or header.rows * header.columns, header.columns)
    if broken:
        raise unsupported("JPEG lossless restart intervals of broken rows")
    start = found[-1][2]
    end = _MARKER.search(data, start)
    parts = _RESTART.split(data[start : end.start() if end else len(data)])
    samples = np.empty((header.rows, header.columns), np.uint16)
    for first in range(0, header.rows, band_rows):
        band = samples[first : first + band_rows]
        coded = parts.pop(0).replace(b"\xff\x00", b"\xff") if parts else b""
        differences = np.array(_differences(coded, tables[scan[2] >> 4], band.size)).reshape(band.shape)
        band[:] = _predict(differences, predictor, 1 << (header.precision - shift - 1)) << shift
    if any(parts):
        raise damaged("restart intervals are left over behind the last line of a JPEG image")
    return samples


def _tables(data: bytes, found: Sequence[tuple[int, int, int]]) -> tuple[dict[int, list[int]], int, bytes]:
    """Huffman tables by number, restart interval and scan header."""
    tables: dict[int, list[int]] = {}
    restart, scan = 0, b""
    for marker, start, end in found:
        body = data[data.index(marker, start) + 3 : end]
        if marker == 0xC4:
            while body:
                lookup, size = _huffman(body)
                tables[body[0]] = lookup
                body = body[size:]
        elif marker == 0xDD and len(body) == 2:
            restart = int.from_bytes(body, "big")
        elif marker == 0xDA:
            scan = body
    if len(scan) != 6:
        raise damaged("the JPEG scan header does not fit one component")
    return tables, restart, scan


def _huffman(body: bytes) -> tuple[list[int], int]:
    """One table (T.81 B.2.4.2) and its size: the next 16 bits give length << 8 | symbol, 0 where there is no code."""
    counts, total = body[1:17], sum(body[1:17])
    symbols = body[17 : 17 + total]
    if len(counts) < 16 or len(symbols) < total or any(symbol > 16 for symbol in symbols):
        raise damaged("a Huffman table is cut off or holds what is no difference")
    lookup: list[int] = []
    taken = 0
    for length, count in enumerate(counts, 1):
        for symbol in symbols[taken : taken + count]:
            lookup += [length << 8 | symbol] * (1 << (16 - length))
        taken += count
        if len(lookup) > 65536:
            raise damaged("a Huffman table is over-full")
    return lookup + [0] * (65536 - len(lookup)), 17 + total


def _differences(data: bytes, table: Sequence[int], count: int) -> list[int]:
    """The next ``count`` differences (T.81 H.1.2.2): a Huffman symbol says how many bits follow it."""
    padded = data + bytes(-len(data) % 4)
    words = iter(struct.unpack(f">{len(padded) // 4}L", padded))
    buffer = held = used = 0
    out = []
    for _ in range(count):
        if held < 32:
            buffer = (buffer & ((1 << held) - 1)) << 32 | next(words, 0)
            held += 32
        entry = table[buffer >> (held - 16) & 0xFFFF]
        if not entry:
            raise damaged("a bad Huffman code")
        length, size = entry >> 8, entry & 0xFF
        extra = size & 15  # size 16 is the difference 32768, and no bits follow
        held -= length + extra
        used += length + extra
        value = buffer >> held & ((1 << extra) - 1)
        if size and not value >> (size - 1):
            value = 32768 if size == 16 else value - (1 << size) + 1
        out.append(value)
    if used > len(data) * 8:
        raise damaged("the JPEG image is cut off")
    left = data[-(-used // 8) :]
    if len(left) > MOST_PADDING or left.strip(b"\x00\xff"):
        raise damaged("bytes are left over behind the last pixel of a JPEG image")
    return out


def _predict(differences: NDArray[np.int64], predictor: int, start: int) -> NDArray[np.int64]:
    """Undo the prediction (T.81 H.1.2.1): the first row from the left, the first column from above."""
    out = differences
    out[0, 0] += start
    if predictor == 1:
        out[:, 0] = np.cumsum(out[:, 0])
        return np.cumsum(out, axis=1) & 0xFFFF
    out[0] = np.cumsum(out[0]) & 0xFFFF
    for row in range(1, len(out)):
        above = out[row - 1].tolist()
        line = out[row].tolist()
        line[0] = (line[0] + above[0]) & 0xFFFF
        for col in range(1, len(line)):
            a, b, c = line[col - 1], above[col], above[col - 1]
            guess = (b, c, a + b - c, a + ((b - c) >> 1), b + ((a - c) >> 1), (a + b) // 2)[predictor - 2]
            line[col] = (line[col] + guess) & 0xFFFF
        out[row] = line
    return out
