"""The door for Python: a whole run as one call, its children as objects, its tables as data frames.

::

    result = run("scans", calipers="calipers.csv")
    for child in result:
        for change in child.changes:
            ...
    result.changes()      # the rows of changes.csv
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

import numpy as np

from lesion_measure import pipeline
from lesion_measure.batch import Track
from lesion_measure.config import Config
from lesion_measure.errors import ConfigError, InputError
from lesion_measure.files.naming import given_path
from lesion_measure.files.shipped import find_config, find_model
from lesion_measure.job.readings import with_readings
from lesion_measure.job.request import RunRequest, check_computing, whole_count
from lesion_measure.records import LesionMask, RunResult, SubjectResult
from lesion_measure.report.overview import list_refusals
from lesion_measure.report.tables import Table, records, tables

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lesion_measure.batch import Lost
    from lesion_measure.network.many import OutlineTask
    from lesion_measure.network.window import CaliperLine

AnyPath: TypeAlias = str | PathLike[str]


@dataclass(frozen=True, slots=True)
class Result:
    """What a run found. Iterating gives the children, each a `SubjectResult`.

    A child has ``lesions`` (one for each visit), ``visits``, ``changes`` and ``response``. ``record`` is the whole
    run with its provenance, ``config`` the settings it was made with. ``out`` is the results folder, None where nothing
    was kept.
    """

    record: RunResult
    config: Config
    out: Path | None = None

    @property
    def children(self) -> Sequence[SubjectResult]:
        """The children that were measured."""
        return self.record.subjects

    def __iter__(self) -> Iterator[SubjectResult]:
        return iter(self.children)

    def __len__(self) -> int:
        return len(self.children)

    def measurements(self) -> Any:
        """The rows of measurements.csv: every lesion at every visit, and the images behind it.

        Returns
        -------
        pandas.DataFrame | list[dict[str, Cell]]
            A data frame where pandas is installed, else one dict for each row. ``lesions``, ``changes`` and
            ``refusals`` return the same.
        """
        return self._table("measurements")

    def lesions(self) -> Any:
        """The rows of lesions.csv: what became of each lesion."""
        return self._table("lesions")

    def changes(self) -> Any:
        """The rows of changes.csv: change of each lesion and each child, with the response."""
        return self._table("changes")

    def refusals(self) -> Any:
        """The rows of refusals.csv: what gave no number or needs review, and why."""
        return self._table("refusals")

    def _table(self, name: str) -> Any:
        refusals = list_refusals(self.children, self.record.refusals)
        return _frame(tables(self.children, refusals, self.config)[name])


def run(
    path: AnyPath,
    *,
    out: AnyPath | None = None,
    calipers: AnyPath | None = None,
    model: AnyPath | None = None,
    config: Config | AnyPath | None = None,
    manifest: AnyPath | None = None,
    subjects: AnyPath | None = None,
    labs: AnyPath | None = None,
    device: str = "cpu",
    backend: str = "auto",
    threads: int | None = None,
    jobs: int | None = None,
    scheduler: str | None = None,
    overwrite: bool = False,
    fresh: bool = False,
    no_paths: bool = False,
    dicom: bool = False,
    progress: Track | None = None,
) -> Result:
    """Measure everything in a folder, zip or file, as ``lesion-measure run`` does.

    Parameters
    ----------
    path
        A folder (nested, with zips), a zip or a DICOM file.
    out
        Folder for the report; None keeps nothing. Readings signed in its reading room count where there are no others.
    calipers, manifest, subjects, labs
        Tables, as on the command line; ``calipers`` also a DICOM object, or a folder of tables and objects.
    model, config
        Network: a folder, or a shipped one's name (None: the shipped one, or none beside calipers). Settings, a YAML
        file of them, or the name of a file that comes with the program.
    device, backend, threads, jobs, scheduler
        Where the network runs, by what (``torch``, ``openvino``, ``openvino-bf16``, ``auto``), on how many processors;
        in how many processes (as many as pay), or on which Dask cluster. Results depend on the first two.
    overwrite, fresh
        Replace a finished run in ``out``, with its children that are the same now; measure every child anew.
    no_paths, dicom
        Leave file and folder names out of every output; write DICOM objects, too, for which ``out`` is needed.
    progress
        ``progress(what, done, total)`` is told of every image.

    Raises
    ------
    InputError, TableError, ConfigError, ModelError, OutputError
        What was given as a whole cannot be used, each a `LesionMeasureError`; that of one image becomes a refusal.
    """
    settings, settings_file = _settings(config)
    kept, track = _path(out), _track(progress)
    overwrite, fresh, no_paths, dicom = _flags(kept, overwrite=overwrite, fresh=fresh, no_paths=no_paths, dicom=dicom)
    with TemporaryDirectory(prefix="lesion_measure_") if kept is None else nullcontext(kept) as folder:
        request = RunRequest(
            input=given_path(path), out=kept or Path(folder) / "out", config=settings, config_file=settings_file,
            manifest=_path(manifest), calipers=_path(calipers), subjects=_path(subjects), labs=_path(labs),
            model=_path(model), device=device, backend=backend, threads=threads, jobs=jobs, scheduler=scheduler,
            overwrite=overwrite, fresh=fresh, no_paths=no_paths, dicom=dicom,
        )  # fmt: skip
        return Result(pipeline.run(with_readings(request), *track).read(), settings, kept)


def outlines(
    pictures: Sequence[NDArray[np.generic]],
    calipers: Sequence[Sequence[CaliperLine] | None] | None = None,
    *,
    model: AnyPath | None = None,
    device: str = "cpu",
    backend: str = "auto",
    threads: int | None = None,
    jobs: int = 1,
) -> list[tuple[LesionMask, ...]]:
    """Outline the lesions of many pictures.

    Parameters
    ----------
    pictures
        Each (rows, columns), uint8 or float at any scale with black at 0: the B-mode area at native resolution.
    calipers
        For each picture one lesion's calipers, its long axis or both axes, each ((row, column), (row, column)) in
        pixels; then that lesion is outlined. None for a picture, or for all: every lesion that the network finds.
    model
        A bundle's folder, or a shipped one's name; None: the shipped one.
    device, backend, threads, jobs
        As of `run`; each of ``jobs`` processes takes one thread. The outlines do not depend on the last two.

    Returns
    -------
    list of tuple of LesionMask
        For each picture its lesions, most confident first: ``outline_px`` (n, 2) closed, row and column in pixels;
        ``probability``, cut out at ``origin``; ``confidence``, and whether the bundle accepts it. No mm.

    Raises
    ------
    MeasurementError, InputError, ModelError, ConfigError
        A picture or its calipers cannot be used, a picture ended its process twice, or the bundle or backend cannot be
        used; of a picture the number is named, from 0.
    """
    from lesion_measure.batch import measure_here
    from lesion_measure.batch.processes import in_processes
    from lesion_measure.network.many import OutlineTask, prepare_outlines  # the network loads for outlines alone

    if calipers is not None and len(calipers) != len(pictures):
        raise ConfigError(f"There are {len(pictures)} pictures and calipers of {len(calipers)}: give as many.")
    check_computing(device, backend)
    jobs, threads = whole_count("jobs", jobs) or 1, whole_count("threads", threads)
    given = calipers or [None] * len(pictures)
    tasks = [OutlineTask(number, image, line) for number, (image, line) in enumerate(zip(pictures, given, strict=True))]
    prepare = partial(prepare_outlines, find_model(_path(model)), device, backend, threads if jobs == 1 else 1)
    if jobs == 1:
        done = measure_here(prepare, tasks, _untold)
    else:
        done = in_processes(prepare, tasks, jobs, _untold, _give_up, ("lesion_measure.network.many",))
    by_number = dict(done)
    return [by_number[number] for number in range(len(tasks))]


def _untold(part: str) -> None:
    """Parts of a picture that nobody asked for."""


def _give_up(lost: Lost[OutlineTask]) -> NoReturn:
    raise InputError(f"The process that outlined it {lost.how}, twice.", path=f"picture {lost.task.number}")


def _flags(out: Path | None, **flags: bool | np.bool_) -> tuple[bool, ...]:
    """Refuse what is neither true nor false: the text "no" counts as true in Python. DICOM objects need a folder."""
    for name, value in flags.items():
        if not isinstance(value, bool | np.bool_):
            raise ConfigError(f"{name} is {value!r}.", remedy="Give True or False.")
    if flags["dicom"] and out is None:
        raise ConfigError("DICOM objects are asked for, and no folder to write them into.", remedy="Give out.")
    return tuple(bool(value) for value in flags.values())


def _track(progress: Track | None) -> tuple[Track, ...]:
    """What is told of progress, if anything is; refused where it cannot be."""
    if progress is not None and not callable(progress):
        raise ConfigError("progress cannot be called.", remedy="Give a function of three arguments, or leave it out.")
    return () if progress is None else (progress,)


def _settings(config: Config | AnyPath | None) -> tuple[Config, Path | None]:
    """The settings, and the file that they were read from."""
    if config is None or isinstance(config, Config):
        return config or Config(), None
    file = find_config(given_path(config))
    return Config.from_yaml(file), file


def _path(given: AnyPath | None) -> Path | None:
    return None if given is None else given_path(given)


def _frame(table: Table) -> Any:
    """A table as a pandas data frame, or as records where pandas is not installed."""
    rows = records(table)
    try:
        pandas = import_module("pandas")
    except ImportError:
        return rows
    return pandas.DataFrame(rows, columns=list(table.columns))
