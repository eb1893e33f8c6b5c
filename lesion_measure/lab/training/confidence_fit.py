"""Fit the confidence models and choose their thresholds on held-back pictures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit

from lesion_measure.lab.evaluation import Candidate
from lesion_measure.lab.training.accepting import Judged, choose_threshold
from lesion_measure.lab.training.settings import ConfidenceFit
from lesion_measure.network.confidence import ConfidenceModel, Logistic, unfitted

MIN_CANDIDATES = 20

_Values = NDArray[np.float64]


def fit_confidence(
    candidates: Sequence[Candidate],
    features: tuple[str, ...],
    settings: ConfidenceFit,
    fold_of: Mapping[str, int] | None = None,
) -> tuple[ConfidenceModel, NDArray[np.float64]]:
    """The model fitted on all candidates, and each candidate's confidence from a model that never saw its group.

    The threshold is chosen on the latter: `accepting.choose_threshold` says what it promises. A candidate is wrong
    below ``correct_dice``; a lesion drawn where there is none has Dice 0; those from every placing of calipers count.
    In the fit candidates count by their weight: a lesion whose calipers were placed often weighs no more than another.
    Where all are right, or all wrong, there is nothing to tell them apart by: every confidence is the same.

    Parameters
    ----------
    candidates
        Outlines of held-back pictures.
    features
        What the model goes by.
    settings
        How it is fitted and what is promised.
    fold_of
        The part of each group in the cross-fitting (`crossfit_folds`); by the candidates' own groups where not given.
    """
    right = np.array([c.dice >= settings.correct_dice for c in candidates], dtype=bool)
    counts = np.array([c.weight for c in candidates])
    total = round(float(counts.sum()), 6)
    if total < MIN_CANDIDATES:
        why = f"{total:g} outlines of held-back pictures are too few to fit a confidence on ({MIN_CANDIDATES})"
        return unfitted(features, why), np.full(len(candidates), 0.5)
    values = np.array([[c.features[name] for name in features] for c in candidates])
    fold_of = crossfit_folds([c.group for c in candidates], settings.folds) if fold_of is None else fold_of
    folds = np.array([fold_of[c.group] for c in candidates])
    if len(np.unique(folds)) < 2:
        why = "all outlines are of one group of pictures, so that no confidence can be tried on another"
        return unfitted(features, why), np.full(len(candidates), 0.5)
    crossed, parts = np.full(len(candidates), 0.5), []
    for fold in range(settings.folds):
        seen = folds != fold
        part = logistic(values[seen], right[seen], counts[seen], settings.penalty)
        crossed[~seen] = predicted(part, values[~seen])
        parts.append(part)
    judged = Judged(crossed, right, [c.group for c in candidates], [c.source for c in candidates])
    choice = choose_threshold(judged, settings.accepted_risk, settings.accepted_confidence)
    model = ConfidenceModel(
        features=features,
        **logistic(values, right, counts, settings.penalty).model_dump(),
        threshold=choice.threshold,
        promise=choice.promise,
        never=choice.never,
        folds=tuple(parts),
    )
    return model, crossed


def crossfit_folds(groups: Iterable[str], folds: int) -> dict[str, int]:
    """The part of each group in the cross-fitting, at random."""
    names = sorted(set(groups))
    numbers = np.random.default_rng((19, len(names))).permutation(len(names)) % folds
    return {name: int(number) for name, number in zip(names, numbers, strict=True)}


def logistic(
    values: NDArray[np.float64], right: NDArray[np.bool_], counts: NDArray[np.float64], penalty: float
) -> Logistic:
    """A penalised logistic regression of values that count differently; constant where all are right, or all wrong.

    Parameters
    ----------
    values
        Features (n, features).
    right
        Whether each of the n is right.
    counts
        How much each counts.
    penalty
        Weight of the squared coefficients.
    """
    mean = np.average(values, axis=0, weights=counts)
    scale = np.maximum(np.sqrt(np.average((values - mean) ** 2, axis=0, weights=counts)), 1e-6)
    if right.all() or not right.any():
        # Laplace's rule of succession, so that no confidence is 0 or 1
        sure = (float(counts @ right) + 1) / (float(counts.sum()) + 2)
        return _as_logistic(mean, scale, np.zeros(len(mean)), float(logit(sure)))
    design = np.column_stack([(values - mean) / scale, np.ones(len(values))])

    def loss(w: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margin = design @ w
        value = counts @ (np.logaddexp(0, margin) - margin * right) + penalty * (w[:-1] ** 2).sum() / 2
        slope = design.T @ (counts * (expit(margin) - right))
        slope[:-1] += penalty * w[:-1]
        return float(value), slope

    weights = minimize(loss, np.zeros(design.shape[1]), jac=True, method="L-BFGS-B").x
    return _as_logistic(mean, scale, weights[:-1], float(weights[-1]))


def _as_logistic(mean: _Values, scale: _Values, weights: _Values, intercept: float) -> Logistic:
    return Logistic(
        mean=tuple(mean.tolist()), scale=tuple(scale.tolist()), weights=tuple(weights.tolist()), intercept=intercept
    )


def predicted(fitted: Logistic, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """What a model makes of features (n, features), each in 0..1."""
    standardised = (values - np.array(fitted.mean)) / np.array(fitted.scale)
    return np.asarray(expit(standardised @ np.array(fitted.weights) + fitted.intercept), dtype=np.float64)
