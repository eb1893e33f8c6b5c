"""The sample studies measured by calipers, in one process: what every other way has to give."""

from __future__ import annotations

from pathlib import Path

from test_cli import lesion_measure

SAMPLES = Path(__file__).parent.parent / "sample_dicoms"
CALIPERS = SAMPLES / "calipers.csv"
TABLES = ("measurements.csv", "lesions.csv", "changes.csv", "calipers.csv", "refusals.csv", "results.json")


def sample_run(out: Path, *words: object) -> Path:
    """Measure the samples by their calipers; gives the results folder."""
    assert lesion_measure("run", SAMPLES, "-o", out, "--calipers", CALIPERS, *words)[0] == 3
    return out


def tables(out: Path) -> dict[str, bytes]:
    """The bytes of every table, and of results.json."""
    return {name: (out / name).read_bytes() for name in TABLES}
