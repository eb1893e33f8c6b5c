"""How a command ends: its exit code, and the line on standard error that says why.

0 everything was measured; 1 nothing could be measured; 2 the command was not understood (wrong argument, setting,
manifest, caliper file or model); 3 some images or lesions were refused or need review; 4 the surroundings failed (disk,
permission, a PACS, another process in the folder); 130 interrupted.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from enum import IntEnum
from functools import wraps
from typing import TYPE_CHECKING, Any, NoReturn, ParamSpec

import typer

if TYPE_CHECKING:
    from lesion_measure.errors import LesionMeasureError
    from lesion_measure.records import Refusal


NOTHING_KEPT = "Nothing of it is kept; the same command begins anew."
"""What Ctrl-C leaves of a command that writes nothing before its end, or all at once."""

RESULTS_KEPT = "The run's results are as they were; the same command begins anew."
"""The same of a command that adds to a finished run."""

P = ParamSpec("P")


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


def interruptible(command: Callable[P, None], kept: str) -> Callable[P, None]:
    """The command, ended by Ctrl-C with exit code 130 and with what is ``kept`` and how to go on.

    A command that knows more raises `KeyboardInterrupt` with words of its own. Of the processes that torchrun starts,
    the first alone speaks.
    """

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except KeyboardInterrupt as interrupt:
            if os.environ.get("RANK", "0") == "0":
                typer.echo(f"lesion-measure: Interrupted. {str(interrupt) or kept}", err=True)
            raise typer.Exit(ExitCode.INTERRUPTED) from None

    return run


def exit_code(error: LesionMeasureError) -> ExitCode:
    """4 where the disk, a PACS, a cluster or another process is at fault, 1 where the input is, else 2."""
    from lesion_measure.errors import (
        ClusterError,
        ConfigError,
        InputError,
        ModelError,
        OutputError,
        PacsError,
        TableError,
        WriteError,
    )

    if isinstance(error, (ClusterError, PacsError, WriteError)):
        return ExitCode.ENVIRONMENT
    usage = isinstance(error, (ConfigError, ModelError, OutputError, TableError))
    return ExitCode.NOTHING_MEASURED if isinstance(error, InputError) and not usage else ExitCode.USAGE


def error_document(error: LesionMeasureError) -> dict[str, Any]:
    """An error as the one JSON object of a command that was asked for one."""
    told = {"code": error.code, "reason": error.reason, "remedy": error.remedy, "path": error.path}
    return {"outcome": "failed", "exit_code": int(exit_code(error)), "error": told}


def problem_line(refusal: Refusal) -> str:
    """Where, why, and what would help, in one line."""
    from lesion_measure.records import in_words

    known = (refusal.subject, refusal.visit and in_words(refusal.visit), refusal.path)
    where = ", ".join(word for word in known if word)
    return f"{where + ': ' if where else ''}{refusal.reason} {refusal.remedy}".rstrip()
