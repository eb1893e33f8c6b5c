"""The picture of the worst cases: which cases it holds, and that the outlines are in it."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from lesion_measure.lab.datasets import Picture
from lesion_measure.lab.evaluation import run_cases
from lesion_measure.lab.evaluation.cases import Case, Method
from lesion_measure.lab.evaluation.failures import CALIPER, DRAWN, TRUE, _automatic, _prompted, draw_failures
from test_evaluation import Oracle, one_picture, oval, silence, truth


@pytest.fixture(scope="module")
def pictures() -> list[Picture]:
    shape = (120, 160)
    return [one_picture("p" * number, oval(shape, (60, 80), 60 + number, 40)) for number in range(1, 8)]


def worse_by_name(pictures: list[Picture]) -> list[Case]:
    """The longer a picture's name, the more of its lesion is missed; by itself it draws the same."""

    def answer(item: Picture, prompt: object) -> list[tuple[np.ndarray, float]]:
        mask = ndimage.binary_erosion(item.labels > 0, iterations=2 * len(item.name))
        return [(mask, 0.5 + 0.05 * len(item.name))]

    return run_cases(Oracle(pictures, answer), pictures)  # type: ignore[arg-type]


def test_the_worst_come_first(pictures: list[Picture]) -> None:
    cases = worse_by_name(pictures)
    shown = {case.digest: item for case, item in zip(cases, pictures, strict=True)}
    worst = _prompted(cases, shown, Method.LONG_AXIS)
    assert [failure.item.name for failure in worst] == ["p" * number for number in (7, 6, 5, 4)]
    surest = _automatic(cases, shown)
    assert surest[0].item.name == "p" * 7
    assert "confidence 0.85" in surest[0].words


def test_the_picture_shows_true_and_drawn_outlines(pictures: list[Picture], tmp_path: Path) -> None:
    path = tmp_path / "failures.png"
    assert draw_failures(worse_by_name(pictures), pictures, path)
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB")).reshape(-1, 3).astype(int)
    for colour in (TRUE, DRAWN):
        wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
        assert (np.abs(pixels - wanted).max(axis=1) < 40).sum() > 100, colour


def test_colours_are_those_of_the_page() -> None:
    styles = (files("lesion_measure.lab.evaluation") / "templates" / "evaluation.css").read_text()
    for name, colour in (("truth", TRUE), ("drawn-line", DRAWN), ("caliper", CALIPER)):
        (found,) = re.findall(rf"^\.{name} {{ stroke: #(\w+);", styles, flags=re.MULTILINE)
        assert found in {colour[1:].lower(), colour[1:4].lower()}


def test_nothing_to_show_writes_nothing(tmp_path: Path) -> None:
    free = [one_picture("free", np.zeros((80, 80), dtype=bool))]
    for answer in (silence, truth):
        cases = run_cases(Oracle(free, answer), free)  # type: ignore[arg-type]
        assert not draw_failures(cases, free, tmp_path / "failures.png")
    assert not list(tmp_path.iterdir())
