"""define.html against the data themselves: read back by Python's HTML parser, and by ReadStat from the transport files.

Both ways: what the page says is in the data, and what is in the data the page says.
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pyreadstat
import pytest

import cohort_results
import course_results
from cdisc_cohort import REFERENCES, STUDY, write_cohort
from lesion_measure import run
from lesion_measure.cdisc import Evaluator, ExportRequest, export
from lesion_measure.config import Config
from lesion_measure.records import RunResult
from test_cdisc import LABS
from test_cdisc_subjects import ENROLLED, NO_SCANS, PROVENANCE, subjects
from written_runs import write_results

BESIDE_NUMBERS = {"TRPROPRS"}
"""Lists that hold words where the results are no numbers."""


@dataclass
class Table:
    """The cells of a table, row by row, with the links in them; ``under`` is the nearest heading's or section's id."""

    under: str
    rows: list[list[str]] = field(default_factory=list)


class Page(HTMLParser):
    """The page's tables, ids and links."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: list[Table] = []
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self.lists_of: dict[str, str] = {}
        self._under, self._cell, self._small = "", False, False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if name := given.get("id"):
            self.ids.add(name)
            self._under = name
        if target := given.get("href"):
            self.links.add(target)
        if tag == "table":
            self.tables.append(Table(self._under))
        elif tag == "tr":
            self.tables[-1].rows.append([])
        elif tag in ("td", "th"):
            self.tables[-1].rows[-1].append("")
            self._cell = True
        self._small = tag == "p" and self._under.startswith("CL.")

    def handle_endtag(self, tag: str) -> None:
        self._cell = self._cell and tag not in ("td", "th")
        self._small = self._small and tag != "p"

    def handle_data(self, data: str) -> None:
        if self._cell:
            self.tables[-1].rows[-1][-1] += data
        if self._small:
            self.lists_of[self._under] = data

    def rows(self, under: str) -> list[list[str]]:
        """The body of the table there."""
        (table,) = (table for table in self.tables if table.under == under)
        return table.rows[1:]


def trial(folder: Path) -> ExportRequest:
    write_cohort(folder)
    (folder / "labs.csv").write_text(LABS, encoding="utf-8")
    (folder / "subjects.csv").write_text(REFERENCES, encoding="utf-8")
    return ExportRequest(out=folder, study=STUDY, subjects=folder / "subjects.csv", labs=folder / "labs.csv")


def without_dates_by_independent_readers(folder: Path) -> ExportRequest:
    write_cohort(folder)
    return ExportRequest(out=folder, study=STUDY, people=Evaluator.INDEPENDENT)


def follow_up(folder: Path) -> ExportRequest:
    sizes = {"baseline": 30, "one_month": 20, "day_45": 18, "three_months": 15, "six_months": 6}
    cohort_results.write(folder, [course_results.child("S1", sizes)], config=course_results.CONFIG)
    return ExportRequest(out=folder, study=STUDY)


def split_merged_excluded_and_liver(folder: Path) -> ExportRequest:
    result = RunResult(
        subjects=subjects(), refusals=(NO_SCANS,), instances=(), provenance=PROVENANCE, enrolled=ENROLLED
    )
    write_results(result, folder, Config())
    (folder / "run.json").write_text("{}", encoding="utf-8")
    return ExportRequest(out=folder, study=STUDY)


def adjudicated(folder: Path, samples: Path) -> ExportRequest:
    """Two readers of one child; what the adjudicator read counts, and of the other child the first reader's."""
    with (samples / "calipers.csv").open(encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row["image"].startswith(("SIM-01", "SIM-02"))]
    again = [row | {"reader": "judge"} for row in rows if row["image"].startswith("SIM-01")]
    table = folder / "calipers.csv"
    with table.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows([*rows, *(row | {"reader": "reader-2"} for row in rows), *again])
    settings = Config.model_validate({"calipers": {"reader": "reader-2", "adjudicator": "judge"}})
    found = run(samples, out=folder / "out", calipers=table, config=settings)
    assert found.measurements().reader.dropna().isin(["judge", "reader-2"]).all()
    return ExportRequest(out=folder / "out", study=STUDY)


@pytest.fixture(
    scope="module",
    params=[trial, without_dates_by_independent_readers, follow_up, split_merged_excluded_and_liver, adjudicated],
    ids=lambda made: made.__name__,
)
def exported(request: pytest.FixtureRequest, project_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    make: Callable[..., ExportRequest] = request.param
    wanted = make(folder, project_dir / "sample_dicoms") if make is adjudicated else make(folder)
    return export(wanted).page.parent


@pytest.fixture(scope="module")
def page(exported: Path) -> Page:
    return Page((exported / "define.html").read_text(encoding="utf-8"))


def transport(exported: Path) -> dict[str, tuple[Any, Any]]:
    """Data frame and metadata of every transport file, by the name in the file's own header."""
    read = {path: pyreadstat.read_xport(str(path)) for path in exported.glob("*.xpt")}
    return {meta.table_name: (frame, meta) for frame, meta in read.values()}


def test_the_datasets_are_those_that_lie_there(exported: Path, page: Page) -> None:
    files = transport(exported)
    listed = {row[0]: row for row in page.rows("datasets")}
    assert list(listed) == list(dict.fromkeys(listed))
    assert {name.lower() for name in listed} == {path.stem for path in exported.glob("*.json")} - {"lesion_measure"}
    assert listed.keys() == files.keys()
    for name, (frame, meta) in files.items():
        _, label, _, _, keys, records, formats = listed[name]
        document = json.loads((exported / f"{name.lower()}.json").read_text(encoding="utf-8"))
        by_rank = sorted((c for c in document["columns"] if "keySequence" in c), key=lambda c: c["keySequence"])
        assert (label, int(records)) == (meta.file_label, len(frame)) == (document["label"], document["records"])
        assert keys.split(", ") == [column["name"] for column in by_rank]
        assert {f"{name.lower()}.{one}" for one in formats.split()} == {
            p.name for p in exported.glob(f"{name.lower()}.*")
        }


def test_the_variables_are_those_of_the_data(exported: Path, page: Page) -> None:
    for name, (frame, meta) in transport(exported).items():
        document = json.loads((exported / f"{name.lower()}.json").read_text(encoding="utf-8"))
        kinds = {column["name"]: column for column in document["columns"]}
        said = {row[0].split()[0]: row for row in page.rows(name)}
        assert list(said) == list(frame.columns) == list(kinds)
        for variable, row in said.items():
            _, label, kind, length = row[:4]
            assert label == meta.column_names_to_labels[variable] == kinds[variable]["label"]
            assert int(length) == meta.variable_storage_width[variable], (name, variable)
            words = {"string": "text", "double": "float", "integer": "integer"}
            number = "(number" in kind
            assert (meta.readstat_variable_types[variable] == "string") is (not number and kind[:4] in ("text", "date"))
            assert words.get(kinds[variable]["dataType"], "date") == kind.split(" ")[0]
            if kinds[variable]["dataType"] == "string":
                assert kinds[variable]["length"] == int(length)
            longest = max((len(str(value).encode()) for value in frame[variable].dropna()), default=0)
            assert "text" not in kind or longest <= int(length)


def test_every_value_is_a_term_of_its_list_and_is_counted(exported: Path, page: Page) -> None:
    files = transport(exported)
    named: dict[str, list[str]] = {}
    for name in files:
        for row in page.rows(name):
            if row[4]:
                named.setdefault(f"CL.{row[4]}", []).append(f"{name}.{row[0].split(' ')[0]}")
    lists = {table.under for table in page.tables if table.under.startswith("CL.")}
    assert named.keys() == lists
    for short, variables in named.items():
        values: Counter[str] = Counter()
        for name, variable in (one.split(".") for one in variables):
            values.update(value for value in files[name][0][variable].dropna() if value != "")
        words, whose = page.lists_of[short].split(" · ")
        assert sorted(whose.split(", ")) == sorted(variables)
        terms = {row[0]: int(row[4]) for row in page.rows(short)}
        assert len(terms) == len(page.rows(short)), f"{short} names a term twice"
        if short.removeprefix("CL.") in BESIDE_NUMBERS:
            values = Counter({word: count for word, count in values.items() if not _is_number(word)})
        assert values == Counter({term: count for term, count in terms.items() if count}), short
        assert words.startswith("Extensible") or all(row[3] == "CDISC" for row in page.rows(short))


def test_every_link_leads_somewhere(exported: Path, page: Page) -> None:
    inside = {link[1:] for link in page.links if link.startswith("#")}
    assert inside <= page.ids
    outside = page.links - {f"#{name}" for name in inside}
    assert outside
    assert all((exported / link).is_file() for link in outside)


def test_the_page_says_from_when_study_days_count(tmp_path: Path) -> None:
    """The treatment starts 6 days after the scan of baseline, which then is on day -6; nobody else has a day."""
    write_cohort(tmp_path)
    table = tmp_path / "subjects.csv"
    table.write_text("subject,reference_start\nS1,2024-03-04\nS2,\n", encoding="utf-8")
    folder = export(ExportRequest(out=tmp_path, study=STUDY, subjects=table)).page.parent
    frame, _ = transport(folder)["TR"]
    days = frame[(frame.VISIT == "BASELINE") & frame.TRDTC.ne("")].groupby("USUBJID").TRDY.first().dropna().to_dict()
    assert days == {f"{STUDY}-S1": -6}
    page = " ".join((folder / "define.html").read_text(encoding="utf-8").split())
    assert "Study day 1 is DM.RFSTDTC, the column reference_start of the subjects table; there is no day 0." in page
    assert "baseline scan: DM.RFSTDTC" not in page


def _is_number(word: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?(e-?\d+)?", word) is not None
