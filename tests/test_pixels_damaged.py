"""Damaged compressed pixels: what can be known is refused or said; docs/damaged_files.md says what cannot."""

from __future__ import annotations

import random
from pathlib import Path

import jpeg_ls
import numpy as np
import pytest
from openjpeg.utils import encode_array as j2k_encode

from dicom_writing import JPEG, JPEG_2000, JPEG_LS, LOSSLESS_SV1, lossless, screen, write
from lesion_measure.dicom.frames import FrameReader
from lesion_measure.errors import PixelError
from pixel_files import frame, pil, refused

PICTURE = screen(240, 320)
GRAY = np.ascontiguousarray(PICTURE[..., 0])
YBR = {"PhotometricInterpretation": "YBR_FULL_422"}
TWELVE = {"BitsAllocated": 16, "BitsStored": 12}
STREAMS = {
    "jpeg": (pil(PICTURE, "RGB", quality=90), PICTURE.shape, JPEG, YBR),
    "progressive": (pil(PICTURE, "RGB", quality=90, progressive=True), PICTURE.shape, JPEG, YBR),
    "lossless": (lossless(GRAY, 8, 1), GRAY.shape, LOSSLESS_SV1, {}),
    "12 bits": (lossless(GRAY.astype(int) * 16, 12, 1), GRAY.shape, LOSSLESS_SV1, TWELVE),
    "jpeg-ls": (bytes(jpeg_ls.encode_array(GRAY)), GRAY.shape, JPEG_LS, {}),
    "jpeg 2000": (j2k_encode(PICTURE, photometric_interpretation=1, use_mct=True), PICTURE.shape, JPEG_2000, {}),
}


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("start", [0.3, 0.5, 0.8])
def test_a_stream_whose_rest_is_zero(tmp_path: Path, name: str, start: float) -> None:
    data, shape, syntax, attributes = STREAMS[name]
    first = int(len(data) * start)
    damaged = data[:first] + bytes(len(data) - 2 - first) + data[-2:]
    code = refused(lambda: write(tmp_path, [damaged], shape, syntax, **attributes))
    assert code in ("pixels_damaged", "pixels_disagree")


@pytest.mark.parametrize("name", [name for name in STREAMS if name != "jpeg 2000"])
def test_one_byte_in_a_hundred(tmp_path: Path, name: str) -> None:
    """Of 20 streams with random bytes in them, none is another picture without a word."""
    data, shape, syntax, attributes = STREAMS[name]
    whole = frame(write(tmp_path, [data], shape, syntax, **attributes))[0]
    for seed in range(20):
        rng = random.Random(seed)
        damaged = bytearray(data)
        for _ in range(len(data) // 100):
            damaged[rng.randrange(len(data) // 10, len(data) - 2)] = rng.randrange(256)
        try:
            with FrameReader(write(tmp_path, [bytes(damaged)], shape, syntax, **attributes)) as reader:
                shown = reader.luminance(1)
                said = reader.warnings
        except PixelError:
            continue
        assert said or np.mean(np.abs(shown.astype(int) - whole) > 2) < 0.01, seed


@pytest.mark.parametrize("name", STREAMS)
def test_the_end_of_a_stream(tmp_path: Path, name: str) -> None:
    data, shape, syntax, attributes = STREAMS[name]
    for padding in (b"", b"\x00", b"\xff\x00", bytes(100)):
        assert frame(write(tmp_path, [data + padding], shape, syntax, **attributes))[2] == ()
    said = frame(write(tmp_path, [data + b"\x12\x34" * 9], shape, syntax, **attributes))[2]
    assert said == ("Bytes that belong to no image follow the end of the compressed one.",)
    if name != "jpeg 2000":
        said = frame(write(tmp_path, [data[:-2]], shape, syntax, **attributes))[2]
        assert said == ("The compressed image has no end marker; its last part may be missing.",)


@pytest.mark.parametrize("name", STREAMS)
def test_bytes_that_are_too_many_before_the_end(tmp_path: Path, name: str) -> None:
    data, shape, syntax, attributes = STREAMS[name]
    more = data[:-2] + b"\x12\x34\x56\x78" * 20 + data[-2:]
    if name == "jpeg 2000":  # the tile part says where it ends
        start = data.rindex(b"\xff\x90\x00\x0a")
        more = more[: start + 6] + (len(more) - 2 - start).to_bytes(4, "big") + more[start + 10 :]
    assert refused(lambda: write(tmp_path, [more], shape, syntax, **attributes)) == "pixels_damaged"
