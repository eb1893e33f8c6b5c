"""The signed readings of the reading room, which the next run of a results folder takes."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from lesion_measure.errors import TableError
from lesion_measure.files.reading import read_regular
from lesion_measure.job.request import RunRequest
from lesion_measure.tables.rows import MAX_TABLE_BYTES

FOLDER, FILE = "review", "calipers.csv"
"""The folder in which the reading room keeps what readers did, which no run removes, and the table of it."""


def readings_file(out: Path) -> Path:
    """Where a results folder holds the readings that count."""
    return out / FOLDER / FILE


def sha256_of(readings: Path | None) -> str | None:
    """SHA-256 (hex) of a table of readings; None where there is none.

    Raises
    ------
    TableError
        It cannot be read.
    """
    if readings is None:
        return None
    try:
        return hashlib.sha256(read_regular(readings, MAX_TABLE_BYTES)).hexdigest()
    except OSError as error:
        raise TableError(f"The readings cannot be read ({error.strerror}).", path=readings.name) from error


def with_readings(request: RunRequest) -> RunRequest:
    """The request with the signed readings of its results folder, where there are some and nobody gives calipers."""
    path = readings_file(request.out)
    return replace(request, readings=path) if request.calipers is None and path.is_file() else request
