"""De-identification of headers: what stays, what goes, what fits together, by the table of PS3.15 Annex E."""

from __future__ import annotations

import csv
import stat
from datetime import datetime
from pathlib import Path

import pytest
from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

import planted
from lesion_measure.config import Config
from lesion_measure.deidentify import run as deidentification
from lesion_measure.deidentify.key import Key, open_key
from lesion_measure.deidentify.page import Page
from lesion_measure.deidentify.run import Outcome, Request, deidentify
from lesion_measure.errors import ConfigError, OutputError, TableError

COMPREHENSIVE = "1.2.840.10008.5.1.4.1.1.88.33"


def code(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def text_item(concept: Dataset, kind: str, **values: str) -> Dataset:
    item = Dataset()
    item.RelationshipType, item.ValueType, item.ConceptNameCodeSequence = "CONTAINS", kind, [concept]
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return item


def report(**changes: object) -> Dataset:
    """A structured report of a made-up patient, with what a reader wrote."""
    ds = Dataset()
    known: dict[str, object] = {
        "SOPClassUID": COMPREHENSIVE, "SOPInstanceUID": "1.2.3.4", "StudyInstanceUID": "1.2.3", "Modality": "SR",
        "SeriesInstanceUID": "1.2.3.1", "PatientID": "MRN-884422", "PatientName": "Doeberman^Jane",
        "PatientBirthDate": "20230105", "PatientSex": "F", "StudyDate": "20240131", "StudyTime": "101500",
        "Manufacturer": "Maker of Doeberman", "StudyDescription": "Liver of Jane Doeberman transverse",
        "ValueType": "CONTAINER", "ContinuityOfContent": "SEPARATE", "VerificationFlag": "UNVERIFIED",
        "ConceptNameCodeSequence": [code("126000", "DCM", "Imaging Measurement Report")],
        "ContentSequence": [
            text_item(code("112039", "DCM", "Tracking Identifier"), "TEXT", TextValue="Lesion 1"),
            text_item(code("121106", "DCM", "Comment"), "TEXT", TextValue="seen by Dr Schmid"),
            text_item(code("121008", "DCM", "Person Observer Name"), "PNAME", PersonName="Schmid^Eva"),
            text_item(code("112040", "DCM", "Tracking Unique Identifier"), "UIDREF", UID="1.2.3.99"),
        ],
    }  # fmt: skip
    for keyword, value in (known | changes).items():
        setattr(ds, keyword, value)
    return ds


def save(dataset: Dataset, path: Path, syntax: str = ExplicitVRLittleEndian) -> None:
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.SourceApplicationEntityTitle = f"{planted.MARK}AE"
    dataset.preamble = planted.MARK.encode().ljust(128, b"\0")
    path.parent.mkdir(parents=True, exist_ok=True)
    implicit = syntax == ImplicitVRLittleEndian
    dcmwrite(path, dataset, implicit_vr=implicit, little_endian=syntax != ExplicitVRBigEndian, enforce_file_format=True)


def run(folder: Path, out: Path, key: Path, subjects: Path | None = None) -> Outcome:
    return deidentify(Request(input=folder, out=out, key=key, config=Config(), subjects=subjects))


def one(dataset: Dataset, tmp_path: Path, syntax: str = ExplicitVRLittleEndian) -> tuple[Dataset, bytes]:
    """The file that one data set becomes, read and as bytes."""
    save(dataset, tmp_path / "in" / "Jane Doeberman.dcm", syntax)
    outcome = run(tmp_path / "in", tmp_path / "out", tmp_path / "the.key")
    assert not outcome.refusals
    path = tmp_path / "out" / outcome.written[0].path
    return planted.read(path), path.read_bytes()


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_nothing_of_a_patient_in_every_element_of_the_table_is_left(tmp_path: Path, syntax: str) -> None:
    dataset = report(SpecificCharacterSet="ISO_IR 100", Manufacturer="Maker")
    planted.plant(dataset)
    new, data = one(dataset, tmp_path, syntax)
    assert not planted.traces(
        data, planted.MARK, planted.MARK_DATE, planted.MARK_NUMBER, planted.MARK_UID, "Doeberman", "MRN-884422"
    )
    assert not [element for element in planted.every(new) if element.tag.is_private]
    assert new.PatientIdentityRemoved == "YES"
    assert data[:128] == bytes(128)


def test_what_stays_of_the_table_is_changed_or_an_option(tmp_path: Path) -> None:
    dataset = report()
    planted.plant(dataset)
    before = {element.tag: element.value for element in dataset}
    new, _ = one(dataset, tmp_path)
    same = {
        element.keyword
        for element in new
        if element.tag in planted.table() and element.value and element.value == before.get(element.tag)
    }
    times = {keyword for keyword in same if new[keyword].VR == "TM"}  # the day has moved, the time of day stays
    assert same - times <= planted.CHARACTERISTICS


def test_dates_move_together_and_ages_stay(tmp_path: Path) -> None:
    save(report(), tmp_path / "in" / "a.dcm")
    save(report(StudyDate="20240301", SOPInstanceUID="1.2.3.5", StudyInstanceUID="1.2.4"), tmp_path / "in" / "b.dcm")
    save(report(PatientID="P2", PatientName="Roe^Max", SOPInstanceUID="1.2.3.6"), tmp_path / "in" / "c.dcm")
    outcome = run(tmp_path / "in", tmp_path / "out", tmp_path / "the.key")
    first, second, other = (planted.read(tmp_path / "out" / each.path) for each in outcome.written)
    days = [datetime.strptime(each.StudyDate, "%Y%m%d") for each in (first, second, other)]
    assert (days[1] - days[0]).days == 30
    assert days[0] != days[2]
    assert first.PatientAge == "012M"
    assert not first.PatientBirthDate
    assert first.PatientID == second.PatientID != other.PatientID


def test_the_same_key_gives_the_same_files(tmp_path: Path) -> None:
    save(report(), tmp_path / "in" / "a.dcm")
    files = [
        (tmp_path / name / run(tmp_path / "in", tmp_path / name, tmp_path / key).written[0].path).read_bytes()
        for name, key in (("one", "the.key"), ("two", "the.key"), ("three", "other.key"))
    ]
    assert files[0] == files[1] != files[2]


def test_who_is_who_is_known_of_all_runs_with_a_key(tmp_path: Path) -> None:
    """Scans of a trial come month after month; the secret says no name."""
    codes: list[str] = []
    names = (("first", "MRN, 1"), ("second", "=MRN-2"), ("third", "MRN, 1"), ("fourth", "03-JAN"), ("fifth", "03-JAN"))
    for name, patient in names:
        save(report(PatientID=patient), tmp_path / name / "a.dcm")
        done = run(tmp_path / name, tmp_path / f"{name}-out", tmp_path / "the.key")
        codes.append(done.written[0].subject.code)
    with (tmp_path / "the.subjects.csv").open(encoding="utf-8", newline="") as table:
        assert [row[:2] for row in csv.reader(table)][1:] == [
            ["MRN, 1", codes[0]], ["=MRN-2", codes[1]], ["03-JAN", codes[3]],
        ]  # fmt: skip
    assert codes[0] == codes[2]
    (tmp_path / "the.subjects.csv").write_text("of somebody else")
    with pytest.raises(TableError):
        run(tmp_path / "first", tmp_path / "sixth-out", tmp_path / "the.key")


def test_who_is_who_is_known_of_a_run_that_ends_during_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_key(tmp_path / "the.key")
    for name in ("long", "short"):
        save(report(PatientID=name), tmp_path / name / "a.dcm")

    def meanwhile(path: Path) -> Page:
        monkeypatch.setattr(deidentification, "Page", Page)
        run(tmp_path / "short", tmp_path / "short-out", tmp_path / "the.key")
        return Page(path)

    monkeypatch.setattr(deidentification, "Page", meanwhile)
    run(tmp_path / "long", tmp_path / "long-out", tmp_path / "the.key")
    with (tmp_path / "the.subjects.csv").open(encoding="utf-8", newline="") as table:
        assert sorted(row[0] for row in csv.reader(table)) == ["long", "patient", "short"]


def test_the_key_and_its_tables_are_for_their_owner_and_not_among_the_files(tmp_path: Path) -> None:
    save(report(), tmp_path / "in" / "a.dcm")
    run(tmp_path / "in", tmp_path / "out", tmp_path / "the.key")
    apart = ["the.files.csv", "the.html", "the.key", "the.subjects.csv"]
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == apart
    assert all(stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600 for name in apart)
    assert "MRN-884422" in (tmp_path / "the.subjects.csv").read_text()
    assert [path.suffix for path in (tmp_path / "out").rglob("*") if path.is_file()] == [".dcm"]
    with pytest.raises(OutputError, match="key lies in the output"):
        run(tmp_path / "in", tmp_path / "new", tmp_path / "new" / "the.key")


def test_what_a_reader_wrote_keeps_its_sense_and_no_name(tmp_path: Path) -> None:
    new, _ = one(report(), tmp_path)
    label, comment, person, tracking = new.ContentSequence
    assert label.TextValue == "Lesion 1"
    assert comment.TextValue.startswith("L")
    assert "Schmid" not in comment.TextValue
    assert str(person.PersonName).startswith("R")
    assert tracking.UID.startswith("2.25.")
    assert new.StudyDescription == "Liver x transverse"
    assert "Manufacturer" in new
    assert not new.Manufacturer
    assert new.ConceptNameCodeSequence[0].CodeMeaning == "Imaging Measurement Report"
    assert new.SOPClassUID == COMPREHENSIVE


def test_a_label_that_goes_is_the_same_code_wherever_it_stands() -> None:
    key = Key(bytes(32))
    assert key.code("label", "x") == key.code("label", "x") != key.code("person", "x")
    assert key.uid("1.2.3") == key.uid("1.2.3") != key.uid("1.2.4")
    assert -3680 < key.shift_days("P1") <= -30


def test_codes_come_from_a_table_where_one_is_given(tmp_path: Path) -> None:
    save(report(), tmp_path / "in" / "a.dcm")
    (tmp_path / "codes.csv").write_text("patient,subject\nMRN-884422,CH-07\n")
    outcome = run(tmp_path / "in", tmp_path / "out", tmp_path / "the.key", tmp_path / "codes.csv")
    assert outcome.written[0].path == "CH-07/00001.dcm"
    assert planted.read(tmp_path / "out" / "CH-07" / "00001.dcm").PatientID == "CH-07"


def test_a_file_that_holds_no_key_is_no_key(tmp_path: Path) -> None:
    (tmp_path / "the.key").write_text("secret")
    with pytest.raises(ConfigError, match="holds no key"):
        open_key(tmp_path / "the.key")


def test_a_folder_with_files_in_it_is_left_alone(tmp_path: Path) -> None:
    save(report(), tmp_path / "in" / "a.dcm")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="not empty"):
        run(tmp_path / "in", tmp_path / "out", tmp_path / "the.key")
    assert (tmp_path / "out" / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize("keyword", ["SOPInstanceUID", "SOPClassUID"])
def test_an_object_that_does_not_say_which_it_is_costs_itself_alone(tmp_path: Path, keyword: str) -> None:
    damaged = report()
    save(damaged, tmp_path / "in" / "b.dcm")
    setattr(damaged, keyword, "")
    damaged.save_as(tmp_path / "in" / "b.dcm")
    save(report(SOPInstanceUID="1.2.3.5"), tmp_path / "in" / "a.dcm")
    outcome = run(tmp_path / "in", tmp_path / "out", tmp_path / "the.key")
    assert [(each.path, each.code) for each in outcome.refusals] == [("b.dcm", "no_uid")]
    assert [each.source for each in outcome.written] == ["a.dcm"]


def test_a_number_that_is_none_goes(tmp_path: Path) -> None:
    save(report(PatientWeight="8.25"), tmp_path / "in" / "a.dcm")
    data = (tmp_path / "in" / "a.dcm").read_bytes()
    assert data.count(b"8.25") == 1
    (tmp_path / "in" / "a.dcm").write_bytes(data.replace(b"8.25", b"8 25"))
    (written,) = run(tmp_path / "in", tmp_path / "out", tmp_path / "the.key").written
    assert planted.read(tmp_path / "out" / written.path).PatientWeight is None
