"""Which segments of a DICOM Segmentation are lesions to learn from: what they say themselves, or what the user says."""

from __future__ import annotations

from collections.abc import Iterable

from lesion_measure.dicom.objects.segmentation.segments import Segment
from lesion_measure.dicom.objects.vocabulary import Meaning, meaning_of
from lesion_measure.lab.datasets.files import bad
from lesion_measure.lab.datasets.scheme import SAY_WHICH, Asked
from lesion_measure.spelling import or_meant


def lesion_segments(segments: dict[int, Segment], path: str, asked: Asked) -> set[int]:
    """The numbers of the segments that are lesions.

    Raises
    ------
    InputError
        None is, one may or may not be, or one is to be ignored; with ``asked`` labels, no segment has one of them as
        label, type or number.
    """
    if unjudged := [each for each in segments.values() if meaning_of(each.label) is Meaning.IGNORE]:
        raise bad(
            f"Segment {unjudged[0].described} is to be ignored, and of DICOM segmentations no such pixels are read.",
            path,
            "Take the segment out, or export images and masks for 'DICOM with masks' (lesion-measure help datasets).",
        )
    if asked.labels:
        return _asked(segments, path, asked)
    if unsure := [segment for segment in segments.values() if segment.meaning is Meaning.OPEN]:
        raise bad(f"Is segment {unsure[0].described} a lesion? It does not tell.", path, SAY_WHICH)
    found = {number for number, segment in segments.items() if segment.meaning is Meaning.LESION}
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


def _asked(segments: dict[int, Segment], path: str, asked: Asked) -> set[int]:
    names = {number: (segment.label, segment.type_words, str(number)) for number, segment in segments.items()}
    found = {number for number, several in names.items() if asked.among([name for name in several if name])}
    if not found:
        hint = or_meant(asked.labels[0], [label for label, _, _ in names.values() if label])
        raise bad(f"No segment is called '{asked.labels[0]}'{hint}", path, SAY_WHICH)
    return found


def _listed(segments: dict[int, Segment], numbers: Iterable[int]) -> str:
    return "; ".join(segments[number].described for number in sorted(numbers)[:8])
