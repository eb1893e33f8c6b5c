"""The children of an input as cases to read: ids and labels that the page may know, and what stands behind them."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass

from lesion_measure.calibration import calibrate
from lesion_measure.config import Config
from lesion_measure.image.orientation import plane_of
from lesion_measure.job.given import Given
from lesion_measure.records import Calibration, ImageLabel, Instance, Plane, SubjectVisits
from lesion_measure.review.blinding import Naming
from lesion_measure.review.ids import Ids

NO_SCALE = "The image has no scale that can be trusted."
"""What is told where the reason may not be told."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Picture:
    """One image of a case. ``refusal`` (why it has no scale) and ``warnings`` are what its reader may be told."""

    id: str
    label: str
    subject: str
    visit: str
    instance: Instance
    given: ImageLabel
    plane: Plane
    calibration: Calibration
    refusal: str | None
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Visit:
    """One visit of a case. ``name`` is the protocol's; the reader sees ``label``, and ``date`` and ``day`` if told."""

    id: str
    name: str
    label: str
    date: datetime.date | None
    day: int | None
    pictures: tuple[Picture, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReadingCase:
    """One child as a case to read."""

    id: str
    label: str
    child: SubjectVisits
    visits: tuple[Visit, ...]

    @property
    def subject(self) -> str:
        """The subject code, which the page need not know."""
        return self.child.subject

    @property
    def pictures(self) -> Iterator[Picture]:
        """The images of all visits."""
        return (picture for visit in self.visits for picture in visit.pictures)

    def visit_id(self, name: str) -> str:
        """Id of a visit by its name; empty where the case has none of it."""
        return next((visit.id for visit in self.visits if visit.name == name), "")


class Cases:
    """All cases in reading order, found by id, by subject, and by image.

    Parameters
    ----------
    given
        The children, sorted as a run sorts them.
    config
        Settings: ``calibration``, ``planes``.
    naming
        What may be told.
    ids
        What stands in URLs.
    """

    def __init__(self, given: Given, config: Config, naming: Naming, ids: Ids) -> None:
        make = _Maker(given, config, naming, ids)
        children = enumerate(naming.cases(given.children), start=1)
        self.all = tuple(make.case(child, number) for number, child in children)
        self._by_id = {case.id: case for case in self.all}
        self._by_subject = {case.subject: case for case in self.all}
        self._pictures = {picture.id: picture for case in self.all for picture in case.pictures}
        self._by_uid = {p.instance.sop_instance_uid: p for p in self._pictures.values()}
        self._places = {uid: place for place, uid in enumerate(self._by_uid)}

    def case(self, id_: str) -> ReadingCase | None:
        """The case of an id."""
        return self._by_id.get(id_)

    def of_subject(self, subject: str) -> ReadingCase | None:
        """The case of a subject code."""
        return self._by_subject.get(subject)

    def picture(self, id_: str) -> Picture | None:
        """The image of an id."""
        return self._pictures.get(id_)

    def place(self, uid: str) -> int:
        """The place of an image, by its SOP Instance UID, among all in reading order."""
        return self._places[uid]

    def of_uid(self, uid: str) -> Picture | None:
        """The image of a SOP Instance UID."""
        return self._by_uid.get(uid)


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes cases of children: what all of them share."""

    given: Given
    config: Config
    naming: Naming
    ids: Ids

    def case(self, child: SubjectVisits, number: int) -> ReadingCase:
        """One child as a case; ``number`` is its place in reading order, from 1."""
        names = enumerate(self.naming.visits(child), start=1)
        return ReadingCase(
            id=self.ids.of("case", child.subject),
            label=self.naming.case(child, number),
            child=child,
            visits=tuple(self._visit(child, name, place) for place, name in names),
        )

    def _visit(self, child: SubjectVisits, name: str, place: int) -> Visit:
        date, day = self.naming.when(child, name)
        instances = [instance for study in child.visits[name] for instance in study.instances]
        return Visit(
            id=self.ids.of("visit", child.subject, name),
            name=name,
            label=self.naming.visit(child, name, place),
            date=date,
            day=day,
            pictures=tuple(self._picture(child, name, each, n) for n, each in enumerate(instances, start=1)),
        )

    def _picture(self, child: SubjectVisits, visit: str, instance: Instance, number: int) -> Picture:
        uid = instance.sop_instance_uid
        label = self.given.labels.get(uid, ImageLabel())
        known, calibration = (
            plane_of(instance, label, settings=self.config.planes),
            calibrate(instance, self.config.calibration),
        )
        return Picture(
            id=self.ids.of("image", uid),
            label=self.naming.image(instance, number),
            subject=child.subject,
            visit=visit,
            instance=instance,
            given=label,
            plane=known.plane,
            calibration=calibration,
            refusal=self._refusal(calibration),
            warnings=self.naming.notes((*instance.warnings, *calibration.warnings, *known.warnings)),
        )

    def _refusal(self, calibration: Calibration) -> str | None:
        if calibration.refusal is None:
            return None
        said = f"{calibration.refusal.reason} {calibration.refusal.remedy}".rstrip()
        return next(iter(self.naming.notes([said])), NO_SCALE)
