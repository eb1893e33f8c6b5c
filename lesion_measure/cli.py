"""Command line: arguments -> pipeline -> exit code.

Exit codes: 0 everything was measured; 1 nothing could be measured; 2 the command was not understood (wrong argument,
setting, manifest, caliper file or model); 3 some images or lesions were refused or need review.

Heavy modules are imported inside the commands, so that ``--help`` and shell completion answer at once.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from lesion_measure.config import Config
    from lesion_measure.errors import LesionMeasureError
    from lesion_measure.records import Calibration, Refusal


class ExitCode(IntEnum):
    """What the caller's shell script sees."""

    MEASURED = 0
    NOTHING_MEASURED = 1
    USAGE = 2
    NEEDS_REVIEW = 3


app = typer.Typer(
    name="lesion-measure",
    help="Measure liver lesions in DICOM ultrasound and say, with error bars, whether they shrank.\n\n"
    "Research use only; not a medical device.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


Input = Annotated[
    Path, typer.Argument(metavar="INPUT", help="A folder (nested, with zips), a zip or a DICOM file.", exists=True)
]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", help="Settings (YAML); see docs/settings.md.", exists=True, dir_okay=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def _version(wanted: bool) -> None:
    if wanted:
        from lesion_measure import __version__

        typer.echo(f"lesion-measure {__version__}")
        raise typer.Exit


@app.callback()
def _global_options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Global options; they act in their callbacks."""


@app.command(
    epilog="Examples:\n\n"
    "  lesion-measure run sample_dicoms -o out --model models/liver_us_unet --calipers sample_dicoms/calipers.csv\n\n"
    "  lesion-measure run trial.zip -o out --calipers readers.csv        (calipers only, no network is loaded)\n\n"
    "  lesion-measure run scans -o out --manifest visits.csv --config configs/default.yaml"
)
def run(
    input_: Input,
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the results.", file_okay=False)],
    config: ConfigFile = None,
    manifest: Annotated[
        Path | None,
        typer.Option(help="CSV that says which file is which visit (docs/visits.md).", exists=True, dir_okay=False),
    ] = None,
    calipers: Annotated[
        Path | None,
        typer.Option(help="Readers' calipers, CSV or JSON (docs/calipers.md).", exists=True, dir_okay=False),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(help="Model bundle. Default: the shipped one, or none where --calipers is given without --model."),
    ] = None,
    device: Annotated[str, typer.Option(help="Where the network runs: cpu, cuda, cuda:0, mps.")] = "cpu",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the results of an earlier run.")] = False,
) -> None:
    """Measure every lesion, compare baseline with 1 month, write the report.

    A run that was interrupted goes on where it stopped when the same command is given again.
    """
    from lesion_measure.errors import LesionMeasureError
    from lesion_measure.pipeline import Request, outcome, problems
    from lesion_measure.pipeline import run as run_pipeline
    from lesion_measure.report import summary_lines

    try:
        request = Request(
            input=input_, out=out, config=_config(config), manifest=manifest, calipers=calipers, model=model,
            device=device, overwrite=overwrite,
        )  # fmt: skip
        with _progress() as track:
            result = run_pipeline(request, track)
    except LesionMeasureError as error:
        _fail(error)
    for refusal in problems(result):
        typer.echo(_problem(refusal), err=True)
    for line in summary_lines(result):
        typer.echo(line)
    typer.echo(f"Report: {out / 'report.html'}")
    raise typer.Exit(ExitCode[outcome(result)])


@app.command(
    epilog="Examples:\n\n  lesion-measure inspect sample_dicoms\n\n"
    "  lesion-measure inspect scans.zip --json > files.json"
)
def inspect(input_: Input, json_: AsJson = False, config: ConfigFile = None) -> None:
    """Say what is in here: studies, visits, frames, and mm per pixel or why not."""
    from lesion_measure.errors import LesionMeasureError
    from lesion_measure.inventory import take_inventory

    try:
        inventory = take_inventory(input_, _config(config))
    except LesionMeasureError as error:
        _fail(error)
    if json_:
        typer.echo(json.dumps(inventory.as_json(), indent=2, allow_nan=False))
    else:
        for line in inventory.lines():
            typer.echo(line)


@app.command(
    epilog="Examples:\n\n  lesion-measure ruler image.dcm --from 629.5,319.5 --to 689.5,435.5\n\n"
    "  lesion-measure ruler cine.dcm --frame 12 --from 100,80 --to 160,80 --json"
)
def ruler(
    file: Annotated[Path, typer.Argument(help="One DICOM image.", exists=True, dir_okay=False)],
    from_: Annotated[str, typer.Option("--from", metavar="COL,ROW", help="First point, in pixels from 0,0.")],
    to: Annotated[str, typer.Option("--to", metavar="COL,ROW", help="Second point.")],
    frame: Annotated[int, typer.Option(min=1, help="Frame number, the first is 1.")] = 1,
    json_: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Measure one distance in mm on one image, or say why it cannot be measured (exit code 3)."""
    from lesion_measure.errors import LesionMeasureError
    from lesion_measure.inventory import measure_distance

    start, end = _point(from_, "--from"), _point(to, "--to")
    try:
        length_mm, calibration = measure_distance(file, start, end, frame=frame, config=_config(config))
    except LesionMeasureError as error:
        _fail(error)
    if json_:
        typer.echo(json.dumps(_ruler_json(length_mm, calibration), allow_nan=False))
    elif calibration.refusal:
        typer.echo(_problem(calibration.refusal), err=True)
    else:
        typer.echo(f"{length_mm:.2f} mm ({calibration.source})")
    raise typer.Exit(ExitCode.NEEDS_REVIEW if length_mm is None else ExitCode.MEASURED)


@app.command(
    epilog="Example:\n\n  lesion-measure simulate trial --subjects 36 --seed 1\n\n"
    "  lesion-measure run trial -o out --calipers trial/calipers.csv"
)
def simulate(
    out: Annotated[Path, typer.Argument(help="Folder for the studies, truth.csv, calipers.csv and visits.csv.")],
    subjects: Annotated[int, typer.Option(min=1, max=10_000, help="Number of children.")],
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same files.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier simulation.")] = False,
) -> None:
    """Write simulated DICOM studies whose true sizes are known (truth.csv)."""
    from lesion_measure.errors import LesionMeasureError
    from lesion_measure.phantom import simulate_trial

    try:
        with _progress() as track:
            simulate_trial(
                out, subjects=subjects, seed=seed, overwrite=overwrite,
                progress=lambda done, total: track("simulating", done, total),
            )  # fmt: skip
    except LesionMeasureError as error:
        _fail(error)
    typer.echo(f"{subjects} simulated subjects in {out}; truth in {out / 'truth.csv'}")


@app.command(
    epilog="Examples:\n\n  lesion-measure train data/BUSI data/AUL -o models/mine --config configs/train.yaml\n\n"
    "  lesion-measure train data/BUSI data/AUL -o models/mine --config configs/train.yaml --resume"
)
def train(
    data: Annotated[list[Path], typer.Argument(help="Folders with images/, masks/ and index.csv.", exists=True)],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the new model bundle.", file_okay=False)],
    config: Annotated[
        Path | None, typer.Option("--config", help="Training settings (YAML).", exists=True, dir_okay=False)
    ] = None,
    start: Annotated[
        Path | None, typer.Option("--from", help="Bundle whose weights to start from.", exists=True, file_okay=False)
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")] = False,
) -> None:
    """Train the network on pictures with outlines and on simulated ones, and write a model bundle."""
    from lesion_measure.errors import LesionMeasureError
    from lesion_measure.training import TrainSettings
    from lesion_measure.training import train as train_bundle

    try:
        settings = TrainSettings() if config is None else TrainSettings.from_yaml(config)
        train_bundle(data, out, settings, resume=resume, start=start, progress=lambda line: typer.echo(line, err=True))
    except LesionMeasureError as error:
        _fail(error)
    typer.echo(f"New model: {out}; its figures are in {out / 'docs' / 'README.md'}")


def _config(path: Path | None) -> Config:
    from lesion_measure.config import Config

    return Config() if path is None else Config.from_yaml(path)


def _point(text: str, option: str) -> tuple[float, float]:
    """``COL,ROW`` -> (row, column)."""
    try:
        col, row = (float(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter("give two numbers, COL,ROW, such as 120.5,88", param_hint=option) from None
    if not (math.isfinite(row) and math.isfinite(col)):
        raise typer.BadParameter("the coordinates must be finite", param_hint=option)
    return row, col


def _ruler_json(length_mm: float | None, calibration: Calibration) -> dict[str, Any]:
    refusal = calibration.refusal
    return {
        "length_mm": length_mm,
        "spacing_mm": None if length_mm is None else calibration.spacing_mm,
        "source": None if length_mm is None else calibration.source,
        "refusal": None
        if refusal is None
        else {"code": refusal.code, "reason": refusal.reason, "remedy": refusal.remedy},
    }


def _problem(refusal: Refusal) -> str:
    known = (refusal.subject, refusal.visit and refusal.visit.replace("_", " "), refusal.path)
    where = ", ".join(word for word in known if word)
    return f"{where}: {refusal.reason} {refusal.remedy}".rstrip()


def _fail(error: LesionMeasureError) -> NoReturn:
    from lesion_measure.errors import ConfigError, InputError, ModelError, OutputError, TableError

    typer.echo(f"lesion-measure: {error}", err=True)
    usage = isinstance(error, (ConfigError, ModelError, OutputError, TableError))
    nothing = isinstance(error, InputError) and not usage
    raise typer.Exit(ExitCode.NOTHING_MEASURED if nothing else ExitCode.USAGE)


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar on standard error, quiet where that is no terminal; yields ``track(what, done, total)``."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as bars:
        tasks: dict[str, Any] = {}

        def track(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done, total=total)

        yield track


def main() -> None:
    """Entry point of the ``lesion-measure`` command."""
    app()
