"""Scans and readings for the benchmarks of the reading room: children of two visits, two cines each.

All are copies of one simulated cine under new UIDs.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.pixels import pixel_array
from pydicom.pixels.encoders import RLELosslessEncoder
from pydicom.uid import ExplicitVRLittleEndian, JPEGBaseline8Bit, RLELossless, generate_uid

from lesion_measure.job import folder
from lesion_measure.review.ids import Ids
from lesion_measure.review.messages import Draft, Kind, Role
from lesion_measure.review.store import Store, beside

SAMPLE = Path(__file__).resolve().parent.parent / "sample_dicoms" / "SIM-05" / "baseline" / "L1_transverse.dcm"
FRAMES, VISITS = 25, ("baseline", "one_month")
UNLIKE = 5
"""Frames of a cine that differ; they come again and again."""
LARGE, SMALL = (768, 1024), (480, 640)
Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Stored:
    """How the frames of a cine are stored."""

    colour: bool
    syntax: str
    quality: int = 88


JPEG_COLOUR, JPEG_SMALL = Stored(True, JPEGBaseline8Bit), Stored(True, JPEGBaseline8Bit, 40)
KINDS = (JPEG_COLOUR, Stored(True, RLELossless), Stored(False, RLELossless), Stored(False, ExplicitVRLittleEndian))
"""Those of a child that is browsed."""


def pictures(size: tuple[int, int]) -> list[Pixels]:
    """Frames (rows, columns, 3) in the colours of a screen, that differ a little."""
    frames = pixel_array(SAMPLE)[:UNLIKE]  # which turns their colours into RGB
    return [np.asarray(Image.fromarray(frame).resize(size[::-1], Image.Resampling.BICUBIC)) for frame in frames]


def template(size: tuple[int, int], kind: Stored) -> pydicom.Dataset:
    """One cine in this kind, whose UIDs and names are to be replaced."""
    dataset = pydicom.dcmread(SAMPLE)
    shapes = pictures(size) if kind.colour else [frame[..., 1].copy() for frame in pictures(size)]
    dataset.NumberOfFrames = FRAMES
    dataset.Rows, dataset.Columns = size
    dataset.SamplesPerPixel = 3 if kind.colour else 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    if kind.colour:
        dataset.PlanarConfiguration = 0
        dataset.PhotometricInterpretation = "YBR_FULL_422" if kind.syntax == JPEGBaseline8Bit else "RGB"
    else:
        del dataset.PlanarConfiguration
    region, factor = dataset.SequenceOfUltrasoundRegions[0], size[0] / SMALL[0]
    for name in ("MinX0", "MinY0", "MaxX1", "MaxY1"):
        setattr(region, f"RegionLocation{name}", int(getattr(region, f"RegionLocation{name}") * factor))
    region.PhysicalDeltaX, region.PhysicalDeltaY = region.PhysicalDeltaX / factor, region.PhysicalDeltaY / factor
    dataset.file_meta.TransferSyntaxUID = kind.syntax
    stored = [_stored(frame, dataset, kind) for frame in shapes]
    whole = [stored[number % UNLIKE] for number in range(FRAMES)]
    packed = kind.syntax != ExplicitVRLittleEndian
    dataset.PixelData = encapsulate(whole) if packed else b"".join(whole)
    dataset["PixelData"].is_undefined_length = packed
    dataset["PixelData"].VR = "OB"
    return dataset


def _stored(frame: Pixels, dataset: pydicom.Dataset, kind: Stored) -> bytes:
    if kind.syntax == JPEGBaseline8Bit:
        buffer = io.BytesIO()
        Image.fromarray(frame).save(buffer, "jpeg", quality=kind.quality, subsampling="4:2:2")
        return buffer.getvalue() + b"\0" * (buffer.tell() % 2)
    if kind.syntax == RLELossless:
        return RLELosslessEncoder.encode(frame, encoding_plugin="pydicom", **_described(dataset))
    return frame.tobytes()


def _described(dataset: pydicom.Dataset) -> dict[str, Any]:
    planar = {"planar_configuration": 0} if dataset.SamplesPerPixel > 1 else {}
    return planar | {
        "rows": dataset.Rows,
        "columns": dataset.Columns,
        "samples_per_pixel": dataset.SamplesPerPixel,
        "number_of_frames": 1,
        "bits_allocated": 8,
        "bits_stored": 8,
        "pixel_representation": 0,
        "photometric_interpretation": dataset.PhotometricInterpretation,
    }


def write_children(folder: Path, children: int, browsed: int) -> None:
    """Children of two visits with two cines each, the first ``browsed`` of them large."""
    large = [template(LARGE, kind) for kind in KINDS]
    small = [template(SMALL, JPEG_SMALL)] * len(KINDS)
    for child in range(children):
        subject = f"C{child + 1:03d}"
        for number, dataset in enumerate(large if child < browsed else small):
            visit = VISITS[number // 2]
            dataset.PatientID = dataset.ClinicalTrialSubjectID = subject
            dataset.PatientName = f"Simulated^{subject}"
            dataset.ClinicalTrialTimePointID = visit
            dataset.StudyDate = "20240105" if visit == VISITS[0] else "20240205"
            dataset.StudyInstanceUID = generate_uid(entropy_srcs=[subject, visit])
            dataset.SeriesInstanceUID = generate_uid(entropy_srcs=[subject, str(number), "series"])
            uid = image_uid(subject, number)
            dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = uid
            path = folder / subject / f"{number}.dcm"
            path.parent.mkdir(exist_ok=True)
            dataset.save_as(path, enforce_file_format=True)


def image_uid(subject: str, number: int) -> str:
    """The SOP Instance UID of a child's cine, counted from 0."""
    return str(generate_uid(entropy_srcs=[subject, str(number), "image"]))


def sign_outlines(out: Path, children: int, points: int = 300) -> int:
    """Two readers have outlined one lesion on every cine of every child, and signed; how many outlines that are.

    The readers differ by two pixels in the radius, so that no child is in disagreement.
    """
    angles, count = np.linspace(0, 2 * np.pi, points, endpoint=False), 0
    folder.adopt(out)
    with Store(beside(out)) as store:
        ids = Ids(store.secret(), "kept")
        for child in range(children):
            subject = f"C{child + 1:03d}"
            for radius, reader in enumerate(("reader-1", "reader-2"), start=40):
                contour = tuple((240 + radius * np.sin(a), 320 + 50 * np.cos(a)) for a in angles)
                versions = {}
                for number in range(len(KINDS)):
                    uid = image_uid(subject, number)
                    draft = Draft(image=ids.of("image", uid), frame=1, lesion="L1", kind=Kind.OUTLINE, contour=contour)
                    versions[store.add(subject, VISITS[number // 2], uid, draft, reader).id] = 1
                store.sign(subject, reader, Role.READER, versions, "mine")
                count += len(versions)
    return count
