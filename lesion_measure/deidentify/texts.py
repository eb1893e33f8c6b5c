"""Texts that may stay: words of a list, codes in their form, and what names nobody of whom the file speaks.

Free text holds names more often than one would think, so no word passes because it looks harmless.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from lesion_measure.config import Planes
from lesion_measure.deidentify.key import Key
from lesion_measure.image.by_network import LIVER_WORDS
from lesion_measure.studies.attributes import VIEW_WORDS
from lesion_measure.studies.rescaled import tells

_LESION_WORDS = frozenset(
    """
    lesion lesions target tumor tumour mass nodule cyst hemangioma haemangioma metastasis hcc node new index finding
    long short axis length width height depth diameter bidirectional area volume perimeter outline contour measurement
    measurements caliper calipers line layer graphic image baseline screening follow up month months week weeks day days
    i ii iii iv v vi vii viii iva ivb a b c d l r s t no nr
    """.split()  # noqa: SIM905
)
_WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
_TOOL = re.compile(r"Cornerstone3DTools@\^?[0-9.]{1,12}:[A-Za-z0-9]{1,32}")
_NUMBERED = re.compile(r"[LTNMS]\d{1,2}", re.IGNORECASE)
"""Lesion, target, nodule or new, metastasis, segment."""
_CODE = re.compile(r"[A-Za-z0-9%\[{][A-Za-z0-9._:/+^%{}*'\"()\[\]-]{0,63}")
_MOST_DIGITS = 3
"""Longer numbers are dates, telephone numbers, identifiers."""
_LEAST_LETTERS, _LEAST_DIGITS = 3, 5
"""Shorter parts of a name, and shorter numbers, are found in too much that names nobody."""


@dataclass(frozen=True, slots=True)
class Identifiers:
    """What would lead back to a person: ``words`` of names and ``numbers``, in small letters; ``uids`` of instances."""

    words: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()
    uids: frozenset[str] = frozenset()

    def named_in(self, text: str) -> bool:
        """Whether a text holds one of them."""
        folded = text.casefold()
        return bool(self.words.intersection(re.findall(r"[^\W\d_]+", folded))) or any(
            number in folded for number in self.numbers
        )


class Vocabulary:
    """The words that may stay: those of scan planes (configuration), organs, lesions, the pixels' history."""

    def __init__(self, planes: Planes) -> None:
        stated = {part for words in planes.words().values() for word in words for part in word.casefold().split()}
        self._words = VIEW_WORDS | LIVER_WORDS | _LESION_WORDS | stated

    def knows(self, word: str) -> bool:
        """Whether a word stands in the list, or is a number of three digits at most."""
        if word.isascii() and word.isdigit():
            return len(word) <= _MOST_DIGITS
        return word.casefold() in self._words or tells(word)

    def known_words(self, text: str) -> str:
        """The words that are known, in their order; an ``x`` stands between two of which words are missing.

        >>> Vocabulary(Planes()).known_words("Liver, Mrs Doe, long axis")
        'Liver x long axis'
        """
        kept: list[str] = []
        for word in _WORD.findall(text):
            if self.knows(word):
                kept.append(word)
            elif kept and kept[-1] != "x":
                kept.append("x")  # or words would meet that did not, and mean a plane together
        return " ".join(kept[:-1] if kept[-1:] == ["x"] else kept)

    def all_known(self, text: str) -> bool:
        """Whether all words of a text are known or number a lesion (``L1``), or it names a viewer's tool."""
        words = _WORD.findall(text)
        return bool(_TOOL.fullmatch(text)) or all(self.knows(word) or _NUMBERED.fullmatch(word) for word in words)

    def identifiers(self, names: Iterable[str], numbers: Iterable[str], uids: Iterable[str] = ()) -> Identifiers:
        """The identifiers in persons' names, in identifying texts and in UIDs of a file."""
        small = {form for name in names for form in (name.casefold(), name.lower())}  # which may differ: ß
        parts = {part for name in small for part in re.findall(r"[^\W\d_]+", name)}
        stated = {number.strip().casefold() for number in numbers}
        return Identifiers(
            words=frozenset(part for part in parts if len(part) >= _LEAST_LETTERS and not self.knows(part)),
            numbers=frozenset(each for each in stated if len(each) >= _LEAST_DIGITS and not self.knows(each)),
            uids=frozenset(uids),
        )


def label_code(text: str, key: Key) -> str:
    """What stands for a label that may not stay: one code for each text, in letters that a code string may hold."""
    return f"L{key.code('label', text.strip().casefold())}"


def code_form(text: str) -> str:
    """The text where it has the form of a technical code, else nothing."""
    return text if _CODE.fullmatch(text) else ""
