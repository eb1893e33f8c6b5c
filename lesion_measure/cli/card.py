"""``lesion-measure card``: the figures of a model card, measured again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lesion_measure.cli.bars import progress
from lesion_measure.cli.exits import ExitCode, fail
from lesion_measure.cli.options import Backend, Device, EvaluationJobs, LesionLabel, LinksWithin, Threads, check_data
from lesion_measure.cli.speech import say

EXAMPLES = (
    "Examples:\n\n  lesion-measure card data/AUL data/BUSI --check\n\n"
    "  lesion-measure card data/AUL --model models/mine --against models/liver_us_unet > figures.md"
)

Data = Annotated[list[Path], typer.Argument(help="The folders that the bundle was made from.", callback=check_data)]
Model = Annotated[Path | None, typer.Option(help="Model bundle. Default: the shipped one.")]
Against = Annotated[Path | None, typer.Option(help="The bundle that the card compares it with.")]
Check = Annotated[
    bool, typer.Option("--check", help="Name the lines that differ from the card; exit code 1 where some do.")
]


def card(
    data: Data,
    model: Model = None,
    against: Against = None,
    check: Check = False,
    lesion_label: LesionLabel = None,
    links_within: LinksWithin = None,
    device: Device = "cpu",
    backend: Backend = "auto",
    threads: Threads = None,
    jobs: EvaluationJobs = 1,
) -> None:
    """Print the tables of a model card anew, measured on the pictures that its bundle lists as held back.

    Where data and program are the same, so is each figure to its last digit (lesion-measure help models).
    """
    from lesion_measure.errors import LesionMeasureError
    from lesion_measure.lab.training.reprint import ReprintRequest, reprint

    try:
        request = ReprintRequest(
            data=tuple(data), model=model, against=against, device=device, backend=backend, threads=threads, jobs=jobs,
            lesion_labels=tuple(lesion_label or ()), links=links_within,
        )  # fmt: skip
        with progress() as track:
            found = reprint(request, track)
    except LesionMeasureError as error:
        fail(error)
    say(found.text)
    if check:
        for line in found.differing:
            typer.echo(f"lesion-measure: not in the card: {line}", err=True)
        typer.echo(f"{len(found.differing)} lines differ from the card.", err=True)
        if found.differing:
            raise typer.Exit(ExitCode.NOTHING_MEASURED)
