"""Cases as the page knows them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from lesion_measure.records import Calibration
from lesion_measure.review.cases import Picture, ReadingCase, Visit
from lesion_measure.review.messages import (
    Case,
    CaseItem,
    CaseVisit,
    ImageItem,
    Rectangle,
    State,
    VisitItem,
    Worklist,
)
from lesion_measure.review.room import Room


def worklist(room: Room) -> Worklist:
    """All cases, as one reader sees them."""
    items = tuple(_item(case) for case in room.cases.all)
    return Worklist(cases=items, progress=dict(Counter(item.state for item in items)))


def _item(case: ReadingCase) -> CaseItem:
    visits = tuple(
        VisitItem(
            id=visit.id, label=visit.label, date=visit.date, day=visit.day, images=len(visit.pictures),
            state=State.TO_MEASURE,
        )
        for visit in case.visits
    )  # fmt: skip
    return CaseItem(id=case.id, label=case.label, state=State.TO_MEASURE, visits=visits, lesions=())


def whole_case(case: ReadingCase) -> Case:
    """One case with everything that its reader may see."""
    return Case(
        id=case.id,
        label=case.label,
        state=State.TO_MEASURE,
        visits=tuple(_visit(visit) for visit in case.visits),
        lesions=(),
        readings=(),
        earlier=(),
        refusals=(),
        signatures=(),
        comments=(),
        locked=False,
    )


def _visit(visit: Visit) -> CaseVisit:
    images = tuple(_image(picture) for picture in visit.pictures)
    return CaseVisit(id=visit.id, label=visit.label, date=visit.date, day=visit.day, images=images)


def _image(picture: Picture) -> ImageItem:
    instance, calibration = picture.instance, picture.calibration
    refusal = calibration.refusal
    return ImageItem(
        id=picture.id,
        label=picture.label,
        plane=picture.plane,
        rows=instance.rows,
        columns=instance.columns,
        frames=instance.frames,
        frame_time_ms=instance.frame_time_ms,
        spacing_mm=calibration.spacing_mm,
        regions=tuple(_rectangles(calibration)),
        refusal=None if refusal is None else f"{refusal.reason} {refusal.remedy}".rstrip(),
        warnings=picture.warnings,
    )


def _rectangles(calibration: Calibration) -> Iterator[Rectangle]:
    for region in calibration.regions:
        yield Rectangle(
            row_min=region.row_min,
            row_max=region.row_max,
            col_min=region.col_min,
            col_max=region.col_max,
            spacing_mm=region.spacing_mm,
        )
