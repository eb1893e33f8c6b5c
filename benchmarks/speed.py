"""Seconds of the commands a user waits for: ``python benchmarks/speed.py [--model models/NAME]``. Medians of five."""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from as_a_user import PROJECT, surroundings

from lesion_measure.calibration import calibrate
from lesion_measure.config import Segment
from lesion_measure.dicom.frames import FrameReader
from lesion_measure.measure import measure_mask
from lesion_measure.studies import load_studies

SAMPLES = PROJECT / "sample_dicoms"


def seconds(action: Callable[[], object], times: int = 5) -> float:
    """Median wall time, after one run that is not counted."""
    action()
    measured = []
    for _ in range(times):
        start = time.perf_counter()
        action()
        measured.append(time.perf_counter() - start)
    return statistics.median(measured)


def command(*words: object) -> Callable[[], object]:
    """A run of the command line; its exit code does not matter here."""
    line = [sys.executable, "-m", "lesion_measure", *map(str, words)]
    environment = surroundings(one_thread=False)
    return lambda: subprocess.run(line, env=environment, capture_output=True, check=False)


def main() -> None:
    """Print one line a measurement."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--model", type=Path, default=PROJECT / "models" / "liver_us_unet")
    model = options.parse_args().model
    calipers = SAMPLES / "calipers.csv"
    print(f"lesion-measure --help: {seconds(command('--help')):.2f} s")
    with tempfile.TemporaryDirectory() as folder:
        run = ("run", SAMPLES, "-o", Path(folder) / "out", "--overwrite", "--calipers", calipers)
        print(f"run on the samples by calipers alone: {seconds(command(*run)):.1f} s")
        print(f"run on the samples with the network: {seconds(command(*run, '--model', model), 3):.1f} s")
    instance = next(i for i in load_studies(SAMPLES).instances if i.frames == 1)
    region = calibrate(instance).region
    assert region is not None
    grid = np.hypot(*(np.mgrid[:600, :800] - np.array([300, 400])[:, None, None]) / np.array([60, 90])[:, None, None])
    soft = 1 / (1 + np.exp((grid - 1) * 40))
    print(f"measure_mask on 600 x 800: {1000 * seconds(lambda: measure_mask(soft, spacing_mm=(0.2, 0.2))):.1f} ms")

    from lesion_measure.network import Segmenter
    from lesion_measure.network.segment import segment_frame

    segmenter = Segmenter.from_bundle(model)
    with FrameReader(instance) as reader:
        frame = reader.luminance(1)
    one = seconds(lambda: segment_frame(segmenter, frame, region, Segment()))
    print(f"network on one frame of {instance.rows} x {instance.columns}, flips averaged: {1000 * one:.0f} ms")


if __name__ == "__main__":
    main()
