"""Simulated frames with known lesions, made once and kept."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lesion_measure.datasets.pictures import Picture, picture
from lesion_measure.phantom import random_training_frame

SIMULATED = "simulated"


def simulated_pictures(folder: Path, kind: str, count: int, seed: int, size: tuple[int, int]) -> list[Picture]:
    """``count`` simulated frames; made once and kept as compressed arrays in ``folder``, 100 to a file.

    The same kind, seed and size give the same frames; ``kind`` ("train", "validation") keeps their seeds apart.
    """
    folder.mkdir(parents=True, exist_ok=True)
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
    stream = 0 if kind == "train" else 1
    made = [random_training_frame(np.random.default_rng((seed, stream, n)), size=size) for n in numbers]
    images, masks = np.stack([frame[0] for frame in made]), np.stack([frame[1] for frame in made])
    partial = path.with_suffix(f".{os.getpid()}.partial.npz")  # two trainings may make the same frames at once
    np.savez_compressed(partial, images=images, masks=masks)
    partial.replace(path)
    return list(zip(images, masks, strict=True))
