"""Frames of real, odd and long files against a second library, and why a frame is refused."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import warnings
import zlib
from pathlib import Path
from typing import Any

import jpeg_ls
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk  # noqa: N813
from pydicom import dcmread
from pydicom.pixels import apply_color_lut, apply_windowing, pixel_array
from rle.utils import encode_array as rle_encode

from dicom_headers import instance_of
from dicom_writing import (
    BIG_ENDIAN,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    JPEG_12,
    JPEG_LS,
    RLE,
    write,
)
from lesion_measure.dicom.frames import FrameReader
from lesion_measure.errors import PixelError
from lesion_measure.studies import load_studies
from pixel_files import GRAY, RGB, SHAPE, bt601, frame, pil, refused


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
from lesion_measure.studies import load_studies
from lesion_measure.dicom.frames import FrameReader
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


class TestRefusals:
    """What cannot be read ends in our own error."""

    @pytest.mark.parametrize("syntax", [".4.100", ".4.102", ".4.107", ".4.94", ".4.92"])
    def test_other_encodings(self, tmp_path: Path, syntax: str) -> None:
        assert refused(lambda: write(tmp_path, [b"1234"], SHAPE, syntax)) == "pixels_unsupported"

    def test_frame_numbers(self, tmp_path: Path) -> None:
        for number in (0, -1, 2):
            assert refused(lambda: write(tmp_path, RGB.tobytes(), SHAPE), number) == "no_such_frame"

    def test_native_cut_off(self, tmp_path: Path) -> None:
        instance = write(tmp_path, RGB.tobytes() * 2, SHAPE, NumberOfFrames=2)
        instance.location.file.write_bytes(instance.location.file.read_bytes()[:-100])
        frame(instance, 1)
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
        assert refused(lambda: dataclasses.replace(instance, rows=1)) == "file_changed"
