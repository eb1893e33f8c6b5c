"""A real PACS for the tests: Debian's Orthanc with its DICOMweb plugin, in a network namespace of its own.

Orthanc 1.10 listens on every address of the machine and has no setting against it. So it runs in a namespace that has
a loopback interface and nothing else, and whoever talks to it enters that namespace: a program by `Namespace.argv` or
`Namespace.run`, a test of its own process by ``with server.inside():`` (sockets and threads made inside stay there).

`conftest.orthanc` is one server for a whole session of tests, whose patients are told apart by their identifiers;
`started` gives a server of one's own, which can be killed and started again. Ports are fixed, one set a namespace.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

HTTP_PORT, DICOM_PORT = 8042, 4242
OWN_PORT = 11112
"""Where Orthanc expects our own node, `OWN_AET`: for C-MOVE and for the report of storage commitment."""
SERVER_AET, OWN_AET = "ORTHANC", "LESION"

_PROGRAM = shutil.which("Orthanc") or "/usr/sbin/Orthanc"
_PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
_BYTES = {"Content-Type": "application/octet-stream"}  # a form, which Python would say, Orthanc takes apart
_CLONE_NEWNET = 0x40000000
_HOLDER = """
import fcntl, socket, struct, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
    flags = struct.unpack("16sh14x", fcntl.ioctl(any_socket, 0x8913, struct.pack("16sh14x", b"lo", 0)))[1]
    fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", flags | 1))
print("up", flush=True)
sys.stdin.read()
"""
"""Raises the loopback interface, and holds the namespace for as long as the tests hold its standard input."""


class Namespace:
    """A network that holds loopback alone; `close` ends it."""

    def __init__(self) -> None:
        if not shutil.which("unshare") or not shutil.which("nsenter"):
            pytest.skip("unshare and nsenter are needed for a network namespace (util-linux)")
        self._holder = subprocess.Popen(
            ["unshare", "--net", sys.executable, "-c", _HOLDER],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._holder.stdout
        if self._holder.stdout.readline() != "up\n":
            _, said = self._holder.communicate()
            pytest.skip(f"a network namespace is not permitted here ({said.strip()})")
        self._file = Path(f"/proc/{self._holder.pid}/ns/net")

    def argv(self, command: Sequence[str | Path]) -> list[str]:
        """A command line that runs ``command`` inside."""
        return ["nsenter", f"--net={self._file}", *map(str, command)]

    def run(self, command: Sequence[str | Path], **how: Any) -> subprocess.CompletedProcess[str]:
        """Run a program inside, with its output as text; ``how`` goes to `subprocess.run`."""
        return subprocess.run(self.argv(command), **{"capture_output": True, "text": True, "check": False, **how})

    def lesion_measure(self, *arguments: str | Path, **how: Any) -> subprocess.CompletedProcess[str]:
        """Run ``lesion-measure ARGUMENTS`` inside."""
        return self.run([sys.executable, "-m", "lesion_measure", *arguments], **how)

    @contextmanager
    def inside(self) -> Iterator[None]:
        """This thread is inside, and so are the sockets and threads that it makes meanwhile."""
        setns = ctypes.CDLL(None, use_errno=True).setns
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        there = os.open(self._file, os.O_RDONLY)
        try:
            if setns(there, _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
            yield
        finally:
            setns(home, _CLONE_NEWNET)
            os.close(there)
            os.close(home)

    def close(self) -> None:
        """End the namespace; whatever runs in it has been ended before."""
        self._holder.communicate()


class Orthanc(Namespace):
    """One server, its store in ``folder``; settings of Orthanc may be given beside those of the tests."""

    url = f"http://127.0.0.1:{HTTP_PORT}"
    dicomweb = f"{url}/dicom-web"

    def __init__(self, folder: Path, settings: Mapping[str, Any] | None = None) -> None:
        if not Path(_PROGRAM).is_file() or not _PLUGIN.is_file():
            pytest.skip("Orthanc with DICOMweb is not installed (Debian: orthanc, orthanc-dicomweb)")
        super().__init__()
        self.log = folder / "orthanc.log"
        self._settings = folder / "orthanc.json"
        self._settings.write_text(json.dumps({**_settings(folder), **(settings or {})}), encoding="utf-8")
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server, again after `kill` or `stop`, and wait until it answers."""
        with self.log.open("ab") as log:
            self._server = subprocess.Popen(
                self.argv(["setpriv", "--pdeathsig", "KILL", _PROGRAM, self._settings]), stdout=log, stderr=log
            )
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if self._server.poll() is not None:
                break
            if self._answers():
                return
            time.sleep(0.05)
        raise RuntimeError(f"Orthanc did not start: {self.log.read_text(encoding='utf-8', errors='replace')[-2000:]}")

    def stop(self) -> None:
        """Stop the server in good order."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL, as when the machine runs out of memory."""
        self._end(signal.SIGKILL)

    def close(self) -> None:
        self.kill()
        super().close()

    def rest(self, path: str, method: str = "GET", body: bytes | None = None) -> Any:
        """Orthanc's own interface, for looking behind what the programs under test say; JSON, or None."""
        with self.inside():
            request = urllib.request.Request(f"{self.url}{path}", data=body, method=method, headers=_BYTES)
            with urllib.request.urlopen(request, timeout=60) as answer:
                data = answer.read()
        return json.loads(data) if data else None

    def instances(self, study_uid: str | None = None) -> list[str]:
        """The SOP Instance UIDs that are stored, of one study where it is given; with repetitions if there were any."""
        keys = {"StudyInstanceUID": study_uid} if study_uid else {}
        query = {"Level": "Instance", "Query": keys, "Expand": True}
        found = self.rest("/tools/find", "POST", json.dumps(query).encode())
        return sorted(one["MainDicomTags"]["SOPInstanceUID"] for one in found)

    def store(self, path: Path) -> None:
        """Store a file, not by the programs under test."""
        self.rest("/instances", "POST", path.read_bytes())

    def clear(self) -> None:
        """Remove every patient."""
        for patient in self.rest("/patients"):
            self.rest(f"/patients/{patient}", "DELETE")

    def _answers(self) -> bool:
        try:
            self.rest("/system")
        except (OSError, urllib.error.URLError):
            return False
        return True

    def _end(self, how: signal.Signals) -> None:
        if self._server is not None and self._server.poll() is None:
            self._server.send_signal(how)
            self._server.wait(30)


@contextmanager
def started(folder: Path, settings: Mapping[str, Any] | None = None) -> Iterator[Orthanc]:
    """A server that runs, with its store in ``folder``; the test is skipped where there can be none."""
    server = Orthanc(folder, settings)
    try:
        server.start()
        yield server
    finally:
        server.close()


def _settings(folder: Path) -> dict[str, Any]:
    return {
        "Name": "Orthanc of the tests",
        "StorageDirectory": str(folder / "store"),
        "IndexDirectory": str(folder / "store"),
        "HttpPort": HTTP_PORT,
        "DicomPort": DICOM_PORT,
        "DicomAet": SERVER_AET,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomModalities": {"lesion": [OWN_AET, "127.0.0.1", OWN_PORT]},
        "Plugins": [str(_PLUGIN)],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/", "EnableWado": False, "Host": "127.0.0.1", "Ssl": False},
    }
