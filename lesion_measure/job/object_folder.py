"""The folder ``dicom`` of a results folder: segmentations, reports, and a table that tells each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from lesion_measure.config import Limits
from lesion_measure.dicom.objects.writing import Sealed, Written, known_report
from lesion_measure.errors import InputError
from lesion_measure.files.reading import open_regular
from lesion_measure.files.writing import together, write_bytes, write_text
from lesion_measure.job.folder import OBJECT_FILES, OBJECT_MARKER, OBJECTS, check_objects
from lesion_measure.job.studies_of import StudyOf
from lesion_measure.records import LesionMeasurement, PlaneMeasurement
from lesion_measure.report.tables import write_csv
from lesion_measure.report.words import plural
from lesion_measure.tables.rows import read_table

TABLE = "objects.csv"
SEG, SR = ".seg.dcm", ".sr.dcm"

_MARKER_LINE = "DICOM objects of lesion_measure; without this file they are not overwritten.\n"
_KINDS = {SEG: "SEG", SR: "SR"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One row of objects.csv: an object, or why there is none."""

    kind: str
    file: str = ""
    subject: str
    visit: str
    lesion: str = ""
    plane: str = ""
    frame: int | None = None
    sop_instance_uid: str = ""
    series_instance_uid: str = ""
    study_instance_uid: str
    image_uid: str = ""
    reason: str = ""

    @classmethod
    def of(
        cls,
        study: StudyOf,
        suffix: str,
        name: str,
        made: Sealed,
        *,
        lesion: LesionMeasurement | None = None,
        plane: PlaneMeasurement | None = None,
    ) -> Listed:
        """An object that was made.

        Parameters
        ----------
        study
            The study that it belongs to.
        suffix, name
            Its kind by the end of its file's name, and that name.
        made
            The object.
        lesion, plane
            What a segmentation shows.
        """
        return cls(
            kind=_KINDS[suffix],
            file=name,
            sop_instance_uid=made.sop_instance_uid,
            series_instance_uid=made.series_instance_uid,
            **_about(study, lesion, plane),
        )

    @classmethod
    def none(
        cls,
        study: StudyOf,
        reason: str,
        *,
        lesion: LesionMeasurement | None = None,
        plane: PlaneMeasurement | None = None,
        image: str = "",
    ) -> Listed:
        """What has no object, and why.

        Parameters
        ----------
        study
            The study that it belongs to.
        reason
            Why there is none.
        lesion, plane
            What is not shown.
        image
            UID of an image that no object refers to.
        """
        known = _about(study, lesion, plane)
        return cls(kind="none", reason=reason, **known | ({"image_uid": image} if image else {}))


def _about(study: StudyOf, lesion: LesionMeasurement | None, plane: PlaneMeasurement | None) -> dict[str, Any]:
    known: dict[str, Any] = {"subject": study.subject.subject, "visit": study.visit, "study_instance_uid": study.uid}
    if lesion is not None:
        known |= {"lesion": lesion.lesion}
    if plane is not None:
        known |= {"plane": plane.plane.value, "frame": plane.frame, "image_uid": plane.sop_instance_uid}
    return known


def earlier_reports(out: Path, limits: Limits) -> dict[str, Written]:
    """Reports of an earlier run of this folder, by the study that they are of; those that cannot be read are none."""
    folder = out / OBJECTS
    found: dict[str, Written] = {}
    if not (folder / OBJECT_MARKER).is_file():
        return found
    for path in sorted(folder.glob(f"*{SR}")):
        try:
            with open_regular(path) as stream:
                known = known_report(stream, limits.header_bytes)
        except (OSError, InputError):
            continue
        found[known.reference.study] = known
    return found


def object_lines(out: Path, *, no_paths: bool = False) -> list[str]:
    """How many objects there are and where, and why there are no others, for people."""
    table = out / OBJECTS / TABLE
    columns = tuple(each.name for each in fields(Listed))
    rows = read_table(table, required=columns, dates=columns)  # a run wrote it: a code like MAR-12 is no date
    kinds = Counter(row.values["kind"] for row in rows)
    reasons = Counter(row.values["reason"] for row in rows if row.values["reason"])
    where = f"{OBJECTS}/{TABLE}" if no_paths else table
    return [
        f"DICOM         {plural(kinds['SEG'], 'segmentation')}, {plural(kinds['SR'], 'report')}; listed in {where}",
        *(f"No object     {count} x {reason}" for reason, count in reasons.most_common()),
    ]


def write_folder(out: Path, files: Mapping[str, bytes], listed: Sequence[Listed]) -> None:
    """Put the objects in the place of an earlier set, all at once.

    Raises
    ------
    OutputError
        The folder holds what is none of ours, or cannot be written.
    """
    folder = out / OBJECTS
    there = check_objects(out)
    with together(folder, [name for name in there if OBJECT_FILES.fullmatch(name)]) as stage:
        write_text(stage / OBJECT_MARKER, _MARKER_LINE)
        for name, data in files.items():
            write_bytes(stage / name, data, "DICOM object")
        write_csv(stage / TABLE, tuple(each.name for each in fields(Listed)), map(asdict, listed))
