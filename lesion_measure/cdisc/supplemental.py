"""SDTM SUPP-- (what a domain has no variable for) and RELREC (which records belong together)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from lesion_measure.cdisc import terms
from lesion_measure.cdisc.dataset import Dataset, Origin, Row, Value, Variable, text
from lesion_measure.cdisc.variables import STUDYID, USUBJID

COLLECTED = "Collected"
_ORIGIN = "Origin of every value: transferred from the measuring program (Define-XML 2.1: Collected, source Vendor)"
_NO_OPINION = "Empty: no value is a person's opinion"

SUPPLEMENTAL_VARIABLES = (
    STUDYID,
    Variable("RDOMAIN", "Related Domain Abbreviation"),
    USUBJID,
    Variable("IDVAR", "Identifying Variable", comment="Sequence number of the domain"),
    Variable("IDVARVAL", "Identifying Variable Value", comment="Value of IDVAR in the record that this belongs to"),
    Variable("QNAM", "Qualifier Variable Name"),
    Variable("QLABEL", "Qualifier Variable Label", comment="Meaning of QNAM"),
    Variable("QVAL", "Data Value", origin=Origin.COLLECTED),
    Variable("QORIG", "Origin", comment=_ORIGIN),
    Variable("QEVAL", "Evaluator", origin=Origin.NOT_AVAILABLE, comment=_NO_OPINION, codelist=terms.EVALUATORS),
)

RELATION_VARIABLES = (
    STUDYID,
    Variable("RDOMAIN", "Related Domain Abbreviation"),
    Variable("USUBJID", "Unique Subject Identifier", comment="Empty: the relations hold for whole datasets"),
    Variable("IDVAR", "Identifying Variable"),
    Variable("IDVARVAL", "Identifying Variable Value", comment="Empty: the relations hold for whole datasets"),
    Variable("RELTYPE", "Relationship Type", comment="ONE or MANY records of this dataset to one of the other"),
    Variable("RELID", "Relationship Identifier"),
)


@dataclass(frozen=True, slots=True)
class Extra:
    """One supplemental qualifier of one record."""

    name: str
    value: str


class Extras:
    """The supplemental qualifiers of records that are not yet in order and have no sequence number."""

    def __init__(self) -> None:
        self._of: dict[int, tuple[Row, Sequence[Extra]]] = {}

    def add(self, row: Row, extras: Sequence[Extra]) -> None:
        """Keep the qualifiers of a record, which stays the same object until the end."""
        self._of[id(row)] = row, extras

    def of(self, row: Row) -> Sequence[Extra]:
        """The qualifiers of a record."""
        return self._of[id(row)][1]


def supplemental(main: Dataset, labels: Mapping[str, str], extras: Extras) -> Dataset:
    """SUPP-- of a domain: ``extras`` of its rows, ``labels`` of the qualifiers by name.

    A continued text carries the label of the variable that it continues.
    """
    number = f"{main.name}SEQ"
    reason = next((v.label for v in main.variables if v.name == f"{main.name}REASND"), "")
    names = dict(labels) | {
        extra.name: reason for row in main.rows for extra in extras.of(row) if extra.name not in labels
    }
    codelist = terms.Codelist(
        f"Supplemental qualifiers of {main.name}",
        f"QNAM.{main.name}",
        terms=tuple(terms.own(name, label) for name, label in names.items()),
    )
    rows: list[dict[str, Value]] = [
        {
            "STUDYID": row["STUDYID"],
            "RDOMAIN": main.name,
            "USUBJID": row["USUBJID"],
            "IDVAR": number,
            "IDVARVAL": text(row[number]),
            "QNAM": extra.name,
            "QLABEL": names[extra.name],
            "QVAL": extra.value,
            "QORIG": COLLECTED,
        }
        for row in main.rows
        for extra in extras.of(row)
    ]
    return Dataset(
        name=f"SUPP{main.name}",
        label=f"Supplemental Qualifiers for {main.name}",
        standard=terms.SDTM,
        structure=f"One record per supplemental qualifier per record of {main.name}",
        keys=("STUDYID", "RDOMAIN", "USUBJID", "IDVAR", "IDVARVAL", "QNAM"),
        variables=tuple(replace(v, codelist=codelist) if v.name == "QNAM" else v for v in SUPPLEMENTAL_VARIABLES),
        rows=tuple(rows),
    )


LINKS = (
    ("TUTR", ("TU", "TULNKID", "ONE"), ("TR", "TRLNKID", "MANY")),
    ("TRRS", ("TR", "TRLNKGRP", "MANY"), ("RS", "RSLNKGRP", "ONE")),
)
"""RELID, and of both datasets the domain, the variable that links them, and how many of its records belong together."""


def relations(study: str, datasets: Sequence[Dataset]) -> Dataset:
    """RELREC: TU to TR by lesion, TR to RS by visit; no relation to a dataset that has no records."""
    present = {dataset.name for dataset in datasets if dataset.rows}
    rows: list[dict[str, Value]] = [
        {"STUDYID": study, "RDOMAIN": domain, "IDVAR": name, "RELTYPE": kind, "RELID": relation}
        for relation, *sides in LINKS
        if present.issuperset(domain for domain, _, _ in sides)
        for domain, name, kind in sides
    ]
    return Dataset(
        name="RELREC",
        label="Related Records",
        standard=terms.SDTM,
        structure="One record per related dataset",
        keys=("STUDYID", "RDOMAIN", "USUBJID", "IDVAR", "IDVARVAL", "RELID"),
        variables=RELATION_VARIABLES,
        rows=tuple(rows),
    )
