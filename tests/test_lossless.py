"""JPEG lossless of more than 8 bits: against libjpeg-turbo at 8 bits, and against GDCM at more."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import simplejpeg
from numpy.typing import NDArray
from pydicom import dcmread

from dicom_writing import LOSSLESS, LOSSLESS_SV1, lossless, screen, write
from lesion_measure.dicom.frames import FrameReader, codestream
from lesion_measure.dicom.lossless import decode
from lesion_measure.errors import PixelError

GRAY = np.ascontiguousarray(screen(40, 56)[..., 0])
SMALL = GRAY[:20, 10:30].astype(int)


def decoded(data: bytes) -> NDArray[Any]:
    return decode(data, codestream.inspect(data)).astype(int)


@pytest.mark.parametrize("predictor", range(1, 8))
@pytest.mark.parametrize("restart_rows", [0, 1, 7])
def test_like_libjpeg_turbo_at_8_bits(predictor: int, restart_rows: int) -> None:
    data = lossless(GRAY, 8, predictor, restart_rows)
    assert np.array_equal(simplejpeg.decode_jpeg(data, "GRAY")[..., 0], GRAY)
    assert np.array_equal(decoded(data), GRAY)


@pytest.mark.parametrize("bits", [9, 10, 12, 14, 16])
@pytest.mark.parametrize("predictor", range(1, 8))
@pytest.mark.parametrize(("restart_rows", "shift"), [(0, 0), (3, 0), (0, 2)])
def test_like_gdcm(tmp_path: Path, predictor: int, bits: int, restart_rows: int, shift: int) -> None:
    noise = np.random.default_rng(bits).integers(0, 1 << bits, (12, 17))
    data = lossless(noise, bits, predictor, restart_rows, shift)
    syntax = LOSSLESS_SV1 if predictor == 1 else LOSSLESS
    instance = write(tmp_path, [data], noise.shape, syntax, BitsAllocated=16, BitsStored=bits)
    dataset = dcmread(instance.location.file)
    dataset.pixel_array_options(decoding_plugin="gdcm")
    assert np.array_equal(dataset.pixel_array, noise >> shift << shift)
    assert np.array_equal(decoded(data), noise >> shift << shift)
    with FrameReader(instance) as reader:
        assert np.array_equal(reader.luminance(1), np.rint((noise >> shift << shift) * 255 / ((1 << bits) - 1)))


def test_largest_difference() -> None:
    """Size 16 stands for the difference of 32768 alone, and no bits follow it (T.81 H.1.2.2)."""
    image = np.array([[32768, 0, 32768, 65535, 0, 32768]] * 2)
    assert np.array_equal(decoded(lossless(image, 16, 1)), image)


@pytest.mark.parametrize("bits", [12, 16])
class TestDamage:
    def test_cut_off_anywhere(self, bits: int) -> None:
        """With and without an end marker; a decoder that fills up what is missing would invent pixels."""
        data = lossless(SMALL << (bits - 8), bits, 4)
        for end in range(2, len(data) - 3):
            for tail in (b"", b"\xff\xd9"):
                with pytest.raises(PixelError):
                    decoded(data[:end].rstrip(b"\xff") + tail)

    def test_any_byte_changed(self, bits: int) -> None:
        data = lossless(SMALL << (bits - 8), bits, 7, 5)
        for place in range(len(data)):
            for value in (0, 255, data[place] ^ 16):
                damaged = bytearray(data)
                damaged[place] = value
                with contextlib.suppress(PixelError):
                    header = codestream.inspect(bytes(damaged))
                    if (header.rows, header.columns) == SMALL.shape:
                        assert decode(bytes(damaged), header).shape == SMALL.shape

    @pytest.mark.parametrize(
        ("find", "offset", "value"),
        [
            (b"\xff\xda", 4, 2), (b"\xff\xda", 6, 0x30), (b"\xff\xda", 7, 0), (b"\xff\xda", 7, 8),
            (b"\xff\xc4", 5, 200), (b"\xff\xc4", 22, 17), (b"\xff\xdd", 5, 41),
        ],
    )  # fmt: skip
    def test_header(self, bits: int, find: bytes, offset: int, value: int) -> None:
        data = bytearray(lossless(SMALL << (bits - 8), bits, 1, 2))
        data[data.index(find) + offset] = value
        with pytest.raises(PixelError):
            decoded(bytes(data))

    @pytest.mark.parametrize(("restart_rows", "what"), [(5, "restart intervals"), (0, "bytes")])
    def test_more_rows_than_the_headers_say(self, tmp_path: Path, bits: int, restart_rows: int, what: str) -> None:
        """The file's own header and that of the stream agree on 15 rows of 20: the picture would be cut off below."""
        data = bytearray(lossless(SMALL << (bits - 8), bits, 1, restart_rows))
        rows = data.index(b"\xff\xc3") + 5
        data[rows : rows + 2] = (15).to_bytes(2, "big")
        instance = write(tmp_path, [bytes(data)], (15, 20), LOSSLESS_SV1, BitsAllocated=16, BitsStored=bits)
        with FrameReader(instance) as reader, pytest.raises(PixelError, match=f"{what} are left over behind the last"):
            reader.luminance(1)
