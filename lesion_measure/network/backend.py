"""What computes a bundle's networks: PyTorch, which is the reference, or OpenVINO, which is faster on a CPU.

Everything before and after a network is the same for both (`preprocess`), so that they differ by rounding alone.
docs/decisions/0019 has the figures.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lesion_measure.errors import ModelError, check_extra

if TYPE_CHECKING:
    from lesion_measure.network.bundle import Bundle

Forward = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""Pictures and prompt maps (n, 2, size, size) to logits (n, 1 or 2, size, size); each sample by itself."""

AUTO, TORCH, OPENVINO, OPENVINO_BF16 = "auto", "torch", "openvino", "openvino-bf16"
BACKENDS = (AUTO, TORCH, OPENVINO, OPENVINO_BF16)


_DEVICE = re.compile(r"cpu|(cuda|mps|xpu)(:[0-9]{1,3})?")


@dataclass(frozen=True, slots=True)
class Computed:
    """A bundle's networks, loaded; ``prompted`` None: one does both. ``backend`` tells version and precision, too.

    ``clicked`` loads the network for clicks, which a run without a reader never asks; None: there is none.
    """

    automatic: Forward
    prompted: Forward | None
    clicked: Callable[[], Forward] | None
    backend: str


def check_backend(backend: str) -> None:
    """Refuse, as a ModelError, what is none of `BACKENDS`."""
    if backend not in BACKENDS:
        raise ModelError(
            f"The backend '{backend}' is not known.", remedy=f"Use one of {', '.join(BACKENDS)}.", code="model_backend"
        )


def check_device(device: str) -> None:
    """Refuse, as a ModelError, what names no device; whether the device is there is seen when the network loads."""
    if not _DEVICE.fullmatch(device):
        raise ModelError(
            f"'{device}' names no device.", remedy="Use 'cpu', or such as 'cuda' or 'cuda:0'.", code="model_device"
        )


def load(bundle: Bundle, *, backend: str = AUTO, device: str = "cpu", threads: int | None = None) -> Computed:
    """A bundle's networks on a backend.

    Parameters
    ----------
    bundle
        What was read of the bundle.
    backend
        One of `BACKENDS`. ``auto``: OpenVINO where it is installed, the device is the CPU and the bundle has graphs.
    device
        Such as ``cpu`` or ``cuda:0``.
    threads
        Of the arithmetic on a CPU; None: `threads.default_threads`.

    Raises
    ------
    ModelError
        There is no such backend or device here, or the bundle's files cannot be trusted.
    ConfigError
        The backend is not installed.
    """
    check_backend(backend)
    if backend == AUTO:
        graphs = all(network.onnx for network in bundle.networks.values())
        backend = OPENVINO if graphs and device == "cpu" and find_spec("openvino") else TORCH
    if backend == TORCH:
        from lesion_measure.network.on_torch import load_torch  # which takes a second

        return load_torch(bundle, device, threads)
    if device != "cpu":
        raise ModelError(
            f"The backend '{backend}' computes on the CPU, not on '{device}'.",
            remedy="Use --backend torch.",
            code="model_backend",
        )
    check_extra("fast", ["openvino"], "OpenVINO")
    from lesion_measure.network.on_openvino import load_openvino

    return load_openvino(bundle, threads, bfloat16=backend == OPENVINO_BF16)
