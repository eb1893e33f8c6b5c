"""Which frames of a cine are looked at: the coarse search against the search of all frames."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from lesion_measure.image.cine import best_frame, coarse_to_fine, score, surest_frame
from lesion_measure.image.scan_area import evenly
from lesion_measure.image.stack import tracks
from lesion_measure.records import LesionMask

ANGLES = np.linspace(0, 2 * np.pi, 49)
LEAST = 0.2
THRESHOLD = 0.6


def disc(radius: float, confidence: float, place: int = 0) -> LesionMask:
    """A round lesion; those of one place overlap."""
    side = int(2 * radius) + 3
    row, col = np.mgrid[:side, :side] - (side - 1) / 2
    middle = 100.0 + 200 * place
    return LesionMask(
        probability=(row**2 + col**2 <= radius**2).astype(np.float32),
        origin=(100 - side // 2, int(middle) - side // 2),
        outline_px=np.stack([100 + radius * np.sin(ANGLES), middle + radius * np.cos(ANGLES)], axis=1),
        confidence=confidence,
        accepted=confidence >= THRESHOLD,
    )


class Sweep:
    """A probe that passes over a lesion, as a network wavers: radius and confidence rise and fall, with noise."""

    def __init__(self, seed: int, frames: int) -> None:
        rng = np.random.default_rng(seed)
        middle, width = rng.uniform(0.1, 0.9) * frames, rng.uniform(0.15, 0.5) * frames
        away = (np.arange(1, frames + 1) - middle) / width
        section = np.sqrt(np.clip(1 - away**2, 0, None))
        self.radii = 20 * section * (1 + rng.normal(0, 0.02, frames))
        self.confidences = np.clip(0.75 * section + rng.normal(0, 0.03, frames), 0, 1)
        self.asked: list[int] = []

    def outline(self, frames: Sequence[int]) -> dict[int, list[LesionMask]]:
        self.asked += frames
        known = [(self.radii[frame - 1], self.confidences[frame - 1]) for frame in frames]
        drawn = [[disc(float(r), float(c))] if r > 4 else [] for r, c in known]
        return dict(zip(frames, drawn, strict=True))


@pytest.mark.parametrize("seed", range(30))
def test_some_frames_give_the_answer_of_all(seed: int) -> None:
    frames = int(np.random.default_rng(1000 + seed).integers(40, 400))
    sweep = Sweep(seed, frames)
    whole = sweep.outline(range(1, frames + 1))
    sweep.asked.clear()
    found = coarse_to_fine(frames, evenly(frames, 12), sweep.outline, LEAST)
    answers = []
    for masks in (whole, found):
        accepted = tracks({f: [m for m in lesions if m.accepted] for f, lesions in masks.items()}, gaps=True)
        answers.append([track[best_frame(track)] for track in accepted])
    assert len(answers[0]) == len(answers[1]) == 1
    sizes = [np.ptp(mask.outline_px, axis=0).max() for (mask,) in answers]
    assert sizes[1] == pytest.approx(sizes[0], rel=0.1)  # SD of the long axis of one outline: 12 %
    assert score(answers[1][0]) >= 0.9 * score(answers[0][0])
    assert len(sweep.asked) == len(set(sweep.asked)) <= 30


def test_a_lesion_that_is_accepted_between_the_first_frames_is_found() -> None:
    lesions = {frame: [disc(10, 0.4 + 0.3 * max(0, 1 - abs(frame - 47) / 25))] for frame in range(1, 101)}
    found = coarse_to_fine(100, [1, 34, 67, 100], lambda frames: {f: lesions[f] for f in frames}, LEAST)
    assert lesions[34][0].accepted is lesions[67][0].accepted is False
    assert any(mask.accepted for masks in found.values() for mask in masks)


def test_two_lesions_have_their_own_best_frames() -> None:
    lesions = {
        frame: [disc(20 - abs(frame - 23) / 5, 0.9), disc(20 - abs(frame - 81) / 5, 0.9, place=1)]
        for frame in range(1, 101)
    }
    found = coarse_to_fine(100, evenly(100, 12), lambda frames: {f: lesions[f] for f in frames}, LEAST)
    assert {best_frame(track) for track in tracks(found, gaps=True)} == {23, 81}
    assert len(found) < 30


@pytest.mark.parametrize("seed", range(30))
def test_each_lesion_that_is_proposed_is_surest_on_the_frame_that_a_search_of_all_finds(seed: int) -> None:
    """Three lesions, of which the one that is surest on the first frames need not be the surest of all."""
    rng = np.random.default_rng(seed)
    frames = int(rng.integers(32, 200))
    middles, widths = rng.uniform(0.1, 0.9, 3) * frames, rng.uniform(0.2, 0.5, 3) * frames
    peaks = rng.uniform(0.5, 0.55, 3)

    def outline(some: Sequence[int]) -> dict[int, list[LesionMask]]:
        away = np.abs(np.array(some)[:, None] - middles) / widths
        confidences = peaks * np.clip(1 - away**2, 0.01, None)
        drawn = [[disc(12, float(sure), place) for place, sure in enumerate(row)] for row in confidences]
        return dict(zip(some, drawn, strict=True))

    whole, found = outline(range(1, frames + 1)), coarse_to_fine(frames, evenly(frames, 12), outline, LEAST)
    expected = [surest_frame(track) for track in tracks(whole, gaps=True)]
    assert [surest_frame(track) for track in tracks(found, gaps=True)] == expected
    assert len(found) <= 12 + 3 * 2 * np.ceil(np.log2(frames / 11))


def test_nothing_is_looked_for_around_what_is_nothing() -> None:
    found = coarse_to_fine(100, evenly(100, 12), lambda frames: {f: [disc(10, 0.1)] for f in frames}, LEAST)
    assert len(found) == 12
