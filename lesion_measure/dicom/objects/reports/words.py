"""The coded words of reports that matter here: what is measured, of what, by whom (PS3.16, and what viewers write)."""

from __future__ import annotations

from lesion_measure.dicom.objects.reports.tree import Code
from lesion_measure.records import Plane

_SRT, _SCT, _DCM = "SRT", "SCT", "DCM"

GROUP = {(_DCM, "125007")}
REPORT = {(_DCM, "126000")}
MEASUREMENTS = {(_DCM, "126010")}
DERIVED = {(_DCM, "126011")}
LESION_IDENTIFIER = {(_DCM, "121151")}
TRACKING_IDENTIFIER = {(_DCM, "112039")}
TRACKING_UID = {(_DCM, "112040")}
FINDING = {(_DCM, "121071")}
SITE = {(_SRT, "G-C0E3"), (_SCT, "363698007")}
SHORT_LABEL = {(_DCM, "125309")}
COMMENT = {(_DCM, "121106")}
COLOUR = {(_SCT, "718499004")}
PRESENCE, ABSENT = {(_DCM, "121052"), (_SCT, "705057003")}, {(_DCM, "121054"), (_SCT, "2667000")}
PERSON = {(_DCM, "121008")}
ALGORITHM = {(_DCM, "111001")}
DEVICE_NAME = {(_DCM, "121013")}
DEVICE_MODEL = {(_DCM, "121015")}
FURNITURE = {(_DCM, "122438"), ("99CS3D", "TextPosition"), ("99CS3D", "ControlPoints")}
"""Points that place a label or make up a curve; they measure nothing."""
VIEW = {(_DCM, "111031")}
PLANES = {
    (_SCT, "62824007"): Plane.TRANSVERSE, (_SCT, "30730003"): Plane.SAGITTAL, (_SCT, "81654009"): Plane.CORONAL,
    (_SCT, "21114003"): Plane.OBLIQUE,
}  # fmt: skip
IMAGE_LIBRARY = {(_DCM, "111028")}

LONG_AXIS = {(_SRT, "G-A185"), (_SCT, "103339001"), (_SRT, "G-A193"), (_SCT, "131187009")}
SHORT_AXIS = {(_SRT, "G-A186"), (_SCT, "103340004"), (_SRT, "G-A194"), (_SCT, "131188004")}
LENGTH = {
    (_SRT, "G-D7FE"), (_SCT, "410668003"),  # length
    (_SRT, "M-02550"), (_SCT, "81827009"),  # diameter
    (_SRT, "G-A220"), (_SCT, "103355008"),  # width
    (_SRT, "G-D785"), (_SCT, "131197000"), (_DCM, "111020"),  # depth
    (_DCM, "121206"),  # distance
    (_DCM, "121207"),  # height
}  # fmt: skip
NO_LENGTH = {
    (_SRT, "G-A196"), (_SCT, "131190003"),  # radius
    (_SRT, "G-A197"), (_SCT, "131191004"),  # perimeter
    (_SRT, "M-02560"), (_SCT, "74551000"),  # circumference
    (_SCT, "56851009"), (_SCT, "255605001"), (_SCT, "373098007"), (_SCT, "386136009"),  # of grey levels
}  # fmt: skip


def is_one(code: Code, known: set[tuple[str, str]]) -> bool:
    """Whether a code is one of those known."""
    return code.key in known
