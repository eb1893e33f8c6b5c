#!/usr/bin/env bash
# Training a 1 x 1 convolution with steps of 2 and few channels, in the layout that is fastest on a CPU, corrupts the heap.
# Guess: channels_last changes the speed of a network, and its numbers by rounding; nothing written in Python can write beyond its memory.
# Seen: the gradient of Conv2d(4, 8, 1, stride=2) in channels_last writes beyond it: the process is ended ("corrupted ..."). Without oneDNN, in the usual layout or with 16 channels it is not.
# Why it surprises: such a convolution stands beside the levels of every residual network (MONAI's DynUNet with res_block), and it may take epochs until the process dies.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q torch==2.13.0 numpy==2.4.6
cat >"$dir/train.py" <<'PY'
import sys

import torch

torch.set_num_threads(1)
torch.backends.mkldnn.enabled = sys.argv[2] == "onednn"
layout = getattr(torch, sys.argv[1])
conv = torch.nn.Conv2d(4, 8, 1, stride=2, bias=False).to(memory_format=layout)
for _ in range(100):
    conv(torch.randn(4, 4, 64, 64).contiguous(memory_format=layout)).square().mean().backward()
    others = [torch.randn(length) for length in range(1, 300)]
PY
died() { if "$dir/venv/bin/python" "$dir/train.py" "$@" 2>"$dir/said"; then echo no; else echo yes; fi; }
last=$(died channels_last onednn) plain=$(died contiguous_format onednn) without=$(died channels_last none)
grep -m1 . "$dir/said" || true
echo "ended by the system: channels_last $last, contiguous $plain, channels_last without oneDNN $without"
[ "$last $plain $without" = "yes no no" ] || { echo "changed (or a processor without AVX-512)"; exit 1; }
