"""Read a model bundle without trusting it: sizes bounded, hashes checked, nothing evaluated.

A bundle has MONAI's layout. Of ``configs/inference.json`` only ``network_def``, ``prompted_network_def``,
``clicked_network_def`` and ``lesion_measure`` are read, as plain data with known keys; MONAI's ``$`` expressions, which
run code, are ignored.

A bundle holds one network that works with and without calipers, or two: then the second one answers to calipers alone.
A third one may answer to clicks. Each is stored as PyTorch's weights, and may be stored as an ONNX graph beside them.
What computes it takes one of the two (`backend`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from lesion_measure.errors import ModelError
from lesion_measure.files.reading import parse_json, read_regular
from lesion_measure.network.confidence import (
    AUTOMATIC_FEATURES,
    CLICK_FEATURES,
    PROMPTED_FEATURES,
    ConfidenceModel,
    unfitted,
)
from lesion_measure.network.definition import AnyDefinition
from lesion_measure.network.window import Preprocessing

METADATA = "configs/metadata.json"
INFERENCE = "configs/inference.json"
WEIGHTS = "models/model.pt"
PROMPTED_WEIGHTS = "models/prompted.pt"
CLICKED_WEIGHTS = "models/clicked.pt"

MAX_JSON_BYTES = 1_000_000
MAX_WEIGHTS_BYTES = 500_000_000

_SHA256 = r"^[0-9a-f]{64}$"
_Model = TypeVar("_Model", bound=BaseModel)

REMEDY = "Use a bundle made by `lesion-measure train`, or restore the shipped one."


class Confidence(BaseModel):
    """The confidence models of a bundle; ``click`` None: how sure an outline from one click is was not fitted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    automatic: ConfidenceModel = Field(default_factory=lambda: unfitted(AUTOMATIC_FEATURES))
    prompted: ConfidenceModel = Field(default_factory=lambda: unfitted(PROMPTED_FEATURES))
    click: ConfidenceModel | None = None

    @model_validator(mode="after")
    def _right_features(self) -> Confidence:
        known = (
            (self.automatic, AUTOMATIC_FEATURES),
            (self.prompted, PROMPTED_FEATURES),
            (self.click, CLICK_FEATURES),
        )
        if not all(model is None or set(model.features) <= set(features) for model, features in known):
            raise ValueError("the confidence models are mixed up")
        return self


Activation = Literal["sigmoid", "softmax"]
Axis = Literal["rows", "columns"]


class Answer(BaseModel):
    """How a network that was made elsewhere is asked, and how its channels become a logit of lesion.

    ``lesion`` are its channels that are lesion, from 0: one by its ``sigmoid``, or one and more of a ``softmax``.
    ``first_axis`` is the axis of its pictures that came first: with ``columns`` it learnt from transposed ones, as
    MONAI's reader of PNG and JPEG gives them, so it is shown its grid transposed, and its answer is turned back.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    activation: Activation
    lesion: tuple[Annotated[int, Field(ge=0, lt=16)], ...] = Field(min_length=1, max_length=15)
    first_axis: Axis = "rows"

    def check(self, channels: int) -> None:
        """Make sure that a network with so many channels can be meant.

        Raises
        ------
        ValueError
            It cannot.
        """
        if max(self.lesion) >= channels or len(set(self.lesion)) != len(self.lesion):
            raise ValueError(f"the network has {channels} channels, from 0")
        if self.activation == "sigmoid" and len(self.lesion) > 1:
            raise ValueError("one channel is lesion where each has its own sigmoid")
        if self.activation == "softmax" and len(self.lesion) == channels:
            raise ValueError("a softmax needs a channel that is no lesion")


class BundleSettings(BaseModel):
    """The ``lesion_measure`` section of ``inference.json``.

    ``lesion_shift`` is added to the logit of lesion where no prompt is given: a network that learnt from pictures whose
    most places show no lesion may be too shy. ``second_pass`` lets the automatic outline be drawn again with its own
    long axis as prompt; ``prompted_preprocessing`` is that of the second network, where there is one, and
    ``clicked_preprocessing`` that of a third one, which is asked by clicks. Without an ``answer`` the network's
    channels are the logits of lesion and, where it has two, of liver.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    preprocessing: Preprocessing = Preprocessing()
    prompted_preprocessing: Preprocessing | None = None
    clicked_preprocessing: Preprocessing | None = None
    second_pass: bool = True
    answer: Answer | None = None
    lesion_shift: float = Field(0.0, ge=-20, le=20)
    confidence: Confidence = Field(default_factory=Confidence)


class _Inference(BaseModel):
    model_config = ConfigDict(extra="ignore")

    network_def: AnyDefinition
    prompted_network_def: AnyDefinition | None = None
    clicked_network_def: AnyDefinition | None = None
    lesion_measure: BundleSettings

    def _others(self) -> tuple[Preprocessing | None, ...]:
        return self.lesion_measure.preprocessing, self.lesion_measure.prompted_preprocessing

    @model_validator(mode="after")
    def _whole(self) -> _Inference:
        if (self.prompted_network_def is None) != (self.lesion_measure.prompted_preprocessing is None):
            raise ValueError("a second network needs its own preprocessing, and no other has one")
        clicked = self.lesion_measure.clicked_preprocessing
        if (self.clicked_network_def is None) != (clicked is None or not clicked.click_fall):
            raise ValueError("a network for clicks needs its own preprocessing with a click_fall, and no other has one")
        if self.clicked_network_def is not None:
            _check_clicked(self.clicked_network_def, self.prompted_network_def, clicked)
        if any(one is not None and one.click_fall for one in self._others()):
            raise ValueError("a click_fall is for the network for clicks alone")
        answer, channels = self.lesion_measure.answer, self.network_def.out_channels
        if answer is not None:
            answer.check(channels)
        if answer is None and channels > 2:
            raise ValueError("it is not said which channels of the network are lesion")
        return self


def _check_clicked(clicked: AnyDefinition, prompted: AnyDefinition | None, preprocessing: Preprocessing | None) -> None:
    """Raise ValueError where a network cannot be one that is asked by clicks."""
    if prompted is None:
        raise ValueError("a network for clicks needs one for calipers beside it")
    if clicked.in_channels != 2 or clicked.out_channels > 2:
        raise ValueError("a network for clicks takes a picture and a map, and gives logits of lesion and liver")
    if preprocessing is not None and preprocessing.ellipse_prior:
        raise ValueError("a network for clicks has no ellipse_prior")


class _Metadata(BaseModel):
    model_config = ConfigDict(extra="ignore")

    name: str = Field(min_length=1, max_length=200)
    version: str = Field(min_length=1, max_length=50)
    weights_sha256: str = Field(pattern=_SHA256)
    prompted_weights_sha256: str | None = Field(None, pattern=_SHA256)
    clicked_weights_sha256: str | None = Field(None, pattern=_SHA256)
    onnx_sha256: str | None = Field(None, pattern=_SHA256)
    prompted_onnx_sha256: str | None = Field(None, pattern=_SHA256)
    clicked_onnx_sha256: str | None = Field(None, pattern=_SHA256)


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of a bundle, and the SHA-256 that its metadata states."""

    path: Path
    sha256: str

    def read(self) -> bytes:
        """Its bytes.

        Raises
        ------
        ModelError
            It is missing, too large, or another one than the metadata states.
        """
        data = read_bundle_file(self.path, MAX_WEIGHTS_BYTES)
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise ModelError(
                "The weights do not match the SHA-256 in the bundle's metadata.",
                remedy=REMEDY,
                code="model_hash",
                path=str(self.path),
            )
        return data


@dataclass(frozen=True, slots=True)
class StoredNetwork:
    """A network as a bundle holds it: architecture, side of its grid, weights, and its graph where there is one."""

    definition: AnyDefinition
    size: int
    weights: StoredFile
    onnx: StoredFile | None
    answer: Answer | None = None

    @property
    def logits(self) -> int:
        """How many logits it gives for each pixel: that of lesion, then that of liver."""
        return self.definition.out_channels if self.answer is None else 1


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle: who it is, its networks, its settings.

    ``prompted`` answers to calipers; None where ``automatic`` does that too. ``clicked`` answers to clicks; None where
    there is no such network. ``sha256`` is that of the weights; of several networks, that of their digests, one after
    the other.
    """

    name: str
    version: str
    sha256: str
    settings: BundleSettings
    automatic: StoredNetwork
    prompted: StoredNetwork | None = None
    clicked: StoredNetwork | None = None

    @property
    def networks(self) -> dict[str, StoredNetwork]:
        """Its networks by name, the automatic one first."""
        named = {"automatic": self.automatic, "prompted": self.prompted, "clicked": self.clicked}
        return {name: network for name, network in named.items() if network is not None}


def read_bundle(path: Path) -> Bundle:
    """What a bundle folder says of itself. Its weights are checked where they are loaded.

    Raises
    ------
    ModelError
        The folder or a file of settings is missing, too large or not understood.
    """
    if not path.is_dir():
        raise ModelError("The model bundle is not a folder that exists.", remedy=REMEDY, path=str(path))
    metadata = _parse(_Metadata, path / METADATA)
    inference = _parse(_Inference, path / INFERENCE)
    settings = inference.lesion_measure
    automatic = StoredNetwork(
        inference.network_def,
        settings.preprocessing.size,
        StoredFile(path / WEIGHTS, metadata.weights_sha256),
        _graph(path / WEIGHTS, metadata.onnx_sha256),
        settings.answer,
    )
    prompted = clicked = None
    if inference.prompted_network_def is not None and settings.prompted_preprocessing is not None:
        weights = _weights(path / PROMPTED_WEIGHTS, metadata.prompted_weights_sha256)
        graph = _graph(weights.path, metadata.prompted_onnx_sha256)
        prompted = StoredNetwork(inference.prompted_network_def, settings.prompted_preprocessing.size, weights, graph)
    if inference.clicked_network_def is not None and settings.clicked_preprocessing is not None:
        weights = _weights(path / CLICKED_WEIGHTS, metadata.clicked_weights_sha256)
        graph = _graph(weights.path, metadata.clicked_onnx_sha256)
        clicked = StoredNetwork(inference.clicked_network_def, settings.clicked_preprocessing.size, weights, graph)
    found = [one for one in (automatic, prompted, clicked) if one is not None]
    return Bundle(
        name=metadata.name,
        version=metadata.version,
        sha256=combined_sha256(*(one.weights.sha256 for one in found)),
        settings=settings,
        automatic=automatic,
        prompted=prompted,
        clicked=clicked,
    )


def graph_path(weights: Path) -> Path:
    """Where the ONNX graph of a network lies: beside its weights."""
    return weights.with_suffix(".onnx")


def _weights(path: Path, digest: str | None) -> StoredFile:
    if digest is None:
        raise ModelError(
            "The bundle's metadata state no SHA-256 of some weights.",
            remedy=REMEDY,
            code="model_config",
            path=str(path),
        )
    return StoredFile(path, digest)


def _graph(weights: Path, digest: str | None) -> StoredFile | None:
    return None if digest is None else StoredFile(graph_path(weights), digest)


def combined_sha256(automatic: str, *others: str) -> str:
    """The digest that stands for a bundle's weights: the only one, or that of all digests one after the other."""
    return hashlib.sha256("".join((automatic, *others)).encode()).hexdigest() if others else automatic


def read_bundle_file(path: Path, limit: int) -> bytes:
    """The bytes of a file of a bundle, at most ``limit``.

    Raises
    ------
    ModelError
        It is not there, too large, or cannot be read.
    """
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
        return model.model_validate(parse_json(read_bundle_file(path, MAX_JSON_BYTES)))
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
