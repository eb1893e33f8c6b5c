"""report.html: the trial's answer on top, then one row a child, for the screen and for A4 paper.

There are two of it. One holds a table of all children and their pages with every picture, and needs nothing else: a
small run's, which people send by mail. The other links to the children's pages, and stays small for any number of
them: its rows come as data, and a script of ours draws those that are looked at, sorts and filters. No other script
runs (the page's Content-Security-Policy names ours by its hash), and both ask for nothing outside the folder.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, partial
from importlib.resources import files
from pathlib import Path

from markupsafe import Markup

from lesion_measure.config import Config
from lesion_measure.files.writing import replacing
from lesion_measure.records import Criterion, Met, Metric, Provenance
from lesion_measure.report import words
from lesion_measure.report.child import FOLDER, clear_children
from lesion_measure.report.environment import environment, of_config
from lesion_measure.report.listed import reason_groups, review_groups
from lesion_measure.report.overview import (
    Overview,
    count,
    readers_named,
    response_counts,
    unscanned,
    way_counts,
)
from lesion_measure.report.results import without_folders
from lesion_measure.report.row_data import row_data
from lesion_measure.report.rows import ChildRow
from lesion_measure.report.waterfall import Waterfall, waterfall
from lesion_measure.report.whole import child_sections

FILE = "report.html"
MOST_IN_ONE_FILE = 12
"""Children up to whom report.html holds everything unless somebody says otherwise: some 5 MB, which mail takes."""
MOST_WITHOUT_SCRIPT = 500
"""Children up to whom the page without scripts has a plain list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialAnswer:
    """What the statistics over the subjects come to, and the page that holds them, relative to the results folder."""

    sentences: tuple[str, ...]
    page: str


def write_index(
    run: Overview,
    out: Path,
    config: Config,
    made: Provenance,
    answer: TrialAnswer | None = None,
    *,
    single_file: bool | None = None,
) -> None:
    """Write report.html into ``out``, where the children's pages are; pages of other children are removed.

    Parameters
    ----------
    run
        The rows that `write_child` gave, and what was refused.
    out
        The results folder.
    config
        The run's configuration.
    made
        What made the run.
    answer
        The trial's answer for the top of the page; None where there is none.
    single_file
        Whether the page holds the children's pages with all pictures; None: where there are few children.

    Raises
    ------
    OutputError
        The file cannot be written.
    InputError
        A child's page is missing.
    """
    single = len(run.rows) <= MOST_IN_ONE_FILE if single_file is None else single_file
    with replacing(out / FILE, "report") as stream:
        for piece in _pieces(run, out, config, made, answer, single_file=single):
            stream.write(piece)
    clear_children(out, {row.page for row in run.rows})


def _pieces(
    run: Overview, out: Path, config: Config, made: Provenance, answer: TrialAnswer | None, *, single_file: bool
) -> Iterable[str]:
    """The page piece by piece. Parameters as for `write_index`."""
    context = of_config(config) | _of_run(run, config, made) | {"answer": answer, "FOLDER": FOLDER}
    context |= {"single": single_file, "link": partial(_link, single_file)}
    if single_file:
        context |= {
            "sections": child_sections(out, (row.page for row in run.rows)),
            "groups": reason_groups(run),
            "reviews": review_groups(run),
        }
        return environment().get_template("single.html.j2").generate(context)
    script = _script()
    context |= {
        "data": row_data(run, config),
        "unit": _unit(run, config),
        "script": Markup(script),  # noqa: S704  shipped with the package
        "script_sha256": base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        "listed": len(run.rows) <= MOST_WITHOUT_SCRIPT,
        "groups": reason_groups(run, shortened=True),
        "reviews": review_groups(run, shortened=True),
    }
    return environment().get_template("index.html.j2").generate(context)


def _link(single_file: bool, row: ChildRow) -> str:
    """Where a child is found from report.html."""
    return f"#subject-{row.page}" if single_file else f"{FOLDER}/{row.page}.html"


@cache
def _script() -> str:
    return files("lesion_measure.report").joinpath("templates", "index.js").read_text(encoding="utf-8")


def _of_run(run: Overview, config: Config, made: Provenance) -> dict[str, object]:
    """What the template shows of the run as a whole, by its names there."""
    comparison = config.comparison
    return {
        "rows": run.rows,
        "secondary_rules": comparison.other_rules if any(row.secondary for row in run.rows) else {},
        "entry_known": entry_columns(run),
        "made": made,
        "command": without_folders(made.command),
        "counts": count(run, comparison.primary_metric),
        "unscanned": unscanned(run),
        "ways": way_counts(run),
        "readers": readers_named(run),
        "responses": response_counts(run),
        "figures": _figures(run, config),
    }


def _unit(run: Overview, config: Config) -> str:
    """Unit of the primary size."""
    found = (row.change(config.comparison.primary_metric) for row in run.rows)
    return words.UNITS[next((change.unit for change in found if change is not None), "mm")]


def entry_columns(run: Overview) -> tuple[Criterion, ...]:
    """The entry criteria as columns of a table; none where nothing is known of any of them."""
    known = any(c.met is not Met.NOT_KNOWN for row in run.rows for c in row.entry)
    return next((row.entry for row in run.rows if row.entry), ()) if known else ()


def _figures(run: Overview, config: Config) -> list[tuple[Metric, Waterfall]]:
    """The waterfall of the primary size, and of the rule's size where that is another one."""
    comparison = config.comparison
    rule = comparison.applied_rule
    metrics = dict.fromkeys((comparison.primary_metric, rule.metric))
    drawn = ((metric, waterfall(run, metric, rule)) for metric in metrics)
    return [(metric, figure) for metric, figure in drawn if figure is not None]
