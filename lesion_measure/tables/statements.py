"""Whose a reader's rows are that no image of a child answers to.

A row that names no image of the input may be the one that a verdict lacks. It is bound to the child, visit and lesion
that its path tells: the child whose code stands in it, or whose images' paths it is nearest to. Where several children
are as near, it is held against each of them, and where nothing tells, against all.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from lesion_measure.records import Caliper, Doubt, Instance, Refusal, StudyList, SubjectVisits, shown_name
from lesion_measure.spelling import nfc, slips
from lesion_measure.tables.matching import Unmatched, rows_in_words

MISSING_PART = 4.0
"""A folder too many or too few counts as so many slips."""
MOST_SLIPS = 0.4
"""A path with more slips than this share of its length is like no path of the input."""
MOST_UID_SLIPS = 3
NEAR = 1.0
"""So many slips apart, two children are as near as one another."""
VISIT_NEAR = 2.0
"""So many slips apart, two visits of a child are."""

_UID = re.compile(r"[0-9]+(\.[0-9]+)+")


@dataclass(slots=True)
class Bound:
    """The doubts of each child, and what is listed for the whole run since no one child can be told."""

    doubts: dict[str, list[Doubt]] = field(default_factory=lambda: defaultdict(list))
    refusals: list[Refusal] = field(default_factory=list)


def bind(
    unmatched: Iterable[Unmatched], children: Sequence[SubjectVisits], drawn: Mapping[str, Sequence[Caliper]]
) -> Bound:
    """Rows of no or of several images, held against the children that they may be about.

    Parameters
    ----------
    unmatched
        What `matching.match_calipers` and `of_no_visit` left.
    children
        The children of the run with their visits.
    drawn
        The rows that found their image, by SOPInstanceUID.
    """
    bound = Bound()
    shared: dict[str, list[Unmatched]] = defaultdict(list)
    places = [
        _Place(child.subject, visit, image)
        for child in children
        for visit, studies in child.visits.items()
        for study in studies
        for image in study.instances
    ]
    codes = [child.subject for child in children]
    for lost in unmatched:
        whose, visit = _whose(lost, places, codes, drawn)
        drew = any(row.axis.is_drawn for row in lost.rows)
        own = whose if len(whose) == 1 else [code for code in whose if _names(lost.refusal.path or "", code)]
        for code in own:
            bound.doubts[code].append(Doubt(replace(lost.refusal, subject=code, visit=visit), seen=drew))
        if not own:
            bound.refusals.append(lost.refusal)
        for code in whose:
            if code not in own:
                shared[code].append(lost)
    for code, several in shared.items():
        bound.doubts[code] += _perhaps(code, several)
    return bound


def of_no_visit(
    calipers: Mapping[str, Sequence[Caliper]],
    studies: StudyList,
    children: Sequence[SubjectVisits],
    refusals: Sequence[Refusal],
) -> Iterator[Unmatched]:
    """Rows on images that came into no visit, with the reason."""
    placed = {i.sop_instance_uid for c in children for v in c.visits.values() for s in v for i in s.instances}
    for study in studies:
        for image in study.instances:
            rows = calipers.get(image.sop_instance_uid, ())
            if not rows or image.sop_instance_uid in placed:
                continue
            paths = [image.path, *(i.path for i in study.instances)]
            why = next((r for path in paths for r in refusals if r.path == path), None)
            why = why or next((r for r in refusals if r.subject and r.subject == image.subject), None)
            image = replace(image, subject=why.subject) if why and why.subject else image  # as a manifest has it
            yield from _by_lesion(rows, image, why)


def _by_lesion(rows: Sequence[Caliper], image: Instance, why: Refusal | None) -> Iterator[Unmatched]:
    for lesion in dict.fromkeys(row.lesion for row in rows):
        own = tuple(row for row in rows if row.lesion == lesion)
        reason = f"{rows_in_words(own)}: the image is in no visit."
        yield Unmatched(
            rows=own,
            refusal=Refusal(
                code="caliper_image_in_no_visit",
                reason=f"{reason} {why.reason}" if why else reason,
                remedy=why.remedy if why else "Name the visit of the image in a manifest (--manifest).",
                path=image.path,
                sop_instance_uid=image.sop_instance_uid,
                subject=image.subject or None,
                lesion=shown_name(lesion),
            ),
            images=(image,),
            unused=True,
        )


@dataclass(frozen=True, slots=True)
class _Place:
    """An image where it stands."""

    subject: str
    visit: str
    image: Instance


def _whose(
    lost: Unmatched, places: Sequence[_Place], codes: Sequence[str], drawn: Mapping[str, Sequence[Caliper]]
) -> tuple[list[str], str | None]:
    """The children that rows may be about, all where nothing tells; and the visit, where it is one child's."""
    name, own = lost.refusal.path or "", lost.refusal.subject
    if lost.unused and own:  # the image is there, and says whose it is
        codes, places = [code for code in codes if code == own], [place for place in places if place.subject == own]
    named = {code for code in codes if code == own or _names(name, code)}
    if lost.elsewhere and not named:
        return [], None  # a file of another folder than the input
    uids = {image.sop_instance_uid for image in lost.images}
    if fitting := [place for place in places if place.image.sop_instance_uid in uids]:
        return _one_of(fitting)
    if len({row.image for row in lost.rows}) > 1:  # a whole file that fits nothing
        return list(codes), None
    far = [(_slips(name, place.image), place) for place in places]
    nearest: dict[str, float] = {}
    for count, place in far:
        nearest[place.subject] = min(count, nearest.get(place.subject, count))
    likely = _likely(name, nearest, named)
    if likely is None:
        return list(codes), None
    free = [
        (count, place)
        for count, place in far
        if place.subject in likely and not _drawn_already(lost, drawn.get(place.image.sop_instance_uid, ()))
    ]
    whose = {place.subject for count, place in free if count == nearest[place.subject]}
    if lost.unused and not whose:  # it stands for no other image, whose rows are there
        return sorted(likely), None
    return _one_of([p for count, p in free if p.subject in whose and count <= nearest[p.subject] + VISIT_NEAR])


def _likely(name: str, nearest: Mapping[str, float], named: set[str]) -> set[str] | None:
    """The children that are near enough, by the slips to the nearest image of each; None where nothing tells."""
    best = min((count for code, count in nearest.items() if code in named or not named), default=math.inf)
    alike = best <= (MOST_UID_SLIPS if _UID.fullmatch(name) else MOST_SLIPS * len(name))
    if not named:
        return {code for code, count in nearest.items() if count <= best + NEAR} if alike else None
    # Where a child's code stands in the path, another child has to be as near for the code to be the slip.
    return named | ({code for code, count in nearest.items() if count <= best} if alike else set())


def _drawn_already(lost: Unmatched, rows: Sequence[Caliper]) -> bool:
    """Whether an image has the same axes of the same lesion: it lacks nothing, so the rows are not about it."""
    there = {(row.lesion, row.axis) for row in rows}
    return all((row.lesion, row.axis) in there for row in lost.rows)


def _one_of(places: Sequence[_Place]) -> tuple[list[str], str | None]:
    """The children of these images in order, and the visit where both are one alone."""
    whose, visits = sorted({place.subject for place in places}), {place.visit for place in places}
    return whose, visits.pop() if len(whose) == len(visits) == 1 else None


def _names(path: str, code: str) -> bool:
    """Whether a child's code stands in a path, in whatever case, as a word of its own."""
    return re.search(rf"(?<![^\W_]){re.escape(nfc(code).casefold())}(?![^\W_])", nfc(path).casefold()) is not None


def _slips(name: str, image: Instance) -> float:
    """How far a path, or a UID, is from an image's: part by part, from the file up."""
    if _UID.fullmatch(name):
        return float(slips(name, image.sop_instance_uid))
    wanted, there = (nfc(path).casefold().replace("\\", "/").split("/")[::-1] for path in (name, image.path))
    shared = sum(slips(one, other) for one, other in zip(wanted, there, strict=False))
    return shared + MISSING_PART * abs(len(wanted) - len(there))


def _perhaps(code: str, several: Sequence[Unmatched]) -> list[Doubt]:
    """Rows that may be about a child: one doubt of each lesion that they name."""
    by_lesion: dict[tuple[str | None, bool], list[Caliper]] = defaultdict(list)
    for row in (row for lost in several for row in lost.rows):
        by_lesion[shown_name(row.lesion), row.origin is None].append(row)
    one = several[0].refusal
    return [
        Doubt(
            Refusal(
                code="caliper_rows_perhaps",
                reason=f"{rows_in_words(sorted(rows, key=lambda row: row.row_number))} could not be used, and nothing "
                "tells that they are not about this subject.",
                remedy=one.remedy,
                path=one.path,
                subject=code,
                lesion=lesion,
            ),
            seen=any(row.axis.is_drawn for row in rows),
            perhaps=True,
        )
        for (lesion, _), rows in by_lesion.items()
    ]
