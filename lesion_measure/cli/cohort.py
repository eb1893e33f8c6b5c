"""``lesion-measure cohort``: the trial's answer from a run's results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from lesion_measure.cli.exits import ExitCode, fail
from lesion_measure.cli.options import AsJson, BootstrapSeed, Results, check_labs, check_subjects
from lesion_measure.cli.speech import say

EXAMPLES = (
    "Examples:\n\n  lesion-measure cohort out\n\n"
    "  lesion-measure cohort out --subjects subjects.csv --labs labs.csv\n\n"
    "  lesion-measure cohort out --historical-rate 0.5 --json > cohort.json"
)

Subjects = Annotated[
    Path | None,
    typer.Option(
        help="Age, form and exclusions: table (lesion-measure help cohort). Default: the run's.",
        callback=check_subjects,
    ),
]
Labs = Annotated[
    Path | None, typer.Option(help="AFP and PIVKA-II: table (lesion-measure help cohort).", callback=check_labs)
]
HistoricalRate = Annotated[
    float | None,
    typer.Option(help="Rate of responders to compare with, such as 0.577. Default: that of the run's settings."),
]
AgeGroups = Annotated[
    str | None,
    typer.Option(metavar="MONTHS", help="Ages that divide the age groups, such as 6,14. Default: the run's."),
]


def cohort(
    out: Results,
    subjects: Subjects = None,
    labs: Labs = None,
    historical_rate: HistoricalRate = None,
    age_groups: AgeGroups = None,
    seed: BootstrapSeed = 1,
    json_: AsJson = False,
) -> None:
    """Give the trial's answer from a run's results: change, responders, and how sure both are, into OUT/cohort.

    Nothing is measured anew (lesion-measure help cohort).
    """
    from lesion_measure.cohort.command import CohortRequest, age_splits, run_cohort, summary_lines
    from lesion_measure.errors import LesionMeasureError

    splits = None if age_groups is None else age_splits(age_groups)
    if age_groups is not None and splits is None:
        raise typer.BadParameter("give ascending ages in months, such as 6,14", param_hint="--age-groups")
    if historical_rate is not None and not 0 < historical_rate < 1:
        raise typer.BadParameter("give a rate above 0 and below 1, such as 0.577", param_hint="--historical-rate")
    try:
        found, document = run_cohort(
            CohortRequest(
                results=out, subjects=subjects, labs=labs, historical_rate=historical_rate, seed=seed,
                age_splits_months=splits,
            )
        )  # fmt: skip
    except LesionMeasureError as error:
        fail(error)
    if json_:
        say(json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False))
    else:
        for line in summary_lines(found):
            say(line)
        say(f"Page: {out / 'cohort' / 'cohort.html'}")
    raise typer.Exit(ExitCode.MEASURED if found.measured else ExitCode.NOTHING_MEASURED)
