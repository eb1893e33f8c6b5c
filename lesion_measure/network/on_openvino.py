"""Networks computed by OpenVINO, from the ONNX graphs of a bundle: on a CPU, and without loading PyTorch.

OpenVINO takes bfloat16 by itself where a processor has it. Masks differ then, so it is told its precision.
"""

from __future__ import annotations

import math
from functools import partial
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from lesion_measure.errors import ModelError
from lesion_measure.network.backend import Computed
from lesion_measure.network.bundle import REMEDY, Bundle, StoredNetwork
from lesion_measure.network.lean_openvino import openvino
from lesion_measure.network.preprocess import NETWORK_CHANNELS
from lesion_measure.network.threads import default_threads

WHOLE_AT_ONCE, PROMPTED_AT_ONCE = 2, 4
"""Samples that are computed at once: the mirrored copies of one picture. More are no faster."""
MAX_STEPS = 5_000
_STEPS = {
    "Add", "AvgPool", "BatchNormInference", "Broadcast", "Clamp", "Concat", "Constant", "Convert", "Convolution",
    "ConvolutionBackpropData", "Divide", "Gather", "GroupConvolution", "Exp", "Interpolate", "Log", "MVN",
    "MaxPool", "Maximum", "Minimum", "Multiply", "PRelu", "Pad", "Parameter", "Range", "ReduceMax", "ReduceMean",
    "ReduceSum", "Relu", "Reshape", "Result", "ShapeOf", "Sigmoid", "Slice", "Split", "Squeeze", "Subtract",
    "Transpose", "Unsqueeze", "VariadicSplit",
}  # fmt: skip
"""What a graph may compute. None of it loops."""
MAX_VALUES = 1 << 27
"""Numbers that one step may give."""
_OUTSIDE = b"\x0a\x08location"
"""How an ONNX file says that another one holds its numbers: an entry of a tensor's external_data."""


class OpenvinoNetwork:
    """A network in memory; every sample of a batch is computed by itself.

    Parameters
    ----------
    stored
        The network with its graph.
    threads
        Of the arithmetic; None: `threads.default_threads`.
    at_once
        Samples that are computed at once; with fewer than these the rest is computed for nothing.
    bfloat16
        Whether to compute with 8 bits of precision, which is faster and changes masks.

    Raises
    ------
    ModelError
        There is no graph, it is not the one that the metadata states, or it is not that of such a network.
    """

    def __init__(self, stored: StoredNetwork, threads: int | None, *, at_once: int, bfloat16: bool) -> None:
        self._at_once = at_once
        core = openvino.Core()
        compiled = core.compile_model(
            _graph(core, stored, at_once),
            "CPU",
            {
                "INFERENCE_PRECISION_HINT": "bf16" if bfloat16 else "f32",
                "INFERENCE_NUM_THREADS": threads or default_threads(),
                "NUM_STREAMS": 1,
                "ENABLE_CPU_PINNING": False,
                "CACHE_DIR": "",
            },
        )
        self._request = compiled.create_infer_request()
        self._lock = Lock()  # a request answers one thread after the other

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """The logits of a batch."""
        parts = []
        for first in range(0, len(batch), self._at_once):
            some = batch[first : first + self._at_once]
            whole = np.resize(some, (self._at_once, *some.shape[1:]))
            with self._lock:
                parts.append(np.array(self._request.infer({0: whole})[0])[: len(some)])
        return parts[0] if len(parts) == 1 else np.concatenate(parts)


def load_openvino(bundle: Bundle, threads: int | None, *, bfloat16: bool) -> Computed:
    """A bundle's networks on OpenVINO. Raises as `OpenvinoNetwork`."""

    def loaded(stored: StoredNetwork, at_once: int) -> OpenvinoNetwork:
        return OpenvinoNetwork(stored, threads, at_once=at_once, bfloat16=bfloat16)

    for stored in bundle.networks.values():  # also of what is loaded when it is first asked
        if stored.onnx is None:
            raise _no_graph(stored)
    version = openvino.__version__.partition("-")[0]
    named = f"openvino {version}, {'bfloat16' if bfloat16 else 'float32'}, cpu"
    return Computed(
        loaded(bundle.automatic, WHOLE_AT_ONCE),
        None if bundle.prompted is None else loaded(bundle.prompted, PROMPTED_AT_ONCE),
        None if bundle.clicked is None else partial(loaded, bundle.clicked, WHOLE_AT_ONCE),
        named,
    )


def _graph(core: openvino.Core, stored: StoredNetwork, at_once: int) -> openvino.Model:
    if stored.onnx is None:
        raise _no_graph(stored)
    stored.weights.read()  # what the provenance names: the graph must not speak for weights that are others now
    data, path = stored.onnx.read(), str(stored.onnx.path)
    if _OUTSIDE in data:
        raise _refused("it takes numbers from another file", path)
    try:
        model = core.read_model(data)
    except (RuntimeError, ValueError, TypeError) as error:
        raise _refused("it is damaged, or no ONNX at all", path) from error
    _check(model, stored, at_once, path)
    return model


def _check(model: openvino.Model, stored: StoredNetwork, at_once: int, path: str) -> None:
    """Settle the sizes of a graph; refuse one that is none of such a network, or takes more memory than one does."""
    steps = model.get_ops()
    odd = sorted({step.get_type_name() for step in steps} - _STEPS)
    if odd or len(steps) > MAX_STEPS:
        raise _refused(f"it computes what no network here does ({', '.join(odd)[:80] or 'too many steps'})", path)
    grid = f"{stored.size},{stored.size}"
    shapes = [str(port.partial_shape) for port in (*model.inputs, *model.outputs)]
    if shapes != [f"[?,{NETWORK_CHANNELS},{grid}]", f"[?,{stored.logits},{grid}]"]:
        raise _refused(f"it does not turn pictures of {stored.size} x {stored.size} into logits", path)
    try:
        model.reshape([at_once, NETWORK_CHANNELS, stored.size, stored.size])
        largest = max(math.prod(port.shape) for step in steps for port in step.outputs())
    except (RuntimeError, ValueError) as error:
        raise _refused("its sizes depend on the picture", path) from error
    if largest > MAX_VALUES:
        raise _refused(f"a step of it gives {largest} numbers", path)


def _no_graph(stored: StoredNetwork) -> ModelError:
    return ModelError(
        "The bundle holds no ONNX graph of its network, and OpenVINO computes nothing else.",
        remedy="Use --backend torch, or add the graphs: lesion-measure onnx BUNDLE.",
        code="model_backend",
        path=str(stored.weights.path),
    )


def _refused(why: str, path: str) -> ModelError:
    return ModelError(
        f"The ONNX graph of the network cannot be used: {why}.", remedy=REMEDY, code="model_weights", path=path
    )
