"""Burnt-in calipers from the screen to the measurement: how many a run takes, and how many of these are wrong.

``python benchmarks/accepted_values.py [--first SEED] [--screens N]``: simulated screens of eight looks become DICOM
images whose region states the true scale, each of its own child, and are measured with ``calipers.burnt_in: true``.
A caliper that was taken is right where its ends are within 3 px of a true one's and the value is that printed for it,
or none where two printed values agree with it.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, UltrasoundImageStorage

from lesion_measure.config import Config
from lesion_measure.job.request import RunRequest
from lesion_measure.lab.screens import SimulatedScreen, TrueCaliper, simulate_screen
from lesion_measure.pipeline import run
from lesion_measure.stats.proportions import clopper_pearson

NEAR_PX = 3.0
SETTINGS = {"calipers": {"burnt_in": True}, "segment": {"policy": "calipers_only"}}


def write(screen: SimulatedScreen, number: int, path: Path) -> None:
    """A screen as the image of one child."""
    top, left, bottom, right = screen.box
    region, file = Dataset(), Dataset()
    region.RegionSpatialFormat, region.RegionDataType, region.RegionFlags = 1, 1, 0
    region.RegionLocationMinX0, region.RegionLocationMinY0 = left, top
    region.RegionLocationMaxX1, region.RegionLocationMaxY1 = right, bottom
    region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = 3
    region.PhysicalDeltaX = region.PhysicalDeltaY = screen.spacing_mm / 10
    file.file_meta = FileMetaDataset()
    file.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file.SOPClassUID, file.Modality, file.StudyDate = UltrasoundImageStorage, "US", "20240131"
    file.PatientID = f"S{number}"
    file.StudyInstanceUID = f"1.2.826.0.1.3680043.8.498.91.{number}"
    file.SeriesInstanceUID, file.SOPInstanceUID = f"{file.StudyInstanceUID}.1", f"{file.StudyInstanceUID}.1.1"
    file.Rows, file.Columns, file.SamplesPerPixel = *screen.pixels.shape[:2], 3
    file.PhotometricInterpretation, file.PlanarConfiguration = "RGB", 0
    file.BitsAllocated, file.BitsStored, file.HighBit, file.PixelRepresentation = 8, 8, 7, 0
    file.SequenceOfUltrasoundRegions = [region]
    file.PixelData = screen.pixels.tobytes() + b"\0" * (screen.pixels.size % 2)
    file.save_as(path, enforce_file_format=True)


def true_of(row: dict[str, str], screen: SimulatedScreen) -> TrueCaliper | None:
    """The true caliper that a row of the caliper table stands on."""
    ends = np.array([[float(row[f"{end}_{way}"]) for way in ("row", "col")] for end in ("start", "end")])
    for true in screen.calipers:
        for order in (true.points, true.points[::-1]):
            if np.hypot(*(ends - np.array(order)).T).max() <= NEAR_PX:
                return true
    return None


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=970_000)
    parser.add_argument("--screens", type=int, default=100)
    options = parser.parse_args()
    screens = [simulate_screen(seed) for seed in range(options.first, options.first + options.screens)]
    with tempfile.TemporaryDirectory() as name:
        source, out = Path(name) / "in", Path(name) / "out"
        source.mkdir()
        for number, screen in enumerate(screens):
            write(screen, number, source / f"{number}.dcm")
        run(RunRequest(input=source, out=out, config=Config.model_validate(SETTINGS)))
        with (out / "calipers.csv").open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        with (out / "refusals.csv").open(encoding="utf-8", newline="") as stream:
            refused = Counter(row["code"] for row in csv.DictReader(stream))
    drawn = sum(len(screen.calipers) for screen in screens)
    wrong, errors, by_look = [], [], Counter(screen.look for screen in screens for _ in screen.calipers)
    taken: Counter[str] = Counter()
    untold = 0
    for row in rows:
        screen = screens[int(row["subject"][1:])]
        true = true_of(row, screen)
        taken[screen.look] += 1
        if true is not None and not row["stated_mm"]:
            untold += 1
        elif true is None or abs(true.printed_mm - float(row["stated_mm"] or "nan")) > 1e-6:
            wrong.append((screen.look, row["subject"], row["stated"], row["length_mm"], true and true.printed))
        else:
            errors.append(abs(float(row["length_mm"]) - true.printed_mm))
    most = clopper_pearson(len(wrong), max(len(rows), 1))
    print(f"{len(screens)} screens, {drawn} calipers drawn; {len(rows)} taken ({100 * len(rows) / drawn:.1f} %)")
    print(f"{untold} of them without a number: two printed ones agree with each")
    print(f"{len(wrong)} of {len(rows)} taken are wrong (95 % up to {100 * (most.high or 0):.2f} %): {wrong}")
    if errors:
        print(f"length less the printed value: median {np.median(errors):.2f} mm, largest {max(errors):.2f} mm")
    print("taken by look: " + ", ".join(f"{look} {taken[look]}/{by_look[look]}" for look in sorted(by_look)))
    print(f"refused: {dict(refused)}")


if __name__ == "__main__":
    main()
