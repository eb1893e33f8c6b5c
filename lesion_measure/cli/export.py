"""``lesion-measure export``: a run's measurements as CDISC datasets or DICOM objects, and what readers did."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lesion_measure.cli.exits import fail
from lesion_measure.cli.options import Results, check_labs, check_subjects
from lesion_measure.cli.paths import there
from lesion_measure.cli.speech import say

EXAMPLES = (
    "Examples:\n\n  lesion-measure export out --study NCT04406870\n\n"
    "  lesion-measure export out --study NCT04406870 --labs labs.csv --format xpt,json\n\n"
    "  lesion-measure export out --study NCT04406870 --independent\n\n"
    "  lesion-measure export out --dicom --input scans\n\n"
    "  lesion-measure export out --readings --training --input scans"
)

Study = Annotated[
    str | None,
    typer.Option(metavar="STUDYID", help="CDISC datasets: the study's identifier, which stands in every record."),
]
Dicom = Annotated[
    bool,
    typer.Option("--dicom", help="DICOM objects: SEG and SR into OUT/dicom (lesion-measure help dicom_objects)."),
]
Scans = Annotated[
    Path | None,
    typer.Option(
        "--input",
        metavar="INPUT",
        help="With --dicom, --readings, --training: what was measured or read. Default: its name in the run's command, "
        "here or beside OUT.",
        callback=there("input", folder=None, remedy="Give the folder, zip or file that was measured."),
    ),
]
Readings = Annotated[
    bool,
    typer.Option("--readings", help="Signed readings, audit and readers' agreement: tables into OUT/review."),
]
Training = Annotated[
    bool,
    typer.Option(
        "--training",
        help="Readers' outlines, also of SEG and SR, as a set that train takes: OUT/corrections.",
    ),
]
Database = Annotated[
    str | None,
    typer.Option(metavar="URL", help="Database of the readings. Default: the file in OUT/review."),
]
Subjects = Annotated[
    Path | None,
    typer.Option(
        help="Who is excluded: table (lesion-measure help cohort). Default: the run's.", callback=check_subjects
    ),
]
Labs = Annotated[
    Path | None,
    typer.Option(help="Laboratory values: table (lesion-measure help cdisc); they become LB.", callback=check_labs),
]
Formats = Annotated[str, typer.Option("--format", metavar="xpt,json,csv", help="What to write, separated by commas.")]
Independent = Annotated[
    bool, typer.Option("--independent", help="The readers are independent assessors, not investigators.")
]
XptEncoding = Annotated[
    str, typer.Option("--xpt-encoding", metavar="ascii|utf-8", help="Of texts in SAS transport files.")
]


def export(
    out: Results,
    study: Study = None,
    dicom: Dicom = False,
    readings: Readings = False,
    training: Training = False,
    input_: Scans = None,
    database: Database = None,
    subjects: Subjects = None,
    labs: Labs = None,
    format_: Formats = "xpt,json,csv",
    independent: Independent = False,
    xpt_encoding: XptEncoding = "ascii",
) -> None:
    """Write a run's measurements as CDISC datasets (--study) or DICOM objects (--dicom), or what readers did.

    Nothing is measured anew but, for the readers' agreement, their readings.

    CDISC (SDTM and ADaM) into OUT/cdisc, with a page that describes the datasets: SAS transport files (version 5),
    Dataset-JSON 1.1 and CSV (lesion-measure help cdisc). DICOM segmentations and structured reports into OUT/dicom.
    """
    from lesion_measure.errors import LesionMeasureError

    if study is None and not (dicom or readings or training):
        raise typer.BadParameter(
            "say what to write: --study STUDYID, --dicom, --readings, --training, or several", param_hint="--study"
        )
    if xpt_encoding not in ("ascii", "utf-8"):
        raise typer.BadParameter("give ascii or utf-8", param_hint="--xpt-encoding")
    formats = tuple(dict.fromkeys(word.strip().lower() for word in format_.split(",") if word.strip()))
    try:
        if study is not None:
            _write_datasets(out, study, subjects, labs, formats, independent, xpt_encoding)
        if dicom:
            _write_objects(out, input_)
        if readings or training:
            _write_readings(out, input_, database, tables=readings, training=training)
    except LesionMeasureError as error:
        fail(error)


def _write_objects(out: Path, given: Path | None) -> None:
    from lesion_measure.job.object_folder import object_lines
    from lesion_measure.job.objects import export_objects

    export_objects(out, given)
    for line in object_lines(out):
        say(line)


def _write_readings(out: Path, scans: Path | None, database: str | None, *, tables: bool, training: bool) -> None:
    from lesion_measure.errors import InputError
    from lesion_measure.review.extra import check_installed

    check_installed()
    from lesion_measure.review.exporting import export_readings, export_training

    if tables:
        written = export_readings(out, scans, database)
        for path in written.files:
            say(f"Readings: {path}")
        say(f"Audit: {written.steps} steps, the last one {written.chain or 'none'}")
        if written.broken is not None:
            raise InputError(
                f"The audit was changed behind the program's back: step {written.broken} does not hold.",
                remedy="Compare it with an earlier export or a backup.",
                code="audit_changed",
            )
    if training:
        count, left_out = export_training(out, scans, database)
        for each in left_out:
            typer.echo(f"lesion-measure: left out: frame {each.frame} of {each.uid}: {each.reason}.", err=True)
        say(f"Training set: {count} frames in {out / 'corrections'}; lesion-measure train {out} -o MODEL")


def _write_datasets(
    out: Path,
    study: str,
    subjects: Path | None,
    labs: Path | None,
    formats: tuple[str, ...],
    independent: bool,
    xpt_encoding: str,
) -> None:
    from lesion_measure.cdisc import Encoding, Evaluator, ExportRequest
    from lesion_measure.cdisc import export as export_datasets

    people = Evaluator.INDEPENDENT if independent else Evaluator.INVESTIGATOR
    written = export_datasets(
        ExportRequest(
            out=out, study=study, subjects=subjects, labs=labs, formats=formats, people=people,
            encoding=Encoding(xpt_encoding),
        )
    )  # fmt: skip
    for note in written.notes:
        typer.echo(f"lesion-measure: {note}", err=True)
    for dataset in written.datasets:
        records = f"{len(dataset.rows)} record" + ("" if len(dataset.rows) == 1 else "s")
        say(f"{dataset.name:8} {records:>14}  {dataset.label}")
    say(f"Described in {written.page}")
