"""The whole of ``lesion-measure report``, in order: read what a run and its cohort wrote, set it on paper, write it."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lesion_measure.errors import ConfigError, InputError, check_extra
from lesion_measure.files.locks import holding
from lesion_measure.files.reading import parse_json, read_regular
from lesion_measure.files.writing import write_bytes
from lesion_measure.report.enrolment import subjects_of
from lesion_measure.report.index import MOST_WITHOUT_SCRIPT
from lesion_measure.report.rows import page_name
from lesion_measure.report.whole import child_sections
from lesion_measure.results import MAX_BYTES, Results, read_results

if TYPE_CHECKING:
    from lesion_measure.report.pdf.sheets import Front, Page

FILE = "report.pdf"
PAGE, RUN = "report.html", "run.json"
COHORT, COHORT_PAGE, COHORT_JSON = "cohort", "cohort.html", "cohort.json"
PAPERS = ("a4", "letter")
MOST_CHILDREN = MOST_WITHOUT_SCRIPT
"""Children up to whom a PDF is made: some 2,000 sheets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The file, its number of sheets, and what a person should know."""

    path: Path
    notes: tuple[str, ...]


def write_pdf(out: Path, *, paper: str = "a4") -> Written:
    """Write report.pdf into a results folder; with the cohort's pages where its folder is of the same results.

    Raises
    ------
    ConfigError
        The paper is not known, or what sets the pages is not installed.
    InputError
        The folder holds no finished run, or its pages cannot be read.
    OutputError
        The file cannot be written.
    """
    if paper not in PAPERS:
        raise ConfigError(f"Paper '{paper[:20]}' is not known.", remedy=f"It is {' or '.join(PAPERS)}.", code="paper")
    _check_installed()
    from lesion_measure.report.pdf.sheets import typeset

    results = read_results(out)
    page = _page(out, results)
    cohort, notes = _cohort(out, results)
    data = typeset(_front(out, page, results), [*cohort, page], paper)
    with holding(out):
        write_bytes(out / FILE, data, "PDF")
    return Written(path=out / FILE, notes=tuple(notes))


def _check_installed() -> None:
    check_extra("pdf", ["weasyprint"], "What sets the pages of a PDF")
    try:
        importlib.import_module("weasyprint")
    except OSError as error:  # the package is there, and the system's library is not
        raise ConfigError(
            "A PDF needs Pango, which this computer does not have.",
            remedy="Install it (Debian and Ubuntu: apt install libpangoft2-1.0-0; macOS: brew install pango; Windows: "
            "MSYS2's mingw-w64-x86_64-pango), or print report.html from a browser.",
            code="missing_library",
        ) from error


def _file(out: Path, name: str) -> Path:
    path = out / name
    if not path.is_file():
        raise InputError(
            f"The folder holds no {name}.",
            remedy="Give the output folder of a finished 'lesion-measure run'.",
            code="no_results",
            path=str(out),
        )
    return path


def _page(out: Path, results: Results) -> Page:
    """The report with every child, whether it is one file or has a page for each of them."""
    from lesion_measure.report.pdf.sheets import read_page, with_children

    page = read_page(_file(out, PAGE))
    if not page.is_index:
        return page
    if len(results.subjects) > MOST_CHILDREN:
        raise InputError(
            f"A PDF holds at most {MOST_CHILDREN} children, and this run has {len(results.subjects)}.",
            remedy="Print report.html and the pages of the children that you need from a browser.",
            code="too_many_children",
            path=PAGE,
        )
    return with_children(page, child_sections(out, (page_name(each.subject) for each in results.subjects)))


def _cohort(out: Path, results: Results) -> tuple[list[Page], list[str]]:
    """The cohort's page, where it was made from these results."""
    from lesion_measure.report.pdf.sheets import read_page

    folder = out / COHORT
    if not (folder / COHORT_PAGE).is_file():
        return [], ["no cohort in it: run 'lesion-measure cohort' first to have the trial's answer in the PDF"]
    document = _json(folder / COHORT_JSON)
    if document.get("results", {}).get("sha256") != results.sha256:
        return [], ["the cohort is of other results and is left out: run 'lesion-measure cohort' again"]
    counted, everyone = document.get("subjects", {}), subjects_of(results)
    if counted.get("excluded", []) != _excluded(results) or counted.get("listed", len(everyone)) != len(everyone):
        return [], [
            "the cohort lists or excludes other subjects than the report, by a subjects table that the run did not "
            "have, and is left out: run 'lesion-measure run' again with that table, or 'lesion-measure cohort' without "
            "it"
        ]
    return [read_page(folder / COHORT_PAGE)], []


def _excluded(results: Results) -> list[dict[str, Any]]:
    """Who is excluded by the run's own subjects table, as cohort.json says it."""
    table = results.table() or {}
    return [{"subject": code, "reasons": list(row.excluded)} for code, row in sorted(table.items()) if row.excluded]


def _json(path: Path) -> dict[str, Any]:
    try:
        document = parse_json(read_regular(path, MAX_BYTES))
    except (OSError, ValueError) as error:
        raise InputError("The file cannot be read.", code="results", path=path.name) from error
    return document if isinstance(document, dict) else {}


def _front(out: Path, page: Page, results: Results) -> Front:
    from lesion_measure.report.pdf.sheets import Front

    run = _json(_file(out, RUN))
    model = f"{results.model} (weights {results.model_sha256 or 'not known'})" if results.model else "none"
    started = str(run.get("started", ""))
    short = f"run {results.sha256[:12]} · configuration {results.config_sha256[:12]} · "
    short += f"model {results.model} {(results.model_sha256 or '')[:12]}" if results.model else "no model"
    return Front(
        title=page.title,
        facts={
            "Run": f"results.json SHA-256 {results.sha256}",
            "Configuration": f"SHA-256 {results.config_sha256}",
            "Model": model,
            "Software": f"lesion_measure {results.package_version}",
            "Made": started,
            "Command": str(run.get("command", "")),
        },
        provenance=f"{short} · lesion_measure {results.package_version} · {started}",
        started=_time(started),
        producer=f"lesion_measure {results.package_version}",
    )


def _time(text: str) -> datetime:
    try:
        made = datetime.fromisoformat(text)
    except ValueError:
        return datetime(1970, 1, 1, tzinfo=UTC)
    return made if made.tzinfo else made.replace(tzinfo=UTC)
