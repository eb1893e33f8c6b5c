"""The input of a run that is a query: ``pacs:PatientID=SIM-01``. It becomes a folder, and the run knows no more."""

from __future__ import annotations

from pathlib import Path

from lesion_measure.config.pacs import Node
from lesion_measure.errors import InputError, PacsError
from lesion_measure.pacs.peer import spoken_to
from lesion_measure.pacs.pull import Track, pull
from lesion_measure.pacs.query import parse

PREFIX = "pacs:"


def fetched(text: str, settings: Path, cache: Path, track: Track) -> Path:
    """Fetch what a query finds; the folder then holds that and nothing else.

    Parameters
    ----------
    text
        The query, with or without ``pacs:``.
    settings
        Settings file of the PACS.
    cache
        The folder; what it holds of an earlier call is not fetched again.
    track
        Told of progress.

    Raises
    ------
    InputError
        Nothing was found; code ``pacs_nothing_found``.
    PacsError
        The PACS fails, or some objects cannot be had: without them the result could be another one.
    """
    query = parse(text.removeprefix(PREFIX))
    with spoken_to(Node.from_yaml(settings)) as peer:
        answer = peer.find(query)
        if not answer.studies:
            raise InputError(
                " ".join(("The PACS finds no study.", *answer.notes)),
                remedy="Check the query: values are whole, and cases count.", code="pacs_nothing_found",
            )  # fmt: skip
        done = pull(peer, answer.studies, cache, mirror=True, track=track)
    if done.refusals:
        first = done.refusals[0]
        raise PacsError(
            f"{len(done.refusals)} objects could not be had, the first of them {first.path}: {first.reason}",
            remedy="Give the command again; or fetch what there is by 'lesion-measure pacs pull', and run on that.",
            code="pacs_incomplete",
        )
    if not done.fetched + done.there:
        raise InputError(
            "The studies that were found hold no ultrasound.", remedy="Check the query.", code="pacs_nothing_found"
        )
    return cache
