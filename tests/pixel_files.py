"""What the tests of pixels share: a screen in colour and in gray, and JPEG bytes of every kind."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from dicom_writing import (
    screen,
)
from lesion_measure.dicom.frames import FrameReader
from lesion_measure.errors import PixelError
from lesion_measure.records import Instance

Array = NDArray[Any]
RGB = screen()
GRAY = np.ascontiguousarray(RGB[..., 0])
SHAPE = RGB.shape


def bt601(rgb: Array) -> Array:
    """Luminance of ITU-R BT.601, rounded half up, in exact integers."""
    return ((rgb.astype(int) @ np.array([299, 587, 114]) + 500) // 1000).astype(np.uint8)


def frame(instance: Instance, number: int = 1) -> tuple[Array, Array, tuple[str, ...]]:
    """Luminance, display and warnings of one frame, asked for twice: later frames of a cine build on the first."""
    with FrameReader(instance) as reader:
        gray, rgb = reader.luminance(number), reader.display(number)
        assert np.array_equal(gray, reader.luminance(number))
        assert np.array_equal(rgb, reader.display(number))
        assert gray.dtype == rgb.dtype == np.uint8
        assert rgb.shape == (*gray.shape, 3)
        return gray, rgb, reader.warnings


def refused(make: Callable[[], Instance], number: int = 1) -> str:
    """Code of the error that reading a frame gives, which has to name file, reason and remedy."""
    with pytest.raises(PixelError) as caught:
        frame(make(), number)
    assert caught.value.path == "image.dcm"
    assert caught.value.reason
    assert caught.value.remedy
    return caught.value.code


def pil(image: Array, mode: str, **options: Any) -> bytes:
    """JPEG bytes by Pillow of an array whose channels are taken as ``mode``."""
    buffer = io.BytesIO()
    Image.frombytes(mode, image.shape[1::-1], np.ascontiguousarray(image).tobytes()).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def unmarked(data: bytes) -> bytes:
    """A JPEG without JFIF and Adobe markers."""
    out, position = data[:2], 2
    while data[position + 1] != 0xDA:
        end = position + 2 + struct.unpack(">H", data[position + 2 : position + 4])[0]
        if data[position + 1] not in (0xE0, 0xEE):
            out += data[position:end]
        position = end
    return out + data[position:]


def adobe(data: bytes, transform: int) -> bytes:
    """The JPEG with an Adobe marker."""
    return data[:2] + b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00" + bytes([transform]) + unmarked(data)[2:]
