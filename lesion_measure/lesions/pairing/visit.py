"""The pictures of one visit -> its lesions: which outlines on several pictures show the same one.

First the pictures of each plane, from the one that shows most lesions on: each next one is paired with what is known
so far, and what only it shows is carried to where it would lie there. Then the planes among one another, which share
no more than depth. A link that is less sure than `pairing.least_confidence` is not made; the outline stands aside.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lesion_measure.config import Pairing as Settings
from lesion_measure.lesions.pairing.assign import LesionPairing, pair
from lesion_measure.lesions.pairing.lesion import CHANNELS, LesionSight, PairedLesion, channel, features

SURE = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """One lesion on one picture. ``key`` tells the caller which; ``name`` is empty where nobody named it."""

    key: int
    sight: LesionSight
    name: str = ""


@dataclass(frozen=True, slots=True)
class ImageSights:
    """The outlines that share one picture's coordinates, all of one plane."""

    outlines: tuple[Outline, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitLesion:
    """One lesion of a visit: the keys of its outlines, what they show, and how sure the weakest link is."""

    keys: tuple[int, ...]
    lesion: PairedLesion
    confidence: float = SURE


def lesions_of_visit(
    pictures: Sequence[ImageSights], settings: Settings
) -> tuple[tuple[VisitLesion, ...], tuple[int, ...]]:
    """The lesions of a visit, and the keys of outlines that cannot be told to belong to one of them or to none.

    Parameters
    ----------
    pictures
        Pictures of any planes.
    settings
        Likeness of pictures, and how sure a link has to be.
    """
    known: list[VisitLesion] = []
    aside: list[int] = []
    for kind in range(len(CHANNELS)):
        same = [p for p in pictures if p.outlines and channel(p.outlines[0].sight.plane) == kind]
        plane: list[VisitLesion] = []
        for picture in sorted(same, key=lambda p: -len(p.outlines)):  # stable: the files' order where equal
            plane = _joined(plane, [_single(o) for o in picture.outlines], settings, aside)
        known = _joined(known, plane, settings, aside)
    return tuple(known), tuple(aside)


def _single(outline: Outline) -> VisitLesion:
    return VisitLesion(keys=(outline.key,), lesion=PairedLesion(sights=(outline.sight,), name=outline.name))


def _joined(
    known: Sequence[VisitLesion], more: Sequence[VisitLesion], settings: Settings, aside: list[int]
) -> list[VisitLesion]:
    if not known or not more:
        return [*known, *more]
    decided = pair([m.lesion for m in more], [k.lesion for k in known], settings.pictures, settings)
    moved = _carried([m.lesion for m in more], decided, settings)
    result = list(known)
    for match in decided.matches:
        if match.before is None:
            continue
        new = replace(more[match.before], lesion=moved[match.before])
        # a named outline needs no partner: its name tells it from every other
        own_name = match.after is None and bool(new.lesion.name)
        if match.confidence < settings.least_confidence and not own_name:
            aside += new.keys
        elif match.after is None:
            sure = SURE if own_name else match.confidence
            result.append(replace(new, confidence=min(new.confidence, sure)))
        else:
            result[match.after] = _one(result[match.after], new, match.confidence)
    return result


def _carried(lesions: Sequence[PairedLesion], decided: LesionPairing, settings: Settings) -> list[PairedLesion]:
    """Lesions where the motion puts them; without a partner to hold on to, their place across is hardly known."""
    lateral, depth = decided.motion.carried(features(lesions))
    tied = any(m.before is not None and m.after is not None for m in decided.matches)
    like = settings.pictures
    loose = (like.lateral_mm, like.depth_mm) if tied else (like.move_lateral_mm, like.move_depth_mm)

    def carry(row: int, sight: LesionSight) -> LesionSight:
        c = channel(sight.plane)
        return replace(
            sight,
            lateral_mm=float(lateral[row, c]),
            depth_mm=float(depth[row, c]),
            lateral_sd_mm=math.hypot(sight.lateral_sd_mm, loose[0]),
            depth_sd_mm=math.hypot(sight.depth_sd_mm, loose[1]),
        )

    return [replace(x, sights=tuple(carry(row, s) for s in x.sights)) for row, x in enumerate(lesions)]


def _one(known: VisitLesion, new: VisitLesion, confidence: float) -> VisitLesion:
    sights = list(known.lesion.sights)
    for sight in new.lesion.sights:
        index = next((k for k, s in enumerate(sights) if channel(s.plane) == channel(sight.plane)), None)
        if index is None:
            sights.append(sight)
        else:
            sights[index] = _larger(sights[index], sight)
    return VisitLesion(
        keys=known.keys + new.keys,
        lesion=PairedLesion(sights=tuple(sights), name=known.lesion.name or new.lesion.name),
        confidence=min(known.confidence, new.confidence, confidence),
    )


def _larger(known: LesionSight, new: LesionSight) -> LesionSight:
    """Sizes and echo of the larger cut, as they are reported; the place of the one that is tied better."""
    large = max((known, new), key=lambda s: s.long_axis_mm)
    tied = min((known, new), key=lambda s: s.lateral_sd_mm)
    return replace(
        large,
        lateral_mm=tied.lateral_mm,
        depth_mm=tied.depth_mm,
        lateral_sd_mm=tied.lateral_sd_mm,
        depth_sd_mm=tied.depth_sd_mm,
    )
