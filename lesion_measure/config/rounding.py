"""Percent and months rounded so that they stay on their side of a limit."""

from __future__ import annotations

from collections.abc import Iterable

TINY_PERCENT = 1e-9
"""Percent by which a change may miss a limit through rounding of floating-point numbers alone."""

MOST_DIGITS = 6


def telling_digits(value: float, limits: Iterable[float | None], digits: int = 1) -> int:
    """Decimals for a value in percent or months: more than ``digits`` where rounding would hide its side of a limit.

    >>> telling_digits(-29.97, (-30,)), telling_digits(-30, (-30,)), telling_digits(-29.9, (-30,))
    (2, 1, 1)
    """
    for limit in limits:
        if limit is None or abs(value - limit) <= TINY_PERCENT:
            continue
        while digits < MOST_DIGITS and (rounded := round(value, digits)) != value:
            if rounded != limit and (rounded < limit) == (value < limit):
                break
            digits += 1
    return digits
