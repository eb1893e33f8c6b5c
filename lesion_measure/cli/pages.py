"""``lesion-measure help``: the pages of the documentation, in the terminal."""

from __future__ import annotations

from typing import Annotated

import typer

from lesion_measure.cli.config import show
from lesion_measure.files import shipped

EXAMPLES = "Examples:\n\n  lesion-measure help\n\n  lesion-measure help calipers"

Topic = Annotated[str | None, typer.Argument(metavar="[TOPIC]", help="Which page to print; without it, list them all.")]


def help_page(topic: Topic = None) -> None:
    """Print a page of the documentation, or list the pages: tables' columns, settings, how sizes are measured."""
    show(shipped.docs(), None if topic is None else topic.removesuffix(".md"), "page", "help")
