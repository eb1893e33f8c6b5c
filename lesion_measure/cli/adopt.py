"""``lesion-measure adopt``: a bundle that others made with MONAI becomes one that runs here."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from lesion_measure.cli.exits import fail
from lesion_measure.cli.paths import there
from lesion_measure.cli.speech import say

EXAMPLES = (
    "Examples:\n\n  lesion-measure adopt downloads/us_lesion_segmentation -o models/theirs --first-axis columns\n\n"
    "  lesion-measure adopt downloads/net -o models/theirs --first-axis rows --size 256 --intensity unit "
    "--activation softmax --lesion 1"
)


class Numbers(StrEnum):
    """What ``adopt --intensity`` takes."""

    unit = "unit"
    grey = "grey"
    normalised = "normalised"


class Activation(StrEnum):
    """What ``adopt --activation`` takes."""

    sigmoid = "sigmoid"
    softmax = "softmax"


class Axis(StrEnum):
    """What ``adopt --first-axis`` takes."""

    rows = "rows"
    columns = "columns"


Source = Annotated[
    Path,
    typer.Argument(metavar="BUNDLE", help="Folder of a MONAI bundle.", callback=there("model bundle", folder=True)),
]
Out = Annotated[Path, typer.Option("-o", "--out", help="Folder of the new bundle.", file_okay=False)]
Size = Annotated[int | None, typer.Option(min=16, max=1024, help="Side of the square grid that it was trained on.")]
Intensity = Annotated[
    Numbers | None, typer.Option(help="Numbers of its pictures: 0 to 1 (unit), 0 to 255 (grey), or normalised.")
]
Kind = Annotated[Activation | None, typer.Option("--activation", help="How its channels become probabilities.")]
Lesion = Annotated[
    list[int] | None, typer.Option("--lesion", min=0, max=15, help="A channel that is lesion, from 0; may be repeated.")
]

FirstAxis = Annotated[
    Axis | None,
    typer.Option(
        "--first-axis",
        help="Which axis of its pictures came first: columns, as MONAI's LoadImage gives PNG and JPEG, or rows.",
    ),
]


def adopt(
    source: Source,
    out: Out,
    size: Size = None,
    intensity: Intensity = None,
    activation: Kind = None,
    lesion: Lesion = None,
    first_axis: FirstAxis = None,
) -> None:
    """Make a bundle that runs here of one that others made with MONAI; its weights stay as they are.

    What its metadata do not say has to be given; nothing is guessed (lesion-measure help models).
    """
    from lesion_measure.errors import LesionMeasureError
    from lesion_measure.lab.training.adopt import Stated
    from lesion_measure.lab.training.adopt import adopt as take

    stated = Stated(
        size,
        None if intensity is None else intensity.value,
        None if activation is None else activation.value,
        lesion or (),
        None if first_axis is None else first_axis.value,
    )
    try:
        say(f"New model: {take(source, out, stated)}; nothing that it draws is accepted before it is evaluated.")
    except LesionMeasureError as error:
        fail(error)
