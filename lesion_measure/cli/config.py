"""``lesion-measure config``: the settings files that come with the program."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lesion_measure.cli.exits import ExitCode
from lesion_measure.cli.speech import say
from lesion_measure.files import shipped
from lesion_measure.spelling import nearest

EXAMPLES = (
    "Examples:\n\n  lesion-measure config\n\n  lesion-measure config nct04406870 > my.yaml\n\n"
    "  lesion-measure run scans -o out --config nct04406870"
)

Name = Annotated[str | None, typer.Argument(metavar="[NAME]", help="Which one to print; without it, list them all.")]


def config(name: Name = None) -> None:
    """List the settings files that come with the program, or print one.

    'default' holds every setting with its meaning; each command takes such a name in the place of a file.
    """
    show(shipped.configs(), name, "settings file", "config")


def show(files: dict[str, Path], name: str | None, what: str, command: str) -> None:
    """Print one of several files, or say which there are.

    Raises
    ------
    typer.Exit
        With 2, there is none of that name.
    """
    if name is None:
        for each, path in files.items():
            say(f"{each:20} {_first_line(path.read_text(encoding='utf-8'))}".rstrip())
        return
    if name not in files:
        near = nearest(name, list(files))
        hint = f" Did you mean '{near}'?" if near else ""
        typer.echo(
            f"lesion-measure: {name}: There is no such {what}.{hint} 'lesion-measure {command}' lists them.", err=True
        )
        raise typer.Exit(ExitCode.USAGE)
    say(files[name].read_text(encoding="utf-8").rstrip("\n"))


def _first_line(text: str) -> str:
    """What a file says of itself: its first line, without the mark that makes it a heading or a comment."""
    line = text.partition("\n")[0]
    return line.lstrip("# ") if line.startswith("#") else ""
