"""Which measurements of two raters belong together: within one results folder, or in two folders of the same images.

One folder holds, for each lesion, the measurement that was chosen and those that were not (`alternatives`). Two folders
are matched by subject, visit, lesion and plane; only what rests on the same planes and the same formula is compared.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from lesion_measure.records import (
    LesionMeasurement,
    PlaneMeasurement,
    Quantity,
    Source,
    SubjectResult,
    VolumeMethod,
    Way,
)
from lesion_measure.report.words import finite, plural
from lesion_measure.results import Results
from lesion_measure.stats.agreement import Agreement, Pairs, agreement

MODEL = "model "
LONG_AXIS, SHORT_AXIS = "long axis in one plane", "short axis in one plane"
LONGEST = "longest diameter of a lesion"
VOLUMES = {
    VolumeMethod.ELLIPSOID: "volume, three diameters",
    VolumeMethod.BIPLANE: "volume, two outlines",
    VolumeMethod.ROTATION: "volume, one plane",
    VolumeMethod.AREA_LENGTH: "volume, one outline",
    VolumeMethod.VOXELS: "volume, voxels",
}
UNITS = {LONG_AXIS: "mm", SHORT_AXIS: "mm", LONGEST: "mm", **dict.fromkeys(VOLUMES.values(), "mL")}
"""What is compared, in this order, and its unit."""

_DIGITS = 4
"""Decimals of a coefficient of variation in the settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One measurement by one rater; two with the same ``key`` are of the same thing.

    ``origin``: who measured it and on which frame, for a single plane; else empty. ``by_network``: no reader drew it.
    """

    measure: str
    subject: str
    key: tuple[str, ...]
    rater: str
    value: float
    origin: tuple[str, ...] = ()
    by_network: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """Agreement of two folders, and what could not be compared.

    ``alone``: lesions, each at each visit, that one folder has and the other has not; ``presence``: lesions that one
    rater measured and the other states to be absent; ``planes_differ``: lesions measured in different planes.
    """

    agreements: tuple[Agreement, ...]
    raters: tuple[str, str]
    lesions: int
    alone: tuple[int, int]
    presence: int
    planes_differ: int


def rater_name(source: Source, reader: str) -> str:
    """A rater in words, e.g. 'reader R1' or 'model liver_us_unet'."""
    if source is Source.MODEL:
        return f"{MODEL}{reader}"
    return reader if reader.lower().startswith("reader") else f"reader {reader}"


def readings_within(results: Results) -> list[Reading]:
    """The long axes that a folder holds of more than one rater: the chosen one of a plane, and its alternatives.

    Calipers count as they were drawn, and excluded children not at all. Readers come before models.
    """
    found: dict[tuple[str, tuple[str, ...], str], Reading] = {}
    for subject in included(results):
        for lesion in subject.lesions:
            for other in lesion.alternatives:
                value = other.drawn_long_mm
                plane = next((p for p in lesion.planes if p.plane is other.plane), None)
                chosen = None if plane is None else plane.drawn[0].value
                if chosen is None or finite(chosen) is None:
                    continue
                key = (subject.subject, lesion.visit, lesion.lesion, other.plane)
                for by, size in ((lesion, chosen), (other, value)):
                    rater = rater_name(by.source, by.reader)
                    found[LONG_AXIS, key, rater] = Reading(
                        measure=LONG_AXIS, subject=subject.subject, key=key, rater=rater, value=size,
                        by_network=by.source is Source.MODEL,
                    )  # fmt: skip
    return sorted(found.values(), key=lambda reading: (reading.rater.startswith(MODEL), reading.rater))


def included(results: Results, also: Results | None = None) -> list[SubjectResult]:
    """The subjects of a folder that neither its subjects table nor that of ``also`` excludes."""
    tables = [table for each in (results, also) if each is not None and (table := each.table()) is not None]
    out = {code for table in tables for code, row in table.items() if row.excluded}
    return [subject for subject in results.subjects if subject.subject not in out]


def agreements(readings: Iterable[Reading], seed: int) -> tuple[Agreement, ...]:
    """Agreement of every two raters on every measure that they share three times or more, in the order given."""
    tables: dict[str, dict[tuple[str, ...], dict[str, Reading]]] = {}
    for reading in readings:
        tables.setdefault(reading.measure, {}).setdefault(reading.key, {})[reading.rater] = reading
    found = []
    for measure in sorted(tables, key=list(UNITS).index):
        raters = dict.fromkeys(rater for by_rater in tables[measure].values() for rater in by_rater)
        for first, second in combinations(raters, 2):
            pairs = _pairs(measure, first, second, tables[measure].values())
            if pairs is not None and (agreed := agreement(pairs, seed)) is not None:
                found.append(agreed)
    return tuple(found)


def _pairs(measure: str, first: str, second: str, tables: Iterable[Mapping[str, Reading]]) -> Pairs | None:
    both = [(table[first], table[second]) for table in tables if first in table and second in table]
    both = [(a, b) for a, b in both if a.value > 0 and b.value > 0]
    if not both:
        return None
    return Pairs(
        measure=measure,
        unit=UNITS[measure],
        first_rater=first,
        second_rater=second,
        first=np.array([a.value for a, _ in both]),
        second=np.array([b.value for _, b in both]),
        subjects=tuple(a.subject for a, _ in both),
        same=sum(bool(a.origin) and a.origin == b.origin for a, b in both),
        by_network=sum(a.by_network or b.by_network for a, b in both),
    )


def match_folders(first: Results, second: Results, names: tuple[str, str], seed: int) -> Matching:
    """Compare two results folders of the same images.

    Parameters
    ----------
    first, second
        The results.
    names
        Names of the folders, which tell the raters apart where their own names do not.
    seed
        Of the bootstrap.
    """
    tables = [_lesions(included(one, other)) for one, other in ((first, second), (second, first))]
    shared = [key for key in tables[0] if key in tables[1]]
    raters = _raters([list(table.values()) for table in tables], names)
    readings: list[Reading] = []
    presence = planes_differ = 0
    for key in shared:
        pair = [table[key] for table in tables]
        if not all(lesion.present for lesion in pair):
            presence += any(lesion.present for lesion in pair)
            continue
        same_planes = len({frozenset(plane.plane for plane in lesion.planes) for lesion in pair}) == 1
        planes_differ += not same_planes
        for rater, lesion in zip(raters, pair, strict=True):
            readings += [
                Reading(
                    measure=measure,
                    subject=key[0],
                    key=(*key, *more),
                    rater=rater,
                    value=value,
                    origin=origin,
                    by_network=lesion.source is Source.MODEL,
                )
                for measure, more, value, origin in _sizes(lesion, whole=same_planes)
            ]
    return Matching(
        agreements=agreements(readings, seed),
        raters=raters,
        lesions=len(shared),
        alone=(len(tables[0]) - len(shared), len(tables[1]) - len(shared)),
        presence=presence,
        planes_differ=planes_differ,
    )


def _lesions(subjects: Iterable[SubjectResult]) -> dict[tuple[str, str, str], LesionMeasurement]:
    """Lesions by subject, visit and name."""
    return {(s.subject, lesion.visit, lesion.lesion): lesion for s in subjects for lesion in s.lesions}


def _raters(lesions: Sequence[Sequence[LesionMeasurement]], names: tuple[str, str]) -> tuple[str, str]:
    """Who measured in each folder; the folder's name where several did, or where both have the same rater."""
    raters = [{_rater(lesion) for lesion in some if lesion.present} for some in lesions]
    words = [f"{_one(own)} ({name})" if _one(own) else name for own, name in zip(raters, names, strict=True)]
    if _one(raters[0]) and _one(raters[1]) and raters[0] != raters[1]:
        words = [_one(own) for own in raters]
    if words[0] == words[1]:
        words = [f"{words[0]} (first)", f"{words[1]} (second)"]
    return words[0], words[1]


def _rater(lesion: LesionMeasurement) -> str:
    name = rater_name(lesion.source, lesion.reader)
    return f"{name}, prompting the network" if lesion.way == Way.PROMPTED else name


def _one(names: set[str]) -> str:
    return next(iter(names)) if len(names) == 1 else ""


_Size = tuple[str, tuple[str, ...], float, tuple[str, ...]]
"""Measure, further key, value and origin (see `Reading`)."""


def _sizes(lesion: LesionMeasurement, *, whole: bool) -> Iterator[_Size]:
    """A lesion's sizes; those of the ``whole`` lesion need the same planes."""
    by_plane: dict[str, list[PlaneMeasurement]] = {}
    for plane in lesion.planes:
        by_plane.setdefault(plane.plane, []).append(plane)
    for name, planes in by_plane.items():
        if len(planes) == 1:  # two frames of one plane cannot be told apart between the folders
            plane = planes[0]
            origin = (plane.source.value, plane.reader, plane.sop_instance_uid, str(plane.frame))
            long, short = plane.drawn
            yield from _known(LONG_AXIS, (name,), long, origin)
            yield from _known(SHORT_AXIS, (name,), short)
    if whole:
        yield from _known(LONGEST, (), lesion.longest_diameter_mm)
        if lesion.volume_method is not None:
            sources = tuple(sorted(lesion.volume_planes))
            yield from _known(VOLUMES[lesion.volume_method], sources, lesion.volume_ml)


def _known(
    measure: str, more: tuple[str, ...], quantity: Quantity | None, origin: tuple[str, ...] = ()
) -> Iterator[_Size]:
    if quantity is not None and finite(quantity.value) is not None:
        yield measure, more, quantity.value, origin


def no_settings(found: Sequence[Agreement]) -> str:
    """Why no repeatability follows from two raters' agreement, and what would give one; empty where one follows.

    Whoever is compared with himself differs from nobody, and a repeatability of 0 would call every change certain.
    """
    diameter, volume = _settled(found)
    if diameter is None:
        return "No settings: no long axis of one plane was compared."
    pairs = diameter.pairs
    if pairs.same:
        return (
            f"No settings: {pairs.same} of {plural(len(pairs.first), 'diameter')} {'is' if pairs.same == 1 else 'are'} "
            "by the same rater on the same picture in both, which says nothing of how far raters differ. Compare two "
            "readers who measured independently, or two scans of the same children on one day."
        )
    if pairs.by_network:
        return (
            f"No settings: {pairs.by_network} of {plural(len(pairs.first), 'diameter')} "
            f"{'is' if pairs.by_network == 1 else 'are'} compared with the network's, and this trial's "
            "repeatability is that of its readers. Compare two readers, or one reader who measured twice."
        )
    for one in (diameter, volume):
        if one is not None and round(one.coefficient_of_variation, _DIGITS) == 0:
            return (
                f"No settings: the {plural(len(one.pairs.first), 'difference')} of {one.pairs.measure} are all 0. Two "
                "measurements never agree like that: both are one measurement, or readers simulated without error "
                "(simulate --reader-cv). A repeatability of 0 would call every change certain."
            )
    return ""


def _settled(found: Sequence[Agreement]) -> tuple[Agreement | None, Agreement | None]:
    """The agreements on a diameter and on a volume that the settings are of."""
    by_measure = {a.pairs.measure: a for a in found}
    return by_measure.get(LONG_AXIS), by_measure.get(VOLUMES[VolumeMethod.ELLIPSOID])


def settings_lines(found: Sequence[Agreement]) -> list[str]:
    """The repeatability that two raters' agreement gives, as lines of a configuration file.

    A diameter is the long axis in one plane; a volume is that of three diameters, as `config.Repeatability` has it.
    Empty where none follows (`no_settings`).
    """
    diameter, volume = _settled(found)
    if diameter is None or no_settings(found):
        return []
    pairs = diameter.pairs
    source = (
        f"{pairs.first_rater} against {pairs.second_rater}: {len(pairs.first)} diameters"
        + (f" and {len(volume.pairs.first)} volumes" if volume else "")
        + f" of {plural(len(set(pairs.subjects)), 'subject')}"
        + ("" if volume else "; no volume was compared, so volume_cv keeps its value")
    )
    return [
        "uncertainty:",
        "  repeatability:",
        f"    diameter_cv: {diameter.coefficient_of_variation:.{_DIGITS}f}",
        *([f"    volume_cv: {volume.coefficient_of_variation:.{_DIGITS}f}"] if volume else []),
        f"    source: {json.dumps(source, ensure_ascii=False)}",  # a JSON text is a YAML text
    ]


def by_raters(found: Iterable[Agreement]) -> dict[tuple[str, str], list[Agreement]]:
    """The agreements of each pair of raters."""
    groups: dict[tuple[str, str], list[Agreement]] = {}
    for one in found:
        groups.setdefault((one.pairs.first_rater, one.pairs.second_rater), []).append(one)
    return groups
