"""A node that receives: studies that are complete are measured, and nothing that comes in does harm."""

from __future__ import annotations

import itertools
import json
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pynetdicom import AE
from pynetdicom.presentation import build_context

from lesion_measure.cli.pacs.listen import exit_code_of
from lesion_measure.config.pacs import Node
from lesion_measure.dicom.whole import check_whole
from lesion_measure.errors import WriteError
from lesion_measure.pacs.folder import opened
from lesion_measure.pacs.journal import Journal
from lesion_measure.pacs.listen import Due, Inbox, receiving, serve
from orthanc import Namespace
from pacs_objects import node, settings_file, study, study_uid


@pytest.fixture(scope="module")
def network() -> Iterator[Namespace]:
    """A network of one's own, where no other test has the port."""
    space = Namespace()
    yield space
    space.close()


@contextmanager
def listening(where: Node, root: Path) -> Iterator[tuple[Inbox, list[Due]]]:
    """A node in a thread, that measures nothing and notes what it would have."""
    measured: list[Due] = []
    stop = threading.Event()

    def measure(study: Path, results: Path) -> int:
        return 0

    with receiving(where, root) as inbox:
        thread = threading.Thread(
            target=serve, args=(inbox, measure, lambda due, code: measured.append(due)), kwargs={"until": stop.is_set}
        )
        thread.start()
        try:
            yield inbox, measured
        finally:
            stop.set()
            thread.join()


def to_ourselves(**changes: Any) -> Node:
    """Settings by which we are our own PACS; what cannot be fetched back is not compared."""
    own = node().own
    return node(dicomweb=None, dimse={"ae_title": own.ae_title, "port": own.port}, **changes)


def sent(where: Node, path: Path) -> list[int]:
    """C-STORE of every file of a folder; the statuses."""
    own = AE(ae_title="SENDER")
    files = sorted(path.rglob("*.dcm"))
    wholes = [check_whole(file) for file in files]
    contexts = {(one.sop_class_uid, one.transfer_syntax_uid) for one in wholes}
    association = own.associate(
        "127.0.0.1", where.own.port, contexts=[build_context(*one) for one in contexts], ae_title=where.own.ae_title
    )
    assert association.is_established
    statuses = [association.send_c_store(file) for file in files]
    association.release()
    return [int(status.Status) if "Status" in status else -1 for status in statuses]


def waited(for_what: Any) -> None:
    until = time.monotonic() + 20
    while not for_what():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_study_is_measured_once_it_is_quiet_and_again_when_more_comes(network: Namespace, tmp_path: Path) -> None:
    where = node()
    first, more = study(tmp_path, "QUIET", count=2), study(tmp_path / "more", "QUIET", count=3)
    with network.inside(), listening(where, tmp_path / "inbox") as (_, measured):
        assert sent(where, first) == [0, 0]
        waited(lambda: measured)
        assert [due.study_uid for due in measured] == [study_uid("QUIET")]
        assert len(list(measured[0].path.glob("*.dcm"))) == 2
        time.sleep(1.5)
        assert len(measured) == 1
        assert sent(where, more) == [0, 0, 0]  # two of them once more
        waited(lambda: len(measured) == 2)
        assert len(list(measured[1].path.glob("*.dcm"))) == 3
    with network.inside(), listening(where, tmp_path / "inbox") as (_, measured):
        time.sleep(1)
        assert not measured  # measured before the restart


def test_what_came_before_a_restart_is_measured_after_it(network: Namespace, tmp_path: Path) -> None:
    where = node(listening={"quiet_s": 600})
    with network.inside(), listening(where, tmp_path / "inbox") as (_, measured):
        assert sent(where, study(tmp_path, "BEFORE")) == [0, 0, 0]
        assert not measured
    with network.inside(), listening(where, tmp_path / "inbox") as (_, measured):
        waited(lambda: measured)


def test_bounds(network: Namespace, tmp_path: Path) -> None:
    objects = study(tmp_path, "BOUNDED", count=3)
    for number, bounds in enumerate(({"instances": 2}, {"total_bytes": 80_000})):
        where = node(bounds=bounds)
        with network.inside(), listening(where, tmp_path / f"inbox-{number}"):
            assert sent(where, objects) == [0, 0, 0xA700]
    where = node(bounds={"studies": 1})
    with network.inside(), listening(where, tmp_path / "inbox-3"):
        assert sent(where, objects) == [0, 0, 0]
        assert sent(where, study(tmp_path, "BOUNDED-2", count=1)) == [0xA700]
    where = node(bounds={"instance_bytes": 20_000})
    with network.inside(), listening(where, tmp_path / "inbox-4"):
        assert sent(where, study(tmp_path, "LARGE", count=1)) == [-1]  # the association is aborted
        waited(lambda: not list((tmp_path / "inbox-4").rglob("*.dcm")))


def test_a_known_uid_with_other_content_is_refused(network: Namespace, tmp_path: Path) -> None:
    where = node()
    with network.inside(), listening(where, tmp_path / "inbox"):
        assert sent(where, study(tmp_path, "AGAIN", count=1)) == [0]
        assert sent(where, study(tmp_path / "changed", "AGAIN", count=1, ImageComments="changed")) == [0x0111]


def test_an_object_that_is_not_whole_is_not_taken(network: Namespace, tmp_path: Path) -> None:
    objects = study(tmp_path, "CUT", count=1)
    (file,) = objects.rglob("*.dcm")
    where = node()
    with network.inside(), listening(where, tmp_path / "inbox"):
        own = AE(ae_title="SENDER")
        whole = check_whole(file)
        file.write_bytes(file.read_bytes()[:9000])
        context = build_context(whole.sop_class_uid, whole.transfer_syntax_uid)
        association = own.associate("127.0.0.1", where.own.port, contexts=[context], ae_title=where.own.ae_title)
        from pynetdicom import _config

        assert _config.STORE_SEND_CHUNKED_DATASET  # the bytes as they are
        assert association.send_c_store(file).Status == 0xC000
        association.release()
        assert not list((tmp_path / "inbox" / "incoming").glob("*/*"))


def test_who_may_send(network: Namespace, tmp_path: Path) -> None:
    where = node(listening={"accept": ["KNOWN"]})
    with network.inside(), listening(where, tmp_path / "inbox"):
        for calling, called, taken in (
            ("KNOWN", where.own.ae_title, True),
            ("STRANGER", where.own.ae_title, False),
            ("KNOWN", "OTHER", False),
        ):
            own = AE(ae_title=calling)
            contexts = [build_context("1.2.840.10008.1.1")]
            association = own.associate("127.0.0.1", where.own.port, contexts=contexts, ae_title=called)
            assert association.is_established is taken
            if taken:
                association.release()


def test_a_port_that_is_taken(network: Namespace, tmp_path: Path) -> None:
    with network.inside(), socket.create_server(("127.0.0.1", node().own.port)):
        done = network.lesion_measure("pacs", "listen", "-o", tmp_path / "inbox", "--pacs", settings_file(tmp_path))
    assert done.returncode == 4
    assert "cannot listen on 127.0.0.1 port 11112" in done.stderr


def test_what_a_killed_node_had_not_taken_in_is_removed(network: Namespace, tmp_path: Path) -> None:
    where = node()
    with network.inside(), listening(where, tmp_path / "inbox"):
        pass
    left = tmp_path / "inbox" / "incoming" / "tmpabcdefgh.dcm"
    left.write_bytes(b"half")
    with network.inside(), listening(where, tmp_path / "inbox"):
        assert not left.exists()


class TestInbox:
    """What is due, without a network."""

    @contextmanager
    def inbox(self, root: Path, now: float = 1e6) -> Iterator[Inbox]:
        """As after a start; everything has been quiet for long at ``now``."""
        seconds = itertools.count(0, now)
        with opened(root / "incoming") as incoming:
            yield Inbox(node(), incoming, root, clock=lambda: float(next(seconds)))

    def test_a_study_is_due_once_it_is_quiet(self, tmp_path: Path) -> None:
        now = [0.0]
        with opened(tmp_path / "incoming") as incoming:
            inbox = Inbox(node(listening={"quiet_s": 60}), incoming, tmp_path, clock=lambda: now[0])
            assert self.kept(inbox, tmp_path / "sent") == 0
            now[0] = 59
            assert not list(inbox.due())
            now[0] = 60
            assert len(list(inbox.due())) == 1

    def kept(self, inbox: Inbox, folder: Path) -> int:
        (file,) = study(folder, "INBOX", count=1).rglob("*.dcm")
        return inbox.keep(file, check_whole(file).sop_instance_uid, "SENDER")

    @pytest.mark.parametrize(("code", "again"), [(0, 0), (1, 0), (3, 0), (2, 1), (4, 1), (-9, 1)])
    def test_what_was_tried_in_vain_is_tried_again_after_a_restart(self, tmp_path: Path, code: int, again: int) -> None:
        with self.inbox(tmp_path / "root") as inbox:
            assert self.kept(inbox, tmp_path) == 0
            (due,) = inbox.due()
            inbox.measured(due, code)
            assert not list(inbox.due())
        with self.inbox(tmp_path / "root") as inbox:
            assert len(list(inbox.due())) == again

    def test_what_came_while_the_disk_was_full_is_not_forgotten(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: Any) -> None:
            raise WriteError("The disk is full.")

        with self.inbox(tmp_path / "root") as inbox:
            with monkeypatch.context() as disk:
                disk.setattr("lesion_measure.pacs.journal.append", full)
                assert self.kept(inbox, tmp_path / "first") == 0xA700
            assert self.kept(inbox, tmp_path / "again") == 0
            assert [due.study_uid for due in inbox.due()] == [study_uid("INBOX")]

    def test_a_line_that_the_disk_took_half_of_spoils_no_other(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def half(path: Path, data: bytes, what: str) -> None:
            path.write_bytes(data[: len(data) // 2])
            raise WriteError("The disk is full.")

        journal = Journal(tmp_path / "lines.jsonl", "key")
        with monkeypatch.context() as disk:
            disk.setattr("lesion_measure.pacs.journal.append", half)
            with pytest.raises(WriteError):
                journal.add({"key": "first"})
        journal.add({"key": "second"})
        assert Journal(tmp_path / "lines.jsonl", "key").lines == {"second": {"key": "second"}}


def test_a_run_that_does_not_end_is_ended() -> None:
    assert exit_code_of([sys.executable, "-c", "import time; time.sleep(600)"], 0.2) == -9


def test_the_command_measures_as_run_does(network: Namespace, tmp_path: Path, project_dir: Path) -> None:
    """Whole: the program listens, is sent a study, and leaves its results; the numbers are those of `run`."""
    pacs = settings_file(tmp_path)
    scans = tmp_path / "scans"
    scans.mkdir()
    shutil.copy(project_dir / "sample_dicoms" / "SIM-01" / "baseline" / "L1_sagittal.dcm", scans)
    command = [sys.executable, "-m", "lesion_measure", "pacs", "listen", "-o", tmp_path / "inbox", "--pacs", pacs]
    process = subprocess.Popen(
        network.argv([*command, "--config", "follow_up", "--studies", "1"]),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr
    assert process.stderr.readline().startswith("Listening as LESION on 127.0.0.1 port 11112.")
    with network.inside():
        assert set(sent(node(), scans)) == {0}
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    uid = check_whole(next(scans.rglob("*.dcm"))).study_instance_uid
    results = tmp_path / "inbox" / "results" / uid
    local = network.lesion_measure("run", scans, "-o", tmp_path / "local", "--config", "follow_up")
    assert out == f"{uid}: exit code {local.returncode}, {results}\n"
    assert (results / "lesions.csv").read_bytes() == (tmp_path / "local" / "lesions.csv").read_bytes()
    (line,) = (tmp_path / "inbox" / "measured.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["exit_code"] == local.returncode
