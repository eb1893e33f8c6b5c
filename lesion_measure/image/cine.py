"""Which frames of a cine the network is shown: some first, then those around the best of them. Part of the pipeline.

A lesion is measured on the frame where it is large and the network sure. From the best of some evenly spaced frames,
the search halves the way to the frames beside it until nothing lies between, as one scrolls to the largest section.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from lesion_measure.image.stack import Track, apart_from, tracks
from lesion_measure.records import DrawnLesion

Masks = Mapping[int, Sequence[DrawnLesion]]
"""The network's lesions by 1-based frame number."""


def score(mask: DrawnLesion) -> float:
    """How well a frame shows a lesion: confidence times extent, the diagonal of the outline's box."""
    return mask.confidence * float(np.hypot(*np.ptp(mask.outline_px, 0)))


def coarse_to_fine(
    total: int, first: Sequence[int], outline: Callable[[Sequence[int]], Masks], least: float
) -> dict[int, Sequence[DrawnLesion]]:
    """The lesions of the frames that are worth looking at.

    Parameters
    ----------
    total
        Frames of the cine.
    first
        Those to begin with.
    outline
        Gives the lesions of frames.
    least
        Confidence from which a lesion that is not accepted is looked for on more frames: it may be accepted there.
    """
    masks: dict[int, Sequence[DrawnLesion]] = {}
    wanted = sorted(set(first))
    while wanted:
        masks |= outline(wanted)
        looked, best = sorted(masks), _best_frames(masks, least)
        wanted = sorted({middle for frame in best for middle in _halfway(looked, frame, total)})
    return masks


def _best_frames(masks: Masks, least: float) -> set[int]:
    """Of each accepted lesion the frame that shows it best; of each other one the frame where it is surest.

    Each, since the one that is surest on few frames need not be the one that is surest on all.
    """
    accepted = tracks({f: [m for m in lesions if m.accepted] for f, lesions in masks.items()}, gaps=True)
    others = tracks({f: [m for m in lesions if not m.accepted] for f, lesions in masks.items()}, gaps=True)
    apart = apart_from(others, accepted)
    proposed = {at for track in apart if track[at := surest_frame(track)].confidence >= least}
    return proposed.union(best_frame(track) for track in accepted)


def best_frame(track: Track) -> int:
    """The frame on which a lesion is large and the network sure."""
    return max(track, key=lambda frame: score(track[frame]))


def surest_frame(track: Track) -> int:
    """The frame on which the network is surest of a lesion."""
    return max(track, key=lambda frame: track[frame].confidence)


def _halfway(looked: Sequence[int], frame: int, total: int) -> list[int]:
    """The frames half-way from one that was looked at to those beside it, as far as some lie between."""
    place = looked.index(frame)
    before = looked[place - 1] if place else 0
    after = looked[place + 1] if place + 1 < len(looked) else total + 1
    return [(frame + other) // 2 for other in (before, after) if abs(frame - other) > 1]
