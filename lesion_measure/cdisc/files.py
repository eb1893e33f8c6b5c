"""The export's folder: whose it is, and files that appear whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lesion_measure.errors import OutputError
from lesion_measure.files.writing import failing, write_text

FOLDER = "cdisc"
PAGE = "define.html"
MARKER = ".lesion_measure_cdisc"
FORMATS = ("xpt", "json", "csv")
NAMES = ("tu", "tr", "supptr", "rs", "supprs", "lb", "relrec", "adtr")

_MARKER_LINE = "Exports of lesion_measure; without this file they are not overwritten.\n"


def check(folder: Path) -> None:
    """Refuse a folder that holds files which are none of ours.

    Raises
    ------
    OutputError
        It does, or it cannot be read.
    """
    with failing(folder, "export"):
        if folder.is_dir() and any(folder.iterdir()) and not (folder / MARKER).is_file():
            raise OutputError(
                "The folder for the export is not empty and holds no export of this program.",
                remedy="Move or remove it.",
                code="foreign_folder",
                path=str(folder),
            )


def write_marker(folder: Path) -> None:
    """The file by which `check` knows a folder of exports."""
    write_text(folder / MARKER, _MARKER_LINE)


def own_files() -> Iterable[str]:
    """Every name that an export may write."""
    yield PAGE
    yield from (f"{name}.{format_}" for name in NAMES for format_ in FORMATS)
