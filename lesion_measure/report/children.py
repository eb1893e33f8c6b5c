"""The children of finished results, whole and one at a time: all of them may be more than memory holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from pydantic import ValidationError

from lesion_measure.errors import InputError
from lesion_measure.files.listed import Item, read_listed
from lesion_measure.files.reading import open_regular
from lesion_measure.records import SubjectResult
from lesion_measure.results import FILE, MAX_BYTES, Results, adapter, read_results

Child = Callable[[str], SubjectResult | None]
"""A child by its subject code; None where the results have none of it."""


@contextmanager
def whole_children(folder: Path, results: Results) -> Iterator[Child]:
    """What the results of a folder say of each child, which is read when it is asked for.

    Parameters
    ----------
    folder
        The results folder.
    results
        What `read_results` gave of it, with its children in short.

    Raises
    ------
    InputError
        The file cannot be read, or was changed since.
    """
    path = folder / FILE
    places: list[tuple[int, int]] = []

    def note(item: Item) -> None:
        places.append((item.place, len(item.text)))

    lists = {"subjects": note, **dict.fromkeys(("refusals", "images"), lambda item: None)}
    try:
        with open_regular(path) as stream:
            listed = read_listed(stream, lists, MAX_BYTES)
            if listed is not None and len(places) == len(results.subjects):
                _check_same(listed.sha256, results, path)
                yield _ByPlace(stream, dict(zip([c.subject for c in results.subjects], places, strict=True)))
            else:  # a layout that no run writes, such as a child on two lines
                whole = read_results(folder)
                _check_same(whole.sha256, results, path)
                yield {child.subject: child for child in whole.subjects}.get
    except OSError as error:
        raise InputError(f"The results cannot be read ({error.strerror}).", code="results", path=str(path)) from error


class _ByPlace:
    def __init__(self, stream: BinaryIO, places: dict[str, tuple[int, int]]) -> None:
        self._stream, self._places = stream, places

    def __call__(self, code: str) -> SubjectResult | None:
        if code not in self._places:
            return None
        place, size = self._places[code]
        self._stream.seek(place)
        try:
            child: SubjectResult = adapter(SubjectResult).validate_json(self._stream.read(size), strict=True)
        except ValidationError as error:
            raise _changed(Path(self._stream.name)) from error
        return child


def _check_same(sha256: str, results: Results, path: Path) -> None:
    if sha256 != results.sha256:
        raise _changed(path)


def _changed(path: Path) -> InputError:
    return InputError(
        "The results were changed while they were read.", remedy="Give the command again.", code="results",
        path=str(path),
    )  # fmt: skip
