"""``lesion-measure export``: a run's measurements as CDISC datasets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lesion_measure.cli.exits import fail
from lesion_measure.cli.options import Results, check_labs, check_subjects
from lesion_measure.cli.speech import say

EXAMPLES = (
    "Examples:\n\n  lesion-measure export out --study NCT04406870\n\n"
    "  lesion-measure export out --study NCT04406870 --labs labs.csv --format xpt,json\n\n"
    "  lesion-measure export out --study NCT04406870 --independent"
)

Study = Annotated[str, typer.Option(metavar="STUDYID", help="The study's identifier; it stands in every record.")]
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
    study: Study,
    subjects: Subjects = None,
    labs: Labs = None,
    format_: Formats = "xpt,json,csv",
    independent: Independent = False,
    xpt_encoding: XptEncoding = "ascii",
) -> None:
    """Write the measurements as CDISC datasets (SDTM and ADaM) into OUT/cdisc, with a page that describes them.

    SAS transport files (version 5), Dataset-JSON 1.1 and CSV; nothing is measured anew (lesion-measure help cdisc).
    """
    from lesion_measure.cdisc import Encoding, Evaluator, ExportRequest
    from lesion_measure.cdisc import export as export_datasets
    from lesion_measure.errors import LesionMeasureError

    if xpt_encoding not in list(Encoding):
        raise typer.BadParameter(f"give {' or '.join(Encoding)}", param_hint="--xpt-encoding")

    formats = tuple(dict.fromkeys(word.strip().lower() for word in format_.split(",") if word.strip()))
    people = Evaluator.INDEPENDENT if independent else Evaluator.INVESTIGATOR
    try:
        written = export_datasets(
            ExportRequest(
                out=out, study=study, subjects=subjects, labs=labs, formats=formats, people=people,
                encoding=Encoding(xpt_encoding),
            )
        )  # fmt: skip
    except LesionMeasureError as error:
        fail(error)
    for note in written.notes:
        typer.echo(f"lesion-measure: {note}", err=True)
    for dataset in written.datasets:
        records = f"{len(dataset.rows)} record" + ("" if len(dataset.rows) == 1 else "s")
        say(f"{dataset.name:8} {records:>14}  {dataset.label}")
    say(f"Described in {written.page}")
