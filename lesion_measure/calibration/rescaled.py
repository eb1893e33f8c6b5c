"""Whether an image's pixels were rescaled after acquisition while its regions stand as they were.

Enlarged pixels leave the regions of the smaller picture in the upper left part of the larger one, where they fit; those
of a picture made smaller mostly reach over its edge, which `scale` refuses.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from lesion_measure.records import RESCALED, Instance

# (rows, columns) of scanners' pictures and of the screens that programs export to
_SCREENS = (
    (480, 640), (576, 720), (576, 768), (600, 800), (720, 960), (720, 1280), (768, 1024), (768, 1280), (864, 1152),
    (900, 1200), (960, 1280), (1024, 1280), (1050, 1400), (1050, 1680), (1080, 1440), (1080, 1920), (1200, 1600),
)  # fmt: skip
_EXPORTS = (*_SCREENS, (240, 320), (256, 256), (512, 512), (1024, 1024), (1536, 2048), (2160, 3840))
_FACTORS = (1.25, 4 / 3, 1.5, 1.6, 5 / 3, 1.75, 2, 2.25, 2.5, 3, 4)
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_SLACK_PX = 1  # corners are stated both inclusively and exclusively
_UPPER_LEFT_SHARE = 2 / 3
"""Regions that end within this share of rows and of columns do not fit a derived picture, compressed or not."""
_EXPORT_SHARE = 0.8
"""The same of an export's size, where compression does not explain DERIVED or a smaller screen would fit."""


def rescaling_warning(instance: Instance) -> str | None:
    """What says that the pixels were rescaled and the scale was not, as a sentence; None where nothing does."""
    evidence = [f"the header says {words}" for words in instance.derivation.rescaled]
    evidence += list(_shown(instance))[:1]
    captured = instance.sop_class_uid.startswith(_SECONDARY_CAPTURE)
    if captured and not instance.regions and instance.pixel_spacing_type is None:
        evidence.append("it is a secondary capture without regions, and its PixelSpacing has no calibration type")
    if not evidence:
        return None
    return f"{RESCALED}: {'; '.join(evidence)}. Every length may be wrong by one factor."


def _shown(instance: Instance) -> Iterator[str]:
    """What the regions' place in the picture shows, the most telling first."""
    reach = _reach(instance)
    if reach is None:
        return
    size, (rows, columns) = (instance.rows, instance.columns), reach
    picture = f"the picture's {size[0]} x {size[1]} (rows x columns)"
    derived, smaller = instance.derivation.derived, [s for s in _SCREENS if s[0] < size[0] and s[1] < size[1]]
    for screen in smaller:
        if _ends_at(rows, screen[0]) and _ends_at(columns, screen[1]):
            yield f"the ultrasound regions end at {screen[0]} x {screen[1]} of {picture}, a smaller screen's size"
    if not derived:
        return
    where = f"ImageType is DERIVED and the ultrasound regions end at row {rows} and column {columns} of {picture}"
    for factor in _FACTORS:
        if all(abs(whole - factor * end) <= 1 + factor * _SLACK_PX for whole, end in zip(size, reach, strict=True)):
            yield f"{where}, {factor:.3g} times as large"
    share = max(rows / size[0], columns / size[1])
    export = size in _EXPORTS and share <= _EXPORT_SHARE
    for screen in smaller if export else ():
        inside = rows <= screen[0] + _SLACK_PX and columns <= screen[1] + _SLACK_PX
        if inside and (_ends_at(rows, screen[0]) or _ends_at(columns, screen[1])):
            yield f"{where}, as in one of {screen[0]} x {screen[1]}"
    if share <= _UPPER_LEFT_SHARE or (export and not instance.derivation.compressed):
        yield f"{where}, in its upper left part alone"


def _reach(instance: Instance) -> tuple[int, int] | None:
    """Rows and columns of the smallest picture that holds every region; None where a region does not say."""
    ends = [(r.row_max, r.col_max) for r in instance.regions if not _says_nothing(r.row_max, r.col_max)]
    rows = [row for row, _ in ends if row is not None]
    columns = [column for _, column in ends if column is not None]
    if not ends or len(rows) < len(ends) or len(columns) < len(ends):
        return None
    return max(rows) + 1, max(columns) + 1


def _says_nothing(row_max: int | None, col_max: int | None) -> bool:
    return (row_max or 0) == 0 and (col_max or 0) == 0


def _ends_at(end: int, size: int) -> bool:
    """``end``, one beyond the last pixel, is the picture's size, or one more where corners are stated exclusively."""
    return math.isclose(end, size, abs_tol=_SLACK_PX)
