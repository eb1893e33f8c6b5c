"""Every file below a folder and in its (nested) zips, each offered for reading or refused with a reason.

Symbolic links are not followed; pipes, sockets and devices are not opened; names are made safe to print.
"""

from __future__ import annotations

import os
import stat
import zipfile
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from lesion_measure.errors import InputError
from lesion_measure.files.archive import METHODS, Archives, cannot_read, located, read_some
from lesion_measure.records import Location, Refusal

_ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")


@dataclass(frozen=True, slots=True)
class Found:
    """One file: ``path`` for showing (relative to the input, POSIX style), ``location`` for reading.

    ``stream`` is the open file, at its start. It is closed as soon as the next file is asked for.
    """

    path: str
    location: Location
    stream: BinaryIO


def walk(path: Path, archives: Archives, leave_out: Collection[Path] = ()) -> Iterator[Found | Refusal]:
    """Every file at or below ``path`` (a folder, a file, or a zip, which reads as if it were a folder), in order.

    Files and folders ``leave_out`` below it are passed over without a word.

    What is not offered for reading comes as a Refusal: links, pipes, unreadable folders, archives over a bound.

    Raises
    ------
    InputError
        ``path`` is not there, or is neither folder nor regular file.
    """
    if os.path.isdir(path):  # noqa: PTH112 - unlike Path.is_dir it never raises
        yield from _walk_folder(path, archives, leave_out)
    else:
        # A single file or archive named by the user may be a link: the user chose it.
        location = located(_resolve(path))
        with archives.open(location) as stream:
            is_zip = _is_zip(stream)
            if not is_zip:
                yield Found(_shown(path.name), location, stream)
        if is_zip:
            yield from _walk_zip(location, "", _shown(path.name), archives)


def _resolve(path: Path) -> Path:
    try:
        return path.resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:
        raise InputError("There is no such file or folder.", remedy="Check the path.", code="no_input") from error


def _walk_folder(root: Path, archives: Archives, leave_out: Collection[Path]) -> Iterator[Found | Refusal]:
    whole = root.resolve()
    inside = (path.resolve() for path in leave_out)
    passed_over = {root / path.relative_to(whole) for path in inside if path.is_relative_to(whole)}
    # A stack and not recursion: a tree may be deeper than Python's call stack.
    folders = [(root, "")]
    while folders:
        folder, shown = folders.pop()
        try:
            with os.scandir(folder) as scan:
                entries = sorted(scan, key=lambda entry: entry.name)
            is_folder = [entry.is_dir(follow_symlinks=False) for entry in entries]
        except OSError as error:
            yield Refusal.from_error(cannot_read(error, "folder"), path=shown.rstrip("/") or ".")
            continue
        below = []
        for entry, has_files in zip(entries, is_folder, strict=True):
            path, name = folder / entry.name, shown + _shown(entry.name)
            if path in passed_over:
                continue
            if has_files:
                below.append((path, name + "/"))
            else:
                yield from _walk_file(located(path, entry), name, archives)
        folders.extend(reversed(below))


def _walk_file(location: Location, shown: str, archives: Archives) -> Iterator[Found | Refusal]:
    """A file or a member of an archive; where it is an archive itself, its members."""
    try:
        stream = archives.open(location)
    except InputError as error:
        yield Refusal.from_error(error, path=shown)
        return
    with stream:
        try:
            is_zip = _is_zip(stream)
        except InputError as error:
            yield Refusal.from_error(error, path=shown)
            return
        if not is_zip:
            yield Found(shown, location, stream)
    if is_zip:
        yield from _walk_zip(location, shown + "/", shown, archives)


def _walk_zip(location: Location, prefix: str, shown: str, archives: Archives) -> Iterator[Found | Refusal]:
    """The members of one archive; ``prefix`` stands before their names, ``shown`` is the archive's own."""
    try:
        infos = archives.zip(location).infos
    except InputError as error:
        yield Refusal.from_error(error, path=shown)
        return
    names = Counter(info.filename for info in infos)
    if "[Content_Types].xml" in names:  # an office document is one file, whatever it is packed as
        with archives.open(location) as stream:
            yield Found(shown, location, stream)
        return
    taken: Counter[str] = Counter()
    for info in infos:
        path = prefix + _shown(info.filename)
        taken[path] += 1
        if taken[path] > 1:
            path += f"~{taken[path]}"
        if refusal := _refused_member(info, names, path):
            yield refusal
            continue
        member = replace(location, members=(*location.members, info.filename))
        yield from _walk_file(member, path, archives)


def _refused_member(info: zipfile.ZipInfo, names: Counter[str], path: str) -> Refusal | None:
    """Why a member cannot be read, from its directory entry alone."""
    if names[info.filename] > 1:
        code, reason = "archive_duplicate_name", "The archive has several members of this name."
        remedy = "Unpack it and give every file its own name."
    elif info.flag_bits & 1:
        code, reason, remedy = "archive_encrypted", "The archive member is encrypted.", "Unpack it with its password."
    elif info.compress_type not in METHODS:
        code, reason = "archive_method", "The archive member is packed with a method that is not read."
        remedy = "Pack it as an ordinary zip (deflate)."
    elif stat.S_ISLNK(info.external_attr >> 16):
        code, reason, remedy = "symbolic_link", "Symbolic links are not followed.", "Add the file itself."
    else:
        return None
    return Refusal(code=code, reason=reason, remedy=remedy, path=path)


def _is_zip(stream: BinaryIO) -> bool:
    """Whether a file begins as a zip does; ``stream`` stands at its start again."""
    start = read_some(stream, 4)
    stream.seek(0)
    return start in _ZIP_STARTS


def _shown(name: str) -> str:
    """A file or member name made safe to print: valid Unicode, no control characters, nothing that climbs."""
    if name.isprintable() and name.strip(".") and "/" not in name and "\\" not in name:
        return name
    text = os.fsencode(name).decode("utf-8", "replace") if _has_surrogates(name) else name
    text = "".join(character if character.isprintable() else "\ufffd" for character in text)
    parts = text.replace("\\", "/").split("/") if "/" in text or "\\" in text else [text]
    return "/".join("_" if part == ".." else part for part in parts if part not in ("", ".")) or "_"


def _has_surrogates(name: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in name)
