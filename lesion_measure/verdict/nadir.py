"""The smallest size so far, of those that were measured like the one that is held against it."""

from __future__ import annotations

from collections.abc import Iterable

from lesion_measure.records import Quantity


def nadir_of(baseline: Quantity, before: Iterable[tuple[Quantity, Quantity]]) -> Quantity:
    """The smallest size before a visit, baseline included.

    Sizes count that were measured alike: their baseline is the same one, from the same planes by the same method. That
    a lesion is gone is true whatever the planes and the method.

    Parameters
    ----------
    baseline
        The size at baseline that the visit's own is compared with.
    before
        Baseline and later size of each earlier visit.
    """
    alike = (later for first, later in before if first.value == baseline.value or later.value == 0)
    return min((baseline, *alike), key=lambda size: size.value)
