"""Who was enrolled, beside finished results: all subjects of a run, and a subjects table that is given after it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from lesion_measure.records import NO_SCANS, Enrolled
from lesion_measure.results import Results
from lesion_measure.tables.subjects import read_subjects


def apply_table(results: Results, path: Path | None) -> tuple[Results, tuple[str, ...]]:
    """The results with the subjects table that counts, and what a person should know of it.

    A table that is given now takes the place of the run's, which results.json remembers. What readers state of lesions
    went into sizes and verdicts, which stay the run's.

    Raises
    ------
    TableError
        As `read_subjects`.
    """
    if path is None:
        return results, ()
    old, new = results.table(), read_subjects(path)
    applied = replace(results, enrolled=tuple(new.values()))
    if old == new:
        return applied, ()
    if old is None:
        notes = [
            f"The subjects table {path.name} was given after the run, which had none. It counts here; report.html does "
            "not know it."
        ]
    else:
        notes = [
            f"The subjects table {path.name} counts here in place of the run's, which report.html follows. "
            + _differences(old, new)
        ]
    before = old or {}
    stated = [code for code in new if _statements(new[code]) != _statements(before.get(code, Enrolled(subject=code)))]
    if stated:
        notes.append(
            f"What it says of targets, new lesions or progression of {', '.join(stated)} differs from what the run "
            "knew, and is not applied: sizes and verdicts are the run's. Run again with this table to apply it."
        )
    return applied, tuple(notes)


def _differences(old: Mapping[str, Enrolled], new: Mapping[str, Enrolled]) -> str:
    """Who is excluded by one of two tables alone, or listed in one alone, in words."""
    out = [{code for code, row in table.items() if row.excluded} for table in (old, new)]
    parts = [
        (f"excluded by {path} alone", sorted(codes))
        for path, codes in (("the run's table", out[0] - out[1]), ("this table", out[1] - out[0]))
    ]
    parts += [
        ("no longer listed", sorted(old.keys() - new.keys())),
        ("listed here alone", sorted(new.keys() - old.keys())),
    ]
    told = [f"{words}: {', '.join(codes)}" for words, codes in parts if codes]
    text = "; ".join(told) or "the same subjects are listed and excluded"
    return f"{text[:1].upper()}{text[1:]}."


def _statements(row: Enrolled) -> tuple[object, ...]:
    return row.targets, row.new_lesions, row.non_target_progression


def everyone(scanned: Iterable[str], refused: Iterable[str | None], enrolled: Iterable[str]) -> list[str]:
    """Codes of all subjects of a run: with scans, with refusals alone, or in the subjects table alone; in order."""
    return sorted({*scanned, *(code for code in refused if code), *enrolled})


def subjects_of(results: Results) -> list[str]:
    """Codes of all subjects of finished results, as `everyone`.

    A refusal because the run's table names a child says nothing where another table took its place.
    """
    refused = (r.subject for r in results.refusals if results.enrolled is None or r.code != NO_SCANS)
    return everyone((record.subject for record in results.subjects), refused, results.table() or ())
