"""``lesion-measure pacs push``: files to a PACS."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lesion_measure.cli.bars import progress
from lesion_measure.cli.exits import fail
from lesion_measure.cli.options import Log, Quiet
from lesion_measure.cli.pacs.options import Pacs, Way, told
from lesion_measure.cli.paths import there
from lesion_measure.cli.speech import voice

EXAMPLES = (
    "Examples:\n\n  lesion-measure pacs push out/dicom --pacs hospital.yaml --replace\n\n"
    "  lesion-measure pacs push scans out/dicom --pacs hospital.yaml --journal pushed.jsonl"
)

KEPT = "What is stored stays; the same command goes on, and stores nothing twice."

Paths = Annotated[
    list[Path],
    typer.Argument(
        metavar="PATH", help="DICOM files, and folders with some.",
        callback=there("file or folder", folder=None, remedy="Give DICOM files or folders."),
    ),
]  # fmt: skip
JournalFile = Annotated[
    Path | None,
    typer.Option("--journal", metavar="FILE", help="Remember here what was stored and compared, for the next call."),
]
Replace = Annotated[
    bool,
    typer.Option(
        "--replace", help="Reject or delete results of ours that these replace, as the settings say (replacing.by)."
    ),
]


def push(
    paths: Paths,
    pacs: Pacs,
    by: Way = None,
    journal: JournalFile = None,
    replace: Replace = False,
    quiet: Quiet = False,
    log: Log = None,
) -> None:
    """Store DICOM files in a PACS, and compare what it then holds with what was sent.

    What it holds already is not sent again. Exit codes: 0 everything is stored; 1 nothing; 2 a setting is wrong; 3 some
    files were refused, or the PACS holds something else; 4 the PACS fails, and the same command goes on.
    """
    from lesion_measure import __version__
    from lesion_measure.config.pacs import Node
    from lesion_measure.errors import LesionMeasureError
    from lesion_measure.pacs.peer import spoken_to
    from lesion_measure.pacs.push import push as store
    from lesion_measure.pacs.replacing import check_can_replace, replace_earlier

    try:
        with voice(quiet=quiet, only_json=False, log=log) as speaker:
            node = Node.from_yaml(pacs)
            if replace:
                check_can_replace(node, by)
            with (
                spoken_to(node, by) as peer,
                progress(speaker.note, unit="objects", bar=not (quiet or speaker.logged)) as track,
            ):
                done = store(peer, paths, journal=journal, track=track)
                earlier = replace_earlier(peer, done.kept, __version__) if replace and not done.refusals else None
            code = told(done.refusals, done.stored + done.there, speaker)
            if done.coerced:
                speaker.note(f"{done.coerced} objects were filed with other patient or order data than were sent.")
            speaker.say(f"Objects       {done.stored} stored and compared, {done.there} were there")
            if done.no_dicom:
                speaker.say(f"Passed over   {done.no_dicom} files that are no DICOM objects")
            if done.committed is not None:
                speaker.say(f"Committed     {done.committed} objects")
            if earlier is not None:
                speaker.say(f"Replaced      {earlier.deleted} deleted, {earlier.rejected} rejected by a note")
            elif replace:
                speaker.note("Nothing was replaced, since not every object was stored.")
            raise typer.Exit(code)
    except LesionMeasureError as error:
        fail(error)
