"""Pictures that a bundle was chosen on: said, and shown with a confidence from a model that never saw them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lesion_measure.lab.evaluation.cases import Candidate, Case, automatic_candidates, prompted_candidates, rescored
from lesion_measure.lab.evaluation.trained import HeldBack
from lesion_measure.network.bundle import Confidence
from lesion_measure.network.confidence import ConfidenceModel


def with_chosen(cases: Sequence[Case], held: HeldBack | None, confidence: Confidence) -> list[Case]:
    """The cases with `Case.chosen_by`, and with cross-fitted confidences where the bundle was chosen on their group.

    The fitted model has seen these pictures: its confidence in them flatters. ``held`` None: the bundle does not say.
    """
    if held is None:
        return list(cases)
    part_of = {case.group: held.validation[case.digest] for case in cases if case.digest in held.validation}
    return [_chosen(case, part_of, held, confidence) for case in cases]


def _chosen(case: Case, part_of: dict[str, int | None], held: HeldBack, confidence: Confidence) -> Case:
    if case.group not in part_of:
        return replace(case, chosen_by=False)
    part = held.validation.get(case.digest, part_of[case.group])
    (crossed,) = rescored(
        [case],
        automatic=_crossed(automatic_candidates([case]), confidence.automatic, part),
        prompted=_crossed(prompted_candidates([case]), confidence.prompted, part),
    )
    return replace(crossed, chosen_by=not case.trained_on)


def _crossed(
    candidates: Sequence[Candidate], model: ConfidenceModel, part: int | None
) -> tuple[list[float], float] | None:
    """Confidences by the model of a part, and the least that is accepted; None where there is no such model."""
    if part is None or part >= len(model.folds):
        return None
    return [model.confidence(one.features, part) for one in candidates], model.threshold
