"""The results folder: who may write there. A marker file says that a folder was made here.

Without it nothing in a folder is touched, with it only files of ours.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Set
from contextlib import contextmanager
from pathlib import Path

from lesion_measure.errors import OutputError
from lesion_measure.files.locks import LOCK, check_free, holding
from lesion_measure.files.writing import OWN_MARK, failing, make_folder, remove, write_bytes
from lesion_measure.image.outlines import SEGMENTATIONS, Outlines

FINISHED = "run.json"
MARKER = ".lesion_measure"
RESULT_FILES = (
    "report.html",
    "report.pdf",
    "measurements.csv",
    "lesions.csv",
    "changes.csv",
    "calipers.csv",
    "refusals.csv",
    "results.json",
    FINISHED,
)

MEASURED = "measured"
"""Where what each child comes to is kept (`job.kept`)."""
OBJECTS, OBJECT_MARKER = "dicom", ".lesion_measure_dicom"
OBJECT_FILES = re.compile(r"\.?([A-Za-z0-9_-]+\.(seg|sr)\.dcm|objects\.csv)(\.partial)?")
_MARKER_LINE = b"Results folder of lesion_measure; without this file its results are not overwritten.\n"
_OF_CHILDREN = {
    MEASURED: re.compile(rf"\.?[A-Za-z0-9.-]+\.jsonl{OWN_MARK}(\.partial)?"),
    "volumes": re.compile(rf"\.?[A-Za-z0-9._-]+\.lesion\.nrrd{OWN_MARK}(\.partial)?"),
}
"""Folders of files that were made of single children, beside their pages: the next run may take them as they are."""
_DERIVED = {
    "cohort": re.compile(r"\.?cohort(_[a-z]+)?\.(html|json|csv)(\.partial)?"),
    OBJECTS: OBJECT_FILES,
    "cdisc": re.compile(r"\.?([a-z0-9]{2,8}|define)\.(xpt|json|csv|html|xml|pdf)(\.partial)?"),
}
"""Folders that a run may leave, and the names of our files there: without the results they are stale."""


def check(out: Path, *, overwrite: bool) -> None:
    """What `opened` would refuse is refused, and nothing is touched: for before the input is read.

    Raises
    ------
    OutputError
        The folder holds a finished run, or files that are none of ours, or cannot be read, or another process holds it.
    """
    check_free(out)
    _check_contents(out, overwrite=overwrite)


def _check_contents(out: Path, *, overwrite: bool) -> None:
    with failing(out, "output folder"):
        if not _files(out):
            return
        if not is_ours(out):
            raise OutputError(
                "The output folder is not empty and holds no results of this program.",
                remedy="Choose another folder.",
                code="foreign_folder",
                path=str(out),
            )
        if (out / FINISHED).exists() and not overwrite:
            raise OutputError(
                "The output folder holds a finished run.",
                remedy="Choose another folder, or give --overwrite.",
                code="finished_run",
                path=str(out),
            )


def check_objects(out: Path) -> list[str]:
    """Names of the files that are there.

    Raises
    ------
    OutputError
        Some are none of ours, or the folder cannot be read.
    """
    folder = out / OBJECTS
    with failing(folder, "DICOM objects"):
        there = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    if there and not (folder / OBJECT_MARKER).is_file():
        raise OutputError(
            "The folder for DICOM objects is not empty and holds none of this program.",
            remedy="Move or remove it.",
            code="foreign_folder",
            path=str(folder),
        )
    return there


@contextmanager
def opened(out: Path, *, overwrite: bool, objects: bool = False, fresh: bool = False) -> Iterator[Outlines]:
    """Hold the results folder for a run, ready to be written to; yields the network's outlines that are kept in it.

    An unfinished run in it is gone on with, a finished one is kept unless ``overwrite``. Outlines stay in any case:
    their names say what they were made from. When the run is over, those that it did not use are removed. DICOM
    objects of an earlier run stay where this one makes some (``objects``), which name those that they replace.

    Raises
    ------
    OutputError
        The folder holds a finished run, or files that are none of ours, or cannot be made, or another process holds it.
    """
    check(out, overwrite=overwrite)
    with holding(out):
        _check_contents(out, overwrite=overwrite)  # once more, now that nobody else can finish a run in it
        prepare(out, objects=objects, fresh=fresh)
        outlines = Outlines(out)
        yield outlines
        outlines.remove_unused()


def prepare(out: Path, *, objects: bool = False, fresh: bool = False) -> None:
    """Make the results folder, and take the results of an earlier run out of it. `opened` has looked whether it may.

    What was made of single children and images stays, for those that are the same now, unless ``fresh``. DICOM objects
    stay where ``objects``.

    Raises
    ------
    OutputError
        The folder cannot be made or written to.
    """
    with failing(out, "output folder"):
        if _files(out):
            _clear(out, {OBJECTS} if objects else set())
            if fresh:
                keep_only(out, (), ())
    adopt(out)
    for folder in (SEGMENTATIONS, MEASURED):
        make_folder(out / folder)
    if fresh:
        Outlines(out).remove_unused()


def keep_only(out: Path, pages: Collection[str], files: Collection[str]) -> None:
    """Take out of a results folder what was made of children, but for these.

    Parameters
    ----------
    out
        The results folder.
    pages
        Names of the children (`report.rows.page_name`).
    files
        Paths of their other files, in the results folder.

    Raises
    ------
    OutputError
        A file cannot be removed.
    """
    from lesion_measure.report.child import clear_children  # which loads what draws pages

    kept = {*files, *(f"{MEASURED}/{page}.jsonl" for page in pages)}
    clear_children(out, pages)
    for name, ours in _OF_CHILDREN.items():
        _clear_derived(out / name, ours, kept)


def adopt(out: Path) -> None:
    """Make the results folder where there is none, with its marker; what is in it stays.

    Raises
    ------
    OutputError
        The folder holds files that are none of ours, or cannot be made.
    """
    _check_contents(out, overwrite=True)
    with failing(out, "output folder"):
        new = not _files(out)
    if new:
        make_folder(out)
        write_bytes(out / MARKER, _MARKER_LINE)


def _files(out: Path) -> bool:
    """Whether the folder is there and holds anything but a lock."""
    return out.exists() and any(entry.name != LOCK for entry in out.iterdir())


def is_ours(out: Path) -> bool:
    """Whether a folder is a results folder of this program."""
    marker = out / MARKER
    if not marker.is_file():
        return False
    with marker.open("rb") as stream:
        return stream.read(len(_MARKER_LINE) + 1) == _MARKER_LINE


def _clear(out: Path, kept: Set[str]) -> None:
    for name in RESULT_FILES:
        remove(out / name)
    for name, ours in _DERIVED.items():
        if name not in kept:
            _clear_derived(out / name, ours)


def _clear_derived(folder: Path, ours: re.Pattern[str], kept: Set[str] = frozenset()) -> None:
    """Take our files out of a folder but those that are kept, and the folder where nothing but its marker is left."""
    if not folder.is_dir() or folder.is_symlink():
        return
    for file in folder.iterdir():
        if ours.fullmatch(file.name) and not file.is_dir() and f"{folder.name}/{file.name}" not in kept:
            remove(file)
    if all(file.name.startswith(MARKER) for file in folder.iterdir()):
        remove(folder)
