"""What objects draw on images and how long it is, for the commands inspect and ruler: without pairing and visits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lesion_measure.calibration import calibrate_at
from lesion_measure.config import Config
from lesion_measure.drawings import calipers_of
from lesion_measure.errors import MeasurementError
from lesion_measure.measure import caliper_length_mm
from lesion_measure.records import Caliper, Instance, Refusal, StudyList, shown_name


@dataclass(frozen=True, slots=True)
class DrawnLine:
    """One caliper of an object on its image, with its length by the image's scale, or why it has none."""

    caliper: Caliper
    image: Instance
    length_mm: float | None = None
    scale: str | None = None
    refusal: Refusal | None = None

    def words(self) -> str:
        """It in one line, for people."""
        one, origin = self.caliper, self.caliper.origin
        what = f"{one.axis} axis" if one.start else "outline"
        name = shown_name(one.lesion) or "a lesion without a name"
        size = "" if one.end is None else "no length"
        if self.length_mm is not None:
            size = f"{self.length_mm:.2f} mm"
        elif self.refusal is not None:
            size = f"{size} ({self.refusal.reason})"
        stated = f", stated {origin.stated}" if origin and origin.stated else ""
        item = f"{origin.item}: " if origin and origin.item else ""
        return f"{item}{what} of {name} by {one.reader} on {self.image.path} frame {one.frame}: {size}{stated}"

    def as_json(self) -> dict[str, Any]:
        """It for programs."""
        one, origin = self.caliper, self.caliper.origin
        return {
            "image": self.image.path,
            "image_uid": self.image.sop_instance_uid,
            "frame": one.frame,
            "lesion": shown_name(one.lesion),
            "axis": one.axis.value,
            "reader": one.reader,
            "start": one.start,
            "end": one.end,
            "length_mm": self.length_mm,
            "source": self.scale,
            "refusal": None if self.refusal is None else self.refusal.reason,
            "path": origin.path if origin else None,
            "kind": origin.kind.value if origin else None,
            "object_uid": origin.sop_instance_uid if origin else None,
            "item": origin.item if origin else None,
            "tracking_uid": origin.tracking_uid if origin else None,
            "stated": origin.stated if origin else None,
        }


@dataclass(frozen=True, slots=True)
class DrawnLines:
    """The calipers of all objects, by their files, and why others are not used."""

    lines: tuple[DrawnLine, ...]
    refusals: tuple[Refusal, ...]


def drawn_lines(studies: StudyList, config: Config) -> DrawnLines:
    """Every caliper that the objects of an input draw, measured by itself."""
    subject_of = {image.sop_instance_uid: image.subject for image in studies.instances}
    images = {image.sop_instance_uid: image for image in studies.instances}
    found = calipers_of(studies, {}, subject_of, config)
    lines = [_measured(c, images[uid], config) for uid, calipers in found.calipers.items() for c in calipers]
    lines.sort(key=lambda line: line.caliper.origin.path if line.caliper.origin else "")
    return DrawnLines(tuple(lines), (*(lost.refusal for lost in found.unmatched), *found.listed))


def _measured(caliper: Caliper, image: Instance, config: Config) -> DrawnLine:
    if caliper.start is None or caliper.end is None:
        return DrawnLine(caliper, image)
    scale = calibrate_at(image, [caliper.start, caliper.end], config.calibration)
    if scale.spacing_mm is None:
        return DrawnLine(caliper, image, refusal=scale.refusal)
    try:
        length = caliper_length_mm(caliper.start, caliper.end, scale.spacing_mm)
    except MeasurementError as error:
        return DrawnLine(caliper, image, refusal=Refusal.from_error(error))
    return DrawnLine(caliper, image, length, scale.source)
