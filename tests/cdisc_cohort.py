"""Hand-made results for the tests of the exports: each subject is one situation that a dataset has to tell apart."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import make
import report_cohort
from lesion_measure.config import Config
from lesion_measure.records import (
    BASELINE,
    ONE_MONTH,
    SCREENING,
    LesionMeasurement,
    Plane,
    Provenance,
    Quantity,
    Refusal,
    RunResult,
    Source,
    SubjectResult,
    VolumeMethod,
)
from written_runs import write_results

S, B, M = SCREENING, BASELINE, ONE_MONTH
DATES = {B: date(2024, 2, 27), M: date(2024, 3, 28)}  # a leap day between them
STUDY = "TEST-01"
LONG_REASON = "The caliper lies outside of every calibrated region. " * 6
SHA = "ab" * 32
REFERENCES = "subject,reference_start\n" + "".join(f"S{n},{DATES[B]}\n" for n in range(1, 10))
"""A subjects table in which everybody's treatment starts on the day of the baseline scan."""


def measured(subject: str, visit: str, mm: float, name: str = "L1", **changes: object) -> LesionMeasurement:
    """A lesion by calipers of R1 in one plane, on an image of its own; 0 mm is a reader's 'absent'."""
    made = make.lesion(mm, visit, name, subject=subject, volume_method=VolumeMethod.ROTATION)
    planes = tuple(replace(plane, sop_instance_uid=f"2.25.{subject[1:]}.{visit}.{name}") for plane in made.planes)
    return replace(made, **({"planes": planes} | changes))  # type: ignore[arg-type]


def by_network(subject: str, visit: str, mm: float) -> LesionMeasurement:
    """A lesion by the network alone, with outline and area."""
    plane = make.plane(mm, 0.8 * mm, source=Source.MODEL, sop=f"2.25.{subject[1:]}.{visit}")
    plane = replace(plane, lesion="L1", area_mm2=make.quantity(0.6 * mm * mm), long_axis_mm=make.quantity(mm))
    return measured(
        subject, visit, mm, source=Source.MODEL, reader="net", planes=(plane,),
        volume_sources=(Source.MODEL, Source.MODEL), volume_planes=(Plane.TRANSVERSE,),
        volume_diameters_mm=(mm, 0.8 * mm),
    )  # fmt: skip


def prompted(subject: str, visit: str, mm: float) -> LesionMeasurement:
    """A lesion by calipers whose short axis and area are the network's."""
    plane = make.prompted(mm, 0.75 * mm, sop=f"2.25.{subject[1:]}.{visit}")
    return measured(
        subject, visit, mm, planes=(plane,), short_axis_source=Source.PROMPTED,
        volume_sources=(Source.CALIPER, Source.PROMPTED), volume_planes=(Plane.TRANSVERSE,),
    )  # fmt: skip


def refusal(subject: str, visit: str | None, code: str, reason: str, lesion: str | None = None) -> Refusal:
    return Refusal(code=code, reason=reason, subject=subject, visit=visit, lesion=lesion)


def subjects() -> tuple[SubjectResult, ...]:
    """S1 shrinks and loses a lesion; S2 network, not found again; S3 no later visit; S4 a new lesion; S5 nothing
    measured; S6 screening, prompted; S7 other planes, not compared; S8 refused at baseline; S9 absent at baseline."""

    def made(name: str, lesions: list[LesionMeasurement], *review: Refusal, **more: object) -> SubjectResult:
        return report_cohort.subject(name, lesions, DATES, review=review, **more)

    def uncompared(name: str, lesions: list[LesionMeasurement], *review: Refusal) -> SubjectResult:
        return replace(made(name, [], *review), lesions=tuple(lesions))

    lost = refusal("S2", M, "not_found_at_followup", "L1 was measured at baseline and not at one month.", "L1")
    new = refusal("S4", M, "not_found_at_baseline", "L2 was measured at one month and not at baseline.", "L2")
    empty = [refusal("S5", v, "nothing_measured", f"Nothing at {v}.") for v in (B, M)]
    planes = refusal("S7", M, "planes_differ", "Transverse at baseline, sagittal at one month.", "L1")
    long = refusal("S8", B, "outside_region", LONG_REASON, "L1")
    gone = measured("S1", M, 0, "L2", volume_ml=Quantity(value=0.0, sd=0.0))
    return (
        made("S1", [measured("S1", B, 20), measured("S1", B, 11.25, "L2"), measured("S1", M, 12.5), gone]),
        made("S2", [by_network("S2", B, 30)], lost),
        report_cohort.subject("S3", [measured("S3", B, 15)], {B: DATES[B]}),
        made("S4", [measured("S4", B, 15), measured("S4", M, 14), measured("S4", M, 9, "L2")], new, response=None),
        made("S5", [], *empty),
        report_cohort.subject(
            "S6",
            [measured("S6", S, 28), prompted("S6", B, 25), prompted("S6", M, 26)],
            {S: date(2023, 11, 28), **DATES},
        ),
        uncompared("S7", [measured("S7", B, 21), measured("S7", M, 17)], planes),
        made("S8", [measured("S8", M, 13)], long),
        uncompared("S9", [measured("S9", B, 0), measured("S9", M, 8)]),
    )  # fmt: skip


PROVENANCE = Provenance(
    package_version="0.1.0", config_sha256=Config().sha256(), model="net", model_sha256=SHA,
    model_settings_sha256="cd" * 32, inputs={}, versions={}, started="2024-05-01T09:30:00+00:00", seconds={},
    command="lesion-measure run",
)  # fmt: skip


def write_cohort(folder: Path, config: Config | None = None) -> RunResult:
    """results.json of the cohort in ``folder``; the run is returned."""
    people = subjects()
    images = [
        make.instance(
            plane.path, sop_instance_uid=plane.sop_instance_uid, subject=s.subject, study_date=DATES.get(m.visit)
        )
        for s in people
        for m in s.lesions
        for plane in m.planes
    ]
    missing = refusal("S3", M, "missing_visit", "There is no one month study.")
    skipped = Refusal(code="not_dicom", reason="This is not a DICOM file.", subject="S3", visit=M)
    result = RunResult(subjects=people, refusals=(missing, skipped), instances=tuple(images), provenance=PROVENANCE)
    folder.mkdir(parents=True, exist_ok=True)
    write_results(result, folder, config or Config())
    (folder / "run.json").write_text("{}", encoding="utf-8")  # which says that the run finished
    return result
