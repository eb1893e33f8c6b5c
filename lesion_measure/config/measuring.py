"""Settings of what is measured: calipers, the network, volumes and error bars."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Literal

from pydantic import Field, model_validator

from lesion_measure.config.section import Fraction, Positive, PositiveInt, Section
from lesion_measure.records import Caliper, VolumeMethod


class Calipers(Section):
    """How a reader's calipers are used."""

    reader: str | None = Field(
        None, description="The reader whose calipers count, where several readers measured; none: refused as ambiguous."
    )
    adjudicator: str | None = Field(
        None, description="The reader whose calipers count, instead, for each child whom this one read."
    )
    repeats: Literal["refuse", "mean"] = Field(
        "refuse", description="Several calipers of the same axis by the same reader: refuse, or take their mean."
    )
    automatic_segments: bool = Field(
        False,
        description="Whether a DICOM segmentation counts as a reader's outline where an algorithm alone drew it "
        "(SegmentAlgorithmType AUTOMATIC); manual and semiautomatic ones always do.",
    )
    objects: bool = Field(
        True,
        description="Take calipers from DICOM objects beside the images: structured reports, presentation states, "
        "segmentations (docs/calipers.md).",
    )
    burnt_in: bool = Field(
        False,
        description="Take calipers that are burnt into the pixels as those of a reader called burnt-in, where their "
        "length agrees with the value printed for them (docs/burnt_in.md); needs the extra read.",
    )

    def of_child(self, readers: Collection[str]) -> Calipers:
        """The same for a child whom these readers read: the adjudicator alone counts, where one did."""
        adjudicated = self.adjudicator is not None and self.adjudicator in readers
        return self.counted_by(self.adjudicator) if adjudicated else self

    def counted_by(self, reader: str | None) -> Calipers:
        """The same, where this reader's calipers alone count; None: as they are."""
        return self if reader is None else self.model_copy(update={"reader": reader, "adjudicator": None})

    def counting(self, rows: Iterable[Caliper]) -> list[Caliper]:
        """The rows of readers who may count: all, where none is named."""
        return [row for row in rows if self.reader is None or row.reader in (self.reader, self.adjudicator)]


class Segment(Section):
    """The network, and when it is believed."""

    policy: Literal["model_first", "calipers_first", "model_only", "calipers_only"] = Field(
        "model_first", description="Whose number is reported where both exist, and what is the fallback."
    )
    min_confidence: Fraction | None = Field(
        None, description="Least confidence at which a lesion of the model is accepted; none: the bundle's own."
    )
    min_prompted_confidence: Fraction | None = Field(
        None, description="The same for an outline that is drawn from a reader's calipers; none: the bundle's own."
    )
    caliper_tolerance: Fraction = Field(
        0.1,
        description="Greatest difference between the long axis of an outline that is drawn from a caliper and that "
        "caliper, and greatest distance of the caliper's ends from that outline, as a share of the caliper; beyond it "
        "the outline is not used.",
    )
    threshold: float = Field(0.5, gt=0, lt=1, description="Probability at which the outline is drawn.")
    cine_frames: Literal["coarse_to_fine", "all"] = Field(
        "coarse_to_fine",
        description="Which frames of a cine the network is shown: frames_per_cine evenly spaced ones and those around "
        "the best of them, or all.",
    )
    frames_per_cine: PositiveInt = Field(12, description="Frames of a cine to begin with, evenly spaced.")
    inpaint_marks: bool = Field(
        False,
        description="Take burnt-in calipers out of what the network is shown: marks, lines and numbers beside them are "
        "filled from around. What people are shown stays as it is.",
    )
    test_time_flips: bool = Field(True, description="Average the network over mirrored copies of the image.")
    min_proposal_confidence: Fraction = Field(
        0.2, description="Least confidence at which a lesion that is not accepted is mentioned for review."
    )
    min_lesion_mm: Positive = Field(3, description="Smallest long axis that is a lesion and not a speck, in mm.")


class Volumes(Section):
    """How the volume of a lesion is computed (docs/measurement.md, "Volumes")."""

    preference: tuple[Literal["voxels", "ellipsoid", "biplane", "rotation", "area_length"], ...] = Field(
        ("voxels", "ellipsoid", "biplane", "rotation", "area_length"),
        description="Methods by preference: the first one that a lesion's planes allow is reported, and two visits are "
        "compared by the first one that both have. A method that is left out is never used.",
    )
    shared_diameter_tolerance: Fraction = Field(
        0.25,
        description="Greatest relative difference of the diameter that two orthogonal planes share (along the depth) "
        "between their two outlines; beyond it there is no biplane volume, since they do not cut the lesion's middle.",
    )

    @property
    def methods(self) -> tuple[VolumeMethod, ...]:
        """The methods by preference."""
        return tuple(VolumeMethod[name.upper()] for name in self.preference)

    @model_validator(mode="after")
    def _each_once(self) -> Volumes:
        if not self.preference or len(set(self.preference)) != len(self.preference):
            raise ValueError("name at least one method, and each of them once")
        return self


class Repeatability(Section):
    """How far two measurements of an unchanged lesion differ, from published or own repeat readings."""

    diameter_cv: Fraction = Field(0.089, description="Coefficient of variation of one diameter (SD / mean); 0 warns.")
    volume_cv: Fraction = Field(
        0.15, description="Coefficient of variation of one ellipsoid volume (SD / mean); 0 warns."
    )
    reader_bias_cv: Fraction = Field(
        0.0,
        description="SD of a reader's (or network's) own bias in a diameter, as a share of it, beside diameter_cv: all "
        "that one reader measures is too long or too short by it alike, so that it adds up in sums and volumes and "
        "cancels in the change between two visits of one reader. 0: diameter_cv holds all there is between readers.",
    )
    source: str = Field(
        "diameter and volume: both from one study of two readers on intra-abdominal masses by ultrasound, "
        "mean difference 10 %; none is known for infantile hepatic hemangioma",
        description="Where these coefficients come from; printed in the report.",
    )

    @property
    def warning(self) -> str:
        """What whoever reads the results has to know where no error of measurement is taken for granted; else empty.

        Perfect calipers of simulated images are without error, so 0 is no mistake everywhere.
        """
        names = {"diameter_cv": self.diameter_cv, "volume_cv": self.volume_cv}
        if not (nil := [name for name, cv in names.items() if cv == 0]):
            return ""
        return (
            f"Readers are taken to measure without error (uncertainty.repeatability: {' and '.join(nil)} 0): error "
            "bars hold little more than the pixel grid, and verdicts look more certain than any reader is. Right for "
            "calipers of simulated images alone."
        )


class Uncertainty(Section):
    """What goes into the error bars."""

    repeatability: Repeatability = Field(Repeatability(), description="Reader repeatability.")
    caliper_end_px: Positive = Field(
        0.5, description="SD of a caliper end along its line, in pixels, from the pixel grid and the hand."
    )
    min_outline_px: Positive = Field(0.3, description="Least SD of an outline point of the network, in pixels.")
    prompted_cv: Fraction = Field(
        0.15,
        description="SD of the width of an outline that calipers prompted, as a share of it, over lesions whose truth "
        "is known (root mean square error of the short axis from one caliper whose ends err by 5 %: 15 % on 18 liver "
        "lesions, 11 % on 98 breast ones, 13 % on 342 simulated ones; from both 9, 6 and 7 %; the bundle's card has "
        "these); of its area, sqrt(2) times this.",
    )
    automatic_cv: Fraction = Field(
        0.12,
        description="SD of the long axis of an automatic outline that the network accepted, as a share of it, "
        "over images whose truth is known (root mean square error of the long axis 13.4 % on 44 held-back breast "
        "lesions, 9.6 % on 41 simulated ones, by the bundle's card; none is accepted on livers, so nothing is known). "
        "3D axes err as much.",
    )
    automatic_short_axis_cv: Fraction = Field(
        0.085,
        description="The same of its short axis (8.5 % on 42 held-back breast lesions, 7.7 % on 42 simulated ones), "
        "and of a diameter through its middle.",
    )
    automatic_area_cv: Fraction = Field(
        0.155, description="The same of its area (12.4 % on these breast lesions, 15.5 % on the simulated ones)."
    )
    automatic_area_correlation: Fraction = Field(
        0.84,
        description="Correlation of the error of such an outline's area with that of each of its axes (0.88 of the "
        "long and 0.80 of the short axis on breast lesions, 0.89 and 0.85 on simulated ones). What an axis errs by "
        "beside that is its own.",
    )
