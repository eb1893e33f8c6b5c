"""A number and how far it can be trusted."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field, WrapValidator, computed_field, field_serializer

from lesion_measure.records.record import Number, Record

NORMAL_975 = 1.959963984540054
"""The 97.5 % point of the normal distribution: half the width of a 95 % interval, in standard deviations."""

# An interval wider than this factor says nothing; far wider ones would be no finite numbers.
_MOST_LOG = 50.0


def _null_is_none(value: object, check: Callable[[object], float]) -> float:
    return 0.0 if value is None else check(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity(Record):
    """A number and how far it can be trusted, in the unit of the property that holds it."""

    value: Number
    """The number; null where it is not defined."""
    sd: Annotated[float, Field(ge=0), WrapValidator(_null_is_none)]
    """One standard deviation; null for a statement such as an absent lesion's 0."""
    parts: dict[str, Number] = field(default_factory=dict)
    """Standard deviation of each contribution, by name."""

    @property
    def has_interval(self) -> bool:
        """False for a statement such as 'absent': an exact zero has no measurement error."""
        return self.sd > 0 and math.isfinite(self.sd) and math.isfinite(self.value)

    @computed_field(  # type: ignore[prop-decorator]
        description="95 % interval [low, high] on the log scale: value / and x exp(1.96 sd / value); null where sd is."
    )
    @property
    def ci95(self) -> tuple[float, float]:
        """95 % interval on the log scale: sizes are positive, and readings of them differ by factors.

        It is the value times and divided by exp(1.96 SD / value), the scale of `propagation.ratio_ci95`.
        """
        if self.value <= 0:
            return self.value, self.value
        factor = math.exp(min(NORMAL_975 * self.sd / self.value, _MOST_LOG))
        return self.value / factor, self.value * factor

    @field_serializer("sd")
    def _written_sd(self, sd: float) -> Annotated[float, Field(ge=0)] | None:
        return sd if self.has_interval else None

    @field_serializer("ci95")
    def _written_ci95(self, ci95: tuple[float, float]) -> tuple[Number, Number] | None:
        return ci95 if self.has_interval else None
