"""Unnamed outlines through the whole program: names, fates, tables, schema, and the report's question."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from types import ModuleType

import jsonschema
import pytest

from lesion_measure.config import Config
from lesion_measure.records import BASELINE, ONE_MONTH, NamedBy, RunResult
from lesion_measure.results import results_schema
from scripts import script

LIMIT = Config().pairing.min_confidence


@pytest.fixture(scope="module")
def frames(project_dir: Path) -> ModuleType:
    """benchmarks/paired_frames.py as a module."""
    return script(project_dir / "benchmarks" / "paired_frames.py")


@pytest.fixture(scope="module")
def measured(frames: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> tuple[RunResult, dict[str, object], Path]:
    """A simulated child with several lesions, outlined by its truth, without any name."""
    folder = tmp_path_factory.mktemp("frames")
    result, truth = frames.measure(folder / "dicom", [frames.multifocal(1, 2)], folder / "out")
    return result, truth, folder / "out"


def test_names_are_told_or_flagged_or_refused(
    frames: ModuleType, measured: tuple[RunResult, dict[str, object], Path]
) -> None:
    result, truth, _ = measured
    scores = frames.judge(result, truth, LIMIT)
    for score in scores.values():
        assert score.named
        assert score.named - score.right == score.wrong_flagged  # no wrong name that does not ask for review
    planes = [p for s in result.subjects for m in s.lesions for p in m.planes]
    assert {p.naming.by for p in planes} == {NamedBy.PAIRED}
    assert all(p.appearance is not None and p.appearance.contrast is not None for p in planes)


def test_no_verdict_rests_on_an_unsure_pairing(measured: tuple[RunResult, dict[str, object], Path]) -> None:
    for subject in measured[0].subjects:
        sure = [m.naming.confidence for m in subject.lesions]
        assert subject.response is None or not subject.response.certain or min(sure) >= LIMIT
        for change in subject.changes:
            both = [
                m.naming.confidence
                for m in subject.lesions
                if m.lesion == change.lesion and m.visit in (BASELINE, ONE_MONTH)
            ]
            assert change.lesion is None or change.pairing_confidence == min(both)


def test_tables_schema_and_page_say_the_same(measured: tuple[RunResult, dict[str, object], Path]) -> None:
    result, _, out = measured
    document = json.loads((out / "results.json").read_text(encoding="utf-8"))
    jsonschema.validate(document, results_schema())
    (subject,) = result.subjects
    with (out / "lesions.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    assert [(r["lesion"], r["fate"], r["needs_check"] == "true") for r in table] == [
        (s.lesion, s.fate.value, s.needs_check) for s in subject.statuses
    ]
    page = (out / "report.html").read_text(encoding="utf-8")
    questions = [s for s in subject.statuses if s.needs_check]
    assert questions
    assert page.count("Please check: is this the same lesion?") == 1
    for status in questions:
        assert 'class="asked"' in page
        assert status.lesion in page
