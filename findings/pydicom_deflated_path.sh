#!/usr/bin/env bash
# pydicom's frugal way to pixels, pixel_array(path), on a deflated file (1.2.840.10008.1.2.1.99).
# Guess: it gives what dcmread(path).pixel_array gives, in less memory.
# Seen: AttributeError, the dataset has no Pixel Data. dcmread of the same file gives the pixels.
# Why it surprises: the file is valid, and the message sends its reader to look for pixels that are there.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q pydicom==3.0.2 numpy==2.4.6
cd "$dir"
venv/bin/python - <<'PY'
import warnings

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels import pixel_array
from pydicom.uid import DeflatedExplicitVRLittleEndian

warnings.simplefilter("ignore")
pixels = np.arange(64, dtype=np.uint8).reshape(8, 8)
image = Dataset()
image.file_meta = FileMetaDataset()
image.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
image.SOPClassUID = image.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.6.1"
image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
image.Rows = image.Columns = 8
image.SamplesPerPixel, image.PhotometricInterpretation, image.PixelRepresentation = 1, "MONOCHROME2", 0
image.BitsAllocated = image.BitsStored = 8
image.HighBit, image.PixelData = 7, pixels.tobytes()
image.save_as("deflated.dcm", enforce_file_format=True)

whole = pydicom.dcmread("deflated.dcm").pixel_array
print("pydicom", pydicom.__version__, "| dcmread().pixel_array:", whole.shape, bool((whole == pixels).all()))
try:
    print("pixel_array(path):", pixel_array("deflated.dcm").shape)
    raise SystemExit("changed")
except AttributeError as error:
    print("pixel_array(path):", type(error).__name__, error)
PY
