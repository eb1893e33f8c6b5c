"""'Please check: is this the same lesion?': both pictures of every automatic pairing that asks for review.

Each picture shows its whole ultrasound region, with the outline and name of every lesion that was measured on that
frame: whether it is the same one is told by its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lesion_measure.config import Config
from lesion_measure.records import (
    BASELINE,
    Fate,
    Instance,
    LesionMeasurement,
    LesionStatus,
    PlaneMeasurement,
)
from lesion_measure.report.cells import PictureCell, Pictures, picture_cell
from lesion_measure.report.pictures import NameTag, outline_path
from lesion_measure.report.views import SubjectView
from lesion_measure.report.windows import ASPECT, drawn_points, visible_bounds
from lesion_measure.report.words import fixed


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One question to a person, and the two pictures that answer it."""

    question: str
    confidence: str
    cells: tuple[PictureCell, ...]


def checks(view: SubjectView, images: Mapping[str, Instance], pictures: Pictures, config: Config) -> Iterator[Check]:
    """The questions about one subject; their pictures are made one question at a time."""
    asked: set[tuple[str, ...]] = set()
    for status in view.record.statuses:
        names = tuple(sorted((status.lesion, *status.others)))
        sure = status.naming.confidence is None or status.naming.confidence >= config.pairing.min_confidence
        if status.fate is Fate.DISAPPEARED and sure:  # no second picture answers whether it is gone
            continue
        if status.needs_check and names not in asked:  # the parts of one group are one question
            asked.add(names)
            yield _check(view, status, images, pictures, config)


def _check(
    view: SubjectView, status: LesionStatus, images: Mapping[str, Instance], pictures: Pictures, config: Config
) -> Check:
    names = (status.lesion, *status.others)
    shown = _planes(view.record.lesions, names, (BASELINE, status.visit))
    confidence = status.naming.confidence
    known = [plane for plane in shown.values() if plane is not None]
    view_mm = _whole_view_mm(known, images)
    cells = []
    for visit, plane in shown.items():
        if plane is None:
            cells.append(PictureCell(visit=visit, words="No lesion was measured at this visit"))
            continue
        cell = picture_cell(
            visit, plane, images.get(plane.sop_instance_uid), pictures, view_mm, config.report.image_width_px
        )
        cells.append(_with_names(cell, view.record.lesions, visit, plane, names))
    return Check(
        question=_question(status, view.label(status.visit).lower()),
        confidence="" if confidence is None else f"confidence {fixed(confidence, 2)}",
        cells=tuple(cells),
    )


def _question(status: LesionStatus, then: str) -> str:
    if status.fate in (Fate.MERGED, Fate.SPLIT):
        return f"Is it so that {status.explanation}?"
    if status.fate is Fate.NEW:
        return f"Is {status.lesion} a new lesion, and none of those of baseline?"
    return f"Is {status.lesion} at {then} the lesion that is called {status.lesion} at baseline?"


def _planes(
    lesions: Sequence[LesionMeasurement], names: Sequence[str], sides: tuple[str, str]
) -> dict[str, PlaneMeasurement | None]:
    """The picture of each visit: of a plane that both have where there is one, with the largest cut of these lesions.

    A visit that shows none of them gives the picture with most lesions, of the same plane where there is one.
    """
    own = {v: [p for m in lesions if m.visit == v and m.lesion in names for p in m.planes] for v in sides}
    every = {v: [p for m in lesions if m.visit == v for p in m.planes] for v in sides}
    kinds = set.intersection(*({p.plane for p in own[v] or every[v]} for v in sides))
    found: dict[str, PlaneMeasurement | None] = {}
    for visit in sides:
        planes = own[visit] or every[visit]
        planes = [p for p in planes if p.plane in kinds] or planes
        found[visit] = max(planes, key=lambda p: (_company(p, every[visit]), p.long_axis_mm.value), default=None)
    return found


def _company(plane: PlaneMeasurement, every: Sequence[PlaneMeasurement]) -> int:
    """How many lesions are measured on a plane's frame: the more neighbours, the better can be compared."""
    return sum(_same_frame(plane, other) for other in every)


def _same_frame(one: PlaneMeasurement, other: PlaneMeasurement) -> bool:
    return (one.sop_instance_uid, one.frame) == (other.sop_instance_uid, other.frame)


def _whole_view_mm(planes: Sequence[PlaneMeasurement], images: Mapping[str, Instance]) -> tuple[float, float]:
    """Height and width in mm that show the whole region of every picture."""
    height = 0.0
    for plane in planes:
        image = images.get(plane.sop_instance_uid)
        last = drawn_points(plane).max(axis=0)
        shape = (image.rows, image.columns) if image else (int(last[0]) + 1, int(last[1]) + 1)
        rows, columns = visible_bounds(plane, image, shape).shape
        height = max(height, rows * plane.spacing_mm[0], columns * plane.spacing_mm[1] / ASPECT)
    return height, height * ASPECT


def _with_names(
    cell: PictureCell,
    lesions: Sequence[LesionMeasurement],
    visit: str,
    shown: PlaneMeasurement,
    names: Sequence[str],
) -> PictureCell:
    if cell.picture is None:
        return cell
    a, _, _, d, e, f = cell.picture.matrix
    tags = []
    for plane in (p for m in lesions if m.visit == visit for p in m.planes if _same_frame(p, shown)):
        points = drawn_points(plane)
        row, column = float(points[:, 0].min()), float(np.mean([points[:, 1].min(), points[:, 1].max()]))
        tags.append(
            NameTag(
                text=plane.lesion,
                column=a * column + e,
                row=d * row + f,
                outline="" if plane.outline_px is None or plane is shown else outline_path(plane.outline_px),
                asked=plane.lesion in names,
            )
        )
    return replace(cell, picture=replace(cell.picture, names=tuple(tags)))
