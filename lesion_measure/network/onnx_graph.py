"""A network as an ONNX graph: what other programs read, and what OpenVINO computes (`on_openvino`)."""

from __future__ import annotations

import io
import warnings

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from lesion_measure.errors import ModelError, check_extra
from lesion_measure.network.preprocess import NETWORK_CHANNELS

OPSET = 17
MOST_APART = 1e-3
"""Largest difference between a graph's logits and its network's, of the largest logit or of 1 where none is larger."""
_REMEDY = "Take another network; where the package onnx is not installed, bundles are written without graphs."


def onnx_graph(network: nn.Module, size: int) -> bytes:
    """The graph of a network in evaluation mode: ``pictures`` (n, 2, size, size) to ``logits`` of any number n.

    The same network gives the same bytes. What is written was tried: the graph answers about one picture, and about
    three, as the network does.

    Raises
    ------
    ConfigError
        The package onnx is not installed.
    ModelError
        The network or its graph gives other than finite logits of its pictures' size, or the two differ.
    """
    check_extra("train", ["onnx"], "What writes ONNX graphs")
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # Of the exporter, the older of two: it folds normalisation into convolutions, and needs onnx alone.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            (torch.zeros(2, NETWORK_CHANNELS, size, size),),
            buffer,  # type: ignore[arg-type]
            dynamo=False,
            opset_version=OPSET,
            input_names=["pictures"],
            output_names=["logits"],
            dynamic_axes={"pictures": {0: "n"}, "logits": {0: "n"}},
        )
    graph = buffer.getvalue()
    for count in (1, 3):
        _check(graph, network, count, size)
    return graph


def _check(graph: bytes, network: nn.Module, count: int, size: int) -> None:
    """Raise ModelError where a graph answers about so many pictures of noise otherwise than its network."""
    noise = torch.randn(count, NETWORK_CHANNELS, size, size, generator=torch.Generator().manual_seed(count))
    with torch.inference_mode():
        wanted = network(noise).numpy()
    check_logits("network", wanted, count, size)
    found = _run(graph, noise.numpy())
    check_logits("ONNX graph", found, count, size)
    if found.shape != wanted.shape:
        raise ModelError(
            f"The ONNX graph answers about {count} pictures in the shape {found.shape}, its network in {wanted.shape}.",
            remedy=_REMEDY,
        )
    apart = float(np.abs(found - wanted).max()) / max(float(np.abs(wanted).max()), 1.0)
    if apart > MOST_APART:
        raise ModelError(
            f"The logits of the ONNX graph and of its network differ by {apart:.2g} of the largest; {MOST_APART:g} may "
            "be rounding.",
            remedy=_REMEDY,
        )


def check_logits(what: str, logits: NDArray[np.floating], count: int, size: int) -> None:
    """Make sure that an answer can be one of logits, whose sigmoids are probabilities from 0 to 1.

    Parameters
    ----------
    what
        What gave it, in words.
    logits
        The answer to ``count`` pictures of ``size`` x ``size`` pixels.
    count, size
        Of the pictures.

    Raises
    ------
    ModelError
        The shape is another than (count, 1 or 2, size, size), or values are not finite.
    """
    if logits.ndim != 4 or (logits.shape[0], *logits.shape[2:]) != (count, size, size) or logits.shape[1] not in (1, 2):
        raise ModelError(
            f"The {what} answers in the shape {logits.shape}; ({count}, 1 or 2, {size}, {size}) is needed.",
            remedy=_REMEDY,
        )
    if broken := int(np.count_nonzero(~np.isfinite(logits))):
        raise ModelError(
            f"The {what} gives {broken} values of {logits.size} that are not finite, so no probabilities from 0 to 1.",
            remedy="Train it anew, at a lower learning rate.",
        )


def _run(graph: bytes, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    """The graph's answer, by the reference implementation that the package onnx brings."""
    import onnx
    from onnx.reference import ReferenceEvaluator

    with np.errstate(all="ignore"):
        (logits,) = ReferenceEvaluator(onnx.load_from_string(graph)).run(None, {"pictures": pictures})
    return np.asarray(logits)
