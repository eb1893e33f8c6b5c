#!/usr/bin/env bash
# A colour Doppler still and a cine, uncompressed, read by imageio.
# Guess: the still of 40 rows and 60 columns comes as (40, 60, 3), the cine of 5 frames as (5, 40, 60); or an error says what is not supported.
# Seen: both come as (40, 60). Of the cine that is the first frame. Of the still it is the first third of the bytes, taken for grey: the upper
# third of the picture, each row torn into three.
# Why it surprises: it is a grey picture of the right size and type. A red square in rows 4 to 15 lies in rows 13 to 37, a quarter of it gone.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q imageio==2.38.1 pydicom==3.0.2 numpy==2.4.6
cd "$dir"
cat >try.py <<'PY'
import os

import imageio
import imageio.v3
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, UltrasoundImageStorage, UltrasoundMultiFrameImageStorage, generate_uid


def write(path, sop_class, pixels, **said):
    """An uncompressed ultrasound image of 40 rows and 60 columns."""
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.file_meta.MediaStorageSOPClassUID = image.SOPClassUID = sop_class
    image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID = generate_uid()
    image.StudyInstanceUID, image.SeriesInstanceUID = generate_uid(), generate_uid()
    image.PatientID, image.Modality, image.InstanceNumber, image.Rows, image.Columns = "1", "US", 1, 40, 60
    image.BitsAllocated = image.BitsStored = 8
    image.HighBit, image.PixelRepresentation = 7, 0
    image.update(said)
    image.PixelData = pixels.tobytes()
    image.save_as(path, enforce_file_format=True)
    return imageio.v3.imread(path)


os.mkdir("still")
os.mkdir("cine")
colour = np.full((40, 60, 3), 60, np.uint8)
colour[4:16, 20:32] = 220, 30, 30
still = write(
    "still/still.dcm", UltrasoundImageStorage, colour, SamplesPerPixel=3, PhotometricInterpretation="RGB", PlanarConfiguration=0
)
frames = np.repeat(np.arange(5, dtype=np.uint8) * 50, 2400).reshape(5, 40, 60)
said = {"SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2", "NumberOfFrames": 5, "FrameTime": 40}
cine = write("cine/cine.dcm", UltrasoundMultiFrameImageStorage, frames, **said)
rows, columns = np.nonzero(still == 220)
print(f"\nimageio {imageio.__version__}: still {still.shape}, cine {cine.shape} with grey {np.unique(cine).tolist()}")
print(f"red pixels: in the still 144 in rows 4 to 15 and columns 20 to 31, read {len(rows)} in rows {rows.min()} to {rows.max()}")
assert still.shape == cine.shape == (40, 60) and not cine.any(), "changed"
assert (still.ravel() == colour.ravel()[:2400]).all() and (len(rows), rows.min(), rows.max()) == (108, 13, 37), "changed"
PY
venv/bin/python try.py
