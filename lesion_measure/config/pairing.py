"""Settings by which a lesion is known again (docs/pairing.md)."""

from __future__ import annotations

from pydantic import Field, model_validator

from lesion_measure.config.section import Fraction, Positive, Section


class Likeness(Section):
    """How much the images of one and the same lesion differ (docs/pairing.md).

    SDs of the difference, what is common to all lesions taken off: the probe's place, and the child's change.
    """

    lateral_mm: Positive = Field(description="SD of a lesion's place across the image, beside the common move, mm.")
    depth_mm: Positive = Field(description="SD of its depth, beside the common move, mm.")
    place_prior: Positive = Field(
        6,
        description="Number of lesions as whose places the two SDs above count, where a visit's own lesions spread "
        "more, less or in one direction (a probe tilted out of its plane).",
    )
    size_log: Positive = Field(description="SD of the log of its diameter, beside the common change.")
    shape_log: Positive = Field(description="SD of the log of long / short axis.")
    contrast: Positive = Field(
        description="SD of its contrast (mean grey level against the surroundings, share of full scale), beside the "
        "common shift."
    )
    texture: Positive = Field(description="SD of its texture (SD of the grey level inside), beside the common shift.")
    move_lateral_mm: Positive = Field(description="SD of the probe's common move across the image, mm.")
    move_depth_mm: Positive = Field(description="SD of the common move in depth (pressure, abdominal wall), mm.")
    turn_deg: Positive = Field(description="SD of the probe's common tilt in the image's plane, degrees.")
    stretch: Positive = Field(description="SD of the common relative stretch (growth, compression, sound speed).")
    change_log: float = Field(description="Expected common change: log of the ratio of diameters.")
    change_log_sd: Positive = Field(description="SD of that common change.")
    contrast_shift: Positive = Field(description="SD of the common shift of contrast (gain, treatment).")
    texture_shift: Positive = Field(description="SD of the common shift of texture.")
    unpaired: float = Field(
        description="Price, in nats, of leaving a lesion without partner: minus the log of how often one is missed, "
        "gone or new."
    )


class Unlikeness(Section):
    """How much two different lesions of one child differ: SDs of the difference."""

    lateral_mm: Positive = Field(36, description="Across the image, mm.")
    depth_mm: Positive = Field(25, description="In depth, mm.")
    size_log: Positive = Field(0.58, description="Log of the diameter.")
    shape_log: Positive = Field(0.19, description="Log of long / short axis.")
    contrast: Positive = Field(0.08, description="Contrast.")
    texture: Positive = Field(0.037, description="Texture.")


class Pairing(Section):
    """The same lesion on several images and at several visits, where nobody named it (docs/pairing.md)."""

    min_confidence: Fraction = Field(
        0.93,
        description="Least confidence of an automatic pairing that needs no review; below it no verdict is certain.",
    )
    least_confidence: Fraction = Field(
        0.5, description="Below this confidence lesions are not paired at all, and nothing is compared."
    )
    visits: Likeness = Field(
        Likeness(
            lateral_mm=5, depth_mm=5, size_log=0.16, shape_log=0.12, contrast=0.045, texture=0.024,
            move_lateral_mm=18, move_depth_mm=6, turn_deg=12, stretch=0.05, change_log=-0.3, change_log_sd=0.35,
            contrast_shift=0.045, texture_shift=0.022, unpaired=1.2,
        ),
        description="One lesion at two visits.",
    )  # fmt: skip
    pictures: Likeness = Field(
        Likeness(
            lateral_mm=4, depth_mm=4, size_log=0.2, shape_log=0.15, contrast=0.05, texture=0.04,
            move_lateral_mm=20, move_depth_mm=4, turn_deg=12, stretch=0.02, change_log=0, change_log_sd=0.05,
            contrast_shift=0.02, texture_shift=0.02, unpaired=0.7,
        ),
        description="One lesion on two images of a visit.",
    )  # fmt: skip
    different: Unlikeness = Field(Unlikeness(), description="Two different lesions.")
    other_plane: Positive = Field(
        1.5, description="Factor on all SDs where two images share no plane, or their planes are not known."
    )
    event: float = Field(2, description="Price, in nats, of two lesions having become one, or one two.")
    confidence_alone: float = Field(
        0.70, description="Logit of the confidence that a lesion has no partner, at a margin of zero."
    )
    confidence_pair: float = Field(
        -3.04, description="Logit of the confidence in a pair, at a margin and an evidence of zero."
    )
    confidence_margin: Positive = Field(0.68, description="What one nat of margin adds to that logit.")
    confidence_evidence: float = Field(
        0.67, ge=0, description="What one nat of a pair's own evidence adds; benchmarks/pairing.py fits all four."
    )

    @model_validator(mode="after")
    def _ordered(self) -> Pairing:
        if self.least_confidence > self.min_confidence:
            raise ValueError("least_confidence is greater than min_confidence")
        return self
