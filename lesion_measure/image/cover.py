"""What of a frame a picture in the report may show: the scan, and nothing of the screen around it.

Names of patients stand around the scan, whatever BurnedInAnnotation says. Voxels of a volume were never a screen.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lesion_measure.dicom.colour import in_gray, is_gray
from lesion_measure.dicom.open_image import OpenImage
from lesion_measure.errors import InputError
from lesion_measure.image.scan_area import ScanArea, scan_area
from lesion_measure.image.text_finder import TextFinder, without_text
from lesion_measure.records import Instance

Blank = Literal["outside", "text", "nothing"]


class Cover:
    """Blanks frames for pictures: ``"outside"`` of the scan, there and every ``"text"`` on it, or ``"nothing"``.

    ``sure``: frames of which nothing tells where the scan is are refused, not shown whole.

    Raises
    ------
    ConfigError
        Text is to be looked for, and its reader is not installed.
    """

    def __init__(self, blank: Blank = "outside", *, sure: bool = False) -> None:
        self._nothing = blank == "nothing"
        self._finder = TextFinder() if blank == "text" else None
        self._sure = sure
        self._last: tuple[Instance, ScanArea] | None = None

    def shown(self, image: OpenImage, frame: int) -> NDArray[np.uint8]:
        """One frame (1-based) in colour, uint8 (rows, columns, 3) RGB, black where nothing may be shown.

        Raises
        ------
        InputError
            The frame cannot be decoded, or is refused.
        """
        pixels = image.frame(frame).display()
        if self._nothing or image.instance.slice_spacing_mm is not None:
            return pixels
        keep = self._keep(image, frame)
        if self._finder is not None:
            keep = keep.copy()
            without_text(pixels, keep, self._finder)
        keep = _with_printed(keep, image.instance, frame)
        if is_gray(pixels):
            return in_gray(pixels[..., 0] * keep)
        return _where(keep, pixels)

    def _keep(self, image: OpenImage, frame: int) -> NDArray[np.bool_]:
        """The scan on an image's frames; where some of them cannot be decoded, on this one."""
        last = self._last  # which another thread may replace
        if last is None or last[0] is not image.instance:
            try:
                last = self._last = image.instance, scan_area(image)
            except InputError:
                return self._mask(scan_area(image, (frame,)))
        return self._mask(last[1])

    def _mask(self, area: ScanArea) -> NDArray[np.bool_]:
        if self._sure and not area.known:
            raise InputError(
                "Nothing tells where on the screen the scan is, so that a name beside it might be shown.",
                remedy="Export the original image from the scanner, with its ultrasound regions.",
                code="scan_not_known",
            )
        return area.mask


def _where(keep: NDArray[np.bool_], pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Colours (rows, columns, 3) where they are kept, else black. Whole pixels are copied: ten times as fast."""
    pixel, whole = np.dtype("V3"), np.ascontiguousarray(pixels)
    shown = np.zeros_like(whole)
    np.copyto(shown.view(pixel)[..., 0], whole.view(pixel)[..., 0], where=keep)
    return shown


def _with_printed(keep: NDArray[np.bool_], instance: Instance, frame: int) -> NDArray[np.bool_]:
    """What may be shown (rows, columns), with the printed values of calipers that are known to be nothing else."""
    own = [place for number, place in instance.printed_at if number == frame]
    if not own:
        return keep
    more = keep.copy()
    for top, bottom, left, right in own:
        more[top : bottom + 1, left : right + 1] = True
    return more
