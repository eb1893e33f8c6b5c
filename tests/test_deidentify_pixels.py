"""De-identification of pixels: what lies outside of the scan is black, what stays is the same to the last bit."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
import simplejpeg
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.pixels import pixel_array
from pydicom.pixels.encoders.base import get_encoder

import dicom_writing as encodings
import planted
import screens
from lesion_measure.config import Config, Limits
from lesion_measure.deidentify.run import Outcome, Request, deidentify
from lesion_measure.deidentify.screen import look
from lesion_measure.dicom.open_image import OpenImage
from lesion_measure.image import text_finder
from lesion_measure.image.scan_area import scan_area
from lesion_measure.job.request import RunRequest
from lesion_measure.pipeline import run as measure
from lesion_measure.records import Instance
from lesion_measure.studies import load_studies
from test_deidentify import code, report, save, text_item

EXPLICIT, BIG, DEFLATED, RLE, JPEG, LOSSLESS, JPEG_LS, JPEG_2000 = (
    f"1.2.840.10008.1.2{end}" for end in (".1", ".2", ".1.99", ".5", ".4.50", ".4.70", ".4.80", ".4.90")
)
GREY = screens.screen()
RGB = np.stack([GREY, GREY, np.where(screens.fan(), 255 - GREY, 0)], axis=-1).astype(np.uint8)
FRAMES = np.stack([screens.screen(seed) for seed in range(3)])
needs_reader = pytest.mark.skipif(not text_finder.available(), reason="the extra 'read' is not installed")


def codec(syntax: str, pixels: NDArray[np.uint8], photometric: str = "MONOCHROME2") -> bytes:
    """One frame by pydicom's encoders."""
    plugin = {RLE: "pydicom", JPEG_LS: "pyjpegls", JPEG_2000: "pylibjpeg"}[syntax]
    return bytes(
        get_encoder(syntax).encode(
            pixels, encoding_plugin=plugin, rows=pixels.shape[0], columns=pixels.shape[1], number_of_frames=1,
            samples_per_pixel=1 if pixels.ndim == 2 else 3, bits_allocated=8, bits_stored=8, pixel_representation=0,
            photometric_interpretation=photometric, planar_configuration=0,
        )
    )  # fmt: skip


def pack_422(ybr: NDArray[np.uint8]) -> bytes:
    pairs = ybr.reshape(ybr.shape[0], -1, 2, 3)
    return np.stack([pairs[..., 0, 0], pairs[..., 1, 0], pairs[..., 0, 1], pairs[..., 0, 2]], axis=-1).tobytes()


YBR = np.concatenate([RGB[..., :1], np.repeat(np.repeat(RGB[::, ::2, 1:] // 2 + 64, 2, axis=1), 1, axis=0)], axis=-1)
PALETTE = {
    f"{colour}PaletteColorLookupTable{part}": value
    for colour, shade in (("Red", 1.0), ("Green", 0.9), ("Blue", 0.6))
    for part, value in (
        ("Descriptor", [256, 0, 16]),
        ("Data", (np.arange(256) * 257 * shade).astype("<u2").tobytes()),
    )
}
DEEP = (GREY.astype("<u2") << 4) | 5
MARKED = DEEP | np.where(np.arange(screens.COLUMNS) % 7 == 0, 0x1000, 0).astype("<u2")

Make = Callable[[Path], Instance]
CASES: dict[str, tuple[Make, str]] = {
    "grey": (lambda p: encodings.write(p, GREY.tobytes(), GREY.shape), EXPLICIT),
    "implicit": (lambda p: encodings.write(p, GREY.tobytes(), GREY.shape, ""), "1.2.840.10008.1.2"),
    "big endian": (
        lambda p: encodings.write(
            p, DEEP.astype(">u2").tobytes(), GREY.shape, ".2", BitsAllocated=16, BitsStored=12, vr="OW"
        ),
        EXPLICIT,
    ),
    "deflated": (lambda p: encodings.write(p, GREY.tobytes(), GREY.shape, ".1.99"), EXPLICIT),
    "RGB": (lambda p: encodings.write(p, RGB.tobytes(), RGB.shape), EXPLICIT),
    "planes": (
        lambda p: encodings.write(p, np.moveaxis(RGB, -1, 0).tobytes(), RGB.shape, PlanarConfiguration=1), EXPLICIT,
    ),
    "pairs": (
        lambda p: encodings.write(p, pack_422(YBR), YBR.shape, PhotometricInterpretation="YBR_FULL_422"), EXPLICIT,
    ),
    "palette": (
        lambda p: encodings.write(p, GREY.tobytes(), GREY.shape, PhotometricInterpretation="PALETTE COLOR", **PALETTE),
        EXPLICIT,
    ),
    "12 bits": (
        lambda p: encodings.write(p, DEEP.tobytes(), GREY.shape, BitsAllocated=16, BitsStored=12, vr="OW"), EXPLICIT,
    ),
    "inverse": (
        lambda p: encodings.write(p, (255 - GREY).tobytes(), GREY.shape, PhotometricInterpretation="MONOCHROME1"),
        EXPLICIT,
    ),
    "cine": (lambda p: encodings.write(p, FRAMES.tobytes(), GREY.shape, NumberOfFrames=3), EXPLICIT),
    "RLE": (lambda p: encodings.write(p, [codec(RLE, RGB, "RGB")], RGB.shape, ".5", PlanarConfiguration=1), RLE),
    "RLE cine": (
        lambda p: encodings.write(p, [codec(RLE, f) for f in FRAMES], GREY.shape, ".5", NumberOfFrames=3), RLE,
    ),
    "JPEG-LS": (lambda p: encodings.write(p, [codec(JPEG_LS, RGB, "RGB")], RGB.shape, ".4.80"), JPEG_LS),
    "JPEG 2000": (
        lambda p: encodings.write(
            p, [codec(JPEG_2000, RGB, "YBR_RCT")], RGB.shape, ".4.90", PhotometricInterpretation="YBR_RCT"
        ),
        JPEG_2000,
    ),
    "JPEG": (
        lambda p: encodings.write(
            p, [simplejpeg.encode_jpeg(RGB, 80, "RGB", "422")], RGB.shape, ".4.50",
            PhotometricInterpretation="YBR_FULL_422",
        ),
        RLE,
    ),
    "JPEG grey": (
        lambda p: encodings.write(
            p, [simplejpeg.encode_jpeg(f[..., None], 80, "GRAY") for f in FRAMES], GREY.shape, ".4.50", NumberOfFrames=3
        ),
        JPEG_LS,
    ),
    "JPEG lossless": (
        lambda p: encodings.write(p, [encodings.lossless(DEEP >> 2, 10, 1)], GREY.shape, ".4.70", BitsAllocated=16,
                                  BitsStored=10), JPEG_LS,
    ),
}  # fmt: skip
SAME_FOR_PYDICOM = set(CASES) - {"JPEG", "JPEG grey", "JPEG lossless", "palette"}


def add_region(path: Path) -> None:
    """The file with a region, a study and the patient that `encodings.write` knows nothing of."""
    ds = pydicom.dcmread(path)
    ds.SequenceOfUltrasoundRegions = [screens.region()]
    ds.Modality, ds.StudyInstanceUID, ds.SeriesInstanceUID = "US", "1.2.3", "1.2.3.1"
    ds.PatientName, ds.PatientID = "Doeberman^Jane", "MRN-884422"
    ds.save_as(path)


def run(folder: Path, tmp_path: Path, *, accept: bool = False) -> Outcome:
    request = Request(input=folder, out=tmp_path / "out", key=tmp_path / "the.key", config=Config(), accept_held=accept)
    return deidentify(request)


def only(folder: Path) -> Instance:
    (image,) = load_studies(folder).instances
    return image


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the extra ``read`` is not installed: text on the scan is not looked for."""
    monkeypatch.setattr(text_finder, "available", lambda: False)


@pytest.mark.usefixtures("unread")
@pytest.mark.parametrize("case", CASES)
def test_what_stays_is_the_same_to_the_last_bit_and_the_rest_is_black(tmp_path: Path, case: str) -> None:
    make, syntax = CASES[case]
    (tmp_path / "in").mkdir()
    make(tmp_path / "in")
    add_region(tmp_path / "in" / "image.dcm")
    assert not run(tmp_path / "in", tmp_path, accept=True).refusals
    before, after = only(tmp_path / "in"), only(tmp_path / "out")
    assert after.transfer_syntax_uid == syntax
    assert (after.regions, after.frames, after.bits_stored) == (before.regions, before.frames, before.bits_stored)
    with OpenImage(before, Limits()) as old, OpenImage(after, Limits()) as new:
        keep = scan_area(old).mask
        assert 0.2 < keep.mean() < 0.8
        assert not keep[: screens.TOP].any()
        for number in range(1, before.frames + 1):
            one, other = old.frame(number), new.frame(number)
            assert (one.luminance()[keep] == other.luminance()[keep]).all()
            assert (one.display()[keep] == other.display()[keep]).all()
            black = other.luminance() if case == "pairs" else other.display()  # a pair shares its colour
            assert screens.dark_outside(black, keep)
            assert one.display()[~keep].any()
    if case in SAME_FOR_PYDICOM:
        files = map(pydicom.dcmread, (tmp_path / "in" / "image.dcm", screens.written(tmp_path / "out")[0]))
        one, other = (pixel_array(file).reshape(before.frames, *keep.shape, -1) for file in files)
        assert (one[:, keep] == other[:, keep]).all()


@pytest.mark.usefixtures("unread")
def test_bits_that_are_not_stored_are_cleared(tmp_path: Path) -> None:
    """An overlay may lie in the bits above those of the pixels (PS3.3 C.9.2, retired)."""
    (tmp_path / "in").mkdir()
    encodings.write(tmp_path / "in", (MARKED & 0x0FFF).tobytes(), GREY.shape, BitsAllocated=16, BitsStored=12, vr="OW")
    add_region(tmp_path / "in" / "image.dcm")
    run(tmp_path / "in", tmp_path, accept=True)
    data = np.frombuffer(pydicom.dcmread(screens.written(tmp_path / "out")[0]).PixelData, "<u2")
    assert not (data & 0xF000).any()


@pytest.mark.usefixtures("unread")
@pytest.mark.parametrize(("stated", "code"), [(None, ""), (7, ""), (9, "pixel_header"), (3, "pixel_header")])
def test_a_high_bit_that_is_missing_or_wrong(tmp_path: Path, stated: int | None, code: str) -> None:
    ds = screens.dataset(GREY)
    ds.HighBit = stated
    save(ds, tmp_path / "in" / "a.dcm")
    outcome = run(tmp_path / "in", tmp_path, accept=True)
    assert [each.code for each in outcome.refusals] == [code] * bool(code)
    if not code:
        (path,) = screens.written(tmp_path / "out")
        assert pydicom.dcmread(path).HighBit == 7


@pytest.mark.usefixtures("unread")
def test_nothing_follows_the_pixels_and_nothing_of_the_patient_is_left(tmp_path: Path) -> None:
    ds = screens.dataset(GREY)
    planted.plant(ds)
    ds.IconImageSequence = [screens.dataset(GREY)]
    save(ds, tmp_path / "in" / "a.dcm")
    with (tmp_path / "in" / "a.dcm").open("ab") as stream:
        stream.write(b"\xfc\xff\xfc\xffOB\0\0\x10\0\0\0" + b"Doeberman^Jane  " + b"Doeberman")
    assert not run(tmp_path / "in", tmp_path, accept=True).refusals
    (path,) = screens.written(tmp_path / "out")
    data = path.read_bytes()
    assert not planted.traces(
        data, planted.MARK, planted.MARK_DATE, planted.MARK_NUMBER, planted.MARK_UID, "Doeberman", "MRN-884422"
    )
    assert data.endswith(pydicom.dcmread(path).PixelData)


@pytest.mark.usefixtures("unread")
def test_without_a_reader_of_text_images_are_held_back(tmp_path: Path) -> None:
    save(screens.dataset(GREY), tmp_path / "in" / "Jane.dcm")
    outcome = run(tmp_path / "in", tmp_path)
    assert [refusal.code for refusal in outcome.refusals] == ["text_unchecked"]
    assert "lesion-measure[read]" in outcome.refusals[0].remedy
    assert not screens.written(tmp_path / "out")
    assert "held back" in (tmp_path / "the.html").read_text()
    (row,) = csv.DictReader((tmp_path / "the.files.csv").open())
    assert (row["source"], row["file"], row["code"]) == ("Jane.dcm", "", "text_unchecked")


@needs_reader
def test_a_name_on_the_scan_is_found_and_blanked(tmp_path: Path) -> None:
    save(screens.dataset(screens.screen(inside="JANE DOE")), tmp_path / "in" / "a.dcm")
    outcome = run(tmp_path / "in", tmp_path)
    assert not outcome.refusals
    assert outcome.written[0].texts == 1
    (path,) = screens.written(tmp_path / "out")
    new = pydicom.dcmread(path)
    assert new.BurnedInAnnotation == "NO"
    assert "113101" in [item.CodeValue for item in new.DeidentificationMethodCodeSequence]
    pixels = pixel_array(path)
    assert not pixels[182:196, 155:230].any()
    assert not [
        text for text in text_finder.TextFinder().find(np.repeat(pixels[..., None], 3, axis=2)) if text.letters > 1
    ]


@needs_reader
def test_a_name_on_one_frame_of_a_long_cine_is_found(tmp_path: Path) -> None:
    frames = np.stack([screens.screen(seed, inside="JANE DOE" if seed == 41 else "") for seed in range(80)])
    save(
        screens.dataset(frames, NumberOfFrames=80, SOPClassUID="1.2.840.10008.5.1.4.1.1.3.1"), tmp_path / "in" / "a.dcm"
    )
    with OpenImage(only(tmp_path / "in"), Limits()) as image:
        found = look(image, text_finder.TextFinder())
    assert any("DOE" in text.text for text in found.texts)
    assert not found.keep[182:196, 155:230].any()


@needs_reader
def test_a_caliper_on_the_scan_stays(tmp_path: Path) -> None:
    pixels = screens.screen().copy()
    for row, col in ((150, 180), (230, 240)):
        pixels[row, col - 6 : col + 7] = pixels[row - 6 : row + 7, col] = 255
    save(screens.dataset(pixels), tmp_path / "in" / "a.dcm")
    with OpenImage(only(tmp_path / "in"), Limits()) as image:
        found = look(image, text_finder.TextFinder())
    assert found.keep[144:157, 174:187].all()
    assert found.keep[224:237, 234:247].all()


def test_a_file_that_is_no_image_costs_nothing_and_a_video_is_held(tmp_path: Path) -> None:
    ds = screens.dataset(GREY)
    save(ds, tmp_path / "in" / "a.dcm")
    pdf = Dataset()
    pdf.SOPClassUID, pdf.SOPInstanceUID, pdf.Modality = "1.2.840.10008.5.1.4.1.1.104.1", "1.2.9", "DOC"
    pdf.EncapsulatedDocument = b"%PDF Jane Doeberman "
    save(pdf, tmp_path / "in" / "report.dcm")
    (tmp_path / "in" / "notes.txt").write_text("Jane")
    outcome = run(tmp_path / "in", tmp_path)
    codes = {refusal.path: refusal.code for refusal in outcome.refusals}
    assert codes["report.dcm"] == "document"
    assert codes["notes.txt"] == "not_dicom"


@pytest.mark.usefixtures("unread")
def test_measurements_are_the_same_to_the_last_digit(project_dir: Path, tmp_path: Path) -> None:
    """A child of the samples by the readers' calipers, before and after: dates and UIDs alone are others."""
    samples = project_dir / "sample_dicoms"
    run(samples / "SIM-01", tmp_path, accept=True)
    with (tmp_path / "the.files.csv").open() as stream:
        became = {f"SIM-01/{row['source']}": row["file"] for row in csv.DictReader(stream)}
    with (samples / "calipers.csv").open() as stream:
        rows = [row for row in csv.DictReader(stream) if row["image"] in became]
    tables = []
    for name, folder, images in (("before", samples / "SIM-01", {}), ("after", tmp_path / "out", became)):
        with (tmp_path / f"{name}.csv").open("w", newline="") as stream:
            writer = csv.DictWriter(stream, rows[0])
            writer.writeheader()
            own = (images.get(row["image"], row["image"].removeprefix("SIM-01/")) for row in rows)
            writer.writerows({**row, "image": image} for row, image in zip(rows, own, strict=True))
        measure(RunRequest(input=folder, out=tmp_path / name, calipers=tmp_path / f"{name}.csv", config=Config()))
        tables.append(measurements(tmp_path / name / "measurements.csv", images))
    assert len(tables[0]) > 5
    assert tables[0] == tables[1]


def measurements(path: Path, became: dict[str, str]) -> list[tuple[tuple[str, str], ...]]:
    """Rows of a table without what is to differ, images under their old names."""
    was = {file: source.removeprefix("SIM-01/") for source, file in became.items()}
    different = {"subject", "visit_date", "sop_instance_uid", "study_instance_uid"}
    with path.open() as stream:
        rows = list(csv.DictReader(stream))
    return sorted(tuple((k, was.get(v, v)) for k, v in row.items() if k not in different) for row in rows)


@pytest.mark.usefixtures("unread")
def test_a_report_still_points_at_its_image(tmp_path: Path) -> None:
    save(screens.dataset(GREY), tmp_path / "in" / "a.dcm")
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.6.1", "1.2.3.4"
    item = text_item(code("121112", "DCM", "Source"), "IMAGE")
    item.ReferencedSOPSequence = [reference]
    save(report(SOPInstanceUID="1.2.3.8", ContentSequence=[item]), tmp_path / "in" / "b.dcm")
    outcome = run(tmp_path / "in", tmp_path, accept=True)
    image, told = (planted.read(tmp_path / "out" / each.path) for each in outcome.written)
    assert told.ContentSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID == image.SOPInstanceUID
    assert told.StudyInstanceUID == image.StudyInstanceUID
    assert told.PatientID == image.PatientID
