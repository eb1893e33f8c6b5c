"""NIfTI-1 and NIfTI-2 volumes in one file, ``.nii`` or ``.nii.gz``, as untrusted input.

The formats: nifti1.h and nifti2.h of https://nifti.nimh.nih.gov/pub/dist/src/niftilib. The first axis of the file
counts columns, the second rows, the third slices, which is how ITK, and so nnU-Net and 3D Slicer, write a picture;
voxels are kept in the order they are stored, never turned by the affine.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from lesion_measure.files.reading import open_regular
from lesion_measure.image.volumes.volume import MAX_VOLUME_BYTES, Volume, refused

SUFFIXES = (".nii.gz", ".nii")
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
        It is no NIfTI file, too large, cut off, of more than three dimensions or of a type that is no picture.
    """
    try:
        with open_regular(path) as file:
            if not path.name.lower().endswith(".gz"):
                return _read(file, path)
            with gzip.open(file) as unpacked:
                return _read(cast("BinaryIO", unpacked), path)
    except (OSError, EOFError, zlib.error) as error:
        raise refused("The NIfTI file cannot be read or is damaged.", path, "Copy it anew.") from error


@dataclass(frozen=True, slots=True)
class _Fields:
    """Where a version of the header keeps what is read of it: offsets, and how numbers are written."""

    size: int
    magic: tuple[int, bytes]
    dim: tuple[int, str]
    datatype: int
    pixdim: int
    offset: tuple[int, str]
    slope: int
    forms: tuple[int, str]
    quaternion: int
    rows: int
    real: str


_FIRST = _Fields(348, (344, b"n+1\0"), (40, "8h"), 70, 76, (108, "f"), 112, (252, "2h"), 256, 280, "f")
_SECOND = _Fields(540, (4, b"n+2\0\r\n\x1a\n"), (16, "8q"), 12, 104, (168, "q"), 176, (344, "2i"), 352, 400, "d")


def _read(stream: BinaryIO, path: Path) -> Volume:
    header = stream.read(_FIRST.size)
    known = [(each, order) for each in (_FIRST, _SECOND) for order in "<>"]
    found = next((one for one in known if header[:4] == struct.pack(f"{one[1]}i", one[0].size)), None)
    if found is not None:
        header += stream.read(found[0].size - _FIRST.size)
    if found is None or len(header) < found[0].size or not header[found[0].magic[0] :].startswith(found[0].magic[1]):
        raise refused("This is no NIfTI-1 or NIfTI-2 file.", path, "Save it as one file (.nii or .nii.gz).")
    fields, order = found
    code, bits = struct.unpack_from(f"{order}2h", header, fields.datatype)
    if code not in _TYPES:
        raise refused(f"Voxels of NIfTI type {code} are not read.", path, "Save it with integer or real voxels.")
    kind = np.dtype(order + _TYPES[code])
    shape, planes = _shape(struct.unpack_from(order + fields.dim[1], header, fields.dim[0]), code, path)
    full = (*shape, 3) if code == _RGB else (*planes, *shape)
    size = int(np.prod(full, dtype=object)) * kind.itemsize
    offset = _finite(struct.unpack_from(order + fields.offset[1], header, fields.offset[0])[0], path)
    if size > MAX_VOLUME_BYTES or bits != 8 * kind.itemsize * (3 if code == _RGB else 1):
        raise refused("The volume is too large, or its header contradicts itself.", path)
    if not fields.size <= offset <= _MOST_EXTENSION_BYTES or offset != int(offset):
        raise refused("The header does not say where the voxels begin.", path)
    stream.read(int(offset) - fields.size)
    data = stream.read(size)
    if len(data) < size:
        raise refused("The file is cut off.", path, "Copy it anew.")
    if stream.read(1):  # a packed file compares its checksum only at its end
        raise refused("The file is longer than its header says.", path, "Copy it anew.")
    stored = np.frombuffer(data, kind).astype(kind.newbyteorder("="), copy=False).reshape(full)
    slope, inter = struct.unpack_from(f"{order}2{fields.real}", header, fields.slope)
    sform, qform, voxel_mm = _places(header, order, fields, path)
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
    header: bytes, order: str, fields: _Fields, path: Path
) -> tuple[NDArray[np.float64] | None, NDArray[np.float64] | None, float]:
    def reals(count: int, place: int) -> NDArray[np.float64]:
        return np.array(struct.unpack_from(f"{order}{count}{fields.real}", header, place), dtype=np.float64)

    qform_code, sform_code = struct.unpack_from(order + fields.forms[1], header, fields.forms[0])
    pixdim, rows, turned = reals(8, fields.pixdim), reals(12, fields.rows), reals(6, fields.quaternion)
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
