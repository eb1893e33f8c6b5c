"""Frames of every lossless encoding and of JPEG against the arrays they were made from."""

from __future__ import annotations

import dataclasses
import io
import time
import warnings
import zipfile
from pathlib import Path

import jpeg_ls
import numpy as np
import pytest
import simplejpeg
from openjpeg.utils import encode_array as j2k_encode
from PIL import Image
from pydicom.pixels import convert_color_space
from rle.utils import encode_array as rle_encode

from dicom_writing import (
    BIG_ENDIAN,
    DEFLATED,
    ENCAPSULATED_RAW,
    EXPLICIT,
    IMPLICIT,
    JPEG,
    JPEG_2000,
    JPEG_2000_LOSSLESS,
    JPEG_LS,
    RLE,
    screen,
    write,
)
from lesion_measure.dicom.frames import FrameReader
from lesion_measure.records import Location
from pixel_files import GRAY, RGB, SHAPE, Array, adobe, bt601, frame, pil, refused, unmarked


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

    def test_high_bit(self, tmp_path: Path) -> None:
        stored = GRAY.astype("<u2") << 4
        attributes = {"BitsAllocated": 16, "BitsStored": 8, "HighBit": 11}
        assert np.array_equal(frame(write(tmp_path, stored.tobytes(), GRAY.shape, **attributes))[0], GRAY)

    def test_inside_a_zip(self, tmp_path: Path) -> None:
        instance = write(tmp_path, RGB.tobytes() * 3, SHAPE, NumberOfFrames=3)
        archive = tmp_path / "a.zip"
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.write(instance.location.file, "x/image.dcm")
        inside = dataclasses.replace(instance, location=Location(archive, ("x/image.dcm",)))
        assert np.array_equal(frame(inside, 3)[1], RGB)


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

    def test_full_without_colour(self, tmp_path: Path) -> None:
        stored = self.YBR.copy()
        stored[..., 1:] = 128
        gray, rgb, _ = frame(write(tmp_path, stored.tobytes(), SHAPE, PhotometricInterpretation="YBR_FULL"))
        assert np.array_equal(gray, stored[..., 0])
        assert np.array_equal(rgb, convert_color_space(stored, "YBR_FULL", "RGB"))

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


def test_long_cine_frame_by_frame(tmp_path: Path) -> None:
    """A frame costs the same at the end of a cine as at its start, and memory is that of a frame."""
    picture = screen(768, 1024)
    jpegs = [simplejpeg.encode_jpeg(np.roll(picture, shift, axis=1), 85, colorsubsampling="422") for shift in range(4)]
    instance = write(
        tmp_path, jpegs * 75, picture.shape, JPEG, NumberOfFrames=300, PhotometricInterpretation="YBR_FULL_422"
    )
    with FrameReader(instance) as reader:
        reader.luminance(1)
        start = time.process_time()
        shown = [reader.luminance(number) for number in range(25, 301, 25)]
        assert time.process_time() - start < 12 * 0.1
    assert np.array_equal(shown[-1], TestJpeg.planes(jpegs[3])[..., 0])
