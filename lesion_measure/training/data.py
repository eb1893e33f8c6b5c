"""Pictures with outlines: read from folders or simulated, and split so that no group stands on both sides."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from lesion_measure.errors import InputError
from lesion_measure.network.parts import EIGHT_NEIGHBOURS, caliper_length, long_axis
from lesion_measure.network.preprocess import MIN_CALIPER_PX, CaliperLine
from lesion_measure.phantom import random_training_frame
from lesion_measure.training.settings import Simulated, Split

SIMULATED = "simulated"
MIN_LESION_PX = 12
MAX_PICTURE_PX = 64_000_000
_NAME = re.compile(r"[\w() .-]{1,200}")


@dataclass(frozen=True, slots=True, eq=False)
class Axes:
    """Calipers a reader would place on one lesion: the long axis, and the longest chord perpendicular to it."""

    long: CaliperLine
    short: CaliperLine | None


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture and its lesions: ``labels`` (rows, columns) is 0 outside, 1.. on each lesion; ``axes`` one a label."""

    name: str
    source: str
    group: str
    image: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    axes: tuple[Axes, ...]


def picture(name: str, source: str, group: str, image: NDArray[np.uint8], mask: NDArray[np.bool_]) -> Picture:
    """A picture from its image and mask, lesions told apart by touching; specks and lines are no lesions."""
    found, count = ndimage.label(mask, structure=EIGHT_NEIGHBOURS)
    labels = np.zeros(image.shape, dtype=np.uint8)
    axes: list[Axes] = []
    for index in range(1, min(count, 200) + 1):
        one = found == index
        measured = lesion_axes(one) if int(one.sum()) >= MIN_LESION_PX else None
        if measured is not None:
            axes.append(measured)
            labels[one] = len(axes)
    return Picture(name, source, group, image, labels, tuple(axes))


def lesion_axes(mask: NDArray[np.bool_]) -> Axes | None:
    """The axes of one lesion between centres of its border pixels; None where it is too flat to have any."""
    axis = long_axis(mask)
    if axis is None:
        return None
    start, end = np.asarray(axis)
    length = caliper_length(axis)
    points = np.argwhere(mask & ~ndimage.binary_erosion(mask, structure=EIGHT_NEIGHBOURS)).astype(np.float64)
    along = (end - start) / length
    across = np.array([-along[1], along[0]])
    bins = np.rint((points - start) @ along).astype(int)
    offsets = (points - start) @ across
    chords = [(float(np.ptp(offsets[bins == b])), int(b)) for b in np.unique(bins)]
    width, best = max(chords)
    chosen = offsets[bins == best]
    foot = start + best * along
    short = None
    if width >= MIN_CALIPER_PX:
        short = _line(foot + chosen.min() * across, foot + chosen.max() * across)
    return Axes(axis, short)


def _line(start: NDArray[np.float64], end: NDArray[np.float64]) -> CaliperLine:
    return (float(start[0]), float(start[1])), (float(end[0]), float(end[1]))


def load_folder(folder: Path) -> list[Picture]:
    """Pictures of a folder with ``images/``, ``masks/`` (PNG of the same name) and ``index.csv`` (id, group).

    Raises
    ------
    InputError
        The index is missing or names a file that is missing, unreadable or of another size than its mask.
    """
    index = folder / "index.csv"
    try:
        with index.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            "A data folder needs an index.csv with the columns id and group.", code="dataset", path=str(index)
        ) from error
    if not rows or "id" not in rows[0]:
        raise InputError("The index lists no pictures, or has no column id.", code="dataset", path=str(index))
    pictures = []
    for row in rows:
        name = row["id"] or ""
        if not _NAME.fullmatch(name) or name.startswith("."):
            raise InputError("An id of the index is no plain file name.", code="dataset", path=str(index))
        image = _grey(folder / "images" / f"{name}.png")
        mask = _grey(folder / "masks" / f"{name}.png")
        if image.shape != mask.shape:
            raise InputError("A picture and its mask differ in size.", code="dataset", path=f"{folder.name}/{name}")
        pictures.append(picture(name, folder.name, row.get("group") or name, image, mask > 127))
    return pictures


def _grey(path: Path) -> NDArray[np.uint8]:
    try:
        with Image.open(path) as image:
            if image.width * image.height > MAX_PICTURE_PX:
                raise InputError("A picture is too large.", code="dataset", path=str(path))
            return np.asarray(image.convert("L"), dtype=np.uint8)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError("A picture cannot be read.", code="dataset", path=str(path)) from error


def simulated_pictures(folder: Path, kind: str, count: int, seed: int, settings: Simulated) -> list[Picture]:
    """``count`` simulated frames; made once and kept as compressed arrays in ``folder``, 100 to a file.

    The same kind, seed and size give the same frames; ``kind`` ("train", "validation") keeps their seeds apart.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pictures: list[Picture] = []
    for start in range(0, count, 100):
        name = f"{kind}-{seed}-{settings.size[0]}x{settings.size[1]}-{start:06d}.npz"
        numbers = range(start, min(start + 100, count))
        frames = _cached_frames(folder / name, kind, numbers, seed, settings)
        for number, (image, mask) in zip(numbers, frames, strict=True):
            identity = f"{kind}-{seed}-{number:06d}"
            pictures.append(picture(identity, SIMULATED, identity, image, mask > 0))
    return pictures


def _cached_frames(
    path: Path, kind: str, numbers: range, seed: int, settings: Simulated
) -> Iterable[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    if path.is_file():
        with np.load(path, allow_pickle=False) as stored:
            if len(stored["images"]) >= len(numbers):
                return list(zip(stored["images"][: len(numbers)], stored["masks"][: len(numbers)], strict=True))
    stream = 0 if kind == "train" else 1
    made = [random_training_frame(np.random.default_rng((seed, stream, n)), size=settings.size) for n in numbers]
    images, masks = np.stack([frame[0] for frame in made]), np.stack([frame[1] for frame in made])
    partial = path.with_suffix(".partial.npz")
    np.savez_compressed(partial, images=images, masks=masks)
    partial.replace(path)
    return list(zip(images, masks, strict=True))


def split_pictures(pictures: Sequence[Picture], split: Split, seed: int) -> tuple[list[Picture], list[Picture]]:
    """Training and validation pictures: within each set, whole groups are held back at random."""
    training: list[Picture] = []
    validation: list[Picture] = []
    for number, source in enumerate(sorted({item.source for item in pictures})):
        own = [item for item in pictures if item.source == source]
        groups = sorted({item.group for item in own})
        share = split.share_by_set.get(source, split.share)
        order = np.random.default_rng((seed, 7, number)).permutation(len(groups))
        held = {groups[i] for i in order[: round(share * len(groups))]}
        training += [item for item in own if item.group not in held]
        validation += [item for item in own if item.group in held]
    return training, validation
