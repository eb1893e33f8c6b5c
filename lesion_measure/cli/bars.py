"""Progress of long commands on standard error: a bar on a terminal, plain lines every so often elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from lesion_measure.lab.durations import duration

if TYPE_CHECKING:
    from lesion_measure.lab.training.progress import Standing

PLAIN_EVERY_S = 30.0
"""Least time between two plain lines of progress."""


def _note(line: str) -> None:
    typer.echo(line, err=True)


class Pace:
    """How fast one task goes, and how long its rest takes, by what is done of it so far."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()

    def left(self, done: int, total: int) -> str:
        """The rate and the time left in words, from the first step on; empty before it and at the end."""
        if not 0 < done < total:
            return ""
        took = max(self._clock() - self._began, 1e-9)
        rate = f"{done / took:.1f} a second" if done > took else f"{60 * done / took:.1f} a minute"
        return f"{rate}, {duration(took / done * (total - done))} left"


class PlainLines:
    """Progress where there is no terminal: a line now and then, so that a short command says nothing."""

    def __init__(self, note: Callable[[str], None], unit: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._note, self._unit, self._clock = note, unit, clock
        self._paces: dict[str, Pace] = {}
        self._said = clock()

    def track(self, what: str, done: int, total: int) -> None:
        """Take note of progress; say so where the last line is long ago."""
        pace = self._paces.setdefault(what, Pace(self._clock))
        if self._clock() - self._said < PLAIN_EVERY_S:
            return
        self._said = self._clock()
        left = pace.left(done, total)
        self._note(f"{what}: {done} of {total} {self._unit}" + (f", {left}" if left else ""))


@contextmanager
def progress(
    note: Callable[[str], None] = _note, *, unit: str = "images", bar: bool = True
) -> Iterator[Callable[[str, int, int], None]]:
    """Progress with the time left; yields ``track(what, done, total)``.

    ``note`` receives the plain lines, ``unit`` is what is counted; without ``bar`` there are lines on a terminal too.
    """
    if not (bar and sys.stderr.isatty()):
        yield PlainLines(note, unit).track
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    def text(field: str) -> TextColumn:
        return TextColumn(f"{{task.{field}}}", markup=False)  # names are names, whatever brackets they hold

    columns = (text("description"), BarColumn(), MofNCompleteColumn(), text("fields[unit]"), text("fields[left]"))
    with Progress(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, Any] = {}
        paces: dict[str, Pace] = {}

        def track(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total, unit=unit, left="")
                paces[what] = Pace()
            bars.update(tasks[what], completed=done, total=total, left=paces[what].left(done, total))

        yield track


@contextmanager
def training_progress() -> Iterator[tuple[Callable[[str], None], Callable[[Standing], None]]]:
    """Lines on standard error, and on a terminal a bar below them; yields ``say(line)`` and ``track(standing)``."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[left]}", markup=False),
    )
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
