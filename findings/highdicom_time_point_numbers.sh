#!/usr/bin/env bash
# highdicom counts the visit of a measurement group among its measurements.
# Guess: get_measurements() of a group gives what was measured: here one diameter.
# Seen: it gives three numbers: the time point's order (2, no unit), its offset from baseline (30 days), and the diameter.
# Why it surprises: TimePointContext (TID 1502) is highdicom's own template, and its numbers are context, not measurements;
# a program that adds up or lists what a report measured takes a visit's number for a size.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q pydicom==3.0.2 numpy==2.4.6 highdicom==0.28.2
"$dir/venv/bin/python" - <<'PY'
import highdicom as hd
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

group = hd.sr.MeasurementsAndQualitativeEvaluations(
    hd.sr.TrackingIdentifier(hd.UID(), "L1"),
    time_point_context=hd.sr.TimePointContext(
        "1 month",
        time_point_order=2,
        temporal_offset_from_event=hd.sr.LongitudinalTemporalOffsetFromEvent(
            30, Code("d", "UCUM", "day"), codes.DCM.Baseline
        ),
    ),
    measurements=[hd.sr.Measurement(codes.SCT.LongAxis, 24.7, codes.UCUM.Millimeter)],
)
seen = [(m.name.meaning, m.value, m.unit.value) for m in group.get_measurements()]
print("highdicom", hd.__version__, seen)
assert [value for _, value, _ in seen] == [2, 30, 24.7], "changed"
PY
