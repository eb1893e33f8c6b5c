"""Storage commitment, push model (PS3.4 J): the PACS says which objects it answers for.

It is asked on one association (N-ACTION), and reports on another one that it opens to our node (N-EVENT-REPORT).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from pydicom import Dataset
from pydicom.uid import UID, generate_uid
from pynetdicom import evt
from pynetdicom.presentation import build_context

from lesion_measure.config.pacs import Node
from lesion_measure.dicom.elements import PARSER_ERRORS, items, uid
from lesion_measure.dicom.whole import Whole
from lesion_measure.errors import PacsError
from lesion_measure.pacs.association import associated
from lesion_measure.pacs.receiver import listening
from lesion_measure.pacs.sockets import Line

_MODEL, _INSTANCE = UID("1.2.840.10008.1.20.1"), UID("1.2.840.10008.1.20.1.1")
_REQUEST = 1  # action type
_NO_SUCH_TRANSACTION = 0x0115  # invalid argument value
_GRACE_S = 2.0
"""Time for the PACS to learn that its report came; it might report for days otherwise."""


def committed(node: Node, objects: Sequence[Whole]) -> set[str]:
    """The SOP Instance UIDs that the PACS answers for.

    Raises
    ------
    Transient
        The PACS cannot be reached.
    PacsError
        It does not offer storage commitment, refuses it, or does not report in time; code ``not_committed``.
    """
    report = _Report()
    line = Line(node.patience.answer_s, node.bounds.answer_bytes)
    handlers = [(evt.EVT_N_EVENT_REPORT, report.take)]
    with listening(node, handlers, storage=False, line=line, contexts=[_MODEL], grace_s=_GRACE_S):
        with associated(node, [build_context(_MODEL)]) as association:
            status, _ = association.send_n_action(
                _asked(report.transaction, objects), _REQUEST, _MODEL,
                _INSTANCE,
            )  # fmt: skip
            if getattr(status, "Status", None) != 0x0000:
                raise _not_committed(node, "refuses storage commitment")
            report.there.wait(1)  # some report on the association that asked
        if not report.there.wait(node.patience.commitment_s):
            raise _not_committed(node, "does not report on storage commitment in time")
    return report.kept


class _Report:
    """What the PACS reports on one transaction."""

    def __init__(self) -> None:
        self.transaction = generate_uid()
        self.kept: set[str] = set()
        self.there = threading.Event()

    def take(self, event: evt.Event) -> tuple[int, None]:
        """The handler of N-EVENT-REPORT; a report on another transaction is none of ours."""
        try:
            found = event.event_information
        except PARSER_ERRORS:
            return _NO_SUCH_TRANSACTION, None
        if uid(found, "TransactionUID") != self.transaction:
            return _NO_SUCH_TRANSACTION, None
        self.kept = {uid(item, "ReferencedSOPInstanceUID") for item in items(found, "ReferencedSOPSequence") or []}
        self.there.set()
        return 0x0000, None


def _asked(transaction: str, objects: Sequence[Whole]) -> Dataset:
    asked = Dataset()
    asked.TransactionUID = transaction
    asked.ReferencedSOPSequence = []
    for one in objects:
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = one.sop_class_uid, one.sop_instance_uid
        asked.ReferencedSOPSequence.append(item)
    return asked


def _not_committed(node: Node, what: str) -> PacsError:
    return PacsError(
        f"The PACS '{node.name}' {what}.",
        remedy="It has to know our AE title, address and port; or leave out 'dimse.commitment'.",
        code="not_committed",
    )
