"""The export's folder: whose it is, and files that appear whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lesion_measure.errors import OutputError

FOLDER = "cdisc"
PAGE = "define.html"
MARKER = ".lesion_measure_cdisc"
FORMATS = ("xpt", "json", "csv")
NAMES = ("tu", "tr", "supptr", "rs", "supprs", "lb", "relrec", "adtr")

_MARKER_LINE = "Exports of lesion_measure; without this file they are not overwritten.\n"


def prepare(folder: Path) -> None:
    """Make the folder and take out an earlier export, so that nothing stale is left beside the new one.

    Raises
    ------
    OutputError
        It holds files that are none of ours, or cannot be made.
    """
    try:
        if folder.is_dir() and any(folder.iterdir()) and not (folder / MARKER).is_file():
            raise OutputError(
                "The folder for the export is not empty and holds no export of this program.",
                remedy="Move or remove it.",
                code="foreign_folder",
                path=str(folder),
            )
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MARKER).write_text(_MARKER_LINE, encoding="ascii")
        for name in own_files():
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(
            f"The folder for the export cannot be written ({error.strerror}).", path=str(folder)
        ) from error


def own_files() -> Iterable[str]:
    """Every name that an export may write."""
    yield PAGE
    yield from (f"{name}.{format_}" for name in NAMES for format_ in FORMATS)
