"""Structured reports in: what a reader measured, as `records.Drawings` (PS3.3 A.35, C.17; PS3.16 TID 300, TID 1500).

`read_sr` reads a document of any SR class. Inside: `tree` (the bounded content tree), `groups` (numbers with the shapes
they were taken from), `shapes` and `lines` (what is drawn), `quantities` (what is stated), `structures` (of what), and
`context` (by whom, under which name).
"""

from lesion_measure.dicom.objects.reports.read import read_sr

__all__ = ["read_sr"]
