"""A single mistake of each kind in the samples' tables: none changes a child's verdict without a mark on that child.

`benchmarks/slipped_tables.py` makes several of each kind (docs/mistakes.md).
"""

from __future__ import annotations

from pathlib import Path

import pytest
from slipped_tables import SAMPLES, make, samples, table
from slips import KINDS

from lesion_measure.image import read as images


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The images are the same in every run: their bytes and pixels are looked at by other tests."""
    monkeypatch.setattr(images.archive, "sha256", lambda location, limits: "0" * 64)


@pytest.mark.usefixtures("quick")
def test_no_single_mistake_changes_a_verdict_unmarked(tmp_path: Path) -> None:
    made = list(make(samples(SAMPLES), tmp_path, len(KINDS)))
    assert [m.kind for m in made] == list(KINDS)
    assert not [(m.kind.name, m.seed, m.silent) for m in made if m.silent and not m.kind.unknowable]
    outcomes = {m.outcome for m in made}
    assert {"stopped", "held back", "marked", "same"} <= outcomes
    assert len(table(made)) == len(KINDS) + 3


def test_the_docs_have_a_row_for_every_kind(project_dir: Path) -> None:
    page = (project_dir / "docs" / "mistakes.md").read_text(encoding="utf-8")
    missing = [
        kind.name for kind in KINDS if f"| {kind.table} | {kind.name}{' *' if kind.unknowable else ''} |" not in page
    ]
    assert not missing
