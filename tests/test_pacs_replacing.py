"""A corrected result in a real PACS: the earlier one is deleted or rejected, and nothing else is touched."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import highdicom as hd
import pydicom
import pytest
from pydicom.uid import generate_uid

from drawn_network import DrawnNetwork, replace_network
from lesion_measure.config.pacs import Node
from lesion_measure.errors import ConfigError
from lesion_measure.job.request import RunRequest
from lesion_measure.pacs.peer import spoken_to
from lesion_measure.pacs.push import push
from lesion_measure.pacs.query import parse
from lesion_measure.pacs.replacing import Replaced, replace_earlier
from lesion_measure.pipeline import run
from object_reading import errors
from orthanc import HTTP_PORT, Orthanc, started
from pacs_objects import node, settings_file

DELETE = {"by": "orthanc", "orthanc_url": f"http://127.0.0.1:{HTTP_PORT}"}
NOTE = {"by": "note"}
NOTES = "1.2.840.10008.5.1.4.1.1.88.59"


@dataclass(frozen=True)
class Results:
    """A first result of one child with two outlines a visit, and a corrected one without those of one image."""

    images: Path
    first: Path
    corrected: Path


@pytest.fixture(scope="module")
def results(project_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Results:
    folder = tmp_path_factory.mktemp("results")
    images = folder / "in" / "SIM-01"
    shutil.copytree(project_dir / "sample_dicoms" / "SIM-01", images)
    header, *rows = (project_dir / "sample_dicoms" / "calipers.csv").read_text(encoding="utf-8").splitlines()
    rows = [row for row in rows if row.startswith("SIM-01/")]
    with pytest.MonkeyPatch.context() as patch:
        replace_network(patch, DrawnNetwork(), asked_for=True)
        for name, lines in (("first", rows), ("corrected", [row for row in rows if "baseline/L1_sag" not in row])):
            (folder / "calipers.csv").write_text("\n".join([header, *lines]), encoding="utf-8")
            run(
                RunRequest(
                    input=folder / "in", out=folder / "out", calipers=folder / "calipers.csv", dicom=True,
                    overwrite=True, model=project_dir / "models" / "liver_us_unet",
                )
            )  # fmt: skip
            shutil.copytree(folder / "out" / "dicom", folder / name)
    return Results(images, folder / "first", folder / "corrected")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Orthanc]:
    (tmp_path / "pacs").mkdir()
    with started(tmp_path / "pacs") as one:
        yield one


def uids(folder: Path, pattern: str = "*.dcm") -> set[str]:
    return {str(pydicom.dcmread(file, stop_before_pixels=True).SOPInstanceUID) for file in folder.rglob(pattern)}


def stored(where: Node, *paths: Path, replace: bool = True) -> Replaced | None:
    with spoken_to(where) as peer:
        done = push(peer, paths)
        assert not done.refusals
        return replace_earlier(peer, done.kept, "1.0") if replace else None


def test_the_earlier_result_is_deleted_and_nothing_else(server: Orthanc, results: Results) -> None:
    where = node(replacing=DELETE)
    with server.inside():
        stored(where, results.images, results.first, replace=False)
        done = stored(where, results.corrected)
        gone = uids(results.first) - uids(results.corrected)
        assert len(gone) == 3  # the reports of both visits, and the outline that is no more
        assert done == Replaced(deleted=3)
        assert set(server.instances()) == uids(results.images) | uids(results.corrected)
        assert stored(where, results.corrected) == Replaced()
        assert set(server.instances()) == uids(results.images) | uids(results.corrected)


def test_a_note_rejects_the_earlier_result_once(server: Orthanc, results: Results, tmp_path: Path) -> None:
    where = node(replacing=NOTE)
    with server.inside():
        stored(where, results.images, results.first, replace=False)
        before = set(server.instances())
        for _ in range(2):  # the second time the notes are there
            assert stored(where, results.corrected) == Replaced(rejected=3)
        notes = set(server.instances()) - before - uids(results.corrected)
        assert len(notes) == 2  # one a study
        rejected = set()
        for uid in notes:
            (found,) = server.rest("/tools/lookup", "POST", uid.encode())
            path = tmp_path / f"{uid}.dcm"
            with spoken_to(where) as peer:
                studies = peer.find(parse("PatientID=SIM-01")).studies
                (one,) = [i for study in studies for i in peer.instances(study) if i.sop_uid == uid]
                peer.fetch(one, path)
            assert found["Type"] == "Instance"
            assert errors(path) == []
            note = hd.ko.KeyObjectSelectionDocument.from_dataset(pydicom.dcmread(path))
            title = note.ConceptNameCodeSequence[0]
            assert (note.SOPClassUID, title.CodeValue, title.CodingSchemeDesignator) == (NOTES, "113001", "DCM")
            rejected |= {r.referenced_sop_instance_uid for r in note.content.get_references()}
        assert rejected == uids(results.first) - uids(results.corrected)


def test_nothing_of_others_is_touched(server: Orthanc, results: Results, tmp_path: Path) -> None:
    """A report that names another maker's report and outline as what it replaces, and one of another study."""
    foreign = tmp_path / "foreign"
    shutil.copytree(results.first, foreign)
    for file in foreign.glob("*.dcm"):
        dataset = pydicom.dcmread(file)
        if dataset.SOPInstanceUID in uids(results.corrected):
            file.unlink()
            continue
        dataset.Manufacturer = "Another maker"
        dataset.save_as(file)
    for how in (DELETE, NOTE):
        with server.inside():
            server.clear()
            stored(node(), results.images, foreign, replace=False)
            assert len(uids(foreign)) == 3
            assert stored(node(replacing=how), results.corrected) == Replaced()
            assert set(server.instances()) == uids(results.images) | uids(foreign) | uids(results.corrected)
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(results.corrected, elsewhere)
    for file in elsewhere.glob("*.sr.dcm"):
        dataset = pydicom.dcmread(file)
        dataset.StudyInstanceUID = generate_uid()
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        dataset.save_as(file)
    with server.inside():
        server.clear()
        stored(node(), results.first, replace=False)
        assert stored(node(replacing=DELETE), elsewhere) == Replaced()
        assert uids(results.first) <= set(server.instances())


def test_the_command(server: Orthanc, results: Results, tmp_path: Path) -> None:
    pacs = settings_file(tmp_path, replacing=DELETE)
    assert server.lesion_measure("pacs", "push", results.first, "--pacs", pacs).returncode == 0
    done = server.lesion_measure("pacs", "push", results.corrected, "--pacs", pacs, "--replace")
    assert done.returncode == 0, done.stderr
    assert "Replaced      3 deleted, 0 rejected by a note" in done.stdout
    silent = settings_file(tmp_path)
    done = server.lesion_measure("pacs", "push", results.corrected, "--pacs", silent, "--replace")
    assert done.returncode == 2
    assert "replacing.by" in done.stderr


@pytest.mark.parametrize(
    ("replacing", "words"),
    [
        ({"by": "orthanc"}, "orthanc_url"), ({"by": "note", "orthanc_url": "http://127.0.0.1:1"}, "orthanc_url"),
        ({"by": "orthanc", "orthanc_url": "http://127.0.0.1:9"}, "server of 'dicomweb.url'"),
        ({"by": "delete"}, "note"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_meant(replacing: dict[str, str], words: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=words):
        Node.from_yaml(settings_file(tmp_path, replacing=replacing))
