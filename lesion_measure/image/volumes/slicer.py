"""Segmentations of 3D Slicer, ``.seg.nrrd``: an NRRD file whose header names the segments.

Segments that overlap are kept in several layers. A file may hold a cut of its image's grid. The format:
https://slicer.readthedocs.io/en/latest/user_guide/modules/segmentations.html.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lesion_measure.image.volumes.files import read_layers
from lesion_measure.image.volumes.headers import nrrd_texts
from lesion_measure.image.volumes.volume import Volume, refused

_FIELD = re.compile(r"Segment(\d{1,4})_(Name|LabelValue|Layer)")
_CLOSE = 0.01


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment: its name, and the value that its voxels hold in its layer."""

    name: str
    layer: int
    value: int


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """The segments of a file and its voxels (slices, rows, columns, layers)."""

    segments: tuple[Segment, ...]
    volume: Volume

    def mask_on(self, image: Volume, number: int, path: Path) -> NDArray[np.bool_]:
        """The voxels of one segment on the grid of its image (slices, rows, columns).

        Raises
        ------
        InputError
            The file's grid is no part of the image's.
        """
        segment = self.segments[number]
        own = self.volume.voxels[..., segment.layer] == segment.value
        shape = image.voxels.shape[:3]
        if own.shape == shape and image.lies_like(self.volume):
            return np.asarray(own)
        start = _offset(image, self.volume)
        if start is None or not all(
            low >= 0 and low + length <= full for low, length, full in zip(start, own.shape, shape, strict=True)
        ):
            raise refused(
                "The segmentation does not lie on the grid of its image.",
                path,
                "Export it with the image as its reference geometry.",
            )
        whole = np.zeros(shape, dtype=bool)
        whole[tuple(slice(low, low + length) for low, length in zip(start, own.shape, strict=True))] = own
        return whole


def segments_of(path: Path) -> tuple[Segment, ...]:
    """The segments that a file's header names.

    Raises
    ------
    InputError
        It names none, or not the value or the layer of one.
    """
    fields: dict[int, dict[str, str]] = {}
    for key, text in nrrd_texts(path).items():
        if found := _FIELD.fullmatch(key):
            fields.setdefault(int(found[1]), {})[found[2]] = text
    found_segments = []
    for number, own in sorted(fields.items()):
        value, layer = own.get("LabelValue", str(number + 1)), own.get("Layer", "0")
        if not (value.isdecimal() and layer.isdecimal() and 0 < int(value) < 65536) or not own.get("Name"):
            raise refused(f"The header does not describe segment {number}.", path, "Save the segmentation anew.")
        found_segments.append(Segment(own["Name"], int(layer), int(value)))
    if not found_segments:
        raise refused(
            "The header names no segments.", path, "Save it from 3D Slicer as .seg.nrrd, or call the file .nrrd."
        )
    return tuple(found_segments)


def read_segments(path: Path) -> Segments:
    """Read a segmentation.

    Raises
    ------
    InputError
        As `segments_of` and `files.read_layers`; or a segment's layer is not there, or voxels hold a value that the
        header does not name.
    """
    segments, volume = segments_of(path), read_layers(path)
    layers = volume.voxels.shape[3]
    for segment in segments:
        if segment.layer >= layers:
            raise refused(f"The layer of segment '{segment.name}' is not there.", path, "Save the segmentation anew.")
    for layer in range(layers):
        named = {0, *(segment.value for segment in segments if segment.layer == layer)}
        if unknown := set(np.unique(volume.voxels[..., layer]).tolist()) - named:
            raise refused(f"Voxels hold {min(unknown)}, which no segment has.", path, "Save the segmentation anew.")
    return Segments(segments, volume)


def _offset(image: Volume, part: Volume) -> tuple[int, int, int] | None:
    """First slice, row and column of a cut of the image's grid; None where it is no cut of it."""
    whole, own = image.affine(), part.affine()
    if whole is None or own is None or np.abs(whole[:, :3] - own[:, :3]).max() > _CLOSE * image.voxel_mm:
        return None
    steps = np.linalg.solve(whole[:, :3], own[:, 3] - whole[:, 3])
    if np.abs(steps - np.rint(steps)).max() > _CLOSE:
        return None
    column, row, index = (int(step) for step in np.rint(steps))
    return index, row, column
