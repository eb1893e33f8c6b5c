"""A whole evaluation as one record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lesion_measure.lab.evaluation.cases import Case
from lesion_measure.lab.evaluation.comparison import SetComparison
from lesion_measure.lab.evaluation.run import Placement
from lesion_measure.lab.evaluation.summary import Summary


@dataclass(frozen=True, slots=True)
class Model:
    """Which bundle: the name and weights' SHA-256 that it states, and its folder's name."""

    name: str
    sha256: str
    folder: str

    @property
    def weights(self) -> str:
        """The first 12 hexadecimal digits of the weights' SHA-256: enough to tell bundles of one name apart."""
        return self.sha256[:12]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Everything that an evaluation found out.

    ``models`` holds the bundle and, where there is one, the one that it is compared with, to which ``other_cases`` and
    ``other_summary`` belong. ``placings`` is how often each lesion's calipers were to be placed, None for as often as
    the size of its set asks for. ``notes`` are what a reader must know before believing the figures.
    """

    created: str
    models: tuple[Model, ...]
    seed: int
    spread: float
    other_spreads: tuple[float, ...]
    placement: Placement
    placings: int | None
    unseen_only: bool
    notes: tuple[str, ...]
    cases: tuple[Case, ...]
    summary: Summary
    other_cases: tuple[Case, ...] | None
    other_summary: Summary | None
    comparison: Mapping[str, SetComparison] | None
