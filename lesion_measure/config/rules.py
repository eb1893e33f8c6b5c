"""Settings of the verdict: target lesions, response rules, and which of them is applied."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Literal

from pydantic import Field, model_validator

from lesion_measure.config.section import Fraction, PositiveInt, Section
from lesion_measure.records import Metric
from lesion_measure.spelling import nearest


class Targets(Section):
    """Which lesions the sums run over. A reader's own choice (subjects.csv, column `targets`) comes before these rules.

    They look at baseline alone: a choice that knew the follow-up would choose the result. All lesions lie in one organ,
    the liver. Lesions that are not chosen are non-targets: listed, followed, and no part of a sum.
    """

    most: PositiveInt | None = Field(None, description="Most target lesions; none: all of them.")
    most_per_organ: PositiveInt | None = Field(None, description="Most target lesions in one organ; none: no limit.")
    min_diameter_mm: float = Field(
        0, ge=0, description="Least longest diameter of a target lesion at baseline, mm; a smaller one is a non-target."
    )
    max_diameter_cv: Fraction = Field(
        0.25,
        description="Largest error of the longest diameter at baseline (SD / mean) at which a lesion counts as "
        "measured reproducibly; others come after those in the ranking, which is otherwise by longest diameter.",
    )


class Rule(Section):
    """One response rule. Percent changes are signed: -30 is a fall by 30 %."""

    metric: Metric | None = Field(None, description="The size that the rule looks at; none: the primary metric.")
    response_percent: float = Field(
        ge=-100, le=0, description="Change from baseline at or below which the subject responds."
    )
    response_at_limit: bool = Field(
        True, description="Whether a change of exactly that much is a response; the report says which."
    )
    response_name: str = Field("effective", description="Name of a response.")
    progression_percent: float | None = Field(
        None,
        description="Growth at or above which the disease progresses; none: no growth of the sum is a progression.",
    )
    progression_min_mm: float = Field(0, ge=0, description="Least absolute growth in mm for progression.")
    progression_from: Literal["nadir", "baseline"] = Field(
        "nadir", description="Growth since the smallest sum so far (baseline included), or since baseline."
    )
    progression_of: Literal["sum", "any_lesion"] = Field(
        "sum", description="Whose growth counts: the sum's, or that of any one target lesion."
    )
    confirmation_days: PositiveInt | None = Field(
        None,
        description="Days after which a response has to be seen again to be the best overall one; none: once will do.",
    )
    stable_days: int = Field(
        0, ge=0, description="Least days from baseline at which stable disease can be the best overall response."
    )
    targets: Targets = Field(Targets(), description="Which lesions the rule's sums run over.")
    stable_name: str = Field("not effective", description="Name of what is neither response nor progression.")
    progression_name: str = Field("progression", description="Name of progression.")
    complete_name: str = Field("complete response", description="Name of the response where every lesion is gone.")
    source: str = Field("", description="Where the rule comes from.")

    @model_validator(mode="after")
    def _names_differ(self) -> Rule:
        """A response is known by its name; one that is also the name of something else would make responders."""
        others = (self.stable_name, self.progression_name)
        if {self.response_name, self.complete_name} & set(others) or others[0] == others[1]:
            raise ValueError("the names of response, stable disease and progression must differ")
        return self


class AppliedRule(Rule):
    """A response rule whose size is known."""

    metric: Metric = Field(description="The size that the rule looks at.")

    @property
    def counts_from_nadir(self) -> bool:
        """Whether a verdict may turn on growth from the smallest size so far."""
        return self.progression_percent is not None and self.progression_from == "nadir"

    def is_response(self, category: str | None) -> bool:
        """Whether a verdict in the rule's own words says that the subject responds."""
        return category in (self.response_name, self.complete_name)

    @property
    def limits_percent(self) -> tuple[float | None, ...]:
        """The changes at which a verdict turns, in percent."""
        return self.response_percent, self.progression_percent


_ONCOLOGY = {
    "response_name": "partial response",
    "stable_name": "stable disease",
    "progression_name": "progressive disease",
}


@lru_cache(maxsize=64)
def _applied(rule: Rule, primary: Metric) -> AppliedRule:
    """A rule with its size settled: made once, since each child asks for all of them."""
    return AppliedRule.model_validate(rule.model_dump() | {"metric": rule.metric or primary})


@cache
def _built_in() -> Mapping[str, Rule]:
    """The rules by their names, made once: they never change."""
    return {
        "trial": Rule(response_percent=-30, source="NCT04406870: shrinkage of at least 30 %"),
        "recist_style": Rule(
            metric=Metric.SUM_OF_DIAMETERS, response_percent=-30, progression_percent=20, progression_min_mm=5,
            targets=Targets(most=5, most_per_organ=2, min_diameter_mm=10),
            source="after RECIST 1.1 (Eisenhauer 2009), which discourages ultrasound: RECIST-style", **_ONCOLOGY,
        ),
        "who": Rule(
            metric=Metric.SUM_OF_PRODUCTS, response_percent=-50, progression_percent=25, progression_of="any_lesion",
            source="WHO handbook 1979 (Miller 1981): products of two perpendicular diameters", **_ONCOLOGY,
        ),
        "volume": Rule(
            metric=Metric.VOLUME, response_percent=-65, progression_percent=73,
            source="cube of the RECIST diameter limits (-65.7 and +72.8 %)", **_ONCOLOGY,
        ),
    }  # fmt: skip


class Comparison(Section):
    """Change from baseline, and what it is called."""

    primary_metric: Metric = Field(
        Metric.SUM_OF_DIAMETERS,
        description="The trial's size metric, printed on every page (for one lesion: its longest diameter); "
        "diameters and volumes are always both computed.",
    )
    rule: str = Field("trial", description="Name of the response rule that is applied.")
    rules: dict[str, Rule] = Field(default_factory=lambda: {**_built_in()}, description="The response rules, by name.")
    secondary_rules: bool = Field(
        True,
        description="Whether the report also shows what the other rules, of this file and built in, would say of each "
        "child: secondary, the answer is by `rule`.",
    )

    @property
    def applied_rule(self) -> AppliedRule:
        """The chosen rule, its size settled."""
        return _applied(self.rules[self.rule], self.primary_metric)

    @property
    def asked(self) -> frozenset[Metric]:
        """The sizes without which the trial has no answer: the primary one, and that of the rule."""
        return frozenset({self.primary_metric, self.applied_rule.metric})

    @property
    def other_rules(self) -> dict[str, AppliedRule]:
        """The rules whose verdicts are shown beside the answer: the file's own, then those built in by other names."""
        if not self.secondary_rules:
            return {}
        known = {**self.rules, **{n: r for n, r in _built_in().items() if n not in self.rules}}
        return {name: _applied(rule, self.primary_metric) for name, rule in known.items() if name != self.rule}

    @model_validator(mode="after")
    def _rule_exists(self) -> Comparison:
        if self.rule not in self.rules:
            near = nearest(self.rule, self.rules)
            meant = f"; did you mean '{near}'?" if near else ""
            raise ValueError(f"rule '{self.rule}' is not one of {', '.join(sorted(self.rules))}{meant}")
        return self
