"""The whole of a training, in order: data, the networks stage by stage, measuring, confidence, bundle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from lesion_measure.errors import ConfigError
from lesion_measure.files.locks import holding
from lesion_measure.files.writing import make_folder
from lesion_measure.lab.training.begin import begin, check_place
from lesion_measure.lab.training.calibrate import Trained, calibrate
from lesion_measure.lab.training.card import Card
from lesion_measure.lab.training.checked import check_networks
from lesion_measure.lab.training.curves import MISSING, has_tensorboard, logged_seconds
from lesion_measure.lab.training.export import write_bundle
from lesion_measure.lab.training.loop import fit
from lesion_measure.lab.training.material import Material, check_lesions, chosen_by, gather, seen_by, show_pictures
from lesion_measure.lab.training.precision import precision_told, settled
from lesion_measure.lab.training.progress import Meter, Say, Standing, Track, plan_of
from lesion_measure.lab.training.request import TrainingRequest
from lesion_measure.lab.training.stages import stages_of, train_network
from lesion_measure.lab.training.team import Team, gathered
from lesion_measure.network.bundle import Bundle, read_bundle
from lesion_measure.network.weights import load_network


def _silent(message: str) -> None:
    """Progress that nobody asked for."""


def _untracked(standing: Standing) -> None:
    """A standing that nobody asked for."""


@dataclass(frozen=True, slots=True, eq=False)
class Training:
    """What this process trains by: the request, its settings settled, and the processes that share the work.

    ``work`` is the working folder; ``first`` the bundle that training starts from, ``rival`` the one that it is held
    against, in words, empty where there is none. ``say`` and ``track`` are told of progress.
    """

    request: TrainingRequest
    team: Team
    work: Path
    first: Bundle | None
    rival: str
    say: Say
    track: Track


def train(request: TrainingRequest, progress: Say = _silent, track: Track = _untracked) -> bool:
    """Train on folders of pictures and on simulated frames, and write a bundle.

    ``progress`` receives one line after each epoch and step, ``track`` after every batch how far the whole training is.

    Returns
    -------
    bool
        Whether this process wrote the bundle: not with ``only``, and of several processes the first one alone.

    Raises
    ------
    InputError
        A data folder cannot be used, nothing is left to train or validate on, or nobody outlined a lesion.
    ConfigError
        A network cannot be what the settings make it, a stage has nothing to learn from or to blend, ``resume`` does
        not fit a checkpoint, there is an earlier training and neither ``resume`` nor ``overwrite`` is asked for, a
        network of ``start`` is another one, or there is none that ``only`` means; or the device or the number of
        processes does not suit the settings.
    ModelError
        The bundle to start from, or the device, cannot be used.
    OutputError
        Results cannot be written.
    """
    with opened(request, progress, track) as training:
        material = gathered_material(training)
        trained = _networks(training, material)
        only, team = training.request.only, training.team
        if only is not None:
            training.say(
                f"The {only} network is trained; --resume without --only trains what is left and writes the bundle."
            )
        elif not team.leads:
            team.wait()  # all leave together: a process that ends while others still use the connection may be aborted
        else:
            _write_bundle(training, material, trained)
            team.wait()
        return only is None and team.leads


@contextmanager
def opened(request: TrainingRequest, progress: Say, track: Track, *, keeps: bool = True) -> Iterator[Training]:
    """The team gathered, what was asked for checked against it, and the working folders held, if it ``keeps`` any.

    Raises
    ------
    LesionMeasureError
        As `train`, of what was asked for.
    """
    _check_only(request)
    with gathered(request.device) as team, ExitStack() as holds:
        say = progress if team.leads else _silent
        _check_batches(request, team)
        # Read now, so that one that cannot be used is not noticed after hours of training.
        first, rival = (None if path is None else read_bundle(path) for path in (request.start, request.against))
        work = _work_folder(request.out)
        # Held before what takes seconds: a sweep looks at the locks to know of a training that has begun.
        for name, _ in request.networks() if keeps and team.leads else ():
            holds.enter_context(holding(work / name))  # one a network, so that two processes can train one each
        check_networks(request.settings)
        request = replace(request, settings=settled(request.settings, team))
        say(f"training on {team.device} in {precision_told(request.settings)}")
        for bundle in (first, rival):
            for stored in () if bundle is None else bundle.networks.values():
                load_network(stored)
        if keeps:
            begin(request, work, leads=team.leads)
        else:
            check_place(request, work, goes_on=True)
        told = "" if rival is None else _told(rival)
        yield Training(request, team, work, first, told, say, track if team.leads else _untracked)


def _work_folder(out: Path) -> Path:
    work = out.with_name(f"{out.name}.work")
    make_folder(work, "working folder")
    return work


def _check_only(request: TrainingRequest) -> None:
    if request.only is not None and not any(request.networks()):
        raise ConfigError(
            f"The settings have no {request.only} network, so it cannot be trained alone.",
            remedy="Add its section to the settings, or leave --only out.",
        )


def _check_batches(request: TrainingRequest, team: Team) -> None:
    stages = [stage for _, part in request.settings.parts() for stage in part.stages() if stage is not None]
    least = min(stage.batch_size for stage in stages)
    if team.size > least:
        raise ConfigError(
            f"A batch of {least} samples cannot be shared by {team.size} processes.",
            remedy="Start fewer processes, or raise batch_size.",
        )


def gathered_material(training: Training) -> Material:
    """The pictures; the first process simulates frames, then the others read them.

    Raises
    ------
    InputError
        As `train`.
    """
    request, team, say = training.request, training.team, training.say
    seen = frozenset() if request.start is None else seen_by(request.start)
    chosen_before = frozenset() if request.start is None else chosen_by(request.start)
    if not team.leads:
        team.wait()
    material = gather(
        request.data, request.settings, training.work / "simulated", seen, say, request.lesion_labels, chosen_before,
        request.links,
    )  # fmt: skip
    check_lesions(material)
    if team.leads:
        show_pictures(material, training.work / "pictures", say)
        team.wait()
        if not has_tensorboard():
            say(MISSING)
    return material


def _networks(training: Training, material: Material) -> dict[str, Trained]:
    """Every network that is asked for, trained."""
    request, work = training.request, training.work
    plan = plan_of(request.settings, len(material.folds), request.only)
    meter = Meter(plan, training.say, training.track)
    for stage in plan if request.resume else ():
        meter.recall(stage.name, logged_seconds(work / stage.network / f"{stage.file}.pt"))
    of_team = partial(fit, resume=request.resume, team=training.team, meter=meter)
    # The stages of all are looked at before the first is trained.
    all_stages = [stages_of(name, part, material, request.settings, work / name) for name, part in request.networks()]
    return {stages.network: train_network(stages, training.first, of_team) for stages in all_stages}


def _write_bundle(training: Training, material: Material, trained: dict[str, Trained]) -> None:
    """Measure the networks on held-back pictures, and write them with what that tells."""
    request = training.request
    training.say(f"measuring on {len(material.held)} held-back pictures")
    measured = calibrate(trained, material, request.settings, request.against, _measuring(training.track))
    card = Card(
        training=[*material.training, *material.crossed],
        validation=material.held,
        measured=measured,
        start=None if training.first is None else _told(training.first),
        rival=training.rival,
        seen=material.seen,
        chosen_before=material.chosen_before,
        test=material.test,
    )
    weights = {name: stages.shipped for name, stages in trained.items()}
    write_bundle(request.out, weights, measured.settings, request.settings, card)


def _measuring(track: Track) -> Callable[[str, int, int], None]:
    return lambda what, done, total: track(Standing(what, done / total, None))


def _told(bundle: Bundle) -> str:
    return f"{bundle.name} {bundle.version} (weights {bundle.sha256[:12]})"
