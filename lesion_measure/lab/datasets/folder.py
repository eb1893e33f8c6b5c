"""Plain layout: ``images/``, ``masks/`` (of the same names) and ``index.csv``. Also what a review leaves behind."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lesion_measure.errors import InputError
from lesion_measure.job.folder import MARKER
from lesion_measure.lab.datasets.files import (
    MASK_SUFFIXES,
    PICTURE_LIKE,
    PICTURE_SUFFIXES,
    bad,
    checked_name,
    child,
    files_by_stem,
    lying_there,
    read_grey,
    read_index,
    read_values,
    same_size,
)
from lesion_measure.lab.datasets.label_maps import picture_of_values
from lesion_measure.lab.datasets.pictures import Picture
from lesion_measure.lab.datasets.regions import Cut, check_inside
from lesion_measure.lab.datasets.scheme import Asked, scheme_of
from lesion_measure.lab.datasets.stated import STATED, check_columns, with_stated
from lesion_measure.tables.rows import Row

EXPECTED = "images/NAME.png (or .jpg, .tif, .bmp), masks/ or labels/NAME.png and index.csv (columns id, group)"
IMAGES = ("images", "image", "imgs", "img")
MASKS = ("masks", "mask", "labels", "label")
INDEX = "index.csv"
CORRECTIONS = "corrections"
REGION = ("row_min", "row_max", "col_min", "col_max")
"""Columns of a correction: first and last row and column of the region of the frame that a run looks at."""
CORRECTIONS_EXPECTED = f"a results folder of this program with {CORRECTIONS}/ (images/, masks/ and index.csv)"


def fits(folder: Path) -> bool:
    """Whether the folder has the plain layout."""
    pair = pair_of(folder)
    return pair is not None and index_of(folder) is not None and any(map(_is_picture, pair[0].iterdir()))


def _is_picture(path: Path) -> bool:
    return path.name.lower().endswith(PICTURE_LIKE) and not path.name.startswith(".")


def pair_of(folder: Path) -> tuple[Path, Path] | None:
    """The folders of images and of masks, by any of their names in any letter case; None where one is missing."""
    images, masks = child(folder, *IMAGES), child(folder, *MASKS)
    return None if images is None or masks is None else (images, masks)


def index_of(folder: Path) -> Path | None:
    """The folder's ``index.csv``, in any letter case."""
    return child(folder, INDEX, of_files=True)


def read(folder: Path, name: str, asked: Asked, *, regions: bool = False) -> list[Picture]:
    """Pictures that ``index.csv`` lists, in its order; ``name`` is their set where the index has no column source.

    With ``regions`` each is cut to the region of its frame that the index states (`REGION`).

    Raises
    ------
    InputError
        The index is missing, lists a picture twice, or names a file that is missing, unreadable or of another size
        than its mask; a mask has no picture, or it cannot be told which of its values are lesions.
    """
    pair, index = pair_of(folder), index_of(folder)
    if pair is None or index is None:
        raise bad("There are no images with masks and an index.", folder, f"Expected {EXPECTED}.")
    rows = read_index(index, optional=("source", *STATED, *REGION))
    check_columns(rows, index)
    if not rows:
        raise bad("The index lists no pictures.", index, "Give each a line: id, its name without suffix, and group.")
    images_folder, masks_folder = pair
    images = files_by_stem(asked.bound(folder), images_folder, PICTURE_SUFFIXES)
    masks = files_by_stem(asked.bound(folder), masks_folder, MASK_SUFFIXES)
    scheme = scheme_of(folder, asked)
    pictures: dict[str, Picture] = {}
    for row in rows:
        identity = checked_name(row["id"], index)
        if identity in pictures:
            raise bad(f"Line {row.line}: this id is there twice.", index, "List every picture once.")
        if identity not in images or identity not in masks:
            raise _missing(images_folder if identity not in images else masks_folder, row, index, masks_folder)
        image, values = read_grey(images[identity]), read_values(masks[identity])
        same_size(image, values, masks[identity])
        if regions:
            cut = _region(row, image.shape, index)
            check_inside([scheme.lesion_mask(values, masks[identity])], [cut], masks[identity])
            image, values = image[cut], values[cut]
        group = f"{name}/{checked_name(row['group'] or identity, index)}"
        source = checked_name(row["source"], index) if row["source"] else name
        item = picture_of_values(identity, source, group, image, values, masks[identity], scheme)
        pictures[identity] = with_stated(item, row, index)
    _check_masks(images, masks)
    scheme.finish(name)
    if unused := len(images) - len(pictures):
        asked.tell(f"{name}: {unused} pictures that {index.name} does not list are not read.")
    return list(pictures.values())


def _missing(part: Path, row: Row, index: Path, masks: Path) -> InputError:
    """The error for a row without a picture or mask in ``part``."""
    identity = row["id"]
    empty = " (all 0 where there is no lesion)" if part == masks else ""
    there, remedy = lying_there(part, identity)
    return bad(
        f"Line {row.line}: there is no file of this name in {part.name}/: '{identity}'.{there}",
        index,
        remedy or f"Add {part.name}/{identity}.png{empty}, or take the line out; an id is a name without its suffix.",
    )


def _region(row: Row, shape: tuple[int, ...], index: Path) -> Cut:
    """The region of a frame that a row of an index states."""
    try:
        row_min, row_max, col_min, col_max = (int(row[column]) for column in REGION)
    except ValueError as error:
        raise bad(
            f"Line {row.line} does not say which region of the frame a run looks at ({', '.join(REGION)}).",
            index,
            "State its first and last row and column, from 0; a network that is shown the whole screen answers "
            "otherwise than in a run.",
        ) from error
    if not (0 <= row_min < row_max < shape[0] and 0 <= col_min < col_max < shape[1]):
        raise bad(f"Line {row.line}: the region does not lie in its picture.", index, "Correct its rows and columns.")
    return slice(row_min, row_max + 1), slice(col_min, col_max + 1)


def _check_masks(images: Mapping[str, Path], masks: Mapping[str, Path]) -> None:
    """Raise InputError where a mask has no picture: it may hold another lesion of one."""
    if orphans := sorted(masks.keys() - images.keys()):
        raise bad(
            "This mask has no picture of its name in images/.",
            masks[orphans[0]],
            "Put all lesions of a picture into one mask, named as the picture, or take this one away.",
        )


def lacks_index(folder: Path) -> bool:
    """Whether this would be the plain layout if it had an ``index.csv``."""
    return index_of(folder) is None and pair_of(folder) is not None


def load_folder(folder: Path) -> list[Picture]:
    """Pictures of a folder in the plain layout, its name as their set; raises as `read`."""
    return read(folder, folder.name, Asked())


def has_corrections(folder: Path) -> bool:
    """Whether this is a results folder, in which reviews may have left corrections."""
    return (folder / MARKER).is_file()


def read_corrections(folder: Path, name: str, asked: Asked) -> list[Picture]:
    """The outlines that reviewers corrected or drew in a results folder; raises as `read`."""
    corrections = folder / CORRECTIONS
    if not fits(corrections):
        raise bad(
            "This results folder holds no corrections.", folder, f"Expected {CORRECTIONS}/ with {EXPECTED} in it."
        )
    return read(corrections, name, asked, regions=True)
