"""Layouts of image and label pairs: volume files in ``images/`` + ``masks/`` or ``labels/``, nnU-Net's folders.

Slices of one volume are pictures of one group. Which label is the lesion says `scheme`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lesion_measure.dicom.colour import luminance
from lesion_measure.files.reading import parse_json, read_regular
from lesion_measure.image.volumes.files import SUFFIXES, read_volume
from lesion_measure.image.volumes.slicer import read_segments, segments_of
from lesion_measure.image.volumes.volume import Volume
from lesion_measure.lab.datasets.files import (
    bad,
    check_all_read,
    checked_name,
    child,
    composed,
    files_by_stem,
    grey_levels,
    read_grey,
    read_index,
    read_values,
    regular,
    same_size,
)
from lesion_measure.lab.datasets.folder import IMAGES, MASKS
from lesion_measure.lab.datasets.label_maps import picture_of_values
from lesion_measure.lab.datasets.outlines import Shown, picture_of_outlines
from lesion_measure.lab.datasets.pictures import Picture
from lesion_measure.lab.datasets.scheme import Asked, LabelScheme, Roles, roles_of, scheme_of
from lesion_measure.network.window import MAX_IMAGE_PX, MIN_IMAGE_PX

EXPECTED = (
    "images/NAME.nii.gz and masks/ or labels/NAME.nii.gz; "
    "or nnU-Net's imagesTr/NAME_0000.nii.gz (or .png) and labelsTr/NAME.nii.gz (or .png)"
)
_MAX_JSON_BYTES = 50_000_000
_FLAT = (".png", ".bmp", ".tif")
"""Suffixes of nnU-Net's flat pictures."""
_CHANNEL = re.compile(r"(.+)_(\d{4})")
_NNUNET = ("imagestr", "labelstr")
_SLICER = ".seg.nrrd"
SPLITS = "splits_final.json"


@dataclass(frozen=True, slots=True)
class _Case:
    name: str
    image: Path
    label: Path


def fits(folder: Path) -> bool:
    """Whether there are folders of images and labels with volume files in them (nnU-Net: or flat pictures)."""
    return _pair(folder) is not None


def read(folder: Path, name: str, asked: Asked) -> list[Picture]:
    """Every slice of every volume that has a label, lesion-free slices included.

    ``index.csv`` (columns id, group), where there is one, says which volumes belong together; else each is a group.
    nnU-Net's ``splits_final.json`` states folds.

    Raises
    ------
    InputError
        An image has no label or the other way round, they differ in size or place, a file cannot be read, or it
        cannot be told which label is the lesion.
    """
    pair = _pair(folder)
    if pair is None:
        raise bad("There are no images with labels.", folder, f"Expected {EXPECTED}.")
    cases = _cases(asked.bound(folder), *pair)
    tested = _test_cases(folder, pair, asked)
    if twice := sorted({case.name for case in cases} & {case.name for case in tested}):
        raise bad(f"'{twice[0]}' is among training and test.", folder, "Keep it in one of the two.")
    cases += tested
    held = {case.name for case in tested}
    groups, folds = _groups(folder, cases), _folds(folder, cases, asked)
    segmented = _segment_roles(cases, name, asked)
    scheme = scheme_of(folder, asked)
    pictures: list[Picture] = []
    for case in cases:
        group = f"{name}/{groups[case.name]}"
        if segmented is not None and _is_slicer(case.label):
            found = _of_segments(case, name, group, segmented)
        else:
            found = _of_values(case, name, group, scheme)
        split = "test" if case.name in held else ""
        pictures += (replace(one, fold=folds.get(case.name), split=split) for one in found)
    if not all(map(_is_slicer, (case.label for case in cases))):
        scheme.finish(name)
    if not all(case.image.name.lower().endswith(_FLAT) for case in cases):
        asked.tell(f"{name}: the first axis of the volume files counts columns, the second rows.")
    return pictures


def _test_cases(folder: Path, pair: tuple[Path, Path], asked: Asked) -> list[_Case]:
    """nnU-Net's test pictures, where there are labels of them."""
    images, labels = child(folder, "imagesTs"), child(folder, "labelsTs")
    if pair[0].name.casefold() != _NNUNET[0] or images is None:
        return []
    if labels is None:
        if count := len(files_by_stem(asked.bound(folder), images, _suffixes(images))):
            asked.tell(f"{folder.name}: {count} pictures in {images.name}/ have no labels and are not read.")
        return []
    return _cases(asked.bound(folder), images, labels)


def _of_values(case: _Case, name: str, group: str, scheme: LabelScheme) -> list[Picture]:
    """The slices of an image whose label holds values."""
    grey, labels = _load(case)
    scheme.lesion_mask(labels, case.label)
    return [
        picture_of_values(_slice_name(case, index, len(grey)), name, group, image, values, case.label, scheme)
        for index, (image, values) in enumerate(zip(grey, labels, strict=True))
    ]


def _of_segments(case: _Case, name: str, group: str, roles: Roles) -> list[Picture]:
    """The slices of an image whose segments 3D Slicer keeps by their names."""
    image = _read_image(case)
    found = read_segments(case.label)
    masks = {number: found.mask_on(image, number, case.label) for number in range(len(found.segments))}
    named = [segment.name for segment in found.segments]
    pictures = []
    for index, grey in enumerate(_grey(image)):
        outlines = [Shown(named[number], _slice_of(mask, index)) for number, mask in masks.items()]
        identity = _slice_name(case, index, len(image.voxels))
        pictures.append(picture_of_outlines(identity, name, group, grey, outlines, roles, case.label))
    return pictures


def _slice_of(mask: NDArray[np.bool_], index: int) -> Callable[[tuple[int, int]], NDArray[np.bool_]]:
    return lambda _: mask[index]


def _segment_roles(cases: Sequence[_Case], source: str, asked: Asked) -> Roles | None:
    """Which segments of 3D Slicer's files are lesions, by all their names; None where there are no such files."""
    files = [case.label for case in cases if _is_slicer(case.label)]
    names = list(dict.fromkeys(one.name for path in files for one in segments_of(path)))
    if not names:
        return None
    roles = roles_of(names, asked, files[0])
    asked.tell(roles.told(names, source))
    return roles


def _slice_name(case: _Case, index: int, slices: int) -> str:
    return case.name if slices == 1 else f"{case.name}-{index:04d}"


def _is_slicer(path: Path) -> bool:
    return path.name.lower().endswith(_SLICER)


def _pair(folder: Path) -> tuple[Path, Path] | None:
    for images, labels in ((IMAGES, MASKS), ((_NNUNET[0],), (_NNUNET[1],))):
        first, second = child(folder, *images), child(folder, *labels)
        if first is not None and second is not None and any(_has(first, each) for each in _suffixes(first)):
            return first, second
    return None


def _suffixes(images: Path) -> tuple[str, ...]:
    return (*SUFFIXES, *_FLAT) if _is_nnunet(images) else SUFFIXES


def _is_nnunet(images: Path) -> bool:
    return images.name.casefold() in (_NNUNET[0], "imagests")


def _has(folder: Path, suffix: str) -> bool:
    return any(path.name.lower().endswith(suffix) and not path.name.startswith(".") for path in folder.iterdir())


def _cases(bound: Path, images: Path, labels: Path) -> list[_Case]:
    """Images with their labels; nnU-Net's images end with a channel number, of which there must be one.

    The Medical Segmentation Decathlon's do not: they are called as their labels.
    """
    nnunet = _is_nnunet(images)
    suffixes = _suffixes(images)
    for part in (images, labels):
        check_all_read(part, suffixes)
    found = files_by_stem(bound, images, suffixes)
    label_of = files_by_stem(bound, labels, (_SLICER, *suffixes))
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
    groups = {composed(row["id"]): row["group"] for row in read_index(index)}
    if unknown := sorted(groups.keys() - {case.name for case in cases}):
        raise bad(f"The index lists '{unknown[0]}', which is not there.", index, "Add it, or take its line out.")
    for case in cases:
        if not groups.get(case.name):
            raise bad(
                f"The index does not say the group of {case.name}.", index, "Give each volume a line with its group."
            )
    return {case.name: checked_name(groups[case.name], index) for case in cases}


def _folds(folder: Path, cases: Sequence[_Case], asked: Asked) -> dict[str, int]:
    """The fold in which nnU-Net validates on each case, by ``splits_final.json`` where there is one.

    Raises
    ------
    InputError
        It is no list of folds, names a case that is not there, or validates on one twice.
    """
    path = child(folder, SPLITS, of_files=True)
    if path is None:
        return {}
    try:
        content = parse_json(read_regular(regular(asked.bound(folder), path), _MAX_JSON_BYTES))
        parts = [[[composed(str(one)) for one in fold[part]] for part in ("train", "val")] for fold in content]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise bad(f"{SPLITS} is no list of folds.", path, 'Expected [{"train": [...], "val": [...]}, ...].') from error
    folds: dict[str, int] = {}
    known = {case.name for case in cases}
    for number, (train, val) in enumerate(parts):
        if unknown := sorted({*train, *val} - known):
            raise bad(f"{SPLITS} names '{unknown[0]}', which is not there.", path, "Add it, or make the splits anew.")
        if both := sorted(set(train) & set(val) or set(val) & folds.keys()):
            raise bad(f"{SPLITS} has '{both[0]}' on two sides.", path, "Make the splits anew.")
        folds.update(dict.fromkeys(val, number))
    return folds


def _load(case: _Case) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """Grey slices (slices, rows, columns) and the labels of the same shape."""
    if case.image.name.lower().endswith(_FLAT) != case.label.name.lower().endswith(_FLAT):
        raise bad("An image and its label are of different formats.", case.label, "Save the label as its image is.")
    if case.image.name.lower().endswith(_FLAT):
        grey, values = read_grey(case.image), read_values(case.label)
        same_size(grey, values, case.label)
        return grey[None], values[None]
    image, label = _read_image(case), read_volume(case.label)
    if image.voxels.shape[:3] != label.voxels.shape:
        raise bad("The label and its image differ in size.", case.label, "Write it on the grid of its image.")
    if not image.lies_like(label):
        raise bad(
            "The label and its image say that they lie in different places.",
            case.label,
            "Save the label with the header of its image, voxel on voxel.",
        )
    return _grey(image), _whole_numbers(label, case.label)


def _read_image(case: _Case) -> Volume:
    image = read_volume(case.image)
    if image.lies_on_its_side():
        raise bad(
            "By its header the picture lies on its side: its first axis runs as rows should.",
            case.image,
            "Save image and label with columns first, as ITK does (nibabel: transpose the array).",
        )
    sides = image.voxels.shape[1:3]
    if min(sides) < MIN_IMAGE_PX or max(sides) > MAX_IMAGE_PX:
        raise bad(f"Slices of {sides[0]} x {sides[1]} pixels cannot be used.", case.image)
    return image


def _grey(volume: Volume) -> NDArray[np.uint8]:
    """Voxels as 8 bits: colour as luminance, grey by `grey_levels`."""
    voxels = volume.voxels
    if voxels.ndim == 4:
        return luminance(np.asarray(voxels, dtype=np.uint8))
    if voxels.dtype == np.uint8:
        return np.asarray(voxels, dtype=np.uint8)
    return grey_levels(voxels)


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
