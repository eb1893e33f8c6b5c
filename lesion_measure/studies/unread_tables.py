"""Tables of calipers among the images, or in an archive, which nobody reads there: no reader's row is lost unsaid."""

from __future__ import annotations

from lesion_measure.errors import TableError
from lesion_measure.files.archive import read_some
from lesion_measure.files.walk import Found
from lesion_measure.records import Refusal
from lesion_measure.tables.calipers import MAYBE_TABLES, are_calipers, may_be_table
from lesion_measure.tables.rows import HEADER_BYTES, MAX_TABLE_BYTES
from lesion_measure.tables.workbook import is_workbook

UNREAD_CALIPERS = "unread_calipers"
"""Code of a table that has the columns of calipers."""
UNREAD_TABLE = "unread_table"
"""Code of one that cannot be opened, so that nobody knows."""


def unread_table(found: Found) -> Refusal | None:
    """Why a file that is no DICOM may be missed: it is a table of calipers, or one that cannot be opened; else None.

    Raises
    ------
    InputError
        The file, or the archive around it, cannot be read.
    """
    name = found.path.rpartition("/")[2]
    if not may_be_table(name):
        return None
    try:
        if are_calipers(_contents(found), name):
            return Refusal(
                code=UNREAD_CALIPERS,
                reason="This table has the columns of calipers, and no row of it is read.",
                remedy="Give it with --calipers; in a zip, unpack it before.",
                path=found.path,
            )
    except TableError as error:
        if name.lower().endswith(".txt"):  # a note may begin in any way
            return None
        reason = f"{error.reason} Whether it holds calipers is not known."
        return Refusal(code=UNREAD_TABLE, reason=reason, remedy=error.remedy, path=found.path)
    return None


def is_unread_table(refusal: Refusal) -> bool:
    """Whether it is of a file that is no DICOM and is called as tables are, but for texts and JSON, mostly notes."""
    name = (refusal.path or "").rpartition("/")[2]
    return refusal.code == "not_dicom" and may_be_table(name, [each for each in MAYBE_TABLES if each != ".txt"])


def _contents(found: Found) -> bytes:
    """All of a workbook, of anything else the beginning."""
    found.stream.seek(0)
    data = read_some(found.stream, HEADER_BYTES)
    if not is_workbook(data):
        return data
    data += read_some(found.stream, MAX_TABLE_BYTES - len(data) + 1)
    if len(data) > MAX_TABLE_BYTES:
        raise TableError(f"The workbook is larger than {MAX_TABLE_BYTES // 1_000_000} MB.")
    return data
