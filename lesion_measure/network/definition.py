"""What a bundle says of its networks' architecture: plain numbers with bounds, nothing that is run."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

ChannelCount = Annotated[int, Field(ge=1, le=1024)]


class NetworkDefinition(BaseModel):
    """MONAI's UNet with two inputs (image, prompt map) and one output (logit); sizes bounded."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    target: Literal["UNet"] = Field("UNet", alias="_target_", description="The architecture.")
    spatial_dims: Literal[2] = Field(2, description="Pictures, not volumes.")
    in_channels: Literal[2] = Field(2, description="The picture and the map of the calipers.")
    out_channels: Literal[1] = Field(1, description="The logit of lesion.")
    channels: tuple[int, ...] = Field(
        (16, 32, 64, 128, 256), min_length=2, max_length=8, description="Channels of each level, the finest first."
    )
    strides: tuple[int, ...] = Field(
        (2, 2, 2, 2), min_length=1, max_length=7, description="Step from each level to the next: 1 or 2."
    )
    num_res_units: int = Field(2, ge=0, le=4, description="Residual units of a level.")
    norm: Literal["BATCH", "INSTANCE"] = Field("BATCH", description="Normalisation: BATCH or INSTANCE.")
    dropout: float = Field(0.0, ge=0, lt=1, description="Share of activations dropped in training.")

    @property
    def grid_step(self) -> int:
        """What the side of its grid must be a multiple of, so that going down and up again meets the same sizes."""
        return math.prod(self.strides)

    @model_validator(mode="after")
    def _sizes(self) -> NetworkDefinition:
        if len(self.strides) != len(self.channels) - 1:
            raise ValueError("there must be one stride fewer than channels")
        if not all(1 <= count <= 1024 for count in self.channels) or not all(s in (1, 2) for s in self.strides):
            raise ValueError("channels must be 1 to 1024, strides 1 or 2")
        return self


class EfficientDefinition(BaseModel):
    """A U-Net on EfficientNet-Lite0 with two inputs (image, prompt map); its logits are those of lesion and liver."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    target: Literal["EfficientUNet"] = Field(alias="_target_", description="The architecture.")
    in_channels: Literal[2] = Field(2, description="The picture and the map of the calipers.")
    out_channels: Literal[1, 2] = Field(2, description="The logit of lesion, then that of liver.")
    channels: tuple[ChannelCount, ...] = Field(
        (128, 64, 48),
        min_length=1,
        max_length=4,
        description="Channels of the decoder's levels, from a sixteenth of the input's sides on; logits are "
        "interpolated from the last.",
    )
    dropout: float = Field(0.0, ge=0, lt=1, description="Share of the last level's channels dropped in training.")

    @property
    def grid_step(self) -> int:
        """What the side of its grid must be a multiple of: the encoder halves five times."""
        return 32


AnyDefinition = NetworkDefinition | EfficientDefinition
