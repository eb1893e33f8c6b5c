"""Which pictures a YOLO set's ``data.yaml`` states as train, val and test: folders, lists of pictures, or several.

Its paths are those of the machine that wrote it, as a rule, so folders and pictures are found by the ends of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from lesion_measure.lab.datasets.annotations.finding import Pictures, files_below, read_text
from lesion_measure.lab.datasets.files import bad, composed
from lesion_measure.lab.datasets.scheme import Asked
from lesion_measure.lab.datasets.stated import split_called, split_of_folder

_MAX_TEXT_BYTES = 50_000_000
_LIST = ".txt"


def stated_parts(
    stated: Mapping[Any, Any], source: Path, folder: Path, pictures: Sequence[Path], asked: Asked
) -> dict[Path, str]:
    """The part of the split of each picture that ``data.yaml`` names; nothing where all that it names lies elsewhere.

    Parameters
    ----------
    stated
        What the file says.
    source
        The file, for messages.
    folder
        The data folder.
    pictures
        Its pictures.
    asked
        Told of what cannot be used.

    Raises
    ------
    InputError
        Training or validation is not there and others are, a picture is in two parts, or an entry is no path.
    """
    found: dict[str, set[Path]] = {}
    missing: dict[str, str] = {}
    for key, value in stated.items():
        part = split_called(str(key))
        for entry in _entries(value, str(key), source) if part else ():
            own = _named(entry, source, folder, pictures, asked)
            found.setdefault(part, set()).update(own)
            if not own:
                missing[part] = entry
    if not any(found.values()):
        if missing:
            listed = ", ".join(f"{part} as '{entry[:80]}'" for part, entry in missing.items())
            asked.tell(f"{folder.name}: {source.name} states {listed}; nothing of it is there, so it is not used.")
        return {}
    for part, entry in missing.items():
        told = f"{source.name} states {part} as '{entry[:80]}', which is not there"
        if part != "test":
            raise bad(f"{told}.", source, "Put it there, correct the path, or take the entry out.")
        asked.tell(f"{folder.name}: {told}.")
    if "val" in found and found.get("train") == (both := found["val"]):
        found = {part: own for part, own in found.items() if own != both}
        asked.tell(f"{folder.name}: {source.name} states the same pictures as train and val, which is no split.")
    parts: dict[Path, str] = {}
    for part, own in found.items():
        for path in sorted(own):
            if (other := parts.setdefault(path, part)) != part:
                raise bad(f"It states '{path.name}' as {other} and as {part}.", source, "Keep it in one part.")
    return parts


def _entries(value: Any, key: str, source: Path) -> list[str]:
    listed = [] if value is None else value if isinstance(value, list) else [value]
    if not all(isinstance(one, str) and one.strip() for one in listed):
        raise bad(f"Its {key} is no path, nor a list of paths.", source, "Write a folder, such as images/train.")
    return listed


def _named(entry: str, source: Path, folder: Path, pictures: Sequence[Path], asked: Asked) -> set[Path]:
    """The pictures that a path of ``data.yaml`` stands for; none where it is not there."""
    place = PurePosixPath(composed(entry.strip()).replace("\\", "/"))
    words = [word for word in place.parts if word not in ("/", ".", "..")]
    if entry.strip().lower().endswith(_LIST):
        path = _by_end(words, files_below(folder, (_LIST,)), folder, source)
        if path is None:
            return set()
        called = Pictures(folder, asked.bound(folder)).called
        lines = read_text(path, asked.bound(folder), _MAX_TEXT_BYTES).splitlines()
        return {called(line.strip(), path) for line in lines if line.strip()}
    homes = {home for path in pictures for home in path.parents if home.is_relative_to(folder)}
    home = _by_end(words, sorted(homes), folder, source) if words else folder
    return set() if home is None else {path for path in pictures if path.is_relative_to(home)}


def _by_end(words: Sequence[str], paths: Iterable[Path], folder: Path, source: Path) -> Path | None:
    """The one of some paths whose place in the data folder ends like stated words, as many of them as possible.

    Raises
    ------
    InputError
        Several do.
    """
    own = [(path, [composed(part).casefold() for part in path.relative_to(folder).parts]) for path in paths]
    for start in range(len(words)):
        if start and split_of_folder(words[start - 1]):
            return None  # the images of another part are not this part's
        end = [word.casefold() for word in words[start:]]
        found = [path for path, parts in own if parts == end] or [
            path for path, parts in own if parts[-len(end) :] == end
        ]
        if len(found) > 1:
            both = " and ".join(str(path.relative_to(folder)) for path in found[:2])
            raise bad(f"It names '{'/'.join(words)[:80]}', which may be {both}.", source, "State the whole path.")
        if found:
            return found[0]
    return None
