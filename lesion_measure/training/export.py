"""Write a bundle: the folder appears whole, under its name, or not at all."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import monai
import numpy as np
import torch
from torch import nn

from lesion_measure.errors import OutputError
from lesion_measure.network.bundle import INFERENCE, METADATA, WEIGHTS, BundleSettings
from lesion_measure.training.card import Card, model_card
from lesion_measure.training.settings import TrainSettings

SCHEMA = "https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/0.8.1/meta_schema_20240725.json"
LICENCE = """The weights in this folder were made by training on the data sets that docs/README.md lists; their
licences are stated there and may limit what the weights may be used for.

The configuration files in this folder are licensed under the Apache License, Version 2.0
(https://www.apache.org/licenses/LICENSE-2.0).
"""


def write_bundle(
    out: Path, network: nn.Module, bundle_settings: BundleSettings, settings: TrainSettings, card: Card
) -> None:
    """Write the bundle folder ``out``; one that is there is replaced only when the new one is complete.

    Raises
    ------
    OutputError
        The folder cannot be written.
    """
    partial = out.with_name(f".{out.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        for folder in ("configs", "models", "docs"):
            (partial / folder).mkdir(parents=True)
        state = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
        torch.save(state, partial / WEIGHTS)
        digest = hashlib.sha256((partial / WEIGHTS).read_bytes()).hexdigest()
        _write_json(partial / METADATA, _metadata(out.name, settings, digest))
        _write_json(partial / INFERENCE, _inference(settings, bundle_settings))
        _write_json(partial / "configs/train.json", _train(settings))
        (partial / "docs/README.md").write_text(
            model_card(out.name, settings, bundle_settings, card, digest), encoding="utf-8"
        )
        (partial / "LICENSE").write_text(LICENCE, encoding="utf-8")
        _replace(partial, out)
    except (OSError, RuntimeError) as error:
        raise OutputError("The model bundle cannot be written.", path=str(out)) from error


def _replace(partial: Path, out: Path) -> None:
    old = out.with_name(f".{out.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if out.exists():
        out.rename(old)
    partial.rename(out)
    shutil.rmtree(old, ignore_errors=True)


def _write_json(path: Path, data: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")


def _metadata(name: str, settings: TrainSettings, digest: str) -> dict[str, Any]:
    size = settings.preprocessing.size
    tensor = {"format": "magnitude", "modality": "US", "spatial_shape": [size, size], "dtype": "float32"}
    image = {
        **tensor, "type": "image", "num_channels": 2, "value_range": [-5, 5], "is_patch_data": False,
        "channel_def": {"0": "image", "1": "prompt map: the reader's calipers, zero without"},
    }  # fmt: skip
    answer = {
        **tensor, "type": "image", "format": "segmentation", "num_channels": 1, "value_range": [-50, 50],
        "is_patch_data": False, "channel_def": {"0": "logit of lesion"},
    }  # fmt: skip
    return {
        "schema": SCHEMA,
        "version": settings.version,
        "changelog": {settings.version: "made by lesion-measure train"},
        "monai_version": monai.__version__,
        "pytorch_version": torch.__version__.split("+")[0],
        "numpy_version": np.__version__,
        "required_packages_version": {},
        "name": name,
        "task": "Lesion segmentation in B-mode ultrasound, automatic or prompted by calipers",
        "description": settings.description,
        "authors": "the lesion-measure authors",
        "copyright": "see LICENSE",
        "data_source": "; ".join(f"{key}: {text}" for key, text in settings.licences.items()),
        "data_type": "PNG",
        "intended_use": "Research only; not a medical device.",
        "weights_sha256": digest,
        "network_data_format": {"inputs": {"image": image}, "outputs": {"pred": answer}},
    }


def _inference(settings: TrainSettings, bundle: BundleSettings) -> dict[str, Any]:
    return {
        "bundle_root": ".",
        "device": "cpu",
        "network_def": settings.network.model_dump(mode="json", by_alias=True),
        "lesion_measure": bundle.model_dump(mode="json"),
    }


def _train(settings: TrainSettings) -> dict[str, Any]:
    """The training settings; network and preprocessing are said once, in ``inference.json``."""
    return {
        "network_def": "%configs/inference.json::network_def",
        "settings": settings.model_dump(mode="json", exclude={"network", "preprocessing"}),
    }
