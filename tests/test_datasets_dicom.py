"""DICOM ultrasound with segmentation objects written by highdicom."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.sr.codedict import codes
from pydicom.uid import generate_uid

from dicom_writing import screen
from lesion_measure.calibration import calibrate
from lesion_measure.config import Config, Limits
from lesion_measure.dicom.colour import luminance
from lesion_measure.dicom.open_image import OpenImage
from lesion_measure.errors import InputError
from lesion_measure.files.shipped import find_model
from lesion_measure.image.automatic import looked_at, outline
from lesion_measure.image.prompted import draw
from lesion_measure.lab.datasets import layout_of, load
from lesion_measure.lab.datasets.dicom_seg import outlined_frames
from lesion_measure.lab.datasets.scheme import Asked
from lesion_measure.lab.evaluation import run_cases
from lesion_measure.network import Segmenter
from lesion_measure.studies import load_studies
from segmentations import (
    ABNORMAL,
    ANATOMY,
    COLUMNS,
    LIVER_TUMOUR,
    NEEDLE,
    PHYSICAL,
    ROWS,
    TISSUE,
    described,
    edited,
    image,
    mask,
    multiframe,
    region,
    save,
    segment,
    segmentation,
)

SAMPLE = Path(__file__).parents[1] / "sample_dicoms/SIM-01/baseline/L1_transverse.dcm"


@pytest.mark.parametrize(("kind", "category"), [(TISSUE, TISSUE), (codes.SCT.Lesion, ABNORMAL)])
def test_a_segment_that_is_to_be_ignored_is_refused(tmp_path: Path, kind: Any, category: Any) -> None:
    """It was taken for background, or for a lesion."""
    source = image(tmp_path / "a")
    values = np.zeros((1, ROWS, COLUMNS), np.uint8)
    values[0][mask()], values[0, 60:70, 20:40] = 1, 2
    segments = described("lesion", codes.SCT.Lesion, ABNORMAL), described("ignore", kind, category, 2)
    save(segmentation(source, values, "BINARY", *segments), tmp_path / "seg.dcm")
    with pytest.raises(InputError, match=r"Segment 2 'ignore'.*is to be ignored") as refused:
        load(tmp_path)
    assert "DICOM with masks" in refused.value.remedy


@pytest.mark.parametrize(
    ("label", "kind", "category", "said"),
    [
        ("segment 1", codes.SCT.Lesion, ABNORMAL, None),
        ("segment 1", codes.SCT.Mass, ABNORMAL, None),
        ("Segment_1", LIVER_TUMOUR, ABNORMAL, None),
        ("tumor", TISSUE, TISSUE, None),  # 3D Slicer, where only the name was changed
        ("haemangioma", codes.SCT.Hemangioma, TISSUE, None),
        ("Liver", codes.SCT.Liver, TISSUE, "No segment is a lesion"),
        ("liver", TISSUE, TISSUE, "No segment is a lesion"),
        ("needle", NEEDLE, PHYSICAL, "No segment is a lesion"),
        ("segment 1", codes.SCT.Liver, ANATOMY, "No segment is a lesion"),
        ("Segment_1", TISSUE, TISSUE, "It does not tell"),
        ("lesion", codes.SCT.Liver, ANATOMY, "It does not tell"),
        ("segment 1", codes.SCT.Liver, ABNORMAL, "It does not tell"),
        ("necrosis", codes.SCT.Necrosis, ABNORMAL, "It does not tell"),
        ("no lesion", TISSUE, TISSUE, "It does not tell"),
    ],
)
def test_codes_and_label_of_a_segment_decide_together(
    tmp_path: Path, label: str, kind: Any, category: Any, said: str | None
) -> None:
    source = image(tmp_path / "a")
    save(segmentation(source, mask()[None], "BINARY", described(label, kind, category)), tmp_path / "seg.dcm")
    if said is None:
        np.testing.assert_array_equal(load(tmp_path)[0].labels, mask())
        return
    with pytest.raises(InputError, match=said) as caught:
        load(tmp_path)
    assert label in caught.value.reason
    assert "--lesion-label" in caught.value.remedy
    np.testing.assert_array_equal(load(tmp_path, lesion_labels=[label.upper()])[0].labels, mask())
    with pytest.raises(InputError, match="No segment is called 'spleen'"):
        load(tmp_path, lesion_labels=["spleen"])


def test_an_inverted_segment_is_refused(tmp_path: Path) -> None:
    source = image(tmp_path / "a")
    save(segmentation(source, ~mask()[None], "BINARY"), tmp_path / "seg.dcm")
    with pytest.raises(InputError, match="inverted"):
        load(tmp_path)


def test_binary_segmentation_is_read_to_the_pixel(tmp_path: Path) -> None:
    source = image(tmp_path / "d" / "a")
    save(segmentation(source, mask()[None], "BINARY"), tmp_path / "d" / "seg.dcm")
    assert layout_of(tmp_path / "d").name == "DICOM"
    (found,) = load(tmp_path / "d")
    np.testing.assert_array_equal(found.labels, mask())
    np.testing.assert_array_equal(found.image, luminance(screen(ROWS, COLUMNS)))
    assert found.name == f"{dcmread(source).SOPInstanceUID}-1"
    assert "P1" not in found.group
    assert "Doe" not in found.group + found.name


def test_fractional_segmentation_is_cut_at_half(tmp_path: Path) -> None:
    source = image(tmp_path / "a")
    share = np.linspace(0, 1, ROWS * COLUMNS).reshape(1, ROWS, COLUMNS)
    save(segmentation(source, share, "FRACTIONAL", max_fractional_value=200), tmp_path / "seg.dcm")
    (found,) = load(tmp_path)
    np.testing.assert_array_equal(found.labels > 0, np.around(share[0] * 200) >= 100)


@pytest.mark.parametrize("kind", ["BINARY", "LABELMAP"])
def test_organs_are_left_out_and_touching_lesions_stay_apart(tmp_path: Path, kind: str) -> None:
    source = image(tmp_path / "a")
    values = np.zeros((1, ROWS, COLUMNS), np.uint8)
    values[0, 5:80, 5:110] = 1
    values[0][mask()] = 2
    values[0, 20:50, 75:100] = 3
    segments = [segment(1, codes.SCT.AnatomicalStructure), segment(2), segment(3, codes.SCT.Tissue)]
    save(segmentation(source, values, kind, *segments), tmp_path / "seg.dcm")
    (found,) = load(tmp_path)
    assert len(found.axes) == 2
    np.testing.assert_array_equal(found.labels == 1, values[0] == 2)
    np.testing.assert_array_equal(found.labels == 2, values[0] == 3)


def test_only_stated_frames_of_a_cine_are_pictures(tmp_path: Path) -> None:
    source = image(tmp_path / "a", frames=5)
    drawn = {2: mask(), 5: mask(40, 60), 4: np.zeros((ROWS, COLUMNS), dtype=bool)}
    save(multiframe(source, drawn), tmp_path / "seg.dcm")
    found = load(tmp_path)
    assert [p.name.rpartition("-")[2] for p in found] == ["2", "4", "5"]
    assert [len(p.axes) for p in found] == [1, 0, 1]
    for item, number in zip(found, (2, 4, 5), strict=True):
        np.testing.assert_array_equal(item.labels > 0, drawn[number])
        np.testing.assert_array_equal(item.image, luminance(screen(ROWS, COLUMNS, number - 1)))
    assert len({p.group for p in found}) == 1


def test_subject_is_one_group_over_folders_and_zips(tmp_path: Path) -> None:
    groups = {}
    for folder, subject in (("x", "P1"), ("y", "P1"), ("z", "P2")):
        source = image(tmp_path / folder / "a", PatientID=subject)
        seg = save(segmentation(source, mask()[None], "BINARY"), tmp_path / f"{folder}.dcm")
        with zipfile.ZipFile(tmp_path / folder / "seg.zip", "w") as archive:
            archive.write(seg, "deep/seg")
        groups[folder] = load(tmp_path / folder)[0].group
    assert groups["x"] == groups["y"] != groups["z"]


def test_real_ultrasound_with_a_segmentation(shared_dir: Path, tmp_path: Path) -> None:
    """These files have no scale: a run refuses them, and so does a data folder; with regions they are cut to them."""
    for name in ("US1_UNCR.dcm", "US1_J2KR.dcm", "wg04_US1_RLE.dcm"):
        source = tmp_path / name / name
        source.parent.mkdir()
        source.write_bytes((shared_dir / "dicom_us" / "us" / name).read_bytes())
        header = dcmread(source)
        drawn = np.zeros((1, header.Rows, header.Columns), dtype=bool)
        drawn[0, 100:160, 200:290] = True
        for keyword in ("PatientBirthDate", "PatientSex", "StudyTime", "AccessionNumber", "StudyID"):
            header.setdefault(keyword, "")
        header.save_as(source)
        save(segmentation(source, drawn, "BINARY"), source.parent / "seg.dcm")
        with pytest.raises(InputError, match=r"measures nothing on this image.*no PixelSpacing"):
            load(source.parent)
        edited(source, lambda d: setattr(d, "SequenceOfUltrasoundRegions", [region((40, 439), (100, 539))]))
        (found,) = load(source.parent)
        np.testing.assert_array_equal(found.labels > 0, drawn[0, 40:440, 100:540])
        assert found.image.std() > 10
        assert found.spacing_mm == pytest.approx((0.3, 0.3))


def test_a_dual_image_is_two_pictures(tmp_path: Path) -> None:
    """A run shows the network each half; a colour box within a half is seen with it."""
    halves = [region((10, 89), (0, 62)), region((10, 89), (63, 126)), region((20, 40), (70, 90))]
    source = image(tmp_path / "a", SequenceOfUltrasoundRegions=halves)
    drawn = mask(20, 70)
    save(segmentation(source, drawn[None], "BINARY"), tmp_path / "seg.dcm")
    found = load(tmp_path)
    whole = luminance(screen(ROWS, COLUMNS))
    assert [item.name.rpartition("-")[2] for item in found] == ["1", "2"]
    assert [len(item.axes) for item in found] == [0, 1]
    assert len({item.group for item in found}) == 1
    for item, cols in zip(found, (slice(0, 63), slice(63, 127)), strict=True):
        np.testing.assert_array_equal(item.image, whole[10:90, cols])
        np.testing.assert_array_equal(item.labels > 0, drawn[10:90, cols])


def test_an_outline_beside_the_regions_is_refused(tmp_path: Path) -> None:
    source = image(tmp_path / "a", SequenceOfUltrasoundRegions=[region((0, 94), (50, 126))])
    save(segmentation(source, mask(20, 10)[None], "BINARY"), tmp_path / "seg.dcm")
    with pytest.raises(InputError, match="row 34, column 32 lies mostly outside of the regions"):
        load(tmp_path)
    edited(source, lambda d: setattr(d.SequenceOfUltrasoundRegions[0], "RegionLocationMinX0", 30))
    (found,) = load(tmp_path)
    np.testing.assert_array_equal(found.labels > 0, mask(20, 10)[:, 30:])


@pytest.mark.parametrize("corner", [(0, 0), (60, 90)])
def test_a_network_sees_of_a_frame_what_it_sees_in_a_run(tmp_path: Path, corner: tuple[int, int]) -> None:
    """Same confidence, same outline to the pixel, by itself and from calipers, wherever the picture lies on screen."""
    sample = dcmread(SAMPLE)
    sample.SOPInstanceUID = sample.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    pixels = sample.pixel_array
    shown = np.full((pixels.shape[0] + 150, pixels.shape[1] + 180, *pixels.shape[2:]), 90, np.uint8)
    shown[corner[0] : corner[0] + pixels.shape[0], corner[1] : corner[1] + pixels.shape[1]] = pixels
    sample.Rows, sample.Columns, sample.PixelData = *shown.shape[:2], shown.tobytes()
    for each in sample.SequenceOfUltrasoundRegions:
        for keyword, by in (("MinY0", 0), ("MaxY1", 0), ("MinX0", 1), ("MaxX1", 1)):
            name = f"RegionLocation{keyword}"
            setattr(each, name, getattr(each, name) + corner[by])
    for keyword in ("PatientBirthDate", "PatientSex", "StudyTime", "AccessionNumber", "StudyID"):
        sample.setdefault(keyword, "")
    sample.save_as(tmp_path / "image.dcm")
    (instance,) = load_studies(tmp_path).instances
    config, segmenter = Config(), Segmenter.from_bundle(find_model(None))
    (seen,) = looked_at(calibrate(instance).regions)
    image = OpenImage(instance, config.limits)
    ((_, in_run),) = outline(image, [1], segmenter, seen, config)
    truth = np.zeros((1, instance.rows, instance.columns), dtype=bool)
    truth[0, seen.row_min + 100 : seen.row_min + 160, seen.col_min + 150 : seen.col_min + 220] = True
    save(segmentation(tmp_path / "image.dcm", truth, "BINARY"), tmp_path / "seg.dcm")
    (item,) = load(tmp_path)
    (case,) = run_cases(segmenter, [item], spread=0.0)
    assert in_run
    assert [one.confidence for one in case.automatic] == [one.confidence for one in in_run]
    lesions = segmenter.segment(item.image).lesions
    for lesion, known in zip(lesions, in_run, strict=True):
        assert known.origin == (lesion.origin[0] + seen.row_min, lesion.origin[1] + seen.col_min)
        np.testing.assert_array_equal(lesion.probability >= 0.5, known.probability >= 0.5)
    long = item.axes[0].long
    moved = [tuple((row + seen.row_min, col + seen.col_min) for row, col in long)]
    (prompted,) = draw(image, 1, segmenter, seen, moved, config)
    (alone,) = segmenter.segment(item.image, [long]).lesions
    assert prompted.confidence == alone.confidence
    np.testing.assert_array_equal(prompted.probability >= 0.5, alone.probability >= 0.5)


def test_real_segmentations_of_other_modalities_are_refused(shared_dir: Path) -> None:
    with pytest.raises(InputError, match="not here or is no ultrasound"):
        load(shared_dir / "dicom_us" / "seg")
    with pytest.raises(InputError, match="no segmentation among"):
        load(shared_dir / "dicom_us" / "us")


def _compressed(dataset: Any) -> None:
    dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.5"
    dataset["PixelData"].is_undefined_length = True
    dataset.PixelData = b"\xfe\xff\x00\xe0\x00\x00\x00\x00\xfe\xff\xdd\xe0\x00\x00\x00\x00"


BREAKS: dict[str, tuple[Callable[[Any], object], str]] = {
    "other image": (
        lambda d: setattr(_reference(d), "ReferencedSOPInstanceUID", "1.2.3.4"),
        "not here or is no ultrasound",
    ),
    "frame too high": (lambda d: setattr(_reference(d), "ReferencedFrameNumber", 2), "has fewer"),
    "frame 0": (lambda d: setattr(_reference(d), "ReferencedFrameNumber", 0), "which one image frame"),
    "two frames": (lambda d: setattr(_reference(d), "ReferencedFrameNumber", [1, 2]), "which one image frame"),
    "resampled": (lambda d: setattr(_reference(d), "SpatialLocationsPreserved", "NO"), "pixel grid"),
    "no groups": (lambda d: d.__delattr__("PerFrameFunctionalGroupsSequence"), "each of its frames"),
    "more frames": (lambda d: setattr(d, "NumberOfFrames", 3), "each of its frames"),
    "a million frames": (lambda d: setattr(d, "NumberOfFrames", 1_000_000), "too large"),
    "no kind": (lambda d: d.__delattr__("SegmentationType"), "kind that is not read"),
    "no segments": (lambda d: d.__delattr__("SegmentSequence"), "No segment is a lesion"),
    "short pixels": (lambda d: setattr(d, "PixelData", d.PixelData[:100]), "shorter"),
    "no pixels": (lambda d: d.__delattr__("PixelData"), "no pixels"),
    "compressed, no frame": (_compressed, "pixel data are empty"),
    "no frame's segment": (
        lambda d: (
            d.PerFrameFunctionalGroupsSequence[0].pop("SegmentIdentificationSequence", None),
            d.SharedFunctionalGroupsSequence[0].pop("SegmentIdentificationSequence", None),
        ),
        "which segment",
    ),
}


def _reference(dataset: Any) -> Any:
    return dataset.PerFrameFunctionalGroupsSequence[0].DerivationImageSequence[0].SourceImageSequence[0]


@pytest.mark.parametrize("name", BREAKS)
def test_broken_segmentations_are_refused_with_the_reason(tmp_path: Path, name: str) -> None:
    source = image(tmp_path / "a")
    path = save(segmentation(source, mask()[None], "BINARY"), tmp_path / "seg.dcm")
    assert len(load(tmp_path)) == 1
    change, reason = BREAKS[name]
    edited(path, change)
    with pytest.raises(InputError, match=reason) as caught:
        load(tmp_path)
    assert caught.value.path == "seg.dcm"
    assert "Doe" not in str(caught.value)


def test_corrupted_segmentations_raise_our_errors_alone(tmp_path: Path) -> None:
    source = image(tmp_path / "a")
    intact = save(segmentation(source, mask()[None], "BINARY"), tmp_path / "seg.dcm").read_bytes()
    rng = np.random.default_rng(0)
    named = [i for i in range(132, len(intact) - 1510) if intact[i : i + 2] in (b"SQ", b"UI", b"US", b"CS", b"UL")]
    outcomes = set()
    for number in range(250):
        data = bytearray(intact)
        if number % 2:  # a value representation that does not exist
            place = named[number // 2 % len(named)]
            data[place : place + 2] = b"QQ"
        else:
            data[int(rng.integers(132, len(data) - 1510))] = int(rng.integers(256))
        try:
            outcomes.add(list(outlined_frames(io.BytesIO(bytes(data)), "seg", Limits(), Asked()) or []) != [])
        except InputError as error:
            outcomes.add(error.code)
    assert {True, "dataset"} <= outcomes


def test_whole_image_reference_is_enough_for_one_frame(tmp_path: Path) -> None:
    source = image(tmp_path / "a")
    path = save(segmentation(source, mask()[None], "BINARY"), tmp_path / "seg.dcm")
    edited(path, lambda d: d.PerFrameFunctionalGroupsSequence[0].__delattr__("DerivationImageSequence"))
    np.testing.assert_array_equal(load(tmp_path)[0].labels, mask())
    edited(path, lambda d: d.__delattr__("ReferencedSeriesSequence"))
    with pytest.raises(InputError, match="which one image frame"):
        load(tmp_path)


def test_whatever_is_ambiguous_is_refused(tmp_path: Path) -> None:
    source = image(tmp_path / "a")
    seg = segmentation(source, mask()[None], "BINARY")
    save(seg, tmp_path / "seg.dcm")
    save(segmentation(source, mask(30, 40)[None], "BINARY"), tmp_path / "seg2.dcm")
    with pytest.raises(InputError, match="outlines too"):
        load(tmp_path)
    (tmp_path / "seg2.dcm").unlink()
    image(tmp_path / "b", SOPInstanceUID=dcmread(source).SOPInstanceUID, PatientID="P2")
    with pytest.raises(InputError, match="SOP Instance UID is also"):
        load(tmp_path)
    edited(tmp_path / "b" / "image.dcm", lambda d: setattr(d, "SOPInstanceUID", generate_uid()))
    assert len(load(tmp_path)) == 1
    edited(source, lambda d: setattr(d, "Rows", 94))
    with pytest.raises(InputError, match="differ in size"):
        load(tmp_path)
    (tmp_path / "link.dcm").symlink_to(source)
    with pytest.raises(InputError, match="links are not followed"):
        load(tmp_path)
