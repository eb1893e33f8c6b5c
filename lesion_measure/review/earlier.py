"""What was measured before, for a reader to accept: calipers in the input's tables and objects, and a finished run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache

import numpy as np

from lesion_measure.image.task import Task
from lesion_measure.job.given import Given
from lesion_measure.records import Caliper, PlaneMeasurement, Refusal, Source, shown_name
from lesion_measure.results import RefusalKind, Results
from lesion_measure.review.burnt_in import drafts
from lesion_measure.review.cases import Picture, ReadingCase
from lesion_measure.review.ids import Ids
from lesion_measure.review.measuring import UNNAMED, Measurer, measured
from lesion_measure.review.messages import Draft, Earlier, Kind, Measured
from lesion_measure.review.outlining import simplified

_KEPT_CASES, _KEPT_FRAMES = 64, 500


class Suggested:
    """What earlier readers, the network and a finished run say of each case.

    Parameters
    ----------
    given
        The children, and the calipers of tables and objects; None in blinded reading, where nothing is suggested.
    results
        A finished run of the results folder; None where there is none.
    own
        Readers of this reading room: what a run took from them is no suggestion.
    measurer
        Measures the calipers.
    ids
        Ids of what is suggested.
    table
        Name of the caliper table, where there is one alone.
    """

    def __init__(
        self,
        given: Given | None,
        results: Results | None,
        own: Collection[str],
        measurer: Measurer,
        ids: Ids,
        table: str = "",
    ) -> None:
        self._given, self._own, self._measurer, self._ids, self._table = given, own, measurer, ids, table
        self._results = results if given is not None else None
        self._planes: dict[str, list[PlaneMeasurement]] = defaultdict(list)
        self._asks: dict[str, list[Refusal]] = defaultdict(list)
        self._refused: dict[str, list[Refusal]] = defaultdict(list)
        if given is not None:
            self._sort(given)
        self.of = lru_cache(_KEPT_CASES)(self._of)
        """The suggestions of a case."""
        self.burnt_in = lru_cache(_KEPT_FRAMES)(self._burnt_in)
        """Those that are burnt into a frame (1-based) of a picture. Raises an InputError where it cannot be decoded."""

    def asks(self, case: ReadingCase) -> Sequence[Refusal]:
        """What asks for a person's look, of a case."""
        return self._asks.get(case.subject, ())

    def refusals(self, case: ReadingCase) -> tuple[str, ...]:
        """Why other things of a case have no number, in words."""
        found = [*self._asks.get(case.subject, ()), *self._refused.get(case.subject, ())]
        return tuple(dict.fromkeys(f"{each.reason} {each.remedy}".rstrip() for each in found))

    def lesions(self, case: ReadingCase) -> list[str]:
        """Names that tables, objects, the manifest or the run give to lesions of a case."""
        if self._given is None:
            return []
        names: dict[str, None] = {}
        for picture in case.pictures:
            uid = picture.instance.sop_instance_uid
            rows = (row.lesion for row in self._given.calipers.get(uid, ()))
            for name in (picture.given.lesion, *rows, *(plane.lesion for plane in self._planes.get(uid, ()))):
                if shown := shown_name(name):
                    names[shown] = None
        return list(names)

    def _sort(self, given: Given) -> None:
        for subject, doubts in given.doubts.items():
            self._asks[subject] += [doubt.refusal for doubt in doubts]
        for refusal in given.refusals:
            self._refused[refusal.subject or ""].append(refusal)
        if self._results is None:
            return
        for refused in self._results.refusals:
            by_kind = self._asks if refused.kind is RefusalKind.REVIEW else self._refused
            if refused.kind is not RefusalKind.SKIPPED:
                by_kind[refused.subject or ""].append(refused)
        for subject_result in self._results.subjects:
            for lesion in subject_result.lesions:
                for plane in lesion.planes:
                    self._planes[plane.sop_instance_uid].append(plane)

    def _of(self, case: ReadingCase) -> tuple[Earlier, ...]:
        return tuple(each for picture in case.pictures for each in self._on(picture))

    def _on(self, picture: Picture) -> Iterator[Earlier]:
        if self._given is None:
            return
        rows = self._given.calipers.get(picture.instance.sop_instance_uid, ())
        known = {row.reader for row in rows} | set(self._own)
        if rows:
            yield from self._drawn(picture, rows)
        for plane in self._planes.get(picture.instance.sop_instance_uid, ()):
            if plane.source is Source.MODEL or plane.prompted is not None or plane.reader not in known:
                yield self._suggestion(picture, plane, _by_run(plane))

    def _drawn(self, picture: Picture, rows: Sequence[Caliper]) -> Iterator[Earlier]:
        """What readers drew, measured as a run measures it."""
        task = Task(
            instance=picture.instance, subject=picture.subject, visit=picture.visit, label=picture.given, calipers=rows
        )
        reading = self._measurer.reading(task)
        for plane in reading.caliper:
            yield self._suggestion(picture, plane, self._by_rows(plane, rows))
        for row in reading.absent:
            draft = Draft(
                image=picture.id, frame=row.frame, lesion=_name(row.lesion), plane=row.plane, kind=Kind.RESOLVED
            )
            yield Earlier(id=self._id(draft, row.reader), source=self._from(row), draft=draft, measured=Measured())

    def _burnt_in(self, picture: Picture, frame: int) -> tuple[Earlier, ...]:
        if self._given is None:
            return ()
        found = self._measurer.burnt_in(picture.instance, frame).calipers
        return tuple(
            Earlier(
                id=self._id(draft, source),
                source=source,
                draft=draft,
                measured=self._measurer.measure(picture.instance, picture.given, draft),
                shows=shows,
            )
            for source, draft, shows in drafts(picture, frame, found)
        )

    def _by_rows(self, plane: PlaneMeasurement, rows: Sequence[Caliper]) -> str:
        """Who drew a plane, and in which table or object."""
        same = (r for r in rows if (r.reader, r.frame) == (plane.reader, plane.frame) and r.lesion == plane.lesion)
        row = next(same, None)
        return plane.reader if row is None else self._from(row)

    def _from(self, row: Caliper) -> str:
        where = f"{row.origin.kind} {row.origin.path}" if row.origin else row.table or self._table
        return ", ".join(filter(None, (row.reader, where)))

    def _suggestion(self, picture: Picture, plane: PlaneMeasurement, source: str) -> Earlier:
        draft = _draft(picture, plane)
        return Earlier(
            id=self._id(draft, source),
            source=source,
            draft=draft,
            measured=measured(plane),
            confidence=plane.confidence,
        )

    def _id(self, draft: Draft, source: str) -> str:
        return self._ids.of("earlier", draft.model_dump_json(), source)


def _draft(picture: Picture, plane: PlaneMeasurement) -> Draft:
    """A plane as a reader would draw it: the outline where there is one, else the calipers."""
    outline = None if plane.outline_px is None else simplified(np.asarray(plane.outline_px))
    lines = (None, None) if outline is not None else (plane.long_axis_px, plane.short_axis_px)
    return Draft(
        image=picture.id,
        frame=plane.frame,
        lesion=_name(plane.lesion),
        plane=plane.plane,
        kind=Kind.CALIPER if outline is None else Kind.OUTLINE,
        long=lines[0],
        short=lines[1],
        contour=outline,
    )


def _name(lesion: str) -> str:
    return (shown_name(lesion) or UNNAMED)[:64]


def _by_run(plane: PlaneMeasurement) -> str:
    if plane.source is Source.MODEL:
        return f"{plane.reader}, earlier run"
    if plane.prompted is not None:
        return f"{plane.prompted.model} from calipers of {plane.reader}, earlier run"
    return f"{plane.reader}, earlier run"
