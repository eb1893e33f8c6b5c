#!/usr/bin/env bash
# An exported ultrasound picture, read by SimpleITK: how many millimetres is a pixel?
# Guess: 1.0, as for any picture without a scale: a JPEG's dots per inch are about screens and printers.
# Seen: from the same picture 0.265 mm as JPEG or TIFF, which state 96 dots per inch, and 1.0 as PNG or BMP, which state them as well.
# Why it surprises: 0.265 mm is a likely size of an ultrasound pixel. A lesion of 40 pixels is 10.6 mm long by the screen that exported it,
# 14.1 mm where the export says 72, and nothing tells such a spacing from a stated one. As PNG the same lesion is 40 mm long.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q SimpleITK==2.5.7 numpy==2.4.6 pillow==13.0.0
cd "$dir"
venv/bin/python - <<'PY'
import numpy as np
import PIL
import SimpleITK as sitk
from PIL import Image

pixels = np.zeros((100, 100), np.uint8)
pixels[30:70, 30:70] = 200  # 40 pixels long
length = {}
for ending in ("jpg", "tif", "png", "bmp"):
    for dots in (None, 72, 96):
        Image.fromarray(pixels).save(f"export.{ending}", **({} if dots is None else {"dpi": (dots, dots)}))
        length[ending, dots] = 40 * sitk.ReadImage(f"export.{ending}").GetSpacing()[0]
    said = ", ".join(f"{dots or 'no'} dpi {length[ending, dots]:.2f} mm" for dots in (None, 72, 96))
    print(f"SimpleITK {sitk.Version.VersionString()}, export.{ending} (Pillow {PIL.__version__}): 40 pixels are {said}")
for ending in ("jpg", "tif"):
    assert round(length[ending, 96], 2) == 10.58 and round(length[ending, 72], 2) == 14.11, "changed"
for ending in ("png", "bmp"):
    assert length[ending, 72] == length[ending, 96] == 40, "changed"
assert length["jpg", None] == length["tif", None] == 40, "changed"
PY
