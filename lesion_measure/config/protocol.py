"""Settings of the trial's protocol beside the sizes (docs/protocol.md)."""

from __future__ import annotations

import itertools
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from lesion_measure.config.section import Positive, Section
from lesion_measure.records import EPOCHS, Visit

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


class Epochs(Section):
    """Epoch of the trial in which each visit lies, in words of CDISC's codelist EPOCH, for the datasets."""

    screening: Epoch = Field(EPOCHS[Visit.SCREENING], description="Epoch of the screening scan.")
    baseline: Epoch = Field(
        EPOCHS[Visit.BASELINE], description="Epoch of the baseline scan, which is made before the first dose."
    )
    one_month: Epoch = Field(EPOCHS[Visit.ONE_MONTH], description="Epoch of the 1-month scan.")


class Protocol(Section):
    """What the trial's protocol says beside the sizes. The defaults are those of NCT04406870."""

    name: str = Field("NCT04406870", description="The trial's registration, printed in the report; empty: no trial.")
    entry: Entry = Field(Entry(), description="Entry criteria.")
    historical_rate: float = Field(
        0.577, gt=0, lt=1, description="Share of responders without the treatment, with which the cohort is compared."
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
    epochs: Epochs = Field(Epochs(), description="Epochs of the visits.")

    @model_validator(mode="after")
    def _ascending(self) -> Protocol:
        if any(first >= second for first, second in itertools.pairwise(self.age_groups_months)):
            raise ValueError("age_groups_months must ascend")
        return self
