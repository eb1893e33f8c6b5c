"""Layout of DICOM: ultrasound images, and Segmentation objects (SEG) that outline lesions on their frames.

A picture is what a run shows the network: a calibrated region of the frame (`regions`), of a dual image each half. Only
frames that a segmentation states are pictures; an empty segmentation frame states that there is no lesion, a
frame without one states nothing and is left out.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from lesion_measure.config import Config, Limits
from lesion_measure.dicom.frames import FrameReader
from lesion_measure.dicom.objects.segmentation.layout import FrameOf, Layout, read_layout
from lesion_measure.dicom.objects.segmentation.pixels import PixelSource
from lesion_measure.dicom.objects.segmentation.read import holds_ones, mask_of
from lesion_measure.errors import InputError
from lesion_measure.files.archive import Archives
from lesion_measure.files.walk import Found, walk
from lesion_measure.lab.datasets.files import bad
from lesion_measure.lab.datasets.pictures import Picture, picture_of_lesions
from lesion_measure.lab.datasets.regions import check_inside, cuts_of
from lesion_measure.lab.datasets.scheme import Asked
from lesion_measure.lab.datasets.segments import lesion_segments
from lesion_measure.lab.datasets.shapes import check_mask
from lesion_measure.records import Instance
from lesion_measure.studies import load_studies

EXPECTED = "DICOM ultrasound images with DICOM SEG objects that refer to them"
_FILES_LOOKED_AT = 200
_DICOM_PREFIX_AT = 128
_MOST_MASKS = 20_000
_MOST_PIXELS = 1 << 30

_Frame = tuple[str, int]


def fits(folder: Path) -> bool:
    """Whether one of the first files at or below the folder is DICOM."""
    looked_at = 0
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            looked_at += 1
            if is_dicom(Path(parent) / name):
                return True
            if looked_at >= _FILES_LOOKED_AT:
                return False
    return False


def read(folder: Path, name: str, asked: Asked) -> list[Picture]:
    """Every outlined frame, in the order of its image's SOP Instance UID and its number; zips are looked into.

    A picture's group is a hash of the subject code (ClinicalTrialSubjectID, else PatientID; else the study), the same
    in every folder, so that one subject in two folders is one group.

    Raises
    ------
    InputError
        There is no segmentation, or one refers to an image that is not here, is of another size, or is outlined twice;
        or an image has no scale, or a lesion lies beside its regions.
    """
    config = Config()
    limits = config.limits
    images: dict[str, list[Instance]] = {}
    for instance in load_studies(folder, limits=limits).instances:
        images.setdefault(instance.sop_instance_uid, []).append(instance)
    outlines = _outlines(folder, limits, images, asked)
    if not outlines:
        raise bad("There is no segmentation among the DICOM files.", folder, f"Expected {EXPECTED}.")
    pictures: list[Picture] = []
    for reference in sorted({image for image, _ in outlines}):
        instance = images[reference][0]
        cuts = cuts_of(instance, config)
        with FrameReader(instance, limits) as reader:
            for frame in sorted(number for image, number in outlines if image == reference):
                masks, shown = outlines[reference, frame], reader.luminance(frame)
                check_inside(masks, [cut for cut, _ in cuts], instance.path)
                for number, (cut, spacing) in enumerate(cuts, start=1):
                    identity = f"{reference}-{frame}" + (f"-{number}" if len(cuts) > 1 else "")
                    parts = [mask[cut] for mask in masks]
                    one = picture_of_lesions(identity, name, group_of(instance), shown[cut], parts)
                    pictures.append(replace(one, spacing_mm=spacing))
    return pictures


def is_dicom(path: Path) -> bool:
    """Whether a regular file begins as DICOM files do."""
    try:
        if path.is_symlink() or not path.is_file():
            return False
        with path.open("rb") as stream:
            return stream.read(_DICOM_PREFIX_AT + 4)[_DICOM_PREFIX_AT:] == b"DICM"
    except OSError:
        return False  # it may still be reported by name once the folder is read


def _outlines(
    folder: Path, limits: Limits, images: Mapping[str, Sequence[Instance]], asked: Asked
) -> dict[_Frame, list[NDArray[np.bool_]]]:
    outlines: dict[_Frame, list[NDArray[np.bool_]]] = {}
    drawn_by: dict[_Frame, str] = {}
    with Archives(limits) as archives:
        for found in walk(folder, archives):
            if not isinstance(found, Found):
                if found.code == "not_dicom":
                    continue
                raise bad(found.reason, found.path or folder, found.remedy)
            for source, mask in _read_one(found, archives, limits, asked):
                check_mask(mask, found.path)
                frame = _frame_of(source, mask, found.path, images)
                if drawn_by.setdefault(frame, found.path) != found.path:
                    raise bad(
                        f"It outlines a frame that {drawn_by[frame]} outlines too.", found.path, "Keep one of the two."
                    )
                outlines.setdefault(frame, []).append(mask)
    return outlines


def _read_one(
    found: Found, archives: Archives, limits: Limits, asked: Asked
) -> list[tuple[FrameOf, NDArray[np.bool_]]]:
    """The masks of one file; none where it is no segmentation."""
    try:
        with archives.open(found.location) as stream:
            masks = outlined_frames(stream, found.path, limits, asked)
            return [] if masks is None else list(masks)
    except InputError as error:
        if error.code == "not_dicom":
            return []
        raise bad(error.reason, error.path or found.path, error.remedy) from error


def outlined_frames(
    stream: BinaryIO, path: str, limits: Limits, asked: Asked
) -> Iterator[tuple[FrameOf, NDArray[np.bool_]]] | None:
    """The frames that a segmentation outlines, each with the mask (rows, columns) of one lesion segment.

    None where the stream holds no segmentation. Which segments are lesions says `segments.lesion_segments`.
    A mask may be empty: the writer states that there is nothing. Frames that are not stored are not stated.

    Raises
    ------
    InputError
        The object is damaged, too large, or does not say which frames it outlines or what is a lesion.
    """
    layout = read_layout(stream, limits)
    if layout is None:
        return None
    lesions = lesion_segments(layout.segments, path, asked)
    masks = layout.masks(lesions)
    if masks > _MOST_MASKS or masks * layout.kind.rows * layout.kind.columns > _MOST_PIXELS:
        raise bad("The segmentation is too large.", path)
    for frame in layout.frames:
        if isinstance(frame, InputError):
            raise frame
    return _masks(layout, PixelSource(layout.header, layout.kind, limits, path), lesions)


def _masks(layout: Layout, pixels: PixelSource, lesions: set[int]) -> Iterator[tuple[FrameOf, NDArray[np.bool_]]]:
    ones = holds_ones(layout, pixels)
    for frame in layout.usable:
        if numbers := [number for number in sorted(lesions) if frame.segment in (0, number)]:
            values = pixels.values(frame.number)
            yield from ((frame.source, mask_of(values, layout.kind, number, ones)) for number in numbers)


def _frame_of(source: FrameOf, mask: NDArray[np.bool_], path: str, images: Mapping[str, Sequence[Instance]]) -> _Frame:
    """The frame of the image in the folder that a mask was drawn on."""
    image, frame = source
    found = images.get(image, [])
    if len(found) > 1:
        raise bad(f"Its SOP Instance UID is also that of {found[0].path}.", found[1].path, "Keep one of the files.")
    if not found:
        raise bad("The segmentation refers to an image that is not here or is no ultrasound.", path, "Add the image.")
    instance = found[0]
    if frame is None and instance.frames > 1:
        raise bad(f"The segmentation does not say which frame of {instance.path} it outlines.", path, "Write it anew.")
    if frame is not None and frame > instance.frames:
        raise bad(f"The segmentation refers to frame {frame} of {instance.path}, which has fewer.", path)
    if mask.shape != (instance.rows, instance.columns):
        raise bad(f"The segmentation and {instance.path} differ in size.", path, "Write it on the grid of its image.")
    return image, frame or 1


def group_of(instance: Instance) -> str:
    """The group of an image's pictures: a hash of the subject code, else of the study."""
    code = f"subject {instance.subject}" if instance.subject else f"study {instance.study_instance_uid}"
    return f"subject-{hashlib.sha256(code.encode()).hexdigest()[:16]}"
