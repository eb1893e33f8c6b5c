"""Finding and reading the headers of thousands of images, beside bare pydicom: ``python benchmarks/header_scan.py``.

``--files N`` (10,000) are copies of the images of ``--source`` (sample_dicoms), in folders of 500, each with a SOP
Instance UID of its own; their pixels are holes of the right size. ``load_studies`` finds, reads and sorts them.
``pydicom`` is ``dcmread(stop_before_pixels=True)`` on each: it converts no value. Processor seconds of the median of
``--rounds`` (5), each reader in a process of its own, in turn.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import pydicom
from as_a_user import surroundings

from lesion_measure.studies import load_studies

PROJECT = Path(__file__).resolve().parent.parent
PIXELS = b"\xe0\x7f\x10\x00"
KEPT = 4096
READERS = {
    "pydicom": """
import os, sys, time, warnings, pydicom
warnings.simplefilter("ignore")
begin = time.process_time()
for folder, _, files in os.walk(sys.argv[1]):
    for name in files:
        pydicom.dcmread(os.path.join(folder, name), stop_before_pixels=True)
print(time.process_time() - begin)
""",
    "load_studies": """
import sys, time
from lesion_measure.studies import load_studies
begin = time.process_time()
load_studies(sys.argv[1])
print(time.process_time() - begin)
""",
    "inspect": """
import sys, time
from pathlib import Path
from lesion_measure.config import Config
from lesion_measure.job.inventory import take_inventory
begin = time.process_time()
list(take_inventory(Path(sys.argv[1]), Config()).lines())
print(time.process_time() - begin)
""",
}


def copies(source: Path, folder: Path, count: int) -> None:
    """Copy the images of a folder again and again, each under a SOP Instance UID of the same length."""
    originals = [instance.location.file for instance in load_studies(source).instances]
    kept = []
    for file in originals:
        data = file.read_bytes()
        stated = str(pydicom.dcmread(file, stop_before_pixels=True, specific_tags=["SOPInstanceUID"]).SOPInstanceUID)
        kept.append((data[: data.rfind(PIXELS) + KEPT], len(data), stated.encode()))
    for number in range(count):
        head, size, stated = kept[number % len(kept)]
        new = b"2.25." + str(10 ** (len(stated) - 6) + number).encode()
        file = folder / f"{number // 500:03}" / f"{number:06}.dcm"
        file.parent.mkdir(exist_ok=True)
        with file.open("wb") as stream:
            stream.write(head.replace(stated, new))
            stream.truncate(size)


def seconds(reader: str, folder: Path) -> float:
    """Processor seconds of one reader over a folder, without those of its imports."""
    done = subprocess.run(
        [sys.executable, "-c", READERS[reader], str(folder)], env=surroundings(), capture_output=True, check=True
    )
    return float(done.stdout)


def main() -> None:
    """Make the files, read them in turn, print one line a reader."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--files", type=int, default=10_000)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--source", type=Path, default=PROJECT / "sample_dicoms")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        copies(chosen.source, folder, chosen.files)
        measured: dict[str, list[float]] = {reader: [] for reader in READERS}
        for _ in range(chosen.rounds):
            for reader, taken in measured.items():
                taken.append(seconds(reader, folder))
    bare = statistics.median(measured["pydicom"])
    for reader, taken in measured.items():
        median = statistics.median(taken)
        print(
            f"{reader}: {median:.2f} s, {1000 * median / chosen.files:.3f} ms a file, {median / bare:.2f} of pydicom's"
        )


if __name__ == "__main__":
    main()
