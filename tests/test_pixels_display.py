"""Windows and palettes against pydicom."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.pixels import apply_color_lut, apply_windowing

from dicom_writing import (
    BIG_ENDIAN,
    write,
)
from pixel_files import GRAY, Array, bt601, frame, refused


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
