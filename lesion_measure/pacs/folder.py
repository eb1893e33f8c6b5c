"""The folder of what was fetched: it is ours by its marker, and every name in it is a UID."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lesion_measure.dicom.whole import Whole, check_whole
from lesion_measure.errors import InputError, OutputError
from lesion_measure.files.locks import LOCK, holding
from lesion_measure.files.writing import failing, make_folder, remove, write_bytes
from lesion_measure.pacs.found import FoundInstance
from lesion_measure.pacs.journal import Journal
from lesion_measure.pacs.query import is_uid

MARKER = ".lesion_measure_pacs"
JOURNAL = "fetched.jsonl"
PARTIAL = ".partial"
_UNFINISHED = (f"*{PARTIAL}", f"*/*{PARTIAL}", "tmp*.dcm", "*/tmp*.dcm")
"""Those of a killed process: an object that comes in by DIMSE has the name of one of Python's temporary files."""
_LINE = b"Objects fetched from a PACS by lesion_measure; without this file nothing here is written.\n"


class Folder:
    """Studies as folders, objects as files in them: ``STUDY/SOP.dcm``, both UIDs.

    Attributes
    ----------
    path
        The folder.
    journal
        A line for each object that is there whole, by its ``sop``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.journal = Journal(path / JOURNAL, "sop")

    def place(self, study_uid: str, sop_uid: str) -> Path:
        """Where an object lies; its UIDs are checked once more, here where they become names."""
        if not (is_uid(study_uid) and is_uid(sop_uid)):
            raise InputError("A UID of the PACS is no UID.", code="no_uid")
        return self.path / study_uid / f"{sop_uid}.dcm"

    def holds(self, instance: FoundInstance) -> bool:
        """Whether an object is there whole: as the journal says, or after a look where it was killed before a line."""
        path = self.place(instance.study_uid, instance.sop_uid)
        if not path.is_file():
            return False
        line = self.journal.lines.get(instance.sop_uid)
        if line is not None and line.get("size") == path.stat().st_size:
            return True
        try:
            self.note(check_whole(path))
        except InputError:
            return False
        return True

    def note(self, whole: Whole) -> None:
        """Write down that an object is there."""
        line = {"study": whole.study_instance_uid, "sop": whole.sop_instance_uid, "size": whole.size}
        self.journal.add(line)

    def files(self, study_uid: str) -> list[Path]:
        """The objects of a study that are there."""
        return sorted((self.path / study_uid).glob("*.dcm"))

    def bytes(self) -> int:
        """What all objects take."""
        return sum(file.stat().st_size for file in self.path.glob("*/*") if file.is_file())


@contextmanager
def opened(path: Path) -> Iterator[Folder]:
    """Hold the folder against other processes; what a killed one left unfinished is removed.

    Raises
    ------
    OutputError
        The folder holds files that are none of ours (code ``foreign_folder``), or another process holds it.
    """
    make_folder(path)
    with holding(path):
        with failing(path, "folder"):
            others = [entry.name for entry in path.iterdir() if entry.name != LOCK]
            if others and not _is_ours(path):
                raise OutputError(
                    "The folder is not empty and holds nothing that was fetched from a PACS.",
                    remedy="Choose another folder.", code="foreign_folder", path=str(path),
                )  # fmt: skip
            if not others:
                write_bytes(path / MARKER, _LINE)
            for left in (file for name in _UNFINISHED for file in path.glob(name)):
                remove(left)
        yield Folder(path)


def notes_of(path: Path) -> list[Path]:
    """What lies in such a folder beside the objects; empty for any other folder."""
    return [path / MARKER, path / JOURNAL] if _is_ours(path) else []


def _is_ours(path: Path) -> bool:
    marker = path / MARKER
    return marker.is_file() and marker.read_bytes()[: len(_LINE)] == _LINE
