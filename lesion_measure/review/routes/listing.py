"""The worklist and single cases."""

from __future__ import annotations

from fastapi import APIRouter

from lesion_measure.review import listing
from lesion_measure.review.messages import Case, Worklist
from lesion_measure.review.routes.shared import InRoom, OfCase, SignedIn

router = APIRouter()


@router.get("/worklist")
def worklist(room: InRoom, session: SignedIn) -> Worklist:
    """All cases in reading order."""
    return listing.worklist(room)


@router.get("/cases/{id_}")
def case(case: OfCase, session: SignedIn) -> Case:
    """One case with everything that its reader may see."""
    return listing.whole_case(case)
