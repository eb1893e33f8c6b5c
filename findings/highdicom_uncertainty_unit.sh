#!/usr/bin/env bash
# highdicom writes the uncertainty of a length without its unit.
# Guess: the range of uncertainty of 24.7 mm, 3.5 up and 3.1 down, is written in mm, the unit of the number.
# Seen: both NUM items say unit "1" (no units), and there is no argument for another.
# Why it surprises: 3.5 and 3.1 of what? A reader that trusts the units takes them for factors or shares.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q pydicom==3.0.2 numpy==2.4.6 highdicom==0.28.2
"$dir/venv/bin/python" - <<'PY'
import highdicom as hd
from pydicom.sr.codedict import codes

properties = hd.sr.MeasurementProperties(upper_measurement_uncertainty=3.5, lower_measurement_uncertainty=3.1)
length = hd.sr.Measurement(codes.SCT.LongAxis, 24.7, codes.UCUM.Millimeter, properties=properties)
seen = [(item.value, item.unit.value) for item in length[0].ContentSequence]
print("highdicom", hd.__version__, (length.value, length.unit.value), seen)
assert seen == [(3.5, "1"), (3.1, "1")], "changed"
PY
