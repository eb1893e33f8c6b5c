"""The worklist and single cases."""

from __future__ import annotations

from fastapi import APIRouter

from lesion_measure.review.messages import AuditEntry, Case, CaseResult, Id, Worklist
from lesion_measure.review.page import whole_case
from lesion_measure.review.refused import unknown
from lesion_measure.review.routes.shared import OfCase, Seen
from lesion_measure.review.worklist import worklist

router = APIRouter()


@router.get("/worklist")
def get_worklist(view: Seen) -> Worklist:
    """All cases in reading order."""
    return worklist(view)


@router.get("/cases/{id_}")
def get_case(case: OfCase, view: Seen) -> Case:
    """One case with everything that its reader may see."""
    return whole_case(case, view)


@router.get("/cases/{id_}/result")
def get_result(case: OfCase, view: Seen) -> CaseResult:
    """What a run would say of the child by this reader's readings."""
    return view.result(case)


@router.get("/audit")
def get_audit(case: Id, view: Seen) -> list[AuditEntry]:
    """The steps of a case, in order."""
    found = view.room.cases.case(case)
    if found is None:
        raise unknown("case")
    return view.audit(found)
