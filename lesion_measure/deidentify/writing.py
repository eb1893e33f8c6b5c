"""A new file from a new data set (PS3.10 7): nothing of the old one's preamble, meta information or end is in it."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from lesion_measure.errors import InputError
from lesion_measure.files.writing import remove, streaming

_PIXEL_DATA = b"\xe0\x7f\x10\x00"
_ITEM, _END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0\0\0\0\0"


@dataclass(frozen=True, slots=True)
class Pixels:
    """Pixel data to write: ``frames`` as bytes, one after the other, each an item where ``encapsulated``.

    ``length`` is that of all bytes where they are not.
    """

    transfer_syntax: str
    vr: str
    frames: Iterable[bytes]
    encapsulated: bool
    length: int = 0


def write_file(path: Path, dataset: Dataset, pixels: Pixels | None, *, implicit: bool) -> int:
    """Write a DICOM file, its pixels frame by frame; returns how many bytes lie before its pixels.

    Parameters
    ----------
    path
        The file; its folder is there.
    dataset
        The header, without pixels.
    pixels
        None for an object that has none.
    implicit
        Whether to write implicit VR where the pixels leave the choice.

    Raises
    ------
    WriteError
        The disk refuses it.
    InputError
        A frame cannot be decoded; there is no file then.
    """
    meta = FileMetaDataset()
    plain = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
    meta.TransferSyntaxUID = plain if pixels is None else UID(pixels.transfer_syntax)
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = dataset.SOPClassUID, dataset.SOPInstanceUID
    dataset.file_meta, dataset.preamble = meta, bytes(128)
    try:
        with streaming(path) as stream:
            # Compressed files' headers are explicit little endian (PS3.5 A.4); pixels come last, as their tag asks for.
            dcmwrite(stream, dataset, enforce_file_format=True)
            header_bytes = stream.tell()
            if pixels is not None:
                _append(stream, pixels, implicit=meta.TransferSyntaxUID == ImplicitVRLittleEndian)
    except InputError:
        remove(path)  # a frame that cannot be decoded costs its file
        raise
    return header_bytes


def _append(stream: BinaryIO, pixels: Pixels, *, implicit: bool) -> None:
    padded = 0xFFFFFFFF if pixels.encapsulated else pixels.length + pixels.length % 2
    stream.write(_PIXEL_DATA + (b"" if implicit else pixels.vr.encode() + b"\0\0") + struct.pack("<L", padded))
    if pixels.encapsulated:
        stream.write(_ITEM + struct.pack("<L", 0))  # no table of offsets: one item is one frame
    written = 0
    for frame in pixels.frames:
        data = frame + b"\0" * (len(frame) % 2 if pixels.encapsulated else 0)
        if pixels.encapsulated:
            stream.write(_ITEM + struct.pack("<L", len(data)))
        stream.write(data)
        written += len(data)
    if pixels.encapsulated:
        stream.write(_END)
    elif written % 2:
        stream.write(b"\0")
