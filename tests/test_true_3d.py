"""True 3D data from the DICOM file to the child's lesion: synthetic Enhanced US Volumes that hold an ellipsoid."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from scipy.spatial.transform import Rotation

import make
from lesion_measure.config import Config, Limits
from lesion_measure.dicom.open_image import OpenImage
from lesion_measure.image import automatic
from lesion_measure.image.outlines import Outlines
from lesion_measure.image.read import read_image
from lesion_measure.image.shown import ShownFrames
from lesion_measure.image.task import ImageReading, Task
from lesion_measure.job import folder
from lesion_measure.lesions.assembly import assemble
from lesion_measure.lesions.naming import VisitReadings
from lesion_measure.records import (
    BASELINE,
    Axis,
    Caliper,
    ImageLabel,
    Instance,
    LesionMask,
    Plane,
    Source,
    VolumeMethod,
)
from lesion_measure.studies import load_studies

ENHANCED_VOLUME = "1.2.840.10008.5.1.4.1.1.6.2"
US_MULTI_FRAME = "1.2.840.10008.5.1.4.1.1.3.1"
SPACING, SLICE = (0.4, 0.5), 0.8
FRAMES, ROWS, COLUMNS = 40, 80, 72
AXES = (24.0, 16.0, 12.0)


def coverage(turn: Rotation, centre_mm: tuple[float, float, float]) -> NDArray[np.uint8]:
    """(frame, row, column) share of each pixel that an ellipsoid of `AXES` covers on its slice, 0..255."""
    samples = 4
    sub = (np.arange(samples) + 0.5) / samples - 0.5
    rows = (np.arange(ROWS)[:, None] + sub).ravel() * SPACING[0] - centre_mm[1]
    cols = (np.arange(COLUMNS)[:, None] + sub).ravel() * SPACING[1] - centre_mm[2]
    body = turn.as_matrix() @ np.diag([4 / axis**2 for axis in AXES]) @ turn.as_matrix().T
    frames = []
    for frame in range(FRAMES):
        place = np.stack(np.broadcast_arrays(frame * SLICE - centre_mm[0], rows[:, None], cols[None]), axis=-1)
        inside = np.einsum("...i,ij,...j", place, body, place) <= 1
        frames.append(inside.reshape(ROWS, samples, COLUMNS, samples).mean(axis=(1, 3)))
    return np.round(255 * np.stack(frames)).astype(np.uint8)


MIDDLE = (FRAMES * SLICE / 2 + 0.13, ROWS * SPACING[0] / 2, COLUMNS * SPACING[1] / 2)
TURN = Rotation.from_euler("xyz", (25, 40, 10), degrees=True)


def write(
    folder: Path,
    pixels: NDArray[np.uint8],
    *,
    storage_class: str = ENHANCED_VOLUME,
    positions: list[float] | None = None,
    patient: bool = False,
) -> Instance:
    """An image of parallel slices with its geometry in the functional groups, and its record by `load_studies`."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = storage_class
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = generate_uid(), generate_uid()
    dataset.PatientID, dataset.Modality, dataset.StudyDate = "S1", "US", "20240101"
    dataset.Rows, dataset.Columns, dataset.NumberOfFrames = pixels.shape[1], pixels.shape[2], len(pixels)
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 8, 8, 7, 0
    kind, suffix = ("", "Patient") if patient else ("Volume", "Volume")
    measures, turned, shared = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing = list(SPACING)
    setattr(turned, f"ImageOrientation{suffix}", [1, 0, 0, 0, 1, 0])
    shared.PixelMeasuresSequence = [measures]
    setattr(shared, f"PlaneOrientation{kind}Sequence", [turned])
    dataset.SharedFunctionalGroupsSequence = [shared]
    groups = []
    for place in positions or [SLICE * frame for frame in range(len(pixels))]:
        position, group = Dataset(), Dataset()
        setattr(position, f"ImagePosition{suffix}", [0, 0, place])
        setattr(group, f"PlanePosition{kind}Sequence", [position])
        groups.append(group)
    dataset.PerFrameFunctionalGroupsSequence = groups
    dataset.PixelData = pixels.tobytes()
    folder.mkdir(exist_ok=True)
    dcmwrite(folder / "volume.dcm", dataset, enforce_file_format=True)
    (instance,) = load_studies(folder).instances
    return instance


class Coverage:
    """Stands for the network: what a pixel's brightness says of the share of it that is lesion."""

    name, sha256, backend, threshold, settings = "net", "0" * 64, "none", 0.6, Config().segment


@pytest.fixture
def look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    out = tmp_path / "out"
    folder.prepare(out)
    outlines, shown = Outlines(out), ShownFrames(Limits())

    def outline(image: OpenImage, frames: list[int], *_: object) -> Iterator[tuple[int, list[LesionMask]]]:
        for frame in frames:
            share = image.frame(frame).luminance().astype(np.float32) / 255
            yield frame, [mask(share)] if share.max() > 0.5 else []

    monkeypatch.setattr(automatic, "outline", outline)

    def read(instance: Instance, calipers: tuple[Caliper, ...] = (), *, network: bool = True) -> ImageReading:
        task = Task(
            instance=instance, subject="S1", visit=BASELINE, label=ImageLabel(Plane.TRANSVERSE, "L1"),
            calipers=calipers,
        )  # fmt: skip
        return read_image(task, Coverage() if network else None, Config(), outlines, shown)  # type: ignore[arg-type]

    return read


def mask(share: NDArray[np.float32]) -> LesionMask:
    where = np.argwhere(share > 0)
    (r0, c0), (r1, c1) = where.min(0), where.max(0) + 1
    edge = np.array([(r0, c0), (r0, c1 - 1), (r1 - 1, c1 - 1), (r1 - 1, c0), (r0, c0)], dtype=float)
    return LesionMask(
        probability=share[r0:r1, c0:c1], origin=(int(r0), int(c0)), outline_px=edge, confidence=0.9, accepted=True
    )


@pytest.mark.parametrize(
    ("storage_class", "patient"), [(ENHANCED_VOLUME, False), (ENHANCED_VOLUME, True), (US_MULTI_FRAME, True)]
)
def test_an_ellipsoid_from_file_to_body(tmp_path: Path, look, storage_class: str, patient: bool) -> None:  # type: ignore[no-untyped-def]
    instance = write(tmp_path / "in", coverage(TURN, MIDDLE), storage_class=storage_class, patient=patient)
    assert instance.slice_spacing_mm == pytest.approx(SLICE)
    (plane,) = look(instance).model
    body = plane.body
    assert body is not None
    assert plane.volume_ml is body.volume_ml
    assert body.volume_ml.value == pytest.approx(math.pi / 6 * math.prod(AXES) / 1000, rel=0.01)
    for axis, true in zip(body.axes_mm, AXES, strict=True):
        assert axis.value == pytest.approx(true, rel=0.02)
        assert axis.ci95[0] < true < axis.ci95[1]
    ends = np.diff(body.longest_px, axis=0)[0] * (SLICE, *SPACING)
    along = np.abs(ends @ TURN.as_matrix()[:, 0]) / np.linalg.norm(ends)
    assert along > math.cos(math.radians(8))  # the greatest diameter lies along the long axis
    middle = np.mean(body.longest_px, axis=0) - (1, 0, 0)  # frames are counted from 1
    assert middle * (SLICE, *SPACING) == pytest.approx(MIDDLE, abs=SLICE)


def test_the_lesion_of_a_visit_takes_the_voxels_and_keeps_its_planes(tmp_path: Path, look) -> None:  # type: ignore[no-untyped-def]
    (plane,) = look(write(tmp_path / "in", coverage(TURN, MIDDLE))).model
    (lesion,), _ = assemble("S1", {BASELINE: VisitReadings(model=[replace(plane, lesion="L1")])}, Config())
    assert lesion.volume_method is VolumeMethod.VOXELS
    assert lesion.body is plane.body
    assert {e.method for e in lesion.other_volumes} == {VolumeMethod.ROTATION, VolumeMethod.AREA_LENGTH}


@pytest.mark.parametrize(
    ("centre", "words"),
    [
        ((4.0, MIDDLE[1], MIDDLE[2]), "first or last slice"),
        ((FRAMES * SLICE - 4, MIDDLE[1], MIDDLE[2]), "first or last slice"),
        ((MIDDLE[0], 4.0, MIDDLE[2]), "edge of the image region"),
    ],
)
def test_a_lesion_that_the_volume_cuts_off_has_no_3d_size(tmp_path: Path, look, centre, words: str) -> None:  # type: ignore[no-untyped-def]
    (plane,) = look(write(tmp_path / "in", coverage(Rotation.identity(), centre))).model
    assert plane.body is None
    assert plane.volume_ml is None
    assert any("no 3D size" in w and words in w for w in plane.warnings)
    assert plane.long_axis_mm.value > 0


@pytest.mark.parametrize(
    ("positions", "words"),
    [
        ([SLICE * f + 0.3 * (f > 20) for f in range(FRAMES)], "unevenly spaced, 0.8 to 1.1 mm"),
        ([SLICE * (f % 20) for f in range(FRAMES)], "do not follow one another"),
        ([SLICE * f for f in range(FRAMES - 3)], "37 of 40 frames state where they lie"),
    ],
)
def test_slices_of_unknown_geometry_have_no_3d_size_and_say_why(  # type: ignore[no-untyped-def]
    tmp_path: Path, look, positions: list[float], words: str
) -> None:
    instance = write(tmp_path / "in", coverage(TURN, MIDDLE), positions=positions)
    assert instance.slice_spacing_mm is None
    (plane,) = look(instance).model
    assert (plane.body, plane.volume_ml) == (None, None)
    assert any(words in w and "no 3D size" in w for w in plane.warnings)


def test_a_caliper_on_one_slice_is_measured_there(tmp_path: Path, look) -> None:  # type: ignore[no-untyped-def]
    instance = write(tmp_path / "in", coverage(Rotation.identity(), MIDDLE))
    drawn = make.caliper(Axis.LONG, frame=20, start=(20.0, 36.0), end=(60.0, 36.0))
    (caliper,) = look(instance, (drawn,), network=False).caliper
    assert caliper.long_axis_mm.value == pytest.approx(40 * SPACING[0])
    assert (caliper.source, caliper.frame, caliper.body) == (Source.CALIPER, 20, None)
    beyond = look(instance, (replace(drawn, frame=41),), network=False)
    assert [d.refusal.code for d in beyond.doubts] == ["no_such_frame"]
