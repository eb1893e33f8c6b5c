"""Command line: arguments -> pipeline -> exit code.

One module a command: its options, its examples, and what it prints. ``options`` holds what several commands take,
``paths`` the check that a path is there, ``exits`` the exit codes and how a refusal or an error is told.

Heavy modules are imported inside the commands, so that ``--help`` and shell completion answer at once.
"""

from __future__ import annotations

from typing import Annotated

import typer

from lesion_measure.cli import (
    cohort,
    data,
    evaluate,
    export,
    inspect,
    readers,
    report,
    ruler,
    run,
    simulate,
    train,
)

__all__ = ["app", "main"]

app = typer.Typer(
    name="lesion-measure",
    help="Measure liver lesions in DICOM ultrasound and say, with error bars, whether they shrank.\n\n"
    "Research use only; not a medical device.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from lesion_measure import __version__

        typer.echo(f"lesion-measure {__version__}")
        raise typer.Exit


@app.callback()
def _global_options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Global options; they act in their callbacks."""


# In the order of the help page.
app.command(epilog=run.EXAMPLES)(run.run)
app.command(epilog=inspect.EXAMPLES)(inspect.inspect)
app.command(epilog=ruler.EXAMPLES)(ruler.ruler)
app.command(epilog=simulate.EXAMPLES)(simulate.simulate)
app.command(epilog=train.EXAMPLES)(train.train)
app.command(epilog=evaluate.EXAMPLES)(evaluate.evaluate)
app.command(epilog=data.EXAMPLES)(data.data)
app.command(epilog=export.EXAMPLES)(export.export)
app.command(epilog=cohort.EXAMPLES)(cohort.cohort)
app.command(epilog=readers.EXAMPLES)(readers.readers)
app.command(epilog=report.EXAMPLES)(report.report)


def main() -> None:
    """Entry point of the ``lesion-measure`` command."""
    app()
