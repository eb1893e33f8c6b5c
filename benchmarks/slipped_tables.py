"""What becomes of single mistakes that people make in tables (`slips`), on the samples, by calipers alone.

``python benchmarks/slipped_tables.py [--mistakes N] [--seed N]`` prints a table in Markdown: for every kind, how often
the run stopped with the line named, held the child's verdict back, marked the child, or said the same as without the
mistake. *silent*: a child's verdict changed, or became certain, and nothing marks that child.
"""

from __future__ import annotations

import argparse
import csv
import random
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from slips import CHILDREN, KINDS, Row, SlipKind

from lesion_measure.config import Config
from lesion_measure.errors import TableError
from lesion_measure.image.outlines import Outlines
from lesion_measure.image.read import read_image
from lesion_measure.image.shown import ShownFrames
from lesion_measure.job.child import Job, measure_child
from lesion_measure.job.given import read_tables, sort_given
from lesion_measure.job.request import RunRequest
from lesion_measure.records import StudyList
from lesion_measure.studies import load_studies

SAMPLES = Path(__file__).resolve().parent.parent / "sample_dicoms"
SEED, MISTAKES = 20260, 300
WORST_FIRST = ("silent", "held back", "marked", "same", "stopped")
Tables = Mapping[str, list[Row]]


@dataclass(frozen=True)
class Said:
    """What a run says of one child: verdict, exact change, whether it is certain, and what marks it."""

    verdict: str | None
    percent: float | None
    certain: bool
    excluded: bool
    marks: tuple[str, ...]


@dataclass(frozen=True)
class Samples:
    """The samples' folder, its images read once, and right tables."""

    folder: Path
    studies: StudyList
    tables: Tables


def samples(folder: Path) -> Samples:
    """The samples' images and right tables: the simulator's calipers, a manifest of every image, a subjects table."""
    studies = load_studies(folder)
    with (folder / "calipers.csv").open(encoding="utf-8", newline="") as file:
        calipers = list(csv.DictReader(file))
    uids = {i.path: i.sop_instance_uid for i in studies.instances}
    with (folder / "MANIFEST.csv").open(encoding="utf-8", newline="") as file:
        listed = [row for row in csv.DictReader(file) if row["path"].endswith(".dcm")]
    manifest = [{name: row[name] for name in ("path", "subject", "visit", "plane", "lesion")} for row in listed]
    by_child = {code: sorted({r["lesion"] for r in calipers if r["image"].startswith(code)}) for code in CHILDREN}
    subjects = [
        {
            "subject": code, "age_months": str(4 + n), "form": "focal" if len(by_child[code]) == 1 else "multifocal",
            "hepatoblastoma": "no", "resection": "no", "kasabach_merritt": "no", "missing_data": "no",
            "excluded": "not enough scans" if code == "SIM-06" else "", "targets": ";".join(by_child[code]),
            "new_lesions": "", "non_target_progression": "",
        }
        for n, code in enumerate(CHILDREN)
    ]  # fmt: skip
    tables = {
        "calipers": calipers,
        "calipers by UID": [{**row, "image": uids[row["image"]]} for row in calipers],
        "manifest": [{**row, "target": "yes"} for row in manifest],
        "subjects": subjects,
    }
    return Samples(folder, studies, tables)


def _write(path: Path, rows: list[Row]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def say(samples: Samples, tables: Tables, folder: Path) -> dict[str, Said]:
    """What the pipeline says of each child, from reading the tables to the verdict; the report is left out."""
    config = Config.from_yaml(samples.folder.parent / "configs" / "nct04406870.yaml")
    paths = {name: _write(folder / f"{name}.csv", rows) for name, rows in tables.items()}
    read = read_tables(paths.get("manifest"), paths.get("calipers"), paths.get("subjects"), scans=samples.folder)
    given = sort_given(samples.studies, read, config)
    outlines, shown = Outlines(folder), ShownFrames(config.limits)
    job = Job(
        RunRequest(input=samples.folder, out=folder, config=config),
        partial(read_image, segmenter=None, config=config, outlines=outlines, shown=shown),
        "",
        given.calipers,
        given.labels,
        read.enrolled,
        given.doubts,
    )
    said = {}
    for child in given.children:
        result = measure_child(child, job)
        refused = [r.code for r in given.refusals if r.subject == child.subject]
        response = result.response
        change = next(
            (c for c in result.changes if c.lesion is None and c.metric is config.comparison.primary_metric), None
        )
        said[child.subject] = Said(
            verdict=response.category if response else None,
            percent=change.percent if change else None,
            certain=bool(response and response.certain),
            excluded=bool(result.excluded),
            marks=tuple(sorted({*refused, *(r.code for r in result.review)})),
        )
    return said


def outcome(truth: Said, now: Said | None, refused: bool) -> str:
    """What became of one child: the same, marked, held back, or a silent change."""
    if now is None:
        return "held back" if refused else "silent"
    same = (now.verdict, now.excluded) == (truth.verdict, truth.excluded)
    marked = bool(set(now.marks) - set(truth.marks))
    if same and (now.certain == truth.certain or not now.certain):
        return "marked" if marked else "same"
    if now.verdict is None:
        return "held back" if marked else "silent"
    return "marked" if marked else "silent"


def whole(tables: Tables, table: str) -> Tables:
    """The tables of a run: the calipers by path or by UID, and the other two."""
    return {
        "calipers": tables["calipers by UID" if table == "calipers by UID" else "calipers"],
        "manifest": tables["manifest"],
        "subjects": tables["subjects"],
    }


@dataclass(frozen=True)
class Made:
    """One mistake, what became of it, and the children whose verdict it changed silently: right and as it is now."""

    kind: SlipKind
    seed: int
    outcome: str
    silent: Mapping[str, tuple[Said, Said | None]]


def make(known: Samples, folder: Path, mistakes: int = MISTAKES, seed: int = SEED) -> Iterable[Made]:
    """Every kind in turn, each with a seed of its own."""
    truth = say(known, whole(known.tables, ""), folder)
    for number in range(mistakes):
        kind = KINDS[number % len(KINDS)]
        yield _one(known, truth, kind, seed + number, folder)


def _one(known: Samples, truth: Mapping[str, Said], kind: SlipKind, seed: int, folder: Path) -> Made:
    rng = random.Random(seed)
    tables = whole(known.tables, kind.table)
    table = "calipers" if kind.table == "calipers by UID" else kind.table
    spoilt = None
    while spoilt is None:
        spoilt = kind.slip(deepcopy(tables[table]), rng)
    try:
        said = say(known, {**tables, table: spoilt}, folder)
    except TableError:
        return Made(kind, seed, "stopped", {})
    found = {code: outcome(truth[code], said.get(code), refused=code not in said) for code in CHILDREN}
    worst = next(word for word in WORST_FIRST if word in found.values())
    return Made(kind, seed, worst, {c: (truth[c], said.get(c)) for c in CHILDREN if found[c] == "silent"})


def table(made: Iterable[Made]) -> list[str]:
    """The outcomes by kind, as lines of Markdown."""
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for one in made:
        counts[one.kind.table, one.kind.name][one.outcome] += 1
    words = WORST_FIRST[::-1]
    lines = [f"| table | mistake | {' | '.join(words)} |", f"|---|---|{'---|' * len(words)}"]
    for kind in KINDS:
        count = counts[kind.table, kind.name]
        name = f"{kind.name} *" if kind.unknowable else kind.name
        lines.append(f"| {kind.table} | {name} | {' | '.join(str(count[word] or '') for word in words)} |")
    total = sum(counts.values(), Counter())
    return [*lines, f"| all | | {' | '.join(str(total[word]) for word in words)} |"]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mistakes", type=int, default=MISTAKES)
    parser.add_argument("--seed", type=int, default=SEED)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made = list(make(samples(SAMPLES), Path(folder), asked.mistakes, asked.seed))
    print("\n".join(table(made)))
    for one in made:
        if one.silent:
            print(f"{one.kind.table}, {one.kind.name}, seed {one.seed}: {dict(one.silent)}")


if __name__ == "__main__":
    main()
