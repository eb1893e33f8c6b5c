"""Which outlines that the network draws by itself a run would keep: the others are no answer, right or wrong."""

from __future__ import annotations

from collections.abc import Sequence

from lesion_measure.config import Calibration, Segment
from lesion_measure.image.beam import MOSTLY, share_beyond
from lesion_measure.lab.datasets import Picture
from lesion_measure.lab.evaluation.overlap import Placed, mostly_ignored
from lesion_measure.measure.insonation import insonated_area
from lesion_measure.network import SegmentedLesion
from lesion_measure.network.segment import longest_mm, outline_of


def kept(lesions: Sequence[SegmentedLesion], item: Picture) -> list[SegmentedLesion]:
    """The outlines that a run with default settings would not drop, in their order.

    Dropped are outlines that lie mostly where the beam has not reached, or on pixels that nobody judged, and, where the
    size of a pixel is known, specks.
    Those outside of the liver the network has left out by itself.
    """
    area = insonated_area(item.image)
    found = []
    for lesion in lesions:
        outline = outline_of(lesion.probability) + lesion.origin
        if len(outline) == 0 or mostly_ignored(Placed(lesion.mask, lesion.origin), item):
            continue
        if item.spacing_mm and longest_mm(outline, item.spacing_mm) < Segment().min_lesion_mm:
            continue
        slack = Calibration().insonated_slack_mm if item.spacing_mm else 0.0
        if area.known and share_beyond(area.mask, outline, item.spacing_mm or (1.0, 1.0), slack) > MOSTLY:
            continue
        found.append(lesion)
    return found
