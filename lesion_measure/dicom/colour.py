"""Stored values to what a screen shows: 8-bit luminance and RGB (PS3.3 C.7.6.3.1, C.11.2.1.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lesion_measure.dicom.codestream import damaged, unsupported
from lesion_measure.dicom.pixel_header import GreyWindow, Header, Lut

Gray = NDArray[np.uint8]
_ITSELF = np.arange(256, dtype=np.uint8)
_NEAR = 8  # compression moves the colours of a gray pixel by a few levels
_CLEAR = 0.5  # of the pixels gray one way, and at most half as many the other way


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One decoded frame, to be had as luminance and in colour.

    ``pixels`` are uint8 (rows, columns, 3) in the colours that ``shown`` names, or stored values (rows, columns), which
    are places in ``shown``: 8-bit luminance (n,) and RGB (n, 3) for each of them.
    """

    pixels: NDArray[np.unsignedinteger[Any]]
    shown: Literal["rgb", "ybr"] | tuple[Gray, Gray]

    def luminance(self) -> Gray:
        """Brightness, uint8 (rows, columns).

        Y of ITU-R BT.601: for YBR images the stored Y plane; palettes and RGB are turned into it; MONOCHROME as shown
        under its window.
        """
        if isinstance(self.shown, tuple):
            return looked_up(self.shown[0], self.pixels)
        return luminance(self._colours) if self.shown == "rgb" else self._colours[..., 0]

    def display(self) -> Gray:
        """In colour, uint8 (rows, columns, 3) RGB; of gray values as `in_gray`."""
        if isinstance(self.shown, tuple):
            gray, rgb = self.shown
            return in_gray(looked_up(gray, self.pixels)) if is_gray(rgb) else np.take(rgb, self.pixels, axis=0)
        return self._colours if self.shown == "rgb" else rgb_of_ybr(self._colours)

    @property
    def _colours(self) -> Gray:
        return self.pixels.astype(np.uint8, copy=False)


def in_gray(gray: Gray) -> Gray:
    """Gray values as RGB (..., 3) without a copy: all three channels are the same bytes, which nobody may write to."""
    return np.broadcast_to(gray[..., None], (*gray.shape, 3))


def is_gray(rgb: Gray) -> bool:
    """Whether the channels of (..., 3) are equal: by how `in_gray` made them, else one by one, which is fast."""
    if rgb.strides[-1] == 0:
        return True
    return all(np.array_equal(rgb[..., 0], rgb[..., channel]) for channel in (1, 2))


def looked_up(table: Gray, pixels: NDArray[np.unsignedinteger[Any]]) -> Gray:
    """The entry of a table (n,) for each pixel; where they are what they say, the pixels themselves."""
    if pixels.dtype == np.uint8 and len(table) == 256:
        if np.array_equal(table, _ITSELF):
            return pixels.astype(np.uint8, copy=False)
        return np.frombuffer(pixels.tobytes().translate(table.tobytes()), np.uint8).reshape(pixels.shape)
    return np.take(table, pixels, axis=0)


def luminance(rgb: Gray) -> Gray:
    """Y of ITU-R BT.601 (0.299 R + 0.587 G + 0.114 B), rounded half up, of (..., 3)."""
    thousandths = np.full(rgb.shape[:-1], 500, dtype=np.uint32)
    for channel, weight in enumerate((299, 587, 114)):  # one by one: all of them as wide numbers leave the cache
        part = rgb[..., channel].astype(np.uint32)
        part *= np.uint32(weight)
        thousandths += part
    thousandths //= np.uint32(1000)
    return thousandths.astype(np.uint8)


def rgb_of_ybr(ybr: Gray) -> Gray:
    """RGB of full-range YBR (C.7.6.3.1.2), (rows, columns, 3); without any colour as `in_gray`."""
    coloured = (ybr[..., 1] != 128) | (ybr[..., 2] != 128)  # few pixels are: without colour all three are Y
    if not coloured.any():
        return in_gray(ybr[..., 0])
    rgb = np.repeat(ybr[..., :1], 3, axis=-1)
    y, cb, cr = (ybr[coloured].astype(np.float32) - np.array([0, 128, 128], dtype=np.float32)).T
    red, green, blue = y + 1.402 * cr, y - (0.114 * 1.772 * cb + 0.299 * 1.402 * cr) / 0.587, y + 1.772 * cb
    rgb[coloured] = np.clip(np.rint(np.stack([red, green, blue], axis=-1)), 0, 255).astype(np.uint8)
    return rgb


def full_range(ybr: Gray) -> Gray:
    """Partial-range YBR (Y 16 to 235, colours 16 to 240; ITU-R BT.601) stretched to the full range."""
    out = np.empty(ybr.shape, np.float32)
    out[..., 0] = (ybr[..., 0].astype(np.float32) - 16) * (255 / 219)
    out[..., 1:] = (ybr[..., 1:].astype(np.float32) - 128) * (255 / 224) + 128
    return np.clip(np.rint(out), 0, 255).astype(np.uint8)


def uses_full_range(ybr: Gray) -> bool:
    """True where Y goes clearly below the black of the partial range, as an empty full-range screen does."""
    return float(np.mean(ybr[..., 0] < 12)) > 0.01


def look(samples: Gray) -> str | None:
    """Whether (rows, columns, 3) holds "rgb" or "ybr", by where its grays lie; None where the picture does not tell.

    An ultrasound frame is mostly gray: equal components in RGB, colours of 128 in YBR.
    """
    some = samples[::2, ::2].astype(np.int16)
    one, two, three = some[..., 0], some[..., 1], some[..., 2]
    rgb = float(np.mean((np.abs(one - two) <= _NEAR) & (np.abs(two - three) <= _NEAR)))
    ybr = float(np.mean((np.abs(two - 128) <= _NEAR) & (np.abs(three - 128) <= _NEAR)))
    if rgb >= _CLEAR and ybr <= rgb / 2:
        return "rgb"
    if ybr >= _CLEAR and rgb <= ybr / 2:
        return "ybr"
    return None


def to_8_bits(samples: NDArray[np.integer[Any]], bits: int) -> Gray:
    """Unsigned samples of ``bits`` bits as 8 bits."""
    if bits == 8:
        return samples.astype(np.uint8, copy=False)
    top = (1 << bits) - 1
    scaled = ((samples.astype(np.uint32) & top) * 255 + top // 2) // top
    return scaled.astype(np.uint8)


def stored_values(header: Header) -> NDArray[np.int32]:
    """Every stored value, at the index that its bits are (unsigned)."""
    values = np.arange(1 << header.bits_stored, dtype=np.int32)
    if header.signed:
        values[len(values) // 2 :] -= len(values)
    return values


def gray_table(header: Header) -> Gray:
    """8-bit gray for every stored value of MONOCHROME1 or 2: by the window where there is one, else by the bits."""
    values = stored_values(header)
    if header.window is None:
        low = int(values.min())
        shown = (values - low) / max(1, len(values) - 1)
    else:
        shown = _windowed(values, header.window)
    table = np.rint(np.clip(shown, 0, 1) * 255).astype(np.uint8)
    return 255 - table if header.photometric == "MONOCHROME1" else table


def palette_table(header: Header) -> Gray:
    """8-bit RGB (n, 3) for every stored value of PALETTE COLOR (C.7.6.3.1.5, C.7.6.3.1.6)."""
    values = stored_values(header)
    columns = []
    for lut in header.palette:
        colours = _lut_values(lut, header.big_endian)
        columns.append(colours[np.clip(values - _first_mapped(lut, header.signed), 0, len(colours) - 1)])
    return np.stack(columns, axis=-1)


def _windowed(values: NDArray[np.int32], window: GreyWindow) -> NDArray[np.float64]:
    """C.11.2.1.2, to 0..1."""
    x = values * window.slope + window.intercept
    if window.function == "SIGMOID":
        return np.asarray(1 / (1 + np.exp(np.clip(-4 * (x - window.centre) / window.width, -700, 700))))
    if window.function == "LINEAR_EXACT":
        return np.asarray((x - window.centre) / window.width + 0.5)
    if window.width == 1:
        return np.asarray(x > window.centre - 0.5).astype(np.float64)
    return np.asarray((x - (window.centre - 0.5)) / (window.width - 1) + 0.5)


def _first_mapped(lut: Lut, signed: bool) -> int:
    return lut.first - 65536 if signed and lut.first > 32767 else lut.first


def _lut_values(lut: Lut, big_endian: bool) -> Gray:
    """The entries of a palette as 8 bits."""
    order = ">" if big_endian else "<"
    wide = lut.bits > 8 if lut.segmented else len(lut.data) >= 2 * lut.entries
    if wide:
        stored = np.frombuffer(lut.data[: len(lut.data) // 2 * 2], f"{order}u2")
    else:
        data = lut.data
        if big_endian:  # 8-bit entries are packed into 16-bit words
            data = np.frombuffer(data[: len(data) // 2 * 2], ">u2").astype("<u2").tobytes()
        stored = np.frombuffer(data, np.uint8)
    if lut.segmented:
        stored = np.array(_expand([*stored.tolist(), 3, 0], lut.entries), np.uint16)
    values = stored[: lut.entries]
    if len(values) < lut.entries:
        raise damaged("the palette is shorter than it says")
    # Some writers keep 8-bit values in 16-bit entries.
    return (values >> 8 if wide and values.max() > 255 else values).astype(np.uint8)


def _expand(codes: Sequence[int], entries: int) -> list[int]:
    """Segmented palette data (C.7.9.2): 0 = values as they are, 1 = a straight line to a value."""
    out: list[int] = []
    position = 0
    while len(out) < entries:
        code, length, *rest = codes[position : position + 3]
        if code == 2:
            raise unsupported("indirect segments in a palette")
        if code == 0:
            out += codes[position + 2 : position + 2 + length]
            position += 2 + length
        elif code == 1 and out and rest and length:
            start = out[-1]
            out += [round(start + (rest[0] - start) * step / length) for step in range(1, length + 1)]
            position += 3
        else:
            raise damaged("the segmented palette is out of order")
    return out
