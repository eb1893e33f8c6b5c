"""Bundles that were made with MONAI alone run here, and answer as MONAI's own network does."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser
from monai.networks import nets
from monai.transforms import LoadImage
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner

from lesion_measure.cli import app
from lesion_measure.errors import ConfigError, ModelError
from lesion_measure.lab.training.adopt import Stated, adopt
from lesion_measure.lab.training.foreign import read_foreign
from lesion_measure.network import Segmenter, weights
from lesion_measure.network import backend as backends
from lesion_measure.network.bundle import read_bundle

pytestmark = pytest.mark.filterwarnings("ignore:parsing config_file", "ignore:NvImgCodec")

ONE = {
    "_target_": "UNet",
    "spatial_dims": 2,
    "in_channels": 1,
    "out_channels": 1,
    "channels": [4, 8, 16],
    "strides": [2, 2],
}
TWO = {"_target_": "monai.networks.nets.BasicUNet", "spatial_dims": 2, "in_channels": 1, "out_channels": "@classes",
       "features": [4, 4, 8, 8, 16, 4]}  # fmt: skip
SIDE = 64
ROWS = Stated(first_axis="rows")


def told(classes: dict[str, str], values: tuple[float, float] = (0, 1), side: Any = SIDE) -> dict[str, Any]:
    """`network_data_format` as MONAI's schema has it."""
    image = {"type": "image", "format": "magnitude", "num_channels": 1, "spatial_shape": [side, side],
             "dtype": "float32", "value_range": list(values), "channel_def": {"0": "image"}}  # fmt: skip
    pred = {**image, "format": "segmentation", "num_channels": len(classes), "channel_def": classes}
    return {"inputs": {"image": image}, "outputs": {"pred": pred}}


def made(folder: Path, definition: dict[str, Any], formats: dict[str, Any] | None = None, **more: Any) -> Path:
    """A bundle as MONAI's tools make one: MONAI's parser builds the network of its own file, torch saves it."""
    for name in ("configs", "models"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    config = {
        "classes": 2,
        "device": "$torch.device('cuda' if torch.cuda.is_available() else 'cpu')",
        "network_def": definition,
        "network": "$@network_def.to(@device)",
        "preprocessing": {"_target_": "Compose", "transforms": [{"_target_": "LoadImaged", "keys": "image"}]},
    }
    (folder / "configs/inference.json").write_text(json.dumps(config))
    metadata = {"name": "theirs", "version": "2.1.0", "network_data_format": formats or {}}
    (folder / "configs/metadata.json").write_text(json.dumps(metadata))
    parser = ConfigParser(json.loads((folder / "configs/inference.json").read_text()))
    torch.manual_seed(5)
    network = parser.get_parsed_content("network_def")
    state = {"model": network.state_dict(), **more} if more else network.state_dict()
    torch.save(state, folder / "models/model.pt")
    return folder


def their_probability(folder: Path, picture: NDArray[np.uint8], lesion: int, softmax: bool) -> NDArray[np.float32]:
    """What MONAI computes of the picture in 0..1: no line of ours is called."""
    network = ConfigParser(json.loads((folder / "configs/inference.json").read_text())).get_parsed_content(
        "network_def"
    )
    network.load_state_dict(torch.load(folder / "models/model.pt", weights_only=True))
    image = torch.from_numpy(picture.astype(np.float32) / picture.max())[None, None]
    with torch.inference_mode():
        answer = network.eval()(image)
    shares = answer.softmax(1) if softmax else answer.sigmoid()
    return np.asarray(shares[0, lesion])


@pytest.fixture
def picture() -> NDArray[np.uint8]:
    """As large as the grid, so that nothing is resampled, and without black margins."""
    rows, cols = np.mgrid[:SIDE, :SIDE]
    rng = np.random.default_rng(3)
    bright = np.hypot(rows - 30, cols - 34) < 12
    return (60 + 40 * rng.random(rows.shape) + 90 * bright).astype(np.uint8)


class TestTheSameAnswer:
    @pytest.mark.parametrize("backend", ["torch", "openvino"])
    @pytest.mark.parametrize(
        ("definition", "classes", "lesion"),
        [
            (ONE, {"0": "lesion"}, 0),
            (TWO, {"0": "background", "1": "lesion"}, 1),
            (TWO, {"0": "lesion", "1": "background"}, 0),
        ],
    )
    def test_of_one_picture(
        self, definition: dict[str, Any], classes: dict[str, str], lesion: int, backend: str,
        picture: NDArray[np.uint8], tmp_path: Path,
    ) -> None:  # fmt: skip
        """Logits are clipped to 6 here, so that probabilities are only compared within."""
        source = made(tmp_path / "theirs", definition, told(classes))
        adopt(source, tmp_path / "ours", ROWS)
        segmenter = Segmenter.from_bundle(tmp_path / "ours", backend=backend)
        found = segmenter._answer(segmenter.look(picture), flips=False)
        expected = their_probability(source, picture, lesion, softmax=definition is TWO)
        ours = 1 / (1 + np.exp(-found.logits[0]))
        np.testing.assert_allclose(ours, np.clip(expected, 1 / (1 + np.exp(6)), 1 / (1 + np.exp(-6))), atol=2e-4)
        assert expected.std() > 1e-3

    @pytest.mark.parametrize("backend", ["torch", "openvino"])
    @pytest.mark.parametrize(("definition", "classes"), [(ONE, {"0": "lesion"}), (TWO, {"0": "rest", "1": "lesion"})])
    def test_of_a_picture_as_monai_reads_it(
        self, definition: dict[str, Any], classes: dict[str, str], backend: str, picture: NDArray[np.uint8],
        tmp_path: Path,
    ) -> None:  # fmt: skip
        """MONAI's own reader gives a PNG with the columns first: its network's answer lies so, too."""
        source = made(tmp_path / "theirs", definition, told(classes))
        Image.fromarray(picture).save(tmp_path / "a.png")
        read = LoadImage(image_only=True)(tmp_path / "a.png").numpy()
        assert (read == picture.T).all()
        assert (read != picture).any()
        adopt(source, tmp_path / "ours", Stated(activation="sigmoid", first_axis="columns"))
        segmenter = Segmenter.from_bundle(tmp_path / "ours", backend=backend)
        found = segmenter._answer(segmenter.look(picture), flips=False)
        expected = their_probability(source, read, len(classes) - 1, softmax=False).T
        ours = 1 / (1 + np.exp(-found.logits[0]))
        np.testing.assert_allclose(ours, np.clip(expected, 1 / (1 + np.exp(6)), 1 / (1 + np.exp(-6))), atol=2e-4)
        as_it_lies = their_probability(source, picture, len(classes) - 1, softmax=False)
        assert np.abs(ours - as_it_lies).max() > 0.01

    def test_its_weights_are_not_touched(self, tmp_path: Path) -> None:
        source = made(tmp_path / "theirs", ONE, told({"0": "lesion"}))
        adopt(source, tmp_path / "ours", ROWS)
        assert (tmp_path / "ours/models/model.pt").read_bytes() == (source / "models/model.pt").read_bytes()
        digest = hashlib.sha256((source / "models/model.pt").read_bytes()).hexdigest()
        assert read_bundle(tmp_path / "ours").sha256 == digest

    def test_a_checkpoint_of_an_engine(self, tmp_path: Path) -> None:
        source = made(tmp_path / "theirs", ONE, told({"0": "lesion"}), epoch=3, optimizer={"lr": 0.1})
        adopt(source, tmp_path / "ours", ROWS)
        assert read_bundle(tmp_path / "ours").automatic.definition.in_channels == 1

    def test_what_a_class_takes_by_itself_is_monais(self, tmp_path: Path) -> None:
        """MONAI's UNet without residual units and with instance normalisation: ours has others where it is silent."""
        definition = read_foreign(made(tmp_path / "theirs", ONE)).definition
        assert (definition.norm, definition.num_res_units) == ("INSTANCE", 0)  # type: ignore[union-attr]


class TestUse:
    def test_calipers_choose_among_what_it_draws(self, picture: NDArray[np.uint8], tmp_path: Path) -> None:
        """It is asked about the whole picture, and the part under the calipers is taken as it is."""
        source = made(tmp_path / "theirs", ONE, told({"0": "lesion"}))
        adopt(source, tmp_path / "ours", ROWS)
        segmenter = Segmenter.from_bundle(tmp_path / "ours", backend="torch")
        bright = picture > 140

        def knows(batch: NDArray[np.float32]) -> NDArray[np.float32]:
            assert batch.shape[1:] == (2, SIDE, SIDE)
            assert 0 <= batch[:, 0].min() <= batch[:, 0].max() <= 1
            return np.where(batch[:, :1] > 0.7, np.float32(5), np.float32(-5))

        object.__setattr__(segmenter._automatic, "forward", knows)
        prompted = segmenter.segment(picture, [((30.0, 22.0), (30.0, 46.0))])
        (lesion,) = prompted.lesions
        whole = np.zeros(picture.shape, dtype=bool)
        whole[lesion.box] = lesion.mask
        assert (whole & bright).sum() / bright.sum() > 0.95
        assert not segmenter.segment(picture, [((2.0, 2.0), (8.0, 8.0))]).lesions
        assert not lesion.accepted

    def test_monai_runs_it_offline(self, picture: NDArray[np.uint8], tmp_path: Path) -> None:
        adopt(made(tmp_path / "theirs", ONE, told({"0": "lesion"})), tmp_path / "ours", ROWS)
        (tmp_path / "pictures").mkdir()
        Image.fromarray(picture).save(tmp_path / "pictures/a.png")
        words = ["run", "--config_file", "configs/inference.json", "--dataset_dir", str(tmp_path / "pictures"),
                 "--output_dir", str(tmp_path / "out")]  # fmt: skip
        environment = {**os.environ, "MONAI_EVAL_EXPR": "0", "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(
            [sys.executable, "-m", "monai.bundle", *words], cwd=tmp_path / "ours", env=environment,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert json.loads((tmp_path / "out/lesions.json").read_text())["model"]["name"] == "ours"

    def test_the_command(self, tmp_path: Path) -> None:
        source = made(tmp_path / "theirs", TWO)
        words = ["adopt", str(source), "-o", str(tmp_path / "ours")]
        first = CliRunner().invoke(app, words)
        assert not (tmp_path / "ours").exists()
        assert first.exit_code == 2
        assert "do not say which of its channels are lesion" in first.stderr
        more = ["--size", "64", "--intensity", "grey", "--activation", "softmax", "--lesion", "1"]
        second = CliRunner().invoke(app, [*words, *more])
        assert second.exit_code == 2
        assert "--first-axis columns" in second.stderr
        more += ["--first-axis", "columns"]
        assert CliRunner().invoke(app, [*words, *more]).exit_code == 0
        settings = read_bundle(tmp_path / "ours").settings
        assert settings.answer is not None
        assert (settings.preprocessing.intensity, settings.answer.lesion) == ("grey", (1,))
        assert settings.answer.first_axis == "columns"
        assert CliRunner().invoke(app, [*words, *more]).exit_code == 2  # nothing is overwritten
        assert "Nothing was measured with it here" in (tmp_path / "ours/docs/README.md").read_text()
        assert backends.load(read_bundle(tmp_path / "ours")).prompted is None


class TestRefused:
    @pytest.mark.parametrize(
        ("formats", "stated", "complaint"),
        [
            ({}, Stated(first_axis="rows", lesion=[0], intensity="unit"), "the size of its grid"),
            (told({"0": "lesion"}, side="*"), ROWS, "the size of its grid"),
            (told({"0": "lesion"}, (-3, 3)), ROWS, "the numbers that its pictures had"),
            (told({"0": "lesion"}), Stated(), "which axis of its pictures came first"),
            (told({"0": "lesion"}), replace(ROWS, size=66), "must be a multiple of 4, as 64; it is 66"),
            (told({"0": "lesion"}), replace(ROWS, lesion=[1]), "no channels of its answer"),
            (told({"0": "lesion"}), replace(ROWS, activation="softmax"), "no channels of its answer"),
        ],
    )
    def test_what_is_not_said(self, formats: dict[str, Any], stated: Stated, complaint: str, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=complaint):
            adopt(made(tmp_path / "theirs", ONE, formats), tmp_path / "ours", stated)
        assert not (tmp_path / "ours").exists()

    @pytest.mark.parametrize(
        ("change", "complaint"),
        [
            ({"_target_": "monai.networks.nets.UNETR"}, "its network is 'UNETR'"),
            ({"_target_": "os.system"}, "its network is 'os.system'"),
            ({"_target_": "EfficientUNet"}, "its network is 'EfficientUNet'"),
            ({"_target_": "$__import__('os')"}, "its network is"),
            ({"in_channels": 3}, "in_channels"),
            ({"in_channels": 2}, "takes 2 channels"),
            ({"spatial_dims": 3}, "spatial_dims"),
            ({"kernel_size": 5}, "'kernel_size' of its network is not taken"),
            ({"act": "$print('x')"}, "'act' of its network is not taken"),
            ({"channels": "$[4, 8]"}, "channels"),
            ({"channels": [4, 8, 32]}, "do not fit"),
        ],
    )
    def test_another_network(self, change: dict[str, Any], complaint: str, tmp_path: Path) -> None:
        source = made(tmp_path / "theirs", ONE, told({"0": "lesion"}))
        config = json.loads((source / "configs/inference.json").read_text())
        config["network_def"] |= change
        (source / "configs/inference.json").write_text(json.dumps(config))
        with pytest.raises(ModelError, match=complaint.replace("$", r"\$")):
            adopt(source, tmp_path / "ours", ROWS)
        assert not (tmp_path / "ours").exists()

    def test_weights_that_hold_code_are_not_opened(self, tmp_path: Path) -> None:
        class Evil:
            def __reduce__(self) -> Any:
                return (Path.touch, (tmp_path / "ran",))

        source = made(tmp_path / "theirs", ONE, told({"0": "lesion"}))
        (source / "models/model.pt").write_bytes(pickle.dumps(Evil()))
        with pytest.raises(ModelError):
            adopt(source, tmp_path / "ours", ROWS)
        torch.save({"model": Evil()}, source / "models/model.pt")
        with pytest.raises(ModelError):
            adopt(source, tmp_path / "ours", ROWS)
        assert not (tmp_path / "ran").exists()

    def test_weights_that_unpack_to_too_much_are_not_unpacked(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        source = made(tmp_path / "theirs", ONE, told({"0": "lesion"}), epoch=3)
        monkeypatch.setattr(weights, "MAX_WEIGHTS_BYTES", 1000)
        monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("unpacked"))
        with pytest.raises(ModelError, match="unpack to more than"):
            read_foreign(source)

    def test_weights_that_break_off(self, tmp_path: Path) -> None:
        """A pickle that takes from an empty stack is an IndexError of torch's."""
        source = made(tmp_path / "theirs", ONE, told({"0": "lesion"}))
        path = source / "models/model.pt"
        with zipfile.ZipFile(path) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in members.items():
                archive.writestr(name, b"\x80\x02." if name.endswith("data.pkl") else data)
        with pytest.raises(ModelError, match="not a plain file of tensors"):
            read_foreign(source)

    def test_a_bundle_whose_channels_nobody_names(self, tmp_path: Path) -> None:
        adopt(made(tmp_path / "theirs", TWO, told({"0": "background", "1": "lesion"})), tmp_path / "ours", ROWS)
        path = tmp_path / "ours/configs/inference.json"
        config = json.loads(path.read_text())
        impossible = [("softmax", [2]), ("softmax", [0, 1]), ("sigmoid", [0, 1]), ("softmax", []), ("tanh", [1])]
        for activation, lesion in impossible:
            answer = {"activation": activation, "lesion": lesion}
            config["lesion_measure"]["answer"] = answer
            path.write_text(json.dumps(config))
            with pytest.raises(ModelError):
                read_bundle(tmp_path / "ours")


@pytest.mark.parametrize("backend", ["torch", "openvino"])
def test_several_channels_are_lesion(backend: str, tmp_path: Path) -> None:
    """Two of three classes are lesion: their probabilities add up."""
    three = {**TWO, "out_channels": 3}
    source = made(tmp_path / "theirs", three, told({"0": "background", "1": "a", "2": "b"}))
    adopt(source, tmp_path / "ours", replace(ROWS, lesion=[1, 2]))
    noise = np.random.default_rng(1).random((1, 2, SIDE, SIDE)).astype(np.float32)
    loaded = backends.load(read_bundle(tmp_path / "ours"), backend=backend).automatic(noise)
    network = nets.BasicUNet(2, 1, 3, [4, 4, 8, 8, 16, 4])
    network.load_state_dict(torch.load(source / "models/model.pt", weights_only=True))
    with torch.inference_mode():
        expected = network.eval()(torch.from_numpy(noise[:, :1])).softmax(1)[:, 1:].sum(1)
    np.testing.assert_allclose(1 / (1 + np.exp(-loaded[:, 0])), expected, atol=1e-5)
