"""The children's pages put into one document, with their pictures inside: for a report of one file, and for paper."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from markupsafe import Markup

from lesion_measure.errors import InputError
from lesion_measure.files.reading import read_regular
from lesion_measure.report.child import BEGIN, END, FOLDER
from lesion_measure.report.pictures import data_uri

MAX_BYTES = 100_000_000
"""Of one child's page, and of one picture."""
_PICTURE = re.compile(r'(?<=<img src=")[A-Za-z0-9][A-Za-z0-9.-]*/\d+\.jpg(?=")')


def child_sections(out: Path, pages: Iterable[str]) -> Iterator[Markup]:
    """The sections of these children's pages (`ChildRow.page`), one at a time.

    Raises
    ------
    InputError
        A page or a picture is missing, or is none of ours.
    """
    for name in pages:
        text = _read(out / FOLDER / f"{name}.html").decode("utf-8")
        section = text.partition(BEGIN)[2].partition(END)[0]
        if not section:
            raise InputError("The page of a child is none of this program.", code="results", path=f"{name}.html")
        inlined = _PICTURE.sub(lambda found: data_uri(_read(out / FOLDER / found[0])), section)
        yield Markup(inlined)  # noqa: S704  our own page, in which all that came from files is escaped


def _read(path: Path) -> bytes:
    try:
        return read_regular(path, MAX_BYTES)
    except OSError as error:
        raise InputError(
            "A page of the report is missing.", remedy="Run again with --overwrite.", code="results", path=path.name
        ) from error
