"""The header of a segmentation: which frame of which image each of its frames outlines, and of which segment.

Nothing is read by highdicom, which takes headers that contradict themselves (findings/highdicom_wrong_frames.sh).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import BinaryIO

from pydicom import Dataset

from lesion_measure.config import Limits
from lesion_measure.dicom.elements import integer, items, numbers, text, uid
from lesion_measure.dicom.headers import Header, read_header
from lesion_measure.dicom.objects.segmentation.segments import Segment, segments_of
from lesion_measure.errors import InputError

LABELMAP = "LABELMAP"
STORAGE_CLASSES = frozenset(("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7"))
"""Segmentation, and Label Map Segmentation."""
_PIXEL_TAGS = (
    "SOPClassUID", "Modality", "Rows", "Columns", "NumberOfFrames", "BitsAllocated", "SamplesPerPixel",
    "SegmentationType", "MaximumFractionalValue", "ExtendedOffsetTable",
)  # fmt: skip
_TAGS = (
    *_PIXEL_TAGS, "SpecificCharacterSet", "SOPInstanceUID", "SegmentSequence", "ReferencedSeriesSequence",
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence", "ContentCreatorName",
)  # fmt: skip
_BITS = {"BINARY": (1,), "FRACTIONAL": (8,), LABELMAP: (8, 16)}
_MOST_FRAMES = 20_000
_MOST_PIXELS = 1 << 30

FrameOf = tuple[str, int | None]
"""SOP Instance UID of an image, and the 1-based number of its frame; None where none is named."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How the pixels are meant: ``most`` is the value of a pixel that lies wholly in the segment."""

    segmentation: str
    bits: int
    rows: int
    columns: int
    frames: int
    most: int


@dataclass(frozen=True, slots=True)
class SegmentFrame:
    """One frame of the segmentation (1-based): what it outlines; ``segment`` is 0 where it holds all of them."""

    number: int
    source: FrameOf
    segment: int


@dataclass(frozen=True, slots=True)
class Layout:
    """The header of a segmentation; of a frame that cannot be used there is the reason instead."""

    header: Header[Dataset]
    kind: Kind
    segments: dict[int, Segment]
    frames: tuple[SegmentFrame | InputError, ...]

    @property
    def usable(self) -> list[SegmentFrame]:
        """The frames that can be used."""
        return [frame for frame in self.frames if isinstance(frame, SegmentFrame)]

    def masks(self, wanted: set[int]) -> int:
        """How many masks the frames hold of these segments, at most."""
        return self.kind.frames * (len(wanted) if self.kind.segmentation == LABELMAP else 1)


def read_layout(stream: BinaryIO, limits: Limits) -> Layout | None:
    """The header of a segmentation; None where the stream holds none.

    Raises
    ------
    InputError
        The object is damaged, too large, or does not say of each frame what it outlines.
    """
    with warnings.catch_warnings():
        # pydicom's remarks on values can quote them, and would go to the user's screen.
        warnings.simplefilter("ignore")
        header = read_header(
            stream,
            _TAGS,
            limits.header_bytes,
            inflated_bytes=limits.zip_member_bytes,
            before_pixels_bytes=limits.before_pixels_bytes,
        )
        if not _is_segmentation(header):
            return None
        kind = _kind(header.dataset)
        return Layout(header, kind, segments_of(header.dataset), _frames(header.dataset, kind))


def read_kind(stream: BinaryIO, limits: Limits) -> tuple[Header[Dataset], Kind]:
    """How the pixels of a segmentation are stored and meant; raises as `read_layout`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        header = read_header(
            stream,
            _PIXEL_TAGS,
            limits.header_bytes,
            inflated_bytes=limits.zip_member_bytes,
            before_pixels_bytes=limits.before_pixels_bytes,
        )
        if not _is_segmentation(header):
            raise unusable("This is no segmentation any more.", "Run it again on files that stay as they are.")
        return header, _kind(header.dataset)


def unusable(reason: str, remedy: str = "", code: str = "segmentation") -> InputError:
    """The error for a segmentation, or a frame of one, that cannot be used."""
    return InputError(reason, remedy=remedy, code=code)


def _is_segmentation(header: Header[Dataset]) -> bool:
    storage = text(header.dataset, "SOPClassUID") or text(header.meta, "MediaStorageSOPClassUID")
    return storage in STORAGE_CLASSES


def _kind(dataset: Dataset) -> Kind:
    segmentation = text(dataset, "SegmentationType").upper()
    bits = integer(dataset, "BitsAllocated") or 0
    rows, columns = integer(dataset, "Rows") or 0, integer(dataset, "Columns") or 0
    frames = integer(dataset, "NumberOfFrames") if "NumberOfFrames" in dataset else 1
    if min(rows, columns) < 1 or bits not in _BITS.get(segmentation, ()) or integer(dataset, "SamplesPerPixel") != 1:
        raise unusable("The segmentation is of a kind that is not read.", "Save it as a BINARY segmentation.")
    most = integer(dataset, "MaximumFractionalValue") or 0
    if segmentation == "FRACTIONAL" and not 1 <= most <= 255:
        raise unusable("The fractional segmentation does not state its maximum.", "Write it anew.")
    if frames is None or not 1 <= frames <= _MOST_FRAMES or frames * rows * columns > _MOST_PIXELS:
        raise unusable("The segmentation is too large.")
    return Kind(segmentation, bits, rows, columns, frames, most if segmentation == "FRACTIONAL" else 1)


def _frames(dataset: Dataset, kind: Kind) -> tuple[SegmentFrame | InputError, ...]:
    groups = items(dataset, "PerFrameFunctionalGroupsSequence") or []
    shared = items(dataset, "SharedFunctionalGroupsSequence") or []
    if len(groups) != kind.frames:
        raise unusable("The segmentation does not describe each of its frames.", "Write it anew.")
    only = _only_instance(dataset)
    found: list[SegmentFrame | InputError] = []
    for number, group in enumerate(groups, start=1):
        try:
            source = _source([group, *shared], only)
            found.append(SegmentFrame(number, source, _segment([group, *shared], kind)))
        except InputError as error:
            found.append(error)
    return tuple(found)


def _segment(groups: list[Dataset], kind: Kind) -> int:
    """The segment a frame belongs to (PS3.3 C.8.20.3.1); a label map has all segments in one frame."""
    if kind.segmentation == LABELMAP:
        return 0
    for group in groups:
        for item in items(group, "SegmentIdentificationSequence") or []:
            number = integer(item, "ReferencedSegmentNumber")
            if number:
                return number
    raise unusable("The segmentation does not say which segment a frame belongs to.", "Write it anew.")


def _source(groups: list[Dataset], only: FrameOf | None) -> FrameOf:
    """The one frame that a segmentation frame was drawn on (Derivation Image, PS3.3 C.7.6.16.2.6)."""
    found: set[FrameOf] = set()
    for group in groups:
        for derivation in items(group, "DerivationImageSequence") or []:
            for source in items(derivation, "SourceImageSequence") or []:
                if text(source, "SpatialLocationsPreserved").upper() not in ("", "YES"):
                    raise unusable("The segmentation was not drawn on the pixel grid of its image.", _ON_ITS_GRID)
                image = uid(source, "ReferencedSOPInstanceUID")
                stated = numbers(source, "ReferencedFrameNumber") if "ReferencedFrameNumber" in source else []
                found |= {(image, int(frame or 0)) for frame in stated} or {(image, None)}
        if found:
            break
    if not found and only is not None:
        return only
    if len(found) != 1 or not all(image and (frame is None or frame >= 1) for image, frame in found):
        raise unusable(
            "The segmentation does not say for each of its frames which one image frame it outlines.",
            "Write it with derivation images, one source frame each.",
        )
    return found.pop()


def _only_instance(dataset: Dataset) -> FrameOf | None:
    """The image that a segmentation refers to as a whole, where that is one image."""
    found = {
        uid(instance, "ReferencedSOPInstanceUID")
        for series in items(dataset, "ReferencedSeriesSequence") or []
        for instance in items(series, "ReferencedInstanceSequence") or []
    }
    return (found.pop(), None) if len(found) == 1 and "" not in found else None


_ON_ITS_GRID = "Save it on the grid of its image."
