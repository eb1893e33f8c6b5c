"""define.html: what the datasets hold, in the spirit of a Define-XML and in the house style of the report.

Datasets with their keys, every variable with type, length, origin and terms, and every codelist with whose terms they
are and how often each was used. One file, offline, without scripts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import jinja2

from lesion_measure import __version__
from lesion_measure.cdisc import terms
from lesion_measure.cdisc.dataset import Dataset, VariableType, text
from lesion_measure.cdisc.terms import Codelist, Term
from lesion_measure.files.writing import write_text
from lesion_measure.report.pages import page_environment
from lesion_measure.report.words import plural
from lesion_measure.results import Results

TYPES = {
    VariableType.TEXT: "text",
    VariableType.INTEGER: "integer",
    VariableType.FLOAT: "float",
    VariableType.ISO_DATE: "date (ISO 8601)",
    VariableType.DATE: "date (number; SAS format DATE9.)",
}
OPEN = frozenset({"MEDEVAL", "RSSCAT", "ONCRSR", "VISIT", "EPOCH"})
"""Lists whose own additions come from the run: names of readers and networks, of rules, visits
and epochs, and rules' own verdicts."""


@dataclass(frozen=True, slots=True)
class UsedCodelist:
    """A codelist with the sponsor's additions of this run, and how many values hold each term."""

    codelist: Codelist
    counts: Counter[str]
    variables: tuple[str, ...]


def codelists_in_use(datasets: Sequence[Dataset]) -> list[UsedCodelist]:
    """Every codelist that a variable names, in the order of their names."""
    lists: dict[str, Codelist] = {}
    counts: dict[str, Counter[str]] = {}
    variables: dict[str, list[str]] = {}
    for dataset in datasets:
        for variable in dataset.variables:
            if variable.codelist is None:
                continue
            short = variable.codelist.short
            lists[short] = variable.codelist
            counts.setdefault(short, Counter()).update(text(v) for v in dataset.column(variable.name) if v is not None)
            variables.setdefault(short, []).append(f"{dataset.name}.{variable.name}")
    return [UsedCodelist(_with_own(lists[s], counts[s]), counts[s], tuple(variables[s])) for s in sorted(lists)]


def visits_in_use(datasets: Sequence[Dataset]) -> list[tuple[str, str]]:
    """VISITNUM and VISIT of the visits in the data, in order."""
    rows = (row for dataset in datasets for row in dataset.rows)
    found = {
        number: name for row in rows if isinstance(number := row.get("VISITNUM"), float) and (name := row["VISIT"])
    }
    return [(text(number), text(name)) for number, name in sorted(found.items())]


def _with_own(codelist: Codelist, counts: Counter[str]) -> Codelist:
    """The list, with values of the data that it does not name as the sponsor's terms."""
    if codelist.short not in OPEN:
        return codelist
    known = {term.value for term in codelist.terms}
    added = tuple(terms.own(value, "As in the results") for value in sorted(counts) if value not in known)
    return replace(codelist, terms=codelist.terms + added)


def write_page(
    path: Path,
    datasets: Sequence[Dataset],
    results: Results,
    *,
    study: str,
    formats: Sequence[str],
    created: datetime,
    notes: Sequence[str],
) -> None:
    """Write the page; ``notes`` say who counts.

    Parameters
    ----------
    path
        The page to write.
    datasets
        What it describes.
    results
        The run that they are from.
    study
        Identifier of the study.
    formats
        Names of the formats that lie beside the page.
    created
        When the export was made.
    notes
        Sentences that say who counts.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    template = _environment().get_template("define.html.j2")
    page = template.render(
        study=study,
        datasets=datasets,
        codelists=codelists_in_use(datasets),
        visits=visits_in_use(datasets),
        results=results,
        notes=notes,
        formats=formats,
        created=created.isoformat(timespec="seconds"),
    )
    write_text(path, page, "page")


def whose(term: Term) -> str:
    """Whose a term is, in words."""
    return "CDISC" if term.cdisc else "sponsor-defined"


def _environment() -> jinja2.Environment:
    environment = page_environment("lesion_measure.cdisc", ("lesion_measure.cdisc", "define.css"))
    environment.globals |= {
        "version": __version__,
        "SDTM": terms.SDTM,
        "ADAM": terms.ADAM,
        "TERMINOLOGY": terms.TERMINOLOGY,
        "TYPES": TYPES,
        "whose": whose,
        "plural": plural,
    }
    return environment
