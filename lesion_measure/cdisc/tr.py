"""SDTM TR: what was measured of each lesion at each visit, by what and by whom; and what was not done, and why.

Only what the measuring system delivered: sums and changes are the sponsor's derivations and belong to ADTR (SDTMIG 3.4,
TR assumption 3).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from lesion_measure.cdisc import terms
from lesion_measure.cdisc.course import Course, Seen
from lesion_measure.cdisc.dataset import Origin, Row, Value, Variable, VariableType, text
from lesion_measure.cdisc.domain import Domain, Record
from lesion_measure.cdisc.supplemental import Extra
from lesion_measure.cdisc.tu import LIVER_LINK, longest_plane, scan_date
from lesion_measure.cdisc.variables import exposure_flag, identifiers, timing, visit_values
from lesion_measure.cdisc.words import not_done, reason_words
from lesion_measure.records import (
    LIVER,
    LesionMeasurement,
    Plane,
    PlaneMeasurement,
    Quantity,
    Refusal,
    Source,
    VolumeMethod,
    is_liver,
)
from lesion_measure.report.words import finite

KEYS = ("STUDYID", "USUBJID", "VISITNUM", "TRLNKID", "TRTESTCD")
VARIABLES = (
    *identifiers("TR"),
    Variable("TRGRPID", "Group ID", comment="Class of the lesion: TUSTRESC of its record in TU",
             codelist=terms.LESION_RESULTS),
    Variable("TRREFID", "Reference ID", origin=Origin.COLLECTED, comment="SOP Instance UID of the image measured"),
    Variable("TRLNKID", "Link ID", origin=Origin.COLLECTED, comment="TULNKID of the lesion, or of the liver itself"),
    Variable("TRLNKGRP", "Link Group", comment="The records that a response rests on; RSLNKGRP in RS"),
    Variable("TRTESTCD", "Tumor/Lesion Assessment Short Name", codelist=terms.SIZE_TESTS),
    Variable("TRTEST", "Tumor/Lesion Assessment Test Name", codelist=terms.SIZE_TEST_NAMES),
    Variable("TRORRES", "Result or Finding in Original Units", origin=Origin.COLLECTED,
             comment="As in results.json; 0 where a reader states that the lesion is gone"),
    Variable("TRORRESU", "Original Units", codelist=terms.UNITS),
    Variable("TRSTRESC", "Character Result/Finding in Std Format", codelist=terms.LESION_STATES,
             comment="TRORRES. Terms where TRTESTCD is TUMSTATE"),
    Variable("TRSTRESN", "Numeric Result/Finding in Standard Units", VariableType.FLOAT, comment="TRORRES as a number"),
    Variable("TRSTRESU", "Standard Units", codelist=terms.UNITS),
    Variable("TRSTAT", "Completion Status", codelist=terms.NOT_DONE),
    Variable("TRREASND", "Reason Not Done", origin=Origin.COLLECTED,
             comment="Code and reason of the refusal. More than 200 characters go on in SUPPTR (SDTMIG 4.5.3.2)"),
    Variable("TRMETHOD", "Method Used to Identify the Tumor/Lesion", codelist=terms.METHODS),
    exposure_flag("TR"),
    Variable("TREVAL", "Evaluator", codelist=terms.EVALUATORS, comment="Who or what this number comes from"),
    Variable("TREVALID", "Evaluator Identifier", origin=Origin.COLLECTED, codelist=terms.EVALUATOR_IDS,
             comment="Name of the reader in the caliper file, of the network, or of both"),
    *timing("TR", "Tumor/Lesion Measurement", "Date of the scan, as in the image; empty where there is no scan"),
)  # fmt: skip

EXTRAS = {
    "TRSD": "SD of Measurement Error, Std Units",
    "TRPLANE": "Scan Plane",
    "TRFRAME": "Frame Number in the Image",
    "TRWAY": "Way of Measurement",
    "TRVOLMTH": "Volume Method",
    "TRVOLMTC": "Volume Method, Code",
    "TRVOLDIA": "Diameters of the Volume, mm",
    "TRCONF": "Confidence of the Network",
    "TRMODSHA": "SHA-256 of the Network's Weights",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One number of one lesion at one visit; ``method``, ``planes`` and ``diameters_mm`` are those of a volume."""

    test: str
    quantity: Quantity
    unit: str
    sources: frozenset[Source]
    plane: PlaneMeasurement | None = None
    method: VolumeMethod | None = None
    planes: tuple[Plane, ...] = ()
    diameters_mm: tuple[float, ...] = ()


def results_of(measured: LesionMeasurement) -> Iterator[Result]:
    """The numbers of a lesion at a visit, each with what it comes from."""
    longest, own = longest_plane(measured), frozenset({measured.source})
    yield Result(test="LDIAM", quantity=measured.longest_diameter_mm, unit="mm", sources=own, plane=longest)
    if longest and longest.short_axis_mm:
        sources = frozenset({longest.short_axis_source or measured.source})
        yield Result(test="LPERP", quantity=longest.short_axis_mm, unit="mm", sources=sources, plane=longest)
    if longest and longest.area_mm2:
        sources = frozenset({longest.outline_source or measured.source})
        yield Result(test="AREA", quantity=longest.area_mm2, unit="mm2", sources=sources, plane=longest)
    if measured.body:
        yield Result(test="LDIAM3D", quantity=measured.body.axes_mm[0], unit="mm", sources=own)
    yield from _volumes(measured)


def _volumes(measured: LesionMeasurement) -> Iterator[Result]:
    """The reported volume as VOLUME, and one by each other method under the method's own code.

    Of several by one method (from other planes) the first is taken, which the run prefers.
    """
    if measured.volume_ml is None:
        return
    sources = frozenset(measured.volume_sources) or frozenset({measured.source})
    yield Result(
        test="VOLUME", quantity=measured.volume_ml, unit="mL", sources=sources, method=measured.volume_method,
        planes=measured.volume_planes, diameters_mm=measured.volume_diameters_mm,
    )  # fmt: skip
    seen = {measured.volume_method}
    for other in measured.other_volumes:
        if other.method not in seen:
            seen.add(other.method)
            yield Result(
                test=terms.VOLUME_METHODS[other.method][0], quantity=other.volume_ml, unit="mL",
                sources=frozenset(other.sources) or frozenset({measured.source}), method=other.method,
                planes=other.planes, diameters_mm=other.diameters_mm,
            )  # fmt: skip


class Writer:
    """Builds TR and SUPPTR, subject by subject; ``dates`` are scan dates by SOPInstanceUID."""

    def __init__(
        self, *, study: str, people: terms.Evaluator, dates: Mapping[str, date], model_sha256: str | None
    ) -> None:
        self.study, self.people, self.dates, self.model_sha256 = study, people, dates, model_sha256
        self.records: list[Record] = []
        self.domain = Domain(
            "TR", "Tumor/Lesion Results", structure="One record per measurement per lesion per visit per subject",
            keys=KEYS, variables=VARIABLES, labels=EXTRAS,
        )  # fmt: skip

    def add(self, course: Course) -> list[Row]:
        """Every record of one subject; gives the rows of TR."""
        self.records = []
        for seen in course.seen():
            if seen.measured is None:
                self._add_not_done(course, seen)
                continue
            state = _state(course, seen.measured)
            if state:
                self._add_state(course, seen.measured, state)
            for result in results_of(seen.measured):
                self._add_result(course, seen.measured, result)
        for visit, reason in course.empty_visits():
            self._add_nothing(course, visit, reason)
        for organ in course.liver:
            for result in results_of(organ):
                self._add_result(course, organ, result)
        for visit, reason in course.liver_missing():
            self._add_reason(course, visit, LIVER, "LDIAM", reason)
        return self.domain.add(self.records)

    def _add(self, row: dict[str, Value], extras: list[Extra]) -> None:
        self.records.append(({"STUDYID": self.study, "DOMAIN": "TR", **row}, extras))

    def _common(self, course: Course, visit: str, lesion: str | None, image: str | None = None) -> dict[str, Value]:
        scanned = visit in course.record.visits
        day = scan_date(course, visit, image, self.dates) if scanned else None
        return {
            "USUBJID": course.usubjid,
            **_identity(course, lesion),
            "TRREFID": image,
            "TRLNKGRP": link_group(course, visit),
            "TRMETHOD": "ULTRASOUND",
            **visit_values(visit, day, "TR", course),
        }

    def _add_result(self, course: Course, measured: LesionMeasurement, result: Result) -> None:
        value = finite(result.quantity.value)
        image = result.plane.sop_instance_uid if result.plane else None
        if value is None:
            return
        self._add(
            {
                **self._common(course, measured.visit, measured.lesion, image),
                **_test(result.test),
                "TRORRES": text(value),
                "TRORRESU": result.unit,
                "TRSTRESC": text(value),
                "TRSTRESN": value,
                "TRSTRESU": result.unit,
                "TREVAL": terms.evaluator_of(result.sources, self.people),
                "TREVALID": _evaluator_id(measured, result.sources),
            },
            self._extras(measured, result),
        )

    def _add_state(self, course: Course, measured: LesionMeasurement, state: str) -> None:
        self._add(
            {
                **self._common(course, measured.visit, measured.lesion),
                **_test("TUMSTATE"),
                "TRORRES": state,
                "TRSTRESC": state,
                "TREVAL": terms.evaluator_of(frozenset({measured.source}), self.people),
                "TREVALID": measured.reader,
            },
            [Extra("TRWAY", measured.way)],
        )

    def _add_not_done(self, course: Course, seen: Seen) -> None:
        self._add_reason(course, seen.visit, seen.lesion, "LDIAM", seen.reason)

    def _add_nothing(self, course: Course, visit: str, reason: Refusal) -> None:
        self._add_reason(course, visit, None, "TRALL", reason)

    def _add_reason(self, course: Course, visit: str, lesion: str | None, test: str, reason: Refusal | None) -> None:
        status, more = not_done("TR", reason_words(reason))
        self._add({**self._common(course, visit, lesion), **_test(test), **status}, more)

    def _extras(self, measured: LesionMeasurement, result: Result) -> list[Extra]:
        plane, network = result.plane, result.sources & {Source.MODEL, Source.PROMPTED}
        planes = (plane.plane,) if plane else result.planes
        known: dict[str, Value] = {
            "TRSD": result.quantity.sd if result.quantity.has_interval else None,
            "TRPLANE": " AND ".join(planes).upper() or None,
            "TRFRAME": plane.frame if plane else None,
            "TRWAY": measured.way,
            "TRVOLMTH": result.method,
            "TRVOLMTC": terms.VOLUME_METHODS[result.method][0] if result.method else None,
            "TRVOLDIA": " x ".join(map(text, result.diameters_mm)) or None,
            "TRCONF": plane.confidence if plane and network else None,
            "TRMODSHA": self.model_sha256 if network else None,
        }
        return [Extra(name, text(value)) for name, value in known.items() if value is not None]


def _identity(course: Course, lesion: str | None) -> dict[str, Value]:
    """Class and link of a lesion, or of the liver itself; both empty where no lesion is known."""
    if lesion is None:
        return {"TRGRPID": None, "TRLNKID": None}
    if is_liver(lesion):
        return {"TRGRPID": terms.LOCATION, "TRLNKID": LIVER_LINK}
    return {"TRGRPID": course.lesions[lesion], "TRLNKID": course.link(lesion)}


def link_group(course: Course, visit: str) -> str | None:
    """What links the records of a visit in TR to the response in RS; nothing is assessed at an undated one."""
    number = course.times[visit].number
    return None if number is None else f"A{text(number)}"


def _test(test: str) -> dict[str, Value]:
    return {"TRTESTCD": test, "TRTEST": terms.TESTS[test]}


def _state(course: Course, measured: LesionMeasurement) -> str | None:
    """TUMSTATE: a reader's statement, or that a non-target lesion is there, or whether a new one is settled.

    SDTMIG 3.4, TU assumption 6 and the examples of TU and TR.
    """
    if not measured.present:
        return "ABSENT"
    known_as = course.lesions[measured.lesion]
    if known_as == "NEW":
        return "PRESENT" if course.is_new(measured.lesion) else "EQUIVOCAL"
    return "PRESENT" if known_as == "NON-TARGET" else None


def _evaluator_id(measured: LesionMeasurement, sources: frozenset[Source]) -> str:
    """The reader or network that a number comes from; both, where calipers prompted the network."""
    models = sorted({plane.prompted.model for plane in measured.planes if plane.prompted})
    return " + ".join([measured.reader, *models]) if Source.PROMPTED in sources else measured.reader
