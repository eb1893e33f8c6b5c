"""Settings of the trial's protocol beside the sizes (docs/protocol.md)."""

from __future__ import annotations

import itertools
from dataclasses import asdict
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from lesion_measure import records
from lesion_measure.config.descriptions import Descriptions
from lesion_measure.config.section import Positive, Section
from lesion_measure.records import BASELINE, TRIAL, Schedule, in_words
from lesion_measure.spelling import plain_word

Exclusion = Literal["hepatoblastoma", "resection", "kasabach_merritt", "missing_data"]


class Entry(Section):
    """Who may enter the trial. The report says of each child which are met; the subjects table alone excludes."""

    age_months: tuple[float, float] | None = Field(
        (1, 36), description="Youngest and oldest age at the baseline scan, months; none: not asked for."
    )
    prior_shrinkage_percent: Positive | None = Field(
        30,
        description="A child enters where the primary size shrank by less than this from screening to baseline, under "
        "the treatment before; none: not asked for.",
    )
    exactly_that_may_enter: bool = Field(
        True, description="Whether a child whose lesions shrank by exactly that much may enter; the report says which."
    )
    exclusions: tuple[Exclusion, ...] = Field(
        ("hepatoblastoma", "resection", "kasabach_merritt", "missing_data"),
        description="Columns of the subjects table that exclude a child where they say yes.",
    )

    @model_validator(mode="after")
    def _ordered(self) -> Entry:
        if self.age_months is not None and not 0 <= self.age_months[0] <= self.age_months[1]:
            raise ValueError("age_months is [youngest, oldest] with 0 <= youngest <= oldest")
        return self


Epoch = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9 /-]{0,39}$")]
"""A name of 1 to 40 capitals, such as TREATMENT."""
VisitName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]


Day = Annotated[int, Field(ge=-36_525, le=36_525)]
"""A day within a hundred years of baseline."""


class PlannedVisit(Section):
    """One visit of the schedule (docs/visits.md). Days count from baseline; earlier ones are negative."""

    name: VisitName = Field(description="Name in every table: small letters, digits and `_`; one is `baseline`.")
    label: str = Field("", max_length=40, description="The same in words for people; empty: the name.")
    day: Day = Field(description="Due day, counted from baseline; that of baseline is 0.")
    window: tuple[Day, Day] = Field(description="First and last day, counted from baseline, that still count.")
    primary: bool = Field(
        False, description="Whether the change from baseline to this visit is the trial's answer; one at most."
    )
    epoch: Epoch | None = Field(None, description="Epoch of the trial, in words of CDISC's codelist EPOCH.")
    words: tuple[str, ...] = Field((), description="ClinicalTrialTimePointID values (any case) that mean this visit.")

    @model_validator(mode="after")
    def _in_its_window(self) -> PlannedVisit:
        if self.name.startswith(("day_", "undated")):
            raise ValueError(f"'{self.name}' is kept for visits beside the schedule")
        if not self.window[0] <= self.day <= self.window[1]:
            raise ValueError(f"day {self.day} of {self.name} lies outside its window")
        if self.primary and self.day <= 0:
            raise ValueError(f"{self.name} is not after baseline and cannot be the primary visit")
        if self.name == BASELINE and (self.day, *self.window) != (0, 0, 0):
            raise ValueError("baseline is day 0, and its window is [0, 0]")
        return self

    def record(self) -> records.TimePoint:
        """The visit as the stages take it."""
        return records.TimePoint(
            name=self.name, label=self.label or in_words(self.name), day=self.day, window=self.window,
            epoch=self.epoch or "", words=self.words,
        )  # fmt: skip


def _trial() -> tuple[PlannedVisit, ...]:
    """The schedule of NCT04406870."""
    return tuple(PlannedVisit(**asdict(point), primary=point.name == TRIAL.primary) for point in TRIAL.points)


class Protocol(Section):
    """What the trial's protocol says beside the sizes. The defaults are those of NCT04406870."""

    name: str = Field("NCT04406870", description="The trial's registration, printed in the report; empty: no trial.")
    entry: Entry = Field(Entry(), description="Entry criteria.")
    historical_rate: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        0.577,
        description="Share of responders without the treatment, that the cohort is compared with; null: none is known.",
    )
    historical_source: str = Field(
        "15 of 26 children under propranolol alone in the earlier series that the trial refers to",
        description="Where that share comes from.",
    )
    age_groups_months: tuple[Positive, ...] = Field(
        (14,),
        min_length=1,
        description="Ages at which the cohort is divided into groups, months, ascending. 14: by then congenital focal "
        "lesions are gone by themselves.",
    )
    schedule: tuple[PlannedVisit, ...] | None = Field(
        _trial(), description="The visits in order of time, one of them `baseline`; none: each study day is a visit."
    )
    descriptions: Descriptions = Field(Descriptions(), description="What descriptions of studies say of their visits.")

    @model_validator(mode="after")
    def _ascending(self) -> Protocol:
        if any(first >= second for first, second in itertools.pairwise(self.age_groups_months)):
            raise ValueError("age_groups_months must ascend")
        return self

    @model_validator(mode="after")
    def _in_order(self) -> Protocol:
        points = self.schedule or ()
        if points and BASELINE not in [point.name for point in points]:
            raise ValueError("one visit of the schedule is called baseline")
        for one, other in itertools.pairwise(points):
            if one.window[1] >= other.window[0]:
                raise ValueError(f"{other.name} has to come after {one.name}, and their windows may share no day")
        if sum(point.primary for point in points) > 1:
            raise ValueError("one visit of the schedule at most is primary")
        for what, found in (
            ("name", [point.name for point in points]),
            ("word", [word for point in points for word in {*map(plain_word, point.words)}]),
        ):
            if twice := [each for each in found if found.count(each) > 1]:
                raise ValueError(f"the {what} '{twice[0]}' means two visits of the schedule")
        return self

    @property
    def visit_names(self) -> tuple[str, ...]:
        """Names of the schedule's visits; baseline alone where there is no schedule."""
        return tuple(point.name for point in self.schedule or ()) or (BASELINE,)

    def timetable(self) -> Schedule | None:
        """The schedule as the stages take it; None: each study day is a visit."""
        if not self.schedule:
            return None
        primary = next((point.name for point in self.schedule if point.primary), None)
        return Schedule(tuple(point.record() for point in self.schedule), primary)
