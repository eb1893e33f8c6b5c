"""What asks for review of a name that pairing gave or could not give."""

from __future__ import annotations

from lesion_measure.measure.appearance import middle
from lesion_measure.records import PlaneMeasurement, Refusal

NAME_IT = "Name it: a caliper across it, or a row for its image in the manifest where the image shows one lesion."


CHECK = "Compare the pictures of both (report, 'Please check'); a caliper across it, with its name, settles it."


def unsure_name(subject: str, visit: str, plane: PlaneMeasurement, name: str, confidence: float) -> Refusal:
    """What asks for review of a lesion whose name is not sure enough.

    Parameters
    ----------
    subject, visit
        Whose lesion it is, and when.
    plane
        The image that shows it.
    name
        The name that it got.
    confidence
        How sure that name is, 0 to 1.
    """
    return Refusal(
        code="pairing_unsure",
        reason=f"That this lesion is {name} was told automatically, with a confidence of {confidence:.2f}. "
        "No verdict that rests on it is certain.",
        remedy=CHECK,
        path=plane.path,
        sop_instance_uid=plane.sop_instance_uid,
        subject=subject,
        visit=visit,
        lesion=name,
    )


def unclear(subject: str, visit: str, names: tuple[str, str], confidence: float) -> Refusal:
    """A lesion of a visit that may be one seen before; ``names`` are those of the earlier one and of this one."""
    before, now = names
    return _not_compared(
        f"{now} could be {before}: the pairing has a confidence of {confidence:.2f}, too little to compare the two.",
        subject, visit, now,
    )  # fmt: skip


def two_names(subject: str, visit: str, names: tuple[str, str], confidence: float) -> Refusal:
    """A lesion that pairing finds again under another name; ``names`` as of `unclear`."""
    before, now = names
    return _not_compared(
        f"{now} looks like {before} of an earlier visit (confidence {confidence:.2f}). Both names are in use already, "
        "so that the two are not compared.",
        subject, visit, now,
    )  # fmt: skip


def _not_compared(reason: str, subject: str, visit: str, lesion: str) -> Refusal:
    return Refusal(code="pairing_unclear", reason=reason, remedy=CHECK, subject=subject, visit=visit, lesion=lesion)


def unnamed_outline(plane: PlaneMeasurement, subject: str, visit: str) -> Refusal:
    """The refusal of an outline that nothing names."""
    row, column = middle(plane)
    return Refusal(
        code="lesion_not_named",
        reason=f"The model outlines a lesion of {plane.long_axis_mm.value:.1f} mm around column {column:.0f}, row "
        f"{row:.0f} of frame {plane.frame}, and nothing says which lesion it is.",
        remedy=NAME_IT,
        path=plane.path,
        sop_instance_uid=plane.sop_instance_uid,
        subject=subject,
        visit=visit,
    )
