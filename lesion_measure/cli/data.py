"""``lesion-measure data``: what training would learn from data folders."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from lesion_measure.cli.exits import fail
from lesion_measure.cli.options import AsJson, LesionLabel, LinksWithin, check_data
from lesion_measure.cli.speech import say

EXAMPLES = (
    "Examples:\n\n  lesion-measure data downloads/AUL -o sheets\n\n"
    "  lesion-measure data data/BUSI data/AUL --json > data.json\n\n"
    "  lesion-measure data data/BUSI --export Dataset101_BUSI --as nnunet"
)

KEPT = "Sheets that are written already stay; the same command begins anew. An export appears when it is complete."


class Form(StrEnum):
    """What data are exported as."""

    NNUNET = "nnunet"
    COCO = "coco"


Folders = Annotated[
    list[Path], typer.Argument(metavar="DATA", help="Folders of pictures with outlines.", callback=check_data)
]

Out = Annotated[
    Path | None,
    typer.Option(
        "-o", "--out", help="Folder for SET.png: pictures with outlines, worst-looking first.", file_okay=False
    ),
]


Export = Annotated[
    Path | None,
    typer.Option(
        "--export", metavar="DIR", help="A new folder that the data are written to, with their split.", file_okay=False
    ),
]
As = Annotated[
    Form, typer.Option("--as", help="What --export writes: nnunet (nnU-Net 2, with splits_final.json) or coco.")
]


def data(
    folders: Folders,
    out: Out = None,
    lesion_label: LesionLabel = None,
    links_within: LinksWithin = None,
    export: Export = None,
    as_: As = Form.NNUNET,
    json_: AsJson = False,
) -> None:
    """Say what training would learn from data folders: layout, pictures, groups, lesion sizes, near-duplicates.

    Every layout that is read is drawn in 'lesion-measure help datasets'.
    """
    from lesion_measure.errors import LesionMeasureError
    from lesion_measure.lab.datasets import data_summary, export_pictures, write_sheets

    try:
        summary = data_summary(folders, lesion_label or (), links_within)
        sheets = [] if out is None else write_sheets(summary.pictures, out)
        told = [] if export is None else export_pictures(summary.pictures, export, as_.value)
    except LesionMeasureError as error:
        fail(error)
    if json_:
        say(json.dumps(summary.as_json(), indent=2, allow_nan=False))
    else:
        say(summary.text())
        for path in sheets:
            say(f"Pictures with their outlines, worst-looking first: {path}")
        for sentence in told:
            say(sentence)
        if export is not None:
            say(f"Written as {as_.value}: {export}")
