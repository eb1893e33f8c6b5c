"""Small images in every encoding with one bright ellipse of known size, as whole files, to be damaged."""

from __future__ import annotations

import io
import warnings
import zipfile
from functools import cache

import jpeg_ls
import numpy as np
import simplejpeg
from numpy.typing import NDArray
from openjpeg.utils import encode_array as j2k_encode
from pydicom import Dataset
from pydicom.encaps import encapsulate
from rle.utils import encode_array as rle_encode

from dicom_writing import JPEG, JPEG_2000_LOSSLESS, JPEG_LS, LOSSLESS_SV1, RLE, lossless
from header_files import US_MULTI, image, written

ROWS, COLUMNS = 72, 96
ROW_MM, COL_MM = 0.25, 0.25
CENTRE, HALF_AXES = (35.0, 47.0), (14.0, 26.0)
LONG_AXIS_MM = 2 * HALF_AXES[1] * COL_MM


@cache
def picture(seed: int = 0) -> NDArray[np.uint8]:
    """Gray (rows, columns): dark speckle, and the ellipse clearly brighter than all of it."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:ROWS, :COLUMNS]
    inside = ((rows - CENTRE[0]) / HALF_AXES[0]) ** 2 + ((columns - CENTRE[1]) / HALF_AXES[1]) ** 2 <= 1
    return np.where(inside, rng.integers(190, 210, inside.shape), rng.integers(20, 60, inside.shape)).astype(np.uint8)


def header(**changes: object) -> Dataset:
    """An ultrasound image whose region is the whole picture, with its scale stated twice."""
    found = image(
        Rows=ROWS, Columns=COLUMNS, PixelData=None, ImageType=["ORIGINAL", "PRIMARY", "ABDOMINAL", "0001"], **changes
    )
    region = found.SequenceOfUltrasoundRegions[0]
    region.RegionLocationMinX0 = region.RegionLocationMinY0 = 0
    region.RegionLocationMaxX1, region.RegionLocationMaxY1 = COLUMNS - 1, ROWS - 1
    region.PhysicalDeltaX, region.PhysicalDeltaY = COL_MM / 10, ROW_MM / 10
    return found


def file(syntax: str, pixels: bytes | list[bytes], **changes: object) -> bytes:
    """A whole file of native pixels, or of compressed frames."""
    found = header(**changes)
    found.PixelData = pixels if isinstance(pixels, bytes) else encapsulate(pixels)
    found["PixelData"].VR = "OB" if found.BitsAllocated == 8 else "OW"
    found["PixelData"].is_undefined_length = not isinstance(pixels, bytes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return written(found, f"1.2.840.10008.1.2{syntax}")


@cache
def small_images() -> dict[str, bytes]:
    """Files by the name of their encoding; each shows the ellipse in its first frame."""
    gray = picture()
    colour = np.repeat(gray[..., None], 3, axis=2)
    ybr = {"SamplesPerPixel": 3, "PhotometricInterpretation": "YBR_FULL_422", "PlanarConfiguration": 0}
    rgb = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "PlanarConfiguration": 0}
    deep = {"BitsAllocated": 16, "BitsStored": 12, "HighBit": 11}
    cine = {"SOPClassUID": US_MULTI, "NumberOfFrames": 2, "FrameTime": "40", "FrameIncrementPointer": 0x00181063}
    jpeg = [simplejpeg.encode_jpeg(picture(seed)[..., None], 90, "GRAY") for seed in range(2)]
    run_lengths = rle_encode(
        gray, rows=ROWS, columns=COLUMNS, samples_per_pixel=1, bits_allocated=8, number_of_frames=1
    )
    found = {
        "implicit": file("", gray.tobytes()),
        "explicit": file(".1", gray.tobytes(), PixelSpacing=[ROW_MM, COL_MM]),
        "big_endian": file(".2", gray.tobytes()),
        "deflated": file(".1.99", gray.tobytes()),
        "rgb": file(".1", colour.tobytes(), **rgb),
        "cine": file(".1", gray.tobytes() + picture(1).tobytes(), **cine),
        "jpeg": file(JPEG, jpeg[:1]),
        "jpeg_colour": file(JPEG, [simplejpeg.encode_jpeg(colour, 90)], **ybr),
        "jpeg_cine": file(JPEG, jpeg, **cine),
        "jpeg_lossless": file(LOSSLESS_SV1, [lossless(gray.astype(int) * 16, 12, 1)], **deep),
        "jpeg_ls": file(JPEG_LS, [bytes(jpeg_ls.encode_array(gray))]),
        "jpeg_2000": file(JPEG_2000_LOSSLESS, [bytes(j2k_encode(gray, photometric_interpretation=2))]),
        "rle": file(RLE, [bytes(each) for each in run_lengths]),
    }  # fmt: skip
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("image.dcm", found["explicit"])
    return found | {"zip": packed.getvalue()}
