"""Settings of what is read: scan planes, scales, and bounds on untrusted input."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from lesion_measure.config.section import Fraction, Positive, PositiveInt, Section, Words
from lesion_measure.records import Plane


class Planes(Section):
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


class Calibration(Section):
    """When a scale stated by a file is believed."""

    edge_tolerance_px: int = Field(1, ge=0, description="Pixels by which a region may reach over the image's edge.")
    max_depth_mm: Positive = Field(300, description="Deepest plausible region; one that implies more is refused.")
    min_depth_mm: float = Field(
        15.0,
        ge=0,
        description="Least plausible depth of a region, or of a whole image with PixelSpacing alone. Less is mostly a "
        "wrong unit: a warning says so, and no verdict on such an image is certain.",
    )
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
    warn_pixel_ratio: float = Field(
        1.5, ge=1, description="Ratio of a pixel's longer to its shorter side beyond which there is a warning."
    )
    max_pixel_ratio: float = Field(
        4, ge=1, description="The same ratio beyond which the scale is refused; real files stay within 1.25."
    )
    depth_scale: bool = Field(
        False,
        description="Compare the stated scale with the depth scale that is drawn in the picture, and warn where they "
        "differ (docs/burnt_in.md). It takes half a second an image and the extra read.",
    )
    burnt_in_scale: bool = Field(
        False,
        description="Where a file states no scale, take that of two or more values printed for the image's own "
        "calipers, which have to agree on it (docs/burnt_in.md). Its error is in every size, and every size says so. "
        "It looks at every frame of such an image and takes the extra read.",
    )
    insonated_slack_mm: Positive = Field(
        2,
        description="How far outside of the insonated area, in mm, a caliper's end may lie; 2 pixels at least.",
    )


class Limits(Section):
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
    before_pixels_bytes: PositiveInt = Field(
        2_000_000_000,
        description="Most bytes of a file before its pixels. Scanners put raw data there, all of which is hashed.",
    )
    nesting: PositiveInt = Field(
        30, description="How deep sequences of a received file, or items of a structured report, may lie in each other."
    )
    decoder_seconds: Positive = Field(30, description="Longest time that decoding one compressed frame may take.")
    decoder_bytes: PositiveInt = Field(
        4_294_967_296, description="Most memory of the process that decodes compressed frames, in bytes."
    )
    object_bytes: PositiveInt = Field(
        33_554_432, description="Largest structured report, presentation state or segmentation without its pixels."
    )
