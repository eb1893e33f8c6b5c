"""Peers that stop in the middle, say little, or say too much: each wait ends, and nobody else has to wait."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from queue import SimpleQueue
from types import SimpleNamespace
from typing import Any

import pytest
from pydicom import Dataset, dcmread
from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.presentation import build_context

from lesion_measure.config.pacs import Node
from lesion_measure.dicom.whole import check_whole
from lesion_measure.errors import PacsError
from lesion_measure.pacs import association, dimse
from lesion_measure.pacs.association import GET, storage_contexts
from lesion_measure.pacs.dimse import Dimse
from lesion_measure.pacs.found import FoundInstance
from lesion_measure.pacs.peer import of_file
from lesion_measure.pacs.query import parse
from lesion_measure.pacs.receiver import listening
from lesion_measure.pacs.retry import Transient
from lesion_measure.pacs.sockets import Line
from pacs_objects import node, study

SHORT_S = 0.3
VERIFICATION = "1.2.840.10008.1.1"


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def to(port: int, answer_s: float = SHORT_S, **more: Any) -> Node:
    """Settings of a PACS that is asked once, with next to no patience."""
    patience = {"connect_s": SHORT_S, "answer_s": answer_s, "attempts": 1}
    return node(dicomweb=None, dimse={"port": port}, patience=patience, **more)


@contextmanager
def peer(answer: bytes, again: bytes = b"") -> Iterator[int]:
    """A port that takes one association request, says ``answer`` and then ``again`` and again, and never closes."""
    with socket.create_server(("127.0.0.1", 0)) as door:

        def talk() -> None:
            there, _ = door.accept()
            with there:
                there.recv(1 << 16)
                there.sendall(answer)
                while not over.wait(SHORT_S / 10):
                    try:
                        there.sendall(again)
                    except OSError:
                        return

        over = threading.Event()
        thread = threading.Thread(target=talk)
        thread.start()
        try:
            yield door.getsockname()[1]
        finally:
            over.set()
            thread.join()


def threads_of_pynetdicom() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if type(one).__module__.startswith("pynetdicom")]


@pytest.mark.parametrize(
    ("answer", "again"),
    [
        (b"", b""),
        (b"\x02\x00\x00", b""),  # the head of a PDU, which an A-ASSOCIATE-AC begins with, and no more
        (b"\x02\x00\x00\x00\x10\x00", b"\x00"),  # a PDU of which a byte comes now and then
        (b"\x02\x00\xff\xff\xff\xff" + bytes(1 << 16), b""),  # one of 4 GB, which would lie in memory
    ],
    ids=["silent", "half", "dripping", "huge"],
)  # fmt: skip
def test_a_pacs_that_does_not_go_on_is_given_up(answer: bytes, again: bytes) -> None:
    with peer(answer, again) as port, pytest.raises(Transient) as error:
        Dimse(to(port)).echo()
    assert error.value.error.code == "pacs_unreachable"
    assert not threads_of_pynetdicom()  # one that waits would keep the program from its end


def _echoed(own: Node) -> bool:
    entity = AE(ae_title="SENDER")
    entity.acse_timeout = 5
    sender = entity.associate(
        "127.0.0.1", own.own.port, contexts=[build_context(VERIFICATION)], ae_title=own.own.ae_title
    )
    taken = bool(sender.is_established)
    if taken:
        sender.release()
    return taken


def test_senders_that_vanish_do_not_keep_others_out() -> None:
    """Each sends the beginning of a PDU; no RST comes from a machine without power."""
    own = to(104, own={"port": free_port()}, listening={"associations": 2})
    with listening(own, [], storage=True, line=Line(SHORT_S, 1 << 20)):
        vanished = [socket.create_connection(("127.0.0.1", own.own.port)) for _ in range(2)]
        for one in vanished:
            one.sendall(b"\x01\x00\x00")
        until = time.monotonic() + 20
        while not _echoed(own):
            assert time.monotonic() < until
        for one in vanished:
            one.close()
    assert not threads_of_pynetdicom()


def test_those_who_only_try_the_door_do_not_keep_others_out() -> None:
    """A check of the port connects and says nothing; its place is free before an answer's time is over."""
    own = to(104, 30, own={"port": free_port()}, listening={"associations": 1})
    with listening(own, [], storage=True, line=Line(30, 1 << 20)):
        for _ in range(3):
            socket.create_connection(("127.0.0.1", own.own.port)).close()
        until = time.monotonic() + 20
        while not _echoed(own):
            assert time.monotonic() < until


def test_nothing_comes_in_after_our_node_is_left() -> None:
    own = to(104, 30, own={"port": free_port()})
    entity = AE(ae_title="SENDER")
    closed = threading.Event()
    with listening(own, [], storage=True, line=Line(30, 1 << 20)):
        sender = entity.associate(
            "127.0.0.1", own.own.port, contexts=[build_context(VERIFICATION)], ae_title=own.own.ae_title,
            evt_handlers=[(evt.EVT_CONN_CLOSE, lambda _: closed.set())],
        )  # fmt: skip
        assert sender.is_established
    assert closed.wait(5)
    assert not [one for one in threads_of_pynetdicom() if isinstance(one, Association) and one.is_acceptor]


def test_ctrl_c_does_not_wait_for_the_rest_of_a_pdu() -> None:
    """The PACS sent half of one, and `patience.answer_s` is long."""
    begun = threading.Event()

    def half(event: evt.Event) -> int:
        there: Any = event.assoc.dul.socket
        there.socket.sendall(b"\x04\x00\x00\x00\x10\x00")
        begun.set()
        return 0

    own = AE(ae_title="ORTHANC")
    own.add_supported_context(VERIFICATION)
    door: Any = own.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_ECHO, half)])
    at = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            _interrupted(to(door.server_address[1], 60), begun)
    finally:
        door.shutdown()
    assert time.monotonic() - at < 40


def _interrupted(where: Node, begun: threading.Event) -> None:
    with association.associated(where, [build_context(VERIFICATION)]) as asked:
        threading.Thread(target=asked.send_c_echo, daemon=True).start()
        assert begun.wait(20)
        raise KeyboardInterrupt


def test_an_object_may_take_longer_than_an_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """C-GET of an object that comes in steady small pieces, over more than the two seconds that an answer may take."""
    monkeypatch.setattr(association, "_PDU_BYTES", 2048)
    (file,) = study(tmp_path, "SLOW", count=1).rglob("*.dcm")
    whole = check_whole(file)

    def give(event: evt.Event) -> Iterator[Any]:
        send = event.assoc.dul.send_pdu

        def slowly(primitive: Any) -> None:
            time.sleep(0.15)
            send(primitive)

        event.assoc.dul.send_pdu = slowly  # type: ignore[method-assign]
        yield 1
        yield 0xFF00, dcmread(file)

    own = AE(ae_title="ORTHANC")
    own.add_supported_context(GET)
    for context in storage_contexts(whole.sop_class_uid, (whole.transfer_syntax_uid,)):
        own.add_supported_context(whole.sop_class_uid, context.transfer_syntax, scp_role=True, scu_role=False)
    door: Any = own.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_GET, give)])
    try:
        began = time.monotonic()
        fetched = tmp_path / "fetched.dcm"
        Dimse(to(door.server_address[1], 2)).fetch(of_file(whole), fetched, whole.transfer_syntax_uid)
        assert time.monotonic() - began > 2
    finally:
        door.shutdown()
    assert fetched.stat().st_size


def test_objects_that_nobody_asked_for_come_to_an_end(tmp_path: Path) -> None:
    """C-GET of one object, answered by 500 others: they may come to as many bytes as the one, here to about ten."""
    (file,) = study(tmp_path, "OTHER", count=1).rglob("*.dcm")
    whole = check_whole(file)
    other = dcmread(file)
    sent = []

    def give(event: evt.Event) -> Iterator[Any]:
        yield 500
        for number in range(500):
            other.SOPInstanceUID = other.file_meta.MediaStorageSOPInstanceUID = f"1.2.{number}"
            sent.append(number)
            yield 0xFF00, other

    own = AE(ae_title="ORTHANC")
    own.add_supported_context(GET)
    own.add_supported_context(whole.sop_class_uid, whole.transfer_syntax_uid, scp_role=True, scu_role=False)
    door: Any = own.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_GET, give)])
    node = to(door.server_address[1], 20)
    bounds = node.bounds.model_copy(update={"instance_bytes": 10 * whole.size})
    fetched = tmp_path / "fetched" / "object.dcm"
    fetched.parent.mkdir()
    try:
        with pytest.raises((PacsError, Transient)):
            Dimse(node.model_copy(update={"bounds": bounds})).fetch(of_file(whole), fetched, whole.transfer_syntax_uid)
    finally:
        door.shutdown()
    assert 5 < len(sent) < 30
    assert not list(fetched.parent.iterdir())


@pytest.mark.parametrize("ask", [lambda way, one: way.studies(parse("PatientID=X")), lambda way, one: way.fetch(*one)])
def test_answers_without_end_are_cut_off(
    ask: Callable[[Dimse, Any], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """'Pending' for ever, without anything that could be counted."""
    pending = Dataset()
    pending.Status = 0xFF00

    class Endless:
        def send_c_find(self, *_: Any) -> Iterator[Any]:
            return itertools.repeat((pending, None))

        send_c_get = send_c_find

    monkeypatch.setattr(dimse, "associated", lambda *_, **__: nullcontext(Endless()))
    wanted = FoundInstance(study_uid="1.2", series_uid="1.3", sop_uid="1.4", sop_class_uid="1.5")
    with pytest.raises((PacsError, Transient)):
        ask(Dimse(to(104)), (wanted, tmp_path / "object.dcm"))


def test_one_answer_without_end_is_given_up() -> None:
    """Fragments of which none is the last: bytes come all the time, and no message."""
    line, ours, theirs = Line(SHORT_S, 1 << 20), *socket.socketpair()
    waiting = SimpleNamespace(dimse=SimpleNamespace(msg_queue=SimpleQueue[Any](), get_msg=None))
    line.answers_may_be_long(waiting)  # type: ignore[arg-type]
    over = threading.Event()

    def pour() -> None:
        with suppress(OSError):
            while not over.is_set():
                theirs.sendall(bytes(1 << 14))

    def take() -> None:
        with suppress(OSError):
            while not over.is_set():
                line._received(SimpleNamespace(socket=ours), 1 << 14)

    threads = [threading.Thread(target=one) for one in (pour, take)]
    for thread in threads:
        thread.start()
    try:
        assert waiting.dimse.get_msg(block=True) == (None, None)
    finally:
        over.set()
        for one in (ours, theirs):
            one.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()
        ours.close()
        theirs.close()
