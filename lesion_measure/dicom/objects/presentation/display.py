"""Coordinates of annotations to pixels of the image (PS3.3 C.10.5, C.10.4, C.10.6)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from lesion_measure.dicom.elements import integer, items, numbers, text, uid
from lesion_measure.errors import InputError

Points = NDArray[np.float64]
"""(n, 2)."""
_TURNS = (0, 90, 180, 270)


@dataclass(frozen=True, slots=True)
class Place:
    """The image that an annotation is on, and the frame (1-based) where one is named."""

    image_uid: str
    frame: int | None


@dataclass(frozen=True, slots=True)
class _Area:
    """A displayed area in edges of pixels, 0 being the image's upper left edge; and the images that it is for."""

    left: float
    top: float
    right: float
    bottom: float
    images: tuple[Place, ...]

    def shows(self, place: Place) -> bool:
        return not self.images or any(
            one.image_uid == place.image_uid and (one.frame is None or place.frame is None or one.frame == place.frame)
            for one in self.images
        )


class Display:
    """How a presentation state shows its images: the areas displayed, turned and mirrored."""

    def __init__(self, dataset: Dataset) -> None:
        self._areas = [_area(item) for item in items(dataset, "DisplayedAreaSelectionSequence") or []]
        self._turn = integer(dataset, "ImageRotation") if "ImageRotation" in dataset else 0
        self._flip = text(dataset, "ImageHorizontalFlip").upper() or "N"

    def to_pixels(self, points: Points, units: str, place: Place) -> Points:
        """Points (x, y) of these units as (row, column), pixel centres at integers.

        PIXEL counts from the upper left corner of the upper left pixel, whose middle is 0.5\\0.5 (C.10.5, Graphic
        Annotation Units). DISPLAY is a fraction of the area displayed, of the picture as it is shown: mirrored after
        it was turned clockwise (C.10.6). How large the area is on a screen (C.10.4) changes nothing.

        Raises
        ------
        InputError
            The units mean nothing on this image, or the state does not say which area is displayed.
        """
        if units == "PIXEL":
            return points[:, ::-1] - 0.5
        if units != "DISPLAY":
            reason = "are those of a tiled image" if units == "MATRIX" else "are not stated, or not known"
            raise unusable("drawing_units", f"Its units {reason}.", "Save the presentation state with PIXEL units.")
        area = self._area_of(place)
        across, down = self._unturned(points)
        cols = area.left + across * (area.right - area.left)
        rows = area.top + down * (area.bottom - area.top)
        return np.stack([rows, cols], axis=1) - 0.5

    def _unturned(self, points: Points) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Fractions of the image's columns and rows for fractions of what is shown."""
        if self._turn not in _TURNS or self._flip not in ("Y", "N"):
            raise unusable("displayed_area", "The state turns the image by an angle that is none.", _AGAIN)
        x, y = points.T
        x = 1 - x if self._flip == "Y" else x
        return {0: (x, y), 90: (y, 1 - x), 180: (1 - x, 1 - y), 270: (1 - y, x)}[self._turn]

    def _area_of(self, place: Place) -> _Area:
        found = {(a.left, a.top, a.right, a.bottom): a for a in self._areas if a is not None and a.shows(place)}
        if len(found) != 1 or None in self._areas:
            what = "no displayed area" if not found else "several displayed areas"
            raise unusable(
                "displayed_area", f"It is placed on the displayed area, and the state has {what} of its image.", _AGAIN
            )
        return next(iter(found.values()))


_AGAIN = "Draw it again, or save the presentation state with PIXEL units."


def unusable(code: str, reason: str, remedy: str = "") -> InputError:
    """The error for what is drawn and cannot be used."""
    return InputError(reason, remedy=remedy, code=code)


def places_of(dataset: Dataset, keyword: str = "ReferencedImageSequence") -> list[Place]:
    """The images and frames that a sequence refers to; one place for each frame that is named."""
    found: dict[Place, None] = {}
    for item in items(dataset, keyword) or []:
        image = uid(item, "ReferencedSOPInstanceUID")
        frames = numbers(item, "ReferencedFrameNumber") if "ReferencedFrameNumber" in item else [None]
        for frame in frames or [None]:
            found[Place(image, None if frame is None else int(frame))] = None
    return list(found)


def _area(item: Dataset) -> _Area | None:
    """The area between its corner pixels, both included (C.10.4); the corners are those of the picture as shown."""
    first = numbers(item, "DisplayedAreaTopLeftHandCorner")
    last = numbers(item, "DisplayedAreaBottomRightHandCorner")
    if len(first) != 2 or len(last) != 2 or None in (*first, *last):
        return None
    corners = np.array([first, last], dtype=np.float64)
    (left, top), (right, bottom) = corners.min(axis=0) - 1, corners.max(axis=0)
    return _Area(float(left), float(top), float(right), float(bottom), tuple(places_of(item)))
