"""The network's outlines, kept in the results folder, so that a killed run goes on.

They lie in ``segmentations/``, a file an image or caliper, named by a hash of everything they depend on (the image's
bytes, the weights, what computes them, the settings, the frames, the region, the calipers that prompted them, this
package's source). A changed input or setting has another name, so nothing stale is ever read. How they lie there:
`outline_file`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from lesion_measure.files.writing import OWN_MARK, remove
from lesion_measure.image.cine import Masks
from lesion_measure.image.outline_file import ARRAYS, INDEX, Keep, kept, making

SEGMENTATIONS = "segmentations"
_KEY_LENGTH = 40
_OWN_MASKS = re.compile(rf"\.?[0-9a-f]{{{_KEY_LENGTH}}}\.(raw|json|npz|sum|partial){OWN_MARK}(\.partial)?")
"""Earlier versions wrote npz and sum, which go with whatever is not used."""


def kept_name(**parts: object) -> str:
    """A file name for whatever depends on these JSON-able parts and this program alone."""
    text = json.dumps(parts | _program(), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:_KEY_LENGTH]


@cache
def _program() -> dict[str, str]:
    """This package's source: with another one, an outline may be another."""
    digest = hashlib.sha256()
    package = Path(__file__).parents[1]
    for path in sorted(package.rglob("*.py")):
        digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return {"source": digest.hexdigest()}


@dataclass(slots=True)
class Use:
    """Names of the outlines that were used, and how many of them were ``made`` now and ``reused``."""

    names: set[str] = field(default_factory=set)
    made: int = 0
    reused: int = 0

    def add(self, other: Use) -> None:
        """Count what somebody else used, too."""
        self.names |= other.names
        self.made += other.made
        self.reused += other.reused


class Outlines:
    """The network's outlines of one run, kept in its results folder; ``use`` counts images."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self.use = Use()

    @contextmanager
    def kept_or_made(self, name: str, make: Callable[[Keep], object]) -> Iterator[Masks]:
        """The lesions that an earlier run kept under this name; else those that ``make`` draws and keeps now.

        They can be read until the context ends.

        Raises
        ------
        WriteError
            They cannot be kept.
        """
        self.use.names.add(name)
        place = self._out / SEGMENTATIONS / name
        with kept(place) as masks:
            if masks is not None:
                self.use.reused += 1
                yield masks
                return
        with making(place, make) as masks:
            self.use.made += 1
            yield masks

    def remove_unused(self) -> None:
        """Remove what was kept and is of other inputs than this run's."""
        for file in (self._out / SEGMENTATIONS).iterdir():
            if is_kept(file.name) and not (file.stem in self.use.names and file.suffix in (ARRAYS, INDEX)):
                remove(file)


def is_kept(name: str) -> bool:
    """Whether a file of this name holds outlines of the network."""
    return _OWN_MASKS.fullmatch(name) is not None


def kept_outlines(out: Path) -> int:
    """How many of the network's outlines are kept in a results folder."""
    folder = out / SEGMENTATIONS
    if not folder.is_dir():
        return 0
    return sum(is_kept(file.name) and file.suffix == INDEX for file in folder.iterdir())
