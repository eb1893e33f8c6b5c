"""Losses and optimisers that settings may name, with what each may be told. No other class is ever looked up."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

_Share = Annotated[float, Field(ge=0, le=1)]
_Weight = Annotated[float, Field(ge=0, le=100)]


class _Choice(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, allow_inf_nan=False)

    def arguments(self) -> dict[str, Any]:
        """What the class of that name takes, as plain values."""
        return self.model_dump(by_alias=True, exclude={"target"}, exclude_none=True)


class RegionLoss(_Choice):
    """Dice, and cross-entropy divided by the lesion's area: small lesions weigh as large ones."""

    target: Literal["RegionLoss"] = Field("RegionLoss", alias="_target_", description="The loss.")


class _Dice(_Choice):
    squared_pred: bool = Field(False, description="Whether the denominator takes squares.")
    jaccard: bool = Field(False, description="Whether it is the Jaccard index, in place of Dice.")
    batch: bool = Field(False, description="Whether it is taken over the whole batch, in place of each picture.")
    smooth_nr: float = Field(1e-5, ge=0, le=1000, description="Added above, so that no division is by 0.")
    smooth_dr: float = Field(1e-5, gt=0, le=1000, description="Added below, so that no division is by 0.")


class DiceLoss(_Dice):
    """MONAI's DiceLoss."""

    target: Literal["DiceLoss"] = Field("DiceLoss", alias="_target_", description="The loss.")


class DiceCELoss(_Dice):
    """MONAI's DiceCELoss: Dice and cross-entropy."""

    target: Literal["DiceCELoss"] = Field("DiceCELoss", alias="_target_", description="The loss.")
    lambda_dice: _Weight = Field(1.0, description="Weight of Dice.")
    lambda_ce: _Weight = Field(1.0, description="Weight of the cross-entropy.")


class DiceFocalLoss(_Dice):
    """MONAI's DiceFocalLoss: Dice and focal loss."""

    target: Literal["DiceFocalLoss"] = Field("DiceFocalLoss", alias="_target_", description="The loss.")
    gamma: _Weight = Field(2.0, description="Exponent of the focal loss: how little sure pixels count.")
    lambda_dice: _Weight = Field(1.0, description="Weight of Dice.")
    lambda_focal: _Weight = Field(1.0, description="Weight of the focal loss.")
    alpha: _Share | None = Field(None, description="Weight of lesion pixels in the focal loss; none: as background.")


class FocalLoss(_Choice):
    """MONAI's FocalLoss."""

    target: Literal["FocalLoss"] = Field("FocalLoss", alias="_target_", description="The loss.")
    gamma: _Weight = Field(2.0, description="How little sure pixels count.")
    alpha: _Share | None = Field(None, description="Weight of lesion pixels; none: as background.")


class TverskyLoss(_Choice):
    """MONAI's TverskyLoss."""

    target: Literal["TverskyLoss"] = Field("TverskyLoss", alias="_target_", description="The loss.")
    alpha: _Weight = Field(0.5, description="Weight of what is drawn and is none.")
    beta: _Weight = Field(0.5, description="Weight of what is missed.")
    batch: bool = Field(False, description="Whether it is taken over the whole batch, in place of each picture.")
    smooth_nr: float = Field(1e-5, ge=0, le=1000, description="Added above, so that no division is by 0.")
    smooth_dr: float = Field(1e-5, gt=0, le=1000, description="Added below, so that no division is by 0.")


class _Adaptive(_Choice):
    betas: tuple[_Share, _Share] = Field((0.9, 0.999), description="Decay of the mean gradient, and of its square.")
    eps: float = Field(1e-8, gt=0, le=1, description="Added to the denominator.")


class AdamW(_Adaptive):
    """PyTorch's AdamW."""

    target: Literal["AdamW"] = Field("AdamW", alias="_target_", description="The optimiser.")


class Adam(_Adaptive):
    """PyTorch's Adam."""

    target: Literal["Adam"] = Field("Adam", alias="_target_", description="The optimiser.")


class NAdam(_Adaptive):
    """PyTorch's NAdam."""

    target: Literal["NAdam"] = Field("NAdam", alias="_target_", description="The optimiser.")


class SGD(_Choice):
    """PyTorch's SGD."""

    target: Literal["SGD"] = Field("SGD", alias="_target_", description="The optimiser.")
    momentum: float = Field(0.9, ge=0, lt=1, description="Share of the step before.")
    nesterov: bool = Field(False, description="Whether the momentum is Nesterov's.")


class RMSprop(_Choice):
    """PyTorch's RMSprop."""

    target: Literal["RMSprop"] = Field("RMSprop", alias="_target_", description="The optimiser.")
    alpha: _Share = Field(0.99, description="Decay of the mean square gradient.")
    momentum: float = Field(0.0, ge=0, lt=1, description="Share of the step before.")
    eps: float = Field(1e-8, gt=0, le=1, description="Added to the denominator.")


def _named(first: str) -> Any:
    def target(value: Any) -> str | None:
        if isinstance(value, dict):
            named = value.get("_target_", value.get("target", first))
        else:
            named = getattr(value, "target", None)
        return named if isinstance(named, str) else None

    return target


Loss = Annotated[
    Annotated[RegionLoss, Tag("RegionLoss")]
    | Annotated[DiceLoss, Tag("DiceLoss")]
    | Annotated[DiceCELoss, Tag("DiceCELoss")]
    | Annotated[DiceFocalLoss, Tag("DiceFocalLoss")]
    | Annotated[FocalLoss, Tag("FocalLoss")]
    | Annotated[TverskyLoss, Tag("TverskyLoss")],
    Discriminator(
        _named("RegionLoss"),
        custom_error_type="loss",
        custom_error_message="_target_ must be one of RegionLoss, DiceLoss, DiceCELoss, DiceFocalLoss, FocalLoss, "
        "TverskyLoss",
    ),
]
Optimizer = Annotated[
    Annotated[AdamW, Tag("AdamW")]
    | Annotated[Adam, Tag("Adam")]
    | Annotated[NAdam, Tag("NAdam")]
    | Annotated[SGD, Tag("SGD")]
    | Annotated[RMSprop, Tag("RMSprop")],
    Discriminator(
        _named("AdamW"),
        custom_error_type="optimizer",
        custom_error_message="_target_ must be one of AdamW, Adam, NAdam, SGD, RMSprop",
    ),
]
