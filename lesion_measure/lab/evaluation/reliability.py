"""Whether a confidence can be believed: calibration against being right, and the risk that is left when it selects.

Right means a Dice of at least `RIGHT_DICE`, which is what a bundle's confidence claims to predict. Risk is 1 - Dice of
the outlines that are kept. The curve runs from the most confident outline to all of them; equal confidences are kept
together, so a confidence that says nothing has the risk of keeping everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lesion_measure.lab.evaluation.cases import RIGHT_DICE, Candidate
from lesion_measure.stats.bootstrap import bootstrap, mean
from lesion_measure.stats.estimates import NONE, Estimate, Floats

BINS = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """Outlines whose confidence lies in ``low``..``high``: how many, their mean confidence, the share that is right.

    Here ``count`` is of outlines, each placing of calipers on its own.
    """

    low: float
    high: float
    count: int
    confidence: float
    right: float


@dataclass(frozen=True, slots=True)
class Reliability:
    """How far a confidence can be believed.

    Attributes
    ----------
    bins
        The reliability table, empty bins left out.
    brier
        Mean squared difference of confidence and being right.
    calibration_error
        Expected calibration error: mean over the outlines of their bin's |confidence - share right|.
    aurc
        Area under the risk-coverage curve, the mean risk over all coverages.
    aurc_ideal, aurc_unranked
        The same for a confidence that ranks perfectly, and for one that says nothing.
    coverage, risk
        The curve: share of the outlines that is kept, and the risk among them.
    accepted_coverage, accepted_risk
        The point of the bundle's own threshold; no risk where it accepts none.
    """

    bins: tuple[Bin, ...]
    brier: Estimate
    calibration_error: Estimate
    aurc: Estimate
    aurc_ideal: float | None
    aurc_unranked: float | None
    coverage: tuple[float, ...]
    risk: tuple[float, ...]
    accepted_coverage: float | None
    accepted_risk: float | None


def reliability(candidates: Sequence[Candidate], seed: int) -> Reliability:
    """Calibration and risk-coverage curve of outlines with a confidence."""
    if not candidates:
        return Reliability((), NONE, NONE, NONE, None, None, (), (), None, None)
    groups = [one.group for one in candidates]
    lesions = [id(one if one.lesion is None else one.lesion) for one in candidates]
    sure = np.array([one.confidence for one in candidates])
    right = np.array([one.dice >= RIGHT_DICE for one in candidates], dtype=np.float64)
    loss = 1 - np.array([one.dice for one in candidates])
    accepted = np.array([one.accepted for one in candidates])
    slots = np.minimum((sure * BINS).astype(int), BINS - 1)
    everything = np.ones((1, len(candidates)))
    coverage, risk = _curve(everything, sure, loss)
    return Reliability(
        bins=_bins(slots, sure, right),
        brier=mean(((sure - right) ** 2).tolist(), groups, seed, lesions),
        calibration_error=bootstrap(lambda w: _calibration_error(w, slots, sure - right), groups, seed, lesions),
        aurc=bootstrap(lambda w: _area(w, sure, loss), groups, seed, lesions),
        aurc_ideal=float(_area(everything, -loss, loss)[0]),
        aurc_unranked=float(loss.mean()),
        coverage=tuple(coverage[0].tolist()),
        risk=tuple(risk[0].tolist()),
        accepted_coverage=float(accepted.mean()),
        accepted_risk=float(loss[accepted].mean()) if accepted.any() else None,
    )


def _bins(slots: np.ndarray, sure: Floats, right: Floats) -> tuple[Bin, ...]:
    return tuple(
        Bin(
            low=int(slot) / BINS,
            high=(int(slot) + 1) / BINS,
            count=int((slots == slot).sum()),
            confidence=float(sure[slots == slot].mean()),
            right=float(right[slots == slot].mean()),
        )
        for slot in np.unique(slots)
    )


def _calibration_error(weights: Floats, slots: np.ndarray, gap: Floats) -> Floats:
    """Expected calibration error for each row of weights; ``gap`` is confidence minus being right."""
    belongs = slots[:, None] == np.arange(BINS)
    error: Floats = np.abs(weights @ (belongs * gap[:, None])).sum(axis=1) / weights.sum(axis=1)
    return error


def _curve(weights: Floats, sure: Floats, loss: Floats) -> tuple[Floats, Floats]:
    """Coverage and risk (k, levels) when everything down to each level of confidence is kept, best first."""
    order = np.argsort(-sure, kind="stable")
    last = np.append(np.flatnonzero(np.diff(sure[order])), len(sure) - 1)
    kept = np.cumsum(weights[:, order], axis=1)[:, last]
    lost = np.cumsum(weights[:, order] * loss[order], axis=1)[:, last]
    risk = np.divide(lost, kept, out=np.zeros_like(lost), where=kept > 0)
    return kept / kept[:, -1:], risk


def _area(weights: Floats, sure: Floats, loss: Floats) -> Floats:
    """Area under the risk-coverage curve, each step at the risk of its end."""
    coverage, risk = _curve(weights, sure, loss)
    steps = np.diff(coverage, axis=1, prepend=0.0)
    area: Floats = (steps * risk).sum(axis=1)
    return area
