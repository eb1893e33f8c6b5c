#!/usr/bin/env bash
# DCMTK's dcmscale enlarges and cuts ultrasound images, and leaves sizes in them that are wrong.
# Guess: an enlarged image has its PixelSpacing and its ultrasound regions scaled alike, or loses them; a cut one keeps its PixelSpacing.
# Seen: enlarged twofold, PixelSpacing is halved, but PhysicalDeltaX and the region's limits stay as they were. Cut without any
# scaling, PixelSpacing grows as many times as rows and columns shrink: a third of the columns makes each pixel "three times as wide".
# Why it surprises: ultrasound is measured by its regions, so that a lesion in the enlarged image is twice as long, and in the cut image
# whoever measures by PixelSpacing gets twice the height and three times the width. No word of either.
set -euo pipefail
command -v dcmscale >/dev/null || { echo "Debian 12: apt-get install dcmtk"; exit 2; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q pydicom==3.0.2 numpy==2.4.6
cd "$dir"
cat >image.py <<'PY'
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, UltrasoundImageStorage, generate_uid

region = Dataset()
region.RegionSpatialFormat, region.RegionDataType, region.RegionFlags = 1, 1, 0
region.RegionLocationMinX0, region.RegionLocationMinY0 = 0, 0
region.RegionLocationMaxX1, region.RegionLocationMaxY1 = 59, 39
region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = 3  # cm
region.PhysicalDeltaX = region.PhysicalDeltaY = 0.02
image = Dataset()
image.file_meta = FileMetaDataset()
image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
image.SOPClassUID, image.SOPInstanceUID = UltrasoundImageStorage, generate_uid()
image.StudyInstanceUID, image.SeriesInstanceUID = generate_uid(), generate_uid()
image.PatientName, image.PatientID, image.Modality = "", "1", "US"
image.Rows, image.Columns, image.SamplesPerPixel, image.PhotometricInterpretation = 40, 60, 1, "MONOCHROME2"
image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 8, 8, 7, 0
image.PixelSpacing = [0.2, 0.2]
image.SequenceOfUltrasoundRegions = [region]
image.PixelData = np.arange(2400, dtype=np.uint8).tobytes()
image.save_as("image.dcm", enforce_file_format=True)
PY
venv/bin/python image.py
dcmscale +Sxf 2 image.dcm enlarged.dcm
dcmscale +C 10 10 20 20 image.dcm cut.dcm # 20 x 20 pixels of the 40 x 60, as they are
dcmscale --version | sed -n 1p
cat >look.py <<'PY'
from pydicom import dcmread

original = dcmread("image.dcm").pixel_array
for name in ("image", "enlarged", "cut"):
    image = dcmread(f"{name}.dcm")
    region = image.SequenceOfUltrasoundRegions[0]
    limits = region.RegionLocationMaxY1, region.RegionLocationMaxX1
    print(f"{name}: {image.Rows} x {image.Columns}, PixelSpacing {image.PixelSpacing} mm, region to {limits}, {region.PhysicalDeltaX} cm a pixel")
enlarged, cut = dcmread("enlarged.dcm"), dcmread("cut.dcm")
assert (cut.pixel_array == original[10:30, 10:30]).all()
same = enlarged.SequenceOfUltrasoundRegions[0].PhysicalDeltaX == 0.02 and (enlarged.Rows, enlarged.Columns) == (80, 120)
assert same and enlarged.PixelSpacing == [0.1, 0.1] and cut.PixelSpacing == [0.4, 0.6], "changed"
PY
venv/bin/python look.py
