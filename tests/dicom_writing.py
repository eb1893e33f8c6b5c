"""Small ultrasound-like DICOM files in any encoding, for the tests."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.filewriter import dcmwrite
from pydicom.uid import UltrasoundImageStorage

from dicom_headers import instance_of
from lesion_measure.records import Instance

IMPLICIT, EXPLICIT, DEFLATED, BIG_ENDIAN = "", ".1", ".1.99", ".2"
ENCAPSULATED_RAW, RLE, JPEG, JPEG_12, LOSSLESS, LOSSLESS_SV1 = ".1.98", ".5", ".4.50", ".4.51", ".4.57", ".4.70"
JPEG_LS, JPEG_2000_LOSSLESS, JPEG_2000 = ".4.80", ".4.90", ".4.91"


def screen(rows: int = 96, columns: int = 128, seed: int = 0) -> NDArray[np.uint8]:
    """RGB picture (rows, columns, 3) like an ultrasound screen: black, a speckled gray fan, a colour box, some text."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:rows, :columns] / np.array([rows, columns]).reshape(2, 1, 1)
    fan = (np.hypot(y, x - 0.5) < 0.95) & (np.abs(x - 0.5) < 0.1 + 0.4 * y)
    gray = np.where(fan, rng.rayleigh(60, (rows, columns)).clip(1, 255), 0)
    image = np.repeat(gray[..., None], 3, axis=2)
    image[rows // 2 : rows // 2 + rows // 6, columns // 2 : columns // 2 + columns // 6] *= (1, 0.3, 0.1)
    image[2 : rows // 12, 2 : columns // 4] = (255, 255, 0)
    return image.astype(np.uint8)


def write(
    folder: Path,
    pixels: bytes | Sequence[bytes],
    shape: Sequence[int],
    syntax: str = EXPLICIT,
    *,
    encapsulated: bytes | None = None,
    vr: str | None = None,
    **attributes: Any,
) -> Instance:
    """Write a file and return its record.

    ``pixels`` is native data, or compressed frames; ``encapsulated`` replaces what is made of them; ``shape`` is
    (rows, columns) or (rows, columns, samples); other keywords are DICOM attributes.
    """
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = f"1.2.840.10008.1.2{syntax}"  # type: ignore[assignment]
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = UltrasoundImageStorage
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3"  # type: ignore[assignment]
    dataset.Rows, dataset.Columns = shape[:2]
    dataset.SamplesPerPixel = shape[2] if len(shape) > 2 else 1
    dataset.PhotometricInterpretation = "RGB" if dataset.SamplesPerPixel == 3 else "MONOCHROME2"
    dataset.BitsAllocated = attributes.get("BitsAllocated", 8)
    dataset.BitsStored = attributes.get("BitsStored", dataset.BitsAllocated)
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = 0
    if dataset.SamplesPerPixel == 3:
        dataset.PlanarConfiguration = 0
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    native = isinstance(pixels, bytes)
    data = (
        pixels if isinstance(pixels, bytes) else encapsulated if encapsulated is not None else encapsulate(list(pixels))
    )
    if native and len(data) % 2:
        data += b"\x00"
    dataset.PixelData = data
    dataset["PixelData"].VR = vr or ("OB" if not native or dataset.BitsAllocated == 8 else "OW")
    dataset["PixelData"].is_undefined_length = not native
    path = folder / "image.dcm"
    dcmwrite(
        path, dataset, enforce_file_format=True, implicit_vr=syntax == IMPLICIT, little_endian=syntax != BIG_ENDIAN
    )
    return instance_of(path)


def lossless(image: NDArray[Any], bits: int, predictor: int, restart_rows: int = 0, shift: int = 0) -> bytes:
    """Lossless JPEG (ITU-T T.81 annex H) of (rows, columns), with one fixed Huffman table of 5-bit codes."""
    rows, columns = image.shape
    x = image.astype(int).tolist()
    body = bytearray()
    digits: list[str] = []
    for r in range(rows):
        first = r % restart_rows == 0 if restart_rows else r == 0
        if first and r:
            body += _packed(digits) + bytes([0xFF, 0xD0 + (r // restart_rows - 1) % 8])
            digits = []
        for c in range(columns):
            a, b, d = x[r][c - 1], x[r - 1][c], x[r - 1][c - 1]
            if first:
                guess = x[r][c - 1] >> shift if c else 1 << (bits - shift - 1)
            elif c == 0:
                guess = b >> shift
            else:
                a, b, d = a >> shift, b >> shift, d >> shift
                guess = (a, b, d, a + b - d, a + ((b - d) >> 1), b + ((a - d) >> 1), (a + b) // 2)[predictor - 1]
            difference = (((x[r][c] >> shift) - guess + 32768) & 0xFFFF) - 32768
            size = 16 if difference == -32768 else abs(difference).bit_length()
            digits.append(f"{size:05b}")
            if 0 < size < 16:
                digits.append(f"{difference if difference > 0 else difference + (1 << size) - 1:0{size}b}")
    body += _packed(digits)
    table = bytes([0, 0, 0, 0, 0, 17, *[0] * 11, *range(17)])
    restart = struct.pack(">BBHH", 0xFF, 0xDD, 4, restart_rows * columns) if restart_rows else b""
    return (
        b"\xff\xd8\xff\xc3" + struct.pack(">HBHHB", 11, bits, rows, columns, 1) + b"\x01\x11\x00"
        + b"\xff\xc4" + struct.pack(">H", 2 + len(table)) + table + restart
        + b"\xff\xda\x00\x08\x01\x01\x00" + bytes([predictor, 0, shift]) + bytes(body) + b"\xff\xd9"
    )  # fmt: skip


def _packed(digits: list[str]) -> bytes:
    """Binary digits as bytes, filled with ones, zeros stuffed after FF."""
    text = "".join(digits)
    text += "1" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big").replace(b"\xff", b"\xff\x00") if text else b""
