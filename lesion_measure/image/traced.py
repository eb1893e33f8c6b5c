"""Where each caliper of an image comes from, beside what it measures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lesion_measure.image.task import Length, Task
from lesion_measure.records import MeasuredCaliper, Point


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
