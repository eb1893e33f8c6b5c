#!/usr/bin/env bash
# MONAI's DiceMetric, as it comes, does not see what a network invents on lesion-free pictures.
# Guess: a picture without a lesion on which something is drawn has Dice 0 in the mean.
# Seen: such a picture is left out of the mean (ignore_empty=True): drawing on every lesion-free picture costs nothing. The metric is 1.0.
# Why it surprises: the mean Dice that training logs choose the best epoch by cannot tell a careful network from one that sees lesions everywhere.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q torch==2.13.0 monai==1.6.1 numpy==2.4.6
cd "$dir"
venv/bin/python - <<'PY'
import monai
import torch
from monai.metrics import DiceMetric

truth, drawn = torch.zeros(2, 1, 32, 32), torch.zeros(2, 1, 32, 32)
truth[0, 0, 8:16, 8:16] = drawn[0, 0, 8:16, 8:16] = 1  # one lesion, drawn perfectly
drawn[1, 0, 3:9, 3:9] = 1  # a lesion-free picture with an invented lesion
means = {}
for ignore_empty in (True, False):
    metric = DiceMetric(include_background=True, ignore_empty=ignore_empty)
    metric(drawn, truth)
    means[ignore_empty] = metric.aggregate().item()
default = DiceMetric(include_background=True)
default(drawn, truth)
print("MONAI", monai.__version__, "mean Dice by default:", default.aggregate().item(), "; ignore_empty=False:", means[False])
assert default.aggregate().item() == means[True] == 1.0 and means[False] == 0.5, "changed"
PY
