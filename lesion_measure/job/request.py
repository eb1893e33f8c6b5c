"""What the user asked for, and the command line that says it again: without folders and, where asked, without names."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field, replace
from operator import index
from pathlib import Path
from typing import SupportsIndex

import numpy as np

from lesion_measure.config import Config
from lesion_measure.errors import ConfigError
from lesion_measure.job.nameless import Names
from lesion_measure.network.backend import check_backend, check_device
from lesion_measure.records import Provenance


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """What the user asked for. ``model`` None: no network where calipers are given, else the shipped bundle.

    ``backend`` is what computes the network (`network.backend`), ``threads`` are those of its arithmetic
    (`network.threads`); the results do not depend on the threads.
    ``jobs`` is the number of processes that measure, None: as many as pay. The results do not depend on it either.
    ``scheduler`` is the address of a Dask cluster that measures in their place; ``worker_wait_s`` how long it may be
    without a worker.
    ``fresh``: nothing that an earlier run left in the folder is taken.
    ``readings`` is the table of readings that were signed in the reading room (`job.readings`); unlike ``calipers`` it
    leaves to the network what nobody read. ``dicom``: the results are written as DICOM objects, too.
    ``single_file``: report.html holds every child (`report.index.write_index`).
    ``config_file`` is where ``config`` was read from, ``source`` and ``pacs`` are the query and the settings
    that ``input`` was fetched by: for the record of the command alone.
    """

    input: Path
    out: Path
    config: Config = field(default_factory=Config)
    config_file: Path | None = None
    manifest: Path | None = None
    calipers: Path | None = None
    readings: Path | None = None
    subjects: Path | None = None
    labs: Path | None = None
    model: Path | None = None
    device: str = "cpu"
    backend: str = "auto"
    threads: int | None = None
    jobs: int | None = None
    scheduler: str | None = None
    worker_wait_s: float = 300.0
    overwrite: bool = False
    fresh: bool = False
    no_paths: bool = False
    dicom: bool = False
    single_file: bool | None = None
    source: str = ""
    pacs: Path | None = None

    def __post_init__(self) -> None:
        for name in ("jobs", "threads"):
            object.__setattr__(self, name, whole_count(name, getattr(self, name)))
        check_computing(self.device, self.backend)
        if self.scheduler is not None:
            _check_text("scheduler", self.scheduler)

    @property
    def drawn(self) -> Path | None:
        """What readers drew: the calipers that were given, else the signed readings."""
        return self.calipers or self.readings


def whole_count(name: str, count: SupportsIndex | None) -> int | None:
    """A number of processes or threads, also one of numpy, as an int; None where none is given.

    Raises
    ------
    ConfigError
        It is no whole number of 1 or more.
    """
    if count is None:
        return None
    try:
        whole = 0 if isinstance(count, bool | np.bool_) else index(count)
    except TypeError:  # no whole number
        whole = 0
    if whole < 1:
        raise ConfigError(f"{name} is {count!r}.", remedy="Give a whole number of 1 or more, or leave it out.")
    return whole


def command(request: RunRequest) -> str:
    """The command line that gives this run, with file names only: folders may tell names or machines."""
    words = ["lesion-measure", "run", request.source or request.input.resolve().name, "-o", request.out.resolve().name]
    for option, path in _tables(request):
        words += [option, path.name] if path else []
    return shlex.join([*words, *_flags(request)])


def absolute(request: RunRequest) -> RunRequest:
    """The same with paths that mean the same in every process of a cluster."""
    given = ("input", "out", "manifest", "calipers", "readings", "subjects", "labs")
    paths = {name: getattr(request, name) for name in given}
    return replace(request, **{name: path.absolute() for name, path in paths.items() if path is not None})


def _flags(request: RunRequest) -> list[str]:
    one_file = {True: ["--single-file"], False: ["--pages"], None: []}
    return ["--dicom"] * request.dicom + one_file[request.single_file]


def nameless(made: Provenance, request: RunRequest, names: Names) -> Provenance:
    """What made a run without file and folder names; the command names what was given by its kind alone.

    Its inputs have none already.
    """
    words = ["lesion-measure", "run", "INPUT", "-o", "OUT", "--no-paths"]
    for option, path in _tables(request):
        words += [option, option.removeprefix("--").upper()] if path else []
    words += _flags(request)
    without = names.within(replace(made, inputs={}, command=""))
    return replace(without, inputs=made.inputs, command=shlex.join(words))


def names_of(request: RunRequest) -> list[str]:
    """The names of what the user gave, to leave out where that is asked for; no output holds the folders above."""
    given = (request.input, *(path for option, path in _tables(request) if option != "--model"))
    return [path.resolve().name for path in given if path is not None]


def _tables(request: RunRequest) -> tuple[tuple[str, Path | None], ...]:
    return (
        ("--config", request.config_file),
        ("--manifest", request.manifest),
        ("--calipers", request.calipers),
        ("--subjects", request.subjects),
        ("--labs", request.labs),
        ("--model", request.model),
        ("--pacs", request.pacs),
    )


def check_computing(device: str, backend: str) -> None:
    """See that there may be such a device and backend; whether they are there is seen when the network loads.

    Raises
    ------
    ConfigError, ModelError
        The device is no text; it or the backend is none.
    """
    check_backend(backend)
    _check_text("device", device)
    check_device(device)


def _check_text(name: str, value: object) -> None:
    if not (isinstance(value, str) and value.strip()):
        raise ConfigError(f"{name} is {value!r}.", remedy="Give its name, or leave it out.")
