"""What a reader draws and says on the page, as rows of the caliper table: the form in which a run knows it."""

from __future__ import annotations

from lesion_measure.records import Axis, Caliper, Plane
from lesion_measure.review.messages import Draft, Kind, Line

_WITHOUT_SIZE = {Kind.NOT_FOUND: "looked for and not found", Kind.NOT_ASSESSABLE: "not assessable"}
"""What a statement says that gives a lesion no size, before its reason."""


def no_lesion_on(image_uid: str, reader: str) -> Caliper:
    """The row that says that an image shows no lesion; parameters as `rows_of`."""
    return Caliper(
        image=image_uid, frame=1, lesion="", plane=Plane.UNKNOWN, axis=Axis.NO_LESION, start=None, end=None,
        reader=reader,
    )  # fmt: skip


def rows_of(draft: Draft, image_uid: str, reader: str) -> tuple[Caliper, ...]:
    """The rows that say the same as a draft.

    Parameters
    ----------
    draft
        What the reader draws or says.
    image_uid
        SOP Instance UID of its image.
    reader
        Name of the reader.
    """

    def row(axis: Axis, line: Line | None = None, reason: str = "") -> Caliper:
        start, end = line or (None, None)
        return Caliper(
            image=image_uid,
            frame=draft.frame,
            lesion=draft.lesion,
            plane=draft.plane,
            axis=axis,
            start=start,
            end=end,
            reader=reader,
            contour=(draft.contour or ()) if axis is Axis.OUTLINE else (),
            reason=reason,
        )

    if draft.kind is Kind.CALIPER:
        lines = ((Axis.LONG, draft.long), (Axis.SHORT, draft.short))
        return tuple(row(axis, line) for axis, line in lines if line is not None)
    if draft.kind is Kind.OUTLINE:
        return (row(Axis.OUTLINE),)
    if draft.kind is Kind.RESOLVED:
        return (row(Axis.ABSENT),)
    return (row(Axis.NOT_ASSESSABLE, reason=f"{_WITHOUT_SIZE[draft.kind]}: {' '.join(draft.reason.split())}"),)
