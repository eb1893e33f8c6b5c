"""Visits, the schedule that names them, and which studies they are. A visit is known by its name, a plain string."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from lesion_measure.records.images import Plane, Study
from lesion_measure.records.refusal import Doubt

BASELINE = "baseline"
"""The visit that every schedule has: day 0."""
SCREENING, ONE_MONTH = "screening", "one_month"
"""The other visits of NCT04406870."""


UNDATED = "undated"
"""Scans of which nothing says when they were made; several are ``undated_2`` and so on. Compared with nothing."""


_UNSCHEDULED = re.compile(r"day_(minus_)?(\d{1,5})")


def unscheduled_name(day: int) -> str:
    """Name of a visit beside the schedule, by its day from baseline: ``day_61``, ``day_minus_7``."""
    return f"day_{day}" if day >= 0 else f"day_minus_{-day}"


def unscheduled_day(visit: str) -> int | None:
    """The day that the name of an unscheduled visit states; None where it is no such name."""
    found = _UNSCHEDULED.fullmatch(visit)
    return None if found is None else int(found[2]) * (-1 if found[1] else 1)


def is_undated(visit: str) -> bool:
    """Whether nothing says when a visit was."""
    return visit.startswith(UNDATED)


def in_words(visit: str) -> str:
    """A visit's name as words of a sentence: ``one month``, ``day -7``."""
    return visit.replace("_minus_", " -").replace("_", " ")


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePoint:
    """One visit that a schedule asks for, or that took place beside it.

    ``day`` is the due day from baseline (None: undated), ``window`` the first and the last day that still count (None:
    not scheduled). ``label`` are words for people, ``epoch`` is CDISC's, and ``words`` mean the visit in
    ClinicalTrialTimePointID.
    """

    name: str
    label: str
    day: int | None = None
    window: tuple[int, int] | None = None
    epoch: str = ""
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Schedule:
    """Visits in the order of time. ``primary`` is the one whose change from baseline is the answer; None: none is."""

    points: tuple[TimePoint, ...]
    primary: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the visits, in order."""
        return tuple(point.name for point in self.points)

    def point(self, name: str) -> TimePoint:
        """The visit of that name. Raises KeyError where there is none."""
        found = next((point for point in self.points if point.name == name), None)
        if found is None:
            raise KeyError(name)
        return found

    def label(self, name: str) -> str:
        """The visit in words for people."""
        return next((point.label for point in self.points if point.name == name), in_words(name))

    def epoch(self, name: str) -> str:
        """Epoch of the trial in which a visit lies; empty where none is said."""
        return next((point.epoch for point in self.points if point.name == name), "")

    def asked(self, name: str) -> bool:
        """Whether somebody has to look where a visit lacks a number: it is scheduled, or is the answer."""
        return self.scheduled(name) or name == self.primary

    def scheduled(self, name: str) -> bool:
        """Whether a visit is asked for, not one that took place beside the schedule."""
        return any(point.name == name and point.window is not None for point in self.points)

    @property
    def earlier(self) -> tuple[str, ...]:
        """The visits before baseline."""
        return self.names[: self.names.index(BASELINE)] if BASELINE in self.names else ()

    @property
    def later(self) -> tuple[str, ...]:
        """The visits after baseline."""
        return self.names[self.names.index(BASELINE) + 1 :] if BASELINE in self.names else ()


TRIAL = Schedule(
    (
        TimePoint(
            name=SCREENING, label="Screening", day=-90, window=(-120, -60), epoch="SCREENING",
            words=("screening", "scr", "screen", "month -3", "m-3", "v0", "visit 0"),
        ),
        TimePoint(  # the baseline scan is made before the first dose
            name=BASELINE, label="Baseline", day=0, window=(0, 0), epoch="SCREENING",
            words=("baseline", "bl", "v1", "visit 1", "day 0", "d0", "month 0", "m0"),
        ),
        TimePoint(
            name=ONE_MONTH, label="1 month", day=30, window=(14, 45), epoch="TREATMENT",
            words=("one_month", "one month", "month 1", "1 month", "1m", "m1", "v2", "visit 2",
                "day 30", "d30", "week 4"),
        ),
    ),
    primary=ONE_MONTH,
)  # fmt: skip
"""The schedule of NCT04406870."""


@dataclass(frozen=True, slots=True)
class ImageLabel:
    """What a manifest says of one image; empty or None where it says nothing. ``target``: the lesion is a target."""

    plane: Plane | None = None
    lesion: str = ""
    target: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectVisits:
    """One child's studies by visit, in order of time. A visit may hold several studies of the same day.

    ``schedule`` has the visits of the protocol and, in their places, those that the child had beside it. ``doubts`` are
    what a manifest says of it and the files contradict.
    """

    subject: str
    visits: dict[str, tuple[Study, ...]]
    sources: dict[str, str]
    schedule: Schedule = TRIAL
    warnings: tuple[str, ...] = ()
    doubts: tuple[Doubt, ...] = ()

    def date(self, visit: str) -> date | None:
        """First date of a visit's scans; None where it is not known or there are none."""
        return min((s.study_date for s in self.visits.get(visit, ()) if s.study_date), default=None)

    def day(self, visit: str) -> int | None:
        """Days from baseline to a visit by the dates of the scans; None where one is not known."""
        first, then = self.date(BASELINE), self.date(visit)
        return (then - first).days if first and then else None
