"""``lesion-measure onnx``: a bundle's networks as ONNX graphs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lesion_measure.cli.exits import fail
from lesion_measure.cli.speech import say

EXAMPLES = "Example:\n\n  lesion-measure onnx models/mine"

Bundle = Annotated[Path, typer.Argument(metavar="BUNDLE", help="Folder of a model bundle.", file_okay=False)]


def onnx(bundle: Bundle) -> None:
    """Write the networks of a model bundle as ONNX graphs into it, for OpenVINO and other programs.

    'lesion-measure train' does so by itself where the package onnx is installed.
    """
    from lesion_measure.errors import LesionMeasureError
    from lesion_measure.lab.training.export import add_graphs

    try:
        for path in add_graphs(bundle):
            say(f"{path}")
    except LesionMeasureError as error:
        fail(error)
