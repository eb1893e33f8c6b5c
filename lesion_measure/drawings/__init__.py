"""What DICOM objects draw, as readers' calipers on the images of the input. Nothing is measured here.

::

    current    which objects count: each once, the last of several versions
    placing    on which image and frame each drawing lies
    figures    which lines belong together; long and short axis
    once       the same caliper in a table and an object, or in two objects, counts once
    names      what objects say of which lesion it is
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lesion_measure.config import Config
from lesion_measure.drawings.current import current
from lesion_measure.drawings.figures import figures
from lesion_measure.drawings.names import name_figures
from lesion_measure.drawings.once import Rows, last_versions, lines_first, lines_once, rows_first
from lesion_measure.drawings.placing import Images, caliper, place, refused, unusable
from lesion_measure.records import Axis, Caliper, DrawnObject, Refusal, StudyList
from lesion_measure.tables.matching import Unmatched

__all__ = ["FromObjects", "calipers_of"]


@dataclass(frozen=True, slots=True)
class FromObjects:
    """Calipers by SOP Instance UID of their image; those that cannot be used; and what is listed and doubts nothing."""

    calipers: Mapping[str, tuple[Caliper, ...]]
    unmatched: tuple[Unmatched, ...] = ()
    listed: tuple[Refusal, ...] = ()


def calipers_of(studies: StudyList, rows: Rows, subject_of: Mapping[str, str], config: Config) -> FromObjects:
    """The calipers of every object of an input, each once, with names as far as the objects say them.

    Parameters
    ----------
    studies
        Images and objects.
    rows
        What caliper tables say, by the SOP Instance UID of the image.
    subject_of
        The child of an image, by its SOP Instance UID.
    config
        Settings of calibration and calipers.
    """
    images = Images(studies)
    counting = current(studies.objects)
    placed = place(counting.objects, images)
    drawn, unmatched, beside_lines = figures(placed.placed, config.calibration)
    drawn, twice = lines_once(drawn, rows)
    named, doubted = name_figures(drawn, subject_of)
    named, earlier = last_versions(named, repeats=config.calipers.repeats == "mean")
    named, in_tables = rows_first(named, rows)
    named, outlined = lines_first(named)
    found: dict[str, list[Caliper]] = defaultdict(list)
    for figure in named:
        for line in figure.lines:
            axis = line.axis or Axis.LONG
            found[figure.image.sop_instance_uid].append(
                caliper(line.drawing, line.frame, axis, figure.lesion, line.reader, line.plane)
            )
    unclear = [one for held_in, why in counting.unclear for one in _unclear(held_in, why, images)]
    return FromObjects(
        {uid: tuple(calipers) for uid, calipers in found.items()},
        (*unclear, *placed.unmatched, *unmatched, *doubted),
        (*counting.listed, *placed.listed, *beside_lines, *twice, *earlier, *in_tables, *outlined),
    )


def _unclear(held_in: DrawnObject, why: Refusal, images: Images) -> Iterator[Unmatched]:
    """All that an object draws of which nobody knows whether it counts."""
    if not held_in.drawings.drawn:
        yield unusable(held_in, why, images)
    for drawing in held_in.drawings.drawn:
        on = images.of_uid(drawing.image_uid) or images.near(held_in)
        reason = why.reason[0].lower() + why.reason[1:].removesuffix(".")
        yield refused(drawing, held_in, why.code, reason, remedy=why.remedy, images=on)
