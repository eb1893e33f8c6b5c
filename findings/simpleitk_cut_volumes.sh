#!/usr/bin/env bash
# SimpleITK reads volumes that were cut off or damaged, and gives other voxels without a word.
# Guess: a .nii.gz whose end is missing, or a compressed .mha with one wrong byte, is an error: both formats state their length or a checksum.
# Seen: a NIfTI file that was cut off, packed or not, is read with other voxels. A cut NRRD or MetaImage is refused, but one wrong byte
# of its compressed data gives other voxels: always in the MetaImage, in half of the NRRD files. Of a packed NIfTI file that is refused.
# Why it surprises: a mask whose lower half is missing has a smaller area, and the lesion has shrunk.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q SimpleITK==2.5.7 numpy==2.4.6
cd "$dir"
venv/bin/python - <<'PY'
import random

import numpy as np
import SimpleITK as sitk

sitk.ProcessObject.SetGlobalWarningDisplay(False)
mask = (np.random.default_rng(1).random((3, 40, 50)) > 0.7).astype(np.uint8)
draw = random.Random(3)


def read(data, suffix):
    name = f"damaged{suffix}"
    with open(name, "wb") as file:
        file.write(data)
    try:
        found = sitk.GetArrayFromImage(sitk.ReadImage(name))
    except RuntimeError:
        return "refused"
    return "same" if np.array_equal(found, mask) else "other voxels"


def count(answers):
    return {answer: answers.count(answer) for answer in sorted(set(answers))}


seen = {}
for suffix in (".nii", ".nii.gz", ".nrrd", ".mha"):
    sitk.WriteImage(sitk.GetImageFromArray(mask), f"whole{suffix}", useCompression=suffix in (".nrrd", ".mha"))
    with open(f"whole{suffix}", "rb") as file:
        whole = file.read()
    cut = [read(whole[: draw.randrange(len(whole) // 2, len(whole))], suffix) for _ in range(100)]
    flipped = []
    for _ in range(100):  # one byte of the last half, which is data
        place = draw.randrange(len(whole) // 2, len(whole))
        flipped.append(read(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :], suffix))
    seen[suffix] = cut, flipped
    print(f"SimpleITK {sitk.Version.VersionString()} {suffix:8} cut off: {count(cut)}; one byte wrong: {count(flipped)}")
assert "other voxels" in seen[".nii"][0] and "other voxels" in seen[".nii.gz"][0], "changed"
assert "other voxels" in seen[".mha"][1], "changed"
assert set(seen[".nrrd"][0]) == {"refused"}, "changed"
PY
