"""``lesion-measure card``: the tables that a training wrote come again, and a figure that was changed is named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lesion_measure.errors import ModelError
from lesion_measure.lab.training import TrainingRequest, train
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
