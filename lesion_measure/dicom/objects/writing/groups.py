"""Measurement groups of a report (PS3.16 TID 1501): one for each image of a lesion, one for a lesion that is gone.

A group that draws nothing ends OHIF 3.13 (`coords[0]` of none), so a lesion that is gone stands apart, under
*Qualitative Evaluations*.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from pydicom.sr.coding import Code

from lesion_measure.dicom.objects.ours import MAKER
from lesion_measure.dicom.objects.writing import codes
from lesion_measure.dicom.objects.writing.identity import tracking_uid
from lesion_measure.dicom.objects.writing.original import Original
from lesion_measure.dicom.objects.writing.values import coded, drawn, person_name, size, words
from lesion_measure.records import (
    BASELINE,
    LesionMeasurement,
    Plane,
    PlaneMeasurement,
    Point,
    Refusal,
    Scan,
    Source,
    Way,
    is_liver,
)

if TYPE_CHECKING:
    from highdicom.sr import (
        AlgorithmIdentification,
        ContentItem,
        CoordinatesForMeasurement,
        Measurement,
        TimePointContext,
    )

_PERSON = "121006"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What all groups of one report share: for tracking (``trial``, ``subject``), the visit, program and network."""

    trial: str
    subject: str
    visit: str
    scan: Scan
    order: int
    version: str
    model: str | None
    model_sha256: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One image of a lesion: its measurement there, and whether it stands for the lesion (``leads``)."""

    lesion: LesionMeasurement
    plane: PlaneMeasurement
    original: Original
    leads: bool
    label: str
    """Tells the group from others of the lesion; empty where it leads."""


def plane_group(shown: Shown, setting: Setting, review: Sequence[Refusal]) -> ContentItem:
    """What was measured on one image; the image with the longest diameter also holds the lesion's own sizes."""
    import highdicom as hd

    plane, lesion = shown.plane, shown.lesion
    identifier = f"{lesion.lesion} {shown.label}".strip()
    group = hd.sr.MeasurementsAndQualitativeEvaluations(
        hd.sr.TrackingIdentifier(tracking_uid(setting.trial, setting.subject, lesion.lesion, shown.label), identifier),
        time_point_context=time_point(setting, numbers=False),
        finding_type=codes.LIVER if is_liver(lesion.lesion) else codes.LESION,
        method=method_of(plane),
        algorithm_id=_algorithm(plane, setting),
        finding_sites=[hd.sr.FindingSite(codes.LIVER)],
        measurements=[*_plane_sizes(shown), *(_lesion_sizes(lesion) if shown.leads else ())],
    )
    warnings = dict.fromkeys([*plane.warnings, *(lesion.warnings if shown.leads else ())])
    group[0].ContentSequence.extend(
        [
            words(codes.LESION_IDENTIFIER, lesion.lesion),
            *_observer(plane.source, plane.reader),
            *_view(plane.plane),
            *_review_items(review),
            *(words(codes.WARNING, warning) for warning in warnings),
        ]
    )
    return cast("ContentItem", group[0])


def absent_group(lesion: LesionMeasurement, setting: Setting, originals: Sequence[Original]) -> ContentItem:
    """A lesion that is stated to be gone: no number and no line, but by whom, and the images of the study."""
    import highdicom as hd

    group = hd.sr.MeasurementsAndQualitativeEvaluations(
        hd.sr.TrackingIdentifier(tracking_uid(setting.trial, setting.subject, lesion.lesion), lesion.lesion),
        time_point_context=time_point(setting, numbers=False),
        finding_type=codes.LESION,
        method=codes.AUTOMATIC if lesion.source is Source.MODEL else codes.STATEMENT,
        finding_sites=[hd.sr.FindingSite(codes.LIVER)],
        qualitative_evaluations=[hd.sr.QualitativeEvaluation(codes.PRESENCE, codes.ABSENT)],
        source_images=[
            hd.sr.SourceImageForMeasurementGroup(each.image.sop_class_uid, each.image.sop_instance_uid)
            for each in originals
        ],
    )
    group[0].ContentSequence.extend(
        [
            words(codes.LESION_IDENTIFIER, lesion.lesion),
            *_observer(lesion.source, lesion.reader),
            *(words(codes.WARNING, warning) for warning in lesion.warnings),
        ]
    )
    return cast("ContentItem", group[0])


def method_of(plane: PlaneMeasurement) -> Code:
    """How an image was measured."""
    return {
        Way.AUTOMATIC: codes.AUTOMATIC,
        Way.PROMPTED: codes.PROMPTED,
        Way.OUTLINE: codes.MASK,
        Way.CALIPERS: codes.CALIPERS,
    }[plane.way]


def _plane_sizes(shown: Shown) -> list[Measurement]:
    plane = shown.plane

    def on_image(points: Sequence[Point]) -> CoordinatesForMeasurement:
        return drawn(shown.original, plane.frame, points)

    prompted = plane.way is Way.PROMPTED
    short = codes.PROMPTED if plane.short_axis_prompted else codes.CALIPERS
    sizes = size(
        codes.LONG_AXIS, plane.long_axis_mm, codes.MM, on_image(plane.long_axis_px),
        source=codes.CALIPERS if prompted else None,
    )  # fmt: skip
    if plane.short_axis_px is not None:
        line = on_image(plane.short_axis_px)
        sizes += size(codes.SHORT_AXIS, plane.short_axis_mm, codes.MM, line, source=short if prompted else None)
    if plane.outline_px is not None:
        outline = on_image([(row, column) for row, column in plane.outline_px.tolist()])
        sizes += size(codes.AREA, plane.area_mm2, codes.MM2, outline)
    return sizes


def _lesion_sizes(lesion: LesionMeasurement) -> list[Measurement]:
    """What the images of a lesion say together."""
    method = None if lesion.volume_method is None else codes.VOLUME_METHODS[lesion.volume_method]
    body = [] if lesion.body is None else list(zip(codes.BODY_AXES, lesion.body.axes_mm, strict=True))
    return [
        *size(codes.THIRD_DIAMETER, lesion.third_diameter_mm, codes.MM),
        *(each for name, axis in body for each in size(name, axis, codes.MM)),
        *size(codes.VOLUME, lesion.volume_ml, codes.ML, method=method),
    ]


def time_point(setting: Setting, *, numbers: bool) -> TimePointContext:
    """The visit (PS3.16 TID 1502).

    ``numbers``: its order and its day from baseline. They stand once, at the report's head: in a group, viewers and
    highdicom's `get_measurements` would take them for measurements.
    """
    import highdicom as hd

    day = setting.scan.day if numbers else None
    return hd.sr.TimePointContext(
        setting.scan.label,
        time_point_type=codes.BASELINE if setting.visit == BASELINE else None,
        time_point_order=setting.order if numbers else None,
        protocol_time_point_identifier=setting.visit,
        temporal_offset_from_event=None
        if day is None
        else hd.sr.LongitudinalTemporalOffsetFromEvent(day, codes.DAY, codes.BASELINE),
    )


def _algorithm(plane: PlaneMeasurement, setting: Setting) -> AlgorithmIdentification | None:
    import highdicom as hd

    if plane.way in (Way.OUTLINE, Way.CALIPERS):
        return None
    return hd.sr.AlgorithmIdentification(
        setting.model or MAKER,
        f"{setting.model_sha256 or ''} ({MAKER} {setting.version})".strip(),
        family=codes.NETWORK,
    )


def _observer(source: Source, reader: str) -> list[ContentItem]:
    """The reader, where one drew or stated it; what the program measured alone has the report's own observer."""
    import highdicom as hd

    name = person_name(reader)
    if source is Source.MODEL or not name:
        return []
    return [
        *hd.sr.ObserverContext(
            hd.sr.CodedConcept(_PERSON, "DCM", "Person"), hd.sr.PersonObserverIdentifyingAttributes(name)
        )
    ]


def _view(plane: Plane) -> list[ContentItem]:
    return [coded(codes.IMAGE_VIEW, codes.SCAN_PLANES[plane])] if plane in codes.SCAN_PLANES else []


def _review_items(review: Sequence[Refusal]) -> list[ContentItem]:
    """What needs review, as a code for programs and as a comment, which viewers show beside the line."""
    if not review:
        return []
    return [
        coded(codes.REVIEW_STATE, codes.NEEDS_REVIEW),
        *(words(codes.COMMENT, f"NEEDS REVIEW: {refusal.reason}") for refusal in review),
    ]
