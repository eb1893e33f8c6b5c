"""The package as it is installed: what the wheel holds, and that it works away from the checkout."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent
SHIPPED = {"models": "bundles", "configs": "shipped_configs", "docs": "shipped_docs"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built by the hatchling of this environment."""
    out = tmp_path_factory.mktemp("wheel")
    words = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", str(out)]
    subprocess.run([*words, str(PROJECT)], check=True)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def away(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the installed wheel in ``site`` and a copy of the samples, and nothing of the checkout.

    The libraries that the package needs are borrowed from this environment: installing them anew takes minutes and
    gigabytes, which is more than a test may cost.
    """
    folder = tmp_path_factory.mktemp("away")
    words = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder / "site")]
    subprocess.run([*words, str(wheel)], check=True)
    shutil.copytree(PROJECT / "sample_dicoms", folder / "scans")
    return folder


def installed(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A command of the installed package; its ``site`` comes before an editable install of the checkout."""
    return python(folder, str(folder / "site" / "bin" / "lesion-measure"), *words)


def python(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Python in ``folder``, with the installed package."""
    environment = os.environ | {"PYTHONPATH": str(folder / "site")}
    return subprocess.run(
        [sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_the_wheel_holds_the_package_the_models_the_settings_and_the_docs(wheel: Path) -> None:
    places = {PROJECT / "lesion_measure": "lesion_measure"}
    places |= {PROJECT / ours: f"lesion_measure/{theirs}" for ours, theirs in SHIPPED.items()}
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        expected = {
            f"{inside}/{file.relative_to(place).as_posix()}": file
            for place, inside in places.items()
            for file in place.rglob("*")
            if file.is_file() and "__pycache__" not in file.parts
        }
        assert names == set(expected)
        assert [name for name, file in expected.items() if archive.read(name) != file.read_bytes()] == []


def test_it_is_the_installed_package_that_is_tried(away: Path) -> None:
    done = python(away, "-c", "import lesion_measure; print(lesion_measure.__file__)")
    assert Path(done.stdout.strip()).is_relative_to(away / "site")


def test_settings_and_docs_are_found_by_name(away: Path) -> None:
    done = installed(away, "config")
    names = [line.split()[0] for line in done.stdout.splitlines() if not line.startswith(" ")]
    assert done.returncode == 0
    assert {file.stem for file in (PROJECT / "configs").iterdir()} <= set(names)
    done = installed(away, "help", "results")
    assert done.returncode == 0
    assert done.stdout.strip() == (PROJECT / "docs" / "results.md").read_text(encoding="utf-8").strip()


def test_it_makes_the_reading_rooms_database_by_its_own_migrations(away: Path) -> None:
    script = "from pathlib import Path; from lesion_measure.review.store import Store, beside; "
    done = python(away, "-c", f"{script}print(Store(beside(Path('room'))).comment('S1', 'R1', 'kept').text)")
    assert (done.stdout.strip(), done.returncode) == ("kept", 0), done.stderr
    assert (away / "room" / "review" / "review.sqlite").is_file()


def test_it_measures_with_the_model_that_it_holds(away: Path) -> None:
    words = ("run", "scans/SIM-01", "-o", "out", "--calipers", "scans/calipers.csv", "--model", "liver_us_unet")
    done = installed(away, *words, "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["counts"]["measured"]) == (3, 1), done.stderr
    assert found["outlines"]["made"] > 4
    assert (away / "out" / "report.html").is_file()
