"""Where each caliper of an image comes from, beside what it measures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lesion_measure.records import Caliper, MeasuredCaliper, Plane, Point

if TYPE_CHECKING:
    from lesion_measure.image.read import Task


@dataclass(frozen=True, slots=True)
class Length:
    """What one caliper measures by the image's scale, and the plane that it was measured in.

    ``outline`` is the closed contour (row, column) that was measured; empty for lines.
    """

    caliper: Caliper
    plane: Plane
    length_mm: float
    outline: tuple[Point, ...] = ()


def trace(task: Task, lengths: Iterable[Length]) -> Iterator[MeasuredCaliper]:
    """Every line and outline that readers drew on an image, measured or not."""
    known = {each.caliper: each for each in lengths}
    for caliper in task.calipers:
        if not caliper.axis.is_drawn:
            continue
        found = known.get(caliper)
        yield MeasuredCaliper(
            visit=task.visit,
            lesion=caliper.lesion,
            plane=found.plane if found else caliper.plane,
            axis=caliper.axis,
            path=task.instance.path,
            image_uid=task.instance.sop_instance_uid,
            frame=caliper.frame,
            reader=caliper.reader,
            ends_px=_ends(caliper.start, caliper.end),
            length_mm=found.length_mm if found else None,
            contour=found.outline if found else caliper.contour,
            table=caliper.table,
            row=caliper.row_number,
            origin=caliper.origin,
        )


def _ends(start: Point | None, end: Point | None) -> tuple[Point, Point] | None:
    return None if start is None or end is None else (start, end)
