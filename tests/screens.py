"""A made-up scanner's screen: a fan of speckle in a region, names around it, and words on it where a test asks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from pydicom import Dataset

from header_files import image

ROWS, COLUMNS = 320, 400
TOP, LEFT = 40, 20
"""First row and column of the region, which reaches to the last of both."""
NAME = "DOEBERMAN JANE"


def fan(rows: int = ROWS, columns: int = COLUMNS) -> NDArray[np.bool_]:
    """The insonated area."""
    y, x = np.mgrid[:rows, :columns].astype(float)
    apex = TOP - 60.0, (LEFT + columns) / 2
    radius, angle = np.hypot(y - apex[0], x - apex[1]), np.abs(np.arctan2(x - apex[1], y - apex[0]))
    return np.asarray((radius > 80) & (radius < rows - apex[0] - 12) & (angle < 0.5))


def screen(seed: int = 0, outside: str = NAME, inside: str = "") -> NDArray[np.uint8]:
    """Grey screen (rows, columns) with a text above the fan, and one on it."""
    speckle = np.random.default_rng(seed).rayleigh(38, (ROWS, COLUMNS)).clip(2, 200)
    picture = Image.fromarray(np.where(fan(), speckle, 0).astype(np.uint8))
    font = ImageFont.load_default(18)
    draw = ImageDraw.Draw(picture)
    draw.text((6, 6), outside, fill=230, font=font)
    if inside:
        draw.text((150, 180), inside, fill=255, font=font)
    return np.asarray(picture)


def region() -> Dataset:
    item = Dataset()
    item.RegionSpatialFormat, item.RegionDataType, item.RegionFlags = 1, 1, 0
    item.RegionLocationMinX0, item.RegionLocationMinY0 = LEFT, TOP
    item.RegionLocationMaxX1, item.RegionLocationMaxY1 = COLUMNS - 1, ROWS - 1
    item.PhysicalUnitsXDirection = item.PhysicalUnitsYDirection = 3
    item.PhysicalDeltaX = item.PhysicalDeltaY = 0.03
    return item


def dataset(pixels: NDArray[np.uint8], **changes: Any) -> Dataset:
    """An ultrasound image of a made-up patient, (rows, columns) grey, uncompressed."""
    rows, columns = pixels.shape[-2:]
    return image(
        Rows=rows, Columns=columns, SequenceOfUltrasoundRegions=[region()], PixelData=pixels.tobytes(),
        PatientName="Doeberman^Jane", PatientID="MRN-884422", PatientBirthDate="20230105", **changes,
    )  # fmt: skip


def dark_outside(shown: NDArray[np.uint8], keep: NDArray[np.bool_]) -> bool:
    """Whether a displayed frame is black wherever nothing may be kept."""
    return not shown[~keep].any()


def written(folder: Path) -> list[Path]:
    """The files that were written, in order."""
    return sorted(folder.rglob("*.dcm"))
