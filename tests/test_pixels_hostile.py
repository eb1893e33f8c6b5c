"""Pixel data that lie about their size, are cut up or damaged: bounded, refused, never fatal."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import jpeg_ls
import numpy as np
import pytest
import simplejpeg
from openjpeg.utils import encode_array as j2k_encode
from PIL import Image
from rle.utils import encode_array as rle_encode

from dicom_writing import (
    DEFLATED,
    JPEG,
    JPEG_2000,
    JPEG_LS,
    LOSSLESS,
    LOSSLESS_SV1,
    RLE,
    lossless,
    screen,
    write,
)
from lesion_measure.config import Limits
from lesion_measure.dicom.frames import FrameReader
from lesion_measure.errors import PixelError
from lesion_measure.records import Instance
from pixel_files import GRAY, RGB, SHAPE, frame, pil, refused


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
        with pytest.raises(PixelError) as caught, FrameReader(instance, Limits(zip_member_bytes=100_000)) as reader:
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


FUZZ = """
import dataclasses, pathlib, random, sys, warnings, logging
warnings.simplefilter("ignore"); logging.disable(logging.CRITICAL)
sys.path.insert(0, sys.argv[1])
from dicom_headers import instance_of
from lesion_measure.errors import PixelError
from lesion_measure.dicom.frames import FrameReader
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
