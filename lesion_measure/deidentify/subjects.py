"""Whose a file is, and under which code this subject stands in what is written."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lesion_measure.deidentify.key import Key
from lesion_measure.errors import TableError
from lesion_measure.tables.rows import read_table

COLUMNS = ("patient", "subject")
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True, slots=True)
class Stated:
    """What a header says of whose it is: PatientID, ClinicalTrialSubjectID and the study; empty where it says none."""

    patient: str
    trial_subject: str
    study: str


@dataclass(frozen=True, slots=True)
class Subject:
    """``identity`` is that of the originals; ``code`` stands for it, ``days`` is what its dates move by."""

    identity: str
    code: str
    days: int


class Subjects:
    """Subjects of one run.

    A subject is known as in a run: by ClinicalTrialSubjectID, else by PatientID. Objects that state no
    ClinicalTrialSubjectID, as viewers write them, belong to that of their study's images.
    """

    def __init__(self, stated: Iterable[Stated], codes: Mapping[str, str], key: Key) -> None:
        self._codes = codes
        self._key = key
        by_study: dict[tuple[str, str], set[str]] = defaultdict(set)
        for each in stated:
            if each.trial_subject:
                by_study[each.study, each.patient].add(each.trial_subject)
        self._by_study = {study: found.pop() for study, found in by_study.items() if len(found) == 1}

    def of(self, stated: Stated) -> Subject:
        """The subject of a file. One of whom nothing is stated is its study's own."""
        inherited = self._by_study.get((stated.study, stated.patient), "")
        identity = stated.trial_subject or inherited or stated.patient or f"study {stated.study}"
        given = self._codes.get(identity) or self._codes.get(stated.patient)
        code = given or f"S{self._key.code('subject', identity, 10)}"
        return Subject(identity, code, self._key.shift_days(identity))


def read_codes(path: Path) -> dict[str, str]:
    """The table of codes: ``patient`` (PatientID or ClinicalTrialSubjectID as the files state it), ``subject``.

    Raises
    ------
    TableError
        The table cannot be read, a code has another form than letters, digits and ``_.-``, or stands for two patients.
    """
    codes: dict[str, str] = {}
    for row in read_table(path, required=COLUMNS):
        patient, subject = row["patient"], row["subject"]
        if not patient or not _CODE.fullmatch(subject):
            raise TableError(
                f"Line {row.line}: patient is empty, or subject is no code.",
                remedy="A code is 1 to 64 letters, digits, '_', '.' and '-', and begins with a letter or digit.",
                path=str(path),
            )
        if codes.setdefault(patient, subject) != subject:
            raise TableError(f"Line {row.line}: this patient has another code above.", path=str(path))
    return codes
