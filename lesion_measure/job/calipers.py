"""What ``--calipers`` gives: a table, a DICOM object, or a folder with any number of both, or a zip of objects."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from lesion_measure.config import Config
from lesion_measure.errors import InputError, LesionMeasureError, TableError
from lesion_measure.files.reading import open_regular
from lesion_measure.job.own_files import check_tables, own_files
from lesion_measure.records import Caliper, Refusal, StudyList
from lesion_measure.studies import load_studies
from lesion_measure.studies.objects import below
from lesion_measure.studies.unread_tables import UNREAD_CALIPERS, UNREAD_TABLE, is_unread_table
from lesion_measure.tables.calipers import holds_calipers, read_calipers

CaliperTable = tuple[Path, tuple[Caliper, ...]]
_PREFIX_AT, _PREFIX = 128, b"DICM"


def read_caliper_tables(path: Path | None, scans: Path) -> tuple[CaliperTable, ...]:
    """The rows of a table, or of each table in a folder and below; ``scans`` is the input.

    Raises
    ------
    TableError
        One of them cannot be read.
    """
    if path is None or (not path.is_dir() and holds_objects(path)):
        return ()
    if not path.is_dir():
        return ((path, read_calipers(path)),)
    check_tables(path, scans)
    tables = [(file, read_calipers(file)) for file in sorted(own_files(path)) if holds_calipers(file)]
    names = {file: file.relative_to(path).as_posix() for file, _ in tables}
    return tuple((file, tuple(replace(row, table=names[file]) for row in rows)) for file, rows in tables)


def with_objects(
    studies: StudyList, path: Path | None, root: Path, tables: Iterable[CaliperTable], config: Config
) -> StudyList:
    """The studies of an input with the objects that ``--calipers`` gives beside it; each file once.

    Parameters
    ----------
    studies, root
        What was found in the input, and the input.
    path, tables
        What ``--calipers`` gives, and the tables of it.
    config
        Settings: ``calipers.objects``, ``limits``, ``planes``.

    Raises
    ------
    InputError
        A single file is given that is no object.
    TableError
        A zip holds a table of calipers, or one that cannot be opened.
    """
    if path is None or _within(path, root) or not (path.is_dir() or holds_objects(path)):
        return studies
    known = {i.location for i in studies.instances} | {o.location for o in studies.objects}
    masks = [row.mask for _, rows in tables for row in rows if isinstance(row.mask, Path)]
    found = _beside(path, [*own_files(path), *masks], config)
    if not root.resolve().is_relative_to(path.resolve()):
        found = replace(found, refusals=tuple(_told(refusal, path.name) for refusal in found.refusals))
    if not path.is_dir() and not found.objects and config.calipers.objects:
        raise _no_object(path, found)
    name = path.resolve().name
    objects = [below(o, name) if path.is_dir() else o for o in found.objects if o.location not in known]
    refusals = [
        replace(r, path=f"{name}/{r.path}") if path.is_dir() else r
        for r in found.refusals
        if not _within(path / (r.path or ""), root)
    ]
    images = [i for i in found.instances if i.location not in known]
    return replace(
        studies,
        objects=(*studies.objects, *objects),
        refusals=(*studies.refusals, *refusals, *([_images_beside(len(images), name)] if images else [])),
    )


def _beside(path: Path, leave_out: list[Path], config: Config) -> StudyList:
    """Images and objects of what ``--calipers`` gives; none of a folder that holds nothing but what is left out."""
    try:
        return load_studies(
            path, limits=config.limits, planes=config.planes, leave_out=leave_out, calipers=config.calipers
        )
    except InputError as error:
        if error.code == "no_input" and leave_out:
            return StudyList(studies=(), refusals=())
        raise


def _told(refusal: Refusal, given: str) -> Refusal:
    """Why a table was not read of a folder or zip that is ``given`` for its calipers.

    Raises
    ------
    TableError
        It lies in a zip, and holds calipers, or nobody knows what it holds.
    """
    name = (refusal.path or "").rpartition("/")[2]
    if refusal.code in (UNREAD_CALIPERS, UNREAD_TABLE):
        what = "of calipers" if refusal.code == UNREAD_CALIPERS else "that cannot be opened"
        raise TableError(
            f"The zip holds the table {name[:64]!r} {what}: calipers in a zip are read from DICOM objects alone.",
            remedy="Unpack it, and give the folder. If it holds no calipers, take it out.",
            code="table_in_zip",
            path=given,
        )
    if not is_unread_table(refusal):
        return refusal
    return replace(
        refusal,
        code="no_caliper_table",
        reason="This table is not recognised as calipers: it has not their columns, and no row of it is read.",
        remedy="Name its columns as 'lesion-measure help calipers' says, or take it out of what --calipers gives.",
    )


def _within(path: Path, root: Path) -> bool:
    return path.resolve().is_relative_to(root.resolve())


def holds_objects(path: Path) -> bool:
    """Whether a file is DICOM, or a zip that is no workbook."""
    try:
        with open_regular(path) as stream:
            start = stream.read(_PREFIX_AT + len(_PREFIX))
    except OSError:
        return False  # which the reader of tables says in its words
    return start[_PREFIX_AT:] == _PREFIX or (start[:2] == b"PK" and path.suffix.lower() == ".zip")


def _no_object(path: Path, found: StudyList) -> LesionMeasureError:
    why = next(iter(found.refusals), None)
    if why is not None and not list(found.instances):
        return InputError(why.reason, remedy=why.remedy, code=why.code, path=path.name)
    return InputError(
        "This is an ultrasound image, and no object that holds calipers.",
        remedy="Give it as INPUT, and a structured report, presentation state, segmentation or table here.",
        code="no_calipers",
        path=path.name,
    )


def _images_beside(count: int, name: str) -> Refusal:
    what = "An ultrasound image lies" if count == 1 else f"{count} ultrasound images lie"
    return Refusal(
        code="images_beside_calipers",
        reason=f"{what} in the folder of the calipers and not in the input: nothing is measured there.",
        remedy="Give the folder above both as INPUT.",
        path=name,
    )
