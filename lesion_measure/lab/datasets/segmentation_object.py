"""DICOM Segmentation objects (PS3.3 A.51, C.8.20): which frame of which image each of their frames outlines.

BINARY, FRACTIONAL and LABELMAP segmentations are read, uncompressed or deflated as they are usually written.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from lesion_measure.config import Limits
from lesion_measure.dicom.elements import integer, items, numbers, text, uid
from lesion_measure.dicom.headers import EXPLICIT_LITTLE, IMPLICIT_LITTLE, Header, PixelElement, read_header
from lesion_measure.lab.datasets.files import bad
from lesion_measure.lab.datasets.scheme import LesionLabels
from lesion_measure.lab.datasets.segments import lesion_segments

STORAGE_CLASSES = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
_DEFLATED = "1.2.840.10008.1.2.1.99"
_TAGS = (
    "SOPClassUID", "Modality", "Rows", "Columns", "NumberOfFrames", "BitsAllocated", "SamplesPerPixel",
    "SegmentationType", "MaximumFractionalValue", "SegmentSequence", "ReferencedSeriesSequence",
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
)  # fmt: skip
_MOST_MASKS = 20_000
_MOST_PIXELS = 1 << 30

FrameOf = tuple[str, int]
"""SOP Instance UID and 1-based frame number."""


@dataclass(frozen=True, slots=True)
class _Kind:
    segmentation: str
    bits: int
    rows: int
    columns: int
    half: float


def outlined_frames(
    stream: BinaryIO, path: str, limits: Limits, asked: LesionLabels
) -> Iterator[tuple[FrameOf, NDArray[np.bool_]]] | None:
    """The frames that a segmentation outlines, each with the mask (rows, columns) of one lesion segment.

    None where the stream holds no segmentation. Which segments are lesions says `segments.lesion_segments`.
    A mask may be empty: the writer states that there is nothing. Frames that are not stored are not stated.

    Raises
    ------
    InputError
        The object is damaged, too large, compressed, or does not say which frames it outlines or what is a lesion.
    """
    # pydicom's remarks on values can quote them, and would go to the user's screen.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        header = read_header(stream, _TAGS, limits.header_bytes, inflated_bytes=limits.zip_member_bytes)
        storage = text(header.dataset, "SOPClassUID") or text(header.meta, "MediaStorageSOPClassUID")
        return _parsed(header, path, asked) if storage in STORAGE_CLASSES else None


def _parsed(header: Header, path: str, asked: LesionLabels) -> Iterator[tuple[FrameOf, NDArray[np.bool_]]]:
    dataset = header.dataset
    kind = _kind(dataset, path)
    frames = integer(dataset, "NumberOfFrames") or 1
    lesions = lesion_segments(dataset, path, asked)
    masks = frames * (len(lesions) if kind.segmentation == "LABELMAP" else 1)
    if frames < 1 or masks > _MOST_MASKS or masks * kind.rows * kind.columns > _MOST_PIXELS:
        raise bad("The segmentation is too large.", path)
    pixels = _pixels(header, kind, frames, path)
    groups = items(dataset, "PerFrameFunctionalGroupsSequence") or []
    shared = items(dataset, "SharedFunctionalGroupsSequence") or []
    if len(groups) != frames:
        raise bad("The segmentation does not describe each of its frames.", path, "Write it anew.")
    only = _only_instance(dataset)
    places = [(_source([group, *shared], only, path), _segment([group, *shared], kind, path)) for group in groups]
    return _masks(pixels, kind, places, lesions, path)


def _masks(
    pixels: PixelElement, kind: _Kind, places: list[tuple[FrameOf, int]], lesions: set[int], path: str
) -> Iterator[tuple[FrameOf, NDArray[np.bool_]]]:
    start = pixels.stream.tell()
    size = kind.rows * kind.columns
    for index, (frame, segment) in enumerate(places):
        if kind.segmentation != "LABELMAP" and segment not in lesions:
            continue
        first, last = index * size * kind.bits, (index + 1) * size * kind.bits
        pixels.stream.seek(start + first // 8)
        data = pixels.stream.read(math.ceil(last / 8) - first // 8)
        if len(data) * 8 < last - first // 8 * 8:
            raise bad("The segmentation is cut off.", path, "Transfer the file again.")
        if kind.bits == 1:  # frames follow each other bit by bit, the first pixel in the lowest bit (PS3.5 8.1.1)
            values = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")[first % 8 :][:size]
        else:
            values = np.frombuffer(data, "<u1" if kind.bits == 8 else "<u2")
        values = values.reshape(kind.rows, kind.columns)
        if kind.segmentation == "LABELMAP":
            for number in sorted(lesions):
                yield frame, values == number
        else:
            yield frame, values >= kind.half


def _kind(dataset: Dataset, path: str) -> _Kind:
    segmentation = text(dataset, "SegmentationType").upper()
    bits = integer(dataset, "BitsAllocated") or 0
    rows, columns = integer(dataset, "Rows") or 0, integer(dataset, "Columns") or 0
    allowed = {"BINARY": (1,), "FRACTIONAL": (8,), "LABELMAP": (8, 16)}
    if (
        min(rows, columns) < 1
        or bits not in allowed.get(segmentation, ())
        or (integer(dataset, "SamplesPerPixel") != 1)
    ):
        raise bad("The segmentation is of a kind that is not read.", path, "Save it as a BINARY segmentation.")
    most = integer(dataset, "MaximumFractionalValue") or 0
    if segmentation == "FRACTIONAL" and not 1 <= most <= 255:
        raise bad("The fractional segmentation does not state its maximum.", path, "Write it anew.")
    return _Kind(segmentation, bits, rows, columns, most / 2 if segmentation == "FRACTIONAL" else 1)


def _pixels(header: Header, kind: _Kind, frames: int, path: str) -> PixelElement:
    pixels = header.pixels
    if pixels is None or pixels.keyword != "PixelData":
        raise bad("The segmentation has no pixels.", path, "Transfer the file again.")
    if header.transfer_syntax_uid not in (IMPLICIT_LITTLE, EXPLICIT_LITTLE, _DEFLATED) or pixels.length is None:
        raise bad("Compressed segmentations are not read.", path, "Save it uncompressed (Explicit VR Little Endian).")
    if pixels.length < math.ceil(frames * kind.rows * kind.columns * kind.bits / 8):
        raise bad("The segmentation's pixels are shorter than its header says.", path, "Transfer the file again.")
    return pixels


def _segment(groups: list[Dataset], kind: _Kind, path: str) -> int:
    """The segment a frame belongs to (PS3.3 C.8.20.3.1); a label map has all segments in one frame."""
    if kind.segmentation == "LABELMAP":
        return 0
    for group in groups:
        for item in items(group, "SegmentIdentificationSequence") or []:
            number = integer(item, "ReferencedSegmentNumber")
            if number:
                return number
    raise bad("The segmentation does not say which segment a frame belongs to.", path, "Write it anew.")


def _source(groups: list[Dataset], only: FrameOf | None, path: str) -> FrameOf:
    """The one frame that a segmentation frame was drawn on (Derivation Image, PS3.3 C.7.6.16.2.6)."""
    found: set[FrameOf] = set()
    for group in groups:
        for derivation in items(group, "DerivationImageSequence") or []:
            for source in items(derivation, "SourceImageSequence") or []:
                if text(source, "SpatialLocationsPreserved").upper() not in ("", "YES"):
                    raise bad("The segmentation was not drawn on the pixel grid of its image.", path)
                stated = numbers(source, "ReferencedFrameNumber") or [1.0]
                found |= {(uid(source, "ReferencedSOPInstanceUID"), int(frame or 0)) for frame in stated}
        if found:
            break
    if not found and only is not None:
        return only
    if len(found) != 1 or not all(reference and frame >= 1 for reference, frame in found):
        raise bad(
            "The segmentation does not say for each of its frames which one image frame it outlines.",
            path,
            "Write it with derivation images, one source frame each.",
        )
    return found.pop()


def _only_instance(dataset: Dataset) -> FrameOf | None:
    """The first frame of the image that a segmentation refers to as a whole, where that is one image."""
    found = {
        uid(instance, "ReferencedSOPInstanceUID")
        for series in items(dataset, "ReferencedSeriesSequence") or []
        for instance in items(series, "ReferencedInstanceSequence") or []
    }
    return (found.pop(), 1) if len(found) == 1 and "" not in found else None
