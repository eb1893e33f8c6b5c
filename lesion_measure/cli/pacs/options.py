"""What several commands of ``pacs`` take."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lesion_measure.cli.exits import ExitCode, problem_line
from lesion_measure.cli.paths import there

if TYPE_CHECKING:
    from lesion_measure.cli.speech import Voice
    from lesion_measure.records import Refusal


class By(StrEnum):
    """What ``--by`` takes."""

    dicomweb = "dicomweb"
    dimse = "dimse"


check_pacs = there("settings file of the PACS", remedy="'lesion-measure help pacs' shows one to start from.")

Pacs = Annotated[Path, typer.Option("--pacs", metavar="FILE", help="Settings of the PACS, YAML.", callback=check_pacs)]
Way = Annotated[By | None, typer.Option("--by", help="The one way to take; default: both that the settings have.")]
Query = Annotated[
    str,
    typer.Argument(
        metavar="QUERY", help="Such as PatientID=SIM-01,StudyDate=20240101-20240201 (lesion-measure help pacs)."
    ),
]


def told(refusals: Sequence[Refusal], done: int, speaker: Voice) -> ExitCode:
    """Say each problem, and how the command ends: ``done`` counts what it did or found done."""
    for refusal in refusals:
        speaker.note(problem_line(refusal))
    if not refusals and done:
        return ExitCode.MEASURED
    return ExitCode.NEEDS_REVIEW if done else ExitCode.NOTHING_MEASURED
