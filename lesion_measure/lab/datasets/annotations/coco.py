"""Layout of COCO: a JSON file of images, annotations and categories; outlines as polygons or run lengths.

https://cocodataset.org/#format-data. Points count from the corner of the first pixel. What is marked as a crowd, or to
be ignored, is not counted. Several files, such as ``instances_train.json`` and ``instances_val.json``, state a split.
So do folders called ``train2017`` and ``val2017``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lesion_measure.dicom.objects.vocabulary import Meaning, meaning_of
from lesion_measure.files.reading import open_regular
from lesion_measure.lab.datasets.annotations import rle
from lesion_measure.lab.datasets.annotations.finding import MAX_JSON_BYTES, Pictures, files_below, names_of, read_json
from lesion_measure.lab.datasets.files import bad, size_of
from lesion_measure.lab.datasets.outlines import Annotated, Shape, Shown, in_parts, pictures_of, polygons_drawn
from lesion_measure.lab.datasets.pictures import Picture
from lesion_measure.lab.datasets.polygons import Points, points_of
from lesion_measure.lab.datasets.scheme import Asked
from lesion_measure.lab.datasets.stated import split_called

EXPECTED = "annotations/*.json of COCO (images, annotations with polygons or RLE, categories) and the images"
_KEYS = (b'"images"', b'"annotations"', b'"categories"')
_CHUNK = 1 << 20
_DEEP = 2
_KEY = (int, float, str)
"""What an id may be in JSON; lists and objects are no keys."""


def fits(folder: Path) -> bool:
    """Whether there is a JSON file with COCO's three lists."""
    return next(_files(folder), None) is not None


def read(folder: Path, name: str, asked: Asked) -> list[Picture]:
    """Every image that the JSON files list; one without annotations is lesion-free.

    Raises
    ------
    InputError
        A file is not COCO's, names a picture that is not there, or an annotation has no outline or no category.
    """
    pictures = Pictures(folder, asked.bound(folder))
    files = [_File(path, read_json(path, asked.bound(folder))) for path in _files(folder)]
    places = {
        (file.path, number): pictures.called(str(image.get("file_name", "")), file.path)
        for file in files
        for number, image in file.images.items()
    }
    called = names_of(folder, list(dict.fromkeys(places.values())))
    items = [item for file in files for item in file.annotated(places, called)]
    listed = [label for file in files for label in file.labels.values()]
    known = [label for label in listed if meaning_of(label) is Meaning.LESION or asked.among([label])]
    if unused := pictures.unused():
        asked.tell(f"{name}: {unused} pictures that no JSON file lists are not read.")
    return pictures_of(in_parts(items, folder, name, asked), name, asked, known)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in files_below(folder, (".json",), _DEEP) if _has_keys(path))


def _has_keys(path: Path) -> bool:
    """Whether a file holds the names of COCO's lists, wherever in it."""
    missing, tail = set(_KEYS), b""
    try:
        with open_regular(path) as stream:
            for _ in range(MAX_JSON_BYTES // _CHUNK):
                chunk = stream.read(_CHUNK)
                missing = {key for key in missing if key not in tail + chunk}
                if not chunk or not missing:
                    return not missing
                tail = chunk[-32:]
    except OSError:
        return False  # reading reports it by name, if the folder is COCO's
    return False


@dataclass(frozen=True, slots=True)
class _File:
    """One JSON file of COCO."""

    path: Path
    content: Any

    def fail(self, reason: str, remedy: str = "Export it anew as COCO with segmentations.") -> Exception:
        return bad(reason, self.path, remedy)

    def _list(self, key: str) -> list[dict[str, Any]]:
        found = self.content.get(key) if isinstance(self.content, dict) else None
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise self.fail(f"It has no list of {key}.")
        return found

    def _by_number(self, key: str) -> dict[int | str, dict[str, Any]]:
        found: dict[int | str, dict[str, Any]] = {}
        for one in self._list(key):
            number = one.get("id")
            if not isinstance(number, int | str) or number in found:
                raise self.fail(f"An entry of {key} has no id of its own: {str(number)[:40]}.")
            found[number] = one
        return found

    @property
    def images(self) -> Mapping[int | str, dict[str, Any]]:
        return self._by_number("images")

    @property
    def labels(self) -> Mapping[float | str, str]:
        return {number: str(one.get("name", "")) for number, one in self._by_number("categories").items()}

    def annotated(self, places: Mapping[tuple[Path, int | str], Path], called: Mapping[Path, str]) -> list[Annotated]:
        """The file's images with their outlines."""
        labels, split, found = self.labels, _split(self.path), dict[float | str, Annotated]()
        for number, entry in self.images.items():
            path = places[self.path, number]
            height, width = entry.get("height"), entry.get("width")
            stated = (height, width) if isinstance(height, int) and isinstance(width, int) else None
            found[number] = Annotated(called[path], path, self.path, stated, split=split)
        for one in self._list("annotations"):
            where = f"annotation {str(one.get('id'))[:40]}"
            image, category = one.get("image_id"), one.get("category_id")
            item = found.get(image) if isinstance(image, _KEY) else None
            label = labels.get(category) if isinstance(category, _KEY) else None
            if item is None or label is None:
                what = "an image" if item is None else "a category"
                raise self.fail(f"The {where} is of {what} that the file does not list.")
            ignored = bool(one.get("iscrowd")) or bool(one.get("ignore"))
            item.shown.append(Shown(label, self._drawn(one.get("segmentation"), where, item), ignored))
        return list(found.values())

    def _drawn(self, segmentation: Any, where: str, item: Annotated) -> Any:
        """How to draw one annotation: polygons of flat lists, or run lengths."""
        if isinstance(segmentation, list) and segmentation:
            return polygons_drawn([self._polygon(flat, where) for flat in segmentation], self.path)
        if isinstance(segmentation, dict) and {"size", "counts"} <= segmentation.keys():
            counts, size = segmentation["counts"], segmentation["size"]
            if size != list(item.shape or size_of(item.path)):
                raise self.fail(f"The run lengths of {where} are of a mask of another size than {item.path.name}.")
            return lambda shape: self._mask(counts, shape, where)
        raise self.fail(
            f"The {where} has no outline: a box or point alone tells no lesion's border.",
            "Export outlines (segmentation), not boxes.",
        )

    def _mask(self, counts: Any, shape: Shape, where: str) -> NDArray[np.bool_]:
        try:
            listed = rle.unpacked(counts) if isinstance(counts, str) else counts
            if not isinstance(listed, list):
                raise ValueError("they are no list")
            return rle.decoded(listed, shape, by_columns=True)
        except ValueError as error:
            raise self.fail(f"The run lengths of {where} cannot be read: {error}.") from error

    def _polygon(self, flat: Any, where: str) -> Points:
        if not isinstance(flat, list) or len(flat) % 2:
            raise self.fail(f"A polygon of {where} is no list of x, y, x, y, ...")
        return points_of([list(pair) for pair in zip(flat[::2], flat[1::2], strict=True)], self.path)


def _split(path: Path) -> str:
    """The part of a split that a file's name states, or its folder's: instances_train2017.json."""
    words = re.findall(r"[a-z]+", f"{path.stem} {path.parent.name}".lower())
    return next(filter(None, map(split_called, words)), "")
