"""Frames of every encoding against the arrays they were made from, or against a second library."""

from __future__ import annotations

import dataclasses
import io
import struct
import subprocess
import sys
import time
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jpeg_ls
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk  # noqa: N813
import simplejpeg
from numpy.typing import NDArray
from openjpeg.utils import encode_array as j2k_encode
from PIL import Image
from pydicom import dcmread
from pydicom.pixels import apply_color_lut, apply_windowing, convert_color_space, pixel_array
from rle.utils import encode_array as rle_encode

from dicom_headers import instance_of
from dicom_writing import (
    BIG_ENDIAN,
    DEFLATED,
    ENCAPSULATED_RAW,
    EXPLICIT,
    IMPLICIT,
    JPEG,
    JPEG_12,
    JPEG_2000,
    JPEG_2000_LOSSLESS,
    JPEG_LS,
    LOSSLESS,
    LOSSLESS_SV1,
    RLE,
    lossless,
    screen,
    write,
)
from lesion_measure.config import Limits
from lesion_measure.errors import PixelError
from lesion_measure.ingest import load_studies
from lesion_measure.pixels import FrameReader
from lesion_measure.records import Instance, Location

Array = NDArray[Any]
RGB = screen()
GRAY = np.ascontiguousarray(RGB[..., 0])
SHAPE = RGB.shape


def bt601(rgb: Array) -> Array:
    """Luminance of ITU-R BT.601, rounded half up, in exact integers."""
    return ((rgb.astype(int) @ np.array([299, 587, 114]) + 500) // 1000).astype(np.uint8)


def frame(instance: Instance, number: int = 1) -> tuple[Array, Array, tuple[str, ...]]:
    """Luminance, display and warnings of one frame; asked for twice, since the second time may take a short cut."""
    with FrameReader(instance) as reader:
        gray, rgb = reader.luminance(number), reader.display(number)
        assert np.array_equal(gray, reader.luminance(number))
        assert np.array_equal(rgb, reader.display(number))
        assert gray.dtype == rgb.dtype == np.uint8
        assert rgb.shape == (*gray.shape, 3)
        return gray, rgb, reader.warnings


def refused(make: Callable[[], Instance], number: int = 1) -> str:
    """Code of the error that reading a frame gives, which has to name file, reason and remedy."""
    with pytest.raises(PixelError) as caught:
        frame(make(), number)
    assert caught.value.path == "image.dcm"
    assert caught.value.reason
    assert caught.value.remedy
    return caught.value.code


def pil(image: Array, mode: str, **options: Any) -> bytes:
    """JPEG bytes by Pillow of an array whose channels are taken as ``mode``."""
    buffer = io.BytesIO()
    Image.frombytes(mode, image.shape[1::-1], np.ascontiguousarray(image).tobytes()).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def unmarked(data: bytes) -> bytes:
    """A JPEG without JFIF and Adobe markers."""
    out, position = data[:2], 2
    while data[position + 1] != 0xDA:
        end = position + 2 + struct.unpack(">H", data[position + 2 : position + 4])[0]
        if data[position + 1] not in (0xE0, 0xEE):
            out += data[position:end]
        position = end
    return out + data[position:]


def adobe(data: bytes, transform: int) -> bytes:
    """The JPEG with an Adobe marker."""
    return data[:2] + b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00" + bytes([transform]) + unmarked(data)[2:]


class TestRealFiles:
    """Against SimpleITK and pydicom, and against one another."""

    @pytest.fixture
    def folder(self, shared_dir: Path) -> Path:
        return shared_dir / "dicom_us" / "us"

    def test_every_frame_against_two_libraries(self, folder: Path) -> None:
        for path in sorted(folder.glob("*.dcm")):
            other = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
            dataset = dcmread(path)
            with FrameReader(instance_of(path)) as reader:
                assert reader.warnings == (), path.name
                for index in range(reader.frames):
                    shown = reader.display(index + 1)
                    if dataset.PhotometricInterpretation == "MONOCHROME2":
                        expected = apply_windowing(other[index], dataset)
                        assert np.array_equal(reader.luminance(index + 1), np.rint(expected.clip(0, 255))), path.name
                        continue
                    assert np.array_equal(shown, other[index]), path.name
                    stored = dataset.pixel_array if reader.frames == 1 else dataset.pixel_array[index]
                    # pydicom takes the palette of a big-endian file for little-endian
                    if dataset.PhotometricInterpretation == "PALETTE COLOR" and dataset.original_encoding[1]:
                        assert np.array_equal(shown, apply_color_lut(stored, dataset) >> 8), path.name
                    if dataset.PhotometricInterpretation == "YBR_FULL_422":
                        ybr = pixel_array(dataset, raw=True)
                        assert np.array_equal(reader.luminance(1), ybr[..., 0]), path.name
                    else:
                        assert np.array_equal(reader.luminance(index + 1), bt601(shown)), path.name

    def test_encodings_of_one_image_agree(self, folder: Path) -> None:
        first, _, _ = frame(instance_of(folder / "OBXXXX1A.dcm"))
        assert np.array_equal(first, frame(instance_of(folder / "OBXXXX1A_rle.dcm"))[0])
        for number in (1, 2):
            pictures = [frame(instance_of(folder / f"OBXXXX1A_{kind}2frame.dcm"), number)[0] for kind in
                        ("", "expb_", "rle_")]  # fmt: skip
            assert all(np.array_equal(pictures[0], other) for other in pictures[1:])
            if number == 1:
                assert np.array_equal(first, pictures[0])
        for one, two in (("US1_UNCR", "US1_J2KR"), ("US1_UNCR", "wg04_US1_RLE"), ("US1_UNCI", "US1_J2KI"),
                         ("color-pl", "color-px")):  # fmt: skip
            pair = [frame(instance_of(folder / f"{name}.dcm"))[:2] for name in (one, two)]
            assert np.array_equal(pair[0][0], pair[1][0]), one
            assert np.array_equal(pair[0][1], pair[1][1]), one


PACKAGED = sorted(
    path
    for pattern in ("SC_rgb*.dcm", "SC_jpeg*.dcm", "SC_ybr*.dcm", "examples_*.dcm", "GDCMJ2K*.dcm", "image_dfl.dcm")
    for path in (Path(pydicom.__file__).parent / "data").rglob(pattern)
    if "32bit" not in path.name
)


@pytest.mark.parametrize("path", PACKAGED, ids=lambda path: path.name)
def test_files_that_come_with_pydicom(path: Path) -> None:
    """Colour labels and markers of every kind, by dcmtk and gdcm: the same picture as pydicom's own decoders give."""
    dataset = dcmread(path)
    gray, rgb, warnings = frame(instance_of(path))
    expected = dataset.pixel_array if int(dataset.get("NumberOfFrames", 1)) == 1 else dataset.pixel_array[0]
    assert warnings == ()
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        assert np.array_equal(rgb, apply_color_lut(expected, dataset) >> 8)
    elif expected.ndim == 3:
        assert np.array_equal(rgb, expected >> (dataset.BitsAllocated - 8))
    else:
        shown = apply_windowing(expected, dataset)
        top = 255 if "WindowWidth" not in dataset else (1 << dataset.BitsStored) - 1
        assert np.abs(gray - shown * 255.0 / top).max() <= 0.5 + 1e-6


class TestLossless:
    """What goes in comes out."""

    @pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT, DEFLATED, BIG_ENDIAN])
    @pytest.mark.parametrize("planar", [0, 1])
    def test_native_rgb(self, tmp_path: Path, syntax: str, planar: int) -> None:
        stored = np.moveaxis(RGB, -1, 0) if planar else RGB
        gray, rgb, warnings = frame(write(tmp_path, stored.tobytes(), SHAPE, syntax, PlanarConfiguration=planar))
        assert np.array_equal(rgb, RGB)
        assert np.array_equal(gray, bt601(RGB))
        assert warnings == ()

    @pytest.mark.parametrize("shape", [(31, 33), (32, 34)])
    @pytest.mark.parametrize("vr", ["OB", "OW"])
    def test_big_endian_bytes_and_words(self, tmp_path: Path, vr: str, shape: tuple[int, int]) -> None:
        frames = np.random.default_rng(1).integers(0, 256, (3, *shape), np.uint8)
        data = frames.tobytes() + b"\x00" * (frames.size % 2)
        words = np.frombuffer(data, "<u2").astype(">u2").tobytes() if vr == "OW" else data
        instance = write(tmp_path, words, shape, BIG_ENDIAN, vr=vr, NumberOfFrames=3)
        for number in (3, 1, 2):
            assert np.array_equal(frame(instance, number)[0], frames[number - 1])

    @pytest.mark.parametrize("kind", ["MONOCHROME1", "MONOCHROME2"])
    @pytest.mark.parametrize("syntax", [EXPLICIT, BIG_ENDIAN, ENCAPSULATED_RAW, RLE, JPEG_LS, JPEG_2000_LOSSLESS])
    @pytest.mark.parametrize("shape", [(40, 51), (64, 48)])
    def test_gray_8(self, tmp_path: Path, syntax: str, kind: str, shape: tuple[int, int]) -> None:
        stored = np.ascontiguousarray(screen(*shape)[..., 0])
        data = self.encode(stored, syntax)
        gray, rgb, _ = frame(write(tmp_path, data, shape, syntax, PhotometricInterpretation=kind))
        expected = 255 - stored if kind == "MONOCHROME1" else stored
        assert np.array_equal(gray, expected)
        assert np.array_equal(rgb, np.repeat(expected[..., None], 3, axis=2))

    @pytest.mark.parametrize("signed", [False, True])
    @pytest.mark.parametrize("bits", [10, 12, 16])
    @pytest.mark.parametrize("syntax", [EXPLICIT, BIG_ENDIAN, RLE, JPEG_LS, JPEG_2000_LOSSLESS])
    def test_gray_16(self, tmp_path: Path, syntax: str, bits: int, signed: bool) -> None:
        top = (1 << bits) - 1
        low = -(1 << (bits - 1)) if signed else 0
        stored = np.linspace(low, low + top, 40 * 50).round().astype("<i2" if signed else "<u2").reshape(40, 50)
        data = self.encode(stored, syntax, bits)
        attributes = {"BitsAllocated": 16, "BitsStored": bits, "PixelRepresentation": int(signed)}
        gray, _, _ = frame(write(tmp_path, data, (40, 50), syntax, **attributes))
        assert np.array_equal(gray, np.rint((stored.astype(int) - low) * 255 / top))

    @staticmethod
    def encode(stored: Array, syntax: str, bits: int = 8) -> bytes | list[bytes]:
        if syntax == JPEG_LS:
            return [bytes(jpeg_ls.encode_array(stored.view(f"u{stored.itemsize}") & ((1 << bits) - 1)))]
        if syntax == JPEG_2000_LOSSLESS:
            return [j2k_encode(stored, bits_stored=bits, photometric_interpretation=2)]
        if syntax == RLE:
            return list(rle_encode(stored, rows=stored.shape[0], columns=stored.shape[1], samples_per_pixel=1,
                                   bits_allocated=stored.itemsize * 8, number_of_frames=1))  # fmt: skip
        data = stored.astype(stored.dtype.newbyteorder(">")).tobytes() if syntax == BIG_ENDIAN else stored.tobytes()
        return [data] if syntax == ENCAPSULATED_RAW else data

    @pytest.mark.parametrize("interleave", [0, 1, 2])
    def test_jpeg_ls_colour(self, tmp_path: Path, interleave: int) -> None:
        arranged = np.ascontiguousarray(np.moveaxis(RGB, -1, 0)) if interleave == 0 else RGB
        data = bytes(jpeg_ls.encode_array(arranged, interleave_mode=interleave))
        assert np.array_equal(frame(write(tmp_path, [data], SHAPE, JPEG_LS))[1], RGB)

    @pytest.mark.parametrize(("transform", "label"), [(True, "YBR_RCT"), (False, "RGB"), (True, "RGB")])
    def test_jpeg_2000_colour(self, tmp_path: Path, transform: bool, label: str) -> None:
        data = j2k_encode(RGB, photometric_interpretation=1, use_mct=transform)
        gray, rgb, warnings = frame(write(tmp_path, [data], SHAPE, JPEG_2000_LOSSLESS, PhotometricInterpretation=label))
        assert np.array_equal(rgb, RGB)
        assert np.array_equal(gray, bt601(RGB))
        assert warnings == ()

    def test_jpeg_2000_in_a_jp2_file(self, tmp_path: Path) -> None:
        data = j2k_encode(RGB, photometric_interpretation=1, use_mct=True, codec_format=1)
        assert data[4:8] == b"jP  "
        assert np.array_equal(frame(write(tmp_path, [data], SHAPE, JPEG_2000))[1], RGB)

    def test_rle_colour(self, tmp_path: Path) -> None:
        data = list(rle_encode(RGB, rows=SHAPE[0], columns=SHAPE[1], samples_per_pixel=3, bits_allocated=8,
                               number_of_frames=1))  # fmt: skip
        assert np.array_equal(frame(write(tmp_path, data, SHAPE, RLE))[1], RGB)

    def test_rle_with_padding(self, tmp_path: Path) -> None:
        data = [next(iter(rle_encode(GRAY, rows=GRAY.shape[0], columns=GRAY.shape[1], samples_per_pixel=1,
                                     bits_allocated=8, number_of_frames=1)))]  # fmt: skip
        for padding in (b"", b"\x00", b"\x80" * 7, b"\x00" * 300):
            instance = write(tmp_path, [data[0] + padding], GRAY.shape, RLE)
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                assert np.array_equal(frame(instance)[0], GRAY)

    @pytest.mark.parametrize("planar", [0, 1])
    def test_rgb_16(self, tmp_path: Path, planar: int) -> None:
        deep = RGB.astype("<u2") * 257
        stored = np.moveaxis(deep, -1, 0) if planar else deep
        attributes = {"BitsAllocated": 16, "PlanarConfiguration": planar}
        assert np.array_equal(frame(write(tmp_path, stored.tobytes(), SHAPE, **attributes))[1], RGB)

    def test_bits_above_the_stored_ones_are_not_pixels(self, tmp_path: Path) -> None:
        stored = (GRAY.astype("<u2") << 4) | 0xF00F
        attributes = {"BitsAllocated": 16, "BitsStored": 8, "HighBit": 11}
        assert np.array_equal(frame(write(tmp_path, stored.tobytes(), GRAY.shape, **attributes))[0], GRAY)

    def test_inside_a_zip(self, tmp_path: Path) -> None:
        instance = write(tmp_path, RGB.tobytes() * 3, SHAPE, NumberOfFrames=3)
        archive = tmp_path / "a.zip"
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.write(instance.location.file, "x/image.dcm")
        inside = dataclasses.replace(instance, location=Location(archive, ("x/image.dcm",)))
        assert np.array_equal(frame(inside, 3)[1], RGB)


class TestOddFiles:
    """What ingest accepts can be decoded: both read headers in the same way."""

    PALETTE = np.random.default_rng(8).integers(0, 256, (256, 3), np.uint8)

    def files(self, folder: Path) -> dict[str, bytes]:
        """Colour images of every native syntax, one with a palette and one compressed."""
        lut: dict[str, Any] = {"PhotometricInterpretation": "PALETTE COLOR"}
        for index, colour in enumerate(("Red", "Green", "Blue")):
            lut[f"{colour}PaletteColorLookupTableDescriptor"] = [256, 0, 8]
            lut[f"{colour}PaletteColorLookupTableData"] = self.PALETTE[:, index].tobytes()
        made = {}
        for syntax in (IMPLICIT, EXPLICIT, BIG_ENDIAN):
            instance = write(folder, RGB.tobytes(), SHAPE, syntax)
            made[f"native{syntax}"] = instance.location.file.read_bytes()
        for syntax in (IMPLICIT, EXPLICIT):
            instance = write(folder, GRAY.tobytes(), GRAY.shape, syntax, **lut)
            made[f"palette{syntax}"] = instance.location.file.read_bytes()
        streams = [bytes(jpeg_ls.encode_array(RGB))]
        made["compressed"] = write(folder, streams, SHAPE, JPEG_LS).location.file.read_bytes()
        return made

    def check(self, folder: Path, name: str, data: bytes) -> None:
        (folder / "image.dcm").write_bytes(data)
        found = load_studies(folder / "image.dcm")
        (instance,) = found.instances
        expected = self.PALETTE[GRAY] if name.startswith("palette") else RGB
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert np.array_equal(frame(instance)[1], expected), name

    def test_without_preamble(self, tmp_path: Path) -> None:
        for name, data in self.files(tmp_path).items():
            assert data[128:132] == b"DICM"
            self.check(tmp_path, name, data[132:])
            self.check(tmp_path, name, data[128:])

    def test_without_meta_information(self, tmp_path: Path) -> None:
        for name, data in self.files(tmp_path).items():
            if name != "compressed":
                self.check(tmp_path, name, data[144 + int.from_bytes(data[140:144], "little") :])

    def test_stray_delimiters(self, tmp_path: Path) -> None:
        for name, data in self.files(tmp_path).items():
            big = name.endswith(BIG_ENDIAN)
            at = data.index(b"\x00\x28\x00\x10" if big else b"\x28\x00\x10\x00")  # before Rows
            stray = b"\xff\xfe\xe0\x0d" if big else b"\xfe\xff\x0d\xe0"
            self.check(tmp_path, name, data[:at] + stray + bytes(4) + data[at:])

    def test_another_syntax_than_stated(self, tmp_path: Path) -> None:
        files = self.files(tmp_path)
        ends = {name: 144 + int.from_bytes(data[140:144], "little") for name, data in files.items()}
        for kind in ("native", "palette"):
            for stated, real in ((EXPLICIT, IMPLICIT), (IMPLICIT, EXPLICIT)):
                head, name = f"{kind}{stated}", f"{kind}{real}"
                self.check(tmp_path, name, files[head][: ends[head]] + files[name][ends[name] :])

    def test_deflated(self, tmp_path: Path) -> None:
        data = write(tmp_path, RGB.tobytes(), SHAPE, DEFLATED).location.file.read_bytes()
        for variant in (data, data[132:], data[128:]):
            self.check(tmp_path, "deflated", variant)
        end = 144 + int.from_bytes(data[140:144], "little")
        body = zlib.decompress(data[end:], -15)
        at = body.index(b"\x28\x00\x10\x00")
        packer = zlib.compressobj(wbits=-15)
        stray = packer.compress(body[:at] + b"\xfe\xff\x0d\xe0\x00\x00\x00\x00" + body[at:]) + packer.flush()
        self.check(tmp_path, "deflated", data[:end] + stray)

    def test_nothing_reaches_the_screen(self, tmp_path: Path) -> None:
        """Neither pydicom's warnings nor its log, of odd values and of damaged pixels."""
        data = rle_encode(GRAY, rows=GRAY.shape[0], columns=GRAY.shape[1], samples_per_pixel=1, bits_allocated=8,
                          number_of_frames=1)  # fmt: skip
        whole = next(iter(data))
        instance = write(tmp_path, [whole + bytes(50), whole[:100]], GRAY.shape, RLE, NumberOfFrames=2,
                         WindowCenter="128", WindowWidth="256")  # fmt: skip
        odd = instance.location.file.read_bytes().replace(b"DS\x04\x00128 ", b"DS\x04\x001x_8")
        instance.location.file.write_bytes(odd.replace(b"MONOCHROME2 ", b"monochrome2\x00"))
        done = subprocess.run(
            [sys.executable, "-W", "always", "-c", QUIET, str(instance.location.file)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stdout + done.stderr == ""


QUIET = """
import sys
from lesion_measure.errors import PixelError
from lesion_measure.ingest import load_studies
from lesion_measure.pixels import FrameReader
(instance,) = load_studies(sys.argv[1]).instances
with FrameReader(instance) as reader:
    reader.luminance(1)
    assert reader.warnings
    try:
        reader.luminance(2)
    except PixelError as error:
        assert error.code == "pixels_damaged"
    else:
        raise AssertionError
"""


class TestWindow:
    """PS3.3 C.11.2.1.2, against pydicom where it covers it."""

    @pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
    @pytest.mark.parametrize(("centre", "width"), [(128, 256), (127, 254), (80, 100), (40.5, 1), (300, 20)])
    def test_8_bit(self, tmp_path: Path, function: str, centre: float, width: float) -> None:
        ramp = np.tile(np.arange(256, dtype=np.uint8), (4, 1))
        instance = write(tmp_path, ramp.tobytes(), ramp.shape, WindowCenter=centre, WindowWidth=width,
                         VOILUTFunction=function)  # fmt: skip
        expected = apply_windowing(ramp, dcmread(instance.location.file))
        assert np.abs(frame(instance)[0] - expected.clip(0, 255)).max() <= 0.5 + 1e-6

    def test_identity(self, tmp_path: Path) -> None:
        ramp = np.tile(np.arange(256, dtype=np.uint8), (4, 1))
        for kind, expected in (("MONOCHROME2", ramp), ("MONOCHROME1", 255 - ramp)):
            instance = write(tmp_path, ramp.tobytes(), ramp.shape, WindowCenter=["128", "9"], WindowWidth=["256", "9"],
                             PhotometricInterpretation=kind)  # fmt: skip
            assert np.array_equal(frame(instance)[0], expected)

    def test_signed_with_rescale(self, tmp_path: Path) -> None:
        stored = np.linspace(-2048, 2047, 64 * 64).astype("<i2").reshape(64, 64)
        instance = write(tmp_path, stored.tobytes(), stored.shape, BitsAllocated=16, BitsStored=12,
                         PixelRepresentation=1, RescaleSlope=2, RescaleIntercept=-100, WindowCenter=100,
                         WindowWidth=2001)  # fmt: skip
        expected = ((stored.astype(float) * 2 - 100) - 99.5) / 2000 + 0.5
        assert np.array_equal(frame(instance)[0], np.rint(expected.clip(0, 1) * 255))

    @pytest.mark.parametrize("width", [0, -5, 0.5])
    def test_impossible_window_is_left_out(self, tmp_path: Path, width: float) -> None:
        instance = write(tmp_path, GRAY.tobytes(), GRAY.shape, WindowCenter=100, WindowWidth=width)
        gray, _, warnings = frame(instance)
        assert np.array_equal(gray, GRAY)
        assert "window" in warnings[0]


class TestPalette:
    """Indices are not gray: PS3.3 C.7.6.3.1.5 and C.7.9."""

    TABLE = np.random.default_rng(3).integers(0, 256, (3, 256), np.uint8)
    INDEX = np.random.default_rng(4).integers(0, 256, (30, 41), np.uint8)

    def lut(self, tables: Array, bits: int, first: int = 0, **changes: Any) -> dict[str, Any]:
        out: dict[str, Any] = {"PhotometricInterpretation": "PALETTE COLOR"}
        for colour, table in zip(("Red", "Green", "Blue"), tables, strict=True):
            out[f"{colour}PaletteColorLookupTableDescriptor"] = [len(table) % 65536, first, bits]
            out[f"{colour}PaletteColorLookupTableData"] = table.tobytes()
        return out | changes

    @pytest.mark.parametrize("entries", [256, 100])
    @pytest.mark.parametrize("first", [0, 17])
    @pytest.mark.parametrize("bits", [8, 16])
    def test_against_pydicom(self, tmp_path: Path, bits: int, first: int, entries: int) -> None:
        tables = self.TABLE[:, :entries]
        stored = tables if bits == 8 else tables.astype("<u2") * 256
        instance = write(tmp_path, self.INDEX.tobytes(), self.INDEX.shape, **self.lut(stored, bits, first))
        gray, rgb, _ = frame(instance)
        expected = tables[:, (self.INDEX.astype(int) - first).clip(0, entries - 1)]
        assert np.array_equal(rgb, np.moveaxis(expected, 0, -1))
        assert np.array_equal(gray, bt601(rgb))
        assert np.array_equal(rgb, apply_color_lut(self.INDEX, dcmread(instance.location.file)) >> (bits - 8))

    def test_8_bit_values_in_16_bit_entries(self, tmp_path: Path) -> None:
        for bits in (8, 16):
            lut = self.lut(self.TABLE.astype("<u2"), bits)
            rgb = frame(write(tmp_path, self.INDEX.tobytes(), self.INDEX.shape, **lut))[1]
            assert np.array_equal(rgb, np.moveaxis(self.TABLE[:, self.INDEX], 0, -1))

    @pytest.mark.parametrize("bits", [8, 16])
    def test_big_endian(self, tmp_path: Path, bits: int) -> None:
        words = self.TABLE.reshape(3, -1).view("<u2") if bits == 8 else self.TABLE.astype("<u2") * 257
        lut = self.lut(words.astype(">u2"), bits)
        for colour in ("Red", "Green", "Blue"):
            lut[f"{colour}PaletteColorLookupTableDescriptor"] = [256, 0, bits]
        rgb = frame(write(tmp_path, self.INDEX.tobytes(), self.INDEX.shape, BIG_ENDIAN, **lut))[1]
        assert np.array_equal(rgb, np.moveaxis(self.TABLE[:, self.INDEX], 0, -1))

    def test_16_bit_indices(self, tmp_path: Path) -> None:
        tables = np.random.default_rng(5).integers(0, 65536, (3, 65536)).astype("<u2")
        index = np.random.default_rng(6).integers(0, 65536, (30, 40)).astype("<u2")
        lut = self.lut(tables, 16, BitsAllocated=16)
        rgb = frame(write(tmp_path, index.tobytes(), index.shape, **lut))[1]
        assert np.array_equal(rgb, np.moveaxis(tables[:, index] >> 8, 0, -1))

    def test_signed_indices(self, tmp_path: Path) -> None:
        lut = self.lut(self.TABLE, 8, -128, PixelRepresentation=1)
        index = self.INDEX.view(np.int8)
        rgb = frame(write(tmp_path, index.tobytes(), index.shape, **lut))[1]
        assert np.array_equal(rgb, np.moveaxis(self.TABLE[:, index.astype(int) + 128], 0, -1))

    @pytest.mark.parametrize("bits", [8, 16])
    def test_segmented(self, tmp_path: Path, bits: int) -> None:
        codes = [0, 3, 10, 20, 30, 1, 200, 255, 0, 1, 7, 1, 52, 0]
        data = np.array(codes, "<u2" if bits == 16 else np.uint8)
        lut: dict[str, Any] = {"PhotometricInterpretation": "PALETTE COLOR"}
        for colour in ("Red", "Green", "Blue"):
            lut[f"{colour}PaletteColorLookupTableDescriptor"] = [256, 0, bits]
            lut[f"Segmented{colour}PaletteColorLookupTableData"] = data.tobytes()
        instance = write(tmp_path, self.INDEX.tobytes(), self.INDEX.shape, **lut)
        expected = apply_color_lut(self.INDEX, dcmread(instance.location.file))
        # pydicom rounds a value of 3.5 on the line down, by its rounding error
        assert np.abs(frame(instance)[1].astype(int) - expected).max() <= 1

    def test_broken_palettes(self, tmp_path: Path) -> None:
        short = self.lut(self.TABLE[:, :50], 8)
        for colour in ("Red", "Green", "Blue"):
            short[f"{colour}PaletteColorLookupTableDescriptor"] = [256, 0, 8]
        shape = self.INDEX.shape
        assert refused(lambda: write(tmp_path, self.INDEX.tobytes(), shape, **short)) == "pixels_damaged"
        none = {"PhotometricInterpretation": "PALETTE COLOR"}
        assert refused(lambda: write(tmp_path, self.INDEX.tobytes(), shape, **none)) == "pixel_header"


class TestYbr:
    """Uncompressed YBR: luminance is the Y plane itself."""

    YBR = np.asarray(convert_color_space(RGB, "RGB", "YBR_FULL"))

    @pytest.mark.parametrize("planar", [0, 1])
    def test_full(self, tmp_path: Path, planar: int) -> None:
        stored = np.moveaxis(self.YBR, -1, 0) if planar else self.YBR
        gray, rgb, warnings = frame(
            write(tmp_path, stored.tobytes(), SHAPE, PlanarConfiguration=planar, PhotometricInterpretation="YBR_FULL")
        )
        assert np.array_equal(gray, self.YBR[..., 0])
        assert np.abs(rgb.astype(int) - convert_color_space(self.YBR, "YBR_FULL", "RGB")).max() <= 1
        assert warnings == ()

    @pytest.mark.parametrize("padded", [False, True])
    @pytest.mark.parametrize("shape", [(20, 24), (21, 25), (20, 25)])
    def test_422(self, tmp_path: Path, shape: tuple[int, int], padded: bool) -> None:
        ybr = np.asarray(convert_color_space(screen(*shape), "RGB", "YBR_FULL"))
        rows, columns = shape
        width = columns + columns % 2 if padded else columns
        flat = np.zeros((rows, width, 3), np.uint8)
        flat[:, :columns] = ybr
        flat = np.concatenate([flat.reshape(-1, 3), np.zeros((rows * width % 2, 3), np.uint8)]).reshape(-1, 2, 3)
        data = np.stack([flat[:, 0, 0], flat[:, 1, 0], flat[:, 0, 1], flat[:, 0, 2]], axis=1).tobytes()
        instance = write(tmp_path, data * 2, (*shape, 3), PhotometricInterpretation="YBR_FULL_422", NumberOfFrames=2)
        gray, rgb, _ = frame(instance, 2)
        assert np.array_equal(gray, ybr[..., 0])
        if columns % 2 == 0:
            expected = np.repeat(ybr[:, ::2], 2, axis=1)
            expected[..., 0] = ybr[..., 0]
            assert np.abs(rgb.astype(int) - convert_color_space(expected, "YBR_FULL", "RGB")).max() <= 1

    def test_422_that_is_not_subsampled(self, tmp_path: Path) -> None:
        gray, _, warnings = frame(write(tmp_path, self.YBR.tobytes(), SHAPE, PhotometricInterpretation="YBR_FULL_422"))
        assert np.array_equal(gray, self.YBR[..., 0])
        assert "not subsampled" in warnings[0]

    def test_partial_range(self, tmp_path: Path) -> None:
        gray = np.repeat(np.linspace(0, 255, 100)[None], 20, axis=0).round()
        stored = np.full((20, 50, 4), 128, np.uint8)
        stored[..., :2] = np.rint(16 + gray.reshape(20, 50, 2) * 219 / 255)
        shown, rgb, _ = frame(
            write(tmp_path, stored.tobytes(), (20, 100, 3), PhotometricInterpretation="YBR_PARTIAL_422")
        )
        assert np.abs(shown - gray).max() <= 1
        assert np.array_equal(rgb[..., 0], shown)

    @pytest.mark.parametrize("label", ["RGB", "YBR_FULL"])
    def test_mislabelled(self, tmp_path: Path, label: str) -> None:
        stored = self.YBR if label == "RGB" else RGB
        for data, syntax in ((stored.tobytes(), EXPLICIT), ([stored.tobytes()], ENCAPSULATED_RAW)):
            gray, rgb, warnings = frame(write(tmp_path, data, SHAPE, syntax, PhotometricInterpretation=label))
            assert np.abs(gray.astype(int) - bt601(RGB)).max() <= 1
            assert np.abs(rgb.astype(int) - RGB).max() <= 2
            assert label in warnings[0]


class TestJpeg:
    """8-bit JPEG against Pillow, under right and wrong labels."""

    @staticmethod
    def planes(data: bytes) -> Array:
        """Y, Cb, Cr as stored, by Pillow."""
        image = Image.open(io.BytesIO(data))
        image.draft("YCbCr", image.size)
        assert image.mode == "YCbCr"
        return np.asarray(image)

    @pytest.mark.parametrize("sampling", ["444", "422", "420"])
    @pytest.mark.parametrize("shape", [(96, 128), (95, 127)])
    @pytest.mark.parametrize("marks", ["jfif", "adobe", "none"])
    @pytest.mark.parametrize("label", ["YBR_FULL_422", "YBR_FULL", "RGB"])
    def test_ybr(self, tmp_path: Path, sampling: str, shape: tuple[int, int], marks: str, label: str) -> None:
        data = simplejpeg.encode_jpeg(screen(*shape), 90, colorsubsampling=sampling)
        expected = self.planes(data)
        shown = np.asarray(Image.open(io.BytesIO(data)))
        data = {"jfif": data, "adobe": adobe(data, 1), "none": unmarked(data)}[marks]
        instance = write(tmp_path, [data], (*shape, 3), JPEG, PhotometricInterpretation=label)
        gray, rgb, warnings = frame(instance)
        assert np.array_equal(gray, expected[..., 0])
        assert np.abs(rgb.astype(int) - shown).max() <= 2
        assert bool(warnings) is (label == "RGB")

    @pytest.mark.parametrize("marks", ["rgb ids", "adobe", "none", "jfif, wrongly"])
    @pytest.mark.parametrize("label", ["YBR_FULL_422", "RGB"])
    def test_rgb(self, tmp_path: Path, marks: str, label: str) -> None:
        if marks == "rgb ids":
            data = unmarked(pil(RGB, "RGB", quality=95, keep_rgb=True))
            assert b"R\x11\x00G\x11\x00B\x11\x00" in data
        else:
            data = pil(RGB, "YCbCr", quality=95, subsampling=0)
            data = {"adobe": adobe(data, 0), "none": unmarked(data), "jfif, wrongly": data}[marks]
        gray, rgb, warnings = frame(write(tmp_path, [data], SHAPE, JPEG, PhotometricInterpretation=label))
        reference = np.asarray(Image.open(io.BytesIO(pil(RGB, "RGB", quality=95, keep_rgb=True))))
        if marks != "rgb ids":
            reference = self.planes(pil(RGB, "YCbCr", quality=95, subsampling=0))
        assert np.array_equal(rgb, reference)
        assert np.array_equal(gray, bt601(reference))
        assert any(f"labelled {label}" in warning for warning in warnings) is (label != "RGB")
        assert any("marked as YBR" in warning for warning in warnings) is ("wrongly" in marks)

    def test_a_picture_without_grays_is_believed_by_its_marks(self, tmp_path: Path) -> None:
        colourful = np.random.default_rng(2).integers(0, 256, (64, 64, 3), np.uint8)
        data = simplejpeg.encode_jpeg(colourful, 95, colorsubsampling="444")
        gray, _, warnings = frame(write(tmp_path, [data], (64, 64, 3), JPEG, PhotometricInterpretation="YBR_FULL"))
        assert np.array_equal(gray, self.planes(data)[..., 0])
        assert warnings == ()

    @pytest.mark.parametrize("progressive", [False, True])
    def test_gray(self, tmp_path: Path, progressive: bool) -> None:
        data = pil(GRAY, "L", quality=90, progressive=progressive)
        gray, _, _ = frame(write(tmp_path, [data], GRAY.shape, JPEG))
        assert np.array_equal(gray, np.asarray(Image.open(io.BytesIO(data))))

    def test_padding_and_a_missing_end(self, tmp_path: Path) -> None:
        data = pil(GRAY, "L", quality=90)
        expected = np.asarray(Image.open(io.BytesIO(data)))
        for variant in (data + b"\x00", data + b"\x00" * 300, data[:-2]):
            assert np.array_equal(frame(write(tmp_path, [variant], GRAY.shape, JPEG))[0], expected)

    @pytest.mark.parametrize("kept", [0.3, 0.7, 0.97])
    def test_cut_off(self, tmp_path: Path, kept: float) -> None:
        noise = np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)
        streams = {
            JPEG: pil(noise, "L", quality=90), JPEG_LS: bytes(jpeg_ls.encode_array(noise)),
            JPEG_2000: j2k_encode(noise, photometric_interpretation=2),
            RLE: next(iter(rle_encode(noise, rows=64, columns=64, samples_per_pixel=1, bits_allocated=8,
                                      number_of_frames=1))),
        }  # fmt: skip
        for syntax, data in streams.items():
            part = data[: int(len(data) * kept)]
            assert refused(lambda part=part, syntax=syntax: write(tmp_path, [part], (64, 64), syntax)) == (  # type: ignore[misc]
                "pixels_damaged"
            ), syntax


class TestBombs:
    """The stream's own size is compared with the header's before a decoder allocates it."""

    def test_jpeg_of_another_size(self, tmp_path: Path) -> None:
        data = bytearray(pil(GRAY, "L"))
        sof = data.index(b"\xff\xc0")
        for rows, columns in ((65500, 65500), (SHAPE[0] + 1, SHAPE[1]), (0, SHAPE[1])):
            data[sof + 5 : sof + 9] = struct.pack(">HH", rows, columns)
            assert refused(lambda: write(tmp_path, [bytes(data)], GRAY.shape, JPEG)) == "pixels_disagree"

    def test_jpeg_2000_of_another_size_or_many_tiles(self, tmp_path: Path) -> None:
        data = bytearray(j2k_encode(GRAY, photometric_interpretation=2))
        data[8:16] = struct.pack(">LL", 60000, 60000)
        data[24:32] = struct.pack(">LL", 60000, 60000)
        assert refused(lambda: write(tmp_path, [bytes(data)], GRAY.shape, JPEG_2000)) == "pixels_disagree"
        data[24:32] = struct.pack(">LL", 1, 1)
        assert refused(lambda: write(tmp_path, [bytes(data)], GRAY.shape, JPEG_2000)) == "pixels_unsupported"

    def test_components(self, tmp_path: Path) -> None:
        assert refused(lambda: write(tmp_path, [pil(GRAY, "L")], SHAPE, JPEG)) == "pixels_disagree"
        assert refused(lambda: write(tmp_path, [pil(RGB, "RGB")], GRAY.shape, JPEG)) == "pixels_disagree"

    def test_scans_without_end(self, tmp_path: Path) -> None:
        data = pil(GRAY, "L", progressive=True)
        scan = data[data.rindex(b"\xff\xda") : -2]
        assert refused(lambda: write(tmp_path, [data[:-2] + scan * 99 + data[-2:]], GRAY.shape, JPEG)) == (
            "pixels_damaged"
        )

    def test_frame_larger_than_the_limit(self, tmp_path: Path) -> None:
        instance = write(tmp_path, RGB.tobytes(), SHAPE)
        with pytest.raises(PixelError) as caught:
            FrameReader(instance, Limits(frame_bytes=1000))
        assert caught.value.code == "frame_too_large"

    def test_deflated_bomb(self, tmp_path: Path) -> None:
        instance = write(tmp_path, bytes(4_000_000), (2000, 2000), DEFLATED)
        assert instance.location.file.stat().st_size < 20_000
        with FrameReader(instance, Limits(zip_member_bytes=100_000)) as reader, pytest.raises(PixelError) as caught:
            reader.luminance(1)
        assert caught.value.code == "header_too_large"

    def test_rle_header(self, tmp_path: Path) -> None:
        for header in ((0,), (3, 64, 70, 80), (1, 60), (1, 5000), (2, 64, 64), (99, 64)):
            data = struct.pack("<16L", *header, *[0] * (16 - len(header))) + bytes(100)
            assert refused(lambda data=data: write(tmp_path, [data], GRAY.shape, RLE)) == "pixels_damaged"  # type: ignore[misc]


def item(data: bytes) -> bytes:
    """A fragment or offset table."""
    return b"\xfe\xff\x00\xe0" + struct.pack("<L", len(data)) + data


END = b"\xfe\xff\xdd\xe0\x00\x00\x00\x00"


class TestFragments:
    """How frames lie in encapsulated data, rightly and wrongly (PS3.5 A.4)."""

    PICTURES = tuple(screen(seed=seed)[..., 0] for seed in range(3))
    FRAMES = tuple(pil(screen(seed=seed)[..., 0], "L", quality=90) for seed in range(3))
    EVEN = tuple(jpeg + b"\x00" * (len(jpeg) % 2) for jpeg in FRAMES)

    def check(self, folder: Path, data: bytes, **attributes: Any) -> tuple[str, ...]:
        instance = write(folder, [b""], GRAY.shape, JPEG, encapsulated=data, NumberOfFrames=3, **attributes)
        for number, jpeg in enumerate(self.FRAMES, 1):
            gray, _, warnings = frame(instance, number)
            assert np.array_equal(gray, np.asarray(Image.open(io.BytesIO(jpeg))))
        return warnings

    def offsets(self, parts: list[list[bytes]]) -> bytes:
        sizes = [sum(len(part) + 8 for part in frame_parts) for frame_parts in parts]
        return struct.pack("<3L", 0, sizes[0], sizes[0] + sizes[1])

    def test_one_fragment_each(self, tmp_path: Path) -> None:
        items = b"".join(map(item, self.EVEN))
        right = self.offsets([[jpeg] for jpeg in self.EVEN])
        for table in (b"", right, struct.pack("<3L", 0, 1, 2), struct.pack("<2L", 0, 0), right[::-1], b"\x00\x00"):
            assert self.check(tmp_path, item(table) + items + END) == ()

    def test_many_fragments_each(self, tmp_path: Path) -> None:
        parts = [[jpeg[:100], jpeg[100:700], jpeg[700:]] for jpeg in self.EVEN]
        items = b"".join(item(part) for frame_parts in parts for part in frame_parts)
        for table in (b"", self.offsets(parts), struct.pack("<3L", 0, 100, 700)):
            assert self.check(tmp_path, item(table) + items + END) == ()

    def test_no_end_and_empty_fragments(self, tmp_path: Path) -> None:
        items = item(b"").join(map(item, self.EVEN))
        assert self.check(tmp_path, item(b"") + items) == ()

    def test_extended_offset_table(self, tmp_path: Path) -> None:
        streams = [bytes(jpeg_ls.encode_array(picture)) for picture in self.PICTURES]
        halves = [[data[:2], data[2 : len(data) // 2 * 2], data[len(data) // 2 * 2 :] + b"\x00"] for data in streams]
        halves = [[part + b"\x00" * (len(part) % 2) for part in frame_parts if part] for frame_parts in halves]
        sizes = np.cumsum([0] + [sum(len(part) + 8 for part in frame_parts) for frame_parts in halves])[:3]
        data = item(b"") + b"".join(item(part) for frame_parts in halves for part in frame_parts) + END
        instance = write(tmp_path, [b""], GRAY.shape, JPEG_LS, encapsulated=data, NumberOfFrames=3,
                         ExtendedOffsetTable=sizes.astype("<u8").tobytes())  # fmt: skip
        for number, picture in enumerate(self.PICTURES, 1):
            assert np.array_equal(frame(instance, number)[0], picture)

    def test_fewer_frames_than_stated(self, tmp_path: Path) -> None:
        data = item(b"") + item(self.EVEN[0]) + item(self.EVEN[1]) + END

        def make() -> Instance:
            return write(tmp_path, [b""], GRAY.shape, JPEG, encapsulated=data, NumberOfFrames=3)

        assert "the file holds 2" in frame(make(), 2)[2][0]
        assert refused(make, 3) == "pixels_truncated"

    def test_more_frames_than_stated(self, tmp_path: Path) -> None:
        instance = write(tmp_path, self.EVEN, GRAY.shape, JPEG)
        gray, _, warnings = frame(instance)
        assert np.array_equal(gray, np.asarray(Image.open(io.BytesIO(self.FRAMES[0]))))
        assert "the file holds 3" in warnings[0]

    def test_frames_that_cannot_be_told_apart(self, tmp_path: Path) -> None:
        rest = [b"\x12\x34" * 50] * 5
        data = item(b"") + b"".join(map(item, rest)) + END
        assert (
            refused(lambda: write(tmp_path, [b""], GRAY.shape, JPEG, encapsulated=data, NumberOfFrames=3))
            == "frames_unclear"
        )

    @pytest.mark.parametrize("data", [item(b""), item(b"") + END, item(b"") + item(b"") + END])
    def test_empty(self, tmp_path: Path, data: bytes) -> None:
        assert refused(lambda: write(tmp_path, [b""], GRAY.shape, JPEG, encapsulated=data)) == "no_pixel_data"

    def test_stray_bytes(self, tmp_path: Path) -> None:
        data = item(b"") + b"\x01\x02\x03\x04" + item(self.EVEN[0]) + END
        assert refused(lambda: write(tmp_path, [b""], GRAY.shape, JPEG, encapsulated=data)) == "pixels_damaged"

    def test_file_cut_off(self, tmp_path: Path) -> None:
        instance = write(tmp_path, self.EVEN, GRAY.shape, JPEG, NumberOfFrames=3)
        data = instance.location.file.read_bytes()
        instance.location.file.write_bytes(data[: -len(self.EVEN[2]) // 2])
        frame(instance, 2)
        assert refused(lambda: instance, 3) == "pixels_truncated"


class TestRefusals:
    """What cannot be read ends in our own error."""

    @pytest.mark.parametrize("syntax", [".4.100", ".4.102", ".4.107", ".4.94", ".4.92"])
    def test_other_encodings(self, tmp_path: Path, syntax: str) -> None:
        assert refused(lambda: write(tmp_path, [b"1234"], SHAPE, syntax)) == "pixels_unsupported"

    def test_frame_numbers(self, tmp_path: Path) -> None:
        for number in (0, -1, 2):
            assert refused(lambda: write(tmp_path, RGB.tobytes(), SHAPE), number) == "no_such_frame"

    def test_native_cut_off(self, tmp_path: Path) -> None:
        instance = write(tmp_path, RGB.tobytes() * 2, SHAPE, NumberOfFrames=3)
        frame(instance, 2)
        assert refused(lambda: instance, 3) == "pixels_truncated"
        instance.location.file.write_bytes(instance.location.file.read_bytes()[:-100])
        assert refused(lambda: instance, 2) == "pixels_truncated"

    @pytest.mark.parametrize(
        ("changes", "code"),
        [({"BitsAllocated": 32}, "pixels_unsupported"), ({"BitsAllocated": 1}, "pixels_unsupported"),
         ({"BitsStored": 9}, "pixel_header"), ({"HighBit": 9}, "pixel_header"), ({"Rows": 0}, "pixel_header"),
         ({"SamplesPerPixel": 4}, "pixel_header"), ({"PhotometricInterpretation": "CMYK"}, "pixels_unsupported"),
         ({"PhotometricInterpretation": "MONOCHROME2"}, "pixels_unsupported"),
         ({"PhotometricInterpretation": "YBR_PARTIAL_420"}, "pixels_unsupported")],
    )  # fmt: skip
    def test_headers(self, tmp_path: Path, changes: dict[str, Any], code: str) -> None:
        assert refused(lambda: write(tmp_path, RGB.tobytes(), SHAPE, **changes)) == code

    def test_no_pixel_data(self, tmp_path: Path) -> None:
        instance = write(tmp_path, RGB.tobytes(), SHAPE)
        data = instance.location.file.read_bytes()
        instance.location.file.write_bytes(data[: data.index(b"\xe0\x7f\x10\x00")])
        assert refused(lambda: instance) == "no_pixel_data"
        instance.location.file.write_bytes(b"not DICOM at all")
        assert refused(lambda: instance) == "not_dicom"
        instance.location.file.write_bytes(data[:200])
        assert refused(lambda: instance) == "no_pixel_data"

    def test_float_pixels(self, tmp_path: Path) -> None:
        instance = write(tmp_path, RGB.tobytes(), SHAPE)
        data = instance.location.file.read_bytes()
        instance.location.file.write_bytes(data.replace(b"\xe0\x7f\x10\x00OB", b"\xe0\x7f\x08\x00OF"))
        assert refused(lambda: instance) == "pixels_unsupported"

    def test_12_bit_jpeg(self, tmp_path: Path) -> None:
        """Free decoders either lack it or cannot be trusted with a damaged stream."""
        data = bytearray(pil(GRAY, "L"))
        data[data.index(b"\xff\xc0") : data.index(b"\xff\xc0") + 5] = b"\xff\xc1\x00\x0b\x0c"
        instance = write(tmp_path, [bytes(data)], GRAY.shape, JPEG_12, BitsAllocated=16, BitsStored=12)
        assert refused(lambda: instance) == "pixels_unsupported"
        with FrameReader(instance) as reader, pytest.raises(PixelError, match="12 bits") as caught:
            reader.luminance(1)
        assert "uncompressed or as JPEG lossless" in caught.value.remedy

    @pytest.mark.parametrize("keyword", ["BitsAllocated", "PhotometricInterpretation"])
    def test_what_is_not_stated(self, tmp_path: Path, keyword: str) -> None:
        instance = write(tmp_path, RGB.tobytes(), SHAPE)
        dataset = dcmread(instance.location.file)
        del dataset[keyword]
        dataset.save_as(instance.location.file)
        assert refused(lambda: instance) == "pixel_header"

    def test_another_file_than_the_header_was_of(self, tmp_path: Path) -> None:
        instance = write(tmp_path, RGB.tobytes(), SHAPE)
        assert refused(lambda: dataclasses.replace(instance, rows=1)) == "pixels_damaged"


def test_long_cine_frame_by_frame(tmp_path: Path) -> None:
    """A frame costs the same at the end of a cine as at its start, and memory is that of a frame."""
    picture = screen(768, 1024)
    jpegs = [simplejpeg.encode_jpeg(np.roll(picture, shift, axis=1), 85, colorsubsampling="422") for shift in range(4)]
    instance = write(
        tmp_path, jpegs * 75, picture.shape, JPEG, NumberOfFrames=300, PhotometricInterpretation="YBR_FULL_422"
    )
    with FrameReader(instance) as reader:
        reader.luminance(1)
        start = time.perf_counter()
        shown = [reader.luminance(number) for number in range(25, 301, 25)]
        assert time.perf_counter() - start < 12 * 0.1
    assert np.array_equal(shown[-1], TestJpeg.planes(jpegs[3])[..., 0])


FUZZ = """
import dataclasses, pathlib, random, sys, warnings, logging
warnings.simplefilter("ignore"); logging.disable(logging.CRITICAL)
sys.path.insert(0, sys.argv[1])
from dicom_headers import instance_of
from lesion_measure.errors import PixelError
from lesion_measure.pixels import FrameReader
from lesion_measure.records import Location
import resource
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
broken = pathlib.Path(sys.argv[2])
for name in sys.argv[3:]:
    instance = instance_of(pathlib.Path(name))
    data = pathlib.Path(name).read_bytes()
    first = max(data.rfind(b"\\xe0\\x7f\\x10\\x00"), data.rfind(b"\\x7f\\xe0\\x00\\x10"))
    instance = dataclasses.replace(instance, location=Location(broken))
    for seed in range(40):
        rng = random.Random(seed)
        damaged = bytearray(data)
        near = rng.choice([first + 700, len(data)])
        for _ in range(rng.choice([1, 4, 30])):
            damaged[rng.randrange(first, min(near, len(data)))] = rng.choice([0, 255, rng.randrange(256)])
        if seed % 4 == 0:
            damaged = damaged[: rng.randrange(first, len(data))]
        if seed % 4 == 1:
            place = rng.randrange(first, len(data))
            del damaged[place : place + rng.choice([1, 2, 500])]
        broken.write_bytes(damaged)
        try:
            with FrameReader(instance) as reader:
                reader.luminance(1)
                reader.display(reader.frames)
        except PixelError:
            pass
print("survived")
"""


def test_damaged_pixel_data_never_bring_down_the_interpreter(tmp_path: Path, project_dir: Path) -> None:
    """Hundreds of corrupted files in a process of their own: a picture or a PixelError, nothing else."""
    streams: dict[str, tuple[list[bytes], str, dict[str, Any]]] = {
        "jpeg": ([simplejpeg.encode_jpeg(RGB, 85, colorsubsampling="420")], JPEG, {}),
        "progressive": ([pil(RGB, "RGB", progressive=True)], JPEG, {}),
        "ls": ([bytes(jpeg_ls.encode_array(RGB))], JPEG_LS, {}),
        "j2k": ([j2k_encode(RGB, photometric_interpretation=1, use_mct=True)], JPEG_2000, {}),
        "lossless": ([lossless(GRAY, 8, 4)], LOSSLESS, {}),
        "deep": ([lossless(GRAY.astype(int) * 16, 12, 1)], LOSSLESS_SV1, {"BitsAllocated": 16, "BitsStored": 12}),
        "rle": (list(rle_encode(RGB, rows=SHAPE[0], columns=SHAPE[1], samples_per_pixel=3, bits_allocated=8,
                                number_of_frames=1)), RLE, {}),
    }  # fmt: skip
    files = []
    for name, (data, syntax, attributes) in streams.items():
        (tmp_path / name).mkdir()
        gray = name in ("lossless", "deep")
        files.append(
            str(write(tmp_path / name, data, GRAY.shape if gray else SHAPE, syntax, **attributes).location.file)
        )
    command = [sys.executable, "-c", FUZZ, str(project_dir / "tests"), str(tmp_path / "broken.dcm"), *files]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=project_dir)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "survived" in done.stdout
