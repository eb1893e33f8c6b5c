#!/usr/bin/env bash
# SimpleITK's label shape filter answers 0.0 for a Feret diameter that it was not told to compute.
# Guess: asking for it computes it, or raises.
# Seen: GetFeretDiameter's value is 0.0 until ComputeFeretDiameterOn() is called, while perimeter and area are there by default.
# Computed, it runs between pixel centres: shorter than the corner-to-corner truth, where scikit-image is nearer to it.
# Why it surprises: 0.0 mm is a number that a table takes; the lesion looks as if it had gone.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q SimpleITK==2.5.7 numpy==2.4.6 scikit-image==0.26.0
cd "$dir"
venv/bin/python - <<'PY'
import numpy as np
import SimpleITK as sitk
from skimage import __version__ as skimage_version
from skimage.measure import regionprops

mask = np.zeros((100, 100), np.uint8)
mask[20:60, 30:70] = 1  # 40 rows of 0.2 mm, 40 columns of 0.3 mm: 8 x 12 mm, diagonal 14.42 mm
image = sitk.GetImageFromArray(mask)
image.SetSpacing((0.3, 0.2))
shape = sitk.LabelShapeStatisticsImageFilter()
shape.Execute(image)
before, area, perimeter = shape.GetFeretDiameter(1), shape.GetPhysicalSize(1), shape.GetPerimeter(1)
shape.ComputeFeretDiameterOn()
shape.Execute(image)
after = shape.GetFeretDiameter(1)
other = regionprops(mask, spacing=(0.2, 0.3))[0].feret_diameter_max
print("SimpleITK", sitk.Version.VersionString(), "as created: Feret", before, "mm, area", area, "mm2, perimeter", round(perimeter, 2), "mm")
print("after ComputeFeretDiameterOn():", round(after, 2), "mm; scikit-image", skimage_version, round(other, 2), "mm; corner to corner 14.42 mm")
assert before == 0.0 and area > 0 and perimeter > 0 and 13.9 < after < 14.2 and 14.2 < other < 14.45, "changed"
PY
