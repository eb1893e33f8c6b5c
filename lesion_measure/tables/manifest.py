"""The manifest: a table by which a person says whose image is whose, at which visit and in which plane.

Columns ``path, subject, visit, plane, lesion`` and, where wanted, ``target``. ``path`` is a file or folder relative to
the input, a StudyInstanceUID or a SOPInstanceUID. What it says always wins over the headers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lesion_measure.errors import TableError
from lesion_measure.records import (
    LIVER,
    TRIAL,
    ImageLabel,
    Instance,
    Location,
    Plane,
    StudyList,
    is_liver,
    unscheduled_day,
)
from lesion_measure.spelling import nfc, or_meant, unprintable
from lesion_measure.tables.rows import Row, read_table

COLUMNS = ("path", "subject", "visit", "plane", "lesion")
TARGET = "target"
_MAX_NAME = 64


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """One row, or all rows that concern one image taken together; empty or None where nothing is said."""

    key: str
    line: int
    visit: str
    subject: str = ""
    plane: Plane | None = None
    lesion: str = ""
    target: bool = False


@dataclass(frozen=True, slots=True)
class Manifest:
    """The rows of a manifest, checked one by one; which images they mean is found by `entries`."""

    path: str
    rows: tuple[ManifestRow, ...]

    def entries(self, studies: StudyList) -> dict[Location, ManifestRow]:
        """What the manifest says of each image; several rows may concern one, where they do not contradict.

        Raises
        ------
        TableError
            A row that no file answers to, or two rows that say different things of one image; names the lines.
        """
        instances = list(studies.instances)
        copies = list(studies.copies)
        # A file that was refused is listed with its own reason; its row is no mistake.
        refused = [refusal.path for refusal in studies.refusals if refusal.path]
        found: dict[Location, ManifestRow] = {}
        for row in self.rows:
            matches = [instance for instance in instances if _means(row.key, instance)]
            here = {instance.location for instance in matches}
            also = {i.location: i for path, i in copies if i.location not in here and _at_or_below(path, row.key)}
            matches += also.values()
            if not matches and not any(_at_or_below(path, row.key) for path in refused):
                raise TableError(
                    f"Line {row.line}: '{row.key}' is no file, folder, study or image of the input.",
                    remedy="Give a path relative to the input folder, a StudyInstanceUID or a SOPInstanceUID.",
                    path=self.path,
                )
            for instance in matches:
                earlier = found.get(instance.location)
                found[instance.location] = self._merged(earlier, row, instance) if earlier else row
        return found

    def labels(self, studies: StudyList) -> dict[str, ImageLabel]:
        """Plane and lesion of the images it names either for, by SOPInstanceUID. Raises as `entries`."""
        entries = self.entries(studies)
        named = ((instance, entries.get(instance.location)) for instance in studies.instances)
        return {
            instance.sop_instance_uid: ImageLabel(entry.plane, entry.lesion, entry.target)
            for instance, entry in named
            if entry and (entry.plane or entry.lesion)
        }

    def _merged(self, earlier: ManifestRow, row: ManifestRow, instance: Instance) -> ManifestRow:
        pairs = (
            ("subject", earlier.subject, row.subject),
            ("visit", earlier.visit, row.visit),
            ("plane", earlier.plane, row.plane),
            ("lesion", earlier.lesion, row.lesion),
        )
        for column, one, other in pairs:
            if one and other and one != other:
                raise TableError(
                    f"Lines {earlier.line} and {row.line} both concern {instance.path} "
                    f"and give different values for {column}: '{one}' and '{other}'.",
                    remedy="Leave one of them out.",
                    path=self.path,
                )
        return ManifestRow(
            key=row.key,
            line=row.line,
            visit=row.visit,
            subject=row.subject or earlier.subject,
            plane=row.plane or earlier.plane,
            lesion=row.lesion or earlier.lesion,
            target=row.target or earlier.target,
        )


def read_manifest(path: str | Path, visits: Sequence[str] = TRIAL.names) -> Manifest:
    """Read a manifest.

    Parameters
    ----------
    path
        The table.
    visits
        Names of the schedule's visits; ``day_N`` and ``day_minus_N`` mean visits beside it.

    Raises
    ------
    TableError
        The table cannot be read or a cell cannot be meant; names the line.
    """
    rows = read_table(path, required=COLUMNS, optional=(TARGET,))
    if not rows:
        raise TableError("The manifest has no rows.", remedy=f"Its columns are: {', '.join(COLUMNS)}.", path=str(path))
    return Manifest(str(path), tuple(_entry(row, str(path), visits) for row in rows))


def _entry(row: Row, path: str, visits: Sequence[str]) -> ManifestRow:
    key = row["path"].replace("\\", "/").rstrip("/").removeprefix("./")
    if not key:
        raise TableError(f"Line {row.line}: path is empty.", remedy="'.' means the whole input.", path=path)
    for column in ("subject", "lesion"):
        if len(row[column]) > _MAX_NAME or not row[column].isprintable():
            raise TableError(
                f"Line {row.line}: {column} is not printable text of at most {_MAX_NAME} characters"
                f"{unprintable(row[column])}.",
                path=path,
            )
    if is_liver(row["lesion"]):
        raise TableError(
            f"Line {row.line}: the lesion name '{LIVER}' is kept for the organ, which no network measures.",
            remedy="Measure the liver by calipers of that name; name the lesion otherwise.",
            path=path,
        )
    target = row[TARGET].lower()
    if target not in ("yes", "no", "") or (target == "yes" and not row["lesion"]):
        raise TableError(
            f"Line {row.line}: target is neither yes nor no, or no lesion is named.",
            remedy="Write yes beside the name of a target lesion, else leave it empty.",
            path=path,
        )
    named = row["visit"].lower().replace(" ", "_").replace("-", "_")
    visit = named if unscheduled_day(named) is not None else _word(row, "visit", visits, path)
    plane = _word(row, "plane", Plane, path) if row["plane"] else None
    return ManifestRow(
        key, row.line, (visit), row["subject"], Plane(plane) if plane else None, row["lesion"], target == "yes"
    )


def _word(row: Row, column: str, allowed: Iterable[str], path: str) -> str:
    word = row[column].lower().replace(" ", "_").replace("-", "_")
    words = [str(known) for known in allowed]
    if word not in words:
        raise TableError(
            f"Line {row.line}: {column} '{row[column][:_MAX_NAME]}' is not known{or_meant(word[:_MAX_NAME], words)}",
            remedy=f"It is one of: {', '.join(words)}.",
            path=path,
        )
    return word


def _means(key: str, instance: Instance) -> bool:
    return key in (instance.study_instance_uid, instance.sop_instance_uid) or _at_or_below(instance.path, key)


def _at_or_below(path: str, key: str) -> bool:
    path = nfc(path)  # as the table's cells
    return key == "." or path == key or path.startswith(key + "/")
