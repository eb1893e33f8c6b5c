"""The masks of a segmentation as drawings, and one mask when it is needed."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from lesion_measure.config import Limits
from lesion_measure.dicom.elements import text, uid
from lesion_measure.dicom.objects.names import person
from lesion_measure.dicom.objects.segmentation.layout import (
    LABELMAP,
    Kind,
    Layout,
    SegmentFrame,
    read_kind,
    read_layout,
    unusable,
)
from lesion_measure.dicom.objects.segmentation.pixels import PixelSource, Values
from lesion_measure.dicom.objects.segmentation.segments import Segment
from lesion_measure.dicom.objects.vocabulary import Meaning
from lesion_measure.errors import InputError
from lesion_measure.files.archive import open_location
from lesion_measure.records import Axis, Drawing, Drawings, Location, ObjectKind, Origin, Refusal, StoredMask

UNNAMED_READER = "SEG"
NOT_A_LESION = "segment_not_lesion"
"""Code of a segment that is another organ or thing: it is listed."""
READERS_OWN = ("MANUAL", "SEMIAUTOMATIC")
_AS_ONES = "its fractions are 0 and 1 of {most} alone: taken as a mask of single bits, as dcmjs writes it so"
_HALF = "its fractions are cut at half of their maximum"
_UNSAID = "the segmentation does not say that the segment is a lesion"


def read_segmentation(
    stream: BinaryIO, path: str, location: Location, limits: Limits, *, automatic: bool = False
) -> Drawings:
    """The masks that a segmentation holds of lesions and of the liver, none of them read yet.

    Parameters
    ----------
    stream
        The file, at its start.
    path, location
        The file, relative to the input; and where its bytes lie, to be opened again for a mask.
    limits
        Bounds on what is read and decoded.
    automatic
        Whether segments count that an algorithm drew by itself (SegmentAlgorithmType AUTOMATIC, PS3.3 C.8.20.2).

    An empty frame is no drawing: that nothing was drawn states no absence. Nothing is raised for an object that cannot
    be used, which is a refusal.
    """
    # pydicom's remarks on values can quote them, and would go to the user's screen.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            layout = read_layout(stream, limits)
            if layout is None:
                raise unusable("This is no segmentation.")
            pixels = PixelSource(layout.header, layout.kind, limits, path)
            return _Reading(layout, path, location, automatic).drawings(pixels)
        except InputError as error:
            return Drawings(refusals=(Refusal.from_error(error, path=path),))


def read_stored_mask(stored: StoredMask, limits: Limits) -> NDArray[np.bool_]:
    """One mask, (rows, columns) of the whole image.

    Raises
    ------
    InputError
        The file cannot be opened or has changed, or the frame is damaged.
    """
    with open_location(stored.location, limits) as stream:
        header, kind = read_kind(stream, limits)
        if header.sha256 != stored.header_sha256 or not 1 <= stored.frame <= kind.frames:
            raise unusable("The segmentation has changed since the run began.", "Run it again.")
        values = PixelSource(header, kind, limits, stored.path).values(stored.frame)
    return mask_of(values, kind, stored.segment, stored.ones)


def mask_of(values: Values, kind: Kind, segment: int, ones: bool = False) -> NDArray[np.bool_]:
    """The mask of a segment on a frame with these values.

    A label map holds the segment's number. Fractions, of probability or of occupancy (PS3.3 C.8.20.2.3), are cut at
    half of the maximum; ``ones`` says that they are 0 and 1 and are meant as bits.
    """
    if kind.segmentation == LABELMAP:
        return np.asarray(values == segment)
    return np.asarray(values > 0) if ones else np.asarray(2 * values.astype(np.int32) >= kind.most)


def holds_ones(layout: Layout, pixels: PixelSource) -> bool:
    """Whether the fractions of a segmentation are 0 and 1 throughout, of a maximum that makes 1 next to nothing.

    dcmjs writes masks of bits in this way where it compresses them (findings/dcmjs_fraction_of_ones.sh).
    """
    if layout.kind.segmentation != "FRACTIONAL" or layout.kind.most <= 2:
        return False
    tops = []
    for number in range(1, layout.kind.frames + 1):
        with suppress(InputError):  # said of the frame itself
            tops.append(int(pixels.values(number).max(initial=0)))
    return max(tops, default=0) == 1


@dataclass(frozen=True, slots=True)
class _Reading:
    layout: Layout
    path: str
    location: Location
    automatic: bool

    def drawings(self, pixels: PixelSource) -> Drawings:
        """All that the object holds."""
        refusals = [self._refusal(found, "") for found in self.layout.frames if isinstance(found, InputError)]
        listed: list[Refusal] = []
        wanted: dict[int, Segment] = {}
        for segment in self.layout.segments.values():
            if (error := self._left_out(segment)) is None:
                wanted[segment.number] = segment
            else:
                (listed if error.code == NOT_A_LESION else refusals).append(self._refusal(error, segment.lesion))
        unknown = {f.segment for f in self.layout.usable if f.segment} - set(self.layout.segments)
        if unknown or not self.layout.segments:
            error = unusable("The segmentation does not describe each of its segments.", "Write it anew.")
            refusals.append(self._refusal(error, ""))
        seen = self._seen(pixels, wanted, refusals)
        drawn = tuple(self._drawing(frame, wanted[number], ones) for frame, number, ones in seen)
        if wanted and not drawn and not refusals:
            error = unusable(
                "The segmentation is empty.", "Draw the lesion, or state in a caliper file that it is gone."
            )
            refusals.append(self._refusal(error, ""))
        return Drawings(drawn, tuple(dict.fromkeys(refusals)), tuple(listed))

    def _left_out(self, segment: Segment) -> InputError | None:
        """Why a segment is no reader's outline of a lesion or of the liver; None where it is."""
        if segment.meaning is Meaning.OTHER and not segment.liver:
            return unusable(f"Segment {segment.coded} is no lesion.", code=NOT_A_LESION)
        if segment.contradicts:
            return unusable(
                f"Is segment {segment.coded} a lesion? It does not tell.",
                "Give it the category Morphologically Abnormal Structure and the label of its lesion.",
                "segment_unclear",
            )
        if segment.algorithm in READERS_OWN or (segment.algorithm == "AUTOMATIC" and self.automatic):
            return None
        if segment.algorithm == "AUTOMATIC":
            return unusable(
                f"Segment {segment.coded} was drawn by an algorithm alone (AUTOMATIC); no reader stands for it.",
                "Let a reader draw or correct it, or set calipers.automatic_segments.",
                "segment_automatic",
            )
        return unusable(
            f"Segment {segment.coded} does not say whether a reader drew it (SegmentAlgorithmType).",
            "Save it again as MANUAL or SEMIAUTOMATIC.",
            "segment_unclear",
        )

    def _seen(
        self, pixels: PixelSource, wanted: dict[int, Segment], refusals: list[Refusal]
    ) -> list[tuple[SegmentFrame, int, bool]]:
        """Each frame on which a wanted segment has a pixel, with the segment; each frame is decoded once."""
        kind, ones = self.layout.kind, holds_ones(self.layout, pixels)
        found: list[tuple[SegmentFrame, int, bool]] = []
        for frame in self.layout.usable:
            numbers = [n for n in wanted if frame.segment in (0, n)]
            try:
                values = pixels.values(frame.number) if numbers else None
            except InputError as error:
                refusals.append(self._refusal(error, "", frame))
                continue
            if values is not None:
                found += [(frame, n, ones) for n in numbers if mask_of(values, kind, n, ones).any()]
        return found

    def _drawing(self, frame: SegmentFrame, segment: Segment, ones: bool) -> Drawing:
        dataset, kind = self.layout.header.dataset, self.layout.kind
        origin = Origin(
            kind=ObjectKind.SEG,
            path=self.path,
            sop_instance_uid=uid(dataset, "SOPInstanceUID"),
            item=f"segment {segment.number}",
            tracking_uid=segment.tracking_uid,
            tracking_identifier=segment.tracking_identifier[:64],
        )
        stored = StoredMask(
            location=self.location,
            path=self.path,
            segment=segment.number,
            frame=frame.number,
            header_sha256=self.layout.header.sha256,
            ones=ones,
        )
        notes = [_AS_ONES.format(most=kind.most) if ones else _HALF] if kind.segmentation == "FRACTIONAL" else []
        notes += [_UNSAID] if segment.meaning is Meaning.OPEN else []
        reader = person(text(dataset, "ContentCreatorName"))
        if segment.algorithm == "AUTOMATIC":
            reader = segment.algorithm_name or reader
        image, number = frame.source
        return Drawing(
            image_uid=image,
            frame=number,
            points=(),
            axis=Axis.OUTLINE,
            lesion=segment.lesion,
            group=str(segment.number),
            reader=reader or UNNAMED_READER,
            origin=origin,
            mask=stored,
            warnings=tuple(notes),
        )

    def _refusal(self, error: InputError, lesion: str, frame: SegmentFrame | None = None) -> Refusal:
        images: Sequence[str] = [frame.source[0]] if frame else sorted({f.source[0] for f in self.layout.usable})
        known = images[0] if len(images) == 1 else uid(self.layout.header.dataset, "SOPInstanceUID")
        return Refusal(
            code=error.code,
            reason=error.reason,
            remedy=error.remedy,
            path=self.path,
            sop_instance_uid=known or None,
            lesion=lesion or None,
        )
