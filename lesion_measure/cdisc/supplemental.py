"""SDTM SUPP-- (what a domain has no variable for) and RELREC (which records belong together)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from lesion_measure.cdisc import terms
from lesion_measure.cdisc.dataset import Dataset, Origin, Value, Variable, text

_ORIGIN = "Origin of the value: eDT, electronic data transfer from the measuring program"

SUPPLEMENTAL_VARIABLES = (
    Variable("STUDYID", "Study Identifier", origin=Origin.PROTOCOL, comment="As given with --study"),
    Variable("RDOMAIN", "Related Domain Abbreviation"),
    Variable("USUBJID", "Unique Subject Identifier", comment="As in the domain"),
    Variable("IDVAR", "Identifying Variable", comment="Sequence number of the domain"),
    Variable("IDVARVAL", "Identifying Variable Value", comment="Value of IDVAR in the record that this belongs to"),
    Variable("QNAM", "Qualifier Variable Name"),
    Variable("QLABEL", "Qualifier Variable Label", comment="Meaning of QNAM"),
    Variable("QVAL", "Data Value", origin=Origin.COLLECTED),
    Variable("QORIG", "Origin", comment=_ORIGIN),
)

RELATION_VARIABLES = (
    Variable("STUDYID", "Study Identifier", origin=Origin.PROTOCOL, comment="As given with --study"),
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
    origin: str


def supplemental(main: Dataset, labels: Mapping[str, str], extras: Sequence[Sequence[Extra]]) -> Dataset:
    """SUPP-- of a domain: ``extras`` of each of its rows, ``labels`` of the qualifiers by name.

    A continued text carries the label of the variable that it continues.
    """
    number = f"{main.name}SEQ"
    reason = next((v.label for v in main.variables if v.name == f"{main.name}REASND"), "")
    names = dict(labels) | {extra.name: reason for own in extras for extra in own if extra.name not in labels}
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
            "QORIG": extra.origin,
        }
        for row, own in zip(main.rows, extras, strict=True)
        for extra in own
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


def relations(study: str) -> Dataset:
    """RELREC: TU to TR by lesion, TR to RS by visit."""
    links = (
        ("TU", "TULNKID", "ONE", "TUTR"),
        ("TR", "TRLNKID", "MANY", "TUTR"),
        ("TR", "TRLNKGRP", "MANY", "TRRS"),
        ("RS", "RSLNKGRP", "ONE", "TRRS"),
    )
    rows: list[dict[str, Value]] = [
        {"STUDYID": study, "RDOMAIN": domain, "IDVAR": name, "RELTYPE": kind, "RELID": relation}
        for domain, name, kind, relation in links
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
