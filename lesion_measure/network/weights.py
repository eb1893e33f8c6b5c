"""PyTorch's networks of a bundle: plain tensors are read, and fitted to the network that the bundle describes."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lesion_measure.errors import ModelError
from lesion_measure.network.bundle import MAX_WEIGHTS_BYTES, REMEDY, Answer, StoredNetwork
from lesion_measure.network.definition import AnyDefinition, EfficientDefinition, NetworkDefinition
from lesion_measure.network.efficient import EfficientUNet
from lesion_measure.network.unet import Layers, UNet

# What zipfile, pickle and torch raise on a file that is damaged or holds objects which torch does not rebuild.
_UNREADABLE = (
    zipfile.BadZipFile, pickle.UnpicklingError, struct.error, RuntimeError, OSError, EOFError, ValueError, LookupError,
    TypeError, AttributeError, AssertionError, ArithmeticError, MemoryError,
)  # fmt: skip


def build_network(definition: AnyDefinition) -> nn.Module:
    """The untrained network that a definition describes, in training mode.

    One that takes the picture alone takes it out of what all networks are given; the names of its weights stay its own.

    Raises
    ------
    ModelError
        Its numbers do not go together.
    """
    network = _build(definition)
    if definition.in_channels == 1:
        network.register_forward_pre_hook(_picture_alone)
    return network


def _build(definition: AnyDefinition) -> nn.Module:
    if isinstance(definition, EfficientDefinition):
        return EfficientUNet(
            definition.in_channels,
            definition.out_channels,
            definition.channels,
            definition.dropout,
            definition.prompted_decoder,
        )
    if isinstance(definition, NetworkDefinition):
        return UNet(
            definition.in_channels,
            definition.out_channels,
            definition.channels,
            definition.strides,
            definition.num_res_units,
            Layers(norm=definition.norm, dropout=definition.dropout),
        )
    from lesion_measure.network.monai_networks import build_monai  # which loads MONAI

    return build_monai(definition)


def _lesion_logit(answer: Answer, network: nn.Module, inputs: tuple[Tensor, ...], channels: Tensor) -> Tensor:
    """The logit of lesion (n, 1, size, size) of a network's own channels (n, channels, size, size)."""
    lesion = list(answer.lesion)
    if answer.activation == "sigmoid":
        return channels[:, lesion]
    rest = [place for place in range(channels.shape[1]) if place not in lesion]
    return _log_sum(channels[:, lesion]) - _log_sum(channels[:, rest])


def _log_sum(channels: Tensor) -> Tensor:
    """The logarithm of the sum of exponentials over channels; PyTorch's own goes into an ONNX graph as one over all."""
    peak = channels.amax(1, keepdim=True)
    return peak + (channels - peak).exp().sum(1, keepdim=True).log()


def _transposed_input(network: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """The grid with its columns first."""
    return (inputs[0].transpose(-2, -1),)


def _transposed_answer(network: nn.Module, inputs: tuple[Tensor, ...], channels: Tensor) -> Tensor:
    """The grid with its rows first again."""
    return channels.transpose(-2, -1)


def _picture_alone(network: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Without the map of the calipers."""
    return (inputs[0][:, :1],)


def load_network(stored: StoredNetwork) -> nn.Module:
    """A bundle's network with its weights, in evaluation mode.

    Raises
    ------
    ModelError
        The weights are missing, too large, damaged, do not match their SHA-256, hold anything but plain tensors, or do
        not fit the network that the bundle describes.
    """
    path = stored.weights.path
    state = {name: _single(value) for name, value in load_state(stored.weights.read(), path).items()}
    # No memory is taken before its size is known to be right, and no first weights are drawn.
    with torch.device("meta"):
        network = build_network(stored.definition)
    _check_fit(network, state, path)
    network.load_state_dict(state, assign=True)
    if stored.answer is not None:
        network.register_forward_hook(partial(_lesion_logit, stored.answer))
        if stored.answer.first_axis == "columns":
            network.register_forward_pre_hook(_transposed_input)
            network.register_forward_hook(_transposed_answer)
    return network.eval().requires_grad_(False)


def _single(value: Tensor) -> Tensor:
    """Weights that are kept in 16 bits are computed with in 32."""
    return value.float() if value.dtype == torch.float16 else value


def load_state(weights: bytes, path: Path) -> dict[str, Tensor]:
    """A state dict from the bytes of a ``torch.save`` zip: tensors by name, no other object.

    Raises
    ------
    ModelError
        As `load_saved`, or the bytes hold anything but plain tensors of finite numbers.
    """
    state = load_saved(weights, path)
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


def load_saved(weights: bytes, path: Path) -> Any:
    """What the bytes of a ``torch.save`` zip hold: plain data and tensors, in whatever order.

    Raises
    ------
    ModelError
        The bytes are no such file, unpack to more than the limit, or hold code.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(weights)) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > MAX_WEIGHTS_BYTES:
            raise ModelError("The weights unpack to more than 500 MB.", remedy=REMEDY, path=str(path))
        return torch.load(io.BytesIO(weights), map_location="cpu", weights_only=True)
    except _UNREADABLE as error:
        raise ModelError(
            "The weights are not a plain file of tensors (damaged, or holding code, which is never run).",
            remedy=REMEDY,
            code="model_weights",
            path=str(path),
        ) from error


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
