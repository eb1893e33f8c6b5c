"""The whole of a training, in order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torch import nn

from lesion_measure.errors import InputError, OutputError
from lesion_measure.network import Segmenter
from lesion_measure.network.bundle import BundleSettings, Confidence, read_bundle
from lesion_measure.network.confidence import AUTOMATIC_FEATURES, PROMPTED_FEATURES
from lesion_measure.training.assess import Candidate, Outcome, assess, summarise
from lesion_measure.training.card import Card
from lesion_measure.training.confidence_fit import fit_confidence
from lesion_measure.training.data import Picture, load_folder, simulated_pictures, split_pictures
from lesion_measure.training.export import write_bundle
from lesion_measure.training.loop import Progress, fit
from lesion_measure.training.settings import TrainSettings


def _silent(message: str) -> None:
    """Progress that nobody asked for."""


def train(
    data: Sequence[Path],
    out: Path,
    settings: TrainSettings,
    *,
    resume: bool = False,
    start: Path | None = None,
    progress: Progress = _silent,
) -> None:
    """Train on folders of pictures and on simulated frames, and write a bundle.

    Parameters
    ----------
    data
        Folders with ``images/``, ``masks/`` and ``index.csv`` (columns id and group); may be empty where simulated
        frames are asked for.
    out
        The bundle's folder. Checkpoint, log and simulated frames are kept beside it, in ``<name>.work``.
    settings
        Everything else.
    resume
        Continue from the last whole epoch of a run with the same settings and data.
    start
        A bundle whose weights training starts from; it must have the same network.
    progress
        Receives one line after each epoch and step.

    Raises
    ------
    InputError
        A data folder cannot be used, or nothing is left to train or validate on.
    ConfigError
        ``resume`` does not fit the checkpoint, or the network of ``start`` is another one.
    ModelError
        The bundle to start from cannot be used.
    OutputError
        Results cannot be written.
    """
    work = out.with_name(f"{out.name}.work")
    try:
        work.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError("The working folder cannot be made.", path=str(work)) from error
    training, validation = gather(data, settings, work / "simulated", progress)
    first = None if start is None else read_bundle(start)
    network = fit(training, validation, settings, work, resume=resume, progress=progress, start=first)
    progress(f"measuring on {len(validation)} held-back pictures")
    bundle_settings, outcomes, crossed = calibrate(network, validation, settings)
    figures = summarise(outcomes, crossed, bundle_settings.confidence.automatic, settings.seed)
    parameters = sum(value.numel() for value in network.parameters())
    origin = None if first is None else f"{first.name} {first.version} (weights {first.sha256[:12]})"
    card = Card(training, validation, figures, parameters, origin)
    write_bundle(out, network, bundle_settings, settings, card)


def gather(
    data: Sequence[Path], settings: TrainSettings, cache: Path, progress: Progress
) -> tuple[list[Picture], list[Picture]]:
    """Training and validation pictures of every folder and of the simulator."""
    names = [folder.name for folder in data]
    if len(set(names)) < len(names):
        raise InputError("Two data folders have the same name.", code="dataset")
    pictures = [item for folder in data for item in load_folder(folder)]
    training, validation = split_pictures(pictures, settings.split, settings.seed)
    simulated = settings.simulated
    if simulated.frames or simulated.validation_frames:
        progress(f"simulating {simulated.frames} + {simulated.validation_frames} frames (kept for the next run)")
        training += simulated_pictures(cache, "train", simulated.frames, settings.seed, simulated)
        validation += simulated_pictures(cache, "validation", simulated.validation_frames, settings.seed, simulated)
    if not training or not validation:
        raise InputError("There are no pictures to train on, or none to validate on.", code="dataset")
    return training, validation


def calibrate(
    network: nn.Module, validation: Sequence[Picture], settings: TrainSettings
) -> tuple[BundleSettings, list[Outcome], dict[int, float]]:
    """Run the held-back pictures, fit both confidence models; also each automatic candidate's cross-fitted one."""
    bundle = BundleSettings(preprocessing=settings.preprocessing)
    segmenter = Segmenter(network, bundle, name="in training", sha256="")
    outcomes = assess(segmenter, validation, settings.caliper_jitter, settings.seed)
    candidates: list[Candidate] = [c for outcome in outcomes for c in outcome.candidates]
    prompted = [c for outcome in outcomes for c in outcome.prompted]
    automatic_model, crossed = fit_confidence(candidates, AUTOMATIC_FEATURES, settings.confidence)
    prompted_model, _ = fit_confidence(prompted, PROMPTED_FEATURES, settings.confidence)
    confidence = Confidence(automatic=automatic_model, prompted=prompted_model)
    crossed_by_id = {id(c): float(value) for c, value in zip(candidates, crossed, strict=True)}
    return bundle.model_copy(update={"confidence": confidence}), outcomes, crossed_by_id
