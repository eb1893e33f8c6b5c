"""Numbers of a report (PS3.16 TID 300): a size with its unit, how far it can be trusted, and the line it rests on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from pydicom.sr.coding import Code

from lesion_measure.dicom.objects.writing import codes
from lesion_measure.dicom.objects.writing.original import Original
from lesion_measure.records import Point, Quantity

if TYPE_CHECKING:
    from highdicom.sr import ContentItem, CoordinatesForMeasurement, Measurement, NumContentItem

CORNER = 0.5
"""DICOM's image coordinates begin at the corner of the upper left pixel (PS3.3 C.18.6.1.1), ours at its centre."""
COVERED_PERCENT = 95.0
_NAME_SEPARATORS = str.maketrans("^=\\", "   ")
_LONGEST_NAME = 64


def size(
    name: Code,
    quantity: Quantity | None,
    unit: Code,
    line: CoordinatesForMeasurement | None = None,
    *,
    method: Code | None = None,
    source: Code | None = None,
) -> list[Measurement]:
    """One size as a NUM; nothing where there is no number.

    Parameters
    ----------
    name, unit
        What it is.
    quantity
        The number with its error.
    line
        The line or outline that it was measured on.
    method
        How it was computed.
    source
        What the line comes from, where that is not what the group says.
    """
    import highdicom as hd

    if quantity is None or not math.isfinite(quantity.value):
        return []
    properties = hd.sr.MeasurementProperties()
    properties.extend(_errors(quantity, unit))
    if source is not None:
        properties.append(coded(codes.LINE_SOURCE, source, "HAS PROPERTIES"))
    return [
        hd.sr.Measurement(
            name, float(quantity.value), unit, method=method, properties=properties,
            referenced_coordinates=None if line is None else [line],
        )
    ]  # fmt: skip


def _errors(quantity: Quantity, unit: Code) -> list[NumContentItem]:
    """SD and 95 % interval: how far it reaches up and down (TID 310), in the unit of the number."""
    if not quantity.has_interval:
        return []
    low, high = quantity.ci95
    return [
        number(codes.ERROR_SD, quantity.sd, unit, "HAS PROPERTIES"),
        number(codes.UPPER, high - quantity.value, unit, "HAS PROPERTIES"),
        number(codes.LOWER, quantity.value - low, unit, "HAS PROPERTIES"),
        number(codes.COVERAGE, COVERED_PERCENT, codes.PERCENT, "HAS PROPERTIES"),
    ]


def drawn(original: Original, frame: int, points: Sequence[Point]) -> CoordinatesForMeasurement:
    """A line, or a closed outline, on one frame (1-based); ``points`` (row, column) become DICOM's (column, row)."""
    import highdicom as hd

    return hd.sr.CoordinatesForMeasurement(
        hd.sr.GraphicTypeValues.POLYLINE,
        np.array([(column + CORNER, row + CORNER) for row, column in points]),
        hd.sr.SourceImageForRegion(
            original.image.sop_class_uid, original.image.sop_instance_uid, original.frames(frame)
        ),
    )


def person_name(reader: str) -> str:
    """A reader's name as DICOM takes it: without what parts names and values (PS3.5 6.2.1)."""
    return " ".join(reader.translate(_NAME_SEPARATORS).split())[:_LONGEST_NAME]


def number(name: Code, value: float, unit: Code, relation: str = "CONTAINS") -> NumContentItem:
    """A NUM."""
    import highdicom as hd

    return hd.sr.NumContentItem(name, float(value), unit, relationship_type=relation)


def holding(item: ContentItem, children: Sequence[ContentItem]) -> ContentItem:
    """The item with what stands below it."""
    import highdicom as hd

    item.ContentSequence = hd.sr.ContentSequence(children)
    return item


def words(name: Code, text: str, relation: str = "CONTAINS") -> ContentItem:
    """A TEXT."""
    import highdicom as hd

    return hd.sr.TextContentItem(name, text, relationship_type=relation)


def coded(name: Code, value: Code, relation: str = "CONTAINS") -> ContentItem:
    """A CODE."""
    import highdicom as hd

    return hd.sr.CodeContentItem(name, value, relationship_type=relation)
