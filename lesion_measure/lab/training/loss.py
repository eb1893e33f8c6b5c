"""What training makes small: the loss of a batch."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from lesion_measure.lab.training.samples import UNKNOWN

LEAST_AREA = 0.03


LIVER_SHARE = 0.5


def segmentation_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """The loss of a batch: logits (n, 1 or 2, size, size) of lesion and liver, targets (n, 2, size, size).

    The liver counts by `LIVER_SHARE`, over the samples that it is known of.
    """
    lesion = region_loss(logits[:, 0], targets[:, 0])
    known = targets[:, 1].flatten(1).amin(1) > UNKNOWN
    if logits.shape[1] == 1 or not bool(known.any()):
        return lesion
    return lesion + LIVER_SHARE * known.float().mean() * region_loss(logits[known, 1], targets[known, 1])


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
