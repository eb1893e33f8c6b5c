"""Presentation states for the tests, by hand and as real viewers lay them out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, UltrasoundImageStorage, generate_uid

IMAGE = "1.2.3.4.5"
GRAYSCALE = "1.2.840.10008.5.1.4.1.1.11.1"


def item(**attributes: Any) -> Dataset:
    made = Dataset()
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return made


def reference(image: str = IMAGE, frames: Sequence[int] = ()) -> Dataset:
    made = item(ReferencedSOPClassUID=UltrasoundImageStorage, ReferencedSOPInstanceUID=image)
    if frames:
        made.ReferencedFrameNumber = list(frames)
    return made


def graphic(kind: str, *points: float, units: str = "PIXEL", **attributes: Any) -> Dataset:
    """A graphic object; ``points`` are x, y, x, y, ... as the standard counts."""
    known: dict[str, Any] = {
        "GraphicAnnotationUnits": units, "GraphicDimensions": 2, "NumberOfGraphicPoints": len(points) // 2,
        "GraphicData": list(points), "GraphicType": kind, "GraphicFilled": "N",
    }  # fmt: skip
    return item(**(known | attributes))


def compound(kind: str, *points: float, units: str = "PIXEL", **attributes: Any) -> Dataset:
    known: dict[str, Any] = {
        "CompoundGraphicInstanceID": 1, "CompoundGraphicUnits": units, "GraphicDimensions": 2,
        "NumberOfGraphicPoints": len(points) // 2, "GraphicData": list(points), "CompoundGraphicType": kind,
    }  # fmt: skip
    return item(**(known | attributes))


def said(text: str, x: float = 0, y: float = 0, **attributes: Any) -> Dataset:
    """A text object that is anchored at a point."""
    known: dict[str, Any] = {
        "AnchorPointAnnotationUnits": "PIXEL", "AnchorPoint": [x, y], "AnchorPointVisibility": "N",
        "UnformattedTextValue": text,
    }  # fmt: skip
    return item(**(known | attributes))


def annotation(*graphics: Dataset, texts: Sequence[Dataset] = (), layer: str = "LAYER1", **attributes: Any) -> Dataset:
    made = item(GraphicLayer=layer, **attributes)
    if simple := [one for one in graphics if "GraphicType" in one]:
        made.GraphicObjectSequence = simple
    if several := [one for one in graphics if "CompoundGraphicType" in one]:
        made.CompoundGraphicSequence = several
    if texts:
        made.TextObjectSequence = list(texts)
    return made


def state(*annotations: Dataset, images: Sequence[Dataset] | None = None, **attributes: Any) -> Dataset:
    """A grayscale presentation state of one image, whose displayed area is 101 x 51 pixels from the corner on."""
    made = item(
        SOPClassUID=GRAYSCALE,
        SOPInstanceUID=generate_uid(),
        StudyInstanceUID=generate_uid(),
        SeriesInstanceUID=generate_uid(),
        Modality="PR",
        ContentCreatorName="Reader^One",
        PatientID="P1",
        PatientName="Doe^Jane",
        ReferencedSeriesSequence=[
            item(SeriesInstanceUID=generate_uid(), ReferencedImageSequence=list(images or [reference()]))
        ],
        DisplayedAreaSelectionSequence=[area(1, 1, 101, 51)],
        GraphicLayerSequence=[item(GraphicLayer="LAYER1", GraphicLayerOrder=1)],
        GraphicAnnotationSequence=list(annotations),
    )
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    return made


def area(left: int, top: int, right: int, bottom: int, **attributes: Any) -> Dataset:
    """A displayed area; its corners are pixels, of which the first is 1\\1 (PS3.3 C.10.4)."""
    return item(
        DisplayedAreaTopLeftHandCorner=[left, top],
        DisplayedAreaBottomRightHandCorner=[right, bottom],
        PresentationSizeMode="SCALE TO FIT",
        PresentationPixelAspectRatio=[1, 1],
        **attributes,
    )
