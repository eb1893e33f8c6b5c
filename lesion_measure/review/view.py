"""What one person may see of what readers did, and how it is told to the page."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lesion_measure.review.cases import Picture, ReadingCase
from lesion_measure.review.messages import (
    AuditEntry,
    CaseResult,
    Comment,
    Draft,
    Measure,
    Measured,
    Reading,
    Role,
    Signature,
)
from lesion_measure.review.room import Room
from lesion_measure.review.sessions import Person
from lesion_measure.review.store import Kept, Mark, Signed, Step


@dataclass(frozen=True)
class View:
    """One person in the room.

    In blinded reading a reader sees nothing of what others did. An adjudicator sees all of it, under other names.
    """

    room: Room
    person: Person

    @cached_property
    def sees_others(self) -> bool:
        """Whether readings of others may be seen."""
        return not self.room.request.blinded or self.person.role is Role.ADJUDICATOR

    def may_see(self, reader: str) -> bool:
        """Whether what a reader did may be seen."""
        return self.sees_others or reader == self.person.name

    def called(self, reader: str) -> str:
        """What a reader is called: others have no name in blinded reading."""
        if reader == self.person.name or not self.room.request.blinded:
            return reader
        return f"Reader {self.room.ids.of('reader', reader)[:4].upper()}"

    def kept(self, subject: str) -> list[Kept]:
        """The readings of a child that may be seen and whose images are here, in reading order.

        Those of others are seen when they are signed. The store's own order is that of UIDs, in which the order of
        visits may stand.
        """
        found = self.room.store.readings(subject, self._whose)
        return sorted(filter(self._is_seen, found), key=self._place)

    def marks(self) -> list[Mark]:
        """The same of all cases, without what they draw."""
        return sorted(filter(self._is_seen, self.room.store.marks(self._whose)), key=self._place)

    def own(self, subject: str) -> list[Kept]:
        """This person's own readings of a child, in reading order."""
        return [kept for kept in self.kept(subject) if kept.reader == self.person.name]

    def signed(self, subject: str | None = None) -> list[Signed]:
        """The signatures that may be seen."""
        return [signed for signed in self.room.store.signatures(subject) if self.may_see(signed.reader)]

    def reading(self, kept: Kept) -> Reading:
        """A kept reading with what it measures, for the page."""
        picture = self._picture(kept)
        assert picture is not None, "readings of images that are not here are left out before"
        case = self.room.cases.of_subject(picture.subject)
        assert case is not None
        return Reading(
            id=kept.id,
            version=kept.version,
            case=case.id,
            visit=case.visit_id(picture.visit),
            reader=self.called(kept.reader),
            changed=kept.changed,
            signed=kept.signed,
            draft=kept.draft.model_copy(update={"image": picture.id}),
            measured=self.measured(picture, kept.draft),
        )

    def measured(self, picture: Picture, drawing: Measure | Draft) -> Measured:
        """What a drawing measures, with the notes that may be told."""
        return self.room.told(self.room.measurer.measure(picture.instance, picture.given, drawing))

    def result(self, case: ReadingCase) -> CaseResult:
        """What a run would say of a case by this person's own readings; in blinded reading sizes alone."""
        blinded = self.room.request.blinded
        found = self.room.results.case(case.child, self.own(case.subject), case.visit_id, sizes_only=blinded)
        places = {visit.id: place for place, visit in enumerate(case.visits)}
        lesions = sorted(found.lesions, key=lambda each: (each.lesion, places[each.visit]))
        return found.model_copy(update={"lesions": tuple(lesions)})

    def signatures(self, subject: str) -> tuple[Signature, ...]:
        """Who signed a child, as far as that may be seen."""
        return tuple(
            signed.signature().model_copy(update={"reader": self.called(signed.reader)})
            for signed in self.signed(subject)
        )

    def comments(self, subject: str) -> tuple[Comment, ...]:
        """The comments to a child that may be seen."""
        return tuple(
            each.model_copy(update={"reader": self.called(each.reader)})
            for each in self.room.store.comments(subject)
            if self.may_see(each.reader)
        )

    def audit(self, case: ReadingCase) -> list[AuditEntry]:
        """The steps of a case that may be seen: those by which others read it when they have signed, as their readings.

        In blinded reading they are counted anew, since gaps tell of others, and come without their chain: it is a hash
        of the subject code among other things, and codes can be guessed.
        """
        seen = {self.person.name, *(signed.reader for signed in self.signed(case.subject))}
        steps = self.room.store.audit(case.subject, self._whose)
        entries = [self._entry(step, case) for step in steps if step.reader in seen or not step.reading]
        if not self.room.request.blinded:
            return entries
        return [each.model_copy(update={"number": n, "chain": ""}) for n, each in enumerate(entries, start=1)]

    @property
    def _whose(self) -> str | None:
        """Whose readings to ask for; None: everybody's."""
        return None if self.sees_others else self.person.name

    def _is_seen(self, one: Kept | Mark) -> bool:
        picture = self.room.cases.of_uid(one.image_uid)
        here = picture is not None and picture.subject == one.subject
        return here and (one.signed or one.reader == self.person.name)

    def _place(self, one: Kept | Mark) -> int:
        return self.room.cases.place(one.image_uid)

    def _entry(self, step: Step, case: ReadingCase) -> AuditEntry:
        picture = self.room.cases.of_uid(step.image_uid)
        before, after = (self._shown(content, picture) for content in (step.before, step.after))
        return step.entry(case.id).model_copy(
            update={"reader": self.called(step.reader), "before": before, "after": after}
        )

    def _shown(self, content: dict[str, Any] | None, picture: Picture | None) -> dict[str, Any] | None:
        """The content of a step with the page's own ids and sizes in mm, and the number of images that it names."""
        if content is None:
            return None
        if content.get("no_lesion"):
            return content | {"no_lesion": len(content["no_lesion"])}
        if "image" not in content:
            return content
        return content | {"image": picture.id if picture else ""} | self._sizes(content, picture)

    def _sizes(self, content: dict[str, Any], picture: Picture | None) -> dict[str, float]:
        """Both axes in mm of what a step drew, as far as they can be measured now."""
        if picture is None:
            return {}
        found = self.measured(picture, Draft.model_validate(content))
        sizes = {"long_axis_mm": found.long_axis_mm, "short_axis_mm": found.short_axis_mm}
        return {name: size.value for name, size in sizes.items() if size is not None and size.value is not None}

    def _picture(self, kept: Kept) -> Picture | None:
        return self.room.cases.of_uid(kept.image_uid)
