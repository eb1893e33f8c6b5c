#!/usr/bin/env bash
# A folder with a compressed ultrasound image, read by imageio on a machine that has gdcmconv (the package python-gdcm brings it).
# Guess: reading leaves the folder as it is; what is decompressed goes to memory, or to a temporary folder.
# Seen: an uncompressed copy, NAME.dcm.raw, is left beside the image.
# Why it surprises: imread writes. A folder that is read only by its purpose, or that is counted, hashed or sent as a whole, has one more
# DICOM object with the same SOP Instance UID.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q imageio==2.38.1 pydicom==3.0.2 numpy==2.4.6 python-gdcm==3.2.6
cd "$dir"
cat >try.py <<'PY'
import os
from importlib.metadata import version

import imageio
import imageio.v3
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, RLELossless, UltrasoundImageStorage, generate_uid

image = Dataset()
image.file_meta = FileMetaDataset()
image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
image.file_meta.MediaStorageSOPClassUID = image.SOPClassUID = UltrasoundImageStorage
image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID = generate_uid()
image.StudyInstanceUID, image.SeriesInstanceUID = generate_uid(), generate_uid()
image.PatientName, image.PatientID, image.Modality, image.InstanceNumber = "Doe^Jane", "1", "US", 1
image.Rows, image.Columns, image.SamplesPerPixel, image.PhotometricInterpretation = 40, 60, 1, "MONOCHROME2"
image.BitsAllocated = image.BitsStored = 8
image.HighBit, image.PixelRepresentation = 7, 0
image.PixelData = bytes(range(60)) * 40
image.compress(RLELossless, generate_instance_uid=False)
os.mkdir("images")
image.save_as("images/image.dcm", enforce_file_format=True)
before = os.listdir("images")
imageio.v3.imread("images/image.dcm")
after = sorted(os.listdir("images"))
print(f"\nimageio {imageio.__version__}, python-gdcm {version('python-gdcm')}: before {before}, after {after}")
left = pydicom.dcmread("images/image.dcm.raw")
print("same SOP Instance UID:", left.SOPInstanceUID == image.SOPInstanceUID)
assert after == ["image.dcm", "image.dcm.raw"] and left.SOPInstanceUID == image.SOPInstanceUID, "changed"
PY
PATH="$dir/venv/bin:$PATH" venv/bin/python try.py
