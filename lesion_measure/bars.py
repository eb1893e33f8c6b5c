"""Progress of long commands on standard error: bars on a terminal, plain lines or silence elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from lesion_measure.training.progress import Standing


@contextmanager
def progress() -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar on standard error, quiet where that is no terminal; yields ``track(what, done, total)``."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as bars:
        tasks: dict[str, Any] = {}

        def track(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done, total=total)

        yield track


@contextmanager
def training_progress() -> Iterator[tuple[Callable[[str], None], Callable[[Standing], None]]]:
    """Lines on standard error, and on a terminal a bar below them; yields ``say(line)`` and ``track(standing)``."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[left]}"))
    bars = Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty())
    whole = bars.add_task("", total=1.0, left="")

    def say(line: str) -> None:
        if bars.disable:
            typer.echo(line, err=True)
        else:
            bars.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def track(standing: Standing) -> None:
        bars.start()  # not before: of the processes that torchrun starts, one alone has something to show
        bars.update(whole, description=standing.what, completed=standing.done, left=standing.left)

    try:
        yield say, track
    finally:
        bars.stop()
