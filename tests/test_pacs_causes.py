"""What an error of DIMSE is told of: the network of the network, the files of 'tls' of them, the disk of the disk."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest
from pydicom import dcmread
from pynetdicom import AE, evt

from lesion_measure.config.pacs import Node
from lesion_measure.dicom.whole import Whole, check_whole
from lesion_measure.errors import PacsError, WriteError
from lesion_measure.pacs.association import GET
from lesion_measure.pacs.dimse import Dimse
from lesion_measure.pacs.peer import of_file
from lesion_measure.pacs.receiver import Receiver
from lesion_measure.pacs.retry import Transient
from pacs_objects import node, study


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """One object."""
    return next(study(tmp_path, "CAUSES", count=1).rglob("*.dcm"))


@pytest.fixture
def whole(file: Path) -> Whole:
    """What it says of itself."""
    return check_whole(file)


ASKED: list[Callable[[Dimse, Whole, Path], object]] = [
    lambda way, _whole, _path: way.echo(),
    lambda way, whole, path: way.fetch(of_file(whole), path),
]


@pytest.mark.parametrize("ask", ASKED)
def test_a_name_that_no_computer_has_is_told_of_the_network(
    ask: Callable[[Dimse, Whole, Path], object], whole: Whole, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object, **_more: object) -> NoReturn:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    way = Dimse(node(dicomweb=None, dimse={"host": "pacs.hospital"}))
    with pytest.raises(Transient) as caught:
        ask(way, whole, tmp_path / "object.dcm")
    assert caught.value.error.code == "pacs_unreachable"


@pytest.mark.parametrize("ask", ASKED)
def test_what_is_no_certificate_is_told_of_its_file(
    ask: Callable[[Dimse, Whole, Path], object], whole: Whole, tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").write_text("no certificate\n")
    way = Dimse(node(dicomweb=None, dimse={"tls": True}, tls={"ca_file": str(tmp_path / "ca.pem")}))
    with pytest.raises(PacsError, match=r"The files of 'tls' .* cannot be used \(no certificate or crl found\)"):
        ask(way, whole, tmp_path / "object.dcm")


def test_our_own_nodes_key_is_told_of_its_file(tmp_path: Path) -> None:
    for name in ("c.pem", "k.pem"):
        (tmp_path / name).write_text("nothing\n")
    files = {"certificate_file": str(tmp_path / "c.pem"), "key_file": str(tmp_path / "k.pem")}
    own = node(dicomweb=None, own={"tls": True}, tls=files)
    with pytest.raises(PacsError) as caught, Receiver(own, tmp_path, lambda *_: 0):
        pass
    assert caught.value.code == "pacs_tls"


def test_a_disk_that_does_not_take_an_object_is_told_of_the_disk(
    file: Path, whole: Whole, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C-GET: the object comes by a thread of pynetdicom, and the PACS is told that there is no room."""

    def full(arrived: Path, path: Path, what: str = "file") -> NoReturn:
        raise WriteError("The object cannot be written: the disk is full.", code="disk_full", path=str(path))

    monkeypatch.setattr("lesion_measure.pacs.dimse.take_name", full)
    (tmp_path / "fetched").mkdir()
    with _sending(file, whole) as where, pytest.raises(WriteError) as caught:
        Dimse(where).fetch(of_file(whole), tmp_path / "fetched" / "object.dcm", whole.transfer_syntax_uid)
    assert caught.value.code == "disk_full"


def test_an_error_of_the_pacs_has_another_cause_than_itself(whole: Whole, tmp_path: Path) -> None:
    """Whoever looks for the cause of a cause would have no end of it."""
    way = Dimse(node(dicomweb=None, dimse={"port": 1}))
    with pytest.raises(Transient) as caught:
        way.fetch(of_file(whole), tmp_path / "object.dcm", whole.transfer_syntax_uid)
    assert caught.value.__cause__ is not caught.value


@contextmanager
def _sending(file: Path, whole: Whole) -> Iterator[Node]:
    """A PACS that gives this object by C-GET."""

    def give(_event: evt.Event) -> Iterator[Any]:
        yield 1
        yield 0xFF00, dcmread(file)

    own = AE(ae_title="ORTHANC")
    own.add_supported_context(GET)
    own.add_supported_context(whole.sop_class_uid, whole.transfer_syntax_uid, scp_role=True, scu_role=False)
    door: Any = own.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_GET, give)])
    try:
        yield node(dicomweb=None, dimse={"port": door.server_address[1]})
    finally:
        door.shutdown()
