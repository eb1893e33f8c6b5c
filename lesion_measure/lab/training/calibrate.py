"""What held-back pictures tell of the trained networks: their figures, and how sure to be of what they draw."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from torch import Tensor

from lesion_measure.lab.datasets import SIMULATED, Picture
from lesion_measure.lab.evaluation import (
    Case,
    Placement,
    Summary,
    automatic_candidates,
    compare,
    other_spreads,
    placings_by_set,
    prompted_candidates,
    read_training_pictures,
    rescored,
    run_cases,
    summarise,
)
from lesion_measure.lab.evaluation.run import Progress
from lesion_measure.lab.training.clicks import Clicked, click_all, fit_clicks, lesions_to_click
from lesion_measure.lab.training.confidence_fit import crossfit_folds, fit_confidence
from lesion_measure.lab.training.material import Material
from lesion_measure.lab.training.settings import TrainSettings
from lesion_measure.network import Segmenter
from lesion_measure.network.bundle import BundleSettings, Confidence
from lesion_measure.network.confidence import AUTOMATIC_FEATURES, PROMPTED_FEATURES
from lesion_measure.network.on_torch import torch_segmenter
from lesion_measure.network.weights import build_network

Weights = Mapping[str, Tensor]

Measuring = Callable[[str, int, int], None]
"""``track(what, done, total)`` is told after each picture."""

OTHER_PLACEMENTS = (Placement.RECTANGLE, Placement.MOMENTS)


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """One network's weights: those that are shipped, and those of each cross-validation fold."""

    shipped: Weights
    folds: Sequence[Weights]


@dataclass(frozen=True, slots=True, eq=False)
class Calibrated:
    """What measuring tells of new networks.

    Attributes
    ----------
    settings
        The bundle's, with its confidence models.
    figures
        By set.
    placed
        The figures from calipers that were placed otherwise than on the longest diameter; real sets alone.
    cases
        What the figures come from.
    verdicts
        What a comparison with another bundle says of each set.
    part_of
        The part of the cross-fitting of each held-back group; the confidence's model of that part never saw it.
    """

    settings: BundleSettings
    figures: Summary = field(default_factory=dict)
    placed: Mapping[Placement, Summary] = field(default_factory=dict)
    cases: Sequence[Case] = ()
    verdicts: Mapping[str, str] = field(default_factory=dict)
    part_of: Mapping[str, int] = field(default_factory=dict)


def calibrate(
    trained: Mapping[str, Trained],
    material: Material,
    settings: TrainSettings,
    against: Path | None,
    track: Measuring = lambda what, done, total: None,
) -> Calibrated:
    """Measure the held-back pictures and fit the confidence models on them.

    A picture of a cross-validated set is drawn by the fold that left it out. The figures are of the test pictures,
    where there are any, at the confidence that was fitted to the others. Else they are of these, and use cross-fitted
    confidences: each comes from a model that never saw its group. ``against`` is a bundle to compare with, on the
    pictures that neither was trained on. ``track(what, done, total)`` is told after each picture.

    Parameters
    ----------
    trained
        The trained networks by name, folds included.
    material
        The pictures, split.
    settings
        Of the training.
    against
        A bundle to compare with, None for none.
    track
        ``track(what, done, total)`` is told after each picture.
    """
    bundle, others = settings.answering(), other_spreads(settings.caliper_jitter)
    placings = placings_by_set(material.held, settings.caliper_jitter, settings.placings)
    # What moving calipers costs is a figure, and with test pictures the figures are of these alone.
    fitting = () if material.test else others
    cases = _cases(trained, material, settings, bundle, placings, partial(track, "measuring"), other_spreads=fitting)
    fit = settings.confidence
    # One partition for both models, so that a bundle can say of each picture which models never saw its group.
    fold_of = crossfit_folds([item.group for item in material.held], fit.folds)
    automatic, automatic_crossed = fit_confidence(automatic_candidates(cases), AUTOMATIC_FEATURES, fit, fold_of)
    prompted, prompted_crossed = fit_confidence(prompted_candidates(cases), PROMPTED_FEATURES, fit, fold_of)
    click = fit_clicks(_clicks(trained, material, settings, bundle, partial(track, "clicking")), fit)
    fitted = Confidence(automatic=automatic, prompted=prompted, click=click)
    bundle = bundle.model_copy(update={"confidence": fitted})
    if material.test:
        material = replace(material, validation=material.test, crossed=[], folds=[])
        placings = placings_by_set(material.held, settings.caliper_jitter, settings.placings)
        told = _cases(trained, material, settings, bundle, placings, partial(track, "testing"), other_spreads=others)
    else:
        told = rescored(
            cases,
            automatic=(automatic_crossed.tolist(), automatic.threshold),
            prompted=(prompted_crossed.tolist(), prompted.threshold),
        )
    placed = _placed(trained, material, settings, bundle, placings, track)
    figures = summarise(told, seed=settings.seed)
    told_of_rival = partial(track, "measuring the other bundle")
    verdicts = (
        {} if against is None else verdicts_against(told, against, material.held, settings, placings, told_of_rival)
    )
    return Calibrated(bundle, figures, placed, told, verdicts, fold_of)


def _placed(
    trained: Mapping[str, Trained],
    material: Material,
    settings: TrainSettings,
    bundle: BundleSettings,
    placings: Mapping[str, int],
    track: Measuring,
) -> dict[Placement, Summary]:
    """The figures of real pictures from calipers that are placed otherwise."""
    real = replace(material, validation=[item for item in material.validation if item.source != SIMULATED])
    return {
        place: summarise(
            _cases(
                trained,
                real,
                settings,
                bundle,
                placings,
                partial(track, f"measuring, calipers by {place}"),
                placement=place,
                automatic=False,
            ),
            seed=settings.seed,
        )
        for place in OTHER_PLACEMENTS
    }


def verdicts_against(
    cases: Sequence[Case],
    against: Path,
    held: Sequence[Picture],
    settings: TrainSettings,
    placings: Mapping[str, int],
    progress: Progress,
) -> dict[str, str]:
    """By set, whether the new networks draw better than another bundle on pictures that neither had seen.

    Parameters
    ----------
    cases
        Of the new networks.
    against
        The other bundle; where it does not say what it was trained on there is no verdict.
    held
        The pictures of the cases, in any order.
    settings
        Of the training: how calipers are moved, and the seed.
    placings
        How often calipers are placed, by set.
    progress
        Told after each picture.
    """
    seen = read_training_pictures(against)
    if seen is None:
        return {}
    groups = {case.group for case in cases if case.digest in seen}
    # By set and name: two readers may have outlined the same pixels.
    known = {(case.source, case.picture): case for case in cases if case.group not in groups}
    pictures = [item for item in held if (item.source, item.name) in known]
    others = run_cases(
        Segmenter.from_bundle(against), pictures, spread=settings.caliper_jitter, placings=placings,
        seed=settings.seed, progress=progress,
    )  # fmt: skip
    same = [known[case.source, case.picture] for case in others]
    return {name: compared.verdict for name, compared in compare(same, others, seed=settings.seed).items()}


def _cases(
    trained: Mapping[str, Trained],
    material: Material,
    settings: TrainSettings,
    bundle: BundleSettings,
    placings: Mapping[str, int],
    progress: Progress,
    *,
    other_spreads: Sequence[float] = (),
    placement: Placement = Placement.LONGEST,
    automatic: bool = True,
) -> list[Case]:
    """Every held-back picture, drawn by networks that were not trained on it.

    First weights have seen none of them either, since `material.gather` refuses what they have.

    ``placings`` are by whole sets: a fold is but a part of one.
    """

    cases: list[Case] = []
    for segmenter, pictures in _unseen(trained, material, settings, bundle):
        before, total = len(cases), len(material.held)
        cases += run_cases(
            segmenter, pictures, spread=settings.caliper_jitter, other_spreads=other_spreads, placement=placement,
            placings=placings, automatic=automatic, seed=settings.seed, trained_on=material.seen,
            progress=partial(_further, progress, before, total),
        )  # fmt: skip
    return cases


def _further(progress: Progress, before: int, total: int, done: int, _: int) -> None:
    progress(before + done, total)


def _clicks(
    trained: Mapping[str, Trained],
    material: Material,
    settings: TrainSettings,
    bundle: BundleSettings,
    progress: Progress,
) -> list[Clicked]:
    """Clicks in every lesion of real held-back pictures: simulated frames are another domain."""
    clicks: list[Clicked] = []
    done, total = 0, sum(item.source != SIMULATED for item in material.held)
    for segmenter, pictures in _unseen(trained, material, settings, bundle):
        for item in pictures:
            if item.source != SIMULATED:
                clicks += click_all(segmenter, lesions_to_click([item]))
                done += 1
                progress(done, total)
    return clicks


def _unseen(
    trained: Mapping[str, Trained], material: Material, settings: TrainSettings, bundle: BundleSettings
) -> Iterator[tuple[Segmenter, list[Picture]]]:
    """Networks, and the held-back pictures that these were not trained on."""
    yield _segmenter({name: stages.shipped for name, stages in trained.items()}, settings, bundle), material.validation
    for number in range(len(material.folds)):
        weights = {name: stages.folds[number] for name, stages in trained.items()}
        yield _segmenter(weights, settings, bundle), material.fold(number)[1]


def _segmenter(weights: Mapping[str, Weights], settings: TrainSettings, bundle: BundleSettings) -> Segmenter:
    networks = {}
    for name, part in settings.parts():
        networks[name] = build_network(part.network)
        networks[name].load_state_dict(dict(weights[name]))
    return torch_segmenter(
        networks["automatic"], bundle, name="in training", sha256="",
        prompted=networks.get("prompted"), clicked=networks.get("clicked"),
    )  # fmt: skip
