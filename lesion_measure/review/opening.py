"""From what somebody asked for to a room that is ready: the scans are sorted as a run sorts them."""

from __future__ import annotations

import secrets
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from lesion_measure.errors import ConfigError, InputError
from lesion_measure.image.cover import Blank, Cover
from lesion_measure.job import folder
from lesion_measure.job.calipers import with_objects
from lesion_measure.job.given import Given, read_tables, sort_given
from lesion_measure.job.own_files import left_out
from lesion_measure.job.request import RunRequest
from lesion_measure.results import Results, read_finished
from lesion_measure.review.blinding import Blinded, Naming, Open, identities
from lesion_measure.review.cases import Cases
from lesion_measure.review.earlier import Suggested
from lesion_measure.review.frames import FrameServer
from lesion_measure.review.ids import Ids
from lesion_measure.review.images import OpenImages
from lesion_measure.review.measuring import Measurer
from lesion_measure.review.request import ReviewRequest
from lesion_measure.review.room import Room
from lesion_measure.review.security import Door
from lesion_measure.review.store import Store, beside
from lesion_measure.review.users import Users
from lesion_measure.studies import load_studies

MOST_NAME = 64
"""Characters of a reader's name."""


@contextmanager
def open_room(request: ReviewRequest, port: int) -> Iterator[Room]:
    """Everything that a server of this request needs, for as long as the context lasts.

    ``port`` is the one that it listens at.

    Raises
    ------
    InputError, TableError, OutputError, ConfigError
        The scans, a table, the results folder, the database or the file of users cannot be used.
    """
    check(request)
    config = request.run.config
    users = Users(request.users) if request.users else None
    given = _given(request.run)
    folder.adopt(request.run.out)
    naming: Naming = Blinded(request.seed, identities(given)) if request.blinded else Open()
    with ExitStack() as closing:
        store = closing.enter_context(Store(request.database or beside(request.run.out)))
        secret = store.secret()
        ids = Ids(secret, naming.space)
        images = OpenImages(config)
        closing.callback(images.close)
        measurer = Measurer(config, images)
        frames = FrameServer(images, Cover(_blank(request)))
        closing.callback(frames.close)
        own = {kept.reader for kept in store.readings()}
        results = None if request.blinded else _finished(request.run)
        suggested = Suggested(None if request.blinded else given, results, own, measurer, ids)
        yield Room(
            request=request,
            door=Door(host=request.host, port=port, tls=request.tls is not None, public_url=request.public_url),
            token="" if users else secrets.token_urlsafe(24),
            users=users,
            naming=naming,
            ids=ids,
            kept_ids=Ids(secret, "kept"),
            cases=Cases(given, config, naming, ids),
            store=store,
            measurer=measurer,
            frames=frames,
            suggested=suggested,
        )


def check(request: ReviewRequest) -> None:
    """Refuse what cannot be meant, before anything is read.

    Raises
    ------
    InputError
        The scans are a results folder: those that it came from are needed.
    ConfigError
        A name, an address or a certificate that cannot be used.
    """
    run = request.run
    if run.input.is_dir() and folder.is_ours(run.input):
        raise InputError(
            "This is a results folder, and holds no scans.",
            remedy=f"Give the scans that it came from, and it as -o: lesion-measure review SCANS -o {run.input}",
            code="results_alone",
            path=str(run.input),
        )
    if not request.reader.strip() or len(request.reader) > MOST_NAME or not request.reader.isprintable():
        raise ConfigError(f"The reader's name is not 1 to {MOST_NAME} printable characters.", code="reader_name")
    url = urlsplit(request.public_url)
    if request.public_url and (url.scheme not in ("http", "https") or not url.netloc or url.path.strip("/")):
        raise ConfigError(
            "The public address is none.", remedy="Give it like https://room.example.org", code="public_url"
        )
    if request.tls is not None:
        _check_certificate(*request.tls)


def _check_certificate(certificate: Path, key: Path) -> None:
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key)
    except OSError as error:  # of which those of TLS are some
        raise ConfigError(
            "The certificate and its key cannot be used.",
            remedy="Give the certificate and its key as PEM files, the key without a password.",
            code="tls",
            path=str(certificate),
        ) from error


def _blank(request: ReviewRequest) -> Blank:
    """What of a frame is blanked: nothing in open reading, else the screen around the scan, and texts where asked."""
    if not request.blinded:
        return "nothing"
    asked = request.run.config.report.blank
    return "outside" if asked == "nothing" else asked


def _finished(run: RunRequest) -> Results | None:
    """The run of the results folder, where one came to its end."""
    return read_finished(run.out) if (run.out / folder.FINISHED).is_file() else None


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
