"""How far the sizes of a body of parallel slices can be trusted."""

from __future__ import annotations

import math
from collections.abc import Iterable

from lesion_measure.config import Uncertainty
from lesion_measure.measure.uncertainty import bias_part, of_parts
from lesion_measure.records import Quantity

NETWORK = ("automatic", "prompted")
"""Names of the parts that stand in the place of a repeatability where a network drew."""


def body_quantities(
    axes_mm: Iterable[tuple[float, float]],
    volume: tuple[float, float],
    *,
    drawn: Quantity,
    edge_mm: float,
    surface_mm2: float,
    settings: Uncertainty,
) -> tuple[list[Quantity], Quantity]:
    """Axes (mm) and volume (mL) of a body with their errors.

    What drew the outline of one slice drew those of all: where that is a network, its error is one for the whole body
    and no slice averages it out. Its diameters then err as those of a volume of one plane (L S S), since both lesser
    ones are too long or too short together. The same holds of an edge that lies too far out.

    Parameters
    ----------
    axes_mm, volume
        Each with its standard deviation by where the slices cut.
    drawn
        The long axis of one of its outlines: its parts say who drew, and how well.
    edge_mm, surface_mm2
        Standard deviation of the edge's place all round, and what it moves.
    settings
        Repeatability and bias of a reader.
    """
    reader = settings.repeatability
    network = {name: drawn.parts[name] / drawn.value for name in NETWORK if name in drawn.parts}

    def quantity(value: float, diameters: float, read_cv: float, times: float, **parts: float) -> Quantity:
        read = {name: times * cv * value for name, cv in network.items()} or {"repeatability": read_cv * value}
        return of_parts(value, **parts, **bias_part(diameters * value, reader.reader_bias_cv), **read)

    value_ml, slices_ml = volume
    return (
        [
            quantity(length, 1, reader.diameter_cv, 1.0, outline=2 * edge_mm, slices=slices_mm)
            for length, slices_mm in axes_mm
        ],
        quantity(value_ml, 3, reader.volume_cv, math.sqrt(5), outline=surface_mm2 * edge_mm / 1000, slices=slices_ml),
    )
