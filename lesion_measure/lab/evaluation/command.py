"""The whole of an evaluation, in order: read the pictures, run one or two networks on them, sum up, write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from lesion_measure.errors import ConfigError, InputError
from lesion_measure.files.locks import holding
from lesion_measure.files.shipped import find_model
from lesion_measure.files.writing import together, write_json
from lesion_measure.lab.datasets import DuplicateReport, Picture, group_duplicates, load_all, picture_digest
from lesion_measure.lab.evaluation.chosen import with_chosen
from lesion_measure.lab.evaluation.comparison import compare
from lesion_measure.lab.evaluation.files import JSON, RESULT_FILES, as_json, check, prepare, write_cases
from lesion_measure.lab.evaluation.moves import SPREAD, other_spreads, placings_by_set
from lesion_measure.lab.evaluation.page import write_page
from lesion_measure.lab.evaluation.record import Evaluation, Model
from lesion_measure.lab.evaluation.run import Placement, run_cases
from lesion_measure.lab.evaluation.summary import Summary, summarise
from lesion_measure.lab.evaluation.trained import TRAINING_PICTURES, HeldBack, read_held_back, read_training_pictures
from lesion_measure.lab.evaluation.words import model_names
from lesion_measure.network import Segmenter

Track = Callable[[str, int, int], None]
"""``track(what, done, total)`` is told of progress."""

_LABELS = ("evaluating", "evaluating the other model")


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationRequest:
    """What the user asked for.

    ``model`` None: the shipped bundle; ``out`` None: nothing is written; ``placings`` None: as often as the size of
    each set asks for (`placings_by_set`); ``lesion_labels`` are those that are lesions where their names do not tell.
    """

    data: tuple[Path, ...]
    model: Path | None = None
    against: Path | None = None
    out: Path | None = None
    seed: int = 1
    spread: float = SPREAD
    placement: Placement = Placement.LONGEST
    placings: int | None = None
    unseen_only: bool = False
    device: str = "cpu"
    backend: str = "auto"
    lesion_labels: tuple[str, ...] = ()
    threads: int | None = None


def evaluate(request: EvaluationRequest, track: Track = lambda what, done, total: None) -> Evaluation:
    """Run the networks on every picture and, where asked, write the page and the tables.

    The output folder is held meanwhile, so that no two evaluations write into it.

    Raises
    ------
    InputError
        A data folder cannot be used, or no picture is left.
    ConfigError
        Only unseen pictures are asked for, and a bundle does not say what it was trained on.
    ModelError
        A bundle cannot be used.
    OutputError
        The output folder is not ours, or cannot be written.
    """
    bundles = [find_model(request.model)] + ([find_model(request.against)] if request.against else [])
    where = {"device": request.device, "backend": request.backend}
    segmenters = [Segmenter.from_bundle(bundle, threads=request.threads, **where) for bundle in bundles]
    trained = [read_training_pictures(bundle) for bundle in bundles]
    held = [read_held_back(bundle) for bundle in bundles]
    pictures, duplicates = group_duplicates(load_all(request.data, request.lesion_labels))
    if request.unseen_only:
        pictures = unseen(pictures, trained, bundles, held)
    if request.out is None:
        return _measured(request, track, bundles, segmenters, trained, held, pictures, duplicates)
    check(request.out)
    with holding(request.out):
        prepare(request.out)
        evaluation = _measured(request, track, bundles, segmenters, trained, held, pictures, duplicates)
        with together(request.out, RESULT_FILES) as stage:
            write_json(stage / JSON, as_json(evaluation, cases=True))
            write_cases(evaluation, stage)
            write_page(evaluation, pictures, stage)
    return evaluation


def _measured(
    request: EvaluationRequest,
    track: Track,
    bundles: Sequence[Path],
    segmenters: Sequence[Segmenter],
    trained: Sequence[frozenset[str] | None],
    held: Sequence[HeldBack | None],
    pictures: Sequence[Picture],
    duplicates: DuplicateReport,
) -> Evaluation:
    others = other_spreads(request.spread)
    placings = placings_by_set(pictures, request.spread, request.placings)
    runs = [
        run_cases(
            segmenter, pictures, spread=request.spread, other_spreads=others, placement=request.placement,
            placings=placings, seed=request.seed, trained_on=known, progress=partial(track, label),
        )
        for segmenter, known, label in zip(segmenters, trained, _LABELS, strict=False)
    ]  # fmt: skip
    runs = [
        with_chosen(cases, own, segmenter.settings.confidence)
        for cases, own, segmenter in zip(runs, held, segmenters, strict=True)
    ]
    summaries = [summarise(cases, seed=request.seed) for cases in runs]
    models = tuple(Model(s.name, s.sha256, b.name) for s, b in zip(segmenters, bundles, strict=True))
    return Evaluation(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        models=models,
        seed=request.seed,
        spread=request.spread,
        other_spreads=others,
        placement=request.placement,
        placings=request.placings,
        unseen_only=request.unseen_only,
        notes=(*_joined(duplicates), *_notes(summaries, model_names(models)), *_never(segmenters, models)),
        cases=tuple(runs[0]),
        summary=summaries[0],
        other_cases=tuple(runs[1]) if request.against else None,
        other_summary=summaries[1] if request.against else None,
        comparison=compare(runs[0], runs[1], seed=request.seed) if request.against else None,
    )


def unseen(
    pictures: Sequence[Picture],
    trained: Sequence[frozenset[str] | None],
    bundles: Sequence[Path],
    held: Sequence[HeldBack | None],
) -> list[Picture]:
    """The pictures of groups of which no bundle was trained, or chosen, on any.

    Raises
    ------
    ConfigError
        A bundle does not say what it was trained on.
    InputError
        No picture is left.
    """
    seen: set[str] = set()
    for bundle, digests in zip(bundles, trained, strict=True):
        if digests is None:
            raise ConfigError(
                "This bundle does not list its training pictures, so it is not known which are unseen.",
                remedy=f"Leave out --unseen-only, or use a bundle with {TRAINING_PICTURES}.",
                path=bundle.name,
            )
        seen |= digests
    seen = seen.union(*(own.validation for own in held if own is not None))
    groups = {item.group for item in pictures if picture_digest(item) in seen}
    left = [item for item in pictures if item.group not in groups]
    if not left:
        raise InputError(
            "Every picture, or another one of its group, was trained on or chosen by.",
            remedy="Evaluate on other data, or leave out --unseen-only and read the figures as flattering.",
            code="dataset",
        )
    return left


def _joined(duplicates: DuplicateReport) -> list[str]:
    """That groups were joined, where near-duplicates connect them."""
    if not duplicates.pairs:
        return []
    return [
        f"{len(duplicates.pairs)} pairs of near-duplicate pictures lie in different groups of the data; these groups "
        "count as one here."
    ]


def _never(segmenters: Sequence[Segmenter], models: Sequence[Model]) -> list[str]:
    """Which outlines a bundle never accepts, and why: else shares of 0 would have to be read as a failure to find."""
    notes = []
    for segmenter, name in zip(segmenters, model_names(models), strict=True):
        confidence = segmenter.settings.confidence
        for what, model in (("by itself", confidence.automatic), ("from calipers", confidence.prompted)):
            if not model.accepts:
                notes.append(f"{name} accepts no outline that it draws {what}{model.why_never}.")
    return notes


def _notes(summaries: Sequence[Summary], models: Sequence[str]) -> list[str]:
    """What a reader must know before believing the figures."""
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
