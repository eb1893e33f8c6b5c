"""How often two lesions' names are said to be perhaps swapped: where they are right, and where they are swapped.

``python benchmarks/swapped_names.py [--children N] [--seed N]`` simulates children with 2 to 4 lesions (`multifocal`)
as a reader measures and names them, on stills (a picture for each lesion) and on sweeps (one picture shows all), and
prints a table in Markdown. A lesion that the later visit does not show is stated to be gone. Of each child with two or
more lesions the names of two, one of which is seen later, are swapped at the later visit. Where the other one is gone
then, that is counted apart, too.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from multifocal import Disturbance, SeenLesion, multifocal_child

from lesion_measure.config import Config
from lesion_measure.records import BASELINE, ONE_MONTH, LesionMeasurement, Plane, PlaneMeasurement, Quantity, Source
from lesion_measure.verdict.swapped import perhaps_swapped

CHILDREN, SEED = 2000, 1
OWN_CHANGES = (0.05, 0.12, 0.25, 0.4)
SPACING_MM = 0.2
CENTRE_MM = 100.0
CLEAR = 2.0
"""Lesions whose diameters differ by this ratio at least are clearly of other size."""


@dataclass(slots=True)
class Counted:
    """Children and hints: ``right`` names, ``swapped`` ones, and those of which lesions of clearly other size are.

    ``gone``: those of two lesions one of which is gone later.
    """

    children: int = 0
    right: int = 0
    right_gone: int = 0
    swaps: int = 0
    swapped: int = 0
    clear_swaps: int = 0
    clear_swapped: int = 0
    gone_swaps: int = 0
    gone_swapped: int = 0


def as_read(seen: SeenLesion, visit: str, *, together: bool, rng: np.random.Generator) -> LesionMeasurement:
    """One lesion as a reader measures it on one plane; on a still the place across the picture tells nothing."""
    lateral = CENTRE_MM + (seen.lateral_mm if together else float(rng.normal(0, 15)))
    row, col, half = seen.depth_mm / SPACING_MM, lateral / SPACING_MM, seen.long_axis_mm / SPACING_MM / 2
    long, short = (Quantity(value=mm, sd=0.089 * mm) for mm in (seen.long_axis_mm, seen.short_axis_mm))
    plane = PlaneMeasurement(
        path="", sop_instance_uid=visit if together else f"{visit}.{seen.truth}", study_instance_uid="", frame=1,
        lesion=f"L{seen.truth}", plane=Plane.TRANSVERSE, source=Source.CALIPER, reader="R1",
        spacing_mm=(SPACING_MM, SPACING_MM), calibration_source="", long_axis_mm=long, short_axis_mm=short,
        long_axis_px=((row, col - half), (row, col + half)),
    )  # fmt: skip
    return LesionMeasurement(
        subject="S", visit=visit, lesion=plane.lesion, present=True, source=plane.source, reader=plane.reader,
        planes=(plane,), longest_diameter_mm=long, short_axis_mm=short, third_diameter_mm=None, volume_ml=None,
        volume_method=None,
    )  # fmt: skip


def as_absent(measured: LesionMeasurement) -> LesionMeasurement:
    """A reader's word that this lesion is gone at the later visit."""
    nothing = Quantity(value=0.0, sd=0.0)
    return replace(
        measured, visit=ONE_MONTH, present=False, source=Source.READER_STATEMENT, planes=(), longest_diameter_mm=nothing
    )


def count(children: int, seed: int, own_change: float, *, together: bool) -> Counted:
    """Simulate and count."""
    rng = np.random.default_rng([seed, round(1000 * own_change), together])
    how = Disturbance(lesions=(2, 4), own_change=own_change, false_finding=0.0)
    likeness = Config().pairing.visits
    counted = Counted()
    for _ in range(children):
        child = multifocal_child(rng, how)
        first, then = (
            [as_read(s, visit, together=together, rng=rng) for s in seen]
            for visit, seen in ((BASELINE, child.baseline), (ONE_MONTH, child.followup))
        )
        there = {m.lesion for m in then}
        if len(first) < 2 or not any(m.lesion in there for m in first):
            continue
        then += [as_absent(m) for m in first if m.lesion not in there]
        counted.children += 1
        hints = list(perhaps_swapped([*first, *then], [ONE_MONTH], likeness))
        counted.right += bool(hints)
        counted.right_gone += any(not m.present for hint in hints for m in hint.after)
        known = next(m.lesion for m in first if m.lesion in there)
        other = rng.choice([m.lesion for m in first if m.lesion != known])
        _count_swap(counted, first, then, (known, str(other)))
    return counted


def _count_swap(
    counted: Counted, first: Sequence[LesionMeasurement], then: Sequence[LesionMeasurement], names: tuple[str, str]
) -> None:
    found = any(perhaps_swapped([*first, *(_renamed(m, names) for m in then)], [ONE_MONTH], Config().pairing.visits))
    one, other = (next(m for m in first if m.lesion == name).longest_diameter_mm.value for name in names)
    clear = abs(math.log(one / other)) > math.log(CLEAR)
    counted.swaps += 1
    counted.swapped += found
    counted.clear_swaps += clear
    counted.clear_swapped += found and clear
    gone = any(not m.present for m in then if m.lesion in names)
    counted.gone_swaps += gone
    counted.gone_swapped += found and gone


def _renamed(measured: LesionMeasurement, names: tuple[str, str]) -> LesionMeasurement:
    """The lesion with the other name, where it is one of the two."""
    if measured.lesion not in names:
        return measured
    return replace(measured, lesion=names[1 - names.index(measured.lesion)])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--children", type=int, default=CHILDREN)
    parser.add_argument("--seed", type=int, default=SEED)
    asked = parser.parse_args()
    print(
        "| pictures | own change | children | right names | one gone | swapped | sizes a factor of 2 apart | one gone |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for together in (False, True):
        for own in OWN_CHANGES:
            c = count(asked.children, asked.seed, own, together=together)
            print(
                f"| {'sweeps' if together else 'stills'} | {100 * own:.0f} % | {c.children} | "
                f"{100 * c.right / c.children:.1f} % | {100 * c.right_gone / c.children:.1f} % | "
                f"{100 * c.swapped / c.swaps:.0f} % of {c.swaps} | "
                f"{100 * c.clear_swapped / c.clear_swaps:.0f} % of {c.clear_swaps} | "
                f"{100 * c.gone_swapped / c.gone_swaps:.0f} % of {c.gone_swaps} |"
            )


if __name__ == "__main__":
    main()
