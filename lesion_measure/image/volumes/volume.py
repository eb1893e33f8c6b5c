"""Voxels and where their header says that they lie."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lesion_measure.errors import InputError

MAX_VOLUME_BYTES = 1 << 29
_CLOSE = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """Voxels (slices, rows, columns), or (slices, rows, columns, 3) for RGB, after the stated scaling.

    ``sform`` and ``qform`` are the header's two statements of where the voxels lie, None where it makes none.
    They are those of NIfTI: millimetres to the right, to the front and up.
    """

    voxels: NDArray[np.generic]
    sform: NDArray[np.float64] | None
    qform: NDArray[np.float64] | None
    voxel_mm: float

    def lies_like(self, other: Volume) -> bool:
        """Whether both say the same of where their voxels lie, to 1 % of a voxel; unknown where one is silent."""
        own, theirs = self.affine(), other.affine()
        return own is None or theirs is None or bool(np.abs(own - theirs).max() <= _CLOSE * self.voxel_mm)

    def affine(self) -> NDArray[np.float64] | None:
        """Where voxels (column, row, slice) lie in mm (3, 4): by the sform, else the qform; None without both."""
        if self.sform is not None or self.qform is None:
            return None if self.sform is None else self.sform.reshape(3, 4)
        b, c, d, *offset, handed = self.qform[:7]
        a = np.sqrt(max(1 - b * b - c * c - d * d, 0))
        turn = np.array(
            [
                [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
                [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
                [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
            ]
        )
        sizes = np.array([*self.qform[7:9], self.qform[9] * handed])
        return np.column_stack([turn * sizes, offset])

    def lies_on_its_side(self) -> bool:
        """Whether the header says that the first axis runs up or back and the second to the side (or back)."""
        affine = self.affine()
        if affine is None:
            return False
        first, second = np.abs(affine[:, :2]).argmax(axis=0)
        return bool(first > second)

    def upright(self) -> NDArray[np.generic] | None:
        """The voxels with rows downwards, columns to the right and slices away from the viewer, as an image has them.

        A picture has its columns along DICOM's first direction (to the patient's left) and its rows along the second
        (to the back). Voxels that lie so, or whose header is silent, stay as they are. Others are turned where they
        cover the same grid, which begins at the origin. None where they lie otherwise: then the header may not mean
        what it says, and nothing in the file could tell.
        """
        affine = self.affine()
        if affine is None:
            return self.voxels
        steps = affine[:, :3] * [[-1], [-1], [1]]  # right and front to left and back
        lengths = np.linalg.norm(steps, axis=0)
        if not lengths.all():
            return None
        along = np.rint(steps / lengths)
        if np.abs(steps / lengths - along).max() > _CLOSE or (np.abs(along).sum(axis=0) != 1).any():
            return None
        if (along == np.eye(3)).all():
            return self.voxels
        axes = np.abs(along).argmax(axis=0)
        back = along.sum(axis=0) < 0
        counts = np.array(self.voxels.shape[2::-1])
        corner = affine[:, 3] * [-1, -1, 1] + steps @ np.where(back, counts - 1, 0)
        if sorted(axes) != [0, 1, 2] or np.abs(corner).max() > _CLOSE * lengths.min():
            return None
        by_axis = np.transpose(self.voxels, (2, 1, 0, *range(3, self.voxels.ndim)))
        by_axis = by_axis[tuple(slice(None, None, -1) if flipped else slice(None) for flipped in back)]
        source = np.argsort(axes)  # the stored axis that runs along columns, rows, slices
        return np.transpose(by_axis, (source[2], source[1], source[0], *range(3, self.voxels.ndim)))


def refused(reason: str, path: Path, remedy: str = "") -> InputError:
    """The error for a volume file that cannot be used."""
    return InputError(reason, remedy=remedy, code="volume", path=str(path))
