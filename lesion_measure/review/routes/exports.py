"""Tables to take away: signed readings, the history, and how well readers agree."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Response
from fastapi.responses import StreamingResponse

from lesion_measure.report.tables import Table, csv_lines
from lesion_measure.review.exports import (
    audit_table,
    calipers_table,
    final_readings,
    independent_readings,
    write_calipers,
)
from lesion_measure.review.messages import Measured, TableName
from lesion_measure.review.reader_agreement import agreement_table
from lesion_measure.review.refused import RefusedError
from lesion_measure.review.routes.shared import Seen
from lesion_measure.review.store import Kept
from lesion_measure.review.view import View

router = APIRouter()


@router.get("/export/{name}.csv")
def export(name: TableName, view: Seen) -> Response:
    """One table as CSV; the calipers are written to the results folder, too."""
    if view.room.request.blinded:
        raise RefusedError(
            403, "blinded", "Tables say whose readings they are.", "Open the room without --blinded to export them."
        )
    if name not in view.room.request.tables:
        raise RefusedError(
            403, "audit_kept", "The history of all readers holds readings that are not signed.",
            "Whoever keeps the data exports it: lesion-measure export OUT --readings.",
        )  # fmt: skip
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return StreamingResponse(csv_lines(_TABLES[name](view)), headers=headers, media_type="text/csv")


def _calipers(view: View) -> Table:
    write_calipers(view.room.store, view.room.request.run.out)
    return calipers_table(final_readings(view.room.store))


def _audit(view: View) -> Table:
    return audit_table(view.room.store)


def _agreement(view: View) -> Table:
    def measure(kept: Kept) -> Measured:
        picture = view.room.cases.of_uid(kept.image_uid)
        return Measured(refusal="Its image is not here.") if picture is None else view.measured(picture, kept.draft)

    return agreement_table(independent_readings(view.room.store), measure)


_TABLES: dict[TableName, Callable[[View], Table]] = {"calipers": _calipers, "audit": _audit, "agreement": _agreement}
