"""Every command of the command line, those of a group by both words: ``pacs echo``."""

from __future__ import annotations

from typing import Any

from typer.main import get_command

from lesion_measure.cli import app


def commands() -> dict[str, Any]:
    """The commands by what is typed."""
    return dict(_below(get_command(app), ""))


def _below(group: Any, before: str) -> list[tuple[str, Any]]:
    found = []
    for name, command in group.commands.items():
        inner = hasattr(command, "commands")
        found += _below(command, f"{before}{name} ") if inner else [(f"{before}{name}", command)]
    return found
