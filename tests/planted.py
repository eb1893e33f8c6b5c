"""A made-up patient who is in every element of PS3.15 Table E.1-1, as dicom-anonymizer has that table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom import DataElement, Dataset, dcmread
from pydicom.datadict import dictionary_has_tag, dictionary_keyword, dictionary_VR

MARK = "Zqx"
"""Every planted text begins with it; no other text does."""
MARK_DATE = "19470302"
MARK_NUMBER = "47110815"
MARK_UID = "1.3.47.11.8.15."
CHARACTERISTICS = frozenset(("PatientAge", "PatientSize", "PatientWeight", "PatientSex"))
"""What the option Retain Patient Characteristics keeps."""

_MADE = {
    "DA": MARK_DATE, "DT": f"{MARK_DATE}101112", "TM": "101112", "AS": "033Y", "DS": MARK_NUMBER, "IS": MARK_NUMBER,
    "UR": f"http://{MARK}.example/x", "SH": f"{MARK}SH", "AE": f"{MARK}AE", "CS": f"{MARK.upper()}CS",
}  # fmt: skip


def table() -> list[int]:
    """Tags of Table E.1-1 that the dictionary knows, without those of the file's meta information."""
    fields = pytest.importorskip("dicomanonymizer.dicom_anonymization_databases.dicomfields_2026c")
    named = [
        tag for name in vars(fields) if name.endswith("_TAGS") and name != "ALL_TAGS" for tag in vars(fields)[name]
    ]
    plain = {tag[0] << 16 | tag[1] for tag in named if len(tag) == 2}
    return sorted(tag for tag in plain if dictionary_has_tag(tag) and tag >> 16 > 2)


def value(tag: int, vr: str) -> Any:
    """Something that leads back to the patient, in the form of the VR."""
    if vr == "UI":
        return f"{MARK_UID}{tag}"
    if vr in ("OB", "OW", "UN"):
        return f"{MARK}bytes ".encode()
    if vr in ("FD", "FL"):
        return 4711.0815
    if vr in ("US", "UL", "SS", "SL"):
        return 4711
    return _MADE.get(vr, f"{MARK}^{tag:08X}")


def plant(dataset: Dataset) -> None:
    """Put the patient into every element of the table that the data set needs not for itself, and below it."""
    needed = {"SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "ContentSequence", "ReferencedSOPInstanceUID"}
    for tag in table():
        if dictionary_keyword(tag) in needed | CHARACTERISTICS:
            continue
        vr = dictionary_VR(tag).split(" or ")[0]
        dataset.add(DataElement(tag, vr, [_nested(tag)] if vr == "SQ" else value(tag, vr)))
    private = dataset.private_block(0x0011, f"{MARK} MAKER", create=True)
    private.add_new(0x01, "LO", f"{MARK}private")
    private.add_new(0x02, "SQ", [_nested(0x00100010)])
    dataset.add(DataElement(0x60000010, "US", 8))
    dataset.add(DataElement(0x60003000, "OW", f"{MARK}overlay ".encode()))
    dataset.add(DataElement(0x50000030, "SH", f"{MARK}curve"))
    dataset.add(DataElement(0x00091234, "LO", f"{MARK}homeless"))


def _nested(tag: int) -> Dataset:
    item, below = Dataset(), Dataset()
    item.PatientName, item.PatientID = f"{MARK}^Nested{tag:X}", f"{MARK}{tag:X}"
    item.TextValue, item.CodeMeaning, item.CodeValue = f"{MARK} says", f"{MARK} means", f"{MARK}code"
    item.CodingSchemeDesignator = f"99{MARK}"
    below.PersonName, below.UID = f"{MARK}^Below", f"{MARK_UID}{tag}"
    item.ContentSequence = [below]
    return item


def traces(data: bytes, *texts: str) -> list[str]:
    """The texts found in the bytes of a file, in any case, as Latin, UTF-8 or UTF-16 of either order."""
    folded = data.lower()
    return [
        text
        for text in texts
        if any(text.lower().encode(code) in folded for code in ("utf-8", "latin-1", "utf-16-le", "utf-16-be"))
    ]


def every(dataset: Dataset) -> Iterator[DataElement]:
    """Every element of a data set, and of those in it."""
    for element in dataset:
        yield element
        if element.VR == "SQ":
            for item in element.value:
                yield from every(item)


def read(path: Path) -> Dataset:
    """A written file, with all its values taken out."""
    dataset = dcmread(path)
    list(every(dataset))
    return dataset
