"""Fit the confidence models and choose their thresholds on held-back pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from lesion_measure.evaluation import Candidate
from lesion_measure.network.confidence import ConfidenceModel, unfitted
from lesion_measure.training.settings import ConfidenceFit

NEVER = 1.01
MIN_CANDIDATES = 20


def fit_confidence(
    candidates: Sequence[Candidate], features: tuple[str, ...], settings: ConfidenceFit
) -> tuple[ConfidenceModel, NDArray[np.float64]]:
    """The model fitted on all candidates, and each candidate's confidence from a model that never saw its group.

    The threshold is the lowest at which, by the latter, at most ``accepted_risk`` of the accepted candidates of every
    set are wrong (Dice below ``correct_dice``; a lesion drawn where there is none has Dice 0), those from every placing
    of calipers among them. In the fit candidates count by their weight: a lesion whose calipers were placed often
    weighs no more than another. Where they are too few or all alike, the model stays unfitted and accepts nothing.
    """
    right = np.array([c.dice >= settings.correct_dice for c in candidates], dtype=bool)
    counts = np.array([c.weight for c in candidates])
    if round(counts.sum(), 6) < MIN_CANDIDATES or right.all() or not right.any():
        return unfitted(features), np.full(len(candidates), 0.5)
    values = np.array([[c.features[name] for name in features] for c in candidates])
    names = sorted({c.group for c in candidates})
    fold_of = {name: int(fold) for name, fold in zip(names, _folds(len(names), settings.folds), strict=True)}
    folds = np.array([fold_of[c.group] for c in candidates])
    crossed = np.full(len(candidates), 0.5)
    for fold in range(settings.folds):
        seen, unseen = folds != fold, folds == fold
        if unseen.any() and right[seen].any() and not right[seen].all():
            crossed[unseen] = _predict(
                _logistic(values[seen], right[seen], counts[seen], settings.penalty), values[unseen]
            )
    mean, scale, weights, intercept = _logistic(values, right, counts, settings.penalty)
    model = ConfidenceModel(
        features=features,
        mean=tuple(mean.tolist()),
        scale=tuple(scale.tolist()),
        weights=tuple(weights.tolist()),
        intercept=intercept,
        threshold=choose_threshold(crossed, right, [c.source for c in candidates], settings.accepted_risk),
    )
    return model, crossed


_Fitted = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], float]


def _folds(count: int, folds: int) -> NDArray[np.int64]:
    return np.random.default_rng((19, count)).permutation(count) % folds


def _logistic(
    values: NDArray[np.float64], right: NDArray[np.bool_], counts: NDArray[np.float64], penalty: float
) -> _Fitted:
    """Mean, scale, weights and intercept of a penalised logistic regression of values that count differently."""
    mean = np.average(values, axis=0, weights=counts)
    scale = np.maximum(np.sqrt(np.average((values - mean) ** 2, axis=0, weights=counts)), 1e-6)
    design = np.column_stack([(values - mean) / scale, np.ones(len(values))])

    def loss(w: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margin = design @ w
        value = counts @ (np.logaddexp(0, margin) - margin * right) + penalty * (w[:-1] ** 2).sum() / 2
        slope = design.T @ (counts * (expit(margin) - right))
        slope[:-1] += penalty * w[:-1]
        return float(value), slope

    weights = minimize(loss, np.zeros(design.shape[1]), jac=True, method="L-BFGS-B").x
    return mean, scale, weights[:-1], float(weights[-1])


def _predict(fitted: _Fitted, values: NDArray[np.float64]) -> NDArray[np.float64]:
    mean, scale, weights, intercept = fitted
    return np.asarray(expit(((values - mean) / scale) @ weights + intercept), dtype=np.float64)


def choose_threshold(
    confidence: NDArray[np.float64], right: NDArray[np.bool_], sources: Sequence[str], risk: float
) -> float:
    """The lowest confidence from which on no set has more than ``risk`` wrong among its accepted; `NEVER` if none is.

    A set with fewer than 1 / ``risk`` accepted candidates thereby may have no wrong one among them. Candidates are
    outlines: of a lesion whose calipers were placed several times, those of every placing.
    """
    names = np.asarray(sources)
    for threshold in np.unique(confidence):
        taken = confidence >= threshold
        wrong = taken & ~right
        if all(wrong[names == name].sum() <= risk * taken[names == name].sum() for name in np.unique(names)):
            return float(threshold)
    return NEVER
