"""Results folders of hand-made subjects, written by the report itself, for the tests of what is made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import make
from lesion_measure.config import Config
from lesion_measure.records import (
    BASELINE,
    ONE_MONTH,
    Enrolled,
    LesionMeasurement,
    Provenance,
    Refusal,
    RunResult,
    SubjectResult,
)
from report_cohort import subject as with_changes
from written_runs import write_results

BASELINE_DAY = date(2024, 3, 4)
PROVENANCE = Provenance(
    package_version="0.1.0", config_sha256="c" * 64, model=None, model_sha256=None, model_settings_sha256=None,
    inputs={}, versions={}, started="2024-05-01T00:00:00+00:00", seconds={}, command="lesion-measure run",
)  # fmt: skip

Sizes = Sequence[tuple[float, float | None]]


def lesion(code: str, visit: str, name: str, diameter_mm: float, **changes: object) -> LesionMeasurement:
    return make.lesion(float(diameter_mm), visit, name, subject=code, **changes)  # type: ignore[arg-type]


def subject(code: str, sizes: Sizes, *, cv: float = 0.05, days: int | None = 30, **changes: object) -> SubjectResult:
    """A subject with the diameters in mm of its lesions at baseline and 1 month; None: not measured, 0: stated absent.

    ``days`` between the scans; None: there is no 1-month scan.
    """
    lesions = [lesion(code, BASELINE, f"L{n}", before, cv=cv) for n, (before, _) in enumerate(sizes, 1)]
    lesions += [
        lesion(code, ONE_MONTH, f"L{n}", after, cv=cv) for n, (_, after) in enumerate(sizes, 1) if after is not None
    ]
    dates: dict[str, date | None] = {BASELINE: BASELINE_DAY}
    if days is not None:
        dates[ONE_MONTH] = BASELINE_DAY + timedelta(days=days)
    return replace(with_changes(code, lesions, dates), **changes)  # type: ignore[arg-type]


def write(
    folder: Path,
    subjects: Sequence[SubjectResult],
    refusals: Sequence[Refusal] = (),
    config: Config | None = None,
    enrolled: Sequence[Enrolled] | None = None,
) -> Path:
    """Write results.json of these subjects into ``folder``, as of a finished run."""
    folder.mkdir(parents=True, exist_ok=True)
    result = RunResult(
        subjects=tuple(subjects), refusals=tuple(refusals), instances=(), provenance=PROVENANCE,
        enrolled=None if enrolled is None else tuple(enrolled),
    )  # fmt: skip
    write_results(result, folder, config or Config())
    (folder / "run.json").write_text("{}", encoding="utf-8")  # which says that the run finished
    return folder


def write_sizes(folder: Path, sizes: Mapping[str, Sizes], *, cv: float = 0.05) -> Path:
    """The same from diameters alone."""
    return write(folder, [subject(code, own, cv=cv) for code, own in sizes.items()])
