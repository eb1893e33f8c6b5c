"""What it means for a region's scale that another one covers some of its pixels (PS3.3 C.8.5.5.1.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lesion_measure import config
from lesion_measure.calibration.regions import (
    COLOUR_FLOW,
    TISSUE,
    CheckedRegion,
    Problem,
    RegionContent,
    agree,
    check_region,
    in_mm,
)
from lesion_measure.records import Instance, Point

SHARED_EDGE_PX = 1.0  # neighbours share this much: vendors state the last pixel both inclusively and exclusively


def judge_all(instance: Instance, settings: config.Calibration) -> list[CheckedRegion]:
    """Every region by itself, then against those that cover it wholly; repeated items only once."""
    alone: list[CheckedRegion] = []
    for region in instance.regions:
        if not any(replace(region, index=each.region.index) == each.region for each in alone):
            alone.append(check_region(region, instance, settings))
    together = []
    for each in alone:
        covers = [
            other for other in alone if other is not each and each.box and other.box and other.box.holds(each.box)
        ]
        conflicts = [bearing(each, other, settings)[0] for other in covers] if each.problem is None else []
        problem = next((conflict for conflict in conflicts if conflict is not None), each.problem)
        together.append(replace(each, problem=problem))
    return together


def bearing(
    mine: CheckedRegion, other: CheckedRegion, settings: config.Calibration
) -> tuple[Problem | None, str | None]:
    """What it means for pixels of a measurable region that they lie in another one too: a problem, a note, or nothing.

    Between a measurable region and one without lengths, bit 0 of RegionFlags says whose pixels are on top
    (PS3.3 C.8.5.5.1.3); where it does not, thin lines and bars drawn over a picture leave its lengths alone.
    """
    over = f"{other.name} lies over {mine.name}"
    if mine.spacing is not None and other.spacing is not None:
        if agree(mine.spacing, other.spacing, settings.agreement):
            return None, None
        scales = f"at {in_mm(other.spacing)} and {in_mm(mine.spacing)} per pixel (row x column)"
        return Problem("ambiguous_regions", f"{over}, {scales}."), None
    if other.kind is RegionContent.NOTHING or (mine.low_priority is False and other.low_priority is True):
        return None, None
    undecided = mine.low_priority is None or other.low_priority is None or mine.low_priority == other.low_priority
    picture = other.kind in (RegionContent.PICTURE, RegionContent.SPATIAL)
    canvas = picture and other.box is not None and mine.box is not None and other.box.holds(mine.box, SHARED_EDGE_PX)
    if undecided and (other.kind is RegionContent.OVERLAY or canvas):
        return None, f"{over}."
    if picture:
        return Problem("ambiguous_regions", f"{over} and has no usable scale."), None
    return Problem("not_spatial", f"{over} and its pixels are no lengths."), None


def shared_points(
    chosen: CheckedRegion, other: CheckedRegion, points: Sequence[Point], settings: config.Calibration
) -> tuple[Problem | None, str | None]:
    """What another region means for the points that the chosen one holds; a pixel along a shared edge means nothing."""
    holds_all = all(other.contains(point) for point in points)
    reached = any(other.contains(point, SHARED_EDGE_PX) for point in points)
    if not reached and not (holds_all and other.problem is None):
        return None, None
    problem, note = bearing(chosen, other, settings)
    if problem is None and other.spacing is not None and not holds_all and not _one_picture(chosen, other):
        reason = f"Some of the points lie in {other.name} and some do not: they are two pictures."
        problem = Problem("several_regions", reason)
    return problem, note


def _one_picture(one: CheckedRegion, two: CheckedRegion) -> bool:
    """True for a colour flow box and the tissue region around it, once their scales are known to agree."""
    tissue, flow = (one, two) if one.region.data_type == TISSUE else (two, one)
    types = (tissue.region.data_type, flow.region.data_type)
    if types != (TISSUE, COLOUR_FLOW) or tissue.box is None or flow.box is None:
        return False
    return tissue.box.holds(flow.box, SHARED_EDGE_PX)
