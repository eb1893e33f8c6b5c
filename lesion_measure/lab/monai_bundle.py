"""What ``python -m monai.bundle run`` calls in a bundle made here: outline the pictures of a folder.

A bundle's ``configs/inference.json`` names `outline_pictures` as its ``run``, and as its segmenter what
`Segmenter.from_bundle` verifies and loads: MONAI and this package share one network, one preprocessing, one answer.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import TypeAdapter, ValidationError

from lesion_measure import __version__
from lesion_measure.errors import InputError, LesionMeasureError, OutputError
from lesion_measure.files.writing import make_folder, write_bytes, write_json
from lesion_measure.lab.datasets.files import PICTURE_SUFFIXES, files_by_stem, read_grey, regular
from lesion_measure.network import CaliperLine, Segmentation, Segmenter

LESIONS = "lesions.json"
FULL_SCALE = 65535
ACCEPTED, PROPOSED = 255, 127

Calipers = dict[str, list[CaliperLine]]


def outline_pictures(
    segmenter: Segmenter, pictures: Path | str, out: Path | str, calipers: Mapping[str, Any] | None = None
) -> None:
    """Outline every picture and write what was found.

    For each picture NAME: ``NAME_probability.png`` (the probability map, 16 bits, 65535 for 1) and ``NAME_mask.png``
    (255 on accepted lesions, 127 on those that are only proposed, 0 elsewhere), both of the picture's size; for all
    of them ``lesions.json``: confidence, area and place of each lesion, and why a picture could not be outlined.

    Parameters
    ----------
    pictures
        A folder of PNG, JPEG, TIFF or BMP pictures, or one picture: the B-mode area at native resolution.
    out
        An empty folder, or one that does not exist yet.
    calipers
        By file name, the calipers of one lesion, each ((row, column), (row, column)) in pixels. The lesion that they
        span is outlined; pictures without calipers are outlined automatically.

    Raises
    ------
    InputError
        There are no pictures, calipers do not belong to any, or pictures could not be outlined (the others are).
    OutputError
        The folder is not empty or cannot be written.
    """
    files = _pictures(Path(pictures))
    lines = _checked(calipers or {}, files)
    folder = _empty(Path(out))
    told = [_outline(segmenter, path, lines.get(path.name, []), folder) for path in files]
    record = {
        "package_version": __version__,
        "model": {"name": segmenter.name, "sha256": segmenter.sha256},
        "pictures": told,
    }
    write_json(folder / LESIONS, record, indent=2)
    refused = [one["file"] for one in told if "refusal" in one]
    if refused:
        raise InputError(
            f"{len(refused)} of {len(files)} pictures could not be outlined, the first is {refused[0]}.",
            remedy="The reasons are in this file.",
            path=str(folder / LESIONS),
        )


def _pictures(path: Path) -> list[Path]:
    if path.is_dir():
        files = list(files_by_stem(path, path, PICTURE_SUFFIXES).values())
    else:
        files = [regular(path.parent, path)] if path.exists() else []
    if not files:
        raise InputError(
            "There is no PNG, JPEG, TIFF or BMP picture.",
            remedy="Give a picture or a folder of pictures with --dataset_dir.",
            code="no_input",
            path=str(path),
        )
    return files


def _checked(calipers: Mapping[str, Any], files: list[Path]) -> Calipers:
    """The calipers, once each is known to belong to a picture: a mistyped name must not drop a prompt."""
    remedy = 'Give {"NAME.png": [[[row, column], [row, column]], ...]}, in pixels.'
    try:
        lines = TypeAdapter(Calipers).validate_python(calipers)
    except ValidationError as error:
        raise InputError("The calipers are not lines by file name.", remedy=remedy, code="calipers") from error
    if unknown := sorted(set(lines) - {path.name for path in files}):
        raise InputError(f"There is no picture '{unknown[0]}' for its calipers.", remedy=remedy, code="calipers")
    return lines


def _empty(folder: Path) -> Path:
    make_folder(folder)
    if any(folder.iterdir()):
        raise OutputError(
            "The output folder is not empty.", remedy="Choose another with --output_dir.", path=str(folder)
        )
    return folder


def _outline(segmenter: Segmenter, path: Path, calipers: list[CaliperLine], folder: Path) -> dict[str, Any]:
    """What `LESIONS` says about one picture, after its images are written. Expected errors stay with their picture."""
    try:
        found = segmenter.segment(read_grey(path), calipers or None)
    except LesionMeasureError as error:
        refusal = {"code": error.code, "reason": error.reason, "remedy": error.remedy}
        return {"file": path.name, "refusal": refusal}
    probability = np.rint(found.probability * FULL_SCALE).astype(np.uint16)
    _write_picture(folder / f"{path.stem}_probability.png", probability)
    _write_picture(folder / f"{path.stem}_mask.png", _mask(found))
    lesions = [
        {
            "confidence": lesion.confidence,
            "accepted": lesion.accepted,
            "area_px": int(lesion.mask.sum()),
            "rows": [lesion.box[0].start, lesion.box[0].stop],
            "columns": [lesion.box[1].start, lesion.box[1].stop],
        }
        for lesion in found.lesions
    ]
    return {"file": path.name, "prompted": bool(calipers), "lesions": lesions}


def _mask(found: Segmentation) -> NDArray[np.uint8]:
    mask = np.zeros(found.probability.shape, dtype=np.uint8)
    for lesion in found.lesions:
        value = np.uint8(ACCEPTED if lesion.accepted else PROPOSED)
        mask[lesion.box] = np.maximum(mask[lesion.box], value * lesion.mask)
    return mask


def _write_picture(path: Path, values: NDArray[np.uint8] | NDArray[np.uint16]) -> None:
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, format="PNG")
    write_bytes(path, buffer.getbuffer(), "picture")
