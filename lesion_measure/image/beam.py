"""Whether what was drawn on an image lies where the beam has reached. Part of the pipeline.

A length in the black corner of an ultrasound region's rectangle has a scale and no meaning. Where the insonated area
is not known (`scan_area`), or the pixels cannot be decoded, nothing is refused.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy
from numpy.typing import NDArray

from lesion_measure.config import Config
from lesion_measure.dicom.open_image import OpenImage
from lesion_measure.errors import MeasurementError
from lesion_measure.image.scan_area import insonated_in
from lesion_measure.records import CalibratedRegion, Point, Spacing

SLACK_PX = 2.0
MOSTLY = 0.5

UNKNOWN = "where the beam has reached could not be told from the pixels: nobody checked that the points lie there"


class Beam:
    """The insonated areas of one image's regions, found when they are asked for."""

    def __init__(self, image: OpenImage, config: Config) -> None:
        self._image = image
        self._slack_mm = config.calibration.insonated_slack_mm
        self._areas: dict[tuple[int, int, int, int], NDArray[np.bool_] | None] = {}

    def check(self, points: Sequence[Point], region: CalibratedRegion) -> tuple[str, ...]:
        """Make sure that all points (row, column) of a caliper lie in the insonated area, or nearly.

        Returns
        -------
        tuple of str
            A warning where the area is not known.

        Raises
        ------
        MeasurementError
            A point lies outside (code ``not_insonated``); where the swapped points would not, the remedy says so.
        """
        area = self._area(region)
        if area is None:
            return (UNKNOWN,)
        off = _off_mm(area, _moved(points, region), region.spacing_mm)
        far = int(off.argmax())
        if off[far] <= _most_mm(region.spacing_mm, self._slack_mm):
            return ()
        row, col = points[far]
        raise MeasurementError(
            f"The point at row {row:g}, column {col:g} lies {off[far]:.0f} mm outside of the insonated area, where "
            "there is no picture.",
            remedy=self._remedy(points, region),
            code="not_insonated",
            path=self._image.instance.path,
        )

    def share_outside(self, points: Sequence[Point], region: CalibratedRegion) -> float:
        """Share of the points (row, column) of an outline that lie outside; 0 where the area is not known."""
        area = self._area(region)
        if area is None or not points:
            return 0.0
        return share_beyond(area, _moved(points, region), region.spacing_mm, self._slack_mm)

    def _remedy(self, points: Sequence[Point], region: CalibratedRegion) -> str:
        turned = [(col, row) for row, col in points]
        area = self._area(region)
        fits = all(region.contains(point) for point in turned) and area is not None
        most = _most_mm(region.spacing_mm, self._slack_mm)
        if fits and area is not None and _off_mm(area, _moved(turned, region), region.spacing_mm).max() <= most:
            return "Swap rows and columns: swapped, the points lie in the picture."
        return "Check the points, their frame and the image that they are meant for."

    def _area(self, region: CalibratedRegion) -> NDArray[np.bool_] | None:
        box = region.row_min, region.row_max, region.col_min, region.col_max
        if box not in self._areas:
            self._areas[box] = self._look(region)
        return self._areas[box]

    def _look(self, region: CalibratedRegion) -> NDArray[np.bool_] | None:
        rows, cols = slice(region.row_min, region.row_max + 1), slice(region.col_min, region.col_max + 1)
        found = insonated_in(self._image, rows, cols)
        return found.mask if found is not None and found.known else None


def share_beyond(
    area: NDArray[np.bool_], points: NDArray[np.float64], spacing_mm: Spacing, slack_mm: float = 0.0
) -> float:
    """Share of the points (n, 2), in rows and columns of the area's picture, that lie outside of the insonated area.

    As near to it as ``slack_mm``, or as `SLACK_PX` pixels, is not outside.
    """
    return float(np.mean(_off_mm(area, points, spacing_mm) > _most_mm(spacing_mm, slack_mm)))


def _most_mm(spacing_mm: Spacing, slack_mm: float) -> float:
    return max(slack_mm, SLACK_PX * max(spacing_mm))


def _moved(points: Sequence[Point], region: CalibratedRegion) -> NDArray[np.float64]:
    """Points of the frame in pixels of the region's own picture."""
    return np.asarray(points, dtype=np.float64) - (region.row_min, region.col_min)


def _off_mm(area: NDArray[np.bool_], points: NDArray[np.float64], spacing_mm: Spacing) -> NDArray[np.float64]:
    """Distance of each point from the insonated area, 0 within it."""
    rows, cols = np.clip(np.round(points).astype(int), 0, np.asarray(area.shape) - 1).T
    if area[rows, cols].all():
        return np.zeros(len(points))
    away = scipy.ndimage.distance_transform_edt(~area, sampling=spacing_mm)
    return np.asarray(away[rows, cols], dtype=np.float64)
