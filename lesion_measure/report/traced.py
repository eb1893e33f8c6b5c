"""calipers.csv: every line that readers drew, where it comes from and what it measures.

Its first columns are those of a caliper file, so that it can be corrected and given with ``--calipers``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from lesion_measure.records import MeasuredCaliper, SubjectResult
from lesion_measure.tables.calipers import POINTS, TRACED
from lesion_measure.tables.contours import contour_text, thinned
from lesion_measure.tables.rows import typed

Value = str | int | float | None
CALIPER_COLUMNS: tuple[str, ...] = ("image", "frame", "lesion", "plane", "axis", *POINTS, "reader", "contour", *TRACED)


def caliper_rows(subjects: Iterable[SubjectResult]) -> Iterator[Mapping[str, Value]]:
    """One row per line or outline."""
    for subject in subjects:
        for each in subject.calipers:
            yield {"subject": subject.subject, **_cells(each), **_origin_cells(each)}


def _cells(each: MeasuredCaliper) -> dict[str, Value]:
    (start, end) = each.ends_px or ((None, None), (None, None))
    return {
        "image": each.image_uid,
        "frame": each.frame,
        "lesion": typed(each.lesion) if each.lesion else None,
        "plane": each.plane.value,
        "axis": each.axis.value,
        "start_row": start[0],
        "start_col": start[1],
        "end_row": end[0],
        "end_col": end[1],
        "reader": typed(each.reader),
        "contour": contour_text(thinned(each.contour)) if each.contour else None,
        "visit": each.visit,
        "path": each.path,
        "length_mm": each.length_mm,
    }


def _origin_cells(each: MeasuredCaliper) -> dict[str, Value]:
    origin = each.origin
    if origin is None:
        return {"source": "table", "source_path": each.table, "source_item": f"row {each.row}"}
    return {
        "source": origin.kind.value,
        "source_path": origin.path,
        "source_item": origin.item,
        "object_uid": origin.sop_instance_uid,
        "tracking_uid": origin.tracking_uid,
        "tracking_identifier": origin.tracking_identifier,
        "stated": origin.stated,
        "stated_mm": origin.stated_mm,
    }
