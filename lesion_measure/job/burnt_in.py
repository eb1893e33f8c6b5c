"""The calipers that are burnt into one image's frames, for the command ``calipers``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lesion_measure.burnt_in.found import BurntInFrame
from lesion_measure.burnt_in.read import read_frame
from lesion_measure.config import Config
from lesion_measure.dicom.open_image import OpenImage
from lesion_measure.job.inventory import only_image


def burnt_in_calipers(path: Path, frame: int | None, config: Config) -> Iterator[BurntInFrame]:
    """Each frame of an image, or one of them.

    Parameters
    ----------
    path
        A file or folder that holds one image.
    frame
        Number of the frame, from 1; None for all.
    config
        All settings.

    Raises
    ------
    InputError
        There is no or more than one image, no such frame, or one cannot be decoded.
    """
    instance = only_image(path, frame or 1, config)
    with OpenImage(instance, config.limits) as image:
        for number in range(1, instance.frames + 1) if frame is None else (frame,):
            yield read_frame(image, number, config)
