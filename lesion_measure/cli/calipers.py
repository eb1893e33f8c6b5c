"""``lesion-measure calipers``: the calipers that are burnt into an image's pixels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from lesion_measure.cli.exits import ExitCode, fail
from lesion_measure.cli.options import AsJson, ConfigFile, read_config
from lesion_measure.cli.paths import there
from lesion_measure.cli.speech import say

EXAMPLES = "Examples:\n\n  lesion-measure calipers image.dcm\n\n  lesion-measure calipers cine.dcm --frame 12 --json"

Image = Annotated[
    Path, typer.Argument(help="One DICOM image, or a folder with it.", callback=there("image", folder=None))
]
FrameNumber = Annotated[int | None, typer.Option(min=1, help="Frame number, the first is 1. Default: all frames.")]


def calipers(file: Image, frame: FrameNumber = None, json_: AsJson = False, config: ConfigFile = None) -> None:
    """List the calipers that are burnt into the pixels: where their marks stand, and their length.

    Exit code 3 where one differs from the value printed for it, or where the picture was rescaled.
    """
    from lesion_measure.errors import LesionMeasureError
    from lesion_measure.job.burnt_in import burnt_in_calipers

    try:
        frames = list(burnt_in_calipers(file, frame, read_config(config)))
    except LesionMeasureError as error:
        fail(error)
    found = [caliper for each in frames for caliper in each.calipers]
    factor = next((each.scale_factor for each in frames if each.scale_factor is not None), None)
    if json_:
        say(
            json.dumps(
                {
                    "calipers": [c.as_json() for c in found],
                    "scale_factor": None if factor is None else round(factor, 4),
                },
                allow_nan=False,
            )
        )
    else:
        for caliper in found:
            say(caliper.words())
        if not found:
            say("No calipers were found in the pixels.")
    for text in dict.fromkeys(text for each in frames for text in each.warnings):
        typer.echo(f"lesion-measure: {text}", err=True)
    doubtful = factor is not None or any(caliper.agrees is False for caliper in found)
    raise typer.Exit(ExitCode.NEEDS_REVIEW if doubtful else ExitCode.MEASURED)
