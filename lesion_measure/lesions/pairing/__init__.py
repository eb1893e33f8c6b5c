"""The same lesion: on several pictures of one visit, and at several visits (docs/pairing.md).

::

    lesion      what is known of a lesion on its pictures: place, size, shape, echo pattern, plane, name
    evidence    two lesions -> how much likelier they look alike if they are one and the same (nats)
    alignment   how the probe was moved and the child changed, fitted to an assignment
    assign      the best assignment of all lesions, how far the second best lies behind, confidence
    events      two lesions that became one, one that became two
    visit       the pictures of one visit -> its lesions

Numbers in, numbers out: no pixels and no files.
"""

from lesion_measure.lesions.pairing.assign import LesionPairing, Match, pair
from lesion_measure.lesions.pairing.events import Group, doubted, find_groups
from lesion_measure.lesions.pairing.lesion import LesionSight, PairedLesion, channel
from lesion_measure.lesions.pairing.visit import ImageSights, Outline, VisitLesion, lesions_of_visit

__all__ = [
    "Group",
    "ImageSights",
    "LesionPairing",
    "LesionSight",
    "Match",
    "Outline",
    "PairedLesion",
    "VisitLesion",
    "channel",
    "doubted",
    "find_groups",
    "lesions_of_visit",
    "pair",
]
