#!/usr/bin/env bash
# A structured report of dwv on an ellipse that is 10 mm wide and 20 mm high: which numbers are its long and short axis?
# Guess: Long axis (SCT 103339001) 20 mm, Short axis (SCT 103340004) 10 mm.
# Seen: Long axis 5 mm, Short axis 10 mm. The width's half is called the long axis, the height's half the short one, whichever is longer.
# Why it surprises: the code's meaning is a full length, the longest one, and the area beside it is right. A program that
# takes the report's numbers has half of a lesion's diameter, and perhaps of the wrong one; the SCOORD alone is right.
set -euo pipefail
command -v node > /dev/null || { echo "node is not installed"; exit 2; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund dwv@0.36.4 2> /dev/null
python3 -m venv venv
venv/bin/pip install -q pydicom==3.0.2
cat > write.cjs <<'JS'
const dwv = require('dwv');
const view = {get2DSpacing: () => ({x: 0.5, y: 0.5}), getLengthUnit: () => 'unit.mm', canQuantifyImage: () => false};
const drawn = new dwv.Annotation();
drawn.mathShape = new dwv.Ellipse(new dwv.Point2D(30, 40), 10, 20); // half width and half height in pixels of 0.5 mm
drawn.referencedSopInstanceUID = '1.2.3';
drawn.referencedSopClassUID = '1.2.840.10008.5.1.4.1.1.6.1';
drawn.quantification = drawn.mathShape.quantify(view);
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

print("dwv", json.load(open("node_modules/dwv/package.json"))["version"])
group = pydicom.dcmread("sr.dcm").ContentSequence[0].ContentSequence[0]
stated = {}
for item in group.ContentSequence:
    if item.ValueType == "SCOORD":
        x1, y1, x2, y2, x3, y3, x4, y4 = item.GraphicData
        print("drawn:", item.GraphicType, f"{abs(x2 - x1) * 0.5:g} mm wide, {abs(y4 - y3) * 0.5:g} mm high")
    if item.ValueType == "NUM":
        measured = item.MeasuredValueSequence[0]
        stated[item.ConceptNameCodeSequence[0].CodeMeaning] = float(measured.NumericValue)
        unit = measured.MeasurementUnitsCodeSequence[0].CodeValue
        print("stated:", item.ConceptNameCodeSequence[0].CodeMeaning, measured.NumericValue, unit)
assert (stated["Long axis"], stated["Short axis"]) == (5, 10), "changed"
PY
