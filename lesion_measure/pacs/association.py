"""DIMSE associations (PS3.8): who we are, TLS, what is offered, and what a failure to associate means."""

from __future__ import annotations

import ssl
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pydicom.uid as names
from pynetdicom import AE, _config, evt
from pynetdicom.association import Association
from pynetdicom.presentation import PresentationContext, build_context

from lesion_measure.config.pacs import Node
from lesion_measure.errors import PacsError
from lesion_measure.files.writing import remove
from lesion_measure.pacs.retry import Transient
from lesion_measure.pacs.sockets import Line, end, hands_shaken_later

# What is asked for and found names patients, and would stand in the log of a program that turns logging on.
_config.LOG_REQUEST_IDENTIFIERS = False
_config.LOG_RESPONSE_IDENTIFIERS = False
_config.STORE_SEND_CHUNKED_DATASET = True  # a file is sent as it is read, never loaded

IMAGE_CLASSES = (
    names.UltrasoundImageStorage, names.UltrasoundMultiFrameImageStorage, names.EnhancedUSVolumeStorage,
    names.UID("1.2.840.10008.5.1.4.1.1.6"), names.UID("1.2.840.10008.5.1.4.1.1.3"),  # ultrasound of before 1993
    names.SecondaryCaptureImageStorage, names.MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    names.MultiFrameTrueColorSecondaryCaptureImageStorage,
)  # fmt: skip
OBJECT_CLASSES = (
    names.BasicTextSRStorage, names.EnhancedSRStorage, names.ComprehensiveSRStorage, names.Comprehensive3DSRStorage,
    names.ExtensibleSRStorage, names.GrayscaleSoftcopyPresentationStateStorage,
    names.ColorSoftcopyPresentationStateStorage, names.PseudoColorSoftcopyPresentationStateStorage,
    names.KeyObjectSelectionDocumentStorage, names.SegmentationStorage,
)  # fmt: skip
IMAGE_SYNTAXES = (
    names.ExplicitVRLittleEndian, names.ImplicitVRLittleEndian, names.ExplicitVRBigEndian, names.RLELossless,
    names.JPEGBaseline8Bit, names.JPEGExtended12Bit, names.JPEGLossless, names.JPEGLosslessSV1, names.JPEGLSLossless,
    names.JPEGLSNearLossless, names.JPEG2000Lossless, names.JPEG2000,
)  # fmt: skip
OBJECT_SYNTAXES = (
    names.ExplicitVRLittleEndian, names.ImplicitVRLittleEndian, names.DeflatedExplicitVRLittleEndian, names.RLELossless,
)  # fmt: skip
VERIFICATION = names.UID("1.2.840.10008.1.1")
FIND, MOVE, GET = (names.UID(f"1.2.840.10008.5.1.4.1.2.2.{kind}") for kind in (1, 2, 3))
"""Study Root Query/Retrieve (PS3.4 C.6.2)."""
_PDU_BYTES = 1 << 17
_MOST_WAITING = 16
_REJECTED_FOR_NOW = 2

_receiving = threading.Lock()


def storage_contexts(sop_class_uid: str, syntaxes: Sequence[str] = ()) -> list[PresentationContext]:
    """One context for each transfer syntax, so that the other side can send an object as it has stored it.

    All in one context, Orthanc would choose uncompressed pixels where it has compressed ones. ``syntaxes`` empty: all
    that are read, of the class or of images.
    """
    every = OBJECT_SYNTAXES if sop_class_uid in OBJECT_CLASSES else IMAGE_SYNTAXES
    return [build_context(sop_class_uid, syntax) for syntax in syntaxes or every]


def entity(node: Node) -> AE:
    """Our application entity."""
    own = AE(ae_title=node.own.ae_title)
    own.connection_timeout = node.patience.connect_s
    own.acse_timeout = own.dimse_timeout = own.network_timeout = node.patience.answer_s
    own.maximum_pdu_size = _PDU_BYTES
    return own


@contextmanager
def associated(
    node: Node,
    contexts: Sequence[PresentationContext],
    *,
    roles: Sequence[Any] = (),
    handlers: Sequence[Any] = (),
    line: Line | None = None,
) -> Iterator[Association]:
    """An association with the PACS; aborted where something goes wrong inside, else released.

    Parameters
    ----------
    node, contexts, roles
        The PACS, and what is offered to it.
    handlers
        What is done with what comes, for pynetdicom.
    line
        Counts and bounds the bytes that come: another one's for objects, or where these come by another association.

    Raises
    ------
    Transient
        The PACS cannot be reached, or is busy.
    PacsError
        It rejects us, or takes none of the contexts.
    """
    assert node.dimse
    tls = (_client_tls(node), node.dimse.host) if node.dimse.tls else None
    line = line or Line(node.patience.answer_s, node.bounds.answer_bytes)
    try:
        association = entity(node).associate(
            node.dimse.host, node.dimse.port, contexts=list(contexts), ae_title=node.dimse.ae_title,
            ext_neg=list(roles) or None, evt_handlers=[*handlers, *line.handlers()], tls_args=tls, max_pdu=_PDU_BYTES,
        )  # fmt: skip
    except OSError as error:  # no computer has this name, or nobody answers who it is
        raise lost(node) from error
    if not association.is_established:
        raise _not_associated(node, association)
    _pace(association, node)
    line.answers_may_be_long(association)
    try:
        yield association
    except BaseException:
        end([association], 0)  # which does not wait for the rest of a PDU, as abort() would after Ctrl-C
        raise
    association.release()


def _pace(association: Association, node: Node) -> None:
    """Let no more wait to be sent than a few PDUs: pynetdicom reads a file faster than it sends it, and keeps the rest.

    A PDU that is not taken within ``patience.answer_s`` ends the association.
    """
    dul = association.dul
    send, waiting = dul.send_pdu, dul.to_provider_queue

    def paced(primitive: Any) -> None:
        until = time.monotonic() + node.patience.answer_s
        while waiting.qsize() >= _MOST_WAITING and dul.is_alive() and association.is_established:
            if time.monotonic() > until:
                raise lost(node)
            time.sleep(0.0005)
        send(primitive)

    dul.send_pdu = paced  # type: ignore[method-assign]


def lost(node: Node) -> Transient:
    """What no response at all comes to."""
    return Transient(
        PacsError(
            f"The PACS '{node.name}' cannot be reached, or the association was lost.",
            remedy="Check its address, its port, the files of 'tls', and that it runs.",
            code="pacs_unreachable",
        )
    )


def _not_associated(node: Node, association: Association) -> Exception:
    if association.is_rejected:
        answer = association.acceptor.primitive
        error = PacsError(
            f"The PACS '{node.name}' rejects the association.",
            remedy="Check both AE titles: the PACS may have to know ours.", code="pacs_refused",
        )  # fmt: skip
        return Transient(error) if answer is not None and answer.result == _REJECTED_FOR_NOW else error
    if (
        association.acceptor.primitive is not None
        and not association.accepted_contexts
        and association.rejected_contexts
    ):
        return PacsError(
            f"The PACS '{node.name}' offers nothing of what was asked for.",
            remedy="Its conformance statement says what it offers.", code="pacs_not_offered",
        )  # fmt: skip
    return lost(node)


@contextmanager
def received_as_files(folder: Path) -> Iterator[None]:
    """Objects that come in meanwhile go to files in ``folder`` as they come, not to memory.

    pynetdicom has both as a setting of the whole process, and the folder as that of Python's temporary files.

    Raises
    ------
    PacsError
        This process receives into another folder; code ``cannot_listen``.
    """
    if not _receiving.acquire(blocking=False):
        raise PacsError("This process receives objects already.", remedy="Use another process.", code="cannot_listen")
    before, _config.STORE_RECV_CHUNKED_DATASET = _config.STORE_RECV_CHUNKED_DATASET, True
    was, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        yield
    finally:
        _config.STORE_RECV_CHUNKED_DATASET = before
        tempfile.tempdir = was
        _receiving.release()


def stored_uid(event: evt.Event) -> str:
    """The SOP Instance UID that a C-STORE request announces."""
    return str(getattr(event.request, "AffectedSOPInstanceUID", ""))


class Flood:
    """Ends an association that sends more bytes for one object than are allowed, and leaves nothing of it.

    What nobody asked for counts for the object that was asked for: there might be no end of it.

    pynetdicom leaves the file of an object that was coming in, or that no handler took, when an association ends.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._counts: dict[int, int] = {}
        self._files: dict[int, Path] = {}

    def handlers(self) -> list[tuple[Any, Any]]:
        """What counts the bytes that come in, and clears up; `settled` begins anew."""
        return [
            (evt.EVT_DATA_RECV, self._count), (evt.EVT_DIMSE_RECV, self._complete), (evt.EVT_CONN_CLOSE, self._forget)
        ]  # fmt: skip

    def settled(self, event: evt.Event) -> None:
        """A handler has an object that was asked for."""
        self._counts[id(event.assoc)] = 0

    def _count(self, event: evt.Event) -> None:
        count = self._counts.get(id(event.assoc), 0) + len(event.data)
        self._counts[id(event.assoc)] = count
        if count > self._most:
            event.assoc.abort(block=False)

    def _complete(self, event: evt.Event) -> None:
        self._note(event.assoc, event.message)

    def _forget(self, event: evt.Event) -> None:
        self._note(event.assoc, event.assoc.dimse.message)
        self._counts.pop(id(event.assoc), None)
        if file := self._files.pop(id(event.assoc), None):
            remove(file)

    def _note(self, association: Association, message: Any) -> None:
        """Remember the file of a message; that of the one before has been taken, since they come one by one."""
        path = getattr(message, "_data_set_path", None)
        if isinstance(path, Path):
            self._files[id(association)] = path


def server_tls(node: Node) -> ssl.SSLContext | None:
    """TLS of our own node; whoever connects needs a certificate from ``ca_file`` where that is given.

    Raises
    ------
    PacsError
        The files of ``tls`` cannot be used; code ``pacs_tls``.
    """
    if not node.own.tls:
        return None
    with _using_files(node):
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(str(node.tls.certificate_file), str(node.tls.key_file))
        if node.tls.ca_file:
            context.load_verify_locations(str(node.tls.ca_file))
            context.verify_mode = ssl.CERT_REQUIRED
    return hands_shaken_later(context)


def _client_tls(node: Node) -> ssl.SSLContext:
    with _using_files(node):
        context = ssl.create_default_context(cafile=None if node.tls.ca_file is None else str(node.tls.ca_file))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if node.tls.certificate_file:
            context.load_cert_chain(str(node.tls.certificate_file), str(node.tls.key_file))
    return context


@contextmanager
def _using_files(node: Node) -> Iterator[None]:
    """What OpenSSL or the disk says of the files of ``tls`` is told of them."""
    try:
        yield
    except OSError as error:
        why = error.strerror
        if isinstance(error, ssl.SSLError):
            why = error.reason.lower().replace("_", " ") if error.reason else "not in PEM form"
        raise PacsError(
            f"The files of 'tls' of the PACS '{node.name}' cannot be used ({why}).",
            remedy="Give certificates and the key in PEM form, the key without a password.", code="pacs_tls",
        ) from error  # fmt: skip
