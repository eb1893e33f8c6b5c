"""Which attributes stay, and what is done with each: ``attributes.csv``. Whatever is not named there is removed.

The list was made from the modules of PS3.3 that ultrasound images, structured reports, presentation states and
segmentations use, less those of PS3.15 Table E.1-1; what that table lets stay, changed or by an option, was added.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from importlib.resources import files

from pydicom.datadict import tag_for_keyword


class Handling(StrEnum):
    """What is done with an attribute that stays; letters of PS3.15 Table E.1-1a in brackets."""

    KEEP = "keep"
    """Numbers, code strings, sequences: as they are, where they have the form that their VR asks for [K, C]."""
    UID = "uid"
    """Another UID, the same wherever it is stated [U]."""
    CLASS = "class"
    """A UID of the standard stays, another one goes."""
    DATE = "date"
    """Moved by the subject's days [C]."""
    TIME = "time"
    """As it is: it tells nothing once the day has moved [C]."""
    AGE = "age"
    """As it is up to 89 years; 90 years where it is more [C]."""
    DEVICE = "device"
    """Text about a device or program, as it is where it names nobody [K]."""
    WORDS = "words"
    """The words that are known: planes, organs, compression, scaling [C]."""
    LABEL = "label"
    """As it is where all words are known, else a code, the same for the same text [C]."""
    CODE = "code"
    """Short technical text: letters, digits, dots and dashes."""
    MEANING = "meaning"
    """A code's meaning: the dictionary's, or the text of a public scheme that names nobody."""
    PERSON = "person"
    """A reader's code, the same for the same name [D]."""
    SUBJECT = "subject"
    """The subject's code [D]."""
    TRIAL = "trial"
    """A time point of the schedule, else nothing [Z]."""
    DUMMY = "dummy"
    """A word that says that something was removed [D]."""
    EMPTY = "empty"
    """No value [Z]."""
    EMPTY_SEQUENCE = "empty_sequence"
    """No item [Z]."""


@cache
def handlings() -> dict[str, Handling]:
    """The attributes that stay, by keyword, in the order of their tags."""
    lines = files("lesion_measure.deidentify").joinpath("attributes.csv").read_text(encoding="utf-8").splitlines()[1:]
    return {keyword: Handling(how) for keyword, _, how in (line.partition(",") for line in lines)}


@cache
def by_tag() -> dict[int, tuple[str, Handling]]:
    """The same by tag."""
    return {tag: (keyword, how) for keyword, how in handlings().items() if (tag := tag_for_keyword(keyword))}
