"""``lesion-measure data``: what training would learn from data folders."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from lesion_measure.cli.exits import fail
from lesion_measure.cli.options import AsJson, LesionLabel, check_data
from lesion_measure.cli.speech import say

EXAMPLES = (
    "Examples:\n\n  lesion-measure data downloads/AUL -o sheets\n\n"
    "  lesion-measure data data/BUSI data/AUL --json > data.json"
)

KEPT = "Sheets that are written already stay; the same command begins anew."

Folders = Annotated[
    list[Path], typer.Argument(metavar="DATA", help="Folders of pictures with outlines.", callback=check_data)
]

Out = Annotated[
    Path | None,
    typer.Option(
        "-o", "--out", help="Folder for SET.png: pictures with outlines, worst-looking first.", file_okay=False
    ),
]


def data(folders: Folders, out: Out = None, lesion_label: LesionLabel = None, json_: AsJson = False) -> None:
    """Say what training would learn from data folders: layout, pictures, groups, lesion sizes, near-duplicates.

    Every layout that is read is drawn in 'lesion-measure help datasets'.
    """
    from lesion_measure.errors import LesionMeasureError
    from lesion_measure.lab.datasets import data_summary, write_sheets

    try:
        summary = data_summary(folders, lesion_label or ())
        sheets = [] if out is None else write_sheets(summary.pictures, out)
    except LesionMeasureError as error:
        fail(error)
    if json_:
        say(json.dumps(summary.as_json(), indent=2, allow_nan=False))
    else:
        say(summary.text())
        for path in sheets:
            say(f"Pictures with their outlines, worst-looking first: {path}")
