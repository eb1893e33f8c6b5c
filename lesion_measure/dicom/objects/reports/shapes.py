"""What a report draws on an image: SCOORD items (PS3.3 C.18.6), each on one frame of one image.

DICOM's (x, y) with its origin at the corner of the top left pixel becomes (row, column) with pixel centres at integers.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lesion_measure.dicom.elements import items, numbers, text, uid
from lesion_measure.dicom.objects.reports.tree import Item
from lesion_measure.records import Point

# A freehand outline of a viewer has some hundred points.
_MOST_POINTS = 20_000
_IMAGES = ("IMAGE", "COMPOSITE")
# Storage classes of images that are no ultrasound, by the first number after the common root (PS3.4 B.5).
_IMAGES_ROOT = "1.2.840.10008.5.1.4.1.1."
_MODALITIES = {
    "1": "X-ray", "2": "CT", "4": "MR", "12": "X-ray", "13": "X-ray", "20": "nuclear medicine", "128": "PET",
    "130": "PET", "481": "radiotherapy",
}  # fmt: skip
SEGMENTATION_CLASSES = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
# Two ends of a closed outline; both are FL, and were once the same number.
_SAME_PX = 1e-3


class Fault(StrEnum):
    """Why what is drawn cannot be used; the value is the code of the refusal."""

    POINTS = "sr_points"
    IN_SPACE = "sr_3d_points"
    NO_IMAGE = "sr_no_image"
    SEVERAL_IMAGES = "sr_several_images"
    SEVERAL_FRAMES = "sr_several_frames"
    FRAME = "sr_frame"
    WHOLE_SLIDE = "sr_total_matrix"
    SEGMENTATION = "sr_segmentation"
    RECTANGLE = "sr_rectangle"
    NO_LINE = "sr_no_line"


@dataclass(frozen=True, slots=True)
class Shape:
    """Points (row, column) of one graphic on one frame (None where none is named) of one image, or why it has none.

    ``modality`` is that of the image where it is not ultrasound.
    """

    graphic: str
    points: tuple[Point, ...] = ()
    image_uid: str = ""
    frame: int | None = None
    fault: Fault | None = None
    modality: str = ""

    @property
    def is_closed(self) -> bool:
        """Whether the last vertex is the first (PS3.3 C.18.6.1.2)."""
        return len(self.points) > 3 and same_place(self.points[0], self.points[-1])


def same_place(one: Point, other: Point) -> bool:
    """Whether two points are one, but for the rounding of single precision."""
    return abs(one[0] - other[0]) < _SAME_PX and abs(one[1] - other[1]) < _SAME_PX


def shape(item: Item, images: list[Item]) -> Shape:
    """What a SCOORD or SCOORD3D item draws, on the image below it.

    Some writers put the image above it, or beside it: ``images`` are those of its number or group.
    """
    graphic = text(item.dataset, "GraphicType").upper()
    if item.kind == "SCOORD3D":
        return Shape(graphic, fault=Fault.IN_SPACE)
    if text(item.dataset, "PixelOriginInterpretation").upper() == "VOLUME":
        return Shape(graphic, fault=Fault.WHOLE_SLIDE)
    own = [child for child in item.children if child.kind in _IMAGES]
    above = [item.parent] if item.parent is not None and item.parent.kind in _IMAGES else []
    named = own or above or images
    image_uid, frame, fault = _frame(named)
    points = _points(item)
    if points is None:
        return Shape(graphic, (), image_uid, frame, Fault.POINTS, _modality(named))
    return Shape(graphic, points, image_uid, frame, fault, _modality(named))


def _points(item: Item) -> tuple[Point, ...] | None:
    values = numbers(item.dataset, "GraphicData")
    if not values or len(values) % 2 or len(values) > 2 * _MOST_POINTS:
        return None
    found = [value for value in values if value is not None]
    if len(found) != len(values):
        return None
    return tuple((y - 0.5, x - 0.5) for x, y in zip(found[::2], found[1::2], strict=True))


def _frame(named: list[Item]) -> tuple[str, int | None, Fault | None]:
    """The one image, and the one frame where one is named, that a graphic lies on (PS3.3 C.18.4)."""
    references = [each for item in named for each in items(item.dataset, "ReferencedSOPSequence") or []]
    images = {uid(each, "ReferencedSOPInstanceUID") for each in references}
    if len(images) != 1 or "" in images:
        return "", None, Fault.SEVERAL_IMAGES if len(images - {""}) > 1 else Fault.NO_IMAGE
    image_uid = images.pop()
    if uid(references[0], "ReferencedSOPClassUID") in SEGMENTATION_CLASSES:
        return image_uid, None, Fault.SEGMENTATION
    stated = {number for each in references for number in numbers(each, "ReferencedFrameNumber")}
    if not stated:
        return image_uid, None, None
    if len(stated) > 1:
        return image_uid, None, Fault.SEVERAL_FRAMES
    frame = stated.pop()
    if frame is None or frame < 1 or not frame.is_integer():
        return image_uid, None, Fault.FRAME
    return image_uid, int(frame), None


def _modality(named: list[Item]) -> str:
    """The modality of images that are no ultrasound, by their storage class; empty elsewhere."""
    classes = [
        uid(each, "ReferencedSOPClassUID")
        for item in named
        for each in items(item.dataset, "ReferencedSOPSequence") or []
    ]
    kinds = {each.removeprefix(_IMAGES_ROOT).split(".")[0] for each in classes if each.startswith(_IMAGES_ROOT)}
    return _MODALITIES.get(kinds.pop(), "") if len(kinds) == 1 else ""
