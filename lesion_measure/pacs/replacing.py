"""Results of ours that a corrected one replaces in a PACS: rejected by a note, or deleted. Nobody else's are touched.

What is replaced follows from the corrected report alone: the reports that it names as its predecessors, and the
segmentations that these list and it does not. Each is fetched, and has to say itself that this program made it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydicom import Dataset
from pydicom.uid import ComprehensiveSRStorage

from lesion_measure.config import Limits
from lesion_measure.config.pacs import Node
from lesion_measure.dicom.headers import read_header
from lesion_measure.dicom.objects.ours import is_ours
from lesion_measure.dicom.objects.segmentation.layout import STORAGE_CLASSES
from lesion_measure.dicom.objects.writing import Reference, Written, known_report, quietly, rejection_note
from lesion_measure.dicom.whole import check_whole
from lesion_measure.errors import ConfigError, PacsError
from lesion_measure.files.reading import open_regular
from lesion_measure.files.writing import write_bytes
from lesion_measure.pacs.found import FoundInstance
from lesion_measure.pacs.peer import Peer
from lesion_measure.pacs.push import store_compared

_STATED = (
    "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "PatientID", "PatientName",
    "PatientBirthDate", "PatientSex", "AccessionNumber", "StudyID", "StudyDate", "StudyTime", "ContentDate",
    "ContentTime",
)  # fmt: skip
"""What every object of ours states, and a note about it repeats."""


@dataclass(slots=True)
class Replaced:
    """Numbers of objects of earlier results that were deleted, and that a note rejects."""

    deleted: int = 0
    rejected: int = 0


def check_can_replace(node: Node, by: str | None) -> None:
    """Whether the settings say how to replace, before anything is sent.

    Raises
    ------
    ConfigError
        They do not, or deletion is asked for and DICOMweb is not the way taken (``by``).
    """
    if node.replacing.by is None:
        raise ConfigError(
            f"The settings of the PACS '{node.name}' do not say how results are replaced.",
            remedy="Give 'replacing.by': note or orthanc.", code="replacing",
        )  # fmt: skip
    if node.replacing.by == "orthanc" and by == "dimse":
        raise ConfigError("Orthanc deletes by HTTP alone.", remedy="Leave out --by.", code="replacing")


def replace_earlier(peer: Peer, stored: Iterable[Path], version: str) -> Replaced:
    """Replace what reports among ``stored`` replace, which the PACS holds by now, as ``replacing.by`` says.

    Parameters
    ----------
    peer
        The PACS.
    stored
        Files of objects that it holds.
    version
        This program's.

    Raises
    ------
    InputError
        It refuses a note.
    PacsError
        It fails, or does not delete. The same call goes on from there.
    """
    done = Replaced()
    reports = list(_reports(stored))
    kept = {each.instance for report in reports for each in (report.reference, *report.segmentations)}
    with tempfile.TemporaryDirectory(prefix="lesion_measure_") as folder:
        for report in reports:
            earlier = list(_Earlier(peer, Path(folder) / "earlier.dcm", report, kept).objects())
            if earlier and peer.node.replacing.by == "note":
                _reject(peer, [header for _, header in earlier], Path(folder), version, done)
            elif earlier:
                _delete(peer, [instance for instance, _ in earlier], done)
    return done


def _reports(stored: Iterable[Path]) -> Iterator[Written]:
    """The reports of ours among files."""
    for path in stored:
        if check_whole(path).sop_class_uid == ComprehensiveSRStorage and (report := _report(path)).ours:
            yield report


def _report(path: Path) -> Written:
    with open_regular(path) as stream:
        return known_report(stream, Limits().header_bytes)


@dataclass(frozen=True, slots=True)
class _Earlier:
    """What of the PACS one report replaces; ``path`` is a file to fetch to, ``kept`` are UIDs that stay."""

    peer: Peer
    path: Path
    report: Written
    kept: set[str]

    def objects(self) -> Iterator[tuple[FoundInstance, Dataset]]:
        """Each object with its header, outlines before their report: so a call that was stopped finds them again."""
        for reference in self.report.predecessors:
            header = self._ours(reference)
            if header is None or header.SOPClassUID != ComprehensiveSRStorage:
                continue
            for outline in _report(self.path).segmentations:
                of_outline = self._ours(outline)
                if of_outline is not None and of_outline.SOPClassUID in STORAGE_CLASSES:
                    yield _instance(outline), of_outline
            yield _instance(reference), header

    def _ours(self, reference: Reference) -> Dataset | None:
        """The header of an object of ours in the report's study; None where it is none, is not there, or stays."""
        instance = _instance(reference)
        same_study = reference.study == self.report.reference.study
        if reference.instance in self.kept or not same_study or not self.peer.holds(instance):
            return None
        self.peer.fetch(instance, self.path)
        with open_regular(self.path) as stream:
            header = read_header(stream, (), Limits().header_bytes).dataset
        return header if is_ours(header) and all(keyword in header for keyword in _STATED) else None


def _instance(reference: Reference) -> FoundInstance:
    return FoundInstance(
        study_uid=reference.study, series_uid=reference.series, sop_uid=reference.instance,
        sop_class_uid=reference.sop_class,
    )  # fmt: skip


def _reject(peer: Peer, headers: list[Dataset], folder: Path, version: str, done: Replaced) -> None:
    with quietly():
        note = rejection_note(headers, version)
    path = folder / "note.dcm"
    write_bytes(path, note.data, "rejection note")
    store_compared(peer, path, check_whole(path), folder / "given.dcm")
    done.rejected += len(headers)


def _delete(peer: Peer, instances: list[FoundInstance], done: Replaced) -> None:
    for instance in instances:
        peer.delete(instance)
        if peer.holds(instance):
            raise PacsError(
                f"The PACS '{peer.node.name}' still holds an object that it was to delete.",
                remedy="Its log may say why.", code="pacs_not_deleted",
            )  # fmt: skip
        done.deleted += 1
