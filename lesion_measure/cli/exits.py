"""How a command ends: its exit code, and the line on standard error that says why.

0 everything was measured; 1 nothing could be measured; 2 the command was not understood (wrong argument, setting,
manifest, caliper file or model); 3 some images or lesions were refused or need review; 4 the surroundings failed (disk,
permission, another process in the folder); 130 a training was interrupted.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, NoReturn

import typer

if TYPE_CHECKING:
    from lesion_measure.errors import LesionMeasureError
    from lesion_measure.records import Refusal


class ExitCode(IntEnum):
    """What the caller's shell script sees."""

    MEASURED = 0
    NOTHING_MEASURED = 1
    USAGE = 2
    NEEDS_REVIEW = 3
    ENVIRONMENT = 4
    INTERRUPTED = 130


def fail(error: LesionMeasureError) -> NoReturn:
    """Say what went wrong and leave.

    Raises
    ------
    typer.Exit
        Always: with 1 where the input is at fault, with 4 where the disk or another process is, else with 2.
    """
    from lesion_measure.errors import ConfigError, InputError, ModelError, OutputError, TableError, WriteError

    typer.echo(f"lesion-measure: {error}", err=True)
    if isinstance(error, WriteError):
        raise typer.Exit(ExitCode.ENVIRONMENT)
    usage = isinstance(error, (ConfigError, ModelError, OutputError, TableError))
    nothing = isinstance(error, InputError) and not usage
    raise typer.Exit(ExitCode.NOTHING_MEASURED if nothing else ExitCode.USAGE)


def problem_line(refusal: Refusal) -> str:
    """Where, why, and what would help, in one line."""
    known = (refusal.subject, refusal.visit and refusal.visit.replace("_", " "), refusal.path)
    where = ", ".join(word for word in known if word)
    return f"{where + ': ' if where else ''}{refusal.reason} {refusal.remedy}".rstrip()
