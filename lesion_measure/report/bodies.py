"""Lesions in 3D as label volumes, one file a lesion and visit, on the grid of the frames they were measured on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lesion_measure.files.naming import plain_name
from lesion_measure.files.writing import make_folder, write_bytes
from lesion_measure.image.volumes.files import nrrd
from lesion_measure.measure.filled import filled
from lesion_measure.records import Body, Instance, LesionMeasurement, PlaneMeasurement, SubjectResult
from lesion_measure.report.rows import page_name

FOLDER = "volumes"
SUFFIX = ".lesion.nrrd"


def write_bodies(subject: SubjectResult, images: Mapping[str, Instance], out: Path) -> list[str]:
    """Write a child's lesions that were measured in 3D into the folder `FOLDER`, which is made where there is one.

    ``images`` are its images by SOP Instance UID. Gives the names of the files.

    Voxels are 1 where their centre lies inside the outline of their frame, else 0. So their number times their size
    differs from the volume, which is by the area inside the outlines, by what the pixels on the edge make.

    Raises
    ------
    OutputError
        A file cannot be written.
    """
    written = []
    for name, lesion, plane, body in bodies([subject]):
        image = images[plane.sop_instance_uid]
        if image.slice_spacing_mm is None:
            continue
        row_mm, column_mm = plane.spacing_mm
        data = nrrd(
            _voxels(body, image),
            spacing_mm=(image.slice_spacing_mm, row_mm, column_mm),
            texts={
                "subject": lesion.subject, "visit": lesion.visit, "lesion": lesion.lesion,
                "sop_instance_uid": image.sop_instance_uid,
            },
        )  # fmt: skip
        make_folder(out / FOLDER)
        write_bytes(out / FOLDER / name, data, "lesion in 3D", shared=True)
        written.append(name)
    return written


def bodies(
    subjects: Iterable[SubjectResult],
) -> Iterator[tuple[str, LesionMeasurement, PlaneMeasurement, Body]]:
    """Each lesion in 3D with the image that it was measured on, and the name of its file."""
    for subject in subjects:
        taken: set[str] = set()
        for lesion in subject.lesions:
            body = lesion.body
            plane = next((p for p in lesion.planes if p.body is not None and p.body is body), None)
            if body is not None and plane is not None:
                yield _name(lesion, taken), lesion, plane, body


def _voxels(body: Body, image: Instance) -> NDArray[np.uint8]:
    voxels = np.zeros((image.frames, image.rows, image.columns), dtype=np.uint8)
    for frame, outline in zip(range(body.frames[0], body.frames[1] + 1), body.outlines_px, strict=True):
        voxels[frame - 1] = filled(outline, (image.rows, image.columns))
    return voxels


def _name(lesion: LesionMeasurement, taken: set[str]) -> str:
    """SUBJECT_VISIT_LESION in plain letters; the names as they are stand inside. No other child's begins so."""
    return f"{page_name(lesion.subject)}_{plain_name((lesion.visit, lesion.lesion), taken)}{SUFFIX}"
