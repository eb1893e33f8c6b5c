"""How far the sizes of a body of parallel slices can be trusted."""

from __future__ import annotations

from collections.abc import Iterable

from lesion_measure.config import Uncertainty
from lesion_measure.measure.propagation import propagated
from lesion_measure.measure.uncertainty import AUTOMATIC, AUTOMATIC_AXIS, bias_part, of_parts
from lesion_measure.records import Quantity

NETWORK = (AUTOMATIC, AUTOMATIC_AXIS, "prompted")
"""Names of the parts that stand in the place of a repeatability where the network drew."""


def body_quantities(
    axes_mm: Iterable[tuple[float, float]],
    volume: tuple[float, float],
    *,
    drawn: tuple[Quantity, Quantity],
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
        Long and short axis of one of its outlines: their parts say who drew, and how well.
    edge_mm, surface_mm2
        Standard deviation of the edge's place all round, and what it moves.
    settings
        Repeatability and bias of a reader.
    """
    reader = settings.repeatability
    long, short = drawn

    def network(powers: list[tuple[Quantity, float]]) -> dict[str, float]:
        return {name: share for name, share in propagated(1.0, [powers]).items() if name in NETWORK}

    def quantity(value: float, diameters: float, read_cv: float, drew: dict[str, float], **parts: float) -> Quantity:
        read = {name: share * value for name, share in drew.items()} or {"repeatability": read_cv * value}
        return of_parts(value, **parts, **bias_part(diameters * value, reader.reader_bias_cv), **read)

    value_ml, slices_ml = volume
    of_axis, of_volume = network([(long, 1)]), network([(long, 1), (short, 2)])
    return (
        [
            quantity(length, 1, reader.diameter_cv, of_axis, outline=2 * edge_mm, slices=slices_mm)
            for length, slices_mm in axes_mm
        ],
        quantity(value_ml, 3, reader.volume_cv, of_volume, outline=surface_mm2 * edge_mm / 1000, slices=slices_ml),
    )
