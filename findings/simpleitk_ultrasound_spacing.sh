#!/usr/bin/env bash
# An ultrasound image whose scale stands in its region alone (as PS3.3 C.8.5.5 wants): two readers of one family, two answers, both wrong in mm.
# Guess: SimpleITK, which reads DICOM by GDCM, either gives GDCM's spacing or says that it knows none.
# Seen: GDCM hands out the region's centimetres per pixel as its spacing, unconverted; SimpleITK gives 1.0 in both directions, without a warning.
# Why it surprises: DICOM spacing is in mm everywhere else, and the one library is built on the other. A length by either is
# wrong by a factor of 10, or by one that nobody sees.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q pydicom==3.0.2 numpy==2.4.6 SimpleITK==2.5.7 python-gdcm==3.2.6
cd "$dir"
venv/bin/python - <<'PY'
import gdcm
import numpy as np
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
ds.Rows, ds.Columns, ds.SamplesPerPixel, ds.PhotometricInterpretation = 240, 320, 1, "MONOCHROME2"
ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 8, 8, 7, 0
ds.PixelData = np.zeros((240, 320), np.uint8).tobytes()
region = Dataset()
region.RegionSpatialFormat, region.RegionDataType, region.RegionFlags = 1, 1, 0
region.RegionLocationMinX0, region.RegionLocationMinY0, region.RegionLocationMaxX1, region.RegionLocationMaxY1 = 0, 0, 319, 239
region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = 3  # cm
region.PhysicalDeltaX, region.PhysicalDeltaY = 0.03, 0.02
ds.SequenceOfUltrasoundRegions = [region]
ds.save_as("us.dcm", enforce_file_format=True)

by_sitk = sitk.ReadImage("us.dcm").GetSpacing()[:2]
reader = gdcm.ImageReader()
reader.SetFileName("us.dcm")
assert reader.Read()
by_gdcm = tuple(reader.GetImage().GetSpacing(i) for i in (0, 1))
print("true mm per pixel (x, y):      (0.3, 0.2)")
print("GDCM", gdcm.Version.GetVersion(), "spacing:       ", by_gdcm)
print("SimpleITK", sitk.Version.VersionString(), "spacing:", by_sitk)
assert by_sitk == (1.0, 1.0) and np.allclose(by_gdcm, (0.03, 0.02)), "changed"
PY
