"""How a command ends: its exit code, and the line on standard error that says why.

0 everything was measured; 1 nothing could be measured; 2 the command was not understood (wrong argument, setting,
manifest, caliper file or model); 3 some images or lesions were refused or need review; 4 the surroundings failed (disk,
permission, another process in the folder); 130 interrupted.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any, NoReturn

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
        Always, with `exit_code`.
    """
    typer.echo(f"lesion-measure: {error}", err=True)
    raise typer.Exit(exit_code(error))


def exit_code(error: LesionMeasureError) -> ExitCode:
    """4 where the disk or another process is at fault, 1 where the input is, else 2."""
    from lesion_measure.errors import ConfigError, InputError, ModelError, OutputError, TableError, WriteError

    if isinstance(error, WriteError):
        return ExitCode.ENVIRONMENT
    usage = isinstance(error, (ConfigError, ModelError, OutputError, TableError))
    return ExitCode.NOTHING_MEASURED if isinstance(error, InputError) and not usage else ExitCode.USAGE


def error_document(error: LesionMeasureError) -> dict[str, Any]:
    """An error as the one JSON object of a command that was asked for one."""
    told = {"code": error.code, "reason": error.reason, "remedy": error.remedy, "path": error.path}
    return {"outcome": "failed", "exit_code": int(exit_code(error)), "error": told}


def problem_line(refusal: Refusal) -> str:
    """Where, why, and what would help, in one line."""
    known = (refusal.subject, refusal.visit and refusal.visit.replace("_", " "), refusal.path)
    where = ", ".join(word for word in known if word)
    return f"{where + ': ' if where else ''}{refusal.reason} {refusal.remedy}".rstrip()
