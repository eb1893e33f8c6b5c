"""What a training run is made of: read from ``configs/train.yaml``, unknown keys are errors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from lesion_measure.config import Fraction, Positive, PositiveInt, read_settings
from lesion_measure.lab.datasets import SIMULATED
from lesion_measure.lab.training.choices import AdamW, Loss, Optimizer, RegionLoss
from lesion_measure.network.bundle import BundleSettings
from lesion_measure.network.definition import (
    AnyDefinition,
    EfficientDefinition,
    FlexibleUNetDefinition,
    NetworkDefinition,
)
from lesion_measure.network.window import Preprocessing

MOST_MOVED = 0.02
"""Largest shift of a sample that is asked by a click, in sides of the grid: the map stays where the click is told."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Augmentation(_Section):
    """How training pictures are varied; shares are the probability that a picture gets it."""

    rotation_deg: float = Field(20, ge=0, le=180, description="Largest turn of an unprompted window.")
    scale: Fraction = Field(0.25, description="Largest relative change of an unprompted window's size.")
    shift: Fraction = Field(0.08, description="Largest shift of an unprompted window, in its sides.")
    stretch: Fraction = Field(
        0, description="Largest logarithm of the factor by which an unprompted sample is stretched, its area kept."
    )
    bend: Fraction = Field(
        0, description="Largest SD of a smooth displacement of an unprompted sample, in sides of the network's grid."
    )
    trivial: bool = Field(
        False,
        description="Whether an unprompted sample gets TrivialAugment: one of 13 operations, grey or geometric, of "
        "random strength, beside all else that is asked for.",
    )
    zoom: Fraction = Field(0.35, description="Share of unprompted samples that look at a part of the picture.")
    zoom_least: float = Field(0.35, gt=0, le=1, description="Smallest such part, as a share of the picture's sides.")
    prompted_turn_deg: float = Field(4, ge=0, le=180, description="SD of the turn of a prompted window.")
    prompted_scale: Fraction = Field(0.12, description="Largest relative change of a prompted window's size.")
    echo: Fraction = Field(
        0, description="Share of pictures whose lesions are made darker, brighter or as bright as their surroundings."
    )
    gamma_sd: float = Field(0.12, ge=0, description="SD of the logarithm of the gamma.")
    gain_sd: float = Field(0.2, ge=0, description="SD of the logarithmic gain slopes along depth and width.")
    speckle: Fraction = Field(0.1, description="Largest relative SD of the multiplied noise.")
    blur: Fraction = Field(0.1, description="Share of pictures that are blurred.")
    shadow: Fraction = Field(0.05, description="Share of pictures with a shadow.")
    fan: Fraction = Field(0.3, description="Share of full rectangular pictures cut to a fan.")
    text: Fraction = Field(0.2, description="Share of pictures with screen text.")
    marks: Fraction = Field(0.2, description="Share of pictures with burnt-in caliper marks.")


class Simulated(_Section):
    """Simulated frames; training and validation use different seeds."""

    frames: int = Field(2400, ge=0, description="Simulated training frames; 0 for none.")
    validation_frames: int = Field(240, ge=0, description="Simulated validation frames.")
    test_frames: int = Field(0, ge=0, description="Simulated test frames, beside `split.test_share`.")
    size: tuple[PositiveInt, PositiveInt] = Field((432, 576), description="Rows and columns of a simulated frame.")


class Split(_Section):
    """What is held back for validation; all pictures of one group stay together."""

    join_near_duplicates: bool = Field(
        True,
        description="Make one group of groups that near-duplicates connect; else a split that parts some is an error.",
    )
    share: Fraction = Field(0.2, description="Share of a set's groups that is held back.")
    share_by_set: dict[str, Fraction] = Field(default_factory=dict, description="Other shares, by folder name.")
    test_share: Fraction = Field(
        0,
        description="Share of a set's groups that nothing is chosen on or fitted to: the figures are theirs. 0: the "
        "figures come from the pictures held back for validation.",
    )
    groups: PositiveInt | None = Field(
        None,
        description="Groups of each set that are learnt from at most, for a learning curve: the first by the seed, so "
        "that more of them hold the fewer, each kind of picture by its share. What is held back stays the same. None: "
        "all.",
    )
    groups_by_set: dict[str, PositiveInt] = Field(
        default_factory=dict, description="The same for single sets, by folder name, in place of `groups`."
    )
    cross_validated: tuple[str, ...] = Field(
        (),
        description="Small sets, by folder name, of which nothing is held back but the test images that they state: "
        "fine-tuning is repeated with a part of their groups left out, which measures it, and once more with all, "
        "which is shipped.",
    )
    folds: int = Field(5, ge=2, le=20, description="Number of those parts.")

    @model_validator(mode="after")
    def _limits(self) -> Split:
        """A cross-validated set is learnt from whole, and simulated frames are as many as are asked for."""
        if unlimited := sorted({*self.cross_validated, SIMULATED} & set(self.groups_by_set)):
            raise ValueError(f"groups_by_set cannot limit {', '.join(unlimited)}")
        return self


class ConfidenceFit(_Section):
    """How the confidence model and its threshold are chosen on the held-back pictures."""

    correct_dice: Fraction = Field(0.75, description="Least Dice of an outline that counts as right.")
    accepted_risk: float = Field(
        0.05,
        gt=0,
        lt=1,
        description="Largest share of groups with a wrong outline among those with an accepted one: of each set that "
        "has groups enough to show it, and of all.",
    )
    accepted_confidence: float = Field(
        0.9,
        gt=0,
        lt=1,
        description="Least share of fits in which accepted_risk holds; with 0.9 and 0.05, 45 groups without a wrong "
        "outline show it, or 77 with one.",
    )
    folds: int = Field(5, ge=2, le=100, description="Grouped folds of the cross-fitting.")
    penalty: Positive = Field(1.0, description="Weight of the squared coefficients.")


class Stage(_Section):
    """One stage of a training: so many epochs on such a mixture of sets."""

    epochs: int = Field(60, ge=0, description="Epochs; 0 leaves the weights as they are.")
    samples_per_epoch: PositiveInt = Field(768, description="Samples of one epoch.")
    batch_size: PositiveInt = Field(8, description="Samples of one step.")
    learning_rate: Positive = Field(0.0015, description="Largest learning rate; cosine decay after a warm-up.")
    warmup_share: Fraction = Field(0.05, description="Share of the steps that warm up.")
    weight_decay: float = Field(0.0001, ge=0, description="Weight decay of the optimiser.")
    ema_decay: Fraction = Field(0.995, description="Decay of the averaged weights, which are the ones kept.")
    set_weights: dict[str, float] = Field(
        default_factory=dict, description="Relative share of samples by set; 1 where not given."
    )
    blend_share: dict[str, Fraction] = Field(
        default_factory=dict,
        description="Share of a set's whole pictures into which a real lesion of another picture is blended.",
    )
    blend_from: tuple[str, ...] = Field(
        (),
        description="Sets, by folder name, whose lesions are blended; none: those that `blend_share` does not name, or "
        "all where it names every one.",
    )
    patience: int = Field(
        0, ge=0, description="Stop after so many epochs without a better validation Dice and keep the best; 0: never."
    )
    size: int | None = Field(
        None,
        ge=16,
        le=1024,
        description="Side of the grid that this stage trains on, coarser to save time; none: that of preprocessing. "
        "A network that answers to calipers, and a cross-validated fine-tuning, end on that.",
    )


class NetworkSettings(_Section):
    """One of the networks of a bundle: its architecture, what it sees, and its stages of training."""

    network: AnyDefinition = NetworkDefinition()
    first_weights: Literal["random", "imagenet"] = Field(
        "random",
        description="What training starts from without --from: random weights, or the encoder as it was trained on "
        "ImageNet. That of an EfficientUNet comes with lesion-measure[train]; that of a FlexibleUNet on an "
        "efficientnet must lie in PyTorch's folder of checkpoints, and is never downloaded.",
    )
    frozen_blocks: int = Field(
        0,
        ge=0,
        le=16,
        description="First blocks of an EfficientUNet's encoder that keep these weights, and its stem.",
    )
    frozen_filters: bool = Field(
        False, description="Whether the depthwise filters of all its blocks keep them; half of a step's time is theirs."
    )
    preprocessing: Preprocessing = Preprocessing()
    prompted_share: Fraction = Field(0.5, description="Share of samples with a caliper, where there is a lesion.")
    both_axes_share: Fraction = Field(0.4, description="Share of prompted samples with both axes.")
    caliper_jitter: Fraction = Field(0.05, description="Mean SD of a caliper end, in lengths of the caliper.")
    longest_share: Fraction = Field(
        0.5,
        description="Share of prompted samples whose calipers are the longest lines across a lesion and at a right "
        "angle to it; the other placements (middle lines of its rectangle, axes of its moments) share the rest. Only "
        "where every sample is prompted.",
    )
    box_share: Fraction = Field(
        0,
        description="Share of prompted samples whose prompt is a box around the lesion, its sides moved as calipers' "
        "ends are. Only where every sample is prompted.",
    )
    copies: dict[str, PositiveInt] = Field(
        default_factory=dict,
        description="Copies of each lesion by set, all but the first stretched and bent; only where every sample is "
        "prompted. 1 where not given.",
    )
    aspect: Fraction = Field(
        0,
        description="Share of those copies whose short axis is stretched to 0.5 to 1 long axes, area kept.",
    )
    margin: Fraction = Field(
        0,
        description="Share of those copies whose outline, and with it the caliper, is moved outwards or a little "
        "inwards, as another reader would draw it.",
    )
    augmentation: Augmentation = Augmentation()
    loss: Loss = RegionLoss()
    deep_supervision: Fraction = Field(
        0,
        description="Weight of the loss at the second finest level of an EfficientUNet's decoder, half of it at each "
        "coarser one; their heads are not kept. 0: the loss is that of its logits alone.",
    )
    optimizer: Optimizer = AdamW()
    half: bool = Field(
        False,
        description="Whether its weights are kept in 16 bits, half the space; they are rounded before anything is "
        "measured.",
    )
    pretrain: Stage = Stage()
    finetune: Stage | None = Field(None, description="Second stage; cross-validated sets are used in it alone.")
    longer: tuple[Stage, ...] = Field(
        (), description="Further stages, each a `Stage`, on all that fine-tuning had, for what is shipped."
    )

    @model_validator(mode="after")
    def _grid(self) -> NetworkSettings:
        own, step = [(f"{name}.size", stage.size) for name, stage in self._named_stages()], self.network.grid_step
        for name, size in [("preprocessing.size", self.preprocessing.size), *own]:
            if size is not None and size % step:
                near = max(size // step, 1) * step
                raise ValueError(f"{name} must be a multiple of {step}, as {near}; it is {size}")
        if self.prompted_share and own[-1][1] not in (None, self.preprocessing.size):
            raise ValueError(f"{own[-1][0]} must be that of preprocessing: calipers are drawn in pixels of the grid")
        return self

    @property
    def of_lesions(self) -> bool:
        """Whether it learns from lesions alone, asked by calipers or clicks; then nothing is blended."""
        return self.prompted_share == 1 or self.preprocessing.click_fall > 0

    def stages(self) -> list[Stage | None]:
        """All stages in their order, None where there is none."""
        return [self.pretrain, self.finetune, *self.longer]

    def _named_stages(self) -> list[tuple[str, Stage]]:
        """The stages that there are, by the names of their settings."""
        further = [(f"longer.{number}", stage) for number, stage in enumerate(self.longer)]
        named = [("pretrain", self.pretrain), ("finetune", self.finetune), *further]
        return [(name, stage) for name, stage in named if stage is not None]

    def side_of(self, stage: Stage) -> int:
        """Side of the grid that a stage trains on."""
        return self.preprocessing.size if stage.size is None else stage.size

    def shown_in(self, stage: Stage) -> NetworkSettings:
        """The same settings with the grid that a stage trains on."""
        preprocessing = self.preprocessing.model_copy(update={"size": self.side_of(stage)})
        return self.model_copy(update={"preprocessing": preprocessing})

    @model_validator(mode="after")
    def _in_order(self) -> NetworkSettings:
        if self.longer and self.finetune is None:
            raise ValueError("a longer stage follows a finetune stage")
        return self

    @model_validator(mode="after")
    def _channels(self) -> NetworkSettings:
        if self.network.in_channels == 1 and self.prompted_share:
            raise ValueError("network.in_channels must be 2 where prompted_share is above 0: calipers are the second")
        if self.network.out_channels > 2:
            raise ValueError("network.out_channels must be 1 (lesion) or 2 (lesion and liver)")
        return self

    @model_validator(mode="after")
    def _encoder(self) -> NetworkSettings:
        ours = isinstance(self.network, EfficientDefinition)
        if not ours and (self.frozen_blocks or self.frozen_filters):
            raise ValueError("frozen_blocks and frozen_filters are for an EfficientUNet")
        if not ours and self.deep_supervision:
            raise ValueError("deep_supervision is for an EfficientUNet")
        flexible = isinstance(self.network, FlexibleUNetDefinition) and self.network.backbone.startswith("efficientnet")
        if self.first_weights == "imagenet" and not (ours or flexible):
            raise ValueError("first_weights: imagenet is for an EfficientUNet, or a FlexibleUNet on an efficientnet")
        return self


class TrainSettings(_Section):
    """All settings of a training run."""

    version: str = Field("0.1.0", description="Version of the bundle.")
    description: str = Field("Outlines lesions in B-mode ultrasound.", description="One sentence for the model card.")
    licences: dict[str, str] = Field(
        default_factory=dict, description="Origin and licence of each set, by folder name, for the model card."
    )
    notes: tuple[str, ...] = Field((), description="Further sentences on the training, for the model card.")
    seed: int = Field(1, ge=0, description="Seed of everything random.")
    bfloat16: bool | Literal["auto"] = Field(
        "auto", description="Train in mixed bfloat16; auto: on GPUs and processors that compute in it, else in float32."
    )
    compiled: bool = Field(
        False, description="Whether the networks are compiled (torch.compile): faster on GPUs after a slow start."
    )
    threads: PositiveInt = Field(2, description="Threads of one training process.")
    validate_every: PositiveInt = Field(5, description="Epochs between two quick validations.")
    caliper_jitter: Fraction = Field(0.05, description="SD of a caliper end when held-back pictures are measured.")
    placings: PositiveInt | None = Field(
        None,
        description="How often the calipers of a held-back lesion are placed; none: by the size of its set, small ones "
        "often (docs/evaluation.md).",
    )
    automatic: NetworkSettings = NetworkSettings()
    prompted: NetworkSettings | None = Field(
        None, description="A second network that answers to calipers alone; without it, the first one does both."
    )
    clicked: NetworkSettings | None = Field(
        None,
        description="A third network that answers to clicks alone; without it, a click asks the other two for lesions "
        "of several sizes.",
    )
    answering_prior: float | None = Field(
        None,
        ge=0,
        le=20,
        description="Ellipse prior (ellipse_prior) with which the trained network for calipers answers; a stronger one "
        "than in its training holds it back where it saw few pictures of a kind; none: the same.",
    )
    answering_shift: float = Field(
        0.0,
        ge=-20,
        le=20,
        description="Added to the trained automatic network's logit of lesion: above 0 it draws more, below 0 less; "
        "chosen on validation pictures.",
    )
    simulated: Simulated = Simulated()
    split: Split = Split()
    confidence: ConfidenceFit = ConfidenceFit()

    @model_validator(mode="after")
    def _consistent(self) -> TrainSettings:
        if self.prompted is None and self.automatic.prompted_share == 0:
            raise ValueError("without a second network, the first one needs a prompted_share above 0")
        if self.prompted is not None and self.prompted.prompted_share < 1:
            raise ValueError("prompted.prompted_share must be 1: that network is never asked without calipers")
        if self.answering_prior is not None and self.prompted is None:
            raise ValueError("answering_prior needs a prompted network")
        if self.split.cross_validated and any(part.finetune is None for _, part in self.parts()):
            raise ValueError("split.cross_validated needs a finetune stage in every network's section")
        tuned = [(part, part.finetune) for _, part in self.parts() if part.finetune is not None]
        if self.split.cross_validated and any(part.side_of(stage) != part.preprocessing.size for part, stage in tuned):
            raise ValueError("with split.cross_validated, finetune.size must be that of preprocessing: it is measured")
        return self

    @model_validator(mode="after")
    def _asked_by_clicks(self) -> TrainSettings:
        falls = {name: part.preprocessing.click_fall for name, part in self.parts()}
        if odd := next((name for name, fall in falls.items() if (fall > 0) != (name == "clicked")), None):
            raise ValueError(f"{odd}.preprocessing.click_fall must be {'above 0' if odd == 'clicked' else '0'}")
        if self.clicked is None:
            return self
        if self.prompted is None:
            raise ValueError("clicked needs a prompted network, which draws the outline again")
        if self.clicked.prompted_share or self.clicked.network.in_channels == 1:
            raise ValueError("clicked.prompted_share must be 0 and clicked.network.in_channels 2")
        if self.clicked.preprocessing.ellipse_prior:
            raise ValueError("clicked.preprocessing.ellipse_prior must be 0")
        if self.clicked.augmentation.shift > MOST_MOVED or self.clicked.augmentation.bend:
            raise ValueError(f"clicked.augmentation.shift must be {MOST_MOVED} at most, and bend 0: clicks stay")
        return self

    def parts(self) -> list[tuple[str, NetworkSettings]]:
        """The networks to train, by name."""
        named = ("automatic", self.automatic), ("prompted", self.prompted), ("clicked", self.clicked)
        return [(name, part) for name, part in named if part is not None]

    def named_sets(self) -> set[str]:
        """Every set of pictures that some setting names."""
        split = self.split
        named = {*self.licences, *split.share_by_set, *split.groups_by_set, *split.cross_validated}
        for _, part in self.parts():
            named |= part.copies.keys()
            for stage in part.stages():
                if stage is not None:
                    named |= {*stage.set_weights, *stage.blend_share, *stage.blend_from}
        return named

    def answering(self) -> BundleSettings:
        """What the bundle says of preprocessing; its confidence models are not fitted yet."""
        own = None if self.prompted is None else self.prompted.preprocessing
        if own is not None and self.answering_prior is not None:
            own = own.model_copy(update={"ellipse_prior": self.answering_prior})
        return BundleSettings(
            preprocessing=self.automatic.preprocessing,
            prompted_preprocessing=own,
            clicked_preprocessing=None if self.clicked is None else self.clicked.preprocessing,
            lesion_shift=self.answering_shift,
        )

    @classmethod
    def from_yaml(cls, path: Path | None, changes: Sequence[str] = ()) -> TrainSettings:
        """Read a training configuration (None: the defaults); keys that are left out keep their defaults.

        ``changes`` are single settings on top, each ``section.setting=value``.

        Raises
        ------
        ConfigError
            The file cannot be read, is no YAML mapping, or holds an unknown or impossible setting.
        """
        remedy = "'lesion-measure help training_settings' lists every setting."
        return read_settings(cls, path, remedy=remedy, changes=changes)
