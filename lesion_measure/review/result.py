"""What a run would say of a child by one reader's readings: the stages of a run after measuring, asked at each edit."""

from __future__ import annotations

import math
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from threading import Lock

from lesion_measure.image.task import ImageReading, Task
from lesion_measure.job.child import Job, measure_child
from lesion_measure.job.given import Given
from lesion_measure.job.request import RunRequest
from lesion_measure.records import (
    BASELINE,
    Caliper,
    Change,
    Enrolled,
    LesionMeasurement,
    Metric,
    Refusal,
    SubjectResult,
    SubjectVisits,
)
from lesion_measure.review.measuring import Measurer, size
from lesion_measure.review.messages import CaseResult, Compared, LesionResult
from lesion_measure.review.rows import rows_of
from lesion_measure.review.store import Kept

MOST_READINGS = 4_096
"""Images of which it is remembered what was read: those of some hundred children."""

_SEEN = frozenset({"nothing_measured"})
"""Codes of what the page shows by itself: that nobody has read anything yet."""

VisitId = Callable[[str], str]
"""What the page calls a visit, by its name."""

_Key = tuple[object, ...]


class Results:
    """Results of children by the readings so far; any number of threads may ask.

    What was read of an image is kept, so that an edit measures the image that it touches and no other.

    Parameters
    ----------
    request
        The run that would be asked for.
    given
        Its children, and what its tables say of them; calipers that these hold are left out.
    enrolled
        The rows of its subjects table.
    measurer
        Measures on the images.
    """

    def __init__(self, request: RunRequest, given: Given, enrolled: Mapping[str, Enrolled], measurer: Measurer) -> None:
        self._request = _by_own_readings(request)
        self._given = given
        self._enrolled = enrolled
        self._measurer = measurer
        self._lock = Lock()
        self._read: OrderedDict[_Key, ImageReading] = OrderedDict()

    def case(self, child: SubjectVisits, kept: Iterable[Kept], visit_id: VisitId, *, sizes_only: bool) -> CaseResult:
        """The child's result by the readings of one reader.

        Parameters
        ----------
        child
            Its studies by visit.
        kept
            The reader's readings of it.
        visit_id
            Gives what the page calls a visit.
        sizes_only
            Leave out what tells which visit came first: changes, verdict, and what asks for review.
        """
        result = self.subject(child, kept)
        lesions = tuple(
            _lesion(result, lesion, visit_id, sizes_only=sizes_only)
            for lesion in result.lesions
            if lesion.visit in child.visits
        )
        if sizes_only:
            return CaseResult(lesions=lesions)
        limits = self._request.config.comparison.applied_rule.limits_percent
        return _answer(result, child, lesions, tuple(limit for limit in limits if limit is not None))

    def subject(self, child: SubjectVisits, kept: Iterable[Kept]) -> SubjectResult:
        """The same as the record of a run."""
        rows: dict[str, tuple[Caliper, ...]] = defaultdict(tuple)
        for each in kept:
            rows[each.image_uid] += rows_of(each.draft, each.image_uid, each.reader)
        job = Job(self._request, self._reading, "", rows, self._given.labels, self._enrolled, self._given.doubts)
        return measure_child(child, job)

    def _reading(self, task: Task) -> ImageReading:
        key = task.instance.location, task.subject, task.visit, task.label, tuple(task.calipers), task.unnamed
        with self._lock:
            found = self._read.pop(key, None)
        if found is None:
            found = self._measurer.reading(task)
        with self._lock:
            self._read[key] = found  # at the end: the one used last
            while len(self._read) > MOST_READINGS:
                self._read.popitem(last=False)
        return found


def _by_own_readings(request: RunRequest) -> RunRequest:
    """The same run where one reader's readings count, whoever else the settings name."""
    config = request.config
    settings: dict[str, object] = {"calipers": config.calipers.model_copy(update={"reader": None})}
    if config.segment.policy == "model_only":
        settings["segment"] = config.segment.model_copy(update={"policy": "calipers_only"})
    return replace(request, config=config.model_copy(update=settings), calipers=None)


def _answer(
    result: SubjectResult, child: SubjectVisits, lesions: tuple[LesionResult, ...], limits: tuple[float, ...]
) -> CaseResult:
    asks = (refusal for refusal in result.review if refusal.code not in _SEEN)
    needs = tuple(dict.fromkeys(_words(refusal, child) for refusal in asks))
    response = result.response
    if response is None:
        return CaseResult(lesions=lesions, limits=limits, needs=needs)
    change = result.change(response.metric)
    return CaseResult(
        lesions=lesions,
        verdict=response.category,
        explanation=response.explanation,
        certain=response.certain,
        percent=response.percent,
        percent_ci95=_interval(change) if change is not None and change.percent == response.percent else None,
        limits=limits,
        needs=needs,
    )


def _lesion(result: SubjectResult, lesion: LesionMeasurement, visit_id: VisitId, *, sizes_only: bool) -> LesionResult:
    at = () if sizes_only else [c for c in result.changes if (c.lesion, c.visit) == (lesion.lesion, lesion.visit)]
    changes = {change.metric: change for change in at}
    diameter, volume = changes.get(Metric.LONGEST_DIAMETER), changes.get(Metric.VOLUME)
    said = () if sizes_only else [*lesion.warnings, *(w for change in at for w in change.warnings)]
    return LesionResult(
        lesion=lesion.lesion,
        visit=visit_id(lesion.visit),
        longest_diameter_mm=size(lesion.longest_diameter_mm),
        volume_ml=size(lesion.volume_ml),
        percent=_percent(diameter),
        percent_ci95=_interval(diameter),
        compared=None if _percent(diameter) is None else _compared(result, lesion, diameter),
        percent_volume=_percent(volume),
        percent_volume_ci95=_interval(volume),
        warnings=tuple(dict.fromkeys(said)),
    )


def _compared(result: SubjectResult, later: LesionMeasurement, change: Change | None) -> Compared | None:
    """The planes and sizes that a change compares, where they are not the longest diameters of the two visits."""
    before = next((m for m in result.lesions if (m.lesion, m.visit) == (later.lesion, BASELINE)), None)
    if change is None or before is None:
        return None
    sizes = change.baseline.value, change.followup.value
    if sizes == tuple(m.longest_diameter_mm and m.longest_diameter_mm.value for m in (before, later)):
        return None
    shared = {plane.plane for plane in before.planes} & {plane.plane for plane in later.planes}
    return Compared(planes=tuple(sorted(shared)), baseline_mm=sizes[0], later_mm=sizes[1])


def _percent(change: Change | None) -> float | None:
    return None if change is None or not math.isfinite(change.percent) else change.percent


def _interval(change: Change | None) -> tuple[float, float] | None:
    if change is None or change.percent_ci95 is None or not all(map(math.isfinite, change.percent_ci95)):
        return None
    return change.percent_ci95


def _words(refusal: Refusal, child: SubjectVisits) -> str:
    """What asks for review, for people: where, why, and what would help."""

    def where() -> Iterator[str]:
        if refusal.lesion:
            yield refusal.lesion
        if refusal.visit:
            yield child.schedule.label(refusal.visit)

    place = ", ".join(where())
    return f"{place + ': ' if place else ''}{refusal.reason} {refusal.remedy}".rstrip()
