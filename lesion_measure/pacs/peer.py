"""One PACS by whichever way it has: DICOMweb first, DIMSE where there is no other or where DICOMweb cannot tell.

What is fetched is checked to its last byte; what cannot be had now is tried again within bounds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lesion_measure.config.pacs import Node
from lesion_measure.dicom.whole import Whole, check_whole
from lesion_measure.errors import ConfigError, InputError, PacsError
from lesion_measure.pacs.extra import check_installed
from lesion_measure.pacs.found import FoundInstance, FoundStudy
from lesion_measure.pacs.query import Query
from lesion_measure.pacs.retry import Retry, Transient

if TYPE_CHECKING:
    from lesion_measure.pacs.dimse import Dimse
    from lesion_measure.pacs.web import Web


@dataclass(frozen=True, slots=True)
class Answer:
    """The studies that were found, and what a person should know of how."""

    studies: tuple[FoundStudy, ...]
    notes: tuple[str, ...] = ()


@contextmanager
def spoken_to(node: Node, by: str | None = None, retry: Retry | None = None) -> Iterator[Peer]:
    """A PACS, ready to be asked.

    Parameters
    ----------
    node
        Where it is.
    by
        The one way to take, ``"dicomweb"`` or ``"dimse"``; None: both that it has.
    retry
        What is tried again; as ``node.patience`` says where None.

    Raises
    ------
    ConfigError
        The extra is not installed, the token is not set, or the PACS has no such way.
    """
    check_installed()
    if by is not None and getattr(node, by) is None:
        raise ConfigError(f"The PACS '{node.name}' has no '{by}' in its settings.", code="no_such_way")
    from lesion_measure.pacs.dimse import Dimse
    from lesion_measure.pacs.web import Web

    web = Web(node) if node.dicomweb and by != "dimse" else None
    dimse = Dimse(node) if node.dimse and by != "dicomweb" else None
    try:
        yield Peer(node, web, dimse, retry or Retry(node.patience))
    finally:
        if web:
            web.close()


class Peer:
    """One PACS; `spoken_to` makes it. Every method raises `PacsError` where the PACS fails."""

    def __init__(self, node: Node, web: Web | None, dimse: Dimse | None, retry: Retry) -> None:
        self.node = node
        self._web = web
        self._dimse = dimse
        self._retry = retry

    def echo(self) -> dict[str, PacsError | None]:
        """Each way that it has, and what is wrong with it."""
        ways: dict[str, Callable[[], None]] = {}
        if self._web:
            ways["DICOMweb"] = self._web.echo
        if self._dimse:
            ways["DIMSE"] = self._dimse.echo
        found: dict[str, PacsError | None] = {}
        for name, ask in ways.items():
            try:
                self._retry(ask)
            except PacsError as error:
                found[name] = error
            else:
                found[name] = None
        return found

    def find(self, query: Query) -> Answer:
        """Studies that fit. An empty answer by DICOMweb is no proof of absence: C-FIND is asked then, where it can be.

        Raises
        ------
        ConfigError
            A value would be encoded on its way, which servers differ in, and there is no DIMSE; code ``needs_dimse``.
        """
        web, dimse = self._web, self._dimse
        if web and query.encoded and not dimse:
            raise ConfigError(
                f"The value of {', '.join(query.encoded)} has characters that not every DICOMweb server takes.",
                remedy="Ask by PatientID, UID or date in plain letters and digits, or give 'dimse' in the settings.",
                code="needs_dimse",
            )
        if web and not query.encoded:
            found = self._retry(lambda: web.studies(query))
            if found:
                return Answer(tuple(found))
            if not dimse:
                note = "DICOMweb found nothing. That is no proof that nothing is there; C-FIND ('dimse') could tell."
                return Answer((), (note,))
        assert dimse
        found = self._retry(lambda: dimse.studies(query))
        late = web and not query.encoded and found
        return Answer(tuple(found), ("DICOMweb found nothing, and C-FIND did.",) if late else ())

    def instances(self, study: FoundStudy) -> list[FoundInstance]:
        """Every object of a study.

        Raises
        ------
        PacsError
            The list has fewer than the PACS states, by every way; code ``pacs_incomplete``.
        """
        most: list[FoundInstance] = []
        for way in (self._web, self._dimse):
            if way is None:
                continue
            listed = self._retry(lambda way=way: way.instances(study.study_uid))  # type: ignore[misc]
            most = max(most, listed, key=len)
            if most and len(most) >= (study.instances or 0):
                return most
        raise PacsError(
            f"The PACS '{self.node.name}' lists {len(most)} objects of study {study.study_uid}, and states "
            f"{study.instances if study.instances is not None else 'no number'}.",
            remedy="Give the same command again when the study is complete.", code="pacs_incomplete",
        )  # fmt: skip

    def holds(self, instance: FoundInstance) -> bool:
        """Whether the PACS has an object of this UID, by its study's UID, too."""
        if self._web:
            web = self._web
            if self._retry(lambda: web.holds(instance)):
                return True
        if self._dimse:
            dimse = self._dimse
            return self._retry(lambda: dimse.holds(instance))
        return False

    def fetch(self, instance: FoundInstance, path: Path, syntax: str = "") -> Whole:
        """Write an object to ``path``, and check that it is whole and the one asked for.

        Parameters
        ----------
        instance
            Which.
        path
            A file in a folder that takes temporary ones, too.
        syntax
            The transfer syntax to ask DIMSE for; DICOMweb is asked for the stored one in any case.

        Raises
        ------
        WriteError
            The file cannot be written.
        """

        def once() -> Whole:
            if self._web:
                self._web.fetch(instance, path)
            else:
                assert self._dimse
                self._dimse.fetch(instance, path, syntax)
            return _checked(instance, path)

        return self._retry(once)

    def store(self, path: Path, whole: Whole) -> None:
        """Send a file. What the PACS then holds is for `fetch` to say.

        Raises
        ------
        InputError
            The PACS refuses this object; code ``store_refused``.
        """
        if self._web:
            web = self._web
            self._retry(lambda: web.store(path, whole.study_instance_uid))
        else:
            assert self._dimse
            dimse = self._dimse
            self._retry(lambda: dimse.store(path, whole))

    def delete(self, instance: FoundInstance) -> None:
        """Delete an object. Whether the PACS still holds it is for `holds` to say.

        Raises
        ------
        ConfigError
            The settings do not say how, or the way that does is not the one taken; code ``no_such_way``.
        """
        web = self._web
        if web is None or self.node.replacing.by != "orthanc":
            raise ConfigError(f"The settings of the PACS '{self.node.name}' do not let us delete.", code="no_such_way")
        self._retry(lambda: web.delete(instance))

    def commit(self, objects: list[Whole]) -> set[str]:
        """The SOP Instance UIDs among these that the PACS answers for (storage commitment)."""
        from lesion_measure.pacs.commitment import committed

        return self._retry(lambda: committed(self.node, objects))


def of_file(whole: Whole) -> FoundInstance:
    """A file's object, as a search would give it."""
    return FoundInstance(
        study_uid=whole.study_instance_uid, series_uid=whole.series_instance_uid, sop_uid=whole.sop_instance_uid,
        modality=whole.modality, sop_class_uid=whole.sop_class_uid,
    )  # fmt: skip


def _checked(instance: FoundInstance, path: Path) -> Whole:
    """What was fetched, when it is whole and what was asked for; else to be tried again."""
    try:
        whole = check_whole(path)
    except InputError as error:
        told = PacsError(error.reason, remedy=error.remedy, code="pacs_incomplete")
        raise Transient(told) from error
    if replace(of_file(whole), modality="", sop_class_uid="") != replace(
        instance, modality="", sop_class_uid="", frames=None
    ):
        told = PacsError("The PACS gave another object than was asked for.", code="pacs_other_object")
        raise Transient(told)
    return whole
