"""Layout of Pascal VOC's segmentation: pictures, masks of classes (and of objects) with palettes, lists of names.

A place in the palette, or a colour of ``labelmap.txt``, is a class. The place 255 in VOC's colour of it is the rim that
nobody judged. Masks of objects tell lesions apart that touch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesion_measure.image import masks
from lesion_measure.lab.datasets.annotations.finding import read_text
from lesion_measure.lab.datasets.files import (
    CODE,
    PICTURE_SUFFIXES,
    bad,
    checked_name,
    child,
    composed,
    files_by_stem,
    read_grey,
    same_size,
)
from lesion_measure.lab.datasets.pictures import AS_DRAWN, MIN_LESION_PX, Picture, picture_of_lesions, with_liver
from lesion_measure.lab.datasets.scheme import Asked, LabelScheme, scheme_of, scheme_of_names
from lesion_measure.lab.datasets.shapes import check_not_picture, checked_mask
from lesion_measure.lab.datasets.stated import settled, split_called

EXPECTED = "JPEGImages/NAME.jpg, SegmentationClass/NAME.png and ImageSets/Segmentation/*.txt (Pascal VOC)"
_PICTURES, _CLASSES, _OBJECTS = "JPEGImages", "SegmentationClass", "SegmentationObject"
_VOID, _VOID_COLOUR = 255, (224, 224, 192)
_COLOUR = 1 << 24
_MAX_TEXT_BYTES = 50_000_000


def fits(folder: Path) -> bool:
    """Whether there are folders of pictures and of masks of classes."""
    return child(folder, _PICTURES) is not None and child(folder, _CLASSES) is not None


@dataclass(frozen=True, slots=True)
class _Map:
    """Values by colour, where ``labelmap.txt`` states them; and what values stand for."""

    colours: Mapping[int, int]
    scheme: LabelScheme


def read(folder: Path, name: str, asked: Asked) -> list[Picture]:
    """Every picture that the lists name; without lists every one that has a mask.

    Raises
    ------
    InputError
        A picture or mask is missing or cannot be read, a name stands in two parts of the split, or it cannot be told
        which class is the lesion.
    """
    bound = asked.bound(folder)
    homes = [child(folder, each) for each in (_PICTURES, _CLASSES, _OBJECTS)]
    pictures, classes, objects = ({} if home is None else _by_stem(bound, home) for home in homes)
    listed = _listed(folder, bound)
    known, found = _map_of(folder, asked), list[Picture]()
    for stem in listed or sorted(classes):
        for part, called in ((pictures, _PICTURES), (classes, _CLASSES)):
            if stem not in part:
                raise bad(f"There is no '{stem}' in {called}/.", folder, "Add it, or take it out of the lists.")
        identity = checked_name(stem, classes[stem])
        image, values, unjudged = read_grey(pictures[stem]), *_values(classes[stem], known.colours)
        one = _Labelled(identity, name, image, values, unjudged, classes[stem])
        item = one.picture(known.scheme, objects.get(stem))
        found.append(replace(item, split=listed.get(stem, "")))
    if not listed and (lonely := sorted(pictures.keys() - classes.keys())):
        raise bad(f"The picture has no mask in {_CLASSES}/.", pictures[lonely[0]], "Add it, all 0 where lesion-free.")
    known.scheme.finish(name)
    parts = settled([item.split for item in found], name, asked.tell)
    return [replace(item, split=part) for item, part in zip(found, parts, strict=True)]


@dataclass(frozen=True, slots=True, eq=False)
class _Labelled:
    """A picture with the values of its mask of classes; ``unjudged`` are pixels of the rim that nobody judged."""

    name: str
    source: str
    image: NDArray[np.uint8]
    values: NDArray[np.int32]
    unjudged: NDArray[np.bool_]
    path: Path

    def picture(self, scheme: LabelScheme, objects: Path | None) -> Picture:
        """The picture; lesions are those of the mask of ``objects`` where there is one, without unnumbered specks."""
        same_size(self.image, self.values, self.path)
        lesion = scheme.lesion_mask(self.values, self.path)
        check_not_picture(self.image, lesion, self.path)
        parts: Iterable[NDArray[np.bool_]] = [lesion]
        if objects is not None:
            places, _ = _values(objects, {})
            same_size(self.image, places, objects)
            parts = (lesion & (places == place) for place in np.unique(places[lesion]) if place)
            _check_numbered(lesion & (places == 0), objects)
        ignored = scheme.ignored_mask(self.values)
        ignored = self.unjudged if ignored is None else ignored | self.unjudged
        group = f"{self.source}/{self.name}"
        checked = (checked_mask(part, self.path) for part in parts)
        item = picture_of_lesions(self.name, self.source, group, self.image, checked, ignored=ignored)
        classes = scheme.classes(self.values, item.labels, len(item.axes))
        return with_liver(replace(item, classes=classes), scheme.liver_mask(self.values))


def _check_numbered(left: NDArray[np.bool_], objects: Path) -> None:
    """Raise InputError where lesions that have no number, ``left`` (rows, columns), are more than specks."""
    parts, _ = ndimage.label(left, structure=AS_DRAWN)
    areas = np.bincount(parts.ravel())[1:]
    if areas.size and areas.max() >= MIN_LESION_PX:
        raise bad(
            f"{int(left.sum())} pixels of lesions belong to no object.",
            objects,
            f"Number every lesion there, or take {_OBJECTS}/ away.",
        )


def _by_stem(bound: Path, home: Path) -> dict[str, Path]:
    return files_by_stem(bound, home, PICTURE_SUFFIXES)


def _values(path: Path, colours: Mapping[int, int]) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """The class of each pixel (rows, columns), by colour where ``colours`` are known; and what nobody judged."""
    try:
        with masks.opened(path, ("PNG", "BMP")) as image:
            masks.check_size(image.height, image.width, path, code=CODE)
            if image.mode not in ("P", "L", "1", "RGB"):
                raise bad(f"The mask is of mode {image.mode}, not a palette.", path, "Save it as PNG with a palette.")
            seen = np.asarray(image.convert("RGB"), dtype=np.int32)
            places = None if image.mode == "RGB" else np.asarray(image, dtype=np.int32)
            palette = image.mode == "P"
    except masks.PILLOW_ERRORS as error:
        raise bad(f"The mask cannot be read{masks.why(error)}.", path, "Give an intact PNG file.") from error
    packed = (seen * np.array([1 << 16, 1 << 8, 1])).sum(axis=2).astype(np.int32)
    void = (seen == _VOID_COLOUR).all(axis=2)
    if colours:
        found = np.where(packed == 0, 0, packed + _COLOUR).astype(np.int32)
        for colour, value in colours.items():
            found[packed == colour] = value
        rim = void & (found > _COLOUR)
        return np.where(rim, 0, found), rim
    if places is None:
        return np.where(void | (packed == 0), 0, packed + _COLOUR).astype(np.int32), void
    unjudged = void & (places == _VOID) if palette else np.zeros(places.shape, dtype=bool)
    return np.where(unjudged, 0, places), unjudged


def _map_of(folder: Path, asked: Asked) -> _Map:
    """The classes of ``labelmap.txt`` (label:colour::), else those of ``dataset.json``, else one value beside 0."""
    path = child(folder, "labelmap.txt", of_files=True)
    if path is None:
        return _Map({}, scheme_of(folder, asked))
    colours: dict[int, int] = {}
    named: dict[str, tuple[int, ...]] = {}
    for line in read_text(path, asked.bound(folder), _MAX_TEXT_BYTES).splitlines():
        label, _, rest = line.partition(":")
        if not line.strip() or line.startswith("#"):
            continue
        words = rest.split(":")[0].split(",")
        if len(words) != 3 or not all(word.strip().isdecimal() and int(word) <= _VOID for word in words):
            raise bad(f"It gives '{label[:40]}' no colour.", path, "Expected lines such as lesion:128,0,0::.")
        red, green, blue = map(int, words)
        colour = (red << 16) + (green << 8) + blue
        if label in named or colour in colours:
            raise bad(f"It has the label or the colour of '{label[:40]}' twice.", path, "Keep one.")
        value = 0 if colour == 0 else len(named) + 1
        colours[colour], named[label] = value, (value,)
    return _Map(colours, scheme_of_names(named, asked, path))


def _listed(folder: Path, bound: Path) -> dict[str, str]:
    """The names of the lists, and the part of the split of each."""
    sets = child(folder, "ImageSets")
    home = None if sets is None else child(sets, "Segmentation")
    found: dict[str, str] = {}
    for path in sorted(home.glob("*.txt")) if home is not None else ():
        part = "" if path.stem.casefold() == "trainval" else split_called(path.stem)
        for line in read_text(path, bound, _MAX_TEXT_BYTES).splitlines():
            if not line.strip():
                continue
            stem = composed(line.strip())
            if part and found.get(stem, "") not in ("", part):
                raise bad(f"'{stem[:80]}' stands in {found[stem]} and in {part}.", path, "Keep it in one list.")
            found[stem] = part or found.get(stem, "")
    return found
