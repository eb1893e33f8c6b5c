"""Header and pixel data that contradict one another: refused or said, never a picture out of step."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import jpeg_ls
import numpy as np
import pytest
from openjpeg.utils import encode_array as j2k_encode
from rle.utils import encode_array as rle_encode
from scipy.ndimage import gaussian_filter

from dicom_writing import (
    BIG_ENDIAN,
    DEFLATED,
    ENCAPSULATED_RAW,
    EXPLICIT,
    IMPLICIT,
    JPEG,
    JPEG_2000_LOSSLESS,
    JPEG_LS,
    RLE,
    screen,
    write,
)
from lesion_measure.dicom.agreement import check_lines
from lesion_measure.dicom.frames import FrameReader, decode
from lesion_measure.errors import PixelError
from pixel_files import GRAY, RGB, SHAPE, frame, pil, refused

ROWS, COLUMNS = GRAY.shape


def rle(picture: Any, bits: int = 8) -> list[bytes]:
    samples = 1 if picture.ndim == 2 else 3
    return list(rle_encode(picture, rows=picture.shape[0], columns=picture.shape[1], samples_per_pixel=samples,
                           bits_allocated=bits, number_of_frames=1))  # fmt: skip


class TestLength:
    """Rows x columns x samples x bits x frames against the bytes that are there."""

    CHANGES: tuple[dict[str, Any], ...] = (
        {"Columns": COLUMNS - 1}, {"Columns": COLUMNS + 1}, {"Rows": ROWS - 1}, {"Rows": ROWS + 1},
        {"Columns": COLUMNS // 2}, {"Columns": COLUMNS * 2}, {"NumberOfFrames": 2}, {"NumberOfFrames": 4},
    )  # fmt: skip

    @pytest.mark.parametrize("changes", CHANGES)
    @pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT, BIG_ENDIAN, DEFLATED])
    def test_native(self, tmp_path: Path, syntax: str, changes: dict[str, Any]) -> None:
        attributes = {"NumberOfFrames": 3} | changes
        for picture in (GRAY, RGB):
            assert refused(
                lambda p=picture: write(tmp_path, p.tobytes() * 3, p.shape, syntax, **attributes)  # type: ignore[misc]
            ) == "pixels_disagree"  # fmt: skip

    @pytest.mark.parametrize("changes", [c for c in CHANGES if "NumberOfFrames" not in c])
    @pytest.mark.parametrize("picture", [GRAY, RGB])
    def test_rle_and_encapsulated(self, tmp_path: Path, picture: Any, changes: dict[str, Any]) -> None:
        fewer = changes.get("Rows", ROWS) * changes.get("Columns", COLUMNS) < ROWS * COLUMNS
        code = "pixels_disagree" if fewer else "pixels_damaged"
        assert refused(lambda: write(tmp_path, rle(picture), picture.shape, RLE, **changes)) == code
        raw = [picture.tobytes()]
        assert refused(lambda: write(tmp_path, raw, picture.shape, ENCAPSULATED_RAW, **changes)) == "pixels_disagree"

    @pytest.mark.parametrize("changes", CHANGES[1:6])  # an odd row may be padded, which drops a column and shears none
    def test_packed_colours(self, tmp_path: Path, changes: dict[str, Any]) -> None:
        packed = np.random.default_rng(1).integers(0, 256, ROWS * COLUMNS * 2, np.uint8).tobytes()
        attributes = {"PhotometricInterpretation": "YBR_FULL_422"} | changes
        assert refused(lambda: write(tmp_path, packed, SHAPE, **attributes)) == "pixels_disagree"

    @pytest.mark.parametrize("changes", CHANGES[:6])
    def test_streams_that_say_their_size(self, tmp_path: Path, changes: dict[str, Any]) -> None:
        streams = {
            JPEG: pil(GRAY, "L"), JPEG_LS: bytes(jpeg_ls.encode_array(GRAY)),
            JPEG_2000_LOSSLESS: j2k_encode(GRAY, photometric_interpretation=2),
        }  # fmt: skip
        for syntax, data in streams.items():
            assert refused(
                lambda s=syntax, d=data: write(tmp_path, [d], GRAY.shape, s, **changes)  # type: ignore[misc]
            ) == "pixels_disagree"  # fmt: skip

    def test_padding_is_no_other_picture(self, tmp_path: Path) -> None:
        for count in (2, 64, ROWS - 2):
            gray, _, warnings = frame(write(tmp_path, GRAY.tobytes() + bytes(count), GRAY.shape))
            assert np.array_equal(gray, GRAY)
            assert warnings == (f"{count} bytes of padding follow the pixels.",)
        for surplus in (bytes(ROWS), b"\x00\x01", bytes(COLUMNS)):
            assert refused(lambda s=surplus: write(tmp_path, GRAY.tobytes() + s, GRAY.shape)) == (  # type: ignore[misc]
                "pixels_disagree"
            )

    def test_odd_length(self, tmp_path: Path) -> None:
        odd = screen(31, 33)[..., 0]
        gray, _, warnings = frame(write(tmp_path, odd.tobytes() + b"\x9e", odd.shape))
        assert np.array_equal(gray, odd)
        assert warnings == ()


@pytest.mark.parametrize("changes", [{"Rows": 320, "Columns": 240}, {"Rows": 480, "Columns": 160}])
@pytest.mark.parametrize("syntax", [EXPLICIT, RLE])
def test_rows_and_columns_of_the_same_product(tmp_path: Path, syntax: str, changes: dict[str, Any]) -> None:
    y, x = np.mgrid[:240, :320]
    smooth = (np.exp(-((y - 100) ** 2 + (x - 150) ** 2) / 3000) * 200 + screen(240, 320)[..., 0] // 8).astype(np.uint8)
    data = smooth.tobytes() if syntax == EXPLICIT else rle(smooth)
    assert np.array_equal(frame(write(tmp_path, data, smooth.shape, syntax))[0], smooth)
    assert refused(lambda: write(tmp_path, data, smooth.shape, syntax, **changes)) == "pixels_disagree"


def lines_as_said(picture: Any, columns: int) -> bool:
    """By the definition, in doubles: each other number of columns that fits is compared over the whole picture."""
    flat = picture.ravel() - picture.mean(dtype=np.float64)
    steps = [step for step in range(64, flat.size // 4) if flat.size % step == 0 and step != columns]
    alike = {step: flat[:-step] @ flat[step:] / (flat @ flat) for step in [*steps, columns]}
    best = max(steps, key=alike.__getitem__)
    return bool(alike[best] <= max(0.5, alike[columns] + (0.06 if best % columns else 0.3)))


@pytest.mark.parametrize("noise", [0, 10, 60])
@pytest.mark.parametrize("across", [3, 8, 30])
def test_lines_are_those_that_are_most_alike(across: int, noise: int) -> None:
    """Blobs that are wider than high, at all sizes by which their pixels can be laid out in lines."""
    rng = np.random.default_rng(across + noise)
    blobs = gaussian_filter(rng.normal(size=(240, 320)), (across / 2, across))
    picture = np.clip(120 + 50 * blobs / blobs.std() + rng.normal(0, noise + 1e-9, blobs.shape), 0, 255)
    shown, outcomes = picture.round().astype(np.uint8), set()
    for columns in [n for n in range(64, shown.size // 4) if shown.size % n == 0]:
        outcomes.add(expected := lines_as_said(shown, columns))
        with nullcontext() if expected else pytest.raises(PixelError, match="lines of the picture"):
            check_lines(shown.reshape(-1, columns), columns)
    assert len(outcomes) == 2 or noise == 60


class TestBits:
    """Values that BitsStored and HighBit do not allow."""

    @pytest.mark.parametrize("picture", [GRAY, RGB])
    def test_8_bits_called_7(self, tmp_path: Path, picture: Any) -> None:
        changes = {"BitsStored": 7}
        assert refused(lambda: write(tmp_path, picture.tobytes(), picture.shape, **changes)) == "pixels_disagree"
        assert refused(lambda: write(tmp_path, rle(picture), picture.shape, RLE, **changes)) == "pixels_disagree"
        data = bytes(jpeg_ls.encode_array(picture))
        assert refused(lambda: write(tmp_path, [data], picture.shape, JPEG_LS, **changes)) == "pixels_disagree"

    @pytest.mark.parametrize("changes", [{"BitsStored": 10}, {"BitsStored": 11, "HighBit": 11}, {"HighBit": 13}])
    def test_12_bits_called_otherwise(self, tmp_path: Path, changes: dict[str, Any]) -> None:
        deep = np.linspace(0, 4095, GRAY.size).astype("<u2").reshape(GRAY.shape)
        attributes = {"BitsAllocated": 16, "BitsStored": 12} | changes
        assert refused(lambda: write(tmp_path, deep.tobytes(), GRAY.shape, **attributes)) == "pixels_disagree"

    def test_bits_above_and_below(self, tmp_path: Path) -> None:
        attributes = {"BitsAllocated": 16, "BitsStored": 8, "HighBit": 11}
        for bit in (1, 1 << 15):
            stored = (GRAY.astype("<u2") << 4) | bit
            assert refused(
                lambda s=stored: write(tmp_path, s.tobytes(), GRAY.shape, **attributes)  # type: ignore[misc]
            ) == "pixels_disagree"  # fmt: skip


class TestColours:
    """The order in which the samples of colours are stored."""

    @pytest.mark.parametrize("planar", [0, 1])
    def test_planar_configuration(self, tmp_path: Path, planar: int) -> None:
        picture = screen(240, 320)
        stored = picture if planar else np.moveaxis(picture, -1, 0)
        attributes = {"PlanarConfiguration": planar}
        assert refused(lambda: write(tmp_path, stored.tobytes(), picture.shape, **attributes)) == "pixels_disagree"

    def test_one_sample_called_three(self, tmp_path: Path) -> None:
        assert refused(lambda: write(tmp_path, GRAY.tobytes(), SHAPE)) == "pixels_disagree"
        assert refused(lambda: write(tmp_path, RGB.tobytes(), GRAY.shape)) == "pixels_disagree"


class OddError(Exception):
    """Of no kind that anybody lists."""


@pytest.mark.parametrize(
    "error",
    [ValueError("x"), OddError("x"), RecursionError(), MemoryError(), AssertionError(), StopIteration(), OSError(5)],
)
def test_whatever_a_decoder_raises_costs_one_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def broken(*_: Any) -> None:
        raise error

    monkeypatch.setattr(decode, "native", broken)
    monkeypatch.setattr(decode, "compressed", broken)
    assert refused(lambda: write(tmp_path, GRAY.tobytes(), GRAY.shape)) == "pixels_damaged"
    assert refused(lambda: write(tmp_path, [pil(GRAY, "L")], GRAY.shape, JPEG)) == "pixels_damaged"


def test_an_interrupt_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(decode, "native", interrupted)
    with FrameReader(write(tmp_path, GRAY.tobytes(), GRAY.shape)) as reader, pytest.raises(KeyboardInterrupt):
        reader.luminance(1)


@pytest.mark.parametrize(
    "make",
    [
        lambda folder: write(folder, GRAY.tobytes(), GRAY.shape, PhotometricInterpretation="PALETTE COLOR", **{
            f"{colour}PaletteColorLookupTableDescriptor": [256, 0, 16] for colour in ("Red", "Green", "Blue")
        } | {f"Segmented{colour}PaletteColorLookupTableData": bytes(64) for colour in ("Red", "Green", "Blue")}),
        lambda folder: write(folder, bytes(100), SHAPE, PhotometricInterpretation="YBR_FULL_422"),
    ],
)  # fmt: skip
def test_what_once_ended_a_batch(tmp_path: Path, make: Callable[[Path], Any]) -> None:
    assert refused(lambda: make(tmp_path)) in ("pixels_damaged", "pixels_disagree")
