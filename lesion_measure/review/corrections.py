"""Signed outlines as a set that a training takes: the folder ``corrections`` of the results (docs/datasets.md).

A frame is taken where every lesion that was read on it is outlined: what was measured and not outlined would be taught
to be none. Where several readers count, a frame is that of whoever changed it last.
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
from lesion_measure.errors import InputError, OutputError
from lesion_measure.files.writing import make_folder, replacing_folder, write_bytes, write_text
from lesion_measure.image.reader_outline import contour_mask
from lesion_measure.records import CalibratedRegion, Instance, is_liver
from lesion_measure.report.tables import Row, write_csv
from lesion_measure.review.messages import Kind
from lesion_measure.review.store import Kept

FOLDER = "corrections"
COLUMNS: tuple[str, ...] = (
    "id", "group", "row_min", "row_max", "col_min", "col_max", "sop_instance_uid", "frame", "reader", "saved",
)  # fmt: skip
FEWEST_PX = 9
"""An outline of fewer pixels is no lesion that a network can learn."""
_MARKER = ".lesion_measure_corrections"
_MARKER_LINE = "Made of signed readings by lesion_measure, and made anew each time.\n"
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
    readings: Iterable[Kept], images: Mapping[str, Instance], config: Config, out: Path
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

    Returns
    -------
    How many frames the set has, and those that were left out.

    Raises
    ------
    OutputError
        The folder ``corrections`` holds what is none of ours, or cannot be written.
    """
    _check_ours(out / FOLDER)
    left: list[LeftOut] = []
    rows: list[Row] = []
    with replacing_folder(out / FOLDER, "training set") as folder:
        write_text(folder / _MARKER, _MARKER_LINE)
        for part in ("images", "masks"):
            make_folder(folder / part)
        for example in _examples(readings, images, config, left):
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
    readings: Iterable[Kept], images: Mapping[str, Instance], config: Config, left: list[LeftOut]
) -> Iterator[_Example]:
    """The frames that can be learnt from; ``left`` gets the others."""
    for (uid, frame), there in sorted(_by_frame(readings).items()):
        latest = max(there, key=lambda kept: kept.changed)
        own = [kept for kept in there if kept.reader == latest.reader]
        try:
            yield _example(own, images.get(uid), frame, config)
        except InputError as error:
            left.append(LeftOut(uid, frame, error.reason))


def _by_frame(readings: Iterable[Kept]) -> dict[Frame, list[Kept]]:
    """The readings of lesions on each frame that somebody outlined one on."""
    found: dict[Frame, list[Kept]] = {}
    for kept in readings:
        if not is_liver(kept.draft.lesion):
            found.setdefault((kept.image_uid, kept.draft.frame), []).append(kept)
    return {place: there for place, there in found.items() if any(k.draft.kind is Kind.OUTLINE for k in there)}


def _example(own: Sequence[Kept], image: Instance | None, frame: int, config: Config) -> _Example:
    if image is None:
        raise InputError("the image is not in the input")
    seen = [kept for kept in own if kept.draft.kind is not Kind.RESOLVED]
    if open_ := [kept.draft.lesion for kept in seen if kept.draft.kind is not Kind.OUTLINE]:
        raise InputError(f"{open_[0]} was read there and not outlined")
    if frame > image.frames:
        raise InputError(f"the image has {image.frames} frames")
    contours = [kept.draft.contour or () for kept in seen]
    region = _region(image, [point for contour in contours for point in contour], config)
    masks = [contour_mask(contour, image) for contour in contours]
    if any(np.count_nonzero(mask) < FEWEST_PX for mask in masks):
        raise InputError(f"an outline of fewer than {FEWEST_PX} pixels is none that can be learnt")
    with OpenImage(image, config.limits) as opened:
        picture = opened.frame(frame).luminance()
    latest = max(own, key=lambda kept: kept.changed)
    return _Example(_row(latest, region), picture, np.logical_or.reduce(masks))


def _region(image: Instance, points: Sequence[tuple[float, float]], config: Config) -> CalibratedRegion:
    scale = calibrate_at(image, points, config.calibration)
    if scale.region is None:
        raise InputError(scale.refusal.reason if scale.refusal else "the image has no scale")
    return scale.region


def _row(kept: Kept, region: CalibratedRegion) -> Row:
    return {
        "id": f"{kept.image_uid}-{kept.draft.frame}",
        "group": kept.subject,
        "row_min": region.row_min,
        "row_max": region.row_max,
        "col_min": region.col_min,
        "col_max": region.col_max,
        "sop_instance_uid": kept.image_uid,
        "frame": kept.draft.frame,
        "reader": kept.reader,
        "saved": kept.changed.isoformat(timespec="seconds"),
    }


def _png(values: NDArray[np.uint8]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(values).save(stream, format="PNG")
    return stream.getvalue()
