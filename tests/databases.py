"""Databases for the tests of the reading room: a SQLite file, and a PostgreSQL server of their own on loopback."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

_ACCOUNT = "postgres"
"""Debian's package makes it; the server refuses to run as root."""


def programs() -> Path | None:
    """The folder of PostgreSQL's programs; None where it is not installed."""
    found = shutil.which("initdb")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return Path(found).parent if found else debian[-1].parent if debian else None


@contextmanager
def postgresql(bin_folder: Path) -> Iterator[str]:
    """A server with an empty cluster, stopped at the end; yields its URL without a database's name.

    Its folder is none of pytest's: those are private to root, and the path of a socket has to be short.
    """
    with TemporaryDirectory(prefix="postgresql_") as folder:
        yield from _running(Path(folder), bin_folder)


def _running(folder: Path, bin_folder: Path) -> Iterator[str]:
    account: dict[str, Any] = {"user": _ACCOUNT, "group": _ACCOUNT} if os.getuid() == 0 else {}
    if account:
        shutil.chown(folder, _ACCOUNT, _ACCOUNT)
    data, port = folder / "data", _free_port()

    def call(program: str, *arguments: str) -> None:
        command = [str(bin_folder / program), *arguments]
        with (folder / f"{program}.log").open("ab") as log:
            subprocess.run(command, check=True, cwd=folder, stdout=log, stderr=log, timeout=120, **account)

    call("initdb", "-D", str(data), "-U", "tester", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
    call("pg_ctl", "-D", str(data), "-w", "-l", str(folder / "server.log"), "-o", options, "start")
    try:
        yield f"postgresql://tester@127.0.0.1:{port}"
    finally:
        call("pg_ctl", "-D", str(data), "-w", "-m", "immediate", "stop")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
