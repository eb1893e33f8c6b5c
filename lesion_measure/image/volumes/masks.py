"""A reader's mask of one frame from a volume file, as 3D Slicer and ITK-SNAP write it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lesion_measure.image.masks import one_label
from lesion_measure.image.volumes.files import read_volume
from lesion_measure.image.volumes.volume import refused


def read_volume_mask(path: Path, *, frame: int, frames: int) -> NDArray[np.bool_]:
    """The mask (rows, columns) of one frame, turned upright as the header says (`Volume.upright`).

    Parameters
    ----------
    path
        The file: 0 outside, one other value on the lesion or organ.
    frame, frames
        The 1-based frame it is for, and how many its image has. A file of one slice is the mask of that frame.

    Raises
    ------
    InputError
        As `files.read_volume`; or it lies in a way that leaves open which of its axes are rows and columns, has
        neither one slice nor one for each frame, or does not hold one label.
    """
    volume = read_volume(path)
    if volume.voxels.ndim != 3:
        raise refused("The mask holds several layers.", path, "Save one segment, 0 outside and 1 on it.")
    voxels = volume.upright()
    if voxels is None:
        raise refused(
            "The mask's header says that it lies otherwise than its image: it may be mirrored or on its side.",
            path,
            "Draw it on the exported frame and save it as it lies, columns first (SimpleITK: CopyInformation).",
        )
    if len(voxels) not in (1, frames):
        raise refused(
            f"The mask has {len(voxels)} slices, the image has {frames} frames.",
            path,
            "Save one slice, or one for each frame.",
        )
    one_label(np.unique(voxels), path, "volume")
    return np.asarray(voxels[frame - 1 if len(voxels) > 1 else 0] > 0)
