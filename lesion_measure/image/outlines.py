"""The network's outlines, kept in the results folder, so that a killed run goes on.

They lie in ``segmentations/``, a file an image or caliper, named by a hash of everything they depend on (the image's
bytes, the weights, what computes them, the settings, the frames, the region, the calipers that prompted them, this
package's source). A changed input or setting has another name, so nothing stale is ever read. The arrays are plain
(``allow_pickle=False``).
Beside each file stands one of its SHA-256 and the number of its lesions: what was damaged since is made anew.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np

from lesion_measure.files.writing import remove, write_bytes
from lesion_measure.records import LesionMask

SEGMENTATIONS = "segmentations"
_KEY_LENGTH = 40
_OWN_MASKS = re.compile(rf"\.?[0-9a-f]{{{_KEY_LENGTH}}}\.(npz|sum|partial)(\.\d+)?(\.partial)?")

FrameMasks = Mapping[int, Sequence[LesionMask]]
"""The network's lesions by 1-based frame number."""


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

    def kept_or_made(self, name: str, make: Callable[[], FrameMasks]) -> FrameMasks:
        """The lesions that an earlier run kept under this name; else those that ``make`` gives, now kept."""
        kept = load_masks(self._out, name)
        self.use.names.add(name)
        if kept is not None:
            self.use.reused += 1
            return kept
        made = make()
        save_masks(self._out, name, made)
        self.use.made += 1
        return made

    def remove_unused(self) -> None:
        """Remove what was kept and is of other inputs than this run's."""
        for file in (self._out / SEGMENTATIONS).iterdir():
            if _OWN_MASKS.fullmatch(file.name) and not (
                file.stem in self.use.names and file.suffix in (".npz", ".sum")
            ):
                remove(file)


def kept_outlines(out: Path) -> int:
    """How many of the network's outlines are kept in a results folder."""
    folder = out / SEGMENTATIONS
    if not folder.is_dir():
        return 0
    return sum(bool(_OWN_MASKS.fullmatch(file.name)) and file.suffix == ".npz" for file in folder.iterdir())


def save_masks(out: Path, name: str, masks: FrameMasks) -> None:
    """Keep the lesions of the frames that were looked at, also of those that show none."""
    arrays: dict[str, np.ndarray] = {"frames": np.array(sorted(masks), dtype=np.int64)}
    for frame, lesions in masks.items():
        for index, lesion in enumerate(lesions):
            prefix = f"{frame}_{index}_"
            arrays[prefix + "probability"] = lesion.probability
            arrays[prefix + "outline_px"] = lesion.outline_px
            arrays[prefix + "numbers"] = np.array(
                [*lesion.origin, lesion.confidence, lesion.accepted], dtype=np.float64
            )
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)  # packed they are a quarter smaller, and 20 times slower to write
    target = out / SEGMENTATIONS / f"{name}.npz"
    write_bytes(target, buffer.getbuffer(), "network's outline", shared=True)
    write_bytes(target.with_suffix(".sum"), _sum(buffer.getbuffer(), masks), "network's outline", shared=True)


def load_masks(out: Path, name: str) -> dict[int, list[LesionMask]] | None:
    """What `save_masks` kept, or None where that is not there whole and as it was written."""
    target = out / SEGMENTATIONS / f"{name}.npz"
    beside = target.with_suffix(".sum")
    if not (target.is_file() and beside.is_file()):
        return None
    try:
        data, stated = target.read_bytes(), beside.read_bytes()
    except OSError:
        return None
    if not stated.startswith(_digest(data)):
        return None
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        masks = {int(frame): _lesions(arrays, int(frame)) for frame in arrays["frames"]}
    return masks if stated == _sum(data, masks) else None


def _digest(data: bytes | memoryview) -> bytes:
    return hashlib.sha256(data).hexdigest().encode()


def _sum(data: bytes | memoryview, masks: FrameMasks) -> bytes:
    """What stands beside a file of outlines: its SHA-256 and the number of its lesions."""
    return b"%s %d\n" % (_digest(data), sum(map(len, masks.values())))


def _lesions(arrays: Mapping[str, np.ndarray], frame: int) -> list[LesionMask]:
    lesions: list[LesionMask] = []
    while (prefix := f"{frame}_{len(lesions)}_") + "numbers" in arrays:
        row, col, confidence, accepted = arrays[prefix + "numbers"].tolist()
        lesions.append(
            LesionMask(
                probability=arrays[prefix + "probability"],
                origin=(int(row), int(col)),
                outline_px=arrays[prefix + "outline_px"],
                confidence=confidence,
                accepted=bool(accepted),
            )
        )
    return lesions
