"""One place of the picture grid, and the grid of one lesion: the same plane at every visit, side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from lesion_measure.errors import PixelError
from lesion_measure.records import Instance, LesionMeasurement, Plane, PlaneMeasurement, Source
from lesion_measure.report.pictures import FrameImage, draw
from lesion_measure.report.windows import field_of_view_mm

Pictures = Callable[[str, int], NDArray[np.uint8]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureCell:
    """One place of the picture grid: a picture, or words that say why there is none."""

    visit: str
    plane: PlaneMeasurement | None = None
    picture: FrameImage | None = None
    words: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureRow:
    """The same plane of one lesion at every visit, side by side."""

    plane: Plane
    cells: tuple[PictureCell, ...]


def picture_rows(
    visits: Sequence[str],
    measured: Mapping[str, LesionMeasurement],
    images: Mapping[str, Instance],
    pictures: Pictures,
    width_px: int,
) -> Iterator[PictureRow]:
    """The grid of a lesion, row by row.

    Parameters
    ----------
    visits
        In their order.
    measured
        The lesion by visit.
    images
        Images by SOP instance UID.
    pictures
        Gives the pixels of a frame (rows, columns, 3) by SOPInstanceUID and number.
    width_px
        Width of a picture.
    """
    planes = [p for m in measured.values() for p in m.planes]
    if not planes:
        return
    view_mm = field_of_view_mm(planes, images)
    for kind in Plane:
        columns = [[p for p in measured[v].planes if p.plane is kind] if v in measured else [] for v in visits]
        for row in zip_longest(*columns):
            cells = [
                _missing(visit, measured.get(visit))
                if plane is None
                else picture_cell(visit, plane, images.get(plane.sop_instance_uid), pictures, view_mm, width_px)
                for visit, plane in zip(visits, row, strict=True)
            ]
            yield PictureRow(plane=kind, cells=tuple(cells))


def picture_cell(
    visit: str,
    plane: PlaneMeasurement,
    image: Instance | None,
    pictures: Pictures,
    view_mm: tuple[float, float],
    width_px: int,
) -> PictureCell:
    """The picture of a measurement, or words that say why it cannot be shown.

    Parameters
    ----------
    visit
        When it was measured.
    plane
        The measurement.
    image
        The image that it was made on, None where the run does not hold it.
    pictures
        Gives the pixels of a frame (rows, columns, 3) by SOPInstanceUID and number.
    view_mm
        (height, width) of what is shown.
    width_px
        Width of the picture.
    """
    try:
        pixels = pictures(plane.sop_instance_uid, plane.frame)
    except PixelError as error:
        return PictureCell(
            visit=visit,
            plane=plane,
            words="This frame was measured but cannot be shown",
            detail=f"{error.reason} {error.remedy}".strip(),
        )
    return PictureCell(visit=visit, plane=plane, picture=draw(plane, pixels, image, view_mm, width_px))


def _missing(visit: str, measured: LesionMeasurement | None) -> PictureCell:
    if measured is None:
        return PictureCell(visit=visit, words="Not measured at this visit")
    if not measured.present:
        return PictureCell(visit=visit, words="Absent", detail=statement(measured))
    return PictureCell(visit=visit, words="Not measured in this plane")


def statement(measured: LesionMeasurement) -> str:
    """Whose statement an absent lesion is."""
    if measured.source is Source.MODEL:
        return f"empty result of model {measured.reader}, which no reader has confirmed"
    return f"statement of reader {measured.reader}"
