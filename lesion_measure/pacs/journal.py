"""A line of JSON for each thing done, so that a job that was killed goes on where it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lesion_measure.errors import OutputError
from lesion_measure.files.reading import read_regular
from lesion_measure.files.writing import append, make_folder

_MOST_BYTES = 1 << 28


class Journal:
    """Lines of a file by their ``key``; the last line of a key counts.

    A line that its writer did not finish is passed over: what it would have said is done again.

    Raises
    ------
    OutputError
        The file is there and cannot be read.
    """

    def __init__(self, path: Path, key: str) -> None:
        self._path = path
        self._key = key
        self.lines: dict[str, dict[str, Any]] = {}
        if path.exists():
            self._read()

    def add(self, line: dict[str, Any]) -> None:
        """Write a line, on disk when this returns. Raises as `failing`."""
        make_folder(self._path.parent)
        # A line of its own, even after one that was cut off.
        data = b"\n" * self._unfinished + json.dumps(line).encode() + b"\n"
        self._unfinished = True  # as it is where the disk is full
        append(self._path, data, "journal")
        self._unfinished = False
        self.lines[str(line[self._key])] = line

    _unfinished = False

    def _read(self) -> None:
        try:
            data = read_regular(self._path, _MOST_BYTES)
        except OSError as error:
            raise OutputError(f"The journal cannot be read ({error.strerror}).", path=str(self._path)) from error
        self._unfinished = bool(data) and not data.endswith(b"\n")
        for text in data.split(b"\n"):
            try:
                line = json.loads(text)
                self.lines[str(line[self._key])] = line
            except (ValueError, KeyError, TypeError):
                continue
