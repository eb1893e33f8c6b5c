"""The project's sample studies: six simulated children, each there to show one thing.

``python -m lesion_measure.lab.phantom sample_dicoms`` writes them again, the same to the bit on the same machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from lesion_measure.files.writing import write_text
from lesion_measure.lab.phantom.children import Child, ChildPlan, LesionPlan, build_child
from lesion_measure.lab.phantom.files import Encoding
from lesion_measure.lab.phantom.scene import Echo
from lesion_measure.lab.phantom.screen import LAYOUTS
from lesion_measure.lab.phantom.studies import (
    CALIPER_COLUMNS,
    TRUTH_COLUMNS,
    StoredImage,
    TableRow,
    caliper_rows,
    truth_rows,
    write_child,
    write_csv,
    write_exposure,
)
from lesion_measure.lab.phantom.trial import simulating
from lesion_measure.lab.phantom.visits import BASELINE, ONE_MONTH, SCREENING
from lesion_measure.records import Plane

DEFAULT_SEED = 20240607
MANIFEST_COLUMNS = (
    "path", "subject", "visit", "date", "plane", "lesion", "frames", "measured_frame", "shows", "encoding", "seed",
    "true_long_mm", "true_short_mm", "expected",
)  # fmt: skip
TABLES = ("MANIFEST.csv", "truth.csv", "calipers.csv", "README.md")


@dataclass(frozen=True, slots=True)
class Sample:
    """A child and what it is there to show; ``uncalibrated`` adds an image without a scale at one month."""

    plan: ChildPlan
    shows: str
    uncalibrated: bool = False


def _plan(code: str, seed: int, first: date, days: int, layout: int, encoding: Encoding) -> ChildPlan:
    """A child of seven months with one small stable lesion, for `samples` to change."""
    return ChildPlan(
        code=code,
        seed=seed,
        body=0.55,
        age_months=7,
        sex="F",
        lesions=(_lesion(10, 1.0, -5.0, Echo.HYPO),),
        dates={BASELINE: first, ONE_MONTH: first + timedelta(days=days)},
        encoding=encoding,
        layout=LAYOUTS[layout],
    )


def _lesion(radius: float, factor: float, contrast_db: float, echo: Echo, screening: float | None = None) -> LesionPlan:
    factors = {BASELINE: 1.0, ONE_MONTH: factor}
    earlier = {} if screening is None else {SCREENING: screening}
    return LesionPlan(radius, earlier | factors, contrast_db, echo)


def samples(seed: int) -> tuple[Sample, ...]:
    """The six children."""
    shrinking = _plan("SIM-01", seed + 1, date(2023, 3, 6), 30, 0, Encoding.PLAIN_GRAY)
    growing = _plan("SIM-02", seed + 2, date(2023, 4, 17), 29, 1, Encoding.RLE_RGB)
    many = _plan("SIM-03", seed + 3, date(2023, 5, 8), 31, 0, Encoding.JPEG_LS_GRAY)
    leaving = _plan("SIM-04", seed + 4, date(2023, 9, 11), 28, 0, Encoding.JPEG_2000_GRAY)
    cine = _plan("SIM-05", seed + 5, date(2023, 10, 2), 30, 0, Encoding.PLAIN_PALETTE)
    faint = _plan("SIM-06", seed + 6, date(2023, 11, 20), 32, 3, Encoding.JPEG_LS_GRAY)
    earlier = {SCREENING: faint.dates[BASELINE] - timedelta(days=91)} | dict(faint.dates)
    three = tuple(_lesion(radius, factor, -6.0, Echo.HYPO) for radius, factor in ((8, 0.68), (6.5, 0.62), (5, 0.74)))
    two = (_lesion(9, 0.66, -7.0, Echo.HYPO), _lesion(6, 0.0, -7.0, Echo.HYPO))
    growing = replace(growing, age_months=4, bar_region=True, burnt_calipers=True)
    faint = replace(faint, dates=earlier, name_visits=False, age_months=16)
    return (
        Sample(
            replace(shrinking, lesions=(_lesion(16, 0.64, -11.0, Echo.HYPO),)),
            "focal lesion of clear contrast that shrinks",
        ),
        Sample(
            replace(growing, lesions=(_lesion(10, 1.22, 6.0, Echo.HYPER),)),
            "focal lesion that grows; gray bar as first region, calipers burnt in",
        ),
        Sample(replace(many, lesions=three), "multifocal, three lesions that shrink"),
        Sample(replace(leaving, lesions=two, sex="M", bar_region=True), "two lesions, the second gone at one month"),
        Sample(
            replace(cine, lesions=(_lesion(11, 0.81, -4.0, Echo.MIXED),), cine_frames=24, age_months=11),
            "transverse plane as JPEG cine; at one month also an image without calibration",
            uncalibrated=True,
        ),
        Sample(
            replace(faint, lesions=(_lesion(10, 0.78, -1.2, Echo.HYPO, 1.18),)),
            "lesion of hardly any contrast, to be measured by calipers; screening visit, visits known by date alone",
        ),
    )


def write_samples(out: Path, seed: int = DEFAULT_SEED, *, overwrite: bool = False) -> None:
    """Write the sample studies with MANIFEST.csv, truth.csv, calipers.csv and README.md.

    Raises
    ------
    OutputError
        ``out`` is not empty, or cannot be written, or another process holds it.
    """
    chosen = samples(seed)
    with simulating(out, ours=(*(s.plan.code for s in chosen), *TABLES), overwrite=overwrite):
        _write(out, chosen, seed)


def _write(out: Path, chosen: Sequence[Sample], seed: int) -> None:
    manifest: list[TableRow] = []
    truth: list[TableRow] = []
    images: list[StoredImage] = []
    for sample in chosen:
        child = build_child(sample.plan)
        written = write_child(out, "", child)
        if sample.uncalibrated:
            written.append(_write_uncalibrated(out, child))
        images += written
        truth += truth_rows(child, written)
        manifest += (_manifest_row(sample, image) for image in written)
    write_csv(out / "MANIFEST.csv", MANIFEST_COLUMNS, manifest)
    write_csv(out / "truth.csv", TRUTH_COLUMNS, truth)
    write_csv(out / "calipers.csv", CALIPER_COLUMNS, caliper_rows(images))
    write_text(out / "README.md", _readme(chosen, seed))


def _write_uncalibrated(out: Path, child: Child) -> StoredImage:
    """The sagittal picture at one month once more, without its scale."""
    exposure = next(e for e in child.exposures if e.visit == ONE_MONTH and e.plane is Plane.SAGITTAL)
    path = f"{child.plan.code}/{exposure.visit}/{exposure.lesion}_{exposure.plane}_uncalibrated.dcm"
    return write_exposure(out, path, child, exposure, number=9, calibrated=False)


def _manifest_row(sample: Sample, image: StoredImage) -> TableRow:
    exposure, plan = image.exposure, sample.plan
    if not image.calibrated:
        expected = "refused: no millimetres per pixel"
    elif exposure.axes is None:
        expected = "measured as absent by the reader's statement"
    elif plan.code == "SIM-06":
        expected = "measured by the calipers"
    else:
        expected = "measured"
    return {
        "path": image.path,
        "subject": plan.code,
        "visit": exposure.visit,
        "date": plan.dates[exposure.visit].isoformat(),
        "plane": exposure.plane,
        "lesion": exposure.lesion,
        "frames": image.frames,
        "measured_frame": image.frame,
        "shows": sample.shows,
        "encoding": image.encoding,
        "seed": plan.seed,
        "true_long_mm": None if exposure.axes is None else f"{exposure.axes.long_mm:.3f}",
        "true_short_mm": None if exposure.axes is None else f"{exposure.axes.short_mm:.3f}",
        "expected": expected,
    }


def _readme(chosen: Sequence[Sample], seed: int) -> str:
    return "\n".join(_readme_lines(chosen, seed))


def _readme_lines(chosen: Sequence[Sample], seed: int) -> Iterator[str]:
    yield "# Sample studies\n"
    yield "Six children who do not exist. `lesion_measure.lab.phantom` simulated every file; no patient data went in."
    yield "They come under the project's licence.\n"
    yield "| Child | Shows | Diameter at one month |"
    yield "|---|---|---|"
    for sample in chosen:
        factors = [lesion.factors[ONE_MONTH] for lesion in sample.plan.lesions]
        changes = ", ".join("gone" if not f else f"{100 * (f - 1):+.0f} %" for f in factors)
        yield f"| {sample.plan.code} | {sample.shows} | {changes} |"
    yield ""
    yield "- `MANIFEST.csv`: for each file its encoding, seed, true long and short axis in mm, expected outcome."
    yield "- `truth.csv`: for each lesion and visit the true axes in both planes, volume, and change from baseline."
    yield "- `calipers.csv`: calipers as a reader without error would place them. The lesion that is gone has `absent`"
    yield "  rows. The image without calibration has none: it is refused, and its subject is measured on the others.\n"
    yield "Measure them, with the reader's calipers:\n"
    yield "```"
    yield "lesion-measure run sample_dicoms -o out --calipers sample_dicoms/calipers.csv"
    yield "```\n"
    yield f"Write them again (seed {seed}):\n"
    yield "```"
    yield "python -m lesion_measure.lab.phantom sample_dicoms"
    yield "```"
    yield ""
