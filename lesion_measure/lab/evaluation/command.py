"""The whole of an evaluation, in order: read pictures and masks, run the networks on them, sum up, write."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from lesion_measure.batch import Track
from lesion_measure.errors import ConfigError
from lesion_measure.files.locks import holding
from lesion_measure.files.shipped import find_model
from lesion_measure.files.writing import together, write_json
from lesion_measure.lab.datasets import DuplicateReport, Picture, group_duplicates, load_all
from lesion_measure.lab.evaluation.cases import Case
from lesion_measure.lab.evaluation.chosen import with_chosen
from lesion_measure.lab.evaluation.comparison import compare
from lesion_measure.lab.evaluation.files import (
    FIGURES_MARKER,
    JSON,
    MARKER,
    RESULT_FILES,
    as_json,
    check,
    prepare,
    write_cases,
    write_next,
)
from lesion_measure.lab.evaluation.moves import SPREAD, other_spreads, placings_by_set
from lesion_measure.lab.evaluation.networks import Network, opened, unseen
from lesion_measure.lab.evaluation.notes import notes_on
from lesion_measure.lab.evaluation.page import write_page
from lesion_measure.lab.evaluation.paper import write_figures
from lesion_measure.lab.evaluation.peers import Peer, peer_cases, peer_summary, read_masks
from lesion_measure.lab.evaluation.provenance import command_line, data_of, environment
from lesion_measure.lab.evaluation.record import Evaluated, Evaluation
from lesion_measure.lab.evaluation.run import CaliperMoves, Placement
from lesion_measure.lab.evaluation.shared import Beside, begin_processes, beside, cases_of
from lesion_measure.lab.evaluation.summary import summarise
from lesion_measure.lab.evaluation.words import model_names
from lesion_measure.lab.evaluation.worth import Worth, read_pool, worth_outlining


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationRequest:
    """What the user asked for.

    Attributes
    ----------
    data
        Folders of pictures with outlined lesions.
    models
        Bundles; none: the shipped one.
    against
        A bundle that every other one is compared with; None: the first of ``models``.
    masks
        Folders of what other tools drew (`peers.read_masks`).
    out
        Where page and tables go; None: nowhere.
    figures
        Where figures for a paper go; None: nowhere. It is another folder.
    seed, spread, placement
        Of the calipers (`run_cases`).
    placings
        How often each lesion's calipers are placed; None: as often as the size of each set asks for.
    worst
        How many pictures to list that are worth outlining next; 0 for none.
    pool
        Folders of pictures without outlines, among which these are looked for; none: among the data.
    unseen_only
        Leave out pictures that a bundle was trained on or chosen by, with their groups.
    device, backend, threads
        Where the networks compute, by what, on how many threads.
    jobs
        How many processes; the results do not depend on it.
    lesion_labels
        Labels that are lesions where their names do not tell.
    links
        A folder around the data that files may be links into; without it they stay in their data folder.
    """

    data: tuple[Path, ...]
    models: tuple[Path, ...] = ()
    against: Path | None = None
    masks: tuple[Path, ...] = ()
    out: Path | None = None
    figures: Path | None = None
    seed: int = 1
    spread: float = SPREAD
    placement: Placement = Placement.LONGEST
    placings: int | None = None
    worst: int = 0
    pool: tuple[Path, ...] = ()
    unseen_only: bool = False
    device: str = "cpu"
    backend: str = "auto"
    threads: int | None = None
    jobs: int = 1
    lesion_labels: tuple[str, ...] = ()
    links: Path | None = None

    def words(self) -> Iterator[str]:
        """The command's words that decide about the figures; of folders their names alone, since others tell more."""
        yield from (path.resolve().name for path in self.data)
        for option, paths in (("--model", self.models), ("--masks", self.masks)):
            for path in paths:
                yield from (option, path.resolve().name)
        if self.against is not None:
            yield from ("--against", self.against.resolve().name)
        yield from ("--seed", str(self.seed), "--jitter", f"{self.spread:g}", "--calipers", self.placement.value)
        if self.placings is not None:
            yield from ("--placings", str(self.placings))
        if self.worst:
            yield from ("--worst", str(self.worst))
        for path in self.pool:
            yield from ("--pool", path.resolve().name)
        if self.unseen_only:
            yield "--unseen-only"
        for label in self.lesion_labels:
            yield from ("--lesion-label", label)
        yield from ("--device", self.device, "--backend", self.backend)


def evaluate(request: EvaluationRequest, track: Track = lambda what, done, total: None) -> Evaluation:
    """Run the networks on every picture and, where asked, write the page and the tables.

    The output folder is held meanwhile, so that no two evaluations write into it.

    Raises
    ------
    InputError
        A data folder cannot be used, no picture is left, or masks of another tool are missing or of another size.
    ConfigError
        Only unseen pictures are asked for, and a bundle does not say what it was trained on; or the figures are to
        go where the page goes.
    ModelError
        A bundle cannot be used.
    OutputError
        The output folder is not ours, or cannot be written.
    """
    if request.figures is not None and request.out is not None and _same(request.figures, request.out):
        raise ConfigError("Figures and page cannot share a folder.", remedy="Give --figures a folder of its own.")
    begin_processes(request.jobs)
    bundles = [find_model(each) for each in request.models or (None,)]
    if request.against is not None:
        bundles.append(find_model(request.against))
    networks = [
        opened(bundle, device=request.device, backend=request.backend, threads=request.threads) for bundle in bundles
    ]
    with beside(bundles, request.jobs, device=request.device, backend=request.backend) as processes:
        return _evaluate(request, track, networks, processes)


def _evaluate(request: EvaluationRequest, track: Track, networks: Sequence[Network], processes: Beside) -> Evaluation:
    pictures, duplicates = group_duplicates(load_all(request.data, request.lesion_labels, links=request.links))
    # Read now, so that one that cannot be used is not noticed after the networks have run.
    told: list[str] = []
    pool = _pool(request, networks, pictures, told)
    if request.unseen_only:
        pictures = unseen(pictures, networks)
    peers = [read_masks(folder, pictures, request.lesion_labels, request.links) for folder in request.masks]
    with ExitStack() as holds:
        for folder, marker in ((request.out, MARKER), (request.figures, FIGURES_MARKER)):
            if folder is not None:
                check(folder, marker)
                holds.enter_context(holding(folder))
                prepare(folder, marker)
        evaluation = _measured(request, track, networks, peers, pictures, duplicates, pool, processes)
        evaluation = replace(evaluation, notes=(*evaluation.notes, *told))
        if request.out is not None:
            _write(evaluation, pictures, request.out)
        if request.figures is not None:
            write_figures(evaluation, request.figures)
    return evaluation


def _same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()


def _write(evaluation: Evaluation, pictures: Sequence[Picture], out: Path) -> None:
    with together(out, RESULT_FILES) as stage:
        write_json(stage / JSON, as_json(evaluation, cases=True))
        write_cases(evaluation, stage)
        write_page(evaluation, pictures, stage)
        if evaluation.next:
            write_next(evaluation, stage)


def _measured(
    request: EvaluationRequest,
    track: Track,
    networks: Sequence[Network],
    peers: Sequence[Peer],
    pictures: Sequence[Picture],
    duplicates: DuplicateReport,
    pool: Sequence[Picture],
    processes: Beside,
) -> Evaluation:
    moves = CaliperMoves(request.spread, other_spreads(request.spread), request.placement, request.seed)
    placings = placings_by_set(pictures, request.spread, request.placings)
    runs = cases_of(networks, pictures, moves, placings, processes=processes, progress=partial(track, "evaluating"))
    runs = [
        with_chosen(cases, network.held, network.segmenter.settings.confidence)
        for cases, network in zip(runs, networks, strict=True)
    ]
    drawn = [peer_cases(peer, pictures, runs[0]) for peer in peers]
    models = [network.model for network in networks] + [peer.model for peer in peers]
    summaries = [summarise(cases, seed=request.seed) for cases in runs]
    summaries += [peer_summary(cases, seed=request.seed) for cases in drawn]
    reference = _reference(request, len(networks), len(models))
    every: list[list[Case]] = [*runs, *drawn]
    next_ = _next(request, networks, every, pictures, pool, processes, track) if request.worst else ()
    return Evaluation(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        evaluated=tuple(
            Evaluated(
                model=model,
                cases=tuple(cases),
                summary=summary,
                comparison=None
                if reference in (None, place)
                else compare(cases, every[reference or 0], seed=request.seed),
            )
            for place, (model, cases, summary) in enumerate(zip(models, every, summaries, strict=True))
        ),
        reference=reference,
        seed=request.seed,
        spread=request.spread,
        other_spreads=moves.other_spreads,
        placement=request.placement,
        placings=request.placings,
        unseen_only=request.unseen_only,
        notes=notes_on(duplicates, models, summaries, networks),
        data=data_of(pictures, networks, runs, model_names(models)[: len(networks)]),
        command=command_line(request.words()),
        environment=environment() | {"backend": networks[0].segmenter.backend},
        next=next_,
    )


def _pool(
    request: EvaluationRequest, networks: Sequence[Network], outlined: Sequence[Picture], told: list[str]
) -> list[Picture]:
    """The pictures of the pool, none where it is not asked for; ``outlined`` are all of the data, seen ones too.

    What is to be known of it is added to ``told``.
    """
    if not (request.worst and request.pool):
        return []
    trained = frozenset[str]().union(*(network.trained or () for network in networks))
    return read_pool(request.pool, outlined, trained, request.links, told.append)


def _next(
    request: EvaluationRequest,
    networks: Sequence[Network],
    every: Sequence[Sequence[Case]],
    pictures: Sequence[Picture],
    pool: Sequence[Picture],
    processes: Beside,
    track: Track,
) -> tuple[Worth, ...]:
    """The pictures that are worth outlining: of the pool where there is one, else of the data."""
    if not pool:
        return worth_outlining(every, pictures, request.worst)
    runs = cases_of(
        networks, pool, CaliperMoves(), {}, processes=processes, progress=partial(track, "looking through the pool")
    )
    return worth_outlining(runs, pool, request.worst)


def _reference(request: EvaluationRequest, networks: int, models: int) -> int | None:
    """The place of what the others are compared with: the bundle ``against``, else the first; None without others."""
    if models < 2:
        return None
    return 0 if request.against is None else networks - 1
