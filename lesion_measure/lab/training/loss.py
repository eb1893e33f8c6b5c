"""What training makes small: the loss of a batch."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional

from lesion_measure.lab.training.choices import FocalLoss, Loss, RegionLoss
from lesion_measure.lab.training.samples import UNKNOWN

PartLoss = Callable[[Tensor, Tensor], Tensor]
"""The mean loss of logits (n, size, size) for targets of the same shape in 0..1."""

LEAST_AREA = 0.03
LIVER_SHARE = 0.5
SURELY_NOT = -30.0
"""A logit whose probability is 0 to any digit that counts."""


def loss_of(choice: Loss) -> PartLoss:
    """The loss of one part (lesion or liver) that settings name."""
    if isinstance(choice, RegionLoss):
        return region_loss
    from monai import losses  # which a training with our own does not need

    sigmoid = {} if isinstance(choice, FocalLoss) else {"sigmoid": True}  # that one takes logits as they are
    measure = getattr(losses, choice.target)(**choice.arguments(), **sigmoid)

    def loss(logits: Tensor, targets: Tensor) -> Tensor:
        found: Tensor = measure(logits[:, None], targets[:, None])
        return found

    return loss


def segmentation_loss(logits: Tensor, targets: Tensor, part_loss: PartLoss) -> Tensor:
    """The loss of a batch: logits (n, 1 or 2, size, size) of lesion and liver, targets (n, 2, size, size).

    The liver counts by `LIVER_SHARE`, over the samples that it is known of.
    """
    lesion = part_loss(*judged(logits[:, 0], targets[:, 0]))
    known = targets[:, 1].flatten(1).amin(1) > UNKNOWN
    if logits.shape[1] == 1 or not bool(known.any()):
        return lesion
    return lesion + LIVER_SHARE * known.float().mean() * part_loss(logits[known, 1], targets[known, 1])


def judged(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """The same with pixels that nobody judged (`UNKNOWN` in the targets) as answered rightly: no loss, no gradient."""
    ignored = targets <= UNKNOWN
    return logits.masked_fill(ignored, SURELY_NOT), targets.masked_fill(ignored, 0.0)


def region_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Soft Dice of each sample plus its cross-entropy, summed and divided by the lesion's area (and a little more).

    Divided by the image's area instead, a small lesion weighs nothing and the network learns to answer nothing. One
    factor for a whole sample leaves the place of its outline alone, which weights on lesion pixels would not.
    """
    entropy = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none").flatten(1).sum(1)
    probability = logits.sigmoid().flatten(1)
    truth = targets.flatten(1)
    area = truth.sum(1)
    smooth = 16.0
    overlap = (2 * (probability * truth).sum(1) + smooth) / (probability.sum(1) + area + smooth)
    return (entropy / (area + LEAST_AREA * truth.shape[1])).mean() + (1 - overlap).mean()
