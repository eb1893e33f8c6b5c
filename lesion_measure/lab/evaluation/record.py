"""A whole evaluation as one record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lesion_measure.lab.evaluation.cases import Case
from lesion_measure.lab.evaluation.comparison import SetComparison
from lesion_measure.lab.evaluation.run import Placement
from lesion_measure.lab.evaluation.summary import Summary
from lesion_measure.lab.evaluation.worth import Worth


@dataclass(frozen=True, slots=True)
class Model:
    """Which bundle: the name and weights' SHA-256 that it states, and its folder's name.

    Of the ``masks`` of another tool, the name is the folder's and the SHA-256 that of all of them
    (`peers.read_masks`). ``backend`` is what computed it.
    """

    name: str
    sha256: str
    folder: str
    masks: bool = False
    backend: str = ""

    @property
    def weights(self) -> str:
        """The first 12 hexadecimal digits of the SHA-256: enough to tell bundles of one name apart."""
        return self.sha256[:12]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """One network, or the masks of another tool, on all pictures.

    ``comparison`` is with the evaluation's reference, by set; None for the reference itself.
    """

    model: Model
    cases: tuple[Case, ...]
    summary: Summary
    comparison: Mapping[str, SetComparison] | None = None


@dataclass(frozen=True, slots=True)
class SetData:
    """Which pictures of a set were measured on.

    ``sha256`` is of its pictures and outlines (`provenance.set_sha256`). ``split`` says by model what its pictures were
    to it: how many ``trained_on``, ``chosen_by``, ``test`` and ``unlisted``, without a model that does not say.
    """

    pictures: int
    sha256: str
    split: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Everything that an evaluation found out.

    ``evaluated`` are the bundles in the order in which they were named, then the masks of other tools. The others are
    compared with the one at place ``reference``; it is None where there are no others. ``placings`` is how often each
    lesion's calipers were to be placed, None for as often as the size of its set asks for. ``notes`` are what a reader
    must know before believing the figures. ``data`` is by set; ``command`` and ``environment`` say how and by what the
    figures were made, without folders and names of machines. ``next`` are the pictures that are worth outlining, where
    they were asked for.
    """

    created: str
    evaluated: tuple[Evaluated, ...]
    reference: int | None
    seed: int
    spread: float
    other_spreads: tuple[float, ...]
    placement: Placement
    placings: int | None
    unseen_only: bool
    notes: tuple[str, ...]
    data: Mapping[str, SetData]
    command: str
    environment: Mapping[str, str]
    next: tuple[Worth, ...] = ()

    @property
    def models(self) -> tuple[Model, ...]:
        """The models, in the order of ``evaluated``."""
        return tuple(one.model for one in self.evaluated)

    @property
    def first(self) -> Evaluated:
        """The one whose figures are shown in full."""
        return self.evaluated[0]
