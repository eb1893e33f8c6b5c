"""Numbers rounded so that they stay on their side of a limit."""

from __future__ import annotations

import math
from collections.abc import Iterable

TINY = 1e-9
"""Percent, or millimetres, by which a number may miss a limit through rounding of floating-point numbers alone."""

MOST_DIGITS = 6

SMALLEST_DIGITS = 9
"""Decimals beyond which a number on a page is what is left of arithmetic."""


def telling_digits(value: float, limits: Iterable[float | None], digits: int = 1) -> int:
    """Decimals of a value in percent, mm or months: more than ``digits`` where rounding would hide its side of a limit.

    >>> telling_digits(-29.97, (-30,)), telling_digits(-30, (-30,)), telling_digits(-29.9, (-30,))
    (2, 1, 1)
    """
    for limit in limits:
        if limit is None or abs(value - limit) <= TINY:
            continue
        while digits < MOST_DIGITS and (rounded := round(value, digits)) != value:
            if rounded != limit and (rounded < limit) == (value < limit):
                break
            digits += 1
    return digits


def visible_digits(value: float, digits: int) -> int:
    """Decimals for a number: more than ``digits`` where it would stand as 0 and is not; below 1e-9 it is taken for 0.

    >>> visible_digits(0.0004, 2), visible_digits(0.4, 2), visible_digits(0.0, 2), visible_digits(1e-15, 2)
    (4, 2, 2, 2)
    """
    while digits < SMALLEST_DIGITS and float(f"{value:.{digits}f}") == 0 and abs(value) >= 10**-SMALLEST_DIGITS:
        digits += 1
    return digits


def significant(value: float, digits: int = MOST_DIGITS) -> float:
    """A number for a file: to ``digits`` decimals, and to no fewer significant digits where it is small.

    >>> significant(12.34567891), significant(3.4217e-7), significant(0.0)
    (12.345679, 3.4217e-07, 0.0)
    """
    if value == 0 or abs(value) >= 1:
        return round(value, digits)
    return round(value, digits - 1 - math.floor(math.log10(abs(value))))


def percent_text(value: float, limits: Iterable[float | None] = ()) -> str:
    """A signed percent with one decimal, and with as many as `telling_digits` says; nothing stands as +0 or -0.

    >>> percent_text(-29.97, (-30,)), percent_text(-39.06), percent_text(-0.04)
    ('-29.97', '-39.1', '-0.04')
    """
    text = f"{value:+.{visible_digits(value, telling_digits(value, limits))}f}"
    return text if float(text) else text.lstrip("+-")


def limit_text(value: float) -> str:
    """A rule's signed limit, as short as it is exact.

    >>> limit_text(-30.0), limit_text(-100 / 3), limit_text(20), limit_text(0)
    ('-30', '-33.3333333333333', '+20', '0')
    """
    return f"{value:+.15g}" if value else "0"


def apart(value: float, limit: float, digits: int = 2) -> tuple[str, str]:
    """Both numbers with as many decimals, from ``digits`` on, as it takes to see that they differ.

    >>> apart(0.8793, 0.8812), apart(0.4, 0.88)
    (('0.879', '0.881'), ('0.40', '0.88'))
    """
    while digits < MOST_DIGITS and value != limit and f"{value:.{digits}f}" == f"{limit:.{digits}f}":
        digits += 1
    return f"{value:.{digits}f}", f"{limit:.{digits}f}"
