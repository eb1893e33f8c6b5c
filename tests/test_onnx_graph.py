"""ONNX graphs that are written were tried: finite logits of the pictures' size, for any number of pictures."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from openvino import Core
from torch import Tensor, nn

from lesion_measure.errors import ModelError
from lesion_measure.network.definition import EfficientDefinition, NetworkDefinition
from lesion_measure.network.onnx_graph import onnx_graph
from lesion_measure.network.weights import build_network

SIDE = 32


@pytest.mark.parametrize(
    "definition",
    [NetworkDefinition(channels=(4, 8), strides=(2,), num_res_units=1), EfficientDefinition(out_channels=2)],
    ids=["UNet", "EfficientUNet"],
)
def test_a_graph_answers_about_any_number_of_pictures(definition: NetworkDefinition | EfficientDefinition) -> None:
    """Computed by OpenVINO, which has no part in writing or checking it."""
    torch.manual_seed(1)
    network = build_network(definition).eval()
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = Core().compile_model(Core().read_model(onnx_graph(network, SIDE)), "CPU", exact)
    for count in (1, 2, 5):
        pictures = torch.randn(count, 2, SIDE, SIDE)
        with torch.inference_mode():
            wanted = network(pictures).numpy()
        np.testing.assert_allclose(compiled(pictures.numpy())[0], wanted, atol=1e-3 * max(1, np.abs(wanted).max()))


class Layer(nn.Module):
    """A network of one layer, with something done to its answer."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(2, 1, 1)

    def forward(self, pictures: Tensor) -> Tensor:
        return self.layer(pictures)


class Half(Layer):
    def forward(self, pictures: Tensor) -> Tensor:
        return self.layer(pictures)[..., ::2]


class Infinite(Layer):
    def forward(self, pictures: Tensor) -> Tensor:
        return self.layer(pictures) / 0.0


class Counted(Layer):
    """Knows by heart how many pictures it is shown while it is exported."""

    def forward(self, pictures: Tensor) -> Tensor:
        return self.layer(pictures) * float(len(pictures))


class Classes(Layer):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(2, 5, 1)


@pytest.mark.parametrize(
    ("network", "complaint"),
    [
        (Half(), r"The network answers in the shape \(1, 1, 32, 16\); \(1, 1 or 2, 32, 32\) is needed"),
        (Classes(), r"in the shape \(1, 5, 32, 32\)"),
        (Infinite(), r"The network gives 1024 values of 1024 that are not finite, so no probabilities"),
        (Counted(), r"differ by 0\.\d+ of the largest|differ by \d"),
    ],
    ids=["size", "channels", "range", "number"],
)
def test_what_answers_otherwise_is_refused_with_the_reason(network: Layer, complaint: str) -> None:
    with pytest.raises(ModelError, match=complaint):
        onnx_graph(network.eval(), SIDE)
