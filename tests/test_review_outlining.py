"""The network outlines what a reader clicks, boxes or measures; the newest is asked first, and nothing twice."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread

import numpy as np
import pytest
import torch
from review_click import STEPS
from scipy.ndimage import gaussian_filter
from skimage.measure import approximate_polygon, find_contours
from torch import Tensor, nn

from lesion_measure.config import Config
from lesion_measure.errors import ModelError
from lesion_measure.files.shipped import find_model
from lesion_measure.network import Segmenter
from lesion_measure.network.bundle import BundleSettings
from lesion_measure.network.click import RADII, segment_click
from lesion_measure.network.on_torch import torch_segmenter
from lesion_measure.network.segment import segment_frame
from lesion_measure.network.window import Preprocessing
from lesion_measure.records import CalibratedRegion, ImageLabel, Instance
from lesion_measure.review.images import OpenImages
from lesion_measure.review.measuring import Measurer
from lesion_measure.review.messages import MOST_POINTS, Measure, Outlined, Prompt
from lesion_measure.review.outlining import OVERTAKEN, Outliner, simplified
from lesion_measure.review.polyline import fewer_points
from lesion_measure.studies import load_studies

CONFIG = Config()
NO_ID = "0" * 16
IMAGE = "SIM-01/baseline/L1_transverse.dcm"
LONG, SHORT = ((333.511, 352.236), (226.739, 333.674)), ((292.183, 295.886), (275.293, 393.038))
"""The reader's calipers of it, of sample_dicoms/calipers.csv."""


@pytest.fixture(scope="module")
def segmenter() -> Segmenter:
    return Segmenter.from_bundle(find_model(None))


@pytest.fixture(scope="module")
def instance(project_dir: Path) -> Instance:
    return next(i for i in load_studies(project_dir / "sample_dicoms").instances if i.path == IMAGE)


@pytest.fixture(scope="module")
def true_mm(project_dir: Path) -> float:
    with (project_dir / "sample_dicoms" / "truth.csv").open(newline="") as file:
        return next(
            float(row["transverse_long_mm"]) for row in csv.DictReader(file) if row["transverse_image"] == IMAGE
        )


@pytest.fixture
def images() -> Iterator[OpenImages]:
    opened = OpenImages(CONFIG)
    yield opened
    opened.close()


@pytest.fixture
def outliner(segmenter: Segmenter, images: OpenImages) -> Iterator[Outliner]:
    made = Outliner(lambda: segmenter, CONFIG, images, Measurer(CONFIG, images))
    yield made
    made.close()


def _asked(**what: object) -> Prompt:
    return Prompt.model_validate({"image": NO_ID, "frame": 1, **what})


PROMPTS = {
    "click": _asked(click=(285.0, 340.0)),
    "box": _asked(box=(226.0, 295.0, 334.0, 394.0)),
    "box drawn upwards": _asked(box=(334.0, 394.0, 226.0, 295.0)),
    "long axis": _asked(long=LONG),
    "both axes": _asked(long=LONG, short=SHORT),
}


@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS)
def test_the_lesion_is_outlined_and_measured_as_its_contour_is(
    outliner: Outliner, images: OpenImages, instance: Instance, true_mm: float, prompt: Prompt
) -> None:
    answer = outliner.outline(instance, prompt)
    assert answer.contour is not None
    assert answer.measured is not None
    assert answer.measured.long_axis_mm is not None
    assert answer.measured.long_axis_mm.value == pytest.approx(true_mm, rel=0.1)
    assert 0 < (answer.confidence or 0) <= 1
    assert answer.accepted == (answer.reason is None) == (prompt.click is None)
    drawn = Measure(image=NO_ID, frame=1, contour=answer.contour)
    assert Measurer(CONFIG, images).measure(instance, ImageLabel(), drawn) == answer.measured


def test_the_contour_lies_within_a_twentieth_of_a_pixel_of_the_networks(
    outliner: Outliner, segmenter: Segmenter, images: OpenImages, instance: Instance
) -> None:
    with images.use(instance) as opened:
        luminance = opened.image.frame(1).luminance()
    (shape,) = instance.regions
    corners = {"row_min": shape.row_min, "row_max": shape.row_max, "col_min": shape.col_min, "col_max": shape.col_max}
    region = CalibratedRegion(**corners, spacing_mm=(0.3, 0.3), source="")
    (mask,) = segment_frame(segmenter, luminance, region, CONFIG.segment, [LONG, SHORT])
    answer = outliner.outline(instance, PROMPTS["both axes"])
    contour = np.asarray(answer.contour)
    closed = np.vstack([contour, contour[:1]])
    assert len(contour) < len(mask.outline_px) / 2
    assert max(_off(point, closed) for point in mask.outline_px) <= 0.05 + 1e-9


def _off(point: np.ndarray, line: np.ndarray) -> float:
    """Distance of a point from a line of many parts."""
    step = np.diff(line, axis=0)
    along = np.clip(((point - line[:-1]) * step).sum(axis=1) / (step**2).sum(axis=1), 0, 1)
    return float(np.hypot(*(point - line[:-1] - along[:, None] * step).T).min())


def test_fewer_points_are_those_of_scikit_image() -> None:
    noise, lines = np.random.default_rng(5), 0
    for smooth in np.linspace(0.5, 6, 12):
        picture = gaussian_filter(noise.random((90, 120)), smooth)
        for line in find_contours(np.pad(picture, 1), float(picture.mean())):
            for within in (0.05, 0.5, 3.0):
                assert np.array_equal(fewer_points(line, within), approximate_polygon(line, within))
                lines += 1
    assert lines > 1000
    for odd in ([[2, 2], [2, 2]], [[2, 2]] * 5, [[0, 0], [4, 0], [0, 0]], [[0, 0], [0, 1], [0, 2], [0, 3]]):
        line = np.array(odd, dtype=np.float64)
        assert np.array_equal(fewer_points(line, 0.05), approximate_polygon(line, 0.05))


def test_a_contour_of_more_points_than_a_message_holds_is_made_simpler() -> None:
    angles = np.linspace(0, 2 * np.pi, 20_001)
    ragged = np.stack([3000 + (2000 + np.sin(9000 * angles)) * np.sin(angles), 3000 + 2000 * np.cos(angles)], axis=1)
    ragged[-1] = ragged[0]
    assert len(approximate_polygon(ragged, 0.05)) > MOST_POINTS
    assert len(simplified(ragged)) <= MOST_POINTS


@pytest.mark.parametrize(
    ("prompt", "reason"),
    [
        (_asked(), "Nothing was drawn"),
        (_asked(click=(2.0, 2.0)), "lies in no ultrasound region"),
        (_asked(click=(285.0, 340.0), frame=9), "no frame 9"),
        (_asked(long=((285.0, 340.0), (285.0, 341.0))), "pixels long"),
        (_asked(click=(105.0, 90.0)), "finds no lesion"),
    ],
)
def test_why_there_is_no_outline_is_said(outliner: Outliner, instance: Instance, prompt: Prompt, reason: str) -> None:
    answer = outliner.outline(instance, prompt)
    assert answer.contour is None
    assert reason in (answer.reason or "")


def test_what_is_asked_while_the_network_loads_is_answered_the_newest_of_each_asker(
    segmenter: Segmenter, images: OpenImages, instance: Instance
) -> None:
    loading = Event()

    def load() -> Segmenter:
        assert loading.wait(60)
        return segmenter

    outliner = Outliner(load, CONFIG, images, Measurer(CONFIG, images))
    assert outliner.network is None
    answers: dict[str, Outlined] = {}

    def ask(name: str, asker: str) -> None:
        answers[name] = outliner.outline(instance, PROMPTS["long axis"], asker)

    threads = []
    for name, asker in (("older", "one"), ("newer", "one"), ("other's", "two")):
        threads.append(Thread(target=ask, args=(name, asker)))
        threads[-1].start()
        until = time.monotonic() + 60
        while outliner._waiting < len(threads):  # until it has asked
            assert time.monotonic() < until
            time.sleep(0.005)
    assert not outliner.idle.is_set()
    loading.set()
    for thread in threads:
        thread.join(60)
    assert outliner.idle.is_set()
    assert outliner.network == segmenter.name
    assert answers["older"] == Outlined(contour=None, reason=OVERTAKEN)
    assert answers["newer"].contour == answers["other's"].contour
    assert answers["newer"].contour is not None
    outliner.close()


def test_a_network_that_cannot_be_loaded_is_told_with_its_reason(images: OpenImages, instance: Instance) -> None:
    def load() -> Segmenter:
        raise ModelError("The bundle is damaged.", remedy="Fetch it again.")

    outliner = Outliner(load, CONFIG, images, Measurer(CONFIG, images))
    answer = outliner.outline(instance, PROMPTS["click"])
    assert answer.contour is None
    assert "The bundle is damaged. Fetch it again." in (answer.reason or "")
    assert outliner.network is None
    outliner.close()


class Counting(nn.Module):
    """Lesion where the normalised picture is bright; counts how often it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self._batches: list[int] = []  # threads add to it, which a sum would not bear

    @property
    def asked(self) -> int:
        return sum(self._batches)

    def forward(self, batch: Tensor) -> Tensor:
        self._batches.append(len(batch))
        return 8 * (batch[:, :1] - 0.5)


def test_the_automatic_network_looks_once_at_a_picture_and_draws_no_lesion_twice() -> None:
    row, col = np.mgrid[:160, :200]
    discs = [(row - 80) ** 2 + (col - middle) ** 2 < 20**2 for middle in (50, 140)]
    image = np.where(discs[0] | discs[1], 200, 60).astype(np.uint8)
    automatic, prompted = Counting(), Counting()
    settings = BundleSettings(preprocessing=Preprocessing(size=96))
    asked = torch_segmenter(automatic, settings, name="bright", sha256="0" * 64, prompted=prompted)
    picture = asked.look(image)
    once = segment_click(asked, picture, (80.0, 50.0))
    tried = 3 + len(RADII)  # what is seen at three levels, and crosses
    assert (automatic.asked, prompted.asked) == (2, tried + 4)  # the picture mirrored; the one that is drawn, mirrored
    again = segment_click(asked, picture, (82.0, 52.0))
    assert (automatic.asked, prompted.asked) == (2, 2 * (tried + 4))
    for kept, click in ((once, (80.0, 50.0)), (again, (82.0, 52.0))):
        fresh = segment_click(asked, image, click)
        assert np.array_equal(kept.lesions[0].mask, fresh.lesions[0].mask)
    whole, parts = asked.segment(image), asked.segment(picture)
    assert torch.equal(torch.from_numpy(whole.probability), torch.from_numpy(parts.probability))
    assert [one.confidence for one in whole.lesions] == [one.confidence for one in parts.lesions]


def test_how_sure_a_click_is_is_not_told_where_it_was_not_fitted(
    outliner: Outliner, segmenter: Segmenter, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown = segmenter.settings.confidence.model_copy(update={"click": None})
    monkeypatch.setattr(segmenter, "settings", segmenter.settings.model_copy(update={"confidence": unknown}))
    answer = outliner.outline(instance, PROMPTS["click"])
    assert answer.contour is not None
    assert (answer.confidence, answer.accepted) == (None, False)


def test_a_frame_that_is_shown_is_looked_at_before_the_click(images: OpenImages, instance: Instance) -> None:
    automatic, prompted = Counting(), Counting()
    settings = BundleSettings(preprocessing=Preprocessing(size=64))
    asked = torch_segmenter(automatic, settings, name="bright", sha256="0" * 64, prompted=prompted)
    outliner = Outliner(lambda: asked, CONFIG, images, Measurer(CONFIG, images))
    until = time.monotonic() + 30

    def wait(done: Callable[[], bool]) -> None:
        while not done():
            assert time.monotonic() < until
            time.sleep(0.02)

    wait(lambda: outliner.network is not None)
    warm = automatic.asked
    outliner.prepare(instance, 1)
    wait(lambda: automatic.asked == warm + 2)  # the picture, mirrored once
    outliner.outline(instance, PROMPTS["click"])
    assert automatic.asked == warm + 2
    outliner.close()


def test_every_step_that_the_benchmark_of_a_click_times_is_there() -> None:
    assert [name for name, owner, function in STEPS if not callable(getattr(owner, function, None))] == []
