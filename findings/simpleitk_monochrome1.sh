#!/usr/bin/env bash
# SimpleITK inverts a MONOCHROME1 image; pydicom does not.
# Guess: both give the stored values, since both give stored values for MONOCHROME2.
# Seen: SimpleITK gives 255 - value and says nothing; its metadata still read MONOCHROME1.
# Why it surprises: who inverts by the header after reading with SimpleITK turns the picture twice, and a network sees bright cysts.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q pydicom==3.0.2 numpy==2.4.6 SimpleITK==2.5.7
cd "$dir"
venv/bin/python - <<'PY'
import numpy as np
import pydicom
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, UltrasoundImageStorage, generate_uid

ds = Dataset()
ds.file_meta = FileMetaDataset()
ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
ds.SOPClassUID = UltrasoundImageStorage
ds.SOPInstanceUID, ds.StudyInstanceUID, ds.SeriesInstanceUID = generate_uid(), generate_uid(), generate_uid()
ds.PatientName = ds.PatientID = ds.PatientBirthDate = ds.PatientSex = ds.StudyDate = ds.StudyTime = ""
ds.AccessionNumber = ds.ReferringPhysicianName = ds.StudyID = ds.Manufacturer = ds.PatientOrientation = ""
ds.Modality, ds.SeriesNumber, ds.InstanceNumber, ds.ImageType = "US", 1, 1, ["ORIGINAL", "PRIMARY"]
ds.Rows, ds.Columns, ds.SamplesPerPixel, ds.PhotometricInterpretation = 64, 64, 1, "MONOCHROME1"
ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 8, 8, 7, 0
stored = np.zeros((64, 64), np.uint8)
stored[16:32, 16:32] = 200
ds.PixelData = stored.tobytes()
ds.save_as("us.dcm", enforce_file_format=True)

image = sitk.ReadImage("us.dcm")
by_sitk = sitk.GetArrayFromImage(image)[0]
by_pydicom = pydicom.dcmread("us.dcm").pixel_array
print("stored values:                ", np.unique(stored).tolist())
print("pydicom", pydicom.__version__, "pixel_array:    ", np.unique(by_pydicom).tolist())
print("SimpleITK", sitk.Version.VersionString(), "ReadImage:    ", np.unique(by_sitk).tolist(), "still called", image.GetMetaData("0028|0004"))
assert (by_pydicom == stored).all() and (by_sitk == 255 - stored).all(), "changed"
assert image.GetMetaData("0028|0004").strip() == "MONOCHROME1", "changed"
PY
