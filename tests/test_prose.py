"""Short sentences: in README and docs, in the help of every command, in what errors and refusals say."""

from __future__ import annotations

import ast
import re
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


READ = [
    *(path for folder in ("lesion_measure", "benchmarks") for path in sorted((ROOT / folder).rglob("*.py"))),
    *sorted((ROOT / "docs").glob("*.py")),
]
NOT_OURS = ROOT / "lesion_measure/lab/phantom/screen.py"
"""Paints the marks of a machine's screen, which have their own form."""


def test_percentages_are_written_in_one_way() -> None:
    """`15 %`: never by the format that writes `15.0%`, nor with the sign right behind what is filled in."""
    wrong = []
    for path in READ:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.JoinedStr) or path == NOT_OURS:
                continue
            for one, following in zip(node.values, [*node.values[1:], None], strict=True):
                if not isinstance(one, ast.FormattedValue):
                    continue
                spec = "" if one.format_spec is None else ast.unparse(one.format_spec)
                behind = following.value if isinstance(following, ast.Constant) else ""
                if spec.rstrip("'\"").endswith("%") or str(behind).startswith("%"):
                    wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert not wrong


def test_pages_write_percentages_in_one_way() -> None:
    pages = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
    pages += sorted((ROOT / "models").rglob("*.md"))
    wrong = [
        f"{page.relative_to(ROOT)}: {found[0]}"
        for page in pages
        for found in re.finditer(
            r"[^`\n]{0,30}\d%", re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text("utf-8"), flags=re.S)
        )
    ]
    assert not wrong
