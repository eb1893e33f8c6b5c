"""Structured reports of a made-up child, laid out as real programs write them; points as a caliper file has them.

`ohif` follows the report that OHIF 3.13 wrote of an ultrasound still (Enhanced SR, tracking on the group, cm called
mm), `dcmjs` the bidirectional one of @cornerstonejs/adapters, `vendor` a scanner's flat list (numbers without points).
`tid1500` is written by highdicom itself.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydicom
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from presentation_states import item

ENHANCED, COMPREHENSIVE = "1.2.840.10008.5.1.4.1.1.88.22", "1.2.840.10008.5.1.4.1.1.88.33"
LENGTH, LONG_AXIS, SHORT_AXIS = (
    ("G-D7FE", "SRT", "Length"),
    ("G-A185", "SRT", "Long Axis"),
    ("G-A186", "SRT", "Short Axis"),
)
TITLE = ("126000", "DCM", "Imaging Measurement Report")
MILLIMETRE = ("mm", "UCUM", "millimeter")


@dataclass(frozen=True)
class Line:
    """A caliper as the samples' table has it: x0, y0, x1, y1 in pixels with pixel centres at integers."""

    image: str
    axis: str
    ends: tuple[float, float, float, float]

    @property
    def graphic(self) -> list[float]:
        """The same as SCOORD counts, from the corner of the top left pixel (PS3.3 C.18.6.1.1)."""
        return [value + 0.5 for value in self.ends]


def calipers(samples: Path, subject: str) -> dict[tuple[str, str], Line]:
    """The reader's calipers of one sample child by image ("baseline/L1_transverse.dcm") and axis."""
    with (samples / "calipers.csv").open(newline="", encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row["image"].startswith(f"{subject}/")]
    return {
        (row["image"].partition("/")[2], row["axis"]): Line(
            row["image"],
            row["axis"],
            tuple(float(row[key]) for key in ("start_col", "start_row", "end_col", "end_row")),  # type: ignore[arg-type]
        )
        for row in rows
        if row["axis"] in ("long", "short")
    }


def code(keyword: str, value: tuple[str, str, str]) -> dict[str, Any]:
    return {keyword: [item(CodeValue=value[0], CodingSchemeDesignator=value[1], CodeMeaning=value[2])]}


def content(relation: str, kind: str, name: tuple[str, str, str] | None = None, **attributes: Any) -> Dataset:
    """A content item."""
    concept = code("ConceptNameCodeSequence", name) if name else {}
    return item(RelationshipType=relation, ValueType=kind, **concept, **attributes)


def scoord(line: Line, image: Dataset, frame: int | None = None, relation: str = "INFERRED FROM") -> Dataset:
    reference = item(ReferencedSOPClassUID=image.SOPClassUID, ReferencedSOPInstanceUID=image.SOPInstanceUID)
    if frame is not None:
        reference.ReferencedFrameNumber = frame
    seen = content("SELECTED FROM", "IMAGE", ReferencedSOPSequence=[reference])
    return content(relation, "SCOORD", GraphicType="POLYLINE", GraphicData=line.graphic, ContentSequence=[seen])


def number(name: tuple[str, str, str], value: str, below: Sequence[Dataset], unit: Any = MILLIMETRE) -> Dataset:
    measured = item(NumericValue=value, **code("MeasurementUnitsCodeSequence", unit))
    return content("CONTAINS", "NUM", name, MeasuredValueSequence=[measured], ContentSequence=list(below))


def group(tracking: str, uid: str, *below: Dataset) -> Dataset:
    """A measurement group with its tracking (TID 1501)."""
    named = [
        content("HAS OBS CONTEXT", "TEXT", ("112039", "DCM", "Tracking Identifier"), TextValue=tracking),
        content("HAS OBS CONTEXT", "UIDREF", ("112040", "DCM", "Tracking Unique Identifier"), UID=uid),
    ]
    return content("CONTAINS", "CONTAINER", ("125007", "DCM", "Measurement Group"), ContentSequence=[*named, *below])


def label(text: str) -> Dataset:
    """What a reader typed, as Cornerstone stores it: a finding of its own coding."""
    finding = ("121071", "DCM", "Finding")
    return content(
        "CONTAINS", "CODE", finding, **code("ConceptCodeSequence", ("CORNERSTONEFREETEXT", "CORNERSTONEJS", text))
    )


def report(
    image: Dataset, groups: Sequence[Dataset], *, reader: str = "", sop_class: str = ENHANCED, **changes: Any
) -> Dataset:
    """A measurement report of one image's study (TID 1500)."""
    observer = content(
        "HAS OBS CONTEXT", "PNAME", ("121008", "DCM", "Person Observer Name"), PersonName=reader or "unknown^unknown"
    )
    measurements = content(
        "CONTAINS", "CONTAINER", ("126010", "DCM", "Imaging Measurements"), ContentSequence=list(groups)
    )
    known: dict[str, Any] = {
        "SpecificCharacterSet": "ISO_IR 192", "SOPClassUID": sop_class, "SOPInstanceUID": generate_uid(),
        "StudyInstanceUID": image.StudyInstanceUID, "SeriesInstanceUID": generate_uid(), "Modality": "SR",
        "PatientID": image.PatientID, "PatientName": image.get("PatientName", ""), "ContentDate": "20240501",
        "ContentTime": "101500", "ValueType": "CONTAINER", "CompletionFlag": "COMPLETE",
        "ContentSequence": [observer, measurements], **code("ConceptNameCodeSequence", TITLE),
    }  # fmt: skip
    made = item(**(known | changes))
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    return made


def ohif(image: Dataset, lines: Sequence[Line], stated_cm: Sequence[float], **changes: Any) -> Dataset:
    """OHIF: one group for each Length, with its centimetres under the unit mm."""
    groups = [
        group(
            "Cornerstone3DTools@^0.1.0:Length",
            generate_uid(),
            *([label(changes["name"])] if changes.get("name") else []),
            number(LENGTH, f"{cm:.2f}", [scoord(line, image)]),
        )
        for line, cm in zip(lines, stated_cm, strict=True)
    ]
    return report(image, groups, **{key: value for key, value in changes.items() if key != "name"})


def dcmjs(image: Dataset, long: Line, short: Line, mm: tuple[float, float], name: str = "", **changes: Any) -> Dataset:
    """Cornerstone's Bidirectional: one group, long and short axis by their codes."""
    both = group(
        "Cornerstone3DTools@^0.1.0:Bidirectional",
        generate_uid(),
        *([label(name)] if name else []),
        number(LONG_AXIS, f"{mm[0]:.3f}", [scoord(long, image)]),
        number(SHORT_AXIS, f"{mm[1]:.3f}", [scoord(short, image)]),
    )
    return report(image, [both], **changes)


def tid1500(
    image: Dataset, lines: Sequence[Line], mm: Sequence[float], *, tracking_uid: str, name: str, reader: str
) -> Dataset:
    """What highdicom writes: Comprehensive SR, one group with an axis each."""
    import highdicom as hd
    import numpy as np
    from highdicom.sr import (
        CodedConcept,
        CoordinatesForMeasurement,
        GraphicTypeValues,
        Measurement,
        MeasurementReport,
        MeasurementsAndQualitativeEvaluations,
        ObservationContext,
        ObserverContext,
        PersonObserverIdentifyingAttributes,
        SourceImageForRegion,
        TrackingIdentifier,
    )
    from pydicom.sr.codedict import codes

    names = {
        "long": CodedConcept("103339001", "SCT", "Long Axis"),
        "short": CodedConcept("103340004", "SCT", "Short Axis"),
    }
    measured = [
        Measurement(
            name=names[line.axis],
            value=value,
            unit=codes.UCUM.Millimeter,
            referenced_coordinates=[
                CoordinatesForMeasurement(
                    graphic_type=GraphicTypeValues.POLYLINE,
                    graphic_data=np.array(line.graphic).reshape(2, 2),
                    source_image=SourceImageForRegion.from_source_image(image),
                )
            ],
        )
        for line, value in zip(lines, mm, strict=True)
    ]
    lesion = MeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(uid=tracking_uid, identifier=name),
        finding_type=CodedConcept("52988006", "SCT", "Lesion"),
        finding_sites=[hd.sr.FindingSite(CodedConcept("10200004", "SCT", "Liver"))],
        measurements=measured,
    )
    person = ObserverContext(codes.DCM.Person, PersonObserverIdentifyingAttributes(reader))
    content_ = MeasurementReport(
        observation_context=ObservationContext(observer_person_context=person),
        procedure_reported=CodedConcept("241439007", "SCT", "Ultrasonography of liver"),
        imaging_measurements=[lesion],
    )
    return hd.sr.ComprehensiveSR(
        evidence=[image], content=content_, series_instance_uid=generate_uid(), series_number=9,
        sop_instance_uid=generate_uid(), instance_number=1, manufacturer="highdicom",
    )  # fmt: skip


def vendor(image: Dataset) -> Dataset:
    """A scanner's own report: numbers of other organs, none with points."""
    lengths = [
        number(
            ("410668003", "SCT", "Length"),
            "92.1",
            [
                content(
                    "HAS CONCEPT MOD",
                    "CODE",
                    ("363698007", "SCT", "Finding Site"),
                    **code("ConceptCodeSequence", ("64033007", "SCT", "Kidney")),
                )
            ],
        )
    ]
    section = content("CONTAINS", "CONTAINER", ("121070", "DCM", "Findings"), ContentSequence=lengths)
    made = report(image, [], sop_class=COMPREHENSIVE)
    made.ContentSequence = [section]
    return made


def save(dataset: Dataset, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)
    return path


def header(path: Path) -> Dataset:
    return pydicom.dcmread(path)
