"""A reading room's server as a process of its own, and a client that is signed in: for the benchmarks of the room."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx


@contextmanager
def running(scans: Path, out: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    """The server of these scans and a signed-in client; the process is killed in the end."""
    words = ["review", str(scans), "-o", str(out), "--port", "0", "--no-browser", *options]
    process = subprocess.Popen(
        [sys.executable, "-m", "lesion_measure", *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        found = re.search(r"(http://\S+?)/#token=(\S+)", process.stdout.readline())
        assert found, "the server did not start"
        with httpx.Client(base_url=found[1], timeout=60) as client:
            told = client.post("/api/login", json={"token": found[2]}).json()
            client.headers["X-Review-Token"] = told["csrf"]
            yield process, client
    finally:
        process.kill()
        process.wait()
