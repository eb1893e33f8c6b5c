"""``lesion-measure review-user``: who may read in the reading room."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lesion_measure.cli.exits import fail
from lesion_measure.cli.speech import say

EXAMPLES = (
    "Examples:\n\n  lesion-measure review-user readers.txt reader-1\n\n"
    "  lesion-measure review-user readers.txt chief --role adjudicator"
)

File = Annotated[Path, typer.Argument(metavar="FILE", help="File of users, made where there is none.", dir_okay=False)]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Name, as readings and the audit will have it.")]
AsRole = Annotated[str, typer.Option("--role", metavar="reader|adjudicator", help="What this person may do.")]


def review_user(file: File, name: Name, role: AsRole = "reader") -> None:
    """Add a person to a file of users for review --users, or change role and password; asks for the password.

    The file holds scrypt hashes, and its owner alone may read it.
    """
    from lesion_measure.errors import LesionMeasureError
    from lesion_measure.review.messages import Role
    from lesion_measure.review.users import add_user

    if role not in [*Role]:
        raise typer.BadParameter("give reader or adjudicator", param_hint="--role")
    password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    try:
        add_user(file, name, Role(role), password)
    except LesionMeasureError as error:
        fail(error)
    say(f"{name} may read as {role}.")
