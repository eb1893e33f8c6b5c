"""A BINARY segmentation (PS3.3 A.51) of one lesion: on one frame, or on every frame of a volume that shows it.

highdicom 0.28 makes one of a still image. It refuses a cine or volume without positions in space, so its frames are
put in afterwards (`_on_frames`). Viewers need an orientation and a slice thickness that no ultrasound image has:
those here mean nothing (docs/dicom_objects.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.datadict import tag_for_keyword
from pydicom.pixels.utils import pack_bits

from lesion_measure.dicom.objects.ours import MAKER
from lesion_measure.dicom.objects.writing import codes
from lesion_measure.dicom.objects.writing.identity import PLACEHOLDER, Sealed, sealed
from lesion_measure.dicom.objects.writing.original import Original
from lesion_measure.dicom.objects.writing.values import person_name
from lesion_measure.records import PlaneMeasurement, Spacing, Way

if TYPE_CHECKING:
    from highdicom import PixelMeasuresSequence
    from highdicom.seg import SegmentDescription

SERIES_NUMBER = 9001
_ORIENTATION = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
_LABEL_LENGTH = 64
_KINDS = {Way.AUTOMATIC: "AUTOMATIC", Way.PROMPTED: "SEMIAUTOMATIC", Way.OUTLINE: "MANUAL"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlined:
    """The lesion that a segmentation shows.

    ``masks`` (rows, columns) by 1-based frame number. ``version`` is this program's, ``model`` and ``model_sha256`` are
    the network's, None where ``plane`` was outlined by a reader. ``slice_mm`` is the distance of frames, and ``organ``
    says that it is the liver itself.
    """

    lesion: str
    tracking_uid: str
    plane: PlaneMeasurement
    masks: Mapping[int, NDArray[np.bool_]]
    version: str
    model: str | None
    model_sha256: str | None
    slice_mm: float | None = None
    organ: bool = False


def segmentation(original: Original, outlined: Outlined) -> Sealed:
    """The object of one outlined lesion.

    Raises
    ------
    ValueError
        A mask is empty or of another size than the image.
    """
    frames = sorted(outlined.masks)
    dataset = _of_one_frame(original, outlined, outlined.masks[frames[0]])
    dataset.PatientOrientation = ""  # type 2C where no position in space is stated
    shared = dataset.SharedFunctionalGroupsSequence[0]
    shared.PlaneOrientationSequence = [Dataset()]
    shared.PlaneOrientationSequence[0].ImageOrientationPatient = _ORIENTATION
    _on_frames(dataset, original, outlined, frames)
    return sealed(dataset)


def _of_one_frame(original: Original, outlined: Outlined, mask: NDArray[np.bool_]) -> Dataset:
    import highdicom as hd

    way = outlined.plane.way
    return hd.seg.Segmentation(
        [original.header],
        mask.astype(np.uint8),
        hd.seg.SegmentationTypeValues.BINARY,
        [_segment(outlined)],
        series_instance_uid=PLACEHOLDER,
        series_number=SERIES_NUMBER,
        sop_instance_uid=PLACEHOLDER,
        instance_number=1,
        manufacturer=MAKER,
        manufacturer_model_name=MAKER,
        software_versions=outlined.version,
        device_serial_number=outlined.version,
        content_label="LESION",
        content_creator_name=None if way is Way.AUTOMATIC else person_name(outlined.plane.reader),
        content_description="Orientation and slice thickness mean nothing",
        pixel_measures=_measures(outlined.plane.spacing_mm, outlined.slice_mm),
        series_description=f"Lesion {outlined.lesion}"[:_LABEL_LENGTH],
        content_date=original.content_date,
        content_time=original.content_time,
        coding_schemes=codes.declaration(),
    )


def _measures(spacing_mm: Spacing, slice_mm: float | None) -> PixelMeasuresSequence:
    import highdicom as hd

    return hd.PixelMeasuresSequence(
        pixel_spacing=spacing_mm, slice_thickness=slice_mm or 1.0, spacing_between_slices=slice_mm
    )


def _segment(outlined: Outlined) -> SegmentDescription:
    import highdicom as hd

    way = outlined.plane.way
    network = None
    if way is not Way.OUTLINE:
        network = hd.AlgorithmIdentificationSequence(
            name=outlined.model or MAKER,
            family=codes.NETWORK,
            version=(outlined.model_sha256 or outlined.version)[:_LABEL_LENGTH],
            source=f"{MAKER} {outlined.version}",
        )
    return hd.seg.SegmentDescription(
        1,
        outlined.lesion[:_LABEL_LENGTH],
        codes.ORGAN if outlined.organ else codes.ABNORMAL,
        codes.LIVER if outlined.organ else codes.LESION,
        _KINDS[way],
        network,
        tracking_uid=outlined.tracking_uid,
        tracking_id=outlined.lesion,
        anatomic_regions=[codes.LIVER],
    )


def _on_frames(dataset: Dataset, original: Original, outlined: Outlined, frames: list[int]) -> None:
    """Say which frames of the image the masks lie on, and put in those after the first."""
    first = dataset.PerFrameFunctionalGroupsSequence[0]
    groups = [deepcopy(first) for _ in frames]
    for frame, group in zip(frames, groups, strict=True):
        for source in group.DerivationImageSequence[0].SourceImageSequence:
            source.ReferencedSOPClassUID = original.image.sop_class_uid
            if (stated := original.frames(frame)) is not None:
                source.ReferencedFrameNumber = stated[0]
    series = (item for each in dataset.ReferencedSeriesSequence for item in each.ReferencedInstanceSequence)
    for instance in (*series, *dataset.SourceImageSequence):
        instance.ReferencedSOPClassUID = original.image.sop_class_uid
    dataset.PerFrameFunctionalGroupsSequence = groups
    if len(frames) > 1:
        dataset.NumberOfFrames = len(frames)
        dataset.PixelData = pack_bits(np.stack([outlined.masks[frame] for frame in frames]).astype(np.uint8))
        _add_stack(dataset)


def _add_stack(dataset: Dataset) -> None:
    """A second dimension, the place in the stack, by which several frames of one segment differ (PS3.3 C.7.6.17)."""
    place = Dataset()
    place.DimensionIndexPointer = tag_for_keyword("InStackPositionNumber")
    place.FunctionalGroupPointer = tag_for_keyword("FrameContentSequence")
    place.DimensionDescriptionLabel = "In-Stack Position Number"
    dataset.DimensionIndexSequence.append(place)
    for number, group in enumerate(dataset.PerFrameFunctionalGroupsSequence, start=1):
        content = group.FrameContentSequence[0]
        content.StackID, content.InStackPositionNumber = "1", number
        content.DimensionIndexValues = [1, number]
