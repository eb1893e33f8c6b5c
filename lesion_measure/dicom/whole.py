"""Whether a DICOM file is whole: every element to its last byte, and pixels for each frame that its header states.

For what came over a network: a body that was cut in half under a matching Content-Length still reads as a data set.
"""

from __future__ import annotations

import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pydicom import Dataset

from lesion_measure.config import Limits
from lesion_measure.dicom.elements import integer, text, uid
from lesion_measure.dicom.headers import read_header
from lesion_measure.dicom.spans import PIXEL_DATA, cut_off, dataset_start, spans
from lesion_measure.errors import InputError
from lesion_measure.files.reading import open_regular

DEFLATED = "1.2.840.10008.1.2.1.99"
_VIDEO = "1.2.840.10008.1.2.4.1"  # MPEG2, MPEG-4 and HEVC: .4.100 to .4.108, one stream for all frames
_SUBSAMPLED = {"YBR_FULL_422": 2, "YBR_PARTIAL_422": 2, "YBR_PARTIAL_420": 1.5}
_KEYWORDS = (
    "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "Modality", "Rows", "Columns",
    "SamplesPerPixel", "BitsAllocated", "NumberOfFrames", "PhotometricInterpretation",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Whole:
    """What a whole file says of itself. ``start`` is where its data set begins, ``size`` its bytes."""

    sop_class_uid: str
    sop_instance_uid: str
    study_instance_uid: str
    series_instance_uid: str
    modality: str
    transfer_syntax_uid: str
    start: int
    size: int


def check_whole(path: Path, limits: Limits | None = None) -> Whole:
    """Read the header of a file, and walk over it to its end.

    Raises
    ------
    InputError
        Code ``incomplete``: the file or its pixels are cut off; ``unreadable`` or ``no_file_meta``: it is no DICOM
        file; ``no_uid``: it does not say which instance it is; and those of `read_header`.
    """
    limits = limits or Limits()
    try:
        with open_regular(path) as stream, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydicom's remarks can quote values
            start = dataset_start(stream)
            stream.seek(0)
            header = read_header(
                stream,
                _KEYWORDS,
                limits.header_bytes,
                inflated_bytes=limits.zip_member_bytes,
                before_pixels_bytes=limits.before_pixels_bytes,
            )
            declared = text(header.meta, "TransferSyntaxUID") or header.transfer_syntax_uid
            stated = header.dataset
            if declared == DEFLATED:
                _check_inflates(stream, start, limits.zip_member_bytes)
                if header.pixels is not None and header.pixels.length is not None:
                    _check_native(stated, header.pixels.length)
            else:
                _check_elements(stream, start, declared, stated, limits.nesting)
            size = stream.seek(0, 2)
            named = {keyword: uid(stated, keyword) for keyword in _KEYWORDS[:4]}
    except OSError as error:
        raise InputError(f"The file cannot be read ({error.strerror}).", code="unreadable") from error
    if not all(named.values()):
        raise InputError(
            "The file does not say which instance, series and study it is.", remedy="Export it again.", code="no_uid"
        )
    return Whole(
        sop_class_uid=named["SOPClassUID"], sop_instance_uid=named["SOPInstanceUID"],
        study_instance_uid=named["StudyInstanceUID"], series_instance_uid=named["SeriesInstanceUID"],
        modality=text(stated, "Modality"), transfer_syntax_uid=declared, start=start, size=size,
    )  # fmt: skip


def _check_elements(stream: BinaryIO, start: int, syntax: str, stated: Dataset, nesting: int) -> None:
    pixels = None
    for span in spans(stream, start, syntax, nesting):
        if span.tag == PIXEL_DATA:
            pixels = span
    if pixels is None:
        if integer(stated, "Rows") and integer(stated, "BitsAllocated"):
            raise cut_off("Its header describes an image, and there are no pixels.")
    elif pixels.fragments is None:
        _check_native(stated, pixels.end - pixels.start)
    else:
        frames = 1 if syntax.startswith(_VIDEO) else max(integer(stated, "NumberOfFrames") or 1, 1)
        if pixels.fragments < frames:
            raise cut_off(f"Its header states {frames} frames, and there are {pixels.fragments} fragments.")


def _check_native(stated: Dataset, length: int) -> None:
    """Refuse fewer bytes than rows x columns x samples x bits x frames ask for (PS3.5 8.1.1)."""
    rows, columns = integer(stated, "Rows") or 0, integer(stated, "Columns") or 0
    frames, bits = max(integer(stated, "NumberOfFrames") or 1, 1), integer(stated, "BitsAllocated") or 8
    photometric = text(stated, "PhotometricInterpretation").upper()
    samples = _SUBSAMPLED.get(photometric) or integer(stated, "SamplesPerPixel") or 1
    asked = int(rows * columns * samples * frames * bits + 7) // 8
    if length < asked:
        raise cut_off(f"Its header asks for {asked} bytes of pixels, and {length} are there.")


def _check_inflates(stream: BinaryIO, start: int, most: int) -> None:
    """A deflated data set (PS3.5 A.5) ends where its own stream says."""
    inflater, count = zlib.decompressobj(-zlib.MAX_WBITS), 0
    stream.seek(start)
    while not inflater.eof:
        packed = inflater.unconsumed_tail or stream.read(1 << 16)
        if not packed:
            raise cut_off("Its deflated data set does not end.")
        try:
            count += len(inflater.decompress(packed, 1 << 20))
        except zlib.error as error:
            raise cut_off("Its deflated data set is damaged.") from error
        if count > most:
            raise InputError(
                f"The deflated data set unpacks to more than {most} bytes.",
                remedy="Raise limits.zip_member_bytes if the file can be trusted.", code="header_too_large",
            )  # fmt: skip
