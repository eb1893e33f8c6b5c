#!/usr/bin/env bash
# A network converted to OpenVINO and saved: does the saved one give the same answers?
# Guess: save_model writes the weights that it is given, float32, as ONNX and PyTorch do; half precision is asked for.
# Seen: it halves them unless compress_to_fp16=False. Asked for float32 when it is loaded (INFERENCE_PRECISION_HINT), the saved network
# computes with weights that differ in the fourth digit, and one of 1e-8 has become 0.
# Why it surprises: a comparison of the converted network with PyTorch, done before it is saved, agrees to seven digits and says nothing of
# the file that is shipped. Outlines at a threshold move, and the figures are no more those of the network that was validated.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q openvino==2026.4.1 numpy==2.4.6
cd "$dir"
venv/bin/python - <<'PY'
import numpy as np
import openvino as ov
from openvino import opset13 as ops

weights = np.array([1 / 3, 0.7, 123.456, 1e-8], np.float32)
given = ops.parameter([4], np.float32)
network = ov.Model([ops.multiply(given, ops.constant(weights))], [given])
core = ov.Core()


def answers(model):
    """What the network makes of four ones: its weights."""
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return compiled([np.ones(4, np.float32)])[0]


ov.save_model(network, "saved.xml")
ov.save_model(network, "whole.xml", compress_to_fp16=False)
seen = {"converted": answers(network), "saved": answers("saved.xml"), "saved, compress_to_fp16=False": answers("whole.xml")}
print("OpenVINO", ov.__version__)
for name, found in seen.items():
    print(f"{name}: {[float(f'{value:.9g}') for value in found]}")
assert (seen["converted"] == weights).all() and (seen["saved, compress_to_fp16=False"] == weights).all(), "changed"
assert (seen["saved"] == weights.astype(np.float16)).all() and not (seen["saved"] == weights).any(), "changed"
PY
