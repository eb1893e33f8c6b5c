"""From what somebody asked for to a room that is ready: the scans are sorted as a run sorts them."""

from __future__ import annotations

import secrets

from lesion_measure.job.calipers import with_objects
from lesion_measure.job.given import Given, read_tables, sort_given
from lesion_measure.job.own_files import left_out
from lesion_measure.job.request import RunRequest
from lesion_measure.review.blinding import Blinded, Open
from lesion_measure.review.cases import Cases
from lesion_measure.review.ids import Ids
from lesion_measure.review.request import ReviewRequest
from lesion_measure.review.room import Room
from lesion_measure.review.security import Door
from lesion_measure.studies import load_studies


def open_room(request: ReviewRequest, port: int) -> Room:
    """Everything that a server of this request needs; ``port`` is the one that it listens at.

    Raises
    ------
    InputError, TableError, OutputError
        The scans, a table or the results folder cannot be used.
    """
    given = _given(request.run)
    naming = Blinded(request.seed) if request.blinded else Open()
    ids = Ids(secrets.token_bytes(32), naming.space)
    return Room(
        request=request,
        door=Door(host=request.host, port=port, tls=request.tls is not None, public_url=request.public_url),
        token=secrets.token_urlsafe(24),
        cases=Cases(given, request.run.config, naming, ids),
    )


def _given(run: RunRequest) -> Given:
    """The children of the scans, sorted."""
    config = run.config
    tables = read_tables(run.manifest, run.calipers, run.subjects, config.protocol.visit_names)
    studies = load_studies(
        run.input,
        limits=config.limits,
        planes=config.planes,
        leave_out=left_out(run, tables.calipers),
        calipers=config.calipers,
    )
    return sort_given(with_objects(studies, run.calipers, run.input, tables.calipers, config), tables, config)
