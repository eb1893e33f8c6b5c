"""The last look at a written file: an identifier anywhere in its bytes holds it back."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom import Dataset

from lesion_measure.config import Config
from lesion_measure.deidentify.header import METHODS, Cleaning
from lesion_measure.deidentify.run import Outcome, Request, deidentify
from lesion_measure.deidentify.search import check_nothing_left
from lesion_measure.deidentify.texts import Identifiers
from lesion_measure.errors import InputError
from test_deidentify import report, save

SOUGHT = Identifiers(
    words=frozenset(("doeberman", "müller", "strauß", "roe")),
    numbers=frozenset(("mrn-884422", "71234", "19470302")),
    uids=frozenset(("1.3.6.1.4.1.5962.1.1",)),
)


def kind_left(tmp_path: Path, data: bytes, header_bytes: int | None = None, **stated: str) -> str:
    """Which kind of identifier is found in a file; empty where none is."""
    path = tmp_path / "file"
    path.write_bytes(data)
    new = Dataset()
    new.PatientID = "S1"
    new.update(stated)
    try:
        check_nothing_left(path, len(data) if header_bytes is None else header_bytes, SOUGHT, new)
    except InputError as caught:
        error = caught
    else:
        return ""
    assert error.code == "identifier_left"
    assert not any(text in str(error).casefold() for text in SOUGHT.words | SOUGHT.numbers)
    return error.reason.split()[1]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Doeberman^Jane", "name"), ("MÜLLER", "name"), ("Strauß", "name"), ("x_ROE_x", "name"),
        ("mrn-884422", "number"), ("ID:71234;", "number"), ("19470302", "number"), ("1.3.6.1.4.1.5962.1.1", "UID"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "latin-1"])
def test_a_text_is_found_in_any_encoding(tmp_path: Path, text: str, kind: str, encoding: str) -> None:
    around = b"\x11\x00\x01\x10UN\0\0\x20\0\0\0"
    assert kind_left(tmp_path, around + text.encode(encoding) + b"\0" + around) == kind


@pytest.mark.parametrize(
    "text",
    [
        "Roentgen, heroes", "2.25.8712345", "0.71234", "712345", "71234.5", "1.3.6.1.4.1.5962.1.10",
        "21.3.6.1.4.1.5962.1.1", "S1", "Liver",
    ],
)  # fmt: skip
def test_a_part_of_another_word_or_number_is_none(tmp_path: Path, text: str) -> None:
    assert kind_left(tmp_path, f"\0{text}\0".encode()) == ""


def test_among_pixels_long_texts_alone_are_sought(tmp_path: Path) -> None:
    """Shorter ones are there by chance. A piece of a file ends anywhere: the text lies across two."""
    header, much = b"header", bytes((1 << 20) - 10)
    assert kind_left(tmp_path, header + much + b"DOEBERMAN" + much, len(header)) == "name"
    assert kind_left(tmp_path, header + much + "MRN-884422".encode("utf-16-le"), len(header)) == "number"
    assert kind_left(tmp_path, header + much + b"roe 71234 1.3.6.1.4.1.5962.1.1", len(header)) == ""


def test_what_the_new_header_has_to_say_is_no_identifier(tmp_path: Path) -> None:
    """A subject's code that is the patient's number, a date that has moved onto the day of birth, our own words."""
    assert kind_left(tmp_path, b"\0mrn-884422\0", PatientID="MRN-884422") == ""
    assert kind_left(tmp_path, b"\x0019470302\0", StudyDate="19470302") == ""
    named = Identifiers(words=frozenset(("patient", "option")))
    path = tmp_path / "methods"
    path.write_bytes(b"\0".join(words.encode() for _, words in METHODS))
    new = Dataset()
    new.PatientID = "S1"
    check_nothing_left(path, path.stat().st_size, named, new)


def run(folder: Path, tmp_path: Path) -> Outcome:
    return deidentify(Request(input=folder, out=tmp_path / "out", key=tmp_path / "the.key", config=Config()))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
def test_a_file_with_an_identifier_is_held_back_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    """A fault is planted: one header keeps a private element that holds the patient's name."""
    cleaned = Cleaning.dataset

    def faulty(self: Cleaning, old: Dataset) -> Dataset:
        new = cleaned(self, old)
        if old.SOPInstanceUID == "1.2.3.5":
            block = new.private_block(0x0011, "MAKER", create=True)
            block.add_new(0x01, "UN", f"says {old.PatientName.family_name}".encode(encoding))
        return new

    monkeypatch.setattr(Cleaning, "dataset", faulty)
    save(report(), tmp_path / "in" / "a.dcm")
    save(report(SOPInstanceUID="1.2.3.5"), tmp_path / "in" / "b.dcm")
    outcome = run(tmp_path / "in", tmp_path)
    assert [each.source for each in outcome.written] == ["a.dcm"]
    assert [(each.code, each.path) for each in outcome.refusals] == [("identifier_left", "b.dcm")]
    assert len(list((tmp_path / "out").rglob("*.dcm"))) == 1
    assert "identifier_left" in (tmp_path / "the.files.csv").read_text(encoding="utf-8")


def test_names_and_uids_below_the_first_level_are_sought_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader of a report, and its tracking UID. The report's own UIDs are too short here to tell anything."""
    sought: list[Identifiers] = []
    monkeypatch.setattr(
        "lesion_measure.deidentify.run.check_nothing_left", lambda path, header, known, new: sought.append(known)
    )
    whole = report()
    whole.ContentSequence[-1].UID = "1.2.826.0.1.3680043.9"
    save(whole, tmp_path / "in" / "a.dcm")
    run(tmp_path / "in", tmp_path)
    assert {"doeberman", "schmid"} <= sought[0].words
    assert "mrn-884422" in sought[0].numbers
    assert sought[0].uids == {"1.2.826.0.1.3680043.9"}
