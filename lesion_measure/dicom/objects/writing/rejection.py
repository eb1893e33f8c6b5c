"""A rejection note (IHE RAD, Imaging Object Change Management): results of ours that a corrected one replaces.

It is a Key Object Selection (PS3.3 A.35.4) under the title that rejects. A PACS that knows the profile hides what it
lists, and keeps it.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydicom import Dataset

from lesion_measure.dicom.objects.ours import MAKER
from lesion_measure.dicom.objects.writing import codes
from lesion_measure.dicom.objects.writing.identity import PLACEHOLDER, Sealed, sealed

SERIES_NUMBER = 9003
_DESCRIPTION = "Replaced by a corrected result of lesion_measure."


def rejection_note(rejected: Sequence[Dataset], version: str) -> Sealed:
    """The note that rejects objects of one study, the same bytes for the same objects.

    Parameters
    ----------
    rejected
        The headers of the objects, which are replaced for their quality.
    version
        This program's.
    """
    import highdicom as hd

    in_order = sorted(rejected, key=lambda header: str(header.SOPInstanceUID))
    dataset = hd.ko.KeyObjectSelectionDocument(
        in_order,
        hd.ko.KeyObjectSelection(codes.REJECTED_FOR_QUALITY, in_order, description=_DESCRIPTION),
        series_instance_uid=PLACEHOLDER,
        series_number=SERIES_NUMBER,
        sop_instance_uid=PLACEHOLDER,
        instance_number=1,
        manufacturer=MAKER,
        manufacturer_model_name=MAKER,
        software_versions=version,
        device_serial_number=version,
        series_description="Rejected results",
        coding_schemes=codes.declaration(),
    )
    dataset.ContentDate, dataset.ContentTime = in_order[0].ContentDate, in_order[0].ContentTime
    return sealed(dataset)
