"""How a run by calipers grows with its children: ``python benchmarks/growth.py [--children 36 360 3600]``.

Small studies are made of simulated ones (every second pixel, other codes and UIDs). Printed are, for each number of
children and each way of measuring (one process, two, a Dask cluster of two workers), the run's own processor seconds
and largest memory (those of a fork server's and a cluster's processes are not counted), the wall seconds, and the size
of the index page. The commands that read the results of one process follow. Tables of all ways must be the same to the
byte. ``--against`` is a checkout of another version, measured beside it in one process. ``--full-size`` takes the
simulated children as they are, and ``--rounds`` the medians of several rounds, in which the ways take turns. The load
that others make is printed, since no wall time is worth much on a busy machine.
"""

from __future__ import annotations

import argparse
import csv
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass, replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
from as_a_user import PROJECT, surroundings
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from lesion_measure.lab.phantom.trial import simulate_trial

TEMPLATES = 12
NOBODY = "S-0000"
TABLES = ("measurements.csv", "lesions.csv", "changes.csv", "calipers.csv", "refusals.csv", "results.json")
RUN = """
import sys
from lesion_measure.cli import main
try:
    main()
finally:
    decoders = sys.modules.get("lesion_measure.dicom.decoder")
    for one in getattr(decoders, "_idle", ()):  # their processor time counts when they have ended
        one.let_go()
        one._process.wait()
    status = open("/proc/self/status").read()
    print("peak_kb", status.partition("VmHWM:")[2].split()[0], file=sys.stderr)
"""
"""A run that tells its largest memory. That of getrusage is none: it keeps what the process had that started it."""


@dataclass(frozen=True)
class Cost:
    """What a run took."""

    cpu_s: float
    wall_s: float
    peak_mb: float
    index_kb: float = 0


def small_trial(folder: Path, children: int) -> Path:
    """Studies of so many children that are quick to read: every second pixel of simulated ones."""
    made = folder / "simulated"
    if not made.exists():
        simulate_trial(made, subjects=TEMPLATES, seed=1)
    out = folder / f"trial{children}"
    rows: list[list[str]] = []
    with (made / "calipers.csv").open(encoding="utf-8", newline="") as stream:
        header, *given = csv.reader(stream)
    names = sorted(path.name for path in (made / "dicom").iterdir())[:children]
    templates = {name: [small(path, made / "dicom" / name) for path in images(made, name)] for name in names}
    for number in range(children):
        name, code = names[number % len(names)], f"S-{number + 1:04d}"
        for image in templates[name]:
            image.write(out / "dicom" / code, code)
        mine = [row for row in given if f"/{name}/" in row[0]]
        rows += [smaller(header, [row[0].replace(name, code), *row[1:]]) for row in mine]
    with (out / "calipers.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([header, *rows])
    return out


def images(made: Path, name: str) -> list[Path]:
    """The files of a simulated child."""
    return sorted((made / "dicom" / name).rglob("*.dcm"))


def full_trial(folder: Path, children: int) -> Path:
    """Simulated children of full size, some seven images each."""
    out = folder / f"full{children}"
    simulate_trial(out, subjects=children, seed=1)
    return out


@dataclass(frozen=True)
class Small:
    """A small image of nobody (`NOBODY`) and its UIDs; that of a child is the same bytes with others in their place."""

    place: Path
    data: bytes
    uids: tuple[bytes, ...]

    def write(self, folder: Path, code: str) -> None:
        """As an image of a child, whose code is as long as nobody's."""
        data = self.data.replace(NOBODY.encode(), code.encode())
        for uid in self.uids:
            data = data.replace(uid, uid[:-4] + code[-4:].encode())
        to = folder / self.place
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_bytes(data)


def smaller(header: list[str], row: list[str]) -> list[str]:
    """A row of calipers on every second pixel of its image."""
    points = ("start_row", "start_col", "end_row", "end_col")
    return [str(float(cell) / 2) if name in points and cell else cell for name, cell in zip(header, row, strict=True)]


def small(path: Path, above: Path) -> Small:
    """One image at half its size, of nobody."""
    dataset = pydicom.dcmread(path)
    pixels = np.ascontiguousarray(dataset.pixel_array[..., ::2, ::2] if dataset.SamplesPerPixel == 1 else gray(dataset))
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    for name in ("PlanarConfiguration", "PatientName"):
        if name in dataset:
            delattr(dataset, name)
    dataset.Rows, dataset.Columns = pixels.shape[-2:]
    dataset.PixelData = pixels.astype(np.uint8).tobytes()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    for region in dataset.get("SequenceOfUltrasoundRegions", ()):
        for name in ("RegionLocationMinX0", "RegionLocationMinY0", "RegionLocationMaxX1", "RegionLocationMaxY1"):
            setattr(region, name, int(getattr(region, name) // 2))
        region.PhysicalDeltaX, region.PhysicalDeltaY = 2 * region.PhysicalDeltaX, 2 * region.PhysicalDeltaY
    dataset.PatientID = dataset.ClinicalTrialSubjectID = NOBODY
    uids = []
    for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        setattr(dataset, name, generate_uid(entropy_srcs=[str(getattr(dataset, name))]))
        uids.append(str(getattr(dataset, name)).encode())
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    stream = BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return Small(path.relative_to(above), stream.getvalue(), tuple(uids))


def gray(dataset: pydicom.Dataset) -> np.ndarray:
    """The first component of a colour image at half its size; what the phantom draws is gray."""
    return np.asarray(dataset.pixel_array[..., ::2, ::2, 0])


def measured(trial: Path, out: Path, checkout: Path, *more: str) -> Cost:
    """One run, into a new folder."""
    given = [(name, trial / f"{name}.csv") for name in ("calipers", "subjects")]
    tables = [word for name, path in given if path.exists() for word in (f"--{name}", str(path))]
    cost = command(checkout, "run", str(trial), "-o", str(out), *tables, *more)
    return replace(cost, index_kb=(out / "report.html").stat().st_size / 1024)


def command(checkout: Path, *words: str) -> Cost:
    """One command of the program; it writes no index."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", RUN, *words], cwd=checkout, env=surroundings(checkout), stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 3):
        raise SystemExit(done.stderr)
    peak = int(done.stderr.rpartition("peak_kb ")[2].split()[0]) / 1024
    return Cost(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall, peak)


Way = tuple[str, Path, tuple[str, ...]]
"""A name, the checkout that runs, and its further options."""


@contextmanager
def cluster() -> Iterator[str]:
    """Two workers of one thread each."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, silence_logs=50
    ) as made:
        yield made.scheduler_address


def main() -> None:
    """Print a line for each number of children and each way."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--children", type=int, nargs="+", default=[36, 360, 3600])
    options.add_argument("--against", type=Path, help="a checkout of another version")
    options.add_argument("--without-dask", action="store_true")
    options.add_argument("--one-process", action="store_true", help="no other way of measuring")
    options.add_argument("--full-size", action="store_true", help="simulated children as they are")
    options.add_argument("--rounds", type=int, default=1)
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="growth-") as name:
        folder = Path(name)
        titles = ("children", "way", "CPU s", "wall s", "CPU ms each", "peak MB", "index kB", "load")
        print(("{:>8} {:<14}" + " {:>11}" * 6).format(*titles))
        for children in given.children:
            trial = full_trial(folder, children) if given.full_size else small_trial(folder, children)
            ways: list[Way] = [("one process", PROJECT, ("--jobs", "1"))]
            ways += [] if given.one_process else [("two processes", PROJECT, ("--jobs", "2"))]
            ways += [("other version", given.against.resolve(), ())] if given.against else []
            for way, cost in in_turn(trial, folder, ways, given.rounds):
                line(children, way, cost)
            first = folder / "one"
            line(children, "cohort", command(PROJECT, "cohort", str(first)))
            line(children, "export", command(PROJECT, "export", str(first), "--study", "S1"))
            if not given.one_process:
                check_same(folder / "two", first)
            if not (given.without_dask or given.one_process):
                with cluster() as address:
                    line(children, "Dask, two", measured(trial, folder / "dask", PROJECT, "--scheduler", address))
                check_same(folder / "dask", first)
            for path in (first, folder / "two", folder / "other", folder / "dask", trial):
                shutil.rmtree(path, ignore_errors=True)


def in_turn(trial: Path, folder: Path, ways: Sequence[Way], rounds: int) -> Iterator[tuple[str, Cost]]:
    """Medians of what each way of measuring takes, one run after the other in each round."""
    taken: dict[str, list[Cost]] = {way: [] for way, *_ in ways}
    for _ in range(rounds):
        for way, checkout, more in ways:
            out = folder / way.partition(" ")[0]
            shutil.rmtree(out, ignore_errors=True)
            taken[way].append(measured(trial, out, checkout, *more))
    for way, costs in taken.items():
        middle = [statistics.median(values) for values in zip(*map(astuple, costs), strict=True)]
        yield way, Cost(*middle)


def check_same(out: Path, first: Path) -> None:
    """Refuse tables that differ."""
    for table in TABLES:
        if (out / table).read_bytes() != (first / table).read_bytes():
            raise SystemExit(f"{table} differs between {first.name} and {out.name}")


def line(children: int, way: str, cost: Cost) -> None:
    """One line of the table. Workers of a cluster are none of the run's processes: their seconds are not counted."""
    each, load = 1000 * cost.cpu_s / children, os.getloadavg()[0]
    numbers = (cost.cpu_s, cost.wall_s, each, cost.peak_mb, cost.index_kb, load)
    print(f"{children:>8} {way:<14}" + "".join(f" {number:>11.1f}" for number in numbers), flush=True)


if __name__ == "__main__":
    main()
