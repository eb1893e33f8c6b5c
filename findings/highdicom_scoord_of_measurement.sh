#!/usr/bin/env bash
# highdicom takes the source image of a measurement for that of its coordinates, and DCMTK then refuses the whole report.
# Guess: CoordinatesForMeasurement(..., SourceImageForMeasurement(...)) is right, or refused: both names say "measurement".
# Seen: taken without a word. The image stands below the SCOORD as INFERRED FROM, where PS3.3 A.35.3.3 allows SELECTED FROM
# alone. dsrdump (DCMTK 3.6.7, where it is installed) reads nothing of the report; with SourceImageForRegion it reads all.
# Why it surprises: highdicom checks types nearly everywhere, and here its own two classes differ in one relationship.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q pydicom==3.0.2 numpy==2.4.6 highdicom==0.28.2
cd "$dir"
venv/bin/python - <<'PY'
import shutil
import subprocess

import highdicom as hd
import numpy as np
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import UltrasoundImageStorage

image = Dataset()
image.SOPClassUID = UltrasoundImageStorage
image.SOPInstanceUID, image.StudyInstanceUID, image.SeriesInstanceUID = hd.UID(), hd.UID(), hd.UID()
image.PatientName = image.PatientID = image.PatientBirthDate = image.PatientSex = image.StudyDate = ""
image.StudyTime = image.AccessionNumber = image.ReferringPhysicianName = image.StudyID = ""


def write(source, name):
    line = hd.sr.CoordinatesForMeasurement(
        "POLYLINE", np.array([[60.0, 70.0], [160.0, 70.0]]), source(image.SOPClassUID, image.SOPInstanceUID)
    )
    group = hd.sr.MeasurementsAndQualitativeEvaluations(
        hd.sr.TrackingIdentifier(hd.UID(), "L1"),
        measurements=[
            hd.sr.Measurement(codes.SCT.Length, 24.7, codes.UCUM.Millimeter, referenced_coordinates=[line])
        ],
    )
    device = hd.sr.DeviceObserverIdentifyingAttributes(hd.UID(), name="device")
    report = hd.sr.MeasurementReport(
        hd.sr.ObservationContext(
            observer_device_context=hd.sr.ObserverContext(codes.DCM.Device, device)
        ),
        codes.SCT.DiagnosticUltrasonography,
        [group],
    )
    hd.sr.ComprehensiveSR([image], report, hd.UID(), 1, hd.UID(), 1, "maker").save_as(name)
    relation = line.ContentSequence[0].RelationshipType
    if shutil.which("dsrdump") is None:
        return relation, "dsrdump is not installed"
    done = subprocess.run(["dsrdump", name], capture_output=True)
    return relation, "dsrdump reads it" if done.returncode == 0 else "dsrdump refuses it"


seen = {
    "SourceImageForRegion": write(hd.sr.SourceImageForRegion, "region.dcm"),
    "SourceImageForMeasurement": write(hd.sr.SourceImageForMeasurement, "measurement.dcm"),
}
print("highdicom", hd.__version__, seen)
assert seen["SourceImageForRegion"][0] == "SELECTED FROM", "changed"
assert seen["SourceImageForMeasurement"][0] == "INFERRED FROM", "changed"
assert seen["SourceImageForMeasurement"][1] != "dsrdump reads it", "changed"
assert seen["SourceImageForRegion"][1] != "dsrdump refuses it", "changed"
PY
