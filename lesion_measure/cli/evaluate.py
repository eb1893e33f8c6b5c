"""``lesion-measure evaluate``: how well a network does on known lesions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lesion_measure.cli.bars import progress
from lesion_measure.cli.exits import fail
from lesion_measure.cli.options import (
    AsJson,
    Backend,
    Device,
    EvaluationJobs,
    LesionLabel,
    LinksWithin,
    Threads,
    check_data,
    check_masks,
)
from lesion_measure.cli.speech import say

if TYPE_CHECKING:
    from lesion_measure.lab.evaluation import Placement

EXAMPLES = (
    "Examples:\n\n  lesion-measure evaluate data/AUL data/BUSI --model models/mine -o evaluation\n\n"
    "  lesion-measure evaluate data/AUL --model models/mine --against models/liver_us_unet -o evaluation\n\n"
    "  lesion-measure evaluate data/AUL --model models/one --model models/two --masks peer -o evaluation -j 2\n\n"
    "  lesion-measure evaluate data/AUL --worst 20 --pool new_pictures -o evaluation\n\n"
    "  lesion-measure evaluate data/AUL --unseen-only --json > figures.json"
)

Data = Annotated[list[Path], typer.Argument(help="Folders of pictures with outlined lesions.", callback=check_data)]
Model = Annotated[
    list[Path] | None,
    typer.Option(help="Model bundle; may be repeated, the first is what others are compared with. Default: shipped."),
]
Against = Annotated[
    Path | None, typer.Option(help="The bundle to compare all others with, lesion by lesion, in place of the first.")
]
Masks = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="DIR",
        help="What another tool drew: a folder of masks, each called as its picture (PNG, NIfTI); may be repeated.",
        callback=check_masks,
    ),
]
Out = Annotated[
    Path | None,
    typer.Option("-o", "--out", help="Folder for index.html, evaluation.json and cases.csv.", file_okay=False),
]
Figures = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="Folder for figures as PDF and PNG, with the numbers behind each as CSV.", file_okay=False
    ),
]
Seed = Annotated[int, typer.Option(min=0, help="Of the caliper moves and the bootstrap.")]
Jitter = Annotated[
    float, typer.Option(min=0, max=0.5, help="SD by which caliper ends are moved, in lengths of the caliper.")
]
Calipers = Annotated[
    str, typer.Option(metavar="longest|rectangle|moments", help="What the calipers span before they are moved.")
]
Placings = Annotated[
    int | None,
    typer.Option(min=1, max=100, help="How often each lesion's calipers are placed. Default: 12 to 1, by set size."),
]
Worst = Annotated[
    int, typer.Option("--worst", min=0, metavar="N", help="List the N pictures that are worth outlining next.")
]
Pool = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="DIR",
        help="Pictures without outlines, among which --worst looks; may be repeated.",
        callback=check_data,
    ),
]
UnseenOnly = Annotated[bool, typer.Option("--unseen-only", help="Leave out what a bundle says that it was trained on.")]


def evaluate(
    data: Data,
    model: Model = None,
    against: Against = None,
    masks: Masks = None,
    out: Out = None,
    figures: Figures = None,
    json_: AsJson = False,
    seed: Seed = 1,
    jitter: Jitter = 0.05,
    calipers: Calipers = "longest",
    placings: Placings = None,
    worst: Worst = 0,
    pool: Pool = None,
    unseen_only: UnseenOnly = False,
    lesion_label: LesionLabel = None,
    links_within: LinksWithin = None,
    device: Device = "cpu",
    backend: Backend = "auto",
    threads: Threads = None,
    jobs: EvaluationJobs = 1,
) -> None:
    """Measure how well networks, or other tools' masks, do on pictures with known lesions, and compare them.

    Evaluating on pictures that a network was trained on flatters it (lesion-measure help evaluation).
    """
    from lesion_measure.errors import LesionMeasureError
    from lesion_measure.lab.evaluation import EvaluationRequest, as_json, report_lines
    from lesion_measure.lab.evaluation import evaluate as run_evaluation

    try:
        request = EvaluationRequest(
            data=tuple(data), models=tuple(model or ()), against=against, masks=tuple(masks or ()), out=out,
            figures=figures, seed=seed, spread=jitter, placement=_placement(calipers), placings=placings,
            unseen_only=unseen_only, device=device, backend=backend, lesion_labels=tuple(lesion_label or ()),
            threads=threads, jobs=jobs, worst=_worst(worst, pool), pool=tuple(pool or ()),
            links=links_within,
        )  # fmt: skip
        with progress() as track:
            evaluation = run_evaluation(request, track)
    except LesionMeasureError as error:
        fail(error)
    for note in evaluation.notes:
        typer.echo(note, err=True)
    if json_:
        say(json.dumps(as_json(evaluation, cases=False), indent=2, allow_nan=False))
    else:
        for line in report_lines(evaluation):
            say(line)
        if out is not None:
            say(f"Page: {out / 'index.html'}")


def _worst(worst: int, pool: list[Path] | None) -> int:
    if pool and not worst:
        raise typer.BadParameter("say how many pictures to list: --worst N", param_hint="--pool")
    return worst


def _placement(text: str) -> Placement:
    from lesion_measure.lab.evaluation import Placement

    try:
        return Placement(text)
    except ValueError:
        raise typer.BadParameter("give longest, rectangle or moments", param_hint="--calipers") from None
