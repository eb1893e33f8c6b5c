"""Each image of a run is opened once and each frame that is needed is decoded once; what nobody needs never is."""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.uid import UltrasoundMultiFrameImageStorage

from dicom_writing import instance_of
from drawn_network import DrawnNetwork, replace_network
from lesion_measure.config import Limits
from lesion_measure.dicom import open_image
from lesion_measure.dicom.frames import Frame, FrameReader
from lesion_measure.dicom.open_image import OpenImage
from lesion_measure.errors import PixelError
from lesion_measure.image import shown as shown_frames
from lesion_measure.image.shown import ShownFrames
from lesion_measure.job.request import RunRequest
from lesion_measure.pipeline import run
from lesion_measure.records import Instance

CINE = "SIM-05/baseline/L1_transverse.dcm"
CINE_FRAMES = {1, 7, 12, 18, 24}
"""Frames of a cine of 24 that tell its insonated area; the reader's caliper stands on the one in the middle."""
SAID_TO_BE_ABSENT = {f"SIM-04/one_month/L2_{plane}.dcm" for plane in ("sagittal", "transverse")}
"""Images on which nothing is drawn and nothing is shown."""

Counts = tuple[Counter[str], Counter[tuple[str, int]]]


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Counts:
    """How often each file was opened for its pixels, and each frame of it decoded."""
    opened: Counter[str] = Counter()
    decoded: Counter[tuple[str, int]] = Counter()

    class Counting(FrameReader):
        def __init__(self, instance: Instance, limits: Limits | None = None) -> None:
            opened[instance.path] += 1
            self.name = instance.path
            super().__init__(instance, limits)

        def decoded(self, frame: int) -> Frame:
            decoded[self.name, frame] += 1
            return super().decoded(frame)

    monkeypatch.setattr(open_image, "FrameReader", Counting)
    return opened, decoded


@pytest.mark.parametrize("with_network", [False, True])
def test_a_run_of_the_samples_decodes_each_frame_once(
    project_dir: Path, tmp_path: Path, counts: Counts, monkeypatch: pytest.MonkeyPatch, with_network: bool
) -> None:
    network = DrawnNetwork(lambda line: None) if with_network else None
    replace_network(monkeypatch, network)
    folder = project_dir / "sample_dicoms"
    result = run(RunRequest(input=folder, out=tmp_path / "out", calipers=folder / "calipers.csv"))
    opened, decoded = counts
    needed = {image.path for image in result.instances} - (set() if with_network else SAID_TO_BE_ABSENT)
    assert set(opened) == needed
    assert set(opened.values()) == {1}
    assert {frame for path, frame in decoded if path == CINE} == CINE_FRAMES
    assert set(decoded.values()) == {1}
    report = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "cannot be shown" not in report


@pytest.fixture
def cine(project_dir: Path, tmp_path: Path) -> Instance:
    """A cine of 40 frames, the n-th of which is grey n."""
    sample = pydicom.dcmread(project_dir / "sample_dicoms" / "SIM-01/baseline/L1_transverse.dcm")
    frames = np.repeat(np.arange(1, 41, dtype=np.uint8), sample.Rows * sample.Columns)
    sample.NumberOfFrames, sample.PixelData = 40, frames.tobytes()
    sample.SOPClassUID = sample.file_meta.MediaStorageSOPClassUID = UltrasoundMultiFrameImageStorage
    sample.save_as(tmp_path / "cine.dcm")
    return instance_of(tmp_path / "cine.dcm")


@pytest.fixture
def image(cine: Instance) -> Iterator[OpenImage]:
    with OpenImage(cine, Limits(), kept_bytes=3 * cine.rows * cine.columns) as image:
        yield image


def test_memory_holds_a_few_frames_of_a_cine(image: OpenImage, counts: Counts) -> None:
    assert not counts[0]
    for frame in range(1, 41):
        assert image.frame(frame).luminance().max() == image.frame(frame).display().max() == frame
    assert [frame for frame in range(1, 41) if image.holds(frame)] == [38, 39, 40]
    image.frame(38).luminance()
    image.frame(1).luminance()
    assert [frame for frame in range(1, 41) if image.holds(frame)] == [1, 38, 40]
    assert set(counts[1].values()) == {1, 2}


def test_what_cannot_be_decoded_is_tried_once(image: OpenImage, counts: Counts) -> None:
    for _ in range(2):
        with pytest.raises(PixelError, match="no frame 41"):
            image.frame(41).luminance()
    assert set(counts[1].values()) == {1}
    assert not image.holds(41)


def test_what_cannot_be_opened_is_tried_once(cine: Instance, counts: Counts) -> None:
    cine.location.file.write_bytes(b"something else")
    with OpenImage(cine, Limits()) as image:
        for frame in (1, 2):
            with pytest.raises(PixelError):
                image.frame(frame).display()
    assert set(counts[0].values()) == {1}


@pytest.mark.parametrize("in_memory", [1, shown_frames.IN_MEMORY_BYTES])
def test_a_frame_that_was_decoded_is_kept_for_the_report(
    image: OpenImage, counts: Counts, monkeypatch: pytest.MonkeyPatch, in_memory: int
) -> None:
    monkeypatch.setattr(shown_frames, "IN_MEMORY_BYTES", in_memory)
    cine = image.instance
    with ShownFrames(Limits()) as shown:
        image.frame(7).luminance()
        shown.keep(image, [7, 8])
        assert (shown.display(cine, 7) == 7).all()
        assert set(counts[1]) == {(cine.path, 7)}
        for _ in range(2):
            assert shown.display(cine, 8).shape == (cine.rows, cine.columns, 3)
        assert shown.display(cine, 8).max() == 8
    assert set(counts[1].values()) == {1}


def test_frames_for_which_there_is_no_room_are_decoded_when_they_are_shown(image: OpenImage, counts: Counts) -> None:
    cine = image.instance
    with ShownFrames(Limits(), most_bytes=cine.rows * cine.columns) as shown:
        image.frame(1).display()
        image.frame(2).display()
        shown.keep(image, [1, 2])
        assert (shown.display(cine, 1) == 1).all()
        assert (shown.display(cine, 2) == 2).all()
    assert counts[1] == {(cine.path, 1): 1, (cine.path, 2): 2}


def test_without_temporary_space_every_frame_is_decoded_when_it_is_shown(
    image: OpenImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fills up takes those frames with it that were kept on it before."""

    def full() -> None:
        raise OSError(errno.ENOSPC, "no space left on device")

    cine = image.instance
    monkeypatch.setattr(shown_frames, "IN_MEMORY_BYTES", 0)
    with ShownFrames(Limits()) as shown:
        shown.keep(image, [1] if image.frame(1).display().any() else [])
        monkeypatch.setattr(shown._file, "flush", full)
        image.frame(2).display()
        shown.keep(image, [2])
        assert shown._file is None
        assert (shown.display(cine, 1) == 1).all()
        assert (shown.display(cine, 2) == 2).all()


def test_colours_are_kept_as_they_are(project_dir: Path) -> None:
    palette = instance_of(project_dir / "sample_dicoms" / "SIM-05/baseline/L1_sagittal.dcm")
    with OpenImage(palette, Limits()) as image, ShownFrames(Limits()) as shown:
        frame = image.frame(1).display()
        shown.keep(image, [1])
        np.testing.assert_array_equal(shown.display(palette, 1), frame)


def test_kept_frames_cannot_be_written_to(image: OpenImage) -> None:
    with ShownFrames(Limits()) as shown:
        image.frame(3).display()
        shown.keep(image, [3])
        with pytest.raises(ValueError, match="read-only"):
            shown.display(image.instance, 3)[0, 0] = 1


def test_nor_can_one_in_colour_that_is_kept_as_it_is_shown(project_dir: Path) -> None:
    colour = instance_of(project_dir / "sample_dicoms" / "SIM-02/baseline/L1_sagittal.dcm")
    with ShownFrames(Limits()) as shown:
        first = shown.display(colour, 1)
        assert first.ndim == 3
        with pytest.raises(ValueError, match="read-only"):
            first[0, 0] = 1
