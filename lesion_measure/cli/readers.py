"""``lesion-measure readers``: how well two raters agree."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from lesion_measure.cli.exits import fail
from lesion_measure.cli.options import AsJson, BootstrapSeed, check_results
from lesion_measure.cli.speech import say

EXAMPLES = (
    "Examples:\n\n  lesion-measure readers out_reader1 out_reader2\n\n"
    "  lesion-measure readers out -o agreement        (one folder: reader and model measured the same lesions)\n\n"
    "  lesion-measure readers out_reader1 out_model --json > agreement.json"
)

First = Annotated[Path, typer.Argument(metavar="A", help="Results folder of a finished run.", callback=check_results)]
Second = Annotated[
    Path | None, typer.Argument(metavar="[B]", help="Another one, of the same images.", callback=check_results)
]
Out = Annotated[
    Path | None,
    typer.Option("-o", "--out", help="Folder for readers.html, repeatability.yaml and tables.", file_okay=False),
]


def readers(
    first: First, second: Second = None, out: Out = None, seed: BootstrapSeed = 1, json_: AsJson = False
) -> None:
    """Say how well two raters agree who measured the same lesions: bias, limits of agreement, ICC, repeatability.

    The last lines can be put into a configuration file, so that the error bars rest on the trial's own readers.
    """
    from lesion_measure.cohort.command import compare_readers, reader_lines
    from lesion_measure.errors import LesionMeasureError

    try:
        compared = compare_readers(first, second, seed=seed, out=out)
    except LesionMeasureError as error:
        fail(error)
    if json_:
        say(json.dumps(compared.document, indent=2, allow_nan=False, ensure_ascii=False))
        return
    for line in reader_lines(compared):
        say(line)
    if out is not None:
        say(f"Page: {out / 'readers.html'}")
