"""Other tools by their masks: a folder of predictions, one file a picture, compared like what a network draws."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesion_measure.image.volumes.files import SUFFIXES, read_volume
from lesion_measure.lab.datasets import Picture
from lesion_measure.lab.datasets.files import (
    MASK_SUFFIXES,
    bad,
    bound_of,
    composed,
    files_by_stem,
    lying_there,
    read_values,
)
from lesion_measure.lab.datasets.pictures import AS_DRAWN, MIN_LESION_PX
from lesion_measure.lab.datasets.scheme import Asked, LabelScheme, scheme_of
from lesion_measure.lab.evaluation.cases import Case, Drawn
from lesion_measure.lab.evaluation.outlines import drawn_as, measured_px, most_overlapped
from lesion_measure.lab.evaluation.overlap import Placed, judged, mostly_ignored, placed
from lesion_measure.lab.evaluation.record import Model
from lesion_measure.lab.evaluation.summary import SetSummary, summarise
from lesion_measure.network.confidence import dice
from lesion_measure.stats.estimates import NONE

Mask = NDArray[np.bool_]

_SHOWN = 8
_SLICE = re.compile(r"(.+)-(\d{4})")
"""A slice of a volume, as `datasets.volumes` names it."""


@dataclass(frozen=True, slots=True, eq=False)
class Peer:
    """What a tool drew: a mask (rows, columns) for each picture, in their order."""

    model: Model
    masks: tuple[Mask, ...]


def read_masks(
    folder: Path, pictures: Sequence[Picture], lesion_labels: Sequence[str] = (), links: Path | None = None
) -> Peer:
    """The masks of a folder, one for each picture.

    A file is called as its picture, and lies in the folder or in one of it that is called as the picture's set. What
    its values stand for says `datasets.scheme`. Of a volume's slices one file of the volume may hold all.

    Parameters
    ----------
    folder
        Of PNG, JPEG, NIfTI, NRRD or MetaImage files.
    pictures
        What is evaluated on.
    lesion_labels
        Labels that are lesions, where their names or values do not tell.
    links
        A folder that files may be links into, where it lies around this one.

    Raises
    ------
    InputError
        The folder lacks the masks of some pictures, masks are of another size, or one cannot be read: named.
    """
    scheme = scheme_of(folder, Asked(tuple(lesion_labels), bound_of(folder, links)))
    reader = _Reader(folder, {item.source for item in pictures}, scheme)
    files = [reader.file_of(item) for item in pictures]
    if lacking := [item.name for item, file in zip(pictures, files, strict=True) if file is None]:
        raise bad(
            f"{len(lacking)} of {len(pictures)} pictures have no mask here: {_listed(lacking)}."
            f"{_lying_there(folder, lacking[0])}",
            folder,
            "Call each mask as its picture, such as NAME.png or NAME.nii.gz; one without lesions is all 0.",
        )
    if twice := [file.path.name for file, count in Counter(files).items() if file is not None and count > 1]:
        raise bad(
            f"'{twice[0]}' would be the mask of pictures of several sets.",
            folder,
            "Put the masks of each set into a folder that is called as the set.",
        )
    masks = [reader.mask(item, file) for item, file in zip(pictures, files, strict=True) if file is not None]
    wrong = [
        f"{item.name} ({_size(mask)} instead of {_size(item.labels)})"
        for item, mask in zip(pictures, masks, strict=True)
        if mask.shape != item.labels.shape
    ]
    if wrong:
        raise bad(
            f"{len(wrong)} of {len(pictures)} masks are not of their picture's size: {_listed(wrong)}.",
            folder,
            "Write each mask on the grid of its picture (rows x columns).",
        )
    digest = hashlib.sha256()
    for mask in masks:
        digest.update(f"{mask.shape[0]} {mask.shape[1]} ".encode() + np.packbits(mask).tobytes())
    name = folder.resolve().name
    return Peer(Model(name, digest.hexdigest(), name, masks=True), tuple(masks))


def _lying_there(folder: Path, name: str) -> str:
    """What lies in the folder under nearly the name of a picture without a mask, as a sentence; empty without."""
    said, _ = lying_there(folder, name)
    behind = (path.name for path in sorted(folder.iterdir()) if composed(path.name).startswith(f"{name}_"))
    more = next(behind, None)
    return said or (f" '{more}' lies there: its name has more than that of the picture." if more else "")


@dataclass(frozen=True, slots=True)
class _File:
    """A file, and the number of the slice in it, None where it is of one picture."""

    path: Path
    index: int | None = None


class _Reader:
    """The files of a folder, and of those in it that are called as a set."""

    def __init__(self, folder: Path, sets: set[str], scheme: LabelScheme) -> None:
        suffixes = (*MASK_SUFFIXES, *SUFFIXES)
        self.scheme = scheme
        bound = scheme.asked.bound(folder)
        self.flat = files_by_stem(bound, folder, suffixes)
        self.by_set = {name: files_by_stem(bound, folder / name, suffixes) for name in sets if (folder / name).is_dir()}
        self.volume: tuple[Path, Mask] | None = None  # the last one read: slices come one after the other

    def file_of(self, item: Picture) -> _File | None:
        if found := self._called(item, item.name):
            return _File(found)
        slice_ = _SLICE.fullmatch(item.name)
        whole = self._called(item, slice_[1]) if slice_ else None
        if slice_ is None or whole is None or not _is_volume(whole):
            return None
        return _File(whole, int(slice_[2]))

    def _called(self, item: Picture, name: str) -> Path | None:
        return self.by_set.get(item.source, {}).get(name) or self.flat.get(name)

    def mask(self, item: Picture, file: _File) -> Mask:
        if not _is_volume(file.path):
            return self.scheme.lesion_mask(read_values(file.path), file.path)
        if self.volume is None or self.volume[0] != file.path:
            voxels = read_volume(file.path).voxels
            whole = np.rint(voxels)
            if voxels.ndim != 3 or np.abs(voxels - whole).max(initial=0) > 1e-4:
                raise bad("The mask does not hold whole numbers.", file.path, "Save it as whole numbers.")
            self.volume = file.path, self.scheme.lesion_mask(whole.astype(np.int32), file.path)
        slices = self.volume[1]
        number = file.index if file.index is not None else 0
        if number >= len(slices) or (file.index is None and len(slices) > 1):
            raise bad(
                f"The volume has {len(slices)} slices, and is to be the mask of picture {item.name}.",
                file.path,
                "Give the volume as many slices as its picture has.",
            )
        return np.asarray(slices[number])


def peer_cases(peer: Peer, pictures: Sequence[Picture], cases: Sequence[Case]) -> list[Case]:
    """What a tool drew on each picture; ``cases`` are a network's of the same pictures, whose true lesions are theirs.

    Areas that touch, over corners too, are one outline; those of fewer than `MIN_LESION_PX` pixels count in the Dice of
    the picture alone.
    """
    return [_case(item, mask, case) for item, mask, case in zip(pictures, peer.masks, cases, strict=True)]


def _case(item: Picture, mask: Mask, case: Case) -> Case:
    truths = placed(item.labels)
    found = placed(np.asarray(ndimage.label(mask, structure=AS_DRAWN)[0]))
    large = [part for part in found.values() if part.mask.sum() >= MIN_LESION_PX and not mostly_ignored(part, item)]
    parts = [judged(part, item) for part in large]
    counted = mask if item.ignored is None else mask & ~item.ignored
    return replace(
        case,
        trained_on=None,
        chosen_by=None,
        lesions=tuple(replace(lesion, placings=()) for lesion in case.lesions),
        automatic=tuple(_drawn(item, part, truths) for part in parts),
        automatic_dice=dice(counted, item.labels > 0) if truths else None,
        automatic_masks=tuple(parts),
        undecided=None,
    )


def _drawn(item: Picture, part: Placed, truths: Mapping[int, Placed]) -> Drawn:
    measured = measured_px(part.mask, part.origin, None)
    return drawn_as(part, measured, truths, most_overlapped(item.labels, part))


def peer_summary(cases: Sequence[Case], *, seed: int) -> dict[str, SetSummary]:
    """The figures of masks, by set; nobody accepts any, so of acceptance nothing is known."""
    return {
        name: replace(own, acceptance=dict.fromkeys(own.acceptance, NONE))
        for name, own in summarise(cases, seed=seed).items()
    }


def _is_volume(path: Path) -> bool:
    return path.name.lower().endswith(SUFFIXES)


def _size(mask: NDArray[np.generic]) -> str:
    return f"{mask.shape[0]} x {mask.shape[1]}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"
