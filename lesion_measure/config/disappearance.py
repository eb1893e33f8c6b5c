"""Settings of a network's empty result (docs/pairing.md)."""

from __future__ import annotations

import scipy
from pydantic import Field, model_validator

from lesion_measure.config.section import Positive, PositiveInt, Section


class EmptyEvidence(Section):
    """How often a network leaves a visit empty that has a lesion, on patients it never saw (docs/pairing.md)."""

    model_sha256: str = Field(
        pattern=r"^[0-9a-f]{64}$",
        description="SHA-256 of the network that was examined, as `run.json` has it (`model_sha256`); of another one "
        "it says nothing.",
    )
    visits: PositiveInt = Field(
        description="Visits with a lesion, at least one of each patient, none of them seen in training, all their "
        "frames looked at."
    )
    missed: int = Field(ge=0, description="Those of them on which the network drew nothing at all.")
    smallest_lesion_mm: Positive = Field(description="Longest diameter of the smallest lesion among them, mm.")
    source: str = Field(min_length=20, max_length=1000, description="Which patients, which scans, who read them.")

    @property
    def missed_at_most(self) -> float:
        """Upper end of the exact 95 % interval of the share of missed visits (Clopper and Pearson 1934)."""
        if self.missed >= self.visits:
            return 1.0
        return float(scipy.special.betaincinv(self.missed + 1, self.visits - self.missed, 0.975))


class Disappearance(Section):
    """When a network's empty result says that a lesion is gone (docs/pairing.md, "A confident empty result").

    A reader's `absent` row always does. The shipped network misses about half of the lesions of real livers, so that no
    empty result of it is confident.
    """

    by_network: bool = Field(
        False,
        description="Whether a visit on which the network drew nothing at all, not even a proposal, can make a lesion "
        "of baseline 'disappeared'; false: it is 'not found'. True needs `evidence`.",
    )
    evidence: EmptyEvidence | None = Field(
        None, description="How often this network leaves lesions out; none: nobody knows, and `by_network` is refused."
    )
    max_missed: float = Field(
        0.05,
        gt=0,
        le=0.2,
        description="Greatest upper end of the 95 % interval of the share of visits with a lesion that the network "
        "left empty. 0.05 asks for at least 72 visits without a miss.",
    )
    remnant_mm: Positive = Field(
        10, description="Lesions from this longest diameter on have to be among those of the evidence, mm."
    )
    min_planes: PositiveInt = Field(
        2, description="Scan planes in which the lesion was measured at baseline and has to be looked for again."
    )
    min_frames_per_plane: PositiveInt = Field(
        10,
        description="Calibrated frames of each of these planes whose header names the liver and whose field of view "
        "takes in the lesion's former depth and length.",
    )
    margin_mm: float = Field(
        10, ge=0, description="How far the field of view has to go beyond the lesion's former depth and length, mm."
    )

    @model_validator(mode="after")
    def _evidence_is_enough(self) -> Disappearance:
        if not self.by_network:
            return self
        if self.evidence is None:
            raise ValueError(
                "by_network needs evidence: how many visits with a lesion, of patients that the network never saw, it "
                "left empty"
            )
        if self.evidence.missed_at_most > self.max_missed:
            raise ValueError(
                f"the evidence allows that the network leaves up to {100 * self.evidence.missed_at_most:.1f} % of "
                f"visits with a lesion empty ({self.evidence.missed} of {self.evidence.visits}, 95 % interval), more "
                f"than max_missed, {100 * self.max_missed:g} %"
            )
        if self.evidence.smallest_lesion_mm > self.remnant_mm:
            raise ValueError(
                f"the smallest lesion of the evidence has {self.evidence.smallest_lesion_mm:g} mm, more than "
                f"remnant_mm, {self.remnant_mm:g} mm: whether the network sees smaller ones nobody knows"
            )
        return self

    @property
    def smallest_named_mm(self) -> float:
        """What 'gone' means at most: no lesion from this longest diameter on, mm."""
        return self.remnant_mm if self.evidence is None else self.evidence.smallest_lesion_mm
