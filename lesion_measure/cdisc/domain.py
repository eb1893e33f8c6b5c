"""A domain of SDTM and its supplemental qualifiers, put together subject by subject."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from lesion_measure.cdisc import terms
from lesion_measure.cdisc.dataset import Dataset, Row, Rows, Value, Variable, numbered, text
from lesion_measure.cdisc.supplemental import COLLECTED, SUPPLEMENTAL_VARIABLES, Extra

Record = tuple[dict[str, Value], Sequence[Extra]]
"""A row without its sequence number, and what the domain has no variable for."""


class Domain:
    """A domain and its SUPP--, of which the subjects come in the order of their identifiers.

    Parameters
    ----------
    name, label, structure
        The domain's, as a reader is told them.
    keys, variables
        Those of the domain.
    labels
        Labels of the supplemental qualifiers by name. A continued text carries that of the variable that it continues.
    """

    def __init__(
        self, name: str, label: str, *, structure: str, keys: tuple[str, ...], variables: tuple[Variable, ...],
        labels: Mapping[str, str],
    ) -> None:  # fmt: skip
        self._name, self._label, self._structure = name, label, structure
        self._keys, self._variables = keys, variables
        self._labels = dict(labels)
        self._continued = next((v.label for v in variables if v.name == f"{name}REASND"), "")
        self._rows = Rows(variable.name for variable in variables)
        self._more = Rows(variable.name for variable in SUPPLEMENTAL_VARIABLES)

    def add(self, records: Sequence[Record]) -> list[Row]:
        """All records of one subject; gives the rows in order and numbered."""
        extras = {id(row): more for row, more in records}
        rows = [row for row, _ in records]
        numbered(rows, self._keys, f"{self._name}SEQ")
        self._rows.add(rows)
        self._more.add(self._qualifier(row, extra) for row in rows for extra in extras[id(row)])
        return [*rows]

    def _qualifier(self, row: Row, extra: Extra) -> Row:
        number = f"{self._name}SEQ"
        return {
            "STUDYID": row["STUDYID"],
            "RDOMAIN": self._name,
            "USUBJID": row["USUBJID"],
            "IDVAR": number,
            "IDVARVAL": text(row[number]),
            "QNAM": extra.name,
            "QLABEL": self._labels.setdefault(extra.name, self._continued),
            "QVAL": extra.value,
            "QORIG": COLLECTED,
        }

    def datasets(self) -> tuple[Dataset, Dataset]:
        """The domain and its SUPP--."""
        main = Dataset(
            name=self._name, label=self._label, standard=terms.SDTM, structure=self._structure, keys=self._keys,
            variables=self._variables, rows=self._rows,
        )  # fmt: skip
        codelist = terms.Codelist(
            f"Supplemental qualifiers of {self._name}",
            f"QNAM.{self._name}",
            terms=tuple(terms.own(name, label) for name, label in self._labels.items()),
        )
        more = Dataset(
            name=f"SUPP{self._name}",
            label=f"Supplemental Qualifiers for {self._name}",
            standard=terms.SDTM,
            structure=f"One record per supplemental qualifier per record of {self._name}",
            keys=("STUDYID", "RDOMAIN", "USUBJID", "IDVAR", "IDVARVAL", "QNAM"),
            variables=tuple(replace(v, codelist=codelist) if v.name == "QNAM" else v for v in SUPPLEMENTAL_VARIABLES),
            rows=self._more,
        )
        return main, more
