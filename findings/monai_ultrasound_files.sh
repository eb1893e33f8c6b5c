#!/usr/bin/env bash
# MONAI reads an ultrasound cine with its frames between rows and columns, and a still without its PixelSpacing.
# Guess: as a still of 40 rows and 60 columns comes out as (60, 40), columns first, a cine of 5 frames comes out as (60, 40, 5); the
# stated 0.2 mm a pixel are in the affine and in pixdim.
# Seen: LoadImage with PydicomReader gives (40, 5, 60): rows, frames, columns. PixelSpacing is read only beside ImagePositionPatient and
# ImageOrientationPatient, which ultrasound has not: pixdim is 1 mm, without a warning.
# Why it surprises: a slice of the last axis is one column over time, and a network gets it as a picture. Spacing(0.1) then enlarges tenfold
# where twofold is right, and sizes by pixdim are five times the true ones.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q torch==2.13.0 monai==1.6.1 numpy==2.4.6 pydicom==3.0.2
cd "$dir"
cat >try.py <<'PY'
import monai
import numpy as np
from monai.data import PydicomReader
from monai.transforms import LoadImage
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, UltrasoundImageStorage, UltrasoundMultiFrameImageStorage, generate_uid


def write(name, frames):
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.SOPClassUID = UltrasoundMultiFrameImageStorage if frames > 1 else UltrasoundImageStorage
    image.SOPInstanceUID, image.StudyInstanceUID, image.SeriesInstanceUID = (generate_uid() for _ in range(3))
    image.Modality = "US"
    image.Rows, image.Columns, image.SamplesPerPixel, image.PhotometricInterpretation = 40, 60, 1, "MONOCHROME2"
    image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 8, 8, 7, 0
    image.PixelSpacing = [0.2, 0.2]
    if frames > 1:
        image.NumberOfFrames, image.FrameTime = frames, 40
    pixels = np.arange(frames * 2400).reshape(frames, 40, 60).astype(np.uint8)
    image.PixelData = pixels.tobytes()
    image.save_as(name, enforce_file_format=True)
    return pixels


load = LoadImage(reader=PydicomReader(), image_only=True)
write("still.dcm", 1)
pixels = write("cine.dcm", 5)
still, cine = load("still.dcm"), load("cine.dcm")
print(f"MONAI {monai.__version__}: still {tuple(still.shape)}, pixdim {still.pixdim.tolist()} mm; cine {tuple(cine.shape)}")
assert tuple(still.shape) == (60, 40) and still.pixdim.tolist() == [1, 1], "changed"
assert (np.asarray(cine) == pixels.transpose(1, 0, 2)).all(), "changed"
PY
venv/bin/python -W ignore try.py
