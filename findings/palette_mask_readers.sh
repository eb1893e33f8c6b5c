#!/usr/bin/env bash
# A label mask as a palette PNG (what VOC-style tools write): four usual readers, three different masks.
# Guess: readers of label images give the labels, 0 and 1.
# Seen: Pillow's array holds the labels; Pillow's convert("L") holds the palette's grey (38 for VOC's first red);
# scikit-image and SimpleITK give the palette's colours, three channels of 0 and 128.
# Why it surprises: SimpleITK and scikit-image are the usual readers of masks, `mask == 1` is empty in both, and a lesion becomes lesion-free.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q pillow==13.0.0 numpy==2.4.6 scikit-image==0.26.0 SimpleITK==2.5.7
cd "$dir"
venv/bin/python - <<'PY'
import numpy as np
import skimage
import skimage.io
import SimpleITK as sitk
import PIL
from PIL import Image

labels = np.zeros((64, 64), np.uint8)
labels[16:40, 16:40] = 1
mask = Image.new("P", (64, 64))
mask.putpalette([0, 0, 0, 128, 0, 0])  # 0 black, 1 dark red: the colours of Pascal VOC
mask.putdata(labels.ravel().tolist())
mask.save("mask.png")

raw = np.asarray(Image.open("mask.png"))
grey = np.asarray(Image.open("mask.png").convert("L"))
by_skimage = skimage.io.imread("mask.png")
by_sitk = sitk.GetArrayFromImage(sitk.ReadImage("mask.png"))
print("Pillow", PIL.__version__, "asarray:      ", raw.shape, np.unique(raw).tolist())
print("Pillow", PIL.__version__, 'convert("L"): ', grey.shape, np.unique(grey).tolist())
print("scikit-image", skimage.__version__, "imread: ", by_skimage.shape, np.unique(by_skimage).tolist())
print("SimpleITK", sitk.Version.VersionString(), "ReadImage: ", by_sitk.shape, np.unique(by_sitk).tolist())
print("pixels equal to 1:", int((raw == 1).sum()), int((grey == 1).sum()), int((by_skimage == 1).sum()), int((by_sitk == 1).sum()))
assert (raw == labels).all() and np.unique(grey).tolist() == [0, 38], "changed"
assert by_skimage.shape == by_sitk.shape == (64, 64, 3) and not (by_skimage == 1).any() and not (by_sitk == 1).any(), "changed"
PY
