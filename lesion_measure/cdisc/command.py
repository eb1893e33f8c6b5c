"""The whole of an export, in order: read the results, build the datasets, encode them, write them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from lesion_measure import __version__
from lesion_measure.cdisc.adtr import analysis_dataset
from lesion_measure.cdisc.course import courses
from lesion_measure.cdisc.dataset import Dataset, text, with_equal_widths
from lesion_measure.cdisc.dataset_json import dataset_json
from lesion_measure.cdisc.files import FOLDER, FORMATS, PAGE, check, own_files, write_marker
from lesion_measure.cdisc.lb import laboratory
from lesion_measure.cdisc.page import write_page
from lesion_measure.cdisc.rs import responses_datasets
from lesion_measure.cdisc.supplemental import relations
from lesion_measure.cdisc.terms import Evaluator
from lesion_measure.cdisc.tr import Writer
from lesion_measure.cdisc.tu import lesions_datasets
from lesion_measure.cdisc.xpt import Encoding, transport_file
from lesion_measure.errors import ConfigError
from lesion_measure.files.locks import holding
from lesion_measure.files.writing import together, write_bytes
from lesion_measure.report.enrolment import apply_table
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

    Everything is built and encoded before the first file is touched.

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
    results, table_notes = apply_table(read_finished(request.out), request.subjects)
    datasets, notes = build(results, request)
    created = datetime.now(UTC)
    encoded = [pair for dataset in datasets for pair in _encoded(dataset, request, results, created)]
    folder = request.out / FOLDER
    check(folder)
    counted = (*table_notes, *_who_counts(results))
    with holding(request.out), together(folder, own_files()) as stage:
        write_marker(stage)
        for name, data in encoded:
            write_bytes(stage / name, data, "dataset")
        if "csv" in request.formats:
            for dataset in datasets:
                columns = tuple(variable.name for variable in dataset.variables)
                rows = ({name: _cell(row.get(name)) for name in columns} for row in dataset.rows)
                write_csv(stage / f"{dataset.name.lower()}.csv", columns, rows)
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


def build(results: Results, request: ExportRequest) -> tuple[tuple[Dataset, ...], tuple[str, ...]]:
    """The datasets that have records, and notes."""
    study, people = request.study, request.people
    subjects = courses(results, study)
    dates = {image.sop_instance_uid: image.study_date for image in results.images if image.study_date}
    sizes = Writer(study=study, people=people, dates=dates, model_sha256=results.model_sha256)
    for course in subjects:
        sizes.add(course)
    measured, measured_more = sizes.datasets()
    verdicts, verdicts_more = responses_datasets(subjects, results, study=study, people=people)
    labs: list[Dataset] = []
    notes: list[str] = []
    if request.labs is not None:
        table = laboratory(request.labs, subjects, results, study=study)
        labs.append(table.dataset)
        notes += table.notes
    if undated := [c.record.subject for c in subjects if c.record.visits and c.reference is None]:
        without = "anybody" if len(undated) == sum(bool(c.record.visits) for c in subjects) else ", ".join(undated)
        notes.append(
            f"no study days (--DY, ADY) for {without}: they count from DM.RFSTDTC, the column reference_start of the "
            "subjects table"
        )
    lesions, lesions_more = lesions_datasets(subjects, study=study, people=people, dates=dates)
    datasets = (
        lesions,
        lesions_more,
        measured,
        measured_more,
        verdicts,
        verdicts_more,
        *labs,
        relations(study, (lesions, measured, verdicts)),
        analysis_dataset(subjects, results, study=study, sizes=measured, verdicts=verdicts),
    )
    empty = [dataset.name for dataset in datasets if not dataset.rows and not dataset.name.startswith("SUPP")]
    notes += [f"{name} has no records and is left out" for name in empty]
    return with_equal_widths([dataset for dataset in datasets if dataset.rows]), tuple(notes)


def _encoded(
    dataset: Dataset, request: ExportRequest, results: Results, created: datetime
) -> Iterator[tuple[str, bytes]]:
    name = dataset.name.lower()
    if "xpt" in request.formats:
        yield f"{name}.xpt", transport_file(dataset, created=created, encoding=request.encoding)
    if "json" in request.formats:
        document = dataset_json(
            dataset, study=request.study, created=created, version=__version__, source_sha256=results.sha256
        )
        yield f"{name}.json", json.dumps(document, ensure_ascii=False, allow_nan=False).encode()


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
