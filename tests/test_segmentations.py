"""Segmentations as a reader's masks: each pixel where it was drawn, each on its frame, none by an algorithm alone."""

from __future__ import annotations

import io
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from highdicom import AlgorithmIdentificationSequence
from highdicom.seg import SegmentAlgorithmTypeValues, SegmentDescription, segread
from numpy.typing import NDArray
from openjpeg.utils import encode_array
from pydicom import dcmread
from pydicom.sr.codedict import codes
from pydicom.uid import UltrasoundImageStorage, UltrasoundMultiFrameImageStorage

from lesion_measure.config import Limits
from lesion_measure.dicom.objects.segmentation import read_segmentation, read_stored_mask
from lesion_measure.errors import InputError
from lesion_measure.files.archive import located
from lesion_measure.records import LIVER, Axis, Drawing, Drawings, ObjectKind
from segmentations import (
    ABNORMAL,
    ANATOMY,
    COLUMNS,
    ROWS,
    TISSUE,
    compressed,
    edited,
    encapsulated,
    image,
    mask,
    multiframe,
    run_lengths,
    save,
    segmentation,
)

NATIVE, RLE, JPEG_LS, JPEG_2000, DEFLATED = (
    "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.1.99",
)  # fmt: skip


def read(path: Path, **options: Any) -> Drawings:
    with path.open("rb") as stream:
        return read_segmentation(stream, path.name, located(path), Limits(), **options)


def pixels(drawing: Drawing) -> NDArray[np.bool_]:
    assert drawing.mask is not None
    return read_stored_mask(drawing.mask, Limits())


def manual(number: int, label: str, kind: Any = codes.SCT.Lesion, category: Any = ABNORMAL, **more: Any) -> Any:
    return SegmentDescription(number, label, category, kind, SegmentAlgorithmTypeValues.MANUAL, **more)


SYNTAXES = (NATIVE, RLE, JPEG_LS, JPEG_2000, DEFLATED)
KINDS = [(kind, syntax) for kind in ("BINARY", "FRACTIONAL", "LABELMAP") for syntax in SYNTAXES]
KINDS.remove(("BINARY", JPEG_LS))  # JPEG-LS has no samples of one bit (ITU-T T.87 C.1)


@pytest.mark.parametrize(("kind", "syntax"), KINDS)
def test_a_mask_is_read_to_the_pixel(tmp_path: Path, kind: str, syntax: str) -> None:
    source = image(tmp_path / "a")
    drawn = mask()[None].astype(np.uint8 if kind == "LABELMAP" else bool)
    path = save(segmentation(source, drawn, kind), tmp_path / "seg.dcm")
    if kind == "BINARY" and syntax == RLE:
        packed = np.packbits(mask(), bitorder="little").tobytes()  # as OHIF packs it for run lengths
        encapsulated(path, syntax, [run_lengths(packed)])
    elif kind == "BINARY" and syntax == JPEG_2000:
        encapsulated(path, syntax, [jpeg_2000(mask().astype(np.uint8), bits=1)])
    elif syntax != NATIVE:
        compressed(path, syntax)
    found = read(path)
    assert not found.refusals
    (drawing,) = found.drawn
    np.testing.assert_array_equal(pixels(drawing), mask())
    assert (drawing.image_uid, drawing.frame) == (dcmread(source).SOPInstanceUID, None)
    assert (drawing.axis, drawing.origin.kind, drawing.points) == (Axis.OUTLINE, ObjectKind.SEG, ())


def jpeg_2000(values: NDArray[np.uint8], bits: int) -> bytes:
    return bytes(encode_array(values, bits_stored=bits, photometric_interpretation=2))


@pytest.mark.parametrize("whole_bytes", [False, True])
def test_bits_in_run_lengths_are_packed_or_a_byte_each(tmp_path: Path, whole_bytes: bool) -> None:
    """Frame by frame: an odd number of pixels does not run on into the next frame."""
    source = image(tmp_path / "a", frames=5)
    drawn = {2: mask(), 4: mask(40, 60)}
    path = save(multiframe(source, drawn), tmp_path / "seg.dcm")
    data = [
        (one.astype(np.uint8) if whole_bytes else np.packbits(one, bitorder="little")).tobytes()
        for one in drawn.values()
    ]
    encapsulated(path, RLE, [run_lengths(one) for one in data])
    found = read(path)
    assert [drawing.frame for drawing in found.drawn] == [2, 4]
    for drawing, expected in zip(found.drawn, drawn.values(), strict=True):
        np.testing.assert_array_equal(pixels(drawing), expected)


def test_label_maps_of_sixteen_bits(tmp_path: Path) -> None:
    """Two runs of bytes, the high ones first (PS3.5 G.2)."""
    source = image(tmp_path / "a")
    path = save(segmentation(source, mask()[None].astype(np.uint8), "LABELMAP"), tmp_path / "seg.dcm")

    def widened(dataset: Any) -> None:
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 16, 15
        dataset.SegmentSequence[-1].SegmentNumber = 258

    edited(path, widened)
    values = mask() * np.uint16(258)
    encapsulated(path, RLE, [run_lengths((values >> 8).astype(np.uint8).tobytes(), values.astype(np.uint8).tobytes())])
    (drawing,) = read(path).drawn
    np.testing.assert_array_equal(pixels(drawing), mask())
    assert drawing.group == "258"


def test_frames_that_are_deflated_one_by_one(tmp_path: Path) -> None:
    source = image(tmp_path / "a")
    path = save(segmentation(source, mask()[None], "BINARY"), tmp_path / "seg.dcm")
    deflate = zlib.compressobj(wbits=-15)
    packed = deflate.compress(np.packbits(mask(), bitorder="little").tobytes()) + deflate.flush()
    encapsulated(path, "1.2.840.10008.1.2.8.1", [packed])
    np.testing.assert_array_equal(pixels(read(path).drawn[0]), mask())


def test_several_frames_of_a_cine_in_single_bits(tmp_path: Path) -> None:
    """An odd number of pixels: the second frame begins within a byte (PS3.5 8.1.1)."""
    source = image(tmp_path / "a", frames=5)
    drawn = {2: mask(), 5: mask(40, 60), 4: np.zeros((ROWS, COLUMNS), dtype=bool)}
    found = read(save(multiframe(source, drawn), tmp_path / "seg.dcm"))
    assert [(drawing.frame, drawing.group) for drawing in found.drawn] == [(2, "1"), (5, "1")]
    for drawing in found.drawn:
        np.testing.assert_array_equal(pixels(drawing), drawn[drawing.frame or 0])


def test_a_cine_the_way_round_that_highdicom_allows(tmp_path: Path) -> None:
    """Its SEG of a copy that is a still, with the references set back to the cine and its frame."""
    source = image(tmp_path / "a", frames=30)
    still = dcmread(source)
    still.SOPClassUID = UltrasoundImageStorage
    still.PixelData = still.PixelData[: ROWS * COLUMNS * 3]
    for keyword in ("NumberOfFrames", "FrameTime", "FrameIncrementPointer"):
        delattr(still, keyword)
    still.save_as(tmp_path / "still.dcm")
    seg = segmentation(tmp_path / "still.dcm", mask()[None], "BINARY")
    group = seg.PerFrameFunctionalGroupsSequence[0].DerivationImageSequence[0].SourceImageSequence[0]
    group.ReferencedSOPClassUID, group.ReferencedFrameNumber = UltrasoundMultiFrameImageStorage, 12
    (drawing,) = read(save(seg, tmp_path / "seg.dcm")).drawn
    assert (drawing.image_uid, drawing.frame) == (dcmread(source).SOPInstanceUID, 12)
    np.testing.assert_array_equal(pixels(drawing), mask())


@pytest.mark.parametrize("kind", ["BINARY", "LABELMAP"])
def test_lesions_and_the_liver_are_taken_and_other_organs_listed(tmp_path: Path, kind: str) -> None:
    source = image(tmp_path / "a")
    values = np.zeros((1, ROWS, COLUMNS), np.uint8)
    values[0, 2:90, 5:120] = 1
    values[0][mask()] = 2
    values[0, 20:50, 75:100] = 3
    values[0, 80:85, 10:20] = 4
    segments = [
        manual(1, "Liver", codes.SCT.Liver, ANATOMY),
        manual(2, "L1", tracking_id="Segment_2", tracking_uid="1.2.77"),
        manual(3, "lesion"),
        manual(4, "Spleen", codes.SCT.Spleen, ANATOMY),
    ]
    found = read(save(segmentation(source, values, kind, *segments), tmp_path / "seg.dcm"))
    assert [drawing.lesion for drawing in found.drawn] == [LIVER, "L1", ""]
    assert found.drawn[1].origin.tracking_uid == "1.2.77"
    for number, drawing in enumerate(found.drawn, start=1):
        np.testing.assert_array_equal(pixels(drawing), values[0] == number)
    assert [refusal.code for refusal in found.listed] == ["segment_not_lesion"]
    assert "Spleen" in found.listed[0].reason
    assert not found.refusals


@pytest.mark.parametrize(
    ("label", "kind", "category", "expected"),
    [
        ("Segment_1", TISSUE, TISSUE, ("", "")),  # 3D Slicer, where nothing was changed
        ("Segment 1", TISSUE, TISSUE, ("", "")),  # OHIF
        ("L2", TISSUE, TISSUE, ("L2", "")),
        ("Hemangioma seg VII", codes.SCT.Hemangioma, ABNORMAL, ("Hemangioma seg VII", "")),
        ("left hemangioma", codes.SCT.Hemangioma, ABNORMAL, ("left hemangioma", "")),
        ("Liver tumour", codes.SCT.Neoplasm, ABNORMAL, ("", "")),
        ("liver", TISSUE, TISSUE, (LIVER, "")),
        ("Segment 1", codes.SCT.Liver, ANATOMY, (LIVER, "")),
        ("left liver lobe", codes.SCT.Liver, ANATOMY, None),
        ("necrosis", codes.SCT.Necrosis, ABNORMAL, ("", "segment_unclear")),
        ("lesion", codes.SCT.Liver, ANATOMY, ("", "segment_unclear")),
        ("no lesion", TISSUE, TISSUE, ("", "segment_unclear")),
    ],
)
def test_what_a_segment_is_called(
    tmp_path: Path, label: str, kind: Any, category: Any, expected: tuple[str, str] | None
) -> None:
    source = image(tmp_path / "a")
    found = read(
        save(segmentation(source, mask()[None], "BINARY", manual(1, label, kind, category)), tmp_path / "seg.dcm")
    )
    if expected is None:
        assert [refusal.code for refusal in found.listed] == ["segment_not_lesion"]
        return
    lesion, code = expected
    assert [refusal.code for refusal in found.refusals] == ([code] if code else [])
    assert [drawing.lesion for drawing in found.drawn] == ([] if code else [lesion])


def test_what_an_algorithm_drew_alone_is_no_readers(tmp_path: Path) -> None:
    source = image(tmp_path / "a")
    by = AlgorithmIdentificationSequence("net", codes.DCM.ArtificialIntelligence, "1")
    kinds = {kind: SegmentAlgorithmTypeValues[kind] for kind in ("AUTOMATIC", "SEMIAUTOMATIC")}
    paths = {
        name: save(
            segmentation(
                source,
                mask()[None],
                "BINARY",
                SegmentDescription(1, "L1", ABNORMAL, codes.SCT.Lesion, kind, algorithm_identification=by),
                content_creator_name="Reader^One",
            ),
            tmp_path / f"{name}.dcm",
        )
        for name, kind in kinds.items()
    }
    assert read(paths["SEMIAUTOMATIC"]).drawn[0].reader == "Reader One"
    refused = read(paths["AUTOMATIC"])
    assert not refused.drawn
    assert [refusal.code for refusal in refused.refusals] == ["segment_automatic"]
    assert read(paths["AUTOMATIC"], automatic=True).drawn[0].reader == "net"


def test_fractions_are_cut_at_half_and_ones_are_bits(tmp_path: Path) -> None:
    source = image(tmp_path / "a")
    share = np.linspace(0, 1, ROWS * COLUMNS).reshape(1, ROWS, COLUMNS)
    path = save(segmentation(source, share, "FRACTIONAL", max_fractional_value=200), tmp_path / "seg.dcm")
    (drawing,) = read(path).drawn
    np.testing.assert_array_equal(pixels(drawing), np.around(share[0] * 200) >= 100)
    assert any("cut at half" in warning for warning in drawing.warnings)
    edited(path, lambda d: setattr(d, "PixelData", bytes([*mask().astype(np.uint8).tobytes(), 0])))
    (drawing,) = read(path).drawn
    np.testing.assert_array_equal(pixels(drawing), mask())
    assert any("single bits" in warning for warning in drawing.warnings)
    edited(path, lambda d: setattr(d, "PixelData", bytes([*(mask() * np.uint8(201)).tobytes(), 0])))
    assert "above its maximum" in read(path).refusals[0].reason


def test_an_empty_segmentation_states_no_absence(tmp_path: Path) -> None:
    source = image(tmp_path / "a")
    path = save(segmentation(source, mask()[None], "BINARY"), tmp_path / "seg.dcm")
    edited(path, lambda d: setattr(d, "PixelData", bytes(len(d.PixelData))))
    found = read(path)
    assert not found.drawn
    assert "empty" in found.refusals[0].reason


def test_a_mask_is_of_the_file_that_was_read(tmp_path: Path) -> None:
    source = image(tmp_path / "a")
    path = save(segmentation(source, mask()[None], "BINARY"), tmp_path / "seg.dcm")
    (drawing,) = read(path).drawn
    edited(path, lambda d: setattr(d, "ContentDescription", "another"))
    with pytest.raises(InputError, match="changed"):
        pixels(drawing)


@pytest.mark.parametrize("extra", [1, 2, 40])
def test_frames_that_each_begin_at_a_whole_byte_are_refused(tmp_path: Path, extra: int) -> None:
    """Some writers pack them so; read as the standard says, every later frame would be out of step."""
    source = image(tmp_path / "a", frames=5)
    path = save(multiframe(source, {2: mask(), 3: mask(), 4: mask()}), tmp_path / "seg.dcm")
    needed = -(-3 * ROWS * COLUMNS // 8)
    edited(path, lambda d: setattr(d, "PixelData", d.PixelData[:needed] + bytes(needed % 2 + extra + extra % 2)))
    assert "longer" in read(path).refusals[0].reason


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.81", "1.2.840.10008.1.2.4.91"])
def test_lossy_encodings_are_refused(tmp_path: Path, syntax: str) -> None:
    source = image(tmp_path / "a")
    path = save(segmentation(source, mask()[None], "FRACTIONAL"), tmp_path / "seg.dcm")
    encapsulated(path, syntax, [b"\xff\xd8\xff\xd9"])
    assert "with loss" in read(path).refusals[0].reason


def test_a_frame_that_cannot_be_used_costs_that_frame(tmp_path: Path) -> None:
    source = image(tmp_path / "a", frames=5)
    path = save(multiframe(source, {2: mask(), 3: mask(), 4: mask(40, 60)}), tmp_path / "seg.dcm")

    def spoil(dataset: Any) -> None:
        groups = dataset.PerFrameFunctionalGroupsSequence
        groups[0].DerivationImageSequence[0].SourceImageSequence[0].ReferencedFrameNumber = [2, 3]
        groups[1].DerivationImageSequence[0].SourceImageSequence[0].SpatialLocationsPreserved = "NO"

    edited(path, spoil)
    found = read(path)
    assert [drawing.frame for drawing in found.drawn] == [4]
    np.testing.assert_array_equal(pixels(found.drawn[0]), mask(40, 60))
    assert len(found.refusals) == 2


def test_real_segmentations(shared_dir: Path) -> None:
    """One of bone, and one that readers drew, to the pixel as highdicom has it."""
    folder = shared_dir / "dicom_us" / "seg"
    bone = read(folder / "highdicom_seg_image_ct_binary_single_frame.dcm")
    assert not bone.drawn
    assert [refusal.code for refusal in bone.listed] == ["segment_not_lesion"]
    path = folder / "dcmqi_seg.dcm"
    found, stored = read(path), segread(path)
    assert not found.refusals
    images = [drawing.image_uid for drawing in found.drawn]
    expected = stored.get_pixels_by_source_instance(images, ignore_spatial_locations=True)[..., 0]
    for drawing, one in zip(found.drawn, expected, strict=True):
        np.testing.assert_array_equal(pixels(drawing), one > 0)
    assert len(images) > 1


def test_mutations_give_drawings_or_refusals_and_nothing_else(tmp_path: Path) -> None:
    source = image(tmp_path / "a")
    intact = {}
    for name, kind, syntax in (("b", "BINARY", NATIVE), ("f", "FRACTIONAL", RLE), ("l", "LABELMAP", JPEG_LS)):
        drawn = mask()[None].astype(np.uint8 if kind == "LABELMAP" else bool)
        path = save(segmentation(source, drawn, kind), tmp_path / f"{name}.dcm")
        intact[name] = (path if syntax == NATIVE else compressed(path, syntax)).read_bytes()
    rng = np.random.default_rng(0)
    seen: Counter[str] = Counter()
    for number in range(300):
        data = bytearray(intact["bfl"[number % 3]])
        for _ in range(rng.integers(1, 4)):
            data[int(rng.integers(132, len(data)))] = int(rng.integers(256))
        if number % 10 == 0:
            data = data[: int(rng.integers(200, len(data)))]
        file = tmp_path / "mutated.dcm"
        file.write_bytes(data)
        found = read_segmentation(io.BytesIO(bytes(data)), "m", located(file), Limits())
        for drawing in found.drawn:
            try:
                pixels(drawing)
            except InputError as error:
                seen[error.code] += 1
        seen["drawn" if found.drawn else (*found.refusals, *found.listed)[0].code] += 1
    assert seen["drawn"] > 50
    assert seen.total() > seen["drawn"] + 50
