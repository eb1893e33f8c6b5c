"""Fixtures shared by the tests; those that need real images skip where these are not at hand."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from orthanc import Orthanc, started

PROJECT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Folder with real images (`data/`, `dicom_us/`), not part of the project."""
    named = os.environ.get("LESION_MEASURE_TEST_DATA")
    folder = Path(named) if named else PROJECT.parent / "shared"
    if not (folder / "dicom_us").is_dir():
        pytest.skip(
            "real test images not found: set LESION_MEASURE_TEST_DATA to the folder that holds data/ and dicom_us/"
        )
    return folder


@pytest.fixture(scope="session")
def project_dir() -> Path:
    """The checkout."""
    return PROJECT


@pytest.fixture(scope="session")
def orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    """A PACS that the tests of this process share: keep to patients of your own, or `clear` it."""
    with started(tmp_path_factory.mktemp("orthanc")) as server:
        yield server
