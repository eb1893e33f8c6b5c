"""What a run found, for people and for machines.

``report.html`` (one file, offline), ``measurements.csv``, ``lesions.csv``, ``changes.csv``, ``calipers.csv``,
``refusals.csv``, ``results.json``, ``run.json`` and lesions in 3D; ``docs/results.md`` describes each column.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lesion_measure.config import Config
from lesion_measure.records import RunResult
from lesion_measure.report.bodies import write_bodies
from lesion_measure.report.html import TrialAnswer, write_html
from lesion_measure.report.overview import FILES_LEFT_OUT, summary_lines
from lesion_measure.report.results import write_results, write_run
from lesion_measure.report.tables import write_tables
from lesion_measure.report.views import Pictures

__all__ = ["FILES_LEFT_OUT", "Pictures", "TrialAnswer", "summary_lines", "write_report"]


def write_report(
    result: RunResult,
    out: Path,
    *,
    config: Config,
    pictures: Pictures,
    answer: Callable[[], TrialAnswer | None] = lambda: None,
    more: Callable[[], None] = lambda: None,
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

    Raises
    ------
    OutputError
        A file cannot be written.
    """
    write_tables(result, out, config)
    write_bodies(result, out)
    write_results(result, out, config)
    write_html(result, out, config, pictures, answer())
    more()
    write_run(result, out, config)
