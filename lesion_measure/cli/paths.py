"""A path that is not there is refused in our own words, where the library would show how the command is used."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import typer

from lesion_measure.cli.exits import ExitCode
from lesion_measure.files import shipped
from lesion_measure.spelling import nearest

MOST_NEIGHBOURS = 2000
"""Files of a folder among which a name like the one that is missing is looked for."""


def settings_file(remedy: str) -> Any:
    """A callback as `there` gives it, for a file of settings that may be named as one that comes with the package."""
    check = there("configuration file", remedy=remedy)

    def find(context: typer.Context, value: Path | None) -> Path | None:
        found: Path | None = check(context, None if value is None else shipped.find_config(value))
        return found

    return find


def there(what: str, *, folder: bool | None = False, remedy: str = "") -> Any:
    """A callback that refuses a path which is not there, in our own words; for one path, none, or a list of them.

    Parameters
    ----------
    what
        What it should be, such as ``"caliper file"``.
    folder
        Whether that is a folder; None: a file or a folder.
    remedy
        Where to read about it.
    """

    def check(context: typer.Context, value: Path | list[Path] | None) -> Path | list[Path] | None:
        if not context.resilient_parsing:  # which is how the shell completes a command that is not written yet
            for path in value if isinstance(value, list) else [value] if value is not None else []:
                if complaint := _not_there(path, what, folder):
                    typer.echo(f"lesion-measure: {path}: {complaint} {remedy}".rstrip(), err=True)
                    raise typer.Exit(ExitCode.USAGE)
        return value

    return check


def _not_there(path: Path, what: str, folder: bool | None) -> str:
    """Why a path is not what it should be, with the nearest name in its folder; empty where it is."""
    if path.exists():
        if not path.is_dir() and not path.is_file():
            return f"This is a pipe, socket or device, and the {what} should be a regular file."
        if folder is None or path.is_dir() is folder:
            return ""
        return (
            f"This is a {'file' if folder else 'folder'}, and the {what} should be a {'folder' if folder else 'file'}."
        )
    parent = path.parent
    if not parent.is_dir():
        return f"There is no such {what}, and no folder '{parent}'. Check the path."
    names = sorted(entry.name for entry in itertools.islice(parent.iterdir(), MOST_NEIGHBOURS))
    near = nearest(path.name, names)
    return f"There is no such {what}. " + (f"Did you mean '{parent / near}'?" if near else "Check the path.")
