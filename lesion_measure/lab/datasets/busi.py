"""Layout of 'Dataset of breast ultrasound images' (BUSI; Al-Dhabyani et al. 2020, Data in Brief 28:104863).

``<class>/<class> (n).png`` with ``<class> (n)_mask.png`` and, where there are several lesions, ``_mask_1.png`` and so
on; the masks of ``normal`` are black. The set states no patients and holds many near-duplicates: each picture is a
group of its own, until near-duplicates are merged.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np

from lesion_measure.lab.datasets.files import (
    MASK_SUFFIXES,
    bad,
    checked_name,
    files_by_stem,
    read_grey,
    read_values,
    same_size,
)
from lesion_measure.lab.datasets.pictures import Picture, picture_of_lesions, with_liver
from lesion_measure.lab.datasets.scheme import Asked, LabelScheme, scheme_of
from lesion_measure.lab.datasets.shapes import check_mask, check_not_picture

EXPECTED = "benign/, malignant/ and normal/ with 'benign (1).png', 'benign (1)_mask.png', ... (BUSI)"
_CLASSES = ("benign", "malignant", "normal")
_MASK = re.compile(r"(.+ \(\d+\))_mask(?:_(\d+))?")


def fits(folder: Path) -> bool:
    """Whether there is a class folder with masks beside their pictures."""
    return any(_MASK.fullmatch(path.stem) for kind in _CLASSES for path in (folder / kind).glob(f"{kind} (*)_mask.png"))


def read(folder: Path, name: str, asked: Asked) -> list[Picture]:
    """Every picture of the classes that are there.

    Raises
    ------
    InputError
        A file cannot be read, a mask and its picture do not go together, a picture has no mask, a benign or malignant
        one has an empty mask, or a normal one shows a lesion.
    """
    pictures: list[Picture] = []
    scheme = scheme_of(folder, asked)
    for kind in _CLASSES:
        if (folder / kind).is_dir():
            pictures += _read_class(asked.bound(folder), folder / kind, kind, name, scheme)
    scheme.finish(name)
    return pictures


def _read_class(root: Path, home: Path, kind: str, name: str, scheme: LabelScheme) -> list[Picture]:
    files = files_by_stem(root, home, MASK_SUFFIXES)
    masks_of: dict[str, list[tuple[int, Path]]] = defaultdict(list)
    for stem, path in files.items():
        if found := _MASK.fullmatch(stem):
            masks_of[found[1]].append((int(found[2] or 0), path))
    pictures = []
    for stem in sorted(files.keys() - {path.stem for several in masks_of.values() for _, path in several}):
        if stem not in masks_of:
            raise bad("This picture has no mask.", files[stem], f"Expected {stem}_mask.png beside it.")
        image = read_grey(files[stem])
        masks, together = [], np.zeros(image.shape, dtype=np.int32)
        for _, path in sorted(masks_of.pop(stem)):
            values = read_values(path)
            same_size(image, values, path)
            mask = scheme.lesion_mask(values, path)
            check_not_picture(image, mask, path)
            check_mask(mask, path)
            masks.append(mask)
            together = np.where(together == 0, values, together)
        if bool(np.any(masks)) != (kind != "normal"):
            what = "A normal picture shows a lesion." if kind == "normal" else f"The mask of a {kind} picture is empty."
            raise bad(what, files[stem], "Check the class and the mask.")
        identity = checked_name(stem, files[stem])
        ignored = scheme.ignored_mask(together)
        item = picture_of_lesions(identity, name, f"{name}/{identity}", image, masks, ignored=ignored)
        classes = scheme.classes(together, item.labels, len(item.axes))
        pictures.append(with_liver(replace(item, kind=kind, classes=classes), scheme.liver_mask(together)))
    if masks_of:
        raise bad("This mask has no picture.", min(masks_of.values())[0][1], "Unpack the archive anew.")
    return pictures
