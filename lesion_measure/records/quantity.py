"""A number and how far it can be trusted."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

NORMAL_975 = 1.959963984540054
"""The 97.5 % point of the normal distribution: half the width of a 95 % interval, in standard deviations."""

# An interval wider than this factor says nothing; far wider ones would be no finite numbers.
_MOST_LOG = 50.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """A number and how far it can be trusted: one standard deviation, and its parts by name, in the number's unit."""

    value: float
    sd: float
    parts: dict[str, float] = field(default_factory=dict)

    @property
    def ci95(self) -> tuple[float, float]:
        """95 % interval on the log scale: sizes are positive, and readings of them differ by factors.

        It is the value times and divided by exp(1.96 SD / value), the scale of `uncertainty.ratio_ci95`.
        """
        if self.value <= 0:
            return self.value, self.value
        factor = math.exp(min(NORMAL_975 * self.sd / self.value, _MOST_LOG))
        return self.value / factor, self.value * factor
