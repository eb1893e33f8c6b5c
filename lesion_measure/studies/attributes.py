"""One value of an image's header at a time: pydicom data set -> the fields of `records.Instance`.

What is malformed is left out and noted in ``notes``, in words that never quote the value.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import numpy as np

from lesion_measure.dicom.elements import Elements, element, integer, items, number, numbers, raw_text, text
from lesion_measure.dicom.stored import StoredElements
from lesion_measure.records import Region, Spacing

# Words that tell the plane, or the organ, in free text. Only these pass into `Instance.view`: descriptions and comments
# hold patients' names more often than one would think.
VIEW_WORDS = frozenset(
    """
    transverse transversal transversale trans trv tra transv tx axial ax sagittal sagital sagittale sag longitudinal
    longitudinale long lon lng longit coronal coronale cor frontal oblique oblicuo obliqua obl subcostal intercostal
    parasagittal paramedian midline median quer querschnitt laengs längs längsschnitt laengsschnitt schräg
    liver hepatic hepar leber foie higado hígado fegato lobe lobar left right lt rt links rechts segment seg dome hilum
    porta hepatis caudate quadrate gallbladder kidney spleen abdomen abdominal ruq luq epigastric
    plane view scan orthogonal orth perpendicular rotated 90 doppler cine sweep volume 3d 2d
    """.split()  # noqa: SIM905
)
_FREE_TEXT = ("ViewName", "SeriesDescription", "ProtocolName", "ImageComments", "StudyDescription")
_CODES = ("ViewCodeSequence", "AnatomicRegionSequence")
_AGREEMENT = 0.01


def derived_uid(sha256: str) -> str:
    """A UID of the UUID form (PS3.5 B.2) from a hash."""
    return f"2.25.{int(sha256[:32], 16)}"


def study_date(dataset: Elements, notes: list[str]) -> date | None:
    """StudyDate as YYYYMMDD, or YYYY.MM.DD of ACR-NEMA (PS3.5 6.2, note on DA), or None."""
    stated = raw_text(dataset, "StudyDate")
    found = as_date(stated)
    if stated and found is None:
        notes.append("StudyDate is not a date; it is left out")
    return found


def as_date(stated: str) -> date | None:
    """A day as YYYYMMDD or, with a separator, as YYYY.MM.DD; None where it is none."""
    digits = stated
    for separator in ".-/":
        if len(stated) == 10 and stated[4] == stated[7] == separator:
            digits = stated.replace(separator, "")
    try:
        if len(digits) == 8 and digits.isascii() and digits.isdigit():
            return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None  # a month 13 or day 31 of June
    return None


def frame_count(dataset: Elements, notes: list[str]) -> int:
    stated = numbers(dataset, "NumberOfFrames")
    frames = integer(dataset, "NumberOfFrames")
    if frames is None or frames < 1:
        if stated:
            notes.append("NumberOfFrames is not a positive number; 1 is assumed")
        return 1
    return frames


def regions(dataset: Elements, notes: list[str]) -> tuple[Region, ...]:
    """SequenceOfUltrasoundRegions (PS3.3 C.8.5.5). One that cannot be read gives a region of Nones, not no region."""
    stated = items(dataset, "SequenceOfUltrasoundRegions")
    if stated is None:
        notes.append("SequenceOfUltrasoundRegions cannot be read")
        stated = [StoredElements({}, explicit=True)]
    return tuple(
        Region(
            index=index,
            row_min=integer(item, "RegionLocationMinY0"),
            row_max=integer(item, "RegionLocationMaxY1"),
            col_min=integer(item, "RegionLocationMinX0"),
            col_max=integer(item, "RegionLocationMaxX1"),
            spatial_format=integer(item, "RegionSpatialFormat"),
            data_type=integer(item, "RegionDataType"),
            unit_row=integer(item, "PhysicalUnitsYDirection"),
            unit_col=integer(item, "PhysicalUnitsXDirection"),
            delta_row=number(item, "PhysicalDeltaY"),
            delta_col=number(item, "PhysicalDeltaX"),
            flags=integer(item, "RegionFlags"),
        )
        for index, item in enumerate(stated)
    )


def spacing_type(dataset: Elements) -> str | None:
    parts = (text(dataset, "PixelSpacingCalibrationType"), text(dataset, "PixelSpacingCalibrationDescription"))
    return ": ".join(filter(None, parts)) or None


def frame_time_ms(dataset: Elements) -> float | None:
    """Mean time between frames by FrameIncrementPointer (PS3.3 C.7.6.6): FrameTime, or the mean of FrameTimeVector."""
    pointer = element(dataset, "FrameIncrementPointer")
    stated = str(pointer.value).replace(" ", "") if pointer is not None else ""
    frame_time = number(dataset, "FrameTime")
    if "0018,1065" in stated or (frame_time is None and "FrameTimeVector" in dataset):
        steps = numbers(dataset, "FrameTimeVector")[1:]  # the first is the start, not a step
        known = [step for step in steps if step is not None and step > 0]
        return sum(known) / len(known) if known and len(known) == len(steps) else None
    return frame_time if frame_time is not None and frame_time > 0 else None


def view_text(dataset: Elements) -> str:
    """What the header says about plane and organ: code meanings and body part whole, free text word by known word."""
    parts = [text(item, "CodeMeaning") for code in _CODES for item in items(dataset, code) or ()]
    parts.append(text(dataset, "BodyPartExamined"))
    for keyword in _FREE_TEXT:
        if stated := text(dataset, keyword):
            words = re.findall(r"[^\W_]+", stated.lower())
            parts.append(" ".join(word for word in words if word in VIEW_WORDS))
    return "; ".join(dict.fromkeys(part for part in parts if part))


@dataclass(frozen=True, slots=True)
class StatedScale:
    """``raw`` is the text of a PixelSpacing that cannot be used; ``slice_spacing_mm`` of true 3D data only."""

    pixel_spacing: Spacing | None
    raw: str | None
    slice_spacing_mm: float | None


def plane_scale(dataset: Elements, notes: list[str]) -> StatedScale:
    """PixelSpacing (0028,0030), row spacing first (PS3.3 10.7.1.3)."""
    spacing = _pixel_spacing(dataset)
    if spacing is None and numbers(dataset, "PixelSpacing"):
        notes.append("PixelSpacing is not two positive numbers; it is left out")
    return StatedScale(spacing, None if spacing else _digits(raw_text(dataset, "PixelSpacing")), None)


def aspect_ratio(dataset: Elements) -> float | None:
    """Height over width of a pixel by PixelAspectRatio (0028,0034), vertical size first (PS3.3 C.7.6.3.1.7)."""
    values = numbers(dataset, "PixelAspectRatio")
    if len(values) == 2 and values[0] and values[1] and min(values[0], values[1]) > 0:
        return values[0] / values[1]
    return None


def _digits(stated: str) -> str | None:
    """What was stated in place of two numbers, letters masked: free text may hold a name."""
    return re.sub(r"[^\W\d_]", "?", stated)[:64] or None


def volume_scale(dataset: Elements, frames: int, notes: list[str]) -> StatedScale:
    """Scale from the functional groups (PS3.3 C.7.6.16.2.1 Pixel Measures, C.8.24.2 ff. for US volumes)."""
    shared = items(dataset, "SharedFunctionalGroupsSequence") or []
    per_frame = items(dataset, "PerFrameFunctionalGroupsSequence") or []
    measures = _macro(shared, "PixelMeasuresSequence") or _macro(per_frame, "PixelMeasuresSequence")
    for_all = len(measures) in (len(shared), frames)
    measures = measures or [dataset]
    stated = {raw_text(item, "PixelSpacing") for item in measures} - {""}
    spacings = {_pixel_spacing(item) for item in measures}
    spacing = spacings.pop() if len(spacings) == 1 and for_all else None
    if spacing is None:
        notes.append("the frames' PixelSpacing is missing, malformed or not the same for all; it is left out")
    between = {number(item, "SpacingBetweenSlices") for item in measures}
    distance = between.pop() if len(between) == 1 else None
    return StatedScale(
        spacing,
        None if spacing else _digits("; ".join(sorted(stated)[:4])),
        _slice_spacing(dataset, shared, per_frame, frames, distance, notes) if frames > 1 else None,
    )


def _pixel_spacing(dataset: Elements) -> Spacing | None:
    values = numbers(dataset, "PixelSpacing")
    if len(values) == 2 and values[0] and values[1] and min(values[0], values[1]) > 0:
        return values[0], values[1]
    return None


def has_slice_positions(dataset: Elements) -> bool:
    """True where the frames state where they lie, whatever the storage class (PS3.3 C.7.6.16.2)."""
    per_frame = items(dataset, "PerFrameFunctionalGroupsSequence") or []
    return any(_macro(per_frame, sequence) for sequence, _ in _POSITIONS)


_POSITIONS = (
    ("PlanePositionVolumeSequence", "ImagePositionVolume"),
    ("PlanePositionSequence", "ImagePositionPatient"),
)
_ORIENTATIONS = (
    ("PlaneOrientationVolumeSequence", "ImageOrientationVolume"),
    ("PlaneOrientationSequence", "ImageOrientationPatient"),
)


def _slice_spacing(
    dataset: Elements,
    shared: list[Elements],
    per_frame: list[Elements],
    frames: int,
    stated: float | None,
    notes: list[str],
) -> float | None:
    """Distance between frames, where they are one even stack in order: from their positions, else as stated."""
    positions, orientations = _places(shared, per_frame)
    if not positions:
        temporal = text(dataset, "DimensionOrganizationType") not in ("", "3D")
        distance = stated if stated and stated > 0 and not temporal else None
        reason = "the frames do not state where they lie"
    elif len(positions) != frames:
        distance, reason = None, f"{len(positions)} of {frames} frames state where they lie"
    elif len(orientations) != 1:
        distance, reason = None, "the frames are not known to be parallel"
    else:
        distance, reason = _stack_distance(positions, orientations[0])
    if distance is None:
        notes.append(f"{reason}: there is no slice spacing and no 3D size")
    elif stated is not None and abs(stated - distance) > _AGREEMENT * distance:
        notes.append(
            "SpacingBetweenSlices and the frames' positions disagree: there is no slice spacing and no 3D size"
        )
        return None
    return distance


_Numbers = list[float | None]


def _places(shared: list[Elements], per_frame: list[Elements]) -> tuple[list[_Numbers], list[_Numbers]]:
    """Positions of the frames and their different orientations, in the volume's own frame of reference if stated."""
    for (place, position), (plane, orientation) in zip(_POSITIONS, _ORIENTATIONS, strict=True):
        if found := _macro(per_frame, place):
            turned = _macro(shared, plane) or _macro(per_frame, plane)
            different = dict.fromkeys(tuple(numbers(item, orientation)) for item in turned)
            return [numbers(item, position) for item in found], [list(each) for each in different]
    return [], []


def _stack_distance(positions: list[_Numbers], orientation: _Numbers) -> tuple[float | None, str]:
    """Distance of parallel planes along their normal; None and the reason where they are no even stack in order."""
    flat = [value for point in positions for value in point] + [*orientation]
    if len(orientation) != 6 or any(len(point) != 3 for point in positions) or None in flat:
        return None, "the frames' positions or their orientation are malformed"
    points = np.array(positions, dtype=float)
    normal = np.cross(np.array(orientation[:3], dtype=float), np.array(orientation[3:], dtype=float))
    length = float(np.linalg.norm(normal))
    if not math.isclose(length, 1, abs_tol=0.01):
        return None, "the frames' orientation is not two unit vectors at a right angle"
    along = (points - points[0]) @ (normal / length)
    across = points - points[0] - np.outer(along, normal / length)
    steps = np.diff(along)
    distance = abs(float(steps.mean()))
    if not (np.all(steps > 0) or np.all(steps < 0)):
        return None, "the frames do not follow one another along one stack"
    if np.abs(np.abs(steps) - distance).max() > _AGREEMENT * distance:
        low, high = np.abs(steps).min(), np.abs(steps).max()
        return None, f"the frames are unevenly spaced, {low:.3g} to {high:.3g} mm"
    if float(np.linalg.norm(across, axis=1).max()) > _AGREEMENT * distance * len(positions):
        return None, "the frames are shifted sideways against one another"
    return distance, ""


def _macro(groups: Iterable[Elements], keyword: str) -> list[Elements]:
    """The first item of one functional group macro in each functional group that has it."""
    found = (items(group, keyword) for group in groups)
    return [macro[0] for macro in found if macro]
