"""Simulated frames with known lesions, made once and kept."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lesion_measure.files.writing import make_folder, write_bytes
from lesion_measure.lab.datasets.pictures import Picture, picture
from lesion_measure.lab.phantom import random_training_frame

SIMULATED = "simulated"
STREAMS = {"train": 0, "validation": 1, "test": 2}


def simulated_pictures(folder: Path, kind: str, count: int, seed: int, size: tuple[int, int]) -> list[Picture]:
    """``count`` simulated frames; made once and kept as compressed arrays in ``folder``, 100 to a file.

    The same kind, seed and size give the same frames; ``kind`` (of `STREAMS`) keeps their seeds apart.

    Parameters
    ----------
    folder
        Where frames are kept.
    kind
        One of `STREAMS`.
    count
        How many frames.
    seed
        Of the simulation.
    size
        (rows, columns) of a frame.
    """
    make_folder(folder, "folder of simulated frames")
    pictures: list[Picture] = []
    for start in range(0, count, 100):
        name = f"{kind}-{seed}-{size[0]}x{size[1]}-{start:06d}.npz"
        numbers = range(start, min(start + 100, count))
        frames = _cached_frames(folder / name, kind, numbers, seed, size)
        for number, (image, mask) in zip(numbers, frames, strict=True):
            identity = f"{kind}-{seed}-{number:06d}"
            pictures.append(picture(identity, SIMULATED, identity, image, mask > 0))
    return pictures


def _cached_frames(
    path: Path, kind: str, numbers: range, seed: int, size: tuple[int, int]
) -> Iterable[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    if path.is_file():
        with np.load(path, allow_pickle=False) as stored:
            if len(stored["images"]) >= len(numbers):
                return list(zip(stored["images"][: len(numbers)], stored["masks"][: len(numbers)], strict=True))
    made = [random_training_frame(np.random.default_rng((seed, STREAMS[kind], n)), size=size) for n in numbers]
    images, masks = np.stack([frame[0] for frame in made]), np.stack([frame[1] for frame in made])
    buffer = io.BytesIO()
    np.savez_compressed(buffer, images=images, masks=masks)
    write_bytes(path, buffer.getbuffer(), "simulated frames", shared=True)  # two trainings may make the same at once
    return list(zip(images, masks, strict=True))
