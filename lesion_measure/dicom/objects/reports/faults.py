"""Refusals of what a structured report holds and nobody can measure on an image."""

from __future__ import annotations

from collections.abc import Mapping

from lesion_measure.dicom.objects.reports.shapes import Fault, Shape
from lesion_measure.records import Refusal

_WHY = {
    Fault.POINTS: ("The points of a measurement in the structured report are damaged.", "Draw it anew."),
    Fault.IN_SPACE: (
        "A measurement in the structured report has its points in the patient's space (SCOORD3D), and not on an image.",
        "Draw it on the image itself, without a frame of reference.",
    ),
    Fault.NO_IMAGE: (
        "A measurement in the structured report does not say on which image it was drawn.",
        "Draw it anew, or give it in a caliper file.",
    ),
    Fault.SEVERAL_IMAGES: (
        "A measurement in the structured report names several images, and was drawn on one.",
        "Draw it anew, or give it in a caliper file.",
    ),
    Fault.SEVERAL_FRAMES: (
        "A measurement in the structured report names several frames, and was drawn on one.",
        "Draw it anew, or give it in a caliper file.",
    ),
    Fault.FRAME: (
        "A measurement in the structured report names a frame number that no image has; frames count from 1.",
        "Draw it anew, or give it in a caliper file.",
    ),
    Fault.WHOLE_SLIDE: (
        "A measurement in the structured report was drawn on the total matrix of a slide, which ultrasound has not.",
        "Draw it on the image itself.",
    ),
    Fault.SEGMENTATION: (
        "A measurement in the structured report was drawn in a segmentation (SEG), whose outline is read by itself.",
        "Give the segmentation beside the images.",
    ),
}
_GRAPHICS = {
    "POINT": "a single point",
    "MULTIPOINT": "points that no length was taken from",
    "POLYLINE": "an open line of more than two points",
    "ELLIPSE": "an ellipse without four points",
    "CIRCLE": "a circle without two points",
}


def of_shape(shape: Shape, lesion: str) -> Refusal:
    """Why a shape cannot be used."""
    fault = shape.fault or Fault.POINTS
    reason, remedy = _WHY[fault]
    return Refusal(
        code=fault.value,
        reason=reason,
        remedy=remedy,
        sop_instance_uid=shape.image_uid or None,
        lesion=lesion or None,
    )


def graphic(shape: Shape) -> str:
    """A shape that is no caliper, in words."""
    return _GRAPHICS.get(shape.graphic, "something of a kind that is not read")


def others(counted: Mapping[str, int]) -> Refusal:
    """One refusal for all that a report holds beside lesions' calipers."""
    if not counted:
        return Refusal(code="sr_no_measurements", reason="The structured report holds no measurement.")
    listed = "; ".join(f"{count} {why}" for why, count in counted.items())
    return Refusal(
        code="sr_other_measurements",
        reason=f"The structured report holds measurements that are no caliper of a liver lesion: {listed}.",
        remedy="Draw the lesion's axes as lines if it should be measured.",
    )
