"""The results folder: who may write there, and what the network already outlined, so that a killed run goes on.

The network's outlines are kept in ``segmentations/``, a file a picture or caliper, named by a hash of everything they
depend on (the image's bytes, the weights, the settings, the frames, the region, the calipers that prompted them, this
package's version). A changed input or setting has another name, so nothing stale is ever read. The arrays are plain
(``allow_pickle=False``). Beside each file stands one of its SHA-256 and the number of its lesions: what was damaged
since is made anew.

A marker file says that a folder was made here. Without it nothing in a folder is touched, with it only files of ours.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from importlib import metadata
from pathlib import Path

import numpy as np

from lesion_measure.errors import OutputError
from lesion_measure.files.locks import LOCK, check_free, holding
from lesion_measure.records import LesionMask
from lesion_measure.writing import failing, make_folder, remove, write_bytes

FINISHED = "run.json"
SEGMENTATIONS = "segmentations"
MARKER = ".lesion_measure"
RESULT_FILES = (
    "report.html",
    "report.pdf",
    "measurements.csv",
    "lesions.csv",
    "changes.csv",
    "refusals.csv",
    "results.json",
    FINISHED,
)

_MARKER_LINE = b"Results folder of lesion_measure; without this file its results are not overwritten.\n"
_KEY_LENGTH = 40
_OWN_MASKS = re.compile(rf"\.?[0-9a-f]{{{_KEY_LENGTH}}}\.(npz|sum|partial)(\.partial)?")
_DERIVED = {
    "cohort": re.compile(r"\.?cohort(_[a-z]+)?\.(html|json|csv)(\.partial)?"),
    "cdisc": re.compile(r"\.?([a-z0-9]{2,8}|define)\.(xpt|json|csv|html|xml|pdf)(\.partial)?"),
}
"""Folders of what is made from the results, and the names of our files there: without the results they are stale."""

FrameMasks = Mapping[int, Sequence[LesionMask]]
"""The network's lesions by 1-based frame number."""


def check(out: Path, *, overwrite: bool) -> None:
    """What `prepare` would refuse is refused, and nothing is touched: for before the input is read.

    Raises
    ------
    OutputError
        The folder holds a finished run, or files that are none of ours, or cannot be read, or another process holds it.
    """
    check_free(out)
    _check_contents(out, overwrite=overwrite)


def _check_contents(out: Path, *, overwrite: bool) -> None:
    with failing(out, "output folder"):
        if not _files(out):
            return
        if not is_ours(out):
            raise OutputError(
                "The output folder is not empty and holds no results of this program.",
                remedy="Choose another folder.",
                code="foreign_folder",
                path=str(out),
            )
        if (out / FINISHED).exists() and not overwrite:
            raise OutputError(
                "The output folder holds a finished run.",
                remedy="Choose another folder, or give --overwrite.",
                code="finished_run",
                path=str(out),
            )


@contextmanager
def opened(out: Path, *, overwrite: bool) -> Iterator[Outlines]:
    """Hold the results folder for a run, ready to be written to; yields the network's outlines that are kept in it.

    An unfinished run in it is gone on with, a finished one is kept unless ``overwrite``. Outlines stay in any case:
    their names say what they were made from. When the run is over, those that it did not use are removed.

    Raises
    ------
    OutputError
        The folder holds a finished run, or files that are none of ours, or cannot be made, or another process holds it.
    """
    check(out, overwrite=overwrite)
    with holding(out):
        _check_contents(out, overwrite=overwrite)  # once more, now that nobody else can finish a run in it
        prepare(out)
        outlines = Outlines(out)
        yield outlines
        outlines.remove_unused()


def prepare(out: Path) -> None:
    """Make the results folder, and take the results of an earlier run out of it. `opened` has looked whether it may.

    Raises
    ------
    OutputError
        The folder cannot be made or written to.
    """
    with failing(out, "output folder"):
        new = not _files(out)
        if not new:
            _clear(out)
    if new:
        make_folder(out)
        write_bytes(out / MARKER, _MARKER_LINE)
    make_folder(out / SEGMENTATIONS)


def _files(out: Path) -> bool:
    """Whether the folder is there and holds anything but a lock."""
    return out.exists() and any(entry.name != LOCK for entry in out.iterdir())


def is_ours(out: Path) -> bool:
    """Whether a folder is a results folder of this program."""
    marker = out / MARKER
    if not marker.is_file():
        return False
    with marker.open("rb") as stream:
        return stream.read(len(_MARKER_LINE) + 1) == _MARKER_LINE


def _clear(out: Path) -> None:
    for name in RESULT_FILES:
        remove(out / name)
    for name, ours in _DERIVED.items():
        _clear_derived(out / name, ours)


def _clear_derived(folder: Path, ours: re.Pattern[str]) -> None:
    """Take our files out of a folder, and the folder itself where nothing else but its marker is left."""
    if not folder.is_dir() or folder.is_symlink():
        return
    for file in folder.iterdir():
        if ours.fullmatch(file.name) and not file.is_dir():
            remove(file)
    if all(file.name.startswith(MARKER) for file in folder.iterdir()):
        remove(folder)


def key(**parts: object) -> str:
    """A file name for whatever depends on these JSON-able parts, this program and the library that computes alone."""
    text = json.dumps(parts | _program(), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:_KEY_LENGTH]


@cache
def _program() -> dict[str, str]:
    """This package's source and torch's version: with another one, an outline may be another."""
    digest = hashlib.sha256()
    package = Path(__file__).parent
    for path in sorted(package.rglob("*.py")):
        digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    torch = next((d.version for d in metadata.distributions(name="torch")), "")
    return {"source": digest.hexdigest(), "torch": torch}


class Outlines:
    """The network's outlines of one run, kept in its results folder; ``reused`` and ``made`` count pictures."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._used: set[str] = set()
        self.reused = 0
        self.made = 0

    def kept_or_made(self, name: str, make: Callable[[], FrameMasks]) -> FrameMasks:
        """The lesions that an earlier run kept under this name; else those that ``make`` gives, now kept."""
        kept = load_masks(self._out, name)
        self._used.add(name)
        if kept is not None:
            self.reused += 1
            return kept
        made = make()
        save_masks(self._out, name, made)
        self.made += 1
        return made

    def remove_unused(self) -> None:
        """Remove what was kept and is of other inputs than this run's."""
        for file in (self._out / SEGMENTATIONS).iterdir():
            if _OWN_MASKS.fullmatch(file.name) and not (file.stem in self._used and file.suffix in (".npz", ".sum")):
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
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    target = out / SEGMENTATIONS / f"{name}.npz"
    write_bytes(target, buffer.getbuffer(), "network's outline")
    write_bytes(target.with_suffix(".sum"), _sum(buffer.getbuffer(), masks), "network's outline")


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
