"""Files to a PACS. What it holds afterwards is fetched and compared; what it holds already is not sent again."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lesion_measure.config import Limits
from lesion_measure.dicom.whole import Whole, check_whole
from lesion_measure.errors import InputError, PacsError
from lesion_measure.files.archive import Archives
from lesion_measure.files.walk import walk
from lesion_measure.files.writing import remove
from lesion_measure.pacs.content import content_sha256, differences
from lesion_measure.pacs.journal import Journal
from lesion_measure.pacs.peer import Peer, of_file
from lesion_measure.pacs.pull import GIVEN_UP, Track
from lesion_measure.records import Refusal

_DICOMDIR = "1.2.840.10008.1.3.10"
_MOST_IN_A_ROW = 3


@dataclass(slots=True)
class Pushed:
    """What came of it: ``kept`` are the files that the PACS holds now.

    ``coerced`` counts objects that the PACS filed with other patient or order data.
    """

    stored: int = 0
    there: int = 0
    no_dicom: int = 0
    coerced: int = 0
    committed: int | None = None
    kept: list[Path] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    shown: str
    whole: Whole
    sha256: str


def push(
    peer: Peer, paths: Iterable[Path], *, journal: Path | None = None, track: Track = lambda what, done, total: None
) -> Pushed:
    """Store files, and the DICOM files of folders, in a PACS.

    Parameters
    ----------
    peer
        The PACS.
    paths
        Files and folders.
    journal
        A file that remembers what was stored and compared, so that a later call does not compare it again.
    track
        Told of progress.

    Raises
    ------
    PacsError
        The PACS cannot be reached, refuses us, or fails three times in a row. The same call goes on from there.
    """
    done = Pushed()
    files = _files(paths, done)
    known = None if journal is None else Journal(journal, "sop")
    kept: list[Whole] = []
    failed = 0
    with tempfile.TemporaryDirectory(prefix="lesion_measure_") as folder:
        for number, file in enumerate(files, 1):
            try:
                if not _is_known(known, peer, file):
                    _store(peer, file, Path(folder) / "given.dcm", done)
                    _remember(known, peer, file)
                else:
                    done.there += 1
                kept.append(file.whole)
                done.kept.append(file.path)
                failed = 0
            except (InputError, PacsError) as error:
                failed += isinstance(error, PacsError)
                if error.code in GIVEN_UP or failed == _MOST_IN_A_ROW:
                    raise
                done.refusals.append(_refusal(error, file.shown))
            track("storing", number, len(files))
    if peer.node.dimse and peer.node.dimse.commitment and kept:
        _commit(peer, kept, done)
    return done


def _store(peer: Peer, file: _File, given: Path, done: Pushed) -> None:
    new, coerced = store_compared(peer, file.path, file.whole, given)
    done.coerced += coerced
    done.stored += new
    done.there += not new


def store_compared(peer: Peer, path: Path, whole: Whole, given: Path) -> tuple[bool, bool]:
    """Store one object unless it is there, then compare what the PACS gives back.

    Parameters
    ----------
    peer, path, whole
        The PACS, the file, and what it says of itself.
    given
        A file to fetch to.

    Returns
    -------
    tuple
        Whether it was not there, and whether the PACS filed it with other patient or order data.

    Raises
    ------
    InputError
        The PACS has another object of that UID (code ``other_content``), or refuses this one.
    PacsError
        It fails, or gives nothing back.
    """
    instance = of_file(whole)
    new = not peer.holds(instance)
    if new:
        peer.store(path, whole)
    of_given = peer.fetch(instance, given, whole.transfer_syntax_uid)
    other, coerced = differences(path, given, whole, of_given)
    remove(given)
    if other:
        raise InputError(
            f"The PACS holds another object of this UID, and keeps it; they differ in {_listed(other)}.",
            remedy="A corrected object needs a UID of its own.", code="other_content",
        )  # fmt: skip
    return new, bool(coerced)


def _files(paths: Iterable[Path], done: Pushed) -> list[_File]:
    """The DICOM files, each object once; what is none is counted, what cannot be sent is refused."""
    found: dict[str, _File] = {}
    for path, shown in _walked(paths, done):
        try:
            whole = check_whole(path)
        except InputError as error:
            if error.code in ("not_dicom", "no_file_meta") and not _looks_like_dicom(path):
                done.no_dicom += 1
            else:
                done.refusals.append(_refusal(error, shown))
            continue
        if whole.sop_class_uid == _DICOMDIR:
            done.no_dicom += 1
            continue
        file = _File(path, shown, whole, content_sha256(path, whole))
        twin = found.setdefault(whole.sop_instance_uid, file)
        if twin.sha256 != file.sha256:
            twins = InputError(
                f"It has the UID of {twin.shown}, and other content.",
                remedy="Send one of them; a corrected object needs a UID of its own.", code="duplicate_uid",
            )  # fmt: skip
            done.refusals.append(_refusal(twins, shown))
    return sorted(found.values(), key=lambda file: file.shown)


def _walked(paths: Iterable[Path], done: Pushed) -> Iterator[tuple[Path, str]]:
    with Archives(Limits()) as archives:
        for path in paths:
            for found in walk(path, archives):
                if isinstance(found, Refusal):
                    done.refusals.append(found)
                elif found.location.members:
                    error = InputError("It lies in a zip.", remedy="Unpack the zip.", code="in_archive")
                    done.refusals.append(_refusal(error, found.path))
                else:
                    yield found.location.file, found.path


def _looks_like_dicom(path: Path) -> bool:
    """Whether a file without file meta information begins with an element of group 0002 or 0008."""
    with path.open("rb") as stream:
        return stream.read(4)[:4] in (
            b"\x02\x00\x00\x00",
            b"\x08\x00\x05\x00",
            b"\x08\x00\x08\x00",
            b"\x08\x00\x16\x00",
        )


def _is_known(known: Journal | None, peer: Peer, file: _File) -> bool:
    line = known.lines.get(file.whole.sop_instance_uid, {}) if known else {}
    return line.get("sha256") == file.sha256 and line.get("pacs") == peer.node.name


def _remember(known: Journal | None, peer: Peer, file: _File) -> None:
    if known:
        known.add({"sop": file.whole.sop_instance_uid, "sha256": file.sha256, "pacs": peer.node.name})


def _commit(peer: Peer, kept: list[Whole], done: Pushed) -> None:
    answered = peer.commit(kept)
    done.committed = len([one for one in kept if one.sop_instance_uid in answered])
    for one in kept:
        if one.sop_instance_uid not in answered:
            error = InputError(
                "The PACS does not answer for this object (storage commitment).",
                remedy="Push it again.", code="not_committed",
            )  # fmt: skip
            done.refusals.append(_refusal(error, f"{one.study_instance_uid}/{one.sop_instance_uid}"))


def _refusal(error: InputError | PacsError, shown: str) -> Refusal:
    return Refusal(code=error.code, reason=error.reason, remedy=error.remedy, path=shown)


def _listed(keywords: list[str]) -> str:
    return ", ".join(keywords[:5]) + (" and more" if len(keywords) > 5 else "")
