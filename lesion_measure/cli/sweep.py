"""``lesion-measure sweep``: trainings over a grid of settings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lesion_measure.cli.exits import ExitCode, fail
from lesion_measure.cli.options import LesionLabel, LinksWithin
from lesion_measure.cli.speech import say
from lesion_measure.cli.train import Changes, Data, TrainConfigFile, TrainDevice

EXAMPLES = (
    "Examples:\n\n"
    "  lesion-measure sweep data/BUSI -o sweeps/rate --config my.yaml "
    "--grid automatic.pretrain.learning_rate=[0.001,0.003] --grid seed=[1,2,3] --jobs 2\n\n"
    "  lesion-measure sweep data/BUSI -o sweeps/curve --config my.yaml --grid split.groups=[50,100,200]"
)

KEPT = "The same command goes on: finished trainings stay, the others go on after their last whole epoch."

Out = Annotated[Path, typer.Option("-o", "--out", help="Folder of the trainings and their table.", file_okay=False)]
Grid = Annotated[
    list[str],
    typer.Option("--grid", metavar="KEY=[VALUES]", help="Values of one setting, a YAML list; may be repeated."),
]
Jobs = Annotated[int, typer.Option("--jobs", "-j", min=1, max=64, help="Trainings beside each other.")]


def sweep(
    out: Out,
    grid: Grid,
    data: Data = None,
    config: TrainConfigFile = None,
    set_: Changes = None,
    lesion_label: LesionLabel = None,
    links_within: LinksWithin = None,
    jobs: Jobs = 1,
    device: TrainDevice = "cpu",
) -> None:
    """Train every combination of the values given, each in a process, and write a table of them (sweep.csv).

    With split.groups it is a learning curve. Exit code 3: some trainings failed.
    """
    from lesion_measure.config import listed
    from lesion_measure.errors import LesionMeasureError
    from lesion_measure.lab.training.sweep import TABLE, SweepRequest
    from lesion_measure.lab.training.sweep import sweep as train_all

    try:
        swept = dict(map(listed, grid))
        more = ["--device", device, *(word for label in lesion_label or () for word in ("--lesion-label", label))]
        request = SweepRequest(data or [], out, config, swept, set_ or (), more, jobs, links_within)
        failed = train_all(request, lambda line: typer.echo(line, err=True))
    except LesionMeasureError as error:
        fail(error)
    say(f"Table: {out / TABLE}")
    if failed:
        raise typer.Exit(ExitCode.NEEDS_REVIEW)
