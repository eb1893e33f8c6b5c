"""What ``python -m monai.bundle run --config_file configs/train.json`` calls: a bundle's training, done again.

The settings stand in ``configs/train.json``, networks and preprocessing in ``configs/inference.json``, each said once.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lesion_measure.errors import ConfigError, ModelError
from lesion_measure.files.reading import parse_json
from lesion_measure.lab.training.request import TrainingRequest
from lesion_measure.lab.training.run import train
from lesion_measure.lab.training.settings import TrainSettings
from lesion_measure.network.bundle import MAX_JSON_BYTES, read_bundle, read_bundle_file
from lesion_measure.network.window import Preprocessing

TRAINING = "configs/train.json"


def train_again(
    bundle: Path | str,
    settings: Mapping[str, Any],
    data: Sequence[Path | str] | Path | str,
    out: Path | str,
    device: str = "cpu",
    resume: bool = False,
    start: Path | str | None = None,
    overwrite: bool = False,
) -> None:
    """Train as a bundle was trained, on data folders, and write a new bundle.

    Parameters
    ----------
    bundle
        The bundle's folder, which says the networks and their preprocessing.
    settings
        Its ``settings``, which the command line may change.
    data
        A data folder, or several.
    out
        Folder of the new bundle.
    device
        Where to train.
    resume
        Whether to go on with an earlier training of ``out``.
    start
        A bundle whose weights training starts from, by ``--run#start``; None: none.
    overwrite
        Whether an earlier training and bundle of ``out`` are replaced, by ``--run#overwrite True``.

    Raises
    ------
    ModelError
        The bundle cannot be read.
    ConfigError
        The settings do not fit it.
    LesionMeasureError
        As `run.train`.
    """
    folders = [data] if isinstance(data, str | Path) else list(data)
    request = TrainingRequest(
        [Path(each) for each in folders], Path(out), settings_of(Path(bundle), settings), device=device, resume=resume,
        overwrite=overwrite, start=None if start is None else Path(start),
    )  # fmt: skip
    train(request, lambda line: print(line, file=sys.stderr))  # noqa: T201 - MONAI's command has no voice of ours


def stored_settings(bundle: Path) -> TrainSettings:
    """The whole settings of a bundle's training, as ``configs/train.json`` says them.

    Raises
    ------
    ModelError
        The bundle or that file cannot be read.
    ConfigError
        The settings do not fit the bundle.
    """
    path = bundle / TRAINING
    try:
        stored = parse_json(read_bundle_file(path, MAX_JSON_BYTES))
    except ValueError as error:
        raise ModelError(f"The settings of the training are no JSON: {error}.", path=str(path)) from error
    settings = stored.get("settings") if isinstance(stored, dict) else None
    if not isinstance(settings, dict):
        raise ModelError("The settings of the training are not stated.", path=str(path))
    return settings_of(bundle, settings)


def settings_of(bundle: Path, settings: Mapping[str, Any]) -> TrainSettings:
    """The whole settings of a bundle's training.

    Raises
    ------
    ModelError
        The bundle cannot be read.
    ConfigError
        The settings do not fit it.
    """
    said = read_bundle(bundle)
    seen = {
        "automatic": said.settings.preprocessing,
        "prompted": said.settings.prompted_preprocessing,
        "clicked": said.settings.clicked_preprocessing,
    }
    whole = dict(settings)
    for name, stored in said.networks.items():
        own = settings.get(name, {})
        shown = seen[name] or Preprocessing()
        preprocessing = {**shown.model_dump(mode="json"), **own.get("preprocessing", {})}
        whole[name] = {**own, "network": stored.definition, "preprocessing": preprocessing}
    try:
        return TrainSettings.model_validate(whole)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise ConfigError(
            f"The settings of the training do not fit the bundle: {where}: {first['msg']}.", path=str(bundle)
        ) from error
