#!/usr/bin/env bash
# highdicom reads a segmentation whose header contradicts itself, and answers as if it did not.
# Guess: a segmentation that states a million frames and describes one, or frame 0 or 2 of a source of one frame, is an error.
# Seen: segread takes each, and get_pixels_by_source_instance gives the mask of the one frame, without a word.
# Why it surprises: frames are numbered from 1, so that a writer who counts from 0 has outlined another frame of a cine.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q pydicom==3.0.2 numpy==2.4.6 highdicom==0.28.2
cd "$dir"
venv/bin/python - <<'PY'
import warnings

import highdicom as hd
import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian, UltrasoundImageStorage, generate_uid

warnings.simplefilter("error")  # a warning would be a word
ds = Dataset()
ds.file_meta = FileMetaDataset()
ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
ds.SOPClassUID = UltrasoundImageStorage
ds.SOPInstanceUID, ds.StudyInstanceUID, ds.SeriesInstanceUID = generate_uid(), generate_uid(), generate_uid()
ds.PatientName = ds.PatientID = ds.PatientBirthDate = ds.PatientSex = ds.StudyDate = ds.StudyTime = ""
ds.AccessionNumber = ds.ReferringPhysicianName = ds.StudyID = ds.Manufacturer = ds.PatientOrientation = ""
ds.Modality, ds.SeriesNumber, ds.InstanceNumber, ds.ImageType = "US", 1, 1, ["ORIGINAL", "PRIMARY"]
ds.Rows, ds.Columns, ds.SamplesPerPixel, ds.PhotometricInterpretation = 64, 64, 1, "MONOCHROME2"
ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 8, 8, 7, 0
ds.PixelData = bytes(64 * 64)
mask = np.zeros((1, 64, 64), bool)
mask[0, 10:30, 20:50] = True
lesion = hd.seg.SegmentDescription(
    1, "lesion", codes.SCT.MorphologicallyAbnormalStructure, codes.SCT.Lesion, hd.seg.SegmentAlgorithmTypeValues.MANUAL
)


def read(change):
    seg = hd.seg.Segmentation(
        [ds], mask, "BINARY", [lesion], generate_uid(), 1, generate_uid(), 1, "maker", "model", "1", "serial"
    )
    seg.save_as("seg.dcm")
    stored = pydicom.dcmread("seg.dcm")
    change(stored)
    stored.save_as("seg.dcm")
    pixels = hd.seg.segread("seg.dcm").get_pixels_by_source_instance([ds.SOPInstanceUID])
    return bool((pixels[0, :, :, 0] == mask[0]).all())


def source(seg):
    return seg.PerFrameFunctionalGroupsSequence[0].DerivationImageSequence[0].SourceImageSequence[0]


seen = {
    "states 1,000,000 frames": read(lambda seg: setattr(seg, "NumberOfFrames", 1_000_000)),
    "outlines frame 0": read(lambda seg: setattr(source(seg), "ReferencedFrameNumber", 0)),
    "outlines frame 2 of 1": read(lambda seg: setattr(source(seg), "ReferencedFrameNumber", 2)),
}
print("highdicom", hd.__version__, {what: "read as drawn" if same else "other" for what, same in seen.items()})
assert all(seen.values()), "changed"
PY
