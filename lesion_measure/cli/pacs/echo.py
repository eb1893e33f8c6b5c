"""``lesion-measure pacs echo``: whether a PACS answers."""

from __future__ import annotations

import typer

from lesion_measure.cli.exits import ExitCode, fail
from lesion_measure.cli.pacs.options import Pacs, Way
from lesion_measure.cli.speech import say

EXAMPLES = "Example:\n\n  lesion-measure pacs echo --pacs hospital.yaml"

KEPT = "Nothing was changed."


def echo(pacs: Pacs, by: Way = None) -> None:
    """Say whether a PACS answers, by each way that its settings have.

    Exit codes: 0 each way answers; 2 a setting is wrong; 4 a way does not answer.
    """
    from lesion_measure.config.pacs import Node
    from lesion_measure.errors import LesionMeasureError
    from lesion_measure.pacs.peer import spoken_to

    try:
        with spoken_to(Node.from_yaml(pacs), by) as peer:
            ways = peer.echo()
    except LesionMeasureError as error:
        fail(error)
    for way, failure in ways.items():
        say(f"{way:<9}{'answers' if failure is None else failure}")
    raise typer.Exit(ExitCode.ENVIRONMENT if any(ways.values()) else ExitCode.MEASURED)
