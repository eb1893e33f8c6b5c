"""``lesion-measure pacs pull``: studies of a PACS into a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lesion_measure.cli.bars import progress
from lesion_measure.cli.exits import fail
from lesion_measure.cli.options import Log, Quiet
from lesion_measure.cli.pacs.options import Pacs, Query, Way, told
from lesion_measure.cli.speech import voice

EXAMPLES = (
    "Examples:\n\n  lesion-measure pacs pull PatientID=SIM-01 -o scans --pacs hospital.yaml\n\n"
    "  lesion-measure pacs pull StudyInstanceUID=1.2.3.4 -o scans --all --pacs hospital.yaml"
)

KEPT = "What is there whole stays; the same command goes on."

Out = Annotated[Path, typer.Option("-o", "--out", help="Folder for the studies.", file_okay=False)]
All = Annotated[bool, typer.Option("--all", help="Fetch objects of every modality, not images and calipers alone.")]


def pull(
    query: Query, out: Out, pacs: Pacs, by: Way = None, all_: All = False, quiet: Quiet = False, log: Log = None
) -> None:
    """Fetch the studies that fit a query: ultrasound, and the objects that may hold calipers (SR, PR, SEG).

    What is there whole is not fetched again. Exit codes: 0 everything is there; 1 nothing; 2 the query or a setting is
    wrong; 3 some objects could not be had; 4 the PACS or the disk fails, and the same command goes on.
    """
    from lesion_measure.config.pacs import Node
    from lesion_measure.errors import LesionMeasureError
    from lesion_measure.pacs.peer import spoken_to
    from lesion_measure.pacs.pull import MODALITIES
    from lesion_measure.pacs.pull import pull as fetch
    from lesion_measure.pacs.query import parse

    try:
        asked = parse(query)
        with voice(quiet=quiet, only_json=False, log=log) as speaker:
            with (
                spoken_to(Node.from_yaml(pacs), by) as peer,
                progress(speaker.note, unit="objects", bar=not (quiet or speaker.logged)) as track,
            ):
                answer = peer.find(asked)
                modalities = None if all_ else MODALITIES
                done = fetch(peer, answer.studies, out, modalities=modalities, track=track)
            for note in answer.notes:
                speaker.note(note)
            code = told(done.refusals, done.fetched + done.there, speaker)
            for file in done.stale:
                speaker.note(f"{file}: The PACS lists it no more.")
            speaker.say(f"Studies       {done.studies}")
            speaker.say(f"Objects       {done.fetched} fetched, {done.there} were there, {done.left_out} left out")
            raise typer.Exit(code)
    except LesionMeasureError as error:
        fail(error)
