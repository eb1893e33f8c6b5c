"""``lesion-measure ruler``: one distance on one image."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from lesion_measure.cli.exits import ExitCode, fail, problem_line
from lesion_measure.cli.options import AsJson, ConfigFile, check_calipers, read_config
from lesion_measure.cli.paths import there
from lesion_measure.cli.speech import say

if TYPE_CHECKING:
    from lesion_measure.records import Calibration

EXAMPLES = (
    "Examples:\n\n  lesion-measure ruler image.dcm --from 629.5,319.5 --to 689.5,435.5\n\n"
    "  lesion-measure ruler cine.dcm --frame 12 --from 100,80 --to 160,80 --json\n\n"
    "  lesion-measure ruler image.dcm --object sr.dcm"
)

Image = Annotated[
    Path,
    typer.Argument(help="One DICOM image, or a folder with it and its objects.", callback=there("image", folder=None)),
]
From = Annotated[str | None, typer.Option("--from", metavar="COL,ROW", help="First point, in pixels from 0,0.")]
To = Annotated[str | None, typer.Option("--to", metavar="COL,ROW", help="Second point.")]
Object = Annotated[
    Path | None,
    typer.Option(
        "--object",
        help="A DICOM object (SR, PR, SEG), or a folder of them: measure what it draws on the image.",
        callback=check_calipers,
    ),
]
FrameNumber = Annotated[int, typer.Option(min=1, help="Frame number, the first is 1.")]


def ruler(
    file: Image,
    from_: From = None,
    to: To = None,
    object_: Object = None,
    frame: FrameNumber = 1,
    json_: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Measure one distance in mm on one image, or what DICOM objects draw on it; or say why not (exit code 3).

    Without --from and --to the objects count that are given with --object, or that lie in the folder FILE.
    """
    from lesion_measure.errors import LesionMeasureError
    from lesion_measure.job.inventory import measure_distance

    if from_ is None and to is None and (object_ is not None or file.is_dir()):
        _say_drawn(file, object_, json_, config)
    if from_ is None or to is None or object_ is not None:
        raise typer.BadParameter("give both --from and --to, or --object alone")
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


def _say_drawn(file: Path, given: Path | None, json_: bool, config: Path | None) -> NoReturn:
    """Every caliper that objects draw on the image, and what of them is not used.

    Raises
    ------
    typer.Exit
        Always.
    """
    from lesion_measure.errors import LesionMeasureError
    from lesion_measure.job.inventory import measure_drawn

    try:
        drawn = measure_drawn(file, given, read_config(config))
    except LesionMeasureError as error:
        fail(error)
    whole = bool(drawn.lines) and not any(line.refusal for line in drawn.lines)
    if json_:
        lost = [{"path": r.path, "code": r.code, "reason": r.reason, "remedy": r.remedy} for r in drawn.refusals]
        say(json.dumps({"calipers": [line.as_json() for line in drawn.lines], "not_used": lost}, allow_nan=False))
    else:
        for line in drawn.lines:
            say(line.words())
        for refusal in drawn.refusals:
            typer.echo(problem_line(refusal), err=True)
        if not drawn.lines:
            typer.echo("lesion-measure: Nothing that is drawn on this image was found.", err=True)
    raise typer.Exit(ExitCode.MEASURED if whole else ExitCode.NEEDS_REVIEW)


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
