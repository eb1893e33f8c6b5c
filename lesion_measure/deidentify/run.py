"""De-identification of a folder: survey, then file by file header, pixels, a new name; and the tables of who is who."""

from __future__ import annotations

import csv
import io
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pydicom import Dataset

from lesion_measure.config import Config
from lesion_measure.deidentify import survey
from lesion_measure.deidentify.header import Cleaning
from lesion_measure.deidentify.key import Key, open_key, private_bytes
from lesion_measure.deidentify.subjects import Subject, Subjects, read_codes
from lesion_measure.deidentify.survey import Kind, Surveyed
from lesion_measure.deidentify.texts import Vocabulary
from lesion_measure.deidentify.writing import write_file
from lesion_measure.dicom.headers import IMPLICIT_LITTLE, Header
from lesion_measure.errors import InputError, OutputError
from lesion_measure.files.archive import Archives
from lesion_measure.files.walk import walk
from lesion_measure.files.writing import make_folder, replacing_folder
from lesion_measure.records import Refusal

NO_LOSS = frozenset(("not_dicom", "index", "document", "duplicate"))
"""Refusals of what is no image and no drawing: nobody misses it among the files written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the command line asks for. ``key`` is a file outside of ``out``; what names people is written beside it."""

    input: Path
    out: Path
    key: Path
    config: Config
    subjects: Path | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """One file of the input and the one that it became, by their paths below input and output."""

    source: str
    path: str
    subject: Subject
    study_date: str
    notes: Counter[str]


@dataclass(slots=True)
class Outcome:
    """What was written, and a refusal for every file that was not."""

    written: list[Written] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)


def deidentify(request: Request, progress: Callable[[str], None] | None = None) -> Outcome:
    """Write every file of the input that can be de-identified, under a new name, without what leads back.

    Raises
    ------
    InputError
        The input is not there or holds no file.
    OutputError
        The output folder is not empty, or lies in the input, or the key lies in it; or the disk refuses.
    TableError, ConfigError
        The table of codes or the key cannot be used.
    """
    _check(request)
    codes = {} if request.subjects is None else read_codes(request.subjects)
    outcome = Outcome()
    with Archives(request.config.limits) as archives:
        surveyed = _survey(request, archives, outcome)
        key = open_key(request.key)
        subjects = Subjects((each.stated for each in surveyed), codes, key)
        make_folder(request.out.parent)
        with replacing_folder(request.out, "output folder") as out:
            job = _Job(request.config, key, archives, out, outcome)
            for each in surveyed:
                job.file(each, subjects.of(each.stated))
                if progress is not None:
                    progress(each.found.path)
    _write_tables(request.key, outcome)
    return outcome


def _check(request: Request) -> None:
    out, source, key = (path.resolve() for path in (request.out, request.input, request.key))
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutputError(
            "The output folder is not empty.", remedy="Choose another folder.", code="foreign_folder",
            path=str(request.out),
        )  # fmt: skip
    if out.is_relative_to(source) or source.is_relative_to(out):
        raise OutputError(
            "The output folder lies in the input, or the input in it.", remedy="Choose another folder.",
            code="output_in_input", path=str(request.out),
        )  # fmt: skip
    if key.is_relative_to(out):
        raise OutputError(
            "The key lies in the output folder: whoever gets the files could undo them.",
            remedy="Keep the key elsewhere.", code="key_in_output", path=str(request.key),
        )  # fmt: skip


def _survey(request: Request, archives: Archives, outcome: Outcome) -> list[Surveyed]:
    surveyed: list[Surveyed] = []
    for found in walk(request.input, archives, (request.key,)):
        each = found if isinstance(found, Refusal) else survey.survey(found, archives, request.config.limits)
        if isinstance(each, Refusal):
            outcome.refusals.append(each)
        else:
            surveyed.append(each)
    if not surveyed and not outcome.refusals:
        raise InputError("There is no file in it.", remedy="Check the path.", code="no_input", path=str(request.input))
    return surveyed


@dataclass(slots=True)
class _Job:
    """What all files of one run share."""

    config: Config
    key: Key
    archives: Archives
    out: Path
    outcome: Outcome
    numbers: Counter[str] = field(default_factory=Counter)

    def file(self, surveyed: Surveyed, subject: Subject) -> None:
        """One file; what cannot be done with it is a refusal, and costs this file alone."""
        try:
            header = survey.opened(surveyed.found, self.archives, self.config.limits)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # pydicom's remarks quote values
                cleaning = self._cleaning(header.dataset, subject)
                new = cleaning.dataset(header.dataset)
            if surveyed.kind is Kind.IMAGE:
                raise InputError("Images are not written yet.", code="held")
            self._write(surveyed, header, cleaning, new)
        except InputError as error:
            self.outcome.refusals.append(Refusal.from_error(error, path=surveyed.found.path))

    def _cleaning(self, dataset: Dataset, subject: Subject) -> Cleaning:
        vocabulary = Vocabulary(self.config.planes)
        known = vocabulary.identifiers(survey.names(dataset), survey.numbers(dataset))
        return Cleaning(self.key, subject, vocabulary, known, self.config.protocol.timetable())

    def _write(self, surveyed: Surveyed, header: Header, cleaning: Cleaning, new: Dataset) -> None:
        code = cleaning.subject.code
        self.numbers[code] += 1
        name = f"{code}/{self.numbers[code]:05d}.dcm"
        make_folder(self.out / code)
        write_file(self.out / name, new, None, implicit=header.transfer_syntax_uid == IMPLICIT_LITTLE)
        self.outcome.written.append(
            Written(surveyed.found.path, name, cleaning.subject, str(new.get("StudyDate", "")), cleaning.notes)
        )


def _write_tables(key: Path, outcome: Outcome) -> None:
    """Who is who, and what became of each file: beside the key, for its owner alone."""
    subjects = {each.subject.code: each.subject for each in outcome.written}
    rows = [(each.identity, each.code, each.days) for each in subjects.values()]
    _table(key, "subjects", ("patient", "subject", "shift_days"), rows)
    files: list[tuple[str, ...]] = [(each.source, each.path, each.subject.code, "", "") for each in outcome.written]
    files += [(each.path or "", "", "", each.code, f"{each.reason} {each.remedy}".strip()) for each in outcome.refusals]
    _table(key, "files", ("source", "file", "subject", "code", "reason"), sorted(files))


def _table(
    key: Path, name: str, columns: tuple[str, ...], rows: list[tuple[str, str, int]] | list[tuple[str, ...]]
) -> None:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(rows)
    private_bytes(key.with_name(f"{key.stem}.{name}.csv"), text.getvalue().encode(), "table")
