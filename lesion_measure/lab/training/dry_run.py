"""What a training would do, without training: its pictures, its augmented samples as seen, its time and memory."""

from __future__ import annotations

import io
import math
import resource
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from lesion_measure.files.writing import make_folder, write_bytes
from lesion_measure.lab.durations import duration
from lesion_measure.lab.training.loop import seconds_per_sample
from lesion_measure.lab.training.material import Material
from lesion_measure.lab.training.progress import Say, plan_of
from lesion_measure.lab.training.request import TrainingRequest
from lesion_measure.lab.training.run import Training, gathered_material, opened
from lesion_measure.lab.training.samples import Sample, make_sampler
from lesion_measure.lab.training.stages import stages_of
from lesion_measure.lab.training.team import Team

SHEET_SAMPLES, SHEET_COLUMNS = 24, 6
_GAP = 4
_OUTLINE, _LIVER, _PROMPT = (255, 214, 10), (66, 165, 245), (239, 83, 80)
_CONTRAST = 2.5
"""SDs around the mean grey that a sheet shows; samples are normalised."""


def dry_run(request: TrainingRequest, progress: Say) -> list[str]:
    """Do all that comes before a training, and a few steps of each network that are thrown away.

    The data card is told to ``progress``. Sheets of pictures and of augmented samples lie in ``NAME.work/``; no
    checkpoint is written, and none that is there is touched.

    Returns
    -------
    list of str
        What the training would take, in lines; none in a process that does not lead.

    Raises
    ------
    LesionMeasureError
        As `run.train`, but for an earlier training, which is no hindrance, nor is the bundle that it made.
    """
    with opened(request, progress, lambda standing: None, keeps=False) as training:
        material = gathered_material(training)
        pictures, speeds = [*material.training, *material.crossed], {}
        for name, part in training.request.networks():
            for job in stages_of(name, part, material, training.request.settings, training.work / name).jobs:
                side = job.part.preprocessing.size
                if (name, side) not in speeds:
                    speeds[name, side] = seconds_per_sample(replace(job, training=pictures), training.team)
        if not training.team.leads:
            return []
        lines = [*_sheets(training, material), *_times(training, material, speeds)]
        return [*lines, f"Memory: {_memory(training.team)}", "Nothing was trained."]


def _times(training: Training, material: Material, speeds: dict[tuple[str, int], float]) -> Iterator[str]:
    """The time of each stage, and of all."""
    total = 0.0
    for stage in plan_of(training.request.settings, len(material.folds), training.request.only):
        seconds = speeds[stage.network, stage.side]
        total += seconds * stage.samples
        yield (
            f"{stage.name}: {stage.samples} samples of {stage.side} x {stage.side}, "
            f"{1000 * seconds:.0f} ms each, {duration(seconds * stage.samples)}"
        )
    yield f"Training: {duration(total)} on {training.team.device}; measuring the held-back images comes on top."


def _memory(team: Team) -> str:
    """The most memory that this process, and its GPU, took so far: all pictures and a batch of each stage."""
    unit = 1 if sys.platform == "darwin" else 1024
    words = [f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9:.1f} GB"]
    if team.device.type == "cuda":
        words.append(f"{torch.cuda.max_memory_allocated(team.device) / 1e9:.1f} GB on the GPU")
    return ", ".join(words) + " a process at most"


def _sheets(training: Training, material: Material) -> Iterator[str]:
    """Write a sheet of augmented samples for each network, and say where."""
    folder = training.work / "samples"
    make_folder(folder, "folder of sheets")
    for name, part in training.request.networks():
        pictures = [*material.training, *material.crossed]
        sampler = make_sampler(pictures, part, part.pretrain, training.request.settings.seed)
        samples = [sampler.sample(0, index) for index in range(SHEET_SAMPLES)]
        buffer = io.BytesIO()
        sheet_of_samples(samples).save(buffer, "PNG")
        path = folder / f"{name}.png"
        write_bytes(path, buffer.getbuffer(), "sheet of samples")
        yield f"Samples of the {name} network as it would see them: {path}"


def sheet_of_samples(samples: Sequence[Sample]) -> Image.Image:
    """Samples side by side: lesions outlined in yellow, liver in blue, the map of the calipers in red."""
    side = samples[0].target.shape[-1]
    rows = math.ceil(len(samples) / SHEET_COLUMNS)
    tile = side + _GAP
    canvas = Image.new("RGB", (SHEET_COLUMNS * tile + _GAP, rows * tile + _GAP), "white")
    for place, sample in enumerate(samples):
        row, column = divmod(place, SHEET_COLUMNS)
        canvas.paste(Image.fromarray(_tile(sample)), (_GAP + column * tile, _GAP + row * tile))
    return canvas


def _tile(sample: Sample) -> NDArray[np.uint8]:
    """One sample as colours (size, size, 3)."""
    image, prompt = sample.inputs[0].numpy(), sample.inputs[1].numpy()[..., None]
    grey = np.repeat(np.clip((image / _CONTRAST + 1) * 127.5, 0, 255)[..., None], 3, axis=-1)
    shown = grey * (1 - prompt) + np.array(_PROMPT) * prompt
    for target, colour in ((sample.liver, _LIVER), (sample.target, _OUTLINE)):
        inside = target.numpy() >= 0.5
        shown[inside & ~ndimage.binary_erosion(inside)] = colour
    return np.asarray(shown.round(), dtype=np.uint8)
