"""Any data as a folder of nnU-Net or COCO, with the split that goes with it: a peer is trained on the same.

Both hold ``index.csv``, by which this program reads groups, classes, split and folds of them.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from lesion_measure.dicom.objects.vocabulary import Meaning, meaning_of
from lesion_measure.errors import OutputError
from lesion_measure.files.writing import make_folder, replacing_folder, write_bytes, write_text
from lesion_measure.lab.datasets.annotations import rle
from lesion_measure.lab.datasets.files import bad
from lesion_measure.lab.datasets.pictures import AS_DRAWN, Picture
from lesion_measure.lab.datasets.splits import folds

FOLDS = 5
LESION, LIVER, IGNORE = "lesion", "liver", "ignore"
_NO_NAME = re.compile(r"[^\w() .-]")


def export(pictures: Sequence[Picture], folder: Path, form: str, seed: int = 0) -> list[str]:
    """Write pictures as a data folder of a ``form`` of `FORMS`; returns what a person should know, a sentence each.

    Where the pictures state a split or folds these are kept. Else their groups are spread over 5 folds by ``seed`` (or
    as many as there are groups), and the first of them is what is validated on.

    Raises
    ------
    OutputError
        The folder is not empty or cannot be written.
    InputError
        There are fewer than two groups, a group is on two sides of a stated split, or two pictures come to one name.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise OutputError(
            "The folder to export to is not empty.", remedy="Give a new one with --export.", path=str(folder)
        )
    named, told = _named(pictures), list[str]()
    if with_liver := any(item.liver is not None for item in named):
        unknown = [item.name for item in named if item.liver is None]
        if unknown:
            told.append(f"The liver is left out: {len(unknown)} pictures do not outline it, such as {unknown[0]}.")
        with_liver = not unknown
    labels = _Labels.of(named, with_liver)
    told += labels.told
    if form == "nnunet":
        told += _touching(named)
    parted = _with_split(named, seed)
    with replacing_folder(folder) as root:
        FORMS[form](root, parted, labels)
        write_text(root / "index.csv", _index(parted), "table")
    return told


def _touching(pictures: Sequence[Picture]) -> list[str]:
    """Lesions that touch, which values alone do not keep apart, as a sentence; none where there are none."""
    names = [item.name for item in pictures if ndimage.label(item.labels > 0, AS_DRAWN)[1] < len(item.axes)]
    return [f"Lesions that touch become one, in {len(names)} pictures, such as {names[0]}."] if names else []


@dataclass(frozen=True, slots=True)
class _Labels:
    """The labels of a folder: the classes of lesions, and whether there are a liver and pixels to be ignored."""

    lesions: tuple[str, ...]
    liver: bool
    ignored: bool
    told: tuple[str, ...] = ()

    @staticmethod
    def of(pictures: Sequence[Picture], liver: bool) -> _Labels:
        classes = sorted({name for item in pictures for name in item.classes})
        kept = [name for name in classes if meaning_of(name) is Meaning.LESION]
        unnamed = len(kept) < len(classes) or not all(item.classes or not item.axes for item in pictures) or not kept
        told = [f"'{name}' is called '{LESION}': its name does not tell that it is one." for name in classes]
        told = [line for name, line in zip(classes, told, strict=True) if name not in kept]
        lesions = (*kept, *([LESION] if unnamed and LESION not in kept else []))
        return _Labels(lesions, liver, any(item.ignored is not None for item in pictures), tuple(told))

    def class_of(self, item: Picture, label: int) -> str:
        """The class of one lesion (label from 1)."""
        name = item.classes[label - 1] if item.classes else LESION
        return name if name in self.lesions else LESION

    def values(self) -> dict[str, int]:
        """A value for each label, as nnU-Net numbers them: without gaps, what is to be ignored last."""
        names = [*([LIVER] if self.liver else []), *self.lesions, *([IGNORE] if self.ignored else [])]
        return {"background": 0, **{name: number for number, name in enumerate(names, start=1)}}


def _named(pictures: Sequence[Picture]) -> list[Picture]:
    """The pictures under names that are one each, with groups that are plain names."""
    several = len({item.source for item in pictures}) > 1
    names = [f"{item.source}_{item.name}" if several else item.name for item in pictures]
    _check_one_each(pictures, names)
    groups: dict[str, str] = {}
    taken: set[str] = set()
    for item in pictures:
        if item.group not in groups:
            plain = item.group if several else item.group.removeprefix(f"{item.source}/")
            plain, number = _NO_NAME.sub(" ", plain).strip(" .") or "group", 1
            while (called := plain if number == 1 else f"{plain} ({number})") in taken:
                number += 1
            taken.add(called)
            groups[item.group] = called
    return [replace(item, name=name, group=groups[item.group]) for item, name in zip(pictures, names, strict=True)]


def _check_one_each(pictures: Sequence[Picture], names: Sequence[str]) -> None:
    """Raise InputError where two names are one in a file system that tells no letter case."""
    seen: dict[str, Picture] = {}
    for item, name in zip(pictures, names, strict=True):
        if (other := seen.setdefault(name.casefold(), item)) is not item:
            raise bad(
                f"'{item.name}' of {item.source} and '{other.name}' of {other.source} would both be called '{name}'.",
                item.source,
                "Rename a picture or a folder, or export the sets one by one.",
            )


def _with_split(pictures: Sequence[Picture], seed: int) -> list[Picture]:
    """The pictures with a part of a split each, and with folds unless they state a split alone."""
    if any(item.split for item in pictures) and not any(item.fold is not None for item in pictures):
        return [replace(item, split=item.split or "train") for item in pictures]
    learnt = [item for item in pictures if item.split != "test"]
    most = max(min(FOLDS, len({item.group for item in learnt})), 2)
    count = max((item.fold + 1 for item in learnt if item.fold is not None), default=most)
    parts = folds(learnt, count, seed)
    fold_of = {group: number for number, part in enumerate(parts) for group in part}
    return [
        item
        if item.split == "test"
        else replace(item, fold=fold_of[item.group], split="train" if fold_of[item.group] else "val")
        for item in pictures
    ]


def _index(pictures: Sequence[Picture]) -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("id", "group", "class", "split", "fold", "stratum"))
    for item in pictures:
        fold = "" if item.fold is None else item.fold
        rows.writerow((item.name, item.group, item.kind, item.split, fold, item.stratum))
    return text.getvalue()


def _write_nnunet(root: Path, pictures: Sequence[Picture], labels: _Labels) -> None:
    """nnU-Net 2: test pictures in folders of their own, which it does not look into for training."""
    values = labels.values()
    for item in pictures:
        part = "Ts" if item.split == "test" else "Tr"
        _write_png(root / f"images{part}" / f"{item.name}_0000.png", item.image)
        _write_png(root / f"labels{part}" / f"{item.name}.png", _values(item, labels, values))
    learnt = [item for item in pictures if item.split != "test"]
    content = {
        "channel_names": {"0": "ultrasound"},
        "labels": values,
        "numTraining": len(learnt),
        "file_ending": ".png",
    }
    _write_json(root / "dataset.json", content)
    stated: list[int | None] = [*sorted({item.fold for item in learnt if item.fold is not None})]
    _write_json(root / "splits_final.json", [_fold(learnt, fold) for fold in stated or [None]])


def _fold(pictures: Sequence[Picture], fold: int | None) -> dict[str, list[str]]:
    held = [item.split == "val" if fold is None else item.fold == fold for item in pictures]
    return {
        "train": [item.name for item, out in zip(pictures, held, strict=True) if not out],
        "val": [item.name for item, out in zip(pictures, held, strict=True) if out],
    }


def _values(item: Picture, labels: _Labels, values: Mapping[str, int]) -> NDArray[np.uint8]:
    """The label of each pixel (rows, columns)."""
    found = np.zeros(item.labels.shape, dtype=np.uint8)
    if labels.liver and item.liver is not None:
        found[item.liver] = values[LIVER]
    if item.ignored is not None:
        found[item.ignored] = values[IGNORE]
    for label in range(1, len(item.axes) + 1):
        found[item.labels == label] = values[labels.class_of(item, label)]
    return found


def _write_coco(root: Path, pictures: Sequence[Picture], labels: _Labels) -> None:
    """COCO: a JSON file for each part of the split, outlines as packed run lengths."""
    names = [*labels.lesions, *([LIVER] if labels.liver else [])]
    categories = {name: number for number, name in enumerate(names, start=1)}
    for part in sorted({item.split for item in pictures}):
        own = [item for item in pictures if item.split == part]
        annotations: list[dict[str, Any]] = []
        for number, item in enumerate(own, start=1):
            _write_png(root / "images" / f"{item.name}.png", item.image)
            for name, mask, crowd in _outlined(item, labels):
                one = _annotation(mask, len(annotations) + 1, number, categories[name], crowd)
                annotations.append(one)
        images = [
            {"id": number, "file_name": f"{item.name}.png", "height": item.image.shape[0], "width": item.image.shape[1]}
            for number, item in enumerate(own, start=1)
        ]
        listed = [{"id": number, "name": name} for name, number in categories.items()]
        content = {"images": images, "annotations": annotations, "categories": listed}
        _write_json(root / "annotations" / f"instances_{part}.json", content)


def _outlined(item: Picture, labels: _Labels) -> Iterator[tuple[str, NDArray[np.bool_], bool]]:
    """Each outlined thing of a picture: its category, its mask, and whether it is to be ignored (a crowd)."""
    for label in range(1, len(item.axes) + 1):
        yield labels.class_of(item, label), item.labels == label, False
    if labels.liver and item.liver is not None and item.liver.any():
        yield LIVER, item.liver, False
    if item.ignored is not None:
        yield labels.lesions[0], item.ignored, True


def _annotation(mask: NDArray[np.bool_], number: int, image: int, category: int, crowd: bool) -> dict[str, Any]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    box = [columns[0], rows[0], columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1]
    return {
        "id": number,
        "image_id": image,
        "category_id": category,
        "iscrowd": int(crowd),
        "area": int(mask.sum()),
        "bbox": [int(value) for value in box],
        "segmentation": {
            "size": list(mask.shape),
            "counts": rle.packed(rle.run_lengths(mask, by_columns=True)),
        },
    }


def _write_png(path: Path, values: NDArray[np.uint8]) -> None:
    make_folder(path.parent, "folder of pictures")
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, "PNG")
    write_bytes(path, buffer.getbuffer(), "picture")


def _write_json(path: Path, content: Any) -> None:
    make_folder(path.parent, "folder of annotations")
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


FORMS: Mapping[str, Callable[[Path, Sequence[Picture], _Labels], None]] = {
    "nnunet": _write_nnunet,
    "coco": _write_coco,
}
"""What data can be written as."""
