"""Networks computed by PyTorch, the reference: on a CPU or on a GPU."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lesion_measure.errors import ModelError
from lesion_measure.network.backend import Computed
from lesion_measure.network.bundle import Bundle, BundleSettings, StoredNetwork
from lesion_measure.network.inference import Segmenter
from lesion_measure.network.threads import default_threads
from lesion_measure.network.weights import load_network


class TorchNetwork:
    """A network on its device.

    On a CPU every sample is computed by itself and in one thread, several at once. Each sum is made in one order then,
    so that the answer has the same bits whatever the number of threads, and no thread waits for another one within an
    operation. A GPU takes the batch at once, as it is used best.

    Parameters
    ----------
    network
        Any module that answers to batches.
    device
        Such as ``cpu`` or ``cuda:0``.
    threads
        Of the arithmetic on a CPU; None: `threads.default_threads`.

    Raises
    ------
    ModelError
        The device does not exist or cannot be used here.
    """

    def __init__(self, network: nn.Module, device: str = "cpu", threads: int | None = None) -> None:
        self._device = torch_device(device)
        self._network = network.to(device=self._device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
        self._pool = None
        if self._device.type == "cpu":
            one_thread = partial(torch.set_num_threads, 1)  # which holds for the thread that calls it
            self._pool = ThreadPoolExecutor(threads or default_threads(), initializer=one_thread)

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """The logits of a batch."""
        inputs = torch.from_numpy(batch).to(self._device, memory_format=torch.channels_last)
        if self._pool is None:
            answers = self._one(inputs)
        else:
            answers = torch.cat(list(self._pool.map(self._one, torch.split(inputs, 1))))
        return np.asarray(answers.float().cpu().numpy(), dtype=np.float32)

    def _one(self, inputs: Tensor) -> Tensor:
        with torch.inference_mode():  # which holds for one thread
            answer: Tensor = self._network(inputs)
            return answer


def load_torch(bundle: Bundle, device: str, threads: int | None) -> Computed:
    """A bundle's networks on PyTorch. Raises as `load_network` and `torch_device`."""

    def loaded(stored: StoredNetwork) -> TorchNetwork:
        return TorchNetwork(load_network(stored), device, threads)

    return Computed(
        loaded(bundle.automatic),
        None if bundle.prompted is None else loaded(bundle.prompted),
        None if bundle.clicked is None else partial(loaded, bundle.clicked),
        _named(device),
    )


def torch_segmenter(
    network: nn.Module,
    settings: BundleSettings,
    *,
    name: str,
    sha256: str,
    prompted: nn.Module | None = None,
    clicked: nn.Module | None = None,
    device: str = "cpu",
    threads: int | None = None,
) -> Segmenter:
    """A segmenter of networks that are in no bundle.

    Parameters
    ----------
    network, prompted, clicked
        What is asked without and with calipers, and by clicks; ``prompted`` None: the first is asked with calipers,
        too; ``clicked`` None: clicks ask the other two alone.
    settings, name, sha256
        As a bundle states them.
    device, threads
        Where it computes, and on how many processors of a CPU.
    """
    computed = Computed(
        TorchNetwork(network, device, threads),
        None if prompted is None else TorchNetwork(prompted, device, threads),
        None if clicked is None else partial(TorchNetwork, clicked, device, threads),
        _named(device),
    )
    return Segmenter(computed, settings, name=name, sha256=sha256)


def _named(device: str) -> str:
    return f"torch {torch.__version__}, float32, {device.partition(':')[0]}"


def torch_device(name: str) -> torch.device:
    """A device by its name, such as ``cpu`` or ``cuda:0``, after making sure that it works.

    Raises
    ------
    ModelError
        It does not exist or cannot be used here.
    """
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ModelError(
            f"The device '{name}' cannot be used here.", remedy="Use 'cpu'.", code="model_device"
        ) from error
    return device
