#!/usr/bin/env bash
# pycocotools' run lengths of a picture with two lesions, numbered 1 and 2 as labellers number them.
# Guess: what is not 0 is inside, as in most functions that take a mask; or a label map is refused, as a mask in C order is.
# Seen: a run ends wherever the value changes. A lesion 2 that touches lesion 1 below it becomes background, and background becomes lesion:
# of 144 pixels 120 are left in a box of 20 rows for 12. Side by side the same two are right, and a core of another label is a hole.
# Why it surprises: the result is valid, decodes to 0 and 1, and is right for all pictures whose labels do not touch in a column.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q pycocotools==2.0.11 numpy==2.4.6
cd "$dir"
venv/bin/python - <<'PY'
from importlib.metadata import version

import numpy as np
from pycocotools import mask

print("pycocotools", version("pycocotools"))
places = {
    "apart": ((slice(2, 8), slice(4, 16)), (slice(10, 16), slice(4, 16))),
    "side by side": ((slice(4, 16), slice(4, 10)), (slice(4, 16), slice(10, 16))),
    "one below the other": ((slice(4, 10), slice(4, 16)), (slice(10, 16), slice(4, 16))),
    "one within the other": ((slice(4, 16), slice(4, 16)), (slice(8, 12), slice(8, 12))),
}
seen = {}
for name, (first, second) in places.items():
    labels = np.zeros((20, 20), np.uint8, order="F")
    labels[first], labels[second] = 1, 2
    runs = mask.encode(labels)
    back = mask.decode(runs) > 0
    seen[name] = int(mask.area(runs)), int((back != (labels > 0)).sum())
    print(f"{name}: {int((labels > 0).sum())} pixels inside, area {seen[name][0]}, box {mask.toBbox(runs).tolist()}, "
          f"{seen[name][1]} pixels wrong")
assert seen["side by side"] == (144, 0), "changed"
assert seen["one below the other"][0] == 120 and seen["one below the other"][1] > 0, "changed"
assert seen["one within the other"] == (128, 16), "changed"
PY
