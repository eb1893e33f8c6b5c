"""Controlled terminology: which words the datasets use, and whose they are.

Codes are those of the NCI Thesaurus, under which CDISC publishes its terms. A term without `cdisc` is the sponsor's own
addition to a codelist that CDISC lets sponsors extend.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lesion_measure.records import Source, VolumeMethod

SDTM = "SDTMIG 3.4"
ADAM = "ADaMIG 1.3, basic data structure"
TERMINOLOGY = "CDISC SDTM controlled terminology, 2022"


@dataclass(frozen=True, slots=True)
class Term:
    """One permitted value, what it means, and its NCI code."""

    value: str
    meaning: str = ""
    code: str = ""
    cdisc: bool = True


@dataclass(frozen=True, slots=True)
class Codelist:
    """A list of terms, with the NCI code under which CDISC publishes it, where it does."""

    name: str
    short: str
    code: str = ""
    extensible: bool = True
    terms: tuple[Term, ...] = ()


def own(value: str, meaning: str) -> Term:
    """A sponsor-defined term."""
    return Term(value, meaning, cdisc=False)


class Evaluator(StrEnum):
    """Role of the people who placed calipers or stated that a lesion is gone (codelist EVAL)."""

    INVESTIGATOR = "INVESTIGATOR"
    INDEPENDENT = "INDEPENDENT ASSESSOR"


AI = "AI MODEL"
WITH_AI = " WITH AI MODEL"

YES_NO = Codelist("No Yes Response", "NY", "C66742", False, (Term("N", "No", "C49487"), Term("Y", "Yes", "C49488")))
NOT_DONE = Codelist("Not Done", "ND", "C66789", False, (Term("NOT DONE", "Not done", "C49484"),))
UNITS = Codelist(
    "Unit", "UNIT", "C71620",
    terms=(
        Term("mm", "Millimeter", "C28251"),
        Term("mm2", "Square millimeter", "C65104"),
        Term("mL", "Milliliter", "C28254"),
        Term("ug/L", "Microgram per liter; the same number in ng/mL", "C67306"),
        own("mAU/mL", "Milli arbitrary unit per milliliter of the PIVKA-II assay; CDISC's AU is an allergy unit"),
    ),
)  # fmt: skip
EVALUATORS = Codelist(
    "Evaluator", "EVAL", "C78735",
    terms=(
        Term("INVESTIGATOR", "Reader at the trial site", "C25936"),
        Term("INDEPENDENT ASSESSOR", "Reader outside of the trial site", "C78720"),
        own(AI, "Measured by a neural network alone"),
        own("INVESTIGATOR" + WITH_AI, "Outlined by a neural network from a reader's calipers, or from both sources"),
        own("INDEPENDENT ASSESSOR" + WITH_AI, "The same with an independent reader"),
    ),
)  # fmt: skip
EVALUATOR_IDS = Codelist(
    "Medical Evaluator Identifier", "MEDEVAL", "C96777",
    terms=(
        Term("RADIOLOGIST 1", "", "C94530"),
        Term("RADIOLOGIST 2", "", "C94531"),
        Term("READER 1", "", "C94532"),
        Term("READER 2", "", "C94533"),
    ),
)  # fmt: skip
METHODS = Codelist("Method", "METHOD", "C85492", terms=(Term("ULTRASOUND", "Ultrasound imaging", "C17230"),))
LOCATIONS = Codelist("Anatomical Location", "LOC", "C74456", terms=(Term("LIVER", "Liver", "C12392"),))
VISIT_NAMES = Codelist("Visit", "VISIT")
EPOCHS = Codelist(
    "Epoch", "EPOCH", "C99079",
    terms=(Term("SCREENING", "Before the first dose"), Term("TREATMENT", "Under treatment")),
)  # fmt: skip
IDENTIFICATIONS = {"LESIDENT": "Lesion Identification", "TUSPLIT": "Tumor Split", "TUMERGE": "Tumor Merged"}
"""TUTESTCD and TUTEST."""
LESION_TESTS = Codelist(
    "Tumor or Lesion Identification Test Code", "TUTESTCD", "C96784",
    terms=(
        Term("LESIDENT", "Lesion Identification", "C94189"),
        Term("TUSPLIT", "Tumor Split: a part of the lesion that TUGRPID names"),
        Term("TUMERGE", "Tumor Merged: what the lesions that TUGRPID names became together"),
    ),
)  # fmt: skip
LESION_TEST_NAMES = Codelist(
    "Tumor or Lesion Identification Test Name", "TUTEST", "C96783",
    terms=tuple(Term(name, "", "C94189" if test == "LESIDENT" else "") for test, name in IDENTIFICATIONS.items()),
)  # fmt: skip
LOCATION = "LOCATION OF INTEREST"
LESION_RESULTS = Codelist(
    "Tumor or Lesion Identification Test Results", "TUIDRS", "C123650",
    terms=(
        Term("TARGET", "Measured at baseline, and chosen by the protocol's rule for the sums", "C94520"),
        Term("NON-TARGET", "Known at baseline and in no sum", "C94521"),
        Term("NEW", "First seen after baseline; see TUMSTATE in TR for whether that is settled", "C94522"),
        Term("NON-MEASURABLE", "Known at baseline, where it could not be measured", "C103423"),
        Term("UNKNOWN", "No baseline scan says whether it was there", "C17998"),
        Term(LOCATION, "No lesion: the liver itself, which a reader measured"),
    ),
)  # fmt: skip
_SIZES = (
    ("LDIAM", "Longest Diameter", "C96684"),
    ("LPERP", "Longest Perpendicular", "C96685"),
    ("AREA", "Area", "C25244"),
    ("VOLUME", "Volume", "C74720"),
    ("TUMSTATE", "Tumor State", "C96643"),
)
_ALL = "Tumor/Lesion Results"
VOLUME_METHODS = {
    VolumeMethod.VOXELS: ("VOLVOX", "Volume, Sum of Voxels"),
    VolumeMethod.ELLIPSOID: ("VOLELL3", "Volume, Ellipsoid of Three Diameters"),
    VolumeMethod.BIPLANE: ("VOLBIPL", "Volume, Biplane Area-Length"),
    VolumeMethod.ROTATION: ("VOLELL1", "Volume, Ellipsoid of One Plane"),
    VolumeMethod.AREA_LENGTH: ("VOLAL1", "Volume, Area-Length of One Plane"),
}
"""Sponsor-defined code and name of each volume method."""
_OWN_SIZES = {"LDIAM3D": "Longest Diameter in 3D", **dict(VOLUME_METHODS.values())}
TESTS = {test: name for test, name, _ in _SIZES} | _OWN_SIZES | {"TRALL": _ALL}
SIZE_TESTS = Codelist(
    "Tumor or Lesion Properties Test Code", "TRTESTCD", "C96779",
    terms=(
        *(Term(test, name, code) for test, name, code in _SIZES),
        own("LDIAM3D", "Greatest diameter of the lesion's surface in true 3D data"),
        *(own(code, f"{name}, where VOLUME is by another method") for code, name in VOLUME_METHODS.values()),
        own("TRALL", "All tests of a visit, where none was done (SDTMIG 4.5.1.2)"),
    ),
)  # fmt: skip
SIZE_TEST_NAMES = Codelist(
    "Tumor or Lesion Properties Test Name", "TRTEST", "C96778",
    terms=(
        *(Term(name, "", code) for _, name, code in _SIZES),
        *(own(name, f"Name of {code}") for code, name in _OWN_SIZES.items()),
        own(_ALL, "Name of TRALL"),
    ),
)  # fmt: skip
LESION_STATES = Codelist(
    "Tumor or Lesion Properties Test Result", "TRPROPRS", "C124309",
    terms=(
        Term("ABSENT", "A reader states that the lesion is gone", "C48190"),
        Term("EQUIVOCAL", "New, or missed at baseline: not settled", "C86071"),
        Term("PRESENT", "A non-target lesion that is there; a new one beyond doubt by a reader's statement", "C25626"),
    ),
)  # fmt: skip
_RESPONSES = (
    ("TRGRESP", "Target Response", "C94534"),
    ("NTRGRESP", "Non-target Response", "C94535"),
    ("NEWLPROG", "New Lesion Progression", "C103420"),
    ("OVRLRESP", "Overall Response", "C96613"),
)
ASSESSMENTS = {test: name for test, name, _ in _RESPONSES}
RESPONSE_TESTS = Codelist(
    "Oncology Response Assessment Test Code", "ONCRTSCD", "C96782",
    terms=tuple(Term(test, name, code) for test, name, code in _RESPONSES),
)  # fmt: skip
RESPONSE_TEST_NAMES = Codelist(
    "Oncology Response Assessment Test Name", "ONCRTS", "C96781",
    terms=tuple(Term(name, "", code) for _, name, code in _RESPONSES),
)  # fmt: skip
PROTOCOL_CRITERIA = "PROTOCOL DEFINED RESPONSE CRITERIA"
RESPONSE_CATEGORIES = Codelist(
    "Category of Oncology Response Assessment", "ONCRSCAT", "C124298",
    terms=(Term(PROTOCOL_CRITERIA, "The rule that RSSCAT names", "C126042"),),
)  # fmt: skip
RULES = Codelist("Response rule", "RSSCAT")
RESPONSES = {
    "complete response": "CR",
    "partial response": "PR",
    "stable disease": "SD",
    "progressive disease": "PD",
    "progression": "PD",
    "neither complete response nor progression": "NON-CR/NON-PD",
    "not evaluable": "NE",
}
"""Verdicts that have a CDISC term; any other is written in the rule's own words, in capitals."""
RESPONSE_RESULTS = Codelist(
    "Oncology Response Assessment Result", "ONCRSR", "C96785",
    terms=(
        Term("CR", "Complete response", "C4870"),
        Term("PR", "Partial response", "C18058"),
        Term("SD", "Stable disease", "C18213"),
        Term("PD", "Progressive disease", "C35571"),
        Term("NON-CR/NON-PD", "Non-target lesions persist", "C96700"),
        Term("NE", "Not evaluable", "C62222"),
        Term("EQUIVOCAL", "A lesion that may be new, or was missed at baseline", "C86071"),
        Term("UNEQUIVOCAL", "A lesion that is new by a reader's statement"),
    ),
)  # fmt: skip
LAB_TESTS = Codelist(
    "Laboratory Test Code", "LBTESTCD", "C65047",
    terms=(Term("AFP", "Alpha Fetoprotein", "C74732"), Term("PIVKAII", "PIVKA-II", "C150846")),
)  # fmt: skip
LAB_TEST_NAMES = Codelist(
    "Laboratory Test Name", "LBTEST", "C67154",
    terms=(Term("Alpha Fetoprotein", "", "C74732"), Term("Protein Induced by Vitamin K Absence-II", "", "C150846")),
)  # fmt: skip
VOLUME_METHOD_CODES = Codelist(
    "Volume method", "VOLMETH",
    terms=tuple(own(code, f"{name} ({method})") for method, (code, name) in VOLUME_METHODS.items()),
)  # fmt: skip
PARAMETER_TYPES = Codelist(
    "Parameter Type (ADaM)", "PARAMTYP", "C81225", False, (Term("DERIVED", "Derived from other parameters", "C81197"),)
)


def evaluator_of(sources: frozenset[Source], people: Evaluator) -> str:
    """Who or what a number comes from: people, a network, or a network that people prompted."""
    human = {Source.CALIPER, Source.READER_STATEMENT}
    if sources <= human:
        return people.value
    return AI if sources == {Source.MODEL} else people.value + WITH_AI
