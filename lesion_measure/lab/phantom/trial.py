"""A simulated trial: children with focal or multifocal lesions that shrink, stay or grow under treatment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from lesion_measure.errors import OutputError
from lesion_measure.files.locks import LOCK, holding
from lesion_measure.files.writing import failing, remove
from lesion_measure.lab.phantom.children import ChildPlan, LesionPlan, build_child
from lesion_measure.lab.phantom.courses import checked_days, with_course
from lesion_measure.lab.phantom.files import Encoding
from lesion_measure.lab.phantom.readers import MOST_READERS, Reader
from lesion_measure.lab.phantom.screen import LAYOUTS
from lesion_measure.lab.phantom.studies import (
    CALIPER_COLUMNS,
    TRUTH_COLUMNS,
    VISIT_COLUMNS,
    StoredImage,
    TableRow,
    caliper_rows,
    truth_rows,
    visit_rows,
    write_child,
    write_csv,
)
from lesion_measure.lab.phantom.visits import BASELINE, ONE_MONTH, SCREENING
from lesion_measure.records import Form

EXCLUSION_COLUMNS = ("hepatoblastoma", "resection", "kasabach_merritt", "missing_data")
SUBJECT_COLUMNS = ("subject", "age_months", "form", *EXCLUSION_COLUMNS)
IMAGES = "dicom"
TABLES = ("truth.csv", "visits.csv", "subjects.csv", *(f"calipers{n}.csv" for n in ("", *range(2, MOST_READERS + 1))))
_STILL_ENCODINGS = tuple(e for e in Encoding if e is not Encoding.JPEG_RGB)


def simulate_trial(
    out: Path,
    *,
    subjects: int,
    seed: int,
    readers: int = 1,
    reader_cv: float = 0.0,
    missing: float = 0.0,
    excluded: int = 0,
    visits: Sequence[int] = (),
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write the DICOM studies of a simulated trial and the tables of what is true of them.

    Parameters
    ----------
    out
        Gets ``dicom/<subject>/<visit>/<lesion>_<plane>.dcm``, ``truth.csv``, ``calipers.csv`` (the first reader),
        ``calipers2.csv`` and so on (more readers of the same pictures), ``visits.csv`` (the manifest) and
        ``subjects.csv`` (age, form and exclusion criteria, as ``run --subjects`` takes them).
    subjects, seed
        Number of children; the same seed gives the same children, whatever their number.
    readers, reader_cv
        How many readers, and the coefficient of variation of a length that they read (0: without error).
    missing
        Chance that a child does not come to the 1-month visit (to each visit after baseline, where days are given).
    excluded
        Number of children that the subjects table excludes, for a hepatoblastoma; at most all of them.
    visits
        Days after baseline of a longer course (`courses`), 0 among them. Empty: baseline and one month, and a screening
        scan of some children.
    overwrite
        Replace an earlier simulation in ``out``.
    progress
        Called with (children done, all).

    Raises
    ------
    OutputError
        ``out`` is not empty, or cannot be written, or another process holds it.
    ValueError
        The days are those of no course (`courses.checked_days`).
    """
    days = checked_days(visits) if visits else ()
    plans = [random_plan(index, seed, missing, days) for index in range(subjects)]
    with simulating(out, ours=(IMAGES, *TABLES), overwrite=overwrite):
        images, truth = _write_children(out, plans, progress or (lambda done, total: None))
        for number in range(1, readers + 1):
            rows = caliper_rows(images, Reader(number, reader_cv))
            write_csv(out / f"calipers{number if number > 1 else ''}.csv", CALIPER_COLUMNS, rows)
        write_csv(out / "visits.csv", VISIT_COLUMNS, visit_rows(images))
        write_csv(out / "subjects.csv", SUBJECT_COLUMNS, subject_rows(plans, seed, excluded))
        write_csv(out / "truth.csv", TRUTH_COLUMNS, truth)


def _write_children(
    out: Path, plans: Sequence[ChildPlan], progress: Callable[[int, int], None]
) -> tuple[list[StoredImage], list[TableRow]]:
    """Write the images of all children; returns the images, and the rows of truth.csv."""
    images: list[StoredImage] = []
    truth: list[TableRow] = []
    progress(0, len(plans))
    for index, plan in enumerate(plans):
        child = build_child(plan)
        written = write_child(out, IMAGES, child)
        images += written
        truth += truth_rows(child, written)
        progress(index + 1, len(plans))
    return images, truth


def subject_rows(plans: Sequence[ChildPlan], seed: int, excluded: int) -> Iterator[TableRow]:
    """A row of subjects.csv for each child; ``excluded`` of them, drawn by the seed, have a hepatoblastoma."""
    drawn = np.random.default_rng([seed, 17]).permutation(len(plans))[:excluded].tolist()
    for index, plan in enumerate(plans):
        yield {
            "subject": plan.code,
            "age_months": plan.age_months,
            "form": _form(plan).value,
            **dict.fromkeys(EXCLUSION_COLUMNS, "no"),
            "hepatoblastoma": "yes" if index in drawn else "no",
        }


def _form(plan: ChildPlan) -> Form:
    """By the lesions at baseline."""
    there = sum(lesion.factors[BASELINE] > 0 for lesion in plan.lesions)
    return Form.MULTIFOCAL if there > 1 else Form.FOCAL


@contextmanager
def simulating(out: Path, *, ours: tuple[str, ...], overwrite: bool) -> Iterator[None]:
    """Hold ``out``, made where it is not there, for one simulation; ``ours`` are the names that it writes.

    An earlier simulation in it is removed only when asked, and nothing else ever is.

    Raises
    ------
    OutputError
        The folder holds files, or cannot be made, or another process holds it.
    """
    with holding(out):
        _clear(out, ours, overwrite=overwrite)
        yield


def _clear(out: Path, ours: tuple[str, ...], *, overwrite: bool) -> None:
    with failing(out, "output folder"):
        present = sorted(entry.name for entry in out.iterdir() if entry.name != LOCK)
        if present and not overwrite:
            raise OutputError(
                "The output folder is not empty.",
                remedy="Choose another folder, or ask to overwrite an earlier simulation.",
                code="folder_not_empty",
                path=str(out),
            )
        if foreign := [name for name in present if name not in ours]:
            raise OutputError(
                f"The output folder holds files that no simulation wrote, such as '{foreign[0]}'.",
                remedy="Choose another folder.",
                code="foreign_folder",
                path=str(out),
            )
    for name in present:
        remove(out / name)


def random_plan(index: int, seed: int, missing: float = 0.0, days: Sequence[int] = ()) -> ChildPlan:
    """The child with this number (from 0) of the trial with this seed.

    ``missing`` is the chance that it does not come to the 1-month visit, whatever its lesions would have done; with the
    ``days`` of a course, to each visit after baseline.
    """
    if days:
        return with_course(random_plan(index, seed), days, np.random.default_rng([seed, index, 2]), missing)
    rng = np.random.default_rng([seed, index])
    age = int(rng.integers(1, 37))
    multifocal = bool(rng.random() < 0.4)
    baseline = date(2021, 1, 4) + timedelta(days=int(rng.integers(0, 700)))
    dates = {BASELINE: baseline, ONE_MONTH: baseline + timedelta(days=int(rng.integers(28, 34)))}
    if rng.random() < 0.3:
        screening = {SCREENING: baseline - timedelta(days=int(rng.integers(84, 97)))}
        dates = screening | dates
    if np.random.default_rng([seed, index, 1]).random() < missing:
        del dates[ONE_MONTH]
    change = _subject_factor(rng)
    earlier = float(rng.uniform(0.92, 1.25))
    lesions = []
    for _ in range(int(rng.integers(2, 5)) if multifocal else 1):
        radius = float(rng.uniform(4, 9) if multifocal else np.exp(rng.uniform(np.log(8), np.log(22))))
        factor = change * float(np.exp(rng.normal(0, 0.05)))
        gone = multifocal and change < 0.6 and rng.random() < 0.15
        factors = {SCREENING: earlier, BASELINE: 1.0, ONE_MONTH: 0.0 if gone else factor}
        lesions.append(LesionPlan(radius, {visit: factors[visit] for visit in dates}))
    return ChildPlan(
        code=f"SIM-{index + 1:03d}",
        seed=int(rng.integers(2**31)),
        body=float(0.45 + 0.3 * age / 36 + rng.normal(0, 0.02)),
        age_months=age,
        sex=str(rng.choice(["F", "M"])),
        lesions=tuple(lesions),
        dates=dates,
        encoding=_STILL_ENCODINGS[int(rng.integers(len(_STILL_ENCODINGS)))],
        layout=LAYOUTS[int(rng.integers(len(LAYOUTS)))],
        name_visits=bool(rng.random() < 0.6),
        burnt_calipers=bool(rng.random() < 0.2),
        bar_region=bool(rng.random() < 0.5),
        cine_frames=0,
    )


def _subject_factor(rng: np.random.Generator) -> float:
    """What a child's diameters are multiplied by at one month: more than half respond, few grow."""
    fate = rng.random()
    if fate < 0.55:
        return float(rng.uniform(0.42, 0.70))
    if fate < 0.90:
        return float(rng.uniform(0.72, 1.04))
    return float(rng.uniform(1.06, 1.28))
