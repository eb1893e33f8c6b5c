"""A page of ours as a tree of elements, for setting it on paper.

The pages are files like any other, so reading is bounded in size and depth; nothing is fetched and nothing is run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

from lesion_measure.errors import InputError
from lesion_measure.files.reading import open_regular

MAX_BYTES = 500_000_000
MAX_DEPTH = 100
VOID = frozenset({"br", "col", "hr", "img", "input", "link", "meta"})
"""Elements that have no content and no end tag (HTML living standard 13.1.2)."""


@dataclass(slots=True, eq=False)
class Node:
    """An element: ``children`` are elements and texts in their order."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Node | str] = field(default_factory=list)

    @property
    def classes(self) -> frozenset[str]:
        """Names in the class attribute."""
        return frozenset(self.attributes.get("class", "").split())

    @property
    def elements(self) -> Iterator[Node]:
        """The children that are elements."""
        return (child for child in self.children if isinstance(child, Node))

    def walk(self) -> Iterator[Node]:
        """This element and everything below it."""
        yield self
        for child in self.elements:
            yield from child.walk()

    def all(self, tag: str, name: str | None = None) -> list[Node]:
        """Elements below with this tag, and class where one is given."""
        return [n for n in self.walk() if n is not self and n.tag == tag and (name is None or name in n.classes)]

    def first(self, tag: str, name: str | None = None) -> Node | None:
        """The first of `all`."""
        return next(iter(self.all(tag, name)), None)

    def text(self) -> str:
        """All text, with single blanks."""
        parts = (child if isinstance(child, str) else child.text() for child in self.children)
        return " ".join("".join(parts).split())


class _Builder(HTMLParser):
    def __init__(self, path: Path) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Node("html")
        self.open = [self.root]
        self.path = path

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(node)
        if tag in VOID:
            return
        if len(self.open) > MAX_DEPTH:
            raise InputError("The page is nested too deeply.", code="page", path=self.path.name)
        self.open.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Node(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        for place in range(len(self.open) - 1, 0, -1):
            if self.open[place].tag == tag:
                del self.open[place:]
                return

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def read_page(path: Path) -> Node:
    """Read an HTML page.

    Raises
    ------
    InputError
        It cannot be read, or is too large or nested too deeply to be a page of this program.
    """
    try:
        with open_regular(path) as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"The page cannot be read ({error.strerror}).", code="page", path=path.name) from error
    if len(data) > MAX_BYTES:
        raise InputError(f"The page is larger than {MAX_BYTES // 1_000_000} MB.", code="page", path=path.name)
    builder = _Builder(path)
    builder.feed(data.decode("utf-8", errors="replace"))
    builder.close()
    return builder.root
