"""Result files appear whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from lesion_measure.errors import OutputError


@contextmanager
def replacing(path: Path) -> Iterator[TextIO]:
    """Write a text file under a temporary name beside ``path`` and rename it when it is complete.

    A run that is killed leaves either the old file or the new one.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    with _renamed(path) as partial, partial.open("w", encoding="utf-8", newline="") as stream:
        yield stream


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file of bytes in the same way. Raises as `replacing`."""
    with _renamed(path) as partial:
        partial.write_bytes(data)


@contextmanager
def _renamed(path: Path) -> Iterator[Path]:
    partial = path.with_name(f".{path.name}.partial")
    try:
        yield partial
        partial.replace(path)
    except OSError as error:
        raise OutputError(
            f"The result file cannot be written ({error.strerror}).",
            remedy="Check that the output folder exists, is writable and has free space.",
            path=path.name,
        ) from error
    finally:
        partial.unlink(missing_ok=True)
