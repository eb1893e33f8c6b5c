"""Which scan plane an image shows, by the reader's word, the manifest's and the header's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lesion_measure.config import Planes
from lesion_measure.errors import MeasurementError
from lesion_measure.records import ImageLabel, Instance, Plane, StatedPlane


@dataclass(frozen=True, slots=True)
class KnownPlane:
    """The scan plane of a picture, by what it is known (empty where it is not), and which sources say otherwise."""

    plane: Plane
    source: str = ""
    warnings: tuple[str, ...] = ()


def plane_of(
    instance: Instance, label: ImageLabel | None = None, drawn: Plane = Plane.UNKNOWN, *, settings: Planes | None = None
) -> KnownPlane:
    """Scan plane of a picture, in this order of precedence: the reader's word, the manifest's, the header's.

    A person's word counts against the header's, with a warning. ``unknown`` in a caliper file leaves the question to
    the manifest and the header; in the manifest it is the answer. Sources of a header that disagree among themselves
    (their order is that of `studies.scan_plane`) leave the plane unknown or the first one counts, as the settings say,
    with a warning either way.

    Parameters
    ----------
    instance
        The image, with what its header states.
    label
        What the manifest says of it.
    drawn
        The plane that a reader's calipers name.
    settings
        The ``planes`` section of the configuration; the defaults where None.

    Raises
    ------
    MeasurementError
        Reader and manifest name different planes (code ``planes_contradict``).
    """
    settings = settings or Planes()
    listed = label.plane if label is not None else None
    if drawn is not Plane.UNKNOWN and listed not in (None, Plane.UNKNOWN, drawn):
        raise MeasurementError(
            f"The calipers are called {drawn}, and the manifest calls the image {listed}.",
            remedy="Correct the one that is wrong: the plane decides which diameters a volume takes.",
            code="planes_contradict",
            path=instance.path,
        )
    for source, plane in (("caliper file", drawn if drawn is not Plane.UNKNOWN else None), ("manifest", listed)):
        if plane is not None:
            others = [s for s in instance.stated_planes if s.plane is not plane]
            contradicted = plane is not Plane.UNKNOWN and others
            warnings = (f"{plane} by the {source}, but {_words(others)}",) if contradicted else ()
            return KnownPlane(plane, source, warnings)
    return _by_header(instance.stated_planes, settings)


def _by_header(stated: Sequence[StatedPlane], settings: Planes) -> KnownPlane:
    if not stated:
        return KnownPlane(Plane.UNKNOWN)
    first = stated[0]
    if all(s.plane is first.plane for s in stated):
        return KnownPlane(first.plane, first.source)
    if settings.header_disagreement == "first":
        others = [s for s in stated if s.plane is not first.plane]
        return KnownPlane(first.plane, first.source, (f"{first.plane} by the {first.source}, but {_words(others)}",))
    return KnownPlane(
        Plane.UNKNOWN, "", (f"the scan plane is not known, since the header contradicts itself: {_words(stated)}",)
    )


def _words(stated: Sequence[StatedPlane]) -> str:
    return " and ".join(f"{s.plane} by the {s.source}" for s in stated)
