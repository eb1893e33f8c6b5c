"""SDTM SUPP-- (what a domain has no variable for) and RELREC (which records belong together)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lesion_measure.cdisc import terms
from lesion_measure.cdisc.dataset import Dataset, Origin, Rows, Value, Variable
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
        rows=Rows((variable.name for variable in RELATION_VARIABLES), rows),
    )
