"""NIfTI-1 volumes in one file, ``.nii`` or ``.nii.gz``, as untrusted input.

The format: https://nifti.nimh.nih.gov/pub/dist/src/niftilib/nifti1.h. The first axis of the file counts columns, the
second rows, the third slices, which is how ITK, and so nnU-Net and 3D Slicer, write a picture; voxels are kept in
the order they are stored, never turned by the affine.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from lesion_measure.files.reading import open_regular
from lesion_measure.image.volumes.volume import MAX_VOLUME_BYTES, Volume, refused

SUFFIXES = (".nii.gz", ".nii")
_HEADER_BYTES = 348
_NIFTI_2_HEADER_BYTES = 540
_MOST_EXTENSION_BYTES = 1 << 24
_BYTE, _RGB = 2, 128
_TYPES = {
    _BYTE: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", _RGB: "u1", 256: "i1", 512: "u2", 768: "u4", 1024: "i8",
    1280: "u8",
}  # fmt: skip


def read_nifti(path: Path) -> Volume:
    """Read one volume; memory is bounded by `MAX_VOLUME_BYTES` whatever the file unpacks to.

    Raises
    ------
    InputError
        It is no NIfTI-1 file, too large, cut off, of more than three dimensions or of a type that is no picture.
    """
    try:
        with open_regular(path) as file:
            if not path.name.lower().endswith(".gz"):
                return _read(file, path)
            with gzip.open(file) as unpacked:
                return _read(cast("BinaryIO", unpacked), path)
    except (OSError, EOFError, zlib.error) as error:
        raise refused("The NIfTI file cannot be read or is damaged.", path, "Copy it anew.") from error


def _read(stream: BinaryIO, path: Path) -> Volume:
    header = stream.read(_HEADER_BYTES)
    order = next((o for o in "<>" if header[:4] == struct.pack(f"{o}i", _HEADER_BYTES)), None)
    if len(header) < _HEADER_BYTES or order is None or header[344:348] != b"n+1\0":
        second = header[:4] in (struct.pack("<i", _NIFTI_2_HEADER_BYTES), struct.pack(">i", _NIFTI_2_HEADER_BYTES))
        what = "This is a NIfTI-2 file." if second else "This is no NIfTI-1 file."
        raise refused(what, path, "Save it as NIfTI-1 (.nii or .nii.gz).")
    code, bits = struct.unpack_from(f"{order}2h", header, 70)
    if code not in _TYPES:
        raise refused(f"Voxels of NIfTI type {code} are not read.", path, "Save it with integer or real voxels.")
    kind = np.dtype(order + _TYPES[code])
    shape, planes = _shape(struct.unpack_from(f"{order}8h", header, 40), code, path)
    full = (*shape, 3) if code == _RGB else (*planes, *shape)
    size = int(np.prod(full, dtype=object)) * kind.itemsize
    offset = _finite(struct.unpack_from(f"{order}f", header, 108)[0], path)
    if size > MAX_VOLUME_BYTES or bits != 8 * kind.itemsize * (3 if code == _RGB else 1):
        raise refused("The volume is too large, or its header contradicts itself.", path)
    if not _HEADER_BYTES <= offset <= _MOST_EXTENSION_BYTES or offset != int(offset):
        raise refused("The header does not say where the voxels begin.", path)
    stream.read(int(offset) - _HEADER_BYTES)
    data = stream.read(size)
    if len(data) < size:
        raise refused("The file is cut off.", path, "Copy it anew.")
    if stream.read(1):  # a packed file compares its checksum only at its end
        raise refused("The file is longer than its header says.", path, "Copy it anew.")
    stored = np.frombuffer(data, kind).astype(kind.newbyteorder("="), copy=False).reshape(full)
    slope, inter = struct.unpack_from(f"{order}2f", header, 112)
    sform, qform, voxel_mm = _places(header, order, path)
    voxels = np.moveaxis(stored, 0, -1) if planes else _scaled(stored, slope, inter, code, path)
    return Volume(voxels, sform, qform, voxel_mm)


def _shape(dim: tuple[int, ...], code: int, path: Path) -> tuple[tuple[int, int, int], tuple[int, ...]]:
    """(slices, rows, columns) from the header's dim; and (3,) where red, green and blue are volumes of their own.

    ITK writes 8-bit colours so, as the fifth dimension.
    """
    count, sizes = dim[0], dim[1:]
    if not 2 <= count <= 7 or min(sizes[:count]) < 1:
        raise refused("The volume does not have two or three dimensions.", path, "Save every time point by itself.")
    more = [size for size in sizes[3:count] if size > 1]
    planes = (3,) if more == [3] and count == 5 and sizes[4] == 3 and code == _BYTE else ()
    if more and not planes:
        raise refused("The volume does not have two or three dimensions.", path, "Save every time point by itself.")
    return ((sizes[2] if count >= 3 else 1), sizes[1], sizes[0]), planes


def _scaled(stored: NDArray[np.generic], slope: float, inter: float, code: int, path: Path) -> NDArray[np.generic]:
    """The values that the stored ones stand for; a slope of 0 means as they are, RGB is never scaled."""
    values: NDArray[Any] = stored
    if code != _RGB and slope != 0 and (slope, inter) != (1, 0):
        values = stored.astype(np.float32) * np.float32(_finite(slope, path)) + np.float32(_finite(inter, path))
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise refused(
            f"The volume holds {int((~np.isfinite(values)).sum())} values that are not finite.", path, "Write 0 there."
        )
    return values


def _places(
    header: bytes, order: str, path: Path
) -> tuple[NDArray[np.float64] | None, NDArray[np.float64] | None, float]:
    qform_code, sform_code = struct.unpack_from(f"{order}2h", header, 252)
    pixdim = np.array(struct.unpack_from(f"{order}8f", header, 76), dtype=np.float64)
    rows = np.array(struct.unpack_from(f"{order}12f", header, 280), dtype=np.float64)
    turned = np.array(struct.unpack_from(f"{order}6f", header, 256), dtype=np.float64)
    sform = rows if sform_code > 0 else None
    pixdim[0] = -1 if pixdim[0] < 0 else 1  # the handedness; 0 means 1
    qform = np.concatenate([turned, pixdim[:4]]) if qform_code > 0 else None
    if any(form is not None and not np.isfinite(form).all() for form in (sform, qform)):
        raise refused("The header's statement of where the voxels lie is not finite.", path)
    sizes = np.abs(pixdim[1:3])
    voxel_mm = float(sizes.min()) if np.isfinite(sizes).all() and sizes.min() > 0 else 1.0
    return sform, qform, voxel_mm


def _finite(value: float, path: Path) -> float:
    if not np.isfinite(value):
        raise refused("The header holds a number that is not finite.", path)
    return value
