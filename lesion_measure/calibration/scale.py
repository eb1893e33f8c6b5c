"""Millimetres per pixel of one image, or the reason why there are none (PS3.3 C.8.5.5).

A scale comes from the ultrasound region that holds the points measured, else, where a file has no regions, from
PixelSpacing. Where it has neither and the settings ask for it, from the lengths that are printed for the image's own
calipers (`calibration.printed`). PixelAspectRatio is never a scale, and nothing is guessed: what is doubtful is a
`Refusal`. Its codes:

``no_calibration``           neither regions nor PixelSpacing
``pixel_spacing_unusable``   no regions, and PixelSpacing is not one pair of positive numbers for all frames
``implausible_size``         a region wider, or an image without regions larger, than a patient; pixels too small
``region_outside_image``     a region reaches over the image: cropped or rescaled after acquisition
``not_spatial``              M-mode, spectral, waveform, graphics, units other than cm
``invalid_delta``            a tissue or colour flow region whose deltas are missing, zero or not finite
``invalid_region``           a tissue or colour flow region whose corners are missing, reversed or empty
``implausible_pixels``       pixels many times longer than wide, or wider than long
``implausible_depth``        a region deeper than a patient
``pixel_spacing_disagrees``  PixelSpacing and the region state different scales
``aspect_ratio_disagrees``   PixelAspectRatio states pixels of another shape than the scale
``ambiguous_regions``        points where regions of different or unknown scale overlap
``several_regions``          points in different pictures, such as the halves of a dual image
``outside_region``           a point about which no region says anything
``outside_image``            a point that is not on the image
``no_points``                nothing to measure was given
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lesion_measure import config
from lesion_measure.calibration.overlap import SHARED_EDGE_PX, bearing, judge_all, shared_points
from lesion_measure.calibration.printed import from_printed
from lesion_measure.calibration.regions import (
    LONG_PIXELS,
    Box,
    CheckedRegion,
    Problem,
    RegionContent,
    corners,
    describe,
    in_mm,
    other_aspect,
    pixel_ratio,
    shallow,
    usable,
)
from lesion_measure.calibration.rescaled import rescaling_warning
from lesion_measure.records import CalibratedRegion, Calibration, Instance, Point, Refusal

_UNIT_SPACING = "PixelSpacing is 1 x 1 mm, which some programs write where they do not know the scale."
_ORIGINAL = "Export the original, uncropped and un-rescaled image from the scanner."
_WITH_REGIONS = "Export the original DICOM image from the scanner, with its ultrasound regions."
_ONE_PICTURE = "Measure within one 2D picture of the image."
_REMEDIES = {
    "no_calibration": _WITH_REGIONS,
    "pixel_spacing_unusable": _WITH_REGIONS,
    "implausible_size": "Find out where the scale came from, and export the original image from the scanner.",
    "region_outside_image": _ORIGINAL,
    "not_spatial": "Measure on the 2D picture, or on a 2D image of the same lesion.",
    "invalid_delta": _ORIGINAL,
    "invalid_region": _ORIGINAL,
    "implausible_depth": _ORIGINAL,
    "implausible_pixels": "Find out which of the two scales is right, and export the original image from the scanner.",
    "pixel_spacing_disagrees": "Find out which scale is right, and export the original image from the scanner.",
    "aspect_ratio_disagrees": "Find out which shape is right, and export the original image from the scanner.",
    "ambiguous_regions": "Measure where the regions do not overlap, or on an image with a single picture.",
    "several_regions": _ONE_PICTURE,
    "outside_region": _ONE_PICTURE,
    "outside_image": "Check the points: rows and columns count from 0 in the upper left corner.",
    "no_points": "Give at least one point.",
}
# Which code stands for an image where no region can be used: that of the region nearest to being usable.
_TELLING = (
    "pixel_spacing_disagrees", "aspect_ratio_disagrees", "implausible_depth", "implausible_size", "implausible_pixels",
    "ambiguous_regions", "invalid_delta", "invalid_region", "not_spatial",
)  # fmt: skip


def calibrate(instance: Instance, settings: config.Calibration | None = None) -> Calibration:
    """Scale of one image, from that image alone: zoom changes from image to image within a series.

    Parameters
    ----------
    instance
        The image's header; its size, regions and PixelSpacing are used.
    settings
        Tolerances; the defaults where left out.

    Returns
    -------
    Calibration
        Every measurable region, and the largest of them as the image's own; or a refusal. Points that are measured
        still go through `calibrate_at`, since regions can overlap.
    """
    settings = settings or config.Calibration()
    if not instance.regions:
        return _from_pixel_spacing(instance, settings)
    outside = _region_outside(instance, settings)
    if outside is not None:
        return _refused(instance, outside)
    judged = judge_all(instance, settings)
    measurable = [each for each in judged if each.problem is None]
    if not measurable:
        return _refused(instance, _why_none(instance, judged))
    main = max(measurable, key=lambda each: each.area)
    pictures = (each for each in judged if each.kind in (RegionContent.SPATIAL, RegionContent.PICTURE))
    warnings = [f"Not used: {each.problem.reason}" for each in pictures if each.problem is not None]
    for other in judged:
        if main.box and other.box and other is not main and main.box.overlaps(other.box, SHARED_EDGE_PX):
            problem, note = bearing(main, other, settings)
            warnings += [f"Points are refused where {problem.reason}"] if problem else [note] if note else []
    return _accepted(instance, main, measurable, warnings)


def calibrate_at(
    instance: Instance, points: Sequence[Point], settings: config.Calibration | None = None
) -> Calibration:
    """Scale at the points of one measurement: that of the one picture that holds them all.

    Parameters
    ----------
    instance
        The image's header.
    points
        (row, column) of every point of the measurement, pixel centres at integers.
    settings
        Tolerances; the defaults where left out.

    Returns
    -------
    Calibration
        The region used, or a refusal. A colour flow box inside its tissue region at the same scale counts as one with
        it; the halves of a dual image never do (PS3.3 C.8.5.5).
    """
    settings = settings or config.Calibration()
    whole = calibrate(instance, settings)
    if whole.refusal is not None:
        return whole
    stray = _stray(instance, points)
    if stray is not None:
        return _refused(instance, stray, whole)
    if not instance.regions:
        return whole
    judged = judge_all(instance, settings)
    measurable = [each for each in judged if each.problem is None]
    holders = [each for each in measurable if all(each.contains(point) for point in points)]
    if not holders:
        return _refused(instance, _why_not_one(judged, points), whole)
    chosen = max(holders, key=lambda each: each.area)
    warnings: list[str] = []
    for other in judged:
        if other is not chosen:
            problem, note = shared_points(chosen, other, points, settings)
            if problem is not None:
                return _refused(instance, problem, whole)
            warnings += [note] if note else []
    return _accepted(instance, chosen, measurable, warnings)


def _region_outside(instance: Instance, settings: config.Calibration) -> Problem | None:
    """A region of any kind that reaches over the image says that the pixels are not those it was written for."""
    slack = settings.edge_tolerance_px
    for region in instance.regions:
        reaches = [(value, instance.rows) for value in (region.row_min, region.row_max)]
        reaches += [(value, instance.columns) for value in (region.col_min, region.col_max)]
        if any(value is not None and not -slack <= value <= size - 1 + slack for value, size in reaches):
            reason = (
                f"Ultrasound region {region.index} ({describe(region)}) spans {corners(region)}, the image has "
                f"{instance.rows} rows and {instance.columns} columns: it was cropped or rescaled after acquisition."
            )
            return Problem("region_outside_image", reason)
    return None


def _stray(instance: Instance, points: Sequence[Point]) -> Problem | None:
    """A point that is not on the image, or no point at all."""
    image = Box(0, instance.rows - 1, 0, instance.columns - 1)
    for point in points:
        if not image.contains(point):
            size = f"{instance.rows} rows x {instance.columns} columns"
            return Problem("outside_image", f"Point {_at(point)} is not on the image ({size}).")
    return None if points else Problem("no_points", "No point was given.")


def _why_none(instance: Instance, judged: Sequence[CheckedRegion]) -> Problem:
    """The problems of all regions, the most telling first."""
    problems = [each.problem for each in judged if each.problem is not None]
    problems.sort(key=lambda problem: _TELLING.index(problem.code))
    reason = " ".join(dict.fromkeys(_sentence(problem.reason) for problem in problems))
    if problems[0].code != "pixel_spacing_disagrees" and usable(instance.pixel_spacing) is not None:
        reason += " PixelSpacing is not used where the regions say that the image is not one 2D picture."
    return Problem(problems[0].code, reason)


def _why_not_one(judged: Sequence[CheckedRegion], points: Sequence[Point]) -> Problem:
    """Why no measurable region holds all points."""
    homes: dict[str, None] = {}
    for point in points:
        around = sorted((each for each in judged if each.contains(point)), key=lambda each: each.area)
        home = next((each for each in around if each.problem is None), None)
        if home is not None:
            homes[home.name] = None
            continue
        problem = next((each.problem for each in around if each.kind is not RegionContent.NOTHING), None)
        if problem is not None:
            return replace(problem, reason=f"Point {_at(point)}: {problem.reason}")
        return Problem("outside_region", f"Point {_at(point)} lies in no ultrasound region: its scale is unknown.")
    return Problem("several_regions", f"The points lie in different pictures: {', '.join(homes)}.")


def _from_pixel_spacing(instance: Instance, settings: config.Calibration) -> Calibration:
    """The whole image at PixelSpacing (0028,0030), for files without ultrasound regions."""
    spacing = usable(instance.pixel_spacing)
    if spacing is None:
        stated = instance.pixel_spacing_raw or instance.pixel_spacing
        if stated is None:
            return _from_printed(instance, settings)
        reason = f"PixelSpacing '{stated}' is not one pair of positive numbers, and there are no ultrasound regions."
        return _refused(instance, Problem("pixel_spacing_unusable", reason))
    height, width = instance.rows * spacing[0], instance.columns * spacing[1]
    if max(height, width) > settings.max_image_mm:
        size = f"{height:.4g} x {width:.4g} mm, more than {settings.max_image_mm:g} mm"
        return _refused(instance, Problem("implausible_size", f"By PixelSpacing {in_mm(spacing)} the image is {size}."))
    if min(spacing) < settings.min_pixel_mm:
        reason = f"PixelSpacing is {in_mm(spacing)} (row x column), less than {settings.min_pixel_mm:g} mm."
        return _refused(instance, Problem("implausible_size", reason))
    if pixel_ratio(spacing) > settings.max_pixel_ratio:
        reason = f"PixelSpacing states pixels of {in_mm(spacing)} (row x column), which no scanner writes."
        return _refused(instance, Problem("implausible_pixels", reason))
    if (problem := other_aspect("PixelSpacing", spacing, instance, settings)) is not None:
        return _refused(instance, problem)
    notes: tuple[str, ...] = () if spacing != (1.0, 1.0) or instance.pixel_spacing_type else (_UNIT_SPACING,)
    if pixel_ratio(spacing) > settings.warn_pixel_ratio:
        notes += (f"PixelSpacing states pixels of {in_mm(spacing)}: {LONG_PIXELS}",)
    notes += shallow(instance.rows, spacing, settings)
    rescaled = rescaling_warning(instance)
    if rescaled is not None:
        notes += (rescaled,)
    region = CalibratedRegion(
        row_min=0, row_max=instance.rows - 1, col_min=0, col_max=instance.columns - 1, spacing_mm=spacing,
        source=f"PixelSpacing, {instance.pixel_spacing_type or 'type not stated'}",
        warnings=notes,
    )  # fmt: skip
    return Calibration(
        spacing_mm=spacing, source=region.source, region=region, regions=(region,), warnings=region.warnings
    )


def _from_printed(instance: Instance, settings: config.Calibration) -> Calibration:
    """For files that state no scale: that of the values printed on the image, where it is known."""
    found = from_printed(instance, settings)
    if isinstance(found, Problem):
        return _refused(instance, found)
    return Calibration(
        spacing_mm=found.spacing_mm, source=found.source, region=found, regions=(found,), warnings=found.warnings
    )


def _accepted(
    instance: Instance, chosen: CheckedRegion, measurable: Sequence[CheckedRegion], warnings: Sequence[str]
) -> Calibration:
    regions = [_record(each) for each in measurable]
    region = regions[measurable.index(chosen)]
    notes = [*region.warnings, *warnings]
    stated = instance.pixel_spacing_raw or instance.pixel_spacing
    if stated is not None and usable(instance.pixel_spacing) is None:
        notes.append(f"PixelSpacing '{stated}' is no pair of positive numbers; the regions are used.")
    rescaled = rescaling_warning(instance)
    if rescaled is not None:
        notes.append(rescaled)
    return Calibration(
        spacing_mm=region.spacing_mm, source=region.source, region=region, regions=tuple(regions),
        warnings=tuple(dict.fromkeys(_sentence(note) for note in notes)),
    )  # fmt: skip


def _record(judged: CheckedRegion) -> CalibratedRegion:
    box, spacing = judged.box, judged.spacing
    if box is None or spacing is None:
        raise AssertionError("a measurable region has corners and a scale")
    return CalibratedRegion(
        row_min=box.row_min, row_max=box.row_max, col_min=box.col_min, col_max=box.col_max, spacing_mm=spacing,
        source=judged.name, warnings=judged.warnings,
    )  # fmt: skip


def _refused(instance: Instance, problem: Problem, whole: Calibration | None = None) -> Calibration:
    refusal = Refusal(
        code=problem.code, reason=_sentence(problem.reason), remedy=_REMEDIES[problem.code], path=instance.path,
        sop_instance_uid=instance.sop_instance_uid, subject=instance.subject,
    )  # fmt: skip
    regions = whole.regions if whole is not None else ()
    return Calibration(spacing_mm=None, source=None, region=None, regions=regions, refusal=refusal)


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


def _at(point: Point) -> str:
    return f"(row {point[0]:g}, column {point[1]:g})"
