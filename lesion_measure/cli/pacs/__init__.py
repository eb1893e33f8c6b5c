"""``lesion-measure pacs``: a PACS asked, fetched from, stored to, and listened for; one module a command."""

from __future__ import annotations

from collections.abc import Callable
from inspect import cleandoc

import typer

from lesion_measure.cli.exits import interruptible
from lesion_measure.cli.pacs import echo, find, listen, pull, push

FIRST = "Find, fetch and store studies in a PACS, by DICOMweb or DIMSE."

app = typer.Typer(
    name="pacs",
    help=f"{FIRST}\n\nWhat each command does, and the settings: lesion-measure help pacs. "
    "It needs pip install 'lesion-measure[pacs]'.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _add(command: Callable[..., None], examples: str, kept: str) -> None:
    first = cleandoc(command.__doc__ or "").partition("\n")[0]
    app.command(epilog=examples, short_help=first)(interruptible(command, kept))


_add(echo.echo, echo.EXAMPLES, echo.KEPT)
_add(find.find, find.EXAMPLES, find.KEPT)
_add(pull.pull, pull.EXAMPLES, pull.KEPT)
_add(push.push, push.EXAMPLES, push.KEPT)
_add(listen.listen, listen.EXAMPLES, listen.KEPT)
