"""What a bundle says of its networks' architecture: plain numbers with bounds, nothing that is run.

Names and arguments are those of MONAI's classes (``monai.networks.nets``), so that MONAI's own programs build the same
network of a bundle's ``network_def``. Only what is listed here is built, whatever a file names.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

ChannelCount = Annotated[int, Field(ge=1, le=1024)]
Step = Annotated[int, Field(ge=1, le=4)]
Dropout = Annotated[float, Field(ge=0, lt=1)]
Kernel = Literal[1, 3, 5, 7]
Upsampling = Literal["deconv", "nontrainable", "pixelshuffle"]

_IN = "The picture and the map of the calipers; 1: the picture alone, for a network that is never asked with calipers."
_OUT = "The logit of lesion; 2: then that of liver."
_NORM = "Normalisation: BATCH, INSTANCE or GROUP, or a list of that and affine, num_groups, eps, momentum."
_ACT = "Activation: RELU, LEAKYRELU, PRELU and others by MONAI's names, or a list of that and inplace, negative_slope."
_DROPOUT = "Share of activations dropped in training."


class _Plain(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, allow_inf_nan=False)


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def _with_arguments(value: object) -> object:
    """A name alone is one without arguments."""
    return (value, {}) if isinstance(value, str) else value


class NormArguments(_Plain):
    """What a normalisation may be told."""

    affine: bool | None = None
    num_groups: int | None = Field(None, ge=1, le=1024)
    eps: float | None = Field(None, gt=0, le=1)
    momentum: float | None = Field(None, ge=0, le=1)


class ActArguments(_Plain):
    """What an activation may be told."""

    inplace: bool | None = None
    negative_slope: float | None = Field(None, ge=0, le=1)


NormName = Annotated[Literal["BATCH", "INSTANCE", "GROUP"], BeforeValidator(_upper)]
ActName = Annotated[
    Literal["RELU", "RELU6", "LEAKYRELU", "PRELU", "ELU", "GELU", "MISH", "SWISH", "MEMSWISH"], BeforeValidator(_upper)
]
Norm = Annotated[tuple[NormName, NormArguments], BeforeValidator(_with_arguments)]
Act = Annotated[tuple[ActName, ActArguments], BeforeValidator(_with_arguments)]


class _Definition(_Plain, ABC):
    """What all definitions have in common."""

    @property
    @abstractmethod
    def grid_step(self) -> int:
        """What the side of its grid must be a multiple of, so that going down and up again meets the same sizes."""

    def arguments(self) -> dict[str, Any]:
        """What the class of that name takes, as plain values."""
        return self.model_dump(mode="json", by_alias=True, exclude={"target"}, exclude_none=True)


class _Monai(_Definition):
    spatial_dims: Literal[2] = Field(2, description="Pictures, not volumes.")
    in_channels: Literal[1, 2] = Field(2, description=_IN)
    out_channels: int = Field(1, ge=1, le=16, description=_OUT)


class NetworkDefinition(_Monai):
    """MONAI's UNet; sizes bounded."""

    target: Literal["UNet"] = Field("UNet", alias="_target_", description="The architecture.")
    channels: tuple[int, ...] = Field(
        (16, 32, 64, 128, 256), min_length=2, max_length=8, description="Channels of each level, the finest first."
    )
    strides: tuple[int, ...] = Field(
        (2, 2, 2, 2), min_length=1, max_length=7, description="Step from each level to the next: 1 or 2."
    )
    num_res_units: int = Field(2, ge=0, le=4, description="Residual units of a level.")
    norm: Annotated[Literal["BATCH", "INSTANCE"], BeforeValidator(_upper)] = Field(
        "BATCH", description="Normalisation: BATCH or INSTANCE."
    )
    dropout: Dropout = Field(0.0, description=_DROPOUT)

    @property
    def grid_step(self) -> int:
        """The product of its steps."""
        return math.prod(self.strides)

    @model_validator(mode="after")
    def _sizes(self) -> NetworkDefinition:
        if len(self.strides) != len(self.channels) - 1:
            raise ValueError("there must be one stride fewer than channels")
        if not all(1 <= count <= 1024 for count in self.channels) or not all(s in (1, 2) for s in self.strides):
            raise ValueError("channels must be 1 to 1024, strides 1 or 2")
        return self


OWN_PATH = "lesion_measure.network.efficient.EfficientUNet"
"""Where MONAI's own programs find the network that is not MONAI's, as a bundle names it."""


def _short(value: Any) -> Any:
    """The name of an architecture, by itself or with the path to it."""
    return value.rpartition(".")[2] if value == OWN_PATH else value


class EfficientDefinition(_Definition):
    """A U-Net on EfficientNet-Lite0 with two inputs (image, prompt map); its logits are those of lesion and liver."""

    target: Annotated[Literal["EfficientUNet"], BeforeValidator(_short)] = Field(
        "EfficientUNet", alias="_target_", description="The architecture."
    )
    in_channels: Literal[2] = Field(2, description="The picture and the map of the calipers.")
    out_channels: Literal[1, 2] = Field(2, description="The logit of lesion, then that of liver.")
    channels: tuple[ChannelCount, ...] = Field(
        (128, 64, 48),
        min_length=1,
        max_length=4,
        description="Channels of the decoder's levels, from a sixteenth of the input's sides on; logits are "
        "interpolated from the last.",
    )
    dropout: Dropout = Field(0.0, description="Share of the last level's channels dropped in training.")
    prompted_decoder: bool = Field(
        False, description="Whether the decoder's levels are shown the map of the prompt, too, as for clicks."
    )

    @property
    def grid_step(self) -> int:
        """The encoder halves five times."""
        return 32


class BasicUNetDefinition(_Monai):
    """MONAI's BasicUNet."""

    target: Literal["BasicUNet"] = Field("BasicUNet", alias="_target_", description="The architecture.")
    features: tuple[ChannelCount, ...] = Field(
        (32, 32, 64, 128, 256, 32),
        min_length=6,
        max_length=6,
        description="Channels of its five levels, the finest first, and of what comes after the last upsampling.",
    )
    act: Act = Field(
        ("LEAKYRELU", ActArguments(negative_slope=0.1, inplace=True)), description=_ACT
    )  # fmt: skip
    norm: Norm = Field(
        ("INSTANCE", NormArguments(affine=True)),
        description="Normalisation: its name, or a list of name and arguments.",
    )
    bias: bool = Field(True, description="Whether convolutions have a bias.")
    dropout: Dropout = Field(0.0, description=_DROPOUT)
    upsample: Upsampling = Field("deconv", description="How it goes up: deconv, nontrainable or pixelshuffle.")

    @property
    def grid_step(self) -> int:
        """It halves four times."""
        return 16


class FlexibleUNetDefinition(_Monai):
    """MONAI's FlexibleUNet."""

    target: Literal["FlexibleUNet"] = Field("FlexibleUNet", alias="_target_", description="The architecture.")
    backbone: Literal[
        "efficientnet-b0", "efficientnet-b1", "efficientnet-b2", "efficientnet-b3", "efficientnet-b4",
        "efficientnet-b5", "efficientnet-b6", "efficientnet-b7", "resnet10", "resnet18", "resnet34", "resnet50",
    ] = Field("efficientnet-b0", description="The encoder.")  # fmt: skip
    pretrained: Literal[False] = Field(
        False, description="MONAI would download weights here; `first_weights` takes those that are at hand."
    )
    decoder_channels: tuple[ChannelCount, ...] = Field(
        (256, 128, 64, 32, 16), min_length=5, max_length=5, description="Channels of the decoder's levels."
    )
    norm: Norm = Field(("BATCH", NormArguments(eps=1e-3, momentum=0.1)), description=_NORM)
    act: Act = Field(("RELU", ActArguments(inplace=True)), description=_ACT)
    dropout: Dropout = Field(0.0, description=_DROPOUT)
    decoder_bias: bool = Field(False, description="Whether the decoder's convolutions have a bias.")
    upsample: Upsampling = Field("nontrainable", description="How it goes up: deconv, nontrainable or pixelshuffle.")
    interp_mode: Literal["nearest", "bilinear", "bicubic"] = Field(
        "nearest", description="Interpolation where upsample is nontrainable."
    )
    is_pad: bool = Field(True, description="Whether what comes up is padded to what it is joined with.")

    @property
    def grid_step(self) -> int:
        """The encoder halves five times."""
        return 32


class AttentionUnetDefinition(_Monai):
    """MONAI's AttentionUnet."""

    target: Literal["AttentionUnet"] = Field("AttentionUnet", alias="_target_", description="The architecture.")
    channels: tuple[ChannelCount, ...] = Field(
        (16, 32, 64, 128, 256), min_length=2, max_length=8, description="Channels of each level, the finest first."
    )
    strides: tuple[Literal[1, 2], ...] = Field(
        (2, 2, 2, 2), min_length=1, max_length=7, description="Step from each level to the next: 1 or 2."
    )
    kernel_size: Kernel = Field(3, description="Side of the convolutions.")
    up_kernel_size: Kernel = Field(3, description="Side of the transposed convolutions.")
    dropout: Dropout = Field(0.0, description=_DROPOUT)

    @property
    def grid_step(self) -> int:
        """The product of its steps."""
        return math.prod(self.strides)

    @model_validator(mode="after")
    def _sizes(self) -> AttentionUnetDefinition:
        if len(self.strides) != len(self.channels) - 1:
            raise ValueError("there must be one stride fewer than channels")
        return self


class SegResNetDefinition(_Monai):
    """MONAI's SegResNet."""

    target: Literal["SegResNet"] = Field("SegResNet", alias="_target_", description="The architecture.")
    init_filters: ChannelCount = Field(8, description="Channels of the finest level; each coarser one has twice those.")
    dropout_prob: Dropout | None = Field(None, description=_DROPOUT)
    act: Act = Field(("RELU", ActArguments(inplace=True)), description=_ACT)
    norm: Norm = Field(("GROUP", NormArguments(num_groups=8)), description=_NORM)
    use_conv_final: Literal[True] = Field(True, description="Whether a convolution gives the logits.")
    blocks_down: tuple[Step, ...] = Field(
        (1, 2, 2, 4), min_length=2, max_length=7, description="Residual blocks of each level going down."
    )
    blocks_up: tuple[Step, ...] = Field(
        (1, 1, 1), min_length=1, max_length=6, description="Residual blocks of each level going up."
    )
    upsample_mode: Upsampling = Field(
        "nontrainable", description="How it goes up: deconv, nontrainable or pixelshuffle."
    )

    @property
    def grid_step(self) -> int:
        """It halves before each level but the first."""
        return int(2 ** (len(self.blocks_down) - 1))

    @model_validator(mode="after")
    def _levels(self) -> SegResNetDefinition:
        if len(self.blocks_up) != len(self.blocks_down) - 1:
            raise ValueError("blocks_up must be one fewer than blocks_down")
        return self


class DynUNetDefinition(_Monai):
    """MONAI's DynUNet, without deep supervision."""

    target: Literal["DynUNet"] = Field("DynUNet", alias="_target_", description="The architecture.")
    kernel_size: tuple[Kernel, ...] = Field(
        (3, 3, 3, 3, 3), min_length=3, max_length=8, description="Side of the convolutions of each level."
    )
    strides: tuple[Literal[1, 2], ...] = Field(
        (1, 2, 2, 2, 2), min_length=3, max_length=8, description="Step before each level, 1 for the first."
    )
    upsample_kernel_size: tuple[Literal[1, 2], ...] = Field(
        (2, 2, 2, 2), min_length=2, max_length=7, description="Those of strides but the first."
    )
    filters: tuple[ChannelCount, ...] | None = Field(
        None, description="Channels of each level; none: 32, then twice as many each, 512 at most."
    )
    dropout: Dropout | None = Field(None, description=_DROPOUT)
    norm_name: Norm = Field(("INSTANCE", NormArguments(affine=True)), description=_NORM)
    act_name: Act = Field(
        ("LEAKYRELU", ActArguments(inplace=True, negative_slope=0.01)), description=_ACT
    )  # fmt: skip
    deep_supervision: Literal[False] = Field(False, description="Coarser levels have no loss of their own here.")
    res_block: bool = Field(False, description="Whether levels are residual.")
    trans_bias: bool = Field(False, description="Whether transposed convolutions have a bias.")

    @property
    def grid_step(self) -> int:
        """The product of its steps."""
        return math.prod(self.strides)

    @model_validator(mode="after")
    def _levels(self) -> DynUNetDefinition:
        levels = len(self.strides)
        if len(self.kernel_size) != levels or (self.filters is not None and len(self.filters) != levels):
            raise ValueError("kernel_size, strides and filters must be of one length")
        if self.strides[0] != 1:
            raise ValueError("the first stride must be 1, or the answer is coarser than the picture")
        if self.upsample_kernel_size != self.strides[1:]:
            raise ValueError("upsample_kernel_size must be the strides but the first")
        return self


MonaiDefinition = (
    BasicUNetDefinition | FlexibleUNetDefinition | AttentionUnetDefinition | SegResNetDefinition | DynUNetDefinition
)
"""Networks that MONAI itself computes."""

TARGETS = ("UNet", "EfficientUNet", "BasicUNet", "FlexibleUNet", "AttentionUnet", "SegResNet", "DynUNet")


def stated(definition: AnyDefinition) -> dict[str, Any]:
    """A definition as a bundle's ``network_def``, from which MONAI's own programs build the network too."""
    plain = definition.model_dump(mode="json", by_alias=True, exclude_none=True)
    return plain | ({"_target_": OWN_PATH} if isinstance(definition, EfficientDefinition) else {})


def _target(value: Any) -> str | None:
    """Which definition is meant: MONAI's UNet where none is named."""
    if isinstance(value, dict):
        named = value.get("_target_", value.get("target", "UNet"))
    else:
        named = getattr(value, "target", None)
    return _short(named) if isinstance(named, str) else None


AnyDefinition = Annotated[
    Annotated[NetworkDefinition, Tag("UNet")]
    | Annotated[EfficientDefinition, Tag("EfficientUNet")]
    | Annotated[BasicUNetDefinition, Tag("BasicUNet")]
    | Annotated[FlexibleUNetDefinition, Tag("FlexibleUNet")]
    | Annotated[AttentionUnetDefinition, Tag("AttentionUnet")]
    | Annotated[SegResNetDefinition, Tag("SegResNet")]
    | Annotated[DynUNetDefinition, Tag("DynUNet")],
    Discriminator(
        _target,
        custom_error_type="architecture",
        custom_error_message=f"_target_ must be one of {', '.join(TARGETS)}",
    ),
]
