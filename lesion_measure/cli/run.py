"""``lesion-measure run``: everything, from files to the report."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from lesion_measure.batch import Track
from lesion_measure.batch.garbage import loading
from lesion_measure.batch.late import load_late
from lesion_measure.cli.bars import progress
from lesion_measure.cli.exits import ExitCode, error_document, fail, problem_line
from lesion_measure.cli.options import (
    Backend,
    ConfigFile,
    Device,
    Jobs,
    Log,
    NoPaths,
    Quiet,
    Threads,
    check_calipers,
    check_labs,
    check_subjects,
    read_config,
)
from lesion_measure.cli.pacs.options import check_pacs
from lesion_measure.cli.paths import there
from lesion_measure.cli.speech import Voice, say, voice

if TYPE_CHECKING:
    from lesion_measure.job.request import RunRequest
    from lesion_measure.job.whole import FinishedRun

EXAMPLES = (
    "Examples:\n\n"
    "  lesion-measure run sample_dicoms -o out --model models/liver_us_unet --calipers sample_dicoms/calipers.csv\n\n"
    "  lesion-measure run trial.zip -o out --calipers readers.csv        (calipers only, no network is loaded)\n\n"
    "  lesion-measure run scans -o out --calipers readers.csv --subjects subjects.csv --config nct04406870\n\n"
    "  lesion-measure run pacs:PatientID=SIM-01 -o out --pacs hospital.yaml"
)

PACS_PREFIX = "pacs:"

KEPT = "The same command goes on where this one stopped."

_check_input = there("input", folder=None, remedy="Give a folder, a zip or a DICOM file.")


def _path_or_query(context: typer.Context, value: Path) -> Path:
    """A path that is there, or a query of a PACS, which is none."""
    return value if str(value).startswith(PACS_PREFIX) else _check_input(context, value)


RunInput = Annotated[
    Path,
    typer.Argument(
        metavar="INPUT",
        help="A folder (nested, with zips), a zip or a DICOM file; with --pacs a query (lesion-measure help pacs).",
        callback=_path_or_query,
    ),
]
Out = Annotated[Path, typer.Option("-o", "--out", help="Folder for the results.", file_okay=False)]
RunPacs = Annotated[
    Path | None,
    typer.Option(
        "--pacs", metavar="FILE", help="Settings of the PACS that pacs:QUERY asks, YAML; it is fetched into OUT.pacs.",
        callback=check_pacs,
    ),
]  # fmt: skip
Manifest = Annotated[
    Path | None,
    typer.Option(
        help="Table that says which file is which visit (lesion-measure help visits).",
        callback=there("manifest", remedy="'lesion-measure help visits' describes it."),
    ),
]
Calipers = Annotated[
    Path | None,
    typer.Option(
        help="Readers' calipers: table, JSON, DICOM object (SR, PR, SEG), or a folder of them (lesion-measure help "
        "calipers). With --model they prompt the network.",
        callback=check_calipers,
    ),
]
Subjects = Annotated[
    Path | None,
    typer.Option(
        help="Table of ages, forms, exclusions and readers' statements (lesion-measure help protocol): entry criteria.",
        callback=check_subjects,
    ),
]
Labs = Annotated[
    Path | None,
    typer.Option(help="AFP, PIVKA-II for the trial's answer: table (lesion-measure help cohort).", callback=check_labs),
]
Model = Annotated[
    Path | None,
    typer.Option(help="Model bundle. Default: the shipped one, or none where --calipers is given without --model."),
]
Overwrite = Annotated[
    bool,
    typer.Option(
        "--overwrite", help="Replace the results of an earlier run; unchanged children are not measured again."
    ),
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="Measure on a Dask cluster, such as tcp://10.0.0.1:8786 (lesion-measure help batch).",
    ),
]
WorkerWait = Annotated[
    float,
    typer.Option(
        metavar="SECONDS", min=1, help="How long a run on a cluster waits for a worker where none is left.",
    ),
]  # fmt: skip
Fresh = Annotated[
    bool,
    typer.Option("--fresh", help="Measure every child anew, also those of whom an earlier run here left the same."),
]
Dicom = Annotated[
    bool,
    typer.Option("--dicom", help="Write the results as DICOM, too: SEG and SR (lesion-measure help dicom_objects)."),
]
SingleFile = Annotated[
    bool | None,
    typer.Option(
        "--single-file/--pages",
        help="report.html holds every child and picture, or links to a page of each. Default: one file up to 12 "
        "children.",
        show_default=False,
    ),
]
RunJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output, and nothing else.")]


def run(
    input_: RunInput,
    out: Out,
    config: ConfigFile = None,
    manifest: Manifest = None,
    calipers: Calipers = None,
    subjects: Subjects = None,
    labs: Labs = None,
    model: Model = None,
    pacs: RunPacs = None,
    device: Device = "cpu",
    backend: Backend = "auto",
    threads: Threads = None,
    jobs: Jobs = None,
    scheduler: Scheduler = None,
    worker_wait: WorkerWait = 300,
    overwrite: Overwrite = False,
    fresh: Fresh = False,
    dicom: Dicom = False,
    single_file: SingleFile = None,
    json_: RunJson = False,
    quiet: Quiet = False,
    log: Log = None,
    no_paths: NoPaths = False,
) -> None:
    """Measure every lesion, compare baseline with 1 month, write the report.

    Tables are CSV, other text or Excel workbooks (lesion-measure help tables). A run that was interrupted goes on where
    it stopped when the same command is given again. Exit codes: 0 everything was measured; 1 nothing could be; 2 not
    understood; 3 something was refused or needs review; 4 disk, permission or another run in the folder; 130
    interrupted.
    """
    from lesion_measure.job.server import begin_processes

    begin_processes(jobs, scheduler)  # before this process loads what takes as long in the server
    from lesion_measure.errors import LesionMeasureError
    from lesion_measure.job.nameless import without_names
    from lesion_measure.job.request import RunRequest

    try:
        with voice(quiet=quiet, only_json=json_, log=log) as speaker:
            source = str(input_) if str(input_).startswith(PACS_PREFIX) else ""
            settings = read_config(config)
            scans = _fetched(source, pacs, out, speaker) if source else input_
            request = RunRequest(
                input=scans, source=source, pacs=pacs, out=out, config=settings, config_file=config, manifest=manifest,
                calipers=calipers, subjects=subjects, labs=labs, model=model, device=device, backend=backend,
                threads=threads, jobs=jobs, scheduler=scheduler, worker_wait_s=worker_wait, overwrite=overwrite,
                fresh=fresh, no_paths=no_paths, dicom=dicom, single_file=single_file,
            )  # fmt: skip
            _run(_with_readings(request, speaker), speaker, json_)
    except LesionMeasureError as error:
        if no_paths:
            without_names(error, (input_, out, config, manifest, calipers, subjects, labs))
        if json_:
            say(json.dumps(error_document(error), indent=2, ensure_ascii=False))
        fail(error)


def _with_readings(request: RunRequest, speaker: Voice) -> RunRequest:
    """The request with the signed readings of the results folder, if there are any; it says so."""
    from lesion_measure.job.readings import readings_file, with_readings

    taken = with_readings(request)
    if taken.readings is not None:
        speaker.say("Readings      those signed in the reading room are taken (review/calipers.csv)")
    elif readings_file(request.out).is_file():
        speaker.note("Readings that were signed in the reading room are not used: --calipers is given.")
    return taken


def _fetched(source: str, pacs: Path | None, out: Path, speaker: Voice) -> Path:
    """The folder into which a query was fetched, beside the results.

    Raises
    ------
    LesionMeasureError
        The query, the settings or the PACS; nothing has been measured.
    """
    from lesion_measure.pacs.source import fetched

    if pacs is None:
        raise typer.BadParameter("pacs:QUERY needs the settings of a PACS", param_hint="--pacs")
    with progress(speaker.note, unit="objects", bar=not (speaker.quiet or speaker.logged)) as track:
        return fetched(source, pacs, out.with_name(f"{out.name}.pacs"), track)


def _run(request: RunRequest, speaker: Voice, as_json: bool) -> NoReturn:
    """Run, and say what came of it.

    Raises
    ------
    typer.Exit
        Always, unless a `LesionMeasureError` goes to whoever called.
    KeyboardInterrupt
        Ctrl-C, with what is kept and how to go on.
    """
    with loading():
        load_late()
        from lesion_measure.errors import LesionMeasureError, WriteError
        from lesion_measure.job.nameless import without_names
        from lesion_measure.job.outcome import outcome
        from lesion_measure.pipeline import run as run_pipeline

    standing = _Standing()
    try:
        with progress(speaker.note, bar=not (speaker.quiet or speaker.logged)) as track:
            result = run_pipeline(request, standing.seen_by(track))
    except KeyboardInterrupt:
        kept = _kept(request, standing)
        speaker.log(f"lesion-measure: Interrupted. {kept}")
        raise KeyboardInterrupt(kept) from None
    except LesionMeasureError as error:
        if request.no_paths:
            given = (request.input, request.out, request.config_file, request.manifest, request.calipers,
                     request.subjects, request.labs)  # fmt: skip
            without_names(error, given)
        speaker.log(f"lesion-measure: {error}")
        if isinstance(error, WriteError) and standing.total:
            speaker.error(_kept(request, standing))
        raise
    _say(result, request, speaker)
    code = ExitCode[outcome(result)]
    if as_json:
        say(json.dumps(_summary(result, request, code), indent=2, allow_nan=False, ensure_ascii=False))
    raise typer.Exit(code)


@dataclass(slots=True)
class _Standing:
    """How many images are done, for whoever interrupts."""

    done: int = 0
    total: int = 0

    def seen_by(self, track: Track) -> Track:
        """Progress that is noted here on its way."""

        def note(what: str, done: int, total: int) -> None:
            self.done, self.total = done, total
            track(what, done, total)

        return note


def _kept(request: RunRequest, standing: _Standing) -> str:
    """What an unfinished run leaves behind, and how it goes on."""
    from lesion_measure.image.outlines import kept_outlines
    from lesion_measure.job.kept import kept_names
    from lesion_measure.report.words import plural

    measured = f"{standing.done} of {standing.total} images were measured"
    children, outlines = len(kept_names(request.out)), kept_outlines(request.out)
    kept = [plural(children, "child", "children")] if children else []
    kept += [f"{plural(outlines, 'outline')} of the network"] if outlines else []
    if not kept:
        return f"{measured}; nothing is kept, and the same command begins anew."
    verb = "is" if children + outlines == 1 else "are"
    return f"{measured}; {' and '.join(kept)} {verb} kept in {request.out}. The same command goes on from there."


def _say(result: FinishedRun, request: RunRequest, speaker: Voice) -> None:
    """Problems and warnings on standard error; the results, and where to read them, on standard output."""
    from lesion_measure.job.outcome import problems
    from lesion_measure.report import summary_lines

    for refusal in problems(result):
        speaker.note(problem_line(refusal))
    for line in _warnings(result, request):
        speaker.note(line)
    for line in summary_lines(result.overview, request.config.comparison.primary_metric):
        speaker.say(line)
    for line in _reused(result):
        speaker.say(line)
    if request.dicom:
        from lesion_measure.job.object_folder import object_lines

        for line in object_lines(request.out, no_paths=request.no_paths):
            speaker.say(line)
    for name, page in _pages(request).items():
        speaker.say(f"{name.capitalize()}: {page}")


def _reused(result: FinishedRun) -> Iterator[str]:
    """What an earlier run of the folder left that is the same now."""
    children, outlines = result.provenance.children, result.provenance.outlines
    if children["reused"]:
        yield f"Reused        {children['reused']} of {len(result.rows)} children from an earlier run here"
    if outlines["reused"]:
        made = outlines["made"]
        yield f"Reused        {outlines['reused']} outlines of the network from an earlier run here, {made} made now"


def _warnings(result: FinishedRun, request: RunRequest) -> list[str]:
    lines = [f"{subject.subject}: warning: {text}." for subject in result.rows for text in subject.warnings]
    warning = request.config.uncertainty.repeatability.warning
    return [*lines, *([f"Warning: {warning}"] if warning else [])]


def _pages(request: RunRequest) -> dict[str, str]:
    pages = {"report": request.out / "report.html", "cohort": request.out / "cohort" / "cohort.html"}
    return {
        name: str(page.relative_to(request.out) if request.no_paths else page)
        for name, page in pages.items()
        if page.is_file()
    }


def _summary(result: FinishedRun, request: RunRequest, code: ExitCode) -> dict[str, Any]:
    """The run as one object, for a program that called this one; 'lesion-measure help results' describes it."""
    from lesion_measure.job.outcome import problems
    from lesion_measure.report.overview import count, response_counts
    from lesion_measure.results import document

    return {
        "outcome": code.name.lower(),
        "exit_code": int(code),
        "out": "OUT" if request.no_paths else str(request.out),
        "pages": _pages(request),
        "counts": asdict(count(result.overview, request.config.comparison.primary_metric)),
        "responses": {name: {"subjects": n, "certain": sure} for name, n, sure in response_counts(result.overview)},
        "children": result.provenance.children,
        "outlines": result.provenance.outlines,
        "seconds": result.provenance.seconds,
        "problems": [document(refusal) for refusal in problems(result)],
        "warnings": _warnings(result, request),
    }
