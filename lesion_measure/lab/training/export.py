"""Write a bundle: the folder appears whole, under its name, or not at all."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import monai
import numpy as np
import torch
from torch import Tensor

from lesion_measure import __version__
from lesion_measure.files.reading import parse_json
from lesion_measure.files.writing import make_folder, replacing_folder, write_bytes, write_json, write_text
from lesion_measure.lab.datasets import SIMULATED
from lesion_measure.lab.evaluation.failures import draw_failures
from lesion_measure.lab.evaluation.trained import (
    HELD_BACK_PICTURES,
    TRAINING_PICTURES,
    held_back_text,
    training_pictures_text,
)
from lesion_measure.lab.training.card import FAILURES, Card, model_card
from lesion_measure.lab.training.settings import NetworkSettings, TrainSettings
from lesion_measure.network.bundle import (
    CLICKED_WEIGHTS,
    INFERENCE,
    METADATA,
    PROMPTED_WEIGHTS,
    WEIGHTS,
    BundleSettings,
    combined_sha256,
    graph_path,
    read_bundle,
)
from lesion_measure.network.definition import AnyDefinition, stated
from lesion_measure.network.onnx_graph import onnx_graph
from lesion_measure.network.weights import build_network, load_network

FILES = {"automatic": WEIGHTS, "prompted": PROMPTED_WEIGHTS, "clicked": CLICKED_WEIGHTS}
PREFIXES = {"automatic": "", "prompted": "prompted_", "clicked": "clicked_"}
"""What the names of a network's entries begin with."""
SCHEMA = "https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/0.8.1/meta_schema_20240725.json"
LICENCE = """The weights in this folder were made by training on the data sets that docs/README.md lists; their
licences are stated there and may limit what the weights may be used for.

The configuration files in this folder are licensed under the Apache License, Version 2.0
(https://www.apache.org/licenses/LICENSE-2.0).
"""


def write_bundle(
    out: Path,
    weights: Mapping[str, Mapping[str, Tensor]],
    bundle_settings: BundleSettings,
    settings: TrainSettings,
    card: Card,
) -> None:
    """Write the bundle folder ``out``; one that is there is replaced only when the new one is complete.

    Parameters
    ----------
    out
        Folder of the bundle.
    weights
        State dict of each network: "automatic", and "prompted" and "clicked" where there are such.
    bundle_settings
        What the bundle runs with.
    settings
        Of the training.
    card
        Figures for the model card.

    Raises
    ------
    OutputError
        The folder cannot be written.
    """
    with replacing_folder(out, "model bundle") as partial:
        for folder in ("configs", "models", "docs"):
            make_folder(partial / folder)
        parts = dict(settings.parts())
        digests = {
            name: write_weights(partial / FILES[name], state, half=parts[name].half) for name, state in weights.items()
        }
        graphs = _write_graphs(partial, settings, weights) if find_spec("onnx") else {}
        write_json(partial / METADATA, _metadata(out.name, settings, digests, graphs), indent=2)
        write_json(partial / INFERENCE, inference_config(_networks(settings), bundle_settings), indent=2)
        write_json(partial / "configs/train.json", training_file(settings), indent=2)
        simulated = [case for case in card.measured.cases if case.source == SIMULATED]
        pictured = draw_failures(simulated, card.shown, partial / "docs" / FAILURES)
        text = model_card(out.name, settings, bundle_settings, card, _combined(digests), pictured)
        write_text(partial / "docs/README.md", text)
        trained = [item for item in card.training if item.source != SIMULATED]
        write_text(partial / TRAINING_PICTURES, training_pictures_text(trained, card.seen))
        write_text(partial / HELD_BACK_PICTURES, held_back_text(card.held_back))
        write_text(partial / "LICENSE", LICENCE)


def write_weights(path: Path, state: Mapping[str, Tensor], *, half: bool) -> str:
    """Write a plain state dict, ``half``: in 16 bits what these hold; its SHA-256."""
    plain = {name: value.detach().cpu().contiguous() for name, value in state.items()}
    if half:
        near = {name: value.half() for name, value in plain.items() if value.dtype.is_floating_point}
        plain |= {name: value for name, value in near.items() if torch.equal(value.float(), plain[name])}
    buffer = io.BytesIO()
    torch.save(plain, buffer)
    write_bytes(path, buffer.getbuffer(), "weights")
    return hashlib.sha256(buffer.getbuffer()).hexdigest()


def _write_graphs(bundle: Path, settings: TrainSettings, weights: Mapping[str, Mapping[str, Tensor]]) -> dict[str, str]:
    """Write the ONNX graph of each network; their SHA-256 as the metadata state them."""
    digests = {}
    for name, part in settings.parts():
        network = build_network(part.network)
        network.load_state_dict(dict(weights[name]))
        graph = onnx_graph(network.eval(), part.preprocessing.size)
        digests[f"{PREFIXES[name]}onnx_sha256"] = write_graph(graph_path(bundle / FILES[name]), graph)
    return digests


def write_graph(path: Path, graph: bytes) -> str:
    """Write an ONNX graph; its SHA-256."""
    write_bytes(path, graph, "ONNX graph")
    return hashlib.sha256(graph).hexdigest()


def add_graphs(path: Path) -> list[Path]:
    """Write the ONNX graph of each network into a bundle that has none yet, or another one's; the files.

    Raises
    ------
    ModelError
        The bundle cannot be used.
    ConfigError
        The package onnx is not installed.
    OutputError
        The folder cannot be written.
    """
    bundle = read_bundle(path)
    metadata = parse_json((path / METADATA).read_bytes())
    files = []
    for name, stored in bundle.networks.items():
        graph = onnx_graph(load_network(stored), stored.size)
        files.append(graph_path(stored.weights.path))
        metadata[f"{PREFIXES[name]}onnx_sha256"] = write_graph(files[-1], graph)
    write_json(path / METADATA, metadata, indent=2)
    return files


def _combined(digests: Mapping[str, str]) -> str:
    return combined_sha256(*(digests[name] for name in FILES if name in digests))


def begun_metadata(name: str, version: str, change: str) -> dict[str, Any]:
    """What the metadata of every bundle begin with: MONAI's schema, its version, and the packages that wrote it."""
    return {
        "schema": SCHEMA,
        "version": version,
        "changelog": {version: change},
        "monai_version": monai.__version__,
        "pytorch_version": torch.__version__.split("+")[0],
        "numpy_version": np.__version__,
        "required_packages_version": {"lesion-measure": __version__},
        "name": name,
    }


def _metadata(
    name: str, settings: TrainSettings, digests: Mapping[str, str], graphs: Mapping[str, str]
) -> dict[str, Any]:
    formats = {f"{PREFIXES[name]}network_data_format": _data_format(part) for name, part in settings.parts()}
    return {
        **begun_metadata(name, settings.version, "made by lesion-measure train"),
        "task": "Lesion segmentation in B-mode ultrasound, automatic or prompted by calipers",
        "description": settings.description,
        "authors": "the lesion-measure authors",
        "copyright": "see LICENSE",
        "data_source": "; ".join(f"{key}: {text}" for key, text in settings.licences.items()),
        "data_type": "PNG",
        "intended_use": "Research only; not a medical device.",
        **{f"{PREFIXES[name]}weights_sha256": digest for name, digest in digests.items()},
        **graphs,
        **formats,
    }


def _data_format(part: NetworkSettings) -> dict[str, Any]:
    """What one network takes and gives, in the words of MONAI's metadata schema."""
    size, limit = part.preprocessing.size, part.preprocessing.logit_limit
    tensor = {"type": "image", "modality": "US", "dtype": "float32", "is_patch_data": False}
    prompt = "a click in its middle" if part.preprocessing.click_fall else "the reader's calipers, zero without"
    seen = ("image", f"prompt map: {prompt}")[: part.network.in_channels]
    image = {
        **tensor, "format": "magnitude", "num_channels": len(seen), "spatial_shape": [size, size],
        "value_range": [-5, 5], "channel_def": {str(place): what for place, what in enumerate(seen)},
    }  # fmt: skip
    named = ("lesion", "liver")[: part.network.out_channels]
    logit = {
        **tensor, "format": "segmentation", "num_channels": len(named), "spatial_shape": [size, size],
        "value_range": [-limit, limit],
        "channel_def": {str(place): f"logit of {what}, used clipped to this range" for place, what in enumerate(named)},
    }  # fmt: skip
    probability = {
        **tensor, "format": "probabilities", "num_channels": 1, "spatial_shape": ["*", "*"], "value_range": [0, 1],
        "channel_def": {"0": "probability of lesion, on the picture's own grid"},
    }  # fmt: skip
    return {
        "inputs": {"image": image},
        "outputs": {"pred": logit},
        "post_processed_outputs": {"pred": probability},
    }


def inference_config(networks: Mapping[str, AnyDefinition], bundle: BundleSettings) -> dict[str, Any]:
    """What our loader reads (networks, ``lesion_measure``), and what MONAI's ``run`` calls: no expressions."""
    return {
        "bundle_root": ".",
        "device": "cpu",
        "dataset_dir": "pictures",
        "output_dir": "outlines",
        "calipers": {},
        **{name: stated(each) for name, each in networks.items()},
        "lesion_measure": bundle.model_dump(mode="json", exclude_none=True),
        "segmenter": {
            "_target_": "lesion_measure.network.Segmenter.from_bundle",
            "path": "@bundle_root",
            "device": "@device",
        },
        "run": {
            "_target_": "lesion_measure.lab.monai_bundle.outline_pictures",
            "segmenter": "@segmenter",
            "pictures": "@dataset_dir",
            "out": "@output_dir",
            "calipers": "@calipers",
        },
    }


def _networks(settings: TrainSettings) -> dict[str, AnyDefinition]:
    return {f"{PREFIXES[name]}network_def": part.network for name, part in settings.parts()}


def training_file(settings: TrainSettings) -> dict[str, Any]:
    """The training settings, and what MONAI's ``run`` calls: the same training again.

    Networks and preprocessing are said once, in ``inference.json``; only a prior that was trained with and is not
    answered with stands here.
    """
    said = {"network", "preprocessing"}
    names = _networks(settings)
    unsaid = {name: said for name, _ in settings.parts()}
    dumped = settings.model_dump(mode="json", exclude=unsaid, exclude_none=True)
    if settings.prompted is not None and settings.answering_prior is not None:
        dumped["prompted"]["preprocessing"] = {"ellipse_prior": settings.prompted.preprocessing.ellipse_prior}
    return {
        **{name: f"%configs/inference.json::{name}" for name in names},
        "bundle_root": ".",
        "dataset_dir": "data",
        "output_dir": "retrained",
        "device": "cpu",
        "resume": False,
        "settings": dumped,
        "run": {
            "_target_": "lesion_measure.lab.training.again.train_again",
            "bundle": "@bundle_root",
            "settings": "@settings",
            "data": "@dataset_dir",
            "out": "@output_dir",
            "device": "@device",
            "resume": "@resume",
        },
    }
