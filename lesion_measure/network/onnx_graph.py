"""A network as an ONNX graph: what other programs read, and what OpenVINO computes (`on_openvino`)."""

from __future__ import annotations

import io
import warnings

import torch
from torch import nn

from lesion_measure.errors import check_extra
from lesion_measure.network.preprocess import NETWORK_CHANNELS

OPSET = 17


def onnx_graph(network: nn.Module, size: int) -> bytes:
    """The graph of a network in evaluation mode: ``pictures`` (n, 2, size, size) to ``logits`` of any number n.

    The same network gives the same bytes.

    Raises
    ------
    ConfigError
        The package onnx is not installed.
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
    return buffer.getvalue()
