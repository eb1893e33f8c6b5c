"""From what somebody asked for to a room that is ready: the scans are sorted as a run sorts them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lesion_measure.errors import InputError
from lesion_measure.files.shipped import find_model
from lesion_measure.image.cover import Blank, Cover
from lesion_measure.job import folder
from lesion_measure.job.calipers import with_objects
from lesion_measure.job.given import Given, read_tables, sort_given
from lesion_measure.job.own_files import left_out
from lesion_measure.job.printed_scales import scaled_studies
from lesion_measure.job.readings import FOLDER
from lesion_measure.job.request import RunRequest
from lesion_measure.records import Enrolled
from lesion_measure.results import Results as Finished
from lesion_measure.results import read_finished
from lesion_measure.review.blinding import Blinded, Naming, Open, identities
from lesion_measure.review.cases import Cases
from lesion_measure.review.checks import check
from lesion_measure.review.earlier import Suggested
from lesion_measure.review.frames import FrameServer
from lesion_measure.review.ids import Ids
from lesion_measure.review.images import OpenImages
from lesion_measure.review.measuring import Measurer
from lesion_measure.review.outlining import Outliner
from lesion_measure.review.request import ReviewRequest
from lesion_measure.review.result import Results
from lesion_measure.review.room import Room
from lesion_measure.review.security import Door
from lesion_measure.review.sizes import Sizes
from lesion_measure.review.sizes_file import FILE as SIZES_FILE
from lesion_measure.review.store import Store, beside
from lesion_measure.review.users import Users

if TYPE_CHECKING:
    from lesion_measure.network import Segmenter


@contextmanager
def open_room(request: ReviewRequest, port: int) -> Iterator[Room]:
    """Everything that a server of this request needs, for as long as the context lasts.

    ``port`` is the one that it listens at.

    Raises
    ------
    InputError, TableError, OutputError, ConfigError, ModelError
        The scans, a table, the results folder, the database, the file of users or the network cannot be used.
    """
    check(request)
    config = request.run.config
    users = Users(request.users) if request.users else None
    bundle = _bundle(request)
    given, enrolled = _given(request.run)
    if not given.children:
        raise InputError(
            "There is no child's ultrasound image that can be read.",
            remedy="'lesion-measure inspect' says of each file why.",
            code="nothing_to_read",
            path=str(request.run.input),
        )
    folder.adopt(request.run.out)
    naming: Naming = Blinded(request.seed, identities(given)) if request.blinded else Open()
    with ExitStack() as closing:
        store = closing.enter_context(Store(request.database or beside(request.run.out)))
        secret = store.secret()
        ids = Ids(secret, naming.space)
        cases = Cases(given, config, naming, ids)
        sizes = Sizes(store, cases, config, request.run.out / FOLDER / SIZES_FILE)
        closing.enter_context(sizes.ahead())
        measurer, outliner, frames = _equipment(request, bundle, closing)
        yield Room(
            request=request,
            door=Door(host=request.host, port=port, tls=request.tls is not None, public_url=request.public_url),
            token="" if users else secrets.token_urlsafe(24),
            users=users,
            naming=naming,
            ids=ids,
            kept_ids=Ids(secret, "kept"),
            left_out=_left_out(given),
            cases=cases,
            sizes=sizes,
            store=store,
            measurer=measurer,
            results=Results(request.run, given, enrolled, measurer),
            frames=frames,
            outliner=outliner,
            network=None if bundle is None else bundle.name,
            suggested=_suggested(request, given, store, measurer, ids),
        )


def _left_out(given: Given) -> int:
    """How many subjects are refused as a whole, and so are no cases."""
    children = {child.subject for child in given.children}
    return len({refusal.subject for refusal in given.refusals if refusal.subject} - children)


def _equipment(
    request: ReviewRequest, bundle: Path | None, closing: ExitStack
) -> tuple[Measurer, Outliner | None, FrameServer]:
    """What measures, outlines and shows frames; ``closing`` ends all of it."""
    config = request.run.config
    images = OpenImages(config)
    closing.callback(images.close)
    measurer, cover = Measurer(config, images), Cover(_blank(request), sure=request.blinded)
    if bundle is None:
        frames, outliner = FrameServer(images, cover, prepare=measurer.prepare), None
    else:
        outliner = Outliner(lambda: _loaded(bundle, request.run), config, images, measurer)
        closing.callback(outliner.close)
        frames = FrameServer(images, cover, outliner.prepare, measurer.prepare, outliner.idle)
    closing.callback(frames.close)
    return measurer, outliner, frames


def _suggested(request: ReviewRequest, given: Given, store: Store, measurer: Measurer, ids: Ids) -> Suggested:
    """What was measured before; nothing of it in blinded reading."""
    if request.blinded:
        return Suggested(None, None, (), measurer, ids)
    own = {mark.reader for mark in store.marks()}
    table = request.run.calipers
    only = table.name if table is not None and table.is_file() else ""
    return Suggested(given, _finished(request.run), own, measurer, ids, only)


def _blank(request: ReviewRequest) -> Blank:
    """What of a frame is blanked: nothing in open reading, else the screen around the scan, and texts where asked."""
    if not request.blinded:
        return "nothing"
    asked = request.run.config.report.blank
    return "outside" if asked == "nothing" else asked


def _bundle(request: ReviewRequest) -> Path | None:
    """The network that outlines what a reader clicks; None where there shall be none."""
    run = request.run
    if not request.network or run.config.segment.policy == "calipers_only":
        return None
    return find_model(run.model, instead="give --no-network")


def _loaded(bundle: Path, run: RunRequest) -> Segmenter:
    from lesion_measure.network import Segmenter  # which loads what computes it

    return Segmenter.from_bundle(bundle, device=run.device, backend=run.backend, threads=run.threads)


def _finished(run: RunRequest) -> Finished | None:
    """The run of the results folder, where one came to its end."""
    return read_finished(run.out) if (run.out / folder.FINISHED).is_file() else None


def _given(run: RunRequest) -> tuple[Given, Mapping[str, Enrolled]]:
    """The children of the scans, sorted, and the rows of the subjects table."""
    config = run.config
    tables = read_tables(run.manifest, run.calipers, run.subjects, config.protocol.visit_names, scans=run.input)
    studies = scaled_studies(run.input, config, left_out(run, tables.calipers))
    studies = with_objects(studies, run.calipers, run.input, tables.calipers, config)
    return sort_given(studies, tables, config), tables.enrolled
