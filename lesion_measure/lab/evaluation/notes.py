"""What a reader must know before believing the figures of an evaluation, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from lesion_measure.lab.datasets import DuplicateReport
from lesion_measure.lab.evaluation.networks import Network
from lesion_measure.lab.evaluation.record import Model
from lesion_measure.lab.evaluation.summary import Summary
from lesion_measure.lab.evaluation.words import model_names


def notes_on(
    duplicates: DuplicateReport, models: Sequence[Model], summaries: Sequence[Summary], networks: Sequence[Network]
) -> tuple[str, ...]:
    """The notes; ``models`` and ``summaries`` are those of the networks, then those of other tools' masks."""
    names = model_names(models)
    count = len(networks)
    return (
        *_joined(duplicates),
        *_seen(summaries[:count], names[:count]),
        *(_masks(name) for name in names[count:]),
        *_never(networks, names[:count]),
    )


def _masks(name: str) -> str:
    return (
        f"{name} are masks of another tool. What it was trained on is not known here: where it was trained on these "
        "pictures, its figures flatter. It has neither confidence nor outlines from calipers."
    )


def _joined(duplicates: DuplicateReport) -> list[str]:
    """That groups were joined, where near-duplicates connect them."""
    if not duplicates.pairs:
        return []
    return [
        f"{len(duplicates.pairs)} pairs of near-duplicate pictures lie in different groups of the data; these groups "
        "count as one here."
    ]


def _never(networks: Sequence[Network], names: Sequence[str]) -> list[str]:
    """Which outlines a bundle never accepts, and why: else shares of 0 would have to be read as a failure to find."""
    notes = []
    for network, name in zip(networks, names, strict=True):
        confidence = network.segmenter.settings.confidence
        for what, model in (("by itself", confidence.automatic), ("from calipers", confidence.prompted)):
            if not model.accepts:
                notes.append(f"{name} accepts no outline that it draws {what}{model.why_never}.")
    return notes


def _seen(summaries: Sequence[Summary], models: Sequence[str]) -> list[str]:
    """Which pictures a network has seen."""
    notes = []
    for summary, model in zip(summaries, models, strict=True):
        if any(own.trained_on is None for own in summary.values()):
            notes.append(
                f"{model} does not list its training pictures. Where it was trained on these, the figures "
                "flatter: its model card names its sets."
            )
            continue
        notes += [
            f"{model} was trained on {own.trained_on} of the {own.pictures} pictures of {name} (or on others "
            "of their groups): the figures of this set flatter."
            for name, own in summary.items()
            if own.trained_on
        ]
        notes += _chosen_notes(summary, model)
    return list(dict.fromkeys(notes))


def _chosen_notes(summary: Summary, model: str) -> list[str]:
    """That pictures were held back when a bundle was made is no reason to call them unseen."""
    if any(own.chosen_by is None for own in summary.values()):
        return [
            f"{model} does not list its held-back pictures, as bundles before 0.4.0: where its weights, confidence or "
            "thresholds were chosen on these, the figures flatter."
        ]
    return [
        f"{model} was chosen by {own.chosen_by} of the {own.pictures} pictures of {name} (or others of their groups): "
        "its weights, thresholds or recipe were. They are not unseen, and their figures flatter; where the bundle has "
        "them, confidences in them are cross-fitted."
        for name, own in summary.items()
        if own.chosen_by
    ]
