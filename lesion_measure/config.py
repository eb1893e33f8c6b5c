"""One immutable configuration, read from YAML. Unknown keys are errors; it can hash itself.

Every setting carries its meaning and unit in ``description``; ``docs/settings.md`` is made from them and a test fails
when the two differ.
"""

from __future__ import annotations

import difflib
import hashlib
import itertools
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from lesion_measure.errors import ConfigError
from lesion_measure.records import Metric, Plane, VolumeMethod

Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
PositiveInt = Annotated[int, Field(gt=0)]

MAX_CONFIG_BYTES = 1_000_000
MOST_NAMED, MOST_LISTED = 5, 12
"""Unknown keys that a complaint names; keys of a section that it lists where none is near."""
TINY_PERCENT = 1e-9
"""Percent by which a change may miss a limit through rounding of floating-point numbers alone."""


MOST_DIGITS = 6


def telling_digits(value: float, limits: Iterable[float | None], digits: int = 1) -> int:
    """Decimals for a value in percent or months: more than ``digits`` where rounding would hide its side of a limit.

    >>> telling_digits(-29.97, (-30,)), telling_digits(-30, (-30,)), telling_digits(-29.9, (-30,))
    (2, 1, 1)
    """
    for limit in limits:
        if limit is None or abs(value - limit) <= TINY_PERCENT:
            continue
        while digits < MOST_DIGITS and (rounded := round(value, digits)) != value:
            if rounded != limit and (rounded < limit) == (value < limit):
                break
            digits += 1
    return digits


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Visits(_Section):
    """Which study is which visit, where no manifest says so."""

    one_month_days: Positive = Field(30, description="Days after baseline at which the 1-month scan is due.")
    one_month_window_days: tuple[int, int] = Field(
        (14, 45), description="First and last day after baseline on which a scan counts as the 1-month scan."
    )
    screening_window_days: tuple[int, int] = Field(
        (60, 120), description="Days before baseline in which an earlier scan counts as the screening scan."
    )
    baseline_time_points: tuple[str, ...] = Field(
        ("baseline", "bl", "v1", "visit 1", "day 0", "d0", "month 0", "m0"),
        description="ClinicalTrialTimePointID values (any case) that mean baseline.",
    )
    one_month_time_points: tuple[str, ...] = Field(
        ("one_month", "one month", "month 1", "1 month", "1m", "m1", "v2", "visit 2", "day 30", "d30", "week 4"),
        description="ClinicalTrialTimePointID values (any case) that mean the 1-month visit.",
    )
    screening_time_points: tuple[str, ...] = Field(
        ("screening", "scr", "screen", "month -3", "m-3", "v0", "visit 0"),
        description="ClinicalTrialTimePointID values (any case) that mean screening.",
    )

    @model_validator(mode="after")
    def _ordered(self) -> Visits:
        for first, last in (self.one_month_window_days, self.screening_window_days):
            if not 0 < first <= last:
                raise ValueError("a window is [first day, last day] with 0 < first <= last")
        if not self.one_month_window_days[0] <= self.one_month_days <= self.one_month_window_days[1]:
            raise ValueError("one_month_days lies outside one_month_window_days")
        return self


Words = tuple[Annotated[str, Field(min_length=1, max_length=64)], ...]


class Planes(_Section):
    """How the scan plane of an image is known (docs/measurement.md, "Scan planes").

    The words are looked for in the header's texts, whole and in any case; a rule may be several words. They are plain
    words, not expressions: letters and single blanks.
    """

    transverse_words: Words = Field(
        ("transverse", "transversal", "transversale", "trans", "trv", "axial", "quer", "querschnitt"),
        description="Words that mean a transverse plane.",
    )
    sagittal_words: Words = Field(
        (
            "sagittal", "sagital", "sagittale", "sag", "parasagittal", "longitudinal", "longitudinale", "längsschnitt",
            "laengsschnitt",
        ),
        description="Words that mean a sagittal plane. 'long' is left out, since 'long axis' is no plane of the body; "
        "add it where the site writes LONG for sagittal.",
    )  # fmt: skip
    coronal_words: Words = Field(("coronal", "coronale", "frontal"), description="Words that mean a coronal plane.")
    oblique_words: Words = Field(
        ("oblique", "oblicuo", "obliqua", "schräg", "intercostal"),
        description="Words that mean an oblique plane, whatever other plane is named beside them.",
    )
    oblique_beyond_deg: float = Field(
        15,
        gt=0,
        lt=45,
        description="Angle to the nearest plane of the body from which an image whose orientation in the patient is "
        "stated is oblique.",
    )
    header_disagreement: Literal["unknown", "first"] = Field(
        "unknown",
        description="Sources of one header that name different planes: the plane is not known, or the first source in "
        "the order of precedence counts. Either way there is a warning.",
    )

    def words(self) -> dict[Plane, Words]:
        """The words of each plane."""
        return {
            Plane.TRANSVERSE: self.transverse_words,
            Plane.SAGITTAL: self.sagittal_words,
            Plane.CORONAL: self.coronal_words,
            Plane.OBLIQUE: self.oblique_words,
        }

    @model_validator(mode="after")
    def _plain_words(self) -> Planes:
        every = [word for words in self.words().values() for word in words]
        if odd := [word for word in every if not all(part.isalpha() for part in word.split(" "))]:
            raise ValueError(f"'{odd[0]}' is not words of letters with single blanks between them")
        if twice := [word for word in every if [other.lower() for other in every].count(word.lower()) > 1]:
            raise ValueError(f"'{twice[0]}' is given twice")
        return self


class Calibration(_Section):
    """When a scale stated by a file is believed."""

    edge_tolerance_px: int = Field(1, ge=0, description="Pixels by which a region may reach over the image's edge.")
    max_depth_mm: Positive = Field(300, description="Deepest plausible region; one that implies more is refused.")
    max_width_mm: Positive = Field(
        600, description="Widest plausible region (a panorama); one that implies more is refused."
    )
    min_pixel_mm: Positive = Field(
        0.005, description="Smallest plausible pixel, far below any ultrasound's resolution; less is a wrong unit."
    )
    max_image_mm: Positive = Field(
        450, description="Largest plausible whole image where only PixelSpacing is given (margins included)."
    )
    agreement: Fraction = Field(
        0.01, description="Relative difference up to which PixelSpacing and a region's scale agree."
    )


class Limits(_Section):
    """Bounds on untrusted input."""

    zip_total_bytes: PositiveInt = Field(20_000_000_000, description="Largest sum of unpacked bytes of one archive.")
    zip_member_bytes: PositiveInt = Field(2_000_000_000, description="Largest unpacked member of an archive.")
    zip_members: PositiveInt = Field(100_000, description="Most members of one archive.")
    zip_ratio: Positive = Field(200, description="Largest ratio of unpacked to packed bytes of a member.")
    zip_depth: PositiveInt = Field(3, description="How deep zips inside zips are opened.")
    frame_bytes: PositiveInt = Field(268_435_456, description="Largest decoded frame, in bytes.")
    header_bytes: PositiveInt = Field(
        67_108_864, description="Largest header (everything before the pixels), unpacked, in bytes."
    )


class Calipers(_Section):
    """How a reader's calipers are used."""

    reader: str | None = Field(
        None, description="The reader whose calipers count, where several readers measured; none: refused as ambiguous."
    )
    repeats: Literal["refuse", "mean"] = Field(
        "refuse", description="Several calipers of the same axis by the same reader: refuse, or take their mean."
    )


class Segment(_Section):
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
    frames_per_cine: PositiveInt = Field(12, description="Frames of a cine that are looked at, evenly spaced.")
    test_time_flips: bool = Field(True, description="Average the network over mirrored copies of the image.")
    min_proposal_confidence: Fraction = Field(
        0.2, description="Least confidence at which a lesion that is not accepted is mentioned for review."
    )
    min_lesion_mm: Positive = Field(3, description="Smallest long axis that is a lesion and not a speck, in mm.")


class Volumes(_Section):
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


class Repeatability(_Section):
    """How far two measurements of an unchanged lesion differ, from published or own repeat readings."""

    diameter_cv: Fraction = Field(0.089, description="Coefficient of variation of one diameter (SD / mean).")
    volume_cv: Fraction = Field(0.15, description="Coefficient of variation of one ellipsoid volume (SD / mean).")
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


class Uncertainty(_Section):
    """What goes into the error bars."""

    repeatability: Repeatability = Field(Repeatability(), description="Reader repeatability.")
    caliper_end_px: Positive = Field(
        0.5, description="SD of a caliper end along its line, in pixels, from the pixel grid and the hand."
    )
    min_outline_px: Positive = Field(0.3, description="Least SD of an outline point of the network, in pixels.")
    prompted_cv: Fraction = Field(
        0.09,
        description="SD of the width of an outline that calipers prompted, as a share of it, over lesions whose truth "
        "is known (median error 6 %, benchmarks/prompted_outlines.py); of its area, sqrt(2) times this.",
    )


class Targets(_Section):
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


class Likeness(_Section):
    """How much the pictures of one and the same lesion differ (docs/pairing.md).

    SDs of the difference, what is common to all lesions taken off: the probe's place, and the child's change.
    """

    lateral_mm: Positive = Field(description="SD of a lesion's place across the picture, beside the common move, mm.")
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
    move_lateral_mm: Positive = Field(description="SD of the probe's common move across the picture, mm.")
    move_depth_mm: Positive = Field(description="SD of the common move in depth (pressure, abdominal wall), mm.")
    turn_deg: Positive = Field(description="SD of the probe's common tilt in the picture's plane, degrees.")
    stretch: Positive = Field(description="SD of the common relative stretch (growth, compression, sound speed).")
    change_log: float = Field(description="Expected common change: log of the ratio of diameters.")
    change_log_sd: Positive = Field(description="SD of that common change.")
    contrast_shift: Positive = Field(description="SD of the common shift of contrast (gain, treatment).")
    texture_shift: Positive = Field(description="SD of the common shift of texture.")
    unpaired: float = Field(
        description="Price, in nats, of leaving a lesion without partner: minus the log of how often one is missed, "
        "gone or new."
    )


class Unlikeness(_Section):
    """How much two different lesions of one child differ: SDs of the difference."""

    lateral_mm: Positive = Field(36, description="Across the picture, mm.")
    depth_mm: Positive = Field(25, description="In depth, mm.")
    size_log: Positive = Field(0.58, description="Log of the diameter.")
    shape_log: Positive = Field(0.19, description="Log of long / short axis.")
    contrast: Positive = Field(0.08, description="Contrast.")
    texture: Positive = Field(0.037, description="Texture.")


class Pairing(_Section):
    """The same lesion on several pictures and at several visits, where nobody named it (docs/pairing.md)."""

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
        description="One lesion on two pictures of a visit.",
    )  # fmt: skip
    different: Unlikeness = Field(Unlikeness(), description="Two different lesions.")
    other_plane: Positive = Field(
        1.5, description="Factor on all SDs where two pictures share no plane, or their planes are not known."
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


class EmptyEvidence(_Section):
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
        from scipy.special import betaincinv  # here, since few runs need it and it takes a while to load

        if self.missed >= self.visits:
            return 1.0
        return float(betaincinv(self.missed + 1, self.visits - self.missed, 0.975))


class Disappearance(_Section):
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


class Rule(_Section):
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


class AppliedRule(Rule):
    """A response rule whose size is known."""

    metric: Metric = Field(description="The size that the rule looks at.")

    @property
    def limits_percent(self) -> tuple[float | None, ...]:
        """The changes at which a verdict turns, in percent."""
        return self.response_percent, self.progression_percent


_ONCOLOGY = {
    "response_name": "partial response",
    "stable_name": "stable disease",
    "progression_name": "progressive disease",
}


def _default_rules() -> dict[str, Rule]:
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


class Comparison(_Section):
    """Change from baseline, and what it is called."""

    primary_metric: Metric = Field(
        Metric.SUM_OF_DIAMETERS,
        description="The trial's size metric, printed on every page (for one lesion: its longest diameter); "
        "diameters and volumes are always both computed.",
    )
    rule: str = Field("trial", description="Name of the response rule that is applied.")
    rules: dict[str, Rule] = Field(default_factory=_default_rules, description="The response rules, by name.")
    secondary_rules: bool = Field(
        True,
        description="Whether the report also shows what the other rules, of this file and built in, would say of each "
        "child: secondary, the answer is by `rule`.",
    )

    @property
    def applied_rule(self) -> AppliedRule:
        """The chosen rule, its size settled."""
        return self._applied(self.rules[self.rule])

    @property
    def other_rules(self) -> dict[str, AppliedRule]:
        """The rules whose verdicts are shown beside the answer: the file's own, then those built in by other names."""
        if not self.secondary_rules:
            return {}
        known = {**self.rules, **{n: r for n, r in _default_rules().items() if n not in self.rules}}
        return {name: self._applied(rule) for name, rule in known.items() if name != self.rule}

    def _applied(self, rule: Rule) -> AppliedRule:
        return AppliedRule.model_validate(rule.model_dump() | {"metric": rule.metric or self.primary_metric})

    @model_validator(mode="after")
    def _rule_exists(self) -> Comparison:
        if self.rule not in self.rules:
            raise ValueError(f"rule '{self.rule}' is not one of {', '.join(sorted(self.rules))}")
        return self


Exclusion = Literal["hepatoblastoma", "resection", "kasabach_merritt", "missing_data"]


class Entry(_Section):
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


class Protocol(_Section):
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

    @model_validator(mode="after")
    def _ascending(self) -> Protocol:
        if any(first >= second for first, second in itertools.pairwise(self.age_groups_months)):
            raise ValueError("age_groups_months must ascend")
        return self


class Report(_Section):
    """How the report looks."""

    title: str = Field("Liver lesion change on ultrasound", description="Title of the report.")
    image_width_px: int = Field(640, ge=200, le=2000, description="Width of each picture in the report, in pixels.")


class Config(_Section):
    """All settings of a run."""

    visits: Visits = Field(Visits(), description="Visits.")
    planes: Planes = Field(Planes(), description="Scan planes.")
    calibration: Calibration = Field(Calibration(), description="Calibration.")
    limits: Limits = Field(Limits(), description="Limits on untrusted input.")
    calipers: Calipers = Field(Calipers(), description="Calipers.")
    segment: Segment = Field(Segment(), description="Segmentation.")
    volumes: Volumes = Field(Volumes(), description="Volumes.")
    uncertainty: Uncertainty = Field(Uncertainty(), description="Uncertainty.")
    pairing: Pairing = Field(Pairing(), description="Pairing.")
    disappearance: Disappearance = Field(Disappearance(), description="Disappearance.")
    comparison: Comparison = Field(default_factory=Comparison, description="Comparison.")
    protocol: Protocol = Field(Protocol(), description="The trial's protocol.")
    report: Report = Field(Report(), description="Report.")

    @model_validator(mode="after")
    def _nothing_hidden(self) -> Config:
        """An empty result that settings bring about says nothing."""
        if self.disappearance.by_network and self.segment.threshold > 0.5:
            raise ValueError("disappearance.by_network needs a segment.threshold of 0.5 or less")
        if self.disappearance.by_network and self.segment.min_lesion_mm > self.disappearance.smallest_named_mm:
            raise ValueError("disappearance.by_network needs a segment.min_lesion_mm below what the evidence has seen")
        return self

    @classmethod
    def from_yaml(cls, path: Path) -> Config:
        """Read a configuration file; keys that are left out keep their defaults.

        Raises
        ------
        ConfigError
            The file cannot be read, is no YAML mapping, or holds an unknown or impossible setting.
        """
        return read_settings(cls, path, remedy="docs/settings.md lists every setting.")

    def sha256(self) -> str:
        """SHA-256 of the canonical JSON of every setting, defaults included."""
        canonical = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


Settings = TypeVar("Settings", bound=BaseModel)


def read_settings(kind: type[Settings], path: Path, *, remedy: str) -> Settings:
    """Settings of a YAML file, which is untrusted: bounded, no objects, checked against their model.

    Raises
    ------
    ConfigError
        The file cannot be read, is no YAML mapping, or holds an unknown or impossible setting.
    """
    try:
        if path.stat().st_size > MAX_CONFIG_BYTES:
            raise ConfigError("The configuration file is larger than 1 MB.", path=str(path))
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"The configuration file cannot be read ({error.strerror}).", path=str(path)) from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"The configuration file is not valid YAML: {error}.", path=str(path)) from error
    if data is None:
        data = {}
    if not isinstance(data, dict):
        raise ConfigError("The configuration file must be a mapping of settings.", path=str(path))
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        raise ConfigError(_complaint(kind, error), remedy=remedy, path=str(path)) from error


def _complaint(kind: type[BaseModel], error: ValidationError) -> str:
    """Every key that does not exist, with the nearest one that does; else the first thing that is wrong.

    A misspelled key is often also a missing one, of which pydantic speaks first and without the wrong word.
    """
    unknown = [e["loc"] for e in error.errors() if e["type"] == "extra_forbidden"]
    if not unknown:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "file"
        return f"Setting '{where}': {first['msg']}."
    words = [f"Setting '{'.'.join(map(str, loc))}' does not exist{_instead(kind, loc)}" for loc in unknown[:MOST_NAMED]]
    more = len(unknown) - MOST_NAMED
    return "; ".join(words) + (f"; and {more} more." if more > 0 else ".")


def _instead(kind: type[BaseModel], loc: tuple[int | str, ...]) -> str:
    """Which key may have been meant: one of the same section, else one of that name in another section."""
    key = str(loc[-1])
    section = _section_at(kind, loc[:-1])
    here = [] if section is None else _keys(section)
    if near := difflib.get_close_matches(key, here, n=1):
        return f"; did you mean '{near[0]}'?"
    if elsewhere := [name for name in _dotted(kind) if name.split(".")[-1] == key]:
        return f" here; '{elsewhere[0]}' does"
    return f"; there is {', '.join(here)}" if here and len(here) <= MOST_LISTED else ""


def _keys(kind: type[BaseModel]) -> list[str]:
    return [info.alias or name for name, info in kind.model_fields.items()]


def _inner(annotation: Any) -> type[BaseModel] | None:
    """The section that a field, a list or a mapping of them holds, whatever else it may hold."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _inner(part)) is not None), None)


def _section_at(kind: type[BaseModel], loc: tuple[int | str, ...]) -> type[BaseModel] | None:
    """The section at a place of pydantic's; names of rules and numbers of a list lead to no other section."""
    for part in loc:
        info = next((i for name, i in kind.model_fields.items() if part in (name, i.alias)), None)
        if info is None:
            continue
        inner = _inner(info.annotation)
        if inner is None:
            return None
        kind = inner
    return kind


def _dotted(kind: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, info in kind.model_fields.items():
        yield (dotted := f"{prefix}{info.alias or name}")
        inner = _inner(info.annotation)
        if inner is not None and inner is not kind:
            yield from _dotted(inner, f"{dotted}.")
