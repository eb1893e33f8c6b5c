"""What a segment is: by coded type and category (PS3.16 CID 7150 ff.) and by label; who drew it, how it is called.

Each may say something; what they say must agree. Viewers give every segment the category Tissue and the type Tissue
unless told otherwise (3D Slicer, OHIF), which says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydicom import Dataset

from lesion_measure.dicom.elements import integer, items, text, uid
from lesion_measure.dicom.objects.names import given_name
from lesion_measure.dicom.objects.vocabulary import (
    ADJECTIVES,
    LABELLING,
    LESION_WORDS,
    OTHER_WORDS,
    Meaning,
    denies,
    meaning_of,
    words_in,
    words_of,
)
from lesion_measure.records import LIVER, is_liver

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
_LIVER_TYPES = ("10200004", "T-62000")
_OTHER_TYPES = (*_LIVER_TYPES, "78961009", "T-C3000", "28231008", "T-63000", "64033007", "T-71000")
# What the category calls abnormal and what is no lesion to measure, or not all of one.
_PARTS = words_in(
    "bed calcification capsule cicatrix edema haemorrhage hemorrhage margin necrosis necrotic oedema rim scar shadow "
    "thrombus"
)
_PARTS_OF_LIVER = words_in("lobe lobes left right caudate quadrate segment segments part remnant")
_KINDS = (LESION_WORDS | ADJECTIVES | LABELLING | {LIVER}) - words_in("left right")


@dataclass(frozen=True, slots=True)
class Segment:
    """One item of Segment Sequence (PS3.3 C.8.20.4).

    ``type_words`` and ``category`` are the meanings of its codes. ``meaning`` is what label, type and category say
    together; OPEN where they contradict one another (``contradicts``), or say nothing. ``liver``: it is the whole
    organ. ``algorithm`` is Segment Algorithm Type.
    """

    number: int
    label: str
    type_words: str
    category: str
    meaning: Meaning
    contradicts: bool
    liver: bool
    algorithm: str
    algorithm_name: str
    tracking_identifier: str
    tracking_uid: str

    @property
    def described(self) -> str:
        """The segment in words, for who has the file: a label is free text."""
        return f"{self.number} '{self.label}' (type {self.type_words or '-'}, category {self.category or '-'})"

    @property
    def coded(self) -> str:
        """The segment in words of the code lists, and a label that is made of known words."""
        known = set(words_of(self.label)) <= LESION_WORDS | OTHER_WORDS | ADJECTIVES | LABELLING
        label = f" '{self.label}'" if known and self.label else ""
        return f"{self.number}{label} (type {self.type_words or '-'}, category {self.category or '-'})"

    @property
    def lesion(self) -> str:
        """What a person called the lesion; empty where only a kind of thing is named, as in ``tumour``."""
        if self.liver:
            return LIVER
        names = (given_name(self.tracking_identifier), given_name(self.label))
        return next((name for name in names if name and not _is_a_kind(name)), "")


def segments_of(dataset: Dataset) -> dict[int, Segment]:
    """The segments by their numbers."""
    found = {}
    for item in items(dataset, "SegmentSequence") or []:
        number = integer(item, "SegmentNumber")
        if number:
            found[number] = _segment(number, item)
    return found


def _segment(number: int, item: Dataset) -> Segment:
    label, kind = text(item, "SegmentLabel"), _words(item, "Type")
    said, contradicts = _said(item, label, kind)
    clear = len(said) == 1 and not contradicts and not _leaves_open(label) and not _leaves_open(kind)
    meaning = said.pop() if clear else Meaning.OPEN
    return Segment(
        number=number,
        label=label,
        type_words=kind,
        category=_words(item, "Category"),
        meaning=meaning,
        contradicts=contradicts,
        liver=meaning is Meaning.OTHER and _is_the_liver(item, label, kind),
        algorithm=text(item, "SegmentAlgorithmType").upper(),
        algorithm_name=text(item, "SegmentAlgorithmName")[:64],
        tracking_identifier=text(item, "TrackingID"),
        tracking_uid=uid(item, "TrackingUID"),
    )


def _said(item: Dataset, label: str, kind: str) -> tuple[set[Meaning], bool]:
    """What label, type and category say, and whether they contradict one another or name a part of a lesion."""
    said = {_of_type(_codes(item, "Type"), kind), _of_category(_codes(item, "Category")), meaning_of(label)}
    said -= {Meaning.OPEN}
    part = bool(_PARTS & {word.lower() for word in f"{label} {kind}".split()})
    denied = any(denies(words) and _names_a_lesion(words) for words in (label, kind))
    return said, part or len(said) > 1 or denied


def _names_a_lesion(words: str) -> bool:
    return any(meaning_of(word) is Meaning.LESION for word in words.replace("-", " ").split())


def _leaves_open(words: str) -> bool:
    """Whether words name a lesion, or deny one, in a way that leaves open what is meant."""
    return _names_a_lesion(words) and meaning_of(words) is Meaning.OPEN


def _is_the_liver(item: Dataset, label: str, kind: str) -> bool:
    """Whether the segment is the whole liver, and no part of it."""
    words = {word.lower() for word in f"{label} {kind}".replace("_", " ").split()}
    if _PARTS_OF_LIVER & words and given_name(label):
        return False
    return bool(_codes(item, "Type") & set(_LIVER_TYPES)) or is_liver(label) or is_liver(kind)


def _is_a_kind(name: str) -> bool:
    """Whether a label says what a lesion is and not which one: ``Liver tumour``, but not ``Lesion 2``."""
    return not any(character.isdigit() for character in name) and set(words_of(name)) <= _KINDS


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


def _words(item: Dataset, which: str) -> str:
    found = items(item, f"SegmentedProperty{which}CodeSequence") or []
    return " ".join(text(code, "CodeMeaning") for code in found)
