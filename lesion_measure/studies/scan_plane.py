"""What an image's header says of its scan plane: by code, by orientation in the patient, by text.

The sources in the order of their precedence, each of them listed where it says anything:

1. ``view code``: ViewCodeSequence (0054,0220) with its modifiers (0054,0222), PS3.3 C.8.5.6; codes of PS3.16 CID 6,
   26, 501, 502, 4010 and 6312 that name a plane of the body;
2. ``transducer orientation``: TransducerOrientationSequence (0008,2242) with its modifiers (0008,2244), retired, CID 6;
3. ``image orientation``: ImageOrientationPatient (0020,0037), where the image lies in a frame of reference;
4. ``patient orientation``: PatientOrientation (0020,0020), PS3.3 C.7.6.1.1.1;
5. texts, by the words of the configuration: meanings of view codes that name no plane, ViewName, ImageComments,
   SeriesDescription, ProtocolName, StudyDescription.

What they mean together is decided where the image is measured (`image.orientation.plane_of`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import numpy as np

from lesion_measure.config import Planes
from lesion_measure.dicom.elements import Elements, items, numbers, text, texts
from lesion_measure.records import Plane, StatedPlane

TEXTS = ("ViewName", "ImageComments", "SeriesDescription", "ProtocolName", "StudyDescription")

# (SNOMED CT, SNOMED RT of older files). Longitudinal (38717003) and the long and short axis are those of an organ, not
# of the body, and are left to the words.
PLANE_CODES = {
    Plane.TRANSVERSE: (("62824007", "G-A117"), ("24422004", "G-A147"), ("399061009", "R-10241")),
    Plane.SAGITTAL: (("30730003", "G-A145"), ("103343002", "G-A189")),
    Plane.CORONAL: (("81654009", "G-A138"),),
    Plane.OBLIQUE: (("21114003", "G-A472"), ("399182000", "R-102C1")),
}
_BY_CODE = {
    (scheme, code): plane
    for plane, codes in PLANE_CODES.items()
    for sct, srt in codes
    for scheme, code in (("SCT", sct), ("SRT", srt), ("SNM3", srt), ("99SDM", srt))
}
_NORMALS = (Plane.SAGITTAL, Plane.CORONAL, Plane.TRANSVERSE)
"""Planes whose normal is the patient's x (right to left), y (front to back) and z (feet to head)."""
_DIRECTIONS = {"R": 0, "L": 0, "A": 1, "P": 1, "H": 2, "F": 2}
_UNROTATED = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def stated_planes(dataset: Elements, settings: Planes, notes: list[str]) -> tuple[StatedPlane, ...]:
    """What each source says, in the order of precedence; a source that says nothing, or two things, is left out.

    ``notes`` gets a word about what contradicts itself or is malformed, never the text itself.
    """
    found = [
        ("view code", _by_codes(dataset, "ViewCodeSequence", "ViewModifierCodeSequence", notes)),
        (
            "transducer orientation",
            _by_codes(dataset, "TransducerOrientationSequence", "TransducerOrientationModifierSequence", notes),
        ),
        ("image orientation", _by_image_orientation(dataset, settings.oblique_beyond_deg, notes)),
        ("patient orientation", _by_patient_orientation(dataset, notes)),
        ("view code's meaning", _by_words(" ".join(_other_meanings(dataset)), settings)),
        *((keyword, _by_words(text(dataset, keyword), settings)) for keyword in TEXTS),
    ]
    return tuple(StatedPlane(source, plane) for source, plane in found if plane is not None)


def _by_codes(dataset: Elements, sequence: str, modifiers: str, notes: list[str]) -> Plane | None:
    views = items(dataset, sequence) or []
    codes = [code for view in views for code in (view, *(items(view, modifiers) or ()))]
    named = {plane for code in codes if (plane := _BY_CODE.get(_code(code)))}
    if len(named) > 1 and Plane.OBLIQUE not in named:
        notes.append(f"{sequence} names several planes ({_listed(named)}); it is not believed")
    return _one(named)


def _code(item: Elements) -> tuple[str, str]:
    return text(item, "CodingSchemeDesignator"), text(item, "CodeValue")


def _other_meanings(dataset: Elements) -> Iterator[str]:
    for view in items(dataset, "ViewCodeSequence") or ():
        for code in (view, *(items(view, "ViewModifierCodeSequence") or ())):
            if _code(code) not in _BY_CODE:
                yield text(code, "CodeMeaning")


def _by_words(stated: str, settings: Planes) -> Plane | None:
    if not stated:
        return None
    words_in_order = re.findall(r"[^\W\d_]+", stated.casefold())
    letters = f" {' '.join(words_in_order)} "
    return _one(
        {plane for plane, words in settings.words().items() if any(f" {word.casefold()} " in letters for word in words)}
    )


def _one(named: set[Plane]) -> Plane | None:
    """The plane that is meant: an oblique one where that is said beside another, else the only one named."""
    if Plane.OBLIQUE in named:
        return Plane.OBLIQUE
    return next(iter(named)) if len(named) == 1 else None


def _by_image_orientation(dataset: Elements, oblique_beyond_deg: float, notes: list[str]) -> Plane | None:
    """Unrotated exactly (1\\0\\0\\0\\1\\0) is what converters write where nothing is known, and says nothing."""
    stated = numbers(dataset, "ImageOrientationPatient")
    if not stated or not text(dataset, "FrameOfReferenceUID") or tuple(stated) == _UNROTATED:
        return None
    known = [value for value in stated if value is not None]
    if len(known) == len(stated) == 6:
        row, column = np.array(known[:3]), np.array(known[3:])
        lengths = float(np.linalg.norm(row)), float(np.linalg.norm(column))
        if np.allclose(lengths, 1, atol=0.01) and abs(float(row @ column)) < 0.01:
            along = np.abs(np.cross(row, column))
            tilt_deg = float(np.degrees(np.arccos(min(1.0, float(along.max())))))
            return _NORMALS[int(along.argmax())] if tilt_deg <= oblique_beyond_deg else Plane.OBLIQUE
    notes.append("ImageOrientationPatient is not two unit vectors at a right angle; it is left out")
    return None


def _by_patient_orientation(dataset: Elements, notes: list[str]) -> Plane | None:
    """Directions of rows and columns by their letters; more than one letter is a tilt, and the plane oblique."""
    words = [word.upper() for word in texts(dataset, "PatientOrientation")]
    if not any(words):
        return None
    axes = [[_DIRECTIONS.get(letter) for letter in word] for word in words]
    good = len(axes) == 2 and all(axis and None not in axis and len(set(axis)) == len(axis) for axis in axes)
    if not good or axes[0][0] == axes[1][0]:
        notes.append("PatientOrientation does not name two directions; it is left out")
        return None
    if any(len(axis) > 1 for axis in axes):
        return Plane.OBLIQUE
    (normal,) = {0, 1, 2} - {axis[0] for axis in axes}
    return _NORMALS[normal]


def _listed(planes: Iterable[Plane]) -> str:
    return " and ".join(sorted(planes))
