"""Small studies to send to a PACS, and the settings of the one that the tests start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from dicom_writing import EXPLICIT, screen, write
from lesion_measure.config.pacs import Node
from orthanc import DICOM_PORT, OWN_AET, OWN_PORT, SERVER_AET, Orthanc

ROOT = "1.2.826.0.1.3680043.8.498.77"
"""The root of every UID here; a patient's studies begin with it and a number of the patient's own."""


def study(folder: Path, patient: str, *, number: int = 1, count: int = 3, date: str = "20240105", **more: Any) -> Path:
    """A study of ``count`` RGB stills of 96 x 128 pixels in a folder of its own below ``folder``.

    ``number`` tells the studies of a patient apart; further attributes go to each file, ``syntax`` to the encoding.
    """
    uid = study_uid(patient, number)
    there = folder / f"{patient}-{number}"
    for index in range(1, count + 1):
        place = there / f"image-{index}"
        place.mkdir(parents=True)
        attributes: dict[str, Any] = {
            "PatientID": patient, "PatientName": "Doe^Jane", "StudyDate": date, "Modality": "US", "StudyID": "1",
            "StudyInstanceUID": uid, "SeriesInstanceUID": f"{uid}.1", "SOPInstanceUID": f"{uid}.1.{index}",
            "InstanceNumber": index, "ImageType": ["ORIGINAL", "PRIMARY"],
        }  # fmt: skip
        pixels = screen(seed=index).tobytes()
        write(place, pixels, (96, 128, 3), more.get("syntax", EXPLICIT), **{**attributes, **_attributes(more)})
    return there


def study_uid(patient: str, number: int = 1) -> str:
    """The Study Instance UID of a patient's study: the same name, the same UID."""
    return f"{ROOT}.{int.from_bytes(patient.encode()) % 10**15}.{number}"


def _attributes(more: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in more.items() if name != "syntax"}


def settings(**changes: Any) -> dict[str, Any]:
    """Settings of the PACS that the tests start, with little patience; ``None`` takes a section away."""
    known: dict[str, Any] = {
        "name": "tests",
        "dicomweb": {"url": Orthanc.dicomweb},
        "dimse": {"ae_title": SERVER_AET, "host": "127.0.0.1", "port": DICOM_PORT},
        "own": {"ae_title": OWN_AET, "port": OWN_PORT},
        "patience": {"connect_s": 5, "answer_s": 20, "attempts": 3, "wait_s": 0.1, "commitment_s": 20},
        "listening": {"quiet_s": 1},
    }
    for name, value in changes.items():
        if value is None:
            del known[name]
        elif isinstance(value, dict):
            known[name] = {**known.get(name, {}), **value}
        else:
            known[name] = value
    return known


def node(**changes: Any) -> Node:
    """The settings as they are read."""
    return Node.model_validate(settings(**changes))


def settings_file(folder: Path, **changes: Any) -> Path:
    """The settings as a file."""
    path = folder / "pacs.yaml"
    path.write_text(yaml.safe_dump(settings(**changes)), encoding="utf-8")
    return path
