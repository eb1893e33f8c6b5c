"""``lesion-measure card``: the tables that a training wrote come again, and a figure that was changed is named."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import fire
import monai.bundle
import pytest

from lesion_measure.errors import ModelError
from lesion_measure.lab.training import TrainingRequest, again, train
from lesion_measure.lab.training.again import stored_settings
from test_evaluation_command import lesion_measure
from tiny_training import TINY, write_blobs


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A data folder, and a bundle that was trained on it."""
    root = tmp_path_factory.mktemp("card")
    train(TrainingRequest([write_blobs(root / "blobs")], root / "tiny", TINY))
    return root / "blobs", root / "tiny"


def checked(data: Path, bundle: Path) -> tuple[int, str, str]:
    return lesion_measure("card", data, "--model", bundle, "--backend", "torch", "--threads", "1", "--check")


def test_a_card_is_printed_again_and_a_changed_figure_is_named(made: tuple[Path, Path]) -> None:
    data, bundle = made
    code, out, err = checked(data, bundle)
    assert (code, err.strip().splitlines()[-1]) == (0, "0 lines differ from the card.")
    card = bundle / "docs/README.md"
    text = card.read_text(encoding="utf-8")
    row = next(line for line in text.splitlines() if line.startswith("| Dice of a picture") and line in out)
    figure = re.search(r"\d\.\d{3}", row)
    assert figure is not None
    card.write_text(text.replace(row, row.replace(figure[0], "0.123", 1)), encoding="utf-8")
    code, _, err = checked(data, bundle)
    assert code == 1
    assert f"not in the card: {row}" in err
    card.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("content", ["{", "[]", '{"settings": 1}'])
def test_settings_that_are_none_are_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "configs/train.json"
    path.parent.mkdir()
    path.write_text(content)
    with pytest.raises(ModelError, match="settings of the training"):
        stored_settings(tmp_path)


def test_the_settings_are_those_of_the_training(made: tuple[Path, Path]) -> None:
    assert stored_settings(made[1]) == TINY


@pytest.mark.parametrize("started", [False, True])
def test_the_command_of_a_card_trains_as_the_bundle_was(
    made: tuple[Path, Path], tmp_path: Path, started: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MONAI is asked with the card's own words; what reaches the training is what trained the bundle."""
    data, bundle = made
    if started:
        bundle = tmp_path / "next"
        settings = TINY.model_copy(update={"seed": 5, "notes": ("of a start",)})
        train(TrainingRequest([data], bundle, settings, start=made[1]))
    asked: list[TrainingRequest] = []
    monkeypatch.setattr(again, "train", lambda request, say: asked.append(request))
    monkeypatch.setattr(sys, "path", [*sys.path])  # MONAI adds the bundle's folder to it
    monkeypatch.chdir(bundle)
    section = (bundle / "docs/README.md").read_text().split("## Training\n")[1]
    called = re.search("`(python .*)`", section)
    assert called is not None
    words = called[1].replace("DATA", str(data.parent)).replace("NEW", str(tmp_path / "new"))
    words = words.replace("OLD", str(made[1]))
    program, given = shlex.split(words)[:3], shlex.split(words)[3:]
    assert program == ["python", "-m", "monai.bundle"]
    fire.Fire({"run": monai.bundle.run}, command=given)  # as MONAI reads its command line
    assert asked == [
        TrainingRequest([data], tmp_path / "new", stored_settings(bundle), start=made[1] if started else None)
    ]
    assert asked[0].settings == (settings if started else TINY)
