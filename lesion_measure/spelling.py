"""Names as people write them: one form for one name, names that only look different, and the name that was meant.

What two people mean by one name may differ in letter case, in letters for digits (``Ll`` for ``L1``), in leading zeros
or in letters of another script. Such names stay two names; that they look alike is said. A hint corrects spelling,
never meaning.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

_TWINS = str.maketrans("авекмнорстухіјѕΑΒΕΖΗΙΚΜΝΟΡΤΥΧ".casefold(), "abekmhopctyxijsabezhikmnoptyx")
"""Cyrillic and Greek letters, in lower case, and the Latin ones that they look like."""
_DIGITS = str.maketrans("oil|", "0111")
_PARTS = re.compile(r"[^\W\d_]+|\d+")
_BETWEEN_LETTERS = re.compile(r"(?<=[^\W\d_])[\s_\-]+(?=[^\W\d_])")
_ISSUED = re.compile(r"([^^]+)\^{3}([^^]*)")
"""A number and who gave it (HL7's CX: ``P1^^^HOSPITAL``); a name by its parts (``DOE^JOHN``) is none."""

LETTERS_PER_SLIP = 4
"""One slip of the pen for so many letters: more of them make another word."""

MEANINGS = frozenset(
    """
    zero one two three four five six seven eight nine ten eleven twelve first second third fourth last next previous
    day days week weeks month months year years hour hours minute minutes second seconds today
    mm cm m inch inches pixel pixels px ml l cc g kg mg ng percent
    baseline screening followup follow up end start begin final initial pre post before after early late unscheduled
    min max least most mean median sum total minimum maximum lower upper low high above below
    long short length width height depth area volume axis diameter perimeter major minor
    row rows col cols column columns x y z left right top bottom
    present absent gone new old same yes no true false on off none all any some
    transverse axial sagittal coronal oblique longitudinal frontal dual unknown other
    focal unifocal afocal multifocal bifocal nonfocal diffuse solitary single multiple
    target targets nontarget nontargets lesion lesions image images subject subjects patient patients reader readers
    visit visits frame frames plane planes age ages mask masks path paths file files
    include included exclude excluded include_if model models config baseline_visit treated untreated
    refuse accept keep drop mean first both either neither local
    """.split()  # noqa: SIM905
)
"""Words that are spelled right and mean what they say: none of them is a misspelling of another."""

PREFIXES = frozenset("a anti bi dis im in ir mis multi no non not oligo poly post pre re sub tri un uni".split())  # noqa: SIM905
"""What turns the meaning of the word that it stands before."""

_WORDS = re.compile(r"[^\W\d_]+")
_NUMBERS = re.compile(r"\d+")


def nfc(text: str) -> str:
    """The composed form of a text (Unicode NFC): an accent typed apart is the same name."""
    return unicodedata.normalize("NFC", text)


def unprintable(text: str) -> str:
    """The first character that cannot be printed, as an addition to a complaint; empty where all can be.

    >>> unprintable("L1"), unprintable("L\\u00a01"), unprintable("L\\n1")
    ('', ': it holds the character U+00A0 (no-break space)', ': it holds the character U+000A (line break)')
    """
    letter = next((each for each in text if not each.isprintable()), None)
    if letter is None:
        return ""
    name = "line break" if letter in "\r\n" else unicodedata.name(letter, "character without a name").lower()
    return f": it holds the character U+{ord(letter):04X} ({name})"


def plain_word(word: str) -> str:
    """A word without case, blanks and joining hyphens; the hyphen of a number (``month -3``) is a minus."""
    return re.sub(r"[\s_]|(?<=\w)-(?=[^\W\d])", "", word.casefold())


def look_alike(one: str, other: str) -> bool:
    """Whether two names that differ may be read as one.

    >>> look_alike("AB-01", "ab-1"), look_alike("L1", "Ll"), look_alike("00123", "123"), look_alike("S1-11", "S11-1")
    (True, True, True, False)
    >>> look_alike("A B-01", "AB-01"), look_alike("left_lobe", "left lobe")
    (True, True)
    >>> look_alike("AB-01", "AB-01^^^HOSPITAL"), look_alike("AB-01^^^NORTH", "AB-01^^^SOUTH")
    (True, False)
    """
    (own, issuer), (its, its_issuer) = _issued(one), _issued(other)
    if one == other or not set(_readings(own)) & set(_readings(its)):
        return False
    return not (issuer and its_issuer) or issuer == its_issuer or look_alike(issuer, its_issuer)


def alike(names: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs of different names that look alike, each once, in the order of the names."""
    found: dict[tuple[str, ...], list[str]] = {}
    pairs: dict[tuple[str, str], None] = {}
    for name in dict.fromkeys(names):
        for reading in _readings(_issued(name)[0]):
            for other in found.setdefault(reading, []):
                if look_alike(other, name):
                    pairs[other, name] = None
            found[reading].append(name)
    return list(pairs)


def _issued(name: str) -> tuple[str, str]:
    """A name, and who gave it; empty where that is not said."""
    found = _ISSUED.match(name)
    return (found[1], found[2]) if found else (name, "")


@lru_cache(maxsize=100_000)
def _readings(name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """A name by its words and numbers, and by its shapes: names that share one of them look alike."""
    plain = unicodedata.normalize("NFKC", name).casefold().translate(_TWINS)
    joined = _BETWEEN_LETTERS.sub("", plain)
    parts = tuple(part.lstrip("0") or "0" if part.isdigit() else part for part in _PARTS.findall(joined))
    shapes = re.sub(r"[\s_\-]+", "-", plain.strip()).translate(_DIGITS)
    return ("words", *(parts or (plain,))), ("shapes", shapes)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that this one is a misspelling of; None where none is near, or where it means something else.

    At most one slip for four letters (a letter too many, too few, wrong, or two that changed places). A name whose
    numbers differ is another name, and a word that is spelled right is no misspelling of another.
    """
    likely = [(slips(name.casefold(), each.casefold()), each) for each in known if not _means_else(name, each)]
    near = [(count, each) for count, each in likely if count <= max(1, len(name) // LETTERS_PER_SLIP)]
    return min(near, key=lambda pair: pair[0])[1] if near else None


def or_meant(name: str, known: Iterable[str]) -> str:
    """The end of a sentence that says that a name is not known, from its stop on: with the nearest one as question."""
    near = nearest(name, known)
    return f"; did you mean '{near}'?" if near else "."


def _means_else(name: str, other: str) -> bool:
    if look_alike(name, other):
        return False
    shorter, longer = sorted((name.casefold(), other.casefold()), key=len)
    if longer.endswith(shorter) and longer.removesuffix(shorter).rstrip("_- ") in PREFIXES:
        return True
    if [int(n) for n in _NUMBERS.findall(name)] != [int(n) for n in _NUMBERS.findall(other)]:
        return True
    ours, theirs = ({_singular(word) for word in _WORDS.findall(text.casefold())} for text in (name, other))
    return bool((ours - theirs) & {_singular(word) for word in MEANINGS})


def _singular(word: str) -> str:
    return word.removesuffix("s")


@lru_cache(maxsize=100_000)
def slips(one: str, other: str) -> int:
    """Least number of slips that turn one text into the other: letters put in, left out, changed, or swapped."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        before, last, row = row, before, [i]
        for j, wanted in enumerate(other, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]
