"""The images that were found and the tables that people gave, sorted by child."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lesion_measure.config import Config
from lesion_measure.drawings import calipers_of
from lesion_measure.image.by_reader import counting
from lesion_measure.job.calipers import CaliperTable, read_caliper_tables
from lesion_measure.job.who_counts import misnamed, no_adjudicator
from lesion_measure.records import (
    NO_SCANS,
    TRIAL,
    Caliper,
    Doubt,
    Enrolled,
    ImageLabel,
    Refusal,
    StudyList,
    SubjectVisits,
)
from lesion_measure.spelling import or_meant
from lesion_measure.studies import assign_visits
from lesion_measure.tables.manifest import Manifest, read_manifest
from lesion_measure.tables.matching import Unmatched, match_calipers
from lesion_measure.tables.statements import Bound, bind, of_no_visit
from lesion_measure.tables.subjects import not_in_table, read_subjects


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """What people wrote: the manifest, each caliper table's rows, and the subjects table by subject."""

    manifest: Manifest | None = None
    calipers: tuple[CaliperTable, ...] = ()
    enrolled: Mapping[str, Enrolled] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The children with their visits, and what the tables say of their images.

    ``calipers`` and ``labels`` by SOPInstanceUID. ``doubts`` by subject: what a table says and nothing answers to.
    ``refusals``: images, visits, rows and subjects that could not be settled. ``words``: names of files that tables
    and objects hold, or have.
    """

    children: tuple[SubjectVisits, ...]
    calipers: Mapping[str, tuple[Caliper, ...]]
    labels: Mapping[str, ImageLabel]
    doubts: Mapping[str, Sequence[Doubt]]
    refusals: tuple[Refusal, ...]
    words: tuple[str, ...] = ()


def read_tables(
    manifest: Path | None,
    calipers: Path | None,
    subjects: Path | None,
    visits: Sequence[str] = TRIAL.names,
    *,
    scans: Path,
) -> Tables:
    """Read the tables of a run.

    Parameters
    ----------
    manifest, calipers, subjects
        The tables; ``calipers`` may be a folder of them.
    visits
        Names of the schedule's visits.
    scans
        The input.

    Raises
    ------
    TableError
        One of them cannot be read or understood.
    """
    return Tables(
        manifest=read_manifest(manifest, visits) if manifest else None,
        calipers=read_caliper_tables(calipers, scans),
        enrolled=read_subjects(subjects) if subjects else {},
    )


def sort_given(studies: StudyList, tables: Tables, config: Config) -> Given:
    """Sort images and rows by child.

    Raises
    ------
    TableError
        The manifest does not fit the input.
    """
    children, refusals = assign_visits(studies, schedule=config.protocol.timetable(), manifest=tables.manifest)
    rows, unmatched = _in_tables(tables.calipers, studies)
    subject_of = {
        i.sop_instance_uid: c.subject for c in children for v in c.visits.values() for s in v for i in s.instances
    }
    drawn = calipers_of(studies, rows, subject_of, config)
    unplaced = [of_no_visit(some, studies, children, refusals) for some in (rows, drawn.calipers)]
    calipers = {uid: (*rows.get(uid, ()), *drawn.calipers.get(uid, ())) for uid in {**rows, **drawn.calipers}}
    lost = (*unmatched, *drawn.unmatched, *(one for some in unplaced for one in some))
    bound = _bound(lost, children, calipers, config)
    unknown = not_in_table(tables.enrolled, [child.subject for child in children])
    for doubt in (*unknown, *misnamed(children, calipers, config)):
        bound.doubts[doubt.refusal.subject or ""].append(doubt)
    bound.refusals += no_adjudicator(_readers(tables.calipers, drawn.calipers), config)
    return Given(
        children=children,
        calipers=calipers,
        labels=tables.manifest.labels(studies) if tables.manifest else {},
        doubts=bound.doubts,
        refusals=(*refusals, *bound.refusals, *drawn.listed, *_never_scanned(tables.enrolled, children, refusals)),
        words=(*_words(tables.calipers), *(each.path for each in studies.objects)),
    )


def _words(tables: Sequence[CaliperTable]) -> Iterator[str]:
    for file, rows in tables:
        yield file.name
        yield from (word for row in rows for word in (row.image, row.mask.name if row.mask else "", row.table))


def _readers(tables: Sequence[CaliperTable], drawn: Mapping[str, Sequence[Caliper]]) -> set[str]:
    """Whose rows the tables hold, and who drew in DICOM objects."""
    return {row.reader for rows in (*(own for _, own in tables), *drawn.values()) for row in rows}


def _in_tables(
    tables: Sequence[CaliperTable], studies: StudyList
) -> tuple[dict[str, tuple[Caliper, ...]], list[Unmatched]]:
    """The rows of every table by the SOP Instance UID of their image, and those of no or of several images."""
    found: dict[str, tuple[Caliper, ...]] = {}
    lost: list[Unmatched] = []
    for file, rows in tables:
        matched, unmatched = match_calipers(rows, studies, file=file)
        lost += unmatched
        for uid, calipers in matched.items():
            found[uid] = (*found.get(uid, ()), *calipers)
    return found, lost


def _bound(
    lost: Sequence[Unmatched],
    children: Sequence[SubjectVisits],
    drawn: Mapping[str, Sequence[Caliper]],
    config: Config,
) -> Bound:
    """Rows that no image answers to, held against the children that they may be about; else they are listed."""
    counts = [one for one in lost if counting(one.rows, config)]
    bound = bind(counts, children, drawn)
    bound.refusals += [one.refusal for one in lost if one not in counts]
    return bound


def _never_scanned(
    enrolled: Mapping[str, Enrolled], children: Sequence[SubjectVisits], refusals: Sequence[Refusal]
) -> list[Refusal]:
    """Children of the subjects table of whom the input holds nothing: missing, or a code that is written otherwise."""
    known = {child.subject for child in children} | {refusal.subject for refusal in refusals}
    return [
        Refusal(
            code=NO_SCANS,
            reason="No study: this subject is in the subjects table, and the input holds no image of it.",
            remedy="Add its scans, or write its code as in the images or the manifest"
            f"{or_meant(code, (child.subject for child in children if child.subject not in enrolled))}",
            subject=code,
        )
        for code in enrolled
        if code not in known
    ]
