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
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from lesion_measure.errors import OutputError
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
_OWN_MASKS = re.compile(rf"[0-9a-f]{{{_KEY_LENGTH}}}\.(npz|sum|partial)")
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
        The folder holds a finished run, or files that are none of ours, or cannot be read.
    """
    with failing(out, "output folder"):
        if not out.is_dir() or not any(out.iterdir()):
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


def prepare(out: Path, *, overwrite: bool) -> None:
    """Make the results folder; an unfinished run in it is gone on with, a finished one is kept unless ``overwrite``.

    Raises
    ------
    OutputError
        The folder holds a finished run, or files that are none of ours, or cannot be made.
    """
    check(out, overwrite=overwrite)
    with failing(out, "output folder"):
        new = not out.is_dir() or not any(out.iterdir())
        if not new:
            _clear(out, masks=overwrite)
    if new:
        make_folder(out)
        write_bytes(out / MARKER, _MARKER_LINE)
    make_folder(out / SEGMENTATIONS)


def is_ours(out: Path) -> bool:
    """Whether a folder is a results folder of this program."""
    marker = out / MARKER
    if not marker.is_file():
        return False
    with marker.open("rb") as stream:
        return stream.read(len(_MARKER_LINE) + 1) == _MARKER_LINE


def _clear(out: Path, *, masks: bool) -> None:
    for name in RESULT_FILES:
        remove(out / name)
    for name, ours in _DERIVED.items():
        _clear_derived(out / name, ours)
    if masks and (out / SEGMENTATIONS).is_dir():
        for file in (out / SEGMENTATIONS).iterdir():
            if _OWN_MASKS.fullmatch(file.name):
                remove(file)


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
    """A file name for whatever depends on these JSON-able parts alone."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:_KEY_LENGTH]


def masks_kept_or_made(out: Path, name: str, make: Callable[[], FrameMasks]) -> FrameMasks:
    """The lesions that an earlier, interrupted run kept under this name; else those that ``make`` gives, now kept."""
    kept = load_masks(out, name)
    if kept is not None:
        return kept
    made = make()
    save_masks(out, name, made)
    return made


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
