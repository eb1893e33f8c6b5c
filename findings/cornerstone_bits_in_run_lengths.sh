#!/usr/bin/env bash
# Single bits in run lengths, as Cornerstone writes segmentations, are read by no general reader.
# Guess: pydicom, highdicom and ITK read a BINARY segmentation in RLE Lossless, as they read FRACTIONAL ones and label maps.
# Seen: pydicom has no RLE for 1 bit allocated, and so highdicom has none; ITK (GDCM) gives up as well. Uncompressed, all read it.
# Why it surprises: it is what OHIF 3.13 stores as a bitmap (its segmentation.store.transferSyntaxUID is RLE Lossless), and
# viewers built on Cornerstone show it, so that the mask seems well stored until another program needs it.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q pydicom==3.0.2 numpy==2.4.6 highdicom==0.28.2 SimpleITK==2.5.7
cd "$dir"
npm init -y >/dev/null
npm install --silent --ignore-scripts @cornerstonejs/adapters@5.14.0 dcmjs@0.52.0 @babel/runtime@7 gl-matrix@3 ndarray@1 >/dev/null 2>&1
venv/bin/python - <<'PY'
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, UltrasoundImageStorage, generate_uid

ds = Dataset()
ds.file_meta = FileMetaDataset()
ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = UltrasoundImageStorage
ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = generate_uid()
ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = generate_uid(), generate_uid(), generate_uid()
ds.PatientName = ds.PatientID = ds.PatientBirthDate = ds.PatientSex = ds.StudyDate = ds.StudyTime = ""
ds.AccessionNumber = ds.ReferringPhysicianName = ds.StudyID = ds.Manufacturer = ""
ds.Modality, ds.SeriesNumber, ds.InstanceNumber = "US", 1, 1
ds.ImageOrientationPatient, ds.ImagePositionPatient = [1, 0, 0, 0, 1, 0], [0, 0, 0]
ds.PixelSpacing, ds.SliceThickness = [0.3, 0.3], 1
ds.Rows, ds.Columns, ds.SamplesPerPixel, ds.PhotometricInterpretation = 64, 64, 1, "MONOCHROME2"
ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 8, 8, 7, 0
ds.PixelData = bytes(64 * 64)
ds.save_as("image.dcm", enforce_file_format=True)
PY
cat >make.mjs <<'JS'
import fs from "fs";
const adapters = await import("@cornerstonejs/adapters");
const dcmjs = (await import("dcmjs")).default;
const file = fs.readFileSync("image.dcm");
const read = dcmjs.data.DicomMessage.readFile(file.buffer.slice(file.byteOffset, file.byteOffset + file.length));
const { PixelData, StudyInstanceUID, SeriesInstanceUID, Modality, ...image } = dcmjs.data.DicomMetaDictionary.naturalizeDataset(read.dict);
const metadata = {
  get(type) {
    if (/study/i.test(type)) return { StudyInstanceUID };
    if (/series/i.test(type)) return { SeriesInstanceUID, Modality };
    return /image(Data|Module)?$/i.test(type) && !/plane|pixel/i.test(type) ? image : undefined;
  },
};
const pixelData = new Uint8Array(64 * 64);
for (let row = 10; row < 30; row++) pixelData.fill(1, row * 64 + 20, row * 64 + 50);
const images = [{
  imageId: "wadors:x/studies/1/series/2/instances/3/frames/1", rows: 64, columns: 64,
  voxelManager: { getScalarData: () => new Uint16Array(64 * 64) },
}];
const code = (value, meaning) => ({ CodeValue: value, CodingSchemeDesignator: "SCT", CodeMeaning: meaning });
const segment = {
  SegmentNumber: "1", SegmentLabel: "lesion", SegmentAlgorithmType: "MANUAL",
  SegmentedPropertyCategoryCodeSequence: code("49755003", "Morphologically Abnormal Structure"),
  SegmentedPropertyTypeCodeSequence: code("52988006", "Lesion"),
};
const labelmap = { metadata: [undefined, segment], labelmaps2D: [{ pixelData, segmentsOnLabelmap: [1], rows: 64, columns: 64 }] };
for (const [name, transferSyntaxUid] of [["bits", "1.2.840.10008.1.2.1"], ["runs", "1.2.840.10008.1.2.5"]]) {
  const options = { transferSyntaxUid, sopClassUID: "1.2.840.10008.5.1.4.1.1.66.4" };
  const { dataset } = adapters.adaptersSEG.Cornerstone3D.Segmentation.generateSegmentation(images, labelmap, metadata, options);
  fs.writeFileSync(`${name}.dcm`, Buffer.from(dcmjs.data.datasetToDict(dataset).write()));
}
JS
node make.mjs >/dev/null 2>&1
venv/bin/python - <<'PY'
import highdicom as hd
import pydicom
import SimpleITK

SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)


def pixels(read):
    try:
        return int(read())
    except RuntimeError:
        return "refused"


def itk(path):
    return (SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(path)) > 0).sum()


def highdicom(path):
    seg = hd.seg.segread(path)
    uids = [uid for _, _, uid in seg.get_source_image_uids()]
    return seg.get_pixels_by_source_instance(uids, ignore_spatial_locations=True).sum()


seen = {}
for name in ("bits.dcm", "runs.dcm"):
    header = pydicom.dcmread(name)
    assert (header.SegmentationType, header.BitsAllocated) == ("BINARY", 1)
    readers = {"pydicom": lambda d=header: d.pixel_array.sum(), "highdicom": lambda n=name: highdicom(n), "ITK": lambda n=name: itk(n)}
    seen[header.file_meta.TransferSyntaxUID.name] = {reader: pixels(read) for reader, read in readers.items()}
print("pydicom", pydicom.__version__, "highdicom", hd.__version__, "SimpleITK", SimpleITK.Version_VersionString(), seen)
assert set(seen["Explicit VR Little Endian"].values()) == {600}, "changed"
assert set(seen["RLE Lossless"].values()) == {"refused"}, "changed"
PY
