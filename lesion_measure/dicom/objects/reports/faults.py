"""Refusals of what a structured report holds and nobody can measure on an image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lesion_measure.dicom.objects.reports.quantities import Quantity
from lesion_measure.dicom.objects.reports.shapes import Fault, Shape
from lesion_measure.records import Refusal

_ANEW = "Draw it anew, or give it in a caliper file."
_WHY = {
    Fault.POINTS: ("{item} of the structured report has points that are damaged, or two in one place.", _ANEW),
    Fault.IN_SPACE: (
        "{item} of the structured report has its points in the patient's space (SCOORD3D), and not on an image.",
        "Draw it on the image itself; an ultrasound image without a frame of reference has no place in space.",
    ),
    Fault.NO_IMAGE: ("{item} of the structured report does not say on which image it was drawn.", _ANEW),
    Fault.SEVERAL_IMAGES: ("{item} of the structured report names several images, and was drawn on one.", _ANEW),
    Fault.SEVERAL_FRAMES: ("{item} of the structured report names several frames, and was drawn on one.", _ANEW),
    Fault.FRAME: (
        "{item} of the structured report names a frame number that no image has; frames count from 1.",
        _ANEW,
    ),
    Fault.WHOLE_SLIDE: (
        "{item} of the structured report was drawn on the total matrix of a slide, which ultrasound has not.",
        "Draw it on the image itself.",
    ),
    Fault.SEGMENTATION: (
        "{item} of the structured report was taken from a segmentation (SEG), whose outline is read by itself.",
        "Give the segmentation beside the images.",
    ),
    Fault.RECTANGLE: (
        "{item} of the structured report is a rectangle: its sides and its diagonal are no axes of what it frames.",
        "Draw the lesion's long and short axis as lines, or outline it.",
    ),
    Fault.NO_LINE: (
        "{item} of the structured report states a length that was not drawn as a line between two points.",
        "Draw the lesion's long and short axis as lines.",
    ),
}
_GRAPHICS = {
    "POINT": "a single point",
    "MULTIPOINT": "points that no length was taken from",
    "POLYLINE": "a line that is no length and goes round nothing",
    "ELLIPSE": "an ellipse without four points",
    "CIRCLE": "a circle without two points",
}
_MOST_LISTED = 6


def of_shape(fault: Fault, item: str, shape: Shape, lesion: str) -> Refusal:
    """Why a shape cannot be used; ``item`` says which it is, for people."""
    reason, remedy = _WHY[fault]
    return Refusal(
        code=fault.value,
        reason=reason.format(item=item),
        remedy=remedy,
        sop_instance_uid=shape.image_uid or None,
        lesion=lesion or None,
    )


def without_points(quantities: Sequence[Quantity], item: str, lesion: str) -> Refusal:
    """Lengths of a lesion that nothing was drawn for."""
    stated = " and ".join(each.stated or "a length" for each in quantities[:_MOST_LISTED])
    return Refusal(
        code="sr_no_points",
        reason=f"{item} of the structured report states {stated} without points: nothing to measure on an image.",
        remedy="Draw the lesion's axes on the image, or give them in a caliper file.",
        lesion=lesion or None,
    )


def more(count: int) -> Refusal:
    """The rest, where a report holds more that cannot be used than anybody reads."""
    return Refusal(
        code="sr_many",
        reason=f"The structured report holds {count} more measurements that cannot be used.",
        remedy="Export the report anew.",
    )


def absent(item: str, lesion: str) -> Refusal:
    """A lesion that is stated to be gone: by nobody, without its name, or on no image."""
    return Refusal(
        code="sr_absent",
        reason=f"{item} of the structured report states that a lesion is absent, without name, reader or image.",
        remedy="State it in a caliper file: axis absent, with the image on which it was looked for.",
        lesion=lesion or None,
    )


def graphic(shape: Shape) -> str:
    """A shape that is no caliper, in words."""
    return _GRAPHICS.get(shape.graphic, "a graphic of a kind that is not read")


def others(counted: Mapping[str, int]) -> Refusal:
    """One refusal for all that a report holds beside lesions' calipers: ``counted`` times what, in words."""
    if not counted:
        return Refusal(code="sr_no_measurements", reason="The structured report holds no measurement.")
    listed = [f"{what} ({count})" for what, count in list(counted.items())[:_MOST_LISTED]]
    more = sum(list(counted.values())[_MOST_LISTED:])
    return Refusal(
        code="sr_other_measurements",
        reason="The structured report holds measurements that are no caliper of a liver lesion: "
        + "; ".join(listed + [f"and {more} more"] * bool(more))
        + ".",
        remedy="Draw the lesion's axes as lines if it should be measured.",
    )
