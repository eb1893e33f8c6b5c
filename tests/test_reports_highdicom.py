"""Reports that highdicom writes, held against what highdicom itself reads back from them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom import Dataset
from pydicom.sr.codedict import codes

from lesion_measure.dicom.objects.reports import read_sr
from lesion_measure.records import Axis

hd = pytest.importorskip("highdicom")
from highdicom.sr import (  # noqa: E402 - after the check that highdicom is there
    CodedConcept,
    ComprehensiveSR,
    CoordinatesForMeasurement,
    FindingSite,
    ImageRegion,
    Measurement,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    ObservationContext,
    ObserverContext,
    PersonObserverIdentifyingAttributes,
    PlanarROIMeasurementsAndQualitativeEvaluations,
    SourceImageForRegion,
    TrackingIdentifier,
)

LONG = np.array([[10.5, 20.5], [40.5, 60.5]])
SHORT = np.array([[30.5, 20.5], [10.5, 35.5]])
POLYGON = np.array([[10.5, 10.5], [30.5, 12.5], [25.5, 30.5], [8.5, 25.5], [10.5, 10.5]])
ELLIPSE = np.array([[10.5, 30.5], [50.5, 30.5], [30.5, 20.5], [30.5, 40.5]])


@pytest.fixture(scope="module")
def image(project_dir: Path) -> Dataset:
    """A cine of the samples, as a source."""
    for path in sorted((project_dir / "sample_dicoms").rglob("*.dcm")):
        found = pydicom.dcmread(path, stop_before_pixels=True)
        if int(found.get("NumberOfFrames", 1)) > 3:
            found.StudyTime = found.get("StudyTime") or "120000"
            return found
    pytest.skip("no cine among the samples")


def _report(image: Dataset, group: object, tmp_path: Path) -> Path:
    context = ObservationContext(
        observer_person_context=ObserverContext(
            observer_type=codes.DCM.Person,
            observer_identifying_attributes=PersonObserverIdentifyingAttributes(name="Reader^One"),
        )
    )
    procedure = CodedConcept("24558-9", "LN", "US Abdomen")
    content = MeasurementReport(observation_context=context, procedure_reported=procedure, imaging_measurements=[group])
    made = ComprehensiveSR(
        evidence=[image],
        content=content,
        series_instance_uid=hd.UID(),
        series_number=100,
        sop_instance_uid=hd.UID(),
        instance_number=1,
        manufacturer="Test",
        is_complete=True,
        is_verified=False,
    )
    path = tmp_path / "sr.dcm"
    made.save_as(path)
    return path


def _measurement(name: CodedConcept, value: float, points: np.ndarray, image: Dataset) -> Measurement:
    source = SourceImageForRegion.from_source_image(image, [3])
    graphic = CoordinatesForMeasurement("POLYLINE", points, source)
    return Measurement(name, value, codes.UCUM.Millimeter, referenced_coordinates=[graphic])


def test_axes_come_back_as_highdicom_reads_them(image: Dataset, tmp_path: Path) -> None:
    group = MeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(identifier="L1", uid="2.25.77"),
        finding_type=codes.SCT.Lesion,
        finding_sites=[FindingSite(codes.SCT.Liver)],
        measurements=[
            _measurement(codes.SCT.LongAxis, 12.5, LONG, image),
            _measurement(codes.SCT.ShortAxis, 7.5, SHORT, image),
        ],
    )
    path = _report(image, group, tmp_path)
    (theirs,) = hd.sr.srread(path).content.get_image_measurement_groups()
    drawn = read_sr(pydicom.dcmread(path), "sr.dcm").drawn
    assert [each.axis for each in drawn] == [Axis.LONG, Axis.SHORT]
    for each, measurement in zip(drawn, theirs.get_measurements(), strict=True):
        corners = np.array(each.points)[:, ::-1] + 0.5
        np.testing.assert_allclose(corners, measurement.referenced_coordinates[0].value, atol=1e-4)
        assert each.origin.stated_mm == measurement.value
        assert (each.image_uid, each.frame, each.reader) == (image.SOPInstanceUID, 3, "Reader One")
        assert (each.lesion, each.origin.tracking_uid) == ("L1", "2.25.77")


@pytest.mark.parametrize(
    ("graphic", "points", "axes"),
    [
        ("POLYLINE", POLYGON, [Axis.OUTLINE]),
        ("ELLIPSE", ELLIPSE, [Axis.LONG, Axis.SHORT]),
        ("CIRCLE", ELLIPSE[:2], [Axis.LONG]),
        ("POINT", ELLIPSE[:1], []),
    ],
)
def test_regions(graphic: str, points: np.ndarray, axes: list[Axis], image: Dataset, tmp_path: Path) -> None:
    region = ImageRegion(graphic, points, SourceImageForRegion.from_source_image(image, [3]))
    group = PlanarROIMeasurementsAndQualitativeEvaluations(
        referenced_region=region,
        tracking_identifier=TrackingIdentifier(identifier="L1", uid="2.25.77"),
        finding_type=codes.SCT.Lesion,
        measurements=[Measurement(codes.SCT.Area, 1.7, codes.UCUM.SquareCentimeter)],
    )
    drawings = read_sr(pydicom.dcmread(_report(image, group, tmp_path)), "sr.dcm")
    assert [each.axis for each in drawings.drawn] == axes
    assert bool(drawings.listed) is (graphic == "POINT")
