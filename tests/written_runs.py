"""Runs that a test made by hand, written as a run in a folder writes its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lesion_measure.config import Config
from lesion_measure.records import Instance, Refusal, RunResult, SubjectResult
from lesion_measure.report import (
    Overview,
    Pictures,
    TrialAnswer,
    overview_of,
    refused_of,
    results,
    write_child,
    write_index,
)
from lesion_measure.report.results import ChildLines, as_results, write_data


def write_results(result: RunResult, out: Path, config: Config) -> None:
    """results.json and the tables."""
    write_data(as_results(result, config), (ChildLines.of(subject, config) for subject in result.subjects), out)


def write_run(result: RunResult, out: Path, config: Config) -> None:
    """run.json."""
    results.write_run(result, overview_of(result, config), out, config)


def run_document(result: RunResult, config: Config) -> dict[str, Any]:
    """What run.json says."""
    return results.run_document(result, overview_of(result, config), config)


def write_report(
    result: RunResult, out: Path, *, config: Config, pictures: Pictures, single_file: bool | None = None
) -> None:
    """Every file of a run."""
    write_results(result, out, config)
    write_pages(result, out, config, pictures, single_file=single_file)
    write_run(result, out, config)


def write_pages(
    result: RunResult,
    out: Path,
    config: Config,
    pictures: Pictures,
    answer: TrialAnswer | None = None,
    *,
    single_file: bool | None = None,
) -> None:
    """Write report.html and the children's pages. ``answer`` is given."""
    images = {key: image for image in result.instances for key in (image.sop_instance_uid, image.path)}
    refused: dict[str, list[Refusal]] = {}
    for refusal in result.refusals:
        refused.setdefault(refusal.subject or "", []).append(refusal)
    rows = []
    for child in result.subjects:
        own = refused_of(child, refused.get(child.subject, ()))
        rows.append(write_child(child, own, _images_of(child, own, images), pictures, out, config))
    run = Overview(rows=tuple(rows), refusals=result.refusals, enrolled=result.enrolled)
    write_index(run, out, config, result.provenance, answer, single_file=single_file)


def _images_of(child: SubjectResult, refused: Iterable[Refusal], images: Mapping[str, Instance]) -> dict[str, Instance]:
    """The images that a child's page may show, by SOP instance UID; ``images`` by UID and by path."""
    lesions = [*child.lesions, *(child.disease.liver if child.disease else ())]
    keys = [plane.sop_instance_uid for lesion in lesions for plane in lesion.planes]
    keys += [key for each in (*child.review, *refused) for key in (each.sop_instance_uid, each.path) if key]
    found = (images[key] for key in keys if key in images)
    return {image.sop_instance_uid: image for image in found}
