"""The part of a DICOM header that says how pixels are stored (PS3.3 C.7.6.3), and where they begin."""

from __future__ import annotations

import struct
import warnings
from dataclasses import dataclass, replace
from typing import BinaryIO

from lesion_measure.config import Limits
from lesion_measure.dicom.elements import Elements, element, integer, numbers, text
from lesion_measure.dicom.headers import PixelElement
from lesion_measure.dicom.scan import scan_header
from lesion_measure.errors import PixelError

_COLOURS = ("Red", "Green", "Blue")
_KEYWORDS = [
    "SOPClassUID", "Modality",  # without these, a file that has no preamble is not known to be DICOM
    "Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration",
    "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "WindowCenter", "WindowWidth",
    "VOILUTFunction", "RescaleIntercept", "RescaleSlope", "ExtendedOffsetTable",
    *(f"{colour}PaletteColorLookupTable{part}" for colour in _COLOURS for part in ("Descriptor", "Data")),
    *(f"Segmented{colour}PaletteColorLookupTableData" for colour in _COLOURS),
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Lut:
    """One palette as stored: descriptor (entries, first mapped value, bits) and data, segmented or not (C.7.9)."""

    entries: int
    first: int
    bits: int
    data: bytes
    segmented: bool


@dataclass(frozen=True, slots=True)
class GreyWindow:
    """Window centre and width (C.11.2.1.2) with the rescale line before it (C.11.1)."""

    centre: float
    width: float
    function: str
    slope: float
    intercept: float


@dataclass(frozen=True, slots=True)
class Header:
    """How the pixels of one file are stored. ``vr`` and ``length`` (None: encapsulated) are those of Pixel Data.

    ``transfer_syntax`` is the one that the data are in, whatever the file states. ``sha256`` is that of the bytes
    before the pixels.
    """

    transfer_syntax: str
    rows: int
    columns: int
    frames: int
    samples: int
    photometric: str
    planar: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: bool
    big_endian: bool
    vr: str
    length: int | None
    palette: tuple[Lut, ...]
    window: GreyWindow | None
    offsets: tuple[int, ...]
    warnings: tuple[str, ...] = ()
    sha256: str = ""

    @property
    def frame_samples(self) -> int:
        """Samples of one decoded frame."""
        return self.rows * self.columns * self.samples


def read_header(stream: BinaryIO, limits: Limits) -> tuple[Header, BinaryIO]:
    """Read the header; the stream returned stands at the first byte of the value of Pixel Data.

    It is ``stream`` itself, or the unpacked data set of a deflated file.

    Raises
    ------
    InputError
        The header cannot be read.
    PixelError
        It has no pixel data, or says what cannot be.
    """
    # pydicom's remarks on values can quote them, and would go to the user's screen.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = scan_header(
            stream,
            _KEYWORDS,
            limits.header_bytes,
            inflated_bytes=limits.zip_member_bytes,
            before_pixels_bytes=limits.before_pixels_bytes,
        )
        pixels = _integer_pixels(found.pixels)
        header = replace(_header(found.dataset, found.transfer_syntax_uid, pixels), sha256=found.sha256)
    _check(header, limits)
    return header, pixels.stream


def _integer_pixels(pixels: PixelElement | None) -> PixelElement:
    if pixels is None:
        raise PixelError(
            "There are no pixel data, or the file is cut off before them.",
            remedy="Transfer the file again.",
            code="no_pixel_data",
        )
    if pixels.keyword != "PixelData":
        raise PixelError(
            "The image has no ordinary pixel data.", remedy="Export it with integer pixels.", code="pixels_unsupported"
        )
    return pixels


def _header(dataset: Elements, transfer_syntax: str, pixels: PixelElement) -> Header:
    allocated = _whole(dataset, "BitsAllocated", 0)
    stored = _whole(dataset, "BitsStored", 0) or allocated
    window, notes = _window(dataset)
    signed = _whole(dataset, "PixelRepresentation", 0) == 1
    if signed:
        notes += ("The header calls the pixels signed, which those of ultrasound never are (PS3.3 C.8.5.6.1).",)
    photometric = text(dataset, "PhotometricInterpretation").upper()
    return Header(
        transfer_syntax=transfer_syntax, rows=_whole(dataset, "Rows", 0), columns=_whole(dataset, "Columns", 0),
        frames=max(integer(dataset, "NumberOfFrames") or 1, 1), samples=_whole(dataset, "SamplesPerPixel", 1),
        photometric=photometric, planar=_whole(dataset, "PlanarConfiguration", 0), bits_allocated=allocated,
        bits_stored=stored, high_bit=_whole(dataset, "HighBit", stored - 1),
        signed=signed, big_endian=pixels.big_endian, vr=pixels.vr,
        length=pixels.length, palette=_palette(dataset) if photometric == "PALETTE COLOR" else (), window=window,
        offsets=extended_offsets(dataset), warnings=notes,
    )  # fmt: skip


def _whole(dataset: Elements, keyword: str, default: int) -> int:
    """The value, or ``default`` where it is missing; one that is malformed is not guessed."""
    value = integer(dataset, keyword) if numbers(dataset, keyword) else default
    if value is None:
        raise _bad_header(f"{keyword} is no whole number")
    return value


def _check(header: Header, limits: Limits) -> None:
    """Refuse what no decoder should be asked for."""
    if header.rows < 1 or header.columns < 1 or header.samples not in (1, 3):
        raise _bad_header("the image's size is impossible")
    if not header.bits_allocated or not header.photometric:
        raise _bad_header("it does not say how pixels are stored")
    if header.bits_allocated not in (8, 16):
        raise PixelError(
            f"Pixels of {header.bits_allocated} bits are not read.",
            remedy="Export the image with 8 or 16 bits.",
            code="pixels_unsupported",
        )
    if not 1 <= header.bits_stored <= header.bits_allocated or not (
        header.bits_stored - 1 <= header.high_bit < header.bits_allocated
    ):
        raise _bad_header("its bits stored and high bit are impossible")
    if header.frame_samples * header.bits_allocated // 8 > limits.frame_bytes:
        raise PixelError(
            f"A frame of {header.rows} x {header.columns} pixels is larger than limits.frame_bytes.",
            remedy="Raise limits.frame_bytes if the file can be trusted.",
            code="frame_too_large",
        )


def _palette(dataset: Elements) -> tuple[Lut, ...]:
    return tuple(_lut(dataset, colour) for colour in _COLOURS)


def _lut(dataset: Elements, colour: str) -> Lut:
    descriptor = numbers(dataset, f"{colour}PaletteColorLookupTableDescriptor")
    whole = [int(value) for value in descriptor if value is not None]
    plain = element(dataset, f"{colour}PaletteColorLookupTableData")
    stored = plain or element(dataset, f"Segmented{colour}PaletteColorLookupTableData")
    if len(whole) != 3 or stored is None or not isinstance(stored.value, bytes):
        raise _bad_header("a palette is not readable")
    entries, first, bits = whole
    return Lut(entries or 65536, first, bits, stored.value, plain is None)


def _window(dataset: Elements) -> tuple[GreyWindow | None, tuple[str, ...]]:
    """The first window; an impossible one is left out with a warning."""
    if not numbers(dataset, "WindowCenter") or not numbers(dataset, "WindowWidth"):
        return None, ()
    centre, width = _first(dataset, "WindowCenter", 0), _first(dataset, "WindowWidth", 0)
    slope, intercept = _first(dataset, "RescaleSlope", 1), _first(dataset, "RescaleIntercept", 0)
    function = text(dataset, "VOILUTFunction").upper() or "LINEAR"
    least = {"LINEAR": 1, "LINEAR_EXACT": 1e-9, "SIGMOID": 1e-9}.get(function)
    if centre is None or width is None or slope is None or intercept is None or least is None or width < least:
        return None, ("The window in the header is impossible and is not used.",)
    return GreyWindow(centre, width, function, slope or 1, intercept), ()


def _first(dataset: Elements, keyword: str, default: float) -> float | None:
    """The first value, the default where there is none, None where it is no finite number."""
    return next(iter(numbers(dataset, keyword)), default)


def extended_offsets(dataset: Elements) -> tuple[int, ...]:
    """The extended offset table (PS3.3 C.7.6.3.1.8); empty where there is none."""
    found = element(dataset, "ExtendedOffsetTable")
    data = found.value if found is not None else None
    return struct.unpack(f"<{len(data) // 8}Q", data[: len(data) // 8 * 8]) if isinstance(data, bytes) else ()


def _bad_header(what: str) -> PixelError:
    return PixelError(
        f"The header does not describe an image that can be decoded: {what}.",
        remedy="Transfer the file again, or export it again from the scanner.",
        code="pixel_header",
    )
