"""Networks by name: MONAI's own, checked before the work, trained, and stored so that MONAI computes the same."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import monai.bundle
import numpy as np
import pytest
import torch
from monai.networks import nets
from monai.networks.nets import efficientnet
from pydantic import TypeAdapter

from lesion_measure.errors import ConfigError, ModelError
from lesion_measure.lab.training import TrainingRequest, TrainSettings, train
from lesion_measure.lab.training.calibrate import Calibrated
from lesion_measure.lab.training.card import Card
from lesion_measure.lab.training.checked import check_networks
from lesion_measure.lab.training.export import write_bundle
from lesion_measure.lab.training.imagenet import imagenet_start
from lesion_measure.lab.training.layout import layout_of
from lesion_measure.lab.training.settings import NetworkSettings, Stage
from lesion_measure.network import Preprocessing
from lesion_measure.network import backend as backends
from lesion_measure.network.bundle import BundleSettings, read_bundle
from lesion_measure.network.definition import TARGETS, AnyDefinition
from lesion_measure.network.weights import build_network
from tiny_training import tiny, write_blobs

pytestmark = pytest.mark.filterwarnings("ignore:parsing config_file")

ANY: TypeAdapter[Any] = TypeAdapter(AnyDefinition)
SMALL: dict[str, dict[str, Any]] = {
    "UNet": {"channels": [4, 8, 16], "strides": [2, 2], "num_res_units": 1},
    "BasicUNet": {"features": [4, 4, 8, 8, 16, 4], "norm": "batch"},
    "FlexibleUNet": {"decoder_channels": [16, 16, 8, 8, 8]},
    "AttentionUnet": {"channels": [4, 8, 16], "strides": [2, 2]},
    "SegResNet": {"init_filters": 8, "blocks_down": [1, 1, 1], "blocks_up": [1, 1]},
    "DynUNet": {"filters": [4, 8, 8, 16, 16], "res_block": True},
}


def definition(target: str, **more: Any) -> Any:
    return ANY.validate_python({"_target_": target, **SMALL[target], **more})


def settings_of(network: Any, size: int = 64, **more: Any) -> TrainSettings:
    part = NetworkSettings(network=network, preprocessing=Preprocessing(size=size), **more)
    return TrainSettings(automatic=part)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_blobs(tmp_path_factory.mktemp("data") / "blobs")


@pytest.mark.parametrize("target", [name for name in TARGETS if name not in ("UNet", "EfficientUNet")])
def test_what_is_left_out_is_what_monai_takes(target: str) -> None:
    """Names and defaults are MONAI's; those without a default there, of numbers of channels and levels, are ours."""
    known = inspect.signature(getattr(nets, target)).parameters
    ours = ANY.validate_python({"_target_": target}).arguments()
    assert set(ours) <= set(known)
    for name, value in ours.items():
        default = known[name].default
        if name in ("spatial_dims", "in_channels", "out_channels", "backbone") or default is inspect.Parameter.empty:
            continue
        if name == "dropout_prob" and default is None:
            continue
        if isinstance(default, tuple) and isinstance(default[0], str):
            assert (value[0].lower(), value[1]) == (default[0].lower(), default[1]), name
        else:
            assert value == (list(default) if isinstance(default, tuple) else str(default) if name == "upsample_mode"
                             else default), name  # fmt: skip


@pytest.mark.parametrize("target", SMALL)
def test_monai_and_openvino_compute_what_we_compute(target: str, tmp_path: Path) -> None:
    network = definition(target, out_channels=2)
    torch.manual_seed(3)
    weights = {"automatic": build_network(network).state_dict()}
    settings, bundle = settings_of(network), BundleSettings(preprocessing=Preprocessing(size=64))
    write_bundle(tmp_path / "b", weights, bundle, settings, Card([], [], Calibrated(bundle)))
    noise = np.random.default_rng(1).normal(size=(3, 2, 64, 64)).astype(np.float32)
    read = read_bundle(tmp_path / "b")
    answers = {name: backends.load(read, backend=name).automatic(noise) for name in ("torch", "openvino")}
    assert answers["torch"].shape == (3, 2, 64, 64)
    np.testing.assert_allclose(answers["openvino"], answers["torch"], atol=2e-4)
    parser = monai.bundle.ConfigParser(json.loads((tmp_path / "b/configs/inference.json").read_text()))
    theirs = parser.get_parsed_content("network_def")
    assert type(theirs) is getattr(nets, target)
    theirs.load_state_dict(torch.load(tmp_path / "b/models/model.pt", weights_only=True))
    with torch.inference_mode():
        expected = theirs.eval()(torch.from_numpy(noise)).numpy()
    np.testing.assert_allclose(answers["torch"], expected, atol=2e-5)
    assert np.abs(expected).max() > 1e-3


@pytest.mark.parametrize("target", [name for name in SMALL if name != "UNet"])
def test_each_learns(target: str, folder: Path, tmp_path: Path) -> None:
    """The loss falls, and the weights go into a bundle that a run reads."""
    stage = Stage(epochs=4, samples_per_epoch=8, batch_size=4, learning_rate=0.01)
    settings = tiny(network=definition(target), preprocessing=Preprocessing(size=64), pretrain=stage)
    train(TrainingRequest([folder], tmp_path / "m", settings, only="automatic"))
    state = torch.load(tmp_path / "m.work/automatic/pretrain.pt", weights_only=True)
    losses = [float(row["loss"]) for row in state["rows"]]
    assert losses[-1] < losses[0]


def test_a_residual_network_is_trained_in_the_usual_layout_on_a_cpu() -> None:
    """DynUNet with residual blocks ended the process within 30 epochs in the other one."""
    cpu = torch.device("cpu")
    layouts = {name: layout_of(build_network(definition(name)), cpu) for name in SMALL}
    assert layouts.pop("DynUNet") is torch.contiguous_format
    assert set(layouts.values()) == {torch.channels_last}


def test_a_whole_training_with_another_architecture(folder: Path, tmp_path: Path) -> None:
    stage = Stage(epochs=1, samples_per_epoch=8, batch_size=4)
    settings = tiny(network=definition("BasicUNet"), pretrain=stage)
    assert train(TrainingRequest([folder], tmp_path / "m", settings))
    assert "MONAI BasicUNet, 48 x 48 pixels" in (tmp_path / "m/docs/README.md").read_text()
    assert read_bundle(tmp_path / "m").automatic.definition == settings.automatic.network


class TestPictureAlone:
    def test_calipers_do_not_reach_it(self) -> None:
        network = build_network(definition("BasicUNet", in_channels=1)).eval()
        noise = torch.randn(1, 2, 32, 32)
        other = torch.cat([noise[:, :1], torch.randn(1, 1, 32, 32)], dim=1)
        with torch.inference_mode():
            assert torch.equal(network(noise), network(other))
            assert not torch.equal(network(noise), network(noise.flip(1)))

    def test_it_is_refused_where_calipers_are_learnt(self) -> None:
        with pytest.raises(ValueError, match="in_channels must be 2 where prompted_share"):
            NetworkSettings(network=definition("BasicUNet", in_channels=1))
        assert NetworkSettings(network=definition("BasicUNet", in_channels=1), prompted_share=0)


class TestBeforeTheWork:
    @pytest.mark.parametrize("target", SMALL)
    def test_what_is_right_passes(self, target: str) -> None:
        check_networks(settings_of(definition(target)))

    @pytest.mark.parametrize(
        ("target", "size", "step", "near"),
        [("BasicUNet", 200, 16, 192), ("FlexibleUNet", 200, 32, 192), ("SegResNet", 90, 4, 88), ("DynUNet", 24, 16, 16),
         ("AttentionUnet", 50, 4, 48)],
    )  # fmt: skip
    def test_a_size_that_does_not_divide_is_named_with_the_next_that_does(
        self, target: str, size: int, step: int, near: int
    ) -> None:
        with pytest.raises(ValueError, match=f"must be a multiple of {step}, as {near}; it is {size}"):
            settings_of(definition(target), size)
        check_networks(settings_of(definition(target), near if near > 16 else 32))

    @pytest.mark.parametrize(
        ("network", "complaint"),
        [
            (definition("SegResNet", init_filters=12), "cannot be built"),
            (definition("DynUNet", filters=[1024] * 8, kernel_size=[7] * 8, strides=[1] + [2] * 7,
                        upsample_kernel_size=[2] * 7), "million weights"),
        ],
    )  # fmt: skip
    def test_numbers_that_do_not_go_together(self, network: Any, complaint: str) -> None:
        with pytest.raises(ConfigError, match=complaint):
            check_networks(settings_of(network, 128))

    def test_an_answer_of_another_shape_or_of_no_numbers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class Odd(torch.nn.Conv2d):
            answer = torch.zeros(1, 1, 32, 32)

            def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002
                return self.answer

        from lesion_measure.lab.training import checked

        monkeypatch.setattr(checked, "build_network", lambda _: Odd(2, 1, 1))
        with pytest.raises(ConfigError, match=r"in the shape \(1, 1, 32, 32\), and \(1, 1, 64, 64\) is needed"):
            check_networks(settings_of(definition("BasicUNet")))
        Odd.answer = torch.full((1, 1, 64, 64), torch.nan)
        with pytest.raises(ConfigError, match="not finite"):
            check_networks(settings_of(definition("BasicUNet")))

    def test_no_data_is_read_before(self, tmp_path: Path) -> None:
        settings = settings_of(definition("SegResNet", init_filters=12))
        with pytest.raises(ConfigError, match="cannot be built"):
            train(TrainingRequest([tmp_path / "none"], tmp_path / "m", settings))


@pytest.mark.parametrize(
    "given",
    [
        {"_target_": "os.system"},
        {"_target_": "monai.networks.nets.BasicUNet"},
        {"_target_": "BasicUNet", "act": "lesion_measure.errors.Foo"},
        {"_target_": "BasicUNet", "act": ["relu", {"module": "os"}]},
        {"_target_": "FlexibleUNet", "pretrained": True},
        {"_target_": "DynUNet", "deep_supervision": True},
        {"_target_": "UNet", "act": "PRELU"},
        {"_target_": "SegResNet", "blocks_down": [1, 1], "blocks_up": [1, 1]},
        {"_target_": "DynUNet", "strides": [2, 2, 2, 2, 2]},
    ],
)
def test_nothing_else_is_built(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        ANY.validate_python(given)


class TestImageNet:
    """A FlexibleUNet starts from the file that MONAI would download, and nothing is downloaded."""

    def classifier(self, folder: Path, monkeypatch: pytest.MonkeyPatch, digest: str | None = None) -> Path:
        import hashlib
        import re

        torch.manual_seed(9)
        state = nets.EfficientNetBN("efficientnet-b0", pretrained=False, in_channels=3).state_dict()
        named = {re.sub(r"(.+)\.\d+(\.\d+\..+)", r"\1\2", name): value for name, value in state.items()}
        (folder / "checkpoints").mkdir()
        torch.save(named, folder / "w.pth")
        digest = digest or hashlib.sha256((folder / "w.pth").read_bytes()).hexdigest()[:8]
        path = (folder / "w.pth").rename(folder / f"checkpoints/efficientnet-b0-{digest}.pth")
        monkeypatch.setattr(torch.hub, "get_dir", lambda: str(folder))
        monkeypatch.setitem(efficientnet.url_map, "efficientnet-b0", f"https://example.org/{path.name}")
        return path

    def test_the_encoder_is_the_classifiers(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """MONAI loads the same file itself where the picture has three channels: the deeper layers are the same."""
        path = self.classifier(tmp_path, monkeypatch)
        state = imagenet_start(definition("FlexibleUNet"), seed=2)
        monkeypatch.setattr(efficientnet.model_zoo, "load_url", lambda *_, **__: torch.load(path, weights_only=True))
        theirs = nets.FlexibleUNet(3, 1, "efficientnet-b0", pretrained=True).state_dict()
        encoder = [name for name in theirs if name.startswith("encoder.") and "conv_stem" not in name]
        assert len(encoder) > 300
        assert all(torch.equal(state[name], theirs[name]) for name in encoder)
        stem = state["encoder._conv_stem.weight"]
        torch.testing.assert_close(stem[:, 0], theirs["encoder._conv_stem.weight"].sum(1))
        assert not stem[:, 1].any()

    def test_what_is_not_there_or_another_one(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
        with pytest.raises(ConfigError, match="are not there"):
            imagenet_start(definition("FlexibleUNet"), seed=2)
        self.classifier(tmp_path, monkeypatch, digest="00000000")
        with pytest.raises(ModelError, match="other ones"):
            imagenet_start(definition("FlexibleUNet"), seed=2)

    def test_other_networks_are_refused(self) -> None:
        for network in (definition("BasicUNet"), definition("FlexibleUNet", backbone="resnet18")):
            with pytest.raises(ValueError, match="first_weights: imagenet is for"):
                NetworkSettings(network=network, first_weights="imagenet")
