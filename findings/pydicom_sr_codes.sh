#!/usr/bin/env bash
# Coded concepts of pydicom and highdicom: is SRT's code of the long axis (G-A185) among known codes that are SCT's?
# Guess: SRT and SCT are two spellings of SNOMED, and == says so; then a set and a dict say so, too.
# Seen: the two are equal, and a list finds one by the other; a set and a dict do not. __eq__ maps SRT to SCT, __hash__ does not.
# Why it surprises: equal objects with different hashes break what Python promises of sets. A lookup table of codes finds
# reports of new viewers and misses those of older ones (OHIF 2 and Cornerstone 4 write SRT), without a word.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install -q pydicom==3.0.2 highdicom==0.28.2
venv/bin/python - <<'PY'
import highdicom
import pydicom
from highdicom.sr import CodedConcept
from pydicom.sr.coding import Code

print("pydicom", pydicom.__version__, "highdicom", highdicom.__version__)
for kind in (Code, CodedConcept):
    old, new = kind("G-A185", "SRT", "Long Axis"), kind("103339001", "SCT", "Long axis")
    print(f"{kind.__name__}: equal {old == new}; in a list {old in [new]}; in a set {old in {new}}")
    print(f"{kind.__name__}: by a dict {({new: 'long axis'}).get(old)}")
    assert old == new and old in [new] and old not in {new}, "changed"
PY
