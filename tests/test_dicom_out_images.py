"""Objects of images in every encoding, of cines and volumes, of readers' masks and of the network alone."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian
from scipy.spatial.transform import Rotation

import test_true_3d as true_3d
from drawn_network import DrawnNetwork, replace_network
from lesion_measure.calibration import calibrate
from lesion_measure.config import Config
from lesion_measure.files.shipped import find_config
from lesion_measure.image import automatic
from lesion_measure.job.object_folder import Listed, object_lines, write_folder
from lesion_measure.job.objects import export_objects
from lesion_measure.job.request import RunRequest
from lesion_measure.pipeline import run
from lesion_measure.records import RunResult
from lesion_measure.studies import load_studies
from object_reading import dumped, errors, groups, segments

ROWS, COLUMNS, FRAMES = 96, 128, 5
LONG, SHORT = ((48.0, 30.0), (50.0, 90.0)), ((30.0, 60.0), (68.0, 59.0))
US, CINE = "1.2.840.10008.5.1.4.1.1.6.1", "1.2.840.10008.5.1.4.1.1.3.1"


def ultrasound(samples: int = 1, frames: int = 1, **changes: Any) -> Dataset:
    """An image of 0.2 x 0.3 mm pixels (row x column) that dciodvfy has nothing to say against but what is changed."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    region = Dataset()
    region.RegionSpatialFormat, region.RegionDataType, region.RegionFlags = 1, 1, 0
    region.RegionLocationMinX0 = region.RegionLocationMinY0 = 0
    region.RegionLocationMaxX1, region.RegionLocationMaxY1 = COLUMNS - 1, ROWS - 1
    region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = 3
    region.PhysicalDeltaX, region.PhysicalDeltaY = 0.03, 0.02
    known: dict[str, Any] = {
        "SOPClassUID": CINE if frames > 1 else US, "SOPInstanceUID": "1.2.3.4", "StudyInstanceUID": "1.2.3",
        "SeriesInstanceUID": "1.2.3.1", "StudyDate": "20240131", "StudyTime": "101112", "Modality": "US",
        "PatientID": "P1", "PatientName": "Grün^Zoë", "PatientSex": "F", "PatientBirthDate": "20230101",
        "SpecificCharacterSet": "ISO_IR 100", "Rows": ROWS, "Columns": COLUMNS, "BitsAllocated": 8, "BitsStored": 8,
        "HighBit": 7, "PixelRepresentation": 0, "SamplesPerPixel": samples,
        "PhotometricInterpretation": "RGB" if samples == 3 else "MONOCHROME2",
        "SequenceOfUltrasoundRegions": [region], "PixelData": bytes(ROWS * COLUMNS * samples * frames),
    }  # fmt: skip
    if frames > 1:
        known |= {"NumberOfFrames": frames, "FrameTime": 40, "FrameIncrementPointer": 0x00181063}
    if samples == 3:
        known["PlanarConfiguration"] = 0
    for keyword, value in (known | changes).items():
        setattr(dataset, keyword, value)
    dataset["PixelData"].VR = "OB"
    return dataset


def palette() -> Dataset:
    grey = np.arange(256, dtype="<u2") * 257
    tables = {f"{c}PaletteColorLookupTableData": grey.tobytes() for c in ("Red", "Green", "Blue")}
    tables |= {f"{c}PaletteColorLookupTableDescriptor": [256, 0, 16] for c in ("Red", "Green", "Blue")}
    return ultrasound(PhotometricInterpretation="PALETTE COLOR", **tables)


IMAGES: dict[str, Callable[[], Dataset]] = {
    "monochrome": ultrasound,
    "palette": palette,
    "rgb": lambda: ultrasound(3),
    "ybr": lambda: ultrasound(3, PhotometricInterpretation="YBR_FULL"),
    "still with a frame of reference": lambda: ultrasound(FrameOfReferenceUID="1.2.3.9", PositionReferenceIndicator=""),
    "cine": lambda: ultrasound(frames=FRAMES),
    "cine with a frame of reference": lambda: ultrasound(
        frames=FRAMES, FrameOfReferenceUID="1.2.3.9", PositionReferenceIndicator=""
    ),
    "colour cine": lambda: ultrasound(3, FRAMES),
    "multi-frame class of one frame": lambda: ultrasound(
        SOPClassUID=CINE, NumberOfFrames=1, FrameTime=40, FrameIncrementPointer=0x00181063
    ),
    "retired class": lambda: ultrasound(SOPClassUID="1.2.840.10008.5.1.4.1.1.6"),
    "capture": lambda: ultrasound(SOPClassUID="1.2.840.10008.5.1.4.1.1.7", ConversionType="WSD"),
    "lossy": lambda: ultrasound(
        LossyImageCompression="01", LossyImageCompressionRatio="12.5", LossyImageCompressionMethod="ISO_10918_1"
    ),
    "no date, no name": lambda: ultrasound(
        StudyDate="", StudyTime="", PatientName="", PatientSex="", PatientBirthDate="", SpecificCharacterSet=""
    ),
    "wrong values": lambda: ultrasound(PatientSex="W"),
    "trial": lambda: ultrasound(
        ClinicalTrialSponsorName="S", ClinicalTrialProtocolID="NCT1", ClinicalTrialSubjectID="P1",
        ClinicalTrialTimePointID="baseline",
    ),
    "half a trial": lambda: ultrasound(ClinicalTrialSubjectID="P1"),
}  # fmt: skip


@dataclass(frozen=True)
class Made:
    """What a run made of one image."""

    result: RunResult
    out: Path

    @property
    def segs(self) -> list[Path]:
        return sorted(self.out.glob("dicom/*.seg.dcm"))

    @property
    def reports(self) -> list[Path]:
        return sorted(self.out.glob("dicom/*.sr.dcm"))

    def listed(self) -> list[dict[str, str]]:
        with (self.out / "dicom/objects.csv").open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))


def write_image(path: Path, dataset: Dataset) -> None:
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    with pydicom.config.disable_value_validation():
        pydicom.dcmwrite(path, dataset, enforce_file_format=True)


def measured(
    tmp_path: Path,
    dataset: Dataset | None,
    rows: str,
    network: object | None,
    monkeypatch: pytest.MonkeyPatch,
    subject: str = "",
) -> Made:
    """Write an image (None: it is there) and measure it; ``subject`` is told by a manifest."""
    (tmp_path / "in").mkdir(exist_ok=True)
    if dataset is not None:
        write_image(tmp_path / "in" / "a.dcm", dataset)
    manifest = tmp_path / "manifest.csv"
    manifest.write_text(f"path,subject,visit,plane,lesion\na.dcm,{subject},baseline,transverse,\n")
    replace_network(monkeypatch, network)
    calipers = tmp_path / "calipers.csv"
    calipers.write_text(f"image,frame,lesion,plane,axis,start_col,start_row,end_col,end_row,reader,mask\n{rows}")
    request = RunRequest(
        input=tmp_path / "in", out=tmp_path / "out", calipers=calipers, dicom=True, overwrite=True,
        manifest=manifest if subject else None,
        model=Path(__file__).parents[1] / "models/liver_us_unet" if network else None,
        config=Config.from_yaml(find_config(Path("follow_up"))),
    )  # fmt: skip
    return Made(run(request), tmp_path / "out")


def line(axis: str, ends: tuple[tuple[float, float], tuple[float, float]], frame: int = 1, lesion: str = "L1") -> str:
    (r0, c0), (r1, c1) = ends
    return f"a.dcm,{frame},{lesion},transverse,{axis},{c0},{r0},{c1},{r1},Dr. Grün,\n"


@pytest.mark.parametrize("kind", list(IMAGES))
def test_every_kind_of_image(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any) -> None:
    dataset = IMAGES[kind]()
    frames = int(dataset.get("NumberOfFrames", 1))
    at = min(3, frames)
    made = measured(tmp_path, dataset, line("long", LONG, at) + line("short", SHORT, at), DrawnNetwork(), monkeypatch)
    (lesion,) = made.result.subjects[0].lesions
    (plane,) = lesion.planes
    (seg,), (sr,) = made.segs, made.reports
    assert errors(seg) == []
    assert errors(sr) == []
    assert "Long Axis" in dumped(sr)
    read, uid, frame, mask = segments(seg)
    assert (uid, frame) == (dataset.SOPInstanceUID, at if dataset.SOPClassUID == CINE else None)
    assert plane.area_mm2 is not None
    assert mask.sum() * 0.2 * 0.3 == pytest.approx(plane.area_mm2.value, rel=0.03)
    assert np.argwhere(mask).mean(axis=0) == pytest.approx(np.mean(LONG, axis=0), abs=0.5)
    assert read.SegmentSequence[0].SegmentAlgorithmType == "SEMIAUTOMATIC"
    assert {*referenced_classes(read)} == {str(dataset.SOPClassUID)}
    assert {*referenced_classes(pydicom.dcmread(sr))} == {str(dataset.SOPClassUID), str(read.SOPClassUID)}
    check_drawn(sr, plane)
    assert read.PatientName == dataset.PatientName
    if kind == "lossy":
        assert read.LossyImageCompression == "01"
    assert "Grün" not in "".join(capfd.readouterr())  # highdicom's remarks quote names


def check_drawn(sr: Path, plane: Any) -> None:
    (group,) = groups(sr)
    for name, size, ends in (
        (codes.SCT.LongAxis, plane.long_axis_mm, LONG),
        (codes.SCT.ShortAxis, plane.short_axis_mm, SHORT),
    ):
        (found,) = group.get_measurements(name)
        assert found.value == pytest.approx(size.value, abs=1e-6)
        assert found.referenced_coordinates[0].value - 0.5 == pytest.approx(np.array(ends)[:, ::-1], abs=1e-3)
    person = next(i for i in group[0].ContentSequence if i.ValueType == "PNAME")
    assert str(person.PersonName) == "Dr. Grün"


def referenced_classes(dataset: Dataset) -> list[str]:
    return [str(e.value) for e in dataset.iterall() if e.keyword == "ReferencedSOPClassUID"]


def test_a_readers_mask_is_manual_and_calipers_alone_are_no_outline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = np.zeros((ROWS, COLUMNS), np.uint8)
    drawn[20:50, 30:80] = 255
    drawn[20:30, 30:50] = 0  # no rectangle, so that a turn would be seen
    Image.fromarray(drawn).save(tmp_path / "mask.png")
    rows = "a.dcm,1,L1,transverse,outline,,,,,R1,mask.png\n" + line("long", ((80.0, 90.0), (80.0, 120.0)), lesion="L2")
    made = measured(tmp_path, ultrasound(), rows, None, monkeypatch)
    (seg,) = made.segs
    read, _, _, mask = segments(seg)
    assert (mask == (drawn > 0)).all()
    assert errors(seg) == []
    assert read.SegmentSequence[0].SegmentAlgorithmType == "MANUAL"
    assert "SegmentationAlgorithmIdentificationSequence" not in read.SegmentSequence[0]
    methods = {g.tracking_identifier: g.method.value for g in groups(made.reports[0])}
    assert methods == {"L1": "mask", "L2": "calipers"}
    (without,) = [row for row in made.listed() if row["kind"] == "none"]
    assert (without["lesion"], without["reason"].partition(":")[0]) == ("L2", "measured by calipers alone")
    assert errors(made.reports[0]) == []


def by_brightness(monkeypatch: pytest.MonkeyPatch) -> object:
    """A network that takes brightness for the share of a pixel that is lesion."""

    def outline(image: Any, frames: list[int], *_: object) -> Iterator[tuple[int, list[Any]]]:
        for frame in frames:
            share = image.frame(frame).luminance().astype(np.float32) / 255
            yield frame, [true_3d.mask(share)] if share.max() > 0.5 else []

    monkeypatch.setattr(automatic, "outline", outline)
    network = DrawnNetwork()
    network.sha256 = "a" * 64
    return network


def volume(folder: Path, pixels: NDArray[np.uint8]) -> Dataset:
    true_3d.write(folder, pixels)
    dataset = pydicom.dcmread(folder / "volume.dcm")
    (folder / "volume.dcm").unlink()
    dataset.FrameOfReferenceUID, dataset.PositionReferenceIndicator = "1.2.3.9", ""
    return dataset


def test_a_volume_has_every_slice_of_the_lesion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = true_3d.coverage(Rotation.identity(), true_3d.MIDDLE)
    made = measured(tmp_path, volume(tmp_path / "in", pixels), "", by_brightness(monkeypatch), monkeypatch)
    (lesion,) = made.result.subjects[0].lesions
    assert lesion.body is not None
    (seg,), (sr,) = made.segs, made.reports
    assert errors(seg) == []
    assert errors(sr) == []
    read = pydicom.dcmread(seg)
    frames = [g.DerivationImageSequence[0].SourceImageSequence[0].ReferencedFrameNumber for g in
              read.PerFrameFunctionalGroupsSequence]  # fmt: skip
    assert frames == [*range(lesion.body.frames[0], lesion.body.frames[1] + 1)]
    stored = (
        hd.seg.segread(seg).get_pixels_by_source_frame(
            read.PerFrameFunctionalGroupsSequence[0]
            .DerivationImageSequence[0]
            .SourceImageSequence[0]
            .ReferencedSOPInstanceUID,
            frames,
        )[..., 0]
        > 0
    )
    assert (stored == (read.pixel_array > 0)).all()
    assert stored.shape[0] == len(frames)
    ours = pixels[np.array(frames) - 1] / 255
    assert not (stored & (ours < 0.4)).any()
    assert not (~stored & (ours > 0.6)).any()
    assert read.SegmentSequence[0].SegmentAlgorithmType == "AUTOMATIC"
    measures = read.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    assert measures.SpacingBetweenSlices == true_3d.SLICE
    (group,) = groups(sr)
    (size,) = group.get_measurements(codes.SCT.Volume)
    assert size.value == pytest.approx(lesion.volume_ml.value, abs=1e-6)
    assert size.method == codes.DCM.SumOfSegmentedVoxelMethodForVolume
    found = {m.name.value: m.value for m in group.get_measurements()}
    for name, axis in zip(("longest_3d", "second_3d", "third_3d"), lesion.body.axes_mm, strict=True):
        assert found[name] == pytest.approx(axis.value, abs=1e-6)


def test_an_image_that_nothing_can_refer_to_is_listed_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for change, words in (
        ({"SOPInstanceUID": "1.2.3.04"}, "no valid SOPInstanceUID"),
        ({"SOPClassUID": US, "NumberOfFrames": 2, "PixelData": bytes(2 * ROWS * COLUMNS)}, "holds one frame"),
        ({"PatientID": "P" * 70}, "PatientID"),
    ):
        with pydicom.config.disable_value_validation():
            dataset = ultrasound(**change)
        made = measured(tmp_path, dataset, line("long", LONG), None, monkeypatch)
        assert made.result.subjects[0].lesions
        assert not made.segs
        assert not made.reports
        assert [row["kind"] for row in made.listed()] == ["none"]
        assert words in made.listed()[0]["reason"]


def region_middle(folder: Path) -> tuple[int, tuple[float, float], float] | None:
    """Frame, middle and a length in pixels of the one image of a folder; None where it has no scale."""
    (instance,) = load_studies(folder).instances
    region = calibrate(instance).region
    if region is None:
        return None
    middle = (region.row_min + region.row_max) / 2, (region.col_min + region.col_max) / 2
    return min(2, instance.frames), middle, (region.col_max - region.col_min) / 8


def test_real_images(shared_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Real ultrasound files with drawn calipers: each gives objects without an error, or says why it does not."""
    outcomes: dict[str, str] = {}
    for number, file in enumerate(sorted((shared_dir / "dicom_us" / "us").glob("*.dcm"))):
        folder = tmp_path / str(number)
        (folder / "in").mkdir(parents=True)
        shutil.copy(file, folder / "in" / "a.dcm")
        drawn = region_middle(folder / "in")
        if drawn is None:
            continue
        frame, (row, column), length = drawn
        rows = line("long", ((row, column - length), (row + 3, column + length)), frame)
        made = measured(folder, None, rows, DrawnNetwork(), monkeypatch, subject=f"S{number}")
        for found in (*made.segs, *made.reports):
            assert errors(found) == [], file.name
        for found in made.reports:
            dumped(found)
        outcomes[file.name] = "; ".join(r["reason"] for r in made.listed() if r["reason"]) or "made"
        if outcomes[file.name] == "made":
            (plane,) = made.result.subjects[0].lesions[0].planes
            assert len(made.segs) == len(made.reports) == 1
            assert segments(made.segs[0])[3].sum() * np.prod(plane.spacing_mm) == pytest.approx(
                plane.area_mm2.value, rel=0.02
            )
            (size,) = groups(made.reports[0])[0].get_measurements(codes.SCT.LongAxis)
            assert size.value == pytest.approx(plane.long_axis_mm.value, abs=1e-6)
    assert sum(outcome == "made" for outcome in outcomes.values()) >= 4
    reasons = {outcome for outcome in outcomes.values() if outcome != "made"}
    assert all("holds one frame" in reason or "no valid SOPInstanceUID" in reason for reason in reasons)


def predecessor(report: Dataset) -> str | None:
    """SOP Instance UID of the newest report that this one replaces."""
    return next(iter(predecessors(report)), None)


def predecessors(report: Dataset) -> list[str]:
    studies = report.get("PredecessorDocumentsSequence", [])
    return [
        s.ReferencedSOPSequence[0].ReferencedSOPInstanceUID for one in studies for s in one.ReferencedSeriesSequence
    ]


def test_a_run_with_other_calipers_replaces_the_report_of_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reported(rows: str) -> Dataset:
        (report,) = measured(tmp_path, ultrasound(), rows, None, monkeypatch).reports
        return pydicom.dcmread(report)

    first = reported(line("long", LONG))
    assert predecessor(first) is None
    second = reported(line("long", LONG) + line("short", SHORT))
    assert predecessor(second) == first.SOPInstanceUID
    assert second == reported(line("long", LONG) + line("short", SHORT))
    back = reported(line("long", LONG))  # which a PACS knows already, so it has to be another document
    assert predecessors(back) == [second.SOPInstanceUID, first.SOPInstanceUID]  # a PACS may hold the first alone
    assert back.SOPInstanceUID not in (first.SOPInstanceUID, second.SOPInstanceUID)


def test_a_run_without_them_leaves_no_stale_objects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = measured(tmp_path, ultrasound(), line("long", LONG), None, monkeypatch)
    run(RunRequest(input=tmp_path / "in", out=made.out, calipers=tmp_path / "calipers.csv", overwrite=True))
    assert not (made.out / "dicom").exists()


def test_names_of_files_stay_out_of_the_objects_where_that_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "Grün Zoë"
    folder.mkdir()
    write_image(folder / "a.dcm", ultrasound())
    (tmp_path / "calipers.csv").write_text(
        f"image,frame,lesion,plane,axis,start_col,start_row,end_col,end_row,reader,mask\n{line('long', LONG)}"
    )
    out = tmp_path / "out"
    run(RunRequest(input=folder, out=out, calipers=tmp_path / "calipers.csv", dicom=True, no_paths=True))
    (report,) = (out / "dicom").glob("*.sr.dcm")
    before = report.read_bytes()
    assert "a.dcm" not in "".join(object_lines(out, no_paths=True))
    export_objects(out, folder)
    assert report.read_bytes() == before
    assert "Grün" not in "".join(path.read_text(encoding="utf-8") for path in out.glob("dicom/*.csv"))


def test_a_subject_whose_code_looks_like_a_day_is_counted(tmp_path: Path) -> None:
    """A run's own table is read again to tell what was written; MAR-12 came from a header, not from a spreadsheet."""
    rows = [Listed(kind=kind, subject="MAR-12", visit="baseline", study_instance_uid="1.2") for kind in ("SEG", "SR")]
    write_folder(tmp_path, {}, rows)
    assert object_lines(tmp_path)[0].startswith("DICOM         1 segmentation, 1 report; listed in ")
