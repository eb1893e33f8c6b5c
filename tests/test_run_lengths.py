"""Run lengths are read alike by the quick decoder and byte by byte, whole or damaged."""

from __future__ import annotations

import random
from collections import Counter

from rle.utils import encode_array

from lesion_measure.dicom import rle
from lesion_measure.errors import PixelError
from small_images import COLUMNS, ROWS, picture

PIXELS = ROWS * COLUMNS


def of(read: object, data: bytes, pixels: int) -> bytes | str:
    """The bytes, or the code of the refusal."""
    try:
        return read(data, pixels)  # type: ignore[operator, no-any-return]
    except PixelError as error:
        return error.code


def test_both_ways_are_one() -> None:
    encoded = encode_array(
        picture(), rows=ROWS, columns=COLUMNS, samples_per_pixel=1, bits_allocated=8, number_of_frames=1
    )
    whole = bytes(next(iter(encoded)))[64:]
    rng, became = random.Random(2), Counter[bool]()
    for _ in range(2000):
        data = bytearray(whole)
        for _ in range(rng.choice((0, 1, 2))):
            at = rng.randrange(len(data))
            data[at : at + rng.randrange(2)] = rng.choice((b"", b"\0", b"\x80", bytes([rng.randrange(256)])))
        if rng.random() < 0.3:
            data += bytes(rng.choices((0, 128, 200), k=rng.randrange(1, 4)))
        pixels = PIXELS + rng.choice((0, 0, 0, 1, -1, COLUMNS))
        quick, slow = (of(read, bytes(data), pixels) for read in (rle._unpacked, rle._unpacked_slowly))
        assert quick == slow
        became[isinstance(slow, bytes)] += 1
    assert min(became.values()) > 200
