"""MONAI's U-Net for pictures (monai.networks.nets.UNet), layer for layer and name for name.

Its weights are MONAI's: a bundle's ``network_def`` names MONAI's class, and MONAI's own runner loads the same file.
MONAI takes twice as long to load as PyTorch, for transforms, data sets and losses that a run does not need.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

NORMS = {"BATCH": nn.BatchNorm2d, "INSTANCE": nn.InstanceNorm2d}


@dataclass(frozen=True, slots=True)
class Layers:
    """What all convolutions of a network have in common: normalisation, activation, dropout (None: no layer), bias."""

    norm: str = "BATCH"
    act: type[nn.Module] = nn.PReLU
    dropout: float | None = None
    bias: bool = True


class Convolution(nn.Sequential):
    """A 3 x 3 convolution (``up``: a transposed one), then normalisation, dropout and activation unless ``alone``."""

    def __init__(
        self, inside: int, outside: int, layers: Layers, stride: int = 1, *, up: bool = False, alone: bool = False
    ) -> None:
        super().__init__()
        if up:
            conv: nn.Module = nn.ConvTranspose2d(
                inside, outside, 3, stride, padding=1, output_padding=stride - 1, bias=layers.bias
            )
        else:
            conv = nn.Conv2d(inside, outside, 3, stride, padding=1, bias=layers.bias)
        self.add_module("conv", conv)
        if not alone:
            self.add_module("adn", _after(outside, layers))


def _after(channels: int, layers: Layers) -> nn.Sequential:
    after = nn.Sequential()
    after.add_module("N", NORMS[layers.norm](channels))
    if layers.dropout is not None:
        after.add_module("D", nn.Dropout(layers.dropout))
    after.add_module("A", layers.act())
    return after


class ResidualUnit(nn.Module):
    """Several convolutions, and beside them the input, by a convolution where its size or channels change."""

    def __init__(
        self, inside: int, outside: int, layers: Layers, stride: int = 1, units: int = 1, *, last_alone: bool = False
    ) -> None:
        super().__init__()
        self.conv = nn.Sequential()
        for number in range(units):
            first, alone = number == 0, last_alone and number == units - 1
            unit = Convolution(inside if first else outside, outside, layers, stride if first else 1, alone=alone)
            self.conv.add_module(f"unit{number}", unit)
        self.residual: nn.Module = nn.Identity()
        if stride != 1:
            self.residual = nn.Conv2d(inside, outside, 3, stride, 1, bias=layers.bias)
        elif inside != outside:
            self.residual = nn.Conv2d(inside, outside, 1, bias=layers.bias)

    def forward(self, x: Tensor) -> Tensor:
        aside: Tensor = self.residual(x)
        through: Tensor = self.conv(x)
        return through + aside


class SkipConnection(nn.Module):
    """A module's output beside its input."""

    def __init__(self, submodule: nn.Module) -> None:
        super().__init__()
        self.submodule = submodule

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.submodule(x)], dim=1)


class UNet(nn.Module):
    """Pictures (n, in_channels, rows, columns) to logits (n, out_channels, rows, columns).

    Parameters
    ----------
    in_channels, out_channels
        Of the pictures and of the logits.
    channels
        Of each level, the finest first.
    strides
        Step from each level to the next: 1 or 2.
    units
        Residual units of a level; 0: one plain convolution.
    layers
        What follows each convolution.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        channels: Sequence[int],
        strides: Sequence[int],
        units: int,
        layers: Layers,
    ) -> None:
        super().__init__()
        self._units, self._layers = units, layers
        self.model = self._level(in_channels, out_channels, channels, strides, top=True)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.model(x)
        return logits

    def _level(
        self, inside: int, outside: int, channels: Sequence[int], strides: Sequence[int], *, top: bool
    ) -> nn.Sequential:
        own, below = channels[0], channels[1]
        if len(channels) > 2:
            lower: nn.Module = self._level(own, own, channels[1:], strides[1:], top=False)
            joined = 2 * own
        else:
            lower, joined = self._down(own, below, 1), own + below
        down = self._down(inside, own, strides[0])
        return nn.Sequential(down, SkipConnection(lower), self._up(joined, outside, strides[0], top=top))

    def _down(self, inside: int, outside: int, stride: int) -> nn.Module:
        if self._units:
            return ResidualUnit(inside, outside, self._layers, stride, self._units)
        return Convolution(inside, outside, self._layers, stride)

    def _up(self, inside: int, outside: int, stride: int, *, top: bool) -> nn.Module:
        if not self._units:
            return Convolution(inside, outside, self._layers, stride, up=True, alone=top)
        widened = Convolution(inside, outside, self._layers, stride, up=True)
        return nn.Sequential(widened, ResidualUnit(outside, outside, self._layers, last_alone=top))
