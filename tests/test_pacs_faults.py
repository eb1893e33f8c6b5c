"""A server that does everything wrong: cut bodies, wrong boundaries, busy or slow, pages in the place of objects."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from dicom_writing import screen, write
from lesion_measure.config.pacs import Node
from lesion_measure.dicom.whole import check_whole
from lesion_measure.errors import InputError, LesionMeasureError, PacsError
from lesion_measure.pacs.found import FoundInstance, FoundStudy
from lesion_measure.pacs.multipart import write_part
from lesion_measure.pacs.peer import of_file, spoken_to
from lesion_measure.pacs.pull import pull
from lesion_measure.pacs.push import push
from lesion_measure.pacs.query import parse
from lesion_measure.pacs.retry import Transient
from pacs_objects import node

UID = "1.2.826.0.1.3680043.8.498.78"
BOUNDARY = "a-boundary"
MULTIPART = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'

JSON = "application/dicom+json"

Answer = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def server(*answers: Answer, tls: ssl.SSLContext | None = None) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A server that gives one answer after another, the last one for ever; its address, and the headers it was sent."""
    seen: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            while length > 0:
                length -= len(self.rfile.read(min(length, 1 << 16)))
            seen.append({**self.headers, "path": self.path})
            answers[min(len(seen), len(answers)) - 1](self)

        do_GET = do_POST = _answer  # noqa: N815 - http.server's names

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.daemon_threads = True
    if tls:
        running.socket = tls.wrap_socket(running.socket, server_side=True)
    thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{running.server_port}/dicom-web", seen
    finally:
        running.shutdown()
        running.server_close()


def body(data: bytes, kind: str = MULTIPART, *, length: int | None = None, status: int = 200, **headers: str) -> Answer:
    """An answer of these bytes; ``length`` is what Content-Length says, where it lies."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(data) if length is None else length))
        handler.send_header("Connection", "close")
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(data)
        handler.close_connection = True

    return answer


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    """No answer at all."""
    handler.close_connection = True


def related(data: bytes, boundary: str = BOUNDARY, end: str = "--\r\n") -> bytes:
    """A multipart body of one part."""
    head = f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
    return head + data + f"\r\n--{boundary}{end}".encode()


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One object, as the server should send it."""
    folder = tmp_path_factory.mktemp("image")
    write(folder, screen().tobytes(), (96, 128, 3), SOPInstanceUID=f"{UID}.1.1", StudyInstanceUID=UID,
          SeriesInstanceUID=f"{UID}.1", Modality="US", PatientID="FAULTS")  # fmt: skip
    return folder / "image.dcm"


def settings(url: str, **changes: Any) -> Node:
    """Settings of the server, with very little patience."""
    patience = {"answer_s": 2, "wait_s": 0.01, **changes.pop("patience", {})}
    return node(dicomweb={"url": url}, dimse=None, patience=patience, **changes)


def fetched(url: str, image: Path, out: Path, **changes: Any) -> Path:
    """The object, fetched from the server; raises as `Peer.fetch`."""
    with spoken_to(settings(url, **changes)) as peer:
        peer.fetch(of_file(check_whole(image)), out / "given.dcm")
    return out / "given.dcm"


class TestRetrieve:
    def test_a_whole_answer(self, image: Path, tmp_path: Path) -> None:
        data = image.read_bytes()
        preamble = b"This text is for mailers.\r\n" + related(data)
        bare = f"--{BOUNDARY}\r\n\r\n".encode() + data + f"\r\n--{BOUNDARY}--".encode()
        for sent in (related(data), b"\r\n" + related(data), preamble, bare):
            with server(body(sent)) as (url, seen):
                assert fetched(url, image, tmp_path).read_bytes() == data
                assert seen[0]["Accept"] == 'multipart/related; type="application/dicom"; transfer-syntax=*'
                assert seen[0]["Host"] == url.split("/")[2]
        with server(body(data, "application/dicom")) as (url, _):
            assert fetched(url, image, tmp_path).read_bytes() == data

    def test_a_cut_body_under_a_matching_length_is_fetched_again(self, image: Path, tmp_path: Path) -> None:
        data = image.read_bytes()
        for cut in (related(data[: len(data) // 2]), related(data)[:-60], related(data, end="")):
            with server(body(cut), body(related(data))) as (url, seen):
                assert fetched(url, image, tmp_path).read_bytes() == data
                assert len(seen) == 2

    def test_one_that_is_always_cut_is_refused_after_as_many_tries_as_are_allowed(
        self, image: Path, tmp_path: Path
    ) -> None:
        half = image.read_bytes()[: image.stat().st_size // 2]
        for cut in (related(half), half):
            kind = "application/dicom" if cut is half else MULTIPART
            with server(body(cut, kind)) as (url, seen), pytest.raises(PacsError, match="cut off") as caught:
                fetched(url, image, tmp_path)
            assert (caught.value.code, len(seen)) == ("pacs_incomplete", 3)

    def test_a_connection_that_ends_too_soon(self, image: Path, tmp_path: Path) -> None:
        data = related(image.read_bytes())
        with server(hang_up, body(data[:9000], length=len(data)), body(data)) as (url, seen):
            fetched(url, image, tmp_path)
            assert len(seen) == 3
        with server(body(data[:9000], length=len(data))) as (url, seen), pytest.raises(PacsError) as caught:
            fetched(url, image, tmp_path)
        assert (caught.value.code, len(seen)) == ("pacs_unreachable", 3)

    @pytest.mark.parametrize(
        ("data", "kind", "code"),
        [
            (related(b"x", "another"), MULTIPART, "pacs_answer"),
            (related(b"x"), "multipart/related", "pacs_answer"),
            (b"<html>Please log in</html>", "text/html; charset=utf-8", "pacs_answer"),
            (b"[]", JSON, "pacs_answer"),
            (related(b"x", end="\r\n\r\nsecond\r\n--a-boundary--"), MULTIPART, "pacs_answer"),
            (b"--a-boundary\r\nContent-Type: image/jpeg\r\n\r\nx\r\n--a-boundary--", MULTIPART, "pacs_answer"),
            (b"--a-boundary\r\nX: " + b"y" * 100_000, MULTIPART, "pacs_answer"),
            (b"z" * 100_000, MULTIPART, "pacs_answer"),
            (related(b"not a DICOM file"), MULTIPART, "pacs_incomplete"),
            (b"", MULTIPART, "pacs_answer"),
        ],
    )
    def test_what_is_no_object_is_told(self, image: Path, tmp_path: Path, data: bytes, kind: str, code: str) -> None:
        with server(body(data, kind)) as (url, _), pytest.raises(PacsError) as caught:
            fetched(url, image, tmp_path)
        assert caught.value.code == code
        assert caught.value.remedy

    def test_another_object_than_was_asked_for(self, image: Path, tmp_path: Path) -> None:
        write(tmp_path, screen().tobytes(), (96, 128, 3), SOPInstanceUID=f"{UID}.1.2", StudyInstanceUID=UID,
              SeriesInstanceUID=f"{UID}.1")  # fmt: skip
        other = (tmp_path / "image.dcm").read_bytes()
        with server(body(related(other))) as (url, _), pytest.raises(PacsError) as caught:
            fetched(url, image, tmp_path)
        assert caught.value.code == "pacs_other_object"

    def test_a_gigantic_part_ends_at_its_bound(self, image: Path, tmp_path: Path) -> None:
        with server(_chunks(1000)) as (url, _), pytest.raises(PacsError) as caught:
            fetched(url, image, tmp_path, bounds={"instance_bytes": 5_000_000})
        assert caught.value.code == "pacs_too_large"
        assert (tmp_path / "given.dcm").stat().st_size <= 5_000_000

    @pytest.mark.parametrize("where", ["body", "head", "chunks", "trailer"])
    def test_a_trickle_is_no_answer(self, image: Path, tmp_path: Path, where: str) -> None:
        """A byte comes often enough for each wait for the next one, and the whole never."""
        outlasted: list[str] = []
        with server(_trickle(where, outlasted)) as (url, seen), pytest.raises(PacsError) as caught:
            fetched(url, image, tmp_path, patience={"answer_s": 0.4, "attempts": 2})
        assert (caught.value.code, len(seen), outlasted) == ("pacs_unreachable", 2, [])


def _trickle(where: str, outlasted: list[str]) -> Answer:
    """An answer of which a byte comes now and then in its body, its head, a chunk's length, or what follows chunks.

    ``outlasted`` is told where nobody hung up within 20 s.
    """
    known = {"Content-Type": MULTIPART} | (
        {"Content-Length": "100000"} if where == "body" else {"Transfer-Encoding": "chunked"}
    )
    lines = ["HTTP/1.1 200 OK", *(f"{name}: {value}" for name, value in known.items())]
    head = "\r\n".join([*lines, "" if where == "head" else "\r\n"])
    before, drop = {
        "body": (b"", b"-"),
        "head": (b"X: ", b"-"),
        "chunks": (b"1;", b"-"),
        "trailer": (b"1\r\n-\r\n0\r\n", b"X: y\r\n"),
    }[where]

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        until = time.monotonic() + 20
        try:
            handler.wfile.write(head.encode() + before)
            while time.monotonic() < until:
                handler.wfile.write(drop)
                time.sleep(0.05)
            outlasted.append(where)
        except OSError:
            return

    return answer


def _chunks(count: int) -> Answer:
    """A part of ``count`` MB that has no end."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", MULTIPART)
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.close_connection = True
        try:
            handler.wfile.write(f"--{BOUNDARY}\r\n\r\n".encode())
            for _ in range(count):
                handler.wfile.write(bytes(1 << 20))
        except OSError:
            return

    return answer


class TestBusy:
    def test_503_then_good(self, image: Path, tmp_path: Path) -> None:
        with server(body(b"", status=503), body(related(image.read_bytes()))) as (url, seen):
            fetched(url, image, tmp_path)
            assert len(seen) == 2

    @pytest.mark.parametrize("status", [408, 429, 503, 504])
    def test_busy_for_ever(self, image: Path, tmp_path: Path, status: int) -> None:
        with server(body(b"", status=status)) as (url, seen), pytest.raises(PacsError, match=str(status)):
            fetched(url, image, tmp_path)
        assert len(seen) == 3

    @pytest.mark.parametrize(("status", "code"), [(401, "pacs_refused"), (403, "pacs_refused"), (404, "pacs_answer"),
                                                  (500, "pacs_answer"), (406, "pacs_answer")])  # fmt: skip
    def test_what_no_further_try_would_mend_is_asked_once(
        self, image: Path, tmp_path: Path, status: int, code: str
    ) -> None:
        with server(body(b"", status=status)) as (url, seen), pytest.raises(PacsError) as caught:
            fetched(url, image, tmp_path)
        assert (caught.value.code, len(seen)) == (code, 1)

    def test_a_server_says_when_to_come_back(self, image: Path, tmp_path: Path) -> None:
        busy = body(b"", status=429, Retry_After="1")
        with server(busy, body(related(image.read_bytes()))) as (url, _):
            begin = time.monotonic()
            fetched(url, image, tmp_path)
            assert time.monotonic() - begin >= 1

    def test_a_search_is_asked_again_as_often(self) -> None:
        with server(body(b"", status=503), body(b"[]", JSON)) as (url, seen):
            with spoken_to(settings(url)) as peer:
                assert not peer.find(parse("PatientID=X")).studies
            assert len(seen) == 2


class TestSearch:
    @pytest.mark.parametrize("data", [b"{", b'"text"', b"[1, 2]", b"[[]]", b"<html>", b"\xff\xfe", b"[" * 100_000])
    def test_an_answer_that_is_none(self, data: bytes) -> None:
        with server(body(data, JSON)) as (url, _), spoken_to(settings(url)) as peer, pytest.raises(PacsError) as caught:
            peer.find(parse("PatientID=X"))
        assert caught.value.code == "pacs_answer"

    def test_uids_that_are_none_and_patients_that_were_not_asked_for_are_passed_over(self) -> None:
        entries = ",".join(
            f'{{"0020000D": {{"vr": "UI", "Value": ["{uid}"]}}, "00100020": {{"vr": "LO", "Value": ["{patient}"]}}}}'
            for uid, patient in (
                ("../../etc/passwd", "X"),
                ("1.2.3", "Y"),
                ("1..2", "X"),
                ("1.2.4", "X"),
                ("1" * 65, "X"),
            )
        )
        data = f"[{entries}, {{}}]".encode()
        with server(body(data, JSON)) as (url, _), spoken_to(settings(url)) as peer:
            assert [one.study_uid for one in peer.find(parse("PatientID=X")).studies] == ["1.2.4"]

    def test_an_answer_over_its_bound(self) -> None:
        with server(body(b"[" + b" " * 100_000 + b"]", JSON)) as (url, _), pytest.raises(PacsError) as caught:
            _find_at(settings(url, bounds={"answer_bytes": 50_000}))
        assert caught.value.code == "pacs_too_large"

    def test_a_server_that_ignores_offset_is_not_asked_for_ever(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("lesion_measure.pacs.web._PAGE", 1)
        entry = b'[{"0020000D": {"vr": "UI", "Value": ["1.2.3"]}, "00100020": {"vr": "LO", "Value": ["X"]}}]'
        with server(body(entry, JSON)) as (url, seen), spoken_to(settings(url)) as peer:
            assert len(peer.find(parse("PatientID=X")).studies) == 1
            assert len(seen) == 2

    def test_a_study_that_lists_fewer_objects_than_it_states_is_not_taken_for_whole(self) -> None:
        study = FoundStudy("1.2.3", "X", "20240101", ("US",), 5)
        with (
            server(body(b"[]", JSON)) as (url, _),
            spoken_to(settings(url)) as peer,
            pytest.raises(PacsError) as caught,
        ):
            peer.instances(study)
        assert caught.value.code == "pacs_incomplete"


class TestToken:
    @pytest.mark.parametrize("status", [301, 302, 307, 308])
    def test_it_does_not_follow_to_another_host(
        self, image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int
    ) -> None:
        monkeypatch.setenv("LESION_TEST_TOKEN", "very-secret")
        with server(body(related(image.read_bytes()))) as (other, stolen):
            with server(body(b"", status=status, Location=f"{other}/studies")) as (url, seen):
                for ask in (_fetch, _find, _store):
                    with pytest.raises(PacsError) as caught, spoken_to(_with_token(url)) as peer:
                        ask(peer, image, tmp_path)
                    assert caught.value.code == "pacs_redirect"
                    assert other not in str(caught.value)
                assert {sent["Authorization"] for sent in seen} == {"Bearer very-secret"}
            assert not stolen

    def test_a_redirect_at_the_same_host_is_followed(self, image: Path, tmp_path: Path) -> None:
        there = body(b"", status=307, Location="/elsewhere")
        with server(there, body(related(image.read_bytes()))) as (url, seen):
            fetched(url, image, tmp_path)
            assert seen[1]["path"] == "/elsewhere"

    def test_what_a_redirect_says_beside_its_address_is_not_waited_for(self, image: Path, tmp_path: Path) -> None:
        over = threading.Event()

        def silent(handler: BaseHTTPRequestHandler) -> None:
            body(b"", length=10, status=307, Location="/elsewhere")(handler)
            handler.wfile.flush()
            over.wait(20)

        with server(silent, body(related(image.read_bytes()))) as (url, seen):
            fetched(url, image, tmp_path)
            assert seen[1]["path"] == "/elsewhere"
            over.set()

    def test_it_is_in_no_message(
        self, image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setenv("LESION_TEST_TOKEN", "very-secret")
        caplog.set_level("DEBUG")
        answers = [body(b"", status=503), body(b"", status=401), hang_up]
        for answer in answers:
            with (
                server(answer) as (url, _),
                pytest.raises(LesionMeasureError) as caught,
                spoken_to(_with_token(url)) as peer,
            ):
                _fetch(peer, image, tmp_path)
            assert "very-secret" not in str(caught.value)
        assert "very-secret" not in caplog.text


def _find_at(where: Node) -> None:
    with spoken_to(where) as peer:
        peer.find(parse("PatientID=X"))


def _with_token(url: str) -> Node:
    return settings(url).model_copy(update={"dicomweb": settings(url).dicomweb.model_copy(  # type: ignore[union-attr]
        update={"token_env": "LESION_TEST_TOKEN"})})  # fmt: skip


def _fetch(peer: Any, image: Path, out: Path) -> None:
    peer.fetch(of_file(check_whole(image)), out / "given.dcm")


def _find(peer: Any, image: Path, out: Path) -> None:
    peer.find(parse("PatientID=X"))


def _store(peer: Any, image: Path, out: Path) -> None:
    peer.store(image, check_whole(image))


class TestStore:
    def test_a_refusal_is_told_with_its_reason(self, image: Path) -> None:
        failed = b'{"00081198": {"vr": "SQ", "Value": [{"00081197": {"vr": "US", "Value": [290]}}]}}'
        for status in (200, 202, 409):
            with (
                server(body(failed, JSON, status=status)) as (url, _),
                spoken_to(settings(url)) as peer,
                pytest.raises(InputError, match="0x0122") as caught,
            ):
                peer.store(image, check_whole(image))
            assert caught.value.code == "store_refused"

    def test_a_pacs_that_says_stored_and_has_nothing(self, image: Path) -> None:
        answers = (body(b"[]", JSON), body(b"{}", JSON), body(b"", status=404))
        with server(*answers) as (url, _), spoken_to(settings(url)) as peer:
            done = push(peer, [image])
        assert (done.stored, [refusal.code for refusal in done.refusals]) == (0, ["pacs_answer"])


def test_three_failures_in_a_row_end_the_work(image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [FoundInstance(UID, f"{UID}.1", f"{UID}.1.{n}", "US") for n in range(1, 10)]
    monkeypatch.setattr("lesion_measure.pacs.peer.Peer.instances", lambda *_: found)
    with server(body(b"", status=500)) as (url, seen), spoken_to(settings(url)) as peer:
        with pytest.raises(PacsError, match="500"):
            pull(peer, [FoundStudy(UID, "X", "", ("US",), 9)], tmp_path / "scans")
        assert len(seen) == 3


@pytest.mark.parametrize("size", [1, 2, 7, 64, 1000])
def test_a_part_is_the_same_however_it_is_cut_into_pieces(size: int) -> None:
    content = b"--a-boundar\r\n--a-bound\r\n" + bytes(range(256)) + b"\r\n-"
    data = related(content)
    got = bytearray()
    assert (
        write_part((data[i : i + size] for i in range(0, len(data), size)), BOUNDARY, got.extend) == "application/dicom"
    )
    assert bytes(got) == content
    with pytest.raises(Transient):
        write_part(iter([data[:-10]]), BOUNDARY, bytearray().extend)
