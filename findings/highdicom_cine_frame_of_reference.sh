#!/usr/bin/env bash
# highdicom refuses to segment a cine for want of a Frame of Reference UID, and refuses it just so when it has one.
# Guess: with FrameOfReferenceUID in the image, a mask for each frame of an ultrasound cine becomes a segmentation.
# Seen: "Only a single frame is supported when the source image has no Frame of Reference UID." with and without it. With one
# frame alone (NumberOfFrames 1) it is an AttributeError.
# Why it surprises: the message names the one thing to add, and adding it changes nothing; a position in space is what is asked for.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q pydicom==3.0.2 numpy==2.4.6 highdicom==0.28.2
"$dir/venv/bin/python" - <<'PY'
import highdicom as hd
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian, UltrasoundMultiFrameImageStorage, generate_uid


def cine(frames, **more):
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID = UltrasoundMultiFrameImageStorage
    ds.SOPInstanceUID, ds.StudyInstanceUID, ds.SeriesInstanceUID = generate_uid(), generate_uid(), generate_uid()
    ds.PatientName = ds.PatientID = ds.PatientBirthDate = ds.PatientSex = ds.StudyDate = ds.StudyTime = ""
    ds.AccessionNumber = ds.ReferringPhysicianName = ds.StudyID = ds.Manufacturer = ds.PatientOrientation = ""
    ds.Modality, ds.SeriesNumber, ds.InstanceNumber, ds.ImageType = "US", 1, 1, ["ORIGINAL", "PRIMARY"]
    ds.Rows, ds.Columns, ds.SamplesPerPixel, ds.PhotometricInterpretation = 64, 64, 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 8, 8, 7, 0
    ds.NumberOfFrames, ds.FrameTime, ds.FrameIncrementPointer = frames, 40, 0x00181063
    ds.PixelData = bytes(64 * 64 * frames)
    for keyword, value in more.items():
        setattr(ds, keyword, value)
    return ds


lesion = hd.seg.SegmentDescription(
    1, "lesion", codes.SCT.MorphologicallyAbnormalStructure, codes.SCT.Lesion, hd.seg.SegmentAlgorithmTypeValues.MANUAL
)


def outcome(ds):
    mask = np.zeros((int(ds.NumberOfFrames), 64, 64), bool)
    mask[:, 10:30, 20:50] = True
    try:
        hd.seg.Segmentation(
            [ds], mask, "BINARY", [lesion], generate_uid(), 1, generate_uid(), 1, "maker", "model", "1", "serial"
        )
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "made"


seen = {
    "without": outcome(cine(30)),
    "with": outcome(cine(30, FrameOfReferenceUID=generate_uid(), PositionReferenceIndicator="")),
    "one frame, with": outcome(cine(1, FrameOfReferenceUID=generate_uid(), PositionReferenceIndicator="")),
}
print("highdicom", hd.__version__)
for what, said in seen.items():
    print(f"  {what}: {said}")
assert seen["without"] == seen["with"], "changed"
assert "no Frame of Reference UID" in seen["with"], "changed"
assert seen["one frame, with"].startswith("AttributeError"), "changed"
PY
