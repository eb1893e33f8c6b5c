"""Trainings over a grid of settings, each in a process of its own, and a table of what came of them."""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
import json
import os
import subprocess
import sys
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lesion_measure.errors import ConfigError, WriteError
from lesion_measure.files.archive import cannot_read, stream_sha256
from lesion_measure.files.locks import LOCKED, check_free, holding, in_use, mark_in_use
from lesion_measure.files.reading import parse_json
from lesion_measure.files.writing import make_folder, streaming, write_bytes, write_json
from lesion_measure.lab.training.identity import differing, kept_of
from lesion_measure.lab.training.progress import Say, plan_of
from lesion_measure.lab.training.settings import TrainSettings

MOST_RUNS = 1000
PLAN, TABLE = "sweep.json", "sweep.csv"
MEASURED = ("automatic_dice", "prompted_dice", "loss")
"""Columns of a stage's curves that the table takes, of the last stage and the last epoch that has them."""

_LEFT = (
    "A training goes on that an earlier sweep began. Wait for it, or end that process: a new sweep goes on with what "
    "it has kept."
)


@dataclass(frozen=True, slots=True)
class SweepRequest:
    """What is swept.

    Attributes
    ----------
    data, config
        As of a training; None: the default settings.
    out
        Folder of the runs ``run-001`` and so on, their logs, and the table.
    grid
        Values of each setting by its dotted name; every combination is a run.
    changes
        Settings of every run, each ``section.setting=value``.
    more
        Further words for each ``lesion-measure train``, such as ``--device cuda``.
    jobs
        Runs beside each other.
    links
        A folder around the data that files may be links into.
    """

    data: Sequence[Path]
    out: Path
    config: Path | None
    grid: Mapping[str, Sequence[Any]]
    changes: Sequence[str] = ()
    more: Sequence[str] = ()
    jobs: int = 1
    links: Path | None = None


def sweep(request: SweepRequest, say: Say) -> int:
    """Train every combination, those that are finished left out, and write the table; how many failed.

    Raises
    ------
    ConfigError
        A combination is no valid training, there are too many, or the folder holds another sweep.
    OutputError
        The folder cannot be written; or another process works in it, such as a training that a killed sweep left.
    """
    runs = list(_combinations(request.grid))
    if not request.grid or len(runs) > MOST_RUNS:
        raise ConfigError(f"The grid has {len(runs)} runs.", remedy=f"Give --grid, and {MOST_RUNS} runs at most.")
    # All are looked at before the first one.
    settings = [TrainSettings.from_yaml(request.config, _changes(request, values)) for values in runs]
    make_folder(request.out, "folder of the sweep")
    with holding(request.out):
        _check_same(request, runs, settings)
        _check_free(request.out, settings)
        return _train_all(request, runs, settings, say)


def _train_all(
    request: SweepRequest, runs: Sequence[Mapping[str, Any]], settings: Sequence[TrainSettings], say: Say
) -> int:
    """Train what is not finished, beside each other; how many failed."""
    writing = threading.Lock()

    def train(number: int) -> int:
        code = _train(request, number, runs[number])
        with writing:  # runs that end together would take each other's unfinished table
            _write_table(request.out, runs, settings)
        say(f"{_name(number)} ({_told(runs[number])}): {'done' if code == 0 else f'failed, see {_name(number)}.log'}")
        return code

    with ThreadPoolExecutor(request.jobs) as pool:
        codes = list(pool.map(train, range(len(runs))))
    return sum(code != 0 for code in codes)


def _combinations(grid: Mapping[str, Sequence[Any]]) -> Iterator[dict[str, Any]]:
    for values in itertools.product(*grid.values()):
        yield dict(zip(grid, values, strict=True))


def _changes(request: SweepRequest, values: Mapping[str, Any]) -> list[str]:
    return [*request.changes, *(f"{key}={json.dumps(value)}" for key, value in values.items())]


def _check_same(request: SweepRequest, runs: Sequence[Mapping[str, Any]], settings: Sequence[TrainSettings]) -> None:
    """Keep what is swept on what and how, so that another sweep does not take these runs for its own."""
    plan = {
        "data": [[path.resolve().name, _content(path, request.out)] for path in request.data],
        "runs": list(runs),
        "further words": list(request.more),
        "settings": [kept_of(each) for each in settings],
    }
    path = request.out / PLAN
    if path.is_file():
        kept = parse_json(path.read_bytes())
        known = kept if isinstance(kept, dict) else {}
        if other := [name for name, value in plan.items() if not _same(name, known.get(name), value, settings)]:
            raise ConfigError(
                f"The folder holds another sweep: it differs in {', '.join(other)}.",
                remedy="Give another --out.",
                path=str(request.out),
            )
    write_json(path, plan, indent=2)


def _check_free(out: Path, settings: Sequence[TrainSettings]) -> None:
    """Raise where a training goes on that a killed sweep left: this one would call it failed."""
    for number, each in enumerate(settings):
        for network, _ in each.parts():
            try:
                check_free(out / f"{_name(number)}.work" / network)
            except WriteError as error:
                if error.code != LOCKED:
                    raise
                raise WriteError(error.reason, remedy=_LEFT, code=LOCKED, path=error.path) from error
        if in_use(log := _log_of(out / _name(number))):
            raise WriteError(
                "A training that an earlier sweep began is just starting, or ending.",
                remedy="Give the command again in a minute: it goes on, or names the process of that training.",
                code=LOCKED,
                path=str(log),
            )


def _same(name: str, kept: Any, value: Any, settings: Sequence[TrainSettings]) -> bool:
    """Whether an entry of the plan is as it was kept; settings may be those of an earlier version."""
    if name != "settings" or not isinstance(kept, list) or len(kept) != len(settings):
        return bool(kept == value)
    return not any(differing(old, new) for old, new in zip(kept, settings, strict=True))


def _content(folder: Path, out: Path) -> str:
    """SHA-256 of all files of a data folder, by name: wherever it lies, the same data, and none that changed.

    Hidden files and folders are no data (of git, of a file manager), nor is what the sweep itself writes, ``out``.
    """
    digest = hashlib.sha256()
    for path in sorted(_files(folder, {out.resolve()})):
        try:
            with path.open("rb") as file:
                own = stream_sha256(file)
        except OSError as error:
            raise cannot_read(error) from error
        digest.update(f"{path.relative_to(folder).as_posix()}\0{own}\n".encode())
    return digest.hexdigest()


def _files(folder: Path, left_out: Collection[Path]) -> Iterator[Path]:
    """Every regular file of a folder that is not hidden, links followed, each folder once."""
    known = {folder.resolve(), *left_out}
    for at, folders, files in os.walk(folder, followlinks=True):
        inner = {name: (Path(at) / name).resolve() for name in folders if not name.startswith(".")}
        folders[:] = [name for name, real in inner.items() if real not in known]
        known.update(inner.values())
        yield from (path for name in files if not name.startswith(".") and (path := Path(at) / name).is_file())


def _train(request: SweepRequest, number: int, values: Mapping[str, Any]) -> int:
    """One training in a process of its own; it goes on where an earlier one was killed."""
    out = request.out / _name(number)
    if out.is_dir():
        return 0
    words = ["train", *map(str, request.data), "-o", str(out), "--resume", *request.more]
    words += [] if request.links is None else ["--links-within", str(request.links)]
    words += [] if request.config is None else ["--config", str(request.config)]
    words += [word for change in _changes(request, values) for word in ("--set", change)]
    with streaming(_log_of(out), "log", behind=True) as log:
        # The training has it open from its first moment on, long before it holds its folder.
        mark_in_use(log.fileno())
        command = [sys.executable, "-m", "lesion_measure", *words]
        done = subprocess.run(command, stdout=log, stderr=log, check=False)  # noqa: S603 - this program, no shell
    return done.returncode


def _write_table(out: Path, runs: Sequence[Mapping[str, Any]], settings: Sequence[TrainSettings]) -> None:
    """The table of all runs; cells of those that are not finished are empty."""
    text = io.StringIO()
    columns = ["run", *runs[0], *MEASURED]
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    for number, values in enumerate(runs):
        shown = {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}
        writer.writerow({"run": _name(number), **shown, **_measured(out, _name(number), settings[number])})
    write_bytes(out / TABLE, memoryview(text.getvalue().encode()), "table of the sweep")


def _measured(out: Path, name: str, settings: TrainSettings) -> dict[str, str]:
    """Dice of held-back pictures on the network's grid, and the loss, of what a finished run ships."""
    found: dict[str, str] = {}
    if not (out / name).is_dir():
        return found
    stages = plan_of(settings, 0, None)  # without folds, whose networks are not shipped
    for network, _ in settings.parts():
        files = [stage.file for stage in stages if stage.network == network]
        tables = [path for file in files if (path := out / f"{name}.work" / network / f"{file}.csv").is_file()]
        rows = list(csv.DictReader(tables[-1].open(newline="", encoding="utf-8"))) if tables else []
        for column in MEASURED:
            known = [row[column] for row in rows if row[column]]
            if known and column not in found:
                found[column] = known[-1]
    return found


def _log_of(run: Path) -> Path:
    return run.with_suffix(".log")


def _name(number: int) -> str:
    return f"run-{number + 1:03}"


def _told(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={value}" for key, value in values.items())
