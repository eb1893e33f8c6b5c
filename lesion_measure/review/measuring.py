"""What a drawing measures, in mm: by the very functions that a run measures with, on images that stay open."""

from __future__ import annotations

import math
from threading import Lock

from lesion_measure.burnt_in.found import BurntInFrame
from lesion_measure.calibration import calibrate
from lesion_measure.config import Config
from lesion_measure.errors import InputError
from lesion_measure.files import archive
from lesion_measure.image.read import read_drawings
from lesion_measure.image.task import ImageReading, Task
from lesion_measure.records import ImageLabel, Instance, Location, PlaneMeasurement, Quantity, Refusal
from lesion_measure.review.images import OpenImages
from lesion_measure.review.messages import Draft, Kind, Measure, Measured, Size
from lesion_measure.review.rows import rows_of

UNNAMED = "lesion"
"""What a lesion is called in words about a drawing that has no name yet."""


class Measurer:
    """Measures drawings; any number of threads may ask.

    Parameters
    ----------
    config
        The settings of the run.
    images
        The open images.
    """

    def __init__(self, config: Config, images: OpenImages) -> None:
        self._config = config
        self._images = images
        self._lock = Lock()
        self._digests: dict[Location, str | InputError] = {}

    def measure(self, instance: Instance, label: ImageLabel, drawing: Measure | Draft, reader: str = "") -> Measured:
        """Measure calipers or a contour on one image.

        What stands in the way of a number is the answer's ``refusal`` and ``remedy``, in the words of a run. A draft
        that draws nothing has neither sizes nor a refusal.
        """
        draft = drawing if isinstance(drawing, Draft) else _draft(drawing)
        rows = rows_of(draft, instance.sop_instance_uid, reader)
        reading = self.reading(Task(instance=instance, subject="", visit="", label=label, calipers=rows))
        if reading.caliper:
            return measured(reading.caliper[0])
        why = next((doubt.refusal for doubt in reading.doubts), None) or next(iter(reading.refusals), None)
        return Measured() if why is None else _refused(why)

    def reading(self, task: Task) -> ImageReading:
        """What a run without a network reads of an image."""
        with self._images.use(task.instance) as opened:
            return read_drawings(
                task, opened.image, opened.beam, self._config, lambda: self._digest(task.instance.location)
            )

    def burnt_in(self, instance: Instance, frame: int) -> BurntInFrame:
        """The calipers that are burnt into a frame. Raises as `burnt_in.read.read_frame`."""
        from lesion_measure.burnt_in.read import read_frame  # which loads what nothing else here needs

        with self._images.use(instance) as opened:
            return read_frame(opened.image, frame, self._config)

    def prepare(self, instance: Instance) -> None:
        """Find where the image's largest region was insonated, so that the first measurement need not.

        An image that cannot be measured is left alone: whoever measures on it is told.
        """
        with self._images.use(instance) as opened:
            scale = calibrate(instance, self._config.calibration)
            if scale.region is not None:
                region = scale.region
                opened.beam.share_outside([(region.row_min, region.col_min)], region)

    def _digest(self, location: Location) -> str:
        """SHA-256 of a file, which is read once as long as the server runs."""
        with self._lock:
            found = self._digests.get(location)
        if found is None:
            try:
                found = archive.sha256(location, self._config.limits)
            except InputError as error:
                found = error
            with self._lock:
                self._digests[location] = found
        if isinstance(found, InputError):
            raise found
        return found


def measured(plane: PlaneMeasurement) -> Measured:
    """What was measured on one frame, for the page."""
    outline = None if plane.outline_px is None else tuple((float(r), float(c)) for r, c in plane.outline_px)
    return Measured(
        long_axis_mm=size(plane.long_axis_mm),
        short_axis_mm=size(plane.short_axis_mm),
        area_mm2=size(plane.area_mm2),
        long=plane.long_axis_px,
        short=plane.short_axis_px,
        outline=outline,
        warnings=plane.warnings,
    )


def size(quantity: Quantity | None) -> Size | None:
    """A number with its error bar, for the page."""
    if quantity is None:
        return None
    value = quantity.value if math.isfinite(quantity.value) else None
    return Size(value=value, ci95=quantity.ci95 if quantity.has_interval else None)


def _draft(asked: Measure) -> Draft:
    """A drawing that nobody has named yet."""
    return Draft(
        image=asked.image,
        frame=asked.frame,
        lesion=UNNAMED,
        kind=Kind.CALIPER if asked.contour is None else Kind.OUTLINE,
        long=asked.long,
        short=asked.short,
        contour=asked.contour,
    )


def _refused(refusal: Refusal) -> Measured:
    return Measured(refusal=refusal.reason, remedy=refusal.remedy or None)
