"""What a run found, for people and for machines.

``report.html`` and the children's pages, ``measurements.csv``, ``lesions.csv``, ``changes.csv``, ``calipers.csv``,
``refusals.csv``, ``results.json``, ``run.json`` and lesions in 3D; ``docs/results.md`` describes each column.

People's part is made in two steps. `write_child` writes one child's page and pictures from its result alone, in any
process, and gives a row of a few values; `write_index` makes report.html of all rows.
"""

from __future__ import annotations

from lesion_measure.report.cells import Pictures
from lesion_measure.report.child import write_child
from lesion_measure.report.index import TrialAnswer, write_index
from lesion_measure.report.overview import FILES_LEFT_OUT, Overview, overview_of, refused_of, summary_lines
from lesion_measure.report.rows import ChildRow

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
]
