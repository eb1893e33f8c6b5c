"""Read a model bundle without trusting it: sizes bounded, hash checked, plain tensors only, nothing evaluated.

A bundle has MONAI's layout. Of ``configs/inference.json`` only ``network_def``, ``prompted_network_def`` and
``lesion_measure`` are read, as plain data with known keys; MONAI's ``$`` expressions, which run code, are ignored.

A bundle holds one network that works with and without calipers, or two: then the second one answers to calipers alone.
"""

from __future__ import annotations

import hashlib
import io
import math
import pickle
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import torch
from monai.networks.nets.unet import UNet
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from torch import Tensor, nn

from lesion_measure.errors import ModelError
from lesion_measure.files.reading import parse_json, read_regular
from lesion_measure.network.confidence import (
    AUTOMATIC_FEATURES,
    PROMPTED_FEATURES,
    ConfidenceModel,
    unfitted,
)
from lesion_measure.network.efficient import EfficientUNet
from lesion_measure.network.window import Preprocessing

METADATA = "configs/metadata.json"
INFERENCE = "configs/inference.json"
WEIGHTS = "models/model.pt"
PROMPTED_WEIGHTS = "models/prompted.pt"

MAX_JSON_BYTES = 1_000_000
MAX_WEIGHTS_BYTES = 500_000_000

ChannelCount = Annotated[int, Field(ge=1, le=1024)]

_SHA256 = r"^[0-9a-f]{64}$"
_Model = TypeVar("_Model", bound=BaseModel)

# What zipfile, pickle and torch raise on a file that is damaged or holds objects which torch does not rebuild.
_UNREADABLE = (
    zipfile.BadZipFile, pickle.UnpicklingError, struct.error, RuntimeError, OSError, EOFError, ValueError, LookupError,
    TypeError, AttributeError, AssertionError, ArithmeticError, MemoryError,
)  # fmt: skip

REMEDY = "Use a bundle made by `lesion-measure train`, or restore the shipped one."


class NetworkDefinition(BaseModel):
    """MONAI's UNet with two inputs (image, prompt map) and one output (logit); sizes bounded."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    target: Literal["UNet"] = Field("UNet", alias="_target_", description="The architecture.")
    spatial_dims: Literal[2] = Field(2, description="Pictures, not volumes.")
    in_channels: Literal[2] = Field(2, description="The picture and the map of the calipers.")
    out_channels: Literal[1] = Field(1, description="The logit of lesion.")
    channels: tuple[int, ...] = Field(
        (16, 32, 64, 128, 256), min_length=2, max_length=8, description="Channels of each level, the finest first."
    )
    strides: tuple[int, ...] = Field(
        (2, 2, 2, 2), min_length=1, max_length=7, description="Step from each level to the next: 1 or 2."
    )
    num_res_units: int = Field(2, ge=0, le=4, description="Residual units of a level.")
    norm: Literal["BATCH", "INSTANCE"] = Field("BATCH", description="Normalisation: BATCH or INSTANCE.")
    dropout: float = Field(0.0, ge=0, lt=1, description="Share of activations dropped in training.")

    @property
    def grid_step(self) -> int:
        """What the side of its grid must be a multiple of, so that going down and up again meets the same sizes."""
        return math.prod(self.strides)

    @model_validator(mode="after")
    def _sizes(self) -> NetworkDefinition:
        if len(self.strides) != len(self.channels) - 1:
            raise ValueError("there must be one stride fewer than channels")
        if not all(1 <= count <= 1024 for count in self.channels) or not all(s in (1, 2) for s in self.strides):
            raise ValueError("channels must be 1 to 1024, strides 1 or 2")
        return self


class EfficientDefinition(BaseModel):
    """A U-Net on EfficientNet-Lite0 with two inputs (image, prompt map); its logits are those of lesion and liver."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    target: Literal["EfficientUNet"] = Field(alias="_target_", description="The architecture.")
    in_channels: Literal[2] = Field(2, description="The picture and the map of the calipers.")
    out_channels: Literal[1, 2] = Field(2, description="The logit of lesion, then that of liver.")
    channels: tuple[ChannelCount, ...] = Field(
        (128, 64, 48),
        min_length=1,
        max_length=4,
        description="Channels of the decoder's levels, from a sixteenth of the input's sides on; logits are "
        "interpolated from the last.",
    )
    dropout: float = Field(0.0, ge=0, lt=1, description="Share of the last level's channels dropped in training.")

    @property
    def grid_step(self) -> int:
        """What the side of its grid must be a multiple of: the encoder halves five times."""
        return 32


AnyDefinition = NetworkDefinition | EfficientDefinition


class Confidence(BaseModel):
    """The two confidence models of a bundle."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    automatic: ConfidenceModel = Field(default_factory=lambda: unfitted(AUTOMATIC_FEATURES))
    prompted: ConfidenceModel = Field(default_factory=lambda: unfitted(PROMPTED_FEATURES))

    @model_validator(mode="after")
    def _right_features(self) -> Confidence:
        known = ((self.automatic, AUTOMATIC_FEATURES), (self.prompted, PROMPTED_FEATURES))
        if not all(set(model.features) <= set(features) for model, features in known):
            raise ValueError("the two confidence models are mixed up")
        return self


class BundleSettings(BaseModel):
    """The ``lesion_measure`` section of ``inference.json``.

    ``lesion_shift`` is added to the logit of lesion where no prompt is given: a network that learnt from pictures whose
    most places show no lesion may be too shy. ``second_pass`` lets the automatic outline be drawn again with its own
    long axis as prompt; ``prompted_preprocessing`` is that of the second network, where there is one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    preprocessing: Preprocessing = Preprocessing()
    prompted_preprocessing: Preprocessing | None = None
    second_pass: bool = True
    lesion_shift: float = Field(0.0, ge=-20, le=20)
    confidence: Confidence = Field(default_factory=Confidence)


class _Inference(BaseModel):
    model_config = ConfigDict(extra="ignore")

    network_def: AnyDefinition
    prompted_network_def: AnyDefinition | None = None
    lesion_measure: BundleSettings

    @model_validator(mode="after")
    def _whole(self) -> _Inference:
        if (self.prompted_network_def is None) != (self.lesion_measure.prompted_preprocessing is None):
            raise ValueError("a second network needs its own preprocessing, and no other has one")
        return self


class _Metadata(BaseModel):
    model_config = ConfigDict(extra="ignore")

    name: str = Field(min_length=1, max_length=200)
    version: str = Field(min_length=1, max_length=50)
    weights_sha256: str = Field(pattern=_SHA256)
    prompted_weights_sha256: str | None = Field(None, pattern=_SHA256)


@dataclass(frozen=True, slots=True)
class BundledNetwork:
    """A network with its weights loaded (in evaluation mode), and what it was built from."""

    definition: AnyDefinition
    network: nn.Module


@dataclass(frozen=True, slots=True)
class Bundle:
    """A verified bundle: who it is, its networks, its settings.

    ``prompted`` answers to calipers; None where ``automatic`` does that too. ``sha256`` is that of the weights; of two
    networks, that of both digests, one after the other.
    """

    name: str
    version: str
    sha256: str
    settings: BundleSettings
    automatic: BundledNetwork
    prompted: BundledNetwork | None = None


def build_network(definition: AnyDefinition) -> nn.Module:
    """The untrained network that a definition describes, in training mode."""
    if isinstance(definition, EfficientDefinition):
        return EfficientUNet(definition.in_channels, definition.out_channels, definition.channels, definition.dropout)
    network: nn.Module = UNet(
        spatial_dims=definition.spatial_dims,
        in_channels=definition.in_channels,
        out_channels=definition.out_channels,
        channels=definition.channels,
        strides=definition.strides,
        num_res_units=definition.num_res_units,
        norm=definition.norm,
        dropout=definition.dropout,
    )
    return network


def read_bundle(path: Path) -> Bundle:
    """Verify and load a bundle folder.

    Raises
    ------
    ModelError
        A file is missing, too large, damaged, does not match its SHA-256, holds anything but plain tensors, or does
        not fit the network that the bundle describes.
    """
    if not path.is_dir():
        raise ModelError("The model bundle is not a folder that exists.", remedy=REMEDY, path=str(path))
    metadata = _parse(_Metadata, path / METADATA)
    inference = _parse(_Inference, path / INFERENCE)
    automatic = _network(path / WEIGHTS, metadata.weights_sha256, inference.network_def)
    prompted = None
    if inference.prompted_network_def is not None:
        digest = metadata.prompted_weights_sha256 or ""
        prompted = _network(path / PROMPTED_WEIGHTS, digest, inference.prompted_network_def)
    return Bundle(
        name=metadata.name,
        version=metadata.version,
        sha256=combined_sha256(metadata.weights_sha256, metadata.prompted_weights_sha256 if prompted else None),
        settings=inference.lesion_measure,
        automatic=automatic,
        prompted=prompted,
    )


def combined_sha256(automatic: str, prompted: str | None) -> str:
    """The digest that stands for a bundle's weights: the only one, or that of both digests one after the other."""
    return automatic if prompted is None else hashlib.sha256((automatic + prompted).encode()).hexdigest()


def _network(path: Path, digest: str, definition: AnyDefinition) -> BundledNetwork:
    weights = _read(path, MAX_WEIGHTS_BYTES)
    if hashlib.sha256(weights).hexdigest() != digest:
        raise ModelError(
            "The weights do not match the SHA-256 in the bundle's metadata.",
            remedy=REMEDY,
            code="model_hash",
            path=str(path),
        )
    state = load_state(weights, path)
    with torch.device(
        "meta"
    ):  # no memory is taken before its size is known to be right, and no first weights are drawn
        network = build_network(definition)
    _check_fit(network, state, path)
    network.to_empty(device="cpu").load_state_dict(state)
    return BundledNetwork(definition, network.eval())


def load_state(weights: bytes, path: Path) -> dict[str, Tensor]:
    """A state dict from the bytes of a ``torch.save`` zip: tensors by name, no other object.

    Raises
    ------
    ModelError
        The bytes are no such file, unpack to more than the limit, or hold anything but plain tensors of finite numbers.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(weights)) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > MAX_WEIGHTS_BYTES:
            raise ModelError("The weights unpack to more than 500 MB.", remedy=REMEDY, path=str(path))
        state = torch.load(io.BytesIO(weights), map_location="cpu", weights_only=True)
    except _UNREADABLE as error:
        raise ModelError(
            "The weights are not a plain file of tensors (damaged, or holding code, which is never run).",
            remedy=REMEDY,
            code="model_weights",
            path=str(path),
        ) from error
    if not isinstance(state, dict) or not all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in state.items()
    ):
        raise ModelError("The weights are not tensors by name.", remedy=REMEDY, code="model_weights", path=str(path))
    if odd := next((name for name, value in state.items() if not _is_plain(value)), None):
        raise ModelError(
            f"The weights '{odd[:80]}' are no plain tensor: sparse, without data, or spread over more than is stored.",
            remedy=REMEDY,
            code="model_weights",
            path=str(path),
        )
    if odd := next((name for name, value in state.items() if not torch.isfinite(value).all()), None):
        raise ModelError(
            f"The weights '{odd[:80]}' hold values that are not finite.",
            remedy=REMEDY,
            code="model_weights",
            path=str(path),
        )
    return state


def _is_plain(value: Tensor) -> bool:
    """Whether each number of a tensor is stored, once, in memory: what may be computed with before sizes are known."""
    if value.layout is not torch.strided or value.device.type != "cpu" or value.is_quantized or value.is_complex():
        return False
    return value.numel() * value.element_size() <= value.untyped_storage().nbytes()


def _check_fit(network: nn.Module, state: dict[str, Tensor], path: Path) -> None:
    """Refuse weights of another network than the bundle describes."""
    wanted = network.state_dict()
    misfit = sorted(wanted.keys() ^ state.keys()) or [
        name for name, own in wanted.items() if (own.shape, own.dtype) != (state[name].shape, state[name].dtype)
    ]
    if misfit:
        raise ModelError(
            f"The weights do not fit the network that the bundle describes, first at '{misfit[0][:80]}'.",
            remedy=REMEDY,
            code="model_shape",
            path=str(path),
        )


def _read(path: Path, limit: int) -> bytes:
    try:
        return read_regular(path, limit)
    except OSError as error:
        raise ModelError(
            f"A file of the model bundle cannot be read ({error.strerror}).",
            remedy=REMEDY,
            code="model_missing",
            path=str(path),
        ) from error


def _parse(model: type[_Model], path: Path) -> _Model:
    try:
        return model.model_validate(parse_json(_read(path, MAX_JSON_BYTES)))
    except ValueError as error:
        detail = f"it is not valid JSON: {error}"
        if isinstance(error, ValidationError):
            first = error.errors()[0]
            detail = f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
        raise ModelError(
            f"A file of the model bundle cannot be used ({detail}).",
            remedy=REMEDY,
            code="model_config",
            path=str(path),
        ) from error
