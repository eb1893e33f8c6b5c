"""Layout of 'Annotated Ultrasound Liver images' (Xu et al. 2022, doi 10.5281/zenodo.7272660), as its archives unpack.

``Benign``, ``Malignant`` and ``Normal`` each hold ``image/N.jpg`` and ``segmentation/{liver,mass,outline}/N.json``, a
list of [x, y] points. The polygon of ``mass`` is the lesion, that of ``liver`` the liver. The set states no patients:
each image is a group of its own, until ``groups.csv`` or near-duplicates join some.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lesion_measure.lab.datasets.files import PICTURE_SUFFIXES, bad, checked_name, child, files_by_stem, read_grey
from lesion_measure.lab.datasets.pictures import Picture, picture_of_lesions, union, with_liver
from lesion_measure.lab.datasets.polygons import filled, read_polygons
from lesion_measure.lab.datasets.scheme import Asked

EXPECTED = "Benign/, Malignant/ and Normal/ with image/N.jpg and segmentation/mass/N.json (AUL)"
_LESION = {"Benign": True, "Malignant": True, "Normal": False}


def fits(folder: Path) -> bool:
    """Whether there is a class folder with images and segmentations."""
    return any((_home(folder, kind) / "segmentation").is_dir() for kind in _LESION)


def read(folder: Path, name: str, asked: Asked) -> list[Picture]:
    """Every picture of the classes that are there, named ``benign_N`` and so on.

    Raises
    ------
    InputError
        A file cannot be read, an outline has no picture, a benign or malignant picture has no outline, or a normal
        picture has one.
    """
    pictures: list[Picture] = []
    for kind, has_lesion in _LESION.items():
        home = _home(folder, kind)
        if home.is_dir():
            pictures += _read_class(asked.bound(folder), home, kind, has_lesion, name, asked)
    asked.tell(f"{name}: 'mass' is lesion.")
    return pictures


def _liver(home: Path, stem: str, shape: tuple[int, int]) -> NDArray[np.bool_] | None:
    """The liver of a picture; None where nobody outlined it."""
    path = home / "segmentation" / "liver" / f"{stem}.json"
    polygons = read_polygons(path) if path.is_file() else []
    return union(filled(points, shape, path) for points in polygons)


def _home(folder: Path, kind: str) -> Path:
    """The class folder, in any letter case; some tools unpack ``Benign.zip`` to ``Benign/Benign``."""
    home = child(folder, kind) or folder / kind
    return (child(home, kind) if home.is_dir() else None) or home


def _read_class(root: Path, home: Path, kind: str, has_lesion: bool, name: str, asked: Asked) -> list[Picture]:
    images = files_by_stem(root, home / "image", PICTURE_SUFFIXES)
    drawn = home / "segmentation" / "mass"
    outlines = files_by_stem(root, drawn, (".json",)) if drawn.is_dir() else {}
    if orphans := sorted(outlines.keys() - images.keys()):
        raise bad("This outline has no picture.", outlines[orphans[0]], "Unpack the archive anew.")
    pictures = []
    for stem, path in images.items():
        image = read_grey(path)
        shape = (image.shape[0], image.shape[1])
        polygons = read_polygons(outlines[stem], asked, shape) if stem in outlines else []
        if bool(polygons) != has_lesion:
            raise bad(
                f"A picture of {kind} has {'no' if has_lesion else 'an'} outline of a mass.",
                path,
                f"Expected in segmentation/mass/{stem}.json." if has_lesion else "Move it to another class.",
            )
        masks = (filled(points, shape, outlines[stem]) for points in polygons)
        identity = checked_name(f"{kind.lower()}_{stem}", path)
        item = picture_of_lesions(identity, name, f"{name}/{identity}", image, masks)
        pictures.append(with_liver(replace(item, kind=kind.lower()), _liver(home, stem, shape)))
    return pictures
