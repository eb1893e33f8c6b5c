"""Deep supervision: the decoder's coarser levels answer too while a network is trained, by heads that are not kept."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lesion_measure.lab.training.loss import PartLoss, segmentation_loss
from lesion_measure.network.efficient import EfficientUNet, enlarged


class DeepAnswers(nn.Module):
    """Pictures to the network's logits and then those of each coarser level, the coarsest last, all on the grid.

    Their shape is (n, out_channels * levels, side, side).
    """

    def __init__(self, network: EfficientUNet) -> None:
        super().__init__()
        self.network = network
        heads = [nn.Conv2d(width, network.last.out_channels, 1) for width in network.channels[:-1]]
        self.heads = nn.ModuleList(heads)

    def forward(self, pictures: Tensor) -> Tensor:
        *coarser, last = self.network.levels(pictures)
        answers = [head(level) for head, level in zip(self.heads, coarser, strict=True)]
        found = [self.network.answer(last), *reversed(answers)]
        return torch.cat([enlarged(each, pictures) for each in found], dim=1)


def deep_loss(logits: Tensor, targets: Tensor, part_loss: PartLoss, out_channels: int, weight: float) -> Tensor:
    """The loss of a batch with `DeepAnswers`: each coarser level counts half of the finer one, the first ``weight``.

    Parameters
    ----------
    logits
        Those of `DeepAnswers` (n, out_channels * levels, size, size).
    targets
        Lesion and liver (n, 2, size, size).
    part_loss
        The loss of one part.
    out_channels
        Logits of one level.
    weight
        Of the first coarser level.
    """
    finest, *coarser = torch.split(logits, out_channels, dim=1)
    loss = segmentation_loss(finest, targets, part_loss)
    for number, level in enumerate(coarser):
        loss = loss + weight / 2**number * segmentation_loss(level, targets, part_loss)
    return loss
