"""``lesion-measure train``: a new model bundle."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from lesion_measure.cli.bars import training_progress
from lesion_measure.cli.exits import fail
from lesion_measure.cli.options import LesionLabel, LinksWithin, check_data
from lesion_measure.cli.paths import settings_file, there
from lesion_measure.cli.speech import say

EXAMPLES = (
    "Examples:\n\n"
    "  lesion-measure train -o models/smoke --config smoke        (is my set-up right?)\n\n"
    "  lesion-measure train data/BUSI data/AUL -o models/mine --config train --dry-run\n\n"
    "  lesion-measure train data/BUSI data/AUL -o models/mine --config train\n\n"
    "  lesion-measure train data/BUSI data/AUL -o models/mine --config train --resume\n\n"
    "  lesion-measure train data/AUL -o models/mine --config my.yaml --from models/liver_us_unet\n\n"
    "  lesion-measure train data/AUL -o models/quick --config train --set automatic.pretrain.epochs=2 --seed 7\n\n"
    "  torchrun --standalone --nproc_per_node=4 -m lesion_measure train data/BUSI -o models/mine --device cuda"
)

KEPT = "The same command with --resume goes on after the last whole epoch."


class TrainedNetwork(StrEnum):
    """What ``train --only`` takes."""

    automatic = "automatic"
    prompted = "prompted"
    clicked = "clicked"


check_bundle = there("model bundle", folder=True)

Out = Annotated[Path, typer.Option("-o", "--out", help="Folder of the new model bundle.", file_okay=False)]
Data = Annotated[
    list[Path] | None,
    typer.Argument(
        help="Folders of pictures with outlines (lesion-measure help datasets); none: simulated ones.",
        callback=check_data,
    ),
]
TrainConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help="Settings, YAML: a file, or 'train' or 'smoke' (lesion-measure config).",
        callback=settings_file("'lesion-measure config train' prints one to start from."),
    ),
]
Changes = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="One setting over those of --config, such as automatic.pretrain.epochs=5; may be repeated.",
    ),
]
Seed = Annotated[int | None, typer.Option(min=0, help="Seed of everything random; short for --set seed=N.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on after the last whole epoch of this training.")]
Overwrite = Annotated[
    bool,
    typer.Option(
        "--overwrite", help="Begin anew: remove the checkpoints of an earlier training, and replace its bundle."
    ),
]
Start = Annotated[
    Path | None, typer.Option("--from", help="Bundle whose weights to start from.", callback=check_bundle)
]
Against = Annotated[
    Path | None,
    typer.Option(
        help="Bundle that the model card compares the new one with; else that of --from, or the shipped one.",
        callback=check_bundle,
    ),
]
Only = Annotated[
    TrainedNetwork | None, typer.Option(help="Train one network alone, such as one in each of two terminals.")
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run", help="Train nothing: card of the data, sheets of augmented samples, estimated time and memory."
    ),
]
TrainDevice = Annotated[str, typer.Option(help="Where to train: cpu, cuda, cuda:0.")]


def train(
    out: Out,
    data: Data = None,
    config: TrainConfigFile = None,
    set_: Changes = None,
    seed: Seed = None,
    lesion_label: LesionLabel = None,
    links_within: LinksWithin = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    start: Start = None,
    against: Against = None,
    only: Only = None,
    device: TrainDevice = "cpu",
    dry_run: DryRun = False,
) -> None:
    """Train the networks on pictures with outlines and on simulated ones, and write a model bundle.

    Ctrl-C stops it (exit code 130); the same command with --resume goes on (lesion-measure help training).
    """
    from lesion_measure.errors import LesionMeasureError
    from lesion_measure.files.shipped import find_model
    from lesion_measure.lab.training import TrainingRequest, TrainSettings
    from lesion_measure.lab.training import dry_run as rehearse
    from lesion_measure.lab.training import train as train_bundle

    try:
        changes = [*(set_ or ()), *([] if seed is None else [f"seed={seed}"])]
        settings = TrainSettings.from_yaml(config, changes)
        with training_progress() as (tell, track):
            request = TrainingRequest(
                data or [], out, settings, lesion_labels=lesion_label or (), links=links_within, resume=resume,
                overwrite=overwrite, start=start, only=None if only is None else only.value,
                against=against or start or find_model(None), device=device,
            )  # fmt: skip
            told = rehearse(request, tell) if dry_run else []
            written = not dry_run and train_bundle(request, tell, track)
    except LesionMeasureError as error:
        fail(error)
    for line in told:
        say(line)
    if written:
        say(f"New model: {out}; its figures are in {out / 'docs' / 'README.md'}")
