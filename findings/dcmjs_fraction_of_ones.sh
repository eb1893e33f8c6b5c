#!/usr/bin/env bash
# dcmjs writes a compressed segmentation as fractions of 255, and its masks hold 1.
# Guess: pixels inside are 255 of 255, so that a reader that cuts fractions at half finds the mask.
# Seen: SegmentationType FRACTIONAL, MaximumFractionalValue 255, and no other values than 0 and 1: a probability of 0.4 %.
# highdicom gives 0.0039 for every pixel of the lesion; cut at half, the mask is empty.
# Why it surprises: run lengths are the default of its adapter for Cornerstone, and the same mask without them is BINARY.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q pydicom==3.0.2 numpy==2.4.6 highdicom==0.28.2
cd "$dir"
npm init -y >/dev/null
npm install --silent --ignore-scripts dcmjs@0.52.0 >/dev/null
venv/bin/python - <<'PY'
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

study, series, frame = generate_uid(), generate_uid(), generate_uid()
for number in (1, 2):  # dcmjs makes segmentations of two slices and more
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = CTImageStorage
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = study, series, frame
    ds.PatientName = ds.PatientID = ds.PatientBirthDate = ds.PatientSex = ds.StudyDate = ds.StudyTime = ""
    ds.AccessionNumber = ds.ReferringPhysicianName = ds.StudyID = ds.Manufacturer = ""
    ds.Modality, ds.SeriesNumber, ds.InstanceNumber = "CT", 1, number
    ds.ImageOrientationPatient, ds.ImagePositionPatient = [1, 0, 0, 0, 1, 0], [0, 0, number]
    ds.PixelSpacing, ds.SliceThickness = [1, 1], 1
    ds.Rows, ds.Columns, ds.SamplesPerPixel, ds.PhotometricInterpretation = 64, 64, 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 0
    ds.PixelData = bytes(2 * 64 * 64)
    ds.save_as(f"{number}.dcm", enforce_file_format=True)
PY
cat >make.js <<'JS'
const fs = require("fs");
const dcmjs = require("dcmjs");
const images = [1, 2].map((number) => {
  const file = fs.readFileSync(`${number}.dcm`);
  const buffer = file.buffer.slice(file.byteOffset, file.byteOffset + file.length);
  return { imageId: `image ${number}`, data: { byteArray: { buffer } } };
});
const pixelData = new Uint8Array(64 * 64);
for (let row = 10; row < 30; row++) pixelData.fill(1, row * 64 + 20, row * 64 + 50);
const code = (value, meaning) => ({ CodeValue: value, CodingSchemeDesignator: "SCT", CodeMeaning: meaning });
const metadata = [undefined, {
  SegmentNumber: "1", SegmentLabel: "lesion", SegmentAlgorithmType: "MANUAL",
  SegmentedPropertyCategoryCodeSequence: code("49755003", "Morphologically Abnormal Structure"),
  SegmentedPropertyTypeCodeSequence: code("52988006", "Lesion"),
}];
const labelmap = { metadata, labelmaps2D: [{ pixelData, segmentsOnLabelmap: [0, 1] }] };
dcmjs.adapters.Cornerstone.Segmentation.generateSegmentation(images, labelmap)
  .arrayBuffer()
  .then((buffer) => fs.writeFileSync("seg.dcm", Buffer.from(buffer)));
JS
node make.js
venv/bin/python - <<'PY'
import highdicom as hd
import numpy as np

seg = hd.seg.segread("seg.dcm")
stored = seg.pixel_array
uids = [uid for _, _, uid in seg.get_source_image_uids()]
shares = seg.get_pixels_by_source_instance(uids, ignore_spatial_locations=True, assert_missing_frames_are_empty=True)
seen = (seg.SegmentationType, int(seg.MaximumFractionalValue), np.unique(stored).tolist(), round(float(shares.max()), 4))
print("dcmjs 0.52.0, highdicom", hd.__version__, seen, "pixels of half and more:", int((shares >= 0.5).sum()))
assert seen == ("FRACTIONAL", 255, [0, 1], 0.0039), "changed"
PY
