"""Networks looked at before the work: they can be built, fit into a bundle, and answer as a network here has to."""

from __future__ import annotations

import torch
from torch import nn

from lesion_measure.errors import ConfigError, ModelError
from lesion_measure.lab.training.settings import NetworkSettings, TrainSettings
from lesion_measure.network.bundle import MAX_WEIGHTS_BYTES
from lesion_measure.network.preprocess import NETWORK_CHANNELS
from lesion_measure.network.weights import build_network

SEED = 0


def check_networks(settings: TrainSettings) -> None:
    """Build every network of a training, and ask each about one picture of noise, at every size that it trains on.

    Raises
    ------
    ConfigError
        One cannot be built, is too large for a bundle, or gives other than finite logits of the picture's size; or
        networks shall be compiled, and cannot be here.
    """
    if settings.compiled:
        _check_compiler()
    for name, part in settings.parts():
        sides = {part.preprocessing.size, *(part.side_of(stage) for stage in part.stages() if stage is not None)}
        network = _built(name, part)
        for side in sorted(sides):
            check_answer(name, network, part.network.out_channels, side)


def _check_compiler() -> None:
    try:
        torch.compile(nn.Linear(1, 1))(torch.zeros(1, 1))
    except RuntimeError as error:  # of which PyTorch's compilers derive theirs
        raise ConfigError(
            f"PyTorch cannot compile networks here ({_first_line(error)}).",
            remedy="Leave 'compiled' out, or install a C++ compiler.",
        ) from error


def _built(name: str, part: NetworkSettings) -> nn.Module:
    try:
        with torch.device("meta"):  # its size is known before it takes memory
            numbers = sum(value.numel() for value in build_network(part.network).state_dict().values())
        if numbers * torch.float32.itemsize > MAX_WEIGHTS_BYTES:
            raise ConfigError(
                f"The {name} network has {numbers / 1e6:.0f} million weights, too many for a bundle.",
                remedy=f"Make it smaller: {MAX_WEIGHTS_BYTES // 1_000_000} MB at most.",
            )
        torch.manual_seed(SEED)
        return build_network(part.network).eval()
    except ModelError as error:
        raise ConfigError(f"The {name} network: {error.reason}", remedy=error.remedy) from error


def check_answer(name: str, network: nn.Module, channels: int, side: int) -> None:
    """Ask a network about one picture of noise of a size.

    Raises
    ------
    ConfigError
        It gives other than so many channels of finite logits of the picture's size.
    """
    noise = torch.randn(1, NETWORK_CHANNELS, side, side, generator=torch.Generator().manual_seed(SEED))
    try:
        with torch.inference_mode():
            answer = network(noise)
    except (RuntimeError, ValueError) as error:
        raise ConfigError(
            f"The {name} network cannot answer about {side} x {side} pixels ({_first_line(error)}).",
            remedy="Change preprocessing.size, or the section 'network'.",
        ) from error
    wanted = (1, channels, side, side)
    if tuple(answer.shape) != wanted:
        raise ConfigError(
            f"The {name} network answers in the shape {tuple(answer.shape)}, and {wanted} is needed.",
            remedy="Change the section 'network'.",
        )
    if not bool(torch.isfinite(answer).all()):
        raise ConfigError(
            f"The {name} network gives values that are not finite before it is trained.",
            remedy="Change the section 'network'.",
        )


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:200]
