"""What all sections of the configuration are, and the bounds of numbers that they share."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
PositiveInt = Annotated[int, Field(gt=0)]
Words = tuple[Annotated[str, Field(min_length=1, max_length=64)], ...]


class Section(BaseModel):
    """Part of the configuration: it never changes, and holds no unknown key and no infinite number."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
