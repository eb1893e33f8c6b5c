#!/usr/bin/env bash
# pandas counts the rows of a SAS transport file (XPT v5, the FDA's format for trial data) wrongly where rows are short.
# Guess: pandas reads as many rows as were written; pyreadstat does.
# Seen: one record of 1 byte: pandas reads 8 rows, seven of blanks. Records of 20 bytes whose last is mostly blank: written 2 to 8, it reads one less.
# Why it surprises: a checker that reads a domain back by pandas finds records that nobody wrote, or misses the last one.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q pandas==3.1.1 pyreadstat==1.3.7 numpy==2.4.6
cd "$dir"
venv/bin/python - <<'PY'
import pandas as pd
import pyreadstat

print("pandas", pd.__version__, "pyreadstat", pyreadstat.__version__)
counts = []
for n in range(1, 9):
    frame = pd.DataFrame({"VALUE": ["x" * 20] * (n - 1) + ["x"]})
    pyreadstat.write_xport(frame, "t.xpt", table_name="T", file_format_version=5)
    first, _ = pyreadstat.read_xport("t.xpt")
    second = pd.read_sas("t.xpt", format="xport", encoding="ascii")
    width = first["VALUE"].str.len().max()
    counts.append((n, len(first), len(second)))
    print(f"written {n}, widest text {width}: pyreadstat {len(first)}, pandas {len(second)}")
assert all(n == a for n, a, _ in counts), "changed: pyreadstat"
assert [b for *_, b in counts] == [8, 1, 2, 3, 4, 5, 6, 7], "changed: pandas"
PY
