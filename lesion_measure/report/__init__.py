"""What a run found, for people and for machines.

``report.html`` and the children's pages, ``measurements.csv``, ``lesions.csv``, ``changes.csv``, ``calipers.csv``,
``refusals.csv``, ``results.json``, ``run.json`` and lesions in 3D; ``docs/results.md`` describes each column.

People's part is made in two steps. `write_child` writes one child's page and pictures from its result alone, in any
process, and gives a row of a few values; `write_index` makes report.html of all rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from lesion_measure.config import Config
from lesion_measure.records import Instance, Refusal, RunResult, SubjectResult
from lesion_measure.report.bodies import write_bodies
from lesion_measure.report.cells import Pictures
from lesion_measure.report.child import write_child
from lesion_measure.report.index import TrialAnswer, write_index
from lesion_measure.report.overview import FILES_LEFT_OUT, Overview, overview_of, refused_of, summary_lines
from lesion_measure.report.results import write_results, write_run
from lesion_measure.report.rows import ChildRow
from lesion_measure.report.tables import write_tables

__all__ = [
    "FILES_LEFT_OUT",
    "ChildRow",
    "Overview",
    "Pictures",
    "TrialAnswer",
    "overview_of",
    "refused_of",
    "summary_lines",
    "write_child",
    "write_index",
    "write_pages",
    "write_report",
]


def write_report(
    result: RunResult,
    out: Path,
    *,
    config: Config,
    pictures: Pictures,
    answer: Callable[[], TrialAnswer | None] = lambda: None,
    more: Callable[[], None] = lambda: None,
    single_file: bool | None = None,
) -> None:
    """Write every result file into the folder ``out``; run.json comes last.

    Parameters
    ----------
    result
        The whole run.
    out
        An existing folder. Each file is written under a temporary name and then renamed.
    config
        The run's configuration.
    pictures
        ``pictures(sop_instance_uid, frame)`` gives the display RGB of a frame, uint8 (rows, columns, 3), frame 1-based;
        where it raises `PixelError` the report says so in place of the picture.
    answer
        Called when results.json is there; what it gives stands on the report's first page.
    more
        Called before run.json, which says that all is complete: what else is made from results.json.
    single_file
        As for `write_index`.

    Raises
    ------
    OutputError
        A file cannot be written.
    """
    write_tables(result, out, config)
    write_bodies(result, out)
    write_results(result, out, config)
    write_pages(result, out, config, pictures, answer(), single_file=single_file)
    more()
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
    """Write report.html and the children's pages, where all results are at hand.

    Parameters
    ----------
    result, out, config, pictures, single_file
        As for `write_report`.
    answer
        The trial's answer; None where there is none.

    Raises
    ------
    OutputError
        A file cannot be written.
    """
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
