"""Fixtures shared by the tests; those that need real images skip where these are not at hand."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from sqlalchemy import create_engine, text

import databases
from chromium import launched
from lesion_measure.review.store import beside
from orthanc import Orthanc, started
from sample_runs import sample_run

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


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser for the tests of one module; each has pages of its own. While it is open, no event loop can start."""
    with launched() as browser:
        yield browser


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """URL of a PostgreSQL server of this process's own."""
    programs = databases.programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    with databases.postgresql(programs) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty database, once of each kind."""
    if request.param == "sqlite":
        return beside(tmp_path)
    server = request.getfixturevalue("postgresql_server")
    name = f"d{secrets.token_hex(8)}"
    with create_engine(f"{server}/postgres".replace("://", "+pg8000://")).connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text(f"CREATE DATABASE {name}"))
    return f"{server}/{name}"


@pytest.fixture(scope="session")
def one_process(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of the samples by their calipers, measured in one process."""
    return sample_run(tmp_path_factory.mktemp("one_process") / "out", "--jobs", 1)
