"""``lesion-measure report``: a finished run on paper."""

from __future__ import annotations

from typing import Annotated

import typer

from lesion_measure.cli.exits import fail
from lesion_measure.cli.options import Results
from lesion_measure.cli.speech import say

EXAMPLES = "Examples:\n\n  lesion-measure report out --pdf\n\n  lesion-measure report out --pdf --paper letter"

Pdf = Annotated[bool, typer.Option("--pdf", help="Write OUT/report.pdf.")]
Paper = Annotated[str, typer.Option(metavar="a4|letter", help="Size of the sheets.")]


def report(out: Results, pdf: Pdf = False, paper: Paper = "a4") -> None:
    """Set a run's report, and its cohort's page where there is one, on paper as a PDF.

    Needs WeasyPrint (pip install 'lesion-measure[pdf]') and the system's Pango (lesion-measure help results).
    """
    from lesion_measure.errors import LesionMeasureError
    from lesion_measure.report.pdf import write_pdf

    if not pdf:
        raise typer.BadParameter("say what to make: --pdf", param_hint="--pdf")
    try:
        written = write_pdf(out, paper=paper.lower())
    except LesionMeasureError as error:
        fail(error)
    for note in written.notes:
        typer.echo(f"lesion-measure: {note}", err=True)
    say(f"PDF: {written.path}")
