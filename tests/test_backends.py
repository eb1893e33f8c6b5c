"""What computes the networks: OpenVINO against PyTorch, our U-Net against MONAI's, and distrust of ONNX graphs."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from monai.networks.nets.unet import UNet
from onnx import TensorProto, helper

from lesion_measure.calibration import calibrate
from lesion_measure.config import Config
from lesion_measure.dicom.open_image import OpenImage
from lesion_measure.errors import LesionMeasureError, ModelError
from lesion_measure.image.automatic import looked_at
from lesion_measure.lab.training.calibrate import Calibrated
from lesion_measure.lab.training.card import Card
from lesion_measure.lab.training.export import add_graphs, write_bundle
from lesion_measure.lab.training.settings import NetworkSettings, TrainSettings
from lesion_measure.measure import measure_mask
from lesion_measure.network import Preprocessing, Segmenter
from lesion_measure.network.bundle import BundleSettings
from lesion_measure.network.confidence import dice
from lesion_measure.network.definition import AnyDefinition, EfficientDefinition, NetworkDefinition
from lesion_measure.network.parts import long_axis
from lesion_measure.network.weights import build_network
from lesion_measure.studies import load_studies

SIZE = 64
SMALL = NetworkDefinition(channels=(4, 8, 16), strides=(2, 2), num_res_units=1)
KINDS = [
    SMALL,
    NetworkDefinition(channels=(4, 8), strides=(1,), num_res_units=0),
    NetworkDefinition(channels=(4, 4, 8, 8), strides=(2, 1, 2), num_res_units=3, norm="INSTANCE", dropout=0.1),
]


def shaken(definition: AnyDefinition) -> torch.nn.Module:
    """An untrained network in evaluation mode, whose normalisation has seen something."""
    torch.manual_seed(5)
    network = build_network(definition)
    with torch.no_grad():
        for _ in range(3):
            network(2 * torch.rand(4, 2, SIZE, SIZE) - 0.3)
    return network.eval()


@pytest.mark.parametrize("definition", KINDS)
def test_our_unet_is_monais(definition: NetworkDefinition) -> None:
    ours = shaken(definition)
    theirs = UNet(
        spatial_dims=2, in_channels=2, out_channels=1, channels=definition.channels, strides=definition.strides,
        num_res_units=definition.num_res_units, norm=definition.norm, dropout=definition.dropout,
    )  # fmt: skip
    theirs.load_state_dict(ours.state_dict())
    picture = torch.randn(2, 2, SIZE, SIZE)
    with torch.inference_mode():
        assert torch.equal(ours(picture), theirs.eval()(picture))
    torch.manual_seed(6)
    first = build_network(definition).state_dict()
    torch.manual_seed(6)
    again = UNet(2, 2, 1, definition.channels, definition.strides, num_res_units=definition.num_res_units)
    drawn = {name: value for name, value in again.state_dict().items() if name.endswith("conv.weight")}
    assert all(torch.equal(first[name], value) for name, value in drawn.items())


def written(out: Path, definition: AnyDefinition) -> Path:
    """A bundle of one untrained network."""
    settings = TrainSettings(automatic=NetworkSettings(network=definition, preprocessing=Preprocessing(size=SIZE)))
    bundle = BundleSettings(preprocessing=Preprocessing(size=SIZE))
    weights = {"automatic": shaken(definition).state_dict()}
    write_bundle(out, weights, bundle, settings, Card([], [], Calibrated(bundle)))
    return out


@pytest.mark.parametrize("definition", [*KINDS, EfficientDefinition(_target_="EfficientUNet", channels=(8, 8))])
def test_every_architecture_is_computed_alike(tmp_path: Path, definition: AnyDefinition) -> None:
    bundle = written(tmp_path / "made", definition)
    batch = np.random.default_rng(2).normal(0, 1, (7, 2, SIZE, SIZE)).astype(np.float32)
    fast, reference = (Segmenter.from_bundle(bundle, backend=name) for name in ("openvino", "torch"))
    expected = reference._automatic.forward(batch)
    np.testing.assert_allclose(fast._automatic.forward(batch), expected, atol=2e-4 * max(1, np.abs(expected).max()))
    assert fast.backend.startswith("openvino ")
    assert fast.backend.endswith(", float32, cpu")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("models") / "small", SMALL)


@pytest.fixture
def bundle(small: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(small, tmp_path / "small"))


class TestShipped:
    """The shipped networks on the samples: what they draw is the same, whatever computes it."""

    def test_probabilities_masks_and_long_axes_agree(self, project_dir: Path) -> None:
        fast, reference = (
            Segmenter.from_bundle(project_dir / "models/liver_us_unet", backend=name) for name in ("openvino", "torch")
        )
        config, seen = Config(), 0
        for instance in list(load_studies(project_dir / "sample_dicoms").instances)[::4]:
            scale = calibrate(instance, config.calibration)
            with OpenImage(instance, config.limits) as image:
                for region in looked_at(scale.regions):
                    part = image.frame(1).luminance()[
                        region.row_min : region.row_max + 1, region.col_min : region.col_max + 1
                    ]
                    one, two = reference.segment(part), fast.segment(part)
                    assert np.abs(one.probability - two.probability).max() < 1e-4
                    assert [lesion.accepted for lesion in one.lesions] == [lesion.accepted for lesion in two.lesions]
                    for first, second in zip(one.lesions, two.lesions, strict=True):
                        assert second.confidence == pytest.approx(first.confidence, abs=1e-4)
                        lengths = [
                            measure_mask(each.probability, spacing_mm=region.spacing_mm).long_axis_mm
                            for each in (first, second)
                        ]
                        assert lengths[1] == pytest.approx(lengths[0], rel=1e-3)
                        assert first.origin == second.origin
                        assert dice(first.mask, second.mask) >= 0.999
                        axis = long_axis(first.mask)
                        assert axis is not None
                        line = [(axis[0][0] + first.origin[0], axis[0][1] + first.origin[1]),
                                (axis[1][0] + first.origin[0], axis[1][1] + first.origin[1])]  # fmt: skip
                        drawn = [each.segment(part, [(line[0], line[1])]) for each in (reference, fast)]
                        assert np.abs(drawn[0].probability - drawn[1].probability).max() < 1e-4
                        seen += 1
        assert seen >= 5

    def test_answers_do_not_depend_on_threads_or_on_what_is_asked_for_beside(self, project_dir: Path) -> None:
        one, two = (
            Segmenter.from_bundle(project_dir / "models/liver_us_unet", backend="openvino", threads=threads)
            for threads in (1, 2)
        )
        batch = np.random.default_rng(0).normal(0, 1, (8, 2, 128, 128)).astype(np.float32)
        answer = one._prompted.forward(batch)
        assert np.array_equal(answer, two._prompted.forward(batch))
        assert np.array_equal(answer[4:], one._prompted.forward(batch[4:]))


class TestChoice:
    def test_auto_takes_openvino_where_it_can(self, bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        assert Segmenter.from_bundle(bundle).backend.startswith("openvino ")
        monkeypatch.setattr("lesion_measure.network.backend.find_spec", lambda name: None)
        assert Segmenter.from_bundle(bundle).backend.startswith("torch ")

    def test_auto_takes_torch_where_the_bundle_has_no_graph(self, bundle: Path) -> None:
        change(bundle, onnx_sha256=None)
        (bundle / "models/model.onnx").unlink()
        assert Segmenter.from_bundle(bundle).backend.startswith("torch ")
        with pytest.raises(ModelError, match="no ONNX graph") as caught:
            Segmenter.from_bundle(bundle, backend="openvino")
        assert "lesion-measure onnx" in caught.value.remedy
        assert add_graphs(bundle) == [bundle / "models/model.onnx"]
        assert Segmenter.from_bundle(bundle).backend.startswith("openvino ")

    def test_bfloat16_is_taken_when_it_is_asked_for(self, bundle: Path) -> None:
        assert Segmenter.from_bundle(bundle, backend="openvino-bf16").backend.endswith(", bfloat16, cpu")

    def test_openvino_computes_on_the_cpu(self, bundle: Path) -> None:
        with pytest.raises(ModelError, match="computes on the CPU"):
            Segmenter.from_bundle(bundle, backend="openvino", device="cuda")

    def test_without_the_extra_it_is_named(self, bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        found = importlib.util.find_spec
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "openvino" else found(name))
        with pytest.raises(LesionMeasureError) as caught:
            Segmenter.from_bundle(bundle, backend="openvino")
        assert caught.value.remedy == "pip install 'lesion-measure[fast]'"


def change(bundle: Path, **changes: Any) -> None:
    path = bundle / "configs/metadata.json"
    data = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({key: value for key, value in data.items() if value is not None}))


def plant(bundle: Path, graph: bytes) -> None:
    """Another graph, with its hash stated, as an attacker would."""
    (bundle / "models/model.onnx").write_bytes(graph)
    change(bundle, onnx_sha256=hashlib.sha256(graph).hexdigest())


def refusal(bundle: Path) -> ModelError:
    with pytest.raises(ModelError) as caught:
        Segmenter.from_bundle(bundle, backend="openvino")
    return caught.value


def graph(steps: list[Any], constants: list[Any] = [], shape: tuple[Any, ...] = ("n", 2, SIZE, SIZE)) -> bytes:  # noqa: B006
    """A graph from ``pictures`` to ``logits``."""
    pictures = helper.make_tensor_value_info("pictures", TensorProto.FLOAT, shape)
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ("n", 1, SIZE, SIZE))
    made = helper.make_graph(steps, "made", [pictures], [logits], constants)
    model: bytes = helper.make_model(
        made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9
    ).SerializeToString()
    return model


class TestGraph:
    """A graph is computed where it is that of the bundle's network, and of no more."""

    def test_changed_graph_or_changed_weights(self, bundle: Path) -> None:
        for name in ("model.onnx", "model.pt"):
            path = bundle / "models" / name
            whole = path.read_bytes()
            path.write_bytes(whole[:1000] + bytes([whole[1000] ^ 1]) + whole[1001:])
            assert refusal(bundle).code == "model_hash"
            path.write_bytes(whole)
        Segmenter.from_bundle(bundle, backend="openvino")

    def test_random_damage_under_a_fitting_hash_is_refused_or_computes(self, bundle: Path) -> None:
        whole = (bundle / "models/model.onnx").read_bytes()
        plant(bundle, whole[:1500])
        assert refusal(bundle).code == "model_weights"
        plant(bundle, b"weights")
        assert refusal(bundle).code == "model_weights"

    def test_numbers_of_another_file(self, bundle: Path) -> None:
        weight = helper.make_tensor("weight", TensorProto.FLOAT, (1, 2, 1, 1), bytes(8), raw=True)
        onnx.external_data_helper.set_external_data(weight, "../../secret.bin")
        weight.data_location = TensorProto.EXTERNAL
        plant(bundle, graph([helper.make_node("Conv", ["pictures", "weight"], ["logits"])], [weight]))
        assert "another file" in refusal(bundle).reason

    def test_what_no_network_computes(self, bundle: Path) -> None:
        ends = helper.make_tensor("ends", TensorProto.INT64, (1,), [1])
        steps = [helper.make_node("CumSum", ["pictures", "ends"], ["sums"]),
                 helper.make_node("ReduceMax", ["sums"], ["logits"], axes=[1])]  # fmt: skip
        plant(bundle, graph(steps, [ends]))
        assert "CumSum" in refusal(bundle).reason

    def test_pictures_of_another_size(self, bundle: Path) -> None:
        weight = helper.make_tensor("weight", TensorProto.FLOAT, (1, 2, 1, 1), [1.0, 1.0])
        steps = [helper.make_node("Conv", ["pictures", "weight"], ["logits"])]
        plant(bundle, graph(steps, [weight]))
        Segmenter.from_bundle(bundle, backend="openvino")
        plant(bundle, graph(steps, [weight], ("n", 2, 32, 32)))
        assert "64 x 64" in refusal(bundle).reason

    def test_a_step_that_takes_all_memory(self, bundle: Path) -> None:
        weight = helper.make_tensor("weight", TensorProto.FLOAT, (1, 2, 1, 1), [1.0, 1.0])
        wide = helper.make_tensor("wide", TensorProto.INT64, (4,), [1, 2_000_000_000, 1, 1])
        steps = [helper.make_node("Conv", ["pictures", "weight"], ["one"]),
                 helper.make_node("Expand", ["one", "wide"], ["many"]),
                 helper.make_node("Slice", ["many", "zero", "first", "first"], ["logits"])]  # fmt: skip
        zero, first = (helper.make_tensor(n, TensorProto.INT64, (1,), [v]) for n, v in (("zero", 0), ("first", 1)))
        plant(bundle, graph(steps, [weight, wide, zero, first]))
        assert "numbers" in refusal(bundle).reason
