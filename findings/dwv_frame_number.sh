#!/usr/bin/env bash
# A structured report of dwv on frame 3 of a cine: what do DICOM readers take for the frame?
# Guess: ReferencedFrameNumber stands in the item of ReferencedSOPSequence, where PS3.3 C.18.4 has it.
# Seen: it stands one level above, in the content item itself. pydicom and highdicom read the reference and find no frame.
# dwv reads it back from there, so a round trip in dwv does not show it.
# Why it surprises: the attribute is there, with a number, and means nothing. A drawing on one frame of a cine has become
# one on all of them.
set -euo pipefail
command -v node > /dev/null || { echo "node is not installed"; exit 2; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund dwv@0.36.4 2> /dev/null
python3 -m venv venv
venv/bin/pip install -q pydicom==3.0.2 highdicom==0.28.2
cat > write.cjs <<'JS'
const dwv = require('dwv');
const drawn = new dwv.Annotation();
drawn.mathShape = new dwv.Ellipse(new dwv.Point2D(30, 40), 10, 20);
drawn.referencedSopInstanceUID = '1.2.3';
drawn.referencedSopClassUID = '1.2.840.10008.5.1.4.1.1.3.1';
drawn.referencedFrameNumber = 3;
const group = new dwv.AnnotationGroup([drawn]);
const tags = {PatientName: 'A', PatientID: '1', StudyInstanceUID: '1.2.1', SeriesInstanceUID: '1.2.2', Modality: 'SR',
  StudyID: '1', StudyDate: '20260101', StudyTime: '120000', SeriesNumber: 1,
  CurrentRequestedProcedureEvidenceSequence: {value: [{StudyInstanceUID: '1.2.1',
    ReferencedSeriesSequence: {value: [{SeriesInstanceUID: '1.2.9'}]}}]}};
for (const [key, value] of Object.entries(tags)) group.setMetaValue(key, value);
const bytes = new dwv.DicomWriter().getBuffer(new dwv.AnnotationGroupFactory().toDicom(group));
require('fs').writeFileSync('sr.dcm', Buffer.from(bytes));
JS
node write.cjs
venv/bin/python - <<'PY'
import json
import pydicom
from highdicom.sr import ImageContentItem

print("dwv", json.load(open("node_modules/dwv/package.json"))["version"])
group = pydicom.dcmread("sr.dcm").ContentSequence[0].ContentSequence[0]
(image,) = next(item for item in group.ContentSequence if item.ValueType == "SCOORD").ContentSequence
reference = image.ReferencedSOPSequence[0]
print("frame in the reference (where the standard has it):", reference.get("ReferencedFrameNumber"))
print("frame in the content item:                         ", image.get("ReferencedFrameNumber"))
print("highdicom:                                         ", ImageContentItem.from_dataset(image).referenced_frame_numbers)
assert "ReferencedFrameNumber" not in reference and int(image.ReferencedFrameNumber) == 3, "changed"
assert not ImageContentItem.from_dataset(image).referenced_frame_numbers, "changed"
PY
