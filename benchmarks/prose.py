"""Sentences of Markdown pages, help and messages, and how long they are.

``python benchmarks/prose.py PAGE...`` prints how many sentences each page has, their median, and those that are too
long. Tables, code and headings are no prose.
"""

from __future__ import annotations

import re
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

LONGEST = 40
"""Words of the longest sentence."""
MEDIAN = 16
"""Words of the middle sentence of a page."""

_END = re.compile(r"(?<=[.?!])[)\"']?\s+(?=[(\"'*_]*[A-Z0-9`])")
_NO_END = re.compile(r"\b(e\.g|i\.e|cf|vs|approx|Dr|No|Fig|et al)\.$")
_BLOCK = re.compile(r"^(\s*([-*]|\d+\.)\s|#|\||>|!\[|\s*$)")


def sentences(markdown: str) -> Iterator[str]:
    """Every sentence of a page's paragraphs and lists."""
    for block in _blocks(re.sub(r"^( *)```.*?^ *```$", "", markdown, flags=re.MULTILINE | re.DOTALL)):
        yield from split(_plain(block))


def split(text: str) -> Iterator[str]:
    """The sentences of running text."""
    held = ""
    for piece in _END.split(" ".join(text.split())):
        held = f"{held} {piece}".strip()
        if not _NO_END.search(held):
            yield held
            held = ""
    if held:
        yield held


def words(sentence: str) -> int:
    """How many words; signs between them are none."""
    return sum(any(character.isalnum() for character in word) for word in sentence.split())


def _blocks(markdown: str) -> Iterator[str]:
    """Paragraphs and items of lists, each by itself."""
    held: list[str] = []
    for line in [*markdown.splitlines(), ""]:
        if _BLOCK.match(line):
            if held:
                yield " ".join(held)
            held = []
        if line.strip() and not line.lstrip().startswith(("#", "|", "![", "<")):
            held.append(re.sub(r"^\s*([-*>]|\d+\.)\s+", "", line))


def _plain(text: str) -> str:
    """Without links' targets and emphasis; a piece of code is one word."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"``?[^`]+``?", lambda found: re.sub(r"\s", "_", found.group()), text)
    return re.sub(r"\*\*|(?<!\w)\*(?=\w)|(?<=\w)\*(?!\w)", "", text)


def main() -> None:
    for name in sys.argv[1:]:
        found = list(sentences(Path(name).read_text(encoding="utf-8")))
        lengths = [words(sentence) for sentence in found] or [0]
        print(f"{name}: {len(found)} sentences, median {statistics.median(lengths):g}, longest {max(lengths)}")
        for sentence in found:
            if words(sentence) > LONGEST:
                print(f"  {words(sentence)}: {sentence}")


if __name__ == "__main__":
    main()
