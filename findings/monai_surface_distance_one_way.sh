#!/usr/bin/env bash
# MONAI's average surface distance goes one way, its Hausdorff distance both.
# Guess: both are symmetric by default, as the average (symmetric) surface distance of papers is: what is missing counts like what is too much.
# Seen: SurfaceDistanceMetric() is only from the prediction to the reference; HausdorffDistanceMetric() takes both ways. An outline
# that misses half of the lesion is 2.2 mm off, one of the whole where half is right 4.8 mm; both ways, each is 3.7 mm off.
# Why it surprises: the two stand side by side in a table of a paper, and a network that draws too little looks better than one that draws too much.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q torch==2.13.0 monai==1.6.1 numpy==2.4.6 scipy==1.17.1
cd "$dir"
cat >try.py <<'PY'
import monai
import torch
from monai.metrics import HausdorffDistanceMetric, SurfaceDistanceMetric

rows, columns = torch.meshgrid(torch.arange(200), torch.arange(200), indexing="ij")
whole = ((rows - 100) ** 2 / 60**2 + (columns - 100) ** 2 / 80**2 <= 1)[None, None].float()
half = whole.clone()
half[..., 100:] = 0


def distance(metric, predicted, reference):
    metric(predicted, reference, spacing=[0.2, 0.2])
    return round(float(metric.aggregate()), 2)


average = [distance(SurfaceDistanceMetric(include_background=True), *pair) for pair in ((half, whole), (whole, half))]
both = [distance(SurfaceDistanceMetric(include_background=True, symmetric=True), *pair) for pair in ((half, whole), (whole, half))]
greatest = [distance(HausdorffDistanceMetric(include_background=True), *pair) for pair in ((half, whole), (whole, half))]
print(f"MONAI {monai.__version__}, mm: half of the lesion is drawn, all where half is right")
print(f"average surface distance, default {average}; symmetric {both}; Hausdorff distance, default {greatest}")
assert greatest[0] == greatest[1] and both[0] == both[1] and average[0] < both[0] < average[1], "changed"
PY
venv/bin/python -W ignore try.py
