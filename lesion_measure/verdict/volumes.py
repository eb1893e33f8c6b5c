"""Which volumes of one lesion at two visits may be compared: those of one method, from the same planes and sources.

Each visit reports the volume that its planes allow by the preferred method (`lesions.volumes`). Where the two visits do
not share it, they are compared by the best one that both have, and the change says so: the volume of three diameters
against that of one plane would be a change of methods, not of the lesion. Without any in common there is no change.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lesion_measure.records import (
    LesionMeasurement,
    Plane,
    Quantity,
    Refusal,
    Source,
    VolumeEstimate,
    VolumeMethod,
    in_words,
)

REFUSALS = frozenset({"no_volume", "volume_method_differs", "volume_planes_differ", "volume_source_differs"})
"""Codes of the refusals that concern a change of volume, and no other size."""


@dataclass(frozen=True, slots=True)
class ComparedVolumes:
    """The volumes of two visits that are compared, their one method (None: stated absent), and what there is to say."""

    before: Quantity
    after: Quantity
    method: VolumeMethod | None
    warnings: tuple[str, ...]

    @property
    def sizes(self) -> tuple[Quantity, Quantity]:
        """Both volumes, the earlier first."""
        return self.before, self.after


def comparable_volumes(before: LesionMeasurement, after: LesionMeasurement) -> ComparedVolumes | Refusal:
    """The best volumes that both visits share, or why there are none."""
    if before.volume_ml is not None and not after.present:
        marks = tuple(_prompted(before.lesion, [(before, before.volumes[0])] if before.volumes else []))
        return ComparedVolumes(before.volume_ml, Quantity(value=0.0, sd=0.0), None, marks)
    if not before.volumes or not after.volumes:
        which = after if before.volumes else before
        return _refusal(
            before,
            after,
            "no_volume",
            f"{which.lesion} has no volume at {_at(which)}",
            "Measure both axes in one plane, or better in two orthogonal planes.",
        )
    alike = before.source is after.source  # else every change of the lesion is marked by `compare`
    for one in before.volumes:
        for two in after.volumes:
            if _same_kind(one, two) and (not alike or one.sources == two.sources):
                marks = (
                    *_prompted(before.lesion, [(before, one), (after, two)]),
                    *_not_reported(before, one, after, two),
                )
                return ComparedVolumes(one.volume_ml, two.volume_ml, one.method, marks)
    return _nothing_shared(before, after)


def _same_kind(one: VolumeEstimate, two: VolumeEstimate) -> bool:
    """Same method from the same planes; which plane a summed body was looked at in does not matter."""
    return one.method is two.method and (one.method is VolumeMethod.VOXELS or one.planes == two.planes)


def _not_reported(
    before: LesionMeasurement, one: VolumeEstimate, after: LesionMeasurement, two: VolumeEstimate
) -> Iterable[str]:
    """Where and why the compared volumes are not the reported ones."""
    other = [m for m, compared in ((before, one), (after, two)) if m.volumes[0] != compared]
    if not other:
        return
    lacking = [m for m in (before, after) if m not in other]
    why = f"{_at(lacking[0])} has no better one" if lacking else "the two visits share no better one"
    reported = " and ".join(f"{m.volumes[0].method} at {_at(m)}" for m in other)
    yield (
        f"{before.lesion}: volume compared by {one.method} ({_planes(one.planes)}), since {why}; reported is {reported}"
    )


def _nothing_shared(before: LesionMeasurement, after: LesionMeasurement) -> Refusal:
    one, two = before.volumes[0], after.volumes[0]
    if one.method is not two.method:
        reason = f"{one.method} at {_at(before)}, {two.method} at {_at(after)}, and no method in common"
        return _refusal(before, after, "volume_method_differs", reason, "Measure the same planes at both visits.")
    if not _same_kind(one, two):
        reason = f"from {_planes(one.planes)} at {_at(before)} and {_planes(two.planes)} at {_at(after)}"
        return _refusal(before, after, "volume_planes_differ", reason, "Measure the same planes at both visits.")
    first, second = (", ".join(estimate.sources) for estimate in (one, two))
    return _refusal(
        before,
        after,
        "volume_source_differs",
        f"its diameters are by {first} at {_at(before)}, by {second} at {_at(after)}",
        "Draw the short axis at both visits, or at neither where the network's outline is used at both.",
    )


def _prompted(lesion: str, compared: list[tuple[LesionMeasurement, VolumeEstimate]]) -> Iterable[str]:
    """The mark of volumes that are in part the network's, drawn from a reader's calipers."""
    visits = [m for m, estimate in compared if Source.PROMPTED in estimate.sources]
    if visits:
        when = "" if len(visits) == 2 else f" at {_at(visits[0])}"
        yield f"{lesion}: the volume{when} rests on the network's outline, prompted by the reader's calipers"


def _refusal(before: LesionMeasurement, after: LesionMeasurement, code: str, reason: str, remedy: str) -> Refusal:
    return Refusal(
        code=code,
        reason=f"No change of volume: {reason}.",
        remedy=remedy,
        subject=before.subject,
        visit=after.visit,
        lesion=before.lesion,
    )


def _at(measured: LesionMeasurement) -> str:
    return in_words(measured.visit)


def _planes(planes: Iterable[Plane]) -> str:
    return " and ".join(sorted(set(planes)))
