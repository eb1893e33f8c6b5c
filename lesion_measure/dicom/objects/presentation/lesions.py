"""What was found in a presentation state, and which of it is of one lesion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lesion_measure.dicom.objects.presentation.display import Place, Points, unusable
from lesion_measure.dicom.objects.presentation.graphics import NOT_MEASURED, Figure
from lesion_measure.dicom.objects.presentation.together import crossing
from lesion_measure.errors import InputError
from lesion_measure.records import Axis, Drawing, ObjectKind, Origin, Refusal

_NAME_IT = "Call the lesion by one name, on each of its lines."


@dataclass(frozen=True, slots=True)
class Drawn:
    """A figure on an image with what its captions say, and where it stands in the object."""

    figure: Figure
    place: Place
    item: str
    lesion: str
    axis: Axis | None
    stated: str
    stated_mm: float | None


@dataclass(slots=True)
class Found:
    """What was found so far."""

    drawn: list[Drawn]
    refusals: list[Refusal]
    listed: list[Refusal]
    path: str
    uid: str

    def refuse(self, error: InputError, item: str, place: Place | None, lesion: str = "") -> None:
        """Keep why something cannot be used, or that it measures nothing."""
        refusal = Refusal(
            code=error.code,
            reason=f"{item}: {error.reason}",
            remedy=error.remedy,
            path=self.path,
            sop_instance_uid=(place.image_uid if place else "") or self.uid or None,
            lesion=lesion or None,
        )
        (self.listed if error.code == NOT_MEASURED else self.refusals).append(refusal)


def drawings_of(found: Found, reader: str) -> tuple[Drawing, ...]:
    """The drawings, in groups that are of one lesion: of one figure, of one graphic group, or lines that cross."""
    groups = _groups(found.drawn)
    drawings = []
    for number in dict.fromkeys(groups):
        members = [drawn for drawn, group in zip(found.drawn, groups, strict=True) if group == number]
        names = list(dict.fromkeys(drawn.lesion for drawn in members if drawn.lesion))
        if len(names) > 1:
            for drawn in members:
                found.refuse(names_differ(names), drawn.item, drawn.place, drawn.lesion)
            continue
        lesion = names[0] if names else ""
        drawings += [
            _drawing(drawn, part, axis, lesion, str(number), reader, found)
            for drawn in members
            for part, axis in zip(drawn.figure.parts, drawn.figure.axes, strict=True)
        ]
    return tuple(drawings)


def _groups(drawn: Sequence[Drawn]) -> list[int]:
    """The number of each figure's group."""
    groups = list(range(1, len(drawn) + 1))

    def join(one: int, two: int) -> None:
        old, new = groups[two], groups[one]
        groups[:] = [new if group == old else group for group in groups]

    for place in dict.fromkeys(one.place for one in drawn):
        here = [index for index, one in enumerate(drawn) if one.place == place]
        straight = [index for index in here if not drawn[index].figure.remark]
        lines = [(index, line) for index in straight if (line := drawn[index].figure.line) is not None]
        for one, two in crossing([line for _, line in lines]):
            join(lines[one][0], lines[two][0])
        by_group: dict[int, int] = {}
        for index in here:
            if (group := drawn[index].figure.group) is not None:
                join(by_group.setdefault(group, index), index)
    return groups


def _drawing(
    drawn: Drawn, part: Points, axis: Axis | None, lesion: str, group: str, reader: str, found: Found
) -> Drawing:
    origin = Origin(
        kind=ObjectKind.PR,
        path=found.path,
        sop_instance_uid=found.uid,
        item=drawn.item,
        tracking_uid=drawn.figure.tracking_uid,
        tracking_identifier=drawn.figure.tracking_identifier,
        stated=drawn.stated,
        stated_mm=drawn.stated_mm,
    )
    return Drawing(
        image_uid=drawn.place.image_uid,
        frame=drawn.place.frame,
        points=tuple((float(row), float(col)) for row, col in part),
        axis=(axis or drawn.axis) if len(part) == 2 else Axis.OUTLINE,
        lesion=lesion,
        group=group,
        reader=reader,
        origin=origin,
        warnings=(drawn.figure.remark,) if drawn.figure.remark else (),
    )


def names_differ(names: Sequence[str]) -> InputError:
    """The error for lines of one lesion that have several names."""
    return unusable(
        "names_differ", f"Lines of one lesion are called {' and '.join(names)}: are these two lesions?", _NAME_IT
    )
