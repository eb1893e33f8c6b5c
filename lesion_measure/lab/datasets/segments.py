"""Which segments of a DICOM Segmentation are lesions: by coded type and category (PS3.16 CID 7150 ff.) and by label.

Each may say something; what they say must agree. Viewers give every segment the category Tissue and the type Tissue
unless told otherwise (3D Slicer), which says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from pydicom import Dataset

from lesion_measure.dicom.elements import integer, items, text
from lesion_measure.lab.datasets.files import bad
from lesion_measure.lab.datasets.scheme import SAY_WHICH, LesionLabels
from lesion_measure.lab.datasets.vocabulary import Meaning, meaning_of, words_in
from lesion_measure.spelling import or_meant

# SNOMED CT, and the SRT and older codes of the same.
_OTHER_CATEGORIES = (
    "123037004", "T-D000A", "91723000", "91722005",  # anatomical structure
    "260787004", "A-00004",  # physical object
    "105590001", "F-61002", "T-D0070", "91720002",  # substance, body substance
    "309825002", "R-42018",  # spatial and relational concept
)  # fmt: skip
_LESION_CATEGORIES = ("49755003", "M-01000")  # morphologically abnormal structure
_LESION_TYPES = (
    "108369006", "M-80000", "M-80003", "M-80001", "M-80006",  # neoplasm; primary, secondary
    "86049000", "14799000", "1240414004", "367651003", "52988006", "M-01100", "4147007", "M-03000",
    "27925004", "M-03010", "12402003", "M-33400", "2099007", "2092003", "3898006", "M-91200", "400210000",
)  # fmt: skip
_OTHER_TYPES = ("10200004", "T-62000", "78961009", "T-C3000", "28231008", "T-63000", "64033007", "T-71000")
# What the category calls abnormal and what is no lesion to measure, or not all of one.
_PARTS = words_in(
    "bed calcification capsule cicatrix edema haemorrhage hemorrhage margin necrosis necrotic oedema rim scar shadow "
    "thrombus"
)


def lesion_segments(dataset: Dataset, path: str, asked: LesionLabels) -> set[int]:
    """The numbers of the segments that are lesions.

    Raises
    ------
    InputError
        None is, or one may or may not be; with ``asked`` labels, no segment has one of them as label, type or number.
    """
    segments = {}
    for item in items(dataset, "SegmentSequence") or []:
        number = integer(item, "SegmentNumber")
        if number:
            segments[number] = item
    if asked.labels:
        return _asked(segments, path, asked)
    meanings = {number: _meaning(item) for number, item in segments.items()}
    if unsure := [number for number, meaning in meanings.items() if meaning is Meaning.OPEN]:
        raise bad(
            f"Is segment {_described(unsure[0], segments[unsure[0]])} a lesion? It does not tell.", path, SAY_WHICH
        )
    found = {number for number, meaning in meanings.items() if meaning is Meaning.LESION}
    if found:
        asked.tell(f"Segments taken for lesions: {_listed(segments, found)}.")
    if not found:
        listed = _listed(segments, segments)
        raise bad(
            f"No segment is a lesion: {listed or 'there is none'}.",
            path,
            f"Give lesions the category Morphologically Abnormal Structure. {SAY_WHICH}",
        )
    return found


def _asked(segments: dict[int, Dataset], path: str, asked: LesionLabels) -> set[int]:
    names = {number: (text(item, "SegmentLabel"), _type_words(item), str(number)) for number, item in segments.items()}
    found = {number for number, several in names.items() if asked.among([name for name in several if name])}
    if not found:
        hint = or_meant(asked.labels[0], [label for label, _, _ in names.values() if label])
        raise bad(f"No segment is called '{asked.labels[0]}'{hint}", path, SAY_WHICH)
    return found


def _meaning(item: Dataset) -> Meaning:
    """What label, type and category say together; open where they contradict one another, or say nothing."""
    label, kind, category = text(item, "SegmentLabel"), _type_words(item), _codes(item, "Category")
    if _PARTS & {word.lower() for word in f"{label} {kind}".split()}:
        return Meaning.OPEN
    said = {_of_type(_codes(item, "Type"), kind), _of_category(category), meaning_of(label)} - {Meaning.OPEN}
    if _contradicts_itself(label) or _contradicts_itself(kind):
        return Meaning.OPEN
    return said.pop() if len(said) == 1 else Meaning.OPEN


def _contradicts_itself(words: str) -> bool:
    """Whether words name a lesion, or deny one, in a way that leaves open what is meant."""
    lesion = any(meaning_of(word) is Meaning.LESION for word in words.replace("-", " ").split())
    return lesion and meaning_of(words) is Meaning.OPEN


def _of_type(codes: set[str], words: str) -> Meaning:
    if codes & set(_LESION_TYPES):
        return Meaning.LESION
    return Meaning.OTHER if codes & set(_OTHER_TYPES) else meaning_of(words)


def _of_category(codes: set[str]) -> Meaning:
    if codes & set(_LESION_CATEGORIES):
        return Meaning.LESION
    return Meaning.OTHER if codes & set(_OTHER_CATEGORIES) else Meaning.OPEN


def _codes(item: Dataset, which: str) -> set[str]:
    return {text(code, "CodeValue") for code in items(item, f"SegmentedProperty{which}CodeSequence") or []}


def _type_words(item: Dataset) -> str:
    types = items(item, "SegmentedPropertyTypeCodeSequence") or []
    return " ".join(text(code, "CodeMeaning") for code in types)


def _listed(segments: dict[int, Dataset], numbers: Iterable[int]) -> str:
    return "; ".join(_described(number, segments[number]) for number in sorted(numbers)[:8])


def _described(number: int, item: Dataset) -> str:
    categories = items(item, "SegmentedPropertyCategoryCodeSequence") or []
    category = " ".join(text(code, "CodeMeaning") for code in categories)
    return f"{number} '{text(item, 'SegmentLabel')}' (type {_type_words(item) or '-'}, category {category or '-'})"
