"""What was made of one child, kept in the results folder: so a run goes on, is repeated, and is put together.

A file has five lines: its schema and the SHA-256 of the others; what it was made from, and the child in short; the
child as results.json holds it; the same with every digit; its lines of the tables. It is untrusted like any other file:
bounded, every value checked for its type, and one that is not whole or not of this version is as if it were not there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

from lesion_measure.errors import InputError
from lesion_measure.files.reading import open_regular, read_regular
from lesion_measure.files.writing import remove, write_bytes
from lesion_measure.job.folder import MEASURED
from lesion_measure.records import SubjectResult
from lesion_measure.records.record import Count, Record
from lesion_measure.report import ChildRow
from lesion_measure.report.results import ChildLines
from lesion_measure.report.tables import CHILD_TABLES, is_table_text
from lesion_measure.results import adapter, document, json_line

SUFFIX = ".jsonl"
MAX_BYTES = 500_000_000
_MAX_HEAD_BYTES = 1000
_PARTS = 4
_SCHEMA = "lesion_measure child 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptChild(Record):
    """What a child's results were made from, and the child in short."""

    key: str
    """Hash of all that they depend on (`depends.child_key`); empty: nothing that another run may take."""
    row: ChildRow
    """The child in the tables of all children."""
    inputs: dict[str, str]
    """SHA-256 of each image that was read, by its path."""
    outlines: tuple[str, ...]
    """Names of the network's outlines that they rest on."""
    files: dict[str, Count]
    """Size in bytes of each file that was written of the child, by its path in the results folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A kept child as it lies in its file; ``exact`` is its result as JSON with every digit."""

    child: KeptChild
    lines: ChildLines
    exact: str

    def rounded(self) -> SubjectResult:
        """The child as results.json tells it."""
        return _subject(self.lines.subject)

    def result(self) -> SubjectResult:
        """The child as it was measured, without what pictures alone need."""
        return _subject(self.exact)


def keep(out: Path, child: KeptChild, result: SubjectResult, lines: ChildLines) -> Kept:
    """Keep a child; gives it as it will be read.

    Parameters
    ----------
    out
        The results folder.
    child, result, lines
        What it was made from, what it came to, and the same as the files of a run hold it.

    Raises
    ------
    WriteError
        It cannot be written.
    """
    exact = adapter(SubjectResult).dump_json(result, warnings=False).decode()
    parts = [json_line(document(child)), lines.subject, exact, json_line({**lines.tables})]
    body = "\n".join(parts) + "\n"
    head = json_line({"schema": _SCHEMA, "sha256": hashlib.sha256(body.encode()).hexdigest()})
    write_bytes(place_of(out, child.row.page), f"{head}\n{body}".encode(), "child's result", shared=True)
    return _parsed(*parts)


def kept_child(out: Path, name: str, wanted: bytes | None = None) -> Kept | None:
    """What is kept of a child; None where it is not there whole and as it was written, or not under the head wanted."""
    try:
        data = read_regular(place_of(out, name), MAX_BYTES)
    except OSError:
        return None
    head, _, body = data.partition(b"\n")
    if wanted is not None and head != wanted:
        return None
    try:
        stated = json.loads(head)
        if stated != {"schema": _SCHEMA, "sha256": hashlib.sha256(body).hexdigest()}:
            return None
        kept = _parsed(*body.decode().split("\n")[:_PARTS])
    except (ValueError, RecursionError):  # of which UnicodeError and ValidationError are some
        return None
    return kept if kept.child.row.page == name else None


def place_of(out: Path, name: str) -> Path:
    """Where a child is kept whose pages have this name (`ChildRow.page`)."""
    return out / MEASURED / f"{name}{SUFFIX}"


def _head(path: Path) -> bytes:
    """The first line of a kept child, which holds the SHA-256 of the others; empty where it cannot be read."""
    try:
        with open_regular(path) as file:
            return file.readline(_MAX_HEAD_BYTES).rstrip(b"\n")
    except OSError:
        return b""


def forget(out: Path, name: str) -> None:
    """Take away what is kept of a child: before what it tells of is written anew."""
    remove(place_of(out, name))


def kept_names(out: Path) -> list[str]:
    """Names of the children that are kept in a results folder."""
    return sorted(path.name.removesuffix(SUFFIX) for path in (out / MEASURED).glob(f"*{SUFFIX}"))


class KeptSubjects(Sequence[SubjectResult]):
    """The children of a results folder, each read when it is asked for: all of them may be more than memory holds.

    They are those of one run: what a later run left in their place is refused, and never given as theirs.
    """

    def __init__(
        self, out: Path, names: Sequence[str], heads: Sequence[bytes] | None = None, *, rounded: bool = False
    ) -> None:
        self._out, self._names, self._rounded = out, tuple(names), rounded
        self._heads = tuple(_head(place_of(out, name)) for name in names) if heads is None else tuple(heads)

    def __len__(self) -> int:
        return len(self._names)

    @overload
    def __getitem__(self, index: int) -> SubjectResult: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[SubjectResult]: ...
    def __getitem__(self, index: int | slice) -> SubjectResult | Sequence[SubjectResult]:
        if isinstance(index, slice):
            return KeptSubjects(self._out, self._names[index], self._heads[index], rounded=self._rounded)
        kept = self._read(self._names[index], self._heads[index])
        return kept.rounded() if self._rounded else kept.result()

    def rounded(self) -> KeptSubjects:
        """The same as results.json tells them."""
        return KeptSubjects(self._out, self._names, self._heads, rounded=True)

    def lines(self) -> Iterator[ChildLines]:
        """Each as the files of a run hold it, in order.

        Raises
        ------
        InputError
            A file is gone, or was changed.
        """
        return (self._read(name, head).lines for name, head in zip(self._names, self._heads, strict=True))

    def _read(self, name: str, head: bytes) -> Kept:
        kept = kept_child(self._out, name, head)
        if kept is None:
            raise InputError(
                "What was measured of a child is gone, or was changed meanwhile.",
                remedy="Give the command of the run again.", code="results", path=f"{MEASURED}/{name}{SUFFIX}",
            )  # fmt: skip
        return kept


def _subject(text: str) -> SubjectResult:
    return adapter(SubjectResult).validate_json(text, strict=True)  # type: ignore[no-any-return]


def _parsed(child: str, subject: str, exact: str, tables: str) -> Kept:
    known: KeptChild = adapter(KeptChild).validate_json(child, strict=True)
    texts = json.loads(tables)
    if set(texts) != set(CHILD_TABLES) or not all(is_table_text(CHILD_TABLES[name], texts[name]) for name in texts):
        raise ValueError("no lines of the tables")
    return Kept(child=known, lines=ChildLines(subject, texts), exact=exact)
