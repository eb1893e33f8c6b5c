"""Presentation states against other programs: highdicom writes them, dcmtk reads and shows them."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.uid import generate_uid

from dicom_writing import write
from lesion_measure.config import Limits
from lesion_measure.dicom.headers import read_header
from lesion_measure.dicom.objects.presentation import read_presentation_state
from lesion_measure.errors import InputError
from presentation_states import annotation, compound, graphic, item, said, state

ROWS, COLUMNS = 50, 100
_TAGS = (
    "SOPClassUID", "SOPInstanceUID", "Modality", "GraphicAnnotationSequence", "ReferencedSeriesSequence",
    "DisplayedAreaSelectionSequence", "GraphicLayerSequence", "GraphicGroupSequence", "ImageRotation",
    "ImageHorizontalFlip", "ContentCreatorName", "BlendingSequence",
)  # fmt: skip


def written(folder: Path, lit: tuple[int, int], points: list[list[float]], units: str = "PIXEL") -> Path:
    """An image with one bright pixel, and a presentation state of highdicom's with one line."""
    known: dict[str, Any] = {
        "PatientID": "P1", "PatientName": "Doe^Jane", "PatientBirthDate": "", "PatientSex": "", "StudyDate": "20240101",
        "StudyTime": "", "AccessionNumber": "", "ReferringPhysicianName": "", "StudyID": "", "Modality": "US",
        "SeriesNumber": 1, "InstanceNumber": 1, "Manufacturer": "M", "StudyInstanceUID": generate_uid(),
        "SeriesInstanceUID": generate_uid(), "PatientOrientation": "",
    }  # fmt: skip
    pixels = np.full((ROWS, COLUMNS), 20, np.uint8)
    pixels[lit] = 255
    write(folder, pixels.tobytes(), pixels.shape, **known)
    source = dcmread(folder / "image.dcm")
    layer = hd.pr.GraphicLayer("LAYER1", order=1)
    line = hd.pr.GraphicObject("POLYLINE", np.array(points), units, tracking_id="L1", tracking_uid="1.2.77")
    text = hd.pr.TextObject("D 23.1 mm", "PIXEL", anchor_point=(62.0, 30.0))
    marks = hd.pr.GraphicAnnotation([source], layer, graphic_objects=[line], text_objects=[text])
    made = hd.pr.GrayscaleSoftcopyPresentationState(
        [source], generate_uid(), 1, generate_uid(), 1, "maker", "model", "1", "serial", "LABEL",
        graphic_annotations=[marks], graphic_layers=[layer], content_creator_name="Reader^One",
    )  # fmt: skip
    made.save_as(folder / "pr.dcm")
    return folder / "pr.dcm"


def test_a_state_of_highdicom_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, (5, 20), [[10.5, 10.5], [60.5, 30.5]])
    found = read_presentation_state(dcmread(path), "pr.dcm")
    (drawing,) = found.drawn
    assert drawing.points == ((10, 10), (30, 60))
    assert (drawing.lesion, drawing.reader, drawing.origin.stated_mm) == ("L1", "Reader One", 23.1)
    assert (drawing.origin.tracking_identifier, drawing.origin.tracking_uid) == ("L1", "1.2.77")
    assert not found.refusals


@pytest.fixture
def dcmp2pgm() -> str:
    found = shutil.which("dcmp2pgm")
    if found is None:
        pytest.skip("dcmtk (dcmp2pgm) is not installed")
    return found


def shown(program: str, path: Path) -> tuple[NDArray[np.uint8], str]:
    """The image as dcmtk shows it with the state, and what it says of the state."""
    out = path.parent / "shown.pgm"
    said = subprocess.run(
        [program, "-v", "-p", str(path), str(path.parent / "image.dcm"), str(out)],
        capture_output=True,
        text=True,
        check=True,
    )
    data = out.read_bytes()
    head = re.match(rb"P5\s+(?:#[^\n]*\n)?(\d+)\s+(\d+)\s+\d+\s", data)
    assert head is not None
    return np.frombuffer(data[head.end() :], np.uint8).reshape(int(head[2]), int(head[1])), said.stderr + said.stdout


def test_dcmtk_finds_the_same_line(tmp_path: Path, dcmp2pgm: str) -> None:
    _, told = shown(dcmp2pgm, written(tmp_path, (5, 20), [[10.5, 10.5], [60.5, 30.5]]))
    assert "graphic 1: points=2 type=polyline filled=no units=pixel" in told
    assert "10.5\\10.5, 60.5\\30.5" in told


@pytest.mark.parametrize("flip", ["N", "Y"])
@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_a_fraction_of_what_dcmtk_shows_is_the_pixel_there(tmp_path: Path, dcmp2pgm: str, turn: int, flip: str) -> None:
    """A bright pixel, found again in the turned and mirrored picture, is told by DISPLAY units as itself."""
    lit = (5, 20)
    path = written(tmp_path, lit, [[0.0, 0.0], [1.0, 1.0]], "DISPLAY")
    dataset = dcmread(path)
    dataset.ImageRotation, dataset.ImageHorizontalFlip = turn, flip
    dataset.save_as(path)
    picture, _ = shown(dcmp2pgm, path)
    ((row, column),) = np.argwhere(picture == picture.max())
    line = dataset.GraphicAnnotationSequence[0].GraphicObjectSequence[0]
    middle = [(column + 0.5) / picture.shape[1], (row + 0.5) / picture.shape[0]]
    line.GraphicData = [*middle, 0.5, 0.5]
    (drawing,) = read_presentation_state(dataset, "pr.dcm").drawn
    assert drawing.points[0] == pytest.approx(lit, abs=1e-4)


def test_mutations_give_drawings_or_refusals_and_nothing_else() -> None:
    """Bytes of a state of every kind of graphic, changed or cut, read as a run reads them."""
    angles = np.linspace(0, 2 * np.pi, 9)
    ring = np.stack([50 + 20 * np.cos(angles), 25 + 20 * np.sin(angles)], axis=1).ravel().tolist()
    made = state(
        annotation(
            graphic("POLYLINE", 10, 10, 60, 30, GraphicGroupID=1),
            graphic("ELLIPSE", 10, 20, 50, 20, 30, 10, 30, 30),
            graphic("INTERPOLATED", *ring),
            graphic("CIRCLE", 0.2, 0.2, 0.4, 0.2, units="DISPLAY"),
            compound("ELLIPSE", 10, 10, 50, 30, RotationAngle=30.0, RotationPoint=[30, 20]),
            texts=[said("L1 D 23.1 mm", 60, 30, GraphicGroupID=1)],
        ),
        GraphicGroupSequence=[item(GraphicGroupID=1, GraphicGroupLabel="DistanceLine")],
        ImageRotation=90,
        ImageHorizontalFlip="Y",
    )
    stream = io.BytesIO()
    made.save_as(stream, enforce_file_format=True)
    intact = stream.getvalue()
    rng = np.random.default_rng(0)
    seen: Counter[str] = Counter()
    for number in range(300):
        data = bytearray(intact)
        for _ in range(int(rng.integers(1, 6))):
            data[int(rng.integers(132, len(data)))] = int(rng.integers(256))
        if number % 10 == 0:
            data = data[: int(rng.integers(200, len(data)))]
        seen[_outcome(bytes(data))] += 1
    assert seen["drawn"] > 100
    assert seen["refused"] > 20


def _outcome(data: bytes) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as a run reads headers
        try:
            header = read_header(io.BytesIO(data), _TAGS, Limits().header_bytes)
        except InputError as error:
            return error.code
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = read_presentation_state(header.dataset, "pr.dcm")
    for drawing in found.drawn:
        assert np.isfinite(drawing.points).all()
    return "refused" if found.refusals else "drawn" if found.drawn else "nothing"
