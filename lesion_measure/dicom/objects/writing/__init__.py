"""What was measured, as DICOM: a segmentation for each outline, a structured report for each study.

Made from the records of results.json and the headers of the images alone, so the same result gives the same bytes.
docs/dicom_objects.md describes both, and which of their attributes only serve viewers.
"""

from lesion_measure.dicom.objects.writing.document import Report, report
from lesion_measure.dicom.objects.writing.groups import Setting, Shown
from lesion_measure.dicom.objects.writing.identity import Sealed, tracking_uid
from lesion_measure.dicom.objects.writing.original import Original, read_original
from lesion_measure.dicom.objects.writing.predecessors import Reference, Written, known_report, reference
from lesion_measure.dicom.objects.writing.quiet import quietly
from lesion_measure.dicom.objects.writing.rejection import rejection_note
from lesion_measure.dicom.objects.writing.segmentation import Outlined, segmentation

__all__ = [
    "Original",
    "Outlined",
    "Reference",
    "Report",
    "Sealed",
    "Setting",
    "Shown",
    "Written",
    "known_report",
    "quietly",
    "read_original",
    "reference",
    "rejection_note",
    "report",
    "segmentation",
    "tracking_uid",
]
