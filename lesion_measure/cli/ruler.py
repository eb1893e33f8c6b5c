"""``lesion-measure ruler``: one distance on one image."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lesion_measure.cli.exits import ExitCode, fail, problem_line
from lesion_measure.cli.options import AsJson, ConfigFile, read_config
from lesion_measure.cli.paths import there
from lesion_measure.cli.speech import say

if TYPE_CHECKING:
    from lesion_measure.records import Calibration

EXAMPLES = (
    "Examples:\n\n  lesion-measure ruler image.dcm --from 629.5,319.5 --to 689.5,435.5\n\n"
    "  lesion-measure ruler cine.dcm --frame 12 --from 100,80 --to 160,80 --json"
)

Image = Annotated[Path, typer.Argument(help="One DICOM image.", callback=there("image"))]
From = Annotated[str, typer.Option("--from", metavar="COL,ROW", help="First point, in pixels from 0,0.")]
To = Annotated[str, typer.Option("--to", metavar="COL,ROW", help="Second point.")]
FrameNumber = Annotated[int, typer.Option(min=1, help="Frame number, the first is 1.")]


def ruler(
    file: Image, from_: From, to: To, frame: FrameNumber = 1, json_: AsJson = False, config: ConfigFile = None
) -> None:
    """Measure one distance in mm on one image, or say why it cannot be measured (exit code 3)."""
    from lesion_measure.errors import LesionMeasureError
    from lesion_measure.job.inventory import measure_distance

    start, end = _point(from_, "--from"), _point(to, "--to")
    try:
        length_mm, calibration = measure_distance(file, start, end, frame=frame, config=read_config(config))
    except LesionMeasureError as error:
        fail(error)
    if json_:
        say(json.dumps(_as_json(length_mm, calibration), allow_nan=False))
    elif calibration.refusal:
        typer.echo(problem_line(calibration.refusal), err=True)
    else:
        say(f"{length_mm:.2f} mm ({calibration.source})")
    raise typer.Exit(ExitCode.NEEDS_REVIEW if length_mm is None else ExitCode.MEASURED)


def _point(text: str, option: str) -> tuple[float, float]:
    """``COL,ROW`` -> (row, column)."""
    try:
        col, row = (float(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter("give two numbers, COL,ROW, such as 120.5,88", param_hint=option) from None
    if not (math.isfinite(row) and math.isfinite(col)):
        raise typer.BadParameter("the coordinates must be finite", param_hint=option)
    return row, col


def _as_json(length_mm: float | None, calibration: Calibration) -> dict[str, Any]:
    refusal = calibration.refusal
    return {
        "length_mm": length_mm,
        "spacing_mm": None if length_mm is None else calibration.spacing_mm,
        "source": None if length_mm is None else calibration.source,
        "refusal": None
        if refusal is None
        else {"code": refusal.code, "reason": refusal.reason, "remedy": refusal.remedy},
    }
