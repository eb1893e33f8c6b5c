"""Studies of a PACS into a folder. What is there whole is not fetched again, whenever the work was stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from lesion_measure.errors import InputError, PacsError
from lesion_measure.files.writing import make_folder, remove, take_name
from lesion_measure.pacs.folder import PARTIAL, Folder, opened
from lesion_measure.pacs.found import FoundInstance, FoundStudy
from lesion_measure.pacs.peer import Peer
from lesion_measure.records import Refusal

MODALITIES = frozenset(("US", "SC", "OT", "SR", "PR", "SEG", ""))
"""Images that are read, and objects that may hold calipers on them; empty where a PACS states none."""
GIVEN_UP = frozenset(("pacs_unreachable", "pacs_refused", "pacs_tls", "pacs_redirect"))
"""Failures that concern the PACS, and not one object: the work ends there."""
_MOST_IN_A_ROW = 3

Track = Callable[[str, int, int], None]


@dataclass(slots=True)
class Pulled:
    """What came of it. ``stale`` are files here whose objects the PACS lists no more, relative to the folder."""

    studies: int = 0
    fetched: int = 0
    there: int = 0
    left_out: int = 0
    stale: list[str] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)


def pull(
    peer: Peer,
    studies: Iterable[FoundStudy],
    out: Path,
    *,
    modalities: frozenset[str] | None = MODALITIES,
    mirror: bool = False,
    track: Track = lambda what, done, total: None,
) -> Pulled:
    """Fetch the objects of studies into a folder.

    Parameters
    ----------
    peer
        The PACS.
    studies
        Those to fetch.
    out
        The folder; made where it is not there.
    modalities
        Those of the series to fetch; None: all.
    mirror
        Remove what the PACS lists no more, other studies too, so that the folder is the answer to one query.
    track
        Told of progress.

    Raises
    ------
    PacsError
        The PACS cannot be reached, refuses us, or fails three times in a row. What is there stays.
    OutputError
        The folder is none of ours, or cannot be written to.
    """
    with opened(out) as folder:
        done = Pulled()
        wanted: dict[str, list[FoundInstance]] = {}
        for study in studies:
            listed = peer.instances(study)
            wanted[study.study_uid] = [one for one in listed if modalities is None or one.modality in modalities]
            done.left_out += len(listed) - len(wanted[study.study_uid])
        done.studies = len(wanted)
        _fetch_all(peer, folder, [one for each in wanted.values() for one in each], done, track)
        done.stale = _stale(folder, wanted, mirror)
        return done


def _fetch_all(peer: Peer, folder: Folder, wanted: list[FoundInstance], done: Pulled, track: Track) -> None:
    taken, failed = folder.bytes(), 0
    for number, instance in enumerate(wanted, 1):
        if folder.holds(instance):
            done.there += 1
        else:
            try:
                taken += _fetch(peer, folder, instance, taken)
                done.fetched += 1
                failed = 0
            except (InputError, PacsError) as error:
                failed += 1
                if error.code in GIVEN_UP or failed == _MOST_IN_A_ROW:
                    raise
                where = f"{instance.study_uid}/{instance.sop_uid}.dcm"
                done.refusals.append(Refusal(code=error.code, reason=error.reason, remedy=error.remedy, path=where))
        track("fetching", number, len(wanted))


def _fetch(peer: Peer, folder: Folder, instance: FoundInstance, taken: int) -> int:
    """Fetch one object; returns its bytes."""
    most = peer.node.bounds.total_bytes
    if taken >= most:
        raise PacsError(
            f"The folder holds {most} bytes, which is all that it may.",
            remedy="Raise 'bounds.total_bytes', or choose another folder.", code="pacs_too_large",
        )  # fmt: skip
    place = folder.place(instance.study_uid, instance.sop_uid)
    make_folder(place.parent)
    partial = place.with_name(f"{instance.sop_uid}{PARTIAL}")
    try:
        whole = peer.fetch(instance, partial)
        take_name(partial, place, "object")
    finally:
        remove(partial)
    folder.note(whole)
    return whole.size


def _stale(folder: Folder, wanted: dict[str, list[FoundInstance]], mirror: bool) -> list[str]:
    """Files of what the PACS lists no more: of the studies asked for, or of all where the folder is a mirror."""
    current = {folder.place(one.study_uid, one.sop_uid) for each in wanted.values() for one in each}
    studies = {file.parent.name for file in folder.path.glob("*/*.dcm")} if mirror else set(wanted)
    stale = [file for study in sorted(studies) for file in folder.files(study) if file not in current]
    if mirror:
        for file in stale:
            remove(file)
    return [f"{file.parent.name}/{file.name}" for file in stale]
