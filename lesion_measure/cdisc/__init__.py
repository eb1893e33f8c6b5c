"""Exports for a trial's database: a run's results as CDISC datasets.

SDTM TU, TR, RS (with SUPP-- and RELREC), LB where laboratory values are given, and ADaM ADTR; as SAS transport files,
Dataset-JSON and CSV, with a page that describes every variable and term. Measurements are read from results.json and
never made anew. ``docs/cdisc.md`` says which record holds what, and whose terms are used.
"""

from lesion_measure.cdisc.command import Export, ExportRequest, export
from lesion_measure.cdisc.dataset import Dataset, Variable, VariableType
from lesion_measure.cdisc.files import FORMATS
from lesion_measure.cdisc.terms import Evaluator
from lesion_measure.cdisc.xpt import Encoding, transport_file

__all__ = [
    "FORMATS",
    "Dataset",
    "Encoding",
    "Evaluator",
    "Export",
    "ExportRequest",
    "Variable",
    "VariableType",
    "export",
    "transport_file",
]
