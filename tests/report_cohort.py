"""A cohort of hand-made records for the report's tests, with every situation that the report has to tell apart.

Lesions are analytic ellipses drawn into speckle, so overlay and picture can be compared.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lesion_measure.config import Config
from lesion_measure.errors import PixelError
from lesion_measure.records import (
    BASELINE,
    ONE_MONTH,
    SCREENING,
    TRIAL,
    Alternative,
    Change,
    Instance,
    LesionMeasurement,
    Location,
    Metric,
    Plane,
    PlaneMeasurement,
    Point,
    Provenance,
    Quantity,
    Refusal,
    Region,
    Response,
    RunResult,
    Scan,
    Source,
    Spacing,
    SubjectResult,
    VolumeMethod,
)

ROWS, COLUMNS = 480, 640
MODEL, READER = "us-liver-unet", "R1"
B, M, S = BASELINE, ONE_MONTH, SCREENING
T, G = Plane.TRANSVERSE, Plane.SAGITTAL


@dataclass(frozen=True)
class Ellipse:
    """Centre in pixels, full axes in mm, angle of the long axis from the columns."""

    centre: Point
    long_mm: float
    short_mm: float
    degrees: float
    spacing: Spacing = (0.24, 0.24)

    def points(self, count: int = 240) -> NDArray[np.float64]:
        """(count, 2) outline in pixels, (row, column)."""
        t = np.linspace(0, 2 * np.pi, count, endpoint=False)
        return self._to_pixels(self.long_mm / 2 * np.cos(t), self.short_mm / 2 * np.sin(t))

    def axis(self, long: bool) -> tuple[Point, Point]:
        """Ends of an axis in pixels."""
        half = np.array([-0.5, 0.5]) * (self.long_mm if long else self.short_mm)
        ends = self._to_pixels(half, 0 * half) if long else self._to_pixels(0 * half, half)
        return (float(ends[0, 0]), float(ends[0, 1])), (float(ends[1, 0]), float(ends[1, 1]))

    def _to_pixels(self, along: NDArray[np.float64], across: NDArray[np.float64]) -> NDArray[np.float64]:
        angle = math.radians(self.degrees)
        right = along * math.cos(angle) - across * math.sin(angle)
        down = along * math.sin(angle) + across * math.cos(angle)
        return np.stack([self.centre[0] + down / self.spacing[0], self.centre[1] + right / self.spacing[1]], axis=1)


def quantity(value: float, cv: float = 0.089) -> Quantity:
    sd = cv * value
    return Quantity(value=value, sd=sd, parts={"reader": 0.98 * sd, "pixel": 0.2 * sd} if sd else {})


def uid(path: str) -> str:
    return f"2.25.{zlib.crc32(path.encode())}{zlib.adler32(path.encode())}"


class Cohort:
    """Builds a `RunResult` and paints its frames."""

    def __init__(self) -> None:
        self.ellipses: dict[str, list[Ellipse]] = {}
        self.instances: list[Instance] = []
        self.broken: set[str] = set()

    def image(self, subject: str, path: str, spacing: Spacing) -> None:
        """Declare an image with one tissue region that leaves out a border, as real screens do."""
        region = Region(
            index=0, row_min=30, row_max=ROWS - 20, col_min=40, col_max=COLUMNS - 30, spatial_format=1, data_type=1,
            unit_row=3, unit_col=3, delta_row=spacing[0] / 10, delta_col=spacing[1] / 10, flags=0,
        )  # fmt: skip
        self.instances.append(
            Instance(
                path=path, location=Location(Path("/somewhere/private") / path), sop_instance_uid=uid(path),
                sop_class_uid="1.2.840.10008.5.1.4.1.1.6.1", study_instance_uid=uid(path.rsplit("/", 1)[0]),
                series_instance_uid=uid(path.rsplit("/", 1)[0]) + ".8", subject=subject, study_date=date(2024, 3, 4),
                time_point=None, modality="US", rows=ROWS, columns=COLUMNS, frames=1,
                transfer_syntax_uid="1.2.840.10008.1.2.1", photometric="MONOCHROME2", samples_per_pixel=1,
                bits_allocated=8, bits_stored=8, regions=(region,),
            )
        )  # fmt: skip
        self.ellipses.setdefault(uid(path), [])

    def plane(
        self, subject: str, path: str, lesion: str, plane: Plane, shape: Ellipse, *, caliper: bool = False,
        warnings: tuple[str, ...] = (), frame: int = 1, confidence: float = 0.93,
    ) -> PlaneMeasurement:  # fmt: skip
        if uid(path) not in self.ellipses:
            self.image(subject, path, shape.spacing)
        self.ellipses[uid(path)].append(shape)
        a, b = shape.long_mm / 2, shape.short_mm / 2
        around = math.pi * (3 * (a + b) - math.sqrt((3 * a + b) * (a + 3 * b)))
        return PlaneMeasurement(
            path=path, sop_instance_uid=uid(path), study_instance_uid=uid(path.rsplit("/", 1)[0]), frame=frame,
            lesion=lesion, plane=plane, source=Source.CALIPER if caliper else Source.MODEL,
            reader=READER if caliper else MODEL,
            spacing_mm=shape.spacing, calibration_source="ultrasound region 0 (tissue)",
            long_axis_mm=quantity(2 * a), long_axis_px=shape.axis(True),
            short_axis_mm=quantity(2 * b), short_axis_px=shape.axis(False),
            area_mm2=None if caliper else quantity(math.pi * a * b, 0.13),
            perimeter_mm=None if caliper else quantity(around),
            outline_px=None if caliper else shape.points(),
            confidence=None if caliper else confidence, warnings=warnings,
        )  # fmt: skip

    def lesion(
        self, subject: str, visit: str, name: str, planes: Sequence[PlaneMeasurement], **more: object
    ) -> LesionMeasurement:
        first = max(planes, key=lambda p: p.long_axis_mm.value)
        short = first.short_axis_mm
        assert short is not None
        third = planes[1].short_axis_mm if len(planes) > 1 else None
        last = third or short
        volume = math.pi / 6 * first.long_axis_mm.value * short.value * last.value / 1000
        fields: dict[str, object] = {
            "subject": subject, "visit": visit, "lesion": name, "present": True, "source": first.source,
            "reader": first.reader, "planes": tuple(planes), "longest_diameter_mm": first.long_axis_mm,
            "short_axis_mm": short, "third_diameter_mm": third, "volume_ml": quantity(volume, 0.15),
            "volume_method": VolumeMethod.ELLIPSOID if third else VolumeMethod.ROTATION,
        }  # fmt: skip
        return LesionMeasurement(**(fields | more))  # type: ignore[arg-type]

    def pictures(self, sop_instance_uid: str, frame: int) -> NDArray[np.uint8]:
        """Speckle in a fan, lesions darker, text outside of the region."""
        if sop_instance_uid in self.broken:
            raise PixelError("The JPEG data of frame 1 are cut short.", remedy="Export the image again.")
        rng = np.random.default_rng(sum(map(ord, sop_instance_uid)) + frame)
        row, col = np.mgrid[:ROWS, :COLUMNS].astype(float)
        speckle = np.abs(rng.normal(size=(ROWS, COLUMNS)) + 1j * rng.normal(size=(ROWS, COLUMNS)))
        speckle = (speckle + np.roll(speckle, 1, 1) + np.roll(speckle, 2, 1) + np.roll(speckle, 1, 0)) / 4
        gray = 78 * speckle * (1.1 - 0.4 * row / ROWS)
        for shape in self.ellipses[sop_instance_uid]:
            down, right = (row - shape.centre[0]) * shape.spacing[0], (col - shape.centre[1]) * shape.spacing[1]
            angle = math.radians(shape.degrees)
            along, across = (
                right * math.cos(angle) + down * math.sin(angle),
                -right * math.sin(angle) + down * math.cos(angle),
            )
            radius = np.hypot(along / (shape.long_mm / 2), across / (shape.short_mm / 2))
            gray *= np.clip(0.42 + 0.58 * (radius - 0.97) / 0.06, 0.42, 1.0)
        apex = np.hypot(row + 120, col - COLUMNS / 2)
        fan = (np.abs(np.arctan2(col - COLUMNS / 2, row + 120)) < 0.62) & (apex > 165) & (apex < 575)
        gray = np.where(fan, np.clip(gray, 0, 255), 6)
        gray[5:25, 45:400] = 255 * (rng.random((20, 355)) > 0.5)
        return np.repeat(gray.astype(np.uint8)[:, :, None], 3, axis=2)


def change(
    subject: str, lesion: str | None, metric: Metric, before: Quantity, after: Quantity, warnings: tuple[str, ...] = ()
) -> Change:
    percent = 100 * (after.value / before.value - 1)
    interval = None
    if after.sd:
        spread = 1.96 * math.hypot(before.sd / before.value, after.sd / after.value)
        ratio = after.value / before.value
        interval = (100 * (ratio * math.exp(-spread) - 1), 100 * (ratio * math.exp(spread) - 1))
    return Change(
        subject=subject, lesion=lesion, metric=metric, visit=M, unit=UNITS[metric],
        baseline=before, followup=after, absolute=after.value - before.value, percent=percent, percent_ci95=interval,
        exceeds_error=interval is None or not interval[0] <= 0 <= interval[1], warnings=warnings,
    )  # fmt: skip


UNITS = {Metric.VOLUME: "mL", Metric.SUM_OF_PRODUCTS: "mm2"} | dict.fromkeys(
    (Metric.LONGEST_DIAMETER, Metric.SUM_OF_DIAMETERS), "mm"
)


def total(quantities: Sequence[Quantity]) -> Quantity:
    return Quantity(value=sum(q.value for q in quantities), sd=math.hypot(*(q.sd for q in quantities)))


def product(lesion: LesionMeasurement) -> Quantity:
    value = lesion.longest_diameter_mm.value * (lesion.short_axis_mm.value if lesion.short_axis_mm else 0.0)
    return Quantity(value=value, sd=0.07 * value)


def changes(subject: str, lesions: Sequence[LesionMeasurement]) -> tuple[Change, ...]:
    before = {m.lesion: m for m in lesions if m.visit is B}
    after = {m.lesion: m for m in lesions if m.visit is M}
    pairs = [(before[name], after[name]) for name in before if name in after]
    found: list[Change] = []
    for a, b in pairs:
        assert a.volume_ml
        zero = Quantity(value=0.0, sd=0.0)
        found.append(change(subject, a.lesion, Metric.LONGEST_DIAMETER, a.longest_diameter_mm, b.longest_diameter_mm))
        found.append(change(subject, a.lesion, Metric.VOLUME, a.volume_ml, b.volume_ml or zero))
    if pairs and len(pairs) == len(before):
        a, b = max(pairs, key=lambda pair: pair[0].longest_diameter_mm.value)
        found.append(change(subject, None, Metric.LONGEST_DIAMETER, a.longest_diameter_mm, b.longest_diameter_mm))
        sums = [total([pair[i].longest_diameter_mm for pair in pairs]) for i in (0, 1)]
        found.append(change(subject, None, Metric.SUM_OF_DIAMETERS, sums[0], sums[1]))
        found.append(
            change(subject, None, Metric.SUM_OF_PRODUCTS, *(total([product(p[i]) for p in pairs]) for i in (0, 1)))
        )
        volumes = [total([pair[i].volume_ml or Quantity(value=0.0, sd=0.0) for pair in pairs]) for i in (0, 1)]
        found.append(change(subject, None, Metric.VOLUME, volumes[0], volumes[1]))
    return tuple(found)


def respond(found: Sequence[Change]) -> Response | None:
    own = [c for c in found if c.lesion is None and c.metric is Metric.SUM_OF_DIAMETERS]
    if not own:
        return None
    low, high = own[0].percent_ci95 or (own[0].percent, own[0].percent)
    name = (
        "complete response" if own[0].followup.value == 0 else "effective" if own[0].percent <= -30 else "not effective"
    )
    return Response(
        rule="trial", category=name, metric=Metric.SUM_OF_DIAMETERS, percent=own[0].percent,
        certain=(low <= -30) == (high <= -30),
        explanation=f"sum of diameters changed by {own[0].percent:+.1f} %; the rule asks for -30 % or less",
    )  # fmt: skip


def scan(visit: str, day: date | None, first: date | None) -> Scan:
    return Scan(
        label=TRIAL.label(visit), epoch=TRIAL.epoch(visit), day=(day - first).days if day and first else None, date=day,
        source="study date",
    )  # fmt: skip


def subject(
    name: str, lesions: Sequence[LesionMeasurement], dates: dict[str, date | None], **more: object
) -> SubjectResult:
    found = changes(name, lesions)
    fields: dict[str, object] = {
        "subject": name, "visits": {visit: scan(visit, day, dates.get(B)) for visit, day in dates.items()},
        "lesions": tuple(lesions), "changes": found, "response": respond(found), "review": (),
    }  # fmt: skip
    return SubjectResult(**(fields | more))  # type: ignore[arg-type]


DATES: dict[str, date | None] = {B: date(2024, 3, 4), M: date(2024, 4, 3)}


def make_cohort() -> tuple[RunResult, Callable[[str, int], NDArray[np.uint8]]]:
    """Eight subjects and the pictures of their frames."""
    make = Cohort()
    makers = (_shrinking, _growing, _multifocal, _disappearing, _unsure, _calipers, _screening, _unmeasured)
    subjects = tuple(maker(make) for maker in makers)
    make.image("S02", "S02/one_month/no_scale.dcm", (0.24, 0.24))
    result = RunResult(
        subjects=subjects, refusals=_refusals(subjects), instances=tuple(make.instances), provenance=_provenance(make)
    )
    return result, make.pictures


def _pair(
    make: Cohort, name: str, visit: str, sizes: tuple[float, float, float], at: Point = (240, 330), tilt: float = 25,
    lesion: str = "L1", caliper: bool = False, spacing: Spacing = (0.24, 0.24), **more: object,
) -> LesionMeasurement:  # fmt: skip
    long_mm, short_mm, third_mm = sizes
    folder = f"{name}/{visit}"
    first = Ellipse(at, long_mm, short_mm, tilt, spacing)
    second = Ellipse((at[0] + 12, at[1] - 20), 0.93 * long_mm, third_mm, -tilt / 2, spacing)
    planes = [
        make.plane(name, f"{folder}/transverse.dcm", lesion, T, first, caliper=caliper),
        make.plane(name, f"{folder}/sagittal.dcm", lesion, G, second, caliper=caliper, frame=1),
    ]
    return make.lesion(name, visit, lesion, planes, **more)


def _shrinking(make: Cohort) -> SubjectResult:
    other = Alternative(
        source=Source.CALIPER, reader=READER, plane=T, long_axis_mm=quantity(40.1), difference_mm=-1.4,
        difference_percent=-3.4, drawn_long_mm=40.1,
    )  # fmt: skip
    lone = Alternative(
        source=Source.CALIPER, reader=READER, plane=Plane.CORONAL, long_axis_mm=quantity(39.0), difference_mm=None,
        difference_percent=None, drawn_long_mm=39.0,
    )  # fmt: skip
    lesions = [
        _pair(make, "S01", B, (41.5, 30.2, 33.0), alternatives=(other, lone)),
        _pair(make, "S01", M, (21.2, 15.8, 17.1), at=(250, 320), tilt=30, spacing=(0.21, 0.21)),
    ]
    return subject("S01", lesions, DATES)


def _growing(make: Cohort) -> SubjectResult:
    lesions = [_pair(make, "S02", B, (18.3, 14.1, 15.0)), _pair(make, "S02", M, (27.4, 20.3, 21.9))]
    return subject("S02", lesions, DATES)


def _multifocal(make: Cohort) -> SubjectResult:
    places: list[tuple[str, Point, float]] = [
        ("L1", (180, 250), 22.0),
        ("L2", (300, 330), 17.5),
        ("L3", (210, 420), 11.2),
    ]
    lesions = []
    for visit, factor in ((B, 1.0), (M, 0.74)):
        for name, at, size in places:
            sizes = (factor * size, factor * size * 0.8, factor * size * 0.85)
            lesions.append(_pair(make, "S03", visit, sizes, at=at, lesion=name, tilt=size))
    make.broken.add(uid("S03/one_month/sagittal.dcm"))
    return subject("S03", lesions, DATES)


def _disappearing(make: Cohort) -> SubjectResult:
    gone = LesionMeasurement(
        subject="S04", visit=M, lesion="L1", present=False, source=Source.READER_STATEMENT, reader="R2", planes=(),
        longest_diameter_mm=Quantity(value=0.0, sd=0.0), short_axis_mm=None, third_diameter_mm=None, volume_ml=None,
        volume_method=None,
    )  # fmt: skip
    return subject("S04", [_pair(make, "S04", B, (12.6, 9.8, 10.1)), gone], DATES)


def _unsure(make: Cohort) -> SubjectResult:
    review = Refusal(
        code="model_unsure",
        reason="The model found nothing that it is sure of (best confidence 0.31, least accepted 0.60).",
        remedy="Place calipers on this image, or state that the lesion is absent.",
        path="S05/one_month/transverse.dcm", sop_instance_uid=uid("S05/one_month/transverse.dcm"),
        subject="S05", visit="one_month", lesion="L1",
    )  # fmt: skip
    return subject("S05", [_pair(make, "S05", B, (33.0, 25.0, 24.0))], DATES, review=(review,))


def _calipers(make: Cohort) -> SubjectResult:
    spacing = (0.2, 0.29)
    note = ("volume from one plane assumes rotation symmetry",)
    lesions = []
    for visit, size in ((B, 28.4), (M, 26.9)):
        shape = Ellipse((250, 300), size, 0.7 * size, -35, spacing)
        plane = make.plane("S06", f"S06/{visit}/IMG_0001", "L1", Plane.UNKNOWN, shape, caliper=True)
        lesions.append(make.lesion("S06", visit, "L1", [plane], warnings=note))
    return subject("S06", lesions, DATES)


def _screening(make: Cohort) -> SubjectResult:
    lesions = [
        _pair(make, "S07", S, (39.0, 28.0, 30.0)),
        _pair(make, "S07", B, (37.5, 27.1, 29.0)),
        _pair(make, "S07", M, (24.9, 18.0, 20.2)),
    ]
    dates = {S: date(2023, 12, 4), **DATES}
    review = Refusal(
        code="not_found_at_baseline", reason="L2 was measured at one month and not at baseline: new, or missed before.",
        remedy="Look at the baseline images.", subject="S07", visit="one_month", lesion="L2",
    )  # fmt: skip
    return subject("S07", lesions, dates, review=(review,), warnings=("screening is 91 days before baseline",))


def _unmeasured(make: Cohort) -> SubjectResult:
    review = Refusal(
        code="visit_ambiguous", reason="Two studies are equally near 30 days after baseline (28 and 32 days).",
        remedy="Name the 1-month study in the manifest.", subject="S08",
    )  # fmt: skip
    return subject("S08", [], {B: date(2024, 3, 4), M: None}, review=(review,))


def _refusals(subjects: Sequence[SubjectResult]) -> tuple[Refusal, ...]:
    plain = [
        Refusal(code="not_dicom", reason="The file is no DICOM file.", remedy="Nothing to do.", path=f"notes/{i}.txt")
        for i in range(3)
    ]
    return (
        *plain,
        Refusal(code="not_ultrasound", reason="The image is CT, not ultrasound.", path="S01/ct.dcm"),
        Refusal(
            code="no_calibration", reason="The image states no millimetres per pixel.",
            remedy="Export it with its ultrasound regions.", path="S02/one_month/no_scale.dcm",
            sop_instance_uid=uid("S02/one_month/no_scale.dcm"), subject="S02", visit="one_month",
        ),
        *subjects[4].review,
    )  # fmt: skip


def _provenance(make: Cohort) -> Provenance:
    return Provenance(
        package_version="0.1.0", config_sha256=Config().sha256(), model=MODEL, model_sha256="ab" * 32,
        model_settings_sha256="cd" * 32,
        inputs={i.path: f"{n:064x}" for n, i in enumerate(make.instances)},
        versions={"python": "3.11.2", "numpy": "2.4.6", "pydicom": "3.0.2"}, started="2024-05-01T09:30:00+00:00",
        seconds={"ingest": 0.412, "segment": 8.031, "report": 1.2},
        command="lesion-measure run /home/someone/study -o /home/someone/out --calipers=/home/someone/c.csv",
    )  # fmt: skip
