"""Where a command speaks: standard output for what was asked for, standard error for the rest, a log for both."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import typer

from lesion_measure.cli.exits import ExitCode


def _unlogged(line: str) -> None:
    """A log that nobody asked for."""


@dataclass(frozen=True, slots=True)
class Voice:
    """How one command speaks: ``quiet`` says nothing but errors, ``only_json`` keeps standard output for one object."""

    quiet: bool = False
    only_json: bool = False
    log: Callable[[str], None] = _unlogged
    logged: bool = False

    def say(self, line: str) -> None:
        """A line of the answer."""
        self.log(line)
        if not (self.quiet or self.only_json):
            say(line)

    def error(self, line: str) -> None:
        """Why the command ends, which is said in any case."""
        self.log(line)
        typer.echo(f"lesion-measure: {line}", err=True)

    def note(self, line: str) -> None:
        """A line beside the answer: a problem, a warning, how far it is."""
        self.log(line)
        if not self.quiet:
            typer.echo(line, err=True)


@contextmanager
def voice(*, quiet: bool, only_json: bool, log: Path | None) -> Iterator[Voice]:
    """A command's voice; every line is added to the file ``log`` too, with the time.

    Raises
    ------
    WriteError
        The log cannot be written.
    """
    if log is None:
        yield Voice(quiet, only_json)
        return
    from lesion_measure.files.writing import appending

    with appending(log, "log") as add:
        yield Voice(
            quiet, only_json, lambda line: add(f"{datetime.now(UTC).isoformat(timespec='seconds')} {line}"), logged=True
        )


def say(text: str) -> None:
    """Print a line of the answer on standard output.

    Raises
    ------
    typer.Exit
        It leads to a file that cannot be written, such as one on a full disk.
    """
    try:
        typer.echo(text)
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise  # whoever reads has seen enough, which click knows
        typer.echo(f"lesion-measure: standard output cannot be written: {error.strerror}.", err=True)
        raise typer.Exit(ExitCode.ENVIRONMENT) from error
