"""The documentation: examples that run, links that lead somewhere, settings and commands that exist."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest


def test_the_python_examples_run(project_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project_dir)
    result = doctest.testfile(str(project_dir / "docs" / "python.md"), module_relative=False)
    assert result.attempted > 20
    assert result.failed == 0


def test_links_between_the_pages_lead_somewhere(project_dir: Path) -> None:
    for page in [project_dir / "README.md", *project_dir.glob("docs/**/*.md"), *project_dir.glob("benchmarks/*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_calibration_page_names_every_code(project_dir: Path) -> None:
    from lesion_measure.calibration import scale

    page = (project_dir / "docs" / "calibration.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
    assert documented == set(scale._REMEDIES) - {"no_points"}
