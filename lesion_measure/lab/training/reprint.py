"""The figures of a bundle's card, measured again from the bundle and the data: each table, and what differs.

The bundle lists the pictures that it was trained on, chosen by and tested on, and the settings of its training. So the
same pictures are drawn from the same calipers. What was cross-validated was drawn by networks that are not shipped.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from lesion_measure.batch import Track
from lesion_measure.errors import InputError, ModelError
from lesion_measure.files.reading import read_regular
from lesion_measure.files.shipped import find_model
from lesion_measure.lab.datasets import (
    SIMULATED,
    Picture,
    group_duplicates,
    load_all,
    picture_digest,
    simulated_pictures,
)
from lesion_measure.lab.evaluation import Case, HeldBack, Placement, other_spreads, placings_by_set, summarise
from lesion_measure.lab.evaluation.chosen import with_chosen
from lesion_measure.lab.evaluation.networks import Network, opened
from lesion_measure.lab.evaluation.run import CaliperMoves
from lesion_measure.lab.evaluation.shared import Beside, begin_processes, beside, cases_of
from lesion_measure.lab.training.again import stored_settings
from lesion_measure.lab.training.calibrate import OTHER_PLACEMENTS, Calibrated, verdicts_against
from lesion_measure.lab.training.card import FAILURES, Card, as_text, measured_sections
from lesion_measure.lab.training.settings import TrainSettings
from lesion_measure.network.bundle import read_bundle

_MOST_BYTES = 5_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ReprintRequest:
    """What the user asked for.

    Attributes
    ----------
    data
        The folders that the bundle was made from.
    model
        The bundle; None: the shipped one.
    against
        The bundle that its card compares it with; None leaves that section out.
    device, backend, threads
        Where the network computes, by what, on how many threads.
    jobs
        How many processes; the figures do not depend on it.
    lesion_labels
        Labels that are lesions where their names do not tell.
    links
        A folder around the data that files may be links into.
    """

    data: tuple[Path, ...]
    model: Path | None = None
    against: Path | None = None
    device: str = "cpu"
    backend: str = "auto"
    threads: int | None = None
    jobs: int = 1
    lesion_labels: tuple[str, ...] = ()
    links: Path | None = None


@dataclass(frozen=True, slots=True)
class Reprinted:
    """The tables as they are now, in Markdown, and the lines of them that are not in the bundle's card."""

    text: str
    differing: tuple[str, ...]


def reprint(request: ReprintRequest, track: Track = lambda what, done, total: None) -> Reprinted:
    """Measure what a bundle's card tells, and compare.

    Raises
    ------
    InputError
        The data cannot be used, or hold none of the pictures that the figures are of.
    ModelError
        The bundle cannot be used, or does not list its pictures.
    """
    begin_processes(request.jobs)
    bundle = find_model(request.model)
    network = opened(bundle, device=request.device, backend=request.backend, threads=request.threads)
    with beside([bundle], request.jobs, device=request.device, backend=request.backend) as processes:
        return _reprint(request, network, processes, track)


def _reprint(request: ReprintRequest, network: Network, processes: Beside, track: Track) -> Reprinted:
    bundle = network.bundle
    settings = stored_settings(bundle)
    if network.trained is None or network.held is None:
        raise ModelError("The bundle does not list its pictures, so its figures cannot be told.", path=bundle.name)
    with ExitStack() as stack:
        kept = bundle.with_name(f"{bundle.name}.work") / "simulated"
        cache = kept if kept.is_dir() else Path(stack.enter_context(TemporaryDirectory(prefix="lesion_measure_")))
        parts = _parts(request, settings, network.trained, network.held, cache)
    shown = parts["test"] or parts["validation"]
    if not shown:
        raise InputError("The data hold none of the pictures that the card's figures are of.", code="dataset")
    measured = _measured(request, network, settings, shown, processes, track)
    rival = ""
    if request.against is not None:
        other = read_bundle(find_model(request.against))
        rival = f"{other.name} {other.version} (weights {other.sha256[:12]})"
    card = Card(parts["training"], parts["validation"], measured, rival=rival, test=parts["test"])
    sections = measured_sections(settings, network.segmenter.settings, card, (bundle / "docs" / FAILURES).is_file())
    text = as_text(sections)
    told = set(_text_of(bundle / "docs/README.md").splitlines())
    return Reprinted(text, tuple(line for line in text.splitlines() if line and line not in told))


def _parts(
    request: ReprintRequest, settings: TrainSettings, trained: frozenset[str], held: HeldBack, cache: Path
) -> dict[str, list[Picture]]:
    """The pictures by what they were to the bundle; of sets that were cross-validated only what was learnt from."""
    pictures, _ = group_duplicates(load_all(request.data, request.lesion_labels, links=request.links))
    by_digest = [(item, picture_digest(item)) for item in pictures]
    validation = [item for item, digest in by_digest if digest in held.validation and digest not in trained]
    parts = {
        "training": [item for item, digest in by_digest if digest in trained],
        "validation": sorted(validation, key=lambda item: item.source),
        "test": sorted((item for item, digest in by_digest if digest in held.test), key=lambda item: item.source),
    }
    simulated = settings.simulated
    counts = {"train": simulated.frames, "validation": simulated.validation_frames, "test": simulated.test_frames}
    for part, (kind, count) in zip(parts.values(), counts.items(), strict=True):
        part += simulated_pictures(cache, kind, count, settings.seed, simulated.size)
    return parts


def _measured(
    request: ReprintRequest,
    network: Network,
    settings: TrainSettings,
    shown: Sequence[Picture],
    processes: Beside,
    track: Track,
) -> Calibrated:
    """As `calibrate` measures held-back pictures, by the shipped networks."""
    spread = settings.caliper_jitter
    placings = placings_by_set(shown, spread, settings.placings)

    def cases(pictures: Sequence[Picture], moves: CaliperMoves, what: str, *, automatic: bool) -> list[Case]:
        (found,) = cases_of(
            [network], pictures, moves, placings, processes=processes, progress=partial(track, what),
            automatic=automatic,
        )  # fmt: skip
        return with_chosen(found, network.held, network.segmenter.settings.confidence)

    def placed(place: Placement) -> list[Case]:
        real = [item for item in shown if item.source != SIMULATED]
        moves = CaliperMoves(spread, (), place, settings.seed)
        return cases(real, moves, f"measuring, calipers by {place}", automatic=False)

    main = cases(shown, CaliperMoves(spread, other_spreads(spread), seed=settings.seed), "measuring", automatic=True)
    told_of_rival = partial(track, "measuring the other bundle")
    return Calibrated(
        settings=network.segmenter.settings,
        figures=summarise(main, seed=settings.seed),
        placed={place: summarise(placed(place), seed=settings.seed) for place in OTHER_PLACEMENTS},
        cases=main,
        verdicts={}
        if request.against is None
        else verdicts_against(main, find_model(request.against), shown, settings, placings, told_of_rival),
    )


def _text_of(path: Path) -> str:
    try:
        return read_regular(path, _MOST_BYTES).decode()
    except (OSError, ValueError) as error:
        raise ModelError("The model card cannot be read.", path=str(path)) from error
