"""``lesion-measure pacs find``: which studies a PACS has."""

from __future__ import annotations

import json
from dataclasses import asdict

import typer

from lesion_measure.cli.exits import ExitCode, fail
from lesion_measure.cli.options import AsJson
from lesion_measure.cli.pacs.options import Pacs, Query, Way
from lesion_measure.cli.speech import say

EXAMPLES = (
    "Examples:\n\n  lesion-measure pacs find PatientID=SIM-01 --pacs hospital.yaml\n\n"
    "  lesion-measure pacs find StudyDate=20240101-20240201,ModalitiesInStudy=US --pacs hospital.yaml --json"
)

KEPT = "Nothing was changed."


def find(query: Query, pacs: Pacs, by: Way = None, json_: AsJson = False) -> None:
    """List the studies that fit a query: date, patient's identifier, modalities, number of objects, UID.

    Exit codes: 0 some were found; 1 none; 2 the query or a setting is wrong; 4 the PACS fails.
    """
    from lesion_measure.config.pacs import Node
    from lesion_measure.errors import LesionMeasureError
    from lesion_measure.pacs.peer import spoken_to
    from lesion_measure.pacs.query import parse

    try:
        asked = parse(query)
        with spoken_to(Node.from_yaml(pacs), by) as peer:
            answer = peer.find(asked)
    except LesionMeasureError as error:
        fail(error)
    studies = sorted(answer.studies, key=lambda study: (study.patient_id, study.date, study.study_uid))
    if json_:
        say(json.dumps({"studies": [asdict(study) for study in studies], "notes": answer.notes}, indent=2))
    else:
        for study in studies:
            number = "?" if study.instances is None else study.instances
            words = (study.date or "no date", study.patient_id, "/".join(study.modalities), f"{number} objects")
            say("  ".join((*words, study.study_uid)))
        say(f"{len(studies)} {'study' if len(studies) == 1 else 'studies'}")
        for note in answer.notes:
            typer.echo(note, err=True)
    raise typer.Exit(ExitCode.MEASURED if studies else ExitCode.NOTHING_MEASURED)
