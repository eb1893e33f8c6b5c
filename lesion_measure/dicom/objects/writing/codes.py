"""Coded concepts of segmentations and reports: those of the standard (PS3.16) where it has one, else our own.

Our own stand under the private scheme `SCHEME`, which every object declares (CodingSchemeIdentificationSequence).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydicom.sr.coding import Code

from lesion_measure.dicom.objects.ours import SCHEME
from lesion_measure.records import Metric, Plane, VolumeMethod

if TYPE_CHECKING:
    from highdicom.coding_schemes import CodingSchemeIdentificationItem

SCHEME_NAME = "Codes of lesion_measure"


def own(value: str, meaning: str) -> Code:
    """A concept of our own: at most 16 characters, and 64 of meaning."""
    return Code(value, SCHEME, meaning)


MM, MM2, ML = Code("mm", "UCUM", "millimeter"), Code("mm2", "UCUM", "square millimeter"), Code("mL", "UCUM", "mL")
PERCENT, DAY = Code("%", "UCUM", "percent"), Code("d", "UCUM", "day")
UNITS = {"mm": MM, "mm2": MM2, "mL": ML}

IMAGING_MEASUREMENTS = Code("126010", "DCM", "Imaging Measurements")
DERIVED_MEASUREMENTS = Code("126011", "DCM", "Derived Imaging Measurements")
QUALITATIVE_EVALUATIONS = Code("C0034375", "UMLS", "Qualitative Evaluations")
REPORT_TITLE = Code("126000", "DCM", "Imaging Measurement Report")
ENGLISH = Code("en-US", "RFC5646", "English (United States)")
REJECTED_FOR_QUALITY = Code("113001", "DCM", "Rejected for Quality Reasons")
ULTRASONOGRAPHY = Code("16310003", "SCT", "Diagnostic ultrasonography")

LESION, LIVER = Code("52988006", "SCT", "Lesion"), Code("10200004", "SCT", "Liver")
ABNORMAL = Code("49755003", "SCT", "Morphologically Abnormal Structure")
ORGAN = Code("91723000", "SCT", "Anatomical Structure")
LESION_IDENTIFIER = Code("121151", "DCM", "Lesion Identifier")
PRESENCE, ABSENT = Code("121052", "DCM", "Presence of property"), Code("121054", "DCM", "Absent")
IMAGE_VIEW = Code("111031", "DCM", "Image View")
COMMENT = Code("121106", "DCM", "Comment")
BASELINE = Code("121079", "DCM", "Baseline")
NETWORK = Code("123110", "DCM", "Artificial Intelligence")

LONG_AXIS, SHORT_AXIS = Code("103339001", "SCT", "Long Axis"), Code("103340004", "SCT", "Short Axis")
THIRD_DIAMETER = Code("131189007", "SCT", "Perpendicular Axis")
AREA, VOLUME = Code("42798000", "SCT", "Area"), Code("118565006", "SCT", "Volume")
BODY_AXES = (
    own("longest_3d", "Longest diameter of the lesion in 3D"),
    own("second_3d", "Extent in 3D perpendicular to the longest diameter"),
    own("third_3d", "Extent in 3D perpendicular to both"),
)

UPPER = Code("371886008", "SCT", "+, range of upper measurement uncertainty")
LOWER = Code("371885007", "SCT", "-, range of lower measurement uncertainty")
ERROR_SD = own("error_sd", "Standard deviation of the measurement error")
COVERAGE = own("coverage", "Coverage of the range of measurement uncertainty")

CALIPERS = own("calipers", "Reader's calipers")
MASK = own("mask", "Reader's outline (mask)")
AUTOMATIC = own("automatic", "Network, automatic")
PROMPTED = own("prompted", "Network, prompted by a reader's calipers")
STATEMENT = own("statement", "Reader's statement")
LINE_SOURCE = own("line_source", "What this line comes from")

SCAN_PLANES = {
    Plane.TRANSVERSE: Code("62824007", "SCT", "Transverse"),
    Plane.SAGITTAL: Code("30730003", "SCT", "Sagittal"),
    Plane.CORONAL: Code("81654009", "SCT", "Coronal"),
    Plane.OBLIQUE: Code("21114003", "SCT", "Oblique"),
}
VOLUME_METHODS = {
    VolumeMethod.VOXELS: Code("126030", "DCM", "Sum of segmented voxel method for volume"),
    VolumeMethod.ELLIPSOID: Code("126029", "DCM", "LWH method for volume of ellipsoid"),
    VolumeMethod.BIPLANE: own("vol_biplane", "Area-length, outlines of two orthogonal planes"),
    VolumeMethod.ROTATION: own("vol_rotation", "Ellipsoid, one plane, rotation symmetry assumed"),
    VolumeMethod.AREA_LENGTH: own("vol_arealength", "Area-length, one outline, rotation symmetry assumed"),
}
CHANGES = {
    Metric.LONGEST_DIAMETER: own("chg_longest", "Change of the longest diameter from baseline"),
    Metric.SUM_OF_DIAMETERS: own("chg_sum_diam", "Change of the sum of longest diameters from baseline"),
    Metric.SUM_OF_PRODUCTS: own("chg_sum_prod", "Change of the sum of products of diameters from baseline"),
    Metric.VOLUME: own("chg_volume", "Change of the sum of volumes from baseline"),
}
SIZE_AT_BASELINE = own("size_baseline", "Size at baseline")
SIZE_NOW = own("size_visit", "Size at this visit")
INTERVAL_LOW = own("ci95_low", "Lower end of the 95 % interval")
INTERVAL_HIGH = own("ci95_high", "Upper end of the 95 % interval")

RESPONSE = Code("112048", "DCM", "Current Response")
RESPONSE_METHOD = Code("112021", "DCM", "Response Evaluation Method")
EXPLANATION = own("explanation", "Explanation")
CERTAINTY = own("certainty", "Certainty of the verdict")
CERTAIN = own("certain", "Certain: measurement error alone cannot turn it")
NOT_CERTAIN = own("not_certain", "Not certain: needs review")
REVIEW_STATE = own("review_state", "State of review")
NEEDS_REVIEW = own("needs_review", "Needs review")
REVIEW_ITEM = own("review_item", "What needs review")
WARNING = own("warning", "Warning")


def declaration() -> list[CodingSchemeIdentificationItem]:
    """What declares our own scheme in an object (PS3.3 C.12.1.1, CodingSchemeIdentificationSequence)."""
    from highdicom.coding_schemes import CodingSchemeIdentificationItem

    return [CodingSchemeIdentificationItem(SCHEME, SCHEME_NAME, responsible_organization="lesion_measure")]
