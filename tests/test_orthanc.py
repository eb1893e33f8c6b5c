"""The PACS of the tests is what it should be: alone in its namespace, empty, and gone when the tests are."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from dicom_writing import screen, write
from orthanc import DICOM_PORT, HTTP_PORT, Orthanc, started


def _listens(port: int) -> bool:
    with socket.socket() as trial:
        trial.settimeout(1)
        return trial.connect_ex(("127.0.0.1", port)) == 0


def test_the_server_is_reached_from_inside_its_namespace_alone(orthanc: Orthanc) -> None:
    assert orthanc.rest("/system")["DicomAet"] == "ORTHANC"
    with orthanc.inside():
        assert _listens(HTTP_PORT)
        assert _listens(DICOM_PORT)
        names = [name for _, name in socket.if_nameindex()]
    assert names == ["lo"]
    assert not _listens(HTTP_PORT)
    assert not _listens(DICOM_PORT)


def test_a_program_inside_reaches_it(orthanc: Orthanc) -> None:
    script = f"import urllib.request as u; print(u.urlopen('{orthanc.dicomweb}/studies').status)"
    assert orthanc.run(["python3", "-c", script]).stdout == "200\n"
    assert orthanc.lesion_measure("--version").stdout.startswith("lesion-measure ")


def test_a_killed_server_starts_again_with_what_it_had(tmp_path: Path) -> None:
    pixels = screen().tobytes()
    write(tmp_path, pixels, (96, 128, 3), SOPInstanceUID="1.2.826.0.1.1", StudyInstanceUID="1.2.826.0.1",
          SeriesInstanceUID="1.2.826.0.1.2", PatientID="KILLED")  # fmt: skip
    with started(tmp_path) as server:
        server.store(tmp_path / "image.dcm")
        server.kill()
        with pytest.raises(OSError, match="refused"):
            server.rest("/system")
        server.start()
        assert server.instances("1.2.826.0.1") == ["1.2.826.0.1.1"]
        server.clear()
        assert server.instances() == []
