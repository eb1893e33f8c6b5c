"""Our own node: a C-STORE SCP that writes what comes to files. It listens on loopback unless told otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pynetdicom import evt

from lesion_measure.config.pacs import Node
from lesion_measure.errors import PacsError
from lesion_measure.files.writing import remove
from lesion_measure.pacs.association import (
    IMAGE_CLASSES,
    IMAGE_SYNTAXES,
    OBJECT_CLASSES,
    OBJECT_SYNTAXES,
    VERIFICATION,
    Flood,
    entity,
    received_as_files,
    server_tls,
    stored_uid,
)
from lesion_measure.pacs.sockets import Line, end
from lesion_measure.pacs.statuses import CANNOT_UNDERSTAND, OTHER_OBJECT, OUT_OF_RESOURCES

Keep = Callable[[Path, str, str], int]
"""``keep(file, sop_uid, calling_ae)`` takes a file away and returns the status of the C-STORE response."""


class Receiver:
    """A node that listens while it is entered.

    Parameters
    ----------
    node
        Its AE title, address, port, TLS and bounds.
    folder
        Where objects lie while they come in.
    keep
        Called with each object that is there, from threads of its own.
    """

    def __init__(self, node: Node, folder: Path, keep: Keep) -> None:
        self._node = node
        self._folder = folder
        self._keep = keep
        self._flood = Flood(node.bounds.instance_bytes)
        self._held = ExitStack()
        self.line = Line(node.patience.answer_s, node.bounds.instance_bytes)

    def __enter__(self) -> Self:
        with self._held:
            self._held.enter_context(received_as_files(self._folder))
            handlers = [(evt.EVT_C_STORE, self._store), *self._flood.handlers()]
            self._held.enter_context(listening(self._node, handlers, storage=True, line=self.line))
            self._held = self._held.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._held.close()

    def _store(self, event: evt.Event) -> int:
        sop_uid = stored_uid(event)
        try:
            if event.dataset_path.stat().st_size > self._node.bounds.instance_bytes:
                return OUT_OF_RESOURCES  # it came in one piece, before the count could end the association
            status = self._keep(event.dataset_path, sop_uid, str(event.assoc.requestor.ae_title).strip())
        except OSError:
            return CANNOT_UNDERSTAND
        if status == OTHER_OBJECT:
            remove(event.dataset_path)  # which pynetdicom leaves
        else:
            self._flood.settled(event)
        return status


@contextmanager
def listening(
    node: Node,
    handlers: Sequence[Any],
    *,
    storage: bool,
    line: Line,
    contexts: Sequence[Any] = (),
    grace_s: float = 0,
) -> Iterator[None]:
    """Our node listens meanwhile; afterwards nothing comes in any more.

    Parameters
    ----------
    node
        Its AE title, address, port and TLS.
    handlers
        What it does, for pynetdicom.
    storage
        Whether it takes objects.
    line
        What bounds its associations.
    contexts
        Further abstract syntaxes.
    grace_s
        How long an association may go on when it is over.

    Raises
    ------
    PacsError
        The port is taken, or the address is none of this machine; code ``cannot_listen``.
    """
    own = entity(node)
    own.require_called_aet = True
    own.require_calling_aet = list(node.listening.accept)
    own.maximum_associations = node.listening.associations
    own.add_supported_context(VERIFICATION)
    for abstract in contexts:
        own.add_supported_context(abstract)
    if storage:
        for abstract in IMAGE_CLASSES:
            own.add_supported_context(abstract, list(IMAGE_SYNTAXES))
        for abstract in OBJECT_CLASSES:
            own.add_supported_context(abstract, list(OBJECT_SYNTAXES))
    where = (node.own.address, node.own.port)
    known = [*handlers, *line.handlers()]
    try:
        server: Any = own.start_server(where, block=False, evt_handlers=known, ssl_context=server_tls(node))
    except OSError as error:
        raise PacsError(
            f"Our node cannot listen on {where[0]} port {where[1]} ({error.strerror}).",
            remedy="Choose another 'own.port' or 'own.address'.", code="cannot_listen",
        ) from error  # fmt: skip
    try:
        yield
    finally:
        server.shutdown()
        end(own.active_associations, grace_s)
