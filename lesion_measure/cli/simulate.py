"""``lesion-measure simulate``: studies whose truth is known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lesion_measure.cli.bars import progress
from lesion_measure.cli.exits import fail
from lesion_measure.cli.speech import say

EXAMPLES = (
    "Example:\n\n  lesion-measure simulate trial --subjects 36 --seed 1\n\n"
    "  lesion-measure run trial -o out --calipers trial/calipers.csv --subjects trial/subjects.csv\n\n"
    "  lesion-measure simulate trial --subjects 36 --seed 1 --readers 2 --reader-cv 0.089 --missing 0.08 --excluded 1"
    "\n\n  lesion-measure simulate courses --subjects 12 --seed 1 --visits 0,30,90,180"
)

KEPT = "The simulation is not whole; the same command with --overwrite begins anew."

Out = Annotated[Path, typer.Argument(help="Folder for the studies, truth.csv and tables for 'run'.")]
Subjects = Annotated[int, typer.Option(min=1, max=10_000, help="Number of children.")]
Seed = Annotated[int, typer.Option(min=0, help="The same seed gives the same files.")]
Readers = Annotated[int, typer.Option(min=1, max=9, help="Readers: calipers.csv, calipers2.csv and so on.")]
ReaderCv = Annotated[
    float, typer.Option(min=0, max=0.5, help="Error of a reader's caliper, SD / length, such as 0.089.")
]
Missing = Annotated[
    float,
    typer.Option(min=0, max=1, help="Chance of each child to have no 1-month visit (--visits: each later one)."),
]
Excluded = Annotated[
    int, typer.Option(min=0, help="Number of children that subjects.csv excludes, for a hepatoblastoma.")
]
Visits = Annotated[
    str, typer.Option(metavar="DAYS", help="Days from baseline of each visit, such as 0,30,90,180 (default: 0 and 30).")
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an earlier simulation.")]


def simulate(
    out: Out,
    subjects: Subjects,
    seed: Seed,
    readers: Readers = 1,
    reader_cv: ReaderCv = 0.0,
    missing: Missing = 0.0,
    excluded: Excluded = 0,
    visits: Visits = "",
    overwrite: Overwrite = False,
) -> None:
    """Write simulated DICOM studies whose true sizes are known (truth.csv), with calipers, visits and subjects."""
    from lesion_measure.errors import LesionMeasureError
    from lesion_measure.lab.phantom import simulate_trial

    if excluded > subjects:
        raise typer.BadParameter(f"give at most the {subjects} of --subjects", param_hint="--excluded")
    days = _days(visits)
    try:
        with progress(unit="children") as track:
            simulate_trial(
                out, subjects=subjects, seed=seed, readers=readers, reader_cv=reader_cv, missing=missing,
                excluded=excluded, visits=days, overwrite=overwrite,
                progress=lambda done, total: track("simulating", done, total),
            )  # fmt: skip
    except LesionMeasureError as error:
        fail(error)
    say(f"{subjects} simulated subjects in {out}; truth in {out / 'truth.csv'}")
    if readers > 1 and reader_cv == 0:
        say(
            f"The calipers of the {readers} readers are identical, and without error; "
            "--reader-cv 0.089 makes them differ."
        )


def _days(text: str) -> tuple[int, ...]:
    """The days of ``--visits``; none where the option is not given."""
    from lesion_measure.lab.phantom.courses import checked_days

    if not text:
        return ()
    try:
        return checked_days([int(part) for part in text.split(",")])
    except ValueError as error:
        said = "give whole days from baseline, such as 0,30,90,180" if "int()" in str(error) else str(error)
        raise typer.BadParameter(said, param_hint="--visits") from None
