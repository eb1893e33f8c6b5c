"""``lesion-measure deidentify``: the same files without what leads back to a person."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lesion_measure.cli.exits import ExitCode, fail, problem_line
from lesion_measure.cli.options import ConfigFile, Input, Quiet, read_config
from lesion_measure.cli.paths import there
from lesion_measure.cli.speech import voice

EXAMPLES = (
    "Examples:\n\n  lesion-measure deidentify scans -o scans_out\n\n"
    "  lesion-measure deidentify scans -o scans_out --key trial.key --subjects codes.csv"
)

Out = Annotated[
    Path, typer.Option("--out", "-o", metavar="OUT", help="Folder for the new files; not there yet, or empty.")
]
KeyFile = Annotated[
    Path | None,
    typer.Option(
        "--key",
        metavar="FILE",
        help="The secret that codes, UIDs and dates follow from; made where it is not there. Default: OUT.key.",
    ),
]
Codes = Annotated[
    Path | None,
    typer.Option(
        "--subjects",
        metavar="FILE",
        help="Table of codes: patient, subject. Default: codes follow from the key.",
        callback=there("table of codes", remedy="'lesion-measure help deidentification' describes it."),
    ),
]
AcceptHeld = Annotated[
    bool,
    typer.Option("--accept-held", help="Write what is held back, too: somebody has looked at the page of pictures."),
]


def deidentify(
    input_: Input,
    out: Out,
    key: KeyFile = None,
    subjects: Codes = None,
    accept_held: AcceptHeld = False,
    config: ConfigFile = None,
    quiet: Quiet = False,
) -> None:
    """Write the same files without what leads back to a person (PS3.15 Annex E); what is doubtful is held back.

    Who is who stands beside the key, never in OUT. Exit code 3 where a DICOM file was not written.
    """
    from lesion_measure.deidentify.run import NO_LOSS, Request
    from lesion_measure.deidentify.run import deidentify as write
    from lesion_measure.errors import LesionMeasureError

    kept_apart = key or out.with_name(f"{out.name}.key")
    try:
        with voice(quiet=quiet, only_json=False, log=None) as speaker:
            request = Request(
                input=input_,
                out=out,
                key=kept_apart,
                config=read_config(config),
                subjects=subjects,
                accept_held=accept_held,
            )
            outcome = write(request)
            for refusal in outcome.refusals:
                speaker.note(problem_line(refusal))
            count = len(outcome.written)
            people = len({each.subject.code for each in outcome.written})
            speaker.say(f"{count} file{'s' * (count != 1)} of {people} subject{'s' * (people != 1)} in {out}")
            speaker.say(f"Keep secret: {kept_apart}, and the tables beside it, which say who is who.")
    except LesionMeasureError as error:
        fail(error)
    if not outcome.written:
        raise typer.Exit(ExitCode.NOTHING_MEASURED)
    lost = [each for each in outcome.refusals if each.code not in NO_LOSS]
    raise typer.Exit(ExitCode.NEEDS_REVIEW if lost else ExitCode.MEASURED)
