"""Command line: arguments -> pipeline -> exit code.

Exit codes: 0 everything was measured; 1 nothing could be measured; 2 the command was not understood (wrong argument,
setting, manifest, caliper file or model); 3 some images or lesions were refused or need review; 130 a training was
interrupted.

Heavy modules are imported inside the commands, so that ``--help`` and shell completion answer at once.
"""

from __future__ import annotations

import difflib
import itertools
import json
import math
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from lesion_measure.bars import progress, training_progress

if TYPE_CHECKING:
    from lesion_measure.config import Config
    from lesion_measure.errors import LesionMeasureError
    from lesion_measure.evaluation import Placement
    from lesion_measure.records import Calibration, Refusal


RUN_FIRST = "'lesion-measure run' makes one."
MOST_NEIGHBOURS = 2000
"""Files of a folder among which a name like the one that is missing is looked for."""


class ExitCode(IntEnum):
    """What the caller's shell script sees."""

    MEASURED = 0
    NOTHING_MEASURED = 1
    USAGE = 2
    NEEDS_REVIEW = 3
    INTERRUPTED = 130


class TrainedNetwork(StrEnum):
    """What ``train --only`` takes."""

    automatic = "automatic"
    prompted = "prompted"


def _there(what: str, *, folder: bool | None = False, remedy: str = "") -> Any:
    """A callback that refuses a path which is not there, in our own words; for one path, none, or a list of them.

    Parameters
    ----------
    what
        What it should be, such as ``"caliper file"``.
    folder
        Whether that is a folder; None: a file or a folder.
    remedy
        Where to read about it.
    """

    def check(context: typer.Context, value: Path | list[Path] | None) -> Path | list[Path] | None:
        if not context.resilient_parsing:  # which is how the shell completes a command that is not written yet
            for path in value if isinstance(value, list) else [value] if value is not None else []:
                if complaint := _not_there(path, what, folder):
                    typer.echo(f"lesion-measure: {path}: {complaint} {remedy}".rstrip(), err=True)
                    raise typer.Exit(ExitCode.USAGE)
        return value

    return check


def _not_there(path: Path, what: str, folder: bool | None) -> str:
    """Why a path is not what it should be, with the nearest name in its folder; empty where it is."""
    if path.exists():
        if folder is None or path.is_dir() is folder:
            return ""
        return (
            f"This is a {'file' if folder else 'folder'}, and the {what} should be a {'folder' if folder else 'file'}."
        )
    parent = path.parent
    if not parent.is_dir():
        return f"There is no such {what}, and no folder '{parent}'. Check the path."
    names = sorted(entry.name for entry in itertools.islice(parent.iterdir(), MOST_NEIGHBOURS))
    near = difflib.get_close_matches(path.name, names, n=1)
    return f"There is no such {what}. " + (f"Did you mean '{parent / near[0]}'?" if near else "Check the path.")


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
    Path,
    typer.Argument(
        metavar="INPUT",
        help="A folder (nested, with zips), a zip or a DICOM file.",
        callback=_there("input", folder=None, remedy="Give a folder, a zip or a DICOM file."),
    ),
]
ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help="Settings (YAML); see docs/settings.md.",
        callback=_there("configuration file", remedy="Start from configs/default.yaml."),
    ),
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
    "  lesion-measure run scans -o out --calipers readers.csv --subjects subjects.csv --config configs/nct04406870.yaml"
)
def run(
    input_: Input,
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the results.", file_okay=False)],
    config: ConfigFile = None,
    manifest: Annotated[
        Path | None,
        typer.Option(
            help="CSV that says which file is which visit (docs/visits.md).",
            callback=_there("manifest", remedy="docs/visits.md describes it."),
        ),
    ] = None,
    calipers: Annotated[
        Path | None,
        typer.Option(
            help="Readers' calipers, CSV or JSON (docs/calipers.md). With --model they also prompt the network.",
            callback=_there("caliper file", remedy="docs/calipers.md describes it."),
        ),
    ] = None,
    subjects: Annotated[
        Path | None,
        typer.Option(
            help="CSV of ages, forms, exclusions and readers' statements (docs/protocol.md): entry criteria.",
            callback=_there("subjects table", remedy="docs/cohort.md describes it."),
        ),
    ] = None,
    labs: Annotated[
        Path | None,
        typer.Option(
            help="AFP and PIVKA-II for the trial's answer, CSV (docs/cohort.md).",
            callback=_there("laboratory table", remedy="docs/cohort.md describes it."),
        ),
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
            input=input_, out=out, config=_config(config), config_file=config, manifest=manifest, calipers=calipers,
            subjects=subjects, labs=labs, model=model, device=device, overwrite=overwrite,
        )  # fmt: skip
        with progress() as track:
            result = run_pipeline(request, track)
    except LesionMeasureError as error:
        _fail(error)
    for refusal in problems(result):
        typer.echo(_problem(refusal), err=True)
    for subject in result.subjects:
        for warning in subject.warnings:
            typer.echo(f"{subject.subject}: warning: {warning}.", err=True)
    for line in summary_lines(result, request.config.comparison.primary_metric):
        typer.echo(line)
    typer.echo(f"Report: {out / 'report.html'}")
    if (page := out / "cohort" / "cohort.html").is_file():
        typer.echo(f"Cohort: {page}")
    raise typer.Exit(ExitCode[outcome(result)])


@app.command(
    epilog="Examples:\n\n  lesion-measure inspect sample_dicoms\n\n"
    "  lesion-measure inspect scans.zip --json > files.json"
)
def inspect(input_: Input, json_: AsJson = False, config: ConfigFile = None) -> None:
    """Say what is in here: studies, visits, frames, and mm per pixel or why not.

    Exit code 1 where no image has a scale, so that nothing could be measured; else 0, whatever else is refused.
    """
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
    raise typer.Exit(ExitCode.MEASURED if inventory.usable else ExitCode.NOTHING_MEASURED)


@app.command(
    epilog="Examples:\n\n  lesion-measure ruler image.dcm --from 629.5,319.5 --to 689.5,435.5\n\n"
    "  lesion-measure ruler cine.dcm --frame 12 --from 100,80 --to 160,80 --json"
)
def ruler(
    file: Annotated[Path, typer.Argument(help="One DICOM image.", callback=_there("image"))],
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
    "  lesion-measure run trial -o out --calipers trial/calipers.csv --subjects trial/subjects.csv\n\n"
    "  lesion-measure simulate trial --subjects 36 --seed 1 --readers 2 --reader-cv 0.089 --missing 0.08 --excluded 1"
)
def simulate(
    out: Annotated[Path, typer.Argument(help="Folder for the studies, truth.csv and tables for 'run'.")],
    subjects: Annotated[int, typer.Option(min=1, max=10_000, help="Number of children.")],
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same files.")],
    readers: Annotated[int, typer.Option(min=1, max=9, help="Readers: calipers.csv, calipers2.csv and so on.")] = 1,
    reader_cv: Annotated[
        float, typer.Option(min=0, max=0.5, help="Error of a reader's caliper, SD / length, such as 0.089.")
    ] = 0.0,
    missing: Annotated[
        float, typer.Option(min=0, max=1, help="Chance of each child to have no 1-month visit, such as 0.08.")
    ] = 0.0,
    excluded: Annotated[
        int, typer.Option(min=0, help="Number of children that subjects.csv excludes, for a hepatoblastoma.")
    ] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier simulation.")] = False,
) -> None:
    """Write simulated DICOM studies whose true sizes are known (truth.csv), with calipers, visits and subjects."""
    from lesion_measure.errors import LesionMeasureError
    from lesion_measure.phantom import simulate_trial

    if excluded > subjects:
        raise typer.BadParameter(f"give at most the {subjects} of --subjects", param_hint="--excluded")
    try:
        with progress() as track:
            simulate_trial(
                out, subjects=subjects, seed=seed, readers=readers, reader_cv=reader_cv, missing=missing,
                excluded=excluded, overwrite=overwrite,
                progress=lambda done, total: track("simulating", done, total),
            )  # fmt: skip
    except LesionMeasureError as error:
        _fail(error)
    typer.echo(f"{subjects} simulated subjects in {out}; truth in {out / 'truth.csv'}")


@app.command(
    epilog="Examples:\n\n"
    "  lesion-measure train -o models/smoke --config configs/smoke.yaml        (is my set-up right?)\n\n"
    "  lesion-measure train data/BUSI data/AUL -o models/mine --config configs/train.yaml\n\n"
    "  lesion-measure train data/BUSI data/AUL -o models/mine --config configs/train.yaml --resume\n\n"
    "  lesion-measure train data/AUL -o models/mine --config my.yaml --from models/liver_us_unet\n\n"
    "  torchrun --standalone --nproc_per_node=4 -m lesion_measure train data/BUSI -o models/mine --device cuda"
)
def train(
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the new model bundle.", file_okay=False)],
    data: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Folders of pictures with outlines (docs/datasets.md); none: simulated ones.",
            callback=_there("data folder", folder=None, remedy="docs/datasets.md draws the layouts."),
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            help="Settings (YAML); see docs/training_settings.md.",
            callback=_there("configuration file", remedy="Start from configs/train.yaml."),
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on after the last whole epoch of this training.")
    ] = False,
    start: Annotated[
        Path | None,
        typer.Option(
            "--from", help="Bundle whose weights to start from.", callback=_there("model bundle", folder=True)
        ),
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(
            help="Bundle that the model card compares the new one with; else that of --from, or the shipped one.",
            callback=_there("model bundle", folder=True),
        ),
    ] = None,
    only: Annotated[
        TrainedNetwork | None, typer.Option(help="Train one network alone, such as one in each of two terminals.")
    ] = None,
    device: Annotated[str, typer.Option(help="Where to train: cpu, cuda, cuda:0.")] = "cpu",
) -> None:
    """Train the networks on pictures with outlines and on simulated ones, and write a model bundle.

    Ctrl-C stops it (exit code 130); the same command with --resume goes on (docs/training.md).
    """
    from lesion_measure.errors import LesionMeasureError
    from lesion_measure.models import find_model
    from lesion_measure.training import TrainSettings
    from lesion_measure.training import train as train_bundle

    try:
        settings = TrainSettings() if config is None else TrainSettings.from_yaml(config)
        with training_progress() as (say, track):
            written = train_bundle(
                data or [], out, settings, resume=resume, start=start, only=None if only is None else only.value,
                against=against or start or find_model(None), device=device, progress=say, track=track,
            )  # fmt: skip
    except LesionMeasureError as error:
        _fail(error)
    except KeyboardInterrupt:
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    if written:
        typer.echo(f"New model: {out}; its figures are in {out / 'docs' / 'README.md'}")


@app.command(
    epilog="Examples:\n\n  lesion-measure evaluate data/AUL data/BUSI --model models/mine -o evaluation\n\n"
    "  lesion-measure evaluate data/AUL --model models/mine --against models/liver_us_unet -o evaluation\n\n"
    "  lesion-measure evaluate data/AUL --unseen-only --json > figures.json"
)
def evaluate(
    data: Annotated[
        list[Path],
        typer.Argument(
            help="Folders of pictures with outlined lesions.",
            callback=_there("data folder", folder=None, remedy="docs/datasets.md draws the layouts."),
        ),
    ],
    model: Annotated[Path | None, typer.Option(help="Model bundle. Default: the shipped one.")] = None,
    against: Annotated[Path | None, typer.Option(help="Another bundle to compare with, lesion by lesion.")] = None,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="Folder for index.html, evaluation.json and cases.csv.", file_okay=False),
    ] = None,
    json_: AsJson = False,
    seed: Annotated[int, typer.Option(min=0, help="Of the caliper moves and the bootstrap.")] = 1,
    jitter: Annotated[
        float, typer.Option(min=0, max=0.5, help="SD by which caliper ends are moved, in lengths of the caliper.")
    ] = 0.05,
    calipers: Annotated[
        str, typer.Option(metavar="longest|rectangle|moments", help="What the calipers span before they are moved.")
    ] = "longest",
    unseen_only: Annotated[
        bool, typer.Option("--unseen-only", help="Leave out what a bundle says that it was trained on.")
    ] = False,
    device: Annotated[str, typer.Option(help="Where the network runs: cpu, cuda, cuda:0, mps.")] = "cpu",
) -> None:
    """Measure how well a network does on pictures with known lesions, and compare it with another one.

    Evaluating on pictures that a network was trained on flatters it (docs/evaluation.md).
    """
    from lesion_measure.errors import LesionMeasureError
    from lesion_measure.evaluation import Request, as_json, report_lines
    from lesion_measure.evaluation import evaluate as run_evaluation

    try:
        request = Request(
            data=tuple(data), model=model, against=against, out=out, seed=seed, spread=jitter,
            placement=_placement(calipers), unseen_only=unseen_only, device=device,
        )  # fmt: skip
        with progress() as track:
            evaluation = run_evaluation(request, track)
    except LesionMeasureError as error:
        _fail(error)
    for note in evaluation.notes:
        typer.echo(note, err=True)
    if json_:
        typer.echo(json.dumps(as_json(evaluation, cases=False), indent=2, allow_nan=False))
    else:
        for line in report_lines(evaluation):
            typer.echo(line)
        if out is not None:
            typer.echo(f"Page: {out / 'index.html'}")


@app.command(
    epilog="Examples:\n\n  lesion-measure data downloads/AUL\n\n"
    "  lesion-measure data data/BUSI data/AUL --json > data.json"
)
def data(
    folders: Annotated[
        list[Path],
        typer.Argument(
            metavar="DATA",
            help="Folders of pictures with outlines.",
            callback=_there("data folder", folder=None, remedy="docs/datasets.md draws the layouts."),
        ),
    ],
    json_: AsJson = False,
) -> None:
    """Say what training would learn from data folders: layout, pictures, groups, lesion sizes, near-duplicates.

    Every layout that is read is drawn in docs/datasets.md.
    """
    from lesion_measure.datasets import data_summary
    from lesion_measure.errors import LesionMeasureError

    try:
        summary = data_summary(folders)
    except LesionMeasureError as error:
        _fail(error)
    if json_:
        typer.echo(json.dumps(summary.as_json(), indent=2, allow_nan=False))
    else:
        typer.echo(summary.text())


@app.command(
    name="export",
    epilog="Examples:\n\n  lesion-measure export out --study NCT04406870\n\n"
    "  lesion-measure export out --study NCT04406870 --labs labs.csv --format xpt,json\n\n"
    "  lesion-measure export out --study NCT04406870 --independent",
)
def export_datasets(
    out: Annotated[
        Path,
        typer.Argument(
            metavar="OUT",
            help="Results folder of a finished run.",
            callback=_there("results folder", folder=True, remedy=RUN_FIRST),
        ),
    ],
    study: Annotated[str, typer.Option(metavar="STUDYID", help="The study's identifier; it stands in every record.")],
    subjects: Annotated[
        Path | None,
        typer.Option(
            help="Who is excluded, CSV (docs/cohort.md). Default: the run's.",
            callback=_there("subjects table", remedy="docs/cohort.md describes it."),
        ),
    ] = None,
    labs: Annotated[
        Path | None,
        typer.Option(
            help="Laboratory values, CSV (docs/cdisc.md); they become LB.",
            callback=_there("laboratory table", remedy="docs/cohort.md describes it."),
        ),
    ] = None,
    format_: Annotated[
        str, typer.Option("--format", metavar="xpt,json,csv", help="What to write, separated by commas.")
    ] = "xpt,json,csv",
    independent: Annotated[
        bool, typer.Option("--independent", help="The readers are independent assessors, not investigators.")
    ] = False,
    xpt_encoding: Annotated[
        str, typer.Option("--xpt-encoding", metavar="ascii|utf-8", help="Of texts in SAS transport files.")
    ] = "ascii",
) -> None:
    """Write the measurements as CDISC datasets (SDTM and ADaM) into OUT/cdisc, with a page that describes them.

    SAS transport files (version 5), Dataset-JSON 1.1 and CSV; nothing is measured anew (docs/cdisc.md).
    """
    from lesion_measure.cdisc import Encoding, Evaluator, Request, export
    from lesion_measure.errors import LesionMeasureError

    if xpt_encoding not in list(Encoding):
        raise typer.BadParameter(f"give {' or '.join(Encoding)}", param_hint="--xpt-encoding")

    formats = tuple(dict.fromkeys(word.strip().lower() for word in format_.split(",") if word.strip()))
    people = Evaluator.INDEPENDENT if independent else Evaluator.INVESTIGATOR
    try:
        written = export(
            Request(
                out=out, study=study, subjects=subjects, labs=labs, formats=formats, people=people,
                encoding=Encoding(xpt_encoding),
            )
        )  # fmt: skip
    except LesionMeasureError as error:
        _fail(error)
    for note in written.notes:
        typer.echo(f"lesion-measure: {note}", err=True)
    for dataset in written.datasets:
        records = f"{len(dataset.rows)} record" + ("" if len(dataset.rows) == 1 else "s")
        typer.echo(f"{dataset.name:8} {records:>14}  {dataset.label}")
    typer.echo(f"Described in {written.page}")


@app.command(
    epilog="Examples:\n\n  lesion-measure cohort out\n\n"
    "  lesion-measure cohort out --subjects subjects.csv --labs labs.csv\n\n"
    "  lesion-measure cohort out --historical-rate 0.5 --json > cohort.json"
)
def cohort(
    out: Annotated[
        Path,
        typer.Argument(
            metavar="OUT",
            help="Results folder of a finished run.",
            callback=_there("results folder", folder=True, remedy=RUN_FIRST),
        ),
    ],
    subjects: Annotated[
        Path | None,
        typer.Option(
            help="Age, form and exclusions, CSV (docs/cohort.md). Default: the run's.",
            callback=_there("subjects table", remedy="docs/cohort.md describes it."),
        ),
    ] = None,
    labs: Annotated[
        Path | None,
        typer.Option(
            help="AFP and PIVKA-II, CSV (docs/cohort.md).",
            callback=_there("laboratory table", remedy="docs/cohort.md describes it."),
        ),
    ] = None,
    historical_rate: Annotated[
        float | None,
        typer.Option(help="Rate of responders to compare with, such as 0.577. Default: that of the run's settings."),
    ] = None,
    age_groups: Annotated[
        str | None,
        typer.Option(metavar="MONTHS", help="Ages that divide the age groups, such as 6,14. Default: the run's."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the bootstrap.")] = 1,
    json_: AsJson = False,
) -> None:
    """Give the trial's answer from a run's results: change, responders, and how sure both are, into OUT/cohort.

    Nothing is measured anew (docs/cohort.md).
    """
    from lesion_measure.cohort.command import Request, age_splits, run_cohort, summary_lines
    from lesion_measure.errors import LesionMeasureError

    splits = None if age_groups is None else age_splits(age_groups)
    if age_groups is not None and splits is None:
        raise typer.BadParameter("give ascending ages in months, such as 6,14", param_hint="--age-groups")
    if historical_rate is not None and not 0 < historical_rate < 1:
        raise typer.BadParameter("give a rate above 0 and below 1, such as 0.577", param_hint="--historical-rate")
    try:
        found, document = run_cohort(
            Request(
                results=out, subjects=subjects, labs=labs, historical_rate=historical_rate, seed=seed,
                age_splits_months=splits,
            )
        )  # fmt: skip
    except LesionMeasureError as error:
        _fail(error)
    if json_:
        typer.echo(json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False))
    else:
        for line in summary_lines(found):
            typer.echo(line)
        typer.echo(f"Page: {out / 'cohort' / 'cohort.html'}")
    raise typer.Exit(ExitCode.MEASURED if found.measured else ExitCode.NOTHING_MEASURED)


@app.command(
    epilog="Examples:\n\n  lesion-measure readers out_reader1 out_reader2\n\n"
    "  lesion-measure readers out -o agreement        (one folder: reader and model measured the same lesions)\n\n"
    "  lesion-measure readers out_reader1 out_model --json > agreement.json"
)
def readers(
    first: Annotated[
        Path,
        typer.Argument(
            metavar="A",
            help="Results folder of a finished run.",
            callback=_there("results folder", folder=True, remedy=RUN_FIRST),
        ),
    ],
    second: Annotated[
        Path | None,
        typer.Argument(
            metavar="[B]",
            help="Another one, of the same images.",
            callback=_there("results folder", folder=True, remedy=RUN_FIRST),
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="Folder for readers.html, repeatability.yaml and tables.", file_okay=False),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the bootstrap.")] = 1,
    json_: AsJson = False,
) -> None:
    """Say how well two raters agree who measured the same lesions: bias, limits of agreement, ICC, repeatability.

    The last lines can be put into a configuration file, so that the error bars rest on the trial's own readers.
    """
    from lesion_measure.cohort.command import compare_readers, reader_lines
    from lesion_measure.errors import LesionMeasureError

    try:
        compared = compare_readers(first, second, seed=seed, out=out)
    except LesionMeasureError as error:
        _fail(error)
    if json_:
        typer.echo(json.dumps(compared.document, indent=2, allow_nan=False, ensure_ascii=False))
        return
    for line in reader_lines(compared):
        typer.echo(line)
    if out is not None:
        typer.echo(f"Page: {out / 'readers.html'}")


@app.command(
    epilog="Examples:\n\n  lesion-measure report out --pdf\n\n  lesion-measure report out --pdf --paper letter",
)
def report(
    out: Annotated[
        Path,
        typer.Argument(
            metavar="OUT",
            help="Results folder of a finished run.",
            callback=_there("results folder", folder=True, remedy=RUN_FIRST),
        ),
    ],
    pdf: Annotated[bool, typer.Option("--pdf", help="Write OUT/report.pdf.")] = False,
    paper: Annotated[str, typer.Option(metavar="a4|letter", help="Size of the sheets.")] = "a4",
) -> None:
    """Set a run's report, and its cohort's page where there is one, on paper as a PDF.

    Needs the package reportlab: pip install 'lesion-measure[pdf]' (docs/results.md).
    """
    from lesion_measure.errors import LesionMeasureError
    from lesion_measure.pdf import write_pdf

    if not pdf:
        raise typer.BadParameter("say what to make: --pdf", param_hint="--pdf")
    try:
        written = write_pdf(out, paper=paper.lower())
    except LesionMeasureError as error:
        _fail(error)
    for note in written.notes:
        typer.echo(f"lesion-measure: {note}", err=True)
    typer.echo(f"PDF: {written.path}")


def _placement(text: str) -> Placement:
    from lesion_measure.evaluation import Placement

    try:
        return Placement(text)
    except ValueError:
        raise typer.BadParameter("give longest, rectangle or moments", param_hint="--calipers") from None


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


def main() -> None:
    """Entry point of the ``lesion-measure`` command."""
    app()
