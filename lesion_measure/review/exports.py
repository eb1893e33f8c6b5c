"""What leaves the reading room: signed readings as a caliper table, the audit, and how well readers agree.

Tables are written whole or not at all, and no cell of them is a formula to a spreadsheet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from threading import Lock

from lesion_measure.files.writing import make_folder, remove, write_bytes
from lesion_measure.job.readings import FOLDER, readings_file
from lesion_measure.records import Caliper
from lesion_measure.report.tables import Row, Table, csv_text, write_csv
from lesion_measure.review.messages import Measured, Role
from lesion_measure.review.reader_agreement import agreement_table
from lesion_measure.review.rows import no_lesion_on, rows_of
from lesion_measure.review.store import Kept, Signed, Store, chain
from lesion_measure.review.store.models import canonical
from lesion_measure.tables.calipers import POINTS
from lesion_measure.tables.contours import contour_text
from lesion_measure.tables.rows import typed

AUDIT, AGREEMENT = "audit.csv", "agreement.csv"
CALIPER_COLUMNS: tuple[str, ...] = (
    "image", "frame", "lesion", "plane", "axis", *POINTS, "reader", "contour", "reason", "subject", "visit",
)  # fmt: skip
AUDIT_COLUMNS: tuple[str, ...] = (
    "number", "at", "reader", "action", "subject", "visit", "image", "reading", "before", "after", "why", "content",
    "chain",
)  # fmt: skip

_ONE_WRITER = Lock()
"""Of two signatures at once the table of the later one stays."""


def final_readings(store: Store) -> list[Kept]:
    """The readings that count: of each child those of who adjudicated it, else those of all who signed it."""
    counts = _counts(store, store.signatures())
    return [kept for kept in store.readings() if kept.signed and counts(kept.subject, kept.reader)]


def final_statements(store: Store) -> list[Signed]:
    """The signatures that count of those who say that a child has no lesion."""
    signed = store.signatures()
    counts = _counts(store, signed)
    return [each for each in signed if each.no_lesion and counts(each.subject, each.reader)]


def _counts(store: Store, signatures: Iterable[Signed]) -> Callable[[str, str], bool]:
    """Whether what a reader says of a child counts: where somebody adjudicated it, theirs alone does.

    An adjudicator who signed that nothing was read has decided nothing, and takes no reading away.
    """
    read = {(mark.subject, mark.reader) for mark in store.marks()}
    deciding: dict[str, set[str]] = {}
    for signed in signatures:
        if signed.role is Role.ADJUDICATOR and (signed.no_lesion or (signed.subject, signed.reader) in read):
            deciding.setdefault(signed.subject, set()).add(signed.reader)
    return lambda subject, reader: reader in deciding.get(subject, {reader})


def independent_readings(store: Store) -> list[Kept]:
    """The signed readings of those who read for themselves, without having seen those of others."""
    deciding = {(s.subject, s.reader) for s in store.signatures() if s.role is Role.ADJUDICATOR}
    return [kept for kept in store.readings() if kept.signed and (kept.subject, kept.reader) not in deciding]


def _none_seen(store: Store) -> set[tuple[str, str]]:
    """Child and reader where somebody who read for themselves says that there is no lesion."""
    return {(each.subject, each.reader) for each in store.signatures() if each.no_lesion and each.role is Role.READER}


def calipers_table(readings: Iterable[Kept], none_seen: Iterable[Signed] = ()) -> Table:
    """Readings, and statements that there is no lesion, as a caliper table, which a run takes as it is."""
    drawn = [row for kept in readings for row in _caliper_rows(kept)]
    return Table(CALIPER_COLUMNS, [*drawn, *(row for signed in none_seen for row in _rows_of_none(signed))])


def audit_table(store: Store) -> Table:
    """Every step, read while the table is. ``content`` is what its chain binds, in the very bytes (`chain.link`)."""
    return Table(AUDIT_COLUMNS, _steps(store))


def write_calipers(store: Store, out: Path) -> Path:
    """Write the readings that count to where the next run of ``out`` finds them; without any there is no file.

    Raises
    ------
    WriteError
        It cannot be written; the earlier one stays.
    """
    path = readings_file(out)
    with _ONE_WRITER:
        if (table := calipers_table(final_readings(store), final_statements(store))).rows:
            make_folder(path.parent, "folder of the readings")
            write_bytes(path, csv_text(table).encode(), "readings", shared=True)
        else:
            remove(path)
    return path


def write_exports(store: Store, out: Path, measure: Callable[[Kept], Measured]) -> tuple[Path, ...]:
    """Write calipers.csv, audit.csv and agreement.csv; ``measure`` says what a reading measures.

    Raises
    ------
    WriteError
        One of them cannot be written.
    """
    calipers, folder = write_calipers(store, out), out / FOLDER
    make_folder(folder, "folder of the readings")
    with _ONE_WRITER:
        for name, table in (
            (AUDIT, audit_table(store)),
            (AGREEMENT, agreement_table(independent_readings(store), measure, _none_seen(store))),
        ):
            write_csv(folder / name, table.columns, table.rows)
    return tuple(path for path in (calipers, folder / AUDIT, folder / AGREEMENT) if path.is_file())


def _caliper_rows(kept: Kept) -> Iterator[Row]:
    for caliper in rows_of(kept.draft, kept.image_uid, kept.reader):
        yield {"subject": kept.subject, "visit": kept.visit, **_cells(caliper)}


def _rows_of_none(signed: Signed) -> Iterator[Row]:
    for uid, visit in signed.no_lesion.items():
        yield {"subject": signed.subject, "visit": visit, **_cells(no_lesion_on(uid, signed.reader))}


def _cells(caliper: Caliper) -> Row:
    start, end = caliper.start or (None, None), caliper.end or (None, None)
    return {
        "image": caliper.image,
        "frame": caliper.frame,
        "lesion": typed(caliper.lesion) or None,
        "plane": caliper.plane.value,
        "axis": caliper.axis.value,
        "start_row": start[0],
        "start_col": start[1],
        "end_row": end[0],
        "end_col": end[1],
        "reader": typed(caliper.reader),
        "contour": contour_text(caliper.contour) if caliper.contour else None,
        "reason": caliper.reason or None,
    }


def _steps(store: Store) -> Iterator[Row]:
    for step in store.each_step():
        yield {
            "number": step.number,
            "at": step.at.isoformat(timespec="microseconds"),
            "reader": step.reader,
            "action": step.action,
            "subject": step.subject,
            "visit": step.visit,
            "image": step.image_uid,
            "reading": step.reading,
            "before": None if step.before is None else canonical(step.before),
            "after": None if step.after is None else canonical(step.after),
            "why": step.why,
            "content": chain.content(step),
            "chain": step.chain,
        }
