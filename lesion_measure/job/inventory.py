"""What is in a folder, and one distance on one image: the ingest and calibration stages without a measurement run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lesion_measure.calibration import calibrate, calibrate_at
from lesion_measure.config import Config
from lesion_measure.dicom.open_image import OpenImage
from lesion_measure.errors import InputError, MeasurementError
from lesion_measure.image.orientation import KnownPlane, plane_of
from lesion_measure.job.calipers import holds_objects, with_objects
from lesion_measure.job.drawn_lines import DrawnLines, drawn_lines
from lesion_measure.job.own_files import own_files
from lesion_measure.job.printed_scales import scaled_studies
from lesion_measure.measure import caliper_length_mm
from lesion_measure.records import Calibration, Instance, Plane, Point, Refusal, StudyList, in_words
from lesion_measure.studies import assign_visits

if TYPE_CHECKING:
    from lesion_measure.burnt_in.read import Seen

NO_IMAGE = Refusal(
    code="no_image",
    reason="This is no ultrasound image, but an object that draws on images.",
    remedy="Give the image, and the object with --object.",
)


@dataclass(frozen=True, slots=True)
class Inventory:
    """Every file of the input, calibrated or refused, and the visit each study falls in."""

    studies: StudyList
    calibrations: dict[str, Calibration]
    planes: dict[str, KnownPlane]
    visit_of: dict[str, str]
    visit_refusals: tuple[Refusal, ...]
    drawn: DrawnLines

    def as_json(self) -> dict[str, Any]:
        """One entry for every file found; the files that are no image come last."""
        entries = [self._entry(instance) for instance in self.studies.instances]
        entries += [_file_entry(refusal) for refusal in self.studies.refusals]
        return {
            "instances": entries,
            "calipers": [line.as_json() for line in self.drawn.lines],
            "not_used": [{"path": r.path} | _refusal_json(r) for r in self.drawn.refusals],
            "visits": [{"path": r.path, "subject": r.subject} | _refusal_json(r) for r in self.visit_refusals],
        }

    def _entry(self, instance: Instance) -> dict[str, Any]:
        calibration, known = self.calibrations[instance.path], self.planes[instance.path]
        return {
            "path": instance.path,
            "sop_instance_uid": instance.sop_instance_uid,
            "subject": instance.subject or None,
            "visit": self.visit_of.get(instance.study_instance_uid),
            "frames": instance.frames,
            "plane": known.plane.value,
            "plane_source": known.source or None,
            "spacing_mm": calibration.spacing_mm,
            "source": calibration.source,
            "refusal": None if calibration.refusal is None else _refusal_json(calibration.refusal),
            "regions": [
                {
                    "rows": [region.row_min, region.row_max],
                    "columns": [region.col_min, region.col_max],
                    "spacing_mm": region.spacing_mm,
                    "source": region.source,
                }
                for region in calibration.regions
            ],
            "warnings": [*instance.warnings, *calibration.warnings, *known.warnings],
        }

    @property
    def usable(self) -> int:
        """Images that have a scale, so that something can be measured on them."""
        return sum(calibration.refusal is None for calibration in self.calibrations.values())

    def lines(self) -> Iterator[str]:
        """The inventory for people: subjects, their visits, a line for every image, then what was left out and why."""
        order = sorted(
            self.studies, key=lambda s: (s.subject, s.study_date is None, s.study_date, s.study_instance_uid)
        )
        for study in order:
            date = study.study_date.isoformat() if study.study_date else "no date"
            visit = in_words(self.visit_of.get(study.study_instance_uid, "no visit"))
            yield f"{study.subject or '(no subject)'}  {date}  {visit}  {len(study.instances)} image(s)"
            for instance in study.instances:
                words = (_size(instance), self._plane(instance), self._scale(instance))
                yield f"    {instance.path}  {', '.join(filter(None, words))}"
        if self.visit_refusals:
            yield "Visits that are not clear:"
            yield from (
                f"    {r.path or r.subject or '-'}: {r.reason} {r.remedy}".rstrip() for r in self.visit_refusals
            )
        if self.drawn.lines:
            yield "Calipers in DICOM objects:"
            for line in self.drawn.lines:
                yield f"    {line.caliper.origin.path if line.caliper.origin else ''}  {line.words()}"
        if self.drawn.refusals:
            yield "Of these objects not used:"
            yield from (f"    {r.path}: {r.reason} {r.remedy}".rstrip() for r in self.drawn.refusals)
        if self.studies.refusals:
            yield "Not measured:"
            yield from (f"    {r.path}: {r.reason} {r.remedy}".rstrip() for r in self.studies.refusals)
        without = len(self.calibrations) - self.usable
        yield f"{len(self.calibrations)} ultrasound image(s), {self.usable} with mm per pixel, {without} without"

    def _plane(self, instance: Instance) -> str:
        known = self.planes[instance.path]
        if known.plane is Plane.UNKNOWN:
            return "; ".join(known.warnings)
        return f"{known.plane} by {known.source}"

    def _scale(self, instance: Instance) -> str:
        calibration = self.calibrations[instance.path]
        if calibration.spacing_mm is None:
            refusal = calibration.refusal
            return f"no mm per pixel: {refusal.reason} {refusal.remedy}".rstrip() if refusal else "no mm per pixel"
        row_mm, col_mm = calibration.spacing_mm
        scale = f"{row_mm:.4f} mm/px" if row_mm == col_mm else f"{row_mm:.4f} x {col_mm:.4f} mm/px (row x column)"
        return f"{scale} from {calibration.source}"


def take_inventory(path: Path, config: Config, calipers: Path | None = None) -> Inventory:
    """Read every header below ``path``, calibrate every image, sort the studies into visits, list what objects draw.

    ``calipers``: an object, or a folder with objects, beside the input.

    Raises
    ------
    InputError
        ``path`` does not exist or cannot be read.
    """
    seen: Seen = {}
    studies = scaled_studies(path, config, [*own_files(path)], seen)
    studies = with_objects(studies, calipers, path, (), config)
    if config.calipers.burnt_in:
        from lesion_measure.job.burnt_in import with_burnt_in  # which loads what nothing else here needs

        studies = with_burnt_in(studies, config, seen)
    children, visit_refusals = assign_visits(studies, schedule=config.protocol.timetable())
    visit_of = {
        study.study_instance_uid: str(visit)
        for child in children
        for visit, members in child.visits.items()
        for study in members
    }
    # By path: files of one SOPInstanceUID and different content exist, and each has a scale of its own.
    calibrations = {i.path: _calibrated(i, config) for i in studies.instances}
    planes = {i.path: plane_of(i, settings=config.planes) for i in studies.instances}
    return Inventory(studies, calibrations, planes, visit_of, visit_refusals, drawn_lines(studies, config))


def _calibrated(instance: Instance, config: Config) -> Calibration:
    """Its scale, with what the picture itself says against it where the settings ask for that."""
    scale = calibrate(instance, config.calibration)
    if not config.calibration.depth_scale:
        return scale
    from lesion_measure.burnt_in.witness import depth_scale_warning

    with OpenImage(instance, config.limits) as image:
        warning = depth_scale_warning(image, scale)
    return scale if warning is None else replace(scale, warnings=(*scale.warnings, warning))


def measure_distance(
    path: Path, start: Point, end: Point, *, frame: int, config: Config
) -> tuple[float | None, Calibration]:
    """Length in mm between two points (row, column) of one image, with the calibration that gives or refuses it.

    Whatever stands in the way comes as a refusal: no or several images in ``path``, no such frame, no scale at the
    points, points that coincide.

    Parameters
    ----------
    path
        A file or folder that holds one image.
    start, end
        (row, column) in pixels; the centre of the upper left pixel is (0, 0).
    frame
        Number of the frame, from 1.
    config
        All settings; the sections ``limits``, ``planes`` and ``calibration`` count.
    """
    try:
        calibration = calibrate_at(only_image(path, frame, config), [start, end], config.calibration)
        if calibration.spacing_mm is None:
            return None, calibration
        return caliper_length_mm(start, end, calibration.spacing_mm), calibration
    except (InputError, MeasurementError) as error:
        refusal = Refusal.from_error(error, path=error.path or path.name)
        return None, Calibration(spacing_mm=None, source=None, region=None, refusal=refusal)


def measure_drawn(path: Path, given: Path | None, config: Config) -> DrawnLines:
    """What objects draw on one image, with the lengths by its scale.

    Parameters
    ----------
    path
        A file that holds one image, or a folder with it and with objects.
    given
        An object, or a folder with objects; None: those in ``path``.
    config
        All settings.

    Raises
    ------
    InputError
        There is no or more than one image, or what is given is no object.
    """
    if given is not None and not (given.is_dir() or holds_objects(given)):
        raise InputError(
            "This is no DICOM object.",
            remedy="Give a structured report, presentation state or segmentation, or a folder with some.",
            code="not_dicom", path=given.name,
        )  # fmt: skip
    studies = scaled_studies(path, config)
    image = _only(studies, path)
    drawn = drawn_lines(with_objects(studies, given, path, (), config), config)
    return DrawnLines(tuple(line for line in drawn.lines if line.image == image), drawn.refusals)


def only_image(path: Path, frame: int, config: Config) -> Instance:
    """The one image of a path.

    Raises
    ------
    InputError
        There is no or more than one image, or it has no such frame.
    """
    image = _only(scaled_studies(path, config), path)
    if frame > image.frames:
        raise InputError(
            f"There is no frame {frame}; the image has {image.frames}.",
            remedy="Frames are numbered from 1.",
            code="no_such_frame",
            path=path.name,
        )
    return image


def _only(studies: StudyList, path: Path) -> Instance:
    instances = list(studies.instances)
    if not instances:
        # Beside a README, what was wrong with the image is what matters.
        why = next((r for r in studies.refusals if r.code != "not_dicom"), next(iter(studies.refusals), NO_IMAGE))
        raise InputError(why.reason, remedy=why.remedy, code=why.code, path=why.path)
    if len(instances) > 1:
        raise InputError(
            f"{len(instances)} images are in here.", remedy="Name one of them.", code="several_images", path=path.name
        )
    return instances[0]


def _size(instance: Instance) -> str:
    frames = "1 frame" if instance.frames == 1 else f"{instance.frames} frames"
    return f"{instance.columns}x{instance.rows}, {frames}"


def _refusal_json(refusal: Refusal) -> dict[str, str]:
    return {"code": refusal.code, "reason": refusal.reason, "remedy": refusal.remedy}


def _file_entry(refusal: Refusal) -> dict[str, Any]:
    return {
        "path": refusal.path,
        "sop_instance_uid": refusal.sop_instance_uid,
        "subject": refusal.subject,
        "visit": None,
        "frames": None,
        "plane": None,
        "plane_source": None,
        "spacing_mm": None,
        "source": None,
        "refusal": _refusal_json(refusal),
        "regions": [],
        "warnings": [],
    }
