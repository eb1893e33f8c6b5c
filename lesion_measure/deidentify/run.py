"""De-identification of a folder: survey, then file by file header, screen, pixels, a new name; and who is who."""

from __future__ import annotations

import csv
import io
import warnings
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from pydicom import Dataset

from lesion_measure.config import Config
from lesion_measure.deidentify import survey
from lesion_measure.deidentify.header import CLEAN_PIXELS, Cleaning, method
from lesion_measure.deidentify.key import Key, open_key
from lesion_measure.deidentify.page import Page
from lesion_measure.deidentify.pixels import blanked, masks
from lesion_measure.deidentify.screen import Screen, look
from lesion_measure.deidentify.search import check_nothing_left
from lesion_measure.deidentify.subjects import Subject, Subjects, read_codes
from lesion_measure.deidentify.survey import Survey, Surveyed
from lesion_measure.deidentify.texts import Vocabulary
from lesion_measure.deidentify.writing import Pixels, write_file
from lesion_measure.dicom.headers import IMPLICIT_LITTLE, Header
from lesion_measure.dicom.open_image import OpenImage
from lesion_measure.errors import InputError, OutputError
from lesion_measure.files.archive import Archives
from lesion_measure.files.locks import in_turn
from lesion_measure.files.walk import walk
from lesion_measure.files.writing import make_folder, remove, replacing_folder, write_bytes
from lesion_measure.image import text_finder
from lesion_measure.records import Instance, Refusal
from lesion_measure.studies import load_studies
from lesion_measure.tables.rows import read_table

NO_LOSS = frozenset(("not_dicom", "index", "document", "duplicate"))
"""Refusals of what is no image and no drawing: nobody misses it among the files written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the command line asks for. ``key`` is a file outside of ``out``; what names people is written beside it.

    ``accept_held`` writes images that a person should look at first, as they are after blanking.
    """

    input: Path
    out: Path
    key: Path
    config: Config
    subjects: Path | None = None
    accept_held: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """One file of the input and the one that it became, by their paths below input and output."""

    source: str
    path: str
    subject: Subject
    removed: int
    texts: int = 0
    accepted: str = ""


@dataclass(slots=True)
class Outcome:
    """What was written, and a refusal for every file that was not."""

    written: list[Written] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)


def deidentify(request: Request) -> Outcome:
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
    _known_subjects(request.key)  # cannot be read: said before the work
    codes = {} if request.subjects is None else read_codes(request.subjects)
    outcome = Outcome()
    limits = request.config.limits
    beside = {request.key, *(request.key.with_name(f"{request.key.stem}.{end}") for end in _BESIDE)}
    studies = load_studies(request.input, limits=limits, planes=request.config.planes, leave_out=beside)
    with Archives(limits) as archives:
        surveyor = Survey(studies, archives, request.config)
        surveyed: list[Surveyed] = []
        for found in walk(request.input, archives, beside):
            each = found if isinstance(found, Refusal) else surveyor.of(found)
            if isinstance(each, Refusal):
                outcome.refusals.append(each)
            else:
                surveyed.append(each)
        key = open_key(request.key)
        subjects = Subjects((each.stated for each in surveyed), codes, key)
        make_folder(request.out.parent)
        page_path = request.key.with_name(f"{request.key.stem}.html")
        with replacing_folder(request.out, "output folder") as out, Page(page_path) as page:
            job = Job(request, key, archives, out, page, outcome)
            for each in surveyed:
                job.file(each, subjects.of(each.stated))
    _write_tables(request.key, outcome)
    return outcome


_BESIDE = ("subjects.csv", "files.csv", "html")


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


@dataclass
class Job:
    """What all files of one run share."""

    request: Request
    key: Key
    archives: Archives
    out: Path
    page: Page
    outcome: Outcome
    numbers: Counter[str] = field(default_factory=Counter)

    @cached_property
    def finder(self) -> text_finder.TextFinder | None:
        """The reader of text, loaded when the first image comes; None where it is not installed."""
        return text_finder.TextFinder() if text_finder.available() else None

    def file(self, surveyed: Surveyed, subject: Subject) -> None:
        """One file; what cannot be done with it is a refusal, and costs this file alone."""
        limits = self.request.config.limits
        try:
            with self.archives.open(surveyed.found.location) as stream:
                header = survey.header_of(stream, limits)
                cleaning, new = self._cleaned(header, subject)
                if surveyed.instance is None:
                    self._write(surveyed, header, cleaning, new, masks(header, limits), None)
            if surveyed.instance is not None:
                self._image(surveyed, surveyed.instance, header, cleaning, new)
        except InputError as error:
            self.outcome.refusals.append(Refusal.from_error(error, path=surveyed.found.path))

    def _cleaned(self, header: Header[Dataset], subject: Subject) -> tuple[Cleaning, Dataset]:
        config = self.request.config
        vocabulary = Vocabulary(config.planes)
        swapped = header.pixels is not None and header.pixels.big_endian
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydicom's remarks quote values
            known = survey.identifiers(header.dataset, vocabulary)
            cleaning = Cleaning(self.key, subject, vocabulary, known, config.protocol.timetable(), swapped)
            new = cleaning.dataset(header.dataset)
        if not (new.get("SOPClassUID") and new.get("SOPInstanceUID")):
            raise InputError(
                "The file does not say which instance of which class it is.", remedy="Export it again.", code="no_uid"
            )
        return cleaning, new

    def _image(
        self, surveyed: Surveyed, instance: Instance, header: Header[Dataset], cleaning: Cleaning, new: Dataset
    ) -> None:
        with OpenImage(instance, self.request.config.limits) as image:
            screen = look(image, self.finder)
            if screen.held is not None and not self.request.accept_held:
                self.outcome.refusals.append(replace(screen.held, path=surveyed.found.path))
                self.page.add(surveyed.found.path, "", screen)
                return
            if screen.held is None:
                new.BurnedInAnnotation = "NO"
                new.DeidentificationMethodCodeSequence.append(method(*CLEAN_PIXELS))
            self._write(surveyed, header, cleaning, new, blanked(image, screen.keep, new), screen)

    def _write(
        self,
        surveyed: Surveyed,
        header: Header[Dataset],
        cleaning: Cleaning,
        new: Dataset,
        pixels: Pixels | None,
        screen: Screen | None,
    ) -> None:
        code = cleaning.subject.code
        name = f"{code}/{self.numbers[code] + 1:05d}.dcm"
        make_folder(self.out / code)
        implicit = header.transfer_syntax_uid == IMPLICIT_LITTLE
        header_bytes = write_file(self.out / name, new, pixels, implicit=implicit)
        try:
            check_nothing_left(self.out / name, header_bytes, cleaning.identifiers, new)
        except InputError:
            remove(self.out / name)
            raise
        self.numbers[code] += 1
        if screen is not None:
            self.page.add(surveyed.found.path, name, screen)
        self.outcome.written.append(
            Written(
                surveyed.found.path,
                name,
                cleaning.subject,
                cleaning.notes["removed"] + cleaning.notes["unreadable"],
                0 if screen is None else len(screen.texts),
                "" if screen is None or screen.held is None else screen.held.code,
            )
        )


_SUBJECTS = ("patient", "subject", "shift_days")


def _known_subjects(key: Path) -> list[tuple[str, ...]]:
    """Who is who by earlier runs with a key: no other table leads from a code to a patient.

    Raises
    ------
    TableError
        The table beside the key cannot be read.
    """
    path = _beside(key, "subjects")
    if not path.exists():
        return []
    # Ours, and no spreadsheet's: what looks like a date there is a code, such as 03-JAN.
    return [tuple(row[name] for name in _SUBJECTS) for row in read_table(path, required=_SUBJECTS, dates=_SUBJECTS)]


def _write_tables(key: Path, outcome: Outcome) -> None:
    """Who is who, with those of other runs, and what became of each file: beside the key, for its owner alone."""
    subjects = {each.subject.code: each.subject for each in outcome.written}
    people = [(each.identity, each.code, str(each.days)) for each in subjects.values()]
    with in_turn(key):  # another run may have ended meanwhile
        _table(key, "subjects", _SUBJECTS, dict.fromkeys([*_known_subjects(key), *people]))
    files = [
        (each.source, each.path, each.subject.code, str(each.removed), str(each.texts), each.accepted, "")
        for each in outcome.written
    ]
    for refusal in outcome.refusals:
        why = f"{refusal.reason} {refusal.remedy}".strip()
        files.append((refusal.path or "", "", "", "", "", refusal.code, why))
    _table(key, "files", ("source", "file", "subject", "removed", "texts", "code", "reason"), sorted(files))


def _beside(key: Path, name: str) -> Path:
    return key.with_name(f"{key.stem}.{name}.csv")


def _table(key: Path, name: str, columns: tuple[str, ...], rows: Iterable[Iterable[object]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(rows)
    write_bytes(_beside(key, name), text.getvalue().encode(), "table", private=True)
