"""Layouts of image and label pairs: volume files in ``images/`` + ``masks/`` or ``labels/``, nnU-Net's folders.

Slices of one volume are pictures of one group. Which label is the lesion says `scheme`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lesion_measure.dicom.colour import luminance
from lesion_measure.image.volumes.files import SUFFIXES, read_volume
from lesion_measure.image.volumes.volume import Volume
from lesion_measure.lab.datasets.files import (
    bad,
    check_all_read,
    checked_name,
    files_by_stem,
    read_grey,
    read_index,
    read_values,
    same_size,
)
from lesion_measure.lab.datasets.pictures import Picture, picture_of_lesions
from lesion_measure.lab.datasets.scheme import LesionLabels, scheme_of
from lesion_measure.lab.datasets.shapes import check_mask, check_not_picture
from lesion_measure.network.window import MAX_IMAGE_PX, MIN_IMAGE_PX

EXPECTED = (
    "images/NAME.nii.gz and masks/ or labels/NAME.nii.gz; "
    "or nnU-Net's imagesTr/NAME_0000.nii.gz (or .png) and labelsTr/NAME.nii.gz (or .png)"
)
_PNG = ".png"
_CHANNEL = re.compile(r"(.+)_(\d{4})")
_PAIRS = (("images", "masks"), ("images", "labels"), ("imagesTr", "labelsTr"))


@dataclass(frozen=True, slots=True)
class _Case:
    name: str
    image: Path
    label: Path


def fits(folder: Path) -> bool:
    """Whether there are folders of images and labels with volume files in them (nnU-Net: or PNG)."""
    return _pair(folder) is not None


def read(folder: Path, name: str, asked: LesionLabels) -> list[Picture]:
    """Every slice of every volume that has a label, lesion-free slices included.

    ``index.csv`` (columns id, group), where there is one, says which volumes belong together; else each is a group.

    Raises
    ------
    InputError
        An image has no label or the other way round, they differ in size or place, a file cannot be read, or it
        cannot be told which label is the lesion.
    """
    pair = _pair(folder)
    if pair is None:
        raise bad("There are no images with labels.", folder, f"Expected {EXPECTED}.")
    cases = _cases(folder, *pair)
    groups = _groups(folder, cases)
    scheme = scheme_of(folder, asked)
    pictures: list[Picture] = []
    for case in cases:
        grey, labels = _load(case)
        lesion = scheme.lesion_mask(labels, case.label)
        for index in range(len(grey)):
            check_not_picture(grey[index], lesion[index], case.label)
            check_mask(lesion[index], case.label)
            identity = case.name if len(grey) == 1 else f"{case.name}-{index:04d}"
            group = f"{name}/{groups[case.name]}"
            pictures.append(picture_of_lesions(identity, name, group, grey[index], [lesion[index]]))
    scheme.finish(name)
    if not all(case.image.name.lower().endswith(_PNG) for case in cases):
        asked.tell(f"{name}: the first axis of the volume files counts columns, the second rows.")
    return pictures


def _pair(folder: Path) -> tuple[Path, Path] | None:
    for images, labels in _PAIRS:
        first, second = folder / images, folder / labels
        suffixes = (*SUFFIXES, _PNG) if images == "imagesTr" else SUFFIXES
        if first.is_dir() and second.is_dir() and any(_has(first, each) for each in suffixes):
            return first, second
    return None


def _has(folder: Path, suffix: str) -> bool:
    return any(path.name.lower().endswith(suffix) and not path.name.startswith(".") for path in folder.iterdir())


def _cases(root: Path, images: Path, labels: Path) -> list[_Case]:
    """Images with their labels; nnU-Net's images end with a channel number, of which there must be one.

    The Medical Segmentation Decathlon's do not: they are called as their labels.
    """
    nnunet = images.name == "imagesTr"
    suffixes = (*SUFFIXES, _PNG) if nnunet else SUFFIXES
    for part in (images, labels):
        check_all_read(part, suffixes)
    found = files_by_stem(root, images, suffixes)
    label_of = files_by_stem(root, labels, suffixes)
    image_of: dict[str, Path] = {}
    for stem, path in found.items():
        channel = _CHANNEL.fullmatch(stem) if nnunet and stem not in label_of else None
        if nnunet and stem not in label_of and (channel is None or channel[2] != "0000"):
            raise bad(
                f"There is no label of this name in {labels.name}/, nor does it end with _0000, the only channel.",
                path,
                "Call the image as its label, with or without _0000; one grey channel is read.",
            )
        image_of[checked_name(channel[1] if channel else stem, path)] = path
    if lonely := sorted(image_of.keys() ^ label_of.keys()):
        path = image_of.get(lonely[0]) or label_of[lonely[0]]
        other = (labels if lonely[0] in image_of else images).name
        raise bad(f"This file has no partner in {other}/.", path, f"Add the one of {other}/, or take this one away.")
    return [_Case(stem, image_of[stem], label_of[stem]) for stem in sorted(image_of)]


def _groups(folder: Path, cases: list[_Case]) -> Mapping[str, str]:
    index = folder / "index.csv"
    if not index.is_file():
        return {case.name: case.name for case in cases}
    groups = {row["id"]: row["group"] for row in read_index(index)}
    if unknown := sorted(groups.keys() - {case.name for case in cases}):
        raise bad(f"The index lists '{unknown[0]}', which is not there.", index, "Add it, or take its line out.")
    for case in cases:
        if not groups.get(case.name):
            raise bad(
                f"The index does not say the group of {case.name}.", index, "Give each volume a line with its group."
            )
    return {case.name: checked_name(groups[case.name], index) for case in cases}


def _load(case: _Case) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """Grey slices (slices, rows, columns) and the labels of the same shape."""
    if case.image.name.lower().endswith(_PNG) != case.label.name.lower().endswith(_PNG):
        raise bad("An image and its label are of different formats.", case.label, "Save the label as its image is.")
    if case.image.name.lower().endswith(_PNG):
        grey, values = read_grey(case.image), read_values(case.label)
        same_size(grey, values, case.label)
        return grey[None], values[None]
    image, label = read_volume(case.image), read_volume(case.label)
    if image.voxels.shape[:3] != label.voxels.shape:
        raise bad("The label and its image differ in size.", case.label, "Write it on the grid of its image.")
    if not image.lies_like(label):
        raise bad(
            "The label and its image say that they lie in different places.",
            case.label,
            "Save the label with the header of its image, voxel on voxel.",
        )
    if image.lies_on_its_side():
        raise bad(
            "By its header the picture lies on its side: its first axis runs as rows should.",
            case.image,
            "Save image and label with columns first, as ITK does (nibabel: transpose the array).",
        )
    sides = image.voxels.shape[1:3]
    if min(sides) < MIN_IMAGE_PX or max(sides) > MAX_IMAGE_PX:
        raise bad(f"Slices of {sides[0]} x {sides[1]} pixels cannot be used.", case.image)
    return _grey(image), _whole_numbers(label, case.label)


def _grey(volume: Volume) -> NDArray[np.uint8]:
    """Voxels as 8 bits: as they are where that fits, else from their least (at most 0) to their most."""
    voxels = volume.voxels
    if voxels.ndim == 4:
        return luminance(np.asarray(voxels, dtype=np.uint8))
    if voxels.dtype == np.uint8:
        return np.asarray(voxels, dtype=np.uint8)
    low, high = min(float(voxels.min()), 0.0), float(voxels.max())
    if low == 0 and 1 < high <= 255:
        return np.stack([np.rint(one).astype(np.uint8) for one in voxels])
    scale = 255 / (high - low) if high > low else 0.0
    return np.stack([np.rint((one.astype(np.float64) - low) * scale).astype(np.uint8) for one in voxels])


def _whole_numbers(label: Volume, path: Path) -> NDArray[np.int32]:
    """The label's values; scaled ones are whole numbers to the digits of 32-bit floats."""
    values = label.voxels
    if values.ndim != 3:
        raise bad("The labels are colours.", path, "Save the label as whole numbers, one volume.")
    whole = np.rint(values)
    if (odd := np.abs(values - whole) > 1e-4).any():
        raise bad(
            f"The labels are not whole numbers: one is {float(values[odd][0]):g}.",
            path,
            "Save the label as whole numbers, without interpolation or scaling.",
        )
    least, most = int(whole.min()), int(whole.max())
    if least < 0 or most > 65535:
        raise bad(
            f"The labels are not whole numbers from 0 to 65535: one is {least if least < 0 else most}.",
            path,
            "Save the label with 0 outside and one positive number a label.",
        )
    return np.asarray(whole, dtype=np.int32)
