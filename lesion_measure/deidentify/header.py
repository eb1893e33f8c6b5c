"""A new data set from an old one: what `attributes` lets stay, item by item, and what PS3.15 E.3 asks to be said.

Nothing is copied unread: every value is taken out, held against its form, and put into a new element.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from pydicom import DataElement, Dataset
from pydicom.config import IGNORE
from pydicom.datadict import dictionary_VR
from pydicom.sequence import Sequence as Items

from lesion_measure.deidentify import values
from lesion_measure.deidentify.attributes import Handling, by_tag
from lesion_measure.deidentify.key import Key
from lesion_measure.deidentify.meanings import is_private_value, is_public, is_scheme, meaning
from lesion_measure.deidentify.subjects import Subject
from lesion_measure.deidentify.texts import Identifiers, Vocabulary, code_form, label_code
from lesion_measure.dicom import elements
from lesion_measure.records import Schedule
from lesion_measure.spelling import plain_word

_DEEPEST = 16
_REMOVED = "REMOVED"
_OPTIONAL = frozenset((Handling.WORDS, Handling.LABEL, Handling.CODE, Handling.MEANING, Handling.TRIAL))
"""Texts that no object needs: where nothing of one may stay, neither does the element."""


@dataclass(slots=True)
class Cleaning:
    """All that the new header of one file depends on; ``notes`` counts what was removed for its form or its content."""

    key: Key
    subject: Subject
    vocabulary: Vocabulary
    identifiers: Identifiers
    schedule: Schedule | None
    big_endian: bool = False
    notes: Counter[str] = field(default_factory=Counter)

    def dataset(self, old: Dataset) -> Dataset:
        """The new data set. Of the elements outside the list nothing is read but their number."""
        new = self._one(old, 0)
        new.PatientName = new.PatientID = self.subject.code
        if "ValueType" not in new:  # structured reports alone state these, and have to
            for keyword in ("ReferencedPerformedProcedureStepSequence", "PerformedProcedureCodeSequence"):
                if keyword in new:
                    del new[keyword]
        _add_age(old, new)
        _say_what_was_done(new)
        return new

    def _items(self, olds: Iterable[Dataset], depth: int) -> list[Dataset]:
        return [self._one(old, depth) for old in olds]

    def _one(self, old: Dataset, depth: int) -> Dataset:
        new = Dataset()
        known = by_tag()
        for tag in sorted(old.keys()):
            if tag not in known:
                self.notes["removed"] += 1
                continue
            keyword, how = known[tag]
            if (element := self._element(old, keyword, how, depth)) is not None:
                new.add(element)
        return new

    def _element(self, old: Dataset, keyword: str, how: Handling, depth: int) -> DataElement | None:
        vrs = dictionary_VR(keyword).split(" or ")
        if vrs == ["SQ"]:
            if how is Handling.EMPTY_SEQUENCE:
                return _made(keyword, "SQ", Items())
            below = elements.items(old, keyword)
            if below is None or depth == _DEEPEST:
                self.notes["unreadable"] += 1
                return None
            return _made(keyword, "SQ", Items(self._items(below, depth + 1)))
        found = elements.element(old, keyword)
        if found is None or found.VR not in (*vrs, "UN"):
            self.notes["unreadable"] += 1
            return None
        if values.is_numbers(found.VR):
            return self._numbers(keyword, found) if how is Handling.KEEP and found.VR in vrs else None
        if found.VR == "UN":
            self.notes["unreadable"] += 1
            return None
        stated = _each(found.value)
        texts = self._texts(old, keyword, how, stated)
        gone = any(stated) and not texts and how in _OPTIONAL
        return None if gone else _made(keyword, found.VR, texts)

    def _numbers(self, keyword: str, found: DataElement) -> DataElement:
        """Binary numbers; pydicom leaves words (palettes) in the order of the file, and little endian is written."""
        value = found.value
        if self.big_endian and isinstance(value, bytes):
            pairs = bytearray(value)
            pairs[0::2], pairs[1::2] = value[1::2], value[0::2]
            value = bytes(pairs)
        return _made(keyword, found.VR, value)

    def _texts(self, old: Dataset, keyword: str, how: Handling, stated: Sequence[str]) -> list[str]:
        changed = [self._text(old, keyword, how, text) if text else "" for text in stated]
        self.notes["removed"] += sum(bool(before) and not after for before, after in zip(stated, changed, strict=True))
        return changed if any(changed) else []

    def _text(self, old: Dataset, keyword: str, how: Handling, text: str) -> str:
        changed = self._by_handling(old, keyword, how, text)
        guarded = how not in (Handling.UID, Handling.SUBJECT, Handling.PERSON, Handling.DATE, Handling.TIME)
        return "" if guarded and self.identifiers.named_in(changed) else changed

    def _by_handling(self, old: Dataset, keyword: str, how: Handling, text: str) -> str:
        vr = dictionary_VR(keyword)
        simple: dict[Handling, Callable[[], str]] = {
            Handling.KEEP: lambda: text if values.FORMS[vr](text) else self._known_words(vr, text),
            Handling.UID: lambda: text if values.is_of_the_standard(text) else self.key.uid(text),
            Handling.CLASS: lambda: text if values.is_of_the_standard(text) or values.is_class(text) else "",
            Handling.DATE: lambda: (values.moved_date if vr == "DA" else values.moved_date_time)(
                text, self.subject.days
            ),
            Handling.TIME: lambda: values.time(text),
            Handling.AGE: lambda: values.age(text),
            Handling.DEVICE: lambda: text,
            Handling.WORDS: lambda: self.vocabulary.known_words(text),
            Handling.LABEL: lambda: text if self.vocabulary.all_known(text) else label_code(text, self.key),
            Handling.CODE: lambda: self._code(old, keyword, text),
            Handling.MEANING: lambda: self._meaning(old, text),
            Handling.PERSON: lambda: f"R{self.key.code('person', text.strip().casefold())}",
            Handling.SUBJECT: lambda: self.subject.code,
            Handling.TRIAL: lambda: self._time_point(text),
            Handling.DUMMY: lambda: _REMOVED,
        }
        return simple[how]() if how in simple else ""

    def _known_words(self, vr: str, text: str) -> str:
        """What is left of a code string that has not its form; a number that has not is none."""
        return self.vocabulary.known_words(text).upper()[:16] if vr == "CS" else ""

    def _code(self, code: Dataset, keyword: str, text: str) -> str:
        """A code that a maker's scheme may have stays; what a person may have put in its place becomes another."""
        scheme = elements.text(code, "CodingSchemeDesignator")
        if keyword == "CodingSchemeDesignator" and not is_scheme(text):
            return f"99{self.key.code('scheme', text)}"
        if keyword in ("CodeValue", "LongCodeValue") and not is_public(scheme) and not is_private_value(text):
            return label_code(text, self.key)
        return code_form(text)

    def _meaning(self, code: Dataset, text: str) -> str:
        scheme, value = elements.text(code, "CodingSchemeDesignator"), elements.text(code, "CodeValue")
        if known := meaning(scheme, value):
            return known
        if is_public(scheme) or self.vocabulary.all_known(text):
            return text
        return label_code(text, self.key)

    def _time_point(self, text: str) -> str:
        """A visit's name or word in the schedule is no one's; any other text may be."""
        points = self.schedule.points if self.schedule is not None else ()
        words = {plain_word(word) for point in points for word in (point.name, *point.words)}
        return text if plain_word(text) in words or self.vocabulary.all_known(text) else ""


def _each(value: object) -> list[str]:
    """The texts of one element, without padding."""
    if value is None:
        return []
    many = [value] if isinstance(value, (str, int, float)) or not isinstance(value, Sequence) else list(value)
    return [str(getattr(each, "original_string", each)).strip(" \0") for each in many]


def _made(keyword: str, vr: str, value: object) -> DataElement:
    return DataElement(keyword, vr, value, validation_mode=IGNORE)


def _add_age(old: Dataset, new: Dataset) -> None:
    """The age survives where the header states the day of birth instead."""
    if not new.get("PatientAge"):
        known = values.age_between(elements.text(old, "PatientBirthDate"), elements.text(old, "StudyDate"))
        if known:
            new.PatientAge = known


def _say_what_was_done(new: Dataset) -> None:
    """PS3.15 E.1.1 and the options of E.3, by the codes of CID 7050."""
    new.PatientIdentityRemoved = "YES"
    new.LongitudinalTemporalInformationModified = "MODIFIED"
    new.DeidentificationMethodCodeSequence = Items([method(value, words) for value, words in METHODS])
    if "VerificationFlag" in new:  # who verified it is gone
        new.VerificationFlag = "UNVERIFIED"


METHODS = (
    ("113100", "Basic Application Confidentiality Profile"),
    ("113103", "Clean Graphics Option"),
    ("113104", "Clean Structured Content Option"),
    ("113105", "Clean Descriptors Option"),
    ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
    ("113108", "Retain Patient Characteristics Option"),
    ("113109", "Retain Device Identity Option"),
)
"""The profile and its options that every file goes through; pixels that were cleaned add their own."""
CLEAN_PIXELS = ("113101", "Clean Pixel Data Option")


def method(value: str, words: str) -> Dataset:
    """A code of CID 7050, as an item."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", words
    return item
