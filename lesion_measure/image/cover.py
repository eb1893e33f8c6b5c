"""What of a frame a picture in the report may show: the scan, and nothing of the screen around it.

Names of patients stand around the scan, whatever BurnedInAnnotation says. Voxels of a volume were never a screen.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lesion_measure.dicom.open_image import OpenImage
from lesion_measure.errors import InputError
from lesion_measure.image.scan_area import scan_area
from lesion_measure.image.text_finder import TextFinder, without_text
from lesion_measure.records import Instance

Blank = Literal["outside", "text", "nothing"]


class Cover:
    """Blanks frames for pictures: ``"outside"`` of the scan, there and every ``"text"`` on it, or ``"nothing"``.

    Raises
    ------
    ConfigError
        Text is to be looked for, and its reader is not installed.
    """

    def __init__(self, blank: Blank = "outside") -> None:
        self._nothing = blank == "nothing"
        self._finder = TextFinder() if blank == "text" else None
        self._last: tuple[Instance, NDArray[np.bool_]] | None = None

    def shown(self, image: OpenImage, frame: int) -> NDArray[np.uint8]:
        """One frame (1-based) in colour, uint8 (rows, columns, 3) RGB, black where nothing may be shown.

        Raises
        ------
        InputError
            The frame cannot be decoded.
        """
        pixels = image.frame(frame).display()
        if self._nothing or image.instance.slice_spacing_mm is not None:
            return pixels
        keep = self._keep(image, frame)
        if self._finder is not None:
            keep = keep.copy()
            without_text(pixels, keep, self._finder)
        return np.asarray(pixels * keep[..., None], dtype=np.uint8)

    def _keep(self, image: OpenImage, frame: int) -> NDArray[np.bool_]:
        """The scan on an image's frames; where some of them cannot be decoded, on this one."""
        last = self._last  # which another thread may replace
        if last is None or last[0] is not image.instance:
            try:
                last = self._last = image.instance, scan_area(image).mask
            except InputError:
                return scan_area(image, (frame,)).mask
        return last[1]
