"""A real PACS, asked, fetched from and stored to, by DICOMweb and by DIMSE."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pydicom
import pytest

from lesion_measure.config.pacs import Node
from lesion_measure.dicom.whole import check_whole
from lesion_measure.errors import ConfigError, PacsError
from lesion_measure.pacs.content import content_sha256
from lesion_measure.pacs.peer import Peer, spoken_to
from lesion_measure.pacs.pull import Pulled, pull
from lesion_measure.pacs.push import Pushed, push
from lesion_measure.pacs.query import parse
from orthanc import Orthanc, started
from pacs_objects import node, settings_file, study, study_uid

WAYS = {
    "dicomweb": {"dimse": None},
    "dimse": {"dicomweb": None},
    "move": {"dicomweb": None, "dimse": {"retrieve": "move"}},
    "both": {},
}


def _stored(server: Orthanc, path: Path) -> None:
    for file in sorted(path.rglob("*.dcm")):
        server.store(file)


def _contents(folder: Path) -> dict[str, str]:
    """What each object of a folder holds, by its UID."""
    wholes = {file: check_whole(file) for file in folder.rglob("*.dcm")}
    return {whole.sop_instance_uid: content_sha256(file, whole) for file, whole in wholes.items()}


def _pull(peer: Peer, query: str, out: Path, **how: Any) -> Pulled:
    return pull(peer, peer.find(parse(query)).studies, out, **how)


@pytest.mark.parametrize("way", WAYS)
def test_what_was_pushed_is_found_and_pulled_as_it_was(orthanc: Orthanc, tmp_path: Path, way: str) -> None:
    patient = f"ROUND-{way}"
    sent = study(tmp_path, patient)
    with orthanc.inside(), spoken_to(node(**WAYS[way])) as peer:
        assert all(error is None for error in peer.echo().values())
        done = push(peer, [sent])
        assert (done.stored, done.there, done.refusals) == (3, 0, [])
        (found,) = peer.find(parse(f"PatientID={patient}")).studies
        assert (found.study_uid, found.patient_id, found.date) == (study_uid(patient), patient, "20240105")
        assert (found.modalities, found.instances) == (("US",), 3)
        pulled = _pull(peer, f"PatientID={patient},StudyDate=20240101-20240201", tmp_path / "scans")
        assert (pulled.studies, pulled.fetched, pulled.there, pulled.refusals) == (1, 3, 0, [])
        again = _pull(peer, f"PatientID={patient}", tmp_path / "scans")
        assert (again.fetched, again.there) == (0, 3)
        assert not peer.find(parse(f"PatientID={patient},StudyDate=20240106-")).studies
    assert _contents(sent) == _contents(tmp_path / "scans")
    names = [path.name for path in (tmp_path / "scans").rglob("*")]
    assert all(re.fullmatch(r"[0-9.]{1,64}(\.dcm)?|fetched\.jsonl|\.lesion_measure_pacs", name) for name in names)


@pytest.mark.parametrize("way", ["dicomweb", "dimse", "move"])
def test_every_encoding_comes_back_as_it_was_stored(
    orthanc: Orthanc, tmp_path: Path, project_dir: Path, way: str
) -> None:
    """The samples: uncompressed, RLE, JPEG, JPEG-LS and JPEG 2000, stills and a cine; one file of each."""
    chosen = {
        check_whole(file).transfer_syntax_uid: file for file in sorted(project_dir.glob("sample_dicoms/**/*.dcm"))
    }
    assert len(chosen) == 5
    for file in chosen.values():
        orthanc.store(file)
    with orthanc.inside(), spoken_to(node(**WAYS[way])) as peer:
        for syntax, file in chosen.items():
            sent = check_whole(file)
            studies = peer.find(parse(f"StudyInstanceUID={sent.study_instance_uid}")).studies
            pull(peer, studies, tmp_path / "scans")
            given = tmp_path / "scans" / sent.study_instance_uid / f"{sent.sop_instance_uid}.dcm"
            whole = check_whole(given)
            assert whole.transfer_syntax_uid == syntax
            assert content_sha256(given, whole) == content_sha256(file, sent)


class TestFind:
    def test_a_value_that_would_be_encoded_goes_by_c_find(self, orthanc: Orthanc, tmp_path: Path) -> None:
        _stored(orthanc, study(tmp_path, "CARET^ID"))
        with orthanc.inside():
            with spoken_to(node()) as peer:
                answer = peer.find(parse("PatientID=CARET^ID"))
                assert [one.patient_id for one in answer.studies] == ["CARET^ID"]
            with spoken_to(node(dimse=None)) as peer, pytest.raises(ConfigError, match="PatientID") as caught:
                peer.find(parse("PatientID=CARET^ID"))
            assert caught.value.code == "needs_dimse"

    def test_an_empty_list_by_dicomweb_is_no_proof(self, orthanc: Orthanc) -> None:
        with orthanc.inside():
            with spoken_to(node(dimse=None)) as peer:
                assert "no proof" in peer.find(parse("PatientID=NOBODY")).notes[0]
            with spoken_to(node()) as peer:
                assert peer.find(parse("PatientID=NOBODY")).notes == ()

    def test_a_server_that_ignores_case_gives_what_was_asked_for_alone(self, orthanc: Orthanc, tmp_path: Path) -> None:
        _stored(orthanc, study(tmp_path, "CASE-a"))
        _stored(orthanc, study(tmp_path, "CASE-A", number=2))
        with orthanc.inside(), spoken_to(node(dicomweb=None)) as peer:
            assert [one.patient_id for one in peer.find(parse("PatientID=CASE-a")).studies] == ["CASE-a"]

    def test_more_than_a_page(self, orthanc: Orthanc, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("lesion_measure.pacs.web._PAGE", 2)
        _stored(orthanc, study(tmp_path, "PAGES", count=5))
        with orthanc.inside(), spoken_to(node(dimse=None)) as peer:
            (found,) = peer.find(parse("PatientID=PAGES")).studies
            assert len(peer.instances(found)) == 5

    def test_more_than_the_bound_is_refused(self, orthanc: Orthanc, tmp_path: Path) -> None:
        _stored(orthanc, study(tmp_path, "BOUND", count=4))
        for way in ("dicomweb", "dimse"):
            bounded = node(**WAYS[way], bounds={"instances": 3})
            with orthanc.inside(), spoken_to(bounded) as peer:
                (found,) = peer.find(parse("PatientID=BOUND")).studies
                with pytest.raises(PacsError) as caught:
                    peer.instances(found)
            assert caught.value.code == "pacs_too_many"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "NAME=VALUE"),
        ("PatientID", "NAME=VALUE"),
        ("PatientID=", "NAME=VALUE"),
        ("PatientId=1", "Did you mean 'PatientID'"),
        ("PatientID=SIM*", "wildcard"),
        ("PatientID=SIM-0?", "wildcard"),
        ("PatientID=a\\b", "backslash"),
        ("PatientID=" + "x" * 65, "64 bytes"),
        ("PatientID=1,PatientID=2", "twice"),
        ("StudyDate=2024-01-01", "YYYYMMDD"),
        ("StudyInstanceUID=1..2", "no UID"),
        ("StudyInstanceUID=../../etc", "no UID"),
        ("StudyInstanceUID=" + "1" * 65, "no UID"),
        ("ModalitiesInStudy=US\\SR", "one modality"),
    ],
)
def test_a_query_that_cannot_be_meant_is_refused(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(words)) as caught:
        parse(text)
    assert caught.value.code == "query"
    assert caught.value.remedy


class TestPull:
    def test_objects_of_other_modalities_are_left_out_unless_asked_for(self, orthanc: Orthanc, tmp_path: Path) -> None:
        _stored(orthanc, study(tmp_path, "MIXED", number=1, count=2))
        uid = study_uid("MIXED")
        for modality, number in (("SR", 7), ("CT", 8)):
            series = {"SeriesInstanceUID": f"{uid}.{number}", "StudyInstanceUID": uid, "Modality": modality}
            other = study(tmp_path, "MIXED", number=number, count=1, **series, SOPInstanceUID=f"{uid}.{number}.1")
            _stored(orthanc, other)
        with orthanc.inside(), spoken_to(node()) as peer:
            chosen = _pull(peer, "PatientID=MIXED", tmp_path / "chosen")
            assert (chosen.fetched, chosen.left_out) == (3, 1)
            assert _pull(peer, "PatientID=MIXED", tmp_path / "all", modalities=None).fetched == 4

    def test_a_damaged_file_in_the_folder_is_fetched_again(self, orthanc: Orthanc, tmp_path: Path) -> None:
        _stored(orthanc, study(tmp_path, "DAMAGED"))
        with orthanc.inside(), spoken_to(node()) as peer:
            _pull(peer, "PatientID=DAMAGED", tmp_path / "scans")
            files = sorted((tmp_path / "scans").rglob("*.dcm"))
            files[0].write_bytes(files[0].read_bytes()[:5000])
            files[1].unlink()
            done = _pull(peer, "PatientID=DAMAGED", tmp_path / "scans")
            assert (done.fetched, done.there) == (2, 1)
        assert len(_contents(tmp_path / "scans")) == 3

    def test_what_is_whole_without_a_line_in_the_journal_is_kept(self, orthanc: Orthanc, tmp_path: Path) -> None:
        _stored(orthanc, study(tmp_path, "NOLINE"))
        with orthanc.inside(), spoken_to(node()) as peer:
            _pull(peer, "PatientID=NOLINE", tmp_path / "scans")
            journal = tmp_path / "scans" / "fetched.jsonl"
            lines = journal.read_bytes().splitlines()
            journal.write_bytes(lines[0] + b"\n" + lines[1][:20])  # killed while it wrote the second
            done = _pull(peer, "PatientID=NOLINE", tmp_path / "scans")
            assert (done.fetched, done.there) == (0, 3)
            assert len([json.loads(line) for line in journal.read_bytes().splitlines() if line.endswith(b"}")]) == 3

    def test_a_folder_of_others_is_left_alone(self, orthanc: Orthanc, tmp_path: Path) -> None:
        (tmp_path / "scans").mkdir()
        (tmp_path / "scans" / "mine.txt").write_text("mine")
        with orthanc.inside(), spoken_to(node()) as peer, pytest.raises(Exception, match="not empty") as caught:
            pull(peer, [], tmp_path / "scans")
        assert caught.value.code == "foreign_folder"  # type: ignore[attr-defined]

    def test_a_mirror_holds_the_answer_alone(self, orthanc: Orthanc, tmp_path: Path) -> None:
        _stored(orthanc, study(tmp_path, "MIRROR-1", count=1))
        _stored(orthanc, study(tmp_path, "MIRROR-2", count=1))
        with orthanc.inside(), spoken_to(node()) as peer:
            _pull(peer, "PatientID=MIRROR-1", tmp_path / "scans", mirror=True)
            _pull(peer, "PatientID=MIRROR-2", tmp_path / "scans", mirror=True)
        assert [file.parent.name for file in (tmp_path / "scans").rglob("*.dcm")] == [study_uid("MIRROR-2")]

    def test_the_bound_of_a_folder(self, orthanc: Orthanc, tmp_path: Path) -> None:
        _stored(orthanc, study(tmp_path, "FULL"))
        with orthanc.inside(), spoken_to(node(bounds={"total_bytes": 50_000})) as peer:
            done = _pull(peer, "PatientID=FULL", tmp_path / "scans")
        assert done.fetched == 2  # of 37 kB each: the second one passes the bound
        assert [refusal.code for refusal in done.refusals] == ["pacs_too_large"]


class TestPush:
    def test_a_known_uid_with_other_content_is_refused(self, orthanc: Orthanc, tmp_path: Path) -> None:
        """Orthanc answers 200 and 0x0000 to the second object, and keeps the first."""
        sent = study(tmp_path, "TWICE", count=1)
        with orthanc.inside():
            for way in ("dicomweb", "dimse"):
                _store_all(node(**WAYS[way]), sent)
                (file,) = sent.rglob("*.dcm")
                before = file.read_bytes()
                dataset = pydicom.dcmread(file)
                dataset.PixelData = bytes(len(dataset.PixelData))
                dataset.save_as(file)
                done = _store_all(node(**WAYS[way]), sent)
                assert [refusal.code for refusal in done.refusals] == ["other_content"]
                assert "PixelData" in done.refusals[0].reason
                file.write_bytes(before)

    def test_a_corrected_result_of_a_new_uid_stands_beside_the_old_one(self, orthanc: Orthanc, tmp_path: Path) -> None:
        sent = study(tmp_path, "CORRECTED", count=1)
        uid = study_uid("CORRECTED")
        new = study(tmp_path / "new", "CORRECTED", count=1, SOPInstanceUID=f"{uid}.1.99", ImageComments="corrected")
        with orthanc.inside():
            assert _store_all(node(), sent).stored == 1
            assert _store_all(node(), new).stored == 1
            assert orthanc.instances(uid) == [f"{uid}.1.1", f"{uid}.1.99"]

    def test_patient_data_that_the_pacs_knows_better_are_no_other_object(
        self, orthanc: Orthanc, tmp_path: Path
    ) -> None:
        sent = study(tmp_path, "COERCED", count=1)
        _stored(orthanc, sent)
        (file,) = sent.rglob("*.dcm")
        dataset = pydicom.dcmread(file)
        dataset.PatientName, dataset.AccessionNumber = "Doe^Joan", "17"
        dataset.save_as(file)
        with orthanc.inside():
            done = _store_all(node(), sent)
        assert (done.there, done.coerced, done.refusals) == (1, 1, [])

    def test_files_that_are_none_and_files_that_cannot_be_sent(self, orthanc: Orthanc, tmp_path: Path) -> None:
        sent = study(tmp_path, "ODD", count=4)
        files = sorted(sent.rglob("*.dcm"))
        (sent / "notes.txt").write_text("no object")
        files[1].write_bytes(files[1].read_bytes()[:9000])
        whole = check_whole(files[2])
        files[2].write_bytes(files[2].read_bytes()[whole.start :])
        dataset = pydicom.dcmread(files[3])
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = check_whole(files[0]).sop_instance_uid
        dataset.save_as(files[3])
        with orthanc.inside():
            done = _store_all(node(), sent)
        assert (done.stored, done.no_dicom) == (1, 1)
        assert sorted(refusal.code for refusal in done.refusals) == ["duplicate_uid", "incomplete", "no_file_meta"]
        assert all(refusal.remedy for refusal in done.refusals)

    def test_a_class_that_the_pacs_does_not_take(self, orthanc: Orthanc, tmp_path: Path) -> None:
        sent = study(tmp_path, "PRIVATE", count=1, SOPClassUID="1.2.826.0.1.3680043.8.498.1.1")
        (file,) = sent.rglob("*.dcm")
        dataset = pydicom.dcmread(file)
        dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
        dataset.save_as(file)
        with orthanc.inside():
            done = _store_all(node(dicomweb=None), sent)
        assert [refusal.code for refusal in done.refusals] == ["store_refused"]

    def test_a_journal_remembers_what_was_compared(
        self, orthanc: Orthanc, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sent = study(tmp_path, "JOURNAL")
        with orthanc.inside(), spoken_to(node()) as peer:
            assert push(peer, [sent], journal=tmp_path / "pushed.jsonl").stored == 3
            monkeypatch.setattr(Peer, "holds", lambda *_: pytest.fail("asked again"))
            assert push(peer, [sent], journal=tmp_path / "pushed.jsonl").there == 3

    def test_storage_commitment(self, orthanc: Orthanc, tmp_path: Path) -> None:
        sent = study(tmp_path, "COMMIT")
        with orthanc.inside(), spoken_to(node(dimse={"commitment": True})) as peer:
            done = push(peer, [sent])
            assert (done.committed, done.refusals) == (3, [])
            unknown = check_whole(next(study(tmp_path, "UNKNOWN", count=1).rglob("*.dcm")))
            assert peer.commit([unknown]) == set()


def _store_all(where: Node, path: Path) -> Pushed:
    with spoken_to(where) as peer:
        return push(peer, [path])


def test_ae_titles_that_the_pacs_does_not_take(orthanc: Orthanc, tmp_path: Path) -> None:
    strict = {"DicomCheckCalledAet": True, "DicomAlwaysAllowEcho": False}
    with started(tmp_path, strict) as server, server.inside():
        for changes in ({"dimse": {"ae_title": "WRONG"}}, {"own": {"ae_title": "STRANGER"}}):
            with spoken_to(node(dicomweb=None, **changes)) as peer:
                error = peer.echo()["DIMSE"]
                assert error
                assert error.code in ("pacs_refused", "pacs_not_offered", "pacs_unreachable")


class TestCommands:
    """What a person types, and the exit codes."""

    def test_echo_find_and_push(self, orthanc: Orthanc, tmp_path: Path) -> None:
        pacs = settings_file(tmp_path)
        sent = study(tmp_path, "TYPED")
        done = orthanc.lesion_measure("pacs", "echo", "--pacs", pacs)
        assert (done.returncode, done.stdout) == (0, "DICOMweb answers\nDIMSE    answers\n")
        done = orthanc.lesion_measure("pacs", "push", sent, "--pacs", pacs)
        assert (done.returncode, done.stdout) == (0, "Objects       3 stored and compared, 0 were there\n")
        done = orthanc.lesion_measure("pacs", "find", "PatientID=TYPED", "--pacs", pacs)
        assert done.returncode == 0
        assert done.stdout == f"20240105  TYPED  US  3 objects  {study_uid('TYPED')}\n1 study\n"
        assert "Doe" not in done.stdout + done.stderr
        done = orthanc.lesion_measure("pacs", "find", "PatientID=TYPED", "--pacs", pacs, "--json")
        assert json.loads(done.stdout)["studies"][0]["instances"] == 3

    def test_a_pacs_that_is_not_there(self, orthanc: Orthanc, tmp_path: Path) -> None:
        pacs = settings_file(tmp_path, dicomweb={"url": "http://127.0.0.1:9/dicom-web"}, dimse={"port": 9})
        done = orthanc.lesion_measure("pacs", "echo", "--pacs", pacs)
        assert done.returncode == 4
        assert done.stdout.count("cannot be reached") == 2
        done = orthanc.lesion_measure("pacs", "pull", "PatientID=X", "-o", tmp_path / "scans", "--pacs", pacs)
        assert (done.returncode, done.stderr.count("\n")) == (4, 1)

    def test_a_run_from_the_pacs(self, orthanc: Orthanc, tmp_path: Path, project_dir: Path) -> None:
        """The same numbers as from the files: the calipers name images by UID."""
        pacs = settings_file(tmp_path)
        samples = project_dir / "sample_dicoms"
        _stored(orthanc, samples / "SIM-01")
        rows = (samples / "calipers.csv").read_text(encoding="utf-8").splitlines()
        named = [_by_uid(row, samples) for row in rows if row.startswith("SIM-01/")]
        (tmp_path / "calipers.csv").write_text("\n".join([rows[0], *named]), encoding="utf-8")
        given = ["--calipers", tmp_path / "calipers.csv"]
        done = orthanc.lesion_measure("run", "pacs:PatientID=SIM-01", "-o", tmp_path / "out", "--pacs", pacs, *given)
        assert done.returncode == 0, done.stderr
        local = orthanc.lesion_measure("run", samples / "SIM-01", "-o", tmp_path / "local", *given)
        assert local.returncode == 0
        for table in ("changes.csv", "lesions.csv"):
            assert (tmp_path / "out" / table).read_bytes() == (tmp_path / "local" / table).read_bytes()
        made = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
        assert made["command"].startswith("lesion-measure run pacs:PatientID=SIM-01 ")

    def test_a_corrected_result_replaces_the_old_one(self, tmp_path: Path, project_dir: Path) -> None:
        """Both reports are in the PACS; a run from there takes the calipers of the corrected one."""
        scans = project_dir / "sample_dicoms" / "SIM-01"
        rows = (scans.parent / "calipers.csv").read_text(encoding="utf-8").splitlines()
        named = [_by_uid(row, scans.parent) for row in rows if row.startswith("SIM-01/")]
        folder = tmp_path / "pacs"
        folder.mkdir()
        with started(folder) as server:
            pacs = settings_file(tmp_path)
            _stored(server, scans)
            local: list[list[float]] = []
            for lines in (named, [_longer(row, rows[0]) for row in named]):
                (tmp_path / "calipers.csv").write_text("\n".join([rows[0], *lines]), encoding="utf-8")
                given = ["--calipers", tmp_path / "calipers.csv", "--dicom", "--overwrite"]
                done = server.lesion_measure("run", scans, "-o", tmp_path / "local", *given)
                assert done.returncode == 0, done.stderr
                done = server.lesion_measure("pacs", "push", tmp_path / "local" / "dicom", "--pacs", pacs)
                assert done.returncode == 0, done.stderr
                local.append(_lengths(tmp_path / "local" / "changes.csv"))
            done = server.lesion_measure("run", "pacs:PatientID=SIM-01", "-o", tmp_path / "out", "--pacs", pacs)
        assert done.returncode in (0, 3), done.stderr
        old, corrected = local
        assert old != pytest.approx(corrected, rel=5e-3)
        assert _lengths(tmp_path / "out" / "changes.csv") == pytest.approx(corrected, rel=1e-3)

    def test_a_query_of_a_run_that_finds_nothing_or_has_no_settings(self, orthanc: Orthanc, tmp_path: Path) -> None:
        pacs = settings_file(tmp_path)
        done = orthanc.lesion_measure("run", "pacs:PatientID=NOBODY", "-o", tmp_path / "out", "--pacs", pacs)
        assert done.returncode == 1
        assert "finds no study" in done.stderr
        done = orthanc.lesion_measure("run", "pacs:PatientID=NOBODY", "-o", tmp_path / "out")
        assert done.returncode == 2
        assert "--pacs" in done.stderr


def _by_uid(row: str, samples: Path) -> str:
    image, comma, rest = row.partition(",")
    return f"{check_whole(samples / image).sop_instance_uid}{comma}{rest}"


def _longer(row: str, header: str) -> str:
    """The caliper with its end two pixels further along the columns."""
    names, values = header.split(","), row.split(",")
    values[names.index("end_col")] = str(float(values[names.index("end_col")]) + 2)
    return ",".join(values)


def _lengths(table: Path) -> list[float]:
    with table.open(encoding="utf-8", newline="") as file:
        return [float(row["percent"]) for row in csv.DictReader(file) if row["percent"]]
