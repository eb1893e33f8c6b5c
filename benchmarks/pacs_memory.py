"""Memory of a long cine on its way to a PACS and back; run it where the PACS of a settings file is reached.

    python benchmarks/pacs_memory.py hospital.yaml [--frames 2000 --rows 480 --columns 640 --by dimse]

Prints the memory at the start (all packages loaded), the most while the cine was pushed, compared and pulled, and the
difference, in MB (VmHWM of /proc/self/status).
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import ExplicitVRLittleEndian, UltrasoundMultiFrameImageStorage, generate_uid

from lesion_measure.config.pacs import Node
from lesion_measure.pacs import dimse, web  # what a command loads before it begins
from lesion_measure.pacs.peer import spoken_to
from lesion_measure.pacs.pull import pull
from lesion_measure.pacs.push import push
from lesion_measure.pacs.query import parse

LOADED = (dimse, web)


def cine(path: Path, frames: int, rows: int, columns: int) -> str:
    """Write an uncompressed cine of 8-bit grays, frame by frame; returns its Study Instance UID."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = UltrasoundMultiFrameImageStorage
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = generate_uid(), generate_uid()
    dataset.PatientID, dataset.Modality, dataset.StudyDate = "CINE", "US", "20240105"
    dataset.Rows, dataset.Columns, dataset.NumberOfFrames, dataset.FrameTime = rows, columns, frames, "33"
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 8, 8, 7, 0
    dcmwrite(path, dataset, enforce_file_format=True)
    one = np.random.default_rng(0).integers(0, 256, (rows, columns), dtype=np.uint8)
    size = frames * rows * columns
    with path.open("ab") as file:
        file.write(b"\xe0\x7f\x10\x00OB\0\0" + (size + size % 2).to_bytes(4, "little"))
        for frame in range(frames):
            file.write(np.roll(one, frame).tobytes())
        file.write(bytes(size % 2))
    return str(dataset.StudyInstanceUID)


def most_mb() -> float:
    """The most memory that this process has had, in MB."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1000


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("settings", type=Path)
    parser.add_argument("--frames", type=int, default=2000)
    parser.add_argument("--rows", type=int, default=480)
    parser.add_argument("--columns", type=int, default=640)
    parser.add_argument("--by", choices=["dicomweb", "dimse"])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, spoken_to(Node.from_yaml(given.settings), given.by) as peer:
        path = Path(folder) / "cine.dcm"
        uid = cine(path, given.frames, given.rows, given.columns)
        peer.echo()
        begin, start = most_mb(), time.monotonic()
        done = push(peer, [path])
        assert (done.stored, done.refusals) == (1, []), done
        pulled = pull(peer, peer.find(parse(f"StudyInstanceUID={uid}")).studies, Path(folder) / "scans")
        assert (pulled.fetched, pulled.refusals) == (1, []), pulled
        seconds, most = time.monotonic() - start, most_mb()
        print(f"file {path.stat().st_size / 1e6:.0f} MB, {seconds:.0f} s")
        print(f"start {begin:.0f} MB, most {most:.0f} MB, more {most - begin:.0f} MB")


if __name__ == "__main__":
    main()
