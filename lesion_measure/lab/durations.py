"""A time left, in words."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """A time left in words, no finer than it can be known: ``about 3 h 10 min``."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return "less than a minute"
    if minutes < 60:
        return f"about {minutes} min"
    hours, rest = divmod(round(minutes / 10) * 10, 60)
    if hours < 24:
        return f"about {hours} h {rest} min" if rest else f"about {hours} h"
    days, hours = divmod(round(minutes / 60), 24)
    return f"about {days} d {hours} h" if hours else f"about {days} d"
