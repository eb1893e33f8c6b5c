"""A node that receives studies, and hands each on to be measured once it is complete: quiet for some seconds.

::

    FOLDER/incoming/STUDY/SOP.dcm    what came, by its UIDs
    FOLDER/results/STUDY/            what was measured
    FOLDER/measured.jsonl            which objects of which study were measured, and how that ended

A study that gets a further object is measured anew. After a restart, what came and was not measured is; and so is what
was tried in vain, since the disk was full or a setting wrong.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lesion_measure.config.pacs import Node
from lesion_measure.dicom.whole import Whole, check_whole
from lesion_measure.errors import InputError, WriteError
from lesion_measure.files.writing import make_folder, take_name
from lesion_measure.pacs.content import content_sha256
from lesion_measure.pacs.folder import Folder, opened
from lesion_measure.pacs.journal import Journal
from lesion_measure.pacs.statuses import CANNOT_UNDERSTAND, DUPLICATE, OTHER_OBJECT, OUT_OF_RESOURCES, SUCCESS

INCOMING, RESULTS, JOURNAL = "incoming", "results", "measured.jsonl"
_LOOK_EVERY_S = 0.2
_FINAL = (0, 1, 3)
"""Exit codes of a run that say what is in the study. Others say why it could not be looked at (`cli.exits`)."""

Measure = Callable[[Path, Path], int]
"""``measure(study, results)`` returns the exit code of a run."""


@dataclass(frozen=True, slots=True)
class Due:
    """A complete study: its UID, its folder, where its results go, and a digest of which objects it has."""

    study_uid: str
    path: Path
    results: Path
    objects: str


class Inbox:
    """What came, and what of it is to be measured. `keep` is called from the threads of associations.

    Parameters
    ----------
    node
        Its bounds, and how long a study has to be quiet.
    incoming
        The folder of what came.
    root
        The folder above it.
    clock
        A test's to replace.
    """

    def __init__(self, node: Node, incoming: Folder, root: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._node = node
        self._incoming = incoming
        self._root = root
        self._clock = clock
        self._lock = threading.Lock()
        self._measured = Journal(root / JOURNAL, "study")
        self._tried: dict[str, str] = {}
        self._bytes = incoming.bytes()
        self._counts = {path.name: len(incoming.files(path.name)) for path in self._studies()}
        self._last = {study: clock() - node.listening.quiet_s for study in self._counts}

    def keep(self, arrived: Path, sop_uid: str, calling: str) -> int:
        """Take an object in, when it is whole, of the UID that was announced, and within the bounds."""
        try:
            whole = check_whole(arrived)
        except InputError:
            return CANNOT_UNDERSTAND
        if whole.sop_instance_uid != sop_uid:
            return OTHER_OBJECT
        study = whole.study_instance_uid
        with self._lock:
            place = self._incoming.place(study, sop_uid)
            if place.is_file():
                return SUCCESS if _same(arrived, whole, place) else DUPLICATE
            bounds = self._node.bounds
            full = (
                self._bytes + whole.size > bounds.total_bytes
                or self._counts.get(study, 0) >= bounds.instances
                or (study not in self._counts and len(self._counts) >= bounds.studies)
            )
            if full:
                return OUT_OF_RESOURCES
            try:
                make_folder(place.parent)
                take_name(arrived, place)
                # It is there, and counts, even where the disk takes no further line: whoever sends it again is told
                # that it is there.
                self._bytes += whole.size
                self._counts[study] = self._counts.get(study, 0) + 1
                self._last[study] = self._clock()
                self._incoming.note(whole)
            except WriteError:
                return OUT_OF_RESOURCES
        return SUCCESS

    def due(self) -> Iterator[Due]:
        """Studies that are complete and were not measured as they are."""
        with self._lock:
            now, quiet_s = self._clock(), self._node.listening.quiet_s
            quiet = [study for study, last in self._last.items() if now - last >= quiet_s]
        for study in sorted(quiet):
            objects = self._digest(study)
            if objects in (self._final(study), self._tried.get(study)):
                with self._lock:
                    if self._clock() - self._last[study] >= quiet_s:
                        self._last[study] = float("inf")  # until something comes
                continue
            yield Due(study, self._incoming.path / study, self._root / RESULTS / study, objects)

    def measured(self, due: Due, code: int) -> None:
        """Write down how measuring a study ended."""
        self._tried[due.study_uid] = due.objects
        self._measured.add({"study": due.study_uid, "objects": due.objects, "exit_code": code})

    def _final(self, study: str) -> str | None:
        """Which objects of a study need not be measured again; None where its run was killed or had no disk, say."""
        line = self._measured.lines.get(study, {})
        return line.get("objects") if line.get("exit_code") in _FINAL else None

    def _digest(self, study: str) -> str:
        names = "\n".join(file.name for file in self._incoming.files(study))
        return hashlib.sha256(names.encode()).hexdigest()

    def _studies(self) -> list[Path]:
        return [path for path in sorted(self._incoming.path.iterdir()) if path.is_dir()]


def _same(arrived: Path, whole: Whole, place: Path) -> bool:
    """Whether what came is what is there; a corrected object has a UID of its own."""
    return content_sha256(arrived, whole) == content_sha256(place, check_whole(place))


@contextmanager
def receiving(node: Node, root: Path) -> Iterator[Inbox]:
    """A node that listens, with what it has received before.

    Raises
    ------
    PacsError
        It cannot listen; code ``cannot_listen``.
    OutputError
        The folder is none of ours, or another process has it.
    """
    from lesion_measure.pacs.receiver import Receiver

    with opened(root / INCOMING) as incoming:
        inbox = Inbox(node, incoming, root)
        with Receiver(node, incoming.path, inbox.keep):
            yield inbox


def serve(inbox: Inbox, measure: Measure, told: Callable[[Due, int], None], *, until: Callable[[], bool]) -> None:
    """Measure each study that becomes complete, one after the other, until told to stop.

    Parameters
    ----------
    inbox
        What comes in meanwhile.
    measure
        Measures one study.
    told
        Told how each ended.
    until
        Asked between two looks whether to stop.
    """
    while not until():
        for due in inbox.due():
            code = measure(due.path, due.results)
            inbox.measured(due, code)
            told(due, code)
        time.sleep(_LOOK_EVERY_S)
