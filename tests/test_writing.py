"""Every write: whole or not at all, one helper for all of them, and what the disk refuses is said."""

from __future__ import annotations

import ast
import errno
import os
import resource
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from lesion_measure.errors import WriteError
from lesion_measure.files import writing

WRITERS = {
    "write_text", "write_bytes", "mkdir", "makedirs", "unlink", "rmdir", "rename", "rmtree", "touch", "symlink_to",
    "hardlink_to", "mkdtemp", "mkstemp", "NamedTemporaryFile", "copyfile", "copytree", "move",
}  # fmt: skip
"""Calls that change the file system, by the name of the function or method."""
SAVERS = {"savez", "savez_compressed", "savefig", "save_as", "dcmwrite", "save", "dump", "to_csv", "imwrite"}
"""Calls that write to what they are given: a stream of ours is fine, a path is not."""
STREAMS = {"buffer", "stream", "file"}


def _writes(tree: ast.AST) -> list[int]:
    """Lines of calls that change the file system in a way of their own."""
    own = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        method = isinstance(node.func, ast.Attribute)
        name = node.func.attr if method else node.func.id if isinstance(node.func, ast.Name) else ""
        first = node.args[0] if node.args else None
        words = {value.value for value in (*node.args, *(k.value for k in node.keywords)) if _text(value)}
        opened = name in ("open", "fdopen") and any(set(word) <= set("rwaxbt+") & set(word) and set(word) & set("wax+")
                                                   for word in words)  # fmt: skip
        renamed = method and name == "replace" and len(node.args) == 1 and not node.keywords
        to_stream = any(isinstance(arg, ast.Name) and arg.id in STREAMS for arg in node.args)
        saved = name in SAVERS and first is not None and not to_stream
        if (method and name in WRITERS) or opened or renamed or saved:
            own.append(node.lineno)
    return own


def _text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def test_nothing_in_the_package_writes_in_a_way_of_its_own(project_dir: Path) -> None:
    package = project_dir / "lesion_measure"
    found = {
        f"{path.relative_to(package)}:{line}"
        for path in package.rglob("*.py")
        if path.name != "writing.py"
        for line in _writes(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert not found


@pytest.mark.parametrize(
    "code",
    ["path.write_text('a')", "open('a', 'w')", "path.open('wb')", "partial.replace(path)", "np.savez(path, a=1)",
     "torch.save(state, path)", "figure.savefig(path)", "ds.save_as(path)", "shutil.rmtree(a)", "path.mkdir()"],
)  # fmt: skip
def test_the_search_for_such_ways_finds_them(code: str) -> None:
    assert _writes(ast.parse(code)) == [1]


@pytest.mark.parametrize(
    ("number", "why", "what_to_do"),
    [
        (errno.ENOSPC, "the disk is full", "Free some space"),
        (errno.EDQUOT, "the disk quota is used up", "Free some space"),
        (errno.EROFS, "the file system is read-only", "another disk"),
        (errno.EACCES, "permission is denied", "that you may write to"),
        (errno.EIO, os.strerror(errno.EIO), "Check the disk"),
    ],
)
def test_it_is_said_what_where_why_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, why: str, what_to_do: str
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    path = tmp_path / "changes.csv"
    path.write_text("old")
    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(WriteError) as caught:
        writing.write_text(path, "new", "table")
    said = str(caught.value)
    assert said.startswith(f"{path}: The table cannot be written: {why}.")
    assert what_to_do in said
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["changes.csv"]


def test_whatever_stops_the_writing_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    writing.write_text(path, "old")

    def interrupted() -> None:
        with writing.replacing(path) as stream:
            stream.write("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]


def test_writers_of_one_file_in_processes_of_one_number_do_not_meet(tmp_path: Path) -> None:
    """As in two containers: whoever ends last gives the file its content, all of it."""
    path = tmp_path / "a.raw"
    with writing.replacing_bytes(path, shared=True) as one:
        one.write(b"a" * 9)
        one.flush()
        with writing.replacing_bytes(path, shared=True) as other:
            other.write(b"bb")
        assert path.read_bytes() == b"bb"
        one.write(b"a")
    assert path.read_bytes() == b"a" * 10
    assert [file.name for file in tmp_path.iterdir()] == ["a.raw"]


WAYS = [writing.replacing, writing.replacing_bytes, writing.streaming]


@pytest.mark.parametrize("way", WAYS)
def test_an_error_of_whoever_makes_the_content_is_none_of_the_disk(
    tmp_path: Path, way: Callable[[Path], AbstractContextManager[Any]]
) -> None:
    own = OSError(errno.EIO, "the decoder has ended")
    with pytest.raises(OSError, match="decoder") as caught, way(tmp_path / "a"):
        raise own
    assert caught.value is own


@pytest.mark.parametrize("way", WAYS)
def test_a_disk_that_refuses_what_is_written_is_told_of(
    tmp_path: Path, way: Callable[[Path], AbstractContextManager[Any]]
) -> None:
    """The system's own limit of a file's size, as a disk that fills up while it is written."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
    try:
        with pytest.raises(WriteError, match="larger than allowed") as caught, way(tmp_path / "a") as stream:
            stream.write("x" * 100_000 if way is writing.replacing else b"x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert caught.value.path == str(tmp_path / "a")


def test_a_set_of_files_changes_as_a_whole(tmp_path: Path) -> None:
    out = tmp_path / "out"
    names = ("a.csv", "b.csv", "c.csv")
    with writing.together(out, names) as stage:
        for name in names:
            writing.write_text(stage / name, "old")
        assert not list(out.glob("*.csv"))
    (out / "notes.txt").write_text("mine")

    def stopped() -> None:
        with writing.together(out, names) as stage:
            writing.write_text(stage / "a.csv", "new")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        stopped()
    assert {file.name: file.read_text() for file in out.iterdir()} == dict.fromkeys(names, "old") | {
        "notes.txt": "mine"
    }
    with writing.together(out, names) as stage:
        writing.write_text(stage / "a.csv", "new")
    assert {file.name: file.read_text() for file in out.iterdir()} == {"a.csv": "new", "notes.txt": "mine"}


def test_an_error_in_a_set_names_the_place_that_the_file_would_have_had(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="too long") as caught, writing.together(tmp_path / "out") as stage:
        writing.write_text(stage / ("a" * 300), "text")
    assert caught.value.path == str(tmp_path / "out" / ("a" * 300))


def test_a_folder_is_replaced_as_a_whole_and_outlives_a_kill_between_the_two_renamings(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    for text in ("first", "second"):
        with writing.replacing_folder(bundle) as partial:
            writing.write_text(partial / "model", text)
        assert (bundle / "model").read_text() == text
    with pytest.raises(ZeroDivisionError), writing.replacing_folder(bundle) as partial:
        raise ZeroDivisionError
    assert (bundle / "model").read_text() == "second"
    bundle.rename(tmp_path / ".bundle.old")  # as a kill leaves it
    with pytest.raises(ZeroDivisionError), writing.replacing_folder(bundle) as partial:
        raise ZeroDivisionError
    assert (bundle / "model").read_text() == "second"
    assert [entry.name for entry in tmp_path.iterdir()] == ["bundle"]
