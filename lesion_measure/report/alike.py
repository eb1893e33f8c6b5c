"""Which sizes of a course are alike, of the same planes and by the same method, so that a line may join them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lesion_measure.records import BASELINE, Change, LesionMeasurement, Plane, Quantity


def one_baseline(changes: Mapping[str, Change], primary: str | None) -> Quantity:
    """The baseline of the primary visit's change, or of the first. A change of other planes or by another method has
    another one.
    """
    return changes.get(primary or "", next(iter(changes.values()))).baseline


def compared_with(baseline: Quantity, changes: Mapping[str, Change]) -> dict[str, Quantity]:
    """The sizes by visit that are compared with this baseline; nothing is alike everything."""
    return {
        visit: change.followup
        for visit, change in changes.items()
        if change.baseline.value == baseline.value or change.followup.value == 0
    }


def like_diameters(
    visits: Sequence[str], measured: Mapping[str, LesionMeasurement], changes: Mapping[str, Change], primary: str | None
) -> dict[str, Quantity]:
    """A lesion's diameters by visit that are alike.

    What has no baseline, a visit before it or a lesion that is new, is alike where all its planes are the same.

    Parameters
    ----------
    visits
        In the order of time.
    measured, changes
        The lesion by visit, and the changes of its diameter by visit.
    primary
        The primary visit.
    """
    gone = {visit: one.longest_diameter_mm for visit, one in measured.items() if not one.present}
    present = [visit for visit in visits if visit in measured and visit not in gone]
    if not present:
        return gone
    first = BASELINE if BASELINE in present else present[0]
    whole = measured[first].longest_diameter_mm
    baseline = one_baseline(changes, primary) if changes else whole
    alike = gone | {first: baseline} | compared_with(baseline, changes)
    if baseline.value == whole.value:
        without = present[: present.index(BASELINE)] if BASELINE in present else present
        alike |= {
            v: measured[v].longest_diameter_mm for v in without if _planes(measured[v]) == _planes(measured[first])
        }
    return alike


def _planes(lesion: LesionMeasurement) -> set[Plane]:
    return {plane.plane for plane in lesion.planes}
