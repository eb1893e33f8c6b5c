"""DIMSE (PS3.7, PS3.4): C-ECHO, C-FIND, C-GET or C-MOVE, C-STORE. Objects go from file to file.

C-FIND takes every value as it is, and so tells whether a study is absent where a search by DICOMweb gave nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydicom import Dataset
from pynetdicom import build_role, evt
from pynetdicom.presentation import build_context

from lesion_measure.config.pacs import Node
from lesion_measure.dicom.elements import PARSER_ERRORS, integer, text, uid, whole_text
from lesion_measure.dicom.whole import Whole
from lesion_measure.errors import InputError, PacsError, WriteError
from lesion_measure.files.writing import remove, take_name
from lesion_measure.pacs.association import (
    FIND,
    GET,
    IMAGE_CLASSES,
    MOVE,
    OBJECT_CLASSES,
    VERIFICATION,
    Flood,
    associated,
    lost,
    received_as_files,
    storage_contexts,
    stored_uid,
)
from lesion_measure.pacs.found import FoundInstance, FoundStudy
from lesion_measure.pacs.query import Query, is_uid
from lesion_measure.pacs.receiver import Receiver
from lesion_measure.pacs.retry import Transient
from lesion_measure.pacs.sockets import Line
from lesion_measure.pacs.statuses import OTHER_OBJECT, OUT_OF_RESOURCES, SUCCESS

_PENDING = (0xFF00, 0xFF01)
_BUSY = (0xA700, 0xA701, 0xA702, 0x0110)  # out of resources, processing failure
_CHECKED = ("PatientID", "StudyInstanceUID")
_MOST_PENDING = 10_000
"""Times that a PACS may say 'not yet' of one object: for hours, at one a second."""
_MOST_CONTEXTS = 128  # PS3.8 9.3.2.2: odd numbers up to 255


class Dimse:
    """The DIMSE services of one PACS. Every method raises `Transient` or `PacsError` where the PACS fails."""

    def __init__(self, node: Node) -> None:
        assert node.dimse
        self._node = node
        self._move = node.dimse.retrieve == "move"

    def close(self) -> None:
        """Nothing is open between two calls."""

    def echo(self) -> None:
        """C-ECHO."""
        with associated(self._node, [build_context(VERIFICATION)]) as association:
            self._check(association.send_c_echo())

    def studies(self, query: Query) -> list[FoundStudy]:
        """Studies that fit; a server that matches without regard to case gives more, which are left out."""
        wanted = dict.fromkeys(("PatientID", "StudyDate", "StudyInstanceUID", "ModalitiesInStudy"), "")
        wanted |= {"NumberOfStudyRelatedInstances": "", **dict(query.filters)}
        found: dict[str, FoundStudy] = {}
        for entry in self._find("STUDY", wanted, self._node.bounds.studies):
            study_uid = uid(entry, "StudyInstanceUID")
            if not is_uid(study_uid) or any(text(entry, k) != v for k, v in query.filters if k in _CHECKED):
                continue
            found[study_uid] = FoundStudy(
                study_uid=study_uid, patient_id=text(entry, "PatientID"), date=text(entry, "StudyDate"),
                modalities=tuple(sorted(set(whole_text(entry, "ModalitiesInStudy").split()))),
                instances=integer(entry, "NumberOfStudyRelatedInstances"),
            )  # fmt: skip
        return list(found.values())

    def instances(self, study_uid: str) -> list[FoundInstance]:
        """Every object of a study, series by series."""
        most = self._node.bounds.instances
        found: dict[str, FoundInstance] = {}
        above = {"StudyInstanceUID": study_uid}
        for series in self._find("SERIES", {**above, "SeriesInstanceUID": "", "Modality": ""}, most):
            series_uid, modality = uid(series, "SeriesInstanceUID"), text(series, "Modality")
            if not is_uid(series_uid):
                continue
            wanted = {**above, "SeriesInstanceUID": series_uid, "SOPInstanceUID": "", "SOPClassUID": "",
                      "NumberOfFrames": ""}  # fmt: skip
            for entry in self._find("IMAGE", wanted, most - len(found)):
                sop_uid = uid(entry, "SOPInstanceUID")
                if is_uid(sop_uid):
                    found[sop_uid] = FoundInstance(
                        study_uid=study_uid, series_uid=series_uid, sop_uid=sop_uid, modality=modality,
                        sop_class_uid=uid(entry, "SOPClassUID"), frames=integer(entry, "NumberOfFrames"),
                    )  # fmt: skip
        return sorted(found.values())

    def holds(self, instance: FoundInstance) -> bool:
        """Whether the PACS has an object of this UID."""
        wanted = {"StudyInstanceUID": instance.study_uid, "SeriesInstanceUID": instance.series_uid,
                  "SOPInstanceUID": instance.sop_uid}  # fmt: skip
        return any(uid(entry, "SOPInstanceUID") == instance.sop_uid for entry in self._find("IMAGE", wanted, 10))

    def fetch(self, instance: FoundInstance, path: Path, syntax: str = "") -> None:
        """Write an object to ``path``, in the transfer syntax given, else as it is stored where the PACS can.

        Raises
        ------
        WriteError
            The file cannot be written.
        """
        remove(path)
        if self._move:
            self._fetch_by_move(instance, path)
        else:
            self._fetch_by_get(instance, path, syntax)
        if not path.is_file():
            raise Transient(
                PacsError(
                    f"The PACS '{self._node.name}' sends no object though it says so.",
                    remedy="It may not offer this class or transfer syntax.", code="pacs_incomplete",
                )
            )  # fmt: skip

    def store(self, path: Path, whole: Whole) -> None:
        """C-STORE of a file as it is, without loading it.

        Raises
        ------
        InputError
            The PACS does not take this object; code ``store_refused``.
        """
        context = build_context(whole.sop_class_uid, whole.transfer_syntax_uid)
        try:
            with associated(self._node, [context]) as association:
                status = association.send_c_store(path)
        except PacsError as error:
            if error.code != "pacs_not_offered":
                raise
            raise _refused("it takes no objects of this class in this transfer syntax") from error
        code = self._status(status)
        if code in _BUSY:
            raise Transient(_failed(self._node, code))
        if code != 0x0000 and not 0xB000 <= code <= 0xBFFF:
            raise _refused(f"status 0x{code:04X}")

    def _fetch_by_get(self, instance: FoundInstance, path: Path, syntax: str) -> None:
        classes = [instance.sop_class_uid] if instance.sop_class_uid else [*IMAGE_CLASSES, *OBJECT_CLASSES]
        contexts = [build_context(GET)]
        contexts += [each for name in classes for each in storage_contexts(name, (syntax,) if syntax else ())]
        flood = Flood(self._node.bounds.instance_bytes)

        wanted = _Wanted(instance.sop_uid, path)

        def keep(event: evt.Event) -> int:
            if stored_uid(event) != instance.sop_uid:
                remove(event.dataset_path)  # which pynetdicom leaves
                return OTHER_OBJECT
            flood.settled(event)
            return wanted.keep(event.dataset_path, instance.sop_uid)

        roles = [build_role(name, scp_role=True) for name in classes]
        handlers = [(evt.EVT_C_STORE, keep), *flood.handlers()]
        line = Line(self._node.patience.answer_s, self._node.bounds.instance_bytes)
        offered = contexts[:_MOST_CONTEXTS]
        with (
            wanted.or_why_not(),
            received_as_files(path.parent),
            associated(self._node, offered, roles=roles, handlers=handlers, line=line) as association,
        ):
            self._retrieved(association.send_c_get(_identifier("IMAGE", _where(instance)), GET))

    def _fetch_by_move(self, instance: FoundInstance, path: Path) -> None:
        wanted = _Wanted(instance.sop_uid, path)
        with (
            wanted.or_why_not(),
            Receiver(self._node, path.parent, wanted.keep) as receiver,
            associated(self._node, [build_context(MOVE)], line=receiver.line) as association,
        ):
            identifier = _identifier("IMAGE", _where(instance))
            self._retrieved(association.send_c_move(identifier, self._node.own.ae_title, MOVE))

    def _find(self, level: str, wanted: dict[str, str], most: int) -> list[Dataset]:
        found: list[Dataset] = []
        with associated(self._node, [build_context(FIND)]) as association:
            answers = association.send_c_find(_identifier(level, wanted), FIND)
            for count, (status, entry) in enumerate(answers):
                if self._check(status) and entry is not None:
                    found.append(entry)
                if count > most:  # those that cannot be read are counted, too, or there might be no end of them
                    raise PacsError(
                        f"The PACS '{self._node.name}' finds more than {most}.",
                        remedy="Ask for less, or raise the setting under 'bounds'.", code="pacs_too_many",
                    )  # fmt: skip
        return found

    def _retrieved(self, answers: Iterator[tuple[Dataset, Dataset | None]]) -> None:
        """Go through the answers to a retrieve of one object, which a PACS may give as often as it likes."""
        for count, (status, _) in enumerate(answers):
            self._check(status)
            if count > _MOST_PENDING:
                raise lost(self._node)

    def _check(self, status: Dataset) -> bool:
        """Whether more is to come.

        Raises
        ------
        Transient
            There is no answer, or the PACS is busy.
        PacsError
            It fails.
        """
        code = self._status(status)
        if code in _BUSY:
            raise Transient(_failed(self._node, code))
        if code not in (0x0000, *_PENDING):
            raise _failed(self._node, code)
        return code in _PENDING

    def _status(self, status: Dataset) -> int:
        try:
            return int(status.Status)
        except PARSER_ERRORS as error:  # an empty data set: nothing came back
            raise lost(self._node) from error


class _Wanted:
    """Takes the object that was asked for as a file of the name ``path``.

    What the disk says to that comes up in a thread of pynetdicom, which tells nobody.
    """

    def __init__(self, sop_uid: str, path: Path) -> None:
        self._sop_uid, self._path = sop_uid, path
        self._error: WriteError | None = None

    def keep(self, arrived: Path, sop_uid: str, calling: str = "") -> int:
        """As `receiver.Keep`."""
        if sop_uid != self._sop_uid:
            return OTHER_OBJECT
        try:
            take_name(arrived, self._path, "object")
        except WriteError as error:
            self._error = error
            return OUT_OF_RESOURCES
        return SUCCESS

    @contextmanager
    def or_why_not(self) -> Iterator[None]:
        """Raises WriteError where the disk did not take the file, whatever the PACS made of that."""
        try:
            yield
        except (PacsError, Transient) as error:
            if self._error is None:
                raise
            raise self._error from error
        if self._error is not None:
            raise self._error


def _identifier(level: str, wanted: dict[str, Any]) -> Dataset:
    identifier = Dataset()
    if not "".join(wanted.values()).isascii():
        identifier.SpecificCharacterSet = "ISO_IR 192"
    identifier.QueryRetrieveLevel = level
    for keyword, value in wanted.items():
        setattr(identifier, keyword, value or None)
    return identifier


def _where(instance: FoundInstance) -> dict[str, str]:
    return {
        "StudyInstanceUID": instance.study_uid,
        "SeriesInstanceUID": instance.series_uid,
        "SOPInstanceUID": instance.sop_uid,
    }


def _failed(node: Node, code: int) -> PacsError:
    return PacsError(
        f"The PACS '{node.name}' answers with status 0x{code:04X}.", remedy="Its log may say why.", code="pacs_answer"
    )


def _refused(why: str) -> InputError:
    return InputError(
        f"The PACS refuses the object: {why}.",
        remedy="Its conformance statement says what it stores.",
        code="store_refused",
    )
