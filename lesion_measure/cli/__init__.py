"""Command line: arguments -> pipeline -> exit code.

One module a command: its options, its examples, and what it prints. ``options`` holds what several commands take,
``paths`` the check that a path is there, ``exits`` the exit codes and how a refusal, an error or Ctrl-C is told.

Heavy modules are imported inside the commands, so that ``--help`` and shell completion answer at once.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from inspect import cleandoc
from typing import Annotated

import typer

from lesion_measure.batch.garbage import collect_seldom
from lesion_measure.cli import (
    adopt,
    calipers,
    card,
    cohort,
    config,
    data,
    deidentify,
    evaluate,
    export,
    inspect,
    onnx,
    pacs,
    pages,
    readers,
    report,
    review,
    review_user,
    ruler,
    run,
    simulate,
    sweep,
    train,
)
from lesion_measure.cli.exits import NOTHING_KEPT, RESULTS_KEPT, ExitCode, interruptible
from lesion_measure.cli.speech import say
from lesion_measure.cli.threads import one_thread
from lesion_measure.cli.waiting import wait_asleep

__all__ = ["app", "main"]

EXIT_CODES = (
    "Exit code 0: done. 1: nothing could be measured, or the input cannot be used. 2: the command was not understood "
    "(argument, setting, table or model). 3: some images were refused or need review. 4: the surroundings failed "
    "(disk, permission, a PACS, another lesion-measure in the folder). 130: interrupted."
)

app = typer.Typer(
    name="lesion-measure",
    help="Measure liver lesions in DICOM ultrasound and say, with error bars, whether they shrank.\n\n"
    "Research use only; not a medical device.",
    no_args_is_help=True,
    rich_markup_mode=None,  # texts are texts: as markup, the brackets of lesion-measure[pdf] would be eaten
    epilog=EXIT_CODES,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from lesion_measure import __version__

        say(f"lesion-measure {__version__}")
        raise typer.Exit


@app.callback()
def _global_options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Global options; they act in their callbacks."""


def _add(command: Callable[..., None], examples: str, name: str | None = None, kept: str = NOTHING_KEPT) -> None:
    """Add a command; the list of commands shows the first line of its docstring, whole.

    ``kept`` says what Ctrl-C leaves, and how to go on.
    """
    first = cleandoc(command.__doc__ or "").partition("\n")[0]
    app.command(name, epilog=examples, short_help=first)(interruptible(command, kept))


# In the order of the help page.
_add(run.run, run.EXAMPLES, kept=run.KEPT)
_add(review.review, review.EXAMPLES, kept=review.KEPT)
_add(review_user.review_user, review_user.EXAMPLES, "review-user")
_add(inspect.inspect, inspect.EXAMPLES)
_add(ruler.ruler, ruler.EXAMPLES)
_add(calipers.calipers, calipers.EXAMPLES)
_add(simulate.simulate, simulate.EXAMPLES, kept=simulate.KEPT)
_add(train.train, train.EXAMPLES, kept=train.KEPT)
_add(sweep.sweep, sweep.EXAMPLES, kept=sweep.KEPT)
_add(evaluate.evaluate, evaluate.EXAMPLES)
_add(card.card, card.EXAMPLES)
_add(onnx.onnx, onnx.EXAMPLES)
_add(adopt.adopt, adopt.EXAMPLES)
_add(data.data, data.EXAMPLES, kept=data.KEPT)
_add(export.export, export.EXAMPLES, kept=RESULTS_KEPT)
_add(cohort.cohort, cohort.EXAMPLES, kept=RESULTS_KEPT)
_add(readers.readers, readers.EXAMPLES)
_add(deidentify.deidentify, deidentify.EXAMPLES)
_add(report.report, report.EXAMPLES, kept=RESULTS_KEPT)
app.add_typer(pacs.app, short_help=pacs.FIRST)
_add(config.config, config.EXAMPLES)
_add(pages.help_page, pages.EXAMPLES, "help")


def main() -> None:
    """Entry point of the ``lesion-measure`` command."""
    if any(
        not word or re.fullmatch("--[a-z-]+=", word) for word in sys.argv[1:]
    ):  # as a path it would be the current folder, all of which would be measured
        typer.echo("lesion-measure: An argument is empty. Is a variable of the shell not set?", err=True)
        raise SystemExit(ExitCode.USAGE)
    if sys.argv[1:2] != ["data"]:
        one_thread()
    collect_seldom()
    wait_asleep()
    app()
