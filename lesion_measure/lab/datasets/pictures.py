"""A picture with outlined lesions, and the calipers a reader would place on each."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesion_measure.errors import InputError
from lesion_measure.lab.datasets.axes import LesionAxes, lesion_axes
from lesion_measure.lab.datasets.spool import Spool
from lesion_measure.records import Spacing

AS_DRAWN = np.ones((3, 3), dtype=bool)
"""Labels that people drew are joined over corners too: their rims are ragged, and what hangs on by a corner is no other
lesion. A run's lesions share sides (decision 3)."""
_SPOOL = Spool()
"""Where the pixels of all pictures are, so that memory does not grow with a large set."""
MIN_LESION_PX = 12
MAX_LESIONS = 200


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture and its lesions: ``labels`` (rows, columns) is 0 outside, 1.. on each lesion; ``axes`` one a label.

    ``source`` is the set it belongs to. ``group`` says what must not be split: pictures of one group, whatever their
    set, show the same patient or lesion. Readers of data folders put the folder's name before the group an index
    states, so that group 1 of one folder is not taken for group 1 of another. ``specks`` are the areas, in pixels, of
    what the outlines hold beside the lesions: too small to be measured, and counted as background. ``kind`` is the
    class that the set gives a picture (such as benign), if any: splits and tables are by it, and nothing is learnt from
    it. ``liver`` (rows, columns) is the liver where the set outlines it, else None. ``spacing_mm`` is the size of a
    pixel, None where the set does not say it. ``ignored`` (rows, columns) are pixels that nobody judged: they count
    neither as lesion nor as background; None where there are none. ``classes`` are what the set calls each lesion, one
    a label, or nothing. ``split`` (train, val, test or empty) and ``fold`` are stated by the set, as is ``stratum``,
    by which splits are balanced beside ``kind``.
    """

    name: str
    source: str
    group: str
    image: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    axes: tuple[LesionAxes, ...]
    specks: tuple[int, ...] = ()
    kind: str = ""
    liver: NDArray[np.bool_] | None = None
    spacing_mm: Spacing | None = None
    ignored: NDArray[np.bool_] | None = None
    classes: tuple[str, ...] = ()
    split: str = ""
    fold: int | None = None
    stratum: str = ""


def picture(name: str, source: str, group: str, image: NDArray[np.uint8], mask: NDArray[np.bool_]) -> Picture:
    """A picture from its image and mask, lesions told apart by touching; specks and lines are no lesions.

    Parameters
    ----------
    name
        Name of the picture in its set.
    source
        Name of the set.
    group
        What must not be split: pictures of one patient or lesion.
    image
        Grey values (rows, columns).
    mask
        The lesions (rows, columns).
    """
    return picture_of_lesions(name, source, group, image, [mask])


def picture_of_lesions(
    name: str,
    source: str,
    group: str,
    image: NDArray[np.uint8],
    masks: Iterable[NDArray[np.bool_]],
    classes: Sequence[str] = (),
    ignored: NDArray[np.bool_] | None = None,
) -> Picture:
    """A picture whose lesions are outlined one by one; those that touch stay apart, what two share is the first's.

    Parameters
    ----------
    name
        Name of the picture in its set.
    source
        Name of the set.
    group
        What must not be split: pictures of one patient or lesion.
    image
        Grey values (rows, columns).
    masks
        One mask (rows, columns) for each lesion; they may be drawn one by one.
    classes
        What the set calls each of these; none where it does not say.
    ignored
        Pixels (rows, columns) that nobody judged. Where a lesion is outlined, it counts.

    Raises
    ------
    InputError
        There are more lesions than any picture has: the masks are something else.
    """
    labels = np.zeros(image.shape, dtype=np.uint8)
    axes: list[LesionAxes] = []
    specks: list[int] = []
    called: list[str] = []
    for mask, kind in zip(masks, classes, strict=True) if classes else ((mask, "") for mask in masks):
        box = extent(mask)
        found, count = ndimage.label(mask[box] & (labels[box] == 0), structure=AS_DRAWN)
        areas = np.bincount(found.ravel(), minlength=count + 1)[1:]
        specks += areas[areas < MIN_LESION_PX].tolist()
        for index in np.flatnonzero(areas >= MIN_LESION_PX) + 1:
            one = found == index
            measured = lesion_axes(one, (box[0].start, box[1].start))
            if measured is None:
                specks.append(int(areas[index - 1]))
            else:
                axes.append(measured)
                called.append(kind)
                labels[box][one] = len(axes)
            if len(axes) > MAX_LESIONS:
                raise InputError(f"A picture has more than {MAX_LESIONS} lesions.", code="dataset", path=name)
    image, labels = _SPOOL.keep(image), _SPOOL.keep(labels)
    item = Picture(name, source, group, image, labels, tuple(axes), tuple(specks))
    return replace(item, ignored=_unjudged(ignored, labels), classes=tuple(called) if any(called) else ())


def _unjudged(ignored: NDArray[np.bool_] | None, labels: NDArray[np.uint8]) -> NDArray[np.bool_] | None:
    found = None if ignored is None else ignored & (labels == 0)
    return None if found is None or not found.any() else _SPOOL.keep(found)


def with_liver(item: Picture, liver: NDArray[np.bool_] | None) -> Picture:
    """The picture with its liver (rows, columns); None where nobody outlined it."""
    return replace(item, liver=None if liver is None else _SPOOL.keep(liver))


def union(masks: Iterable[NDArray[np.bool_]]) -> NDArray[np.bool_] | None:
    """What any of the masks (rows, columns) holds, each looked at once; None where there is no mask."""
    found: NDArray[np.bool_] | None = None
    for mask in masks:
        found = mask.copy() if found is None else np.logical_or(found, mask, out=found)
    return found


def extent(mask: NDArray[np.bool_]) -> tuple[slice, slice]:
    """The smallest rectangle that holds a mask (rows, columns); of an empty one its first pixel."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return slice(0, 1), slice(0, 1)
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def liver_with_lesions(liver: NDArray[np.bool_], lesions: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The liver (rows, columns) with the lesions in it, where a label of its own has taken these out of it."""
    parts, _ = ndimage.label(liver | lesions)
    return np.isin(parts, np.unique(parts[liver]))


def picture_digest(item: Picture) -> str:
    """SHA-256 (hexadecimal) of a picture's size and grey pixels, whatever its name and lossless format."""
    rows, cols = item.image.shape
    return hashlib.sha256(f"{rows} {cols} ".encode() + np.ascontiguousarray(item.image).tobytes()).hexdigest()
