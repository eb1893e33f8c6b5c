"""The results as DICOM objects, in the folder ``dicom`` of the results: docs/dicom_objects.md.

Everything is taken from results.json and the images that it was measured on, whose bytes have to be the same. Nothing
is measured anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from skimage.draw import polygon2mask

from lesion_measure.config import Limits
from lesion_measure.dicom.objects.writing import (
    Original,
    Outlined,
    Reference,
    Report,
    Sealed,
    Written,
    quietly,
    read_original,
    reference,
    report,
    segmentation,
    tracking_uid,
)
from lesion_measure.errors import InputError
from lesion_measure.files.archive import open_location, stream_sha256
from lesion_measure.files.locks import holding
from lesion_measure.files.naming import plain_name
from lesion_measure.image.volumes.files import read_volume
from lesion_measure.job.measured_input import measured_input
from lesion_measure.job.object_folder import SEG, SR, Listed, earlier_reports, write_folder
from lesion_measure.job.studies_of import StudyOf, studies_of
from lesion_measure.records import Instance, LesionMeasurement, PlaneMeasurement, SubjectResult, is_liver
from lesion_measure.report.bodies import FOLDER as VOLUMES
from lesion_measure.report.bodies import bodies
from lesion_measure.results import Results, read_finished

CHANGED = "The image is not the one that was measured: its bytes have changed since."
NO_OUTLINE = "measured by calipers alone: two axes are no outline, so there is no segmentation"


@dataclass(frozen=True, slots=True)
class Images:
    """The images of a run, to be read again. ``digests``: SHA-256 by path, where they have to be compared."""

    by_uid: Mapping[str, Instance]
    limits: Limits
    digests: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, instances: Iterable[Instance], limits: Limits, digests: Mapping[str, str] | None = None) -> Images:
        """The images by their UIDs."""
        return cls({each.sop_instance_uid: each for each in instances}, limits, digests or {})

    def original(self, uid: str, path: str) -> Original:
        """The header of one image; ``path`` is what the results call its file.

        Raises
        ------
        InputError
            The image is not here, has changed, or no object can refer to it.
        """
        image = self.by_uid.get(uid)
        if image is None:
            raise InputError(
                "The image is not in the input.",
                remedy="Give the input that was measured.",
                code="no_object",
                path=path,
            )
        with open_location(image.location, self.limits) as stream:
            if (stated := self.digests.get(path)) is not None:
                if stream_sha256(stream) != stated:
                    raise InputError(CHANGED, remedy="Run anew.", code="changed", path=path)
                stream.seek(0)
            return read_original(stream, image, self.limits.header_bytes)


def write_objects(results: Results, subjects: Iterable[SubjectResult], images: Images, out: Path) -> None:
    """Write a segmentation for each outline and a report for each study into ``out/dicom``.

    ``subjects`` are those of the results as results.json tells them, of which one is in memory at a time where they
    are read when asked for (`kept.KeptSubjects`).

    Raises
    ------
    OutputError
        The folder holds what is none of ours, or cannot be written.
    """
    objects = _Objects(results, images, out, earlier_reports(out, images.limits))
    with quietly():
        for study in studies_of(results, subjects):
            objects.add(study)
    write_folder(out, objects.files, objects.listed)


def export_objects(out: Path, given: Path | None) -> None:
    """As `write_objects`, from a finished run and its input, which has to be what was measured, byte for byte.

    ``given`` is the input; None looks for the name that the run's command states, here and beside ``out``.

    Raises
    ------
    InputError
        The folder holds no finished run, or the input is not found.
    OutputError
        As `write_objects`.
    """
    results = read_finished(out)
    found = measured_input(out, given)
    measured = {image.sop_instance_uid for image in results.images}
    there = (image for image in found.studies.instances if image.sop_instance_uid in measured)
    images = Images.of(there, found.config.limits, found.digests)
    with holding(out):
        write_objects(results, results.subjects, images, out)


@dataclass(slots=True)
class _Objects:
    """The objects made so far, in memory: they are small, and the folder appears when all are there."""

    results: Results
    images: Images
    out: Path
    known: Mapping[str, Written]
    files: dict[str, bytes] = field(default_factory=dict)
    listed: list[Listed] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)

    def add(self, study: StudyOf) -> None:
        """The segmentations and the report of one study."""
        originals: dict[str, Original] = {}
        for uid, path in study.images.items():
            try:
                originals[uid] = self.images.original(uid, path)
            except InputError as error:
                self.listed.append(Listed.none(study, f"{error.reason} {error.remedy}", image=uid))
        outlined = [
            self._outline(study, lesion, plane, originals[plane.sop_instance_uid])
            for lesion, plane in study.planes
            if plane.sop_instance_uid in originals
        ]
        if originals:
            self._report(study, originals, [reference(study.uid, made) for made in outlined if made is not None])

    def _report(self, study: StudyOf, originals: Mapping[str, Original], outlined: Sequence[Reference]) -> None:
        results = self.results
        made = report(
            Report(
                subject=study.subject,
                setting=study.setting(results),
                originals=tuple(originals.values()),
                shown=study.shown(originals),
                absent=study.absent,
                review=study.review,
                answers=study.answers,
                segmentations=outlined,
            ),
            self.known.get(study.uid),
        )
        if made is not None:
            name = self._keep(made, (study.subject.subject, study.visit), SR)
            self.listed.append(Listed.of(study, SR, name, made))

    def _outline(
        self, study: StudyOf, lesion: LesionMeasurement, plane: PlaneMeasurement, original: Original
    ) -> Sealed | None:
        masks, slice_mm = self._masks(study.subject, lesion, plane)
        if not masks:
            self.listed.append(Listed.none(study, NO_OUTLINE, lesion=lesion, plane=plane))
            return None
        results = self.results
        outlined = Outlined(
            lesion=lesion.lesion,
            tracking_uid=tracking_uid(results.protocol.name, lesion.subject, lesion.lesion),
            plane=plane,
            masks=masks,
            version=results.package_version,
            model=results.model,
            model_sha256=results.model_sha256,
            slice_mm=slice_mm,
            organ=is_liver(lesion.lesion),
        )
        made = segmentation(original, outlined)
        name = self._keep(made, (lesion.subject, lesion.visit, lesion.lesion, plane.plane.value), SEG)
        self.listed.append(Listed.of(study, SEG, name, made, lesion=lesion, plane=plane))
        return made

    def _masks(
        self, subject: SubjectResult, lesion: LesionMeasurement, plane: PlaneMeasurement
    ) -> tuple[dict[int, NDArray[np.bool_]], float | None]:
        """The masks of a lesion on one image by frame, and the distance of the frames where it is a body."""
        image = self.images.by_uid[plane.sop_instance_uid]
        if plane.body is not None and plane.body is lesion.body:
            named = {id(one): name for name, one, _, _ in bodies([subject])}
            path = self.out / VOLUMES / named[id(lesion)]
            voxels = np.asarray(read_volume(path).voxels) != 0
            return {n: frame for n, frame in enumerate(voxels, start=1) if frame.any()}, image.slice_spacing_mm
        if plane.outline_px is None:
            return {}, None
        mask = polygon2mask((image.rows, image.columns), plane.outline_px)
        return ({plane.frame: mask} if mask.any() else {}), None

    def _keep(self, made: Sealed, parts: tuple[str, ...], suffix: str) -> str:
        name = f"{plain_name(parts, self.taken)}{suffix}"
        self.files[name] = made.data
        return name
