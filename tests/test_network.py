"""The network package: geometry of the one preprocessing path, inference on made-up networks, distrust of bundles."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import pickle
import resource
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.special import expit, logit
from skimage.measure import find_contours
from torch import Tensor, nn
from torch.nn import functional

from lesion_measure.errors import MeasurementError, ModelError
from lesion_measure.lab.training.calibrate import Calibrated
from lesion_measure.lab.training.card import Card
from lesion_measure.lab.training.export import write_bundle
from lesion_measure.lab.training.settings import NetworkSettings, TrainSettings
from lesion_measure.network import Preprocessing, Segmenter
from lesion_measure.network.bundle import BundleSettings, Confidence
from lesion_measure.network.confidence import AUTOMATIC_FEATURES, PROMPTED_FEATURES, ConfidenceModel
from lesion_measure.network.definition import NetworkDefinition
from lesion_measure.network.on_torch import torch_segmenter
from lesion_measure.network.preprocess import render_prompt, sample_window, to_native
from lesion_measure.network.weights import build_network
from lesion_measure.network.window import Window, automatic_window, prompt_window, scale_intensity

SMALL = NetworkDefinition(channels=(4, 8, 16), strides=(2, 2), num_res_units=1)
GRID = Preprocessing(size=64)


class BrightIsLesion(nn.Module):
    """A network whose answer is known: lesion where the normalised picture is brighter than its mean by half an SD."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Tensor] = []

    def forward(self, batch: Tensor) -> Tensor:
        self.seen.append(batch.clone())
        return 8 * (batch[:, :1] - 0.5)


def certain(features: tuple[str, ...], confidence: float, threshold: float = 0.5) -> ConfidenceModel:
    none = (0.0,) * len(features)
    return ConfidenceModel(
        features=features,
        mean=none,
        scale=(1.0,) * len(features),
        weights=none,
        intercept=math.log(confidence / (1 - confidence)),
        threshold=threshold,
    )


def bright_segmenter(size: int = 64, confidence: float = 0.8, second_pass: bool = False) -> Segmenter:
    settings = BundleSettings(
        preprocessing=Preprocessing(size=size),
        second_pass=second_pass,
        confidence=Confidence(
            automatic=certain(AUTOMATIC_FEATURES, confidence), prompted=certain(PROMPTED_FEATURES, confidence)
        ),
    )
    return torch_segmenter(BrightIsLesion(), settings, name="bright", sha256="0" * 64)


def grid_sampled(image: NDArray[np.float32], places: NDArray[np.float64], mode: str, beyond: str) -> NDArray[Any]:
    """An image at places (n, 2) in pixels, by PyTorch."""
    normal = ((2 * places + 1) / np.array(image.shape) - 1)[None, None, :, ::-1].astype(np.float32)
    sampled = functional.grid_sample(
        torch.from_numpy(image)[None, None], torch.from_numpy(np.ascontiguousarray(normal)), mode, beyond, False
    )
    return sampled[0, 0, 0].numpy()


def disc(shape: tuple[int, int], centre: NDArray[np.float64], radius: float) -> NDArray[np.float32]:
    """Share of each pixel that a disc covers, by 8 x 8 points a pixel."""
    offsets = (np.arange(8) + 0.5) / 8 - 0.5
    rows = (np.arange(shape[0])[:, None] + offsets).ravel() - centre[0]
    cols = (np.arange(shape[1])[:, None] + offsets).ravel() - centre[1]
    inside = rows[:, None] ** 2 + cols[None] ** 2 < radius**2
    return np.asarray(inside.reshape(shape[0], 8, shape[1], 8).mean(axis=(1, 3)), dtype=np.float32)


def centre_and_radius(outline: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Centroid and equal-area radius of a closed polygon, by the shoelace formula."""
    (row, col), (row2, col2) = outline[:-1].T, outline[1:].T
    cross = row * col2 - row2 * col
    area = cross.sum() / 2
    centre = np.array([((row + row2) * cross).sum(), ((col + col2) * cross).sum()]) / (6 * area)
    return centre, math.sqrt(abs(area) / math.pi)


def picture_with_discs(*places: tuple[float, float, float]) -> NDArray[np.uint8]:
    image = np.full((96, 128), 60.0, dtype=np.float32)
    for row, col, radius in places:
        image += 140 * disc(image.shape, np.array([row, col]), radius)
    return image.astype(np.uint8)


class TestGeometry:
    """What the windows do to points and outlines, against plain geometry."""

    def test_a_window_and_its_inverse_cancel(self) -> None:
        window = Window(centre=(31.2, 70.9), scale=1.7, size=64, angle=0.6, mirror=True)
        points = np.random.default_rng(0).uniform(-50, 200, (40, 2))
        np.testing.assert_allclose(window.to_network(window.to_native(points)), points, atol=1e-9)

    def test_edges_of_the_picture_are_edges_of_the_grid(self) -> None:
        window = automatic_window(np.ones((48, 96), np.float32), GRID)
        corners = window.to_native(np.array([[31.5, -0.5], [31.5, 63.5]]))
        np.testing.assert_allclose(corners, [[23.5, -0.5], [23.5, 95.5]])

    def test_black_margins_are_left_out(self) -> None:
        image = np.zeros((100, 200), np.float32)
        image[20:80, 50:110] = 0.5
        window = automatic_window(image, GRID)
        assert window.centre == (49.5, 79.5)
        assert window.scale == pytest.approx(60 / 64)

    def test_a_caliper_lies_along_the_columns_from_either_end(self) -> None:
        start, end = (40.0, 20.0), (20.0, 60.0)
        window = prompt_window([(start, end)], GRID)
        assert window == prompt_window([(end, start)], GRID)
        ends = window.to_network(np.array([start, end]))
        np.testing.assert_allclose(ends, [[31.5, 15.5], [31.5, 47.5]], atol=1e-9)

    @pytest.mark.parametrize("shape", [(288, 384), (80, 110), (128, 128)])
    @pytest.mark.parametrize("prompted", [False, True])
    def test_a_disc_comes_back_where_it_was(self, shape: tuple[int, int], prompted: bool) -> None:
        """Sampled, turned into logits and returned, a disc keeps centre and radius: no half-pixel shift anywhere."""
        rng = np.random.default_rng(3)
        grid = Preprocessing(size=128)
        shifts, growths = [], []
        for _ in range(6):
            radius = float(rng.uniform(0.14, 0.22) * min(shape))
            centre = rng.uniform(0.4, 0.6, 2) * np.array(shape)
            angle = rng.uniform(0, math.pi)
            reach = radius * np.array([math.sin(angle), math.cos(angle)])
            line = (tuple(centre - reach), tuple(centre + reach))
            window = prompt_window([line], grid) if prompted else automatic_window(np.ones(shape, np.float32), grid)
            seen = sample_window(disc(shape, centre, radius)[None], window)[0]
            outline = find_contours(to_native(logit(np.clip(seen, 1e-4, 1 - 1e-4)), window, shape, grid), 0.5)[0]
            found_centre, found_radius = centre_and_radius(outline)
            shifts.append(found_centre - centre)
            growths.append(found_radius - radius)
        assert np.abs(shifts).max() < 0.1
        assert np.abs(growths).max() < 0.1

    def test_outside_the_window_nothing_is_claimed(self) -> None:
        window = prompt_window([((40.0, 40.0), (40.0, 60.0))], GRID)
        probability = to_native(np.full((64, 64), 9.0, np.float32), window, (100, 100), GRID)
        inside = (np.abs(np.arange(100) - 40) < 20)[:, None] & (np.abs(np.arange(100) - 50) < 20)[None]
        assert (probability[inside] > 0.99).all()
        assert (probability[~inside & (probability > 0)].size) <= 4 * 41
        assert probability[:15].max() == 0

    def test_turned_by_nothing_is_not_turned(self) -> None:
        """The fast path of upright windows agrees with the general one."""
        logits = np.random.default_rng(0).normal(0, 2, (64, 64)).astype(np.float32)
        upright, general = (Window((60.3, 70.8), 1.7, 64, angle=angle) for angle in (0.0, 1e-9))
        expected = to_native(logits, general, (120, 150), GRID)
        np.testing.assert_allclose(to_native(logits, upright, (120, 150), GRID), expected, atol=1e-4)

    @pytest.mark.parametrize("window", [
        Window((60.3, 70.8), 1.7, 64), Window((60.3, 70.8), 1.7, 64, angle=0.6),
        Window((50.0, 71.0), 0.4, 64, angle=2.0), Window((20.0, 11.0), 2.2, 64, angle=-1.1, mirror=True),
    ])  # fmt: skip
    def test_sampling_there_and_back_is_that_of_pytorch(self, window: Window) -> None:
        """Bilinear with zeros beyond the image, bicubic with the edge repeated: as ``grid_sample`` has them."""
        rng = np.random.default_rng(4)
        image, logits = rng.random((120, 150), np.float32), rng.uniform(-5, 5, (64, 64)).astype(np.float32)
        smooth = gaussian_filter(image, math.sqrt(max(window.scale**2 - 1, 0.0001) / 12), mode="nearest", truncate=3)
        row, col = np.mgrid[:64, :64]
        places = window.to_native(np.stack([row.ravel(), col.ravel()], axis=1))
        np.testing.assert_allclose(
            sample_window(image[None], window)[0].ravel(), grid_sampled(smooth, places, "bilinear", "zeros"), atol=2e-5
        )
        row, col = np.mgrid[:120, :150]
        places = window.to_network(np.stack([row.ravel(), col.ravel()], axis=1))
        if window.scale >= 1:
            expected = expit(grid_sampled(logits, places, "bicubic", "border"))
        else:
            coverage = gaussian_filter(
                expit(logits), math.sqrt((1 / window.scale**2 - 1) / 12), mode="nearest", truncate=3
            )
            expected = grid_sampled(coverage, places, "bilinear", "border")
        found = to_native(logits, window, (120, 150), GRID).ravel()
        inside = ((places > -0.499) & (places < 63.499)).all(axis=1)
        np.testing.assert_allclose(found[inside], expected[inside], atol=5e-5)
        assert inside.sum() > 500

    def test_the_prompt_map_peaks_at_the_ends(self) -> None:
        line = ((10.0, 20.0), (50.0, 70.0))
        window = prompt_window([line], GRID)
        drawn = render_prompt([line], window, GRID)
        rows, cols = np.nonzero(drawn > 0.9)
        assert set(rows) <= {30, 31, 32, 33}
        assert {15, 16, 47, 48} & set(cols)
        assert np.abs(render_prompt([], window, GRID)).max() == 0


class TestEllipsePrior:
    """The ellipse that calipers suggest, to which a network's answer is added."""

    GRID = Preprocessing(size=96, ellipse_prior=4.0)

    @pytest.mark.parametrize("turn", [0.0, 0.7, 2.1])
    @pytest.mark.parametrize("both", [False, True])
    def test_a_silent_network_answers_with_the_ellipse(self, turn: float, both: bool) -> None:
        centre, along = np.array([70.0, 80.0]), np.array([math.sin(turn), math.cos(turn)])
        across = np.array([-along[1], along[0]])
        long, width, shift = 60.0, 33.0 if both else 45.0, 4.0 if both else 0.0
        lines = [(tuple(centre - long / 2 * along), tuple(centre + long / 2 * along))]
        if both:  # drawn a little off the middle, as readers do: the ellipse is moved to it
            middle = centre + 6 * along + shift * across
            lines.insert(0, (tuple(middle - width / 2 * across), tuple(middle + width / 2 * across)))
        silent = Silent()
        settings = BundleSettings(preprocessing=self.GRID)
        image = np.random.default_rng(0).integers(20, 160, (140, 160)).astype(np.uint8)
        drawn = torch_segmenter(silent, settings, name="silent", sha256="").segment(image, lines).probability >= 0.5
        row, col = np.mgrid[:140, :160]
        off = np.stack([row, col], axis=-1) - (centre + shift * across)
        truth = (off @ along / (long / 2)) ** 2 + (off @ across / (width / 2)) ** 2 <= 1
        assert drawn.sum() == pytest.approx(math.pi / 4 * long * width, rel=0.01)
        assert (drawn ^ truth).sum() < 0.03 * truth.sum()

    def test_without_calipers_nothing_is_suggested(self) -> None:
        settings = BundleSettings(preprocessing=self.GRID)
        image = np.full((140, 160), 90, np.uint8)
        found = torch_segmenter(Silent(-1.0), settings, name="silent", sha256="").segment(image)
        assert not found.lesions


class Silent(nn.Module):
    """Adds nothing, or the same everywhere, to what the calipers suggest."""

    def __init__(self, logit: float = 0.0) -> None:
        super().__init__()
        self.logit = logit

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        assert batch.shape[1] == 2
        return torch.full_like(batch[:, :1], self.logit)


class TestSegmenter:
    """Inference with a network whose right answer is known."""

    def test_finds_each_disc_on_the_native_grid(self) -> None:
        places = ((30.0, 40.0, 12.0), (62.0, 90.0, 9.0))
        result = bright_segmenter(128).segment(picture_with_discs(*places))
        assert result.probability.shape == (96, 128)
        assert result.probability.dtype == np.float32
        assert len(result.lesions) == 2
        for row, col, radius in places:
            lesion = next(one for one in result.lesions if one.box[0].start < row < one.box[0].stop)
            outline = find_contours(np.pad(lesion.probability, 1), 0.5)[0] - 1 + np.array(lesion.origin)
            np.testing.assert_allclose(centre_and_radius(outline)[0], (row, col), atol=0.3)
            assert math.sqrt(lesion.mask.sum() / math.pi) == pytest.approx(radius, rel=0.08)
        union = sum((one.mask.sum() for one in result.lesions), 0)
        assert (result.probability >= 0.5).sum() == union

    def test_a_caliper_picks_its_lesion(self) -> None:
        image = picture_with_discs((30.0, 40.0, 12.0), (62.0, 90.0, 9.0))
        result = bright_segmenter().segment(image, [((62.0, 81.0), (62.0, 99.0))])
        assert len(result.lesions) == 1
        assert (result.probability >= 0.5)[62, 90]
        assert not (result.probability >= 0.5)[30, 40]

    def test_nothing_under_the_caliper_is_no_lesion(self) -> None:
        result = bright_segmenter().segment(picture_with_discs((30.0, 40.0, 12.0)), [((75.0, 80.0), (75.0, 110.0))])
        assert result.lesions == ()
        assert result.probability.max() < 0.5

    def test_the_second_pass_redraws_at_higher_resolution(self) -> None:
        places = ((48.0, 64.0, 7.0),)
        image = picture_with_discs(*places)
        coarse, fine = bright_segmenter(32), bright_segmenter(32, second_pass=True)
        errors = []
        for segmenter in (coarse, fine):
            lesion = segmenter.segment(image).lesions[0]
            assert lesion.features["second_pass_agreement"] > 0.6
            outline = find_contours(np.pad(lesion.probability, 1), 0.5)[0] - 1 + np.array(lesion.origin)
            errors.append(np.hypot(*(outline - (48.0, 64.0)).T).std())
        assert errors[1] < errors[0]

    def test_a_lesion_at_the_side_is_off_the_middle(self) -> None:
        """The picture is 128 pixels wide, so its middle lies at 63.5 and half of it are 64."""
        places = ((30.0, 95.5, 9.0), (62.0, 63.5, 12.0))
        lesions = bright_segmenter(128).segment(picture_with_discs(*places)).lesions
        found = {round(one.features["off_middle"], 2) for one in lesions}
        assert found == {0.5, 0.0}

    def test_holes_are_filled(self) -> None:
        image = picture_with_discs((48.0, 64.0, 20.0)).astype(np.float32)
        image -= 140 * disc(image.shape, np.array([48.0, 64.0]), 8)
        lesion = bright_segmenter(128).segment(image).lesions[0]
        assert lesion.mask.sum() == pytest.approx(math.pi * 400, rel=0.06)
        assert (lesion.probability[lesion.mask] >= 0.5).all()

    def test_intensity_scale_and_type_do_not_matter(self) -> None:
        image = picture_with_discs((30.0, 40.0, 12.0))
        segmenter = bright_segmenter()
        first = segmenter.segment(image).probability
        second = segmenter.segment(image.astype(np.float64) * 16.3).probability
        np.testing.assert_allclose(first, second, atol=1e-4)

    @pytest.mark.parametrize(("confidence", "accepted"), [(0.8, True), (0.3, False)])
    def test_confidence_decides(self, confidence: float, accepted: bool) -> None:
        segmenter = bright_segmenter(confidence=confidence)
        lesion = segmenter.segment(picture_with_discs((30.0, 40.0, 12.0))).lesions[0]
        assert lesion.confidence == pytest.approx(confidence)
        assert lesion.accepted is accepted
        assert segmenter.threshold == 0.5

    def test_flips_make_the_answer_symmetric(self) -> None:
        torch.manual_seed(0)
        segmenter = torch_segmenter(build_network(SMALL), BundleSettings(preprocessing=GRID), name="x", sha256="")
        image = picture_with_discs((48.0, 40.0, 12.0))
        part, window = segmenter._automatic, Window((47.5, 63.5), 2.0, 64)
        once = segmenter._run(part, scale_intensity(image, GRID), [(window, ())], True)[0].probability
        mirrored = image[:, ::-1].copy()
        twice = segmenter._run(part, scale_intensity(mirrored, GRID), [(window, ())], True)[0].probability
        np.testing.assert_allclose(once, twice[:, ::-1], atol=1e-5)

    def test_a_black_picture_has_no_lesion(self) -> None:
        assert bright_segmenter().segment(np.zeros((50, 60), np.uint8)).lesions == ()

    @pytest.mark.parametrize(
        "image",
        [
            np.zeros((3, 40)),
            np.zeros((40, 40, 3)),
            np.full((40, 40), np.nan),
            np.zeros((9, 9000), np.uint8),
            np.full((20, 20), "a"),
        ],
    )
    def test_what_is_no_picture_is_refused(self, image: NDArray[Any]) -> None:
        with pytest.raises(MeasurementError):
            bright_segmenter().segment(image)

    @pytest.mark.parametrize(
        ("prompt", "code", "words"),
        [
            ([((5.0, 5.0), (5.0, 6.0))], "caliper_length", "Caliper 1 is 1 pixels long"),
            (
                [((5.0, 5.0), (5.0, 20.0)), ((5.0, 5.0), (5.0, 200.0))],
                "caliper_outside",
                "The end of caliper 2, row 5 and column 200, lies outside the image of 40 rows and 50 columns",
            ),
            ([((-1.0, 5.0), (5.0, 20.0))], "caliper_outside", "The start of caliper 1, row -1"),
            ([((5.0, math.nan), (5.0, 20.0))], "caliper_shape", "two points"),
            ([(5.0, 6.0)], "caliper_shape", "two points"),
            ("x", "caliper_shape", "two points"),
            ([((1.0, 2.0), (3.0,))], "caliper_shape", "two points"),
            ([((5.0, 5.0), (5.0, 15.0)), ((30.0, 5.0), (30.0, 15.0))], "calipers_apart", "must be of one lesion"),
            ([((5.0, 5.0), (5.0, 15.0))] * 3, "caliper_count", "3 calipers"),
        ],
    )
    def test_what_is_no_caliper_of_one_lesion_is_refused(self, prompt: Any, code: str, words: str) -> None:
        with pytest.raises(MeasurementError, match=words) as caught:
            bright_segmenter().segment(np.ones((40, 50), np.uint8), prompt)
        assert caught.value.code == code
        assert caught.value.remedy

    def test_two_calipers_may_lie_as_far_apart_as_the_longer_one_is_long(self) -> None:
        image = picture_with_discs((30.0, 40.0, 12.0))
        long, limit = ((30.0, 30.0), (30.0, 50.0)), ((50.0, 36.0), (50.0, 44.0))
        assert len(bright_segmenter().segment(image, [limit, long]).lesions) == 1
        with pytest.raises(MeasurementError, match="one lesion"):
            bright_segmenter().segment(image, [long, ((50.1, 36.0), (50.1, 44.0))])


class Bomb:
    """Unpickled with trust, it would write a file."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.write_text, (self.target, "run")


@pytest.fixture(scope="module")
def good_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(1)
    out = tmp_path_factory.mktemp("models") / "small"
    settings = TrainSettings(automatic=NetworkSettings(network=SMALL, preprocessing=GRID))
    weights = {"automatic": build_network(SMALL).state_dict()}
    bundle = BundleSettings(preprocessing=GRID)
    write_bundle(out, weights, bundle, settings, Card([], [], Calibrated(bundle)))
    return out


@pytest.fixture
def bundle(good_bundle: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(good_bundle, tmp_path / "small"))


def sign(bundle: Path) -> None:
    """State the hash of whatever weights are there, as an attacker would."""
    path = bundle / "configs/metadata.json"
    data = json.loads(path.read_text())
    data["weights_sha256"] = hashlib.sha256((bundle / "models/model.pt").read_bytes()).hexdigest()
    path.write_text(json.dumps(data))


def edit(bundle: Path, **changes: Any) -> None:
    path = bundle / "configs/inference.json"
    data = json.loads(path.read_text())
    data.update(changes)
    path.write_text(json.dumps(data))


def refusal(bundle: Path) -> ModelError:
    with pytest.raises(ModelError) as caught:
        Segmenter.from_bundle(bundle, backend="torch")
    assert caught.value.reason
    return caught.value


class TestBundle:
    """A bundle is believed only where everything fits."""

    def test_a_good_one_loads_and_says_who_it_is(self, bundle: Path) -> None:
        segmenter = Segmenter.from_bundle(bundle, backend="torch")
        digest = hashlib.sha256((bundle / "models/model.pt").read_bytes()).hexdigest()
        assert (segmenter.name, segmenter.sha256) == ("small", digest)
        assert segmenter.threshold > 1
        again = Segmenter.from_bundle(bundle, backend="torch")
        image = picture_with_discs((30.0, 40.0, 12.0))
        np.testing.assert_array_equal(segmenter.segment(image).probability, again.segment(image).probability)

    def test_changed_weights(self, bundle: Path) -> None:
        path = bundle / "models/model.pt"
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(bytes(data))
        assert refusal(bundle).code == "model_hash"

    @pytest.mark.parametrize("name", ["models/model.pt", "configs/metadata.json", "configs/inference.json"])
    def test_missing_file(self, bundle: Path, name: str) -> None:
        (bundle / name).unlink()
        assert refusal(bundle).code == "model_missing"

    def test_missing_folder(self, tmp_path: Path) -> None:
        assert refusal(tmp_path / "none").code == "model"

    def test_truncated_weights_under_a_fitting_hash(self, bundle: Path) -> None:
        path = bundle / "models/model.pt"
        path.write_bytes(path.read_bytes()[:2000])
        sign(bundle)
        assert refusal(bundle).code == "model_weights"

    @pytest.mark.parametrize("zipped", [True, False])
    def test_code_in_the_weights_is_never_run(self, bundle: Path, tmp_path: Path, zipped: bool) -> None:
        bomb, mark = bundle / "models/model.pt", tmp_path / "run"
        if zipped:
            torch.save({"a": torch.zeros(1), "b": Bomb(mark)}, bomb)
        else:
            bomb.write_bytes(pickle.dumps(Bomb(mark)))
        sign(bundle)
        assert refusal(bundle).code == "model_weights"
        assert not mark.exists()

    @pytest.mark.parametrize("state", [[torch.zeros(1)], {"a": 1}, {"a": torch.tensor([math.nan])}])
    def test_not_finite_tensors_by_name(self, bundle: Path, state: Any) -> None:
        torch.save(state, bundle / "models/model.pt")
        sign(bundle)
        assert refusal(bundle).code == "model_weights"

    ODD = (
        lambda w: w.to_sparse(), lambda w: w.to_sparse_csr() if w.ndim == 2 else w.to_sparse(),
        lambda w: w.to("meta"), lambda w: torch.zeros(1).expand(1 << 20, 1 << 20),
        lambda w: torch.zeros(1).expand(w.shape), lambda w: torch.sparse_coo_tensor(size=(1 << 40, 1 << 20)),
        lambda w: torch.empty(1 << 40, 1 << 20, device="meta"),
        lambda w: torch.quantize_per_tensor(w, 0.1, 0, torch.qint8),
        lambda w: w.to(torch.complex64),
    )  # fmt: skip

    @pytest.mark.parametrize("change", range(len(ODD)))
    def test_tensors_that_are_not_stored_number_by_number(self, bundle: Path, change: int) -> None:
        """Sparse, without data, huge by repetition: refused with the file, in bounded memory."""
        path = bundle / "models/model.pt"
        state = torch.load(path, weights_only=True)
        name = next(name for name, value in state.items() if value.ndim == 4)
        state[name] = self.ODD[change](state[name])
        torch.save(state, path)
        sign(bundle)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        error = refusal(bundle)
        assert error.code == "model_weights"
        assert error.path == str(path)
        assert name in error.reason or "plain file of tensors" in error.reason
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500_000  # kilobytes

    @pytest.mark.parametrize(
        "change", [lambda w: w.double(), lambda w: w.bfloat16(), lambda w: w.to(torch.int64), lambda w: w[..., :1],
                   lambda w: w.flatten()],
    )  # fmt: skip
    def test_another_kind_or_shape_of_number(self, bundle: Path, change: Any) -> None:
        path = bundle / "models/model.pt"
        state = torch.load(path, weights_only=True)
        name = next(name for name, value in state.items() if value.ndim == 4)
        torch.save(state | {name: change(state[name]).contiguous()}, path)
        sign(bundle)
        assert refusal(bundle).code == "model_shape"
        torch.save({key: value for key, value in state.items() if key != name}, path)
        sign(bundle)
        assert refusal(bundle).code == "model_shape"
        torch.save(state | {"more": torch.zeros(1)}, path)
        sign(bundle)
        assert refusal(bundle).code == "model_shape"

    def test_a_network_that_is_larger_than_its_weights_is_not_built(self, bundle: Path) -> None:
        huge = {"_target_": "UNet", "channels": [1024] * 8, "strides": [2] * 7, "num_res_units": 4}
        edit(bundle, network_def=huge)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert refusal(bundle).code == "model_shape"
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500_000

    @pytest.mark.parametrize("factor", [1e30, 3e38])
    def test_weights_that_overflow_are_an_error_and_no_empty_picture(self, bundle: Path, factor: float) -> None:
        path = bundle / "models/model.pt"
        state = torch.load(path, weights_only=True)
        for name, value in state.items():
            if value.ndim == 4:
                state[name] = torch.full_like(value, factor)
        torch.save(state, path)
        sign(bundle)
        image = picture_with_discs((30.0, 40.0, 12.0))
        for prompt in (None, [((30.0, 30.0), (30.0, 50.0))]):
            with pytest.raises(ModelError, match="small computes values that are not finite") as caught:
                Segmenter.from_bundle(bundle, backend="torch").segment(image, prompt)
            assert caught.value.code == "model_overflow"

    def test_random_damage_under_a_fitting_hash_is_a_model_error(self, bundle: Path) -> None:
        path = bundle / "models/model.pt"
        whole, rng = path.read_bytes(), np.random.default_rng(5)
        for _ in range(150):
            damaged = np.frombuffer(whole, np.uint8).copy()
            where = rng.integers(0, min(len(damaged), 4000 if rng.random() < 0.5 else len(damaged)), 3)
            damaged[where] = rng.integers(0, 256, 3)
            path.write_bytes(damaged.tobytes())
            sign(bundle)
            with contextlib.suppress(ModelError):
                Segmenter.from_bundle(bundle, backend="torch")

    def test_weights_of_another_network(self, bundle: Path) -> None:
        torch.save(
            build_network(NetworkDefinition(channels=(4, 8), strides=(2,))).state_dict(), bundle / "models/model.pt"
        )
        sign(bundle)
        assert refusal(bundle).code == "model_shape"

    @pytest.mark.parametrize(
        "change",
        [
            {"network_def": {"_target_": "os.system", "command": "true"}},
            {"network_def": {"_target_": "UNet", "channels": "$__import__('os').listdir()"}},
            {"network_def": {"_target_": "UNet", "channels": [100000, 100000], "strides": [2]}},
            {"network_def": {"_target_": "UNet", "in_channels": 3}},
            {"lesion_measure": {"preprocessing": {"size": 1_000_000}}},
            {"lesion_measure": {"unknown": 1}},
        ],
    )
    def test_configuration_that_is_not_plain_and_bounded(self, bundle: Path, change: dict[str, Any]) -> None:
        edit(bundle, **change)
        assert refusal(bundle).code == "model_config"

    def test_expressions_elsewhere_are_not_looked_at(self, bundle: Path, tmp_path: Path) -> None:
        mark = tmp_path / "run"
        edit(bundle, evil=f"$open({str(mark)!r}, 'w')", initialize=[f"$open({str(mark)!r}, 'w')"])
        Segmenter.from_bundle(bundle, backend="torch")
        assert not mark.exists()

    @pytest.mark.parametrize("text", ["{", "[" * 100_000, '{"name": "x"}', "é".encode("latin1").decode("latin1") * 3])
    def test_broken_metadata(self, bundle: Path, text: str) -> None:
        (bundle / "configs/metadata.json").write_text(text)
        assert refusal(bundle).code == "model_config"

    def test_huge_metadata(self, bundle: Path) -> None:
        (bundle / "configs/metadata.json").write_text(" " * 1_000_001)
        assert "larger" in refusal(bundle).reason

    def test_unknown_device_and_backend(self, bundle: Path) -> None:
        with pytest.raises(ModelError, match="device"):
            Segmenter.from_bundle(bundle, device="abacus", backend="torch")
        with pytest.raises(ModelError, match="backend"):
            Segmenter.from_bundle(bundle, backend="abacus")


def test_the_shipped_bundle_is_whole_and_its_card_names_its_weights(project_dir: Path) -> None:
    path = project_dir / "models/liver_us_unet"
    segmenter = Segmenter.from_bundle(path)
    assert segmenter.name == "liver_us_unet"
    assert segmenter.sha256 in (path / "docs/README.md").read_text(encoding="utf-8")
    confidence = segmenter.settings.confidence
    for model in (confidence.automatic, confidence.prompted):
        # Either a threshold with what it was shown to promise, or nothing is accepted, and it is said why.
        assert 0 < model.threshold <= 1 if model.promise else not model.accepts and model.never
    assert sum(file.stat().st_size for file in (path / "models").glob("*.pt")) < 30_000_000
    assert max(file.stat().st_size for file in (path / "models").iterdir()) < 30_000_000
