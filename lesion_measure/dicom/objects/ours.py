"""Objects that this program wrote, told from those of others."""

from __future__ import annotations

from pydicom import Dataset

from lesion_measure.dicom.elements import items, text

MAKER = "lesion_measure"
SCHEME = "99LESIONMEASURE"
"""The private coding scheme of our own codes, which each of our objects declares (PS3.3 C.12.1.1)."""


def is_ours(dataset: Dataset) -> bool:
    """Whether an object says that this program made it, by its equipment and by the coding scheme that it declares."""
    made = all(text(dataset, keyword) == MAKER for keyword in ("Manufacturer", "ManufacturerModelName"))
    schemes = items(dataset, "CodingSchemeIdentificationSequence") or ()
    return made and any(text(each, "CodingSchemeDesignator") == SCHEME for each in schemes)
