"""The tutorial's commands, as they stand there, on a small made-up set."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.measure import find_contours

from csv_files import csv_rows
from lesion_measure.network import Segmenter
from test_evaluation_command import lesion_measure
from tiny_training import blob

NAMES = [f"p{number:02d}" for number in range(8)]


def write_coco(root: Path, peer: Path) -> None:
    """Bright blobs on noise as COCO polygons, every fourth picture without; and a peer that draws 2 pixels too low."""
    (root / "images").mkdir(parents=True)
    (root / "annotations").mkdir()
    peer.mkdir()
    rng, images, annotations = np.random.default_rng(3), [], []
    for number, name in enumerate(NAMES):
        grey, mask = blob(rng, number % 4 != 0)
        Image.fromarray(grey).save(root / "images" / f"{name}.png")
        Image.fromarray(np.roll(mask, 2, axis=0)).save(peer / f"{name}.png")
        images.append({"id": number, "file_name": f"{name}.png", "width": 80, "height": 64})
        for contour in find_contours(np.pad(mask, 1) / 255.0, 0.5):
            # from padded centres (row, column) to COCO's corners (x, y)
            points = [round(float(value), 2) for row, col in contour for value in (col - 0.5, row - 0.5)]
            annotations.append(
                {"id": len(annotations), "image_id": number, "category_id": 1, "segmentation": [points], "iscrowd": 0}
            )
    categories = [{"id": 1, "name": "liver lesion"}]
    text = json.dumps({"images": images, "annotations": annotations, "categories": categories})
    (root / "annotations" / "instances.json").write_text(text)


@pytest.fixture(scope="module")
def folder(project_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the tutorial's commands run, with the files that it names."""
    root = tmp_path_factory.mktemp("tutorial")
    write_coco(root / "liver_coco", root / "peer")
    page = (project_dir / "docs" / "tutorial.md").read_text(encoding="utf-8")
    for name, text in re.findall(r"```yaml\n# (\w+\.yaml)\n(.*?)```", page, re.DOTALL):
        (root / name).write_text(text)
    shutil.copytree(project_dir / "sample_dicoms" / "SIM-01", root / "scans" / "SIM-01")
    shutil.copy(project_dir / "sample_dicoms" / "calipers.csv", root / "calipers.csv")
    rows = (root / "calipers.csv").read_text().splitlines()
    kept = [rows[0], *(row for row in rows[1:] if row.startswith("SIM-01/"))]
    (root / "calipers.csv").write_text("\n".join(kept) + "\n")
    return root


def test_every_command_of_the_page_works(project_dir: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    page = (project_dir / "docs" / "tutorial.md").read_text(encoding="utf-8")
    commands = [line for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) for line in block.splitlines()]
    assert [line.split()[1] for line in commands] == ["data", "train", "train", "train", "evaluate", "run"]
    told = {}
    for line in commands:
        program, *words = line.split()
        assert program == "lesion-measure"
        code, text, errors = lesion_measure(*words)
        assert code in ((0, 3) if words[0] == "run" else (0,)), f"{line}\n{text}\n{errors}"
        told[line] = text
        if "--dry-run" in words:
            assert not (folder / "models" / "basic").exists()
            assert any((folder / "models" / "basic.work" / "samples").iterdir())
    assert "'liver lesion' is lesion" in told[commands[0]]
    data = json.loads((folder / "evaluation" / "evaluation.json").read_text())
    assert [(one["name"], one["masks"]) for one in data["models"]] == [
        ("unet", False),
        ("basic", False),
        ("peer", True),
    ]
    peer = data["models"][2]["sets"]["liver_coco"]["detection"]
    assert peer["found"]["value"] == 1, "a blob that lies two pixels too low overlaps by far more than half"
    assert peer["lesion_free_drawn"]["value"] == 0
    assert 0.7 < peer["picture_dice"]["value"] < 0.95
    held = [{(case["picture"]) for case in one["cases"] if not case["trained_on"]} for one in data["models"][:2]]
    assert held[0] == held[1]
    assert 0 < len(held[0]) < len(NAMES)
    assert (folder / "figures" / "dice.pdf").is_file()
    sizes = csv_rows(folder / "out" / "measurements.csv")
    assert {row["subject"] for row in sizes} == {"SIM-01"}
    inference = json.loads((folder / "models" / "basic" / "configs" / "inference.json").read_text())
    assert inference["network_def"]["_target_"].endswith("BasicUNet")
    assert Segmenter.from_bundle(folder / "models" / "unet").name == "unet"
