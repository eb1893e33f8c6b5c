"""One case with everything that its reader may see, for the page."""

from __future__ import annotations

from collections.abc import Iterator

from lesion_measure.records import Calibration
from lesion_measure.review.cases import Picture, ReadingCase, Visit
from lesion_measure.review.messages import Case, CaseVisit, ImageItem, Rectangle
from lesion_measure.review.view import View
from lesion_measure.review.worklist import standing


def whole_case(case: ReadingCase, view: View) -> Case:
    """One case with everything that its reader may see."""
    kept, signed = view.kept(case.subject), view.signed(case.subject)
    found = standing(case, view, [each.mark for each in kept], signed)
    return Case(
        id=case.id,
        label=case.label,
        state=found.state(),
        visits=tuple(_visit(visit) for visit in case.visits),
        lesions=tuple(found.lesions),
        readings=tuple(view.reading(each) for each in kept),
        earlier=view.room.suggested.of(case),
        refusals=view.room.suggested.refusals(case),
        signatures=view.signatures(case.subject),
        comments=view.comments(case.subject),
        locked=any(each.reader == view.person.name for each in signed),
    )


def _visit(visit: Visit) -> CaseVisit:
    images = tuple(_image(picture) for picture in visit.pictures)
    return CaseVisit(id=visit.id, label=visit.label, date=visit.date, day=visit.day, images=images)


def _image(picture: Picture) -> ImageItem:
    instance, calibration = picture.instance, picture.calibration
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
        refusal=picture.refusal,
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
