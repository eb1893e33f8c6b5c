"""Names of simulated visits, as the tables and the time point of a file have them."""

from __future__ import annotations

SCREENING, BASELINE, ONE_MONTH = "screening", "baseline", "one_month"
_NAMES = {0: BASELINE, 30: ONE_MONTH}
_NUMBERS = {SCREENING: 0, BASELINE: 1, ONE_MONTH: 2}


def visit_name(day: int) -> str:
    """The visit due on this day after baseline: ``baseline``, ``one_month`` (day 30), else ``day_90`` and the like."""
    return _NAMES.get(day, f"day_{day}" if day > 0 else f"day_minus_{-day}")


def visit_seed(visit: str) -> tuple[int, ...]:
    """What a visit adds to the seed of everything random in its pictures."""
    known = _NUMBERS.get(visit)
    return (3, *visit.encode()) if known is None else (known,)
