"""MONAI's own commands on bundles made here: their metadata, their network, and a run that gives our own answer."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import monai.bundle
import numpy as np
import pytest
import torch
from PIL import Image

from lesion_measure.errors import InputError, OutputError
from lesion_measure.lab.monai_bundle import outline_pictures
from lesion_measure.lab.training import TrainingRequest, train
from lesion_measure.lab.training.again import stored_settings
from lesion_measure.lab.training.calibrate import Calibrated
from lesion_measure.lab.training.card import Card
from lesion_measure.lab.training.export import training_file, write_bundle
from lesion_measure.lab.training.settings import NetworkSettings, Stage, TrainSettings
from lesion_measure.network import Preprocessing, Segmenter
from lesion_measure.network.bundle import BundleSettings, Confidence, read_bundle
from lesion_measure.network.confidence import PROMPTED_FEATURES, unfitted
from lesion_measure.network.definition import NetworkDefinition
from lesion_measure.network.weights import build_network
from tiny_training import TINY, TWO, write_blobs

# MONAI warns that its configurations can run code, and that it was given no hash of the schema.
pytestmark = [
    pytest.mark.filterwarnings("ignore:parsing config_file"),
    pytest.mark.filterwarnings("ignore:No hash value provided"),
]

SMALL = NetworkDefinition(channels=(4, 8, 16), strides=(2, 2), num_res_units=1)
GRID, PROMPTED_GRID = Preprocessing(size=64), Preprocessing(size=96)
CALIPER = ((60.0, 55.0), (62.0, 105.0))

TEXT, NUMBERS = {"type": "string"}, {"type": "array", "items": {"type": "number"}}
TENSORS = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "required": ["type", "format", "num_channels", "spatial_shape", "dtype", "value_range"],
        "properties": {
            **dict.fromkeys(["type", "format", "dtype"], TEXT),
            "num_channels": {"type": "integer"},
            "spatial_shape": {"type": "array", "items": {"type": ["integer", "string"]}},
            "value_range": NUMBERS,
            "is_patch_data": {"type": "boolean"},
            "channel_def": {"type": "object"},
        },
    },
}
TEXTS = ["schema", "version", "monai_version", "pytorch_version", "numpy_version", "task", "description", "authors"]
# What MONAI's schema of 2024-07-25 demands, in our own words: the file itself is MONAI's, fetched from its address.
DEMANDS = {
    "type": "object",
    "required": [*TEXTS, "copyright", "required_packages_version", "network_data_format"],
    "properties": {
        **dict.fromkeys([*TEXTS, "copyright", "data_source", "data_type", "intended_use"], TEXT),
        "required_packages_version": {"type": "object"},
        "changelog": {"type": "object"},
    },
    "patternProperties": {
        "_data_format$": {
            "type": "object",
            "required": ["inputs", "outputs"],
            "properties": dict.fromkeys(["inputs", "outputs", "post_processed_outputs"], TENSORS),
        }
    },
}


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory, project_dir: Path) -> dict[str, Path]:
    """A bundle of one network, one of two (accepting outlines from calipers), and the shipped one; all as exported."""
    folder = tmp_path_factory.mktemp("bundles")
    torch.manual_seed(1)
    weights = {name: build_network(SMALL).state_dict() for name in ("automatic", "prompted")}
    one = TrainSettings(automatic=NetworkSettings(network=SMALL, preprocessing=GRID))
    two = TrainSettings(
        automatic=NetworkSettings(network=SMALL, preprocessing=GRID, prompted_share=0),
        prompted=NetworkSettings(network=SMALL, preprocessing=PROMPTED_GRID, prompted_share=1),
    )
    accepting = Confidence(prompted=unfitted(PROMPTED_FEATURES).model_copy(update={"threshold": 0.2}))
    settings = BundleSettings(preprocessing=GRID, prompted_preprocessing=PROMPTED_GRID, confidence=accepting)
    only = {"automatic": weights["automatic"]}
    single = BundleSettings(preprocessing=GRID)
    write_bundle(folder / "one", only, single, one, Card([], [], Calibrated(single)))
    write_bundle(folder / "two", weights, settings, two, Card([], [], Calibrated(settings)))
    return {"one": folder / "one", "two": folder / "two", "shipped": project_dir / "models/liver_us_unet"}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    rows, cols = np.mgrid[:120, :160]
    rng = np.random.default_rng(3)
    for name, middle in (("a.png", 80), ("b.png", 95)):
        bright = np.hypot(rows - 60, cols - middle) < 25
        Image.fromarray((60 + 40 * rng.random(rows.shape) + 90 * bright).astype(np.uint8)).save(folder / name)
    return folder


@pytest.fixture(scope="module")
def segmenter(bundles: dict[str, Path]) -> Segmenter:
    return Segmenter.from_bundle(bundles["two"])


@pytest.fixture
def schema(tmp_path: Path) -> Path:
    path = tmp_path / "schema.json"
    path.write_text(json.dumps(DEMANDS))
    return path


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from strings([*value, *value.values()])
    elif isinstance(value, list):
        for each in value:
            yield from strings(each)
    elif isinstance(value, str):
        yield value


def command(folder: Path, *words: str) -> None:
    """`python -m monai.bundle` with MONAI's evaluation of expressions switched off."""
    environment = {**os.environ, "MONAI_EVAL_EXPR": "0", "PYTHONPATH": os.pathsep.join(sys.path)}
    call = [sys.executable, "-m", "monai.bundle", *words]
    done = subprocess.run(call, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def check_outlines(out: Path, pictures: Path, segmenter: Segmenter, prompts: dict[str, list[Any]]) -> None:
    """What was written is what `Segmenter.segment` answers, array for array."""
    record = json.loads((out / "lesions.json").read_text())
    assert record["model"] == {"name": segmenter.name, "sha256": segmenter.sha256}
    assert [one["file"] for one in record["pictures"]] == ["a.png", "b.png"]
    for told in record["pictures"]:
        image = np.asarray(Image.open(pictures / told["file"]))
        found = segmenter.segment(image, prompts.get(told["file"]))
        stem = told["file"].removesuffix(".png")
        probability = np.asarray(Image.open(out / f"{stem}_probability.png"))
        # a sum over pixels in another order, as with another number of threads, may change the last of the 16 bits
        np.testing.assert_allclose(probability, np.rint(found.probability * 65535), atol=1)
        mask = np.zeros(image.shape, dtype=np.uint8)
        for lesion in found.lesions:
            inside = np.zeros(image.shape, dtype=bool)
            inside[lesion.box] = lesion.mask
            mask[inside] = np.maximum(mask[inside], 255 if lesion.accepted else 127)
        np.testing.assert_array_equal(np.asarray(Image.open(out / f"{stem}_mask.png")), mask)
        assert told["prompted"] == (told["file"] in prompts)
        assert [one["confidence"] for one in told["lesions"]] == [one.confidence for one in found.lesions]
        assert [one["accepted"] for one in told["lesions"]] == [one.accepted for one in found.lesions]
        assert [one["area_px"] for one in told["lesions"]] == [int(one.mask.sum()) for one in found.lesions]


class TestMonaiRun:
    """`python -m monai.bundle run` gives what `Segmenter.segment` gives."""

    def test_command_on_a_folder_with_calipers(self, bundles: dict[str, Path], pictures: Path, tmp_path: Path) -> None:
        (tmp_path / "calipers.json").write_text(json.dumps({"a.png": [CALIPER]}))
        command(
            tmp_path, "run", "--config_file", str(bundles["two"] / "configs/inference.json"),
            "--bundle_root", str(bundles["two"]), "--dataset_dir", str(pictures), "--output_dir", "out",
            "--calipers", "%calipers.json",
        )  # fmt: skip
        check_outlines(tmp_path / "out", pictures, Segmenter.from_bundle(bundles["two"]), {"a.png": [CALIPER]})
        values = {name: set(np.unique(np.asarray(Image.open(tmp_path / f"out/{name}_mask.png")))) for name in "ab"}
        assert values == {"a": {0, 255}, "b": {0, 127}}

    @pytest.mark.parametrize("name", ["one", "shipped"])
    def test_from_the_bundles_folder(
        self, bundles: dict[str, Path], name: str, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        copy = shutil.copytree(bundles[name], tmp_path / bundles[name].name)
        monkeypatch.chdir(copy)
        monkeypatch.setattr(sys, "path", [*sys.path])  # MONAI adds the bundle's folder to it
        out = str(tmp_path / "out")
        monai.bundle.run(config_file="configs/inference.json", dataset_dir=str(pictures), output_dir=out)
        check_outlines(tmp_path / "out", pictures, Segmenter.from_bundle(copy), {})

    @pytest.mark.parametrize("name", ["one", "two", "shipped"])
    def test_nothing_in_it_is_an_expression(self, bundles: dict[str, Path], name: str) -> None:
        said = list(strings(json.loads((bundles[name] / "configs/inference.json").read_text())))
        assert "@segmenter" in said
        assert not [text for text in said if text.startswith(("$", "%"))]


class TestOutlinePictures:
    """What cannot be outlined is said; nothing that is there is overwritten."""

    def test_one_picture(self, segmenter: Segmenter, pictures: Path, tmp_path: Path) -> None:
        outline_pictures(segmenter, str(pictures / "b.png"), str(tmp_path / "out"), {"b.png": [CALIPER]})
        written = sorted(path.name for path in (tmp_path / "out").iterdir())
        assert written == ["b_mask.png", "b_probability.png", "lesions.json"]

    def test_a_bad_picture_costs_itself_alone(self, segmenter: Segmenter, pictures: Path, tmp_path: Path) -> None:
        folder = Path(shutil.copytree(pictures, tmp_path / "pictures"))
        (folder / "b.png").write_bytes((folder / "b.png").read_bytes()[:500])
        calipers = {"a.png": [((5, 5), (5, 900))]}
        Image.fromarray(np.full((60, 80), 90, np.uint8)).save(folder / "c.png")
        with pytest.raises(InputError, match="2 of 3 pictures"):
            outline_pictures(segmenter, folder, tmp_path / "out", calipers)
        told = json.loads((tmp_path / "out/lesions.json").read_text())["pictures"]
        assert [one.get("refusal", {}).get("code") for one in told] == ["caliper_outside", "dataset", None]
        assert {path.name for path in (tmp_path / "out").iterdir()} == {
            "c_mask.png",
            "c_probability.png",
            "lesions.json",
        }

    @pytest.mark.parametrize(
        "calipers", [{"A.png": [CALIPER]}, {"a.png": [[1, 2]]}, {"a.png": "$1"}, [[[1, 2], [3, 4]]]]
    )
    def test_calipers_that_belong_to_no_picture(
        self, segmenter: Segmenter, pictures: Path, tmp_path: Path, calipers: Any
    ) -> None:
        with pytest.raises(InputError) as caught:
            outline_pictures(segmenter, pictures, tmp_path / "out", calipers)
        assert caught.value.code == "calipers"
        assert not (tmp_path / "out").exists()

    def test_no_pictures(self, segmenter: Segmenter, tmp_path: Path) -> None:
        for where in (tmp_path, tmp_path / "none"):
            with pytest.raises(InputError, match="dataset_dir"):
                outline_pictures(segmenter, where, tmp_path / "out")

    def test_a_folder_with_files_in_it_is_left_alone(self, segmenter: Segmenter, pictures: Path) -> None:
        before = {path.name: path.read_bytes() for path in pictures.iterdir()}
        with pytest.raises(OutputError, match="not empty"):
            outline_pictures(segmenter, pictures, pictures)
        assert {path.name: path.read_bytes() for path in pictures.iterdir()} == before


class TestMetadata:
    """`verify_metadata` and `verify_net_in_out`."""

    def test_command(self, bundles: dict[str, Path], schema: Path) -> None:
        command(bundles["two"], "verify_metadata", "--meta_file", "configs/metadata.json", "--filepath", str(schema))

    @pytest.mark.parametrize("name", ["one", "shipped"])
    def test_every_bundle(self, bundles: dict[str, Path], name: str, schema: Path) -> None:
        monai.bundle.verify_metadata(meta_file=str(bundles[name] / "configs/metadata.json"), filepath=schema)

    @pytest.mark.parametrize(
        ("place", "value"),
        [
            (["monai_version"], None),
            (["network_data_format", "inputs", "image", "spatial_shape"], "256"),
            (["prompted_network_data_format", "outputs"], None),
        ],
    )
    def test_it_would_notice(
        self, bundles: dict[str, Path], schema: Path, tmp_path: Path, place: list[str], value: Any
    ) -> None:
        metadata = json.loads((bundles["two"] / "configs/metadata.json").read_text())
        *way, last = place
        inner = metadata
        for step in way:
            inner = inner[step]
        inner[last] = value
        if value is None:
            del inner[last]
        broken = tmp_path / "metadata.json"
        broken.write_text(json.dumps(metadata))
        with pytest.raises(ValueError, match="Failed validating"):
            monai.bundle.verify_metadata(meta_file=str(broken), filepath=schema)

    @pytest.mark.parametrize("network", ["network_def", "prompted_network_def"])
    def test_the_networks_take_and_give_what_it_says(self, bundles: dict[str, Path], network: str) -> None:
        configs = bundles["two"] / "configs"
        formats = json.loads((configs / "metadata.json").read_text())
        said = formats[network.replace("_def", "_data_format")]
        assert said["inputs"]["image"]["spatial_shape"] == ([64, 64] if network == "network_def" else [96, 96])
        monai.bundle.verify_net_in_out(
            net_id=network,
            meta_file=str(configs / "metadata.json"),
            config_file=str(configs / "inference.json"),
            device="cpu",
            **{"_meta_::network_data_format": said},
        )

    def test_the_shipped_networks_are_built_by_monai_itself(self, bundles: dict[str, Path]) -> None:
        """One of them is not MONAI's, so that its short name alone would tell MONAI nothing."""
        for network in ("network_def", "prompted_network_def"):
            said = json.loads((bundles["shipped"] / "configs/metadata.json").read_text())
            monai.bundle.verify_net_in_out(
                net_id=network,
                meta_file=str(bundles["shipped"] / "configs/metadata.json"),
                config_file=str(bundles["shipped"] / "configs/inference.json"),
                device="cpu",
                **{"_meta_::network_data_format": said[network.replace("_def", "_data_format")]},
            )

    def test_training_file_names_the_networks_of_the_other(
        self, bundles: dict[str, Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(bundles["two"])
        parser = monai.bundle.ConfigParser(monai.bundle.ConfigParser.load_config_file("configs/train.json"))
        parser.resolve_macro_and_relative_ids()
        inference = json.loads((bundles["two"] / "configs/inference.json").read_text())
        for name in ("network_def", "prompted_network_def"):
            assert parser[name] == inference[name]


def test_the_shipped_bundle_says_how_monai_trains_it_again(project_dir: Path) -> None:
    bundle = project_dir / "models/liver_us_unet"
    said = json.loads((bundle / "configs/train.json").read_text())
    settings = stored_settings(bundle)
    asked = TrainSettings.from_yaml(project_dir / "configs/train.yaml")
    known = {"bfloat16": asked.bfloat16, "licences": asked.licences}  # settled by the machine; a module that has moved
    assert settings.model_copy(update=known) == asked
    assert {name: value for name, value in training_file(settings).items() if name != "settings"} == {
        name: value for name, value in said.items() if name != "settings"
    }


def test_monai_trains_it_again_to_the_same_weights(tmp_path: Path) -> None:
    """`python -m monai.bundle run` on train.json, with nothing evaluated: the same data and seed, the same bits."""
    folder = write_blobs(tmp_path / "blobs")
    stage = Stage(epochs=2, samples_per_epoch=8, batch_size=4)
    two = {"answering_prior": 3.0, "split": TINY.split}
    prompted = TWO.prompted
    assert prompted is not None
    own = prompted.preprocessing.model_copy(update={"ellipse_prior": 2.0})
    settings = TWO.model_copy(
        update={
            **two,
            "automatic": TWO.automatic.model_copy(update={"pretrain": stage, "finetune": None}),
            "prompted": prompted.model_copy(update={"pretrain": stage, "finetune": None, "preprocessing": own}),
        }
    )
    train(TrainingRequest([folder], tmp_path / "first", settings))
    words = ["run", "--config_file", "configs/train.json", "--dataset_dir", str(folder)]
    command(tmp_path / "first", *words, "--output_dir", str(tmp_path / "again"))
    first, again = (read_bundle(tmp_path / name) for name in ("first", "again"))
    assert again.sha256 == first.sha256
    assert again.settings == first.settings
    command(tmp_path / "first", *words, "--output_dir", str(tmp_path / "other"), "--settings#seed", "5")
    assert read_bundle(tmp_path / "other").sha256 != first.sha256
    command(tmp_path / "first", *words, "--output_dir", str(tmp_path / "other"), "--run#overwrite", "True")
    assert read_bundle(tmp_path / "other").sha256 == first.sha256
