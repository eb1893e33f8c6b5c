"""A reader's calipers on one image, joined: the long axis of a lesion and the short one across it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from lesion_measure.records import Axis, Caliper, CaliperPair, Plane, Refusal, shown_name
from lesion_measure.tables.calipers import rows_in_words


def pair_axes(
    sop_instance_uid: str, calipers: Iterable[Caliper], *, subject: str, visit: str
) -> tuple[tuple[CaliperPair, ...], tuple[Refusal, ...]]:
    """Join the long and the short axis that one reader drew of one lesion on one frame.

    A second caliper of the same axis on the same frame starts a second pair (a repeat); a short axis alone is refused.
    """
    groups: dict[tuple[int, str, Plane, str], dict[Axis, list[Caliper]]] = defaultdict(lambda: defaultdict(list))
    for caliper in calipers:
        if caliper.axis in (Axis.LONG, Axis.SHORT):
            key = (caliper.frame, caliper.lesion, caliper.plane, caliper.reader)
            groups[key][caliper.axis].append(caliper)
    pairs = []
    refusals = []
    for (frame, lesion, plane, reader), axes in groups.items():
        longs, shorts = axes[Axis.LONG], axes[Axis.SHORT]
        if len(shorts) > len(longs):
            refusals.append(_short_alone(shorts[-1], subject, visit))
        for index, long in enumerate(longs):
            pairs.append(
                CaliperPair(
                    sop_instance_uid=sop_instance_uid,
                    frame=frame,
                    lesion=lesion,
                    plane=plane,
                    reader=reader,
                    long=long,
                    short=shorts[index] if index < len(shorts) else None,
                )
            )
    return tuple(pairs), tuple(refusals)


def _short_alone(caliper: Caliper, subject: str, visit: str) -> Refusal:
    return Refusal(
        code="short_axis_alone",
        reason=f"{rows_in_words([caliper])} is a short axis without a long axis on the same frame.",
        remedy="Add the long axis by the same reader on that frame.",
        path=caliper.image,
        subject=subject,
        visit=visit,
        lesion=shown_name(caliper.lesion),
    )
