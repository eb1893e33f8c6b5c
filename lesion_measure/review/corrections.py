"""Readers' outlines as a set that a training takes: the folder ``corrections`` of the results (docs/datasets.md).

A frame is taken where every lesion that was read on it is outlined: what was measured and not outlined would be taught
to be none. Where several readers count, a frame is that of whoever changed it last. What was signed here comes before
what objects of other viewers draw.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lesion_measure.calibration import calibrate_at
from lesion_measure.config import Config
from lesion_measure.dicom.open_image import OpenImage
from lesion_measure.errors import InputError, LesionMeasureError, OutputError
from lesion_measure.files.writing import make_folder, replacing_folder, write_bytes, write_text
from lesion_measure.records import CalibratedRegion, Instance, is_liver, shown_name
from lesion_measure.report.tables import Row, write_csv
from lesion_measure.review.outlined import Outlined, mask_on, of_reading
from lesion_measure.review.store import Kept

FOLDER = "corrections"
COLUMNS: tuple[str, ...] = (
    "id", "group", "row_min", "row_max", "col_min", "col_max", "sop_instance_uid", "frame", "reader", "saved",
    "drawn_in",
)  # fmt: skip
FEWEST_PX = 9
"""An outline of fewer pixels is no lesion that a network can learn."""
_MARKER = ".lesion_measure_corrections"
_MARKER_LINE = "Made of readers' outlines by lesion_measure, and made anew each time.\n"
Frame = tuple[str, int]
"""SOP Instance UID and 1-based number."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A frame that is not in the set, and why."""

    uid: str
    frame: int
    reason: str


@dataclass(frozen=True, slots=True)
class _Example:
    row: Row
    picture: NDArray[np.uint8]
    mask: NDArray[np.bool_]


def write_corrections(
    readings: Iterable[Kept],
    images: Mapping[str, Instance],
    config: Config,
    out: Path,
    drawn: Iterable[Outlined] = (),
) -> tuple[int, tuple[LeftOut, ...]]:
    """Write the outlines among readings as a training set, in the place of an earlier one.

    Parameters
    ----------
    readings
        Signed readings that count (`exports.final_readings`).
    images
        The scans by SOP Instance UID.
    config
        Settings: ``calibration``, ``limits``.
    out
        The results folder.
    drawn
        What DICOM objects of other viewers draw (`outlined.outlined_in`); on frames that nobody read here they count.

    Returns
    -------
    How many frames the set has, and those that were left out.

    Raises
    ------
    OutputError
        The folder ``corrections`` holds what is none of ours, or cannot be written.
    """
    _check_ours(out / FOLDER)
    signed = [of_reading(kept) for kept in readings]
    read = {(one.image_uid, one.frame) for one in signed}
    found = [*signed, *(one for one in drawn if (one.image_uid, one.frame) not in read)]
    left: list[LeftOut] = []
    rows: list[Row] = []
    with replacing_folder(out / FOLDER, "training set") as folder:
        write_text(folder / _MARKER, _MARKER_LINE)
        for part in ("images", "masks"):
            make_folder(folder / part)
        for example in _examples(found, images, config, left):
            name = f"{example.row['id']}.png"
            write_bytes(folder / "images" / name, _png(example.picture), "picture")
            write_bytes(folder / "masks" / name, _png(example.mask.astype(np.uint8) * 255), "mask")
            rows.append(example.row)
        write_csv(folder / "index.csv", COLUMNS, rows)
    return len(rows), tuple(left)


def _check_ours(folder: Path) -> None:
    if folder.exists() and not (folder / _MARKER).is_file():
        raise OutputError(
            "The folder of corrections holds what was not made of signed readings.",
            remedy="Move it elsewhere, or remove it.",
            code="foreign_folder",
            path=str(folder),
        )


def _examples(
    found: Iterable[Outlined], images: Mapping[str, Instance], config: Config, left: list[LeftOut]
) -> Iterator[_Example]:
    """The frames that can be learnt from; ``left`` gets the others."""
    for (uid, frame), there in sorted(_by_frame(found).items()):
        latest = max(there, key=lambda one: one.changed)
        own = [one for one in there if one.reader == latest.reader]
        try:
            yield _example(own, images.get(uid), frame, config)
        except LesionMeasureError as error:
            left.append(LeftOut(uid, frame, error.reason))


def _by_frame(found: Iterable[Outlined]) -> dict[Frame, list[Outlined]]:
    """What was read of lesions on each frame that somebody outlined one on."""
    there: dict[Frame, list[Outlined]] = {}
    for one in found:
        if not is_liver(one.lesion):
            there.setdefault((one.image_uid, one.frame), []).append(one)
    return {place: own for place, own in there.items() if any(one.is_outline for one in own)}


def _example(own: Sequence[Outlined], image: Instance | None, frame: int, config: Config) -> _Example:
    if image is None:
        raise InputError("the image is not in the input")
    seen = [one for one in own if not one.gone]
    if frame > image.frames:
        raise InputError(f"the image has {image.frames} frames")
    outlines = [one for one in seen if one.is_outline]
    masks = [mask_on(one, image, config.limits) for one in outlines]
    if open_ := [one for one in seen if not one.is_outline and not _covered(one, masks)]:
        raise InputError(f"{shown_name(open_[0].lesion) or 'a lesion'} was read there and not outlined")
    if any(np.count_nonzero(mask) < FEWEST_PX for mask in masks):
        raise InputError(f"an outline of fewer than {FEWEST_PX} pixels is none that can be learnt")
    region = _region(image, [point for mask in masks for point in _corners(mask)], config)
    with OpenImage(image, config.limits) as opened:
        picture = opened.frame(frame).luminance()
    latest = max(own, key=lambda one: one.changed)
    none = np.zeros((image.rows, image.columns), dtype=np.bool_)
    return _Example(_row(latest, region), picture, np.logical_or.reduce([none, *masks]))


def _covered(line: Outlined, masks: Sequence[NDArray[np.bool_]]) -> bool:
    """Whether a caliper of an object lies on a lesion that is outlined; one of the reading room has no ends here."""
    if not (line.ends and masks):
        return False
    row, col = np.rint(np.mean(line.ends, axis=0)).astype(int)
    inside = all(0 <= at < side for at, side in zip((row, col), masks[0].shape, strict=True))
    return inside and any(bool(mask[row, col]) for mask in masks)


def _corners(mask: NDArray[np.bool_]) -> list[tuple[float, float]]:
    """The first and last row and column of a mask, as points: a region that holds them holds it."""
    rows, cols = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return [(float(row), float(col)) for row in (rows[0], rows[-1]) for col in (cols[0], cols[-1])]


def _region(image: Instance, points: Sequence[tuple[float, float]], config: Config) -> CalibratedRegion:
    scale = calibrate_at(image, points, config.calibration)
    if scale.region is None:
        raise InputError(scale.refusal.reason if scale.refusal else "the image has no scale")
    return scale.region


def _row(one: Outlined, region: CalibratedRegion) -> Row:
    return {
        "id": f"{one.image_uid}-{one.frame}",
        "group": one.subject,
        "row_min": region.row_min,
        "row_max": region.row_max,
        "col_min": region.col_min,
        "col_max": region.col_max,
        "sop_instance_uid": one.image_uid,
        "frame": one.frame,
        "reader": one.reader,
        "saved": one.changed,
        "drawn_in": one.drawn_in,
    }


def _png(values: NDArray[np.uint8]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(values).save(stream, format="PNG")
    return stream.getvalue()
