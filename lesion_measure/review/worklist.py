"""The worklist as one person sees it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from lesion_measure.review.cases import ReadingCase
from lesion_measure.review.messages import CaseItem, Differing, LesionItem, Role, VisitItem, Worklist
from lesion_measure.review.progress import Standing, disagreements, readers_of
from lesion_measure.review.store import Mark, Signed
from lesion_measure.review.view import View


def worklist(view: View) -> Worklist:
    """All cases in reading order; the store is asked once, not for each case."""
    marks: dict[str, list[Mark]] = defaultdict(list)
    for mark in view.marks():
        marks[mark.subject].append(mark)
    signed: dict[str, list[Signed]] = defaultdict(list)
    for signature in view.signed():
        signed[signature.subject].append(signature)
    items = tuple(_item(case, view, marks[case.subject], signed[case.subject]) for case in view.room.cases.all)
    return Worklist(cases=items, progress=dict(Counter(item.state for item in items)))


def standing(case: ReadingCase, view: View, marks: Sequence[Mark], signed: Sequence[Signed]) -> Standing:
    """How far a case is.

    Parameters
    ----------
    case, view
        The case, and who looks.
    marks, signed
        The case's readings and signatures that this person may see.
    """
    cv = view.room.request.run.config.uncertainty.repeatability.diameter_cv
    differ = disagreements(marks, signed, view.room.sizes, cv)
    decided = view.person.role is Role.ADJUDICATOR and len(readers_of(signed)) > 1 and not differ
    return Standing(
        case,
        own=[each for each in marks if each.reader == view.person.name],
        closed=decided or any(each.reader == view.person.name for each in signed),
        disagreements=differ,
        asks=view.room.suggested.asks(case),
        lesions=_lesions(case, view, marks),
    )


def _lesions(case: ReadingCase, view: View, marks: Iterable[Mark]) -> tuple[str, ...]:
    """Names of the lesions that this person may know of."""
    names = [each.lesion for each in marks] + view.room.suggested.lesions(case)
    return tuple(dict.fromkeys(sorted(names)))


def _item(case: ReadingCase, view: View, marks: Sequence[Mark], signed: Sequence[Signed]) -> CaseItem:
    found = standing(case, view, marks, signed)
    visits = tuple(
        VisitItem(
            id=visit.id,
            label=visit.label,
            date=visit.date,
            day=visit.day,
            images=len(visit.pictures),
            state=found.of_visit(visit),
        )
        for visit in case.visits
    )
    return CaseItem(
        id=case.id,
        label=case.label,
        state=found.state(),
        visits=visits,
        lesions=tuple(LesionItem(name=name, state=found.of_lesion(name)) for name in found.lesions),
        differs=_differs(found),
        why=_asks(found),
        signed_by=tuple(view.called(each.reader) for each in signed),
        changed=max((each.changed for each in marks), default=None),
    )


def _differs(found: Standing) -> tuple[Differing, ...]:
    """What readers differ on, with visits as they are called; the page has the words."""
    labels = {visit.name: visit.label for visit in found.case.visits}
    return tuple(
        Differing(lesion=each.lesion, visit=labels.get(each.visit, ""), sizes_mm=each.sizes_mm)
        for each in found.disagreements
    )


def _asks(found: Standing) -> tuple[str, ...]:
    """What an earlier run left to look at, in words."""
    return tuple(dict.fromkeys(f"{refusal.reason} {refusal.remedy}".rstrip() for refusal in found.asks))
