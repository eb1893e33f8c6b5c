"""``lesion-measure inspect``: what is in a folder, before anything is measured."""

from __future__ import annotations

import json

import typer

from lesion_measure.cli.exits import ExitCode, fail
from lesion_measure.cli.options import AsJson, CaliperObjects, ConfigFile, Input, NoPaths, read_config
from lesion_measure.cli.speech import say

EXAMPLES = (
    "Examples:\n\n  lesion-measure inspect sample_dicoms\n\n  lesion-measure inspect scans.zip --json > files.json"
)


def inspect(
    input_: Input,
    calipers: CaliperObjects = None,
    json_: AsJson = False,
    config: ConfigFile = None,
    no_paths: NoPaths = False,
) -> None:
    """Say what is in here: studies, visits, frames, mm per pixel or why not, and what DICOM objects draw.

    Exit code 1 where no image has a scale, so that nothing could be measured; else 0, whatever else is refused.
    """
    from lesion_measure.errors import LesionMeasureError
    from lesion_measure.job.inventory import take_inventory
    from lesion_measure.job.nameless import Names, without_names

    try:
        settings = read_config(config)
        inventory = take_inventory(input_, settings, calipers)
    except LesionMeasureError as error:
        fail(without_names(error, (input_, calipers, config)) if no_paths else error)
    if no_paths:
        inventory = Names(
            inventory, [p.resolve().name for p in (input_, calipers) if p], settings.protocol.timetable()
        ).within(inventory)
    if json_:
        say(json.dumps(inventory.as_json(), indent=2, allow_nan=False))
    else:
        for line in inventory.lines():
            say(line)
    raise typer.Exit(ExitCode.MEASURED if inventory.usable else ExitCode.NOTHING_MEASURED)
