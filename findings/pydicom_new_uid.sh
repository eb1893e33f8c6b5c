#!/usr/bin/env bash
# pydicom gives an image another SOP Instance UID when it is compressed without loss, and again when it is decompressed.
# Guess: the image keeps its UID, as DCMTK's dcmdjpeg and dcmcrle keep it: not one pixel differs (PS3.3 C.7.6.1.1.2 asks for a new UID after lossy compression).
# Seen: both compress() and decompress() set a new UID by default (generate_instance_uid=True), in the object itself.
# Why it surprises: a folder that was decompressed to be read faster has lost the calipers of its structured reports, its segmentations
# and presentation states: all of them refer to images that are no more.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q pydicom==3.0.2 numpy==2.4.6
cd "$dir"
venv/bin/python - <<'PY'
import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, RLELossless, UltrasoundImageStorage, generate_uid

pixels = np.arange(2400, dtype=np.uint8).reshape(40, 60)
image = Dataset()
image.file_meta = FileMetaDataset()
image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
image.SOPClassUID, image.SOPInstanceUID = UltrasoundImageStorage, generate_uid()
image.Rows, image.Columns, image.SamplesPerPixel, image.PhotometricInterpretation = 40, 60, 1, "MONOCHROME2"
image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 8, 8, 7, 0
image.PixelData = pixels.tobytes()
uids = [image.SOPInstanceUID]
image.compress(RLELossless)
uids.append(image.SOPInstanceUID)
image.decompress()
uids.append(image.SOPInstanceUID)
assert (image.pixel_array == pixels).all()
print(f"pydicom {pydicom.__version__}: as made, compressed (RLE), decompressed; the pixels are the same")
print("\n".join(uids))
assert len(set(uids)) == 3, "changed"
PY
