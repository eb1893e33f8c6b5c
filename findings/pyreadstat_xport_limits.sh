#!/usr/bin/env bash
# pyreadstat writes XPT version 5 files beyond the limits of version 5, and cuts labels, without a word.
# Guess: it raises for texts over 200 bytes and labels over 40, as it does for names over 8.
# Seen: a text of 300 characters is written and read back whole; a label of 60 is cut to 40; a lower-case name stays lower-case.
# Why it surprises: it refuses one limit of the format (names) and lets the others pass, so the file looks valid until a regulator's tool reads it.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q pandas==3.1.1 pyreadstat==1.3.7 numpy==2.4.6
cd "$dir"
venv/bin/python - <<'PY'
import pandas as pd
import pyreadstat

print("pyreadstat", pyreadstat.__version__)
def back(frame, **options):
    pyreadstat.write_xport(frame, "t.xpt", table_name="T", file_format_version=5, **options)
    return pyreadstat.read_xport("t.xpt")

text = back(pd.DataFrame({"X": ["a" * 300, "b"]}))[0]["X"].str.len().tolist()
label = back(pd.DataFrame({"X": ["a"]}), column_labels={"X": "L" * 60})[1].column_labels[0]
name = back(pd.DataFrame({"abc": ["a"]}))[0].columns[0]
try:
    back(pd.DataFrame({"ABCDEFGHI": ["a"]}))
    refused = ""
except pyreadstat.ReadstatError as error:
    refused = str(error)
print("text of 300 comes back with length", text[0], "(limit of version 5: 200)")
print("label of 60 comes back with length", len(label), "(limit: 40)")
print("name 'abc' comes back as", repr(name))
print("name of 9 letters:", refused)
assert text[0] == 300 and len(label) == 40 and name == "abc" and "too long" in refused, "changed"
PY
