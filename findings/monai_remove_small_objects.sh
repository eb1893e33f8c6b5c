#!/usr/bin/env bash
# MONAI's RemoveSmallObjects changes by one pixel with the scikit-image beside it.
# Guess: "objects smaller than this size are removed" (its docstring) holds: an object of exactly min_size stays, with any supported scikit-image.
# Seen: with scikit-image 0.25 an object of 16 pixels stays at min_size=16; with 0.26, where the second positional argument
# became max_size ("smaller than or equal"), the same MONAI removes it.
# Why it surprises: one MONAI, one setting, one mask, and a lesion at the limit is there or not by a package nobody named.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q torch==2.13.0 monai==1.6.1 numpy==2.4.6 scikit-image==0.26.0
"$dir/venv/bin/pip" install -q --no-deps --target "$dir/older" scikit-image==0.25.2
cd "$dir"
cat >try.py <<'PY'
import monai
import numpy as np
import skimage
from monai.transforms import RemoveSmallObjects

mask = np.zeros((1, 20, 20), np.float32)
mask[0, 2:6, 2:6] = 1
left = [int(np.asarray(RemoveSmallObjects(min_size=size)(mask)).sum()) for size in (15, 16, 17)]
print(f"MONAI {monai.__version__}, scikit-image {skimage.__version__}: 16 pixels, min_size 15, 16, 17 leaves {left}")
raise SystemExit(left != ([16, 16, 0] if skimage.__version__.startswith("0.25") else [16, 0, 0]))
PY
venv/bin/python -W ignore try.py
PYTHONPATH="$dir/older" venv/bin/python -W ignore try.py
