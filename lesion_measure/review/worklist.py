"""The worklist as one person sees it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from lesion_measure.review.cases import ReadingCase
from lesion_measure.review.messages import CaseItem, LesionItem, Role, VisitItem, Worklist
from lesion_measure.review.progress import Standing, disagreements, readers_of
from lesion_measure.review.store import Kept, Signed
from lesion_measure.review.view import View


def worklist(view: View) -> Worklist:
    """All cases in reading order; the store is asked once, not for each case."""
    kept: dict[str, list[Kept]] = defaultdict(list)
    for reading in view.kept():
        kept[reading.subject].append(reading)
    signed: dict[str, list[Signed]] = defaultdict(list)
    for signature in view.signed():
        signed[signature.subject].append(signature)
    items = tuple(_item(case, view, kept[case.subject], signed[case.subject]) for case in view.room.cases.all)
    return Worklist(cases=items, progress=dict(Counter(item.state for item in items)))


def standing(case: ReadingCase, view: View, kept: Sequence[Kept], signed: Sequence[Signed]) -> Standing:
    """How far a case is.

    Parameters
    ----------
    case, view
        The case, and who looks.
    kept, signed
        The case's readings and signatures that this person may see.
    """
    pictures = {picture.instance.sop_instance_uid: picture for picture in case.pictures}
    differ = disagreements(kept, signed, pictures, view.room.request.run.config)
    decided = view.person.role is Role.ADJUDICATOR and len(readers_of(signed)) > 1 and not differ
    return Standing(
        case,
        own=[each for each in kept if each.reader == view.person.name],
        closed=decided or any(each.reader == view.person.name for each in signed),
        disagreements=differ,
        asks=view.room.suggested.asks(case),
        lesions=_lesions(case, view, kept),
    )


def _lesions(case: ReadingCase, view: View, kept: Iterable[Kept]) -> tuple[str, ...]:
    """Names of the lesions that this person may know of."""
    names = [each.draft.lesion for each in kept] + view.room.suggested.lesions(case)
    return tuple(dict.fromkeys(sorted(names)))


def _item(case: ReadingCase, view: View, kept: Sequence[Kept], signed: Sequence[Signed]) -> CaseItem:
    found = standing(case, view, kept, signed)
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
        why=why(found),
        signed_by=tuple(view.called(each.reader) for each in signed),
        changed=max((each.changed for each in kept), default=None),
    )


def why(found: Standing) -> tuple[str, ...]:
    """What asks for a person's look, in words."""
    labels = {visit.name: visit.label for visit in found.case.visits}
    differ = [each.words(labels.get(each.visit, "")) for each in found.disagreements]
    return (*differ, *(f"{refusal.reason} {refusal.remedy}".rstrip() for refusal in found.asks))
