"""What an NRRD or MetaImage file says of itself, held against its bytes before SimpleITK reads it.

SimpleITK 2.5.7 gives other voxels of a MetaImage or NRRD file whose packed data hold one wrong byte, without a word
(findings/simpleitk_cut_volumes.sh). A header can also name other files to read. So the header is read here, line by
line, and the data are counted and their checksum compared; memory stays small whatever a file unpacks to.

The formats: https://teem.sourceforge.net/nrrd/format.html, https://itk.org/Wiki/ITK/MetaIO/Documentation.
"""

from __future__ import annotations

import math
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from lesion_measure.files.reading import open_regular
from lesion_measure.image.volumes.volume import MAX_VOLUME_BYTES, refused

NRRD, META = ".nrrd", ".mha"
_MOST_LINE, _MOST_LINES = 1 << 16, 4096
_CHUNK = 1 << 18
_GZIP, _ZLIB = 31, 15  # zlib's names of the two wrappers
_SIZE = re.compile(r"[1-9][0-9]{0,8}")
_META_LINE = re.compile(r"([A-Za-z0-9_|]+) ?= ?(.*)")
_NRRD_TYPES = {
    **dict.fromkeys(("signed char", "int8", "int8_t", "uchar", "unsigned char", "uint8", "uint8_t"), 1),
    **dict.fromkeys(("short", "short int", "signed short", "signed short int", "int16", "int16_t"), 2),
    **dict.fromkeys(("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"), 2),
    **dict.fromkeys(("int", "signed int", "int32", "int32_t", "uint", "unsigned int", "uint32", "uint32_t"), 4),
    **dict.fromkeys(("longlong", "long long", "int64", "int64_t", "ulonglong", "unsigned long long", "uint64"), 8),
    **dict.fromkeys(("uint64_t", "double"), 8),
    "float": 4,
}
_NRRD_FIELDS = {
    "type", "dimension", "space", "space dimension", "sizes", "space directions", "space origin", "space units",
    "spacings", "thicknesses", "axis mins", "axis maxs", "centers", "centerings", "labels", "units", "kinds", "endian",
    "encoding", "content", "min", "max", "old min", "old max", "sample units", "measurement frame",
}  # fmt: skip
_META_TYPES = {
    **dict.fromkeys(("MET_CHAR", "MET_UCHAR"), 1),
    **dict.fromkeys(("MET_SHORT", "MET_USHORT"), 2),
    **dict.fromkeys(("MET_INT", "MET_UINT", "MET_FLOAT"), 4),
    **dict.fromkeys(("MET_LONG_LONG", "MET_ULONG_LONG", "MET_DOUBLE"), 8),
}


@dataclass(frozen=True, slots=True)
class Stated:
    """What a header says of the voxels after it: sizes by axis, the fastest first, and bytes in all.

    ``wrapper`` is zlib's number of what packs them, None where nothing does; ``packed_bytes`` how many these are, None
    where that is not said.
    """

    sizes: tuple[int, ...]
    voxel_bytes: int
    wrapper: int | None
    packed_bytes: int | None = None

    @property
    def size_bytes(self) -> int:
        """Bytes of all voxels, unpacked."""
        return math.prod(self.sizes) * self.voxel_bytes


def check(path: Path) -> Stated:
    """Read the header of an NRRD or MetaImage file, and see that its voxels are all there and intact.

    Raises
    ------
    InputError
        It is no regular file of the format its name says, names another file, is too large, is packed in a way that
        is not read, or its voxels are cut off, damaged or more than the header says.
    """
    try:
        with open_regular(path) as stream:
            stated = _nrrd(stream, path) if path.name.lower().endswith(NRRD) else _meta(stream, path)
            if not 2 <= len(stated.sizes) <= 4 or stated.size_bytes > MAX_VOLUME_BYTES:
                raise refused("The volume is too large, or not of two or three dimensions.", path)
            _check_data(stream, stated, path)
    except OSError as error:
        raise refused(f"The file cannot be read ({error.strerror}).", path, "Copy it anew.") from error
    return stated


def _check_data(stream: BinaryIO, stated: Stated, path: Path) -> None:
    start = stream.tell()
    rest = stream.seek(0, 2) - start
    stream.seek(start)
    expected = stated.size_bytes if stated.wrapper is None else stated.packed_bytes
    if expected is not None and rest != expected:
        what = "cut off" if rest < expected else "longer than its header says"
        raise refused(f"The file is {what}.", path, "Copy it anew.")
    if stated.wrapper is not None:
        _check_packed(stream, stated.wrapper, stated.size_bytes, path)


def _check_packed(stream: BinaryIO, wrapper: int, size: int, path: Path) -> None:
    unpack = zlib.decompressobj(wrapper)  # it compares the checksum at its end
    count = 0
    try:
        while not unpack.eof and count <= size:
            packed = unpack.unconsumed_tail or stream.read(_CHUNK)
            if not packed:
                raise refused("The file is cut off.", path, "Copy it anew.")
            count += len(unpack.decompress(packed, _CHUNK))
    except zlib.error as error:
        raise refused("The file's packed voxels are damaged.", path, "Copy it anew.") from error
    if count != size or unpack.unused_data or stream.read(1):
        raise refused("The file's voxels are more or fewer than its header says.", path, "Copy it anew.")


def _add(fields: dict[str, str], name: str, value: str, path: Path) -> None:
    if name in fields or len(fields) >= _MOST_LINES:
        raise refused(f"The header says {name[:40]!r} twice, or far too much.", path, "Save the file anew.")
    fields[name] = value.strip()


def nrrd_texts(path: Path) -> dict[str, str]:
    """What a program wrote into an NRRD file's header as its own ``key:=value`` lines.

    Raises
    ------
    InputError
        It is no NRRD file that `check` reads.
    """
    try:
        with open_regular(path) as stream:
            return _nrrd_header(stream, path)[1]
    except OSError as error:
        raise refused(f"The file cannot be read ({error.strerror}).", path, "Copy it anew.") from error


def _nrrd_header(stream: BinaryIO, path: Path) -> tuple[dict[str, str], dict[str, str]]:
    """The header's fields, and a program's own texts."""
    if not re.fullmatch(rb"NRRD000[1-5]\r?\n", stream.readline(16)):
        raise refused("This is no NRRD file.", path, "Save it as NRRD (.nrrd).")
    fields: dict[str, str] = {}
    texts: dict[str, str] = {}
    for _ in range(_MOST_LINES):
        line = _line(stream, path)
        if not line:
            break
        name, colon, value = line.partition(":")
        if line.startswith("#"):
            continue
        if value.startswith("="):
            _add(texts, name, value[1:], path)
            continue
        if name in ("data file", "datafile"):
            raise refused("The header names another file for the voxels.", path, "Save header and voxels as one file.")
        if not colon or name not in _NRRD_FIELDS:
            raise refused(f"The header's field {name[:40]!r} is not read.", path, "Save the file anew, as one .nrrd.")
        _add(fields, name, value, path)
    else:
        raise refused("The header has no end.", path)
    return fields, texts


def _nrrd(stream: BinaryIO, path: Path) -> Stated:
    fields, _ = _nrrd_header(stream, path)
    encoding = fields.get("encoding", "").lower()
    if encoding not in ("raw", "gzip", "gz"):
        raise refused(f"Voxels of encoding {encoding[:40]!r} are not read.", path, "Save them raw or by gzip.")
    sizes = _sizes(fields.get("sizes", ""), fields.get("dimension", ""), path)
    voxel = _NRRD_TYPES.get(fields.get("type", ""))
    return Stated(sizes, _known(voxel, fields.get("type", ""), path), None if encoding == "raw" else _GZIP)


def _meta(stream: BinaryIO, path: Path) -> Stated:
    fields: dict[str, str] = {}
    while "ElementDataFile" not in fields:
        line = _META_LINE.fullmatch(_line(stream, path))
        if line is None:
            raise refused("This is no MetaImage file.", path, "Save it as MetaImage in one file (.mha).")
        _add(fields, line[1], line[2], path)
    if fields["ElementDataFile"] != "LOCAL":
        raise refused("The header names another file for the voxels.", path, "Save header and voxels as one .mha.")
    packed = _truth(fields.get("CompressedData", "False"), path)
    if not _truth(fields.get("BinaryData", "False"), path) or fields.get("HeaderSize", "0") != "0":
        raise refused("The voxels are not stored as plain bytes behind the header.", path, "Save the file anew.")
    sizes = _sizes(fields.get("DimSize", ""), fields.get("NDims", ""), path)
    channels = _sizes(fields.get("ElementNumberOfChannels", "1"), "1", path)
    voxel = _known(_META_TYPES.get(fields.get("ElementType", "")), fields.get("ElementType", ""), path)
    stated = fields.get("CompressedDataSize")
    count = _sizes(stated, "1", path)[0] if packed and stated is not None else None
    return Stated((*channels, *sizes) if channels != (1,) else sizes, voxel, _ZLIB if packed else None, count)


def _line(stream: BinaryIO, path: Path) -> str:
    line = stream.readline(_MOST_LINE)
    if not line.endswith(b"\n"):
        raise refused("The header has no end.", path, "Copy the file anew.")
    return line.decode("utf-8", "replace").rstrip("\r\n")


def _sizes(text: str, count: str, path: Path) -> tuple[int, ...]:
    words = text.split()
    if str(len(words)) != count or not all(_SIZE.fullmatch(word) for word in words):
        raise refused("The header does not say how many voxels there are.", path, "Save the file anew.")
    return tuple(int(word) for word in words)


def _known(voxel_bytes: int | None, name: str, path: Path) -> int:
    if voxel_bytes is None:
        raise refused(f"Voxels of type {name[:40]!r} are not read.", path, "Save it with integer or real voxels.")
    return voxel_bytes


def _truth(word: str, path: Path) -> bool:
    if word not in ("True", "False"):
        raise refused(f"The header says {word[:40]!r} where it is yes or no.", path, "Save the file anew.")
    return word == "True"
