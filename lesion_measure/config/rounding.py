"""Numbers rounded so that they stay on their side of a limit."""

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


def percent_text(value: float, limits: Iterable[float | None] = ()) -> str:
    """A signed percent with one decimal, and with as many as `telling_digits` says; nothing stands as +0 or -0.

    >>> percent_text(-29.97, (-30,)), percent_text(-39.06), percent_text(-0.04)
    ('-29.97', '-39.1', '0.0')
    """
    text = f"{value:+.{telling_digits(value, limits)}f}"
    return text if float(text) else text.lstrip("+-")


def apart(value: float, limit: float, digits: int = 2) -> tuple[str, str]:
    """Both numbers with as many decimals, from ``digits`` on, as it takes to see that they differ.

    >>> apart(0.8793, 0.8812), apart(0.4, 0.88)
    (('0.879', '0.881'), ('0.40', '0.88'))
    """
    while digits < MOST_DIGITS and value != limit and f"{value:.{digits}f}" == f"{limit:.{digits}f}":
        digits += 1
    return f"{value:.{digits}f}", f"{limit:.{digits}f}"
