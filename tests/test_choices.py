"""Losses and optimisers by name: what each computes, what is passed on, and that no other class is looked up."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
import torch
from monai import losses
from pydantic import TypeAdapter

from lesion_measure.errors import ConfigError
from lesion_measure.lab.training import TrainingRequest, TrainSettings, checked, train
from lesion_measure.lab.training.choices import Loss, Optimizer
from lesion_measure.lab.training.loss import loss_of, region_loss
from lesion_measure.lab.training.settings import Stage
from tiny_training import tiny, write_blobs

LOSS: TypeAdapter[Any] = TypeAdapter(Loss)
OPTIMIZER: TypeAdapter[Any] = TypeAdapter(Optimizer)
MONAI = ("DiceLoss", "DiceCELoss", "DiceFocalLoss", "FocalLoss", "TverskyLoss")


def loss(target: str, **more: Any) -> Any:
    return loss_of(LOSS.validate_python({"_target_": target, **more}))


@pytest.mark.parametrize("target", ["RegionLoss", *MONAI])
def test_the_truth_costs_least(target: str) -> None:
    truth = torch.zeros(2, 16, 16)
    truth[:, 4:10, 5:12] = 1
    right, shy, wrong = 20 * truth - 10, torch.full_like(truth, -10.0), 10 - 20 * truth
    measure = loss(target)
    assert float(measure(right, truth)) < 0.01 < float(measure(shy, truth)) < float(measure(wrong, truth))


def test_they_are_what_their_names_say() -> None:
    """By hand, of a picture of 4 pixels: p = (.5, .5, .5, .5), truth (1, 0, 0, 0)."""
    logits, truth = torch.zeros(1, 2, 2), torch.tensor([[[1.0, 0.0], [0.0, 0.0]]])
    dice = 1 - 2 * 0.5 / (2 + 1)
    entropy = float(torch.tensor(2.0).log())
    assert float(loss("DiceLoss")(logits, truth)) == pytest.approx(dice, abs=1e-4)
    assert float(loss("DiceCELoss", lambda_ce=3)(logits, truth)) == pytest.approx(dice + 3 * entropy, abs=1e-4)
    assert float(loss("FocalLoss", gamma=1)(logits, truth)) == pytest.approx(0.5 * entropy, abs=1e-4)
    focal = dice + 2 * 0.25 * entropy
    assert float(loss("DiceFocalLoss", lambda_focal=2)(logits, truth)) == pytest.approx(focal, abs=1e-4)
    tversky = 1 - 0.5 / (0.5 + 0.2 * 1.5 + 0.8 * 0.5)
    assert float(loss("TverskyLoss", alpha=0.2, beta=0.8)(logits, truth)) == pytest.approx(tversky, abs=1e-4)
    assert loss("RegionLoss") is region_loss


@pytest.mark.parametrize(("choices", "home"), [(LOSS, losses), (OPTIMIZER, torch.optim)])
def test_what_is_left_out_is_what_the_library_takes(choices: TypeAdapter[Any], home: Any) -> None:
    names = MONAI if choices is LOSS else ("AdamW", "Adam", "NAdam", "SGD", "RMSprop")
    for name in names:
        known = inspect.signature(getattr(home, name)).parameters
        for key, value in choices.validate_python({"_target_": name}).arguments().items():
            assert value == (0.9 if (name, key) == ("SGD", "momentum") else known[key].default), (name, key)


@pytest.mark.parametrize("name", ["os.system", "torch.optim.SGD", "LBFGS", "MSELoss", "", None, 3])
def test_nothing_else_is_looked_up(name: Any) -> None:
    for choices in (LOSS, OPTIMIZER):
        with pytest.raises(ValueError, match="_target_ must be one of"):
            choices.validate_python({"_target_": name})
    with pytest.raises(ConfigError, match=r"Setting 'automatic.loss': _target_ must be one of RegionLoss, DiceLoss"):
        TrainSettings.from_yaml(None, ["automatic.loss._target_=MSELoss"])


def test_a_training_takes_them(tmp_path: Path) -> None:
    folder = write_blobs(tmp_path / "blobs")
    stage = Stage(epochs=2, samples_per_epoch=8, batch_size=4, weight_decay=0.25)
    sgd = OPTIMIZER.validate_python({"_target_": "SGD", "momentum": 0.8, "nesterov": True})
    settings = tiny(pretrain=stage, optimizer=sgd, loss=LOSS.validate_python({"_target_": "DiceCELoss"}))
    train(TrainingRequest([folder], tmp_path / "m", settings, only="automatic"))
    state = torch.load(tmp_path / "m.work/automatic/pretrain.pt", weights_only=True)
    (group,) = state["optimizer"]["param_groups"]
    assert (group["momentum"], group["nesterov"], group["weight_decay"]) == (0.8, True, 0.25)
    other = settings.model_copy(
        update={"automatic": settings.automatic.model_copy(update={"optimizer": tiny().automatic.optimizer})}
    )
    with pytest.raises(ConfigError, match="other settings"):
        train(TrainingRequest([folder], tmp_path / "m", other, only="automatic", resume=True))


class TestCompiled:
    def test_the_network_is_compiled_and_its_weights_keep_their_names(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By the compiler that does nothing: what it would give in place of the network is called for every batch."""
        asked = []

        def compile_(network: Any) -> Any:
            def compiled(inputs: torch.Tensor) -> torch.Tensor:
                asked.append(tuple(inputs.shape))
                return network(inputs)

            return compiled

        monkeypatch.setattr(torch, "compile", compile_)
        stage = Stage(epochs=1, samples_per_epoch=8, batch_size=4)
        settings = tiny(pretrain=stage).model_copy(update={"compiled": True})
        assert train(TrainingRequest([write_blobs(tmp_path / "blobs")], tmp_path / "m", settings))
        assert asked.count((4, 2, 48, 48)) == 2

    def test_without_a_compiler_it_is_said_before_the_work(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def compile_(network: Any) -> Any:
            raise RuntimeError("No working C++ compiler found")

        monkeypatch.setattr(torch, "compile", compile_)
        with pytest.raises(ConfigError, match="cannot compile networks here"):
            checked.check_networks(tiny().model_copy(update={"compiled": True}))
