#!/usr/bin/env bash
# imageio asked for one DICOM file of a folder: whose picture comes?
# Guess: imread(FILE) gives the pixels of FILE.
# Seen: imageio.v3.imread gives those of one series of the folder, whichever file is named. imageio.v2.imread gives the file's own.
# Why it surprises: of two children's images in one folder, both are measured on one child's picture. It has the right size and type, and
# there is not a word but a line of progress. Tests with one file in a temporary folder pass.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q imageio==2.38.1 pydicom==3.0.2 numpy==2.4.6
cd "$dir"
cat >try.py <<'PY'
import imageio
import imageio.v2
import imageio.v3
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, UltrasoundImageStorage, generate_uid


def write(name, grey):
    """An ultrasound still of one grey value, a study and a series by itself."""
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.file_meta.MediaStorageSOPClassUID = image.SOPClassUID = UltrasoundImageStorage
    image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID = generate_uid()
    image.StudyInstanceUID, image.SeriesInstanceUID = generate_uid(), generate_uid()
    image.PatientID, image.Modality, image.InstanceNumber = name, "US", 1
    image.Rows, image.Columns, image.SamplesPerPixel, image.PhotometricInterpretation = 40, 60, 1, "MONOCHROME2"
    image.BitsAllocated = image.BitsStored = 8
    image.HighBit, image.PixelRepresentation, image.PixelSpacing = 7, 0, [0.2, 0.2]
    image.PixelData = bytes([grey]) * 2400
    image.save_as(f"{name}.dcm", enforce_file_format=True)


write("first", 10)
write("second", 200)
seen = {}
readers = {"v3": imageio.v3.imread, "v2": imageio.v2.imread}
for name in ("first", "second"):
    truth = set(pydicom.dcmread(f"{name}.dcm").pixel_array.ravel().tolist())
    for reader, read in readers.items():
        seen[reader, name] = set(read(f"{name}.dcm").ravel().tolist())
        print(f"\nimageio {imageio.__version__} by {reader}, {name}.dcm: grey {seen[reader, name]}, in the file {truth}")
assert seen["v2", "first"] == {10} and seen["v2", "second"] == {200}, "changed"
assert seen["v3", "first"] == seen["v3", "second"], "changed"
PY
mkdir folder && cd folder && ../venv/bin/python ../try.py
