"""The ablation of the automatic network: every lever is a valid setting, and a row of its table is right."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
import torch

from scripts import script


@pytest.fixture(scope="module")
def ablation(project_dir: Path) -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(project_dir / "benchmarks")
        return script(project_dir / "benchmarks" / "ablation_automatic.py")


def test_every_lever_is_a_setting_that_changes_something(
    ablation: ModuleType, project_dir: Path, tmp_path: Path
) -> None:
    bench = ablation.Bench(project_dir / "configs/train.yaml", 600, 100, 128, [], tmp_path)
    told = {name: bench.settings(name).model_dump_json() for name in ablation.VARIANTS}
    alike = [name for name in told if told[name] == told[ablation.BASELINE]]
    # Two are a matter of drawing, not of training.
    assert alike == [ablation.BASELINE, "no mirrored pass", "two seeds averaged"]
    assert len(set(told.values())) == len(told) - 2


def test_networks_are_averaged_by_their_logits(ablation: ModuleType) -> None:
    both = ablation.Averaged([torch.nn.Identity(), torch.nn.Conv2d(1, 1, 1)])
    with torch.no_grad():
        both.networks[1].weight.fill_(3.0)
        both.networks[1].bias.fill_(1.0)
        assert both(torch.full((1, 1, 2, 2), 2.0)).flatten().tolist() == [4.5] * 4


def test_a_row_pairs_each_picture_with_the_baselines(ablation: ModuleType) -> None:
    def found(*scores: float | None) -> dict[str, object]:
        kinds = ["benign", "malignant", "malignant", "normal"]
        drawn = [
            {"name": str(i), "kind": kind, "group": str(i), "dice": dice, "touched": bool(dice), "outlines": i}
            for i, (kind, dice) in enumerate(zip(kinds, scores, strict=True))
        ]
        return {"pictures": 7, "drawn": drawn}

    cells = ablation.row(found(0.0, 0.6, 0.9, None), found(0.2, 0.5, 0.5, None)).split(" | ")
    assert [cell.split()[0] for cell in cells] == ["7", "0.500", "0.100", "0.000", "0.750", "0.667", "1"]
    assert cells[-1] == "1 of 1"
