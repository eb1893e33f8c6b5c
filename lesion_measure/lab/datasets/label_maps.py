"""Masks whose values are labels, as pictures: lesions, what is to be ignored and the liver, by one set's scheme."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lesion_measure.lab.datasets.files import same_size
from lesion_measure.lab.datasets.pictures import Picture, picture_of_lesions, with_liver
from lesion_measure.lab.datasets.scheme import LabelScheme
from lesion_measure.lab.datasets.shapes import check_mask, check_not_picture


def picture_of_values(
    name: str,
    source: str,
    group: str,
    image: NDArray[np.uint8],
    values: NDArray[np.integer],
    path: Path,
    scheme: LabelScheme,
) -> Picture:
    """A picture from its image and its mask's values.

    Parameters
    ----------
    name, source, group
        As those of `picture_of_lesions`.
    image
        Grey values (rows, columns).
    values
        The labels of the same shape, 0 outside.
    path
        The mask's file, for messages.
    scheme
        What the values stand for.

    Raises
    ------
    InputError
        They differ in size, a value is none of the scheme's, or the mask cannot be one of filled lesions.
    """
    same_size(image, values, path)
    mask = scheme.lesion_mask(values, path)
    check_not_picture(image, mask, path)
    check_mask(mask, path)
    item = picture_of_lesions(name, source, group, image, [mask], ignored=scheme.ignored_mask(values))
    classes = scheme.classes(values, item.labels, len(item.axes))
    return with_liver(replace(item, classes=classes), scheme.liver_mask(values))
