"""What is known of each lesion at each visit of a subject: measured, or not, and then why.

SDTM wants a record also for what was not done (SDTMIG 4.5.1.2): every lesion is expected from the visit at which it was
first named. Expected of every subject are baseline and the primary visit, and what was planned before its last visit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from lesion_measure.cdisc.descent import Descent, descents
from lesion_measure.cdisc.visits import Timed, timetable
from lesion_measure.records import (
    BASELINE,
    LIVER,
    Enrolled,
    LesionMeasurement,
    Refusal,
    SubjectResult,
    is_liver,
)
from lesion_measure.report.children import Child
from lesion_measure.report.enrolment import subjects_of
from lesion_measure.results import Results

CONSEQUENCES = ("incomplete_sum", "no_change", "not_found_at_followup")
"""Codes that say that something is missing, not why; a cause that is known comes first."""

NOT_IN_DATA = Refusal(
    code="no_scan", reason="The data hold no scan of this visit.", subject=None, visit=None, lesion=None
)
NOT_MEASURED = Refusal(
    code="not_measured", reason="Neither a reader nor the network measured it.", subject=None, visit=None, lesion=None
)


@dataclass(frozen=True, slots=True)
class Seen:
    """A lesion expected at a visit: its measurement, or the reason why there is none."""

    lesion: str
    visit: str
    measured: LesionMeasurement | None
    reason: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """A subject over the visits.

    ``lesions`` are their classes (terms of codelist TUIDRS) by name; ``descents`` those of them that came of others.
    ``reference`` is the date that is study day 1. ``times`` holds the planned visits and the subject's own; ``primary``
    is the one that is compared for the answer. ``enrolled`` is the subject's row of the subjects table, None where it
    has none; ``has_table``: whether there is such a table.
    """

    record: SubjectResult
    usubjid: str
    refusals: tuple[Refusal, ...]
    lesions: dict[str, str]
    descents: dict[str, Descent]
    enrolled: Enrolled | None
    has_table: bool
    times: Mapping[str, Timed]
    primary: str | None

    @property
    def excluded(self) -> tuple[str, ...]:
        """Why the subject is not analysed; empty where it is."""
        return self.enrolled.excluded if self.enrolled else ()

    @property
    def liver(self) -> tuple[LesionMeasurement, ...]:
        """The liver itself, where it was measured."""
        return self.record.disease.liver if self.record.disease else ()

    def link(self, lesion: str) -> str:
        """TULNKID and TRLNKID of a lesion: its name, or its descent."""
        return self.descents[lesion].link if lesion in self.descents else lesion

    @property
    def reference(self) -> date | None:
        """DM.RFSTDTC, where the subjects table gives it."""
        return self.enrolled.reference_start if self.enrolled else None

    def date(self, visit: str) -> date | None:
        """Date of a visit's scan, where it is known."""
        known = self.record.visits.get(visit)
        return known.date if known else None

    @property
    def visits(self) -> list[str]:
        """Visits in the data or expected, in order."""
        first = self.order(BASELINE)
        last = max((self.order(visit) for visit in self.record.visits if self.times[visit].number), default=first)
        between = {name for name, when in self.times.items() if first < when.order < last}
        expected = {BASELINE, self.primary or BASELINE, *between}
        return sorted({*self.record.visits, *expected}, key=self.order)

    def order(self, visit: str) -> float:
        """What puts visits in order."""
        return self.times[visit].order

    def first(self, lesion: str) -> str:
        """The visit at which a lesion was first named, by a measurement or a refusal."""
        return next(visit for visit in self.visits if visit in self._named(lesion))

    def identified(self, lesion: str) -> LesionMeasurement | None:
        """The first measurement that found the lesion, or None."""
        return next((m for m in self._in_order(lesion) if m.present), None)

    def at(self, lesion: str, visit: str) -> LesionMeasurement | None:
        """The lesion's measurement at a visit, or None."""
        return next((m for m in self.record.lesions if m.lesion == lesion and m.visit == visit), None)

    def is_new(self, lesion: str) -> bool:
        """Whether a reader's statement puts it beyond doubt that the lesion came after baseline."""
        before = self.at(lesion, BASELINE)
        stated = any(lesion in assessment.new_lesions for assessment in self.record.assessments)
        return stated or (before is not None and not before.present)

    def seen(self) -> Iterator[Seen]:
        """Every lesion at every visit at which it is expected, visit by visit."""
        for visit in self.visits:
            for lesion in self.lesions:
                if self.order(self.first(lesion)) > self.order(visit):
                    continue
                measured = self.at(lesion, visit)
                if measured is None and self._ended(lesion, visit):
                    continue
                yield Seen(lesion, visit, measured, None if measured else self.why(visit, lesion))

    def _ended(self, lesion: str, visit: str) -> bool:
        """Whether the lesion had become others by then, which are followed in its place."""
        children = [d for d in self.descents.values() if lesion in d.parents]
        return any(self.order(child.visit) <= self.order(visit) for child in children)

    def liver_missing(self) -> Iterator[tuple[str, Refusal]]:
        """Visits from the first measurement of the liver on at which it has none, and why."""
        there = {measured.visit for measured in self.liver}
        begun = min((self.order(visit) for visit in there), default=None)
        for visit in self.visits:
            if begun is not None and visit not in there and self.order(visit) > begun:
                yield visit, self.why(visit, LIVER)

    def empty_visits(self) -> Iterator[tuple[str, Refusal]]:
        """Visits at which no lesion is expected, since none is known yet, and why nothing was measured."""
        expected = {seen.visit for seen in self.seen()}
        yield from ((visit, self.why(visit)) for visit in self.visits if visit not in expected)

    def why(self, visit: str, lesion: str | None = None) -> Refusal:
        """The nearest reason for a missing measurement: of the lesion, else of the visit, else of the subject."""

        def distance(refusal: Refusal) -> tuple[bool, bool, bool]:
            return refusal.lesion != lesion, refusal.code in CONSEQUENCES, refusal.visit != visit

        fitting = [r for r in self.refusals if r.visit in (visit, None) and r.lesion in (lesion, None)]
        none = NOT_MEASURED if visit in self.record.visits else NOT_IN_DATA
        return min(fitting, key=distance, default=none)

    def _named(self, lesion: str) -> set[str]:
        refused = {r.visit for r in self.refusals if r.lesion == lesion and r.visit is not None}
        return refused.union(m.visit for m in self._in_order(lesion))

    def _in_order(self, lesion: str) -> list[LesionMeasurement]:
        return sorted((m for m in self.record.lesions if m.lesion == lesion), key=lambda m: self.order(m.visit))


class Courses(Iterable[Course]):
    """The course of every subject, also of those of whom there is no scan, in the order of their codes.

    Each is made when its turn comes: those of 3,600 children are more than memory holds.

    Parameters
    ----------
    results
        The run, of which the children may be in short.
    child
        Gives a child whole.
    study
        Identifier of the study.
    """

    def __init__(self, results: Results, child: Child, study: str) -> None:
        self._results, self._child, self._study = results, child, study
        self._codes = dict.fromkeys(subjects_of(results))
        self._table, self._refused = results.table(), results.refused()

    def __iter__(self) -> Iterator[Course]:
        return map(self._of, self._codes)

    def of(self, code: str) -> Course:
        """The course of one subject, also of somebody of whom nothing but a laboratory value is known."""
        return self._of(code) if code in self._codes else unscanned(self._results, self._study, code)

    def _of(self, code: str) -> Course:
        results = self._results
        record = self._child(code) or _nobody(results, code)
        refusals = (*self._refused.get(code, ()), *record.not_compared)
        born = descents(record)
        times = timetable(results.schedule, list(record.visits))
        classes = {name: _classify(record, refusals, name, times) for name in _lesion_names(record, refusals)}
        lesions = {name: _inherited(born[name], classes) if name in born else own for name, own in classes.items()}
        return Course(
            record=record, usubjid=f"{self._study}-{code}", refusals=refusals, lesions=lesions, descents=born,
            enrolled=self._table.get(code) if self._table else None, has_table=self._table is not None, times=times,
            primary=record.primary_visit,
        )  # fmt: skip


def unscanned(results: Results, study: str, code: str) -> Course:
    """The course of somebody of whom nothing but a laboratory value is known."""
    nothing = _nobody(results, code)
    return Course(
        record=nothing, usubjid=f"{study}-{code}", refusals=(), lesions={}, descents={}, enrolled=None,
        has_table=results.table() is not None, times=timetable(results.schedule, ()), primary=results.schedule.primary,
    )  # fmt: skip


def _nobody(results: Results, code: str) -> SubjectResult:
    """A subject of whom nothing is measured."""
    return SubjectResult(
        subject=code,
        visits={},
        primary_visit=results.schedule.primary,
        lesions=(),
        changes=(),
        response=None,
        review=(),
    )


def _inherited(descent: Descent, classes: Mapping[str, str]) -> str:
    """The class of what came of other lesions: theirs (SDTMIG 3.4, TU example 2); a target where one of them was."""
    known = [classes[parent] for parent in descent.parents if parent in classes]
    return "TARGET" if "TARGET" in known else known[0] if known else "UNKNOWN"


def _lesion_names(record: SubjectResult, refusals: Sequence[Refusal]) -> list[str]:
    """Lesions that were measured, and those that only a refusal names, with its visit."""
    measured = {m.lesion for m in record.lesions}
    refused = {r.lesion for r in refusals if r.lesion and r.visit is not None and not is_liver(r.lesion)}
    return sorted(measured | refused)


def _classify(record: SubjectResult, refusals: Sequence[Refusal], lesion: str, times: Mapping[str, Timed]) -> str:
    """Term of codelist TUIDRS. What a reader states to be absent at baseline was no lesion of the baseline.

    Target lesions are those that the run chose by the rule; all of baseline where the results name none.
    """
    own = {m.visit: m for m in record.lesions if m.lesion == lesion}
    baseline = own.get(BASELINE)
    if baseline is not None and baseline.present:
        return "TARGET" if record.disease is None or lesion in record.disease.targets else "NON-TARGET"
    earlier = {visit for visit, when in times.items() if when.order < times[BASELINE].order}
    named = any(r.lesion == lesion and r.visit in (BASELINE, *earlier) for r in refusals)
    if baseline is None and (named or earlier & own.keys()):
        return "NON-MEASURABLE"
    later = any(m.present and m.visit not in earlier for m in own.values())
    return "NEW" if later and BASELINE in record.visits else "UNKNOWN"
