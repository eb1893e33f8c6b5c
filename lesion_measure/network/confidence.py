"""How sure the network is of a lesion: plain features of its answer, and a logistic model of being right.

The model predicts that the outline reaches a Dice of 0.75; it is fitted by `lab.training` on held-out images,
lesion-free ones among them, and stands in the bundle as numbers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np
import scipy
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

AUTOMATIC_FEATURES = (
    "mean_probability",
    "blur",
    "flip_agreement",
    "second_pass_agreement",
    "second_pass_probability",
    "log_area_share",
    "contrast",
    "off_middle",
    "liver_share",
)
"""``off_middle`` since whoever scans a lesion puts it in the middle; kidneys and vessels lie at the sides.
``liver_share`` is 0 where the network knows no livers or sees none."""
PROMPTED_FEATURES = ("mean_probability", "blur", "flip_agreement", "log_length_error", "caliper_inside", "contrast")
CLICK_FEATURES = (
    "mean_probability",
    "blur",
    "contrast",
    "seen_inside",
    "seen_around",
    "seen_at_click",
    "agreement",
    "click_agreement",
)
"""What the automatic network sees inside an outline, around it and at the click, and how far outlines from other
prompts agree: the network for calipers draws what it is asked for, and is as sure where that is far too large.
``click_agreement`` is the agreement with what the network for clicks draws; 0 where there is no such network."""


ACCEPTS_NOTHING = 1.01
"""A threshold that no confidence reaches."""


class _Plain(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Accepted(_Plain):
    """Held-back groups of one set with an accepted outline, and those of them with a wrong one.

    ``shown``: whether the promise was shown of this set by itself; else it has too few groups for that.
    """

    groups: int = Field(ge=0)
    wrong: int = Field(ge=0)
    shown: bool


class Promise(_Plain):
    """With ``confidence``, at most a share ``risk`` of the groups with an accepted outline have a wrong one.

    A group is the pictures of one lesion or patient. ``sets`` say what was seen at the threshold.
    """

    risk: float = Field(gt=0, lt=1)
    confidence: float = Field(gt=0, lt=1)
    sets: dict[str, Accepted]


class Logistic(_Plain):
    """A logistic model on standardised features: their mean and scale, weights in the same order, and an intercept."""

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    intercept: float

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        if not len(self.mean) == len(self.scale) == len(self.weights):
            raise ValueError("mean, scale and weights must have one length")
        if min(self.scale) <= 0:
            raise ValueError("every scale must be positive")
        return self

    def probability(self, values: Sequence[float]) -> float:
        """What it makes of the features' values, in 0..1."""
        total = self.intercept
        for value, mean, scale, weight in zip(values, self.mean, self.scale, self.weights, strict=True):
            total += weight * (value - mean) / scale
        return 1 / (1 + math.exp(-min(max(total, -30.0), 30.0)))


class ConfidenceModel(Logistic):
    """What is thought of an outline by its ``features``.

    ``threshold`` is the least confidence that is accepted, ``promise`` what was shown of it, and ``never`` why nothing
    is accepted. ``folds`` are the models of the cross-fitting: each never saw the pictures of its part. Bundles that
    are older than these have none.
    """

    features: tuple[str, ...]
    threshold: float = Field(ge=0, le=ACCEPTS_NOTHING, description="above 1: nothing is ever accepted")
    promise: Promise | None = None
    never: str = Field("", max_length=1000)
    folds: tuple[Logistic, ...] = Field((), max_length=100)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not set(self.features) <= {*AUTOMATIC_FEATURES, *PROMPTED_FEATURES, *CLICK_FEATURES}:
            raise ValueError("a feature is none of those that this version computes")
        if {len(self.mean), *(len(fold.mean) for fold in self.folds)} != {len(self.features)}:
            raise ValueError("there must be as many means, scales and weights as features")
        return self

    @property
    def accepts(self) -> bool:
        """Whether there is a confidence that is accepted."""
        return self.threshold <= 1

    @property
    def why_never(self) -> str:
        """Why nothing is accepted, in brackets behind a blank, where that is recorded."""
        return f" ({self.never})" if self.never else ""

    def confidence(self, features: Mapping[str, float], fold: int | None = None) -> float:
        """Estimated probability, in 0..1, that a lesion with these features is outlined rightly.

        ``fold``: by the model of the cross-fitting that never saw the pictures of this part.
        """
        chosen = self if fold is None else self.folds[fold]
        return chosen.probability([features[name] for name in self.features])


def unfitted(features: tuple[str, ...], never: str = "it was not fitted") -> ConfidenceModel:
    """A model that knows nothing: every confidence is 0.5 and nothing is accepted, for the reason given."""
    none = (0.0,) * len(features)
    return ConfidenceModel(
        features=features, mean=none, scale=(1.0,) * len(features), weights=none, intercept=0.0,
        threshold=ACCEPTS_NOTHING, never=never,
    )  # fmt: skip


def dice(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """Dice overlap of two masks of one shape; 1 where both are empty."""
    total = int(first.sum()) + int(second.sum())
    return 2 * int((first & second).sum()) / total if total else 1.0


def flip_agreement(logits: NDArray[np.float32], zone: NDArray[np.bool_]) -> float:
    """Mean Dice, inside ``zone``, between each mirrored pass (k, size, size) and their mean; 1 for a single pass."""
    mean = (logits.mean(axis=0) >= 0) & zone
    return float(np.mean([dice((one >= 0) & zone, mean) for one in logits]))


def ring(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """What lies around an outline, a fifth of the root of its area wide; ``mask`` is cut out with room for it."""
    width = max(2, round(0.2 * math.sqrt(float(mask.sum()))))
    # as far as so many dilations by a cross reach, at one go
    return np.asarray(~mask & (scipy.ndimage.distance_transform_cdt(~mask, "taxicab") <= width))


def contrast(image: NDArray[np.float32], mask: NDArray[np.bool_]) -> float:
    """Difference of mean grey inside an outline and in a ring around it, in SDs of a pixel; black pixels left out.

    ``image`` (rows, columns) in 0..1 and ``mask`` are cut out around the lesion, with room for the ring.
    """
    inside, around = (image[part & (image > 0)] for part in (mask, ring(mask)))
    if len(inside) < 2 or len(around) < 2:
        return 0.0
    spread = math.sqrt((float(inside.var()) + float(around.var())) / 2)
    return abs(float(inside.mean()) - float(around.mean())) / max(spread, 1e-3)


def blur(probability: NDArray[np.float32], mask: NDArray[np.bool_], scale: float) -> float:
    """Log of the undecided area around a lesion, relative to the length of its border, in network pixels."""
    undecided = float((4 * probability * (1 - probability)).sum())
    return math.log((undecided + 1) / (math.sqrt(float(mask.sum()) + 1) * max(scale, 0.05)))
