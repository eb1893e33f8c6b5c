"""What a header's words say of the pixels' history: rescaled after acquisition, derived, or merely compressed.

PS3.3 C.7.6.1.1.2 (ImageType), C.7.6.1.1.3 (derivation), C.7.6.1.1.5 (lossy compression); codes of CID 7203.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lesion_measure.dicom.elements import Elements, items, text, whole_text
from lesion_measure.records import Derivation

_SPATIAL_RESAMPLING, _LOSSY_COMPRESSION = ("113085", "DCM"), ("113040", "DCM")
# Words of any text. Pixel values are rescaled, and colours subsampled, in other ways than lengths are.
_PLAIN = (
    r"re-?siz(?!able)\w*", r"(?:re|up|down)-?scal\w*", r"scal(?:ed|ing)\b", r"(?:re|up|down)-?sampl\w*",
    r"thumbnails?\b", r"skalier\w*", r"r[eé]-?dimension\w*", r"ridimension\w*",
    r"enlarged\s+(?:(?:by|to|twice)\b|x?\s?\d+(?!\s*(?:mm|cm|ml|lymph|node))\b)",
)  # fmt: skip
# Words that also name what a scanner, or a liver, does: said of a derivation they mean the pixels.
_OF_A_DERIVATION = (
    r"zoom\w*", r"magnif\w*", r"enlarg\w*", r"interpol\w*", r"shr[aiu]nk\w*", r"vergr(?:ö|oe|o)(?:ß|ss)\w*",
    r"verkleiner\w*",
)  # fmt: skip
_ZOOM = _OF_A_DERIVATION[:2] + _OF_A_DERIVATION[3:4]
_DENIED = re.compile(r"(?:\b(?:no|not|non|never|without|un|nicht|ohne|kein\w*)\b[\W_]+)(?:\w+[\W_]+)?$", re.IGNORECASE)
_OTHER_SCALE = re.compile(
    r"(?:gr[ae]y|chroma|colou?r|luma|intensit\w*|values?|contrast|temporal\w*|time|frame|frequency)[\W_]+$",
    re.IGNORECASE,
)
_OF_VALUES = re.compile(
    r"[\W_]+(?:of[\W_]+)?(?:the[\W_]+)?(?:slope|intercept|type|gr[ae]y|(?:pixel[\W_]+)?values?|intensit\w*|chroma|colou?r|"
    r"contrast|bar)\b",
    re.IGNORECASE,
)
_COMPRESSION = re.compile(
    r"compress|kompr|jpeg|jpg|j2k|jp2|lossy|lossless|reversible|mpeg|h\.?26[45]|hevc|\brle\b|verlust", re.IGNORECASE
)
_FREE_TEXT = ("ImageComments", "SeriesDescription", "StudyDescription", "ProtocolName")


def derivation(dataset: Elements) -> Derivation:
    """What the header says; of free text nothing but the words that are known passes on, since it may hold names."""
    derived = text(dataset, "ImageType").upper() == "DERIVED"
    coded = items(dataset, "DerivationCodeSequence") or []
    codes = {(text(item, "CodeValue"), text(item, "CodingSchemeDesignator")) for item in coded}
    described = [whole_text(dataset, "DerivationDescription"), *(whole_text(item, "CodeMeaning") for item in coded)]
    lossy = text(dataset, "LossyImageCompression") == "01" or _LOSSY_COMPRESSION in codes
    compressed = lossy or any(_COMPRESSION.search(words) for words in described)
    said = [f"DerivationDescription '{word}'" for word in _found(described[0], _PLAIN + _OF_A_DERIVATION)]
    said += [
        f"DerivationCodeSequence '{word}'"
        for meaning in described[1:]
        for word in _found(meaning, _PLAIN + _OF_A_DERIVATION)
    ]
    if _SPATIAL_RESAMPLING in codes and not any(words.startswith("DerivationCode") for words in said):
        said.append("DerivationCodeSequence 113085 (spatial resampling)")
    said += [f"ImageType '{word}'" for word in _found(whole_text(dataset, "ImageType"), _PLAIN)]
    for keyword in _FREE_TEXT:
        patterns = _PLAIN + _ZOOM if derived and not compressed and keyword == "ImageComments" else _PLAIN
        said += [f"{keyword} '{word}'" for word in _found(whole_text(dataset, keyword), patterns)]
    return Derivation(derived=derived, compressed=compressed, rescaled=tuple(dict.fromkeys(said)))


def tells(word: str) -> bool:
    """Whether a word has a part in what is said of a picture's size or compression: that words may pass on."""
    known = (*_PLAIN, *_OF_A_DERIVATION)
    return bool(
        any(re.fullmatch(pattern, word, re.IGNORECASE) for pattern in known)
        or _COMPRESSION.match(word)
        or _DENIED.search(f"{word} ")
        or _OTHER_SCALE.fullmatch(f"{word} ")
        or _OF_VALUES.fullmatch(f" {word}")
    )


def _found(words: str, patterns: tuple[str, ...]) -> Iterator[str]:
    """The words, in lower case, that say that a picture's size was changed."""
    if not words:
        return
    for match in re.finditer(rf"(?<![^\W_])(?:{'|'.join(patterns)})", words, re.IGNORECASE):
        before, after = words[: match.start()], words[match.end() :]
        if not (_DENIED.search(before) or _OTHER_SCALE.search(before) or _OF_VALUES.match(after)):
            yield match.group().lower()
