"""The whole of an export, in order: read the results, build the datasets, encode them, write them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from lesion_measure import __version__
from lesion_measure.cdisc.adtr import analysis_records
from lesion_measure.cdisc.adtr_layout import VARIABLES as ADTR_VARIABLES
from lesion_measure.cdisc.adtr_layout import analysis_dataset
from lesion_measure.cdisc.course import Courses
from lesion_measure.cdisc.dataset import Dataset, Rows, text, with_equal_widths
from lesion_measure.cdisc.dataset_json import dataset_json
from lesion_measure.cdisc.files import FOLDER, FORMATS, PAGE, check, own_files, write_marker
from lesion_measure.cdisc.lb import laboratory
from lesion_measure.cdisc.page import write_page
from lesion_measure.cdisc.rs import response_records, responses_domain
from lesion_measure.cdisc.supplemental import relations
from lesion_measure.cdisc.terms import Evaluator
from lesion_measure.cdisc.tr import Writer
from lesion_measure.cdisc.tu import lesion_records, lesions_domain
from lesion_measure.cdisc.xpt import Encoding, transport_file
from lesion_measure.errors import ConfigError
from lesion_measure.files.locks import holding
from lesion_measure.files.writing import replacing, together, write_bytes
from lesion_measure.report.children import Child, whole_children
from lesion_measure.report.enrolment import apply_table
from lesion_measure.report.in_short import in_short
from lesion_measure.report.tables import write_csv
from lesion_measure.results import Results, read_finished

NO_TABLE = "nobody is known to be excluded"
_STUDY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,19}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest:
    """What the user asked for: ``out`` is the results folder of a run, ``study`` the identifier in every record.

    ``subjects`` is a subjects table in place of the run's own; ``encoding`` is that of texts in transport files.
    """

    out: Path
    study: str
    subjects: Path | None = None
    labs: Path | None = None
    formats: tuple[str, ...] = FORMATS
    people: Evaluator = Evaluator.INVESTIGATOR
    encoding: Encoding = Encoding.ASCII


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What was written: ``page`` describes the ``datasets``; ``notes`` are for people."""

    page: Path
    datasets: tuple[Dataset, ...]
    notes: tuple[str, ...]


def export(request: ExportRequest) -> Export:
    """Write the datasets of a finished run, and the page that describes them, into its folder ``cdisc``.

    No file is touched before all are written beside them.

    Raises
    ------
    ConfigError
        The study's identifier or a format is not usable.
    InputError
        The folder holds no results, none of this version, or those of a run that did not finish.
    TableError
        A table of subjects or of laboratory values cannot be used.
    OutputError
        A value does not fit the transport format, or the folder is not ours or cannot be written.
    """
    _check(request)
    results, table_notes = apply_table(read_finished(request.out, in_short), request.subjects)
    with whole_children(request.out, results) as child:
        datasets, notes = build(results, child, request)
    created = datetime.now(UTC)
    folder = request.out / FOLDER
    check(folder)
    counted = (*table_notes, *_who_counts(results))
    with holding(request.out), together(folder, own_files()) as stage:
        write_marker(stage)
        for dataset in datasets:
            _write(dataset, stage, request, results, created)
        write_page(
            stage / PAGE, datasets, results, study=request.study, formats=request.formats, created=created,
            notes=counted or (NO_TABLE,),
        )  # fmt: skip
    return Export(page=folder / PAGE, datasets=datasets, notes=(*counted, *notes))


def _who_counts(results: Results) -> tuple[str, ...]:
    """Who is excluded, and who was never scanned."""
    table = results.table() or {}
    scanned = {record.subject for record in results.subjects}
    out = [code for code, row in table.items() if row.excluded]
    unseen = [code for code in table if code not in scanned]
    notes = []
    if out:
        notes.append(f"excluded by the subjects table, and in no analysis (EXCLFL): {', '.join(out)}")
    if unseen:
        notes.append(f"no study of {', '.join(unseen)}: not done in TR and RS, no record in ADTR")
    return tuple(notes)


def build(results: Results, child: Child, request: ExportRequest) -> tuple[tuple[Dataset, ...], tuple[str, ...]]:
    """The datasets that have records, and notes; ``child`` gives the children of the results whole."""
    study = request.study
    courses = Courses(results, child, study)
    domains, analysis = _records(courses, results, request)
    labs: list[Dataset] = []
    notes: list[str] = []
    if request.labs is not None:
        table = laboratory(request.labs, courses, results, study=study)
        labs.append(table.dataset)
        notes += table.notes
    notes += _undated(results)
    datasets = (
        *domains,
        *labs,
        relations(study, [dataset for dataset in domains if not dataset.name.startswith("SUPP")]),
        analysis,
    )
    empty = [dataset.name for dataset in datasets if not dataset.rows and not dataset.name.startswith("SUPP")]
    notes += [f"{name} has no records and is left out" for name in empty]
    return with_equal_widths([dataset for dataset in datasets if dataset.rows]), tuple(notes)


def _records(courses: Courses, results: Results, request: ExportRequest) -> tuple[list[Dataset], Dataset]:
    """TU, TR, RS with their SUPP--, and ADTR, put together subject by subject."""
    study, people = request.study, request.people
    dates = {image.sop_instance_uid: image.study_date for image in results.images if image.study_date}
    lesions, responses = lesions_domain(), responses_domain()
    sizes = Writer(study=study, people=people, dates=dates, model_sha256=results.model_sha256)
    analysis = Rows(variable.name for variable in ADTR_VARIABLES)
    for course in courses:
        lesions.add([*lesion_records(course, study=study, people=people, dates=dates)])
        measured = sizes.add(course)
        verdicts = responses.add([*response_records(course, results.rule, study=study, people=people)])
        analysis.add(analysis_records(course, results, study=study, sizes=measured, verdicts=verdicts))
    domains = (lesions, sizes.domain, responses)
    return [dataset for domain in domains for dataset in domain.datasets()], analysis_dataset(analysis)


def _undated(results: Results) -> Iterator[str]:
    """Whose scans count no study days, since no reference date is known."""
    table = results.table() or {}
    scanned = sorted(child.subject for child in results.subjects if child.visits)
    undated = [code for code in scanned if code not in table or table[code].reference_start is None]
    if undated:
        without = "anybody" if len(undated) == len(scanned) else ", ".join(undated)
        yield (
            f"no study days (--DY, ADY) for {without}: they count from DM.RFSTDTC, the column reference_start of the "
            "subjects table"
        )


def _write(dataset: Dataset, stage: Path, request: ExportRequest, results: Results, created: datetime) -> None:
    """A dataset in each format that is asked for."""
    name = dataset.name.lower()
    if "xpt" in request.formats:
        data = transport_file(dataset, created=created, encoding=request.encoding)
        write_bytes(stage / f"{name}.xpt", data, "dataset")
    if "json" in request.formats:
        pieces = dataset_json(
            dataset, study=request.study, created=created, version=__version__, source_sha256=results.sha256
        )
        with replacing(stage / f"{name}.json", "dataset") as stream:
            stream.writelines(pieces)
    if "csv" in request.formats:
        columns = tuple(variable.name for variable in dataset.variables)
        rows = ({name: _cell(row.get(name)) for name in columns} for row in dataset.rows)
        write_csv(stage / f"{name}.csv", columns, rows)


def _cell(value: object) -> str | int | float | None:
    return value if value is None or isinstance(value, (str, int, float)) else text(value)  # type: ignore[arg-type]


def _check(request: ExportRequest) -> None:
    if not _STUDY.fullmatch(request.study):
        raise ConfigError(
            f"'{request.study[:40]}' is no study identifier.",
            remedy="Give --study with at most 20 letters, digits, dots, hyphens or underscores, such as NCT04406870.",
            code="study",
        )
    if not request.formats or (unknown := [name for name in request.formats if name not in FORMATS]):
        what = f"Format '{unknown[0][:20]}' is not known" if request.formats else "No format is given"
        raise ConfigError(f"{what}.", remedy=f"Formats are {', '.join(FORMATS)}.", code="format")
