"""Where the files of an annotation format are, as untrusted input: pictures by the names that annotations give them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from lesion_measure.files.reading import parse_json, read_regular
from lesion_measure.lab.datasets.files import PICTURE_SUFFIXES, bad, checked_name, composed, regular
from lesion_measure.lab.datasets.stated import split_called

MAX_JSON_BYTES = 200_000_000
MOST_FILES = 2_000_000
MOST_DEEP = 4


def files_below(folder: Path, suffixes: Sequence[str], deep: int = MOST_DEEP) -> Iterator[Path]:
    """The files with one of ``suffixes`` (any letter case) at or below a folder, in order; hidden ones are left out.

    Links to folders are followed no further than ``deep`` folders down.
    """
    count = 0
    for parent, folders, names in os.walk(folder, followlinks=True):
        folders[:] = sorted(one for one in folders if not one.startswith("."))
        if len(Path(parent).relative_to(folder).parts) >= deep:
            folders.clear()
        for name in sorted(names):
            count += 1
            if count > MOST_FILES:
                raise bad("The folder holds too many files.", folder)
            if name.lower().endswith(tuple(suffixes)) and not name.startswith("."):
                yield Path(parent) / name


class Pictures:
    """The pictures of a data folder, found by what an annotation file calls them."""

    def __init__(self, folder: Path, bound: Path) -> None:
        self._folder, self._bound = folder, bound
        self._by_end: dict[str, list[Path]] = {}
        self._count = 0
        for path in files_below(folder, PICTURE_SUFFIXES):
            self._count += 1
            parts = path.relative_to(folder).parts
            for start in range(len(parts)):
                self._by_end.setdefault(composed("/".join(parts[start:])).casefold(), []).append(path)
        self._used: set[Path] = set()

    def called(self, name: str, stated_in: Path) -> Path:
        """The picture of a stated name, which may have folders before it; never outside of the data folder.

        Raises
        ------
        InputError
            There is none, or several are, or the only one lies in another folder than is stated.
        """
        parts = [part for part in PurePosixPath(composed(name).replace("\\", "/")).parts if part not in ("/", ".")]
        if not parts or ".." in parts:
            raise bad(f"It names a picture '{name[:80]}', which is no name.", stated_in, "Correct the name.")
        for start in range(len(parts)):
            found = self._by_end.get(composed("/".join(parts[start:])).casefold(), [])
            near = [path for path in found if path.is_relative_to(stated_in.parent)] or found
            if len(near) > 1:
                raise bad(
                    f"It names '{name[:80]}', and there are several: {near[0]} and {near[1]}.",
                    stated_in,
                    "Keep one, or state the folder.",
                )
            if near:
                self._check_folders(name, parts[:-1], near[0], stated_in)
                self._used.add(near[0])
                return regular(self._bound, near[0])
        raise bad(
            f"It names the picture '{name[:80]}', which is not there ({self._count} pictures are).",
            stated_in,
            "Put the picture below the data folder, or take its entry out.",
        )

    def _check_folders(self, name: str, stated: Sequence[str], path: Path, stated_in: Path) -> None:
        """Raise InputError where the folder just before the name differs, or the part of a split further up does.

        Folders further up are where the annotator's copy lay, and say nothing of this one.
        """
        own = tuple(map(composed, path.relative_to(self._folder).parts[:-1]))
        parts = [next(filter(None, map(split_called, reversed(each))), "") for each in (stated, own)]
        if stated and own and (stated[-1].casefold() != own[-1].casefold() or (all(parts) and parts[0] != parts[1])):
            raise bad(
                f"It names '{name[:80]}'; of this name there is {'/'.join(own)[:80]}/{path.name} alone.",
                stated_in,
                "Put the picture into the stated folder, or correct the name; without a folder any is taken.",
            )

    def unused(self) -> int:
        """How many pictures no annotation names."""
        return self._count - len(self._used)


def name_of(folder: Path, path: Path, alone: bool) -> str:
    """What a picture is called in its set: its file's stem, with its folders before it unless that is ``alone`` one."""
    parts = path.relative_to(folder).with_suffix("").parts
    return checked_name(parts[-1] if alone else "_".join(parts), path)


def names_of(folder: Path, paths: Sequence[Path]) -> Mapping[Path, str]:
    """A name for each picture, by its stem where these differ, else by its folders too."""
    stems = [path.stem.casefold() for path in paths]
    alone = len(set(stems)) == len(set(paths))
    return {path: name_of(folder, path, alone) for path in paths}


def read_json(path: Path, bound: Path) -> Any:
    """What a JSON file says.

    Raises
    ------
    InputError
        It cannot be read or is no JSON.
    """
    try:
        return parse_json(read_regular(regular(bound, path), MAX_JSON_BYTES))
    except OSError as error:
        raise bad(f"The file cannot be read ({error.strerror}).", path) from error
    except ValueError as error:
        raise bad(f"The file is no JSON ({error}).", path, "Export it anew.") from error


def read_text(path: Path, bound: Path, most: int) -> str:
    """A UTF-8 text file of at most so many bytes, which no link leads out of ``bound`` to.

    Raises
    ------
    InputError
        It cannot be read, is too large, or is no such text.
    """
    try:
        return read_regular(regular(bound, path), most).decode("utf-8-sig")
    except OSError as error:
        raise bad(f"The file cannot be read ({error.strerror}).", path) from error
    except UnicodeDecodeError as error:
        raise bad("The file is no UTF-8 text.", path, "Save it as UTF-8.") from error
