"""``lesion-measure run``: everything, from files to the report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lesion_measure.bars import progress
from lesion_measure.cli.exits import ExitCode, fail, problem_line
from lesion_measure.cli.options import ConfigFile, Device, Input, check_labs, check_subjects, read_config
from lesion_measure.cli.paths import there

if TYPE_CHECKING:
    from lesion_measure.pipeline import Request
    from lesion_measure.records import RunResult

EXAMPLES = (
    "Examples:\n\n"
    "  lesion-measure run sample_dicoms -o out --model models/liver_us_unet --calipers sample_dicoms/calipers.csv\n\n"
    "  lesion-measure run trial.zip -o out --calipers readers.csv        (calipers only, no network is loaded)\n\n"
    "  lesion-measure run scans -o out --calipers readers.csv --subjects subjects.csv --config configs/nct04406870.yaml"
)

Out = Annotated[Path, typer.Option("-o", "--out", help="Folder for the results.", file_okay=False)]
Manifest = Annotated[
    Path | None,
    typer.Option(
        help="CSV that says which file is which visit (docs/visits.md).",
        callback=there("manifest", remedy="docs/visits.md describes it."),
    ),
]
Calipers = Annotated[
    Path | None,
    typer.Option(
        help="Readers' calipers, CSV or JSON (docs/calipers.md). With --model they also prompt the network.",
        callback=there("caliper file", remedy="docs/calipers.md describes it."),
    ),
]
Subjects = Annotated[
    Path | None,
    typer.Option(
        help="CSV of ages, forms, exclusions and readers' statements (docs/protocol.md): entry criteria.",
        callback=check_subjects,
    ),
]
Labs = Annotated[
    Path | None,
    typer.Option(help="AFP and PIVKA-II for the trial's answer, CSV (docs/cohort.md).", callback=check_labs),
]
Model = Annotated[
    Path | None,
    typer.Option(help="Model bundle. Default: the shipped one, or none where --calipers is given without --model."),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the results of an earlier run.")]


def run(
    input_: Input,
    out: Out,
    config: ConfigFile = None,
    manifest: Manifest = None,
    calipers: Calipers = None,
    subjects: Subjects = None,
    labs: Labs = None,
    model: Model = None,
    device: Device = "cpu",
    overwrite: Overwrite = False,
) -> None:
    """Measure every lesion, compare baseline with 1 month, write the report.

    A run that was interrupted goes on where it stopped when the same command is given again.
    """
    from lesion_measure.errors import LesionMeasureError
    from lesion_measure.pipeline import Request, outcome
    from lesion_measure.pipeline import run as run_pipeline

    try:
        request = Request(
            input=input_, out=out, config=read_config(config), config_file=config, manifest=manifest,
            calipers=calipers, subjects=subjects, labs=labs, model=model, device=device, overwrite=overwrite,
        )  # fmt: skip
        with progress() as track:
            result = run_pipeline(request, track)
    except LesionMeasureError as error:
        fail(error)
    _say(result, request)
    raise typer.Exit(ExitCode[outcome(result)])


def _say(result: RunResult, request: Request) -> None:
    """Problems and warnings on standard error; the results, and where to read them, on standard output."""
    from lesion_measure.pipeline import problems
    from lesion_measure.report import summary_lines

    for refusal in problems(result):
        typer.echo(problem_line(refusal), err=True)
    for subject in result.subjects:
        for warning in subject.warnings:
            typer.echo(f"{subject.subject}: warning: {warning}.", err=True)
    if warning := request.config.uncertainty.repeatability.warning:
        typer.echo(f"Warning: {warning}", err=True)
    for line in summary_lines(result, request.config.comparison.primary_metric):
        typer.echo(line)
    typer.echo(f"Report: {request.out / 'report.html'}")
    if (page := request.out / "cohort" / "cohort.html").is_file():
        typer.echo(f"Cohort: {page}")
