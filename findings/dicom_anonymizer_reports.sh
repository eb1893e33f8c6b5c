#!/usr/bin/env bash
# A structured report through dicom-anonymizer, with the newest table of PS3.15 that it has.
# Guess: names and texts go, the measured length stays, and the file is still a structured report.
# Seen: Value Type, Relationship Type, codes and units of every item become 'ANONYMIZED', and the length 33.3 mm becomes 0.
# The length is not missing: it is 0.
# Why it surprises: the table says D for Content Sequence, "replace with a dummy value". Text Value itself is not in the table, so
# whoever takes Content Sequence out of the rules to keep the numbers keeps every sentence as well.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q dicom-anonymizer==2.1.0 pydicom==3.0.2
cd "$dir"
venv/bin/python - <<'PY'
from importlib.metadata import version

from dicomanonymizer.dicomfields_selector import dicom_anonymization_database_selector
from dicomanonymizer.simpledicomanonymizer import anonymize_dataset, initialize_actions
from pydicom import Dataset


def code(value, scheme, meaning):
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


measured, length, comment, report = Dataset(), Dataset(), Dataset(), Dataset()
measured.NumericValue, measured.MeasurementUnitsCodeSequence = "33.3", [code("mm", "UCUM", "mm")]
length.RelationshipType, length.ValueType, length.MeasuredValueSequence = "CONTAINS", "NUM", [measured]
length.ConceptNameCodeSequence = [code("410668003", "SCT", "Length")]
comment.RelationshipType, comment.ValueType, comment.TextValue = "CONTAINS", "TEXT", "seen with Mrs Doe"
comment.ConceptNameCodeSequence = [code("121106", "DCM", "Comment")]
report.SOPClassUID, report.SOPInstanceUID, report.ValueType = "1.2.840.10008.5.1.4.1.1.88.33", "1.2.3", "CONTAINER"
report.ContentSequence = [length, comment]

anonymize_dataset(report, base_rules_gen=lambda: initialize_actions("dicomfields_2026c"))
number, text = report.ContentSequence
print("dicom-anonymizer", version("dicom-anonymizer"))
print("value types:", number.ValueType, text.ValueType, "| length:", number.MeasuredValueSequence[0].NumericValue,
      number.MeasuredValueSequence[0].MeasurementUnitsCodeSequence[0].CodeValue)
tables = dicom_anonymization_database_selector("dicomfields_2026c")
listed = any((0x0040, 0xA160) in tables[name] for name in tables if name != "ALL_TAGS")
print("Text Value (0040,A160) in the table:", listed)
assert number.ValueType == text.ValueType == "ANONYMIZED", "changed"
assert float(number.MeasuredValueSequence[0].NumericValue) == 0 and not listed, "changed"
PY
