"""Short sentences: in README and docs, in the help of every command, in what errors and refusals say."""

from __future__ import annotations

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest
from prose import LONGEST, MEDIAN, sentences, split, words
from typer.main import get_group

from commands import commands
from lesion_measure.cli import app

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


def held(found: list[str]) -> None:
    """No sentence is too long, and half of them are short."""
    assert not [sentence for sentence in found if words(sentence) > LONGEST]
    assert statistics.median(map(words, found)) <= MEDIAN


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_short_sentences(page: Path) -> None:
    held(list(sentences(page.read_text(encoding="utf-8"))))


def _helps() -> Iterator[str]:
    group = get_group(app)
    yield from (group.help or "", str(group.epilog))
    for command in commands().values():
        yield from (command.help or "").split("\n\n")
        yield from (parameter.help for parameter in command.params if getattr(parameter, "help", None))


def test_help_has_short_sentences() -> None:
    found = [sentence for text in _helps() for sentence in split(text)]
    assert len(found) > 100
    held(found)


def _text(value: ast.expr) -> str:
    """A message as it is written; what is filled in counts as one word."""
    if isinstance(value, ast.Constant):
        return str(value.value)
    if isinstance(value, ast.JoinedStr):
        return "".join(_text(part) if isinstance(part, ast.Constant) else "X" for part in value.values)
    if isinstance(value, ast.BinOp):
        return _text(value.left) + _text(value.right)
    return "X"


def _messages() -> Iterator[str]:
    """What every error and refusal in the source says: its reason and its remedy."""
    for module in sorted((ROOT / "lesion_measure").rglob("*.py")):
        for call in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if not isinstance(call, ast.Call):
                continue
            name = ast.unparse(call.func).rpartition(".")[2]
            if name.endswith("Error") and call.args:
                yield _text(call.args[0])
            yield from (_text(each.value) for each in call.keywords if each.arg in ("reason", "remedy"))


def test_messages_have_short_sentences() -> None:
    found = [sentence for text in _messages() for sentence in split(text) if words(sentence) > 1]
    assert len(found) > 400
    held(found)
